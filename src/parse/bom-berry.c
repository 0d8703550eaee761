/* bom-berry.c - yarn.lock of yarn 2 and later: YAML, a key of descriptors "name@range" for each package, and what it
 * resolves to.  Its checksum is one of yarn's own archive, not of the tarball, and so no integrity.
 * It does not tell devDependencies of the project from others: package.json beside it does. */
#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/yaml.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map descriptors, locators; /* → item */
        struct qn_bom_project project;
        uint32_t *
                items; /* of each entry of the document; QN_BOM_ROOT for the project, QN_MAP_NONE - 1: none */
};

#define NO_ITEM (QN_BOM_ROOT - 1)

/* "https://…" of "name@npm:1.0.0::__archiveUrl=https%3A%2F%2F…". */
static struct qn_str archive_url(struct reader *rd, struct qn_str rest)
{
        static const struct qn_str mark = QN_STR("::__archiveUrl=");
        ptrdiff_t at = qn_str_find(rest, mark);

        if (at < 0)
                return (struct qn_str){ NULL, 0 };
        return qn_bom_unescape(rd->a, qn_str_skip(rest, (size_t)at + mark.n));
}

static struct qn_str without_parameters(struct qn_str s)
{
        ptrdiff_t at = qn_str_find(s, QN_STR("::"));

        return at < 0 ? s : qn_str_take(s, (size_t)at);
}

static struct qn_str first_descriptor(struct qn_str key)
{
        ptrdiff_t comma = qn_str_find(key, QN_STR(", "));

        return comma < 0 ? key : qn_str_take(key, (size_t)comma);
}

static void fill(struct reader *rd, struct qn_str key, const struct qn_node *entry,
                 struct qn_bom_item *item)
{
        struct qn_str locator = qn_node_text(qn_node_get(entry, "resolution")), installed, rest;
        const struct qn_node *version = qn_node_get(entry, "version");

        item->path = locator.p ? locator : key;
        if (!qn_bom_split(item->path, &item->name, &rest))
                item->name = item->path;
        else
                item->origin = qn_bom_origin_of(rest);
        if (version && version->text.p && !qn_str_is(version->text, "0.0.0-use.local"))
                item->version = version->text;
        if (item->origin != QN_BOM_FROM_REGISTRY)
                item->resolved = without_parameters(rest);
        else
                item->resolved = archive_url(rd, rest);
        if (qn_bom_split(first_descriptor(key), &installed, &rest) &&
            !qn_str_eq(installed, item->name))
                item->alias = installed;
}

static int add_descriptors(struct reader *rd, struct qn_str key, uint32_t at)
{
        while (key.n) {
                struct qn_str one = qn_str_trim(qn_str_cut(&key, ','));

                if (one.n &&
                    (qn_map_add(&rd->descriptors, rd->a, one, at, NULL) < 0 ||
                     qn_map_add(&rd->descriptors, rd->a, without_parameters(one), at, NULL) < 0))
                        return qn_bom_no_memory(rd->err);
        }
        return 0;
}

static void name_workspace(struct reader *rd, struct qn_bom_item *item)
{
        struct qn_str dir = qn_str_skip(item->resolved, strlen("workspace:"));
        const struct qn_pkgjson *pkg = qn_bom_package_at(&rd->project, dir);

        item->path = dir;
        item->alias = (struct qn_str){ NULL, 0 };
        item->resolved = item->alias;
        if (pkg)
                item->version = pkg->version.text;
}

static int add_entry(struct reader *rd, struct qn_str key, const struct qn_node *entry,
                     uint32_t *ret)
{
        struct qn_bom_item item = { .origin = QN_BOM_FROM_REGISTRY };
        struct qn_str locator;
        int r = 0;

        fill(rd, key, entry, &item);
        locator = item.path;
        if (item.origin == QN_BOM_FROM_WORKSPACE && qn_str_is(item.resolved, "workspace:.")) {
                name_workspace(rd, &item);
                *ret = QN_BOM_ROOT;
                rd->b->name = item.name;
                rd->b->version = item.version;
                return 0;
        }
        if (item.origin == QN_BOM_FROM_WORKSPACE)
                name_workspace(rd, &item);
        r = qn_bom_add(rd->b, &item, ret, rd->err);
        if (r == 0 && item.origin == QN_BOM_FROM_WORKSPACE)
                r = qn_bom_need(rd->b, QN_BOM_ROOT, *ret, QN_BOM_PROD, rd->err);
        if (r == 0 && qn_map_add(&rd->locators, rd->a, locator, *ret, NULL) < 0)
                r = qn_bom_no_memory(rd->err);
        return r == 0 ? add_descriptors(rd, key, *ret) : r;
}

/* --- who needs whom --- */

/* Later versions write "npm:^1.0.0", earlier ones "^1.0.0". */
static int find(struct reader *rd, struct qn_str name, struct qn_str range, uint32_t *ret)
{
        static const char *const between[] = { "@", "@npm:", "@workspace:" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(between); i++) {
                struct qn_str key = qn_bom_join(rd->a, name, qn_str_c(between[i]), range);

                if (!key.p)
                        return qn_bom_no_memory(rd->err);
                *ret = qn_map_get(&rd->descriptors, key);
                if (*ret != QN_MAP_NONE)
                        break;
        }
        return 0;
}

