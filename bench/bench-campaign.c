/* bench-campaign - a family of 150,000 packages among 1,000,000 ordinary ones and the popular names: how much of it is found, what else
 * is drawn in, the time of an addition, memory; and how fast a sketch is made.
 *   usage: bench-campaign DATA [ORDINARY [FAMILY]]
 * Ordinary packages have code of their own, publishers of one or of thousands of packages, popular dependencies, one of a few
 * licences, and names as people give them.  The family comes among them at random: code of one of four templates with up to
 * a tenth changed (a third of it: too little code to compare), names of a generator, thirty publishers, five wallets, dependencies on
 * siblings and on popular packages, the same licences.  No package is said to be established. */
#include <math.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/hashset.h"
#include "campaign/cluster.h"
#include "campaign/names.h"
#include "measure.h"
#include "observe/popular.h"
#include "observe/sketch.h"
#include "parse/js.h"

#define FEATURES 24
#define LAST     100000u /* additions whose time is told */

enum origin { POPULAR, ORDINARY, FAMILY, ORIGINS };

struct bench {
        struct qn_arena a;
        struct qn_popular *popular;
        struct qn_clusters *clusters;
        struct qn_generators *generators;
        struct qn_hashset names;
        uint64_t state;
        uint64_t siblings[4096]; /* keys of the family's latest packages */
        size_t n_family, n_named;
        uint8_t *origin; /* by member */
        uint64_t *ns;    /* of the latest additions */
        size_t n_ns;
};

struct package {
        char name[128];
        struct qn_sketch sketch;
        struct qn_feature features[FEATURES];
        size_t n;
};

/* --- chance: the same each time --- */

static uint64_t any(struct bench *b)
{
        uint64_t z = b->state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        return z ^ z >> 31;
}

static uint64_t below(struct bench *b, uint64_t n)
{
        return any(b) % n;
}

/* Ranks as they are in nature: the first comes twice as often as the second. */
static uint64_t ranked(struct bench *b, uint64_t n)
{
        double u = (double)(any(b) >> 11) / (double)(UINT64_C(1) << 53);

        return QN_MIN((uint64_t)exp(u * log((double)n)) - 1, n - 1);
}

/* --- names --- */

/* A word for each number, the more syllables the larger. */
static void word(struct qn_buf *b, uint64_t number)
{
        do {
                qn_buf_byte(b, "bdfghklmnprstvz"[number % 15]);
                qn_buf_byte(b, "aeiou"[number / 15 % 5]);
                number /= 75;
        } while (number);
}

static void ordinary_name(struct bench *b, struct qn_buf *name)
{
        static const char *const first[] = { "react-native-", "eslint-plugin-", "node-", "vue-",
                                             "@types/" };

        qn_buf_reset(name);
        if (below(b, 5) == 0)
                qn_buf_puts(name, first[ranked(b, QN_ARRAY_SIZE(first))]);
        for (unsigned i = 0, n = 1 + (unsigned)below(b, 3); i < n; i++) {
                if (i)
                        qn_buf_byte(name, '-');
                word(name, n == 1 ? below(b, 10000000) : ranked(b, 60000));
        }
        if (below(b, 20) == 0)
                qn_buf_printf(name, "%u", 2 + (unsigned)ranked(b, 12));
}

static void family_name(struct bench *b, struct qn_buf *name)
{
        qn_buf_reset(name);
        word(name, 1000 + below(b, 100));
        qn_buf_byte(name, '-');
        word(name, 2000 + below(b, 120));
        qn_buf_printf(name, "%u-%s", (unsigned)below(b, 100), below(b, 2) ? "kyuki" : "breki");
}

/* A name that nobody has yet. */
static void new_name(struct bench *b, struct package *p,
                     void (*make)(struct bench *b, struct qn_buf *name))
{
        _cleanup_(qn_buf_done) struct qn_buf name = QN_BUF_INIT(sizeof p->name - 1);

        do
                make(b, &name);
        while (qn_hashset_add(&b->names, &b->a, qn_hash64(name.p, name.n)) != 0);
        snprintf(p->name, sizeof p->name, "%s", name.p);
}

/* --- packages --- */

static void has(struct package *p, enum qn_feature_kind kind, uint64_t key)
{
        if (p->n < FEATURES)
                p->features[p->n++] = (struct qn_feature){ kind, key };
}

static uint64_t popular_key(struct bench *b)
{
        struct qn_str name = qn_popular_name(b->popular, ranked(b, qn_popular_count(b->popular)));

        return qn_hash64(name.p, name.n);
}

