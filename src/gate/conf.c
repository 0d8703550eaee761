#include "gate/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/near.h"
#include "base/show.h"
#include "parse/packument.h"
#include "parse/yaml.h"

#define PATH_SHOWN 48 /* characters of a path, the last ones */
#define DAY_MS     INT64_C(86400000)

/* --- messages --- */

/* The line of a key whose value begins further down, as that of a mapping does. */
static unsigned key_line(const struct qn_conf *c, struct qn_str key, const struct qn_node *value)
{
        struct qn_str before = qn_str_take(c->text, value->off);
        unsigned line = value->line;

        while (before.n) {
                ptrdiff_t cut = qn_str_rchr(before, '\n');
                struct qn_str last = qn_str_trim(qn_str_skip(before, (size_t)(cut + 1)));

                if (qn_str_find(last, key) >= 0)
                        return line;
                if (cut < 0)
                        break;
                before = qn_str_take(before, (size_t)cut);
                line--;
        }
        return value->line;
}

static int fail_at(const struct qn_conf *c, size_t off, unsigned line, const char *fmt, va_list ap)
        QN_PRINTF(4, 0);

static int fail_at(const struct qn_conf *c, size_t off, unsigned line, const char *fmt, va_list ap)
{
        struct qn_str path = qn_str_c(c->path);
        char msg[160];
        bool cut = path.n > PATH_SHOWN;

        vsnprintf(msg, sizeof msg, fmt, ap);
        path = qn_str_skip(path, cut ? path.n - PATH_SHOWN : 0);
        return qn_fail(c->err, -EINVAL, off, "%s%.*s:%u: %s", cut ? "…" : "", QN_STR_ARG(path),
                       line, msg);
}

int qn_conf_wrong(const struct qn_conf *c, const struct qn_node *at, const char *fmt, ...)
{
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = fail_at(c, at ? at->off : 0, at ? at->line : 1, fmt, ap);
        va_end(ap);
        return r;
}

static int wrong_key(const struct qn_conf *c, struct qn_str key, const struct qn_node *value,
                     const char *fmt, ...) QN_PRINTF(4, 5);

static int wrong_key(const struct qn_conf *c, struct qn_str key, const struct qn_node *value,
                     const char *fmt, ...)
{
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = fail_at(c, value->off, key_line(c, key, value), fmt, ap);
        va_end(ap);
        return r;
}

int qn_conf_memory(const struct qn_conf *c)
{
        return qn_fail(c->err, -ENOBUFS, 0, "%s: the file needs too much memory: shorten it",
                       c->path);
}

/* What the operator wrote, short and fit to be printed. */
static const char *shown(struct qn_str s, char buf[64])
{
        struct qn_buf b = QN_BUF_INIT(63);

        qn_show(&b, s, 28, 0);
        snprintf(buf, 64, "%.*s", QN_STR_ARG(qn_buf_view(&b)));
        qn_buf_done(&b);
        return buf;
}

static struct qn_str raw_text(const struct qn_node *n)
{
        static const char *const names[] = { [QN_NODE_NULL] = "nothing",
                                             [QN_NODE_ARRAY] = "a list",
                                             [QN_NODE_OBJECT] = "a mapping" };

        if (n->type == QN_NODE_BOOL)
                return qn_str_c(n->boolean ? "true" : "false");
        if (n->type == QN_NODE_STRING || n->type == QN_NODE_NUMBER)
                return n->text;
        return qn_str_c(names[n->type]);
}

/* --- reading --- */

static int wrong_yaml(const struct qn_conf *c, const struct qn_err *err)
{
        struct qn_str before = qn_str_take(c->text, err->off);
        struct qn_node at = { .off = (uint32_t)before.n, .line = 1 };
        bool quote = strstr(err->msg, "cannot start any token") != NULL;

        for (size_t i = 0; i < before.n; i++)
                at.line += before.p[i] == '\n';
        return qn_conf_wrong(c, &at, "%s%s", err->msg,
                             quote ? ": what begins with @, * or ` is put into quotes" : "");
}

