/* The levels as npm reads them: each key of each file, variable and flag, expanded but not yet understood. */
#include "net/npmconf-level.h"

#include <errno.h>

#include "base/io.h"
#include "base/limits.h"
#include "parse/npmrc.h"

struct qn_str npm_getenv(const struct qn_npmconf_in *in, const char *name)
{
        size_t n = strlen(name);

        for (char *const *e = in->env; e && *e; e++)
                if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
                        return qn_str_c(*e + n + 1);
        return (struct qn_str){ 0 };
}

struct qn_str npm_levels_get(const struct npm_levels *l, struct qn_str key,
                             enum npm_level *ret_level)
{
        for (int i = NPM_LEVEL_MAX; i-- > 0;) {
                uint32_t at = qn_map_get(&l->at[i].index, key);

                if (at == QN_MAP_NONE)
                        continue;
                if (ret_level)
                        *ret_level = (enum npm_level)i;
                return l->at[i].items[at].value;
        }
        return (struct qn_str){ 0 };
}

bool npm_levels_later(const struct npm_levels *l, enum npm_level level, struct qn_str a,
                      struct qn_str b)
{
        const struct npm_level_data *d = &l->at[level];
        uint32_t i = qn_map_get(&d->index, a), k = qn_map_get(&d->index, b);

        return i != QN_MAP_NONE && k != QN_MAP_NONE && d->items[i].seq > d->items[k].seq;
}

void npm_levels_done(struct npm_levels *l)
{
        qn_arena_done(&l->mem);
}

struct qn_str npm_path(struct npm_levels *l, struct qn_str value)
{
        _cleanup_(qn_buf_done) struct qn_buf rest = QN_BUF_INIT(QN_NPMRC_MAX);
        bool home = qn_str_starts(value, "~/") && l->home.n;

        if (qn_str_starts(value, "/"))
                return qn_arena_dup(&l->mem, value);
        qn_buf_str(&rest, qn_str_skip(value, home ? 2 : 0));
        if (qn_buf_add(&rest, "", 0) < 0 || qn_buf_error(&rest) < 0)
                return (struct qn_str){ 0 };
        return npm_join(&l->mem, home ? l->home : qn_str_c(l->in->cwd), rest.p);
}

/* --- ${VAR}, ${VAR?}: as npm, in keys and values; a backslash keeps it --- */

static struct qn_str variable(const struct npm_levels *l, struct qn_str name)
{
        for (char *const *e = l->in->env; e && *e; e++)
                if (strncmp(*e, name.p, name.n) == 0 && (*e)[name.n] == '=')
                        return qn_str_c(*e + name.n + 1);
        return (struct qn_str){ 0 };
}

/* The length of "${…}" at the start of s, or 0; *ret is what is between the braces. */
static size_t reference(struct qn_str s, struct qn_str *ret)
{
        if (!qn_str_starts(s, "${"))
                return 0;
        for (size_t i = 2; i < s.n; i++) {
                char c = s.p[i];

                if (c == '}' && i > 2) {
                        *ret = (struct qn_str){ s.p + 2, i - 2 };
                        return i + 1;
                }
                if (c == '$' || c == '{' || c == '}' ||
                    (c == '?' && (i == 2 || i + 1 >= s.n || s.p[i + 1] != '}')))
                        return 0;
        }
        return 0;
}

static void expand_one(const struct npm_levels *l, struct qn_str whole, struct qn_str name,
                       struct qn_buf *b)
{
        bool optional = qn_str_ends(name, "?");
        struct qn_str value = variable(l, qn_str_take(name, name.n - optional));

        if (value.p)
                qn_buf_str(b, value);
        else if (!optional)
                qn_buf_str(b, whole);
}

