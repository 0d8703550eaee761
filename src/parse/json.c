#include "parse/json.h"

#include <errno.h>

#include "base/arena.h"
#include "base/utf8.h"

enum state {
        ST_VALUE,  /* a value must follow */
        ST_OPENED, /* just after { or [ */
        ST_AFTER,  /* after a value inside an object or array */
        ST_END,    /* after the top-level value */
        ST_FAILED,
};

static int fail(struct qn_json *j, int code, const uint8_t *at, struct qn_err *reterr,
                const char *what)
{
        j->state = ST_FAILED;
        return qn_fail(reterr, code, (size_t)(at - j->start), "JSON: %s", what);
}

static int cut_short(struct qn_json *j, struct qn_err *reterr)
{
        return fail(j, -EBADMSG, j->in.end, reterr, "the document is cut short");
}

static inline void skip_space(struct qn_cur *c)
{
        const uint8_t *p = c->p, *end = c->end;

        while (p < end && *p <= ' ') {
                uint64_t v;

                /* Indentation comes in long runs of blanks. */
                while (end - p >= 8 && (memcpy(&v, p, 8), v == 0x2020202020202020u))
                        p += 8;
                if (p < end && *p != ' ' && *p != '\n' && *p != '\r' && *p != '\t')
                        break;
                if (p < end)
                        p++;
        }
        c->p = p;
}

/* --- strings --- */

typedef int8_t v16 __attribute__((vector_size(16)));

/* Skips bytes that stand for themselves: stops at a quote, a backslash, a control or a non-ASCII byte, or the end. */
static inline const uint8_t *plain_run(const uint8_t *p, const uint8_t *end)
{
        for (; end - p >= 16; p += 16) {
                uint64_t hit[2];
                v16 v, m;

                memcpy(&v, p, 16);
                /* Signed: bytes from 0x80 up are below 0x20 too. */
                m = (v16)(v == '"') | (v16)(v == '\\') | (v16)(v < 0x20);
                memcpy(hit, &m, 16);
                if (hit[0])
                        return p + __builtin_ctzll(hit[0]) / 8;
                if (hit[1])
                        return p + 8 + __builtin_ctzll(hit[1]) / 8;
        }
        while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
                p++;
        return p;
}

/* Four hex digits, or -1. */
static int32_t hex4(const uint8_t *p)
{
        int32_t v = 0;

        for (int i = 0; i < 4; i++) {
                uint8_t c = p[i], low = c | 0x20;

                if (c >= '0' && c <= '9')
                        v = v * 16 + (c - '0');
                else if (low >= 'a' && low <= 'f')
                        v = v * 16 + (low - 'a' + 10);
                else
                        return -1;
        }
        return v;
}

/* Bytes of the escape sequence at p (which is a backslash), 0 when it is malformed or cut short. */
static size_t escape_size(const uint8_t *p, const uint8_t *end)
{
        if (end - p < 2)
                return 0;
        if (p[1] == 'u')
                return end - p >= 6 && hex4(p + 2) >= 0 ? 6 : 0;
        return memchr("\"\\/bfnrt", p[1], 8) ? 2 : 0;
}

/* Reads the string whose opening quote is at in.p. */
static inline int string(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        const uint8_t *p = j->in.p + 1, *end = j->in.end;
        uint32_t cp;
        size_t n;

        e->escaped = false;
        e->off = (size_t)(j->in.p - j->start);
        for (;;) {
                p = plain_run(p, end);
                if (p == end)
                        return cut_short(j, reterr);
                if (*p == '"')
                        break;
                if (*p == '\\') {
                        n = escape_size(p, end);
                        if (n == 0)
                                return fail(j, -EBADMSG, p, reterr, "malformed escape in a string");
                        e->escaped = true;
                } else if (*p < 0x20) {
                        return fail(j, -EBADMSG, p, reterr, "control character in a string");
                } else {
                        n = qn_utf8_next((struct qn_str){ (const char *)p, (size_t)(end - p) },
                                         &cp);
                        if (n == 1)
                                return fail(j, -EILSEQ, p, reterr, "a string is not valid UTF-8");
                }
                p += n;
        }
        e->raw = (struct qn_str){ (const char *)j->in.p + 1, (size_t)(p - j->in.p - 1) };
        j->in.p = p + 1;
        return 0;
}

