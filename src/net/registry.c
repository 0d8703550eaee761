#include "net/registry.h"

#include <errno.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "net/cacache.h"
#include "net/npmconf.h"
#include "net/url.h"

#define ACCEPT_FULL  "application/json"
#define ACCEPT_SHORT "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
#define SHORT_TYPE   "application/vnd.npm.install-v1+json"

enum kind {
        PACKUMENT_FULL,
        PACKUMENT_SHORT,
        TARBALL,
};

struct question {
        TAILQ_ENTRY(question) link;
        struct qn_registry *r;
        struct qn_arena mem;
        enum kind kind;
        struct qn_tarball_want want; /* name for packuments */
        struct qn_str url;           /* NUL-terminated, without user information */
        struct qn_url parsed;
        struct qn_cacache_entry entry; /* what npm's cache has under the URL; key.p NULL: nothing */
        qn_registry_done *done;
        void *user;
};

TAILQ_HEAD(question_list, question);

struct qn_registry {
        const struct qn_npmconf *conf;
        struct qn_http *http;
        struct qn_cacache *cache; /* NULL: there is none */
        struct question_list fresh, asked;
        size_t open;
        uint64_t answered;
};

static const char *proxy_for(const struct qn_url *u, void *user)
{
        return qn_npmconf_proxy(user, u);
}

int qn_registry_new(const struct qn_npmconf *conf, struct qn_registry **ret)
{
        _cleanup_(qn_registry_freep) struct qn_registry *g = calloc(1, sizeof *g);
        struct qn_http_opts o = {
                .user_agent = conf->user_agent.p ? conf->user_agent : QN_STR("qanat"),
                .ca = conf->ca,
                .extra_ca = conf->extra_ca,
                .insecure = !conf->strict_ssl,
                .sockets = conf->sockets,
                .tries = conf->retries_set ? QN_MIN(conf->retries, 10u) + 1 : 0,
                .retry_min_ms = conf->retry_min_ms,
                .retry_max_ms = conf->retry_max_ms,
                .retry_factor = conf->retry_factor,
                .idle_ms = conf->timeout_ms,
                .proxy = proxy_for,
                .proxy_user = (void *)(uintptr_t)conf,
        };
        int r;

        if (!g)
                return -ENOMEM;
        g->conf = conf;
        TAILQ_INIT(&g->fresh);
        TAILQ_INIT(&g->asked);
        r = qn_http_new(&o, &g->http);
        if (r < 0)
                return r;
        r = conf->cache.p ? qn_cacache_open(conf->cache.p, &g->cache) : 0;
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
                TAILQ_REMOVE(list, q, link);
                question_free(q);
        }
}

struct qn_registry *qn_registry_free(struct qn_registry *g)
{
        if (!g)
                return NULL;
        qn_http_free(g->http);
        if (g->fresh.tqh_last) {
                drop_all(&g->fresh);
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
        return qn_http_fd(g->http);
}

/* --- asking --- */

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
        TAILQ_INSERT_TAIL(&g->fresh, q, link);
        g->open++;
        qn_http_wake(g->http);
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

/* --- answering --- */

static void answer(struct question *q, struct question_list *list, struct qn_fetched *f)
{
        struct qn_registry *g = q->r;

        TAILQ_REMOVE(list, q, link);
        g->open--;
        g->answered++;
        q->done(f, q->user);
        qn_closep(&f->fd);
        question_free(q);
}

static void fail(struct question *q, struct question_list *list, enum qn_http_code code,
                 const char *detail)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(2048);
        struct qn_fetched f = { .code = code, .fd = -1, .url = q->url };

        qn_url_safe(q->url.n ? q->url : q->want.resolved.n ? q->want.resolved : q->want.name, &b);
        qn_buf_printf(&b, ": %s", detail ? detail : qn_http_code_text(code));
        f.message = b.p ? b.p : "";
        answer(q, list, &f);
}

/* Answers with cached content: false when it cannot be opened after all. */
static bool from_cache(struct question *q, struct question_list *list, struct qn_str integrity,
                       enum qn_fetched_from from)
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
        if (f.size > (q->kind == TARBALL ? QN_TARBALL_MAX : QN_PACKUMENT_MAX)) {
                qn_closep(&f.fd);
                fail(q, list, QN_HTTP_TOO_LARGE, NULL);
                return true;
        }
        answer(q, list, &f);
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
                if (!from_cache(q, &q->r->asked, q->entry.integrity, QN_FROM_CACHE_CONFIRMED))
                        fail(q, &q->r->asked, QN_HTTP_STATUS, NULL);
                return;
        }
        answer(q, &q->r->asked, &f);
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