int qn_conf_parse(struct qn_conf *c, struct qn_str text, const struct qn_node **ret)
{
        struct qn_err err = { 0 };
        struct qn_node *root = NULL;
        int r;

        c->text = text;
        r = qn_yaml_parse(qn_cur_str(text), c->a, &root, &err);
        if (r == -ENOMEM || r == -ENOBUFS)
                return qn_conf_memory(c);
        if (r < 0)
                return wrong_yaml(c, &err);
        *ret = qn_node_is(root, QN_NODE_NULL) ? NULL : root;
        return 0;
}

int qn_conf_load(struct qn_conf *c, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_GATE_FILE_MAX);
        int r = qn_io_read(c->path, &text);

        if (r < 0)
                return qn_fail(c->err, r, 0, "%s: %s", c->path, strerror(-r));
        *ret = qn_arena_dup(c->a, qn_buf_view(&text));
        return ret->p ? 0 : qn_conf_memory(c);
}

int qn_conf_is_map(const struct qn_conf *c, const struct qn_node *n, const char *what)
{
        if (!qn_node_is(n, QN_NODE_OBJECT))
                return qn_conf_wrong(c, n, "%s is a mapping, lines of `key: value`", what);
        if (n->duplicate)
                return qn_conf_wrong(c, n, "%s has a key twice: leave one of them out", what);
        return 0;
}

int qn_conf_is_list(const struct qn_conf *c, const struct qn_node *n, const char *what, size_t max)
{
        if (!qn_node_is(n, QN_NODE_ARRAY))
                return qn_conf_wrong(c, n, "%s is a list, lines that begin with `- `", what);
        if (n->n > max)
                return qn_conf_wrong(c, n, "%s has more than %zu entries", what, max);
        return 0;
}

/* A guess has fewer edits than this: short words are near to everything. */
static unsigned guess_within(struct qn_str s)
{
        return 2 + (unsigned)QN_MIN(s.n / 4, (size_t)2);
}

static void nearer(struct qn_str s, const char *candidate, unsigned *best, const char **ret)
{
        struct qn_str c = qn_str_c(candidate);
        unsigned d;

        d = s.n ? qn_near(s, c) : QN_NEAR_MAX;
        if (d < *best && d < c.n) {
                *best = d;
                *ret = candidate;
        }
}

static int unknown_key(const struct qn_conf *c, struct qn_str key, const struct qn_node *value,
                       const struct qn_conf_key *keys, size_t n)
{
        const char *near = NULL;
        unsigned best = guess_within(key);
        char buf[64];

        for (size_t i = 0; i < n; i++)
                nearer(key, keys[i].key, &best, &near);
        if (near)
                return wrong_key(c, key, value, "there is no key \"%s\"; did you mean \"%s\"?",
                                 shown(key, buf), near);
        return wrong_key(c, key, value, "there is no key \"%s\" here: leave it out",
                         shown(key, buf));
}

int qn_conf_keys(struct qn_conf *c, const struct qn_node *map, const char *what,
                 const struct qn_conf_key *keys, size_t n, void *object)
{
        int r = qn_conf_is_map(c, map, what);

        for (size_t i = 0; r == 0 && i < map->n; i++) {
                size_t k = 0;

                while (k < n && !qn_str_is(map->keys[i], keys[k].key))
                        k++;
                if (k == n)
                        return unknown_key(c, map->keys[i], map->items[i], keys, n);
                if (!qn_node_is(map->items[i], QN_NODE_NULL))
                        r = keys[k].take(c, keys[k].key, map->items[i],
                                         (char *)object + keys[k].to);
        }
        return r;
}

/* "a, b or c" */
static void list_words(const char *const *words, char *to, size_t size)
{
        size_t used = 0;

        to[0] = '\0';
        for (unsigned i = 0; words[i] && used < size; i++)
                used += (size_t)snprintf(to + used, size - used, "%s%s",
                                         !i             ? ""
                                         : words[i + 1] ? ", "
                                                        : " or ",
                                         words[i]);
}

