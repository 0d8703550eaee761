#include "parse/pkgjson.h"

#include <errno.h>

#include "base/arena.h"
#include "base/map.h"
#include "parse/json.h"

struct reader {
        struct qn_arena *arena;
        struct qn_pkgjson *pkg;
        size_t odd_cap, deps_cap;
};

#define NOT_TEXT   "is not a string"
#define NOT_OBJECT "is not an object"
#define NOT_LIST   "is not a list"
#define HOLDS_ODD  "holds a value that is not a string"

static int add_odd(struct reader *rd, struct qn_str field, const char *what, uint32_t off)
{
        struct qn_pkgjson *p = rd->pkg;
        int r;

        if (p->n_odd == QN_PKGJSON_ODD_MAX)
                return 0;
        r = QN_ARENA_ROOM(rd->arena, p->odd, p->n_odd, rd->odd_cap);
        if (r < 0)
                return r;
        p->odd[p->n_odd++] = (struct qn_pkgjson_odd){ field, what, off };
        return 0;
}

static bool is_null(const struct qn_node *n)
{
        return !n || n->type == QN_NODE_NULL;
}

/* --- single texts --- */

static int read_text(struct reader *rd, const struct qn_node *n, const char *field,
                     struct qn_placed *ret)
{
        if (is_null(n))
                return 0;
        if (n->type != QN_NODE_STRING)
                return add_odd(rd, qn_str_c(field), NOT_TEXT, n->off);
        *ret = (struct qn_placed){ n->text, n->off };
        return 0;
}

#define TEXT(field, key)                                \
        {                                               \
                key, offsetof(struct qn_pkgjson, field) \
        }
static const struct {
        const char *key;
        size_t at;
} texts[] = {
        TEXT(name, "name"),
        TEXT(version, "version"),
        TEXT(description, "description"),
        TEXT(homepage, "homepage"),
        TEXT(main, "main"),
        TEXT(module, "module"),
        TEXT(types, "types"),
        TEXT(type, "type"),
        TEXT(unpkg, "unpkg"),
        TEXT(jsdelivr, "jsdelivr"),
        TEXT(react_native, "react-native"),
};
#undef TEXT

static int read_texts(struct reader *rd)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(texts); i++) {
                const struct qn_node *n = qn_node_get(rd->pkg->root, texts[i].key);

                /* "react-native" may be a map like "browser": nothing odd about it. */
                if (texts[i].at == offsetof(struct qn_pkgjson, react_native) &&
                    qn_node_is(n, QN_NODE_OBJECT))
                        continue;
                r = read_text(rd, n, texts[i].key,
                              (struct qn_placed *)((char *)rd->pkg + texts[i].at));
        }
        return r;
}

/* A field that is a string, or an object that holds one. */
static int read_text_or_in(struct reader *rd, const char *field, const char *inner,
                           struct qn_placed *ret)
{
        const struct qn_node *n = qn_node_get(rd->pkg->root, field);

        if (qn_node_is(n, QN_NODE_OBJECT))
                n = qn_node_get(n, inner);
        return read_text(rd, n, field, ret);
}

/* --- objects of strings --- */

enum {
        FALSE_ALLOWED = 1, /* `false` is a value: text.p stays NULL */
};

static int read_pairs_of(struct reader *rd, const struct qn_node *n, const char *field,
                         unsigned how, struct qn_pkgjson_pairs *ret)
{
        struct qn_pkgjson_pair *v;
        size_t m = 0;

        if (is_null(n))
                return 0;
        if (n->type != QN_NODE_OBJECT)
                return add_odd(rd, qn_str_c(field), NOT_OBJECT, n->off);
        v = qn_arena_calloc(rd->arena, n->n, sizeof *v);
        if (!v)
                return -ENOBUFS;
        for (size_t i = 0; i < n->n; i++) {
                const struct qn_node *item = n->items[i];
                bool absent = (how & FALSE_ALLOWED) && !qn_node_bool(item, true);

                if (item->type == QN_NODE_STRING || absent)
                        v[m++] = (struct qn_pkgjson_pair){ n->keys[i], qn_node_text(item),
                                                           item->off };
                else if (add_odd(rd, qn_str_c(field), HOLDS_ODD, item->off) < 0)
                        return -ENOBUFS;
        }
        *ret = (struct qn_pkgjson_pairs){ v, m };
        return 0;
}

static int read_pairs(struct reader *rd, const char *field, struct qn_pkgjson_pairs *ret)
{
        return read_pairs_of(rd, qn_node_get(rd->pkg->root, field), field, 0, ret);
}

static struct qn_str without_scope(struct qn_str name)
{
        ptrdiff_t at = qn_str_chr(name, '/');

        return at >= 0 && name.p[0] == '@' ? qn_str_skip(name, (size_t)at + 1) : name;
}

