#include "role/registry.h"

#include <errno.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "net/cacache.h"
#include "net/http-conf.h"
#include "net/npmconf.h"
#include "net/url.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/pool.h"

#define ACCEPT_FULL  "application/json"
#define ACCEPT_SHORT "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

enum kind {
        PACKUMENT_FULL,
        PACKUMENT_SHORT,
        TARBALL,
        ATTESTATIONS,
        KEYS,
};

/* How the network is asked for each. */
static const struct {
        const char *accept;
        size_t max;
} asked_for[] = {
        [PACKUMENT_FULL] = { ACCEPT_FULL, QN_PACKUMENT_MAX },
        [PACKUMENT_SHORT] = { ACCEPT_SHORT, QN_PACKUMENT_MAX },
        [TARBALL] = { "*/*", QN_TARBALL_MAX },
        [ATTESTATIONS] = { ACCEPT_FULL, QN_ATTESTATIONS_MAX },
        [KEYS] = { ACCEPT_FULL, QN_TRUST_MAX },
};

TAILQ_HEAD(question_list, question);

struct question {
        TAILQ_ENTRY(question) link;
        struct question_list *list; /* that it is in */
        struct qn_registry *r;
        struct qn_arena mem;
        enum kind kind;
        struct qn_tarball_want want; /* name for packuments */
        struct qn_str url;           /* NUL-terminated, without user information */
        struct qn_url parsed;
        bool looked;                    /* the cache's index has been asked: */
        struct qn_analyse_cached entry; /* what npm's cache has under the URL */
        qn_registry_done *done;
        void *user;
};

struct qn_registry {
        const struct qn_npmconf *conf;
        enum qn_foreign foreign;
        struct qn_pool *pool;
        struct qn_fetch *fetch;
        struct qn_cacache *cache; /* NULL: there is none */
        /* to be looked into; those that a worker looks up in the cache's index; those that the
         * network was asked */
        struct question_list fresh, indexed, asked;
        size_t open;
        uint64_t answered;
};

int qn_registry_new(const struct qn_registry_config *config, struct qn_registry **ret)
{
        const struct qn_npmconf *conf = config->conf;
        _cleanup_(qn_registry_freep) struct qn_registry *g = calloc(1, sizeof *g);
        const struct qn_http_opts o = qn_http_opts_of(conf);
        int r;

        if (!g)
                return -ENOMEM;
        g->conf = conf;
        g->pool = config->pool;
        g->foreign = config->foreign;
        TAILQ_INIT(&g->fresh);
        TAILQ_INIT(&g->indexed);
        TAILQ_INIT(&g->asked);
        r = qn_fetch_new(&o, config->no_sandbox, &g->fetch);
        if (r < 0)
                return r;
        r = conf->cache.p && !config->no_cache ? qn_cacache_open(conf->cache.p, &g->cache) : 0;
        if (r == -ENOMEM)
                return r;
        *ret = TAKE_PTR(g);
        return 0;
}

static void question_free(struct question *q)
{
        qn_arena_done(&q->mem);
        free(q);
}

static void drop_all(struct question_list *list)
{
        struct question *q;

        while ((q = TAILQ_FIRST(list))) {
                TAILQ_REMOVE(q->list, q, link);
                question_free(q);
        }
}

struct qn_registry *qn_registry_free(struct qn_registry *g)
{
        if (!g)
                return NULL;
        qn_fetch_free(g->fetch);
        if (g->fresh.tqh_last) {
                drop_all(&g->fresh);
                drop_all(&g->indexed);
                drop_all(&g->asked);
        }
        qn_cacache_free(g->cache);
        free(g);
        return NULL;
}

void qn_registry_freep(struct qn_registry **g)
{
        *g = qn_registry_free(*g);
}

int qn_registry_fd(const struct qn_registry *g)
{
        return qn_fetch_fd(g->fetch);
}

/* --- asking --- */

static void move(struct question *q, struct question_list *to)
{
        TAILQ_REMOVE(q->list, q, link);
        q->list = to;
        TAILQ_INSERT_TAIL(to, q, link);
}

