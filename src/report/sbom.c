#include "report/sbom.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/jsonw.h"

/* --- package URLs --- */

static void escape(struct qn_str s, struct qn_buf *out)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c && strchr("-._~/", c)))
                        qn_buf_byte(out, (char)c);
                else
                        qn_buf_printf(out, "%%%02X", c);
        }
}

void qn_sbom_purl(const struct qn_bom_item *t, struct qn_buf *out)
{
        qn_buf_puts(out, "pkg:npm/");
        escape(t->name, out);
        if (t->version.n) {
                qn_buf_byte(out, '@');
                escape(t->version, out);
        }
}

bool qn_sbom_hash(const struct qn_bom_item *t, bool dash, const char **ret_algorithm,
                  struct qn_buf *hex)
{
        static const struct {
                const char *prefix, *dashed, *plain;
                size_t bytes;
        } hashes[] = {
                { "sha512-", "SHA-512", "SHA512", 64 },
                { "sha384-", "SHA-384", "SHA384", 48 },
                { "sha256-", "SHA-256", "SHA256", 32 },
                { "sha1-", "SHA-1", "SHA1", 20 },
        };
        struct qn_arena a = QN_ARENA_INIT(65536);
        struct qn_str rest = t->integrity, one = qn_str_cut(&rest, ' '), digest;
        bool found = false;

        qn_buf_reset(hex);
        for (size_t i = 0; !found && i < QN_ARRAY_SIZE(hashes); i++) {
                if (!qn_str_starts(one, hashes[i].prefix) || one.n > 256 ||
                    qn_base64_decode(qn_str_skip(one, strlen(hashes[i].prefix)), &a, &digest) < 0 ||
                    digest.n != hashes[i].bytes)
                        continue;
                qn_hex_encode(hex, digest.p, digest.n);
                *ret_algorithm = dash ? hashes[i].dashed : hashes[i].plain;
                found = true;
        }
        qn_arena_done(&a);
        return found;
}

/* --- CycloneDX --- */

struct writer {
        const struct qn_sbom *s;
        struct qn_jsonw w;
        struct qn_arena a;
        struct qn_buf text; /* of the value at hand */
        uint32_t *number;   /* of each component among those of the same version */
};

/* Two components may be the same version with other bytes: then the later one gets a number. */
static void number_all(struct writer *wr)
{
        const struct qn_components *c = wr->s->components;

        wr->number = qn_arena_calloc(&wr->a, c->n + 1, sizeof *wr->number);
        for (size_t i = 1; wr->number && i < c->n; i++)
                if (qn_str_eq(c->v[i].it.name, c->v[i - 1].it.name) &&
                    qn_str_eq(c->v[i].it.version, c->v[i - 1].it.version))
                        wr->number[i] = wr->number[i - 1] + 1;
}

static struct qn_str ref_of(struct writer *wr, size_t i)
{
        qn_buf_reset(&wr->text);
        qn_sbom_purl(&wr->s->components->v[i].it, &wr->text);
        if (wr->number[i])
                qn_buf_printf(&wr->text, "#%u", wr->number[i]);
        return qn_buf_view(&wr->text);
}

static void put_property(struct writer *wr, const char *name, struct qn_str value)
{
        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_cstr(&wr->w, "name", name);
        qn_jsonw_str(&wr->w, "value", value);
        qn_jsonw_end_object(&wr->w);
}

static void put_properties(struct writer *wr, const struct qn_component *v)
{
        const struct {
                bool on;
                const char *name;
        } flags[] = {
                { v->it.dev, "cdx:npm:package:development" },
                { v->it.bundled, "cdx:npm:package:bundled" },
                { v->it.extraneous, "cdx:npm:package:extraneous" },
        };

        qn_jsonw_array(&wr->w, "properties");
        for (size_t i = 0; i < v->n_paths; i++)
                put_property(wr, "cdx:npm:package:path", v->paths[i]);
        for (size_t i = 0; i < QN_ARRAY_SIZE(flags); i++)
                if (flags[i].on)
                        put_property(wr, flags[i].name, QN_STR("true"));
        if (v->it.alias.p)
                put_property(wr, "qanat:alias", v->it.alias);
        if (v->it.origin != QN_BOM_FROM_REGISTRY)
                put_property(wr, "qanat:origin", qn_str_c(qn_bom_origin_name(v->it.origin)));
        qn_jsonw_end_array(&wr->w);
}

