/* js-lex-lit.c - the tokens with an inside: strings, templates, numbers, regular expressions, names beyond ASCII. */
#include "base/utf8.h"
#include "parse/js-impl.h"
#include "parse/js-scan.h"

static void token(struct qn_js *js, unsigned type, const uint8_t *start, const uint8_t *end)
{
        js->t.type = (uint8_t)type;
        js->t.val = 0;
        js->t.start = qn_js_off(js, start);
        js->t.end = qn_js_off(js, end);
        js->p = end;
}

/* Value of a digit in bases up to 16; 16 or more: not a digit. */
static inline unsigned digit(uint8_t c)
{
        if ((uint8_t)(c - '0') < 10)
                return c - '0';
        if ((uint8_t)((c | 0x20) - 'a') < 6)
                return (c | 0x20) - 'a' + 10u;
        return 99;
}

/* --- escapes --- */

unsigned qn_js_put_utf8(char *d, uint32_t cp)
{
        if (cp < 0x80) {
                d[0] = (char)cp;
                return 1;
        }
        if (cp < 0x800) {
                d[0] = (char)(0xc0 | cp >> 6);
                d[1] = (char)(0x80 | (cp & 0x3f));
                return 2;
        }
        if (cp < 0x10000) {
                d[0] = (char)(0xe0 | cp >> 12);
                d[1] = (char)(0x80 | (cp >> 6 & 0x3f));
                d[2] = (char)(0x80 | (cp & 0x3f));
                return 3;
        }
        d[0] = (char)(0xf0 | cp >> 18);
        d[1] = (char)(0x80 | (cp >> 12 & 0x3f));
        d[2] = (char)(0x80 | (cp >> 6 & 0x3f));
        d[3] = (char)(0x80 | (cp & 0x3f));
        return 4;
}

const uint8_t *qn_js_unicode_escape(const uint8_t *p, uint32_t *ret)
{
        uint32_t cp = 0;
        const uint8_t *q = p;

        if (*p != '{') {
                for (; q < p + 4; q++) {
                        if (digit(*q) >= 16)
                                return NULL;
                        cp = cp << 4 | digit(*q);
                }
                *ret = cp;
                return q;
        }
        for (q++; digit(*q) < 16; q++) {
                cp = cp << 4 | digit(*q);
                if (cp > 0x10ffff)
                        return NULL;
        }
        if (*q != '}' || q == p + 1)
                return NULL;
        *ret = cp;
        return q + 1;
}

/* p is at a backslash inside a string: returns what follows the escape, NULL when it is malformed. */
static const uint8_t *string_escape(const struct qn_js *js, const uint8_t *p)
{
        uint32_t cp;

        if (p[1] == 'u')
                return qn_js_unicode_escape(p + 2, &cp);
        if (p[1] == 'x')
                return digit(p[2]) < 16 && digit(p[3]) < 16 ? p + 4 : NULL;
        if (p + 1 >= js->end)
                return NULL;
        return p + (p[1] == '\r' && p[2] == '\n' ? 3 : 2);
}

void qn_js_lex_string(struct qn_js *js, const uint8_t *p)
{
        const uint8_t *q = p + 1, *after;
        const char quote = (char)*p;
        const char *msg = NULL;

        for (;;) {
                q = qn_js_scan(q, '\'', '\\', '"');
                if (*q == (uint8_t)quote && msg)
                        return qn_js_lex_bad(js, p, q + 1, msg);
                if (*q == (uint8_t)quote)
                        return token(js, QN_JS_TOK_STRING, p, q + 1);
                if (*q == '\n' || *q == '\r' || (*q == 0 && q >= js->end))
                        break;
                if (*q != '\\') {
                        q++;
                        continue;
                }
                js->t.escaped = true;
                after = string_escape(js, q);
                if (!after)
                        msg = "bad escape in string";
                q = after ? after : QN_MIN(q + 2, js->end);
        }
        qn_js_lex_bad(js, p, q, "string is not closed");
}

