#include "store/learnt.h"

#include <errno.h>

const struct qn_db_def qn_db_learnt = {
        .file = "learnt.db",
        .schema =
                "CREATE TABLE package(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                " version TEXT NOT NULL, integrity TEXT, files INTEGER NOT NULL,"
                " bytes INTEGER NOT NULL, UNIQUE(name, version));"
                "CREATE TABLE file(hash BLOB NOT NULL, package INTEGER NOT NULL REFERENCES package,"
                " path TEXT NOT NULL, PRIMARY KEY(hash, package, path)) WITHOUT ROWID;"
                "CREATE INDEX file_package ON file(package);",
        .version = 1,
        .missing = "nothing was learnt yet: qanat inventory learn",
};

/* 1 it is known, and as well as it can be; 0 not; *ret_id: what is to be replaced, or 0. */
static int look_up(struct qn_db *db, const struct qn_contents *c, int64_t *ret_id)
{
        struct qn_stmt *s = qn_db_prepare(
                db,
                "SELECT id, integrity IS NOT NULL FROM package WHERE name = ?1 AND version = ?2");
        int r, known = 0;

        qn_db_bind_text(s, 1, c->name);
        qn_db_bind_text(s, 2, c->version);
        r = qn_db_step(s);
        *ret_id = 0;
        if (r > 0) {
                known = qn_db_int(s, 1) || !c->integrity.p;
                *ret_id = qn_db_int(s, 0);
        }
        qn_db_reset(s);
        return r < 0 ? r : known;
}

static int run_with_id(struct qn_db *db, const char *sql, int64_t id)
{
        struct qn_stmt *s = qn_db_prepare(db, sql);

        qn_db_bind_int(s, 1, id);
        return qn_db_run(s);
}

static int forget(struct qn_db *db, int64_t id)
{
        int r = run_with_id(db, "DELETE FROM file WHERE package = ?1", id);

        return r < 0 ? r : run_with_id(db, "DELETE FROM package WHERE id = ?1", id);
}

static int add_package(struct qn_db *db, const struct qn_contents *c, int64_t *ret_id)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO package(name, version, integrity, files, bytes)"
                                  " VALUES(?1, ?2, ?3, ?4, ?5) RETURNING id");
        int64_t bytes = 0;
        int r;

        for (size_t i = 0; i < c->n; i++)
                bytes += c->files[i].id.size;
        qn_db_bind_text(s, 1, c->name);
        qn_db_bind_text(s, 2, c->version);
        qn_db_bind_text(s, 3, c->integrity);
        qn_db_bind_int(s, 4, (int64_t)c->n);
        qn_db_bind_int(s, 5, bytes);
        r = qn_db_first(s, ret_id);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static void bind_hash(struct qn_stmt *s, int at, const struct qn_content_id *id)
{
        qn_db_bind_blob(s, at, (struct qn_str){ (const char *)id->hash, QN_CONTENT_BYTES });
}

static int add_file(struct qn_db *db, int64_t package, const struct qn_content_file *f)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO file(hash, package, path) VALUES(?1, ?2, ?3)"
                                  " ON CONFLICT DO NOTHING");

        bind_hash(s, 1, &f->id);
        qn_db_bind_int(s, 2, package);
        qn_db_bind_text(s, 3, f->path);
        return qn_db_run(s);
}

int qn_learnt_learn(struct qn_db *db, const struct qn_contents *c)
{
        int64_t id;
        int r = look_up(db, c, &id);

        if (r)
                return r < 0 ? r : 0;
        if (id)
                r = forget(db, id);
        if (r == 0)
                r = add_package(db, c, &id);
        for (size_t i = 0; r == 0 && i < c->n; i++)
                r = add_file(db, id, &c->files[i]);
        return r < 0 ? r : 1;
}

int qn_learnt_find(struct qn_db *db, const struct qn_content_id *id, qn_learnt_fn *fn, void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT p.id, p.name, p.version, p.integrity, f.path, p.files, p.bytes"
                    " FROM file f JOIN package p ON p.id = f.package WHERE f.hash = ?1"
                    " ORDER BY f.package, f.path");
        int r, answer = 0;

        bind_hash(s, 1, id);
        while (answer == 0 && (r = qn_db_step(s)) > 0) {
                const struct qn_learnt k = { qn_db_int(s, 0),          qn_db_text(s, 1),
                                             qn_db_text(s, 2),         qn_db_text(s, 3),
                                             qn_db_text(s, 4),         (uint32_t)qn_db_int(s, 5),
                                             (uint64_t)qn_db_int(s, 6) };

                answer = fn(ctx, &k);
        }
        qn_db_reset(s);
        return answer ? answer : r;
}
