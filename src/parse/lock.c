#include "parse/lock.h"

#include <errno.h>

#include "base/arena.h"
#include "base/map.h"
#include "parse/json.h"
#include "parse/lock-kind.h"
#include "parse/pkgjson.h"

#define LEVELS_MAX QN_JSON_DEPTH_MAX
#define CLIMB_MAX  16 /* directories above a workspace that are searched for its dependencies */

/* An open object: a list of packages, or (with an index) one package. */
struct level {
        bool list;
        size_t package;       /* !list */
        struct qn_str prefix; /* list: the path of the package it belongs to */
        struct qn_str name;   /* !list: its "name" field */
};

struct reader {
        struct qn_arena *arena;
        struct qn_lock *lock;
        struct qn_err *err;
        struct qn_json json;
        struct qn_map paths;
        size_t cap;
        size_t needs_cap;
        bool all_needs; /* also those of packages */
        bool nested;    /* version 1: packages inside packages */
        size_t depth;
        struct level levels[LEVELS_MAX + 1];
};

static int no_memory(struct reader *rd)
{
        return qn_fail(rd->err, -ENOBUFS, 0, "the lock file needs too much memory");
}

/* --- one package's fields --- */

enum field_type {
        FIELD_TEXT,
        FIELD_FLAG,
};

#define FIELD(key, type, member)                                    \
        {                                                           \
                key, type, offsetof(struct qn_lock_package, member) \
        }
static const struct {
        const char *key;
        enum field_type type;
        size_t at;
} fields[] = {
        FIELD("version", FIELD_TEXT, version),
        FIELD("resolved", FIELD_TEXT, resolved),
        FIELD("integrity", FIELD_TEXT, integrity),
        FIELD("dev", FIELD_FLAG, dev),
        FIELD("optional", FIELD_FLAG, optional),
        FIELD("peer", FIELD_FLAG, peer),
        FIELD("inBundle", FIELD_FLAG, bundled),
        FIELD("bundled", FIELD_FLAG, bundled),
        FIELD("link", FIELD_FLAG, link),
        FIELD("hasInstallScript", FIELD_FLAG, has_install_script),
};
#undef FIELD

static const struct {
        const char *key;
        enum qn_dep_block block;
} dep_blocks[] = {
        { "dependencies", QN_DEP_PROD },
        { "devDependencies", QN_DEP_DEV },
        { "optionalDependencies", QN_DEP_OPTIONAL },
        { "peerDependencies", QN_DEP_PEER },
        { "requires", QN_DEP_PROD }, /* version 1 */
};

static bool is_dep_block(struct qn_str key, enum qn_dep_block *ret)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(dep_blocks); i++) {
                if (!qn_str_is(key, dep_blocks[i].key))
                        continue;
                *ret = dep_blocks[i].block;
                return true;
        }
        return false;
}

/* A field of a known type; everything else is passed over. */
static int read_field(struct reader *rd, struct qn_lock_package *p, struct qn_str key,
                      const struct qn_json_event *e)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++) {
                void *at = (char *)p + fields[i].at;

                if (!qn_str_is(key, fields[i].key))
                        continue;
                if (fields[i].type == FIELD_FLAG)
                        *(bool *)at = e->kind == QN_JSON_TRUE;
                else if (e->kind == QN_JSON_STRING && qn_json_unescape(e, rd->arena, at) < 0)
                        return no_memory(rd);
                break;
        }
        if (qn_str_is(key, "devOptional") && e->kind == QN_JSON_TRUE)
                p->dev = p->optional = true;
        return qn_json_skip_rest(&rd->json, e, rd->err);
}

/* Reads the names in a dependency block as needs of `from`. */
static int read_needs(struct reader *rd, struct qn_str from, enum qn_dep_block block)
{
        struct qn_lock *lock = rd->lock;
        struct qn_json_event e;
        int r;

        for (;;) {
                struct qn_lock_need need = { .from = from, .block = block };

                r = qn_json_next(&rd->json, &e, rd->err);
                if (r < 0 || e.kind == QN_JSON_OBJECT_END)
                        return r;
                if (qn_json_unescape(&e, rd->arena, &need.name) < 0 ||
                    QN_ARENA_ROOM(rd->arena, lock->needs, lock->n_needs, rd->needs_cap) < 0)
                        return no_memory(rd);
                if (lock->n_needs == QN_BOM_EDGES_MAX)
                        return qn_fail(rd->err, -EFBIG, e.off,
                                       "the lock file holds more than %u dependencies",
                                       QN_BOM_EDGES_MAX);
                lock->needs[lock->n_needs++] = need;
                r = qn_json_skip(&rd->json, rd->err);
                if (r < 0)
                        return r;
        }
}

