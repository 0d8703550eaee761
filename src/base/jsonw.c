#include "base/jsonw.h"

#include <errno.h>

#include "base/unicode.h"
#include "base/utf8.h"

static void newline(struct qn_jsonw *w)
{
        if (!w->indent)
                return;
        qn_buf_byte(w->out, '\n');
        qn_buf_fill(w->out, ' ', (size_t)w->depth * w->indent);
}

/* JSON is also read on terminals: what is invisible or reorders its neighbours is written as an escape. */
static void put_rune(struct qn_buf *b, uint32_t cp)
{
        if (!qn_uc_hidden(cp))
                qn_buf_utf8(b, cp);
        else if (cp < 0x10000)
                qn_buf_printf(b, "\\u%04x", (unsigned)cp);
        else
                qn_buf_printf(b, "\\u%04x\\u%04x", 0xd800 + (unsigned)((cp - 0x10000) >> 10),
                              0xdc00 + (unsigned)((cp - 0x10000) & 0x3ff));
}

static void quoted(struct qn_buf *b, struct qn_str s)
{
        size_t i = 0;

        qn_buf_byte(b, '"');
        while (i < s.n) {
                unsigned char c = (unsigned char)s.p[i];
                uint32_t cp;
                size_t from = i;

                while (i < s.n && (c = (unsigned char)s.p[i]) >= 0x20 && c < 0x7f && c != '"' &&
                       c != '\\')
                        i++;
                qn_buf_add(b, s.p + from, i - from);
                if (i == s.n)
                        break;
                if (c < 0x80) {
                        if (c == '"' || c == '\\')
                                qn_buf_printf(b, "\\%c", c);
                        else if (c == '\n')
                                qn_buf_puts(b, "\\n");
                        else if (c == '\t')
                                qn_buf_puts(b, "\\t");
                        else if (c == '\r')
                                qn_buf_puts(b, "\\r");
                        else
                                qn_buf_printf(b, "\\u%04x", c);
                        i++;
                        continue;
                }
                i += qn_utf8_next(qn_str_skip(s, i), &cp);
                put_rune(b, cp);
        }
        qn_buf_byte(b, '"');
}

static void prefix(struct qn_jsonw *w, const char *key)
{
        if (w->after_key) {
                w->after_key = false;
                return;
        }
        if (!w->first[w->depth])
                qn_buf_byte(w->out, ',');
        if (w->depth)
                newline(w);
        w->first[w->depth] = false;
        if (!key)
                return;
        quoted(w->out, qn_str_c(key));
        qn_buf_puts(w->out, w->indent ? ": " : ":");
}

void qn_jsonw_key(struct qn_jsonw *w, struct qn_str key)
{
        prefix(w, NULL);
        quoted(w->out, key);
        qn_buf_puts(w->out, w->indent ? ": " : ":");
        w->after_key = true;
}

static void open_level(struct qn_jsonw *w, const char *key, char c)
{
        prefix(w, key);
        qn_buf_byte(w->out, c);
        if (w->depth + 1 < QN_JSONW_DEPTH_MAX)
                w->depth++;
        else
                w->out->error = -ENOBUFS;
        w->first[w->depth] = true;
}

static void close_level(struct qn_jsonw *w, char c)
{
        bool empty = w->first[w->depth];

        if (w->depth)
                w->depth--;
        if (!empty)
                newline(w);
        qn_buf_byte(w->out, c);
}

void qn_jsonw_object(struct qn_jsonw *w, const char *key)
{
        open_level(w, key, '{');
}

void qn_jsonw_array(struct qn_jsonw *w, const char *key)
{
        open_level(w, key, '[');
}

void qn_jsonw_end_object(struct qn_jsonw *w)
{
        close_level(w, '}');
}

void qn_jsonw_end_array(struct qn_jsonw *w)
{
        close_level(w, ']');
}

void qn_jsonw_str(struct qn_jsonw *w, const char *key, struct qn_str v)
{
        prefix(w, key);
        quoted(w->out, v);
}

void qn_jsonw_cstr(struct qn_jsonw *w, const char *key, const char *v)
{
        if (!v)
                qn_jsonw_null(w, key);
        else
                qn_jsonw_str(w, key, qn_str_c(v));
}

void qn_jsonw_u64(struct qn_jsonw *w, const char *key, uint64_t v)
{
        prefix(w, key);
        qn_buf_printf(w->out, "%llu", (unsigned long long)v);
}

void qn_jsonw_double(struct qn_jsonw *w, const char *key, double v, int decimals)
{
        prefix(w, key);
        qn_buf_printf(w->out, "%.*f", decimals, v);
}

void qn_jsonw_bool(struct qn_jsonw *w, const char *key, bool v)
{
        prefix(w, key);
        qn_buf_puts(w->out, v ? "true" : "false");
}

void qn_jsonw_null(struct qn_jsonw *w, const char *key)
{
        prefix(w, key);
        qn_buf_puts(w->out, "null");
}

void qn_jsonw_number(struct qn_jsonw *w, const char *key, struct qn_str raw)
{
        prefix(w, key);
        qn_buf_str(w->out, raw);
}
