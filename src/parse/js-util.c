/* js-util.c - reading a tree: values of literals, children, places. */
#include <math.h>

#include "parse/js-impl.h"

/* --- strings --- */

static unsigned hex(const uint8_t *p, unsigned n, uint32_t *ret)
{
        uint32_t v = 0;

        for (unsigned i = 0; i < n; i++) {
                uint8_t c = p[i];

                if ((uint8_t)(c - '0') < 10)
                        v = v << 4 | (uint32_t)(c - '0');
                else if ((uint8_t)((c | 0x20) - 'a') < 6)
                        v = v << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
                else
                        return 0;
        }
        *ret = v;
        return n;
}

/* After "\u", within n bytes: length and code unit or point; 0: malformed. */
static unsigned unicode(const uint8_t *p, size_t n, uint32_t *ret)
{
        uint32_t cp = 0, d;
        unsigned i = 1;

        if (n >= 4 && *p != '{')
                return hex(p, 4, ret);
        if (n < 3 || *p != '{')
                return 0;
        for (; i < n && hex(p + i, 1, &d); i++) {
                cp = cp << 4 | d;
                if (cp > 0x10ffff)
                        return 0;
        }
        if (i == n || p[i] != '}' || i == 1)
                return 0;
        *ret = cp;
        return i + 1;
}

/* Up to three octal digits, value below 256. */
static unsigned octal(const uint8_t *p, size_t n, uint32_t *ret)
{
        unsigned i = 0;
        uint32_t v = 0;

        while (i < 3 && i < n && (uint8_t)(p[i] - '0') < 8 && v * 8 + (p[i] - '0') < 256)
                v = v * 8 + (p[i++] - '0');
        *ret = v;
        return i;
}

/* One escape, p after the backslash: bytes used, and what it stands for (nothing: -1). */
static size_t escape(const uint8_t *p, size_t n, int64_t *ret)
{
        static const char from[] = "nrtbvf", to[] = "\n\r\t\b\v\f";
        uint32_t v = 0, low;
        unsigned k = 0;
        const char *q;

        if (*p == 'u' && (k = unicode(p + 1, n - 1, &v)) != 0) {
                if (v >= 0xd800 && v < 0xdc00 && n >= k + 7 && p[k + 1] == '\\' &&
                    p[k + 2] == 'u' && unicode(p + k + 3, n - k - 3, &low) && low >= 0xdc00 &&
                    low < 0xe000) {
                        k += 2 + unicode(p + k + 3, n - k - 3, &low);
                        v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
                }
                *ret = v;
                return k + 1;
        }
        if (*p == 'x' && n >= 3 && hex(p + 1, 2, &v)) {
                *ret = v;
                return 3;
        }
        if ((uint8_t)(*p - '0') < 8) {
                k = octal(p, n, &v);
                *ret = v;
                return k;
        }
        *ret = -1;
        if (*p == '\n' || *p == '\r')
                return n >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 1;
        if (n >= 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8)
                return 3;
        q = *p ? strchr(from, *p) : NULL;
        *ret = q ? (uint8_t)to[q - from] : *p;
        return 1;
}

/* Bytes past ASCII that follow a backslash stand for themselves: they are copied like all others. */
struct qn_str qn_js_decode(struct qn_str raw, struct qn_arena *a)
{
        char *d = qn_arena_alloc(a, raw.n + 4);
        const uint8_t *p = (const uint8_t *)raw.p, *end = p + raw.n;
        size_t n = 0;
        int64_t cp;

        if (!d)
                return (struct qn_str){ NULL, 0 };
        while (p < end) {
                if (*p == '\r') { /* in templates line ends are read as \n */
                        p += p + 1 < end && p[1] == '\n' ? 2 : 1;
                        d[n++] = '\n';
                } else if (*p != '\\' || p + 1 == end) {
                        d[n++] = (char)*p++;
                } else if (p[1] >= 0x80 && !(p[1] == 0xe2 && end - p >= 4 && p[2] == 0x80 &&
                                             (p[3] & 0xfe) == 0xa8)) {
                        p++;
                } else {
                        p += 1 + escape(p + 1, (size_t)(end - p - 1), &cp);
                        if (cp >= 0)
                                n += qn_js_put_utf8(
                                        d + n, cp >= 0xd800 && cp < 0xe000 ? 0xfffd : (uint32_t)cp);
                }
        }
        return (struct qn_str){ d, n };
}

struct qn_str qn_js_string(const struct qn_js_ast *ast, uint32_t node, struct qn_arena *a)
{
        const struct qn_js_node *n;
        struct qn_str raw;

        if (node == 0 || node >= ast->n_nodes)
                return (struct qn_str){ NULL, 0 };
        n = &ast->nodes[node];
        switch (n->type) {
        case QN_JS_IDENT:
        case QN_JS_MEMBER:
        case QN_JS_PRIVATE_NAME:
                return n->val < ast->n_atoms ? ast->atoms[n->val] : (struct qn_str){ NULL, 0 };
        case QN_JS_STRING:
                raw = (struct qn_str){ ast->source.p + n->start + 1, n->end - n->start - 2 };
                break;
        case QN_JS_TEMPLATE_PART:
                raw = (struct qn_str){ ast->source.p + n->start, n->end - n->start };
                break;
        default:
                return (struct qn_str){ NULL, 0 };
        }
        return n->flags & QN_JS_F_ESCAPED ? qn_js_decode(raw, a) : raw;
}

