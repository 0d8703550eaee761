/* upstream.c - whom to ask about a package, with which secret, and what a refusal means to a client. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "gate/gate-priv.h"
#include "net/npmconf.h"
#include "net/url.h"

#define NOT_FETCHED "this registry does not fetch what is there: "

static struct qn_str without_slashes(struct qn_str url)
{
        while (qn_str_ends(url, "/"))
                url.n--;
        return url;
}

static int from_service(struct qn_gate *g)
{
        const struct qn_service *s = &g->service;
        size_t at = 0;

        /* The default one first: the one without scopes. */
        for (unsigned scoped = 0; scoped < 2; scoped++) {
                for (size_t i = 0; i < s->n_upstreams; i++) {
                        const struct qn_service_upstream *from = &s->upstreams[i];
                        struct qn_upstream *u = &g->upstreams[at];
                        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);

                        if ((from->n_scopes != 0) != scoped)
                                continue;
                        *u = (struct qn_upstream){ .name = from->name,
                                                   .url = without_slashes(from->url),
                                                   .scopes = from->scopes,
                                                   .n_scopes = from->n_scopes,
                                                   .writes = from->writes,
                                                   .login = from->login };
                        if (from->token.p) {
                                qn_buf_puts(&b, "Bearer ");
                                qn_buf_str(&b, from->token);
                                u->authorization = qn_arena_dup(&g->service_mem, qn_buf_view(&b));
                                if (!u->authorization.p)
                                        return -ENOMEM;
                        }
                        at++;
                }
        }
        g->n_upstreams = at;
        return 0;
}

/* What npm itself would ask. */
static int from_npm(struct qn_gate *g)
{
        struct qn_str url = without_slashes(g->npm->registry);
        struct qn_npm_auth auth = { 0 };
        struct qn_url parsed;
        int r = qn_url_parse(url, &g->service_mem, &parsed, NULL);

        if (r == 0)
                r = qn_npmconf_auth(g->npm, QN_STR("x"), &parsed, &g->service_mem, &auth);
        g->upstreams[0] = (struct qn_upstream){ .name = QN_STR("npm"),
                                                .url = url,
                                                .authorization = auth.authorization };
        g->n_upstreams = 1;
        return r;
}

int qn_upstreams_again(struct qn_gate *g, struct qn_err *reterr)
{
        int r;

        g->upstreams =
                qn_arena_calloc(&g->service_mem, g->service.n_upstreams + 1, sizeof *g->upstreams);
        if (!g->upstreams)
                return -ENOMEM;
        r = g->service.n_upstreams && !g->config->registry ? from_service(g) : from_npm(g);
        return r == -EINVAL ? qn_fail(reterr, r, 0, "the registry's address is no URL") : r;
}

int qn_upstreams_load(struct qn_gate *g, struct qn_err *reterr)
{
        bool given = g->service.n_upstreams && !g->config->registry;
        struct qn_npmconf_pair flags[3];
        struct qn_npmconf_in in = { .cwd = "/",
                                    .env = environ,
                                    .flags = flags,
                                    .no_project = true,
                                    .cache_dir = g->config->cache_dir };
        struct qn_url parsed;
        int r;

        if (g->config->registry &&
            qn_url_parse(qn_str_c(g->config->registry), &g->mem, &parsed, NULL) < 0)
                return qn_fail(reterr, -EINVAL, 0,
                               "%.200s: write the registry as a URL, http(s)://HOST/",
                               g->config->registry);
        if (g->config->registry)
                flags[in.n_flags++] = (struct qn_npmconf_pair){ QN_STR("registry"),
                                                                qn_str_c(g->config->registry) };
        else if (given)
                flags[in.n_flags++] =
                        (struct qn_npmconf_pair){ QN_STR("registry"), g->service.upstreams[0].url };
        r = qn_npmconf_load(&in, &g->npm, reterr);
        if (r < 0)
                return r;
        return qn_upstreams_again(g, reterr);
}

uint64_t qn_upstream_place(struct qn_gate *g, struct qn_str name)
{
        struct qn_failure f;
        const struct qn_upstream *u = qn_upstream_of(g, name, NULL, &f);

        return u ? qn_hash64(u->url.p, u->url.n) | 1 : 0;
}