static int copy(struct qn_arena *a, struct qn_str *s)
{
        *s = qn_arena_dup(a, *s);
        return s->p ? 0 : -ENOMEM;
}

static int add(struct qn_registry *g, enum kind kind, const struct qn_tarball_want *want,
               qn_registry_done *done, void *user)
{
        struct question *q = calloc(1, sizeof *q);

        if (!q)
                return -ENOMEM;
        *q = (struct question){ .r = g,
                                .mem = QN_ARENA_INIT((size_t)2 << 20),
                                .kind = kind,
                                .want = *want,
                                .done = done,
                                .user = user };
        if (copy(&q->mem, &q->want.name) < 0 || copy(&q->mem, &q->want.version) < 0 ||
            copy(&q->mem, &q->want.resolved) < 0 || copy(&q->mem, &q->want.integrity) < 0) {
                question_free(q);
                return -ENOMEM;
        }
        q->list = &g->fresh;
        TAILQ_INSERT_TAIL(q->list, q, link);
        g->open++;
        qn_fetch_wake(g->fetch);
        return 0;
}

int qn_registry_packument(struct qn_registry *g, struct qn_str name, bool full,
                          qn_registry_done *done, void *user)
{
        struct qn_tarball_want want = { .name = name };

        return add(g, full ? PACKUMENT_FULL : PACKUMENT_SHORT, &want, done, user);
}

int qn_registry_tarball(struct qn_registry *g, const struct qn_tarball_want *want,
                        qn_registry_done *done, void *user)
{
        return add(g, TARBALL, want, done, user);
}

int qn_registry_attestations(struct qn_registry *g, struct qn_str name, struct qn_str version,
                             qn_registry_done *done, void *user)
{
        struct qn_tarball_want want = { .name = name, .version = version };

        return add(g, ATTESTATIONS, &want, done, user);
}

int qn_registry_keys(struct qn_registry *g, struct qn_str name, qn_registry_done *done, void *user)
{
        struct qn_tarball_want want = { .name = name };

        return add(g, KEYS, &want, done, user);
}

/* --- answering --- */

static void answer(struct question *q, struct qn_fetched *f)
{
        struct qn_registry *g = q->r;

        TAILQ_REMOVE(q->list, q, link);
        g->open--;
        g->answered++;
        q->done(f, q->user);
        qn_closep(&f->fd);
        question_free(q);
}

static void fail(struct question *q, enum qn_http_code code, const char *detail)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(2048);
        struct qn_fetched f = { .code = code, .fd = -1, .url = q->url };

        qn_url_safe(q->url.n ? q->url : q->want.resolved.n ? q->want.resolved : q->want.name, &b);
        qn_buf_printf(&b, ": %s", detail ? detail : qn_http_code_text(code));
        f.message = b.p ? b.p : "";
        answer(q, &f);
}

/* Answers with cached content: false when it cannot be opened after all. */
static bool from_cache(struct question *q, struct qn_str integrity, enum qn_fetched_from from)
{
        struct qn_fetched f = {
                .code = QN_HTTP_OK,
                .message = "",
                .fd = -1,
                .from = from,
                .url = q->url,
                .etag = q->entry.etag,
                .last_modified = q->entry.last_modified,
                .cache_control = q->entry.cache_control,
                .content_type = q->entry.content_type,
                .date = q->entry.date,
        };

        if (qn_cacache_content(q->r->cache, integrity, &f.fd, &f.size) < 0)
                return false;
        if (f.size > asked_for[q->kind].max) {
                qn_closep(&f.fd);
                fail(q, QN_HTTP_TOO_LARGE, NULL);
                return true;
        }
        answer(q, &f);
        return true;
}

