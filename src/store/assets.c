#include "store/assets.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

/* An asset is a place; a source one file or tree in it; a holding says from when to when a package was in a source: `until`
 * is empty while it is.  Times are seconds since 1970. */
static const char schema[] =
        "CREATE TABLE asset(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
        " owner TEXT, environment TEXT, commit_id TEXT, UNIQUE(name, kind));"
        "CREATE TABLE source(id INTEGER PRIMARY KEY, asset INTEGER NOT NULL REFERENCES asset,"
        " path TEXT NOT NULL, kind TEXT NOT NULL, graph BLOB, graph_time INTEGER,"
        " UNIQUE(asset, path));"
        "CREATE TABLE observation(source INTEGER NOT NULL REFERENCES source,"
        " time INTEGER NOT NULL, commit_id TEXT, PRIMARY KEY(source, time)) WITHOUT ROWID;"
        "CREATE TABLE package(id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL,"
        " UNIQUE(name, version));"
        "CREATE TABLE holding(package INTEGER NOT NULL REFERENCES package,"
        " source INTEGER NOT NULL REFERENCES source, since INTEGER NOT NULL, until INTEGER,"
        " flags INTEGER NOT NULL, integrity TEXT, PRIMARY KEY(package, source, since)) WITHOUT "
        "ROWID;"
        "CREATE INDEX holding_source ON holding(source, package, since, until);";

const struct qn_db_def qn_db_inventory = { "inventory.db", schema, 1,
                                           "no inventory yet: qanat inventory add" };

/* --- names → numbers --- */

static const char insert_asset[] =
        "INSERT INTO asset(name, kind, owner, environment, commit_id) VALUES(?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(name, kind) DO UPDATE SET owner = coalesce(?3, asset.owner),"
        " environment = coalesce(?4, asset.environment),"
        " commit_id = coalesce(?5, asset.commit_id) RETURNING id";
static const char insert_source[] =
        "INSERT INTO source(asset, path, kind) VALUES(?1, ?2, ?3)"
        " ON CONFLICT(asset, path) DO UPDATE SET kind = ?3 RETURNING id";
static const char find_package[] = "SELECT id FROM package WHERE name = ?1 AND version = ?2";
static const char insert_package[] =
        "INSERT INTO package(name, version) VALUES(?1, ?2) RETURNING id";

