/* probe.c - the registry client on the command line, for the black-box tests of tests/net.
 *     probe conf KEY...             resolved settings, one line each
 *     probe load                    how long it takes to resolve them (microseconds)
 *     probe auth NAME URL...        what would be sent, and through which proxy
 *     probe url NAME VERSION [RESOLVED]
 *     probe get MAX URL...          the fetch role alone, all at once
 *     probe send METHOD URL [KEY=VALUE...]   one request of any kind: size= bytes are sent; what came, its headers, its body
 *     probe packument|full NAME...  all at once
 *     probe tarball NAME VERSION [RESOLVED [INTEGRITY]]
 * Flags for npm come from the environment, as npm_config_*.  QANAT_CACHE names the directory for npm's remembered default. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/hash.h"
#include "base/io.h"
#include "net/npmconf.h"
#include "net/url.h"
#include "role/analyse.h"
#include "role/fetch.h"
#include "role/pool.h"
#include "role/registry.h"

static unsigned bad;

static void show(const char *key, struct qn_str v)
{
        printf("%s=%.*s\n", key, QN_STR_ARG(v));
}

static int load(struct qn_npmconf **ret)
{
        char cwd[4096];
        struct qn_npmconf_in in = { .cwd = getcwd(cwd, sizeof cwd),
                                    .env = environ,
                                    .cache_dir = getenv("QANAT_CACHE") };
        struct qn_err err = { 0 };
        int r = qn_npmconf_load(&in, ret, &err);

        if (r < 0)
                printf("error %d %s\n", -r, err.msg);
        return r;
}

static void body(int fd, uint64_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 30),
                                             hex = QN_BUF_INIT(256);
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        if (fd < 0 || qn_io_read_fd(fd, &b) < 0 || b.n != size ||
            qn_digest(QN_SHA1, b.p, b.n, digest) < 0)
                return;
        qn_hex_encode(&hex, digest, 20);
        printf(" sha1=%s", hex.p);
}

static void on_http(struct qn_http_result *res, void *user)
{
        printf("%s %s status=%d size=%llu tries=%u", (const char *)user,
               qn_http_code_name(res->code), res->status, (unsigned long long)res->size,
               res->tries);
        body(res->fd, res->size);
        printf(" | %s\n", res->message);
        bad += res->code != QN_HTTP_OK;
}

static void on_fetched(struct qn_fetched *f, void *user)
{
        static const char *const from[] = { "network", "cache", "confirmed" };

        printf("%s %s status=%d size=%llu tries=%u from=%s type=%.*s", (const char *)user,
               qn_http_code_name(f->code), f->status, (unsigned long long)f->size, f->tries,
               from[f->from], QN_STR_ARG(f->content_type));
        body(f->fd, f->size);
        printf(" | %s\n", f->message);
        bad += f->code != QN_HTTP_OK;
}

static int get(int argc, char **argv, const struct qn_npmconf *c)
{
        _cleanup_(qn_fetch_freep) struct qn_fetch *h = NULL;
        struct qn_http_opts o = { .ca = c->ca,
                                  .extra_ca = c->extra_ca,
                                  .insecure = !c->strict_ssl,
                                  .idle_ms = c->timeout_ms,
                                  .retry_min_ms = 20,
                                  .retry_max_ms = 200 };
        struct qn_err err = { 0 };
        uint64_t max = 0;
        int r = qn_fetch_new(&o, false, &h);

        if (r < 0 || qn_str_u64(qn_str_c(argv[0]), &max) < 0)
                return 2;
        for (int i = 1; i < argc; i++) {
                struct qn_http_request q = { .url = qn_str_c(argv[i]),
                                             .max = max,
                                             .compressed = true,
                                             .authorization = QN_STR("Bearer secret") };

                if (qn_fetch_get(h, &q, on_http, argv[i]) < 0)
                        return 2;
        }
        while ((r = qn_fetch_poll(h, -1, &err)) > 0)
                ;
        if (r < 0)
                printf("error %d %s\n", -r, err.msg);
        return r < 0 ? 2 : 0;
}

static void on_sent(struct qn_http_result *res, void *user)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 10);

        on_http(res, user);
        show("authenticate", res->authenticate);
        show("notice", res->notice);
        show("retry-after", res->retry_after);
        show("location", res->location);
        show("content-type", res->content_type);
        if (res->fd >= 0 && lseek(res->fd, 0, SEEK_SET) == 0 && qn_io_read_fd(res->fd, &b) == 0)
                show("body", qn_buf_view(&b));
}

static void on_warm(struct qn_http_result *res, void *user QN_UNUSED)
{
        bad += res->code != QN_HTTP_OK;
}

/* Settings of a request that are texts, and those that are numbers. */
struct sent {
        struct qn_http_request q;
        struct qn_str warm; /* asked for before, so that there is a connection */
        uint64_t size, pass, public, total, max, tries;
};

