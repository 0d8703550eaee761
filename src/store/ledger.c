#include "store/ledger.h"

#include <errno.h>

static const char schema[] =
        "CREATE TABLE artifact(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,"
        " integrity TEXT NOT NULL, UNIQUE(name, version, integrity));"
        "CREATE TABLE fetch(id INTEGER PRIMARY KEY AUTOINCREMENT, artifact INTEGER NOT NULL"
        " REFERENCES artifact, time INTEGER NOT NULL, token TEXT, address TEXT, user_agent TEXT,"
        " session TEXT, command TEXT, ci TEXT);"
        "CREATE INDEX fetch_artifact ON fetch(artifact, time);"
        "CREATE TABLE verdict(integrity TEXT PRIMARY KEY, verdict TEXT NOT NULL,"
        " score INTEGER NOT NULL, reason TEXT NOT NULL, rules TEXT NOT NULL,"
        " time INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE alarm(artifact INTEGER PRIMARY KEY REFERENCES artifact,"
        " time INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,"
        " told INTEGER NOT NULL DEFAULT 0, before TEXT NOT NULL DEFAULT 'unknown');"
        "CREATE TABLE cached(kind INTEGER NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL,"
        " time INTEGER NOT NULL, used INTEGER NOT NULL, etag TEXT, last_modified TEXT,"
        " PRIMARY KEY(kind, key)) WITHOUT ROWID;"
        "CREATE INDEX cached_used ON cached(used);"
        "CREATE INDEX artifact_integrity ON artifact(integrity);";

static const char *const steps[] = {
        "ALTER TABLE alarm ADD COLUMN before TEXT NOT NULL DEFAULT 'unknown';"
        "CREATE INDEX artifact_integrity ON artifact(integrity);",
};

const struct qn_db_def qn_db_gate = {
        .file = "gate.db",
        .schema = schema,
        .version = QN_ARRAY_SIZE(steps) + 1,
        .missing = "no ledger yet: qanat gate",
        .steps = steps,
        .grows = { { "fetch", 0 } },
};

static void bind_artifact(struct qn_stmt *s, const struct qn_ledger_artifact *a)
{
        qn_db_bind_text(s, 1, a->name);
        qn_db_bind_text(s, 2, a->version);
        qn_db_bind_text(s, 3, a->integrity);
}

/* Of the columns id, name, version, integrity from `at` on. */
static struct qn_ledger_artifact artifact_of(struct qn_stmt *s, int at)
{
        return (struct qn_ledger_artifact){ .id = qn_db_int(s, at),
                                            .name = qn_db_text(s, at + 1),
                                            .version = qn_db_text(s, at + 2),
                                            .integrity = qn_db_text(s, at + 3) };
}

int qn_ledger_artifact(struct qn_db *db, const struct qn_ledger_artifact *a, int64_t *ret_id)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO artifact(name, version, integrity) VALUES(?1, ?2, ?3)"
                    " ON CONFLICT DO NOTHING");
        int r;

        bind_artifact(s, a);
        r = qn_db_run(s);
        if (r < 0)
                return r;
        s = qn_db_prepare(
                db, "SELECT id FROM artifact WHERE name = ?1 AND version = ?2 AND integrity = ?3");
        bind_artifact(s, a);
        r = qn_db_first(s, ret_id);
        return r < 0 ? r : r == 0 ? -EIO : 0;
}

int qn_ledger_add(struct qn_db *db, const struct qn_ledger_fetch *f)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO fetch(artifact, time, token, address, user_agent, session,"
                    " command, ci) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");

        qn_db_bind_int(s, 1, f->artifact.id);
        qn_db_bind_int(s, 2, f->time);
        qn_db_bind_text(s, 3, f->token);
        qn_db_bind_text(s, 4, f->address);
        qn_db_bind_text(s, 5, f->user_agent);
        qn_db_bind_text(s, 6, f->session);
        qn_db_bind_text(s, 7, f->command);
        qn_db_bind_text(s, 8, f->ci);
        return qn_db_run(s);
}

#define FETCHES                                                                    \
        "SELECT a.id, a.name, a.version, a.integrity, f.time, f.token, f.address," \
        " f.user_agent, f.session, f.command, f.ci FROM fetch f"                   \
        " JOIN artifact a ON a.id = f.artifact WHERE "
