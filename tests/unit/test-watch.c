/* What the watcher decides and keeps: which versions are news, the queue of names, versions and their verdicts in the store. */
#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "parse/packument-rewrite.h"
#include "parse/packument.h"
#include "store/pending.h"
#include "store/setting.h"
#include "store/versions.h"
#include "test.h"

#include "stores.h"
#include "watch/news.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20)

/* --- news --- */

#define V(text, at, hooks, sri)                                              \
        {                                                                    \
                .version = QN_STR(text), .time = (at), .has_hooks = (hooks), \
                .integrity = QN_STR(sri)                                     \
        }

static struct qn_packument_fact versions[] = {
        V("1.0.0", 100, false, "sha512-a"),
        V("1.1.0", 200, false, "sha512-b"),
        V("1.2.0", 300, true, "sha512-c"),
        V("2.0.0", 250, false, "sha512-d"),
};

/* "version version … +left", in order. */
static const char *news(const struct qn_news_in *in, size_t max)
{
        static char out[512];
        size_t list[8], left, n = 0, m = qn_news(in, list, max, &left);

        for (size_t i = 0; i < m; i++)
                n += (size_t)snprintf(out + n, sizeof out - n, "%.*s ",
                                      QN_STR_ARG(in->facts->versions[list[i]].version));
        snprintf(out + n, sizeof out - n, "+%zu", left);
        return out;
}

TEST(what_nobody_knows_yet)
{
        const struct qn_packument_facts facts = { .versions = versions, .n = 4 }, none = { .n = 0 };
        struct qn_news_in in = { &facts, NULL, 0, 0 };

        assert_string_equal(news(&in, 8), "1.2.0 2.0.0 1.1.0 1.0.0 +0");
        assert_string_equal(news(&in, 2), "1.2.0 2.0.0 +2");
        in.horizon = 250;
        assert_string_equal(news(&in, 8), "1.2.0 2.0.0 +2");
        in.horizon = 1000; /* the last one published is news in any case */
        assert_string_equal(news(&in, 8), "1.2.0 +3");
        in.facts = &none;
        assert_string_equal(news(&in, 8), "+0");
}

TEST(what_is_known_is_no_news)
{
        const struct qn_packument_facts facts = { .versions = versions, .n = 4 };
        struct qn_news_known known[] = { { QN_STR("1.0.0"), QN_STR("sha512-a"), false },
                                         { QN_STR("1.1.0"), QN_STR("sha512-b"), false },
                                         { QN_STR("1.2.0"), QN_STR("sha512-c"), false },
                                         { QN_STR("2.0.0"), QN_STR("sha512-d"), false } };
        const struct qn_news_in in = { &facts, known, 4, 0 };

        assert_string_equal(news(&in, 8), "+0");
        known[0].integrity = QN_STR("sha512-other");
        assert_string_equal(news(&in, 8), "1.0.0 +0");
        known[0].integrity = QN_STR("");
        known[3].redo = true;
        assert_string_equal(news(&in, 8), "2.0.0 +0");
}

TEST(without_times_only_what_is_higher_is_young)
{
        struct qn_packument_fact undated[] = { V("1.0.0", QN_TIME_NONE, false, "a"),
                                               V("1.1.0", QN_TIME_NONE, false, "b"),
                                               V("1.2.0", QN_TIME_NONE, false, "c"),
                                               V("1.3.0", QN_TIME_NONE, false, "d") };
        const struct qn_packument_facts facts = { .versions = undated, .n = 4 };
        const struct qn_news_known known[] = { { QN_STR("1.1.0"), QN_STR("b"), false } };
        struct qn_news_in in = { &facts, NULL, 0, 100 };

        assert_string_equal(news(&in, 8), "1.3.0 +3");
        in.known = known;
        in.n_known = 1;
        assert_string_equal(news(&in, 8), "1.3.0 1.2.0 +1");
}

/* --- the store --- */

static void add(struct place *p, const char *name, const char *seq, unsigned priority, int64_t due)
{
        const struct qn_pending one = { .name = qn_str_c(name),
                                        .seq = qn_str_c(seq),
                                        .priority = priority,
                                        .seen = due,
                                        .due = due };

        ASSERT_EQ(qn_pending_add(&p->db, &one), 0);
}

