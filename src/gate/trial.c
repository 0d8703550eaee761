#include "gate/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>

#include "gate/gate-priv.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/pool.h"

struct trial_package {
        struct qn_trial *t;
        struct qn_package p; /* its name and facts */
        struct qn_failure failure;
};

struct qn_trial {
        struct qn_gate *g;
        bool recorded; /* there is a record of verdicts */
        struct qn_arena mem;
        struct trial_package *packages;
        size_t n, open;
};

/* --- life --- */

/* None is an empty one. */
static int open_ledger(struct qn_trial *t, struct qn_err *reterr)
{
        struct qn_err err = { 0 };
        int r = qn_db_open(&qn_db_gate, t->g->config->store, false, &t->g->db, &err);

        t->recorded = r == 0;
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                *reterr = err;
        return r < 0 ? r : qn_db_patience(&t->g->db, QN_GATE_BUSY_MS);
}

static int open_intelligence(struct qn_gate *g, struct qn_err *reterr)
{
        struct qn_err err = { 0 };
        int r = qn_turned_open(g, &err);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                *reterr = err;
        return r;
}

int qn_trial_new(const struct qn_gate_config *config, struct qn_trial **ret, struct qn_err *reterr)
{
        _cleanup_(qn_trial_freep) struct qn_trial *t = calloc(1, sizeof *t);
        int r;

        if (!t)
                return -ENOMEM;
        t->mem = QN_ARENA_INIT(QN_FLIGHT_ARENA_MAX);
        r = qn_gate_prepare(config, &t->g, reterr);
        if (r == 0)
                r = open_ledger(t, reterr);
        if (r == 0)
                r = open_intelligence(t->g, reterr);
        if (r == 0)
                r = qn_gate_start_workers(t->g, reterr);
        if (r == 0)
                *ret = TAKE_PTR(t);
        return r;
}

struct qn_trial *qn_trial_free(struct qn_trial *t)
{
        if (!t)
                return NULL;
        qn_gate_free(t->g);
        for (size_t i = 0; i < t->n; i++)
                qn_arena_done(&t->packages[i].p.mem);
        free(t->packages);
        qn_arena_done(&t->mem);
        free(t);
        return NULL;
}

void qn_trial_freep(struct qn_trial **t)
{
        *t = qn_trial_free(*t);
}

const struct qn_policy *qn_trial_policy(const struct qn_trial *t)
{
        return t->g->policy;
}

/* --- documents --- */

static void on_facts(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct trial_package *k = res->user;
        int r = res->status == QN_POOL_OK ? 0 : -EBADMSG;

        k->t->open--;
        if (r == 0)
                r = qn_package_facts(res->reply, &k->p.mem, &k->p.facts);
        if (r < 0)
                qn_failure_set(&k->failure, 502, "the document of %s cannot be used: %s", k->p.name,
                               res->why[0] ? res->why : "its facts are not sound");
}

/* The descriptor is taken. */
static int read_document(struct trial_package *k, int fd)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(4096);
        struct qn_pool_job job = {
                .kind = QN_JOB_FACTS, .input_fd = fd, .user = k, .done = on_facts
        };
        int r;

        qn_analyse_write_name(&params, qn_str_c(k->p.name));
        job.params = qn_buf_view(&params);
        r = qn_buf_error(&params);
        if (r == 0)
                r = qn_pool_submit(k->t->g->pool, &job);
        if (r < 0)
                qn_closep(&fd);
        else
                k->t->open++;
        return r;
}

static void on_document(struct qn_http_result *res, void *user)
{
        struct trial_package *k = user;
        int r = 0;

        k->t->open--;
        if (res->code != QN_HTTP_OK || res->fd < 0)
                qn_upstream_failure(&k->failure, res);
        else
                r = read_document(k, TAKE_FD(res->fd));
        if (r < 0)
                qn_failure_set(&k->failure, 503, "the document of %s cannot be read: %s", k->p.name,
                               strerrordesc_np(-r));
}

