/* db-sqlite.c - a file of its own in the state directory, with a write-ahead log and full synchronisation. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "store/db-driver.h"

#define BUSY_MS 30000

struct statement {
        struct qn_stmt base;
        sqlite3_stmt *sql;
};

static sqlite3_stmt *sql_of(struct qn_stmt *s)
{
        return ((struct statement *)s)->sql;
}

static int code_of(int r)
{
        switch (r & 0xff) {
        case SQLITE_OK:
        case SQLITE_DONE:
                return 0;
        case SQLITE_ROW:
                return 1;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_CANTOPEN:
                return -ENOENT;
        case SQLITE_READONLY:
        case SQLITE_PERM:
                return -EACCES;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
                return -EBADMSG;
        case SQLITE_TOOBIG:
                return -EFBIG;
        default:
                return -EIO;
        }
}

/* --- connection --- */

static int exec(struct qn_db *db, const char *sql)
{
        return code_of(sqlite3_exec(db->conn, sql, NULL, NULL, NULL));
}

/* A file that others make at the same time is busy without anybody being asked to wait: SQLite does not call its handler where two
 * want to change how it is kept. */
static int set_up(struct qn_db *db, const char *sql)
{
        const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
        int r = exec(db, sql);

        for (int waited = 0; r == -EBUSY && waited < BUSY_MS; waited += 10) {
                nanosleep(&pause, NULL);
                r = exec(db, sql);
        }
        return r;
}

static int connect_file(const char *path, bool write, struct qn_db *db)
{
        const int flags =
                SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (write ? SQLITE_OPEN_CREATE : 0);
        sqlite3 *conn = NULL;
        int r;

        if (!write && access(path, F_OK) < 0)
                return -ENOENT;
        r = code_of(sqlite3_open_v2(path, &conn, flags, NULL));
        db->conn = conn;
        if (r < 0)
                return r;
        sqlite3_busy_timeout(conn, BUSY_MS);
        r = set_up(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");
        if (r == 0 && write)
                r = set_up(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        return r;
}

static int connect_lite(const struct qn_db_def *def, const char *where, bool write,
                        struct qn_db *db, struct qn_err *reterr)
{
        char path[4096];
        int r = write ? qn_io_mkdirs(where) : 0;

        if (r < 0)
                return qn_fail(reterr, r, 0, "%.100s: %s", where, strerrordesc_np(-r));
        if (snprintf(path, sizeof path, "%s/%s", where, def->file) >= (int)sizeof path)
                return qn_fail(reterr, -ENAMETOOLONG, 0, "the state directory's name is too long");
        return connect_file(path, write, db);
}

static void close_lite(struct qn_db *db)
{
        sqlite3_close_v2(db->conn);
}

static int patience(struct qn_db *db, int ms)
{
        return code_of(sqlite3_busy_timeout(db->conn, ms));
}

static int read_version(struct qn_db *db, int *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "PRAGMA user_version");
        int64_t v = 0;
        int r = qn_db_first(s, &v);

        if (r > 0)
                *ret = (int)v;
        return r < 0 ? r : r == 0 ? -EIO : 0;
}

static int write_version(struct qn_db *db, int version)
{
        char sql[64];

        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
        return exec(db, sql);
}

/* A full file system, a lock: what the code says; which file, the one who opened it knows. */
static void explain(struct qn_db *db, int code, struct qn_err *ret)
{
        const char *path = sqlite3_db_filename(db->conn, "main");

        if (path && *path)
                qn_fail(ret, code, 0, "%.100s: %s", path,
                        code == -EBADMSG ? "the store is damaged" : strerrordesc_np(-code));
}

static int let_grow_only(struct qn_db *db, const char *table)
{
        char sql[512];

        snprintf(sql, sizeof sql,
                 "CREATE TRIGGER %s_stays BEFORE DELETE ON %s"
                 " BEGIN SELECT RAISE(ABORT, 'the ledger forgets nothing'); END;"
                 "CREATE TRIGGER %s_is_true BEFORE UPDATE ON %s"
                 " BEGIN SELECT RAISE(ABORT, 'the ledger changes nothing'); END;",
                 table, table, table, table);
        return exec(db, sql);
}

static int make(struct qn_db *db, const struct qn_db_def *def)
{
        return exec(db, def->schema);
}

static int begin(struct qn_db *db)
{
        return exec(db, "BEGIN IMMEDIATE");
}

static int snapshot(struct qn_db *db)
{
        return exec(db, "BEGIN");
}

static int commit(struct qn_db *db)
{
        return exec(db, "COMMIT");
}

static void rollback(struct qn_db *db)
{
        (void)exec(db, "ROLLBACK");
}

static int changes(struct qn_db *db)
{
        return sqlite3_changes(db->conn);
}

/* --- care --- */

static int each_fault(struct qn_db *db, const char *sql, qn_db_fault_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, sql);
        int r, answer = 0;

        while (answer == 0 && (r = qn_db_step(s)) > 0)
                if (!qn_str_is(qn_db_text(s, 0), "ok"))
                        answer = fn(ctx, qn_db_text(s, 0));
        qn_db_reset(s);
        return answer ? answer : r;
}

