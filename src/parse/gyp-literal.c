#include "parse/gyp-literal.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "parse/node-build.h"

/* What is open.  A tuple becomes an array, parentheses around one value are that value. */
enum frame {
        FRAME_DICT,
        FRAME_LIST,
        FRAME_TUPLE,
};

struct reader {
        struct qn_cur in;
        const uint8_t *start;
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_build build;
        struct qn_buf text; /* the string that is being put together */
        uint32_t line;
        const uint8_t *line_start, *counted; /* line and line_start hold up to counted */
        enum frame frames[QN_GYP_DEPTH_MAX];
        size_t depth;
        bool done;
};

static void reader_done(struct reader *rd)
{
        qn_build_done(&rd->build);
        qn_buf_done(&rd->text);
}

static int fail(struct reader *rd, const uint8_t *at, const char *what)
{
        return qn_fail(rd->err, -EBADMSG, (size_t)(at - rd->start), "gyp: %s", what);
}

static int cut_short(struct reader *rd)
{
        return fail(rd, rd->in.end, "the file is cut short");
}

static int no_memory(struct reader *rd)
{
        return qn_fail(rd->err, -ENOBUFS, 0, "gyp: the file needs too much memory");
}

static bool at_end(const struct reader *rd)
{
        return rd->in.p == rd->in.end;
}

static bool looking_at(const struct reader *rd, const char *text)
{
        return qn_str_starts(qn_cur_rest(&rd->in), text);
}

static void skip_blanks(struct reader *rd)
{
        while (!at_end(rd)) {
                uint8_t c = *rd->in.p;

                if (c == '#') {
                        while (!at_end(rd) && *rd->in.p != '\n' && *rd->in.p != '\r')
                                rd->in.p++;
                } else if (c == ' ' || (c >= '\t' && c <= '\r') || looking_at(rd, "\\\n") ||
                           looking_at(rd, "\\\r\n")) {
                        rd->in.p++;
                } else {
                        break;
                }
        }
}

/* A node at a place that is not before the last one. */
static struct qn_node *new_node(struct reader *rd, enum qn_node_type type, const uint8_t *at)
{
        struct qn_node *n = QN_ARENA_NEW(rd->arena, struct qn_node);
        const uint8_t *nl;

        if (!n)
                return NULL;
        while ((nl = memchr(rd->counted, '\n', (size_t)(at - rd->counted)))) {
                rd->line_start = rd->counted = nl + 1;
                rd->line++;
        }
        rd->counted = at;
        n->type = type;
        n->off = (uint32_t)(at - rd->start);
        n->line = rd->line;
        n->column = (uint32_t)(at - rd->line_start) + 1;
        return n;
}

/* --- strings --- */

static bool is_letter(uint8_t c)
{
        return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c >= 0x80;
}

static bool is_digit(uint8_t c)
{
        return c >= '0' && c <= '9';
}

/* Letters before a quote: at most two of r, u, b and f.  SIZE_MAX: no string here. */
static size_t string_prefix(const struct reader *rd)
{
        const uint8_t *p = rd->in.p;
        size_t n = 0;

        while (n < 2 && p + n < rd->in.end && p[n] && strchr("rRuUbBfF", p[n]))
                n++;
        return p + n < rd->in.end && (p[n] == '"' || p[n] == '\'') ? n : SIZE_MAX;
}

/* Up to max digits of a base: the value; *p moves over them. */
static uint32_t take_code(const uint8_t **p, const uint8_t *end, unsigned base, size_t max)
{
        uint32_t v = 0;

        for (size_t i = 0; i < max && *p < end; i++, (*p)++) {
                uint8_t c = **p, low = c | 0x20;
                unsigned d = base;

                if (is_digit(c))
                        d = c - (unsigned)'0';
                else if (low >= 'a' && low <= 'f')
                        d = low - (unsigned)'a' + 10;
                if (d >= base)
                        break;
                v = v * base + d;
        }
        return v;
}

