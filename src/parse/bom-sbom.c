/* bom-sbom.c - CycloneDX and SPDX documents in JSON: the npm packages in them, which are those with a "pkg:npm/" address. */
#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "parse/bom-priv.h"
#include "parse/json.h"

struct reader {
        struct qn_bom *b;
        struct qn_arena *a;
        struct qn_err *err;
        struct qn_map refs;    /* bom-ref or SPDXID → item */
        struct qn_str project; /* that of the project, which is no item */
};

/* "pkg:npm/%40s/a@1.0.0?vcs_url=…#sub" */
static bool take_purl(struct reader *rd, struct qn_str purl, struct qn_bom_item *item)
{
        static const struct qn_str prefix = QN_STR("pkg:npm/");
        struct qn_str rest = purl, name;
        ptrdiff_t at;

        if (!qn_str_starts(purl, prefix.p))
                return false;
        rest = qn_str_skip(purl, prefix.n);
        rest = qn_str_cut(&rest, '#');
        rest = qn_str_cut(&rest, '?');
        at = qn_str_rchr(rest, '@');
        name = at > 0 ? qn_str_take(rest, (size_t)at) : rest;
        item->name = qn_bom_unescape(rd->a, name);
        if (at > 0)
                item->version = qn_bom_unescape(rd->a, qn_str_skip(rest, (size_t)at + 1));
        item->path = purl;
        return item->name.n > 0;
}

/* A digest in hex as an integrity: the strongest one counts. */
static int take_hash(struct reader *rd, struct qn_str algorithm, struct qn_str hex,
                     struct qn_bom_item *item)
{
        static const struct {
                const char *names[2], *prefix;
                size_t bytes;
        } hashes[] = {
                { { "SHA-512", "SHA512" }, "sha512-", 64 },
                { { "SHA-384", "SHA384" }, "sha384-", 48 },
                { { "SHA-256", "SHA256" }, "sha256-", 32 },
                { { "SHA-1", "SHA1" }, "sha1-", 20 },
        };
        struct qn_buf b = QN_BUF_INIT(256);
        struct qn_str digest;
        size_t i = 0;

