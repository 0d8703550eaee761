/* bom-deno.c - deno.lock, versions 2 to 5: the npm packages in it.
 *
 *      2   npm: { specifiers: { "a@1": "a@1.0.0" }, packages: { "a@1.0.0": { integrity, dependencies: { "b": "b@1.0.0" } } } }
 *      3   packages: { specifiers: { "npm:a@1": "npm:a@1.0.0" }, npm: { … } }
 *      4   specifiers: { "npm:a@1": "1.0.0" }, npm: { "a@1.0.0": { integrity, dependencies: ["b", "c@1.0.0"] } }
 *
 * Behind a version stand the peers it was resolved with: "a@1.0.0_react@18.0.0". */
#include <errno.h>

#include "parse/bom-priv.h"
#include "parse/json.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map keys, names;        /* "a@1.0.0", "a" → item */
        const struct qn_pkgjson *project; /* package.json beside it, or NULL */
};

static const struct {
        const char *key;
        enum qn_bom_need need;
} blocks[] = {
        { "dependencies", QN_BOM_PROD },
        { "optionalDependencies", QN_BOM_OPTIONAL },
        { "optionalPeers", QN_BOM_PEER_OPTIONAL },
};

static struct qn_str without_peers(struct qn_str s)
{
        ptrdiff_t at = qn_str_chr(s, '_');

        return at < 0 ? s : qn_str_take(s, (size_t)at);
}

static int add_package(struct reader *rd, struct qn_str key, const struct qn_node *entry)
{
        struct qn_bom_item item = {
                .path = key,
                .name = key,
                .resolved = qn_node_text(qn_node_get(entry, "tarball")),
                .integrity = qn_node_text(qn_node_get(entry, "integrity")),
                .scripts = qn_node_bool(qn_node_get(entry, "scripts"), false),
        };
        uint32_t at;
        int r;

        if (qn_bom_split(key, &item.name, &item.version))
                item.version = without_peers(item.version);
        r = qn_bom_add(rd->b, &item, &at, rd->err);
        if (r == 0 && (qn_map_add(&rd->keys, rd->a, key, at, NULL) < 0 ||
                       qn_map_add(&rd->names, rd->a, item.name, at, NULL) < 0))
                r = qn_bom_no_memory(rd->err);
        return r;
}

/* "a", "a@1.0.0" or "alias@npm:a@1.0.0" */
static int need(struct reader *rd, uint32_t from, struct qn_str key, enum qn_bom_need how)
{
        struct qn_str alias = { NULL, 0 }, rest;
        uint32_t to;

        if (qn_bom_split(key, &alias, &rest) && qn_str_starts(rest, "npm:"))
                key = qn_str_skip(rest, 4);
        else
                alias = (struct qn_str){ NULL, 0 };
        to = qn_map_get(&rd->keys, key);
        if (to == QN_MAP_NONE)
                to = qn_map_get(&rd->names, key);
        if (to == QN_MAP_NONE)
                return 0;
        if (alias.p)
                rd->b->items[to].alias = alias;
        return qn_bom_need(rd->b, from, to, how, rd->err);
}

static int connect(struct reader *rd, struct qn_str key, const struct qn_node *entry)
{
        uint32_t from = qn_map_get(&rd->keys, key);
        int r = 0;

        for (size_t k = 0; k < QN_ARRAY_SIZE(blocks); k++) {
                const struct qn_node *deps = qn_node_get(entry, blocks[k].key);

                for (size_t i = 0; r == 0 && deps && i < deps->n; i++)
                        r = need(rd, from, qn_node_text(deps->items[i]), blocks[k].need);
        }
        return r;
}

/* What is asked for by package.json's devDependencies only: "a" there stands for "npm:a@1" or "npm:b@1" here. */
static enum qn_bom_need need_of(const struct reader *rd, struct qn_str name, struct qn_str range)
{
        for (size_t i = 0; rd->project && i < rd->project->n_deps; i++) {
                const struct qn_pkgjson_dep *d = &rd->project->deps[i];
                struct qn_str real = d->name, spec = d->spec;

                qn_bom_take_alias(d->spec, &real, &spec);
                if (qn_str_eq(real, name) && qn_str_eq(spec, range))
                        return qn_bom_need_of(d);
        }
        return QN_BOM_PROD;
}

/* "npm:a@1" got "1.0.0", "npm:a@1.0.0" or "a@1.0.0". */
static int ask(struct reader *rd, struct qn_str asked, struct qn_str got)
{
        struct qn_str name = { NULL, 0 }, range = { NULL, 0 };

        if (qn_str_starts(got, "npm:"))
                got = qn_str_skip(got, 4);
        if (qn_str_starts(asked, "npm:"))
                asked = qn_str_skip(asked, 4);
        else if (qn_map_get(&rd->keys, got) == QN_MAP_NONE)
                return 0; /* of another registry */
        if (!qn_bom_split(asked, &name, &range))
                name = asked;
        if (qn_map_get(&rd->keys, got) == QN_MAP_NONE)
                got = qn_bom_join(rd->a, name, QN_STR("@"), got);
        return got.p ? need(rd, QN_BOM_ROOT, got, need_of(rd, name, range))
                     : qn_bom_no_memory(rd->err);
}

static int read_document(struct reader *rd, const struct qn_node *doc)
{
        const struct qn_node *old = qn_node_get(doc, "packages");
        const struct qn_node *npm = qn_node_get(old ? old : doc, "npm");
        const struct qn_node *asked = qn_node_get(old ? old : doc, "specifiers");
        int r = 0;

        if (qn_node_is(qn_node_get(npm, "specifiers"), QN_NODE_OBJECT)) { /* version 2 */
                asked = qn_node_get(npm, "specifiers");
                npm = qn_node_get(npm, "packages");
        }
        if (!qn_node_is(npm, QN_NODE_OBJECT))
                return 0; /* no packages of npm */
        for (size_t i = 0; r == 0 && i < npm->n; i++)
                r = add_package(rd, npm->keys[i], npm->items[i]);
        for (size_t i = 0; r == 0 && i < npm->n; i++)
                r = connect(rd, npm->keys[i], npm->items[i]);
        for (size_t i = 0; r == 0 && qn_node_is(asked, QN_NODE_OBJECT) && i < asked->n; i++)
                r = ask(rd, asked->keys[i], qn_node_text(asked->items[i]));
        return r == 0 ? qn_bom_settle(rd->b, true, rd->err) : r;
}

int qn_bom_read_deno(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        struct qn_bom_project beside;
        struct qn_node *doc;
        struct qn_str version;
        uint64_t n = 0;
        int r = qn_json_parse(in->doc, a, &doc, reterr);

        if (r < 0)
                return r;
        version = qn_node_text(qn_node_get(doc, "version"));
        if (!version.p)
                return qn_fail(reterr, -EINVAL, 0, "not a lock file of deno: it has no version");
        if (qn_str_u64(version, &n) < 0 || n < 2 || n > 5)
                return qn_fail(reterr, -ENOTSUP, 0,
                               "version %.*s of deno.lock is not known (2 to 5 are)",
                               QN_STR_ARG(qn_str_take(version, 20)));
        r = qn_bom_packages(in->beside, a, &beside, reterr);
        if (r == 0)
                r = qn_bom_new(a, QN_BOM_DENO, &rd.b, reterr);
        if (r == 0) {
                rd.project = qn_bom_package_at(&beside, QN_STR(""));
                rd.b->format = version;
                r = read_document(&rd, doc);
        }
        if (r == 0)
                *ret = rd.b;
        return r;
}
