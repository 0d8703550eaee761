#include "parse/bom-installed.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/bom-priv.h"
#include "parse/files.h"
#include "parse/lock-kind.h"
#include "parse/lock.h"

#define MODULES "node_modules/"

struct link {
        struct qn_str path, to;
};

struct candidate {
        struct qn_str dir;
        const struct qn_pkgjson *pkg;
};

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_bom_places places;
        const struct qn_pkgjson **pkgs; /* of each item */
        size_t pkgs_cap;
        const struct qn_pkgjson *root;
        struct link *links;
        size_t n_links, links_cap;
        struct candidate *candidates; /* packages in no node_modules */
        size_t n_candidates, candidates_cap;
        struct qn_cur noted; /* node_modules/.package-lock.json */
        size_t broken;
        struct qn_str first_broken;
};

static struct qn_str string_of(const struct qn_pkgjson *p, const char *key)
{
        return qn_node_text(qn_node_get(p->root, key));
}

/* The name that a place stands for: an alias when the package says otherwise. */
static void name_item(struct qn_bom_item *item, const struct qn_pkgjson *p)
{
        struct qn_str installed = qn_lock_path_name(item->path);

        item->name = p->name.text.n ? p->name.text : installed.p ? installed : item->path;
        if (!installed.p)
                item->origin = QN_BOM_FROM_WORKSPACE;
        else if (!qn_str_eq(installed, item->name))
                item->alias = installed;
}

static bool has_install_script(const struct qn_pkgjson *p)
{
        return qn_pkgjson_script(p, "preinstall") || qn_pkgjson_script(p, "install") ||
               qn_pkgjson_script(p, "postinstall");
}

static int add_package(struct reader *rd, struct qn_str dir, const struct qn_pkgjson *p)
{
        struct qn_bom_item item = { .path = dir,
                                    .version = p->version.text,
                                    .resolved = string_of(p, "_resolved"),
                                    .integrity = string_of(p, "_integrity"),
                                    .scripts = has_install_script(p) };
        uint32_t at;
        int r;

        name_item(&item, p);
        if (item.origin == QN_BOM_FROM_REGISTRY && item.resolved.p)
                item.origin = qn_bom_origin_of(item.resolved);
        if (item.origin == QN_BOM_FROM_URL)
                item.origin = QN_BOM_FROM_REGISTRY; /* npm 6 notes the address in any case */
        if (rd->b->n == rd->pkgs_cap) {
                size_t want = rd->pkgs_cap ? rd->pkgs_cap * 2 : 256;

                rd->pkgs = qn_arena_grow(rd->a, rd->pkgs, rd->b->n, want, sizeof(void *));
                if (!rd->pkgs)
                        return qn_bom_no_memory(rd->err);
                rd->pkgs_cap = want;
        }
        r = qn_bom_add(rd->b, &item, &at, rd->err);
        if (r < 0)
                return r;
        rd->pkgs[at] = p;
        return qn_bom_place(&rd->places, dir, at) < 0 ? qn_bom_no_memory(rd->err) : 0;
}

static int take_package(struct reader *rd, const struct qn_files_entry *e)
{
        struct qn_str dir = qn_str_take(e->path, e->path.n - strlen("package.json"));
        struct qn_pkgjson *p;
        int r = qn_pkgjson_parse(e->content, rd->a, &p, NULL);

        if (r == -ENOBUFS)
                return qn_bom_no_memory(rd->err);
        if (r < 0) {
                if (!rd->broken++)
                        rd->first_broken = e->path;
                return 0;
        }
        if (!dir.n) {
                rd->root = p;
                rd->b->name = p->name.text;
                rd->b->version = p->version.text;
                return 0;
        }
        dir.n--;
        if (qn_lock_path_name(dir).p)
                return add_package(rd, dir, p);
        if (QN_ARENA_ROOM(rd->a, rd->candidates, rd->n_candidates, rd->candidates_cap) < 0)
                return qn_bom_no_memory(rd->err);
        rd->candidates[rd->n_candidates++] = (struct candidate){ dir, p };
        return 0;
}

/* --- packages that the project itself is made of --- */

/* The directory that has the outermost node_modules of the path. */
static struct qn_str project_of(struct qn_str path)
{
        ptrdiff_t at = qn_str_find(path, QN_STR("/" MODULES));

        return qn_str_take(path, at < 0 ? 0 : (size_t)at);
}

