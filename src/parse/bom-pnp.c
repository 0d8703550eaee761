/* bom-pnp.c - .pnp.cjs of yarn 2 and later (.pnp.js, .pnp.data.json): a program whose state is JSON, as a literal or in a text
 * literal.  Nothing of it is run: the state is cut out.
 *
 *      packageRegistryData: [[name, [[reference, { packageDependencies: [[name, reference], [alias, [name, reference]]] }]]]]
 */
#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/jsonc.h"

#define NO_ITEM (QN_BOM_ROOT - 1)

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map keys; /* "name\0reference" → item */
        const struct qn_pkgjson *project;
};

/* --- the state in the program --- */

/* The text of a literal in single quotes. */
static int cut_text(struct qn_str s, struct qn_arena *a, struct qn_cur *ret, struct qn_err *reterr)
{
        char *p = qn_arena_alloc(a, s.n + 1);
        size_t n = 0;

        if (!p)
                return qn_bom_no_memory(reterr);
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '\'') {
                        *ret = qn_cur_mem(p, n);
                        return 0;
                }
                if (s.p[i] == '\\' && ++i < s.n && s.p[i] == '\n')
                        continue;
                if (i < s.n)
                        p[n++] = s.p[i];
        }
        return qn_fail(reterr, -EBADMSG, 0, "the program is cut short");
}

/* The object that starts at the first byte. */
static int cut_object(struct qn_str s, struct qn_cur *ret, struct qn_err *reterr)
{
        size_t depth = 0;
        bool quoted = false;

        for (size_t i = 0; i < s.n; i++) {
                if (quoted && s.p[i] == '\\') {
                        i++;
                } else if (s.p[i] == '"') {
                        quoted = !quoted;
                } else if (!quoted && s.p[i] == '{') {
                        depth++;
                } else if (!quoted && s.p[i] == '}' && --depth == 0) {
                        *ret = qn_cur_mem(s.p, i + 1);
                        return 0;
                }
        }
        return qn_fail(reterr, -EBADMSG, 0, "the program is cut short");
}

static int cut_state(struct qn_cur doc, struct qn_arena *a, struct qn_cur *ret,
                     struct qn_err *reterr)
{
        static const struct {
                struct qn_str before;
                bool quoted;
        } places[] = {
                { QN_STR("RAW_RUNTIME_STATE =\n'"), true },
                { QN_STR("hydrateRuntimeState(JSON.parse('"), true },
                { QN_STR("hydrateRuntimeState({"), false },
        };
        struct qn_str s = qn_cur_rest(&doc);

        *ret = doc;
        if (qn_str_starts(qn_str_trim(s), "{"))
                return 0;
        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++) {
                ptrdiff_t at = qn_str_find(s, places[i].before);
                struct qn_str rest = qn_str_skip(s, (size_t)at + places[i].before.n);

                if (at < 0)
                        continue;
                if (places[i].quoted)
                        return cut_text(rest, a, ret, reterr);
                return cut_object((struct qn_str){ rest.p - 1, rest.n + 1 }, ret, reterr);
        }
        return qn_fail(reterr, -EINVAL, 0, "no state of yarn is in it");
}

/* --- packages --- */

static struct qn_str key_of(struct reader *rd, struct qn_str name, struct qn_str reference)
{
        return qn_bom_join(rd->a, name, QN_STR("\0"), reference);
}

static struct qn_str at(const struct qn_node *list, size_t i)
{
        return qn_node_is(list, QN_NODE_ARRAY) && i < list->n ? qn_node_text(list->items[i])
                                                              : (struct qn_str){ NULL, 0 };
}

static const struct qn_node *node_at(const struct qn_node *list, size_t i)
{
        return qn_node_is(list, QN_NODE_ARRAY) && i < list->n ? list->items[i] : NULL;
}

/* "virtual:<hash>#npm:1.0.0" is npm:1.0.0 with certain peers. */
static struct qn_str plain(struct qn_str reference)
{
        ptrdiff_t hash = qn_str_chr(reference, '#');

        return qn_str_starts(reference, "virtual:") && hash >= 0
                       ? qn_str_skip(reference, (size_t)hash + 1)
                       : reference;
}

static void fill(struct qn_str name, struct qn_str reference, struct qn_bom_item *item)
{
        static const struct qn_str version = QN_STR("::version=");
        struct qn_str what = plain(reference), rest;
        ptrdiff_t mark = qn_str_find(what, version);

        *item = (struct qn_bom_item){ .name = name,
                                      .path = reference,
                                      .origin = qn_bom_origin_of(what) };
        if (qn_str_starts(what, "npm:")) {
                rest = qn_str_skip(what, 4);
                item->version = qn_str_cut(&rest, ':');
                return;
        }
        item->resolved = what;
        if (mark >= 0) {
                rest = qn_str_skip(what, (size_t)mark + version.n);
                item->version = qn_str_cut(&rest, '&');
        }
        if (item->origin == QN_BOM_FROM_WORKSPACE) {
                item->path = qn_str_skip(what, strlen("workspace:"));
                item->resolved.p = NULL;
        }
}

