#include "gate/service.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/limits.h"
#include "gate/conf.h"
#include "parse/json.h"

#define LISTEN "127.0.0.1:4873"

/* What is read from the file before it is checked. */
struct secret {
        const struct qn_node *at;
        struct qn_str env, file;
};

struct upstream {
        struct qn_str name, url;
        struct qn_conf_list scopes;
        struct secret token;
        bool writes, login;
};

struct token {
        struct qn_str name, sha256;
        bool admin;
};

struct file {
        struct qn_conf_list listen, proxies;
        struct qn_str url, cert, key, access_log, webhook;
        const struct qn_node *listen_at, *upstreams, *tokens;
        struct secret webhook_secret;
        bool closed;
        uint32_t rate, burst, fresh_s, drain_s;
        uint64_t cache_bytes, body_max;
        enum qn_foreign foreign;
};

/* --- values --- */

static int take_node(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        (void)c, (void)key;
        *(const struct qn_node **)to = n;
        return 0;
}

static int take_secret(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct qn_conf_key keys[] = {
                { "env", qn_conf_text, offsetof(struct secret, env) },
                { "file", qn_conf_text, offsetof(struct secret, file) },
        };
        struct secret s = { .at = n };
        int r;

        if (qn_node_is(n, QN_NODE_STRING))
                return qn_conf_wrong(c, n,
                                     "no secret is written here: say {env: NAME} or {file: PATH}");
        r = qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), &s);
        if (r == 0 && !s.env.n == !s.file.n)
                return qn_conf_wrong(c, n, "%s is one of {env: NAME} and {file: PATH}", key);
        *(struct secret *)to = s;
        return r;
}

/* --- addresses --- */

static bool is_address(struct qn_str s, int family)
{
        char text[INET6_ADDRSTRLEN], raw[sizeof(struct in6_addr)];

        if (!s.n || s.n >= sizeof text)
                return false;
        memcpy(text, s.p, s.n);
        text[s.n] = '\0';
        return inet_pton(family, text, raw) == 1;
}

/* "127.0.0.1:4873", "[::]:4873"; any: whether it means all addresses. */
static bool is_listen(struct qn_str s, bool *ret_any)
{
        ptrdiff_t colon = qn_str_rchr(s, ':');
        struct qn_str host = qn_str_take(s, colon < 0 ? 0 : (size_t)colon);
        uint64_t port;
        bool six = qn_str_starts(host, "[") && qn_str_ends(host, "]");

        if (colon < 0 || qn_str_u64(qn_str_skip(s, (size_t)colon + 1), &port) < 0 || !port ||
            port > 65535)
                return false;
        if (six)
                host = qn_str_take(qn_str_skip(host, 1), host.n - 2);
        *ret_any = qn_str_is(host, "0.0.0.0") || qn_str_is(host, "::");
        return is_address(host, six ? AF_INET6 : AF_INET);
}

static int finish_listen(struct qn_conf *c, const struct file *f, struct qn_service *s)
{
        bool any = false;

        s->listen = f->listen.v;
        s->n_listen = f->listen.n;
        for (size_t i = 0; i < s->n_listen; i++) {
                if (!is_listen(s->listen[i], &any))
                        return qn_conf_wrong(c, f->listen_at->items[i],
                                             "listen has addresses with "
                                             "ports: \"127.0.0.1:4873\", \"[::1]:4873\"");
                for (size_t k = 0; k < i; k++)
                        if (qn_str_eq(s->listen[i], s->listen[k]))
                                return qn_conf_wrong(c, f->listen_at->items[i],
                                                     "this address is there twice");
        }
        if (!s->n_listen)
                return qn_conf_wrong(c, f->listen_at, "listen is empty: say an address and a port");
        if (!f->url.n && (any || s->n_listen > 1))
                return qn_conf_wrong(c, f->listen_at,
                                     "say under which `url` clients reach it: it listens widely");
        return 0;
}

