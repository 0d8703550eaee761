/* Levels → one configuration: which value wins, and what it means. */
#include "net/npmconf.h"

#include <errno.h>

#include "base/io.h"
#include "base/limits.h"
#include "net/npmconf-level.h"
#include "net/url.h"

/* --- the resolved settings: a flat list, from which the struct is filled --- */

enum field_kind {
        FIELD_TEXT,
        FIELD_BOOL,
        FIELD_NUMBER,
};

#define FIELD(name, kind, member)                               \
        {                                                       \
                name, kind, offsetof(struct qn_npmconf, member) \
        }
static const struct {
        const char *name;
        enum field_kind kind;
        size_t offset;
} fields[] = {
        FIELD("registry", FIELD_TEXT, registry),
        FIELD("default-registry", FIELD_TEXT, default_registry),
        FIELD("cache", FIELD_TEXT, cache),
        FIELD("user-agent", FIELD_TEXT, user_agent),
        FIELD("proxy", FIELD_TEXT, proxy),
        FIELD("env-https-proxy", FIELD_TEXT, env_https_proxy),
        FIELD("env-http-proxy", FIELD_TEXT, env_http_proxy),
        FIELD("noproxy", FIELD_TEXT, no_proxy),
        FIELD("ca", FIELD_TEXT, ca),
        FIELD("extra-ca", FIELD_TEXT, extra_ca),
        FIELD("cert", FIELD_TEXT, cert),
        FIELD("key", FIELD_TEXT, key),
        FIELD("replace-registry-host", FIELD_TEXT, replace_host),
        FIELD("trusted-registries", FIELD_TEXT, trusted),
        FIELD("project-ignored", FIELD_TEXT, ignored),
        FIELD("strict-ssl", FIELD_BOOL, strict_ssl),
        FIELD("offline", FIELD_BOOL, offline),
        FIELD("prefer-offline", FIELD_BOOL, prefer_offline),
        FIELD("prefer-online", FIELD_BOOL, prefer_online),
        FIELD("omit-lockfile-registry-resolved", FIELD_BOOL, omit_resolved),
        FIELD("fetch-retries", FIELD_NUMBER, retries),
        FIELD("fetch-retry-factor", FIELD_NUMBER, retry_factor),
        FIELD("fetch-retry-mintimeout", FIELD_NUMBER, retry_min_ms),
        FIELD("fetch-retry-maxtimeout", FIELD_NUMBER, retry_max_ms),
        FIELD("fetch-timeout", FIELD_NUMBER, timeout_ms),
        FIELD("maxsockets", FIELD_NUMBER, sockets),
};

static int put(struct qn_npmconf *c, struct qn_str key, struct qn_str value)
{
        struct qn_npmconf_pair p = { qn_arena_dup(&c->mem, key), qn_arena_dup(&c->mem, value) };
        int r;

        if (!p.key.p || !p.value.p)
                return -ENOBUFS;
        r = QN_ARENA_ROOM(&c->mem, c->pairs, c->n_pairs, c->cap_pairs);
        if (r == 0)
                r = qn_map_add(&c->index, &c->mem, p.key, (uint32_t)c->n_pairs, NULL);
        if (r != 0)
                return r < 0 ? r : -EEXIST;
        c->pairs[c->n_pairs++] = p;
        return 0;
}

struct qn_str qn_npmconf_get(const struct qn_npmconf *c, struct qn_str key)
{
        uint32_t at = qn_map_get(&c->index, key);

        return at == QN_MAP_NONE ? (struct qn_str){ 0 } : c->pairs[at].value;
}

static bool is_true(struct qn_str v)
{
        return !qn_str_is(v, "false") && !qn_str_is(v, "null") && !qn_str_is(v, "undefined");
}

static void fill_one(struct qn_npmconf *c, size_t i, struct qn_str v)
{
        char *at = (char *)c + fields[i].offset;
        uint64_t number = 0;

        switch (fields[i].kind) {
        case FIELD_TEXT:
                *(struct qn_str *)(void *)at = v;
                break;
        case FIELD_BOOL:
                *(bool *)at = is_true(v);
                break;
        case FIELD_NUMBER:
                if (qn_str_u64(v, &number) == 0)
                        *(uint32_t *)(void *)at = (uint32_t)QN_MIN(number, (uint64_t)INT32_MAX);
                break;
        }
}

static void fill(struct qn_npmconf *c)
{
        struct qn_str retries = qn_npmconf_get(c, QN_STR("fetch-retries"));

        c->strict_ssl = true;
        for (size_t i = 0; i < QN_ARRAY_SIZE(fields); i++) {
                struct qn_str v = qn_npmconf_get(c, qn_str_c(fields[i].name));

                if (v.p)
                        fill_one(c, i, v);
        }
        c->retries_set = retries.p != NULL;
}

