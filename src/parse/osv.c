#include "parse/osv.h"

#include <ctype.h>
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/packument.h"

struct reader {
        struct qn_arena *a;
        struct qn_osv *osv;
        size_t indicators_cap;
        size_t n_versions, n_events; /* of the whole record */
        struct qn_err *err;
};

static size_t length(const struct qn_node *n)
{
        return qn_node_is(n, QN_NODE_ARRAY) ? n->n : 0;
}

static int new_array(struct reader *r, size_t n, size_t size, void *ret)
{
        void *p = qn_arena_calloc(r->a, n + 1, size);

        if (!p)
                return qn_fail(r->err, -ENOBUFS, 0, "OSV: the record needs too much memory");
        memcpy(ret, &p, sizeof p);
        return 0;
}

/* --- what is affected --- */

static const struct {
        const char *key;
        enum qn_osv_event_kind kind;
} event_kinds[] = {
        { "introduced", QN_OSV_INTRODUCED },
        { "fixed", QN_OSV_FIXED },
        { "last_affected", QN_OSV_LAST_AFFECTED },
        { "limit", QN_OSV_LIMIT },
};

static enum qn_osv_range_type range_type(struct qn_str s)
{
        static const char *const types[] = {
                [QN_OSV_SEMVER] = "SEMVER",
                [QN_OSV_ECOSYSTEM] = "ECOSYSTEM",
                [QN_OSV_GIT] = "GIT",
        };

        for (unsigned i = 0; i < QN_ARRAY_SIZE(types); i++)
                if (qn_str_is(s, types[i]))
                        return i;
        return QN_OSV_OTHER;
}

/* An object is one event by the schema; one with several keys is as many. */
static void take_event(struct qn_osv_range *range, const struct qn_node *e)
{
        for (size_t i = 0; qn_node_is(e, QN_NODE_OBJECT) && i < e->n; i++)
                for (size_t k = 0; k < QN_ARRAY_SIZE(event_kinds); k++)
                        if (qn_str_is(e->keys[i], event_kinds[k].key) &&
                            qn_node_is(e->items[i], QN_NODE_STRING))
                                range->events[range->n++] =
                                        (struct qn_osv_event){ event_kinds[k].kind,
                                                               qn_node_text(e->items[i]) };
}

static int take_range(struct reader *r, const struct qn_node *n, struct qn_osv_range *ret)
{
        const struct qn_node *events = qn_node_get(n, "events");
        size_t keys = 0;
        int e;

        ret->type = range_type(qn_node_text(qn_node_get(n, "type")));
        for (size_t i = 0; i < length(events); i++)
                keys += events->items[i]->n;
        r->n_events += keys;
        if (r->n_events > QN_OSV_EVENTS_MAX)
                return qn_fail(r->err, -EFBIG, 0, "OSV: more than %u events", QN_OSV_EVENTS_MAX);
        e = new_array(r, keys, sizeof *ret->events, &ret->events);
        for (size_t i = 0; e == 0 && i < length(events); i++)
                take_event(ret, events->items[i]);
        return e;
}

/* Strings of an array; what is none is left out. */
static int take_strings(struct reader *r, const struct qn_node *list, struct qn_str **ret,
                        size_t *ret_n)
{
        struct qn_str *v = NULL;
        size_t n = 0;
        int e = new_array(r, length(list), sizeof *v, &v);

        if (e < 0)
                return e;
        for (size_t i = 0; i < length(list); i++)
                if (qn_node_text(list->items[i]).n)
                        v[n++] = qn_node_text(list->items[i]);
        *ret = v;
        *ret_n = n;
        return 0;
}