int qn_conf_word(const struct qn_conf *c, const char *key, const struct qn_node *n,
                 const char *const *words, unsigned *ret)
{
        struct qn_str s = raw_text(n);
        const char *near = NULL;
        unsigned best = guess_within(s);
        char all[120], buf[64];

        for (unsigned i = 0; words[i]; i++) {
                if (qn_node_is(n, QN_NODE_STRING) && qn_str_is(s, words[i])) {
                        *ret = i;
                        return 0;
                }
                nearer(s, words[i], &best, &near);
        }
        if (near)
                return qn_conf_wrong(c, n, "%s cannot be \"%s\"; did you mean \"%s\"?", key,
                                     shown(s, buf), near);
        list_words(words, all, sizeof all);
        return qn_conf_wrong(c, n, "%s is %s, not \"%s\"", key, all, shown(s, buf));
}

/* --- values --- */

static bool has_controls(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return true;
        return false;
}

int qn_conf_text(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_str s, *ret = to;
        char buf[64];

        if (n->type != QN_NODE_STRING && n->type != QN_NODE_NUMBER)
                return qn_conf_wrong(c, n, "%s is a text, not %s", key, shown(raw_text(n), buf));
        s = qn_str_trim(n->text);
        if (!s.n)
                return qn_conf_wrong(c, n, "%s is empty: say something, or leave it out", key);
        if (s.n > QN_GATE_TEXT_MAX)
                return qn_conf_wrong(c, n, "%s has more than %u characters: shorten it", key,
                                     QN_GATE_TEXT_MAX);
        if (has_controls(s))
                return qn_conf_wrong(c, n, "%s is one line without control characters", key);
        *ret = qn_arena_dup(c->a, s);
        return ret->p ? 0 : qn_conf_memory(c);
}

int qn_conf_texts(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_conf_list list = { 0 };
        int r = qn_conf_is_list(c, n, key, QN_GATE_LIST_MAX);

        if (r < 0)
                return r;
        list.v = qn_arena_calloc(c->a, n->n + 1, sizeof *list.v);
        if (!list.v)
                return qn_conf_memory(c);
        for (size_t i = 0; r == 0 && i < n->n; i++)
                r = qn_conf_text(c, key, n->items[i], &list.v[list.n++]);
        if (r == 0)
                *(struct qn_conf_list *)to = list;
        return r;
}

int qn_conf_bool(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        char buf[64];

        if (!qn_node_is(n, QN_NODE_BOOL))
                return qn_conf_wrong(c, n, "%s is true or false, not \"%s\"", key,
                                     shown(raw_text(n), buf));
        *(bool *)to = n->boolean;
        return 0;
}

int qn_conf_u32(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        uint64_t v = qn_node_u64(n, UINT64_MAX);
        char buf[64];

        if (v > UINT32_MAX)
                return qn_conf_wrong(c, n, "%s is a whole number from 0 on, not \"%s\"", key,
                                     shown(raw_text(n), buf));
        *(uint32_t *)to = (uint32_t)v;
        return 0;
}

struct unit {
        const char *name;
        uint64_t times;
};

/* Digits and a unit; only 0 needs none, unless the first unit is "".  max: in the smallest unit. */
static bool take_measure(const struct qn_node *n, const struct unit *units, uint64_t max,
                         uint64_t *ret)
{
        struct qn_str s = raw_text(n), unit;
        size_t digits = 0;
        uint64_t v;

        if (n->type != QN_NODE_STRING && n->type != QN_NODE_NUMBER)
                return false;
        while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
                digits++;
        if (!digits || qn_str_u64(qn_str_take(s, digits), &v) < 0)
                return false;
        unit = qn_str_skip(s, digits);
        for (; units->name; units++)
                if (qn_str_is(unit, units->name) && v <= max / units->times) {
                        *ret = v * units->times;
                        return true;
                }
        *ret = 0;
        return !v && !unit.n;
}