static void expand_into(const struct npm_levels *l, struct qn_str s, struct qn_buf *b)
{
        size_t slashes = 0;

        for (size_t i = 0; i < s.n; i++) {
                struct qn_str name, rest = qn_str_skip(s, i);
                size_t n = reference(rest, &name);

                if (n == 0) {
                        slashes = s.p[i] == '\\' ? slashes + 1 : 0;
                        qn_buf_byte(b, s.p[i]);
                        continue;
                }
                /* Of the backslashes in front, half remain; an odd one keeps the reference as it is. */
                b->n -= QN_MIN((slashes + 1) / 2, b->n);
                if (slashes % 2)
                        qn_buf_str(b, qn_str_take(rest, n));
                else
                        expand_one(l, qn_str_take(rest, n), name, b);
                slashes = 0;
                i += n - 1;
        }
}

static int expand(struct npm_levels *l, struct qn_str s, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMRC_MAX);

        s = qn_str_trim(s);
        if (qn_str_find(s, QN_STR("${")) < 0) {
                *ret = qn_arena_dup(&l->mem, s);
        } else {
                expand_into(l, s, &b);
                if (qn_buf_error(&b) < 0)
                        return b.error;
                *ret = qn_arena_dup(&l->mem, qn_buf_view(&b));
        }
        return ret->p ? 0 : -ENOBUFS;
}

/* --- one setting --- */

static int join(struct npm_levels *l, struct qn_str *have, struct qn_str more)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_NPMRC_MAX);

        qn_buf_str(&b, *have);
        qn_buf_puts(&b, "\n\n");
        qn_buf_str(&b, more);
        if (qn_buf_error(&b) < 0)
                return b.error;
        *have = qn_arena_dup(&l->mem, qn_buf_view(&b));
        return have->p ? 0 : -ENOBUFS;
}

int npm_levels_set_plain(struct npm_levels *l, enum npm_level level, struct qn_str key,
                         struct qn_str value, bool list)
{
        struct npm_level_data *d = &l->at[level];
        struct qn_str k = qn_arena_dup(&l->mem, key), v = qn_arena_dup(&l->mem, qn_str_trim(value));
        uint32_t at;
        int r;

        if (!k.p || !v.p)
                return -ENOBUFS;
        at = qn_map_get(&d->index, k);
        if (at == QN_MAP_NONE) {
                if ((r = QN_ARENA_ROOM(&l->mem, d->items, d->n, d->cap)) < 0 ||
                    (r = qn_map_add(&d->index, &l->mem, k, (uint32_t)d->n, NULL)) < 0)
                        return r;
                d->items[d->n++] = (struct npm_setting){ k, v, l->seq++ };
                return 0;
        }
        if (list)
                return join(l, &d->items[at].value, v);
        d->items[at].value = v;
        return 0;
}

int npm_levels_set(struct npm_levels *l, enum npm_level level, struct qn_str key,
                   struct qn_str value)
{
        struct qn_str k, v;
        int r;

        if ((r = expand(l, key, &k)) < 0 || (r = expand(l, value, &v)) < 0)
                return r;
        return npm_levels_set_plain(l, level, k, v, false);
}

/* --- the levels --- */

