/* The gate's ledger: files of older versions of its schema, what was served under other rules, alarms. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "store/ledger.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20)

struct place {
        char dir[64];
        struct qn_db db;
};

static void place_done(struct place *p)
{
        static const char *const files[] = { "t.db", "gate.db" }, *const ends[] = { "", "-wal",
                                                                                    "-shm" };
        char path[128];

        qn_db_close(&p->db);
        for (size_t i = 0; i < QN_ARRAY_SIZE(files) * QN_ARRAY_SIZE(ends); i++) {
                snprintf(path, sizeof path, "%s/%s%s", p->dir, files[i % 2], ends[i / 2]);
                unlink(path);
        }
        rmdir(p->dir);
}

#define PLACE(p)                                                                    \
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX" }; \
        ASSERT_NOT_NULL(mkdtemp(p.dir))

/* --- versions of a schema --- */

static void run_file(const char *dir, const char *name, const char *sql)
{
        char path[128];
        sqlite3 *db;

        snprintf(path, sizeof path, "%s/%s", dir, name);
        ASSERT_EQ(sqlite3_open(path, &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
}

static int number(struct qn_db *db, const char *sql)
{
        sqlite3_stmt *s = qn_db_prepare(db, sql);
        int n;

        ASSERT_EQ(qn_db_step(s), 1);
        n = sqlite3_column_int(s, 0);
        sqlite3_reset(s);
        return n;
}

static const char *const two_steps[] = { "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2",
                                         "UPDATE t SET b = b + 5; CREATE TABLE u(c)" };
static const struct qn_db_def third = { "t.db", "CREATE TABLE t(a, b); CREATE TABLE u(c)", 3,
                                        "none", two_steps };

TEST(each_older_version_is_brought_up_to_date)
{
        const char *const old[] = {
                "CREATE TABLE t(a); INSERT INTO t VALUES(1); PRAGMA user_version = 1",
                "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2); PRAGMA user_version = 2",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(old); i++) {
                PLACE(p);
                run_file(p.dir, "t.db", old[i]);
                ASSERT_EQ(qn_db_open(&third, p.dir, i == 0, &p.db, NULL), 0);
                ASSERT_EQ(number(&p.db, "SELECT b FROM t"), 7);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM u"), 0);
                ASSERT_EQ(number(&p.db, "PRAGMA user_version"), 3);
                qn_db_close(&p.db);
                ASSERT_EQ(qn_db_open(&third, p.dir, true, &p.db, NULL), 0);
                ASSERT_EQ(number(&p.db, "SELECT b FROM t"), 7);
        }
}

TEST(a_step_that_fails_leaves_the_file_alone)
{
        static const char *const wrong[] = { "ALTER TABLE t ADD COLUMN b", "nonsense" };
        const struct qn_db_def def = { "t.db", "", 3, "none", wrong };
        PLACE(p);

        run_file(p.dir, "t.db", "CREATE TABLE t(a); PRAGMA user_version = 1");
        ASSERT_TRUE(qn_db_open(&def, p.dir, true, &p.db, NULL) < 0);
        ASSERT_NULL(p.db.sql);
        ASSERT_EQ(qn_db_open(&third, p.dir, true, &p.db, NULL), 0);
}

TEST(versions_that_are_not_known)
{
        const struct qn_db_def stepless = { "t.db", "", 2, "none", NULL };
        const char *const other[] = { "PRAGMA user_version = 4", "PRAGMA user_version = -1" };
        struct qn_err err = { 0 };

        for (size_t i = 0; i < QN_ARRAY_SIZE(other); i++) {
                PLACE(p);
                run_file(p.dir, "t.db", other[i]);
                ASSERT_EQ(qn_db_open(&third, p.dir, true, &p.db, &err), -EPROTO);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("another version")) >= 0);
        }
        PLACE(p);
        run_file(p.dir, "t.db", "CREATE TABLE t(a); PRAGMA user_version = 1");
        ASSERT_EQ(qn_db_open(&stepless, p.dir, true, &p.db, NULL), -EPROTO);
}

/* --- a ledger of the first version --- */

static void open_first(struct place *p, bool write)
{
        _cleanup_(qn_buf_done) struct qn_buf sql = QN_BUF_INIT(1 << 16);

        ASSERT_EQ(qn_io_read(TEST_GATE_1, &sql), 0);
        ASSERT_EQ(qn_buf_byte(&sql, 0), 0);
        run_file(p->dir, "gate.db", sql.p);
        ASSERT_EQ(qn_db_open(&qn_db_gate, p->dir, write, &p->db, NULL), 0);
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
        for (unsigned write = 0; write < 2; write++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
                const struct qn_ledger_filter all = { 0 };
                PLACE(p);

                open_first(&p, write);
                ASSERT_EQ(number(&p.db, "PRAGMA user_version"), 2);
                ASSERT_EQ(qn_ledger_each(&p.db, &all, add_fetch, &b), 0);
                ASSERT_EQ(qn_ledger_alarms(&p.db, true, add_alarm, &b), 0);
                ASSERT_STR(qn_buf_view(&b),
                           "old 1000;@s/older 2000;@s/older@2.0.0 unknown>malicious untold;");
                ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM fetch") < 0);
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
        PLACE(p);

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

TEST(an_artifact_is_found_by_its_number)
{
        struct qn_ledger_artifact found = { 0 };
        ARENA(a);
        PLACE(p);

        open_first(&p, true);
        ASSERT_EQ(qn_ledger_find(&p.db, 99, &a, &found), -ENOENT);
        ASSERT_EQ(qn_ledger_find(&p.db, 1, &a, &found), 0);
        ASSERT_EQ(found.id, 1);
        ASSERT_STR(found.name, "old");
        ASSERT_STR(found.integrity, "sha512-b2xk");
}

TEST(copies_and_their_fetches)
{
        const struct qn_ledger_artifact copy = { .name = QN_STR("copied"),
                                                 .version = QN_STR("1.0.0"),
                                                 .integrity = QN_STR("sha512-b2xk") };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_ledger_fetch f = { .time = 5000 };
        struct qn_ledger_filter of = { 0 };
        PLACE(p);

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

TEST(an_alarm_has_the_verdict_before)
{
        const struct qn_ledger_alarm alarm = { .artifact.id = 1,
                                               .time = 9000,
                                               .verdict = QN_STR("malicious"),
                                               .before = QN_STR("clean"),
                                               .reason = QN_STR("new rules") };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        PLACE(p);

        open_first(&p, true);
        ASSERT_EQ(qn_ledger_alarm(&p.db, &alarm), 1);
        ASSERT_EQ(qn_ledger_alarm(&p.db, &alarm), 0);
        ASSERT_EQ(qn_ledger_told(&p.db, 2), 0);
        ASSERT_EQ(qn_ledger_alarms(&p.db, false, add_alarm, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "@s/older@2.0.0 unknown>malicious told;"
                                    "old@1.0.0 clean>malicious untold;");
}

TEST(looking_at_what_is_cached_is_no_use_of_it)
{
        ARENA(a);
        struct qn_ledger_cached row;
        PLACE(p);

        open_first(&p, true);
        ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_TARBALL, QN_STR("sha512-b2xk"), 0, &a, &row),
                  0);
        ASSERT_EQ(number(&p.db, "SELECT used FROM cached"), 900);
        ASSERT_EQ(qn_ledger_cached(&p.db, QN_CACHED_TARBALL, QN_STR("sha512-b2xk"), 901, &a, &row),
                  0);
        ASSERT_EQ(number(&p.db, "SELECT used FROM cached"), 901);
}