/* As a sketch of n shingles would be: bins without one are empty. */
static void code(struct bench *b, struct package *p, uint64_t n)
{
        double empty = exp(-(double)n / QN_SKETCH_BINS);

        for (unsigned i = 0; i < QN_SKETCH_BINS; i++)
                if ((double)below(b, 1000000) >= empty * 1e6)
                        p->sketch.band[i / QN_SKETCH_ROWS] |= (1 + below(b, 255))
                                                              << 8 * (i % QN_SKETCH_ROWS);
}

static void ordinary(struct bench *b, struct package *p)
{
        uint64_t publisher = ranked(b, 300000);

        code(b, p, 10 + ranked(b, 100000));
        has(p, QN_FEATURE_PUBLISHER, publisher);
        has(p, QN_FEATURE_FILE, ranked(b, 50)); /* licences */
        has(p, QN_FEATURE_TEXT, below(b, 20) ? any(b) : ranked(b, 1000));
        for (uint64_t i = below(b, 4); i > 0; i--)
                has(p, QN_FEATURE_FILE, any(b));
        for (uint64_t i = below(b, 6); i > 0; i--)
                has(p, QN_FEATURE_DEPENDENCY, popular_key(b));
}

static void of_template(struct bench *b, struct package *p)
{
        uint64_t changed = below(b, QN_SKETCH_BINS / 10), template = below(b, 4);

        for (unsigned i = 0; i < QN_SKETCH_BINS; i++) {
                uint64_t id[2] = { template, i };

                p->sketch.band[i / QN_SKETCH_ROWS] |= (1 + qn_hash64(id, sizeof id) % 255)
                                                      << 8 * (i % QN_SKETCH_ROWS);
        }
        for (uint64_t k = 0; k < changed; k++)
                p->sketch.band[below(b, QN_SKETCH_BANDS)] ^= (1 + below(b, 200))
                                                             << 8 * below(b, QN_SKETCH_ROWS);
}

static void family(struct bench *b, struct package *p)
{
        size_t known = QN_MIN(b->n_family, QN_ARRAY_SIZE(b->siblings));

        new_name(b, p, family_name);
        if (below(b, 3))
                of_template(b, p);
        has(p, QN_FEATURE_PUBLISHER, UINT64_C(1) << 40 | below(b, 30));
        has(p, QN_FEATURE_FILE, ranked(b, 50));
        if (below(b, 2))
                has(p, QN_FEATURE_INDICATOR, UINT64_C(1) << 41 | below(b, 5));
        for (unsigned i = 0; known && i < 8; i++)
                has(p, QN_FEATURE_DEPENDENCY, b->siblings[below(b, known)]);
        has(p, QN_FEATURE_DEPENDENCY, popular_key(b));
        has(p, QN_FEATURE_DEPENDENCY, popular_key(b));
        b->siblings[b->n_family++ % QN_ARRAY_SIZE(b->siblings)] =
                qn_hash64(p->name, strlen(p->name));
}

static int add(struct bench *b, struct package *p, enum origin origin)
{
        struct qn_str name = qn_str_c(p->name);
        struct qn_cluster_item item = { .key = qn_hash64(name.p, name.n),
                                        .time = (uint32_t)qn_clusters_count(b->clusters),
                                        .sketch = &p->sketch,
                                        .features = p->features };
        uint64_t begun = bench_cpu_ns();
        struct qn_generator made;
        uint32_t member;
        int r = qn_generators_add(b->generators, name);

        if (r < 0)
                return r;
        if (qn_generators_find(b->generators, name, &made)) {
                has(p, QN_FEATURE_NAME, made.key);
                b->n_named += origin == FAMILY;
        }
        item.n_features = p->n;
        r = qn_clusters_add(b->clusters, &item, &member);
        if (r < 0)
                return r;
        b->ns[b->n_ns++ % LAST] = bench_cpu_ns() - begun;
        b->origin[member] = (uint8_t)origin;
        return 0;
}

static int add_all(struct bench *b, size_t n_ordinary, size_t n_family)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < qn_popular_count(b->popular); i++) {
                struct qn_str name = qn_popular_name(b->popular, i);
                struct package p = { 0 };

                snprintf(p.name, sizeof p.name, "%.*s", QN_STR_ARG(name));
                ordinary(b, &p);
                r = qn_hashset_add(&b->names, &b->a, qn_hash64(name.p, name.n));
                if (r >= 0)
                        r = add(b, &p, POPULAR);
        }
        while (r >= 0 && n_ordinary + n_family) {
                bool ours = below(b, n_ordinary + n_family) < n_family;
                struct package p = { 0 };

                if (ours) {
                        family(b, &p);
                } else {
                        new_name(b, &p, ordinary_name);
                        ordinary(b, &p);
                }
                n_family -= ours;
                n_ordinary -= !ours;
                r = add(b, &p, ours ? FAMILY : ORDINARY);
        }
        return r;
}

