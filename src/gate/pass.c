/* pass.c - what is asked of the registry behind this one as it stands: searches, keys and attestations; and, where the
 * configuration allows it, what changes something there. */
#include <errno.h>
#include <stdlib.h>

#include "base/io.h"
#include "gate/gate-priv.h"
#include "role/fetch.h"

#define ANSWER_MAX ((size_t)64 << 20)

struct pass {
        struct qn_gate *g;
        struct qn_asked *a;
        bool writes;
};

/* Nobody looks at what is passed on: it cannot be a package. */
static bool is_document(struct qn_str type)
{
        struct qn_str plain = qn_str_trim(qn_str_cut(&type, ';'));

        return qn_str_ieq(plain, QN_STR("application/json")) ||
               qn_str_ieq(plain, QN_STR("text/plain")) || qn_str_ieq(plain, QN_STR("text/html")) ||
               (qn_str_starts(plain, "application/") && qn_str_ends(plain, "+json"));
}

static void on_answer(struct qn_http_result *res, void *user)
{
        struct pass *p = user;
        struct qn_failure f;
        struct qn_front_answer head = { .status = (uint16_t)res->status,
                                        .content_type = res->content_type,
                                        .cache_control = QN_STR("no-store"),
                                        .notice = res->notice,
                                        .authenticate = res->authenticate,
                                        .retry_after = res->retry_after };

        if (p->writes && res->status >= 200 && res->status < 300 && p->a->route.name.n)
                qn_package_expire(p->g, p->a->route.name);
        if (!p->writes && res->code == QN_HTTP_OK && res->status == 200 &&
            !is_document(res->content_type)) {
                qn_failure_set(&f, 502, "what the registry behind this one answers is no document");
                qn_answer_failure(p->g, p->a, &f);
                free(p);
                return;
        }
        if (res->code != QN_HTTP_OK || res->status < 200 || res->status > 599) {
                qn_upstream_failure(&f, res);
                qn_answer_failure(p->g, p->a, &f);
        } else {
                qn_answer(p->g, p->a, &head, TAKE_FD(res->fd));
        }
        free(p);
}

/* The request's own path below the upstream's address.  It was found to be a plain one (route.h). */
static void put_url(const struct qn_gate *g, const struct qn_asked *a, const struct qn_upstream *u,
                    struct qn_buf *out)
{
        struct qn_str path = a->q.path;
        size_t cut = 0;
        ptrdiff_t at = qn_str_find(g->service.url, QN_STR("://"));

        if (at >= 0) {
                struct qn_str rest = qn_str_skip(g->service.url, (size_t)at + 3);
                ptrdiff_t slash = qn_str_chr(rest, '/');

                cut = slash < 0 ? 0 : rest.n - (size_t)slash;
        }
        qn_buf_str(out, u->url);
        qn_buf_str(out, qn_str_skip(path, cut));
}

/* What is nothing of a package, as hooks, organisations and their members, is between a person and the registry: the token that this
 * registry has for packages is lent to nobody for it. */
static struct qn_str authorization_of(const struct qn_asked *a, const struct qn_upstream *u)
{
        if (u->login && a->q.authorization.p)
                return a->q.authorization;
        return a->route.kind == QN_ROUTE_OTHER_REGISTRY ? (struct qn_str){ 0 } : u->authorization;
}

static void send(struct qn_gate *g, struct qn_asked *a, const struct qn_upstream *u, bool writes)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        struct qn_http_request q = { .accept = QN_STR("application/json"),
                                     .max = ANSWER_MAX,
                                     .compressed = true,
                                     .pass = true,
                                     .total_ms = QN_GATE_UPSTREAM_MS,
                                     .content_type = a->q.content_type,
                                     .content_encoding = a->q.content_encoding,
                                     .otp = a->q.otp,
                                     .auth_type = a->q.auth_type,
                                     .session = a->q.client.session,
                                     .command = a->q.client.command };
        struct pass *p = calloc(1, sizeof *p);
        struct qn_failure f;
        int r = p ? 0 : -ENOMEM;

        put_url(g, a, u, &url);
        q.url = qn_buf_view(&url);
        q.authorization = authorization_of(a, u);
        if (!qn_str_is(a->q.method, "GET"))
                q.method = a->q.method;
        if (r == 0) {
                *p = (struct pass){ g, a, writes };
                r = qn_fetch_send(g->fetch, &q, a->q.body, on_answer, p);
        }
        if (r == 0)
                return;
        free(p);
        qn_failure_set(&f, r == -EINVAL ? 400 : 503, "it cannot be passed on: %s",
                       strerrordesc_np(-r));
        qn_answer_failure(g, a, &f);
}

void qn_pass_read(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_failure f;
        const struct qn_upstream *u = qn_upstream_of(g, a->route.name, NULL, &f);

        if (u)
                send(g, a, u, false);
        else
                qn_answer_failure(g, a, &f);
}

void qn_pass_write(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_failure f;
        const struct qn_upstream *u = qn_upstream_of(g, a->route.name, NULL, &f);

        if (u && !u->writes) {
                qn_failure_set(
                        &f, 403,
                        "this registry only reads: publishing, logging in and changing tags are "
                        "switched off (writes of upstream %.*s)",
                        QN_STR_ARG(u->name));
                u = NULL;
        }
        if (u)
                send(g, a, u, true);
        else
                qn_answer_failure(g, a, &f);
}