static bool has_scope(const struct qn_upstream *u, struct qn_str name)
{
        struct qn_str scope = qn_str_cut(&name, '/');

        if (!name.p)
                return false;
        for (size_t i = 0; i < u->n_scopes; i++)
                if (qn_str_eq(u->scopes[i], scope))
                        return true;
        return false;
}

static const struct qn_upstream *by_name(const struct qn_gate *g, struct qn_str name)
{
        for (size_t i = 0; i < g->n_upstreams; i++)
                if (qn_str_eq(g->upstreams[i].name, name))
                        return &g->upstreams[i];
        return NULL;
}

static const struct qn_upstream *by_scope(const struct qn_gate *g, struct qn_str name)
{
        for (size_t i = 0; i < g->n_upstreams; i++)
                if (has_scope(&g->upstreams[i], name))
                        return &g->upstreams[i];
        return NULL;
}

const struct qn_upstream *qn_upstream_of(struct qn_gate *g, struct qn_str name, bool *ret_owned,
                                         struct qn_failure *f)
{
        const struct qn_upstream *u = by_scope(g, name);
        struct qn_str place = { 0 };
        bool owned = name.n && qn_policy_owned(g->policy, name, &place);

        if (owned && place.n)
                u = by_name(g, place);
        if (ret_owned)
                *ret_owned = owned;
        if (u || !owned)
                return u ? u : &g->upstreams[0];
        qn_failure_set(f, 403,
                       "%.*s is a name of this organisation's own, which is never asked for "
                       "outside, and no "
                       "registry is configured that has it: ask who runs this registry",
                       QN_STR_ARG(name));
        return NULL;
}

void qn_upstream_package_url(const struct qn_upstream *u, struct qn_str name, struct qn_buf *out)
{
        qn_buf_str(out, u->url);
        qn_buf_byte(out, '/');
        if (qn_str_starts(name, "@")) {
                qn_buf_str(out, qn_str_cut(&name, '/'));
                qn_buf_puts(out, "%2f");
        }
        qn_buf_str(out, name);
}

struct qn_http_request qn_upstream_document(const struct qn_upstream *u, struct qn_str name,
                                            struct qn_buf *url)
{
        qn_upstream_package_url(u, name, url);
        return (struct qn_http_request){ .url = qn_buf_view(url),
                                         .accept = QN_STR("application/json"),
                                         .authorization = u->authorization,
                                         .max = QN_PACKUMENT_MAX,
                                         .compressed = true,
                                         .total_ms = QN_GATE_UPSTREAM_MS };
}

static bool is_at(const struct qn_upstream *u, struct qn_str url, struct qn_arena *a)
{
        struct qn_url ours, theirs;

        return qn_url_parse(u->url, a, &ours, NULL) == 0 &&
               qn_url_parse(url, a, &theirs, NULL) == 0 && qn_url_same_origin(&ours, &theirs);
}

int qn_upstream_reach(struct qn_gate *g, const struct qn_upstream *u, struct qn_http_request *q,
                      struct qn_arena *a, struct qn_failure *f)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);

        if (is_at(u, q->url, a)) {
                q->authorization = u->authorization;
                return 0;
        }
        q->public_only = g->service.foreign != QN_FOREIGN_ANY;
        if (g->service.foreign != QN_FOREIGN_REFUSE)
                return 0;
        qn_url_safe(q->url, &b);
        qn_failure_set(f, 403, NOT_FETCHED "%s: %s", b.p ? b.p : "",
                       qn_http_code_text(QN_HTTP_FOREIGN));
        return -EPERM;
}

void qn_upstream_failure(struct qn_failure *f, const struct qn_http_result *res)
{
        if (res->code == QN_HTTP_PRIVATE)
                qn_failure_set(f, 403, NOT_FETCHED "%s", res->message);
        else if (res->status == 404)
                qn_failure_set(f, 404, "%s", res->message);
        else if (res->status == 401 || res->status == 403)
                qn_failure_set(f, 502, "the registry behind this one refuses: %s", res->message);
        else if (res->code == QN_HTTP_TIMEOUT || res->code == QN_HTTP_LATE)
                qn_failure_set(f, 504, "the registry behind this one does not answer in time: %s",
                               res->message);
        else
                qn_failure_set(f, 502, "the registry behind this one cannot be used: %s",
                               res->message);
}