/* --- levels --- */

static int push(struct reader *rd, struct level l)
{
        if (rd->depth > LEVELS_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "the lock file is nested too deeply");
        rd->levels[rd->depth++] = l;
        return 0;
}

static int join_path(struct reader *rd, struct qn_str prefix, struct qn_str name,
                     struct qn_str *ret)
{
        static const struct qn_str dir = QN_STR("node_modules/");
        size_t n = prefix.n + (prefix.n != 0) + dir.n + name.n;
        char *p;

        if (n > QN_TAR_NAME_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "a path in the lock file is too long");
        p = qn_arena_alloc(rd->arena, n);
        if (!p)
                return no_memory(rd);
        *ret = (struct qn_str){ p, n };
        if (prefix.n) {
                memcpy(p, prefix.p, prefix.n);
                p[prefix.n] = '/';
                p += prefix.n + 1;
        }
        memcpy(p, dir.p, dir.n);
        if (name.n)
                memcpy(p + dir.n, name.p, name.n);
        return 0;
}

/* The place for a package of this path: a new one, or the one that it replaces. */
static int place_package(struct reader *rd, struct qn_str path, size_t *ret)
{
        struct qn_lock *lock = rd->lock;
        uint32_t at = (uint32_t)lock->n;
        int r = qn_map_add(&rd->paths, rd->arena, path, at, &at);

        if (r < 0)
                return no_memory(rd);
        lock->duplicate |= r == 1;
        *ret = at;
        if (r == 1)
                return 0;
        if (lock->n == QN_LOCK_PACKAGES_MAX)
                return qn_fail(rd->err, -EFBIG, 0, "the lock file holds more than %u packages",
                               QN_LOCK_PACKAGES_MAX);
        if (QN_ARENA_ROOM(rd->arena, lock->packages, lock->n, rd->cap) < 0)
                return no_memory(rd);
        lock->n++;
        return 0;
}

