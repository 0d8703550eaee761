/* The interface to the database: the same with each that is behind it. */
#include <errno.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "test.h"

#include "stores.h"

static const struct qn_db_def one = {
        "one.db",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER, b BLOB);"
        "CREATE TABLE fetch(id INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER NOT NULL REFERENCES t,"
        " user TEXT);"
        "CREATE TABLE pair(a INTEGER NOT NULL, b TEXT NOT NULL, n INTEGER NOT NULL,"
        " PRIMARY KEY(a, b)) WITHOUT ROWID;",
        1,
        "none yet",
        NULL,
        { { "fetch", 0 } }
};

static void open_one(struct place *p)
{
        struct qn_err err = { 0 };

        if (qn_db_open(&one, p->where, true, &p->db, &err) < 0)
                fail_msg("%s", err.msg);
}

static void put(struct qn_db *db, struct qn_str name, int64_t n)
{
        struct qn_stmt *s = qn_db_prepare(db, "INSERT INTO t(name, n) VALUES(?1, ?2)");

        qn_db_bind_text(s, 1, name);
        qn_db_bind_int(s, 2, n);
        ASSERT_EQ(qn_db_run(s), 0);
        ASSERT_EQ(qn_db_changes(db), 1);
}

/* --- opening --- */

TEST(a_store_that_is_not_there)
{
        EACH_PLACE(p)
        {
                struct qn_err err = { 0 };

                ASSERT_EQ(qn_db_open(&one, p.where, false, &p.db, &err), -ENOENT);
                ASSERT_STR(qn_str_c(err.msg), "none yet");
                open_one(&p);
                qn_db_close(&p.db);
                ASSERT_EQ(qn_db_open(&one, p.where, false, &p.db, &err), 0);
        }
}

static const char *const two_steps[] = {
        "ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 2",
        "UPDATE t SET b = b + 5; CREATE TABLE u(c TEXT)",
};
static const struct qn_db_def defs[] = {
        { "t.db", "CREATE TABLE t(a INTEGER)", 1, "none", NULL, { { NULL, 0 } } },
        { "t.db",
          "CREATE TABLE t(a INTEGER, b INTEGER DEFAULT 2)",
          2,
          "none",
          two_steps,
          { { NULL, 0 } } },
        { "t.db",
          "CREATE TABLE t(a INTEGER, b INTEGER); CREATE TABLE u(c TEXT)",
          3,
          "none",
          two_steps,
          { { NULL, 0 } } },
};

TEST(each_older_version_is_brought_up_to_date)
{
        for (int from = 0; from < 3; from++)
                EACH_PLACE(p)
                {
                        ASSERT_EQ(qn_db_open(&defs[from], p.where, true, &p.db, NULL), 0);
                        ASSERT_EQ(qn_db_exec(&p.db, "INSERT INTO t(a) VALUES(1)"), 0);
                        qn_db_close(&p.db);
                        ASSERT_EQ(qn_db_open(&defs[2], p.where, from == 1, &p.db, NULL), 0);
                        if (from < 2)
                                ASSERT_EQ(number(&p.db, "SELECT b FROM t"), 7);
                        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM u"), 0);
                        qn_db_close(&p.db);
                        ASSERT_EQ(qn_db_open(&defs[2], p.where, true, &p.db, NULL), 0);
                }
}

TEST(a_step_that_fails_leaves_the_store_alone)
{
        static const char *const wrong[] = { "ALTER TABLE t ADD COLUMN b INTEGER", "nonsense" };
        const struct qn_db_def bad = { "t.db", "", 3, "none", wrong, { { NULL, 0 } } };

        EACH_PLACE(p)
        {
                ASSERT_EQ(qn_db_open(&defs[0], p.where, true, &p.db, NULL), 0);
                qn_db_close(&p.db);
                ASSERT_TRUE(qn_db_open(&bad, p.where, true, &p.db, NULL) < 0);
                ASSERT_NULL(p.db.conn);
                ASSERT_EQ(qn_db_open(&defs[2], p.where, true, &p.db, NULL), 0);
        }
}

TEST(tables_that_fail_are_not_made)
{
        const struct qn_db_def bad = { "t.db", "CREATE TABLE t(a INTEGER); nonsense",
                                       1,      "none",
                                       NULL,   { { NULL, 0 } } };

        EACH_PLACE(p)
        {
                ASSERT_TRUE(qn_db_open(&bad, p.where, true, &p.db, NULL) < 0);
                ASSERT_EQ(qn_db_open(&defs[2], p.where, false, &p.db, NULL), -ENOENT);
                ASSERT_EQ(qn_db_open(&defs[2], p.where, true, &p.db, NULL), 0);
        }
}

