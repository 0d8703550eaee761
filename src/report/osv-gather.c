/* osv-gather.c - from results to what a record says: copies, each thing once, in one order. */
#include <errno.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mask.h"
#include "event/event.h"
#include "net/npmconf.h"
#include "observe/classify.h"
#include "observe/digests.h"
#include "parse/semver.h"
#include "report/osv.h"
#include "report/render.h"
#include "rule/rule.h"

#define URL_MAX 2048u

/* --- addresses ---
 * Of services that many use only the path is the attacker's, of others not even that: an indicator would hit everybody. */

static const struct {
        const char *class; /* data/hosts.yaml */
        bool below;        /* names below the service's own are indicators */
        bool url;          /* what stands behind the host is one */
} shared[] = {
        { "request-bin", true, true },      { "tunnel", true, true },
        { "worker", true, true },           { "dynamic-dns", true, true },
        { "messenger", false, true },       { "paste", false, true },
        { "file-share", false, true },      { "short-url", false, true },
        { "raw-code", false, true },        { "calendar", false, true },
        { "ledger", false, false },         { "github-web", false, false },
        { "github-api", false, false },     { "ai-api", false, false },
        { "registry", false, false },       { "sigstore", false, false },
        { "cloud-metadata", false, false }, { "ip-lookup", false, false },
        { "runtime", false, false },        { "scanner", false, false },
        { "private", false, false },
};

struct gather {
        struct qn_mal *m;
        struct qn_mal_package *p;
        struct qn_mal_version *v;
        size_t findings_cap, places_cap;
        const struct qn_digests *digests; /* NULL: none */
        struct qn_err *err;
};

static int full(struct gather *g)
{
        return qn_fail(g->err, -ENOBUFS, 0, "the findings need too much memory");
}

static int copy(struct gather *g, struct qn_str s, struct qn_str *ret)
{
        *ret = qn_arena_dup(g->m->arena, s);
        return ret->p ? 0 : full(g);
}

static int add_ioc(struct gather *g, enum qn_indicator_kind kind, struct qn_str value)
{
        struct qn_mal_package *p = g->p;

        for (size_t i = 0; i < p->n_iocs; i++)
                if (p->iocs[i].kind == kind && qn_str_eq(p->iocs[i].value, value))
                        return 0;
        if (p->n_iocs >= QN_MAL_IOCS_MAX)
                return qn_fail(g->err, -E2BIG, 0, "it has more than %u addresses", QN_MAL_IOCS_MAX);
        if (QN_ARENA_ROOM(g->m->arena, p->iocs, p->n_iocs, p->iocs_cap) < 0)
                return full(g);
        p->iocs[p->n_iocs] = (struct qn_indicator){ .kind = kind };
        return copy(g, value, &p->iocs[p->n_iocs++].value);
}

static size_t labels(struct qn_str host)
{
        size_t n = 1;

        for (size_t i = 0; i < host.n; i++)
                n += host.p[i] == '.';
        return n;
}

static void worth_of(struct qn_str class, struct qn_str host, bool *ret_host, bool *ret_url)
{
        /* an address nobody knows is the attacker's; one of a kind that the user added is a shared one */
        *ret_host = !class.n || qn_str_is(class, "ip");
        *ret_url = true;
        for (size_t i = 0; i < QN_ARRAY_SIZE(shared); i++)
                if (qn_str_is(class, shared[i].class)) {
                        *ret_host = shared[i].below && labels(host) > 2;
                        *ret_url = shared[i].url;
                }
}

/* The same without user, query and fragment, and so that it cannot be followed. */
static int add_url(struct gather *g, const struct qn_url *url, struct qn_str host, bool host_told)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(URL_MAX * 2);
        struct qn_str path = url->path;

        for (size_t i = 0; i < path.n; i++)
                if (path.p[i] == '?' || path.p[i] == '#')
                        path.n = i;
        if (!qn_str_ieq(url->scheme, QN_STR("http")) && !qn_str_ieq(url->scheme, QN_STR("https")))
                return 0;
        if (path.n < 2 && (host_told ? !url->port.n : true))
                return 0;
        qn_buf_puts(&b, url->scheme.n == 5 ? "hxxps://" : "hxxp://");
        qn_buf_str(&b, host);
        if (url->port.n) {
                qn_buf_byte(&b, ':');
                qn_buf_str(&b, url->port);
        }
        qn_mask_secrets(&b, path);
        return qn_buf_error(&b) < 0 ? 0 : add_ioc(g, QN_IOC_URL, qn_buf_view(&b));
}

/* The host as lists have it; false: it is none, such as one that is known in part only. */
static bool read_host(struct gather *g, struct qn_str text, enum qn_indicator_kind *ret_kind,
                      struct qn_str *ret)
{
        if (qn_indicator_read(QN_IOC_IP, text, g->m->arena, ret) == 0) {
                *ret_kind = QN_IOC_IP;
                return true;
        }
        *ret_kind = QN_IOC_DOMAIN;
        return qn_indicator_read(QN_IOC_DOMAIN, text, g->m->arena, ret) == 0;
}

