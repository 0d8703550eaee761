/* What was seen at the registry: versions, events, findings, every verdict that they had. */
#include <errno.h>

#include "base/buf.h"
#include "parse/packument.h"
#include "store/versions.h"
#include "test.h"

#include "stores.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20)
#define BUF(b)   _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16)

static void open_watch(struct place *p)
{
        struct qn_err err = { 0 };

        if (qn_db_open(&qn_db_watch, p->where, true, &p->db, &err) < 0)
                fail_msg("%s", err.msg);
}

static struct qn_seen seen(const char *name, const char *version, const char *verdict)
{
        return (struct qn_seen){ .name = qn_str_c(name),
                                 .version = qn_str_c(version),
                                 .integrity = QN_STR("sha512-eA=="),
                                 .published = QN_TIME_NONE,
                                 .seen = 1000,
                                 .judged = 2000,
                                 .verdict = qn_str_c(verdict),
                                 .reason = QN_STR(""),
                                 .rules = QN_STR("r1") };
}

static int64_t put(struct qn_db *db, struct qn_seen v, struct qn_str events, int is_new)
{
        const struct qn_seen_finding findings[] = {
                { QN_STR("z-rule"), QN_STR("low"), QN_STR("suspicious"), QN_STR("Z") },
                { QN_STR("a-rule"), QN_STR("high"), QN_STR("malicious"), QN_STR("A") },
                { QN_STR("a-rule"), QN_STR("high"), QN_STR("malicious"), QN_STR("again") },
        };
        const struct qn_seen_put p = { v, events, findings,
                                       qn_str_is(v.verdict, "clean") ? 0
                                                                     : QN_ARRAY_SIZE(findings) };
        int64_t id = 0;

        ASSERT_EQ(qn_db_begin(db), 0);
        ASSERT_EQ(qn_versions_put(db, &p, &id), is_new);
        ASSERT_EQ(qn_db_commit(db), 0);
        ASSERT_TRUE(id > 0);
        return id;
}

static int add_version(void *ctx, const struct qn_seen *v)
{
        qn_buf_printf(ctx, "%.*s@%.*s %.*s;", QN_STR_ARG(v->name), QN_STR_ARG(v->version),
                      QN_STR_ARG(v->verdict));
        return 0;
}

static int add_observed(void *ctx, const struct qn_seen *v)
{
        qn_buf_printf(ctx, "%.*s %s;", QN_STR_ARG(v->version), v->observed ? "observed" : "not");
        return 0;
}

static int add_judgement(void *ctx, const struct qn_seen *v)
{
        qn_buf_printf(ctx, "%lld %.*s %u %.*s;", (long long)v->judged, QN_STR_ARG(v->verdict),
                      v->score, QN_STR_ARG(v->rules));
        return 0;
}

static int add_finding(void *ctx, const struct qn_seen_finding *f)
{
        qn_buf_printf(ctx, "%.*s %.*s;", QN_STR_ARG(f->rule), QN_STR_ARG(f->title));
        return 0;
}

static int add_events(void *ctx, const struct qn_seen *v, struct qn_cur events)
{
        qn_buf_printf(ctx, "%.*s:%zu;", QN_STR_ARG(v->name), (size_t)(events.end - events.p));
        return 0;
}

TEST(a_version_is_written_and_found)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                struct qn_seen v = seen("a", "1.0.0", "clean"), got = { 0 };
                int64_t id;

                open_watch(&p);
                ASSERT_EQ(qn_versions_find(&p.db, v.name, v.version, &a, &got), -ENOENT);
                id = put(&p.db, v, QN_STR("\0\1"), 1);
                ASSERT_EQ(qn_versions_find(&p.db, v.name, v.version, &a, &got), 0);
                ASSERT_EQ(got.id, id);
                ASSERT_TRUE(!got.publisher.p && got.published == QN_TIME_NONE);
                v.publisher = QN_STR("ann");
                v.published = INT64_C(1700000000000);
                ASSERT_EQ(put(&p.db, v, QN_STR("\0\1"), 0), id); /* the same, better known */
                v.publisher = (struct qn_str){ 0 };
                v.published = QN_TIME_NONE;
                ASSERT_EQ(put(&p.db, v, QN_STR("\0\1"), 0), id);
                ASSERT_EQ(qn_versions_by_id(&p.db, id, &a, &got), 0);
                ASSERT_STR(got.publisher, "ann");
                ASSERT_EQ(got.published, INT64_C(1700000000000));
                ASSERT_EQ(got.seen, 1000);
                ASSERT_EQ(qn_versions_by_id(&p.db, id + 1, &a, &got), -ENOENT);
        }
}