TEST(versions_that_are_not_known)
{
        EACH_PLACE(p)
        {
                struct qn_err err = { 0 };

                ASSERT_EQ(qn_db_open(&defs[2], p.where, true, &p.db, NULL), 0);
                qn_db_close(&p.db);
                ASSERT_EQ(qn_db_open(&defs[1], p.where, true, &p.db, &err), -EPROTO);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("another version")) >= 0);
                if (p.backend == POSTGRES)
                        run_pg("UPDATE qanat_t.qanat_schema SET version = -1");
                else
                        run_lite(p.dir, "t.db", "PRAGMA user_version = -1");
                ASSERT_EQ(qn_db_open(&defs[2], p.where, true, &p.db, &err), -EPROTO);
        }
}

TEST(addresses_that_cannot_be_read_are_not_repeated)
{
        static const char *const wrong[] = {
                "postgres://user:se%zzcret@host/db",   "postgres://user:se@cret@host/db",
                "postgres://user:12/secret@host/db",   "postgresql://user:secret/@host",
                "postgres://user:secret@host:port/db", "postgres://host/db?secret=1",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(wrong); i++) {
                struct qn_err err = { 0 };
                struct qn_db db;

                ASSERT_EQ(qn_db_open(&one, wrong[i], true, &db, &err), -EINVAL);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("cret")) < 0);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("cannot be read")) >= 0);
        }
}

/* --- values --- */

TEST(numbers_blobs_and_nothing)
{
        static const int64_t numbers[] = { 0, 1, -1, 255, INT32_MIN, INT64_MAX, INT64_MIN };
        const struct qn_str blob = QN_STR("\0\xff'\\x");

        EACH_PLACE(p)
        {
                struct qn_stmt *s;

                open_one(&p);
                for (size_t i = 0; i < QN_ARRAY_SIZE(numbers); i++) {
                        s = qn_db_prepare(&p.db, "INSERT INTO t(n, b, name) VALUES(?1, ?2, ?3)"
                                                 " RETURNING n, b, name, name IS NULL, NULL, 7");
                        if (i) /* the first time nothing tells its type */
                                qn_db_bind_int(s, 1, numbers[i]);
                        if (i & 1)
                                qn_db_bind_blob(s, 2, blob);
                        ASSERT_EQ(qn_db_step(s), 1);
                        ASSERT_EQ(qn_db_is_null(s, 0), i == 0);
                        ASSERT_EQ(qn_db_int(s, 0), numbers[i]);
                        ASSERT_EQ(qn_db_is_null(s, 1), !(i & 1));
                        if (i & 1)
                                ASSERT_TRUE(qn_str_eq(qn_db_blob(s, 1), blob));
                        ASSERT_TRUE(qn_db_is_null(s, 2) && !qn_db_text(s, 2).p);
                        ASSERT_EQ(qn_db_int(s, 3), 1);
                        ASSERT_TRUE(qn_db_is_null(s, 4));
                        ASSERT_EQ(qn_db_int(s, 5), 7);
                        ASSERT_EQ(qn_db_step(s), 0);
                        qn_db_reset(s);
                }
        }
}

TEST(values_that_are_only_compared)
{
        EACH_PLACE(p)
        {
                const char sql[] = "SELECT count(*) FROM t WHERE (?1 = '' OR name = ?1) AND"
                                   " (?2 = 0 OR n < ?2) AND coalesce(n, -1) <= ?3";
                int64_t n = 0;
                struct qn_stmt *s;

                open_one(&p);
                put(&p.db, QN_STR("a"), 5000000000);
                for (int i = 0; i < 2; i++) {
                        s = qn_db_prepare(&p.db, sql);
                        qn_db_bind_text(s, 1, i ? QN_STR("a") : QN_STR(""));
                        qn_db_bind_int(s, 2, i ? 6000000000 : 0);
                        qn_db_bind_int(s, 3, INT64_MAX);
                        ASSERT_EQ(qn_db_first(s, &n), 1);
                        ASSERT_EQ(n, 1);
                }
                s = qn_db_prepare(&p.db, sql);
                ASSERT_EQ(qn_db_first(s, &n), 1); /* the values of before are gone */
                ASSERT_EQ(n, 0);
        }
}