static int take_block(struct reader *r, const struct qn_node *n, struct qn_osv_affected *ret)
{
        const struct qn_node *package = qn_node_get(n, "package"), *ranges;
        int e;

        if (!qn_node_is(n, QN_NODE_OBJECT))
                return qn_fail(r->err, -EINVAL, n->off,
                               "OSV: what \"affected\" holds is no object");
        ret->ecosystem = qn_node_text(qn_node_get(package, "ecosystem"));
        ret->name = qn_node_text(qn_node_get(package, "name"));
        if (package && (!ret->ecosystem.n || !ret->name.n))
                return qn_fail(r->err, -EINVAL, n->off, "OSV: a package without ecosystem or name");
        ranges = qn_node_get(n, "ranges");
        e = new_array(r, length(ranges), sizeof *ret->ranges, &ret->ranges);
        for (size_t i = 0; e == 0 && i < length(ranges); i++)
                e = take_range(r, ranges->items[i], &ret->ranges[ret->n_ranges++]);
        if (e == 0)
                e = take_strings(r, qn_node_get(n, "versions"), &ret->versions, &ret->n_versions);
        r->n_versions += ret->n_versions;
        if (e == 0 && r->n_versions > QN_OSV_VERSIONS_MAX)
                e = qn_fail(r->err, -EFBIG, 0, "OSV: more than %u versions", QN_OSV_VERSIONS_MAX);
        return e;
}

/* --- indicators --- */

static int add_indicator(struct reader *r, enum qn_indicator_kind kind, struct qn_str text,
                         struct qn_str note)
{
        struct qn_osv *o = r->osv;
        struct qn_str value;
        int e;

        if (!text.n)
                return 0;
        e = qn_indicator_read(kind, text, r->a, &value);
        if (e == -EINVAL && kind == QN_IOC_DOMAIN) /* lists of names hold addresses, too */
                e = qn_indicator_read(kind = QN_IOC_IP, text, r->a, &value);
        if (e == -EINVAL)
                return 0;
        for (size_t i = 0; e == 0 && i < o->n_indicators; i++)
                if (o->indicators[i].kind == kind && qn_str_eq(o->indicators[i].value, value))
                        return 0;
        if (o->n_indicators >= QN_OSV_INDICATORS_MAX)
                return qn_fail(r->err, -EFBIG, 0, "OSV: more than %u indicators",
                               QN_OSV_INDICATORS_MAX);
        if (e == 0)
                e = QN_ARENA_ROOM(r->a, o->indicators, o->n_indicators, r->indicators_cap);
        if (e < 0)
                return qn_fail(r->err, e, 0, "OSV: the record needs too much memory");
        o->indicators[o->n_indicators++] = (struct qn_indicator){ kind, value, note };
        return 0;
}

/* The lists that both places have, in both spellings. */
static const struct {
        const char *key;
        enum qn_indicator_kind kind;
} lists[] = {
        { "domains", QN_IOC_DOMAIN }, { "ips", QN_IOC_IP },         { "ip_addresses", QN_IOC_IP },
        { "urls", QN_IOC_URL },       { "wallets", QN_IOC_WALLET },
};

/* What stands beside a path: hashes of the file. */
static const struct {
        const char *key;
        enum qn_indicator_kind kind;
} hashes[] = {
        { "sha256", QN_IOC_SHA256 },
        { "sha1", QN_IOC_SHA1 },
        { "sha512_sri", QN_IOC_SHA512 },
};

static int take_hashes(struct reader *r, const struct qn_node *n, struct qn_str note)
{
        int e = 0;

        for (size_t i = 0; e == 0 && i < QN_ARRAY_SIZE(hashes); i++)
                e = add_indicator(r, hashes[i].kind, qn_node_text(qn_node_get(n, hashes[i].key)),
                                  note);
        return e;
}

static struct qn_str name_of_file(const struct qn_node *n)
{
        struct qn_str path = qn_node_text(qn_node_get(n, "path"));

        return path.n ? path : qn_node_text(qn_node_get(n, "filename"));
}

/* Files: {path, sha256…} or {filename, hashes: {…}}. */
static int take_files(struct reader *r, const struct qn_node *list)
{
        int e = 0;

        for (size_t i = 0; e == 0 && i < length(list); i++) {
                const struct qn_node *n = list->items[i];

                e = take_hashes(r, n, name_of_file(n));
                if (e == 0)
                        e = take_hashes(r, qn_node_get(n, "hashes"), name_of_file(n));
        }
        return e;
}

