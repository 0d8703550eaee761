/* gyp-tree.c - Python literals → tree.  No recursion: open levels stand on a stack, their children on another one. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "parse/gyp-tree.h"

struct child {
        struct qn_str key;
        struct qn_node *value;
};

struct level {
        struct qn_node *node; /* NULL: parentheses that may turn out to be a tuple or mere grouping */
        char close;
        size_t from;      /* its first child */
        bool want_value;  /* after "key:" */
        bool need_comma;  /* after a complete item */
        bool tuple;       /* a comma was seen inside parentheses */
        struct qn_str key;
};

struct reader {
        struct qn_str in;
        size_t at, line_start;
        uint32_t line;
        struct qn_arena *a;
        struct qn_err *err;
        struct level levels[QN_GYP_DEPTH_MAX];
        size_t depth;
        struct child *kids;
        size_t n_kids, kids_cap;
        struct qn_node *root;
};

static int fail(struct reader *r, int code, const char *what)
{
        return qn_fail(r->err, code, r->at, "line %u: %s", r->line, what);
}

static bool more(const struct reader *r)
{
        return r->at < r->in.n;
}

static char peek(const struct reader *r, size_t k)
{
        return r->at + k < r->in.n ? r->in.p[r->at + k] : '\0';
}

static void newline(struct reader *r)
{
        r->line++;
        r->line_start = r->at;
}

static void skip_blank(struct reader *r)
{
        while (more(r)) {
                char c = peek(r, 0);

                if (c == '#') {
                        while (more(r) && peek(r, 0) != '\n')
                                r->at++;
                } else if (c == '\\' && (peek(r, 1) == '\n' || (peek(r, 1) == '\r' && peek(r, 2) == '\n'))) {
                        r->at += peek(r, 1) == '\n' ? 2 : 3;
                        newline(r);
                } else if (c == '\n') {
                        r->at++;
                        newline(r);
                } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
                        r->at++;
                } else {
                        break;
                }
        }
}

static struct qn_node *new_node(struct reader *r, enum qn_node_type type)
{
        struct qn_node *n = QN_ARENA_NEW(r->a, struct qn_node);

        if (!n)
                return NULL;
        n->type = type;
        n->off = (uint32_t)r->at;
        n->line = r->line;
        n->column = (uint32_t)(r->at - r->line_start + 1);
        return n;
}

/* --- strings --- */

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int add_hex(struct reader *r, struct qn_buf *out, unsigned digits)
{
        uint32_t v = 0;

        for (unsigned i = 0; i < digits; i++) {
                int d = hex_digit(peek(r, 0));

                if (d < 0)
                        return fail(r, -EBADMSG, "a \\x escape is cut short");
                v = v << 4 | (uint32_t)d;
                r->at++;
        }
        return qn_buf_utf8(out, v);
}

/* https://docs.python.org/3/reference/lexical_analysis.html#escape-sequences; the backslash has been read. */
static int add_escape(struct reader *r, struct qn_buf *out)
{
        static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
        char c = peek(r, 0);
        const char *simple = c ? strchr(from, c) : NULL;
        uint32_t v = 0;

        if (simple) {
                r->at++;
                return qn_buf_byte(out, to[simple - from]);
        }
        if (c == '\n' || c == '\r') {
                r->at += c == '\r' && peek(r, 1) == '\n' ? 2 : 1;
                newline(r);
                return 0;
        }
        if (c == 'x' || c == 'u' || c == 'U') {
                r->at++;
                return add_hex(r, out, c == 'x' ? 2 : c == 'u' ? 4 : 8);
        }
        if (c >= '0' && c <= '7') {
                for (unsigned i = 0; i < 3 && peek(r, 0) >= '0' && peek(r, 0) <= '7'; i++, r->at++)
                        v = v << 3 | (uint32_t)(peek(r, 0) - '0');
                return qn_buf_utf8(out, v);
        }
        return qn_buf_byte(out, '\\'); /* an unknown escape stands for itself */
}