static void names_in_order(struct qn_db *db, struct qn_buf *b)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT name FROM t ORDER BY name");

        while (qn_db_step(s) > 0)
                qn_buf_printf(b, "%.*s ", QN_STR_ARG(qn_db_text(s, 0)));
        qn_db_reset(s);
}

TEST(texts_are_ordered_by_their_bytes)
{
        static const char *const names[] = { "b", "B", "a-b", "ab", "@a/b", "_", "\xc3\xa4", "~" };

        EACH_PLACE(p)
        {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

                open_one(&p);
                for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                        put(&p.db, qn_str_c(names[i]), 0);
                names_in_order(&p.db, &b);
                ASSERT_STR(qn_buf_view(&b), "@a/b B _ a-b ab b ~ \xc3\xa4 ");
        }
}

TEST(texts_that_are_none)
{
        static const struct qn_str odd[] = { QN_STR("a\0b"), QN_STR("a\xff"), QN_STR("a\xfe"),
                                             QN_STR("a\xef\xbf\xbd"
                                                    "ff"),
                                             QN_STR("") };

        EACH_PLACE(p)
        {
                open_one(&p);
                for (size_t i = 0; i < QN_ARRAY_SIZE(odd); i++)
                        put(&p.db, odd[i], (int64_t)i);
                for (size_t i = 0; i < QN_ARRAY_SIZE(odd); i++) { /* each is another one */
                        struct qn_stmt *s =
                                qn_db_prepare(&p.db, "SELECT n, name FROM t WHERE name = ?1");

                        qn_db_bind_text(s, 1, odd[i]);
                        ASSERT_EQ(qn_db_step(s), 1);
                        ASSERT_EQ(qn_db_int(s, 0), i);
                        ASSERT_TRUE(qn_str_eq(qn_db_text(s, 1), odd[i]));
                        ASSERT_TRUE(qn_str_eq(qn_db_text(s, 1), odd[i]));
                        qn_db_reset(s);
                }
        }
}

/* --- rows --- */

static void put_many(struct qn_db *db, int n)
{
        ASSERT_EQ(qn_db_begin(db), 0);
        for (int i = 0; i < n; i++) {
                char name[16];

                snprintf(name, sizeof name, "%06d", i);
                put(db, qn_str_c(name), i);
        }
        ASSERT_EQ(qn_db_commit(db), 0);
}

TEST(many_rows_with_statements_in_between)
{
        static const int counts[] = { 0, 1, 255, 256, 257, 512, 513, 700 };

        for (size_t k = 0; k < QN_ARRAY_SIZE(counts); k++)
                EACH_PLACE(p)
                {
                        struct qn_stmt *s, *w;
                        int n = 0, r;

                        open_one(&p);
                        put_many(&p.db, counts[k]);
                        s = qn_db_prepare(&p.db, "SELECT id, n, name FROM t WHERE n >= ?1"
                                                 " ORDER BY name");
                        qn_db_bind_int(s, 1, 0);
                        while ((r = qn_db_step(s)) > 0) {
                                ASSERT_EQ(qn_db_int(s, 1), n);
                                if (n++ % 50)
                                        continue;
                                ASSERT_EQ(qn_db_begin(&p.db), 0);
                                w = qn_db_prepare(&p.db, "UPDATE t SET b = NULL WHERE id = ?1");
                                qn_db_bind_int(w, 1, qn_db_int(s, 0));
                                ASSERT_EQ(qn_db_run(w), 0);
                                ASSERT_EQ(qn_db_commit(&p.db), 0);
                        }
                        ASSERT_EQ(r, 0);
                        ASSERT_EQ(n, counts[k]);
                        qn_db_reset(s);
                }
}

TEST(rows_that_are_left_early)
{
        EACH_PLACE(p)
        {
                open_one(&p);
                put_many(&p.db, 300);
                for (int i = 0; i < 3; i++) {
                        struct qn_stmt *s =
                                qn_db_prepare(&p.db, "SELECT n FROM t ORDER BY name DESC");

                        ASSERT_EQ(qn_db_step(s), 1);
                        ASSERT_EQ(qn_db_int(s, 0), 299);
                        if (i & 1) /* the next one does it */
                                qn_db_reset(s);
                }
        }
}

