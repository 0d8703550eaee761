#include "parse/collection.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/bom-priv.h"
#include "parse/json.h"

#define NAME(id, name) name,
static const char *const kinds[] = { QN_BOM_KINDS(NAME) };
#undef NAME
#define TIME_MAX         253402300799u /* the last second of the year 9999 */
#define MASK(bit, field) | 1u << (bit)
#define READ(bit, field) item.field = (flags & 1u << (bit)) != 0;

static int bad(struct qn_err *reterr, const struct qn_node *at, const char *what)
{
        return qn_fail(reterr, -EINVAL, at ? at->off : 0, "no collection: %s", what);
}

static const struct qn_node *at(const struct qn_node *list, size_t i)
{
        return qn_node_is(list, QN_NODE_ARRAY) && i < list->n ? list->items[i] : NULL;
}

static int read_package(struct qn_bom *b, const struct qn_node *p, struct qn_err *reterr)
{
        uint64_t flags = qn_node_u64(at(p, 3), UINT64_MAX),
                 origin = qn_node_u64(at(p, 4), UINT64_MAX);
        struct qn_bom_item item = { .name = qn_node_text(at(p, 0)),
                                    .version = qn_node_text(at(p, 1)),
                                    .integrity = qn_node_text(at(p, 2)) };

        if (!item.name.n || item.name.n > QN_NAME_MAX || item.version.n > QN_URL_MAX ||
            item.integrity.n > QN_URL_MAX || flags & ~(uint64_t)(0 QN_BOM_FLAGS(MASK)) ||
            origin >= QN_BOM_FROM_MAX)
                return bad(reterr, p, "a package is not one");
        item.origin = (enum qn_bom_origin)origin;
        QN_BOM_FLAGS(READ)
        return qn_bom_add(b, &item, NULL, reterr);
}

static int read_need(struct qn_bom *b, const struct qn_node *n, struct qn_err *reterr)
{
        const struct qn_node *first = at(n, 0);
        bool root = qn_node_is(first, QN_NODE_NUMBER) && qn_str_is(first->text, "-1");
        uint64_t from = root ? QN_BOM_ROOT : qn_node_u64(first, UINT64_MAX);
        uint64_t to = qn_node_u64(at(n, 1), UINT64_MAX), need = qn_node_u64(at(n, 2), UINT64_MAX);

        if ((!root && from >= b->n) || to >= b->n || need >= QN_BOM_NEED_MAX)
                return bad(reterr, n, "a dependency is not one");
        return qn_bom_need(b, (uint32_t)from, (uint32_t)to, (enum qn_bom_need)need, reterr);
}

static int read_kind(const struct qn_node *n, enum qn_bom_kind *ret)
{
        for (unsigned i = 0; i < QN_ARRAY_SIZE(kinds); i++) {
                if (!qn_str_is(qn_node_text(n), kinds[i]))
                        continue;
                *ret = (enum qn_bom_kind)i;
                return 0;
        }
        return -EINVAL;
}

static int read_source(const struct qn_node *s, struct qn_arena *a, struct qn_collected *ret,
                       struct qn_err *reterr)
{
        const struct qn_node *packages = qn_node_get(s, "packages"),
                             *needs = qn_node_get(s, "needs");
        enum qn_bom_kind kind;
        int r;

        ret->path = qn_node_text(qn_node_get(s, "path"));
        if (!ret->path.p || ret->path.n > QN_TAR_NAME_MAX ||
            read_kind(qn_node_get(s, "kind"), &kind) < 0 || !qn_node_is(packages, QN_NODE_ARRAY))
                return bad(reterr, s, "a source is not one");
        r = qn_bom_new(a, kind, &ret->bom, reterr);
        for (size_t i = 0; r == 0 && i < packages->n; i++)
                r = read_package(ret->bom, packages->items[i], reterr);
        for (size_t i = 0; r == 0 && qn_node_is(needs, QN_NODE_ARRAY) && i < needs->n; i++)
                r = read_need(ret->bom, needs->items[i], reterr);
        return r;
}

static int read_head(const struct qn_node *doc, struct qn_collection *c, struct qn_err *reterr)
{
        const struct qn_node *asset = qn_node_get(doc, "asset");
        const struct {
                const char *key;
                struct qn_str *to;
        } texts[] = {
                { "kind", &c->kind },     { "name", &c->name },
                { "owner", &c->owner },   { "environment", &c->environment },
                { "commit", &c->commit },
        };
        uint64_t time = qn_node_u64(qn_node_get(doc, "time"), UINT64_MAX);

        if (!qn_str_is(qn_node_text(qn_node_get(doc, "schema")), QN_COLLECTION_SCHEMA))
                return bad(reterr, doc, "its schema is not " QN_COLLECTION_SCHEMA);
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++) {
                *texts[i].to = qn_node_text(qn_node_get(asset, texts[i].key));
                if (texts[i].to->n > QN_TAR_NAME_MAX || (i < 2 && !texts[i].to->n))
                        return bad(reterr, asset, "it does not say whose it is");
        }
        if (time > TIME_MAX)
                return bad(reterr, doc, "it does not say when it was made");
        c->time = (int64_t)time;
        c->whole = qn_node_bool(qn_node_get(doc, "whole"), false);
        return 0;
}

int qn_collection_read(struct qn_cur in, struct qn_arena *a, struct qn_collection *ret,
                       struct qn_err *reterr)
{
        struct qn_collection c = { .n = 0 };
        const struct qn_node *sources;
        struct qn_node *doc;
        int r = qn_json_parse(in, a, &doc, reterr);

        if (r == 0)
                r = read_head(doc, &c, reterr);
        if (r < 0)
                return r;
        sources = qn_node_get(doc, "sources");
        if (!qn_node_is(sources, QN_NODE_ARRAY))
                return bad(reterr, doc, "it has no sources");
        c.sources = qn_arena_calloc(a, sources->n + 1, sizeof *c.sources);
        if (!c.sources)
                return qn_bom_no_memory(reterr);
        for (; r == 0 && c.n < sources->n; c.n++)
                r = read_source(sources->items[c.n], a, &c.sources[c.n], reterr);
        if (r == 0)
                *ret = c;
        return r;
}