static void on_http(struct qn_http_result *res, void *user)
{
        struct question *q = user;
        struct qn_fetched f = {
                .code = res->code,
                .status = res->status,
                .message = res->message,
                .fd = TAKE_FD(res->fd),
                .size = res->size,
                .tries = res->tries,
                .url = res->url,
                .etag = res->etag,
                .last_modified = res->last_modified,
                .cache_control = res->cache_control,
                .content_type = res->content_type,
                .date = res->date,
        };

        if (res->code == QN_HTTP_OK && res->status == 304) {
                if (!from_cache(q, q->entry.integrity, QN_FROM_CACHE_CONFIRMED))
                        fail(q, QN_HTTP_STATUS, NULL);
                return;
        }
        answer(q, &f);
}

/* --- what to ask whom --- */

static int set_url(struct question *q, struct qn_str text, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        int r = qn_url_parse(text, &q->mem, &q->parsed, reterr);

        if (r < 0)
                return r;
        qn_url_write(&q->parsed, &b);
        if (qn_buf_error(&b) < 0)
                return qn_fail(reterr, -EINVAL, 0, "the address is too long");
        q->url = qn_arena_dup(&q->mem, qn_buf_view(&b));
        return q->url.p ? 0 : -ENOBUFS;
}

static void put_name(struct qn_buf *b, struct qn_str name)
{
        if (qn_str_starts(name, "@")) {
                qn_buf_str(b, qn_str_cut(&name, '/'));
                qn_buf_puts(b, "%2f");
        }
        qn_buf_str(b, name);
}

/* The address is made here: what a document says about itself is not where credentials are sent. */
static int document_url(struct question *q, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str registry = qn_npmconf_registry_of(q->r->conf, q->want.name);

        if (!qn_npm_name_ok(q->want.name))
                return qn_fail(reterr, -EINVAL, 0,
                               "this is not a package name; check its spelling");
        while (qn_str_ends(registry, "/"))
                registry.n--;
        qn_buf_str(&b, registry);
        qn_buf_puts(&b, q->kind == ATTESTATIONS ? "/-/npm/v1/attestations/"
                        : q->kind == KEYS       ? "/-/npm/v1/keys"
                                                : "/");
        if (q->kind != KEYS)
                put_name(&b, q->want.name);
        if (q->kind == ATTESTATIONS) {
                qn_buf_byte(&b, '@');
                qn_buf_str(&b, q->want.version);
        }
        if (qn_buf_error(&b) < 0)
                return qn_fail(reterr, -EINVAL, 0, "the address is too long");
        return set_url(q, qn_buf_view(&b), reterr);
}

static int tarball_url(struct question *q, struct qn_err *reterr)
{
        struct qn_str url;
        int r = qn_npmconf_tarball_url(q->r->conf, q->want.name, q->want.version, q->want.resolved,
                                       &q->mem, &url, reterr);

        return r < 0 ? r : set_url(q, url, reterr);
}

static uint64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whether the cached answer may be used without asking. */
static bool may_reuse(const struct question *q)
{
        const struct qn_npmconf *c = q->r->conf;

        if (c->offline || c->prefer_offline)
                return true;
        return !c->prefer_online && qn_cacache_fresh(q->entry.time_ms, q->entry.life_s, now_ms());
}

static bool is_foreign(struct question *q)
{
        return q->kind == TARBALL && q->r->foreign != QN_FOREIGN_ANY &&
               !qn_npmconf_knows(q->r->conf, q->want.name, &q->parsed, &q->mem);
}

static int ask_network(struct question *q, bool foreign)
{
        struct qn_http_request req = {
                .url = q->url,
                /* "Is your copy still good" makes sense for the form that was cached only. */
                .accept = q->entry.etag.n && q->entry.accept.n
                                  ? q->entry.accept
                                  : qn_str_c(asked_for[q->kind].accept),
                .etag = q->entry.etag,
                .max = asked_for[q->kind].max,
                .compressed = q->kind != TARBALL,
                .public_only = foreign,
        };
        struct qn_npm_auth auth = { 0 };
        int r = qn_npmconf_auth(q->r->conf, q->want.name, &q->parsed, &q->mem, &auth);

        if (r < 0)
                return r;
        req.authorization = auth.authorization;
        req.cert = auth.cert;
        req.key = auth.key;
        r = qn_fetch_get(q->r->fetch, &req, on_http, q);
        if (r == 0)
                move(q, &q->r->asked);
        return r;
}