static const struct {
        char letter, byte;
} escapes[] = {
        { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { '\\', '\\' }, { '\'', '\'' },
        { '"', '"' },  { 'a', '\a' }, { 'b', '\b' }, { 'f', '\f' },  { 'v', '\v' },
};

static int take_hex(struct reader *rd, size_t digits)
{
        const uint8_t *from = rd->in.p;

        rd->in.p += 2;
        qn_buf_utf8(&rd->text, take_code(&rd->in.p, rd->in.end, 16, digits));
        return rd->in.p == from + 2 + digits ? 0 : fail(rd, from, "an escape is cut short");
}

/* The escape sequence at in.p, which is a backslash with something behind it. */
static int take_escape(struct reader *rd)
{
        uint8_t c = rd->in.p[1];
        size_t hex = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;

        for (size_t i = 0; i < QN_ARRAY_SIZE(escapes); i++) {
                if (escapes[i].letter == (char)c) {
                        qn_buf_byte(&rd->text, escapes[i].byte);
                        rd->in.p += 2;
                        return 0;
                }
        }
        if (hex)
                return take_hex(rd, hex);
        rd->in.p++;
        if (c >= '0' && c <= '7')
                qn_buf_utf8(&rd->text, take_code(&rd->in.p, rd->in.end, 8, 3));
        else if (c == '\r' && looking_at(rd, "\r\n"))
                rd->in.p += 2;
        else if (c == '\n' || c == '\r')
                rd->in.p++;
        else
                qn_buf_byte(&rd->text, '\\'); /* Python keeps what it does not know */
        return 0;
}

/* One literal, appended to rd->text. */
static int take_literal(struct reader *rd, size_t prefix)
{
        const uint8_t *from = rd->in.p;
        bool raw = memchr(from, 'r', prefix) || memchr(from, 'R', prefix);
        char quote[4] = { 0 };

        if (memchr(from, 'f', prefix) || memchr(from, 'F', prefix))
                return fail(rd, from, "a formatted string: Python would evaluate it");
        rd->in.p += prefix;
        memset(quote, *rd->in.p, 3);
        if (!looking_at(rd, quote))
                quote[1] = '\0';
        rd->in.p += strlen(quote);
        while (!looking_at(rd, quote)) {
                if (at_end(rd) || (*rd->in.p == '\\' && rd->in.p + 1 == rd->in.end))
                        return cut_short(rd);
                if (!quote[1] && *rd->in.p == '\n')
                        return fail(rd, rd->in.p, "a string that does not end on its line");
                if (*rd->in.p == '\\' && !raw) {
                        int r = take_escape(rd);

                        if (r < 0)
                                return r;
                        continue;
                }
                if (*rd->in.p == '\\')
                        qn_buf_byte(&rd->text, (char)*rd->in.p++);
                qn_buf_byte(&rd->text, (char)*rd->in.p++);
        }
        rd->in.p += strlen(quote);
        return 0;
}

/* Literals side by side, or with + between them, are one string. */
static int take_string(struct reader *rd, struct qn_str *ret)
{
        size_t prefix = string_prefix(rd);
        int r;

        qn_buf_reset(&rd->text);
        for (;;) {
                r = take_literal(rd, prefix);
                if (r < 0)
                        return r;
                skip_blanks(rd);
                if (looking_at(rd, "+")) {
                        rd->in.p++;
                        skip_blanks(rd);
                        if (string_prefix(rd) == SIZE_MAX)
                                return fail(rd, rd->in.p, "a sum that is not one of strings");
                }
                prefix = string_prefix(rd);
                if (prefix == SIZE_MAX)
                        break;
        }
        if (qn_buf_error(&rd->text) < 0)
                return no_memory(rd);
        *ret = qn_arena_dup(rd->arena, qn_buf_view(&rd->text));
        return ret->p ? 0 : no_memory(rd);
}

/* --- values --- */

static int add(struct reader *rd, struct qn_node *n)
{
        if (!n || qn_build_add(&rd->build, n) < 0)
                return no_memory(rd);
        rd->done = rd->depth == 0;
        return 0;
}

static int string_value(struct reader *rd)
{
        struct qn_node *n = new_node(rd, QN_NODE_STRING, rd->in.p);
        int r = n ? take_string(rd, &n->text) : no_memory(rd);

        return r < 0 ? r : add(rd, n);
}

/* Digits, letters, dots and underscores after an optional sign: what it is worth does not matter here. */
static int number_value(struct reader *rd)
{
        struct qn_node *n = new_node(rd, QN_NODE_NUMBER, rd->in.p);
        const uint8_t *from = rd->in.p;

        rd->in.p += *from == '-' || *from == '+';
        if (at_end(rd) || !(is_digit(*rd->in.p) || *rd->in.p == '.'))
                return fail(rd, from, "a sign without a number");
        while (!at_end(rd) && (is_digit(*rd->in.p) || is_letter(*rd->in.p) || *rd->in.p == '.'))
                rd->in.p++;
        if (n)
                n->text = (struct qn_str){ (const char *)from, (size_t)(rd->in.p - from) };
        return add(rd, n);
}

static int word_value(struct reader *rd)
{
        const uint8_t *from = rd->in.p;
        struct qn_node *n;
        struct qn_str word;

        while (!at_end(rd) && (is_letter(*rd->in.p) || is_digit(*rd->in.p)))
                rd->in.p++;
        word = (struct qn_str){ (const char *)from, (size_t)(rd->in.p - from) };
        if (!qn_str_is(word, "True") && !qn_str_is(word, "False") && !qn_str_is(word, "None"))
                return fail(rd, from, "not a plain value: Python would evaluate it");
        n = new_node(rd, qn_str_is(word, "None") ? QN_NODE_NULL : QN_NODE_BOOL, from);
        if (n)
                n->boolean = qn_str_is(word, "True");
        return add(rd, n);
}

static int open_value(struct reader *rd, enum frame f)
{
        struct qn_node *n =
                new_node(rd, f == FRAME_DICT ? QN_NODE_OBJECT : QN_NODE_ARRAY, rd->in.p);

        if (rd->depth == QN_GYP_DEPTH_MAX)
                return qn_fail(rd->err, -EFBIG, (size_t)(rd->in.p - rd->start),
                               "gyp: nested too deeply");
        if (!n || qn_build_open(&rd->build, n) < 0)
                return no_memory(rd);
        rd->frames[rd->depth++] = f;
        rd->in.p++;
        return 0;
}

static int take_value(struct reader *rd)
{
        uint8_t c;

        if (at_end(rd))
                return cut_short(rd);
        c = *rd->in.p;
        if (c == '{')
                return open_value(rd, FRAME_DICT);
        if (c == '[')
                return open_value(rd, FRAME_LIST);
        if (c == '(')
                return open_value(rd, FRAME_TUPLE);
        if (string_prefix(rd) != SIZE_MAX)
                return string_value(rd);
        if (is_digit(c) || c == '-' || c == '+' || c == '.')
                return number_value(rd);
        if (is_letter(c))
                return word_value(rd);
        return fail(rd, rd->in.p, "a value was expected");
}

/* --- containers --- */

/* A key and its colon. */
static int take_key(struct reader *rd)
{
        int r;

        if (string_prefix(rd) == SIZE_MAX)
                return fail(rd, rd->in.p, "a string was expected as the key");
        r = take_string(rd, &rd->build.key);
        if (r < 0)
                return r;
        if (at_end(rd))
                return cut_short(rd);
        if (*rd->in.p != ':')
                return fail(rd, rd->in.p, "a colon was expected after a key");
        rd->in.p++;
        skip_blanks(rd);
        return 0;
}

static int close_value(struct reader *rd, bool comma)
{
        enum frame f = rd->frames[--rd->depth];
        struct qn_node *n = rd->build.levels[rd->build.depth - 1].node;

        rd->in.p++;
        if (qn_build_close(&rd->build) < 0)
                return no_memory(rd);
        if (f == FRAME_TUPLE && !comma && n->n == 1) {
                const struct qn_node inner = *n->items[0];

                *n = inner;
        }
        rd->done = rd->depth == 0;
        return 0;
}

static const char closing[] = { [FRAME_DICT] = '}', [FRAME_LIST] = ']', [FRAME_TUPLE] = ')' };

/* One step inside the innermost container: a comma, its end, or a member.  first: nothing is in it yet. */
static int step(struct reader *rd, bool first)
{
        enum frame f = rd->frames[rd->depth - 1];
        bool comma = false;
        int r = 0;

        if (!first && looking_at(rd, ",")) {
                comma = true;
                rd->in.p++;
                skip_blanks(rd);
        }
        if (at_end(rd))
                return cut_short(rd);
        if (*rd->in.p == closing[f])
                return close_value(rd, comma);
        if (!first && !comma)
                return fail(rd, rd->in.p, "a comma or the end was expected");
        if (f == FRAME_DICT)
                r = take_key(rd);
        return r < 0 ? r : take_value(rd);
}

static int read_all(struct reader *rd)
{
        int r;

        skip_blanks(rd);
        r = take_value(rd);
        while (r == 0 && !rd->done) {
                const struct qn_build_level *top = &rd->build.levels[rd->build.depth - 1];
                bool first = rd->build.n == top->from;

                skip_blanks(rd);
                r = step(rd, first);
        }
        if (r < 0)
                return r;
        skip_blanks(rd);
        return at_end(rd) ? 0 : fail(rd, rd->in.p, "text after the end");
}

/* Python refuses both before it looks at anything else. */
static int check_bytes(struct reader *rd)
{
        struct qn_str s = qn_cur_rest(&rd->in);
        ptrdiff_t nul = qn_str_chr(s, '\0');

        if (nul >= 0)
                return fail(rd, rd->in.p + nul, "the file holds a NUL byte");
        if (!qn_utf8_valid(s))
                return qn_fail(rd->err, -EILSEQ, 0, "gyp: the file is not valid UTF-8");
        return 0;
}

int qn_gyp_literal(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                   struct qn_err *reterr)
{
        _cleanup_(reader_done) struct reader rd = {
                .in = in,
                .start = in.p,
                .line_start = in.p,
                .counted = in.p,
                .line = 1,
                .arena = a,
                .err = reterr,
                .build = QN_BUILD_INIT(a),
                .text = QN_BUF_INIT(QN_GYP_MAX),
        };
        int r;

        if (qn_cur_left(&in) > QN_GYP_MAX)
                return qn_fail(reterr, -EFBIG, QN_GYP_MAX, "gyp: larger than %zu MB",
                               QN_GYP_MAX >> 20);
        r = check_bytes(&rd);
        if (r < 0)
                return r;
        if (looking_at(&rd, "\xef\xbb\xbf"))
                rd.in.p += 3;
        r = read_all(&rd);
        if (r < 0)
                return r;
        *ret = qn_build_root(&rd.build);
        return 0;
}