static int packument_url(struct question *q, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_str registry = qn_npmconf_registry_of(q->r->conf, q->want.name),
                      name = q->want.name;

        if (!qn_npm_name_ok(name))
                return qn_fail(reterr, -EINVAL, 0,
                               "this is not a package name; check its spelling");
        while (qn_str_ends(registry, "/"))
                registry.n--;
        qn_buf_str(&b, registry);
        qn_buf_byte(&b, '/');
        if (qn_str_starts(name, "@")) {
                qn_buf_str(&b, qn_str_cut(&name, '/'));
                qn_buf_puts(&b, "%2f");
        }
        qn_buf_str(&b, name);
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

static bool wanted(const struct qn_cacache_entry *e, void *user)
{
        const struct question *q = user;

        if (e->status || !e->integrity.n)
                return false;
        /* A full document answers a question for the short one, not the other way round. */
        return q->kind != PACKUMENT_FULL || qn_str_find(e->accept, QN_STR(SHORT_TYPE)) < 0;
}

static uint64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int find_entry(struct question *q, struct qn_str key)
{
        _cleanup_(qn_buf_done) struct qn_buf bucket = QN_BUF_INIT(QN_CACACHE_BUCKET_MAX);
        _cleanup_(qn_closep) int fd = -1;
        int r = qn_cacache_bucket(q->r->cache, key, &fd);

        if (r == 0)
                r = qn_io_read_fd(fd, &bucket);
        return r < 0 ? r
                     : qn_cacache_pick(qn_buf_view(&bucket), key, wanted, q, &q->mem, &q->entry);
}

/* Answers from npm's cache when that is allowed. */
static bool try_cache(struct question *q)
{
        const struct qn_npmconf *c = q->r->conf;
        struct question_list *list = &q->r->fresh;
        struct qn_str key;

        if (!q->r->cache || (q->want.skip_cache && !c->offline))
                return false;
        if (q->want.integrity.n)
                return from_cache(q, list, q->want.integrity, QN_FROM_CACHE);
        if (qn_cacache_url_key(q->url, &q->mem, &key) < 0 || find_entry(q, key) < 0)
                return false;
        if (!c->offline && !c->prefer_offline &&
            (c->prefer_online || !qn_cacache_fresh(&q->entry, now_ms())))
                return false;
        return from_cache(q, list, q->entry.integrity, QN_FROM_CACHE);
}

static int ask_network(struct question *q)
{
        static const struct {
                const char *accept;
                size_t max;
        } how[] = {
                [PACKUMENT_FULL] = { ACCEPT_FULL, QN_PACKUMENT_MAX },
                [PACKUMENT_SHORT] = { ACCEPT_SHORT, QN_PACKUMENT_MAX },
                [TARBALL] = { "*/*", QN_TARBALL_MAX },
        };
        struct qn_http_request req = {
                .url = q->url,
                /* "Is your copy still good" makes sense for the form that was cached only. */
                .accept = q->entry.etag.n && q->entry.accept.n ? q->entry.accept
                                                               : qn_str_c(how[q->kind].accept),
                .etag = q->entry.etag,
                .max = how[q->kind].max,
                .compressed = q->kind != TARBALL,
        };
        struct qn_npm_auth auth = { 0 };
        int r = qn_npmconf_auth(q->r->conf, q->want.name, &q->parsed, &q->mem, &auth);

        if (r < 0)
                return r;
        req.authorization = auth.authorization;
        req.cert = auth.cert;
        req.key = auth.key;
        r = qn_http_get(q->r->http, &req, on_http, q);
        if (r < 0)
                return r;
        TAILQ_REMOVE(&q->r->fresh, q, link);
        TAILQ_INSERT_TAIL(&q->r->asked, q, link);
        return 0;
}

static void look_into(struct question *q)
{
        struct question_list *list = &q->r->fresh;
        struct qn_err err = { 0 };
        int r = q->kind == TARBALL ? tarball_url(q, &err) : packument_url(q, &err);

        /* Content that is named by its integrity needs no address. */
        if (r < 0 && !(q->want.integrity.n && q->r->cache)) {
                fail(q, list, QN_HTTP_URL, err.msg[0] ? err.msg : NULL);
                return;
        }
        if (try_cache(q))
                return;
        if (r < 0) {
                fail(q, list, QN_HTTP_URL, err.msg[0] ? err.msg : NULL);
                return;
        }
        if (q->r->conf->offline) {
                fail(q, list, QN_HTTP_OFFLINE, NULL);
                return;
        }
        r = ask_network(q);
        if (r < 0)
                fail(q, list, r == -EINVAL ? QN_HTTP_CONFIG : QN_HTTP_INTERNAL, NULL);
}

int qn_registry_poll(struct qn_registry *g, int timeout_ms)
{
        uint64_t before = g->answered;
        struct question *q;
        int r;

        while ((q = TAILQ_FIRST(&g->fresh)))
                look_into(q);
        if (g->open) {
                r = qn_http_poll(g->http, g->answered == before ? timeout_ms : 0);
                if (r < 0)
                        return r;
        }
        return (int)QN_MIN(g->open, (size_t)INT32_MAX);
}
