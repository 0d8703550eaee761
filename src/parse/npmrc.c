#include "parse/npmrc.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/semver-text.h"

struct reader {
        struct qn_npmrc *rc;
        struct qn_arena *arena;
        qn_npmrc_env_fn *env;
        void *ctx;
        bool raw; /* nothing is expanded */
        struct qn_str section;
        uint32_t line;
        size_t left;       /* bytes that expansion may still make */
        struct qn_buf out; /* one expanded text */
};

/* --- one text: quotes, escapes, variables --- */

static bool is_quoted(struct qn_str s, char quote)
{
        return s.n && s.p[0] == quote && s.p[s.n - 1] == quote;
}

/* JSON string → its value; anything else stays as it is. */
static int unquote(struct reader *rd, struct qn_str s, struct qn_str *ret)
{
        struct qn_node *n = NULL;
        int r;

        *ret = s;
        if (s.n < 2 || s.p[0] != '"')
                return 0;
        r = qn_json_parse(qn_cur_str(s), rd->arena, &n, NULL);
        if (r == 0 && n->type == QN_NODE_STRING)
                *ret = n->text;
        return r == -ENOBUFS || r == -ENOMEM ? -ENOBUFS : 0;
}

/* Backslashes protect themselves and comment signs; a bare comment sign ends the text. */
static int unescape(struct reader *rd, struct qn_str s, struct qn_str *ret)
{
        char *out = qn_arena_alloc(rd->arena, s.n + 1), *o = out;

        if (!out)
                return -ENOBUFS;
        for (size_t i = 0; i < s.n && s.p[i] != ';' && s.p[i] != '#'; i++) {
                if (s.p[i] == '\\' && i + 1 < s.n && s.p[i + 1] != 0 && strchr("\\;#", s.p[i + 1]))
                        i++;
                else if (s.p[i] == '\\' && i + 1 < s.n)
                        *o++ = s.p[i++];
                *o++ = s.p[i];
        }
        *ret = qn_plain_trim((struct qn_str){ out, (size_t)(o - out) });
        return 0;
}

static int read_text(struct reader *rd, struct qn_str s, struct qn_str *ret)
{
        s = qn_plain_trim(s);
        if (is_quoted(s, '\''))
                return unquote(rd, s.n < 2 ? QN_STR("") : qn_str_take(qn_str_skip(s, 1), s.n - 2),
                               ret);
        if (is_quoted(s, '"'))
                return unquote(rd, s, ret);
        return unescape(rd, s, ret);
}

/* Bytes of "${NAME}" or "${NAME?}" at the start of s, 0 when there is none. */
static size_t variable_size(struct qn_str s, struct qn_str *ret_name, bool *ret_optional)
{
        size_t n = 2;

        if (!qn_str_starts(s, "${"))
                return 0;
        while (n < s.n && s.p[n] != '$' && s.p[n] != '{' && s.p[n] != '}' && s.p[n] != '?')
                n++;
        *ret_name = qn_str_skip(qn_str_take(s, n), 2);
        *ret_optional = n < s.n && s.p[n] == '?';
        n += *ret_optional;
        return ret_name->n && n < s.n && s.p[n] == '}' ? n + 1 : 0;
}

/* What stands for a variable: its value, nothing when it may be missing, or its name in braces. */
static void put_variable(struct reader *rd, struct qn_str name, bool optional)
{
        struct qn_str value;

        if (rd->env && rd->env(rd->ctx, name, &value)) {
                qn_buf_str(&rd->out, value);
        } else if (!optional) {
                qn_buf_puts(&rd->out, "${");
                qn_buf_str(&rd->out, name);
                qn_buf_byte(&rd->out, '}');
        }
}

static bool holds_variable(struct qn_str s)
{
        return qn_str_find(s, QN_STR("${")) >= 0;
}