static struct qn_npmconf *conf_new(void)
{
        struct qn_npmconf *c = calloc(1, sizeof *c);

        if (c)
                c->mem = QN_ARENA_INIT(QN_NPMCONF_MAX);
        return c;
}

struct qn_npmconf *qn_npmconf_free(struct qn_npmconf *c)
{
        if (c)
                qn_arena_done(&c->mem);
        free(c);
        return NULL;
}

void qn_npmconf_freep(struct qn_npmconf **c)
{
        *c = qn_npmconf_free(*c);
}

/* --- to and from bytes --- */

int qn_npmconf_encode(const struct qn_npmconf *c, struct qn_buf *b)
{
        for (size_t i = 0; i < c->n_pairs; i++) {
                uint32_t n[2] = { (uint32_t)c->pairs[i].key.n, (uint32_t)c->pairs[i].value.n };

                qn_buf_add(b, n, sizeof n);
                qn_buf_str(b, c->pairs[i].key);
                qn_buf_str(b, c->pairs[i].value);
        }
        return qn_buf_error(b);
}

int qn_npmconf_decode(struct qn_cur in, struct qn_npmconf **ret, struct qn_err *reterr)
{
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *c = conf_new();
        int r;

        if (!c)
                return -ENOMEM;
        while (qn_cur_left(&in)) {
                struct qn_cur key, value;
                uint32_t n_key, n_value;

                if ((r = qn_cur_le32(&in, &n_key)) < 0 || (r = qn_cur_le32(&in, &n_value)) < 0 ||
                    (r = qn_cur_take(&in, n_key, &key)) < 0 ||
                    (r = qn_cur_take(&in, n_value, &value)) < 0)
                        return qn_fail(reterr, r, 0, "the configuration is cut short");
                r = put(c, qn_cur_rest(&key), qn_cur_rest(&value));
                if (r < 0)
                        return qn_fail(reterr, r == -EEXIST ? -EBADMSG : r, 0,
                                       "the configuration cannot be used");
        }
        fill(c);
        if (!c->registry.p)
                return qn_fail(reterr, -EBADMSG, 0, "the configuration names no registry");
        *ret = TAKE_PTR(c);
        return 0;
}

/* --- what each setting means --- */

static bool nothing(struct qn_str v)
{
        return v.n == 0 || !is_true(v);
}

static int put_plain(struct qn_npmconf *c, struct npm_levels *l, const char *name)
{
        struct qn_str v = npm_levels_get(l, qn_str_c(name), NULL);

        return v.p ? put(c, qn_str_c(name), v) : 0;
}

static bool is_registry(struct npm_levels *l, int level, struct qn_str v)
{
        struct qn_url u;

        /* With a variable that is not expanded it is none, yet must not make another one the answer. */
        if (level == NPM_PROJECT && qn_str_find(v, QN_STR("${")) >= 0)
                return true;
        return qn_url_parse(v, &l->mem, &u, NULL) == 0;
}

/* The strongest level whose registry is a URL: npm drops values that are none. */
static struct qn_str strongest_registry(struct npm_levels *l)
{
        for (int i = NPM_LEVEL_MAX; i-- > 0;) {
                uint32_t at = qn_map_get(&l->at[i].index, QN_STR("registry"));

                if (at != QN_MAP_NONE && is_registry(l, i, l->at[i].items[at].value))
                        return l->at[i].items[at].value;
        }
        return (struct qn_str){ 0 };
}

/* First of all, because whom the project may name credentials for depends on it. */
static int put_registries(struct qn_npmconf *c, struct npm_levels *l, struct qn_err *reterr)
{
        struct qn_str own = { 0 }, best, trusted;
        struct qn_err err = { 0 };
        int r = npm_default_registry(l, &own, &err);

        if (r == -ENOBUFS)
                return r;
        r = npm_project_trusted(l, own, &trusted);
        if (r == 0)
                r = npm_project_admit(l, trusted);
        if (r < 0)
                return r;
        best = strongest_registry(l);
        if (!best.p && !own.p)
                return qn_fail(reterr, -ENOENT, 0, "%s", err.msg);
        if ((own.p && (r = put(c, QN_STR("default-registry"), own)) < 0) ||
            (r = put(c, QN_STR("trusted-registries"), trusted)) < 0)
                return r;
        return put(c, QN_STR("registry"), best.p ? best : own);
}