#define OF_FILTER                                                                      \
        "(?1 = '' OR a.name = ?1) AND (?2 = '' OR a.version = ?2) AND f.time >= ?3"    \
        " AND (?4 = 0 OR f.time < ?4) AND (?5 = '' OR f.token = ?5 OR f.address = ?5)" \
        " ORDER BY f.id"

/* That of one artifact finds its rows by an index. */
static struct qn_stmt *prepare_each(struct qn_db *db, const struct qn_ledger_filter *q)
{
        struct qn_stmt *s = q->artifact
                                    ? qn_db_prepare(db, FETCHES "f.artifact = ?6 AND " OF_FILTER)
                                    : qn_db_prepare(db, FETCHES OF_FILTER);

        qn_db_bind_text(s, 1, q->name.p ? q->name : QN_STR(""));
        qn_db_bind_text(s, 2, q->version.p ? q->version : QN_STR(""));
        qn_db_bind_int(s, 3, q->since);
        qn_db_bind_int(s, 4, q->until);
        qn_db_bind_text(s, 5, q->client.p ? q->client : QN_STR(""));
        if (q->artifact)
                qn_db_bind_int(s, 6, q->artifact);
        return s;
}

int qn_ledger_each(struct qn_db *db, const struct qn_ledger_filter *q, qn_ledger_fn *fn, void *ctx)
{
        struct qn_stmt *s = prepare_each(db, q);
        int r;

        while ((r = qn_db_step(s)) > 0) {
                const struct qn_ledger_fetch f = { .artifact = artifact_of(s, 0),
                                                   .time = qn_db_int(s, 4),
                                                   .token = qn_db_text(s, 5),
                                                   .address = qn_db_text(s, 6),
                                                   .user_agent = qn_db_text(s, 7),
                                                   .session = qn_db_text(s, 8),
                                                   .command = qn_db_text(s, 9),
                                                   .ci = qn_db_text(s, 10) };

                r = fn(ctx, &f);
                if (r != 0)
                        break;
        }
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

int qn_ledger_clients(struct qn_db *db, struct qn_str name, int64_t until,
                      int (*fn)(void *ctx, const struct qn_ledger_client *c), void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT a.id, a.name, a.version, a.integrity,"
                    " coalesce(nullif(f.token, ''), nullif(f.address, ''), '-') AS client,"
                    " min(f.time), max(f.time), count(*) FROM artifact a"
                    " JOIN fetch f ON f.artifact = a.id WHERE a.name = ?1"
                    " AND (?2 = 0 OR f.time < ?2) GROUP BY a.id, client"
                    " ORDER BY a.version, a.integrity, client");
        int r;

        qn_db_bind_text(s, 1, name);
        qn_db_bind_int(s, 2, until);
        while ((r = qn_db_step(s)) > 0) {
                const struct qn_ledger_client c = { .artifact = artifact_of(s, 0),
                                                    .client = qn_db_text(s, 4),
                                                    .first = qn_db_int(s, 5),
                                                    .last = qn_db_int(s, 6),
                                                    .times = qn_db_int(s, 7) };

                r = fn(ctx, &c);
                if (r != 0)
                        break;
        }
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

static int each_artifact(struct qn_stmt *s, qn_ledger_artifact_fn *fn, void *ctx)
{
        int r;

        while ((r = qn_db_step(s)) > 0) {
                const struct qn_ledger_artifact a = artifact_of(s, 0);

                r = fn(ctx, &a);
                if (r != 0)
                        break;
        }
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

int qn_ledger_served(struct qn_db *db, qn_ledger_artifact_fn *fn, void *ctx)
{
        return each_artifact(qn_db_prepare(db, "SELECT id, name, version, integrity FROM artifact a"
                                               " WHERE EXISTS(SELECT 1 FROM fetch"
                                               " WHERE artifact = a.id)"
                                               " ORDER BY name, version, integrity"),
                             fn, ctx);
}

int qn_ledger_copies(struct qn_db *db, struct qn_str integrity, qn_ledger_artifact_fn *fn,
                     void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT id, name, version, integrity FROM artifact a"
                                              " WHERE integrity = ?1 AND EXISTS(SELECT 1 FROM fetch"
                                              " WHERE artifact = a.id) ORDER BY name, version");

        qn_db_bind_text(s, 1, integrity);
        return each_artifact(s, fn, ctx);
}

/* --- verdicts --- */

static int copy(struct qn_arena *a, struct qn_str from, struct qn_str *ret)
{
        *ret = from.p ? qn_arena_dup(a, from) : from;
        return from.p && !ret->p ? -ENOBUFS : 0;
}

int qn_ledger_verdict(struct qn_db *db, struct qn_str integrity, struct qn_arena *a,
                      struct qn_ledger_verdict *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT verdict, score, reason, rules, time FROM verdict WHERE integrity = ?1");
        int r;

        qn_db_bind_text(s, 1, integrity);
        r = qn_db_row(s);
        if (r == 0) {
                ret->score = (unsigned)qn_db_int(s, 1);
                ret->time = qn_db_int(s, 4);
                r = copy(a, qn_db_text(s, 0), &ret->verdict);
                if (r == 0)
                        r = copy(a, qn_db_text(s, 2), &ret->reason);
                if (r == 0)
                        r = copy(a, qn_db_text(s, 3), &ret->rules);
        }
        qn_db_reset(s);
        return r;
}

int qn_ledger_judged(struct qn_db *db, struct qn_str integrity, const struct qn_ledger_verdict *v)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "INSERT INTO verdict(integrity, verdict, score, reason, rules, time)"
                    " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(integrity) DO UPDATE SET"
                    " verdict = excluded.verdict, score = excluded.score,"
                    " reason = excluded.reason, rules = excluded.rules, time = excluded.time");

        qn_db_bind_text(s, 1, integrity);
        qn_db_bind_text(s, 2, v->verdict);
        qn_db_bind_int(s, 3, v->score);
        qn_db_bind_text(s, 4, v->reason);
        qn_db_bind_text(s, 5, v->rules);
        qn_db_bind_int(s, 6, v->time);
        return qn_db_run(s);
}