static int load_env(struct npm_levels *l)
{
        for (char *const *e = l->in->env; e && *e; e++) {
                struct qn_str value = qn_str_c(*e), name = qn_str_cut(&value, '=');
                char key[512];
                int r;

                if (name.n < 12 || name.n - 11 > sizeof key ||
                    !qn_str_ieq(qn_str_take(name, 11), QN_STR("npm_config_")) || !value.n)
                        continue;
                name = qn_str_skip(name, 11);
                for (size_t i = 0; i < name.n; i++) {
                        char c = name.p[i];

                        key[i] = qn_str_starts(name, "//") ? c
                                 : c == '_' && i > 0       ? '-'
                                 : c >= 'A' && c <= 'Z'    ? (char)(c | 0x20)
                                                           : c;
                }
                r = npm_levels_set(l, NPM_ENV, (struct qn_str){ key, name.n }, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_flags(struct npm_levels *l)
{
        for (size_t i = 0; i < l->in->n_flags; i++) {
                int r = npm_levels_set(l, NPM_CLI, l->in->flags[i].key, l->in->flags[i].value);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* --- one file --- */

static bool on_variable(void *ctx, struct qn_str name, struct qn_str *ret)
{
        *ret = variable(ctx, name);
        return ret->p != NULL;
}

static int read_entries(struct npm_levels *l, enum npm_level level, struct qn_str text)
{
        struct qn_npmrc rc = QN_NPMRC_INIT;
        int r = qn_npmrc_parse(&rc, qn_cur_str(text), on_variable, l, &l->mem, NULL);

        for (size_t i = 0; r == 0 && i < rc.n; i++)
                if (!rc.v[i].section.n)
                        r = npm_levels_set_plain(l, level, rc.v[i].key, rc.v[i].value,
                                                 rc.v[i].list);
        return r;
}

static int load_file(struct npm_levels *l, enum npm_level level, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_NPMRC_MAX);

        if (!path || qn_io_read(path, &text) < 0)
                return 0;
        return read_entries(l, level, qn_buf_view(&text));
}

static bool same_path(struct qn_str a, struct qn_str b)
{
        return a.p && b.p && qn_str_eq(a, b);
}

static int read_project(struct npm_levels *l, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_NPMRC_MAX);
        const struct qn_npmconf_reader *by = l->in->reader;

        if (qn_io_read(path, &text) < 0)
                return 0;
        return by ? by->rc(by->ctx, qn_buf_view(&text), &l->mem, &l->project)
                  : qn_npmrc_parse_raw(&l->project, qn_cur_str(qn_buf_view(&text)), &l->mem, NULL);
}

static int load_project(struct npm_levels *l, struct qn_str user_file)
{
        struct qn_str file = npm_join(&l->mem, l->local_prefix, ".npmrc");

        if (!file.p)
                return -ENOBUFS;
        return same_path(file, user_file) ? 0 : read_project(l, file.p);
}

/* As npm decides it: before it has read any file. */
static bool has_project(const struct npm_levels *l)
{
        return !l->in->no_project &&
               !qn_str_is(npm_levels_get(l, QN_STR("global"), NULL), "true") &&
               !qn_str_is(npm_levels_get(l, QN_STR("location"), NULL), "global");
}

/* A path-valued setting, or where npm looks without it. */
static struct qn_str path_or(struct npm_levels *l, struct qn_str key, struct qn_str dir,
                             const char *rest)
{
        struct qn_str v = npm_levels_get(l, key, NULL);

        if (v.n)
                return npm_path(l, v);
        return dir.p ? npm_join(&l->mem, dir, rest) : (struct qn_str){ 0 };
}

static int load_files(struct npm_levels *l)
{
        struct qn_str prefix, file, user = path_or(l, QN_STR("userconfig"), l->home, ".npmrc");
        int r = npm_find_local_prefix(l);

        if (r == 0 && has_project(l))
                r = load_project(l, user);
        if (r == 0)
                r = load_file(l, NPM_USER, user.p);
        if (r < 0)
                return r;
        prefix = npm_levels_get(l, QN_STR("prefix"), NULL);
        prefix = prefix.n ? npm_path(l, prefix) : l->prefix;
        file = path_or(l, QN_STR("globalconfig"), prefix, "etc/npmrc");
        return load_file(l, NPM_GLOBAL, file.p);
}

int npm_levels_load(const struct qn_npmconf_in *in, struct npm_levels *l)
{
        int r;

        l->in = in;
        l->mem = QN_ARENA_INIT(QN_NPMCONF_MAX);
        l->home = npm_getenv(in, "HOME");
        r = npm_find_programs(l);
        if (r == 0 && l->npm_root.p) {
                struct qn_str builtin = npm_join(&l->mem, l->npm_root, "npmrc");

                r = load_file(l, NPM_BUILTIN, builtin.p);
        }
        if (r == 0)
                r = load_flags(l);
        if (r == 0)
                r = load_env(l);
        return r < 0 ? r : load_files(l);
}