static int put_ignored(struct qn_npmconf *c, struct npm_levels *l)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMRC_MAX);

        npm_project_explain(l, &b);
        return qn_buf_error(&b) < 0 || !b.n ? b.error
                                            : put(c, QN_STR("project-ignored"), qn_buf_view(&b));
}

static int put_cache(struct qn_npmconf *c, struct npm_levels *l)
{
        struct qn_str dir = npm_levels_get(l, QN_STR("cache"), NULL);

        dir = nothing(dir) ? npm_join(&l->mem, l->home.n ? l->home : QN_STR("/"), ".npm")
                           : npm_path(l, dir);
        dir = dir.p ? npm_join(&l->mem, dir, "_cacache") : dir;
        return dir.p ? put(c, QN_STR("cache"), dir) : -ENOBUFS;
}

/* Anywhere in the environment, any case, the last one wins: as npm's agent. */
static struct qn_str proxy_variable(const struct qn_npmconf_in *in, struct qn_str name)
{
        struct qn_str found = { 0 };

        for (char *const *e = in->env; e && *e; e++) {
                struct qn_str value = qn_str_c(*e), have = qn_str_cut(&value, '=');

                if (qn_str_ieq(have, name) && value.p)
                        found = value;
        }
        return found;
}

static int put_if(struct qn_npmconf *c, const char *name, struct qn_str value)
{
        return value.n ? put(c, qn_str_c(name), value) : 0;
}

static int put_proxies(struct qn_npmconf *c, struct npm_levels *l)
{
        struct qn_str all = npm_levels_get(l, QN_STR("https-proxy"), NULL),
                      none = npm_levels_get(l, QN_STR("noproxy"), NULL);
        struct qn_str https = proxy_variable(l->in, QN_STR("https_proxy")),
                      http = proxy_variable(l->in, QN_STR("http_proxy"));
        int r;

        if (nothing(all))
                all = npm_levels_get(l, QN_STR("proxy"), NULL);
        if (nothing(none))
                none = proxy_variable(l->in, QN_STR("no_proxy"));
        if (!http.n)
                http = proxy_variable(l->in, QN_STR("proxy"));
        r = nothing(all) ? 0 : put(c, QN_STR("proxy"), all);
        if (r == 0)
                r = put_if(c, "env-https-proxy", https);
        if (r == 0)
                r = put_if(c, "env-http-proxy", https.n ? https : http);
        return r < 0 ? r : put_if(c, "noproxy", none);
}

static int read_text(const char *path, struct qn_buf *b)
{
        qn_buf_reset(b);
        return path ? qn_io_read(path, b) : -ENOENT;
}

/* PEM in a setting: real line ends, or \n as people write them in one line. */
static int put_pem(struct qn_npmconf *c, const char *name, struct qn_str v)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMRC_MAX);

        for (size_t i = 0; i < v.n; i++) {
                bool escape = v.p[i] == '\\' && i + 1 < v.n && v.p[i + 1] == 'n';

                qn_buf_byte(&b, escape ? '\n' : v.p[i]);
                i += escape;
        }
        qn_buf_byte(&b, '\n');
        return qn_buf_error(&b) < 0 ? b.error : put(c, qn_str_c(name), qn_buf_view(&b));
}

/* ca and cafile replace each other: the one set last, counted from the weakest level on, wins. */
static int put_authorities(struct qn_npmconf *c, struct npm_levels *l)
{
        _cleanup_(qn_buf_done) struct qn_buf file = QN_BUF_INIT((size_t)4 << 20);
        enum npm_level at_ca = 0, at_file = 0;
        struct qn_str ca = npm_levels_get(l, QN_STR("ca"), &at_ca),
                      path = npm_levels_get(l, QN_STR("cafile"), &at_file);
        struct qn_str extra = npm_getenv(l->in, "NODE_EXTRA_CA_CERTS");
        bool file_wins =
                !nothing(path) &&
                (!ca.p || at_file > at_ca ||
                 (at_file == at_ca && npm_levels_later(l, at_ca, QN_STR("cafile"), QN_STR("ca"))));

        if (file_wins && read_text(npm_path(l, path).p, &file) == 0 && file.n)
                return put(c, QN_STR("ca"), qn_buf_view(&file));
        if (!nothing(ca))
                return put_pem(c, "ca", ca);
        /* As in Node: further authorities join the system's, not a list that was given. */
        if (extra.n && read_text(npm_path(l, extra).p, &file) == 0)
                return put_if(c, "extra-ca", qn_buf_view(&file));
        return 0;
}