static int one_artifact(struct qn_stmt *s, struct qn_arena *a, struct qn_ledger_artifact *ret)
{
        int r = qn_db_row(s);

        if (r == 0) {
                const struct qn_ledger_artifact found = artifact_of(s, 0);

                ret->id = found.id;
                r = copy(a, found.name, &ret->name);
                if (r == 0)
                        r = copy(a, found.version, &ret->version);
                if (r == 0)
                        r = copy(a, found.integrity, &ret->integrity);
        }
        qn_db_reset(s);
        return r;
}

int qn_ledger_outdated(struct qn_db *db, int64_t after, const struct qn_str rules[2],
                       struct qn_arena *a, struct qn_ledger_artifact *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT a.id, a.name, a.version, a.integrity FROM artifact a"
                    " LEFT JOIN verdict v ON v.integrity = a.integrity"
                    " WHERE a.id > ?1 AND (v.rules IS NULL OR v.rules NOT IN (?2, ?3))"
                    " ORDER BY a.id LIMIT 1");

        qn_db_bind_int(s, 1, after);
        qn_db_bind_text(s, 2, rules[0]);
        qn_db_bind_text(s, 3, rules[1]);
        return one_artifact(s, a, ret);
}

int qn_ledger_find(struct qn_db *db, int64_t id, struct qn_arena *a, struct qn_ledger_artifact *ret)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT id, name, version, integrity FROM artifact WHERE id = ?1");

        qn_db_bind_int(s, 1, id);
        return one_artifact(s, a, ret);
}

/* --- alarms --- */

int qn_ledger_alarm(struct qn_db *db, const struct qn_ledger_alarm *a)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO alarm(artifact, time, verdict, reason, before)"
                                  " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING");
        int r;

        qn_db_bind_int(s, 1, a->artifact.id);
        qn_db_bind_int(s, 2, a->time);
        qn_db_bind_text(s, 3, a->verdict);
        qn_db_bind_text(s, 4, a->reason);
        qn_db_bind_text(s, 5, a->before);
        r = qn_db_run(s);
        return r < 0 ? r : qn_db_changes(db);
}

int qn_ledger_told(struct qn_db *db, int64_t artifact)
{
        struct qn_stmt *s = qn_db_prepare(db, "UPDATE alarm SET told = 1 WHERE artifact = ?1");

        qn_db_bind_int(s, 1, artifact);
        return qn_db_run(s);
}