static int add_addresses(struct gather *g, const struct qn_event *e)
{
        struct qn_str text = qn_event_get(e, QN_ATTR_HOST), host,
                      link = qn_event_get(e, QN_ATTR_URL);
        struct qn_url url = { 0 };
        enum qn_indicator_kind kind;
        bool whole = link.n && link.n <= URL_MAX && qn_url_split(link, false, &url);
        bool tell_host, tell_url;
        int r = 0;

        if (!text.n && whole)
                text = url.host;
        if (!text.n && e->kind == QN_EVENT_DNS_QUERY)
                text = qn_event_get(e, QN_ATTR_NAME);
        if (!text.n || !read_host(g, text, &kind, &host))
                return 0;
        worth_of(qn_event_get(e, QN_ATTR_CLASS), host, &tell_host, &tell_url);
        if (tell_host)
                r = add_ioc(g, kind, host);
        if (r == 0 && whole && tell_url)
                r = add_url(g, &url, host, tell_host);
        return r;
}

/* --- findings --- */

static int add_place(struct gather *g, const struct qn_event_set *set, const struct qn_finding *f,
                     const struct qn_event *e)
{
        struct qn_mal_version *v = g->v;
        struct qn_mal_place *at;
        int r;

        if (QN_ARENA_ROOM(g->m->arena, v->places, v->n_places, g->places_cap) < 0)
                return full(g);
        at = &v->places[v->n_places++];
        *at = (struct qn_mal_place){ .event = qn_event_name(e->kind),
                                     .off = e->off,
                                     .line = e->line };
        r = copy(g, qn_evidence_file(set, e), &at->file);
        return r < 0 ? r : copy(g, f->rule->id, &at->rule);
}

/* The hash of the file of the last place, and the wallets in it where the evidence is that there are some. */
static int add_digest(struct gather *g, const struct qn_event *e)
{
        struct qn_mal_place *at = &g->v->places[g->v->n_places - 1];
        const struct qn_file_digest *f = qn_digests_find(g->digests, at->file);
        int r = f ? copy(g, f->sha256, &at->sha256) : 0;

        for (size_t i = 0; r == 0 && f && e->kind == QN_EVENT_CRYPTO_ADDRESS && i < f->n_wallets;
             i++)
                r = add_ioc(g, QN_IOC_WALLET, f->wallets[i]);
        return r;
}

static int add_finding(struct gather *g, const struct qn_event_set *set, const struct qn_finding *f)
{
        struct qn_mal_version *v = g->v;
        struct qn_mal_finding *to;
        int r;

        if (QN_ARENA_ROOM(g->m->arena, v->findings, v->n_findings, g->findings_cap) < 0)
                return full(g);
        to = &v->findings[v->n_findings++];
        *to = (struct qn_mal_finding){ .phase = qn_phase_name(f->phase) };
        r = copy(g, f->rule->id, &to->rule);
        if (r == 0)
                r = copy(g, f->rule->title, &to->title);
        if (r == 0)
                r = copy(g, f->explain, &to->explain);
        for (size_t i = 0; r == 0 && i < f->n_evidence; i++) {
                r = add_place(g, set, f, f->evidence[i]);
                if (r == 0)
                        r = add_digest(g, f->evidence[i]);
                if (r == 0)
                        r = add_addresses(g, f->evidence[i]);
        }
        return r;
}

/* What only informs, and what others said, is no finding of ours. */
static bool counts(const struct qn_finding *f)
{
        return f->verdict >= QN_SUSPICIOUS && f->layer != QN_LAYER_INTEL;
}

/* --- packages and versions --- */

static int check_result(const struct qn_result *res, bool confirmed, struct qn_err *err)
{
        struct qn_semver v;
        size_t n = 0;

        if (!res->name.n || !res->version.n)
                return qn_fail(err, -EINVAL, 0,
                               "it does not say what it is called: a record needs "
                               "a name and a version");
        if (!qn_npm_name_ok(res->name))
                return qn_fail(err, -EINVAL, 0, "its name is none that a registry could have");
        if (qn_semver_parse(res->version, 0, &v) < 0 || !qn_semver_is_plain(res->version))
                return qn_fail(err, -EINVAL, 0, "its version is none that a registry could have");
        for (size_t i = 0; i < res->verdict->n; i++)
                n += counts(&res->verdict->findings[i]);
        return n || confirmed ? 0 : qn_fail(err, -EINVAL, 0, "nothing was found in it itself");
}

static int find_package(struct gather *g, struct qn_str name)
{
        struct qn_mal *m = g->m;

        for (size_t i = 0; i < m->n; i++)
                if (qn_str_eq(m->packages[i].name, name)) {
                        g->p = &m->packages[i];
                        return 0;
                }
        if (QN_ARENA_ROOM(m->arena, m->packages, m->n, m->cap) < 0)
                return full(g);
        g->p = &m->packages[m->n];
        *g->p = (struct qn_mal_package){ 0 };
        return copy(g, name, &m->packages[m->n++].name);
}

