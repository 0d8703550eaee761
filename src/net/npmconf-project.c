/* What the project's .npmrc may say.  It came with the project: it may choose registries and say how patient to be; it may
 * neither see the environment, nor decide whom to trust, nor where this machine keeps things. */
#include <errno.h>

#include "base/limits.h"
#include "net/npmconf-level.h"
#include "net/url.h"

/* Taken as they stand when they hold no variable. */
static const char *const harmless[] = {
        "cache-max",
        "cache-min",
        "fetch-retries",
        "fetch-retry-factor",
        "fetch-retry-maxtimeout",
        "fetch-retry-mintimeout",
        "fetch-timeout",
        "maxsockets",
        "offline",
        "omit-lockfile-registry-resolved",
        "prefer-offline",
        "prefer-online",
        "registry",
        "replace-registry-host",
};

/* Not taken, and said so, because npm would have used them; the last two are kinds, not names. */
static const char *const refused[] = {
        "ca",           "cache",
        "cafile",       "cert",
        "globalconfig", "https-proxy",
        "key",          "noproxy",
        "prefix",       "proxy",
        "strict-ssl",   "user-agent",
        "userconfig",   "certificates of a host that only it names",
        "variables",
};
#define REFUSED_FILES     (QN_ARRAY_SIZE(refused) - 2)
#define REFUSED_VARIABLES (QN_ARRAY_SIZE(refused) - 1)

static bool is_one_of(struct qn_str key, const char *const *names, size_t n, size_t *ret)
{
        for (size_t i = 0; i < n; i++)
                if (qn_str_is(key, names[i])) {
                        *ret = i;
                        return true;
                }
        return false;
}

static bool is_registry_key(struct qn_str key)
{
        return qn_str_is(key, "registry") ||
               (qn_str_starts(key, "@") && qn_str_ends(key, ":registry"));
}

/* --- whom others than the project name --- */

static int add_level(const struct npm_level_data *d, struct qn_buf *b)
{
        for (size_t i = 0; i < d->n; i++) {
                struct qn_str v = d->items[i].value;

                if (!is_registry_key(d->items[i].key) || qn_str_chr(v, '\n') >= 0)
                        continue;
                qn_buf_str(b, v);
                qn_buf_byte(b, '\n');
        }
        return qn_buf_error(b);
}

int npm_project_trusted(struct npm_levels *l, struct qn_str default_registry, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMCONF_MAX / 4);
        int r = 0;

        qn_buf_str(&b, default_registry);
        qn_buf_byte(&b, '\n');
        for (int i = 0; i < NPM_LEVEL_MAX && r == 0; i++)
                if (i != NPM_PROJECT)
                        r = add_level(&l->at[i], &b);
        if (r == 0)
                r = qn_buf_error(&b);
        if (r < 0)
                return r;
        *ret = qn_arena_dup(&l->mem, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

bool npm_trusts(struct qn_str trusted, const struct qn_url *url, struct qn_arena *a)
{
        while (trusted.p) {
                struct qn_str one = qn_str_cut(&trusted, '\n');
                struct qn_url u;

                if (one.n && qn_url_parse(one, a, &u, NULL) == 0 && qn_url_same_origin(&u, url))
                        return true;
        }
        return false;
}

/* "//host[:port]/path/:_authToken": whether others have a registry there, at https or http. */
static bool is_for_trusted(struct npm_levels *l, struct qn_str key, struct qn_str trusted)
{
        static const char *const schemes[] = { "https:", "http:" };
        ptrdiff_t colon = qn_str_rchr(key, ':');
        struct qn_url u;

        for (size_t i = 0; i < QN_ARRAY_SIZE(schemes) && colon > 2; i++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_URL_MAX);

                qn_buf_puts(&b, schemes[i]);
                qn_buf_str(&b, qn_str_take(key, (size_t)colon));
                if (qn_buf_error(&b) == 0 &&
                    qn_url_parse(qn_buf_view(&b), &l->mem, &u, NULL) == 0 &&
                    npm_trusts(trusted, &u, &l->mem))
                        return true;
        }
        return false;
}

/* --- line by line --- */

static int refuse(struct npm_levels *l, size_t what)
{
        l->ignored |= 1u << what;
        return 0;
}

static int admit_credential(struct npm_levels *l, const struct qn_npmrc_entry *e,
                            struct qn_str trusted)
{
        bool file = qn_str_ends(e->key, ":certfile") || qn_str_ends(e->key, ":keyfile");

        if (!e->expanded && !file)
                return npm_levels_set_plain(l, NPM_PROJECT, e->key, e->value, e->list);
        if (qn_str_find(e->key, QN_STR("${")) >= 0 || !is_for_trusted(l, e->key, trusted))
                return refuse(l, e->expanded ? REFUSED_VARIABLES : REFUSED_FILES);
        return npm_levels_set(l, NPM_PROJECT, e->key, e->value);
}

static int admit(struct npm_levels *l, const struct qn_npmrc_entry *e, struct qn_str trusted)
{
        size_t at = 0;

        if (qn_str_starts(e->key, "//"))
                return admit_credential(l, e, trusted);
        if (is_one_of(e->key, refused, REFUSED_FILES, &at))
                return refuse(l, at);
        if (!is_registry_key(e->key) && !is_one_of(e->key, harmless, QN_ARRAY_SIZE(harmless), &at))
                return 0; /* means nothing to us */
        if (e->expanded)
                refuse(l, REFUSED_VARIABLES);
        if (e->expanded && !is_registry_key(e->key))
                return 0;
        /* A registry stays as it stands: no address, so that nobody else is asked in its place. */
        return npm_levels_set_plain(l, NPM_PROJECT, e->key, e->value, e->list);
}

int npm_project_admit(struct npm_levels *l, struct qn_str trusted)
{
        int r = 0;

        for (size_t i = 0; i < l->project.n && r == 0; i++)
                if (!l->project.v[i].section.p)
                        r = admit(l, &l->project.v[i], trusted);
        return r;
}

int npm_project_explain(const struct npm_levels *l, struct qn_buf *b)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(refused); i++)
                if (l->ignored & 1u << i)
                        qn_buf_printf(b, "%s%s", b->n ? ", " : "", refused[i]);
        return qn_buf_error(b);
}