static int read_bin(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *n = qn_node_get(p->root, "bin");

        if (!qn_node_is(n, QN_NODE_STRING))
                return read_pairs(rd, "bin", &p->bin);
        p->bin.v = QN_ARENA_NEW(rd->arena, struct qn_pkgjson_pair);
        if (!p->bin.v)
                return -ENOBUFS;
        p->bin.v[p->bin.n++] =
                (struct qn_pkgjson_pair){ without_scope(p->name.text), n->text, n->off };
        return 0;
}

static int read_browser(struct reader *rd)
{
        const struct qn_node *n = qn_node_get(rd->pkg->root, "browser");

        if (qn_node_is(n, QN_NODE_STRING))
                return read_text(rd, n, "browser", &rd->pkg->browser_main);
        return read_pairs_of(rd, n, "browser", FALSE_ALLOWED, &rd->pkg->browser);
}

/* --- lists of strings --- */

/* A string alone is a list of one, as npm has it for os, cpu and libc. */
static int read_list_of(struct reader *rd, const struct qn_node *n, const char *field,
                        struct qn_pkgjson_list *ret)
{
        size_t n_items, m = 0;
        struct qn_placed *v;

        if (is_null(n))
                return 0;
        if (n->type != QN_NODE_ARRAY && n->type != QN_NODE_STRING)
                return add_odd(rd, qn_str_c(field), NOT_LIST, n->off);
        n_items = n->type == QN_NODE_ARRAY ? n->n : 1;
        v = qn_arena_calloc(rd->arena, n_items, sizeof *v);
        if (!v)
                return -ENOBUFS;
        for (size_t i = 0; i < n_items; i++) {
                const struct qn_node *item = n->type == QN_NODE_ARRAY ? n->items[i] : n;

                if (item->type == QN_NODE_STRING)
                        v[m++] = (struct qn_placed){ item->text, item->off };
                else if (add_odd(rd, qn_str_c(field), HOLDS_ODD, item->off) < 0)
                        return -ENOBUFS;
        }
        *ret = (struct qn_pkgjson_list){ v, m };
        return 0;
}

static int read_lists(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *spaces = qn_node_get(p->root, "workspaces");
        int r;

        if (qn_node_is(spaces, QN_NODE_OBJECT))
                spaces = qn_node_get(spaces, "packages");
        if ((r = read_list_of(rd, spaces, "workspaces", &p->workspaces)) < 0 ||
            (r = read_list_of(rd, qn_node_get(p->root, "files"), "files", &p->files)) < 0 ||
            (r = read_list_of(rd, qn_node_get(p->root, "os"), "os", &p->os)) < 0 ||
            (r = read_list_of(rd, qn_node_get(p->root, "cpu"), "cpu", &p->cpu)) < 0 ||
            (r = read_list_of(rd, qn_node_get(p->root, "libc"), "libc", &p->libc)) < 0)
                return r;
        return 0;
}

/* --- dependencies --- */

static int read_bundled(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *n = qn_node_get(p->root, "bundleDependencies");

        if (!n)
                n = qn_node_get(p->root, "bundledDependencies");
        if (qn_node_is(n, QN_NODE_BOOL)) {
                p->bundle_all = n->boolean;
                return 0;
        }
        if (!qn_node_is(n, QN_NODE_OBJECT))
                return read_list_of(rd, n, "bundleDependencies", &p->bundled);
        /* An object counts by its keys. */
        p->bundled.v = qn_arena_calloc(rd->arena, n->n, sizeof *p->bundled.v);
        if (!p->bundled.v)
                return -ENOBUFS;
        for (; p->bundled.n < n->n; p->bundled.n++)
                p->bundled.v[p->bundled.n] =
                        (struct qn_placed){ n->keys[p->bundled.n], n->items[p->bundled.n]->off };
        return 0;
}

/* Names → positions, so that long blocks are not searched again and again. */
static int index_list(struct reader *rd, const struct qn_pkgjson_list *list, struct qn_map *ret)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = qn_map_add(ret, rd->arena, list->v[i].text, (uint32_t)i, NULL);
        return r < 0 ? r : 0;
}

static int index_keys(struct reader *rd, const struct qn_node *object, struct qn_map *ret)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < object->n; i++)
                r = qn_map_add(ret, rd->arena, object->keys[i], (uint32_t)i, NULL);
        return r < 0 ? r : 0;
}

static const struct {
        const char *key;
        enum qn_dep_block block;
} dep_blocks[] = {
        { "dependencies", QN_DEP_PROD },
        { "devDependencies", QN_DEP_DEV },
        { "peerDependencies", QN_DEP_PEER },
        { "optionalDependencies", QN_DEP_OPTIONAL },
};