/* "sha1-BASE64", as registries give it for old packages. */
static int add_sha1(struct gather *g, struct qn_str base64)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(64);
        char sum[QN_DIGEST_BYTES_MAX];
        size_t n;

        if (qn_base64_decode_to(base64, sum, sizeof sum, &n) < 0 || n != 20)
                return 0;
        qn_hex_encode(&b, sum, n);
        return copy(g, qn_buf_view(&b), &g->v->sha1);
}

/* Of the archive: those of the bytes that were analysed, else what the registry gives. */
static int add_hashes(struct gather *g, const struct qn_result *res)
{
        struct qn_str sri = res->integrity;
        int r;

        if (!sri.n)
                return 0; /* the archive is nobody else's */
        if (g->digests) {
                r = copy(g, g->digests->sha1, &g->v->sha1);
                return r < 0 ? r : copy(g, g->digests->sha512, &g->v->sha512);
        }
        if (qn_str_starts(sri, "sha512-"))
                return copy(g, sri, &g->v->sha512);
        return qn_str_starts(sri, "sha1-") ? add_sha1(g, qn_str_skip(sri, 5)) : 0;
}

/* 1: it is there already. */
static int add_version(struct gather *g, const struct qn_result *res)
{
        struct qn_mal_package *p = g->p;
        int r;

        for (size_t i = 0; i < p->n; i++)
                if (qn_str_eq(p->versions[i].version, res->version) &&
                    qn_str_eq(p->versions[i].integrity, res->integrity))
                        return 1;
        if (p->n >= QN_MAL_VERSIONS_MAX)
                return qn_fail(g->err, -E2BIG, 0, "%.*s has more than %u bad versions",
                               QN_STR_ARG(p->name), QN_MAL_VERSIONS_MAX);
        if (QN_ARENA_ROOM(g->m->arena, p->versions, p->n, p->cap) < 0)
                return full(g);
        g->v = &p->versions[p->n++];
        *g->v = (struct qn_mal_version){ 0 };
        r = copy(g, res->version, &g->v->version);
        if (r == 0)
                r = copy(g, res->integrity, &g->v->integrity);
        return r < 0 ? r : add_hashes(g, res);
}

static int gather(struct qn_mal *m, const struct qn_result *res, bool confirmed,
                  struct qn_err *reterr)
{
        struct gather g = { .m = m, .digests = res->digests, .err = reterr };
        int r = check_result(res, confirmed, reterr);

        if (r == 0)
                r = find_package(&g, res->name);
        if (r == 0)
                r = add_version(&g, res);
        if (r != 0)
                return r < 0 ? r : 0;
        for (size_t i = 0; r == 0 && i < res->verdict->n; i++)
                if (counts(&res->verdict->findings[i]))
                        r = add_finding(&g, res->set, &res->verdict->findings[i]);
        return r;
}

int qn_mal_gather(struct qn_mal *m, const struct qn_result *res, struct qn_err *reterr)
{
        return gather(m, res, false, reterr);
}

int qn_mal_gather_confirmed(struct qn_mal *m, const struct qn_result *res, struct qn_err *reterr)
{
        return gather(m, res, true, reterr);
}

/* --- order --- */

static int by_name(const void *a, const void *b)
{
        const struct qn_mal_package *x = a, *y = b;

        return qn_str_cmp(x->name, y->name);
}

static int by_version(const void *a, const void *b)
{
        const struct qn_mal_version *x = a, *y = b;
        struct qn_semver v, w;
        int c = 0;

        if (qn_semver_parse(x->version, 0, &v) == 0 && qn_semver_parse(y->version, 0, &w) == 0)
                c = qn_semver_cmp(&v, &w);
        if (c == 0)
                c = qn_str_cmp(x->version, y->version);
        return c ? c : qn_str_cmp(x->integrity, y->integrity);
}

static int by_place(const void *a, const void *b)
{
        const struct qn_mal_place *x = a, *y = b;
        int c = qn_str_cmp(x->file, y->file);

        if (c == 0)
                c = (x->off > y->off) - (x->off < y->off);
        if (c == 0)
                c = qn_str_cmp(x->rule, y->rule);
        return c ? c : strcmp(x->event, y->event);
}

static int by_value(const void *a, const void *b)
{
        const struct qn_indicator *x = a, *y = b;

        return x->kind != y->kind ? (int)x->kind - (int)y->kind : qn_str_cmp(x->value, y->value);
}

static void sort(void *list, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
        if (n)
                qsort(list, n, size, cmp);
}

void qn_mal_end(struct qn_mal *m)
{
        sort(m->packages, m->n, sizeof *m->packages, by_name);
        for (size_t i = 0; i < m->n; i++) {
                struct qn_mal_package *p = &m->packages[i];

                sort(p->versions, p->n, sizeof *p->versions, by_version);
                sort(p->iocs, p->n_iocs, sizeof *p->iocs, by_value);
                for (size_t k = 0; k < p->n; k++)
                        sort(p->versions[k].places, p->versions[k].n_places,
                             sizeof *p->versions[k].places, by_place);
        }
}