static void put_hash(struct writer *wr, const struct qn_bom_item *t, bool dash, const char *list,
                     const char *algorithm_key, const char *value_key)
{
        const char *algorithm;

        if (!qn_sbom_hash(t, dash, &algorithm, &wr->text))
                return;
        qn_jsonw_array(&wr->w, list);
        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_cstr(&wr->w, algorithm_key, algorithm);
        qn_jsonw_str(&wr->w, value_key, qn_buf_view(&wr->text));
        qn_jsonw_end_object(&wr->w);
        qn_jsonw_end_array(&wr->w);
}

/* Only what is an address by RFC 3986 may stand where the schemas want one. */
static bool is_url(struct qn_str s)
{
        if (!qn_str_starts(s, "http://") && !qn_str_starts(s, "https://") &&
            !qn_str_starts(s, "git+"))
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}[]", s.p[i]))
                        return false;
        return qn_str_find(s, QN_STR("://")) >= 0;
}

/* How sure it is that this is the package: by how many of its files are there. */
static void put_evidence(struct writer *wr, const struct qn_bom_copy *copy)
{
        double sure = copy->of ? (double)copy->files / copy->of : 0;
        struct qn_jsonw *w = &wr->w;

        qn_buf_reset(&wr->text);
        qn_buf_printf(&wr->text, "%u of %u files", copy->files, copy->of);
        qn_jsonw_object(w, "evidence");
        qn_jsonw_array(w, "identity");
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "field", "purl");
        qn_jsonw_double(w, "confidence", sure, 3);
        qn_jsonw_array(w, "methods");
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "technique", "hash-comparison");
        qn_jsonw_double(w, "confidence", sure, 3);
        qn_jsonw_str(w, "value", qn_buf_view(&wr->text));
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static void put_component(struct writer *wr, size_t i)
{
        const struct qn_component *v = &wr->s->components->v[i];
        const struct qn_bom_item *t = &v->it;
        struct qn_str url = qn_component_url(t->resolved, &wr->a);
        ptrdiff_t slash = qn_str_starts(t->name, "@") ? qn_str_chr(t->name, '/') : -1;

        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_cstr(&wr->w, "type", "library");
        qn_jsonw_str(&wr->w, "bom-ref", ref_of(wr, i));
        if (slash > 0)
                qn_jsonw_str(&wr->w, "group", qn_str_take(t->name, (size_t)slash));
        qn_jsonw_str(&wr->w, "name", qn_str_skip(t->name, (size_t)(slash + 1)));
        if (t->version.p)
                qn_jsonw_str(&wr->w, "version", t->version);
        qn_jsonw_cstr(&wr->w, "scope", t->optional || t->dev ? "optional" : "required");
        put_hash(wr, t, true, "hashes", "alg", "content");
        qn_buf_reset(&wr->text);
        qn_sbom_purl(t, &wr->text);
        qn_jsonw_str(&wr->w, "purl", qn_buf_view(&wr->text));
        if (is_url(url)) {
                qn_jsonw_array(&wr->w, "externalReferences");
                qn_jsonw_object(&wr->w, NULL);
                qn_jsonw_cstr(&wr->w, "type", "distribution");
                qn_jsonw_str(&wr->w, "url", url);
                qn_jsonw_end_object(&wr->w);
                qn_jsonw_end_array(&wr->w);
        }
        put_properties(wr, v);
        if (t->copy)
                put_evidence(wr, t->copy);
        qn_jsonw_end_object(&wr->w);
}

/* The needs of each component, in order: edges between components, each once. */
struct pair {
        uint32_t from, to;
};

static int compare(const void *x, const void *y)
{
        const struct pair *a = x, *b = y;

        if (a->from != b->from)
                return a->from < b->from ? -1 : 1;
        return (a->to > b->to) - (a->to < b->to);
}

/* The project comes as number UINT32_MAX, behind all others. */
static struct pair *make_pairs(struct writer *wr, size_t *ret_n)
{
        const struct qn_bom *b = wr->s->bom;
        const struct qn_components *c = wr->s->components;
        struct pair *v = qn_arena_calloc(&wr->a, b->n_edges + 1, sizeof *v);
        size_t n = 0, kept = 0;