/* A key in a list of packages. */
static int open_package(struct reader *rd, const struct level *list,
                        const struct qn_json_event *key)
{
        struct level l = { .list = false };
        struct qn_json_event e;
        struct qn_str path;
        int r;

        if (qn_json_unescape(key, rd->arena, &path) < 0)
                return no_memory(rd);
        if (rd->nested && (r = join_path(rd, list->prefix, path, &path)) < 0)
                return r;
        if ((r = qn_json_next(&rd->json, &e, rd->err)) < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(rd->err, -EINVAL, e.off,
                               "not a lock file: a package is not an object");
        if ((r = place_package(rd, path, &l.package)) < 0)
                return r;
        rd->lock->packages[l.package] =
                (struct qn_lock_package){ .path = path, .off = (uint32_t)e.off };
        return push(rd, l);
}

/* A key in a package. */
static int read_member(struct reader *rd, struct level *l, const struct qn_json_event *key)
{
        struct qn_lock_package *p = &rd->lock->packages[l->package];
        struct qn_json_event e;
        enum qn_dep_block which = QN_DEP_PROD;
        struct qn_str name;
        bool block;
        int r = qn_json_next(&rd->json, &e, rd->err);

        if (r < 0)
                return r;
        if (qn_json_unescape(key, rd->arena, &name) < 0)
                return no_memory(rd);
        block = e.kind == QN_JSON_OBJECT && is_dep_block(name, &which);
        if (block && rd->nested && qn_str_is(name, "dependencies"))
                return push(rd, (struct level){ .list = true, .prefix = p->path });
        if (block && (rd->all_needs || (!rd->nested && !qn_lock_path_name(p->path).p)))
                return read_needs(rd, p->path, which);
        if (e.kind == QN_JSON_STRING && !rd->nested && qn_str_is(name, "name"))
                return qn_json_unescape(&e, rd->arena, &l->name) < 0 ? no_memory(rd) : 0;
        return read_field(rd, p, name, &e);
}

static void close_package(struct reader *rd, const struct level *l)
{
        struct qn_lock_package *p = &rd->lock->packages[l->package];

        qn_lock_classify(p, l->name);
}

/* All of one "packages" or "dependencies" block, whose brace is the next event. */
static int read_block(struct reader *rd)
{
        struct qn_json_event e;
        int r = qn_json_next(&rd->json, &e, rd->err);

        if (r == 0)
                r = push(rd, (struct level){ .list = true });
        while (r == 0 && rd->depth) {
                struct level *l = &rd->levels[rd->depth - 1];

                r = qn_json_next(&rd->json, &e, rd->err);
                if (r < 0)
                        return r;
                if (e.kind == QN_JSON_KEY) {
                        r = l->list ? open_package(rd, l, &e) : read_member(rd, l, &e);
                } else {
                        if (!l->list)
                                close_package(rd, l);
                        rd->depth--;
                }
        }
        return r;
}

/* --- the document --- */

struct outline {
        struct qn_json_event version, packages, dependencies; /* kind EOF: absent */
        struct qn_str name, root_version;
};

/* Walks the top level: where the blocks are.  This also proves the whole document well-formed. */
static int read_outline(struct reader *rd, struct outline *o)
{
        struct qn_json_event e, v;
        struct qn_str key;
        int r = qn_json_next(&rd->json, &e, rd->err);

        if (r < 0)
                return r;
        if (e.kind != QN_JSON_OBJECT)
                return qn_fail(rd->err, -EINVAL, e.off,
                               "not a lock file: it does not hold an object");
        for (;;) {
                if ((r = qn_json_next(&rd->json, &e, rd->err)) < 0)
                        return r;
                if (e.kind != QN_JSON_KEY)
                        break;
                if ((r = qn_json_next(&rd->json, &v, rd->err)) < 0)
                        return r;
                if (qn_json_unescape(&e, rd->arena, &key) < 0)
                        return no_memory(rd);
                if (qn_str_is(key, "lockfileVersion"))
                        o->version = v;
                else if (qn_str_is(key, "packages"))
                        o->packages = v;
                else if (qn_str_is(key, "dependencies"))
                        o->dependencies = v;
                else if (v.kind == QN_JSON_STRING &&
                         (qn_str_is(key, "name") || qn_str_is(key, "version")) &&
                         qn_json_unescape(&v, rd->arena,
                                          qn_str_is(key, "name") ? &o->name : &o->root_version) < 0)
                        return no_memory(rd);
                if ((r = qn_json_skip_rest(&rd->json, &v, rd->err)) < 0)
                        return r;
        }
        return qn_json_next(&rd->json, &e, rd->err);
}

/* Which block is to be read. */
static int choose_block(struct reader *rd, const struct outline *o, struct qn_json_event *ret)
{
        uint64_t version;

        if (o->version.kind == QN_JSON_EOF)
                return qn_fail(rd->err, -EINVAL, 0, "not a lock file: it has no lockfileVersion");
        if (o->version.kind != QN_JSON_NUMBER || qn_str_u64(o->version.raw, &version) < 0 ||
            version < 1 || version > 3)
                return qn_fail(rd->err, -ENOTSUP, o->version.off,
                               "lockfileVersion %.*s is not known (1, 2 and 3 are)",
                               QN_STR_ARG(qn_str_take(o->version.raw, 20)));
        rd->lock->version = (unsigned)version;
        rd->nested = version == 1 || (version == 2 && o->packages.kind == QN_JSON_EOF);
        *ret = rd->nested ? o->dependencies : o->packages;
        if (ret->kind == QN_JSON_OBJECT || (version == 1 && ret->kind == QN_JSON_EOF))
                return 0;
        return qn_fail(rd->err, -EINVAL, ret->off, "not a lock file: it has no %s",
                       rd->nested ? "dependencies" : "packages");
}

/* --- who is direct --- */

static bool mark_at(struct reader *rd, struct qn_str dir, struct qn_str name)
{
        static const char sub[] = "/node_modules/";
        const char *between = dir.n ? sub : sub + 1;
        size_t n = dir.n + strlen(between) + name.n;
        char path[QN_TAR_NAME_MAX];
        uint32_t at;

        if (n > sizeof path)
                return false;
        memcpy(path, dir.p, dir.n);
        memcpy(path + dir.n, between, strlen(between));
        memcpy(path + n - name.n, name.p, name.n);
        at = qn_map_get(&rd->paths, (struct qn_str){ path, n });
        if (at == QN_MAP_NONE)
                return false;
        rd->lock->packages[at].direct = true;
        return true;
}

/* Looks where Node would: beside the workspace, then upwards. */
static void mark_need(struct reader *rd, const struct qn_lock_need *w)
{
        struct qn_str dir = w->from;

        for (int i = 0; i < CLIMB_MAX && !mark_at(rd, dir, w->name) && dir.n; i++) {
                ptrdiff_t slash = qn_str_rchr(dir, '/');

                dir.n = slash < 0 ? 0 : (size_t)slash;
        }
}

static void mark_direct(struct reader *rd)
{
        struct qn_lock *lock = rd->lock;

        for (size_t i = 0; i < lock->n_needs; i++)
                if (!rd->nested && !qn_lock_path_name(lock->needs[i].from).p)
                        mark_need(rd, &lock->needs[i]);
        for (size_t i = 0; i < lock->n; i++)
                if (lock->packages[i].link &&
                    qn_str_starts(lock->packages[i].path, "node_modules/"))
                        lock->packages[i].direct = true;
}

/* The entry "" is the project itself. */
static void take_root(struct reader *rd)
{
        struct qn_lock *lock = rd->lock;
        uint32_t at = rd->nested ? QN_MAP_NONE : qn_map_get(&rd->paths, QN_STR(""));

        if (at == QN_MAP_NONE)
                return;
        lock->direct_known = true;
        memmove(lock->packages + at, lock->packages + at + 1,
                (lock->n - at - 1) * sizeof *lock->packages);
        lock->n--;
}

static int read_packages(struct reader *rd, struct qn_cur in)
{
        struct outline o = { .name.p = NULL };
        struct qn_json_event block = { .kind = QN_JSON_EOF };
        int r = read_outline(rd, &o);

        if (r < 0)
                return r;
        r = choose_block(rd, &o, &block);
        if (r < 0)
                return r;
        rd->lock->name = o.name;
        rd->lock->root_version = o.root_version;
        if (block.kind == QN_JSON_EOF)
                return 0;
        r = qn_json_init(&rd->json, (struct qn_cur){ in.p + block.off, in.end }, rd->err);
        if (r < 0)
                return r;
        rd->json.start = in.p; /* offsets count from the start of the document */
        r = read_block(rd);
        if (r < 0)
                return r;
        mark_direct(rd);
        take_root(rd);
        return 0;
}

static int parse(struct qn_cur in, struct qn_arena *a, bool all_needs, struct qn_lock **ret,
                 struct qn_err *reterr)
{
        struct reader rd = { .arena = a, .err = reterr, .all_needs = all_needs };
        int r = qn_json_init(&rd.json, in, reterr);

        if (r < 0)
                return r;
        rd.lock = QN_ARENA_NEW(a, struct qn_lock);
        if (!rd.lock)
                return no_memory(&rd);
        r = read_packages(&rd, in);
        if (r < 0)
                return r;
        *ret = rd.lock;
        return 0;
}

int qn_lock_parse(struct qn_cur in, struct qn_arena *a, struct qn_lock **ret, struct qn_err *reterr)
{
        return parse(in, a, false, ret, reterr);
}

int qn_lock_parse_needs(struct qn_cur in, struct qn_arena *a, struct qn_lock **ret,
                        struct qn_err *reterr)
{
        return parse(in, a, true, ret, reterr);
}

int qn_lock_mark_direct(struct qn_lock *lock, const struct qn_pkgjson *project, struct qn_arena *a)
{
        struct qn_map names = { 0 };

        for (size_t i = 0; i < project->n_deps; i++)
                if (qn_map_add(&names, a, project->deps[i].name, (uint32_t)i, NULL) < 0)
                        return -ENOBUFS;
        for (size_t i = 0; i < lock->n; i++) {
                struct qn_lock_package *p = &lock->packages[i];
                struct qn_str name = qn_lock_path_name(p->path);

                /* Only what lies at the top can be direct. */
                if (name.p && name.n + strlen("node_modules/") == p->path.n &&
                    qn_map_get(&names, name) != QN_MAP_NONE)
                        p->direct = true;
        }
        lock->direct_known = true;
        return 0;
}