TEST(rows_that_are_left_in_a_transaction_that_failed)
{
        EACH_PLACE(p)
        {
                open_one(&p);
                put_many(&p.db, 300);
                for (int i = 0; i < 3; i++) {
                        struct qn_stmt *s = qn_db_prepare(&p.db, "SELECT n FROM t ORDER BY name");
                        struct qn_stmt *w = qn_db_prepare(&p.db, "UPDATE t SET b = ?1 WHERE n = 0");

                        ASSERT_EQ(qn_db_step(s), 1);
                        ASSERT_EQ(qn_db_begin(&p.db), 0);
                        ASSERT_TRUE(qn_db_exec(&p.db, "INSERT INTO fetch(t) VALUES(777)") < 0);
                        if (i) /* its type is known only now */
                                qn_db_bind_blob(w, 1, QN_STR("x"));
                        ASSERT_EQ(qn_db_run(w) == 0, p.backend == LITE);
                        qn_db_reset(s);
                        qn_db_rollback(&p.db);
                        ASSERT_EQ(qn_db_run(w), 0);
                }
        }
}

TEST(more_statements_than_are_kept)
{
        static char texts[QN_DB_STATEMENTS_MAX + 1][32];

        EACH_PLACE(p)
        {
                int64_t n;

                open_one(&p);
                for (size_t i = p.db.n; i < QN_DB_STATEMENTS_MAX; i++) {
                        snprintf(texts[i], sizeof texts[i], "SELECT %zu", i);
                        ASSERT_EQ(qn_db_first(qn_db_prepare(&p.db, texts[i]), &n), 1);
                        ASSERT_EQ(n, i);
                }
                ASSERT_NULL(qn_db_prepare(&p.db, "SELECT 1"));
                ASSERT_EQ(qn_db_run(NULL), -EIO);
        }
}

/* --- what must not happen --- */

TEST(what_was_written_down_stays)
{
        EACH_PLACE(p)
        {
                open_one(&p);
                put(&p.db, QN_STR("a"), 1);
                ASSERT_EQ(qn_db_exec(&p.db, "INSERT INTO fetch(t, user) VALUES(1, 'me')"), 0);
                ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM fetch") < 0);
                ASSERT_TRUE(qn_db_exec(&p.db, "UPDATE fetch SET user = 'you'") < 0);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM fetch WHERE user = 'me'"), 1);
                ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM t") < 0); /* it is referred to */
                ASSERT_TRUE(qn_db_exec(&p.db, "INSERT INTO fetch(t) VALUES(7)") < 0);
        }
}

TEST(a_transaction_that_failed_or_was_left)
{
        EACH_PLACE(p)
        {
                open_one(&p);
                put(&p.db, QN_STR("a"), 1);
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("b"), 1);
                ASSERT_TRUE(qn_db_exec(&p.db, "INSERT INTO t(name) VALUES('a')") < 0);
                qn_db_rollback(&p.db);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 1);
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("b"), 1);
                qn_db_close(&p.db);
                open_one(&p);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 1);
                qn_db_rollback(&p.db); /* without one it does nothing */
                put(&p.db, QN_STR("b"), 1);
        }
}

TEST(a_failed_transaction_is_not_committed)
{
        EACH_PLACE(p)
        {
                open_one(&p);
                if (p.backend == LITE)
                        continue; /* there a statement that failed leaves the others alone */
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("b"), 1);
                ASSERT_TRUE(qn_db_exec(&p.db, "INSERT INTO fetch(t) VALUES(7)") < 0);
                ASSERT_TRUE(qn_db_commit(&p.db) < 0);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 0);
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("b"), 1);
                ASSERT_EQ(qn_db_commit(&p.db), 0);
        }
}

TEST(a_snapshot_sees_what_was)
{
        EACH_PLACE(p)
        {
                struct qn_db other;

                open_one(&p);
                put(&p.db, QN_STR("a"), 1);
                ASSERT_EQ(qn_db_open(&one, p.where, true, &other, NULL), 0);
                ASSERT_EQ(qn_db_snapshot(&p.db), 0);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 1);
                put(&other, QN_STR("b"), 1);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 1);
                qn_db_rollback(&p.db);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 2);
                qn_db_close(&other);
        }
}