static int note_own(struct reader *rd, struct qn_map *own)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < rd->n_links; i++) {
                r = qn_map_add(own, rd->a, rd->links[i].to, 0, NULL);
                if (r >= 0)
                        r = qn_map_add(own, rd->a, project_of(rd->links[i].path), 0, NULL);
        }
        for (size_t i = 0; r >= 0 && i < rd->b->n; i++)
                r = qn_map_add(own, rd->a, project_of(rd->b->items[i].path), 0, NULL);
        return r < 0 ? qn_bom_no_memory(rd->err) : 0;
}

/* Many a package.json lies around in a project: of workspaces, but also of tests and build results.  Those count that are
 * linked to, that have a node_modules, or that the project names. */
static int take_own(struct reader *rd)
{
        struct qn_map own = { 0 };
        int r = note_own(rd, &own);

        for (size_t i = 0; r == 0 && i < rd->n_candidates; i++) {
                const struct candidate *c = &rd->candidates[i];

                if (qn_map_get(&own, c->dir) != QN_MAP_NONE ||
                    (rd->root && qn_bom_is_workspace(rd->root, c->dir)))
                        r = add_package(rd, c->dir, c->pkg);
        }
        return r;
}

static int take_file(struct reader *rd, const struct qn_files_entry *e)
{
        if (e->kind == QN_FILES_LINK) {
                if (QN_ARENA_ROOM(rd->a, rd->links, rd->n_links, rd->links_cap) < 0)
                        return qn_bom_no_memory(rd->err);
                rd->links[rd->n_links++] = (struct link){ e->path, qn_cur_rest(&e->content) };
                return 0;
        }
        if (qn_str_is(e->path, MODULES ".package-lock.json"))
                rd->noted = e->content;
        else if (e->kind == QN_FILES_FILE &&
                 (qn_str_is(e->path, "package.json") || qn_str_ends(e->path, "/package.json")))
                return take_package(rd, e);
        return 0;
}

/* A link is another place of what it leads to; a directory outside of the tree is not known. */
static int add_links(struct reader *rd)
{
        for (size_t i = 0; i < rd->n_links; i++) {
                uint32_t at = qn_map_get(&rd->places.map, rd->links[i].to);

                if (at == QN_MAP_NONE)
                        continue;
                if (qn_bom_place(&rd->places, rd->links[i].path, at) < 0)
                        return qn_bom_no_memory(rd->err);
                if ((qn_str_starts(rd->links[i].to, "../") ||
                     qn_str_starts(rd->links[i].to, "/")) &&
                    rd->b->items[at].origin == QN_BOM_FROM_WORKSPACE)
                        rd->b->items[at].origin = QN_BOM_FROM_LINK;
                if (rd->b->items[at].origin == QN_BOM_FROM_REGISTRY) {
                        struct qn_str as = qn_lock_path_name(rd->links[i].path);

                        if (as.p && !qn_str_eq(as, rd->b->items[at].name))
                                rd->b->items[at].alias = as;
                }
        }
        return 0;
}

static int add_needs(struct reader *rd, uint32_t of, struct qn_str dir, const struct qn_pkgjson *p)
{
        bool own = of == QN_BOM_ROOT || rd->b->items[of].origin == QN_BOM_FROM_WORKSPACE;
        int r = 0;

        for (size_t i = 0; r == 0 && i < p->n_deps; i++) {
                const struct qn_pkgjson_dep *d = &p->deps[i];
                uint32_t to;

                if (d->block == QN_DEP_DEV && !own)
                        continue;
                to = qn_bom_find(&rd->places, dir, d->name);
                if (to != QN_MAP_NONE && to != of)
                        r = qn_bom_need(rd->b, of, to, qn_bom_need_of(d), rd->err);
        }
        return r;
}

static bool bundles(const struct qn_pkgjson *p, struct qn_str name)
{
        for (size_t i = 0; i < p->n_deps; i++)
                if (p->deps[i].bundled && qn_str_eq(p->deps[i].name, name))
                        return true;
        for (size_t i = 0; i < p->bundled.n; i++)
                if (qn_str_eq(p->bundled.v[i].text, name))
                        return true;
        return false;
}

/* The package in whose node_modules this one lies. */
static uint32_t holder_of(struct reader *rd, struct qn_str path)
{
        struct qn_str name = qn_lock_path_name(path);
        size_t tail = name.n + strlen("/" MODULES);

        if (!name.p || path.n <= tail)
                return QN_MAP_NONE;
        return qn_map_get(&rd->places.map, qn_str_take(path, path.n - tail));
}