        for (size_t i = 0; v && i < b->n_edges; i++) {
                const struct qn_bom_edge *e = &b->edges[i];

                v[n++] = (struct pair){ e->from == QN_BOM_ROOT ? UINT32_MAX : c->of[e->from],
                                        c->of[e->to] };
        }
        if (n)
                qsort(v, n, sizeof *v, compare);
        for (size_t i = 0; i < n; i++)
                if (v[i].from != v[i].to && (!kept || compare(&v[kept - 1], &v[i]) != 0))
                        v[kept++] = v[i];
        *ret_n = kept;
        return v;
}

static void put_dependencies(struct writer *wr, const struct pair *v, size_t n)
{
        size_t at = 0;

        qn_jsonw_array(&wr->w, "dependencies");
        for (size_t i = 0; i <= wr->s->components->n; i++) {
                bool project = i == wr->s->components->n;

                qn_jsonw_object(&wr->w, NULL);
                qn_jsonw_str(&wr->w, "ref", project ? QN_STR("project") : ref_of(wr, i));
                qn_jsonw_array(&wr->w, "dependsOn");
                for (; at < n && v[at].from == (project ? UINT32_MAX : i); at++)
                        qn_jsonw_str(&wr->w, NULL, ref_of(wr, v[at].to));
                qn_jsonw_end_array(&wr->w);
                qn_jsonw_end_object(&wr->w);
        }
        qn_jsonw_end_array(&wr->w);
}

/* One entry for each record, with all that it is about.  Malware is exploited by being there; of the rest nobody knows yet. */
static void put_vulnerabilities(struct writer *wr)
{
        const struct qn_sbom_match *v = wr->s->matches;
        size_t n = wr->s->n_matches;

        if (!n)
                return;
        qn_jsonw_array(&wr->w, "vulnerabilities");
        for (size_t i = 0; i < n;) {
                size_t first = i;

                qn_jsonw_object(&wr->w, NULL);
                qn_jsonw_str(&wr->w, "id", v[i].id);
                qn_jsonw_object(&wr->w, "analysis");
                qn_jsonw_cstr(&wr->w, "state", v[i].malware ? "exploitable" : "in_triage");
                qn_jsonw_end_object(&wr->w);
                qn_jsonw_array(&wr->w, "affects");
                for (; i < n && qn_str_eq(v[i].id, v[first].id); i++) {
                        qn_jsonw_object(&wr->w, NULL);
                        qn_jsonw_str(&wr->w, "ref", ref_of(wr, v[i].component));
                        qn_jsonw_end_object(&wr->w);
                }
                qn_jsonw_end_array(&wr->w);
                qn_jsonw_end_object(&wr->w);
        }
        qn_jsonw_end_array(&wr->w);
}

static void put_metadata(struct writer *wr)
{
        const struct qn_bom *b = wr->s->bom;

        qn_jsonw_object(&wr->w, "metadata");
        qn_jsonw_object(&wr->w, "tools");
        qn_jsonw_array(&wr->w, "components");
        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_cstr(&wr->w, "type", "application");
        qn_jsonw_cstr(&wr->w, "name", "qanat");
        qn_jsonw_cstr(&wr->w, "version", QN_VERSION);
        qn_jsonw_end_object(&wr->w);
        qn_jsonw_end_array(&wr->w);
        qn_jsonw_end_object(&wr->w);
        qn_jsonw_object(&wr->w, "component");
        qn_jsonw_cstr(&wr->w, "type", "application");
        qn_jsonw_cstr(&wr->w, "bom-ref", "project");
        qn_jsonw_str(&wr->w, "name", b->name.n ? b->name : QN_STR("project"));
        if (b->version.n)
                qn_jsonw_str(&wr->w, "version", b->version);
        qn_jsonw_end_object(&wr->w);
        qn_jsonw_end_object(&wr->w);
}

static void begin(struct writer *wr, const struct qn_sbom *s, struct qn_buf *out)
{
        *wr = (struct writer){ .s = s,
                               .w = QN_JSONW_INIT(out, 2),
                               .a = QN_ARENA_INIT((size_t)1 << 30),
                               .text = QN_BUF_INIT((size_t)16 << 20) };
}

