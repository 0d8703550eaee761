/* What the configuration says about one URL: registry, credentials, proxy, and the address to ask instead. */
#include <errno.h>

#include "base/hash.h"
#include "base/limits.h"
#include "net/npmconf-level.h"
#include "net/url.h"

static bool name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("-_.!~*'()+", c));
}

static bool part_ok(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!name_char(s.p[i]))
                        return false;
        return s.n > 0 && !qn_str_is(s, ".") && !qn_str_is(s, "..");
}

bool qn_npm_name_ok(struct qn_str name)
{
        struct qn_str scope;

        if (name.n > QN_NAME_MAX)
                return false;
        if (!qn_str_starts(name, "@"))
                return part_ok(name);
        scope = qn_str_cut(&name, '/');
        return part_ok(qn_str_skip(scope, 1)) && part_ok(name);
}

struct qn_str qn_npmconf_registry_of(const struct qn_npmconf *c, struct qn_str name)
{
        ptrdiff_t slash = qn_str_chr(name, '/');
        char key[QN_NAME_MAX + 16];
        struct qn_str url;

        if (!qn_str_starts(name, "@") || slash < 0 || (size_t)slash > QN_NAME_MAX)
                return c->registry;
        memcpy(key, name.p, (size_t)slash);
        memcpy(key + slash, ":registry", 9);
        url = qn_npmconf_get(c, (struct qn_str){ key, (size_t)slash + 9 });
        return url.n ? url : c->registry;
}

/* --- credentials --- */

static struct qn_str keyed(const struct qn_npmconf *c, struct qn_str nerf, const char *what)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX + 256);

        qn_buf_str(&b, nerf);
        qn_buf_byte(&b, ':');
        qn_buf_puts(&b, what);
        return qn_buf_error(&b) < 0 ? (struct qn_str){ 0 } : qn_npmconf_get(c, qn_buf_view(&b));
}

static int header_value(const char *scheme, struct qn_str v, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMRC_MAX);

        qn_buf_puts(&b, scheme);
        qn_buf_str(&b, v);
        if (qn_buf_error(&b) < 0)
                return b.error;
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

static int basic(struct qn_str user, struct qn_str password, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf plain = QN_BUF_INIT(QN_NPMRC_MAX),
                                             coded = QN_BUF_INIT(QN_NPMRC_MAX);
        struct qn_str clear;
        int r = qn_base64_decode(password, a, &clear);

        if (r < 0)
                return r;
        qn_buf_str(&plain, user);
        qn_buf_byte(&plain, ':');
        qn_buf_str(&plain, clear);
        if (qn_buf_error(&plain) < 0 || qn_base64_encode(&coded, plain.p, plain.n) < 0)
                return -ENOBUFS;
        return header_value("Basic ", qn_buf_view(&coded), a, ret);
}

/* 1: this prefix has credentials of some kind, as npm counts them. */
static int auth_at(const struct qn_npmconf *c, struct qn_str nerf, struct qn_arena *a,
                   struct qn_npm_auth *ret)
{
        struct qn_str token = keyed(c, nerf, "_authToken"), auth = keyed(c, nerf, "_auth");
        struct qn_str user = keyed(c, nerf, "username"), password = keyed(c, nerf, "_password");
        struct qn_str cert = keyed(c, nerf, "certfile"), key = keyed(c, nerf, "keyfile");
        int r = 0;

        if (token.n)
                r = header_value("Bearer ", token, a, &ret->authorization);
        else if (auth.n)
                r = header_value("Basic ", auth, a, &ret->authorization);
        else if (user.n && password.n)
                r = basic(user, password, a, &ret->authorization);
        else if (!cert.n || !key.n)
                return 0;
        if (r < 0)
                return r;
        if (cert.n && key.n) {
                ret->cert = cert;
                ret->key = key;
        }
        return 1;
}

/* From //host/a/b over //host/a/ and //host/a up to //host, as npm-registry-fetch walks. */
static int auth_for(const struct qn_npmconf *c, const struct qn_url *url, struct qn_arena *a,
                    struct qn_npm_auth *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX + 256);
        struct qn_str nerf;
        int r = qn_url_nerf(url, &b);

        for (nerf = qn_buf_view(&b); r == 0 && nerf.n > 2;) {
                r = auth_at(c, nerf, a, ret);
                if (qn_str_ends(nerf, "/"))
                        nerf.n--;
                else
                        while (nerf.n > 2 && nerf.p[nerf.n - 1] != '/')
                                nerf.n--;
        }
        return r;
}

/* On the way to itself nothing is heard by others. */
static bool is_this_machine(const struct qn_url *url)
{
        return qn_str_is(url->host, "localhost") || qn_str_starts(url->host, "127.") ||
               qn_str_is(url->host, "[::1]");
}

int qn_npmconf_auth(const struct qn_npmconf *c, struct qn_str name, const struct qn_url *url,
                    struct qn_arena *a, struct qn_npm_auth *ret)
{
        struct qn_npm_auth out = { 0 };
        struct qn_url registry;
        bool ours = npm_trusts(c->trusted, url, a), known;
        int r;

        /* Packuments, lock files and projects may say http where the registry is https: npm would send the token in clear. */
        if (!url->tls && !ours && !is_this_machine(url)) {
                *ret = out;
                return 0;
        }
        r = qn_url_parse(qn_npmconf_registry_of(c, name), a, &registry, NULL);
        if (r == -ENOBUFS)
                return r;
        known = r == 0;
        r = auth_for(c, url, a, &out);
        if (r == 0 && known && qn_url_same_host(url, &registry))
                r = auth_for(c, &registry, a, &out);
        if (r < 0)
                return r;
        if (!out.cert.p && !out.key.p && ours) {
                out.cert = c->cert;
                out.key = c->key;
        }
        *ret = out;
        return 0;
}