/* Backslashes before a variable count in pairs; an odd one protects it. */
static int expand(struct reader *rd, struct qn_str s, bool *expanded, struct qn_str *ret)
{
        *ret = s;
        if (!holds_variable(s))
                return 0;
        if (rd->raw) {
                *expanded = true;
                return 0;
        }
        qn_buf_reset(&rd->out);
        while (s.n) {
                size_t slashes = 0, n;
                struct qn_str name;
                bool optional;

                while (slashes < s.n && s.p[slashes] == '\\')
                        slashes++;
                n = variable_size(qn_str_skip(s, slashes), &name, &optional);
                if (n == 0) {
                        n = QN_MAX(slashes, (size_t)1);
                        qn_buf_str(&rd->out, qn_str_take(s, n));
                        s = qn_str_skip(s, n);
                        continue;
                }
                qn_buf_fill(&rd->out, '\\', slashes / 2);
                if (slashes % 2) {
                        qn_buf_str(&rd->out, qn_str_take(qn_str_skip(s, slashes), n));
                } else {
                        put_variable(rd, name, optional);
                        *expanded = true;
                }
                s = qn_str_skip(s, slashes + n);
        }
        if (qn_buf_error(&rd->out) < 0 || rd->out.n > rd->left)
                return -EFBIG;
        rd->left -= rd->out.n;
        *ret = qn_arena_dup(rd->arena, qn_buf_view(&rd->out));
        return ret->p ? 0 : -ENOBUFS;
}

/* --- lines --- */

static int add_entry(struct reader *rd, struct qn_npmrc_entry e)
{
        int r = QN_ARENA_ROOM(rd->arena, rd->rc->v, rd->rc->n, rd->rc->cap);

        if (r == 0)
                rd->rc->v[rd->rc->n++] = e;
        return r;
}

/* JavaScript's pattern for a value stops at these two, and then the line does not match at all. */
static bool holds_separator(struct qn_str s)
{
        return qn_str_find(s, QN_STR("\xe2\x80\xa8")) >= 0 ||
               qn_str_find(s, QN_STR("\xe2\x80\xa9")) >= 0;
}

static int read_pair(struct reader *rd, struct qn_str line)
{
        struct qn_npmrc_entry e = { .section = rd->section,
                                    .value = QN_STR("true"),
                                    .line = rd->line };
        struct qn_str rest = line, key = qn_str_cut(&rest, '=');
        int r;

        if (key.n == 0 || (rest.p && holds_separator(rest)))
                return 0;
        if ((r = read_text(rd, key, &e.key)) < 0 ||
            (rest.p && (r = read_text(rd, rest, &e.value)) < 0))
                return r;
        if (e.key.n > 2 && qn_str_ends(e.key, "[]")) {
                e.list = true;
                e.key.n -= 2;
        }
        if (qn_str_is(e.key, "__proto__"))
                return 0;
        if ((r = expand(rd, e.key, &e.expanded, &e.key)) < 0 ||
            (r = expand(rd, e.value, &e.expanded, &e.value)) < 0)
                return r;
        return add_entry(rd, e);
}

static int read_line(struct reader *rd, struct qn_str line)
{
        struct qn_str text = qn_plain_trim(line), inner;
        ptrdiff_t close;

        if (text.n == 0 || text.p[0] == ';' || text.p[0] == '#')
                return 0;
        if (line.p[0] != '[')
                return read_pair(rd, line);
        inner = qn_str_skip(line, 1);
        close = qn_str_chr(inner, ']');
        if (close < 0 || qn_plain_trim(qn_str_skip(inner, (size_t)close + 1)).n)
                return read_pair(rd, line);
        return read_text(rd, qn_str_take(inner, (size_t)close), &rd->section);
}

static int read_lines(struct reader *rd, struct qn_str s)
{
        int r = 0;

        while (r == 0 && s.n) {
                size_t n = 0;

                while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r')
                        n++;
                if (n)
                        r = read_line(rd, qn_str_take(s, n));
                n += qn_str_starts(qn_str_skip(s, n), "\r\n") ? 2 : n < s.n;
                rd->line++;
                s = qn_str_skip(s, n);
        }
        return r;
}

static int parse(struct reader *rd, struct qn_cur in, struct qn_err *reterr)
{
        struct qn_npmrc before = *rd->rc;
        int r;

        if (qn_cur_left(&in) > QN_NPMRC_MAX)
                return qn_fail(reterr, -EFBIG, 0, "npmrc: larger than %zu KB", QN_NPMRC_MAX >> 10);
        rd->line = 1;
        rd->left = QN_NPMRC_MAX;
        rd->out = QN_BUF_INIT(QN_NPMRC_MAX);
        r = read_lines(rd, qn_cur_rest(&in));
        qn_buf_done(&rd->out);
        if (r == 0)
                return 0;
        *rd->rc = before;
        return qn_fail(reterr, r, 0, "npmrc: line %u: %s", rd->line - 1,
                       r == -EFBIG ? "the variables in it are too long"
                                   : "it needs too much memory");
}