/* --- what came of it --- */

static void print_family(const struct bench *b)
{
        size_t n = qn_clusters_count(b->clusters), in[ORIGINS] = { 0 }, best = 0, at = 0, apart = 0;
        size_t largest = 0;
        struct qn_cluster_info info;

        for (uint32_t i = 0; i < n; i++) {
                if (b->origin[i] != FAMILY || qn_cluster_of(b->clusters, i) != i)
                        continue;
                qn_cluster_info(b->clusters, i, &info);
                if (info.size > best)
                        best = info.size, at = i;
        }
        for (uint32_t i = 0; i < n; i++) {
                bool inside =
                        qn_cluster_of(b->clusters, i) == qn_cluster_of(b->clusters, (uint32_t)at);

                in[b->origin[i]] += inside;
                apart += !inside && b->origin[i] == FAMILY;
                if (!inside && qn_cluster_of(b->clusters, i) == i) {
                        qn_cluster_info(b->clusters, i, &info);
                        largest = QN_MAX(largest, (size_t)info.size);
                }
        }
        printf("family in one cluster            %zu of %zu  %.3f %% (goal: 99), %zu apart\n",
               in[FAMILY], b->n_family,
               100.0 * (double)in[FAMILY] / (double)QN_MAX(b->n_family, (size_t)1), apart);
        printf("drawn in                         %zu popular names (goal: 0), %zu ordinary packages\n",
               in[POPULAR], in[ORDINARY]);
        printf("largest other cluster            %zu\n", largest);
        printf("names known as a generator's     %zu of %zu\n", b->n_named, b->n_family);
}

static void print_time(struct bench *b)
{
        size_t n = QN_MIN(b->n_ns, (size_t)LAST);

        printf("one addition, of the last %zu  p50 %.4f ms, p99 %.4f ms, max %.3f ms (goal: 5)\n",
               n, bench_percentile_ms(b->ns, n, 0.5), bench_percentile_ms(b->ns, n, 0.99),
               bench_percentile_ms(b->ns, n, 1));
        printf("memory                           %.0f MB of clusters, %.0f MB of names\n",
               (double)qn_clusters_bytes(b->clusters) / 1e6,
               (double)qn_generators_bytes(b->generators) / 1e6);
}

static int print_sketch(void)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT((size_t)1 << 20);
        static const char *const paths[] = { "a.js", "a.md" };

        for (size_t i = 0; text.n < (size_t)500000; i++)
                bench_put(&text,
                          "function f#(a, b) { return a.get(b.key#, 'text #') + this.x[#]; }\n", i);
        for (unsigned k = 0; js && k < QN_ARRAY_SIZE(paths); k++) {
                struct qn_sketcher s;
                uint64_t best = UINT64_MAX;

                for (unsigned round = 0; round < 10; round++) {
                        uint64_t begun = bench_cpu_ns();

                        qn_sketcher_init(&s);
                        if (qn_sketch_file(&s, js, qn_str_c(paths[k]), qn_buf_view(&text)) < 0)
                                return 1;
                        best = QN_MIN(best, bench_cpu_ns() - begun);
                }
                printf("sketch of %s                   %.0f MB/s\n", k ? "text" : "code",
                       (double)text.n * 1e3 / (double)best);
        }
        return 0;
}

int main(int argc, char **argv)
{
        static struct bench b;
        size_t ordinary_n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000,
               family_n = argc > 3 ? strtoul(argv[3], NULL, 10) : 150000;
        int r;

        b.a = QN_ARENA_INIT((size_t)256 << 20);
        b.clusters = qn_clusters_new(SIZE_MAX);
        b.generators = qn_generators_new();
        b.ns = calloc(LAST, sizeof *b.ns);
        if (argc < 2 || !b.ns || !b.clusters || !b.generators ||
            qn_popular_load(argv[1], &b.a, &b.popular, NULL) < 0)
                return 2;
        b.origin = calloc(ordinary_n + family_n + qn_popular_count(b.popular), 1);
        r = b.origin ? add_all(&b, ordinary_n, family_n) : -1;
        if (r >= 0) {
                printf("packages                         %zu\n", qn_clusters_count(b.clusters));
                print_family(&b);
                print_time(&b);
                r = print_sketch();
        }
        free(b.origin);
        free(b.ns);
        qn_clusters_free(b.clusters);
        qn_generators_free(b.generators);
        qn_arena_done(&b.a);
        return r != 0;
}