static int fetch(struct trial_package *k)
{
        _cleanup_(qn_buf_done) struct qn_buf url = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str name = qn_str_c(k->p.name);
        const struct qn_upstream *u = qn_upstream_of(k->t->g, name, NULL, &k->failure);
        struct qn_http_request q;
        int r;

        if (!u)
                return 0; /* that nobody is asked is the answer */
        q = qn_upstream_document(u, name, &url);
        r = qn_fetch_get(k->t->g->fetch, &q, on_document, k);
        k->t->open += r == 0;
        return r;
}

static struct trial_package *find(struct qn_trial *t, struct qn_str name)
{
        for (size_t i = 0; i < t->n; i++)
                if (qn_str_is(name, t->packages[i].p.name))
                        return &t->packages[i];
        return NULL;
}

static int read_copy(struct trial_package *k, int document)
{
        int fd = fcntl(document, F_DUPFD_CLOEXEC, 0);

        return fd < 0 ? -errno : read_document(k, fd);
}

static int add(struct qn_trial *t, struct qn_str name, int document)
{
        struct trial_package *k = &t->packages[t->n];

        if (find(t, name))
                return 0;
        if (name.n >= sizeof k->p.name)
                return -EINVAL;
        k->t = t;
        memcpy(k->p.name, name.p, name.n);
        k->p.mem = QN_ARENA_INIT(QN_GATE_FACTS_MAX);
        t->n++;
        return document < 0 ? fetch(k) : read_copy(k, document);
}

static int wait_for_all(struct qn_trial *t, struct qn_err *reterr)
{
        struct qn_gate *g = t->g;

        while (t->open) {
                struct pollfd fds[] = { { .fd = qn_fetch_fd(g->fetch), .events = POLLIN },
                                        { .fd = qn_pool_fd(g->pool), .events = POLLIN } };
                int ms = qn_pool_timeout(g->pool);

                if (poll(fds, QN_ARRAY_SIZE(fds), ms >= 0 && ms < 1000 ? ms : 1000) < 0 &&
                    errno != EINTR)
                        return -errno;
                if (qn_fetch_poll(g->fetch, 0, reterr) < 0 || qn_pool_poll(g->pool, 0, reterr) < 0)
                        return -EIO;
        }
        return 0;
}

/* --- facts --- */

static int facts_of(struct qn_trial *t, const struct qn_trial_version *v,
                    struct qn_policy_facts *ret, struct qn_err *reterr)
{
        struct trial_package *k = find(t, v->name);
        const struct qn_packument_fact *fact;

        if (k->failure.status)
                return qn_fail(reterr, -EIO, 0, "%s", k->failure.reason);
        fact = qn_package_find(&k->p, v->version);
        if (!fact)
                return qn_fail(reterr, -ENOENT, 0, "%s has no version %.*s", k->p.name,
                               QN_STR_ARG(v->version));
        if (fact->mismatch)
                return qn_fail(reterr, -EIO, 0,
                               "%s@%.*s: the registry files another package under this version, "
                               "which is never served",
                               k->p.name, QN_STR_ARG(v->version));
        qn_decide_facts(t->g, &k->p, (size_t)(fact - k->p.facts.versions), &t->mem, ret);
        if (t->recorded)
                (void)qn_decide_recorded(t->g, fact->integrity, &t->mem, ret);
        return 0;
}

int qn_trial_facts(struct qn_trial *t, const struct qn_trial_version *v, size_t n, int document,
                   struct qn_policy_facts *ret, struct qn_err *reterr)
{
        int r = 0;

        t->packages = calloc(n, sizeof *t->packages);
        if (!t->packages)
                return -ENOMEM;
        for (size_t i = 0; i < n && r == 0; i++)
                r = add(t, v[i].name, document);
        if (r == 0)
                r = wait_for_all(t, reterr);
        for (size_t i = 0; i < n && r == 0; i++)
                r = facts_of(t, &v[i], &ret[i], reterr);
        return r;
}