static int finish_url(struct qn_conf *c, const struct file *f, struct qn_service *s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(8192);

        if (f->url.n)
                qn_buf_str(&b, f->url);
        else
                qn_buf_printf(&b, "%s://%.*s", s->cert.p ? "https" : "http",
                              QN_STR_ARG(s->listen[0]));
        while (b.n && b.p[b.n - 1] == '/')
                b.n--;
        s->url = qn_arena_dup(c->a, qn_buf_view(&b));
        return s->url.p ? 0 : qn_conf_memory(c);
}

static int finish_proxies(struct qn_conf *c, const struct qn_node *root, const struct file *f,
                          struct qn_service *s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        const struct qn_node *at = qn_node_get(root, "proxies");

        for (size_t i = 0; i < f->proxies.n; i++) {
                if (!is_address(f->proxies.v[i], AF_INET) && !is_address(f->proxies.v[i], AF_INET6))
                        return qn_conf_wrong(c, at->items[i],
                                             "proxies has addresses such as 10.0.0.7 or ::1");
                if (i)
                        qn_buf_byte(&b, ' ');
                qn_buf_str(&b, f->proxies.v[i]);
        }
        s->proxies = qn_arena_dup(c->a, qn_buf_view(&b));
        return s->proxies.p ? 0 : qn_conf_memory(c);
}

/* --- secrets --- */

static int keep_secret(struct qn_conf *c, const struct qn_node *at, struct qn_str text,
                       struct qn_str *ret)
{
        text = qn_str_trim(text);
        if (!text.n || text.n > QN_GATE_TEXT_MAX)
                return qn_conf_wrong(c, at, "the secret is empty, or longer than %u characters",
                                     QN_GATE_TEXT_MAX);
        for (size_t i = 0; i < text.n; i++)
                if (!isgraph((unsigned char)text.p[i]))
                        return qn_conf_wrong(c, at, "the secret is no single word of ASCII");
        *ret = qn_arena_dup(c->a, text);
        return ret->p ? 0 : qn_conf_memory(c);
}

static int read_secret(struct qn_conf *c, const struct secret *s, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 10);
        struct qn_str path;
        const char *value;
        int r;

        if (s->env.n) {
                value = getenv(s->env.p);
                if (!value)
                        return qn_conf_wrong(c, s->at, "the variable %.40s is not set: export it",
                                             s->env.p);
                return keep_secret(c, s->at, qn_str_c(value), ret);
        }
        r = qn_conf_path(c, "file", qn_node_get(s->at, "file"), &path);
        if (r < 0)
                return r;
        r = qn_io_read(path.p, &b);
        if (r < 0)
                return qn_conf_wrong(c, s->at, "the secret's file cannot be read: %s",
                                     strerror(-r));
        return keep_secret(c, s->at, qn_buf_view(&b), ret);
}

/* --- upstreams --- */

static bool is_word(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr("-_.", s.p[i]))
                        return false;
        return s.n > 0 && s.n <= 64;
}

static bool is_scope(struct qn_str s)
{
        return qn_str_starts(s, "@") && is_word(qn_str_skip(s, 1));
}

static int check_scopes(struct qn_conf *c, const struct qn_node *n, const struct qn_service *s,
                        const struct qn_service_upstream *u)
{
        const struct qn_node *at = qn_node_get(n, "scopes");

        for (size_t i = 0; i < u->n_scopes; i++) {
                if (!is_scope(u->scopes[i]))
                        return qn_conf_wrong(c, at->items[i], "a scope is written \"@acme\"");
                for (size_t k = 0; k <= s->n_upstreams; k++)
                        for (size_t m = 0; m < (k < s->n_upstreams ? s->upstreams[k].n_scopes : i);
                             m++)
                                if (qn_str_eq(s->upstreams[k].scopes[m], u->scopes[i]))
                                        return qn_conf_wrong(c, at->items[i],
                                                             "this scope has an upstream already");
        }
        return 0;
}