bool qn_npmconf_knows(const struct qn_npmconf *c, struct qn_str name, const struct qn_url *url,
                      struct qn_arena *a)
{
        return npm_trusts(qn_npmconf_registry_of(c, name), url, a) ||
               npm_trusts(c->trusted, url, a);
}

/* --- proxy --- */

struct qn_proxies qn_npmconf_proxies(const struct qn_npmconf *c)
{
        return (struct qn_proxies){ c->proxy, c->env_https_proxy, c->env_http_proxy, c->no_proxy };
}

const char *qn_npmconf_proxy(const struct qn_npmconf *c, const struct qn_url *url)
{
        const struct qn_proxies p = qn_npmconf_proxies(c);

        return qn_proxy_for(&p, url);
}

/* --- tarball addresses --- */

static struct qn_str without_slashes(struct qn_str s)
{
        while (qn_str_ends(s, "/"))
                s.n--;
        return s;
}

static bool path_prefix(struct qn_str path, struct qn_str prefix)
{
        return path.n >= prefix.n && memcmp(path.p, prefix.p, prefix.n) == 0 &&
               (path.n == prefix.n || path.p[prefix.n] == '/');
}

static int dup_url(const struct qn_buf *b, struct qn_arena *a, struct qn_str *ret)
{
        if (qn_buf_error(b) < 0)
                return -EINVAL;
        *ret = qn_arena_dup(a, qn_buf_view(b));
        return ret->p ? 0 : -ENOBUFS;
}

static int conventional(const struct qn_npmconf *c, struct qn_str name, struct qn_str version,
                        struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        ptrdiff_t slash = qn_str_chr(name, '/');

        if (!qn_npm_name_ok(name) || !part_ok(version))
                return -EINVAL;
        qn_buf_str(&b, without_slashes(qn_npmconf_registry_of(c, name)));
        qn_buf_byte(&b, '/');
        qn_buf_str(&b, name);
        qn_buf_puts(&b, "/-/");
        qn_buf_str(&b, qn_str_skip(name, (size_t)(slash + 1)));
        qn_buf_byte(&b, '-');
        qn_buf_str(&b, version);
        qn_buf_puts(&b, ".tgz");
        return dup_url(&b, a, ret);
}

/* replace-registry-host: "npmjs" (npm's own default registry), "never", "always", a host, or a URL whose path is replaced too.
 * 1: u is one of those; *ret_path is the path prefix to cut. */
static int replaced(const struct qn_npmconf *c, const struct qn_url *u, struct qn_arena *a,
                    struct qn_str *ret_path)
{
        struct qn_str rule = c->replace_host;
        struct qn_url match;

        *ret_path = (struct qn_str){ 0 };
        if (qn_str_is(rule, "always"))
                return 1;
        if (qn_str_is(rule, "never"))
                return 0;
        if (qn_str_is(rule, "npmjs") || !rule.n)
                return c->default_registry.p &&
                       qn_url_parse(c->default_registry, a, &match, NULL) == 0 &&
                       qn_str_eq(match.host, u->host);
        if (qn_url_parse(rule, a, &match, NULL) < 0)
                return qn_str_eq(rule, u->host);
        *ret_path = without_slashes(match.path);
        return qn_str_eq(match.host, u->host) && path_prefix(u->path, *ret_path);
}

static int rewrite(const struct qn_npmconf *c, struct qn_url *u, struct qn_str cut,
                   struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);
        struct qn_url registry;
        struct qn_str prefix, tail;
        int r = qn_url_parse(c->registry, a, &registry, NULL);

        if (r < 0)
                return r;
        prefix = without_slashes(registry.path);
        tail = qn_str_skip(u->path, cut.n);
        if (!cut.n && path_prefix(tail, prefix))
                prefix.n = 0;
        registry.path = (struct qn_str){ 0 };
        registry.query = (struct qn_str){ 0 };
        qn_url_write(&registry, &b);
        qn_buf_str(&b, prefix);
        qn_buf_str(&b, tail);
        if (u->query.p) {
                qn_buf_byte(&b, '?');
                qn_buf_str(&b, u->query);
        }
        return dup_url(&b, a, ret);
}

int qn_npmconf_tarball_url(const struct qn_npmconf *c, struct qn_str name, struct qn_str version,
                           struct qn_str resolved, struct qn_arena *a, struct qn_str *ret,
                           struct qn_err *reterr)
{
        struct qn_url u;
        struct qn_str cut;
        int r;

        if (!resolved.n) {
                r = conventional(c, name, version, a, ret);
                return r < 0 ? qn_fail(reterr, r, 0,
                                       "no tarball address can be made from this name and version")
                             : 0;
        }
        r = qn_url_parse(resolved, a, &u, reterr);
        if (r < 0)
                return r;
        if (replaced(c, &u, a, &cut) > 0) {
                r = rewrite(c, &u, cut, a, ret);
                return r < 0 ? qn_fail(reterr, r, 0,
                                       "the tarball's address cannot be rewritten to the registry")
                             : 0;
        }
        *ret = qn_arena_dup(a, qn_str_trim(resolved));
        return ret->p ? 0 : -ENOBUFS;
}