static int read_deps(struct reader *rd, const char *key, enum qn_dep_block block,
                     const struct qn_map *bundled)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *n = qn_node_get(p->root, key);
        bool shipped = block == QN_DEP_PROD || block == QN_DEP_OPTIONAL;
        struct qn_pkgjson_pairs pairs = { 0 };
        int r = read_pairs_of(rd, n, key, 0, &pairs);

        if (r < 0)
                return r;
        p->duplicate |= n && n->duplicate;
        for (size_t i = 0; i < pairs.n; i++) {
                const struct qn_pkgjson_pair *pair = &pairs.v[i];

                if (QN_ARENA_ROOM(rd->arena, p->deps, p->n_deps, rd->deps_cap) < 0)
                        return -ENOBUFS;
                p->deps[p->n_deps++] = (struct qn_pkgjson_dep){
                        .block = block,
                        .name = pair->name,
                        .spec = pair->value,
                        .off = pair->off,
                        .bundled = shipped && (p->bundle_all ||
                                               qn_map_get(bundled, pair->name) != QN_MAP_NONE),
                };
        }
        return 0;
}

static int mark_optional_peers(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *meta = qn_node_get(p->root, "peerDependenciesMeta");
        struct qn_map names = { 0 };

        if (!qn_node_is(meta, QN_NODE_OBJECT))
                return 0;
        if (index_keys(rd, meta, &names) < 0)
                return -ENOBUFS;
        for (size_t i = 0; i < p->n_deps; i++) {
                uint32_t at = qn_map_get(&names, p->deps[i].name);

                if (p->deps[i].block == QN_DEP_PEER && at != QN_MAP_NONE)
                        p->deps[i].optional =
                                qn_node_bool(qn_node_get(meta->items[at], "optional"), false);
        }
        return 0;
}

static int read_all_deps(struct reader *rd)
{
        struct qn_map bundled = { 0 };
        int r = read_bundled(rd);

        if (r == 0)
                r = index_list(rd, &rd->pkg->bundled, &bundled);
        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(dep_blocks); i++)
                r = read_deps(rd, dep_blocks[i].key, dep_blocks[i].block, &bundled);
        return r < 0 ? r : mark_optional_peers(rd);
}

/* --- exports and imports --- */

struct branch {
        const struct qn_node *node;
        size_t next; /* child to visit */
        struct qn_str subpath, conditions;
};

struct flatten {
        struct reader *rd;
        const char *field;
        char mark; /* '.' or '#': what a key begins with that is a subpath and no condition */
        struct qn_pkgjson_entries *ret;
        size_t cap, depth;
        struct branch stack[QN_JSON_DEPTH_MAX + 1];
};

static int add_leaf(struct flatten *f, const struct qn_node *n, struct qn_str subpath,
                    struct qn_str conditions)
{
        int r;

        if (n->type != QN_NODE_STRING && n->type != QN_NODE_NULL)
                return add_odd(f->rd, qn_str_c(f->field), HOLDS_ODD, n->off);
        r = QN_ARENA_ROOM(f->rd->arena, f->ret->v, f->ret->n, f->cap);
        if (r < 0)
                return r;
        f->ret->v[f->ret->n++] =
                (struct qn_pkgjson_entry){ subpath, conditions, qn_node_text(n), n->off };
        return 0;
}

/* Past the cap the conditions stay as they were: the target matters more than the way to it. */
static int join_condition(struct flatten *f, struct qn_str *conditions, struct qn_str key,
                          uint32_t off)
{
        size_t n = conditions->n + key.n + 1;
        char *p;

        if (n > QN_PKGJSON_CONDITIONS_MAX)
                return add_odd(f->rd, qn_str_c(f->field), "has too many or too long conditions",
                               off);
        if (conditions->n == 0) {
                *conditions = key;
                return 0;
        }
        p = qn_arena_alloc(f->rd->arena, n);
        if (!p)
                return -ENOBUFS;
        memcpy(p, conditions->p, conditions->n);
        p[conditions->n] = ' ';
        if (key.n)
                memcpy(p + conditions->n + 1, key.p, key.n);
        *conditions = (struct qn_str){ p, n };
        return 0;
}

static int enter(struct flatten *f, const struct qn_node *n, struct qn_str subpath,
                 struct qn_str conditions)
{
        if (n->type != QN_NODE_OBJECT && n->type != QN_NODE_ARRAY)
                return add_leaf(f, n, subpath, conditions);
        f->stack[f->depth++] =
                (struct branch){ .node = n, .subpath = subpath, .conditions = conditions };
        return 0;
}