TEST(one_writer_at_a_time)
{
        EACH_PLACE(p)
        {
                struct qn_db other;
                struct qn_err err = { 0 };

                open_one(&p);
                ASSERT_EQ(qn_db_open(&one, p.where, true, &other, NULL), 0);
                ASSERT_EQ(qn_db_patience(&other, 50), 0);
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("a"), 1);
                ASSERT_EQ(number(&other, "SELECT count(*) FROM t"), 0); /* readers do not wait */
                ASSERT_EQ(qn_db_begin(&other), -EBUSY);
                ASSERT_EQ(qn_db_fail(&other, -EBUSY, &err), -EBUSY);
                ASSERT_TRUE(err.msg[0] != '\0');
                ASSERT_EQ(qn_db_commit(&p.db), 0);
                ASSERT_EQ(qn_db_begin(&other), 0);
                put(&other, QN_STR("b"), 1);
                ASSERT_EQ(qn_db_commit(&other), 0);
                qn_db_close(&other);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 2);
        }
}

static int count_up(const char *where)
{
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = qn_db_open(&one, where, true, &db, &err);

        if (r < 0)
                dprintf(STDERR_FILENO, "# %s\n", err.msg);

        for (int i = 0; r == 0 && i < 25; i++) {
                int64_t n = 0;

                r = qn_db_begin(&db);
                if (r == 0 &&
                    qn_db_first(qn_db_prepare(&db, "SELECT n FROM pair WHERE a = 1"), &n) < 0)
                        r = -EIO;
                if (r == 0) {
                        struct qn_stmt *s = qn_db_prepare(
                                &db, "INSERT INTO pair(a, b, n) VALUES(1, '', ?1)"
                                     " ON CONFLICT(a, b) DO UPDATE SET n = excluded.n");

                        qn_db_bind_int(s, 1, n + 1);
                        r = qn_db_run(s);
                }
                if (r == 0)
                        r = qn_db_commit(&db);
        }
        if (r < 0)
                dprintf(STDERR_FILENO, "# %s\n", strerrordesc_np(-r));
        return r == 0 ? 0 : 1;
}

/* The store is made by all of them at once, and nobody's step is lost. */
TEST(writers_at_the_same_time)
{
        EACH_PLACE(p)
        {
                pid_t pids[4];

                for (size_t i = 0; i < QN_ARRAY_SIZE(pids); i++)
                        if ((pids[i] = fork()) == 0)
                                _exit(count_up(p.where));
                for (size_t i = 0; i < QN_ARRAY_SIZE(pids); i++) {
                        int status = -1;

                        ASSERT_EQ(waitpid(pids[i], &status, 0), pids[i]);
                        ASSERT_EQ(status, 0);
                }
                open_one(&p);
                ASSERT_EQ(number(&p.db, "SELECT n FROM pair"), 100);
        }
}

/* --- what a server says --- */

TEST(what_goes_wrong_has_a_code)
{
        static const struct {
                const char *sql;
                int code;
        } cases[] = {
                { "SELECT boom('53100')", -ENOSPC },     { "SELECT boom('53200')", -ENOMEM },
                { "SELECT boom('53300')", -EBUSY },      { "SELECT boom('53400')", -EFBIG },
                { "SELECT boom('40001')", -EBUSY },      { "SELECT boom('40P01')", -EBUSY },
                { "SELECT boom('55P03')", -EBUSY },      { "SELECT boom('57014')", -EBUSY },
                { "SELECT boom('57P01')", -ECONNRESET }, { "SELECT boom('08006')", -ECONNRESET },
                { "SELECT boom('XX001')", -EBADMSG },    { "SELECT boom('XX000')", -EIO },
                { "SELECT boom('42501')", -EACCES },     { "SELECT boom('25006')", -EROFS },
                { "SELECT boom('P0001')", -EIO },        { "SELECT nothing FROM t", -EBADMSG },
                { "SELECT a FROM nowhere", -EBADMSG },
        };

        EACH_PLACE(p)
        {
                open_one(&p);
                if (p.backend == LITE)
                        continue;
                run_pg("CREATE FUNCTION qanat_one.boom(code text) RETURNS int LANGUAGE plpgsql AS"
                       " 'BEGIN RAISE EXCEPTION ''the reason'' USING ERRCODE = code; END'");
                for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                        struct qn_err err = { 0 };
                        const int r = qn_db_run(qn_db_prepare(&p.db, cases[i].sql));

                        if (r != cases[i].code)
                                fail_msg("%s: %d", cases[i].sql, r);
                        ASSERT_EQ(qn_db_fail(&p.db, r, &err), r);
                        ASSERT_EQ(strncmp(err.msg, "PostgreSQL at ", 14), 0);
                }
                put(&p.db, QN_STR("a"), 1); /* it goes on */
        }
}