int qn_conf_size(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct unit units[] = {
                { "", 1 },
                { "KB", UINT64_C(1) << 10 },
                { "MB", UINT64_C(1) << 20 },
                { "GB", UINT64_C(1) << 30 },
                { "TB", UINT64_C(1) << 40 },
                { 0 },
        };
        uint64_t v;
        char buf[64];

        if (!take_measure(n, units, UINT64_C(1) << 50, &v))
                return qn_conf_wrong(c, n, "%s is a size such as 512KB, 64MB or 10GB, not \"%s\"",
                                     key, shown(raw_text(n), buf));
        *(uint64_t *)to = v;
        return 0;
}

int qn_conf_duration(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        static const struct unit units[] = {
                { "ms", 1 },     { "s", 1000 },       { "m", 60000 }, { "h", 3600000 },
                { "d", DAY_MS }, { "w", 7 * DAY_MS }, { 0 },
        };
        uint64_t v;
        char buf[64];

        if (!take_measure(n, units, QN_GATE_DURATION_MAX, &v))
                return qn_conf_wrong(c, n,
                                     "%s is 0 or a time such as 5s, 30m, 24h, 7d or 2w, not \"%s\"",
                                     key, shown(raw_text(n), buf));
        *(int64_t *)to = (int64_t)v;
        return 0;
}

int qn_conf_seconds(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        int64_t ms = 0;
        int r = qn_conf_duration(c, key, n, &ms);

        if (r < 0)
                return r;
        if (ms % 1000)
                return qn_conf_wrong(c, n, "%s is in whole seconds: round it", key);
        *(uint32_t *)to = (uint32_t)(ms / 1000);
        return 0;
}

int qn_conf_time(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_str s = raw_text(n), back;
        char text[QN_TIME_TEXT], buf[64];
        int64_t ms = n->type == QN_NODE_STRING ? qn_time_parse(s) : QN_TIME_NONE;
        int64_t day = n->type == QN_NODE_STRING ? qn_time_parse(qn_str_take(s, 10)) : QN_TIME_NONE;

        if (ms == QN_TIME_NONE || day == QN_TIME_NONE)
                return qn_conf_wrong(
                        c, n, "%s is a date such as 2026-11-29 or 2026-11-29T14:00Z, not \"%s\"",
                        key, shown(s, buf));
        back = qn_time_format(day, text);
        if (!qn_str_eq(qn_str_take(back, 10), qn_str_take(s, 10)))
                return qn_conf_wrong(c, n, "%s: there is no day \"%s\" in the calendar", key,
                                     shown(s, buf));
        *(int64_t *)to = ms;
        return 0;
}

int qn_conf_url(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        struct qn_str url, rest;
        int r = qn_conf_text(c, key, n, &url);

        if (r < 0)
                return r;
        rest = qn_str_skip(url, qn_str_starts(url, "https://")  ? 8
                                : qn_str_starts(url, "http://") ? 7
                                                                : url.n);
        if (!rest.n || !strchr("[", rest.p[0]) == !isalnum((unsigned char)rest.p[0]))
                return qn_conf_wrong(c, n, "%s is an address such as https://npm.acme.example/",
                                     key);
        for (size_t i = 0; i < rest.n; i++)
                if (!isgraph((unsigned char)rest.p[i]) || strchr("?#\\\"<>", rest.p[i]))
                        return qn_conf_wrong(c, n, "%s has no blanks, queries or fragments", key);
        if (qn_str_chr(rest, '@') >= 0)
                return qn_conf_wrong(c, n, "%s holds no user or password: use `token`", key);
        *(struct qn_str *)to = url;
        return 0;
}

int qn_conf_path(struct qn_conf *c, const char *key, const struct qn_node *n, void *to)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(8192);
        struct qn_str path, *ret = to;
        int r = qn_conf_text(c, key, n, &path);

        if (r < 0)
                return r;
        if (path.p[0] != '/' && !qn_str_is(path, "-") && strchr(c->path, '/')) {
                qn_buf_str(&b, qn_str_dir(qn_str_c(c->path)));
                qn_buf_byte(&b, '/');
        }
        qn_buf_str(&b, path);
        if (qn_buf_error(&b) < 0)
                return qn_conf_wrong(c, n, "%s: the path is too long", key);
        *ret = qn_arena_dup(c->a, qn_buf_view(&b));
        return ret->p ? 0 : qn_conf_memory(c);
}
