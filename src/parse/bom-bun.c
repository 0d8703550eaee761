/* bom-bun.c - bun.lock: JSON with trailing commas.  "packages" has a key for each place, as node_modules would lie: "a/b" is
 * what a gets as b; a value is ["name@what", registry, { dependencies… }, integrity], shorter for what no registry has. */
#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/jsonc.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map keys, workspaces; /* → item */
};

static const struct {
        const char *key;
        enum qn_bom_need need;
} blocks[] = {
        { "dependencies", QN_BOM_PROD },
        { "devDependencies", QN_BOM_DEV },
        { "optionalDependencies", QN_BOM_OPTIONAL },
        { "peerDependencies", QN_BOM_PEER },
};

/* --- items --- */

static int add_workspaces(struct reader *rd, const struct qn_node *list)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++) {
                const struct qn_node *w = list->items[i];
                struct qn_bom_item item = { .name = qn_node_text(qn_node_get(w, "name")),
                                            .version = qn_node_text(qn_node_get(w, "version")),
                                            .path = list->keys[i],
                                            .origin = QN_BOM_FROM_WORKSPACE };
                uint32_t at = QN_BOM_ROOT;

                if (!item.path.n) {
                        rd->b->name = item.name;
                        rd->b->version = item.version;
                } else {
                        item.name = item.name.n ? item.name : item.path;
                        r = qn_bom_add(rd->b, &item, &at, rd->err);
                        if (r == 0)
                                r = qn_bom_need(rd->b, QN_BOM_ROOT, at, QN_BOM_PROD, rd->err);
                }
                if (r == 0 && qn_map_add(&rd->workspaces, rd->a, item.path, at, NULL) < 0)
                        r = qn_bom_no_memory(rd->err);
        }
        return r;
}

/* "a/@s/b" → "@s/b" */
static struct qn_str last_name(struct qn_str key)
{
        ptrdiff_t slash = qn_str_rchr(key, '/'), before;

        if (slash < 0)
                return key;
        before = qn_str_rchr(qn_str_take(key, (size_t)slash), '/');
        if (key.p[before + 1] == '@')
                return qn_str_skip(key, (size_t)(before + 1));
        return qn_str_skip(key, (size_t)slash + 1);
}

static const struct qn_node *info_of(const struct qn_node *entry)
{
        for (size_t i = 1; i < entry->n; i++)
                if (qn_node_is(entry->items[i], QN_NODE_OBJECT))
                        return entry->items[i];
        return NULL;
}

static void fill(struct qn_str key, const struct qn_node *entry, struct qn_bom_item *item)
{
        struct qn_str id = qn_node_text(entry->items[0]), what = { NULL, 0 };
        struct qn_str from = entry->n > 1 ? qn_node_text(entry->items[1]) : what;
        struct qn_str end = qn_node_text(entry->items[entry->n - 1]);

        *item = (struct qn_bom_item){ .path = key, .name = id };
        if (qn_bom_split(id, &item->name, &what))
                item->origin = qn_bom_origin_of(what);
        if (item->origin == QN_BOM_FROM_REGISTRY) {
                item->version = what;
                item->resolved = from.n ? from : (struct qn_str){ NULL, 0 };
        } else {
                item->resolved = what;
        }
        if (qn_str_starts(end, "sha"))
                item->integrity = end;
        if (!qn_str_eq(last_name(key), item->name))
                item->alias = last_name(key);
}

