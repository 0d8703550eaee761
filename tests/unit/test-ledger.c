/* The gate's ledger: files of older versions of its schema, what was served under other rules, alarms. */
#include <errno.h>

#include "base/buf.h"
#include "base/io.h"
#include "store/ledger.h"
#include "test.h"

#include "stores.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20)

/* --- a ledger of the first version --- */

static void open_first(struct place *p, bool write)
{
        _cleanup_(qn_buf_done) struct qn_buf sql = QN_BUF_INIT(1 << 16);
        struct qn_err err = { 0 };

        run_kept(p, "gate", &sql);
        if (qn_db_open(&qn_db_gate, p->where, write, &p->db, &err) < 0)
                fail_msg("%s", err.msg);
}

static int add_alarm(void *ctx, const struct qn_ledger_alarm *a)
{
        qn_buf_printf(ctx, "%.*s@%.*s %.*s>%.*s %s;", QN_STR_ARG(a->artifact.name),
                      QN_STR_ARG(a->artifact.version), QN_STR_ARG(a->before),
                      QN_STR_ARG(a->verdict), a->told ? "told" : "untold");
        return 0;
}

static int add_fetch(void *ctx, const struct qn_ledger_fetch *f)
{
        qn_buf_printf(ctx, "%.*s %lld;", QN_STR_ARG(f->artifact.name), (long long)f->time);
        return 0;
}

static int add_artifact(void *ctx, const struct qn_ledger_artifact *a)
{
        qn_buf_printf(ctx, "%.*s@%.*s;", QN_STR_ARG(a->name), QN_STR_ARG(a->version));
        return 0;
}

TEST(the_first_version_is_brought_up_to_date)
{
        for (unsigned write = 0; write < 2; write++)
                EACH_PLACE(p)
                {
                        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
                        const struct qn_ledger_filter all = { 0 };

                        open_first(&p, write);
                        ASSERT_EQ(qn_ledger_each(&p.db, &all, add_fetch, &b), 0);
                        ASSERT_EQ(qn_ledger_alarms(&p.db, true, add_alarm, &b), 0);
                        ASSERT_STR(
                                qn_buf_view(&b),
                                "old 1000;@s/older 2000;@s/older@2.0.0 unknown>malicious untold;");
                        ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM fetch") < 0);
                        ASSERT_TRUE(qn_db_exec(&p.db, "UPDATE fetch SET time = 1") < 0);
                }
}

/* --- what was served under other rules --- */

static int64_t outdated(struct qn_db *db, int64_t after, const char *one, const char *other)
{
        ARENA(a);
        const struct qn_str rules[2] = { qn_str_c(one), qn_str_c(other) };
        struct qn_ledger_artifact found = { .id = -1 };
        int r = qn_ledger_outdated(db, after, rules, &a, &found);

        ASSERT_TRUE(r == 0 || r == -ENOENT);
        ASSERT_TRUE((r == 0) == (found.id > 0));
        ASSERT_TRUE((r == 0) == (found.name.n && found.version.n && found.integrity.n));
        return r == 0 ? found.id : 0;
}

static void judged(struct qn_db *db, const char *integrity, const char *rules)
{
        const struct qn_ledger_verdict v = { .verdict = QN_STR("clean"),
                                             .reason = QN_STR(""),
                                             .rules = qn_str_c(rules) };

        ASSERT_EQ(qn_ledger_judged(db, qn_str_c(integrity), &v), 0);
}

TEST(verdicts_of_other_rules_are_found)
{
        EACH_PLACE(p)
        {

                open_first(&p, true);
                /* The first has a verdict by these rules, the second none. */
                ASSERT_EQ(outdated(&p.db, 0, "0123456789abcdef", "0123456789abcdef-1"), 2);
                ASSERT_EQ(outdated(&p.db, 2, "0123456789abcdef", "0123456789abcdef-1"), 0);
                ASSERT_EQ(outdated(&p.db, 0, "fedcba9876543210", "fedcba9876543210-1"), 1);
                ASSERT_EQ(outdated(&p.db, 1, "fedcba9876543210", "fedcba9876543210-1"), 2);
                judged(&p.db, "sha512-b2xk", "fedcba9876543210");
                judged(&p.db, "sha512-b2xkZXI=", "fedcba9876543210-1");
                ASSERT_EQ(outdated(&p.db, 0, "fedcba9876543210", "fedcba9876543210-1"), 0);
                ASSERT_EQ(outdated(&p.db, 0, "fedcba9876543210", "fedcba9876543210-2"), 2);
        }
}