static int check(struct qn_db *db, qn_db_fault_fn *fn, void *ctx)
{
        int r = each_fault(db, "PRAGMA quick_check(20)", fn, ctx);

        if (r == 0)
                r = each_fault(db,
                               "SELECT \"table\" || ': rows that refer to no ' || parent || ': ' ||"
                               " count(*) FROM pragma_foreign_key_check"
                               " GROUP BY \"table\", parent ORDER BY 1",
                               fn, ctx);
        return r;
}

static int vacuum(struct qn_db *db)
{
        return exec(db, "VACUUM; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);");
}

/* --- statements --- */

static int prepare(struct qn_db *db, const char *sql, struct qn_stmt **ret)
{
        struct statement *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;
        r = code_of(
                sqlite3_prepare_v3(db->conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->sql, NULL));
        if (r < 0) {
                free(s);
                return r;
        }
        s->base.driver = &qn_db_sqlite;
        *ret = &s->base;
        return 0;
}

static void finalize(struct qn_stmt *s)
{
        sqlite3_finalize(sql_of(s));
        free(s);
}

static int step(struct qn_stmt *s)
{
        return code_of(sqlite3_step(sql_of(s)));
}

static void reset(struct qn_stmt *s)
{
        sqlite3_reset(sql_of(s));
}

static void clear(struct qn_stmt *s)
{
        sqlite3_clear_bindings(sql_of(s));
}

static void bind_text(struct qn_stmt *s, int at, struct qn_str v)
{
        if (v.p)
                sqlite3_bind_text64(sql_of(s), at, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_int(struct qn_stmt *s, int at, int64_t v)
{
        sqlite3_bind_int64(sql_of(s), at, v);
}

static void bind_blob(struct qn_stmt *s, int at, struct qn_str v)
{
        if (v.p)
                sqlite3_bind_blob64(sql_of(s), at, v.p, v.n, SQLITE_STATIC);
}

static struct qn_str text(struct qn_stmt *s, int at)
{
        const char *p = (const char *)sqlite3_column_text(sql_of(s), at);

        return (struct qn_str){ p, p ? (size_t)sqlite3_column_bytes(sql_of(s), at) : 0 };
}

static int64_t number(struct qn_stmt *s, int at)
{
        return sqlite3_column_int64(sql_of(s), at);
}

static struct qn_str blob(struct qn_stmt *s, int at)
{
        const char *p = sqlite3_column_blob(sql_of(s), at);

        return (struct qn_str){ p, p ? (size_t)sqlite3_column_bytes(sql_of(s), at) : 0 };
}

static bool is_null(struct qn_stmt *s, int at)
{
        return sqlite3_column_type(sql_of(s), at) == SQLITE_NULL;
}

const struct qn_db_driver qn_db_sqlite = {
        .connect = connect_lite,
        .close = close_lite,
        .patience = patience,
        .explain = explain,
        .read_version = read_version,
        .write_version = write_version,
        .make = make,
        .let_grow_only = let_grow_only,
        .begin = begin,
        .snapshot = snapshot,
        .commit = commit,
        .rollback = rollback,
        .exec = exec,
        .changes = changes,
        .check = check,
        .vacuum = vacuum,
        .prepare = prepare,
        .finalize = finalize,
        .step = step,
        .reset = reset,
        .clear = clear,
        .bind_text = bind_text,
        .bind_int = bind_int,
        .bind_blob = bind_blob,
        .text = text,
        .number = number,
        .blob = blob,
        .is_null = is_null,
};
