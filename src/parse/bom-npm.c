/* bom-npm.c - package-lock.json, npm-shrinkwrap.json, node_modules/.package-lock.json: lock.h and who needs whom. */
#include <errno.h>

#include "base/limits.h"
#include "parse/bom-priv.h"
#include "parse/lock-kind.h"
#include "parse/lock.h"

struct reader {
        struct qn_bom *b;
        const struct qn_lock *lock;
        struct qn_bom_places places;
        struct qn_err *err;
};

static enum qn_bom_origin origin_of(const struct qn_lock_package *p)
{
        static const enum qn_bom_origin origins[] = {
                [QN_LOCK_REGISTRY] = QN_BOM_FROM_REGISTRY,
                [QN_LOCK_ALIAS] = QN_BOM_FROM_REGISTRY,
                [QN_LOCK_GIT] = QN_BOM_FROM_GIT,
                [QN_LOCK_URL] = QN_BOM_FROM_URL,
                [QN_LOCK_FILE] = QN_BOM_FROM_FILE,
                [QN_LOCK_LINK] = QN_BOM_FROM_LINK,
                [QN_LOCK_WORKSPACE] = QN_BOM_FROM_WORKSPACE,
        };

        return origins[p->kind];
}

/* lockfileVersion 1 writes what is no version from a registry into the version. */
static void split_version(struct qn_bom_item *item)
{
        if (item->origin == QN_BOM_FROM_REGISTRY || !item->version.n || item->resolved.p ||
            qn_bom_origin_of(item->version) == QN_BOM_FROM_REGISTRY)
                return;
        item->resolved = item->version;
        item->version = (struct qn_str){ NULL, 0 };
}

static int add_package(struct reader *rd, const struct qn_lock_package *p)
{
        struct qn_bom_item item = {
                .name = p->name,
                .alias = p->alias,
                .version = p->version,
                .resolved = p->resolved,
                .integrity = p->integrity,
                .path = p->path,
                .origin = origin_of(p),
                .dev = p->dev,
                .optional = p->optional,
                .peer = p->peer,
                .bundled = p->bundled,
                .scripts = p->has_install_script,
        };
        uint32_t at;
        int r;

        split_version(&item);
        r = qn_bom_add(rd->b, &item, &at, rd->err);
        if (r == 0 && qn_bom_place(&rd->places, p->path, at) < 0)
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* A link is where the directory that it leads to can be found; that directory has an entry of its own. */
static int add_link(struct reader *rd, const struct qn_lock_package *p)
{
        uint32_t at = p->resolved.p ? qn_map_get(&rd->places.map, p->resolved) : QN_MAP_NONE;

        if (at == QN_MAP_NONE)
                return add_package(rd, p);
        return qn_bom_place(&rd->places, p->path, at) < 0 ? qn_bom_no_memory(rd->err) : 0;
}

static int add_all(struct reader *rd)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < rd->lock->n; i++)
                if (rd->lock->packages[i].kind != QN_LOCK_LINK)
                        r = add_package(rd, &rd->lock->packages[i]);
        for (size_t i = 0; r == 0 && i < rd->lock->n; i++)
                if (rd->lock->packages[i].kind == QN_LOCK_LINK)
                        r = add_link(rd, &rd->lock->packages[i]);
        return r;
}

static int need(struct reader *rd, struct qn_str from, struct qn_str name, enum qn_bom_need how)
{
        uint32_t to = qn_bom_find(&rd->places, from, name), of = QN_BOM_ROOT;

        if (to == QN_MAP_NONE)
                return 0;
        if (from.n) {
                of = qn_map_get(&rd->places.map, from);
                if (of == QN_MAP_NONE)
                        return 0;
        }
        return qn_bom_need(rd->b, of, to, how, rd->err);
}

static int add_needs(struct reader *rd)
{
        static const enum qn_bom_need needs[] = {
                [QN_DEP_PROD] = QN_BOM_PROD,
                [QN_DEP_DEV] = QN_BOM_DEV,
                [QN_DEP_PEER] = QN_BOM_PEER,
                [QN_DEP_OPTIONAL] = QN_BOM_OPTIONAL,
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < rd->lock->n_needs; i++) {
                const struct qn_lock_need *n = &rd->lock->needs[i];

                r = need(rd, n->from, n->name, needs[n->block]);
        }
        /* The project asks for its workspaces without naming them. */
        for (size_t i = 0; r == 0 && i < rd->b->n; i++)
                if (rd->b->items[i].origin == QN_BOM_FROM_WORKSPACE)
                        r = qn_bom_need(rd->b, QN_BOM_ROOT, (uint32_t)i, QN_BOM_PROD, rd->err);
        return r;
}

/* Only some lock files say what the project itself asks for; its package.json does. */
static int add_project_needs(struct reader *rd, const struct qn_bom_in *in)
{
        struct qn_bom_project p;
        int r = qn_bom_project(in->beside, rd->b->arena, &p, rd->err);

        if (r < 0 || !p.n || p.members[0].dir.n)
                return r;
        for (size_t i = 0; r == 0 && i < p.members[0].pkg->n_deps; i++) {
                const struct qn_pkgjson_dep *d = &p.members[0].pkg->deps[i];

                r = need(rd, QN_STR(""), d->name, qn_bom_need_of(d));
        }
        if (!rd->b->name.p)
                rd->b->name = p.members[0].pkg->name.text;
        return r;
}

static int read_lock(struct reader *rd, const struct qn_bom_in *in)
{
        static const char *const formats[] = { "1", "2", "3" };
        int r = add_all(rd);

        rd->b->name = rd->lock->name;
        rd->b->version = rd->lock->root_version;
        rd->b->format = qn_str_c(formats[rd->lock->version - 1]);
        if (r == 0)
                r = add_needs(rd);
        if (r == 0 && !rd->lock->direct_known)
                r = add_project_needs(rd, in);
        return r == 0 ? qn_bom_settle(rd->b, false, rd->err) : r;
}

int qn_bom_read_npm(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                    struct qn_err *reterr)
{
        struct reader rd = { .places = { .arena = a, .path = QN_BUF_INIT(QN_TAR_NAME_MAX * 2) },
                             .err = reterr };
        enum qn_bom_kind kind = qn_str_is(in->name, "npm-shrinkwrap.json") ? QN_BOM_SHRINKWRAP
                                                                           : QN_BOM_PACKAGE_LOCK;
        struct qn_lock *lock;
        int r = qn_lock_parse_needs(in->doc, a, &lock, reterr);

        if (r == 0)
                r = qn_bom_new(a, kind, &rd.b, reterr);
        if (r == 0) {
                rd.lock = lock;
                r = read_lock(&rd, in);
        }
        qn_buf_done(&rd.places.path);
        if (r == 0)
                *ret = rd.b;
        return r;
}