static int read_body(struct reader *r, bool raw, struct qn_buf *out)
{
        char quote = peek(r, 0);
        bool triple = peek(r, 1) == quote && peek(r, 2) == quote;
        int e = 0;

        r->at += triple ? 3 : 1;
        while (e == 0) {
                char c = peek(r, 0);

                if (!more(r))
                        return fail(r, -EBADMSG, "a string does not end");
                if (c == quote && (!triple || (peek(r, 1) == quote && peek(r, 2) == quote))) {
                        r->at += triple ? 3 : 1;
                        return 0;
                }
                if (c == '\n' && !triple)
                        return fail(r, -EBADMSG, "a string does not end on its line");
                r->at++;
                if (c == '\\' && raw) {
                        e = qn_buf_byte(out, c);
                        if (more(r) && peek(r, 0) != '\n')
                                e = qn_buf_byte(out, r->in.p[r->at++]);
                } else if (c == '\\') {
                        e = add_escape(r, out);
                } else {
                        e = qn_buf_byte(out, c);
                        if (c == '\n')
                                newline(r);
                }
        }
        return e;
}

/* Bytes before the quote of a string: r, b, u, f and pairs of them; -1 when this is no string. */
static int prefix_length(const struct reader *r, bool *ret_raw)
{
        int n = 0;

        *ret_raw = false;
        while (n < 2 && peek(r, (size_t)n) && strchr("rRbBuUfF", peek(r, (size_t)n))) {
                *ret_raw = *ret_raw || (peek(r, (size_t)n) | 0x20) == 'r';
                n++;
        }
        return peek(r, (size_t)n) == '"' || peek(r, (size_t)n) == '\'' ? n : -1;
}

/* Adjacent strings and strings joined with + are one. */
static int read_string(struct reader *r, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_GYP_MAX);
        bool raw;
        int n;

        while ((n = prefix_length(r, &raw)) >= 0) {
                size_t end, line_start;
                uint32_t line;
                int e;

                r->at += (size_t)n;
                e = read_body(r, raw, &out);
                if (e < 0)
                        return e;
                end = r->at;
                line = r->line;
                line_start = r->line_start;
                skip_blank(r);
                if (peek(r, 0) != '+')
                        continue;
                r->at++;
                skip_blank(r);
                if (prefix_length(r, &raw) >= 0)
                        continue;
                r->at = end;
                r->line = line;
                r->line_start = line_start;
                return fail(r, -EBADMSG, "something is added to a string that is no string");
        }
        *ret = qn_arena_dup(r->a, qn_buf_view(&out));
        return ret->p ? 0 : -ENOBUFS;
}

/* --- values --- */

static int push_level(struct reader *r, char open)
{
        struct level *l;

        if (r->depth == QN_GYP_DEPTH_MAX)
                return fail(r, -EFBIG, "it is nested too deep");
        l = &r->levels[r->depth++];
        *l = (struct level){ .close = open == '{' ? '}' : open == '[' ? ']' : ')', .from = r->n_kids };
        l->node = new_node(r, open == '{' ? QN_NODE_OBJECT : QN_NODE_ARRAY);
        r->at++;
        return l->node ? 0 : -ENOBUFS;
}

/* A finished value goes to the level it stands in, or is the document. */
static int take_value(struct reader *r, struct qn_node *v)
{
        struct level *l;
        int e;

        if (!r->depth) {
                r->root = v;
                return 0;
        }
        l = &r->levels[r->depth - 1];
        if (l->close == '}' && !l->want_value) {
                if (v->type != QN_NODE_STRING)
                        return fail(r, -EBADMSG, "a key is no string");
                skip_blank(r);
                if (peek(r, 0) != ':')
                        return fail(r, -EBADMSG, "there is no colon after a key");
                r->at++;
                l->key = v->text;
                l->want_value = true;
                return 0;
        }
        e = QN_ARENA_ROOM(r->a, r->kids, r->n_kids, r->kids_cap);
        if (e < 0)
                return e;
        r->kids[r->n_kids++] = (struct child){ l->key, v };
        l->want_value = false;
        l->need_comma = true;
        return 0;
}

static size_t find_key(const struct qn_node *o, struct qn_str key)
{
        size_t i = 0;

        while (i < o->n && !qn_str_eq(o->keys[i], key))
                i++;
        return i;
}