static bool set(struct sent *s, struct qn_str key, struct qn_str value)
{
        const struct {
                const char *key;
                struct qn_str *text;
                uint64_t *number;
        } rows[] = {
                { "type", &s->q.content_type, NULL },
                { "encoding", &s->q.content_encoding, NULL },
                { "otp", &s->q.otp, NULL },
                { "auth-type", &s->q.auth_type, NULL },
                { "session", &s->q.session, NULL },
                { "command", &s->q.command, NULL },
                { "name", &s->q.signature_name, NULL },
                { "value", &s->q.signature, NULL },
                { "size", NULL, &s->size },
                { "pass", NULL, &s->pass },
                { "public", NULL, &s->public },
                { "total", NULL, &s->total },
                { "max", NULL, &s->max },
                { "tries", NULL, &s->tries },
                { "warm", &s->warm, NULL },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                if (!qn_str_is(key, rows[i].key))
                        continue;
                if (rows[i].number)
                        return qn_str_u64(value, rows[i].number) == 0;
                *rows[i].text = value;
                return true;
        }
        return false;
}

static int send_one(struct sent *s, const struct qn_npmconf *c)
{
        _cleanup_(qn_fetch_freep) struct qn_fetch *h = NULL;
        _cleanup_(qn_buf_done) struct qn_buf payload = QN_BUF_INIT((size_t)1 << 30);
        struct qn_http_opts o = { .ca = c->ca,
                                  .tries = (unsigned)s->tries,
                                  .proxies = qn_npmconf_proxies(c),
                                  .idle_ms = c->timeout_ms,
                                  .retry_min_ms = 20,
                                  .retry_max_ms = 200 };
        struct qn_err err = { 0 };
        char name[] = "sent";
        int r = qn_fetch_new(&o, false, &h);

        for (uint64_t i = 0; i < s->size; i++)
                qn_buf_byte(&payload, (char)('a' + i % 23));
        if (r == 0 && s->warm.p)
                r = qn_fetch_get(h, &(struct qn_http_request){ .url = s->warm, .max = s->max },
                                 on_warm, NULL);
        while (r >= 0 && (r = qn_fetch_poll(h, -1, &err)) > 0)
                ;
        if (r == 0)
                r = qn_fetch_send(h, &s->q, qn_cur_str(qn_buf_view(&payload)), on_sent, name);
        while (r >= 0 && (r = qn_fetch_poll(h, -1, &err)) > 0)
                ;
        if (r < 0)
                printf("error %d %s\n", -r, err.msg);
        return r < 0 ? 2 : 0;
}

static int send_any(int argc, char **argv, const struct qn_npmconf *c)
{
        struct sent s = { .q = { .method = qn_str_c(argv[0]),
                                 .url = qn_str_c(argv[1]),
                                 .authorization = QN_STR("Bearer secret") },
                          .max = 1 << 20 };

        for (int i = 2; i < argc; i++) {
                struct qn_str value = qn_str_c(argv[i]), key = qn_str_cut(&value, '=');

                if (!set(&s, key, value))
                        return 2;
        }
        s.q.pass = s.pass;
        s.q.public_only = s.public;
        s.q.total_ms = (uint32_t)s.total;
        s.q.max = s.max;
        return send_one(&s, c);
}

/* Both that have descriptors, until every question is answered. */
static int answer_all(struct qn_registry *g, struct qn_pool *pool)
{
        struct qn_err err = { 0 };
        int r;

        while ((r = qn_registry_poll(g, 0, &err)) > 0) {
                struct pollfd fds[] = { { .fd = qn_registry_fd(g), .events = POLLIN },
                                        { .fd = qn_pool_fd(pool), .events = POLLIN } };

                if (poll(fds, 2, 500) < 0 || qn_pool_poll(pool, 0, &err) < 0)
                        return 2;
        }
        if (r < 0)
                printf("error %d %s\n", -r, err.msg);
        return r < 0 ? 2 : 0;
}