static int step(struct flatten *f)
{
        struct branch *b = &f->stack[f->depth - 1], child = *b;
        size_t i = b->next++;
        int r;

        if (i == b->node->n) {
                f->depth--;
                return 0;
        }
        child.node = b->node->items[i];
        if (b->node->type == QN_NODE_OBJECT) {
                struct qn_str key = b->node->keys[i];

                if (key.n && key.p[0] == f->mark && f->depth == 1)
                        child.subpath = key;
                else if ((r = join_condition(f, &child.conditions, key, child.node->off)) < 0)
                        return r;
        }
        return enter(f, child.node, child.subpath, child.conditions);
}

static int read_entries(struct reader *rd, const char *field, char mark,
                        struct qn_pkgjson_entries *ret)
{
        struct flatten f;
        const struct qn_node *n = qn_node_get(rd->pkg->root, field);
        int r;

        if (is_null(n))
                return 0;
        if (n->type == QN_NODE_BOOL || n->type == QN_NODE_NUMBER ||
            (mark == '#' && n->type != QN_NODE_OBJECT))
                return add_odd(rd, qn_str_c(field), NOT_OBJECT, n->off);
        f.rd = rd;
        f.field = field;
        f.mark = mark;
        f.ret = ret;
        f.cap = f.depth = 0;
        r = enter(&f, n, mark == '.' ? QN_STR(".") : QN_STR(""), QN_STR(""));
        while (r == 0 && f.depth)
                r = step(&f);
        return r;
}

/* --- all of it --- */

static int read_flags(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *gypfile = qn_node_get(p->root, "gypfile");

        p->is_private = qn_node_bool(qn_node_get(p->root, "private"), false);
        p->gypfile = -1;
        if (qn_node_is(gypfile, QN_NODE_BOOL))
                p->gypfile = gypfile->boolean;
        else if (!is_null(gypfile))
                return add_odd(rd, QN_STR("gypfile"), "is not true or false", gypfile->off);
        return 0;
}

static int read_places(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *repo = qn_node_get(p->root, "repository");
        int r;

        if ((r = read_text_or_in(rd, "license", "type", &p->license)) < 0 ||
            (r = read_text_or_in(rd, "repository", "url", &p->repository)) < 0 ||
            (r = read_text(rd, qn_node_get(repo, "directory"), "repository",
                           &p->repository_directory)) < 0 ||
            (r = read_text(rd, qn_node_get(qn_node_get(p->root, "publishConfig"), "registry"),
                           "publishConfig", &p->publish_registry)) < 0 ||
            (r = read_text(rd, qn_node_get(qn_node_get(p->root, "directories"), "bin"),
                           "directories", &p->directories_bin)) < 0)
                return r;
        return 0;
}

static int read_all(struct reader *rd)
{
        struct qn_pkgjson *p = rd->pkg;
        const struct qn_node *scripts = qn_node_get(p->root, "scripts");
        int r;

        p->duplicate = p->root->duplicate || (scripts && scripts->duplicate);
        if ((r = read_texts(rd)) < 0 || (r = read_places(rd)) < 0 || (r = read_flags(rd)) < 0 ||
            (r = read_pairs(rd, "scripts", &p->scripts)) < 0 ||
            (r = read_pairs(rd, "engines", &p->engines)) < 0 || (r = read_bin(rd)) < 0 ||
            (r = read_browser(rd)) < 0 || (r = read_lists(rd)) < 0 ||
            (r = read_entries(rd, "exports", '.', &p->exports)) < 0 ||
            (r = read_entries(rd, "imports", '#', &p->imports)) < 0)
                return r;
        return read_all_deps(rd);
}

int qn_pkgjson_read(const struct qn_node *root, struct qn_arena *a, struct qn_pkgjson **ret,
                    struct qn_err *reterr)
{
        struct reader rd = { .arena = a };

        if (!qn_node_is(root, QN_NODE_OBJECT))
                return qn_fail(reterr, -EINVAL, 0, "package.json does not hold an object");
        rd.pkg = QN_ARENA_NEW(a, struct qn_pkgjson);
        if (!rd.pkg)
                return qn_fail(reterr, -ENOBUFS, 0, "package.json needs too much memory");
        rd.pkg->root = root;
        if (read_all(&rd) < 0)
                return qn_fail(reterr, -ENOBUFS, 0, "package.json needs too much memory");
        *ret = rd.pkg;
        return 0;
}

int qn_pkgjson_parse(struct qn_cur in, struct qn_arena *a, struct qn_pkgjson **ret,
                     struct qn_err *reterr)
{
        struct qn_node *root = NULL;
        int r = qn_json_parse(in, a, &root, reterr);

        return r < 0 ? r : qn_pkgjson_read(root, a, ret, reterr);
}

const struct qn_pkgjson_pair *qn_pkgjson_script(const struct qn_pkgjson *p, const char *name)
{
        for (size_t i = 0; i < p->scripts.n; i++)
                if (qn_str_is(p->scripts.v[i].name, name))
                        return &p->scripts.v[i];
        return NULL;
}