TEST(every_verdict_stays)
{
        EACH_PLACE(p)
        {
                BUF(b);
                struct qn_seen v = seen("a", "1.0.0", "unknown");
                int64_t id;

                open_watch(&p);
                id = put(&p.db, v, (struct qn_str){ 0 }, 1);
                v.judged = 3000;
                put(&p.db, v, (struct qn_str){ 0 }, 0);
                v.score = 7;
                put(&p.db, v, (struct qn_str){ 0 }, 1);
                v.verdict = QN_STR("clean");
                v.rules = QN_STR("r2");
                put(&p.db, v, (struct qn_str){ 0 }, 1);
                v.integrity = QN_STR("sha512-eQ==");
                put(&p.db, v, (struct qn_str){ 0 }, 1);
                ASSERT_EQ(qn_versions_history(&p.db, id, add_judgement, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "2000 unknown 0 r1;3000 unknown 7 r1;3000 clean 7 r2;"
                                            "3000 clean 7 r2;");
        }
}

TEST(events_are_those_of_the_bytes)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                struct qn_seen v = seen("a", "1.0.0", "clean");
                struct qn_cur events = { 0 };
                int64_t id;

                open_watch(&p);
                id = put(&p.db, v, QN_STR("x"), 1);
                v.verdict = QN_STR("unknown"); /* it could not be had once more */
                put(&p.db, v, (struct qn_str){ 0 }, 1);
                ASSERT_EQ(qn_versions_events_of(&p.db, id, &a, &events), 0);
                v.integrity = QN_STR("sha512-eQ=="); /* other bytes, and they could not be had */
                put(&p.db, v, (struct qn_str){ 0 }, 1);
                ASSERT_EQ(qn_versions_events_of(&p.db, id, &a, &events), -ENOENT);
                put(&p.db, v, QN_STR("y"), 0);
                ASSERT_EQ(qn_versions_events_of(&p.db, id, &a, &events), 0);
        }
}