static bool is_optional(const struct qn_node *entry, struct qn_str name)
{
        const struct qn_node *meta = qn_node_get(entry, "dependenciesMeta");

        return qn_node_bool(qn_node_get(qn_node_get_str(meta, name), "optional"), false);
}

/* What package.json calls it, where there is one. */
static enum qn_bom_need need_in(const struct qn_pkgjson *pkg, struct qn_str name)
{
        for (size_t i = 0; pkg && i < pkg->n_deps; i++)
                if (qn_str_eq(pkg->deps[i].name, name))
                        return qn_bom_need_of(&pkg->deps[i]);
        return QN_BOM_PROD;
}

static const struct qn_pkgjson *package_of(const struct reader *rd, uint32_t item)
{
        if (item == QN_BOM_ROOT)
                return qn_bom_package_at(&rd->project, QN_STR(""));
        if (rd->b->items[item].origin != QN_BOM_FROM_WORKSPACE)
                return NULL;
        return qn_bom_package_at(&rd->project, rd->b->items[item].path);
}

static int connect(struct reader *rd, uint32_t from, const struct qn_node *entry)
{
        const struct qn_node *deps = qn_node_get(entry, "dependencies");
        const struct qn_pkgjson *pkg = package_of(rd, from);
        int r = 0;

        if (!qn_node_is(deps, QN_NODE_OBJECT))
                return 0;
        for (size_t i = 0; r == 0 && i < deps->n; i++) {
                enum qn_bom_need need = need_in(pkg, deps->keys[i]);
                uint32_t to = QN_MAP_NONE;

                if (is_optional(entry, deps->keys[i]))
                        need = QN_BOM_OPTIONAL;
                r = find(rd, deps->keys[i], deps->items[i]->text, &to);
                if (r == 0 && to != QN_MAP_NONE)
                        r = qn_bom_need(rd->b, from, to, need, rd->err);
        }
        return r;
}

/* A patched package is used wherever the one is that it patches, if nobody names it. */
static int connect_patches(struct reader *rd)
{
        struct qn_bom *b = rd->b;
        uint32_t *patch_of = qn_arena_calloc(rd->a, b->n + 1, sizeof *patch_of);
        size_t n = b->n_edges;
        bool *named = qn_arena_calloc(rd->a, b->n + 1, sizeof *named);
        int r = patch_of && named ? 0 : qn_bom_no_memory(rd->err);

        for (size_t i = 0; r == 0 && i < n; i++)
                named[b->edges[i].to] = true;
        for (size_t i = 0; r == 0 && i < b->n; i++) {
                struct qn_str source = b->items[i].resolved;
                ptrdiff_t hash = qn_str_chr(source, '#');
                uint32_t at;

                if (b->items[i].origin != QN_BOM_FROM_PATCH || hash < 0)
                        continue;
                source = qn_str_skip(qn_str_take(source, (size_t)hash), strlen("patch:"));
                at = qn_map_get(&rd->locators, qn_bom_unescape(rd->a, source));
                if (at == QN_MAP_NONE)
                        continue;
                if (!named[i])
                        patch_of[at] = (uint32_t)i + 1;
                else
                        r = qn_bom_need(b, (uint32_t)i, at, QN_BOM_PROD, rd->err);
        }
        for (size_t i = 0; r == 0 && i < n; i++)
                if (patch_of[b->edges[i].to])
                        r = qn_bom_need(b, b->edges[i].from, patch_of[b->edges[i].to] - 1,
                                        b->edges[i].need, rd->err);
        return r;
}

static int read_entries(struct reader *rd, const struct qn_node *doc)
{
        int r = 0;

        rd->items = qn_arena_calloc(rd->a, doc->n + 1, sizeof *rd->items);
        if (!rd->items)
                return qn_bom_no_memory(rd->err);
        for (size_t i = 0; r == 0 && i < doc->n; i++) {
                rd->items[i] = NO_ITEM;
                if (!qn_str_is(doc->keys[i], "__metadata") &&
                    qn_node_is(doc->items[i], QN_NODE_OBJECT))
                        r = add_entry(rd, doc->keys[i], doc->items[i], &rd->items[i]);
        }
        for (size_t i = 0; r == 0 && i < doc->n; i++)
                if (rd->items[i] != NO_ITEM)
                        r = connect(rd, rd->items[i], doc->items[i]);
        if (r == 0)
                r = connect_patches(rd);
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

int qn_bom_read_berry(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                      struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        const struct qn_node *metadata, *version;
        struct qn_node *doc;
        int r = qn_yaml_parse(in->doc, a, &doc, reterr);

        if (r < 0)
                return r;
        metadata = qn_node_get(doc, "__metadata");
        if (!qn_node_is(metadata, QN_NODE_OBJECT))
                return qn_fail(reterr, -EINVAL, 0, "not a lock file of yarn: it has no __metadata");
        r = qn_bom_packages(in->beside, a, &rd.project, reterr);
        if (r == 0)
                r = qn_bom_new(a, QN_BOM_YARN_BERRY, &rd.b, reterr);
        if (r < 0)
                return r;
        version = qn_node_get(metadata, "version");
        rd.b->format = version ? version->text : (struct qn_str){ NULL, 0 };
        r = read_entries(&rd, doc);
        if (r == 0)
                *ret = rd.b;
        return r;
}