void qn_js_lex_template(struct qn_js *js, const uint8_t *p, bool head)
{
        const uint8_t *q = p + 1;

        for (;; q++) {
                q = qn_js_scan(q, '`', '\\', '$');
                if (*q == '`')
                        return token(js, head ? QN_JS_TOK_TEMPLATE : QN_JS_TOK_TEMPLATE_TAIL, p,
                                     q + 1);
                if (*q == '$' && q[1] == '{')
                        break;
                if (*q == 0 && q >= js->end)
                        return qn_js_lex_bad(js, p, q, "template is not closed");
                if (*q == '\\' || *q == '\r')
                        js->t.escaped = true;
                q += *q == '\\' && q + 1 < js->end;
        }
        token(js, head ? QN_JS_TOK_TEMPLATE_HEAD : QN_JS_TOK_TEMPLATE_MIDDLE, p, q + 2);
        if (js->n_tpl == QN_JS_DEPTH_MAX)
                return qn_js_fatal(js, -EFBIG, "templates nested too deeply");
        js->tpl[js->n_tpl++] = js->braces;
}

/* --- numbers --- */

/* Digits with single underscores between them; *ret_bad is set when one stands elsewhere, or there are no digits. */
static const uint8_t *digits(const uint8_t *p, unsigned base, bool *ret_bad)
{
        const uint8_t *start = p;

        for (; digit(*p) < base || *p == '_'; p++)
                if (*p == '_' && (p == start || p[-1] == '_' || digit(p[1]) >= base))
                        *ret_bad = true;
        if (p == start)
                *ret_bad = true;
        return p;
}

static const uint8_t *fraction(const uint8_t *p, bool *ret_bad)
{
        if (*p == '.') {
                p++;
                if (digit(*p) < 10 || *p == '_')
                        p = digits(p, 10, ret_bad);
        }
        if ((*p | 0x20) == 'e') {
                p += p[1] == '+' || p[1] == '-' ? 2 : 1;
                p = digits(p, 10, ret_bad);
        }
        return p;
}

/* A number with a leading zero and more digits: octal, unless it holds an 8 or 9. */
static const uint8_t *old_octal(const uint8_t *p, bool *ret_bad)
{
        const uint8_t *q = p;

        while (digit(*q) < 8)
                q++;
        if (digit(*q) >= 10)
                return q;
        while (digit(*q) < 10)
                q++;
        return fraction(q, ret_bad);
}

static bool name_follows(const struct qn_js *js, const uint8_t *p)
{
        uint32_t cp;

        if (*p == '\\' || (uint8_t)((*p | 0x20) - 'a') < 26 || (uint8_t)(*p - '0') < 10 ||
            *p == '_' || *p == '$')
                return true;
        if (*p < 0x80)
                return false;
        qn_utf8_next((struct qn_str){ (const char *)p, (size_t)(js->end - p) }, &cp);
        return qn_js_is_name(cp, true);
}

void qn_js_lex_number(struct qn_js *js, const uint8_t *p)
{
        const uint8_t *q = p;
        bool bad = false, may_be_big = true;
        unsigned mark = p[0] == '0' ? p[1] | 0x20u : 0;

        if (mark == 'x' || mark == 'o' || mark == 'b') {
                q = digits(p + 2, mark == 'x' ? 16 : mark == 'o' ? 8 : 2, &bad);
        } else if (p[0] == '0' && digit(p[1]) < 10) {
                q = old_octal(p, &bad);
                may_be_big = false;
        } else {
                if (*p != '.')
                        q = digits(p, 10, &bad);
                may_be_big = *q != '.' && (*q | 0x20) != 'e';
                if (!may_be_big)
                        q = fraction(q, &bad);
        }
        if (*q == 'n' && may_be_big)
                token(js, QN_JS_TOK_BIGINT, p, q + 1);
        else
                token(js, QN_JS_TOK_NUMBER, p, q);
        if (bad || name_follows(js, js->p))
                qn_js_lex_bad(js, p, js->p + qn_js_name_run(js->p), "malformed number");
}

/* --- regular expressions --- */