static int take_iocs(struct reader *r, const struct qn_node *n)
{
        static const char *const files[] = { "files", "evidence_files", "package_integrity" };
        int e = 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(lists); i++) {
                const struct qn_node *list = qn_node_get(n, lists[i].key);

                for (size_t k = 0; e == 0 && k < length(list); k++)
                        e = add_indicator(r, lists[i].kind, qn_node_text(list->items[k]),
                                          (struct qn_str){ 0 });
        }
        for (size_t i = 0; e == 0 && i < QN_ARRAY_SIZE(files); i++)
                e = take_files(r, qn_node_get(n, files[i]));
        return e;
}

/* --- who says it, and of what kind it is --- */

static bool is_known(const struct qn_osv *o, const struct qn_osv_origin *origin)
{
        for (size_t i = 0; i < o->n_origins; i++)
                if (qn_str_eq(o->origins[i].source, origin->source) &&
                    qn_str_eq(o->origins[i].id, origin->id))
                        return true;
        return false;
}

static int take_origins(struct reader *r, const struct qn_node *list)
{
        struct qn_osv *o = r->osv;
        int e = new_array(r, length(list), sizeof *o->origins, &o->origins);

        for (size_t i = 0; e == 0 && i < length(list); i++) {
                const struct qn_node *n = list->items[i];
                const struct qn_osv_origin origin = {
                        .source = qn_node_text(qn_node_get(n, "source")),
                        .id = qn_node_text(qn_node_get(n, "id")),
                        .import_time = qn_node_text(qn_node_get(n, "import_time")),
                        .modified_time = qn_node_text(qn_node_get(n, "modified_time")),
                };

                if (origin.source.n && !is_known(o, &origin))
                        o->origins[o->n_origins++] = origin;
        }
        return e;
}

static int take_references(struct reader *r, const struct qn_node *list)
{
        struct qn_osv *o = r->osv;
        size_t n = QN_MIN(length(list), (size_t)QN_OSV_REFERENCES_MAX);
        int e = new_array(r, n, sizeof *o->references, &o->references);

        for (size_t i = 0; e == 0 && i < n; i++) {
                const struct qn_osv_reference ref = {
                        .type = qn_node_text(qn_node_get(list->items[i], "type")),
                        .url = qn_node_text(qn_node_get(list->items[i], "url")),
                };

                if (ref.url.n)
                        o->references[o->n_references++] = ref;
        }
        return e;
}

#define MALWARE_CWE "CWE-506" /* embedded malicious code */

static bool names_malware(const struct qn_node *specific)
{
        const struct qn_node *cwes = qn_node_get(specific, "cwes"),
                             *ids = qn_node_get(specific, "cwe_ids");

        for (size_t i = 0; i < length(cwes); i++)
                if (qn_str_is(qn_node_text(qn_node_get(cwes->items[i], "cweId")), MALWARE_CWE))
                        return true;
        for (size_t i = 0; i < length(ids); i++)
                if (qn_str_is(qn_node_text(ids->items[i]), MALWARE_CWE))
                        return true;
        return false;
}

static bool is_mal(struct qn_str id)
{
        return qn_str_starts(id, "MAL-");
}

static bool is_malware(const struct qn_osv *o, const struct qn_node *doc)
{
        const struct qn_node *affected = qn_node_get(doc, "affected");
        bool found = is_mal(o->id) || o->n_origins > 0 ||
                     names_malware(qn_node_get(doc, "database_specific"));

        for (size_t i = 0; i < o->n_aliases; i++)
                found |= is_mal(o->aliases[i]);
        for (size_t i = 0; i < length(affected); i++)
                found |= names_malware(qn_node_get(affected->items[i], "database_specific"));
        return found;
}

static int take_severity(struct reader *r, const struct qn_node *specific)
{
        struct qn_str s = qn_node_text(qn_node_get(specific, "severity")),
                      copy = qn_arena_dup(r->a, s);
        char *p = (char *)(uintptr_t)copy.p; /* our own copy */

        if (!p)
                return -ENOBUFS;
        for (size_t i = 0; i < copy.n; i++)
                p[i] = (char)tolower((unsigned char)p[i]);
        r->osv->severity = copy;
        return 0;
}

/* --- the record --- */