static int put_identity(struct qn_npmconf *c, struct npm_levels *l)
{
        struct qn_str cert = npm_levels_get(l, QN_STR("cert"), NULL),
                      key = npm_levels_get(l, QN_STR("key"), NULL);
        int r = nothing(cert) || nothing(key) ? 1 : put_pem(c, "cert", cert);

        return r != 0 ? QN_MIN(r, 0) : put_pem(c, "key", key);
}

/* npm's own agent string is a template; without npm's values in it, it would be a lie. */
static int put_agent(struct qn_npmconf *c, struct npm_levels *l)
{
        struct qn_str v = npm_levels_get(l, QN_STR("user-agent"), NULL);

        return nothing(v) || qn_str_chr(v, '{') >= 0 ? 0 : put(c, QN_STR("user-agent"), v);
}

static int put_modes(struct qn_npmconf *c, struct npm_levels *l)
{
        static const char *const plain[] = { "strict-ssl",
                                             "offline",
                                             "omit-lockfile-registry-resolved",
                                             "fetch-retries",
                                             "fetch-retry-factor",
                                             "fetch-retry-mintimeout",
                                             "fetch-retry-maxtimeout",
                                             "fetch-timeout",
                                             "maxsockets" };
        struct qn_str offline = npm_levels_get(l, QN_STR("prefer-offline"), NULL);
        struct qn_str online = npm_levels_get(l, QN_STR("prefer-online"), NULL);
        struct qn_str host = npm_levels_get(l, QN_STR("replace-registry-host"), NULL);
        uint64_t min = 0, max = 1;
        int r = 0;

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(plain); i++)
                r = put_plain(c, l, plain[i]);
        if (qn_str_u64(npm_levels_get(l, QN_STR("cache-min"), NULL), &min) == 0 && min >= 9999)
                offline = QN_STR("true");
        if (qn_str_u64(npm_levels_get(l, QN_STR("cache-max"), NULL), &max) == 0 && max == 0)
                online = QN_STR("true");
        if (r == 0 && offline.p)
                r = put(c, QN_STR("prefer-offline"), offline);
        if (r == 0 && online.p)
                r = put(c, QN_STR("prefer-online"), online);
        return r < 0 ? r
                     : put(c, QN_STR("replace-registry-host"),
                           nothing(host) ? QN_STR("npmjs") : host);
}

/* --- scopes and credentials --- */

static bool is_scope(struct qn_str key)
{
        return qn_str_starts(key, "@") && qn_str_ends(key, ":registry");
}

/* A file that a credential names is read here: the role that connects cannot. */
static int put_pem_file(struct qn_npmconf *c, struct npm_levels *l, struct qn_str key,
                        struct qn_str path)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_NPMRC_MAX);

        if (read_text(npm_path(l, path).p, &text) < 0)
                return 0;
        return put(c, key, qn_buf_view(&text));
}

static int put_keyed(struct qn_npmconf *c, struct npm_levels *l, struct qn_str key)
{
        struct qn_str v = npm_levels_get(l, key, NULL);

        if (!is_scope(key) && !qn_str_starts(key, "//"))
                return 0;
        if (nothing(v) || qn_map_get(&c->index, key) != QN_MAP_NONE)
                return 0;
        if (qn_str_ends(key, ":certfile") || qn_str_ends(key, ":keyfile"))
                return put_pem_file(c, l, key, v);
        return put(c, key, v);
}

static int put_all_keyed(struct qn_npmconf *c, struct npm_levels *l)
{
        for (size_t i = 0; i < NPM_LEVEL_MAX; i++) {
                for (size_t k = 0; k < l->at[i].n; k++) {
                        int r = put_keyed(c, l, l->at[i].items[k].key);

                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

int qn_npmconf_load(const struct qn_npmconf_in *in, struct qn_npmconf **ret, struct qn_err *reterr)
{
        _cleanup_(npm_levels_done) struct npm_levels l = { 0 };
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *c = conf_new();
        static int (*const steps[])(struct qn_npmconf *, struct npm_levels *) = {
                put_cache, put_proxies, put_authorities, put_identity,
                put_agent, put_modes,   put_all_keyed,   put_ignored,
        };
        int r;

        if (!c)
                return -ENOMEM;
        r = npm_levels_load(in, &l);
        if (r < 0)
                return qn_fail(reterr, r, 0,
                               r == -ENOBUFS || r == -EFBIG
                                       ? "npm's configuration is too large"
                                       : "the project's .npmrc cannot be read");
        r = put_registries(c, &l, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < QN_ARRAY_SIZE(steps); i++) {
                r = steps[i](c, &l);
                if (r < 0)
                        return qn_fail(reterr, r, 0, "npm's configuration is too large");
        }
        fill(c);
        *ret = TAKE_PTR(c);
        return 0;
}
