/* Clusters: what must stay apart, what belongs together, how clusters are told. */
#include "campaign/cluster.h"

#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "campaign/pieces.h"
#include "observe/sketch.h"
#include "test.h"

#define F(kind, key)      ((struct qn_feature){ QN_FEATURE_##kind, key })
#define ADD(c, item, ...) add(c, item, (struct qn_feature[]){ __VA_ARGS__ })

static uint64_t mix(uint64_t n)
{
        return qn_hash64(&n, sizeof n);
}

/* A sketch of its own for each seed; of changed bins, those of another one. */
static struct qn_sketch sketch(uint64_t seed, uint64_t other, unsigned changed)
{
        struct qn_sketch s = { 0 };

        for (unsigned i = 0; i < QN_SKETCH_BINS; i++) {
                uint64_t v = mix((i * 37 % QN_SKETCH_BINS < changed ? other : seed) * 1000 + i);

                s.band[i / QN_SKETCH_ROWS] |= (1 + v % 255) << 8 * (i % QN_SKETCH_ROWS);
        }
        return s;
}

static struct qn_cluster_item item(uint64_t n)
{
        return (struct qn_cluster_item){ .key = mix(n), .time = (uint32_t)(1000 + n) };
}

/* Features end with one whose key is 0.  Whether it joined. */
static int add(struct qn_clusters *c, struct qn_cluster_item it, const struct qn_feature *f)
{
        uint32_t member;
        int r;

        it.features = f;
        while (f[it.n_features].key)
                it.n_features++;
        r = qn_clusters_add(c, &it, &member);
        ASSERT_EQ(member, qn_clusters_count(c) - 1);
        return r;
}

static int add_code(struct qn_clusters *c, uint64_t n, struct qn_sketch s)
{
        struct qn_cluster_item it = item(n);

        it.sketch = &s;
        return ADD(c, it, F(FILE, 0));
}

static uint32_t size_of(const struct qn_clusters *c, uint32_t member)
{
        struct qn_cluster_info info;

        qn_cluster_info(c, member, &info);
        return info.size;
}

TEST(nothing_in_common)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        for (uint64_t i = 1; i < 500; i++) {
                struct qn_sketch s = sketch(i, 0, 0);
                struct qn_cluster_item it = item(i);

                it.sketch = &s;
                ASSERT_EQ(ADD(c, it, F(PUBLISHER, 7000 + i), F(FILE, 9000 + i), F(FILE, 0)), 0);
        }
        ASSERT_EQ(size_of(c, 100), 1);
}

TEST(one_weak_thing_joins_nobody)
{
        for (unsigned kind = QN_FEATURE_CODE; kind < QN_FEATURE_KINDS; kind++) {
                _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
                struct qn_feature f[2] = { { kind, 5 }, { kind, 0 } };

                ASSERT_EQ(add(c, item(1), f), 0);
                ASSERT_EQ(add(c, item(2), f),
                          kind == QN_FEATURE_PAYLOAD || kind == QN_FEATURE_ADDITION);
        }
}

TEST(many_files_of_a_template_join_nobody)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        for (uint64_t i = 1; i < 20; i++)
                ASSERT_EQ(
                        ADD(c, item(i), F(FILE, 1), F(FILE, 2), F(FILE, 3), F(TEXT, 4), F(TEXT, 0)),
                        0);
}

TEST(the_same_feature_twice_counts_once)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        ADD(c, item(1), F(FILE, 1), F(FILE, 1), F(PUBLISHER, 2), F(FILE, 0));
        ASSERT_EQ(ADD(c, item(2), F(FILE, 1), F(FILE, 1), F(PUBLISHER, 2), F(FILE, 0)), 0);
}

TEST(what_many_strangers_have_counts_for_nothing)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        for (uint64_t i = 1; i < 40; i++)
                ASSERT_EQ(ADD(c, item(i), F(DEPENDENCY, 77), F(FILE, 100 + i), F(FILE, 0)), 0);
        for (uint64_t i = 41; i < 80; i++)
                ASSERT_EQ(ADD(c, item(i), F(NAME, 78), F(FILE, 100 + i), F(FILE, 0)), 0);
        ASSERT_EQ(ADD(c, item(90), F(DEPENDENCY, 77), F(NAME, 78), F(FILE, 0)), 0);
        ASSERT_EQ(ADD(c, item(91), F(DEPENDENCY, 77), F(NAME, 78), F(FILE, 0)), 0);
}