int qn_npmrc_parse(struct qn_npmrc *rc, struct qn_cur in, qn_npmrc_env_fn *env, void *ctx,
                   struct qn_arena *a, struct qn_err *reterr)
{
        struct reader rd = { .rc = rc, .arena = a, .env = env, .ctx = ctx };

        return parse(&rd, in, reterr);
}

int qn_npmrc_parse_raw(struct qn_npmrc *rc, struct qn_cur in, struct qn_arena *a,
                       struct qn_err *reterr)
{
        struct reader rd = { .rc = rc, .arena = a, .raw = true };

        return parse(&rd, in, reterr);
}

/* --- look-ups --- */

struct qn_str qn_npmrc_get(const struct qn_npmrc *rc, struct qn_str key)
{
        for (size_t i = rc->n; i-- > 0;)
                if (!rc->v[i].section.p && qn_str_eq(rc->v[i].key, key))
                        return rc->v[i].value;
        return (struct qn_str){ NULL, 0 };
}

bool qn_npmrc_bool(const struct qn_npmrc *rc, struct qn_str key, bool fallback)
{
        struct qn_str v = qn_npmrc_get(rc, key);

        return v.p ? qn_str_is(v, "true") : fallback;
}

/* The last value whose key is `head` followed by `tail`. */
static struct qn_str get_joined(const struct qn_npmrc *rc, struct qn_str head, struct qn_str tail)
{
        for (size_t i = rc->n; i-- > 0;) {
                struct qn_str key = rc->v[i].key;

                if (!rc->v[i].section.p && key.n == head.n + 1 + tail.n && key.p[head.n] == ':' &&
                    qn_str_eq(qn_str_take(key, head.n), head) &&
                    qn_str_eq(qn_str_skip(key, head.n + 1), tail))
                        return rc->v[i].value;
        }
        return (struct qn_str){ NULL, 0 };
}

struct qn_str qn_npmrc_registry(const struct qn_npmrc *rc, struct qn_str name)
{
        ptrdiff_t slash = qn_str_chr(name, '/');
        struct qn_str v = { NULL, 0 };

        if (slash > 0 && name.p[0] == '@')
                v = get_joined(rc, qn_str_take(name, (size_t)slash), QN_STR("registry"));
        return v.p ? v : qn_npmrc_get(rc, QN_STR("registry"));
}

#define URL_MAX 2048

/* "https://user@Host:443/a/b?q" → "//host/a/b"; false when it is no such URL. */
static bool bare_url(struct qn_str url, char *buf, struct qn_str *ret)
{
        ptrdiff_t at = qn_str_find(url, QN_STR("://"));
        bool tls = qn_str_starts(url, "https:");
        struct qn_str host, path = { NULL, 0 };
        size_t end = 0;

        if (at <= 0 || url.n > URL_MAX)
                return false;
        url = qn_str_skip(url, (size_t)at + 3);
        while (end < url.n && url.p[end] != '?' && url.p[end] != '#')
                end++;
        url = qn_str_take(url, end);
        at = qn_str_chr(url, '/');
        host = at < 0 ? url : qn_str_take(url, (size_t)at);
        path = at < 0 ? QN_STR("/") : qn_str_skip(url, (size_t)at);
        at = qn_str_rchr(host, '@');
        host = qn_str_skip(host, (size_t)(at + 1));
        if (qn_str_ends(host, tls ? ":443" : ":80"))
                host.n -= tls ? 4 : 3;
        memcpy(buf, "//", 2);
        for (size_t i = 0; i < host.n; i++)
                buf[2 + i] =
                        host.p[i] >= 'A' && host.p[i] <= 'Z' ? (char)(host.p[i] | 0x20) : host.p[i];
        memcpy(buf + 2 + host.n, path.p, path.n);
        *ret = (struct qn_str){ buf, 2 + host.n + path.n };
        return true;
}

struct qn_str qn_npmrc_for_url(const struct qn_npmrc *rc, struct qn_str url, struct qn_str field)
{
        char buf[URL_MAX + 4];
        struct qn_str key, v = { NULL, 0 };

        if (!bare_url(url, buf, &key))
                return v;
        /* Upwards: first what follows the last slash goes, then the slash. */
        while (!v.p && key.n > 2) {
                size_t n = key.n;

                v = get_joined(rc, key, field);
                while (key.n > 2 && key.p[key.n - 1] != '/')
                        key.n--;
                if (key.n == n)
                        key.n--;
        }
        return v;
}