static int take_affected(struct reader *r, const struct qn_node *doc)
{
        const struct qn_node *list = qn_node_get(doc, "affected");
        struct qn_osv *o = r->osv;
        int e;

        if (list && !qn_node_is(list, QN_NODE_ARRAY) && !qn_node_is(list, QN_NODE_NULL))
                return qn_fail(r->err, -EINVAL, list->off, "OSV: \"affected\" is no array");
        if (length(list) > QN_OSV_AFFECTED_MAX)
                return qn_fail(r->err, -EFBIG, 0, "OSV: more than %u packages",
                               QN_OSV_AFFECTED_MAX);
        e = new_array(r, length(list), sizeof *o->affected, &o->affected);
        for (size_t i = 0; e == 0 && i < length(list); i++) {
                const struct qn_node *specific = qn_node_get(list->items[i], "database_specific");

                e = take_block(r, list->items[i], &o->affected[o->n_affected++]);
                if (e == 0)
                        e = take_iocs(r, qn_node_get(specific, "indicators"));
                if (e == 0)
                        e = take_iocs(r, qn_node_get(specific, "iocs"));
        }
        return e;
}

static int take_texts(struct reader *r, const struct qn_node *doc)
{
        struct qn_osv *o = r->osv;

        o->id = qn_str_trim(qn_node_text(qn_node_get(doc, "id")));
        o->modified = qn_node_text(qn_node_get(doc, "modified"));
        o->published = qn_node_text(qn_node_get(doc, "published"));
        o->withdrawn = qn_node_text(qn_node_get(doc, "withdrawn"));
        o->modified_ms = qn_time_parse(o->modified);
        o->expires_ms = QN_TIME_NONE;
        o->published_ms = qn_time_parse(o->published);
        o->withdrawn_ms = qn_time_parse(o->withdrawn);
        o->summary = qn_node_text(qn_node_get(doc, "summary"));
        o->details = qn_node_text(qn_node_get(doc, "details"));
        if (o->id.n > QN_OSV_ID_MAX)
                return qn_fail(r->err, -EINVAL, 0, "OSV: the id is too long");
        return take_strings(r, qn_node_get(doc, "aliases"), &o->aliases, &o->n_aliases);
}

int qn_osv_take(const struct qn_node *doc, struct qn_arena *a, struct qn_osv **ret,
                struct qn_err *reterr)
{
        struct reader r = { .a = a, .err = reterr };
        const struct qn_node *specific = qn_node_get(doc, "database_specific");
        int e;

        if (!qn_node_is(doc, QN_NODE_OBJECT))
                return qn_fail(reterr, -EINVAL, 0, "OSV: no record: the document is no object");
        if (!qn_node_get(doc, "affected") && !qn_node_get(doc, "modified"))
                return qn_fail(reterr, -EINVAL, 0,
                               "OSV: no record: neither \"affected\" nor \"modified\"");
        r.osv = QN_ARENA_NEW(a, struct qn_osv);
        if (!r.osv)
                return qn_fail(reterr, -ENOBUFS, 0, "OSV: the record needs too much memory");
        e = take_texts(&r, doc);
        if (e == 0)
                e = take_severity(&r, specific);
        if (e == 0)
                e = take_affected(&r, doc);
        if (e == 0)
                e = take_iocs(&r, qn_node_get(specific, "iocs"));
        if (e == 0)
                e = take_iocs(&r, qn_node_get(specific, "indicators"));
        if (e == 0)
                e = take_origins(&r, qn_node_get(specific, "malicious-packages-origins"));
        if (e == 0)
                e = take_references(&r, qn_node_get(doc, "references"));
        if (e < 0)
                return e;
        r.osv->malware = is_malware(r.osv, doc);
        *ret = r.osv;
        return 0;
}

int qn_osv_parse(struct qn_cur in, struct qn_arena *a, struct qn_osv **ret, struct qn_err *reterr)
{
        struct qn_node *doc;
        int r;

        if (qn_cur_left(&in) > QN_OSV_MAX)
                return qn_fail(reterr, -EFBIG, 0, "OSV: the record has more than %zu MB",
                               QN_OSV_MAX >> 20);
        r = qn_json_parse(in, a, &doc, reterr);
        return r < 0 ? r : qn_osv_take(doc, a, ret, reterr);
}

struct qn_str qn_osv_id_of_path(struct qn_str path)
{
        path = qn_str_base(path);
        return qn_str_ends(path, ".json") ? qn_str_take(path, path.n - 5) : path;
}