        while (i < QN_ARRAY_SIZE(hashes) && !qn_str_is(algorithm, hashes[i].names[0]) &&
               !qn_str_is(algorithm, hashes[i].names[1]))
                i++;
        if (i == QN_ARRAY_SIZE(hashes) || hex.n != hashes[i].bytes * 2 ||
            qn_hex_decode(hex, rd->a, &digest) < 0)
                return 0;
        for (size_t k = i + 1; item->integrity.p && k < QN_ARRAY_SIZE(hashes); k++)
                if (qn_str_starts(item->integrity, hashes[k].prefix))
                        item->integrity.p = NULL;
        if (item->integrity.p)
                return 0;
        qn_buf_puts(&b, hashes[i].prefix);
        qn_base64_encode(&b, digest.p, digest.n);
        item->integrity = qn_arena_dup(rd->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return item->integrity.p ? 0 : qn_bom_no_memory(rd->err);
}

static int take_hashes(struct reader *rd, const struct qn_node *list, const char *algorithm,
                       const char *content, struct qn_bom_item *item)
{
        int r = 0;

        for (size_t i = 0; r == 0 && qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                r = take_hash(rd, qn_node_text(qn_node_get(list->items[i], algorithm)),
                              qn_node_text(qn_node_get(list->items[i], content)), item);
        return r;
}

static int add(struct reader *rd, struct qn_str ref, const struct qn_bom_item *item)
{
        uint32_t at;
        int r = qn_bom_add(rd->b, item, &at, rd->err);

        if (r == 0 && ref.p && qn_map_add(&rd->refs, rd->a, ref, at, NULL) < 0)
                r = qn_bom_no_memory(rd->err);
        return r;
}

static int need(struct reader *rd, struct qn_str from, struct qn_str to, enum qn_bom_need how)
{
        uint32_t x = qn_map_get(&rd->refs, from), y = qn_map_get(&rd->refs, to);

        if (y == QN_MAP_NONE || (x == QN_MAP_NONE && !qn_str_eq(from, rd->project)))
                return 0;
        return qn_bom_need(rd->b, x == QN_MAP_NONE ? QN_BOM_ROOT : x, y, how, rd->err);
}

/* --- CycloneDX --- */

static struct qn_str property(const struct qn_node *component, const char *name)
{
        const struct qn_node *list = qn_node_get(component, "properties");

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                if (qn_str_is(qn_node_text(qn_node_get(list->items[i], "name")), name))
                        return qn_node_text(qn_node_get(list->items[i], "value"));
        return (struct qn_str){ NULL, 0 };
}

static bool property_is(const struct qn_node *component, const char *name)
{
        return qn_str_is(property(component, name), "true");
}

/* What qanat itself noted, else what an address says by itself. */
static enum qn_bom_origin origin_of(struct qn_str noted, struct qn_str resolved)
{
        for (unsigned i = 0; noted.n && i < QN_BOM_FROM_MAX; i++)
                if (qn_str_is(noted, qn_bom_origin_name((enum qn_bom_origin)i)))
                        return (enum qn_bom_origin)i;
        return resolved.p && qn_bom_origin_of(resolved) == QN_BOM_FROM_GIT ? QN_BOM_FROM_GIT
                                                                           : QN_BOM_FROM_REGISTRY;
}

static struct qn_str distribution(const struct qn_node *component)
{
        const struct qn_node *list = qn_node_get(component, "externalReferences");

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                if (qn_str_is(qn_node_text(qn_node_get(list->items[i], "type")), "distribution"))
                        return qn_node_text(qn_node_get(list->items[i], "url"));
        return (struct qn_str){ NULL, 0 };
}

static int add_component(struct reader *rd, const struct qn_node *c)
{
        struct qn_bom_item item = { .resolved = distribution(c) };
        int r;

        if (!take_purl(rd, qn_node_text(qn_node_get(c, "purl")), &item))
                return 0;
        item.optional = qn_str_is(qn_node_text(qn_node_get(c, "scope")), "optional");
        item.dev = property_is(c, "cdx:npm:package:development");
        item.bundled = property_is(c, "cdx:npm:package:bundled");
        item.extraneous = property_is(c, "cdx:npm:package:extraneous");
        item.alias = property(c, "qanat:alias");
        item.origin = origin_of(property(c, "qanat:origin"), item.resolved);
        r = take_hashes(rd, qn_node_get(c, "hashes"), "alg", "content", &item);
        return r == 0 ? add(rd, qn_node_text(qn_node_get(c, "bom-ref")), &item) : r;
}

/* Components may hold components: a list of lists that are still to be read. */
static int add_components(struct reader *rd, const struct qn_node *first)
{
        const struct qn_node **todo = NULL;
        size_t n = 0, cap = 0;
        int r = 0;

        if (QN_ARENA_ROOM(rd->a, todo, n, cap) < 0)
                return qn_bom_no_memory(rd->err);
        todo[n++] = first;
        while (r == 0 && n) {
                const struct qn_node *list = todo[--n];

                for (size_t i = 0; r == 0 && qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++) {
                        r = add_component(rd, list->items[i]);
                        if (r == 0 && QN_ARENA_ROOM(rd->a, todo, n, cap) < 0)
                                r = qn_bom_no_memory(rd->err);
                        if (r == 0)
                                todo[n++] = qn_node_get(list->items[i], "components");
                }
        }
        return r;
}

static int connect_components(struct reader *rd, const struct qn_node *list)
{
        int r = 0;

        for (size_t i = 0; r == 0 && qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++) {
                struct qn_str from = qn_node_text(qn_node_get(list->items[i], "ref"));
                const struct qn_node *to = qn_node_get(list->items[i], "dependsOn");

                for (size_t k = 0; r == 0 && qn_node_is(to, QN_NODE_ARRAY) && k < to->n; k++)
                        r = need(rd, from, qn_node_text(to->items[k]), QN_BOM_PROD);
        }
        return r;
}

static int read_cyclonedx(struct reader *rd, const struct qn_node *doc)
{
        const struct qn_node *project = qn_node_get(qn_node_get(doc, "metadata"), "component");
        int r;

        rd->b->format = qn_bom_join(rd->a, QN_STR("CycloneDX "),
                                    qn_node_text(qn_node_get(doc, "specVersion")), QN_STR(""));
        rd->project = qn_node_text(qn_node_get(project, "bom-ref"));
        rd->b->name = qn_node_text(qn_node_get(project, "name"));
        rd->b->version = qn_node_text(qn_node_get(project, "version"));
        r = add_components(rd, qn_node_get(doc, "components"));
        return r == 0 ? connect_components(rd, qn_node_get(doc, "dependencies")) : r;
}

/* --- SPDX --- */

static struct qn_str purl_of(const struct qn_node *package)
{
        const struct qn_node *list = qn_node_get(package, "externalRefs");

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                if (qn_str_is(qn_node_text(qn_node_get(list->items[i], "referenceType")), "purl"))
                        return qn_node_text(qn_node_get(list->items[i], "referenceLocator"));
        return (struct qn_str){ NULL, 0 };
}

static int add_package(struct reader *rd, const struct qn_node *p)
{
        struct qn_str id = qn_node_text(qn_node_get(p, "SPDXID"));
        struct qn_str from = qn_node_text(qn_node_get(p, "downloadLocation"));
        struct qn_bom_item item = { .name.p = NULL };
        int r;

        if ((id.p && qn_str_eq(id, rd->project))) {
                rd->b->name = qn_node_text(qn_node_get(p, "name"));
                rd->b->version = qn_node_text(qn_node_get(p, "versionInfo"));
                return 0;
        }
        if (!take_purl(rd, purl_of(p), &item))
                return 0;
        if (!qn_str_is(from, "NOASSERTION") && !qn_str_is(from, "NONE"))
                item.resolved = from;
        item.origin = origin_of(QN_STR(""), item.resolved);
        r = take_hashes(rd, qn_node_get(p, "checksums"), "algorithm", "checksumValue", &item);
        return r == 0 ? add(rd, id, &item) : r;
}

static const struct {
        const char *type;
        bool backwards; /* "b DEPENDENCY_OF a" */
        enum qn_bom_need need;
} relations[] = {
        { "DEPENDS_ON", false, QN_BOM_PROD },
        { "DEPENDENCY_OF", true, QN_BOM_PROD },
        { "RUNTIME_DEPENDENCY_OF", true, QN_BOM_PROD },
        { "DEV_DEPENDENCY_OF", true, QN_BOM_DEV },
        { "BUILD_DEPENDENCY_OF", true, QN_BOM_DEV },
        { "TEST_DEPENDENCY_OF", true, QN_BOM_DEV },
        { "OPTIONAL_DEPENDENCY_OF", true, QN_BOM_OPTIONAL },
        { "HAS_PREREQUISITE", false, QN_BOM_PEER },
        { "PREREQUISITE_FOR", true, QN_BOM_PEER },
};

static int relate(struct reader *rd, const struct qn_node *relation)
{
        struct qn_str type = qn_node_text(qn_node_get(relation, "relationshipType"));
        struct qn_str x = qn_node_text(qn_node_get(relation, "spdxElementId"));
        struct qn_str y = qn_node_text(qn_node_get(relation, "relatedSpdxElement"));

        for (size_t i = 0; i < QN_ARRAY_SIZE(relations); i++)
                if (qn_str_is(type, relations[i].type))
                        return relations[i].backwards ? need(rd, y, x, relations[i].need)
                                                      : need(rd, x, y, relations[i].need);
        return 0;
}

/* What the document describes: the project. */
static struct qn_str described(const struct qn_node *doc)
{
        const struct qn_node *list = qn_node_get(doc, "documentDescribes");
        const struct qn_node *relations_list = qn_node_get(doc, "relationships");

        if (qn_node_is(list, QN_NODE_ARRAY) && list->n == 1)
                return qn_node_text(list->items[0]);
        for (size_t i = 0; qn_node_is(relations_list, QN_NODE_ARRAY) && i < relations_list->n;
             i++) {
                const struct qn_node *rel = relations_list->items[i];

                if (qn_str_is(qn_node_text(qn_node_get(rel, "relationshipType")), "DESCRIBES"))
                        return qn_node_text(qn_node_get(rel, "relatedSpdxElement"));
        }
        return (struct qn_str){ NULL, 0 };
}

static int read_spdx(struct reader *rd, const struct qn_node *doc)
{
        const struct qn_node *packages = qn_node_get(doc, "packages");
        const struct qn_node *list = qn_node_get(doc, "relationships");
        int r = 0;

        rd->b->format = qn_node_text(qn_node_get(doc, "spdxVersion"));
        rd->project = described(doc);
        for (size_t i = 0; r == 0 && qn_node_is(packages, QN_NODE_ARRAY) && i < packages->n; i++)
                r = add_package(rd, packages->items[i]);
        for (size_t i = 0; r == 0 && qn_node_is(list, QN_NODE_ARRAY) && i < list->n; i++)
                r = relate(rd, list->items[i]);
        return r;
}

/* --- the document --- */

bool qn_bom_is_sbom(const struct qn_node *doc)
{
        return qn_str_is(qn_node_text(qn_node_get(doc, "bomFormat")), "CycloneDX") ||
               qn_str_starts(qn_node_text(qn_node_get(doc, "spdxVersion")), "SPDX-2.");
}

int qn_bom_read_sbom(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                     struct qn_err *reterr)
{
        struct reader rd = { .a = a, .err = reterr };
        struct qn_node *doc;
        int r = qn_json_parse(in->doc, a, &doc, reterr);

        if (r == 0 && !qn_bom_is_sbom(doc))
                r = qn_fail(reterr, -EINVAL, 0, "neither a CycloneDX nor an SPDX 2 document");
        if (r == 0)
                r = qn_bom_new(a, QN_BOM_SBOM, &rd.b, reterr);
        if (r == 0)
                r = qn_node_get(doc, "bomFormat") ? read_cyclonedx(&rd, doc) : read_spdx(&rd, doc);
        if (r == 0)
                r = qn_bom_settle(rd.b, !qn_node_get(doc, "bomFormat"), reterr);
        if (r == 0)
                *ret = rd.b;
        return r;
}