static int end(struct writer *wr, bool failed, struct qn_buf *out)
{
        qn_buf_byte(out, '\n');
        qn_arena_done(&wr->a);
        qn_buf_done(&wr->text);
        return failed ? -ENOBUFS : qn_buf_error(out);
}

int qn_sbom_cyclonedx(const struct qn_sbom *s, struct qn_buf *out)
{
        struct writer wr;
        struct pair *pairs;
        size_t n;

        begin(&wr, s, out);
        number_all(&wr);
        pairs = make_pairs(&wr, &n);
        if (!wr.number || !pairs)
                return end(&wr, true, out);
        qn_jsonw_object(&wr.w, NULL);
        qn_jsonw_cstr(&wr.w, "$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json");
        qn_jsonw_cstr(&wr.w, "bomFormat", "CycloneDX");
        qn_jsonw_cstr(&wr.w, "specVersion", "1.6");
        qn_jsonw_u64(&wr.w, "version", 1);
        put_metadata(&wr);
        qn_jsonw_array(&wr.w, "components");
        for (size_t i = 0; i < s->components->n; i++)
                put_component(&wr, i);
        qn_jsonw_end_array(&wr.w);
        put_dependencies(&wr, pairs, n);
        put_vulnerabilities(&wr);
        qn_jsonw_end_object(&wr.w);
        return end(&wr, false, out);
}

/* --- SPDX --- */

static void put_id(struct writer *wr, const char *key, size_t i)
{
        qn_buf_reset(&wr->text);
        if (i == UINT32_MAX)
                qn_buf_puts(&wr->text, "SPDXRef-Project");
        else
                qn_buf_printf(&wr->text, "SPDXRef-Package-%zu", i + 1);
        qn_jsonw_str(&wr->w, key, qn_buf_view(&wr->text));
}

/* Of a repository the commit stands behind "@"; behind "#", as npm writes it, SPDX has a path. */
static void put_location(struct writer *wr, struct qn_str url)
{
        struct qn_str commit = url, address = qn_str_cut(&commit, '#');

        if (!is_url(url)) {
                qn_jsonw_cstr(&wr->w, "downloadLocation", "NOASSERTION");
                return;
        }
        if (!qn_str_starts(url, "git+") || !commit.n)
                address = url;
        qn_buf_reset(&wr->text);
        qn_buf_str(&wr->text, address);
        if (address.n < url.n) {
                qn_buf_byte(&wr->text, '@');
                qn_buf_str(&wr->text, commit);
        }
        qn_jsonw_str(&wr->w, "downloadLocation", qn_buf_view(&wr->text));
}

static void put_package(struct writer *wr, size_t i)
{
        const struct qn_bom_item *t = &wr->s->components->v[i].it;
        struct qn_str url = qn_component_url(t->resolved, &wr->a);

        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_str(&wr->w, "name", t->name);
        put_id(wr, "SPDXID", i);
        if (t->version.p)
                qn_jsonw_str(&wr->w, "versionInfo", t->version);
        put_location(wr, url);
        qn_jsonw_bool(&wr->w, "filesAnalyzed", false);
        if (t->copy) {
                qn_buf_reset(&wr->text);
                qn_buf_printf(&wr->text, "recognised by %u of its %u files", t->copy->files,
                              t->copy->of);
                qn_jsonw_str(&wr->w, "sourceInfo", qn_buf_view(&wr->text));
        }
        put_hash(wr, t, false, "checksums", "algorithm", "checksumValue");
        qn_jsonw_array(&wr->w, "externalRefs");
        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_cstr(&wr->w, "referenceCategory", "PACKAGE-MANAGER");
        qn_jsonw_cstr(&wr->w, "referenceType", "purl");
        qn_buf_reset(&wr->text);
        qn_sbom_purl(t, &wr->text);
        qn_jsonw_str(&wr->w, "referenceLocator", qn_buf_view(&wr->text));
        qn_jsonw_end_object(&wr->w);
        qn_jsonw_end_array(&wr->w);
        qn_jsonw_end_object(&wr->w);
}

