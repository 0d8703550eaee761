#include "store/db.h"

#include <errno.h>

#include "store/db-driver.h"
#include "store/pg-link.h"

/* --- opening --- */

static bool is_outdated(const struct qn_db_def *def, int version)
{
        return version == 0 || (version > 0 && version < def->version && def->steps);
}

static int bring_up_to_date(struct qn_db *db, const struct qn_db_def *def, int version)
{
        int r = version == 0 ? db->driver->make(db, def) : 0;

        for (int v = version; r == 0 && v > 0 && v < def->version; v++)
                r = qn_db_exec(db, def->steps[v - 1]);
        for (size_t i = 0; r == 0 && i < QN_DB_GROWS_MAX && def->grows[i].table; i++)
                if (version == 0 || version < def->grows[i].since)
                        r = db->driver->let_grow_only(db, def->grows[i].table);
        return r == 0 ? db->driver->write_version(db, def->version) : r;
}

/* A store gets its tables in one step: whoever else opens it meanwhile waits, and finds that done. */
static int make_tables(struct qn_db *db, const struct qn_db_def *def, int *version)
{
        int r = qn_db_begin(db);

        if (r == 0)
                r = db->driver->read_version(db, version);
        if (r == 0 && is_outdated(def, *version)) {
                r = bring_up_to_date(db, def, *version);
                *version = def->version;
        }
        return r == 0 ? qn_db_commit(db) : r;
}

static int ready(struct qn_db *db, const struct qn_db_def *def, bool write, struct qn_err *reterr)
{
        int version = 0;
        int r = db->driver->read_version(db, &version);

        if (r == 0 && version == 0 && !write)
                return -ENOENT;
        if (r == 0 && is_outdated(def, version))
                r = make_tables(db, def, &version);
        if (r == 0 && version != def->version)
                return qn_fail(reterr, -EPROTO, 0,
                               "the store was made by another version of qanat");
        return r;
}

int qn_db_open(const struct qn_db_def *def, const char *where, bool write, struct qn_db *ret,
               struct qn_err *reterr)
{
        struct qn_err err = { 0 };
        int r;

        *ret = (struct qn_db){ .driver = qn_pg_is_url(where) ? &qn_db_pg : &qn_db_sqlite };
        r = ret->driver->connect(def, where, write, ret, &err);
        if (r == 0)
                r = ready(ret, def, write, &err);
        if (r == 0)
                return 0;
        if (!err.msg[0] && r != -ENOENT && ret->conn)
                ret->driver->explain(ret, r, &err);
        qn_db_close(ret);
        if (err.msg[0])
                return qn_fail(reterr, r, 0, "%s", err.msg);
        if (r == -ENOENT)
                return qn_fail(reterr, r, 0, "%s", def->missing);
        return qn_fail(reterr, r, 0, "%.100s/%s: %s", qn_pg_is_url(where) ? "PostgreSQL" : where,
                       def->file, r == -EBADMSG ? "the store is damaged" : strerrordesc_np(-r));
}

void qn_db_close(struct qn_db *db)
{
        for (size_t i = 0; i < db->n; i++)
                db->driver->finalize(db->kept[i].stmt);
        if (db->conn)
                db->driver->close(db);
        *db = (struct qn_db){ 0 };
}

int qn_db_fail(struct qn_db *db, int code, struct qn_err *reterr)
{
        struct qn_err err = { 0 };

        if (db->conn)
                db->driver->explain(db, code, &err);
        return qn_fail(reterr, code, 0, "%s", err.msg[0] ? err.msg : strerrordesc_np(-code));
}

int qn_db_patience(struct qn_db *db, int ms)
{
        return db->driver->patience(db, ms);
}

/* --- transactions --- */

int qn_db_begin(struct qn_db *db)
{
        return db->driver->begin(db);
}

int qn_db_snapshot(struct qn_db *db)
{
        return db->driver->snapshot(db);
}

int qn_db_commit(struct qn_db *db)
{
        return db->driver->commit(db);
}

void qn_db_rollback(struct qn_db *db)
{
        db->driver->rollback(db);
}

/* --- statements --- */

int qn_db_exec(struct qn_db *db, const char *sql)
{
        return db->driver->exec(db, sql);
}

struct qn_stmt *qn_db_prepare(struct qn_db *db, const char *sql)
{
        struct qn_stmt *s = NULL;

        for (size_t i = 0; i < db->n; i++) {
                if (db->kept[i].text != sql)
                        continue;
                s = db->kept[i].stmt;
                db->driver->reset(s);
                db->driver->clear(s);
                return s;
        }
        if (db->n == QN_DB_STATEMENTS_MAX || db->driver->prepare(db, sql, &s) < 0)
                return NULL;
        db->kept[db->n].text = sql;
        db->kept[db->n++].stmt = s;
        return s;
}

int qn_db_step(struct qn_stmt *s)
{
        return s ? s->driver->step(s) : -EIO;
}

int qn_db_row(struct qn_stmt *s)
{
        int r = qn_db_step(s);

        return r > 0 ? 0 : r == 0 ? -ENOENT : r;
}

void qn_db_reset(struct qn_stmt *s)
{
        if (s)
                s->driver->reset(s);
}

int qn_db_run(struct qn_stmt *s)
{
        int r = qn_db_step(s);

        qn_db_reset(s);
        return r < 0 ? r : 0;
}

int qn_db_first(struct qn_stmt *s, int64_t *ret)
{
        int r = qn_db_step(s);

        if (r > 0)
                *ret = qn_db_int(s, 0);
        qn_db_reset(s);
        return r;
}

int qn_db_changes(struct qn_db *db)
{
        return db->driver->changes(db);
}

int qn_db_check(struct qn_db *db, qn_db_fault_fn *fn, void *ctx)
{
        return db->driver->check(db, fn, ctx);
}

int qn_db_vacuum(struct qn_db *db)
{
        return db->driver->vacuum(db);
}

void qn_db_bind_text(struct qn_stmt *s, int at, struct qn_str v)
{
        if (s)
                s->driver->bind_text(s, at, v);
}

void qn_db_bind_int(struct qn_stmt *s, int at, int64_t v)
{
        if (s)
                s->driver->bind_int(s, at, v);
}

void qn_db_bind_blob(struct qn_stmt *s, int at, struct qn_str v)
{
        if (s)
                s->driver->bind_blob(s, at, v);
}

struct qn_str qn_db_text(struct qn_stmt *s, int at)
{
        return s->driver->text(s, at);
}

int64_t qn_db_int(struct qn_stmt *s, int at)
{
        return s->driver->number(s, at);
}

struct qn_str qn_db_blob(struct qn_stmt *s, int at)
{
        return s->driver->blob(s, at);
}

bool qn_db_is_null(struct qn_stmt *s, int at)
{
        return s->driver->is_null(s, at);
}