static bool lies_below(struct qn_str path, struct qn_str dir)
{
        return path.n > dir.n && path.p[dir.n] == '/' && qn_str_eq(qn_str_take(path, dir.n), dir);
}

/* What a package brought along, and what that needs of the same origin; edges are in the order of who needs. */
static void mark_bundled(struct reader *rd)
{
        struct qn_bom *b = rd->b;
        bool changed = false;

        for (uint32_t i = 0; i < b->n; i++) {
                uint32_t holder = holder_of(rd, b->items[i].path);
                struct qn_str name = qn_lock_path_name(b->items[i].path);

                if (holder != QN_MAP_NONE && b->items[holder].origin != QN_BOM_FROM_WORKSPACE &&
                    bundles(rd->pkgs[holder], name))
                        b->items[i].bundled = changed = true;
        }
        for (unsigned round = 0; changed && round < QN_BOM_CLIMB_MAX; round++) {
                changed = false;
                for (size_t i = 0; i < b->n_edges; i++) {
                        const struct qn_bom_edge *e = &b->edges[i];
                        struct qn_bom_item *to = &b->items[e->to];
                        uint32_t holder;

                        if (e->from == QN_BOM_ROOT || !b->items[e->from].bundled || to->bundled)
                                continue;
                        holder = holder_of(rd, b->items[e->from].path);
                        if (holder != QN_MAP_NONE && (lies_below(to->path, b->items[holder].path)))
                                to->bundled = changed = true;
                }
        }
}

/* What npm noted when it installed: only of what is there in this version. */
static int add_notes(struct reader *rd)
{
        struct qn_lock *lock;

        if (!qn_cur_left(&rd->noted) || qn_lock_parse(rd->noted, rd->a, &lock, NULL) < 0)
                return 0;
        for (size_t i = 0; i < lock->n; i++) {
                const struct qn_lock_package *p = &lock->packages[i];
                uint32_t at = qn_map_get(&rd->places.map, p->path);
                struct qn_bom_item *item = at == QN_MAP_NONE ? NULL : &rd->b->items[at];

                if (!item || !qn_str_eq(item->version, p->version) ||
                    item->origin == QN_BOM_FROM_WORKSPACE)
                        continue;
                if (!item->integrity.p)
                        item->integrity = p->integrity;
                if (!item->resolved.p)
                        item->resolved = p->resolved;
                if (p->kind == QN_LOCK_GIT)
                        item->origin = QN_BOM_FROM_GIT;
                else if (p->kind == QN_LOCK_FILE)
                        item->origin = QN_BOM_FROM_FILE;
                else if (p->kind == QN_LOCK_URL)
                        item->origin = QN_BOM_FROM_URL;
        }
        return 0;
}

static int connect_all(struct reader *rd)
{
        int r = take_own(rd);

        if (r == 0)
                r = add_links(rd);
        if (r == 0 && rd->root)
                r = add_needs(rd, QN_BOM_ROOT, QN_STR(""), rd->root);
        for (uint32_t i = 0; r == 0 && i < rd->b->n; i++) {
                r = add_needs(rd, i, rd->b->items[i].path, rd->pkgs[i]);
                if (r == 0 && rd->b->items[i].origin == QN_BOM_FROM_WORKSPACE)
                        r = qn_bom_need(rd->b, QN_BOM_ROOT, i, QN_BOM_PROD, rd->err);
        }
        if (r == 0) {
                mark_bundled(rd);
                r = add_notes(rd);
        }
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

int qn_bom_read_installed(struct qn_cur files, struct qn_arena *a, struct qn_bom **ret,
                          struct qn_err *reterr)
{
        struct reader rd = {
                .a = a,
                .err = reterr,
                .places = { .arena = a, .path = QN_BUF_INIT(QN_TAR_NAME_MAX * 2) },
        };
        struct qn_files_entry e;
        int r = qn_bom_new(a, QN_BOM_INSTALLED, &rd.b, reterr), got = 0;

        while (r == 0 && (got = qn_files_next(&files, &e)) == 1)
                r = take_file(&rd, &e);
        if (r == 0 && got < 0)
                r = qn_fail(reterr, got, 0, "the list of files is cut short");
        if (r == 0)
                r = connect_all(&rd);
        qn_buf_done(&rd.places.path);
        if (r < 0)
                return r;
        rd.b->broken = rd.broken;
        rd.b->first_broken = rd.first_broken;
        *ret = rd.b;
        return 0;
}