static int close_level(struct reader *r)
{
        struct level *l = &r->levels[r->depth - 1];
        struct qn_node *n = l->node;
        size_t count = r->n_kids - l->from;

        if (l->want_value)
                return fail(r, -EBADMSG, "a key has no value");
        if (l->close == '}' && count > QN_GYP_KEYS_MAX)
                return fail(r, -EFBIG, "a dict has too many keys");
        n->items = qn_arena_alloc(r->a, (count + 1) * sizeof *n->items);
        n->keys = l->close == '}' ? qn_arena_alloc(r->a, (count + 1) * sizeof *n->keys) : NULL;
        if (!n->items || (l->close == '}' && !n->keys))
                return -ENOBUFS;
        for (size_t i = 0; i < count; i++) {
                const struct child *c = &r->kids[l->from + i];
                size_t at = l->close == '}' ? find_key(n, c->key) : n->n;

                n->duplicate = n->duplicate || at < n->n;
                n->items[at] = c->value;
                if (n->keys)
                        n->keys[at] = c->key;
                n->n += at == n->n;
        }
        r->n_kids = l->from;
        r->at++;
        r->depth--;
        /* ("x") is "x", ("x",) is a tuple. */
        if (l->close == ')' && !l->tuple && n->n == 1)
                n = n->items[0];
        return take_value(r, n);
}

static bool is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static int read_word(struct reader *r)
{
        struct qn_node *n = new_node(r, QN_NODE_NULL);
        size_t from = r->at;

        if (!n)
                return -ENOBUFS;
        if (peek(r, 0) == '-' || peek(r, 0) == '+')
                r->at++;
        while (is_word(peek(r, 0)))
                r->at++;
        n->text = (struct qn_str){ r->in.p + from, r->at - from };
        if (qn_str_is(n->text, "True") || qn_str_is(n->text, "False")) {
                n->type = QN_NODE_BOOL;
                n->boolean = qn_str_is(n->text, "True");
        } else if (n->text.n && ((n->text.p[0] >= '0' && n->text.p[0] <= '9') || n->text.p[0] == '-' || n->text.p[0] == '+')) {
                n->type = QN_NODE_NUMBER;
        } else if (!qn_str_is(n->text, "None")) {
                r->at = from;
                return fail(r, -EBADMSG, "this is no literal: gyp would run it as Python");
        }
        return take_value(r, n);
}

static int read_value(struct reader *r)
{
        struct qn_node *n;
        bool raw;
        int e;

        if (strchr("{[(", peek(r, 0)))
                return push_level(r, peek(r, 0));
        if (prefix_length(r, &raw) < 0)
                return read_word(r);
        n = new_node(r, QN_NODE_STRING);
        if (!n)
                return -ENOBUFS;
        e = read_string(r, &n->text);
        return e < 0 ? e : take_value(r, n);
}

static int step(struct reader *r)
{
        struct level *l = r->depth ? &r->levels[r->depth - 1] : NULL;

        if (!more(r))
                return fail(r, -EBADMSG, r->depth ? "it is cut short" : "it is empty");
        if (peek(r, 0) == '\0')
                return fail(r, -EBADMSG, "there is a NUL byte");
        if (l && peek(r, 0) == l->close)
                return close_level(r);
        if (!l || !l->need_comma)
                return read_value(r);
        if (peek(r, 0) != ',')
                return fail(r, -EBADMSG, "a comma is missing");
        r->at++;
        l->need_comma = false;
        l->tuple = true;
        return 0;
}

int qn_gyp_tree(struct qn_cur in, struct qn_arena *a, struct qn_node **ret, struct qn_err *reterr)
{
        struct reader *r;
        int e = 0;

        if (qn_cur_left(&in) > QN_GYP_MAX)
                return qn_fail(reterr, -EFBIG, 0, "it is larger than %zu MiB", QN_GYP_MAX >> 20);
        if (!qn_utf8_valid(qn_cur_rest(&in)))
                return qn_fail(reterr, -EILSEQ, 0, "it is not UTF-8");
        r = QN_ARENA_NEW(a, struct reader);
        if (!r)
                return -ENOBUFS;
        r->in = qn_cur_rest(&in);
        r->a = a;
        r->err = reterr;
        r->line = 1;
        if (qn_str_starts(r->in, "\xef\xbb\xbf"))
                r->at = r->line_start = 3;
        while (e == 0 && !r->root) {
                skip_blank(r);
                e = step(r);
        }
        skip_blank(r);
        if (e == 0 && peek(r, 0) == ',' && r->at + 1 == r->in.n)
                r->at++;
        if (e == 0 && more(r))
                e = fail(r, -EBADMSG, "something follows the end: gyp would run it as Python");
        if (e < 0)
                return e;
        *ret = r->root;
        return 0;
}
