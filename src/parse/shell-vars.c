#include "parse/shell-vars.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

#define VALUE_MAX 1024

struct variable {
        struct qn_str name, value; /* value without quotes; p NULL: not known */
};

struct expand {
        const char *p, *end;
        unsigned pass;
        bool more;
        struct variable vars[QN_SHELL_VARS_MAX];
        size_t n;
        struct qn_arena *a;
        struct qn_buf out;
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_name(char c, bool first)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
}

static struct qn_str name_at(const struct expand *x, const char *p)
{
        const char *from = p;

        while (p < x->end && is_name(*p, p == from))
                p++;
        return (struct qn_str){ from, (size_t)(p - from) };
}

static struct variable *find(struct expand *x, struct qn_str name)
{
        for (size_t i = 0; i < x->n; i++)
                if (qn_str_eq(x->vars[i].name, name))
                        return &x->vars[i];
        return NULL;
}

static void set(struct expand *x, struct qn_str name, struct qn_str value)
{
        struct variable *v = find(x, name);

        if (!v && x->n < QN_SHELL_VARS_MAX)
                v = &x->vars[x->n++];
        if (v)
                *v = (struct variable){ name, value };
}

/* The word at p without its quotes; p NULL when it is computed or too long.  *ret_end: behind it. */
static struct qn_str constant_at(const struct expand *x, const char *p, const char **ret_end)
{
        struct qn_str v = { p, 0 };
        char quote = p < x->end && (*p == '"' || *p == '\'') ? *p : 0;
        bool plain = true;

        if (quote)
                v.p = ++p;
        while (p < x->end && (quote ? *p != quote : !is_blank(*p) && !memchr(";&|)(<>", *p, 7))) {
                plain &= quote == '\'' || (*p != '$' && *p != '`');
                plain &= *p != '"' && *p != '\\' && *p != '\n' && (quote || *p != '\'');
                p++;
        }
        v.n = (size_t)(p - v.p);
        *ret_end = p + (quote && p < x->end);
        return plain && v.n <= VALUE_MAX ? v : (struct qn_str){ NULL, 0 };
}

/* NAME=value at the start of a word. */
static void look_for_assignment(struct expand *x)
{
        struct qn_str name = name_at(x, x->p);
        const char *eq = name.p + name.n, *end;

        if (name.n && eq < x->end && *eq == '=')
                set(x, name, constant_at(x, eq + 1, &end));
}

/* for NAME in a b c; */
static void look_for_list(struct expand *x)
{
        struct qn_str rest = { x->p, (size_t)(x->end - x->p) }, name, value = { NULL, 0 };
        const char *p;
        unsigned k = 0;

        if (!qn_str_starts(rest, "for "))
                return;
        name = name_at(x, x->p + 4);
        p = name.p + name.n;
        if (!name.n || x->end - p < 4 || memcmp(p, " in ", 4) != 0)
                return;
        p += 4;
        while (p < x->end && *p != ';' && *p != '\n') {
                const char *end;
                struct qn_str v = constant_at(x, p, &end);

                if (end == p || (end == p + 1 && !v.n)) {
                        p++;
                        continue;
                }
                if (k <= x->pass)
                        value = v;
                x->more |= k > x->pass;
                k++;
                p = end;
                while (p < x->end && (*p == ' ' || *p == '\t'))
                        p++;
        }
        set(x, name, value);
}

/* $NAME or ${NAME} at x->p: its value is written and the name passed over. */
static bool put_value(struct expand *x)
{
        bool brace = x->p + 1 < x->end && x->p[1] == '{';
        struct qn_str name = name_at(x, x->p + 1 + brace);
        const char *end = name.p + name.n;
        const struct variable *v = name.n ? find(x, name) : NULL;

        if (!v || !v->value.p || (brace && (end >= x->end || *end != '}')))
                return false;
        qn_buf_str(&x->out, v->value);
        x->p = end + brace;
        return true;
}

static void expand(struct expand *x)
{
        bool start = true, single = false, quoted = false;

        while (x->p < x->end) {
                if (start && !single && !quoted) {
                        look_for_assignment(x);
                        look_for_list(x);
                }
                if (*x->p == '\'' && !quoted)
                        single = !single;
                else if (*x->p == '"' && !single)
                        quoted = !quoted;
                if (*x->p == '$' && !single && put_value(x)) {
                        start = false;
                        continue;
                }
                start = is_blank(*x->p) || memchr(";&|(", *x->p, 4);
                if (*x->p == '\\' && x->p + 1 < x->end)
                        qn_buf_byte(&x->out, *x->p++);
                qn_buf_byte(&x->out, *x->p++);
        }
}

int qn_shell_expand(struct qn_str text, unsigned pass, struct qn_arena *a, struct qn_str *ret,
                    bool *ret_more)
{
        struct expand x = { .p = text.p, .end = text.p + text.n, .pass = pass, .a = a };
        struct qn_str kept;

        *ret_more = false;
        *ret = text;
        if (qn_str_chr(text, '$') < 0 ||
            (qn_str_chr(text, '=') < 0 && qn_str_find(text, QN_STR("for ")) < 0))
                return 0;
        x.out = QN_BUF_INIT(QN_SCRIPT_MAX);
        expand(&x);
        if (qn_buf_error(&x.out) < 0) { /* grew past the cap: as it was written */
                qn_buf_done(&x.out);
                return 0;
        }
        kept = qn_arena_dup(a, qn_buf_view(&x.out));
        qn_buf_done(&x.out);
        if (!kept.p)
                return -ENOBUFS;
        *ret = kept;
        *ret_more = x.more;
        return 0;
}