TEST(an_artifact_is_found_by_its_number)
{
        struct qn_ledger_artifact found = { 0 };
        ARENA(a);

        EACH_PLACE(p)
        {
                open_first(&p, true);
                ASSERT_EQ(qn_ledger_find(&p.db, 99, &a, &found), -ENOENT);
                ASSERT_EQ(qn_ledger_find(&p.db, 1, &a, &found), 0);
                ASSERT_EQ(found.id, 1);
                ASSERT_STR(found.name, "old");
                ASSERT_STR(found.integrity, "sha512-b2xk");
        }
}

TEST(copies_and_their_fetches)
{
        EACH_PLACE(p)
        {
                const struct qn_ledger_artifact copy = { .name = QN_STR("copied"),
                                                         .version = QN_STR("1.0.0"),
                                                         .integrity = QN_STR("sha512-b2xk") };
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
                struct qn_ledger_fetch f = { .time = 5000 };
                struct qn_ledger_filter of = { 0 };

                open_first(&p, true);
                ASSERT_EQ(qn_ledger_artifact(&p.db, &copy, &f.artifact.id), 0);
                ASSERT_EQ(qn_ledger_copies(&p.db, copy.integrity, add_artifact, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "old@1.0.0;"); /* nobody fetched the other */
                ASSERT_EQ(qn_ledger_add(&p.db, &f), 0);
                qn_buf_reset(&b);
                ASSERT_EQ(qn_ledger_copies(&p.db, copy.integrity, add_artifact, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "copied@1.0.0;old@1.0.0;");
                qn_buf_reset(&b);
                of.artifact = f.artifact.id;
                ASSERT_EQ(qn_ledger_each(&p.db, &of, add_fetch, &b), 0);
                of.since = 5001;
                ASSERT_EQ(qn_ledger_each(&p.db, &of, add_fetch, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "copied 5000;");
        }
}

TEST(an_alarm_has_the_verdict_before)
{
        EACH_PLACE(p)
        {
                const struct qn_ledger_alarm alarm = { .artifact.id = 1,
                                                       .time = 9000,
                                                       .verdict = QN_STR("malicious"),
                                                       .before = QN_STR("clean"),
                                                       .reason = QN_STR("new rules") };
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

                open_first(&p, true);
                ASSERT_EQ(qn_ledger_alarm(&p.db, &alarm), 1);
                ASSERT_EQ(qn_ledger_alarm(&p.db, &alarm), 0);
                ASSERT_EQ(qn_ledger_told(&p.db, 2), 0);
                ASSERT_EQ(qn_ledger_alarms(&p.db, false, add_alarm, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "@s/older@2.0.0 unknown>malicious told;"
                                            "old@1.0.0 clean>malicious untold;");
        }
}

TEST(looking_at_what_is_cached_is_no_use_of_it)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                struct qn_ledger_cached row;

                open_first(&p, true);
                ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_TARBALL, QN_STR("sha512-b2xk"), 0, &a,
                                           &row),
                          0);
                ASSERT_EQ(number(&p.db, "SELECT used FROM cached"), 900);
                ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_TARBALL, QN_STR("sha512-b2xk"), 901, &a,
                                           &row),
                          0);
                ASSERT_EQ(number(&p.db, "SELECT used FROM cached"), 901);
        }
}

/* --- the rest --- */

static int add_client(void *ctx, const struct qn_ledger_client *c)
{
        qn_buf_printf(ctx, "%.*s %.*s %lld-%lld x%lld;", QN_STR_ARG(c->artifact.version),
                      QN_STR_ARG(c->client), (long long)c->first, (long long)c->last,
                      (long long)c->times);
        return 0;
}