void qn_js_lex_regex(struct qn_js *js)
{
        const uint8_t *p = js->src + js->t.start, *q = p + 1;
        bool class = false;

        for (;; q++) {
                q = class ? qn_js_scan(q, ']', '\\', (char)0xe2) : qn_js_scan(q, '/', '\\', '[');
                if (*q == '/' && !class)
                        break;
                if (*q == '\\' && q + 1 < js->end && q[1] != '\n' && q[1] != '\r')
                        q++;
                else if (*q == '\n' || *q == '\r' || (*q == 0 && q >= js->end))
                        return qn_js_lex_bad(js, p, q, "regular expression is not closed");
                else if (*q == '[')
                        class = true;
                else if (*q == ']')
                        class = false;
        }
        q++;
        token(js, QN_JS_TOK_REGEX, p, q + qn_js_name_run(q));
}

/* --- names with escapes or beyond ASCII --- */

struct range {
        uint32_t first, last : 31, start : 1;
};

static const struct range ranges[] = {
#define ID_START                 1
#define ID_PART                  0
#define RANGE(first, last, kind) { first, last, kind },
#include "parse/js-ident.def"
#undef RANGE
#undef ID_START
#undef ID_PART
};

bool qn_js_is_name(uint32_t cp, bool start)
{
        size_t lo = 0, hi = QN_ARRAY_SIZE(ranges);

        if (cp < 0x80)
                return (cp | 0x20) - 'a' < 26 || cp == '_' || cp == '$' ||
                       (!start && cp - '0' < 10);
        while (lo < hi) {
                size_t mid = (lo + hi) / 2;

                if (cp > ranges[mid].last)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo < QN_ARRAY_SIZE(ranges) && cp >= ranges[lo].first && (ranges[lo].start || !start);
}

/* The next character of a name, escape decoded: its length in the source, 0 when the name ends here. */
static unsigned name_char(const struct qn_js *js, const uint8_t *p, bool start, uint32_t *ret_cp,
                          bool *ret_escaped)
{
        const uint8_t *q;
        unsigned n;

        if (*p == '\\') {
                q = p[1] == 'u' ? qn_js_unicode_escape(p + 2, ret_cp) : NULL;
                *ret_escaped = true;
                return q && qn_js_is_name(*ret_cp, start) ? (unsigned)(q - p) : 0;
        }
        if (p >= js->end)
                return 0;
        n = (unsigned)qn_utf8_next((struct qn_str){ (const char *)p, (size_t)(js->end - p) },
                                   ret_cp);
        return qn_js_is_name(*ret_cp, start) ? n : 0;
}

/* Text of the name p..end with its escapes decoded (never longer than the source: \u0080 is 6 bytes, its code point 2). */
static struct qn_str decode_name(struct qn_js *js, const uint8_t *p, const uint8_t *end)
{
        char *d = qn_arena_alloc(&js->text, (size_t)(end - p));
        bool escaped;
        uint32_t cp = 0;
        size_t n = 0;

        if (!d) {
                qn_js_fatal(js, -EFBIG, "names too long");
                return QN_STR("");
        }
        while (p < end) {
                p += QN_MAX(name_char(js, p, false, &cp, &escaped), 1u);
                n += qn_js_put_utf8(d + n, cp);
        }
        return (struct qn_str){ d, n };
}

void qn_js_lex_name_slow(struct qn_js *js, const uint8_t *p, bool is_private)
{
        const uint8_t *q = p;
        bool escaped = false;
        uint32_t cp = 0;
        unsigned n;
        struct qn_str text;

        while ((n = name_char(js, q, q == p, &cp, &escaped)) != 0)
                q += n;
        if (q == p || *q == '\\') {
                n = q < js->end ? (unsigned)qn_utf8_next(
                                          (struct qn_str){ (const char *)q, (size_t)(js->end - q) },
                                          &cp)
                                : 0;
                return qn_js_lex_bad(js, p, q + n, "unexpected character");
        }
        text = escaped ? decode_name(js, p, q)
                       : (struct qn_str){ (const char *)p, (size_t)(q - p) };
        token(js, is_private ? QN_JS_TOK_PRIVATE : QN_JS_TOK_IDENT, p - is_private, q);
        js->t.escaped = escaped;
        js->t.val = qn_js_intern(js, text);
        if (!escaped && !is_private && js->t.val < QN_JS_ATOM_FIXED_MAX)
                js->t.type = QN_JS_TOK_IDENT + qn_js_word_tok[js->t.val];
}