static int asset_id(struct qn_db *db, const struct qn_asset *a, int64_t *ret)
{
        const struct qn_str texts[] = { a->name, a->kind, a->owner, a->environment, a->commit };
        struct qn_stmt *s = qn_db_prepare(db, insert_asset);
        int r;

        for (int i = 0; i < (int)QN_ARRAY_SIZE(texts); i++)
                qn_db_bind_text(s, i + 1, texts[i]);
        r = qn_db_first(s, ret);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static int source_id(struct qn_db *db, int64_t asset, struct qn_str path, const char *kind,
                     int64_t *ret)
{
        struct qn_stmt *s = qn_db_prepare(db, insert_source);
        int r;

        qn_db_bind_int(s, 1, asset);
        qn_db_bind_text(s, 2, path);
        qn_db_bind_text(s, 3, qn_str_c(kind));
        r = qn_db_first(s, ret);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

static int package_id(struct qn_db *db, const struct qn_bom_item *t, int64_t *ret)
{
        struct qn_str version = t->version.p ? t->version : QN_STR("");
        struct qn_stmt *s = qn_db_prepare(db, find_package);
        int r;

        qn_db_bind_text(s, 1, t->name);
        qn_db_bind_text(s, 2, version);
        r = qn_db_first(s, ret);
        if (r)
                return r < 0 ? r : 0;
        s = qn_db_prepare(db, insert_package);
        qn_db_bind_text(s, 1, t->name);
        qn_db_bind_text(s, 2, version);
        r = qn_db_first(s, ret);
        return r == 0 ? -EIO : r < 0 ? r : 0;
}

/* --- one observation --- */

struct held {
        int64_t package, since, until;
        bool still; /* it is in the set that is observed */
};

struct observer {
        struct qn_db *db;
        struct qn_arena *a;
        int64_t source, time, next; /* next: of the observation after this one */
        struct held *held;          /* what the store has at this time, by package */
        size_t n, cap;
        struct qn_observed *ret;
};

/* Of the same package at several places one holding is made. */
struct seen {
        int64_t package;
        unsigned flags;
        struct qn_str integrity;
};

#define FLAG(bit, field) flags |= (unsigned)t->field << (bit);
static unsigned flags_of(const struct qn_bom_item *t)
{
        unsigned flags = 0;

        QN_BOM_FLAGS(FLAG)
        return flags;
}
#undef FLAG

static int compare_seen(const void *x, const void *y)
{
        const struct seen *a = x, *b = y;

        return (a->package > b->package) - (a->package < b->package);
}

static int read_next(struct observer *o)
{
        struct qn_stmt *s = qn_db_prepare(
                o->db, "SELECT min(time) FROM observation WHERE source = ?1 AND time > ?2");
        int r;

        qn_db_bind_int(s, 1, o->source);
        qn_db_bind_int(s, 2, o->time);
        r = qn_db_step(s);
        o->next = QN_TIME_OPEN;
        if (r > 0 && !qn_db_is_null(s, 0))
                o->next = qn_db_int(s, 0);
        qn_db_reset(s);
        return r < 0 ? r : 0;
}

static int read_held(struct observer *o)
{
        struct qn_stmt *s = qn_db_prepare(
                o->db, "SELECT package, since, coalesce(until, 9223372036854775807) FROM holding"
                       " WHERE source = ?1 AND since <= ?2 AND (until IS NULL OR until > ?2)"
                       " ORDER BY package");
        int r;

        qn_db_bind_int(s, 1, o->source);
        qn_db_bind_int(s, 2, o->time);
        while ((r = qn_db_step(s)) > 0) {
                if (QN_ARENA_ROOM(o->a, o->held, o->n, o->cap) < 0) {
                        r = -ENOBUFS;
                        break;
                }
                o->held[o->n++] =
                        (struct held){ qn_db_int(s, 0), qn_db_int(s, 1), qn_db_int(s, 2), false };
        }
        qn_db_reset(s);
        return r;
}

static void bind_until(struct qn_stmt *s, int at, int64_t until)
{
        if (until != QN_TIME_OPEN)
                qn_db_bind_int(s, at, until);
}

/* The package is there from this time on: until the next observation, or joined to what that one saw. */
static int add_holding(struct observer *o, const struct seen *p)
{
        struct qn_stmt *s;
        int64_t until = o->next;
        int r = 0;

        if (o->next != QN_TIME_OPEN) {
                s = qn_db_prepare(o->db,
                                  "DELETE FROM holding WHERE package = ?1 AND source = ?2 AND"
                                  " since = ?3 RETURNING coalesce(until, 9223372036854775807)");
                qn_db_bind_int(s, 1, p->package);
                qn_db_bind_int(s, 2, o->source);
                qn_db_bind_int(s, 3, o->next);
                r = qn_db_first(s, &until);
        }
        if (r < 0)
                return r;
        s = qn_db_prepare(o->db,
                          "INSERT INTO holding(package, source, since, until, flags, integrity)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
        qn_db_bind_int(s, 1, p->package);
        qn_db_bind_int(s, 2, o->source);
        qn_db_bind_int(s, 3, o->time);
        bind_until(s, 4, until);
        qn_db_bind_int(s, 5, p->flags);
        qn_db_bind_text(s, 6, p->integrity);
        o->ret->added++;
        return qn_db_run(s);
}

/* The package is not there at this time; what was seen of it later stays. */
static int end_holding(struct observer *o, const struct held *h)
{
        static const char split[] =
                "INSERT INTO holding(package, source, since, until, flags, integrity)"
                " SELECT package, source, ?4, until, flags, integrity FROM holding"
                " WHERE package = ?1 AND source = ?2 AND since = ?3";
        static const char drop[] =
                "DELETE FROM holding WHERE package = ?1 AND source = ?2 AND since = ?3";
        static const char cut[] =
                "UPDATE holding SET until = ?4 WHERE package = ?1 AND source = ?2 AND since = ?3";
        struct qn_stmt *s;
        int r = 0;

        o->ret->gone++;
        for (int step = 0; r == 0 && step < 2; step++) {
                if (step == 0 && (o->next == QN_TIME_OPEN || h->until <= o->next))
                        continue;
                s = qn_db_prepare(o->db, step == 0 ? split : h->since == o->time ? drop : cut);
                qn_db_bind_int(s, 1, h->package);
                qn_db_bind_int(s, 2, o->source);
                qn_db_bind_int(s, 3, h->since);
                if (step == 0 || h->since != o->time)
                        qn_db_bind_int(s, 4, step == 0 ? o->next : o->time);
                r = qn_db_run(s);
        }
        return r;
}

static int make_set(struct observer *o, const struct qn_bom *bom, struct seen **ret, size_t *ret_n)
{
        struct seen *v = qn_arena_calloc(o->a, bom->n + 1, sizeof *v);
        size_t n = 0;
        int r = v ? 0 : -ENOBUFS;

        for (size_t i = 0; r == 0 && i < bom->n; i++) {
                if (bom->items[i].origin == QN_BOM_FROM_WORKSPACE)
                        continue; /* the project's own */
                r = package_id(o->db, &bom->items[i], &v[n].package);
                v[n].flags = flags_of(&bom->items[i]);
                v[n++].integrity = bom->items[i].integrity;
        }
        if (r == 0 && n)
                qsort(v, n, sizeof *v, compare_seen);
        *ret = v;
        *ret_n = n;
        return r;
}

static int merge(struct observer *o, const struct seen *v, size_t n)
{
        size_t h = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                if (i && v[i].package == v[i - 1].package)
                        continue;
                o->ret->packages++;
                while (h < o->n && o->held[h].package < v[i].package)
                        h++;
                if (h < o->n && o->held[h].package == v[i].package)
                        o->held[h].still = true;
                else
                        r = add_holding(o, &v[i]);
        }
        for (size_t i = 0; r == 0 && i < o->n; i++)
                if (!o->held[i].still)
                        r = end_holding(o, &o->held[i]);
        return r;
}

static int note_observation(struct observer *o, struct qn_str commit)
{
        struct qn_stmt *s = qn_db_prepare(
                o->db, "INSERT INTO observation(source, time, commit_id) VALUES(?1, ?2, ?3)"
                       " ON CONFLICT(source, time) DO UPDATE SET commit_id ="
                       " coalesce(?3, observation.commit_id)");

        qn_db_bind_int(s, 1, o->source);
        qn_db_bind_int(s, 2, o->time);
        qn_db_bind_text(s, 3, commit);
        return qn_db_run(s);
}

static int keep_graph(struct observer *o, struct qn_str graph)
{
        struct qn_stmt *s = qn_db_prepare(
                o->db, "UPDATE source SET graph = ?2, graph_time = ?3 WHERE id = ?1 AND"
                       " coalesce(graph_time, -1) <= ?3");

        if (!graph.p)
                return 0;
        qn_db_bind_int(s, 1, o->source);
        qn_db_bind_blob(s, 2, graph);
        qn_db_bind_int(s, 3, o->time);
        return qn_db_run(s);
}

static int observe(struct observer *o, const struct qn_bom *bom)
{
        struct seen *v;
        size_t n;
        int r = make_set(o, bom, &v, &n);

        if (r == 0)
                r = read_next(o);
        if (r == 0)
                r = read_held(o);
        return r == 0 ? merge(o, v, n) : r;
}

int qn_assets_observe(struct qn_db *db, const struct qn_observation *obs, struct qn_arena *a,
                      struct qn_observed *ret)
{
        struct observer o = { .db = db, .a = a, .time = obs->time, .ret = ret };
        int64_t asset;
        int r = asset_id(db, &obs->asset, &asset);

        *ret = (struct qn_observed){ 0 };
        if (r == 0)
                r = source_id(db, asset, obs->path, qn_bom_kind_name(obs->bom->kind), &o.source);
        if (r == 0)
                r = observe(&o, obs->bom);
        if (r == 0)
                r = note_observation(&o, obs->asset.commit);
        return r == 0 ? keep_graph(&o, obs->graph) : r;
}

static bool is_among(struct qn_str path, const struct qn_str *paths, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (qn_str_eq(paths[i], path))
                        return true;
        return false;
}

int qn_assets_end(struct qn_db *db, const struct qn_asset *asset, int64_t time,
                  const struct qn_str *paths, size_t n)
{
        static const struct qn_bom none = { .kind = QN_BOM_INSTALLED };
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30);
        int64_t id, *gone = NULL;
        size_t n_gone = 0, cap = 0;
        struct qn_stmt *s;
        int r = asset_id(db, asset, &id);

        s = qn_db_prepare(db, "SELECT id, path FROM source WHERE asset = ?1 ORDER BY id");
        qn_db_bind_int(s, 1, id);
        while (r >= 0 && (r = qn_db_step(s)) > 0) {
                if (is_among(qn_db_text(s, 1), paths, n))
                        continue;
                if (QN_ARENA_ROOM(&a, gone, n_gone, cap) < 0)
                        r = -ENOBUFS;
                else
                        gone[n_gone++] = qn_db_int(s, 0);
        }
        qn_db_reset(s);
        for (size_t i = 0; r == 0 && i < n_gone; i++) {
                struct qn_observed counts = { 0 };
                struct observer o = {
                        .db = db, .a = &a, .source = gone[i], .time = time, .ret = &counts
                };

                r = observe(&o, &none);
                if (r == 0)
                        r = note_observation(&o, asset->commit);
        }
        qn_arena_done(&a);
        return r;
}