TEST(findings_are_those_of_the_last_verdict)
{
        EACH_PLACE(p)
        {
                BUF(b);
                int64_t id;

                open_watch(&p);
                id = put(&p.db, seen("a", "1.0.0", "malicious"), QN_STR("x"), 1);
                ASSERT_EQ(qn_versions_findings(&p.db, id, add_finding, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "a-rule A;z-rule Z;");
                put(&p.db, seen("a", "1.0.0", "clean"), QN_STR("x"), 1);
                qn_buf_reset(&b);
                ASSERT_EQ(qn_versions_findings(&p.db, id, add_finding, &b), 0);
                ASSERT_EQ(b.n, 0);
        }
}

TEST(versions_in_their_orders)
{
        EACH_PLACE(p)
        {
                BUF(b);
                struct qn_seen v = seen("b", "2.0.0", "malicious");

                open_watch(&p);
                put(&p.db, v, QN_STR("x"), 1);
                v.judged = 1500;
                v.version = QN_STR("10.0.0");
                put(&p.db, v, QN_STR("xy"), 1);
                put(&p.db, seen("B", "2.0.0", "clean"), QN_STR("xyz"), 1);
                ASSERT_EQ(qn_versions_of(&p.db, QN_STR("b"), add_version, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "b@2.0.0 malicious;b@10.0.0 malicious;");
                qn_buf_reset(&b);
                ASSERT_EQ(qn_versions_judged(&p.db, QN_STR("malicious"), 0, add_version, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "b@10.0.0 malicious;b@2.0.0 malicious;");
                qn_buf_reset(&b);
                ASSERT_EQ(qn_versions_judged(&p.db, QN_STR("malicious"), 2000, add_version, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "b@2.0.0 malicious;");
                qn_buf_reset(&b);
                ASSERT_EQ(qn_versions_events(&p.db, 0, 2, add_events, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "b:1;b:2;");
        }
}

TEST(of_each_version_it_is_said_whether_its_events_are_there)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                BUF(b);
                struct qn_seen got = { 0 };
                int64_t id;

                open_watch(&p);
                id = put(&p.db, seen("a", "1.0.0", "unknown"), (struct qn_str){ 0 }, 1);
                put(&p.db, seen("a", "2.0.0", "unknown"), QN_STR("x"), 1);
                ASSERT_EQ(qn_versions_of(&p.db, QN_STR("a"), add_observed, &b), 0);
                ASSERT_EQ(qn_versions_judged(&p.db, QN_STR("unknown"), 0, add_observed, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "1.0.0 not;2.0.0 observed;1.0.0 not;2.0.0 observed;");
                ASSERT_EQ(qn_versions_by_id(&p.db, id, &a, &got), 0);
                ASSERT_FALSE(got.observed);
                ASSERT_EQ(qn_versions_find(&p.db, QN_STR("a"), QN_STR("2.0.0"), &a, &got), 0);
                ASSERT_TRUE(got.observed);
        }
}

TEST(events_are_forgotten_and_verdicts_stay)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                BUF(b);
                struct qn_cur events;
                struct qn_seen got;
                int64_t clean, bad, n = -1;

                open_watch(&p);
                clean = put(&p.db, seen("a", "1.0.0", "clean"), QN_STR("x"), 1);
                bad = put(&p.db, seen("b", "1.0.0", "malicious"), QN_STR("x"), 1);
                ASSERT_EQ(qn_versions_forget(&p.db, 1000, &n), 0);
                ASSERT_EQ(n, 0);
                ASSERT_EQ(qn_versions_forget(&p.db, 1001, &n), 0);
                ASSERT_EQ(n, 1);
                ASSERT_EQ(qn_versions_events_of(&p.db, clean, &a, &events), -ENOENT);
                ASSERT_EQ(qn_versions_events_of(&p.db, bad, &a, &events), 0);
                ASSERT_EQ(qn_versions_by_id(&p.db, clean, &a, &got), 0);
                ASSERT_EQ(qn_versions_history(&p.db, clean, add_judgement, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "2000 clean 0 r1;");
        }
}

TEST(the_first_version_is_brought_up_to_date)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                BUF(b);
                BUF(sql);
                struct qn_seen v = seen("new", "1.0.0", "clean"), got = { 0 };
                struct qn_cur events = { 0 };

                run_kept(&p, "watch", &sql);
                open_watch(&p);
                ASSERT_EQ(qn_versions_find(&p.db, QN_STR("@s/older"), QN_STR("2.0.0"), &a, &got),
                          0);
                ASSERT_STR(got.verdict, "malicious");
                ASSERT_EQ(qn_versions_history(&p.db, got.id, add_judgement, &b), 0);
                ASSERT_EQ(qn_versions_findings(&p.db, got.id, add_finding, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "2100 unknown 0 0123456789abcdef;"
                                            "3000 malicious 95 fedcba9876543210;"
                                            "sends-secrets Secrets are sent;");
                ASSERT_EQ(qn_versions_events_of(&p.db, 1, &a, &events), 0);
                ASSERT_TRUE(qn_str_eq(
                        (struct qn_str){ (const char *)events.p, (size_t)(events.end - events.p) },
                        QN_STR("\0\xff\x10")));
                ASSERT_TRUE(put(&p.db, v, QN_STR("x"), 1) > 2);
        }
}