static int check_upstream(struct qn_conf *c, const struct qn_node *n, const struct qn_service *s,
                          const struct qn_service_upstream *u, bool token)
{
        if (!u->name.n || !u->url.n)
                return qn_conf_wrong(c, n, "an upstream without `%s`: add it",
                                     u->name.n ? "url" : "name");
        if (!is_word(u->name))
                return qn_conf_wrong(c, n, "an upstream's name has letters, digits, -, _ and .");
        for (size_t i = 0; i < s->n_upstreams; i++) {
                if (qn_str_eq(s->upstreams[i].name, u->name))
                        return qn_conf_wrong(c, n, "there is an upstream of that name already");
                if (!s->upstreams[i].n_scopes && !u->n_scopes)
                        return qn_conf_wrong(c, n, "only one upstream is without scopes: add them");
        }
        if (u->login && token)
                return qn_conf_wrong(c, n, "an upstream has a token, or `login`: leave one out");
        return check_scopes(c, n, s, u);
}

static int with_slash(struct qn_conf *c, struct qn_str *url)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(8192);

        if (qn_str_ends(*url, "/"))
                return 0;
        qn_buf_str(&b, *url);
        qn_buf_byte(&b, '/');
        *url = qn_arena_dup(c->a, qn_buf_view(&b));
        return url->p ? 0 : qn_conf_memory(c);
}

static int take_upstream(struct qn_conf *c, const struct qn_node *n, bool secrets,
                         struct qn_service *s)
{
        static const struct qn_conf_key keys[] = {
                { "name", qn_conf_text, offsetof(struct upstream, name) },
                { "url", qn_conf_url, offsetof(struct upstream, url) },
                { "scopes", qn_conf_texts, offsetof(struct upstream, scopes) },
                { "token", take_secret, offsetof(struct upstream, token) },
                { "writes", qn_conf_bool, offsetof(struct upstream, writes) },
                { "login", qn_conf_bool, offsetof(struct upstream, login) },
        };
        struct qn_service_upstream *u = &s->upstreams[s->n_upstreams];
        struct upstream f = { 0 };
        int r = qn_conf_keys(c, n, "an upstream", keys, QN_ARRAY_SIZE(keys), &f);

        if (r < 0)
                return r;
        *u = (struct qn_service_upstream){ .name = f.name,
                                           .url = f.url,
                                           .scopes = f.scopes.v,
                                           .n_scopes = f.scopes.n,
                                           .writes = f.writes,
                                           .login = f.login };
        r = check_upstream(c, n, s, u, f.token.at != NULL);
        if (r == 0)
                r = with_slash(c, &u->url);
        if (r == 0 && f.token.at && secrets)
                r = read_secret(c, &f.token, &u->token);
        s->n_upstreams += r == 0;
        return r;
}

/* --- tokens --- */

static int take_sum(struct qn_conf *c, const struct qn_node *n, struct qn_str hex, uint8_t *to)
{
        struct qn_str raw;
        int r = qn_hex_decode(hex, c->a, &raw);

        if (r == -ENOBUFS)
                return qn_conf_memory(c);
        if (r < 0 || raw.n != 32)
                return qn_conf_wrong(c, n, "sha256 is what `printf %%s TOKEN | sha256sum` prints");
        memcpy(to, raw.p, 32);
        return 0;
}

