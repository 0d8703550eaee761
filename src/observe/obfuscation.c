/* Measures of code that was made hard to read.  Minified code is not: short names and long lines are ordinary, what is
 * measured here is not. */
#include <stdio.h>

#include "observe/js-priv.h"
#include "observe/observers.h"

#define LONG_LINE      ((size_t)200 << 10)
#define LONG_LINE_NAME "long-line"
#define BLOB           ((size_t)4 << 10)
#define NUMBERS        512u /* elements of an array of bytes */
#define ESCAPES_MIN    200u
#define HEX_NAMES      12u
#define ODD_SAMPLE     2048u

static void report(struct qn_js_file *j, const char *what, size_t value, uint32_t node)
{
        struct qn_event e = qn_observe_make(QN_EVENT_OBFUSCATION);
        char number[24];

        snprintf(number, sizeof number, "%zu", value);
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_VALUE, qn_arena_dup(j->a, qn_str_c(number)));
        qn_jso_emit(j, &e, node);
}

/* --- names --- */

/* _0x1a2b3c: what obfuscator.io calls its variables. */
static void look_at_names(struct qn_js_file *j)
{
        size_t hex = 0;

        for (uint32_t i = QN_JS_ATOM_FIXED_MAX; i < j->ast->n_atoms; i++) {
                struct qn_str s = j->ast->atoms[i];

                hex += s.n >= 6 && s.p[0] == '_' && s.p[1] == '0' && s.p[2] == 'x';
        }
        if (hex >= HEX_NAMES)
                report(j, "hex-names", hex, j->ast->root);
}

/* --- lines --- */

static size_t longest_line(struct qn_str rest)
{
        size_t longest = 0;

        /* A stretch of LONG_LINE bytes with a line end in it: what stands before its last one cannot be long. */
        while (rest.n >= LONG_LINE) {
                ptrdiff_t nl = qn_str_rchr(qn_str_take(rest, LONG_LINE), '\n');

                if (nl >= 0)
                        rest = qn_str_skip(rest, (size_t)nl + 1);
                else
                        longest = QN_MAX(longest, qn_str_cut(&rest, '\n').n);
        }
        return longest;
}

bool qn_obfuscation_long_line(struct qn_str source, struct qn_event *ret)
{
        *ret = qn_observe_make(QN_EVENT_OBFUSCATION);
        qn_event_attr(ret, QN_ATTR_WHAT, QN_STR(LONG_LINE_NAME));
        return longest_line(source) > 0;
}

static void look_at_lines(struct qn_js_file *j)
{
        size_t longest = longest_line(j->ast->source);

        if (longest)
                report(j, LONG_LINE_NAME, longest, j->ast->root);
}

/* []()!+ and nothing else. */
static void look_for_jsfuck(struct qn_js_file *j)
{
        struct qn_str s = j->ast->source;
        size_t odd = 0, n;

        if (s.n < ODD_SAMPLE)
                return;
        s = qn_str_take(qn_str_skip(s, s.n / 2 - ODD_SAMPLE / 2), ODD_SAMPLE);
        n = s.n;
        for (size_t i = 0; i < n; i++)
                odd += memchr("[]()!+", s.p[i], 6) != NULL;
        if (odd > n * 95 / 100)
                report(j, "jsfuck", odd, j->ast->root);
}

/* --- literals --- */

/* The beginnings of what programs carry for good reasons: images, fonts, WebAssembly, web addresses of data. */
static bool is_ordinary_blob(struct qn_str s)
{
        static const char *const starts[] = { "data:", "iVBOR", "/9j/",    "R0lGOD", "AGFzbQ",
                                              "d09G",  "UklGR", "PHN2Zy",  "T1RUT",  "AAEAAA",
                                              "SUkq",  "Qk",    "PD94bWw", "http" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(starts); i++)
                if (qn_str_starts(s, starts[i]))
                        return true;
        return false;
}

static const char *blob_kind(struct qn_str s)
{
        size_t hex = 0, base64 = 0, n = QN_MIN(s.n, (size_t)1024);
        bool upper = false, lower = false, digit = false;

        for (size_t i = 0; i < n; i++) {
                char c = s.p[i];
                bool l = c >= 'a' && c <= 'z', u = c >= 'A' && c <= 'Z', d = c >= '0' && c <= '9';

                hex += d || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
                base64 += l || u || d || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
                upper |= u;
                lower |= l;
                digit |= d;
        }
        if (hex == n)
                return "hex-blob";
        return base64 == n && upper && lower && digit ? "base64-blob" : NULL;
}

static void look_at_string(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        struct qn_js_literals *l = &j->literals;
        struct qn_str s = qn_str_skip(qn_str_take(j->ast->source, n->end), n->start + 1);

        if (n->flags & QN_JS_F_ESCAPED) {
                size_t hex = 0;

                for (size_t i = 0; i + 3 < s.n; i++)
                        if (s.p[i] == '\\') {
                                hex += s.p[i + 1] == 'x';
                                i++;
                        }
                if (hex * 4 >= s.n / 2 && hex >= 4) {
                        l->escapes += hex;
                        l->escapes_at = l->escapes_at ? l->escapes_at : node;
                }
        }
        if (s.n >= BLOB && s.n > l->blob && !is_ordinary_blob(s)) {
                const char *kind = blob_kind(s);

                if (kind) {
                        l->blob = s.n;
                        l->blob_at = node;
                        l->kind = kind;
                }
        }
}

/* [31, 139, 8, 0, …]: a payload as numbers. */
static void look_at_array(struct qn_js_file *j, uint32_t node)
{
        struct qn_js_literals *l = &j->literals;
        size_t n = 0;

        for (uint32_t c = qn_jsn(j, node)->first; c; c = qn_jsn(j, c)->next, n++) {
                const struct qn_js_node *e = qn_jsn(j, c);

                if (e->type != QN_JS_NUMBER || e->end - e->start > 4)
                        return;
                if (e->end - e->start == 3 && j->ast->source.p[e->start] > '2')
                        return;
        }
        if (n >= NUMBERS && n > l->bytes) {
                l->bytes = n;
                l->bytes_at = node;
        }
}

void qn_obfuscation_literal(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        uint32_t size = n->end - n->start;

        if (n->type == QN_JS_STRING) {
                if (size >= BLOB || ((n->flags & QN_JS_F_ESCAPED) && size > 16))
                        look_at_string(j, node);
        } else if (n->type == QN_JS_ARRAY && size >= NUMBERS * 2) {
                look_at_array(j, node);
        }
}

static void report_literals(struct qn_js_file *j)
{
        const struct qn_js_literals *l = &j->literals;

        if (l->blob)
                report(j, l->kind, l->blob, l->blob_at);
        if (l->escapes >= ESCAPES_MIN)
                report(j, "encoded-strings", l->escapes, l->escapes_at);
        if (l->bytes)
                report(j, "byte-array", l->bytes, l->bytes_at);
}

void qn_obfuscation_observe(struct qn_js_file *j)
{
        look_at_names(j);
        look_at_lines(j);
        look_for_jsfuck(j);
        report_literals(j);
}