/* With what the index says, or without. */
static void go_on(struct question *q)
{
        bool foreign;
        int r;

        if (q->entry.integrity.n && may_reuse(q) &&
            from_cache(q, q->entry.integrity, QN_FROM_CACHE))
                return;
        if (q->r->conf->offline) {
                fail(q, QN_HTTP_OFFLINE, NULL);
                return;
        }
        foreign = is_foreign(q);
        if (foreign && q->r->foreign == QN_FOREIGN_REFUSE) {
                fail(q, QN_HTTP_FOREIGN, NULL);
                return;
        }
        r = ask_network(q, foreign);
        if (r < 0)
                fail(q, r == -EINVAL ? QN_HTTP_CONFIG : QN_HTTP_INTERNAL, NULL);
}

/* That a worker cannot read the index is no failure: then the network is asked. */
static void on_index(void *ctx QN_UNUSED, const struct qn_pool_result *res)
{
        struct question *q = res->user;
        struct qn_analyse_cached *e = &q->entry;
        struct qn_str *const texts[] = { &e->integrity,     &e->accept,        &e->etag,
                                         &e->last_modified, &e->cache_control, &e->content_type,
                                         &e->date };

        if (res->status != QN_POOL_OK || qn_analyse_read_cached(res->reply, e) < 0)
                *e = (struct qn_analyse_cached){ 0 };
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                if (texts[i]->p && copy(&q->mem, texts[i]) < 0)
                        e->integrity = e->etag = (struct qn_str){ 0 };
        q->looked = true;
        move(q, &q->r->fresh);
        qn_fetch_wake(q->r->fetch);
}

/* Has a worker look the address up in the cache's index: false when there is nothing to look into. */
static bool ask_index(struct question *q)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(QN_ROLE_PARAMS_MAX);
        struct qn_pool_job job = { .kind = QN_JOB_CACHED, .done = on_index, .user = q };
        struct qn_str key;

        if (!q->r->cache || (q->want.skip_cache && !q->r->conf->offline) ||
            qn_cacache_url_key(q->url, &q->mem, &key) < 0 ||
            qn_cacache_bucket(q->r->cache, key, &job.input_fd) < 0)
                return false;
        qn_analyse_write_key(&params, key, q->kind == PACKUMENT_FULL);
        job.params = qn_buf_view(&params);
        if (qn_buf_error(&params) < 0 || qn_pool_submit(q->r->pool, &job) < 0) {
                close(job.input_fd);
                return false;
        }
        move(q, &q->r->indexed);
        return true;
}

/* Content that is named by its integrity needs no address. */
static bool from_integrity(struct question *q)
{
        if (!q->r->cache || !q->want.integrity.n || (q->want.skip_cache && !q->r->conf->offline))
                return false;
        return from_cache(q, q->want.integrity, QN_FROM_CACHE);
}

static void look_into(struct question *q)
{
        struct qn_err err = { 0 };
        int r = q->kind == TARBALL ? tarball_url(q, &err) : document_url(q, &err);

        if (from_integrity(q))
                return;
        if (r < 0)
                fail(q, QN_HTTP_URL, err.msg[0] ? err.msg : NULL);
        else if (q->want.integrity.n || !ask_index(q))
                go_on(q);
}

int qn_registry_poll(struct qn_registry *g, int timeout_ms, struct qn_err *reterr)
{
        uint64_t before = g->answered;
        struct question *q;
        int r;

        while ((q = TAILQ_FIRST(&g->fresh))) {
                if (q->looked)
                        go_on(q);
                else
                        look_into(q);
        }
        if (g->open) {
                r = qn_fetch_poll(g->fetch, g->answered == before ? timeout_ms : 0, reterr);
                if (r < 0)
                        return r;
        }
        return (int)QN_MIN(g->open, (size_t)INT32_MAX);
}