/* "name@seq …" of what is taken. */
static const char *take(struct place *p, int64_t now, size_t max)
{
        static char out[512];
        ARENA(a);
        struct qn_pending list[8];
        int m = qn_pending_take(&p->db, now, max, &a, list);
        size_t n = 0;

        assert_true(m >= 0);
        out[0] = 0;
        for (int i = 0; i < m; i++)
                n += (size_t)snprintf(out + n, sizeof out - n, "%.*s@%.*s ",
                                      QN_STR_ARG(list[i].name), QN_STR_ARG(list[i].seq));
        return out;
}

TEST(the_queue)
{
        WATCH_PLACE(p);
        struct qn_pending_stats st;
        int64_t due;

        assert_string_equal(take(&p, 1000, 8), "");
        ASSERT_EQ(qn_pending_next(&p.db, &due), -ENOENT);
        add(&p, "b", "1", 0, 10);
        add(&p, "a", "2", 0, 20);
        add(&p, "urgent", "3", 5, 30);
        add(&p, "later", "4", 9, 2000);
        assert_string_equal(take(&p, 1000, 2), "urgent@3 b@1 ");
        assert_string_equal(take(&p, 1000, 8), "a@2 "); /* what is taken is not given twice */
        ASSERT_EQ(qn_pending_next(&p.db, &due), 0);
        ASSERT_EQ(due, 2000);
        /* It changed while somebody looked at it. */
        add(&p, "a", "7", 0, 40);
        ASSERT_EQ(qn_pending_done(&p.db, QN_STR("a"), QN_STR("2")), 0);
        ASSERT_EQ(qn_pending_done(&p.db, QN_STR("b"), QN_STR("1")), 0);
        assert_string_equal(take(&p, 1000, 8), "a@7 ");
        ASSERT_EQ(qn_pending_later(&p.db, &(struct qn_pending){ QN_STR("a"), QN_STR("2") }, 9000,
                                   QN_STR("it changed meanwhile")),
                  0);
        assert_string_equal(take(&p, 1000, 8), "a@7 ");
        ASSERT_EQ(qn_pending_later(&p.db, &(struct qn_pending){ QN_STR("a"), QN_STR("7") }, 3000,
                                   QN_STR("not there")),
                  0);
        assert_string_equal(take(&p, 2500, 8), "later@4 ");
        ASSERT_EQ(qn_pending_stats(&p.db, 2500, &st), 0);
        ASSERT_EQ(st.n, 3);
        ASSERT_EQ(st.taken, 2);
        ASSERT_EQ(st.waiting, 1);
        ASSERT_EQ(qn_pending_untake(&p.db), 0);
        assert_string_equal(take(&p, 5000, 8), "later@4 urgent@3 a@7 ");
}

TEST(settings)
{
        WATCH_PLACE(p);
        ARENA(a);
        struct qn_str v = QN_STR("as it was");

        ASSERT_EQ(qn_setting_get(&p.db, "k", &a, &v), -ENOENT);
        assert_true(qn_str_is(v, "as it was"));
        ASSERT_EQ(qn_setting_put(&p.db, "k", QN_STR("1")), 0);
        ASSERT_EQ(qn_setting_put(&p.db, "k", QN_STR("2")), 0);
        ASSERT_EQ(qn_setting_get(&p.db, "k", &a, &v), 0);
        assert_true(qn_str_is(v, "2"));
}

static int count_history(void *ctx, const struct qn_seen *v QN_UNUSED)
{
        ++*(int *)ctx;
        return 0;
}

static int count_findings(void *ctx, const struct qn_seen_finding *f QN_UNUSED)
{
        ++*(int *)ctx;
        return 0;
}

