#include "parse/ghsa.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/advisory-range.h"
#include "parse/json.h"
#include "parse/packument.h"

bool qn_ghsa_is(const struct qn_node *doc)
{
        return qn_node_is(qn_node_get(doc, "ghsa_id"), QN_NODE_STRING);
}

static void take_texts(const struct qn_node *doc, struct qn_osv *o)
{
        o->id = qn_node_text(qn_node_get(doc, "ghsa_id"));
        o->modified = qn_node_text(qn_node_get(doc, "updated_at"));
        o->published = qn_node_text(qn_node_get(doc, "published_at"));
        o->withdrawn = qn_node_text(qn_node_get(doc, "withdrawn_at"));
        o->modified_ms = qn_time_parse(o->modified);
        o->published_ms = qn_time_parse(o->published);
        o->withdrawn_ms = qn_time_parse(o->withdrawn);
        o->expires_ms = QN_TIME_NONE;
        o->summary = qn_node_text(qn_node_get(doc, "summary"));
        o->details = qn_node_text(qn_node_get(doc, "description"));
        o->severity = qn_node_text(qn_node_get(doc, "severity"));
        o->malware = qn_str_is(qn_node_text(qn_node_get(doc, "type")), "malware");
}

static int take_alias(const struct qn_node *doc, struct qn_arena *a, struct qn_osv *o)
{
        struct qn_str cve = qn_node_text(qn_node_get(doc, "cve_id"));

        if (!cve.n)
                return 0;
        o->aliases = QN_ARENA_NEW(a, struct qn_str);
        if (!o->aliases)
                return -ENOBUFS;
        o->aliases[o->n_aliases++] = cve;
        return 0;
}

static int take_package(const struct qn_node *n, struct qn_arena *a, struct qn_osv *o)
{
        const struct qn_node *package = qn_node_get(n, "package");
        struct qn_osv_affected block = {
                .ecosystem = qn_node_text(qn_node_get(package, "ecosystem")),
                .name = qn_node_text(qn_node_get(package, "name")),
        };
        int r;

        if (!block.ecosystem.n || !block.name.n)
                return 0;
        r = qn_advisory_range(qn_node_text(qn_node_get(n, "vulnerable_version_range")), a, &block);
        if (r == 0)
                o->affected[o->n_affected++] = block;
        return r == -EINVAL ? 0 : r;
}

int qn_ghsa_take(const struct qn_node *doc, struct qn_arena *a, struct qn_osv **ret,
                 struct qn_err *reterr)
{
        const struct qn_node *list = qn_node_get(doc, "vulnerabilities");
        size_t n = qn_node_is(list, QN_NODE_ARRAY) ? list->n : 0;
        struct qn_osv *o = QN_ARENA_NEW(a, struct qn_osv);
        int r;

        if (n > QN_OSV_AFFECTED_MAX)
                return qn_fail(reterr, -EFBIG, 0, "advisory: more than %u packages",
                               QN_OSV_AFFECTED_MAX);
        if (o)
                o->affected = qn_arena_calloc(a, n + 1, sizeof *o->affected);
        if (!o || !o->affected)
                return qn_fail(reterr, -ENOBUFS, 0, "advisory: needs too much memory");
        take_texts(doc, o);
        if (!o->id.n || o->id.n > QN_OSV_ID_MAX)
                return qn_fail(reterr, -EINVAL, 0, "advisory: no usable id");
        r = take_alias(doc, a, o);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_package(list->items[i], a, o);
        if (r < 0)
                return qn_fail(reterr, r, 0, "advisory: needs too much memory");
        *ret = o;
        return 0;
}
