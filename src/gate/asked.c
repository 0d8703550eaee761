/* asked.c - a question of a client, to the part of the gate that answers it. */
#include "gate/gate-priv.h"

typedef void handler(struct qn_gate *g, struct qn_asked *a);

static void not_there(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_failure f;

        qn_failure_set(&f, 404, "there is nothing at this address of the registry");
        qn_answer_failure(g, a, &f);
}

static void not_so(struct qn_gate *g, struct qn_asked *a)
{
        struct qn_failure f;

        qn_failure_set(&f, 405, "%.*s is not possible at this address", QN_STR_ARG(a->q.method));
        qn_answer_failure(g, a, &f);
}

static void whoami(struct qn_gate *g, struct qn_asked *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_failure f;

        /* The token may be one of the registry behind, with which its owner publishes. */
        if (!a->q.client.token.n && a->q.authorization.p && g->upstreams[0].login) {
                qn_pass_read(g, a);
                return;
        }
        if (!a->q.client.token.n) {
                qn_failure_set(&f, 401, "no token that this registry knows: see npm-token(1)");
                qn_answer_failure(g, a, &f);
                return;
        }
        /* A token's name is of the operator's letters: letters, digits, "-", "_" and ".". */
        qn_buf_printf(&b, "{\"username\":\"%.*s\",\"name\":\"%.*s\"}",
                      QN_STR_ARG(a->q.client.token), QN_STR_ARG(a->q.client.token));
        qn_answer_json(g, a, qn_buf_view(&b));
}

static void ping(struct qn_gate *g, struct qn_asked *a)
{
        qn_answer_json(g, a, QN_STR("{}"));
}

static const struct {
        handler *read, *write; /* GET; PUT, POST and DELETE */
} handlers[] = {
        [QN_ROUTE_PACKUMENT] = { qn_view_ask, qn_pass_write },
        [QN_ROUTE_VERSION] = { qn_view_ask, not_so },
        [QN_ROUTE_TARBALL] = { qn_artifact_ask, qn_pass_write },
        [QN_ROUTE_TAGS] = { qn_view_ask, not_so },
        [QN_ROUTE_TAG] = { not_so, qn_pass_write },
        [QN_ROUTE_SEARCH] = { qn_search_ask, not_so },
        [QN_ROUTE_PING] = { ping, not_so },
        [QN_ROUTE_WHOAMI] = { whoami, qn_pass_write },
        [QN_ROUTE_KEYS] = { qn_pass_read, not_so },
        [QN_ROUTE_ATTESTATIONS] = { qn_pass_read, not_so },
        [QN_ROUTE_ADVISORIES] = { not_so, qn_audit_ask },
        [QN_ROUTE_AUDIT] = { not_so, qn_audit_ask },
        [QN_ROUTE_LOGIN] = { qn_pass_write, qn_pass_write },
        [QN_ROUTE_TOKENS] = { qn_pass_write, qn_pass_write },
        [QN_ROUTE_REVISION] = { not_so, qn_pass_write },
        [QN_ROUTE_OTHER_REGISTRY] = { qn_pass_read, qn_pass_write },
        [QN_ROUTE_READY] = { ping, not_so },
        [QN_ROUTE_METRICS] = { qn_metrics_ask, not_so },
        [QN_ROUTE_NONE] = { not_there, not_there },
};

void qn_gate_asked(struct qn_gate *g, struct qn_asked *a)
{
        bool read = qn_str_is(a->q.method, "GET");

        g->counts.asked++;
        (read ? handlers[a->route.kind].read : handlers[a->route.kind].write)(g, a);
}