static void fetched(struct qn_db *db, const char *version, const char *token, int64_t time)
{
        const struct qn_ledger_artifact a = { .name = QN_STR("n"),
                                              .version = qn_str_c(version),
                                              .integrity = qn_str_c(version) };
        struct qn_ledger_fetch f = { .time = time,
                                     .token = qn_str_c(token),
                                     .address = QN_STR("192.0.2.1") };

        ASSERT_EQ(qn_ledger_artifact(db, &a, &f.artifact.id), 0);
        ASSERT_EQ(qn_ledger_add(db, &f), 0);
}

TEST(who_fetched_what)
{
        EACH_PLACE(p)
        {
                struct qn_ledger_filter of = { .client = QN_STR("B"), .until = 5000000000002 };
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

                ASSERT_EQ(qn_db_open(&qn_db_gate, p.where, true, &p.db, NULL), 0);
                fetched(&p.db, "2.0.0", "a", 5000000000000);
                fetched(&p.db, "10.0.0", "B", 5000000000001);
                fetched(&p.db, "2.0.0", "B", 5000000000002);
                fetched(&p.db, "2.0.0", "", 5000000000003);
                fetched(&p.db, "2.0.0", "a", 5000000000004);
                ASSERT_EQ(qn_ledger_clients(&p.db, QN_STR("n"), 0, add_client, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "10.0.0 B 5000000000001-5000000000001 x1;"
                                            "2.0.0 192.0.2.1 5000000000003-5000000000003 x1;"
                                            "2.0.0 B 5000000000002-5000000000002 x1;"
                                            "2.0.0 a 5000000000000-5000000000004 x2;");
                qn_buf_reset(&b);
                ASSERT_EQ(qn_ledger_each(&p.db, &of, add_fetch, &b), 0);
                ASSERT_STR(qn_buf_view(&b), "n 5000000000001;");
        }
}

TEST(a_verdict_is_replaced)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                struct qn_ledger_verdict v = { 0 };

                ASSERT_EQ(qn_db_open(&qn_db_gate, p.where, true, &p.db, NULL), 0);
                ASSERT_EQ(qn_ledger_verdict(&p.db, QN_STR("i"), &a, &v), -ENOENT);
                judged(&p.db, "i", "one");
                judged(&p.db, "i", "two");
                ASSERT_EQ(qn_ledger_verdict(&p.db, QN_STR("i"), &a, &v), 0);
                ASSERT_STR(v.rules, "two");
                ASSERT_STR(v.verdict, "clean");
        }
}

TEST(what_is_cached)
{
        EACH_PLACE(p)
        {
                ARENA(a);
                struct qn_ledger_cached c = { QN_CACHED_PACKUMENT, QN_STR("k"), UINT32_MAX, 5,
                                              QN_STR("etag"),      { 0 } },
                                        got = { 0 };
                uint64_t size = 1;

                ASSERT_EQ(qn_db_open(&qn_db_gate, p.where, true, &p.db, NULL), 0);
                ASSERT_EQ(qn_ledger_cache_size(&p.db, &size), 0);
                ASSERT_EQ(size, 0);
                ASSERT_EQ(qn_ledger_oldest(&p.db, &a, &got), -ENOENT);
                ASSERT_EQ(qn_ledger_cache(&p.db, &c), 0);
                c.key = QN_STR("l");
                c.time = 6;
                ASSERT_EQ(qn_ledger_cache(&p.db, &c), 0);
                c.etag = (struct qn_str){ 0 };
                c.size = (uint64_t)UINT32_MAX + 1;
                ASSERT_EQ(qn_ledger_cache(&p.db, &c), 0);
                ASSERT_EQ(qn_ledger_cache_size(&p.db, &size), 0);
                ASSERT_EQ(size, 2 * (uint64_t)UINT32_MAX + 1);
                ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_PACKUMENT, QN_STR("l"), 7, &a, &got),
                          0);
                ASSERT_TRUE(!got.etag.p && got.size == c.size);
                ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_TARBALL, QN_STR("l"), 7, &a, &got),
                          -ENOENT);
                ASSERT_EQ(qn_ledger_oldest(&p.db, &a, &got), 0);
                ASSERT_STR(got.key, "k");
                ASSERT_EQ(qn_ledger_uncache(&p.db, QN_CACHED_PACKUMENT, QN_STR("k")), 0);
                ASSERT_EQ(qn_ledger_oldest(&p.db, &a, &got), 0);
                ASSERT_STR(got.key, "l");
        }
}