static void put_project(struct writer *wr)
{
        const struct qn_bom *b = wr->s->bom;

        qn_jsonw_object(&wr->w, NULL);
        qn_jsonw_str(&wr->w, "name", b->name.n ? b->name : QN_STR("project"));
        put_id(wr, "SPDXID", UINT32_MAX);
        if (b->version.n)
                qn_jsonw_str(&wr->w, "versionInfo", b->version);
        qn_jsonw_cstr(&wr->w, "downloadLocation", "NOASSERTION");
        qn_jsonw_bool(&wr->w, "filesAnalyzed", false);
        qn_jsonw_end_object(&wr->w);
}

static void put_relation(struct writer *wr, const struct pair *p)
{
        bool dev = wr->s->components->v[p->to].it.dev;
        bool optional = wr->s->components->v[p->to].it.optional;

        qn_jsonw_object(&wr->w, NULL);
        put_id(wr, "spdxElementId", p->to);
        qn_jsonw_cstr(&wr->w, "relationshipType",
                      dev        ? "DEV_DEPENDENCY_OF"
                      : optional ? "OPTIONAL_DEPENDENCY_OF"
                                 : "DEPENDENCY_OF");
        put_id(wr, "relatedSpdxElement", p->from);
        qn_jsonw_end_object(&wr->w);
}

/* A name of its own for every content, as SPDX asks for: made of what is in it. */
static void put_namespace(struct writer *wr)
{
        uint64_t h = 0;

        for (size_t i = 0; i < wr->s->components->n; i++) {
                const struct qn_bom_item *t = &wr->s->components->v[i].it;
                const struct qn_str parts[] = { t->name, t->version, t->integrity };

                for (size_t k = 0; k < QN_ARRAY_SIZE(parts); k++)
                        h = h * 0x9e3779b97f4a7c15u + qn_hash64(parts[k].p, parts[k].n);
        }
        h = h * 0x9e3779b97f4a7c15u + qn_hash64(wr->s->when.p, wr->s->when.n);
        qn_buf_reset(&wr->text);
        qn_buf_printf(&wr->text, "urn:qanat:sbom:%016llx", (unsigned long long)h);
        qn_jsonw_str(&wr->w, "documentNamespace", qn_buf_view(&wr->text));
}

static void put_head(struct writer *wr)
{
        qn_jsonw_cstr(&wr->w, "spdxVersion", "SPDX-2.3");
        qn_jsonw_cstr(&wr->w, "dataLicense", "CC0-1.0");
        qn_jsonw_cstr(&wr->w, "SPDXID", "SPDXRef-DOCUMENT");
        qn_jsonw_str(&wr->w, "name", wr->s->bom->name.n ? wr->s->bom->name : QN_STR("project"));
        put_namespace(wr);
        qn_jsonw_object(&wr->w, "creationInfo");
        qn_jsonw_str(&wr->w, "created", wr->s->when);
        qn_jsonw_array(&wr->w, "creators");
        qn_jsonw_cstr(&wr->w, NULL, "Tool: qanat-" QN_VERSION);
        qn_jsonw_end_array(&wr->w);
        qn_jsonw_end_object(&wr->w);
}

int qn_sbom_spdx(const struct qn_sbom *s, struct qn_buf *out)
{
        struct writer wr;
        struct pair *pairs;
        size_t n;

        begin(&wr, s, out);
        pairs = make_pairs(&wr, &n);
        if (!pairs)
                return end(&wr, true, out);
        qn_jsonw_object(&wr.w, NULL);
        put_head(&wr);
        qn_jsonw_array(&wr.w, "packages");
        put_project(&wr);
        for (size_t i = 0; i < s->components->n; i++)
                put_package(&wr, i);
        qn_jsonw_end_array(&wr.w);
        qn_jsonw_array(&wr.w, "relationships");
        qn_jsonw_object(&wr.w, NULL);
        qn_jsonw_cstr(&wr.w, "spdxElementId", "SPDXRef-DOCUMENT");
        qn_jsonw_cstr(&wr.w, "relationshipType", "DESCRIBES");
        qn_jsonw_cstr(&wr.w, "relatedSpdxElement", "SPDXRef-Project");
        qn_jsonw_end_object(&wr.w);
        for (size_t i = 0; i < n; i++)
                put_relation(&wr, &pairs[i]);
        qn_jsonw_end_array(&wr.w);
        qn_jsonw_end_object(&wr.w);
        return end(&wr, false, out);
}