TEST(a_feature_of_one_cluster_counts_although_strangers_have_it)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        for (uint64_t i = 1; i < 100; i++)
                ADD(c, item(i), F(INDICATOR, 5), F(PUBLISHER, 6), F(NAME, 7), F(NAME, 0));
        ASSERT_EQ(size_of(c, 0), 99);
        for (uint64_t i = 100; i < 110; i++)
                ASSERT_EQ(ADD(c, item(i), F(NAME, 7), F(NAME, 0)), 0);
        ASSERT_EQ(ADD(c, item(200), F(NAME, 7), F(INDICATOR, 5), F(NAME, 0)), 1);
        ASSERT_EQ(size_of(c, 0), 100);
}

TEST(like_code_joins)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        struct qn_cluster_why why;

        ASSERT_EQ(add_code(c, 1, sketch(1, 0, 0)), 0);
        ASSERT_EQ(add_code(c, 2, sketch(1, 2, 8)), 1);
        ASSERT_EQ(add_code(c, 3, sketch(1, 3, 60)), 0);
        why = qn_cluster_why(c, 1);
        ASSERT_EQ(why.with, 0);
        ASSERT_EQ(why.kinds, 1u << QN_FEATURE_CODE);
        ASSERT_TRUE(why.percent > 90 && why.percent < 95);
}

TEST(little_code_is_like_nothing)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        struct qn_sketch s = sketch(1, 0, 0);

        for (unsigned i = 3; i < QN_SKETCH_BANDS; i++)
                s.band[i] = 0;
        ASSERT_EQ(add_code(c, 1, s), 0);
        ASSERT_EQ(add_code(c, 2, s), 0);
}

TEST(code_of_a_template_is_nobodys)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        struct qn_sketch s = sketch(1, 0, 0);

        ASSERT_EQ(qn_clusters_ignore(c, &s), 0);
        for (uint64_t i = 1; i < 10; i++)
                ASSERT_EQ(add_code(c, i, sketch(1, i + 1, 6)), 0);
}

TEST(an_established_package_is_not_drawn_in)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        struct qn_sketch s = sketch(1, 0, 0);
        struct qn_cluster_item known = item(1), copy = item(2);

        known.established = true;
        known.sketch = copy.sketch = &s;
        ADD(c, known, F(PAYLOAD, 9), F(NAME, 1), F(FILE, 2), F(PUBLISHER, 3), F(FILE, 0));
        ASSERT_EQ(ADD(c, copy, F(DEPENDENCY, mix(1)), F(NAME, 1), F(FILE, 2), F(FILE, 0)), 0);
        ASSERT_EQ(add_code(c, 3, s), 1);
        ASSERT_EQ(size_of(c, 0), 1);
        ASSERT_EQ(size_of(c, 1), 2);
        known.key = mix(4);
        ASSERT_EQ(ADD(c, known, F(NAME, 1), F(FILE, 2), F(DEPENDENCY, mix(2)), F(FILE, 0)), 0);
        ASSERT_EQ(ADD(c, known, F(PAYLOAD, 9), F(FILE, 0)), 1);
        ASSERT_EQ(size_of(c, 0), 2);
}

TEST(siblings_that_need_each_other)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

        ASSERT_EQ(ADD(c, item(1), F(NAME, 1), F(DEPENDENCY, mix(2)), F(FILE, 0)), 0);
        ASSERT_EQ(ADD(c, item(2), F(NAME, 1), F(DEPENDENCY, mix(1)), F(FILE, 0)), 1);
        ASSERT_EQ(ADD(c, item(3), F(NAME, 1), F(DEPENDENCY, mix(99)), F(FILE, 0)), 0);
        ASSERT_EQ(qn_cluster_why(c, 1).kinds, 1u << QN_FEATURE_NAME | 1u << QN_FEATURE_DEPENDENCY);
}

/* Two farms of forty, and a package that has something weak of both: it joins one of them. */
TEST(weak_evidence_does_not_join_large_clusters)
{
        for (unsigned sure = 0; sure < 2; sure++) {
                _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);

                for (uint64_t i = 0; i < 40; i++) {
                        ADD(c, item(i), F(INDICATOR, 10), F(NAME, 11), F(TEXT, 12), F(FILE, 0));
                        ADD(c, item(100 + i), F(INDICATOR, 20), F(NAME, 21), F(TEXT, 22),
                            F(FILE, 0));
                }
                ASSERT_EQ(ADD(c, item(300), F(NAME, 11), F(TEXT, 12), F(NAME, 21), F(TEXT, 22),
                              F(INDICATOR, sure ? 10 : 1), F(INDICATOR, sure ? 20 : 1), F(FILE, 0)),
                          1);
                ASSERT_EQ(size_of(c, 80), sure ? 81 : 41);
        }
}