static int take_token(struct qn_conf *c, const struct qn_node *n, struct qn_service *s)
{
        static const struct qn_conf_key keys[] = {
                { "name", qn_conf_text, offsetof(struct token, name) },
                { "sha256", qn_conf_text, offsetof(struct token, sha256) },
                { "admin", qn_conf_bool, offsetof(struct token, admin) },
        };
        struct qn_service_token *t = &s->tokens[s->n_tokens];
        struct token f = { 0 };
        int r = qn_conf_keys(c, n, "a token", keys, QN_ARRAY_SIZE(keys), &f);

        if (r < 0)
                return r;
        if (!f.name.n || !f.sha256.n)
                return qn_conf_wrong(c, n, "a token without `%s`: add it",
                                     f.name.n ? "sha256" : "name");
        if (!is_word(f.name))
                return qn_conf_wrong(c, n, "a token's name has letters, digits, -, _ and .");
        t->name = f.name;
        t->admin = f.admin;
        r = take_sum(c, qn_node_get(n, "sha256"), f.sha256, t->sha256);
        for (size_t i = 0; r == 0 && i < s->n_tokens; i++) {
                if (qn_str_eq(s->tokens[i].name, t->name))
                        return qn_conf_wrong(c, n, "there is a token of that name already");
                if (memcmp(s->tokens[i].sha256, t->sha256, 32) == 0)
                        return qn_conf_wrong(c, n, "this token is there under another name");
        }
        s->n_tokens += r == 0;
        return r;
}

/* --- the file --- */

static int take_tls(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct qn_conf_key keys[] = {
                { "cert", qn_conf_path, offsetof(struct file, cert) },
                { "key", qn_conf_path, offsetof(struct file, key) },
        };
        struct file *f = to;
        int r = qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), f);

        if (r == 0 && !f->cert.n != !f->key.n)
                return qn_conf_wrong(c, n, "tls needs `cert` and `key`");
        return r;
}

static int take_cache(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct qn_conf_key keys[] = {
                { "size", qn_conf_size, offsetof(struct file, cache_bytes) },
                { "fresh", qn_conf_seconds, offsetof(struct file, fresh_s) },
        };

        return qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), to);
}

static int take_webhook(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct qn_conf_key keys[] = {
                { "url", qn_conf_url, offsetof(struct file, webhook) },
                { "secret", take_secret, offsetof(struct file, webhook_secret) },
        };
        struct file *f = to;
        int r = qn_conf_keys(c, n, key, keys, QN_ARRAY_SIZE(keys), f);

        if (r == 0 && f->webhook_secret.at && !f->webhook.n)
                return qn_conf_wrong(c, n, "a webhook needs an `url`");
        return r;
}

static int take_listen(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct file *f = to;

        f->listen_at = n;
        return qn_conf_texts(c, key, n, &f->listen);
}

static int take_foreign(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        unsigned i;
        int r = qn_conf_word(c, key, n, qn_foreign_names, &i);

        if (r == 0)
                *(enum qn_foreign *)to = (enum qn_foreign)i;
        return r;
}

static int take_all(struct qn_conf *c, const struct file *f, bool secrets, struct qn_service *s)
{
        size_t n_upstreams = f->upstreams ? f->upstreams->n : 0,
               n_tokens = f->tokens ? f->tokens->n : 0;
        int r = 0;

        if (f->upstreams)
                r = qn_conf_is_list(c, f->upstreams, "upstreams", QN_GATE_LIST_MAX);
        if (r == 0 && f->tokens)
                r = qn_conf_is_list(c, f->tokens, "tokens", QN_GATE_LIST_MAX);
        if (r < 0)
                return r;
        s->upstreams = qn_arena_calloc(c->a, n_upstreams + 1, sizeof *s->upstreams);
        s->tokens = qn_arena_calloc(c->a, n_tokens + 1, sizeof *s->tokens);
        if (!s->upstreams || !s->tokens)
                return qn_conf_memory(c);
        for (size_t i = 0; r == 0 && i < n_upstreams; i++)
                r = take_upstream(c, f->upstreams->items[i], secrets, s);
        for (size_t i = 0; r == 0 && i < n_tokens; i++)
                r = take_token(c, f->tokens->items[i], s);
        if (r == 0 && f->webhook_secret.at && secrets)
                r = read_secret(c, &f->webhook_secret, &s->webhook_secret);
        return r;
}

static int finish(struct qn_conf *c, const struct qn_node *root, const struct file *f, bool secrets,
                  struct qn_service *s)
{
        int r;