static int add_package(struct reader *rd, struct qn_str name, struct qn_str reference)
{
        struct qn_bom_item item;
        struct qn_str key = key_of(rd, name, reference);
        uint32_t i = QN_BOM_ROOT;
        int r = 0;

        if (!name.p || !reference.p)
                return 0; /* the project again */
        fill(name, reference, &item);
        if (qn_str_is(reference, "workspace:.")) {
                rd->b->name = name;
        } else {
                r = qn_bom_add(rd->b, &item, &i, rd->err);
                if (r == 0 && item.origin == QN_BOM_FROM_WORKSPACE)
                        r = qn_bom_need(rd->b, QN_BOM_ROOT, i, QN_BOM_PROD, rd->err);
        }
        if (r == 0 && (!key.p || qn_map_add(&rd->keys, rd->a, key, i, NULL) < 0))
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* --- who needs whom --- */

static enum qn_bom_need need_in(const struct reader *rd, uint32_t from, struct qn_str name)
{
        for (size_t i = 0; from == QN_BOM_ROOT && rd->project && i < rd->project->n_deps; i++)
                if (qn_str_eq(rd->project->deps[i].name, name))
                        return qn_bom_need_of(&rd->project->deps[i]);
        return QN_BOM_PROD;
}

static int connect(struct reader *rd, uint32_t from, const struct qn_node *deps)
{
        int r = 0;

        for (size_t i = 0; r == 0 && qn_node_is(deps, QN_NODE_ARRAY) && i < deps->n; i++) {
                const struct qn_node *target = node_at(deps->items[i], 1);
                struct qn_str name = at(deps->items[i], 0), real = name, reference;
                struct qn_str key;
                uint32_t to;

                reference = qn_node_text(target);
                if (qn_node_is(target, QN_NODE_ARRAY)) {
                        real = at(target, 0);
                        reference = at(target, 1);
                }
                if (!reference.p)
                        continue; /* a peer that is not there */
                key = key_of(rd, real, reference);
                if (!key.p)
                        return qn_bom_no_memory(rd->err);
                to = qn_map_get(&rd->keys, key);
                if (to == QN_MAP_NONE || to == from)
                        continue;
                if (!qn_str_eq(real, name))
                        rd->b->items[to].alias = name;
                r = qn_bom_need(rd->b, from, to, need_in(rd, from, name), rd->err);
        }
        return r;
}

/* Does `visit` for each package: name, reference and what is known of it. */
static int for_each(struct reader *rd, const struct qn_node *data,
                    int (*visit)(struct reader *, struct qn_str, struct qn_str,
                                 const struct qn_node *))
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < data->n; i++) {
                struct qn_str name = at(data->items[i], 0);
                const struct qn_node *list = node_at(data->items[i], 1);

                for (size_t k = 0; r == 0 && qn_node_is(list, QN_NODE_ARRAY) && k < list->n; k++)
                        r = visit(rd, name, at(list->items[k], 0), node_at(list->items[k], 1));
        }
        return r;
}

static int visit_add(struct reader *rd, struct qn_str name, struct qn_str reference,
                     const struct qn_node *info QN_UNUSED)
{
        return add_package(rd, name, reference);
}

static int visit_connect(struct reader *rd, struct qn_str name, struct qn_str reference,
                         const struct qn_node *info)
{
        const struct qn_node *deps = qn_node_get(info, "packageDependencies");
        struct qn_str key;

        if (!name.p || !reference.p)
                return 0;
        key = key_of(rd, name, reference);
        return key.p ? connect(rd, qn_map_get(&rd->keys, key), deps) : qn_bom_no_memory(rd->err);
}

int qn_bom_read_pnp(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                    struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        const struct qn_node *data = NULL;
        struct qn_bom_project beside;
        struct qn_node *doc;
        struct qn_cur state;
        int r = cut_state(in->doc, a, &state, reterr);

        if (r == 0)
                r = qn_jsonc_parse(state, a, &doc, reterr);
        if (r < 0)
                return r;
        data = qn_node_get(doc, "packageRegistryData");
        if (!qn_node_is(data, QN_NODE_ARRAY))
                return qn_fail(reterr, -EINVAL, 0, "no packageRegistryData is in it");
        r = qn_bom_packages(in->beside, a, &beside, reterr);
        if (r == 0)
                r = qn_bom_new(a, QN_BOM_YARN_BERRY, &rd.b, reterr);
        if (r < 0)
                return r;
        rd.b->format = QN_STR("pnp");
        rd.project = qn_bom_package_at(&beside, QN_STR(""));
        r = for_each(&rd, data, visit_add);
        if (r == 0)
                r = for_each(&rd, data, visit_connect);
        if (r == 0)
                r = qn_bom_settle(rd.b, true, reterr);
        if (r == 0)
                *ret = rd.b;
        return r;
}