int qn_ledger_alarms(struct qn_db *db, bool untold,
                     int (*fn)(void *ctx, const struct qn_ledger_alarm *a), void *ctx)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "SELECT a.id, a.name, a.version, a.integrity, l.time, l.verdict, l.reason,"
                    " l.told, l.before FROM alarm l JOIN artifact a ON a.id = l.artifact"
                    " WHERE ?1 = 0 OR l.told = 0 ORDER BY l.time, a.name, a.version");
        int r;

        qn_db_bind_int(s, 1, untold);
        while ((r = qn_db_step(s)) > 0) {
                const struct qn_ledger_alarm l = { .artifact = artifact_of(s, 0),
                                                   .time = qn_db_int(s, 4),
                                                   .verdict = qn_db_text(s, 5),
                                                   .reason = qn_db_text(s, 6),
                                                   .told = qn_db_int(s, 7) != 0,
                                                   .before = qn_db_text(s, 8) };

                r = fn(ctx, &l);
                if (r != 0)
                        break;
        }
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

/* --- what is on disk --- */

int qn_ledger_cache(struct qn_db *db, const struct qn_ledger_cached *c)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "INSERT INTO cached(kind, key, size, time, used, etag,"
                                  " last_modified) VALUES(?1, ?2, ?3, ?4, ?4, ?5, ?6)"
                                  " ON CONFLICT(kind, key) DO UPDATE SET size = excluded.size,"
                                  " time = excluded.time, used = excluded.used,"
                                  " etag = excluded.etag,"
                                  " last_modified = excluded.last_modified");

        qn_db_bind_int(s, 1, c->kind);
        qn_db_bind_text(s, 2, c->key);
        qn_db_bind_int(s, 3, (int64_t)c->size);
        qn_db_bind_int(s, 4, c->time);
        qn_db_bind_text(s, 5, c->etag);
        qn_db_bind_text(s, 6, c->last_modified);
        return qn_db_run(s);
}

/* Of the columns kind, key, size, time, etag, last_modified. */
static int cached_of(struct qn_stmt *s, struct qn_arena *a, struct qn_ledger_cached *ret)
{
        int r = copy(a, qn_db_text(s, 1), &ret->key);

        ret->kind = (enum qn_cached_kind)qn_db_int(s, 0);
        ret->size = (uint64_t)qn_db_int(s, 2);
        ret->time = qn_db_int(s, 3);
        if (r == 0)
                r = copy(a, qn_db_text(s, 4), &ret->etag);
        return r < 0 ? r : copy(a, qn_db_text(s, 5), &ret->last_modified);
}

static int touch(struct qn_db *db, enum qn_cached_kind kind, struct qn_str key, int64_t now)
{
        struct qn_stmt *s = qn_db_prepare(
                db, "UPDATE cached SET used = ?3 WHERE kind = ?1 AND key = ?2 AND used < ?3");

        qn_db_bind_int(s, 1, kind);
        qn_db_bind_text(s, 2, key);
        qn_db_bind_int(s, 3, now);
        return qn_db_run(s);
}

int qn_ledger_cached(struct qn_db *db, enum qn_cached_kind kind, struct qn_str key, int64_t now,
                     struct qn_arena *a, struct qn_ledger_cached *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT kind, key, size, time, etag, last_modified FROM cached"
                                  " WHERE kind = ?1 AND key = ?2");
        int r;

        qn_db_bind_int(s, 1, kind);
        qn_db_bind_text(s, 2, key);
        r = qn_db_step(s);
        r = r > 0 ? cached_of(s, a, ret) : r == 0 ? -ENOENT : r;
        qn_db_reset(s);
        return r < 0 || !now ? r : touch(db, kind, key, now);
}

int qn_ledger_uncache(struct qn_db *db, enum qn_cached_kind kind, struct qn_str key)
{
        struct qn_stmt *s = qn_db_prepare(db, "DELETE FROM cached WHERE kind = ?1 AND key = ?2");

        qn_db_bind_int(s, 1, kind);
        qn_db_bind_text(s, 2, key);
        return qn_db_run(s);
}

int qn_ledger_cache_size(struct qn_db *db, uint64_t *ret)
{
        struct qn_stmt *s =
                qn_db_prepare(db, "SELECT CAST(coalesce(sum(size), 0) AS INTEGER) FROM cached");
        int r = qn_db_step(s);

        if (r > 0)
                *ret = (uint64_t)qn_db_int(s, 0);
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

int qn_ledger_oldest(struct qn_db *db, struct qn_arena *a, struct qn_ledger_cached *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, "SELECT kind, key, size, time, etag, last_modified"
                                              " FROM cached ORDER BY used, kind, key LIMIT 1");
        int r = qn_db_step(s);

        r = r > 0 ? cached_of(s, a, ret) : r == 0 ? -ENOENT : r;
        qn_db_reset(s);
        return r;
}