static int ask(const char *what, int argc, char **argv, const struct qn_npmconf *c)
{
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .data_dir = PROBE_DATA,
                                               .workers = 1 };
        _cleanup_(qn_registry_freep) struct qn_registry *g = NULL;
        _cleanup_(qn_pool_freep) struct qn_pool *pool = NULL;
        int r = qn_pool_new(&config, &pool, NULL);

        if (r == 0)
                r = qn_registry_new(&(struct qn_registry_config){ .conf = c, .pool = pool }, &g);
        if (r < 0)
                return 2;
        if (strcmp(what, "tarball") == 0) {
                struct qn_tarball_want w = { .name = qn_str_c(argv[0]),
                                             .version = qn_str_c(argc > 1 ? argv[1] : ""),
                                             .resolved = qn_str_c(argc > 2 ? argv[2] : ""),
                                             .integrity = qn_str_c(argc > 3 ? argv[3] : "") };

                r = qn_registry_tarball(g, &w, on_fetched, argv[0]);
        }
        for (int i = 0; strcmp(what, "tarball") != 0 && r == 0 && i < argc; i++)
                r = qn_registry_packument(g, qn_str_c(argv[i]), strcmp(what, "full") == 0,
                                          on_fetched, argv[i]);
        return r < 0 ? 2 : answer_all(g, pool);
}

static int auth(int argc, char **argv, const struct qn_npmconf *c)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);

        for (int i = 1; i < argc; i++) {
                struct qn_npm_auth got = { 0 };
                struct qn_url u;
                const char *proxy;

                if (qn_url_parse(qn_str_c(argv[i]), &a, &u, NULL) < 0 ||
                    qn_npmconf_auth(c, qn_str_c(argv[0]), &u, &a, &got) < 0)
                        return 2;
                proxy = qn_npmconf_proxy(c, &u);
                printf("%s auth=%.*s cert=%zu proxy=%s\n", argv[i], QN_STR_ARG(got.authorization),
                       got.cert.n, proxy ? proxy : "");
        }
        return 0;
}

static int tarball_url(int argc, char **argv, const struct qn_npmconf *c)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_str url = { 0 };
        struct qn_err err = { 0 };
        int r = qn_npmconf_tarball_url(c, qn_str_c(argv[0]), qn_str_c(argv[1]),
                                       qn_str_c(argc > 2 ? argv[2] : ""), &a, &url, &err);

        printf("%.*s\n", QN_STR_ARG(r < 0 ? qn_str_c(err.msg) : url));
        return 0;
}

static int again(const struct qn_npmconf *c, struct qn_npmconf **ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);

        return qn_npmconf_encode(c, &b) < 0
                       ? -1
                       : qn_npmconf_decode(qn_cur_str(qn_buf_view(&b)), ret, NULL);
}

int main(int argc, char **argv)
{
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *first = NULL, *c = NULL;
        uint64_t before;

        if (qn_role_requested(argc, argv))
                return qn_role_main(argc, argv);
        if (argc < 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return 2;
        before = qn_io_nanos(); /* with libcurl there, which takes its time once */
        if (load(&first) < 0)
                return 3;
        before = qn_io_nanos() - before;
        if (again(first, &c) < 0)
                return 2;
        if (strcmp(argv[1], "conf") == 0)
                for (int i = 2; i < argc; i++)
                        show(argv[i], qn_npmconf_get(c, qn_str_c(argv[i])));
        else if (strcmp(argv[1], "load") == 0)
                printf("%llu\n", (unsigned long long)(before / 1000));
        else if (strcmp(argv[1], "auth") == 0)
                return auth(argc - 2, argv + 2, c);
        else if (strcmp(argv[1], "url") == 0)
                return tarball_url(argc - 2, argv + 2, c);
        else if (strcmp(argv[1], "get") == 0 && argc > 2)
                return get(argc - 2, argv + 2, c);
        else if (strcmp(argv[1], "send") == 0 && argc > 3)
                return send_any(argc - 2, argv + 2, c);
        else
                return ask(argv[1], argc - 2, argv + 2, c);
        return 0;
}