TEST(what_is_told_of_a_cluster)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        uint32_t counts[3] = { 0 }, ring = 0, at = 2;
        struct qn_cluster_info info;
        uint64_t id;

        ADD(c, item(50), F(FILE, 0));
        for (uint64_t i = 10; i < 15; i++)
                ADD(c, item(i), F(PAYLOAD, 1), F(FILE, 0));
        qn_cluster_info(c, 3, &info);
        ASSERT_EQ(info.size, 5);
        ASSERT_EQ(info.first, 1);
        ASSERT_EQ(info.from, 1010);
        ASSERT_EQ(info.to, 1014);
        ASSERT_EQ(info.by[QN_FEATURE_PAYLOAD], 4);
        id = info.id;
        ADD(c, item(20), F(PAYLOAD, 1), F(FILE, 0));
        qn_cluster_info(c, 6, &info);
        ASSERT_EQ(info.id, id);
        do {
                ring++;
                at = qn_cluster_next(c, at);
        } while (at != 2);
        ASSERT_EQ(ring, 6);
        qn_cluster_growth(c, 2, 1011, 2, counts, 3);
        ASSERT_EQ(counts[0], 2);
        ASSERT_EQ(counts[1], 2);
        ASSERT_EQ(counts[2], 0);
        ASSERT_EQ(qn_cluster_why(c, 1).with, 1);
        assert_string_equal(qn_feature_name(QN_FEATURE_TEXT), "text");
        assert_string_equal(qn_feature_name(QN_FEATURE_KINDS), "");
}

/* The first of the oldest gives the id, in whatever order the others come. */
TEST(the_id_is_that_of_the_first)
{
        uint64_t id[2];

        for (unsigned turn = 0; turn < 2; turn++) {
                _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
                struct qn_cluster_info info;

                for (uint64_t i = 0; i < 20; i++)
                        ADD(c, item(turn ? 19 - i : i), F(PAYLOAD, 1), F(FILE, 0));
                qn_cluster_info(c, 5, &info);
                ASSERT_EQ(info.size, 20);
                id[turn] = info.id;
        }
        ASSERT_EQ(id[0], id[1]);
}

TEST(features_past_the_cap_are_left_out)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(SIZE_MAX);
        struct qn_feature f[QN_CLUSTER_FEATURES_MAX + 2] = { 0 };

        for (size_t i = 0; i <= QN_CLUSTER_FEATURES_MAX; i++)
                f[i] = F(PUBLISHER, i + 1);
        f[QN_CLUSTER_FEATURES_MAX] = F(PAYLOAD, 1);
        ASSERT_EQ(add(c, item(1), f), 0);
        ASSERT_EQ(ADD(c, item(2), F(PAYLOAD, 1), F(FILE, 0)), 0);
        f[QN_CLUSTER_FEATURES_MAX - 1] = F(PAYLOAD, 1);
        ASSERT_EQ(add(c, item(3), f), 1);
}

TEST(members_past_the_cap_are_refused)
{
        _cleanup_(qn_clusters_freep) struct qn_clusters *c = qn_clusters_new(2);
        struct qn_cluster_item it = item(3);
        uint32_t member = 77;

        ADD(c, item(1), F(FILE, 0));
        ADD(c, item(2), F(FILE, 0));
        ASSERT_EQ(qn_clusters_add(c, &it, &member), -ENOBUFS);
        ASSERT_EQ(member, 77);
        ASSERT_EQ(qn_clusters_count(c), 2);
}

static uint64_t coarse_hash(const void *owner, uint32_t number)
{
        const uint64_t *modulus = owner;

        return mix(number % *modulus);
}

TEST(pieces_hold_what_was_added)
{
        const uint64_t modulus = 5000;
        struct qn_pieces p = { .hash_of = coarse_hash, .owner = &modulus };
        struct qn_pieces_walk w = qn_pieces_with(mix(1));

        ASSERT_EQ(qn_pieces_next(&p, &w), QN_PIECES_NONE);
        for (uint32_t i = 0; i < 20000; i++)
                ASSERT_EQ(qn_pieces_add(&p, mix(i % modulus), i), 0);
        for (uint32_t i = 0; i < modulus; i++) {
                uint32_t n = 0, number;

                w = qn_pieces_with(mix(i));
                while ((number = qn_pieces_next(&p, &w)) != QN_PIECES_NONE) {
                        ASSERT_EQ(number % modulus, i);
                        n++;
                }
                ASSERT_EQ(n, 4);
        }
        ASSERT_TRUE(qn_pieces_bytes(&p) >= 20000 * sizeof(uint32_t));
        qn_pieces_done(&p);
}