/* --- a connection that is lost --- */

#define CUT                                                            \
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE" \
        " pid <> pg_backend_pid() AND application_name = 'qanat'"

static void cut(void)
{
        run_pg(CUT);
        usleep(100000);
}

TEST(a_connection_that_is_lost)
{
        EACH_PLACE(p)
        {
                struct qn_err err = { 0 };
                struct qn_stmt *s;

                open_one(&p);
                if (p.backend == LITE)
                        continue;
                put_many(&p.db, 600);
                s = qn_db_prepare(&p.db, "SELECT n FROM t ORDER BY name");
                ASSERT_EQ(qn_db_step(s), 1);
                cut();
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 600); /* it is made again */
                for (int i = 0; i < 255; i++)
                        ASSERT_EQ(qn_db_step(s), 1); /* those that were there already */
                ASSERT_EQ(qn_db_step(s), -ECONNRESET);
                qn_db_reset(s);
                cut();
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("x"), 1);
                cut();
                s = qn_db_prepare(&p.db, "SELECT count(*) FROM t");
                ASSERT_EQ(qn_db_step(s), -ECONNRESET);
                ASSERT_EQ(qn_db_fail(&p.db, -ECONNRESET, &err), -ECONNRESET);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("was lost")) >= 0);
                ASSERT_EQ(qn_db_commit(&p.db), -ECONNRESET);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 600);
                cut();
                s = qn_db_prepare(&p.db, "INSERT INTO t(name) VALUES('y')");
                ASSERT_EQ(qn_db_run(s), -ECONNRESET); /* it may have happened */
                ASSERT_EQ(qn_db_run(s), 0);
                ASSERT_EQ(number(&p.db, "SELECT count(*) FROM t"), 601);
        }
}

/* Who asks often does not wait often. */
TEST(a_server_that_lets_nobody_in_for_a_while)
{
        EACH_PLACE(p)
        {
                struct qn_err err = { 0 };

                open_one(&p);
                if (p.backend == LITE)
                        continue;
                run_pg_in("postgres", "ALTER DATABASE test ALLOW_CONNECTIONS false");
                run_pg_in("postgres", CUT);
                ASSERT_TRUE(qn_db_begin(&p.db) < 0);
                ASSERT_EQ(qn_db_begin(&p.db), -ECONNREFUSED);
                ASSERT_EQ(qn_db_fail(&p.db, -ECONNREFUSED, &err), -ECONNREFUSED);
                ASSERT_TRUE(qn_str_find(qn_str_c(err.msg), QN_STR("not currently accepting")) >= 0);
                run_pg_in("postgres", "ALTER DATABASE test ALLOW_CONNECTIONS true");
                ASSERT_EQ(qn_db_begin(&p.db), -ECONNREFUSED);
                usleep(2100000);
                ASSERT_EQ(qn_db_begin(&p.db), 0);
                put(&p.db, QN_STR("a"), 1);
                ASSERT_EQ(qn_db_commit(&p.db), 0);
        }
}

/* --- care --- */

static int add_fault(void *ctx, struct qn_str what)
{
        qn_buf_printf(ctx, "%.*s;", QN_STR_ARG(what));
        return 0;
}

TEST(what_the_database_finds_wrong)
{
        EACH_PLACE(p)
        {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

                open_one(&p);
                put_many(&p.db, 10);
                ASSERT_EQ(qn_db_vacuum(&p.db), 0);
                ASSERT_EQ(qn_db_check(&p.db, add_fault, &b), 0);
                ASSERT_EQ(b.n, 0);
                if (p.backend == LITE) {
                        ASSERT_EQ(qn_db_exec(&p.db, "PRAGMA foreign_keys = OFF;"
                                                    "INSERT INTO fetch(t) VALUES(99)"),
                                  0);
                } else {
                        run_pg("SET session_replication_role TO replica;"
                               "INSERT INTO qanat_one.fetch(t) VALUES(99), (98);"
                               "ALTER TABLE qanat_one.fetch ADD CONSTRAINT odd"
                               " CHECK (t > 0) NOT VALID");
                }
                ASSERT_EQ(qn_db_check(&p.db, add_fault, &b), 0);
                ASSERT_STR(qn_buf_view(&b), p.backend == LITE ? "fetch: rows that refer to no t: 1;"
                                                              : "fetch: rows that refer to no t: 2;"
                                                                "the constraint odd is not valid;");
        }
}