/* --- numbers --- */

static double in_base(struct qn_str s, unsigned base)
{
        double v = 0;

        for (size_t i = 0; i < s.n; i++) {
                uint32_t d;

                if (hex((const uint8_t *)s.p + i, 1, &d))
                        v = v * base + d;
        }
        return v;
}

/* 12 or 1.25: the digits and the power of ten are exact, so that one division gives what strtod() gives. */
static bool short_decimal(struct qn_str s, double *ret)
{
        static const double tens[] = { 1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
        size_t point = s.n;
        uint64_t v = 0;

        if (s.n > QN_ARRAY_SIZE(tens))
                return false;
        for (size_t i = 0; i < s.n; i++) {
                unsigned d = (unsigned char)s.p[i] - '0';

                if (d <= 9)
                        v = v * 10 + d;
                else if (s.p[i] == '.' && point == s.n)
                        point = i;
                else
                        return false;
        }
        *ret = point < s.n ? (double)v / tens[s.n - point - 1] : (double)v;
        return true;
}

/* Decimal; digits past what a double can tell apart only count for the exponent. */
static double decimal(struct qn_str s)
{
        char buf[512];
        size_t n = 0, dropped = 0, i = 0;
        bool point = false;
        int exponent = 0;
        double v;

        if (short_decimal(s, &v))
                return v;
        for (; i < s.n && (s.p[i] | 0x20) != 'e'; i++) {
                if (s.p[i] == '_')
                        continue;
                point |= s.p[i] == '.';
                if (n < 400)
                        buf[n++] = s.p[i];
                else
                        dropped += !point;
        }
        for (size_t j = i + 1; j < s.n; j++)
                if (s.p[j] >= '0' && s.p[j] <= '9' && exponent < 100000)
                        exponent = exponent * 10 + (s.p[j] - '0');
        if (i + 1 < s.n && s.p[i + 1] == '-')
                exponent = -exponent;
        snprintf(buf + n, sizeof buf - n, "e%ld",
                 (long)exponent + (long)QN_MIN(dropped, (size_t)100000));
        return strtod(buf, NULL);
}

double qn_js_number(const struct qn_js_ast *ast, uint32_t node)
{
        const struct qn_js_node *n;
        struct qn_str s;

        if (node == 0 || node >= ast->n_nodes || ast->nodes[node].type != QN_JS_NUMBER)
                return NAN;
        n = &ast->nodes[node];
        s = (struct qn_str){ ast->source.p + n->start, n->end - n->start };
        if (s.n < 2 || s.p[0] != '0')
                return decimal(s);
        switch (s.p[1] | 0x20) {
        case 'x':
                return in_base(qn_str_skip(s, 2), 16);
        case 'o':
                return in_base(qn_str_skip(s, 2), 8);
        case 'b':
                return in_base(qn_str_skip(s, 2), 2);
        }
        for (size_t i = 1; i < s.n; i++)
                if (s.p[i] < '0' || s.p[i] > '7')
                        return decimal(s);
        return in_base(s, 8);
}

/* --- shape and place --- */

uint32_t qn_js_child(const struct qn_js_ast *ast, uint32_t node, unsigned i)
{
        uint32_t c;

        if (node == 0 || node >= ast->n_nodes || ast->nodes[node].type == QN_JS_IDENT)
                return 0;
        for (c = ast->nodes[node].first; c && i; i--)
                c = ast->nodes[c].next;
        return c;
}

/* The next line end in [p, end): \n, or (where cr says that there are any) a \r that no \n follows; end when there is none. */
static const uint8_t *line_end(const uint8_t *p, const uint8_t *end, bool cr)
{
        if (!cr) {
                p = memchr(p, '\n', (size_t)(end - p));
                return p ? p : end;
        }
        while (p < end && *p != '\n' && !(*p == '\r' && p[1] != '\n'))
                p++;
        return p;
}

/* Makes the table hold every line that starts at or before off: most questions are about the top of a file. */
static void extend_lines(struct qn_js *js, uint32_t off)
{
        const uint8_t *p = js->src + js->lines_to;
        const uint8_t *end = js->src + QN_MIN(off, qn_js_off(js, js->end));
        bool cr;

        if (js->lines.n == 0 && QN_JS_ROOM(js, lines))
                js->lines.p[js->lines.n++] = 0;
        if (p >= end)
                return;
        cr = memchr(p, '\r', (size_t)(end - p));
        for (; (p = line_end(p, end, cr)) < end; p++) {
                if (!QN_JS_ROOM(js, lines))
                        return;
                js->lines.p[js->lines.n++] = qn_js_off(js, p) + 1;
        }
        js->lines_to = qn_js_off(js, end);
}

void qn_js_place(struct qn_js *js, uint32_t off, uint32_t *ret_line, uint32_t *ret_col)
{
        uint32_t lo = 0, hi;

        extend_lines(js, off);
        *ret_line = 1;
        *ret_col = off + 1;
        for (hi = js->lines.n; hi - lo > 1;) {
                uint32_t mid = lo + (hi - lo) / 2;

                if (js->lines.p[mid] <= off)
                        lo = mid;
                else
                        hi = mid;
        }
        if (js->lines.n) {
                *ret_line = lo + 1;
                *ret_col = off - js->lines.p[lo] + 1;
        }
}