static uint32_t code_point(const uint8_t **p, const uint8_t *end)
{
        uint32_t hi = (uint32_t)hex4(*p + 2), lo;

        *p += 6;
        if (hi < 0xd800 || hi > 0xdfff)
                return hi;
        if (hi > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
                return 0xfffd;
        lo = (uint32_t)hex4(*p + 2);
        if (lo < 0xdc00 || lo > 0xdfff)
                return 0xfffd;
        *p += 6;
        return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

static char *put_utf8(char *o, uint32_t cp)
{
        if (cp < 0x80) {
                *o++ = (char)cp;
                return o;
        }
        if (cp < 0x800) {
                *o++ = (char)(0xc0 | cp >> 6);
        } else {
                if (cp < 0x10000) {
                        *o++ = (char)(0xe0 | cp >> 12);
                } else {
                        *o++ = (char)(0xf0 | cp >> 18);
                        *o++ = (char)(0x80 | (cp >> 12 & 0x3f));
                }
                *o++ = (char)(0x80 | (cp >> 6 & 0x3f));
        }
        *o++ = (char)(0x80 | (cp & 0x3f));
        return o;
}

static char escaped_byte(uint8_t c)
{
        switch (c) {
        case 'b':
                return '\b';
        case 'f':
                return '\f';
        case 'n':
                return '\n';
        case 'r':
                return '\r';
        case 't':
                return '\t';
        default:
                return (char)c;
        }
}

int qn_json_unescape(const struct qn_json_event *e, struct qn_arena *a, struct qn_str *ret)
{
        const uint8_t *p = (const uint8_t *)e->raw.p, *end = p + e->raw.n;
        char *out, *o;

        if (!e->escaped) {
                *ret = e->raw;
                return 0;
        }
        /* Every escape is longer than what it stands for. */
        o = out = qn_arena_alloc(a, e->raw.n + 1);
        if (!out)
                return -ENOBUFS;
        while (p < end) {
                if (*p != '\\') {
                        *o++ = (char)*p++;
                } else if (escape_size(p, end) == 0) {
                        return -EBADMSG;
                } else if (p[1] == 'u') {
                        o = put_utf8(o, code_point(&p, end));
                } else {
                        *o++ = escaped_byte(p[1]);
                        p += 2;
                }
        }
        *o = '\0';
        *ret = (struct qn_str){ out, (size_t)(o - out) };
        return 0;
}

/* --- scalars --- */

/* One or more digits. */
static bool take_digits(const uint8_t **p, const uint8_t *end)
{
        const uint8_t *start = *p;

        while (*p < end && **p >= '0' && **p <= '9')
                (*p)++;
        return *p > start;
}

/* Moves *p over a number; false leaves it where the number goes wrong. */
static bool take_number(const uint8_t **p, const uint8_t *end)
{
        if (**p == '-')
                (*p)++;
        if (*p < end && **p == '0')
                (*p)++;
        else if (!take_digits(p, end))
                return false;
        if (*p < end && **p == '.') {
                (*p)++;
                if (!take_digits(p, end))
                        return false;
        }
        if (*p < end && (**p | 0x20) == 'e') {
                (*p)++;
                if (*p < end && (**p == '+' || **p == '-'))
                        (*p)++;
                return take_digits(p, end);
        }
        return true;
}

static int number(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        const uint8_t *p = j->in.p;

        if (!take_number(&p, j->in.end))
                return p == j->in.end ? cut_short(j, reterr)
                                      : fail(j, -EBADMSG, p, reterr, "malformed number");
        e->kind = QN_JSON_NUMBER;
        e->raw = (struct qn_str){ (const char *)j->in.p, (size_t)(p - j->in.p) };
        j->in.p = p;
        return 0;
}

static int word(struct qn_json *j, struct qn_json_event *e, const char *w, enum qn_json_kind kind,
                struct qn_err *reterr)
{
        size_t n = strlen(w), left = qn_cur_left(&j->in);

        if (memcmp(j->in.p, w, QN_MIN(n, left)) != 0)
                return fail(j, -EBADMSG, j->in.p, reterr, "unknown word");
        if (left < n)
                return cut_short(j, reterr);
        e->kind = kind;
        e->raw = (struct qn_str){ (const char *)j->in.p, n };
        j->in.p += n;
        return 0;
}

/* --- structure --- */

static inline bool in_object(const struct qn_json *j)
{
        return j->nest[(j->depth - 1) / 8] >> ((j->depth - 1) % 8) & 1;
}

static int open_level(struct qn_json *j, struct qn_json_event *e, bool object,
                      struct qn_err *reterr)
{
        uint8_t bit = (uint8_t)(1u << j->depth % 8);

        if (j->depth == QN_JSON_DEPTH_MAX)
                return fail(j, -EFBIG, j->in.p, reterr, "nested too deeply");
        if (object)
                j->nest[j->depth / 8] |= bit;
        else
                j->nest[j->depth / 8] &= (uint8_t)~bit;
        j->depth++;
        j->state = ST_OPENED;
        e->kind = object ? QN_JSON_OBJECT : QN_JSON_ARRAY;
        e->raw = (struct qn_str){ (const char *)j->in.p, 1 };
        j->in.p++;
        return 0;
}

static int close_level(struct qn_json *j, struct qn_json_event *e)
{
        e->kind = in_object(j) ? QN_JSON_OBJECT_END : QN_JSON_ARRAY_END;
        e->off = (size_t)(j->in.p - j->start);
        e->escaped = false;
        e->raw = (struct qn_str){ (const char *)j->in.p, 1 };
        j->in.p++;
        j->depth--;
        j->state = j->depth ? ST_AFTER : ST_END;
        return 0;
}

static int value(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        int r;

        if (j->in.p == j->in.end)
                return cut_short(j, reterr);
        e->escaped = false;
        e->off = (size_t)(j->in.p - j->start);
        j->state = j->depth ? ST_AFTER : ST_END;
        switch (*j->in.p) {
        case '"':
                r = string(j, e, reterr);
                e->kind = QN_JSON_STRING;
                return r;
        case '{':
                return open_level(j, e, true, reterr);
        case '[':
                return open_level(j, e, false, reterr);
        case 't':
                return word(j, e, "true", QN_JSON_TRUE, reterr);
        case 'f':
                return word(j, e, "false", QN_JSON_FALSE, reterr);
        case 'n':
                return word(j, e, "null", QN_JSON_NULL, reterr);
        case '-':
        case '0' ... '9':
                return number(j, e, reterr);
        default:
                return fail(j, -EBADMSG, j->in.p, reterr, "a value was expected");
        }
}

/* A key and the colon after it. */
static int key(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        int r;

        if (j->in.p == j->in.end)
                return cut_short(j, reterr);
        if (*j->in.p != '"')
                return fail(j, -EBADMSG, j->in.p, reterr, "a key in double quotes was expected");
        r = string(j, e, reterr);
        if (r < 0)
                return r;
        skip_space(&j->in);
        if (j->in.p == j->in.end)
                return cut_short(j, reterr);
        if (*j->in.p != ':')
                return fail(j, -EBADMSG, j->in.p, reterr, "a colon was expected after a key");
        j->in.p++;
        j->state = ST_VALUE;
        e->kind = QN_JSON_KEY;
        return 0;
}

static int opened(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        bool object = in_object(j);

        if (j->in.p == j->in.end)
                return cut_short(j, reterr);
        if (*j->in.p == (object ? '}' : ']'))
                return close_level(j, e);
        return object ? key(j, e, reterr) : value(j, e, reterr);
}

static int after(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        bool object = in_object(j);

        if (j->in.p == j->in.end)
                return cut_short(j, reterr);
        if (*j->in.p == (object ? '}' : ']'))
                return close_level(j, e);
        if (*j->in.p != ',')
                return fail(j, -EBADMSG, j->in.p, reterr, "a comma or the end was expected");
        j->in.p++;
        skip_space(&j->in);
        return object ? key(j, e, reterr) : value(j, e, reterr);
}

static int at_end(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        if (j->in.p != j->in.end)
                return fail(j, -EBADMSG, j->in.p, reterr, "text after the end of the document");
        *e = (struct qn_json_event){ .kind = QN_JSON_EOF, .off = (size_t)(j->in.p - j->start) };
        return 0;
}

static inline int next(struct qn_json *j, struct qn_json_event *e, struct qn_err *reterr)
{
        skip_space(&j->in);
        switch ((enum state)j->state) {
        case ST_VALUE:
                return value(j, e, reterr);
        case ST_OPENED:
                return opened(j, e, reterr);
        case ST_AFTER:
                return after(j, e, reterr);
        case ST_END:
                return at_end(j, e, reterr);
        case ST_FAILED:
                break;
        }
        return qn_fail(reterr, -EBADMSG, 0, "JSON: reading on after an error");
}

int qn_json_init(struct qn_json *j, struct qn_cur in, struct qn_err *reterr)
{
        if (qn_cur_left(&in) > QN_JSON_MAX)
                return qn_fail(reterr, -EFBIG, QN_JSON_MAX, "JSON: larger than %zu MB",
                               QN_JSON_MAX >> 20);
        *j = (struct qn_json){ .in = in, .start = in.p, .state = ST_VALUE };
        if (qn_str_starts(qn_cur_rest(&in), "\xef\xbb\xbf"))
                j->in.p += 3;
        return 0;
}

int qn_json_next(struct qn_json *j, struct qn_json_event *ret, struct qn_err *reterr)
{
        struct qn_json_event e;
        int r = next(j, &e, reterr);

        if (r < 0)
                return r;
        *ret = e;
        return 0;
}

int qn_json_skip_rest(struct qn_json *j, const struct qn_json_event *e, struct qn_err *reterr)
{
        struct qn_json_event ignored;
        uint32_t depth = j->depth;
        int r;

        if (e->kind != QN_JSON_OBJECT && e->kind != QN_JSON_ARRAY)
                return 0;
        while (j->depth >= depth) {
                r = next(j, &ignored, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int qn_json_skip(struct qn_json *j, struct qn_err *reterr)
{
        struct qn_json_event e;
        uint32_t depth = j->depth;
        int r = next(j, &e, reterr);

        if (r < 0)
                return r;
        if (j->depth < depth || e.kind == QN_JSON_KEY || e.kind == QN_JSON_EOF)
                return qn_fail(reterr, -EBADMSG, e.off, "JSON: no value here");
        return qn_json_skip_rest(j, &e, reterr);
}