        *s = (struct qn_service){
                .cert = f->cert,
                .key = f->key,
                .closed = f->closed,
                .rate = f->rate,
                .burst = f->burst,
                .cache_bytes = f->cache_bytes,
                .fresh_s = f->fresh_s,
                .body_max = f->body_max,
                .access_log = f->access_log,
                .webhook = f->webhook,
                .drain_s = f->drain_s,
                .foreign = f->foreign,
        };
        r = finish_listen(c, f, s);
        if (r == 0)
                r = finish_url(c, f, s);
        if (r == 0)
                r = finish_proxies(c, root, f, s);
        if (r == 0)
                r = take_all(c, f, secrets, s);
        if (r == 0 && s->closed && !s->n_tokens)
                return qn_conf_wrong(c, qn_node_get(root, "closed"),
                                     "closed, and no client has a token: add `tokens`");
        if (r == 0 && s->burst && !s->rate)
                return qn_conf_wrong(c, qn_node_get(root, "burst"), "burst needs a `rate`");
        return r;
}

static int defaults(struct qn_conf *c, struct file *f)
{
        *f = (struct file){
                .cache_bytes = UINT64_C(10) << 30,
                .fresh_s = 300,
                .body_max = UINT64_C(64) << 20,
                .drain_s = 30,
        };
        f->listen.v = QN_ARENA_NEW(c->a, struct qn_str);
        if (!f->listen.v)
                return qn_conf_memory(c);
        f->listen.v[f->listen.n++] = QN_STR(LISTEN);
        return 0;
}

static int take_body(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        int r = qn_conf_size(c, key, n, to);

        if (r == 0 && *(const uint64_t *)to > QN_FRONT_BODY_MAX)
                return qn_conf_wrong(c, n, "%s is at most %zuMB", key, QN_FRONT_BODY_MAX >> 20);
        return r;
}

int qn_service_parse(struct qn_str text, const char *path, bool secrets, struct qn_arena *a,
                     struct qn_service *ret, struct qn_err *reterr)
{
        static const struct qn_conf_key keys[] = {
                { "listen", take_listen, 0 },
                { "url", qn_conf_url, offsetof(struct file, url) },
                { "tls", take_tls, 0 },
                { "upstreams", take_node, offsetof(struct file, upstreams) },
                { "tokens", take_node, offsetof(struct file, tokens) },
                { "closed", qn_conf_bool, offsetof(struct file, closed) },
                { "rate", qn_conf_u32, offsetof(struct file, rate) },
                { "burst", qn_conf_u32, offsetof(struct file, burst) },
                { "cache", take_cache, 0 },
                { "body", take_body, offsetof(struct file, body_max) },
                { "foreign-tarballs", take_foreign, offsetof(struct file, foreign) },
                { "access-log", qn_conf_path, offsetof(struct file, access_log) },
                { "webhook", take_webhook, 0 },
                { "proxies", qn_conf_texts, offsetof(struct file, proxies) },
                { "drain", qn_conf_seconds, offsetof(struct file, drain_s) },
        };
        struct qn_conf c = { .a = a, .path = path, .err = reterr };
        const struct qn_node *root;
        struct qn_service s;
        struct file f;
        int r = defaults(&c, &f);

        if (r == 0)
                r = qn_conf_parse(&c, text, &root);
        if (r == 0 && root)
                r = qn_conf_keys(&c, root, "the file", keys, QN_ARRAY_SIZE(keys), &f);
        if (r == 0)
                r = finish(&c, root, &f, secrets, &s);
        if (r == 0)
                *ret = s;
        return r;
}

int qn_service_load(const char *path, struct qn_arena *a, struct qn_service *ret,
                    struct qn_err *reterr)
{
        struct qn_conf c = { .a = a, .path = path, .err = reterr };
        struct qn_str text;
        int r = qn_conf_load(&c, &text);

        return r < 0 ? r : qn_service_parse(text, path, true, a, ret, reterr);
}

int qn_service_default(struct qn_arena *a, struct qn_service *ret)
{
        return qn_service_parse(QN_STR(""), "", false, a, ret, NULL);
}