TEST(verdicts_and_what_they_were)
{
        WATCH_PLACE(p);
        ARENA(a);
        static const struct qn_seen_finding findings[] = {
                { QN_STR("r1"), QN_STR("high"), QN_STR("malicious"), QN_STR("t1") },
                { QN_STR("r2"), QN_STR("low"), QN_STR("clean"), QN_STR("t2") },
        };
        struct qn_seen_put put = { .v = { .name = QN_STR("a"),
                                          .version = QN_STR("1.0.0"),
                                          .integrity = QN_STR("sha512-a"),
                                          .published = QN_TIME_NONE,
                                          .seen = 10,
                                          .judged = 20,
                                          .verdict = QN_STR("clean"),
                                          .reason = QN_STR("nothing"),
                                          .rules = QN_STR("1") },
                                   .events = QN_STR("bytes\0more") };
        struct qn_seen v;
        struct qn_cur events;
        int64_t id, again, ms;
        int n = 0;

        ASSERT_EQ(qn_versions_find(&p.db, QN_STR("a"), QN_STR("1.0.0"), &a, &v), -ENOENT);
        ASSERT_EQ(qn_versions_put(&p.db, &put, &id), 1);
        ASSERT_EQ(qn_versions_put(&p.db, &put, &again), 0); /* the same again is no news */
        ASSERT_EQ(id, again);
        put.v.verdict = QN_STR("malicious");
        put.v.judged = 30;
        put.findings = findings;
        put.n_findings = 2;
        put.events = (struct qn_str){ 0 }; /* those on record stay */
        ASSERT_EQ(qn_versions_put(&p.db, &put, &again), 1);
        ASSERT_EQ(qn_versions_find(&p.db, QN_STR("a"), QN_STR("1.0.0"), &a, &v), 0);
        assert_true(qn_str_is(v.verdict, "malicious") && v.published == QN_TIME_NONE &&
                    !v.publisher.p);
        ASSERT_EQ(qn_versions_by_id(&p.db, id, &a, &v), 0);
        ASSERT_EQ(qn_versions_by_id(&p.db, id + 1, &a, &v), -ENOENT);
        ASSERT_EQ(qn_versions_history(&p.db, id, count_history, &n), 0);
        ASSERT_EQ(n, 2);
        n = 0;
        ASSERT_EQ(qn_versions_findings(&p.db, id, count_findings, &n), 0);
        ASSERT_EQ(n, 2);
        ASSERT_EQ(qn_versions_events_of(&p.db, id, &a, &events), 0);
        ASSERT_EQ(qn_cur_left(&events), 10);
        ASSERT_EQ(qn_versions_latency(&p.db, 0, 95, &ms), 0);
        ASSERT_EQ(ms, 20);
        ASSERT_EQ(qn_versions_latency(&p.db, 11, 95, &ms), -ENOENT);
}

TEST(retention_keeps_verdicts)
{
        WATCH_PLACE(p);
        ARENA(a);
        struct qn_seen_put put = { .v = { .name = QN_STR("a"),
                                          .version = QN_STR("1.0.0"),
                                          .integrity = QN_STR(""),
                                          .seen = 10,
                                          .verdict = QN_STR("clean"),
                                          .reason = QN_STR(""),
                                          .rules = QN_STR("") },
                                   .events = QN_STR("x") };
        struct qn_versions_stats st;
        struct qn_cur events;
        int64_t id, bad, n;

        ASSERT_EQ(qn_versions_put(&p.db, &put, &id), 1);
        put.v.name = QN_STR("b");
        put.v.verdict = QN_STR("malicious");
        ASSERT_EQ(qn_versions_put(&p.db, &put, &bad), 1);
        ASSERT_EQ(qn_versions_forget(&p.db, 10, &n), 0);
        ASSERT_EQ(n, 0);
        ASSERT_EQ(qn_versions_forget(&p.db, 11, &n), 0);
        ASSERT_EQ(n, 1);
        ASSERT_EQ(qn_versions_events_of(&p.db, id, &a, &events), -ENOENT);
        ASSERT_EQ(qn_versions_events_of(&p.db, bad, &a, &events), 0);
        ASSERT_EQ(qn_versions_stats(&p.db, &st), 0);
        ASSERT_EQ(st.n, 2);
        ASSERT_EQ(st.with_events, 1);
        ASSERT_EQ(st.by_verdict[0], 1);
        ASSERT_EQ(st.by_verdict[1], 1);
}