static int add_package(struct reader *rd, struct qn_str key, const struct qn_node *entry)
{
        struct qn_bom_item item;
        uint32_t at = QN_MAP_NONE;
        int r = 0;

        if (!qn_node_is(entry, QN_NODE_ARRAY) || !entry->n ||
            !qn_node_is(entry->items[0], QN_NODE_STRING))
                return qn_fail(rd->err, -EINVAL, entry->off,
                               "not a lock file of bun: a package is not a list");
        fill(key, entry, &item);
        if (item.origin == QN_BOM_FROM_WORKSPACE)
                at = qn_map_get(&rd->workspaces, qn_str_skip(item.resolved, strlen("workspace:")));
        if (at == QN_MAP_NONE)
                r = qn_bom_add(rd->b, &item, &at, rd->err);
        if (r == 0 && qn_map_add(&rd->keys, rd->a, key, at, NULL) < 0)
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* --- who needs whom --- */

static int find(struct reader *rd, struct qn_str key, struct qn_str name, uint32_t *ret)
{
        for (;;) {
                struct qn_str place =
                        qn_bom_join(rd->a, key, key.n ? QN_STR("/") : QN_STR(""), name);
                struct qn_str last = last_name(key);

                if (!place.p)
                        return qn_bom_no_memory(rd->err);
                *ret = qn_map_get(&rd->keys, place);
                if (*ret != QN_MAP_NONE || !key.n)
                        return 0;
                key.n -= QN_MIN(key.n, last.n + 1);
        }
}

static bool is_optional_peer(const struct qn_node *info, struct qn_str name)
{
        const struct qn_node *list = qn_node_get(info, "optionalPeers");

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                if (qn_str_eq(list->items[i]->text, name))
                        return true;
        return false;
}

static int connect(struct reader *rd, uint32_t from, struct qn_str key, const struct qn_node *info)
{
        int r = 0;

        for (size_t k = 0; k < QN_ARRAY_SIZE(blocks); k++) {
                const struct qn_node *deps = qn_node_get(info, blocks[k].key);

                for (size_t i = 0; r == 0 && qn_node_is(deps, QN_NODE_OBJECT) && i < deps->n; i++) {
                        enum qn_bom_need need = blocks[k].need;
                        uint32_t to;

                        r = find(rd, key, deps->keys[i], &to);
                        if (r < 0 || to == QN_MAP_NONE || to == QN_BOM_ROOT)
                                continue;
                        if (need == QN_BOM_PEER && is_optional_peer(info, deps->keys[i]))
                                need = QN_BOM_PEER_OPTIONAL;
                        r = qn_bom_need(rd->b, from, to, need, rd->err);
                }
        }
        return r;
}

static int connect_all(struct reader *rd, const struct qn_node *workspaces,
                       const struct qn_node *packages)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < workspaces->n; i++) {
                uint32_t at = qn_map_get(&rd->workspaces, workspaces->keys[i]);
                struct qn_str key = at == QN_BOM_ROOT ? QN_STR("") : rd->b->items[at].name;

                r = connect(rd, at, key, workspaces->items[i]);
        }
        for (size_t i = 0; r == 0 && i < packages->n; i++) {
                uint32_t at = qn_map_get(&rd->keys, packages->keys[i]);

                if (at != QN_BOM_ROOT && rd->b->items[at].origin != QN_BOM_FROM_WORKSPACE)
                        r = connect(rd, at, packages->keys[i], info_of(packages->items[i]));
        }
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

static int mark_patched(struct reader *rd, const struct qn_node *patched)
{
        for (size_t i = 0; qn_node_is(patched, QN_NODE_OBJECT) && i < patched->n; i++) {
                struct qn_str name, version;

                if (!qn_bom_split(patched->keys[i], &name, &version))
                        continue;
                for (size_t k = 0; k < rd->b->n; k++)
                        if (qn_str_eq(rd->b->items[k].name, name) &&
                            qn_str_eq(rd->b->items[k].version, version))
                                rd->b->items[k].origin = QN_BOM_FROM_PATCH;
        }
        return 0;
}

int qn_bom_read_bun(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                    struct qn_err *reterr)
{
        static const struct qn_node none = { .type = QN_NODE_OBJECT };
        struct reader rd = { .a = a, .err = reterr };
        const struct qn_node *workspaces, *packages, *version;
        struct qn_node *doc;
        int r = qn_jsonc_parse(in->doc, a, &doc, reterr);

        if (r < 0)
                return r;
        version = qn_node_get(doc, "lockfileVersion");
        workspaces = qn_node_get(doc, "workspaces");
        packages = qn_node_get(doc, "packages");
        if (!qn_node_is(version, QN_NODE_NUMBER) || !qn_node_is(workspaces, QN_NODE_OBJECT))
                return qn_fail(reterr, -EINVAL, 0, "not a lock file of bun");
        if (qn_node_u64(version, UINT64_MAX) > 1)
                return qn_fail(reterr, -ENOTSUP, version->off,
                               "lockfileVersion %.*s of bun is not known (0 and 1 are)",
                               QN_STR_ARG(qn_str_take(version->text, 20)));
        if (!qn_node_is(packages, QN_NODE_OBJECT))
                packages = &none;
        r = qn_bom_new(a, QN_BOM_BUN, &rd.b, reterr);
        if (r == 0) {
                rd.b->format = version->text;
                r = add_workspaces(&rd, workspaces);
        }
        for (size_t i = 0; r == 0 && i < packages->n; i++)
                r = add_package(&rd, packages->keys[i], packages->items[i]);
        if (r == 0)
                r = connect_all(&rd, workspaces, packages);
        if (r == 0)
                r = mark_patched(&rd, qn_node_get(doc, "patchedDependencies"));
        if (r == 0)
                *ret = rd.b;
        return r;
}
