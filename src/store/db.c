#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"

#define BUSY_MS 30000

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

int qn_db_exec(struct qn_db *db, const char *sql)
{
        return code_of(sqlite3_exec(db->sql, sql, NULL, NULL, NULL));
}

sqlite3_stmt *qn_db_prepare(struct qn_db *db, const char *sql)
{
        for (size_t i = 0; i < db->n; i++) {
                if (db->kept[i].text != sql)
                        continue;
                sqlite3_reset(db->kept[i].stmt);
                sqlite3_clear_bindings(db->kept[i].stmt);
                return db->kept[i].stmt;
        }
        if (db->n == QN_DB_STATEMENTS_MAX ||
            sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, &db->kept[db->n].stmt,
                               NULL) != SQLITE_OK)
                return NULL;
        db->kept[db->n].text = sql;
        return db->kept[db->n++].stmt;
}

int qn_db_step(sqlite3_stmt *s)
{
        return s ? code_of(sqlite3_step(s)) : -EIO;
}

int qn_db_run(sqlite3_stmt *s)
{
        int r = qn_db_step(s);

        if (s)
                sqlite3_reset(s);
        return r < 0 ? r : 0;
}

void qn_db_bind_text(sqlite3_stmt *s, int at, struct qn_str v)
{
        if (s && v.p)
                sqlite3_bind_text64(s, at, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
}

void qn_db_bind_int(sqlite3_stmt *s, int at, int64_t v)
{
        if (s)
                sqlite3_bind_int64(s, at, v);
}

struct qn_str qn_db_text(sqlite3_stmt *s, int at)
{
        const char *p = (const char *)sqlite3_column_text(s, at);

        return (struct qn_str){ p, p ? (size_t)sqlite3_column_bytes(s, at) : 0 };
}

static int read_version(struct qn_db *db, int *ret)
{
        sqlite3_stmt *s = qn_db_prepare(db, "PRAGMA user_version");
        int r = qn_db_step(s);

        if (r > 0)
                *ret = sqlite3_column_int(s, 0);
        if (s)
                sqlite3_reset(s);
        return r < 0 ? r : r == 0 ? -EIO : 0;
}

static int write_version(struct qn_db *db, int version)
{
        char sql[64];

        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
        return qn_db_exec(db, sql);
}

static bool is_outdated(const struct qn_db_def *def, int version)
{
        return version == 0 || (version > 0 && version < def->version && def->steps);
}

static int bring_up_to_date(struct qn_db *db, const struct qn_db_def *def, int version)
{
        int r = version == 0 ? qn_db_exec(db, def->schema) : 0;

        for (int v = version; r == 0 && v > 0 && v < def->version; v++)
                r = qn_db_exec(db, def->steps[v - 1]);
        return r == 0 ? write_version(db, def->version) : r;
}

/* A file gets its tables in one step: whoever else opens it meanwhile waits, and finds that done. */
static int make_tables(struct qn_db *db, const struct qn_db_def *def, int *version)
{
        int r = qn_db_exec(db, "BEGIN IMMEDIATE");

        if (r == 0)
                r = read_version(db, version);
        if (r == 0 && is_outdated(def, *version)) {
                r = bring_up_to_date(db, def, *version);
                *version = def->version;
        }
        return r == 0 ? qn_db_exec(db, "COMMIT") : r;
}

static int prepare(struct qn_db *db, const struct qn_db_def *def, bool write, struct qn_err *reterr)
{
        int version = 0;
        int r = qn_db_exec(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;");

        if (r == 0 && write)
                r = qn_db_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        if (r == 0)
                r = read_version(db, &version);
        if (r == 0 && version == 0 && !write)
                return -ENOENT;
        if (r == 0 && is_outdated(def, version))
                r = make_tables(db, def, &version);
        if (r == 0 && version != def->version)
                return qn_fail(reterr, -EPROTO, 0,
                               "the store was made by another version of qanat");
        return r;
}

int qn_db_open(const struct qn_db_def *def, const char *dir, bool write, struct qn_db *ret,
               struct qn_err *reterr)
{
        int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (write ? SQLITE_OPEN_CREATE : 0);
        char path[4096];
        int r = write ? qn_io_mkdirs(dir) : 0;

        *ret = (struct qn_db){ 0 };
        if (r < 0)
                return qn_fail(reterr, r, 0, "%.100s: %s", dir, strerrordesc_np(-r));
        if (snprintf(path, sizeof path, "%s/%s", dir, def->file) >= (int)sizeof path)
                return qn_fail(reterr, -ENAMETOOLONG, 0, "the state directory's name is too long");
        if (!write && access(path, F_OK) < 0)
                r = -ENOENT;
        if (r == 0)
                r = code_of(sqlite3_open_v2(path, &ret->sql, flags, NULL));
        if (r == 0) {
                sqlite3_busy_timeout(ret->sql, BUSY_MS);
                r = prepare(ret, def, write, reterr);
        }
        if (r == 0)
                return 0;
        qn_db_close(ret);
        if (r == -ENOENT)
                return qn_fail(reterr, r, 0, "%s", def->missing);
        return r == -EPROTO ? r
                            : qn_fail(reterr, r, 0, "%.100s: %s", path,
                                      r == -EBADMSG ? "the store is damaged" : strerrordesc_np(-r));
}

int qn_db_patience(struct qn_db *db, int ms)
{
        return code_of(sqlite3_busy_timeout(db->sql, ms));
}

void qn_db_close(struct qn_db *db)
{
        for (size_t i = 0; i < db->n; i++)
                sqlite3_finalize(db->kept[i].stmt);
        sqlite3_close_v2(db->sql);
        *db = (struct qn_db){ 0 };
}
