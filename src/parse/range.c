#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "parse/semver-text.h"
#include "parse/semver.h"

/* A range is rewritten step by step until only comparators are left, in the order in which npm does it: each step sees
 * what the one before it wrote, and some odd ranges mean what they mean only because of that. */

#define TEXT_MAX \
        (QN_RANGE_MAX * 16) /* rewriting makes text longer: "^1" becomes ">=1.0.0 <2.0.0-0" */

enum op {
        OP_EQ,
        OP_LT,
        OP_LE,
        OP_GT,
        OP_GE,
        OP_ANY,
};

struct comparator {
        enum op op;
        struct qn_semver v;
        struct qn_str value; /* as npm prints it; "" for OP_ANY */
};

struct set {
        struct comparator *v;
        size_t n;
};

struct qn_range {
        unsigned flags;
        struct set *sets;
        size_t n, cap;
};

struct parser {
        struct qn_arena *arena;
        struct qn_range *range;
        unsigned flags, mode; /* mode: how qn_plain_* reads a piece of this range */
        struct qn_buf a, b;   /* text before and after a step */
        /* The set that is being read. */
        struct comparator *v;
        size_t n, cap;
        struct qn_arena scratch;
        struct qn_map seen; /* values, once there are many */
};

#define LINEAR_MAX 16 /* comparators of a set that are searched without a map */

static void parser_done(struct parser *p)
{
        qn_buf_done(&p->a);
        qn_buf_done(&p->b);
        qn_arena_done(&p->scratch);
        free(p->v);
}

static void put(struct qn_buf *b, const char *text)
{
        qn_buf_puts(b, text);
}

/* --- numbers as JavaScript prints them --- */

static bool is_x(struct qn_str s)
{
        return s.n == 0 || qn_str_is(s, "x") || qn_str_is(s, "X") || qn_str_is(s, "*");
}

/* From 1e21 on JavaScript prints a number with the fewest digits that give it back, and an exponent. */
static void put_large(struct qn_buf *out, double v)
{
        char text[40];

        for (int digits = 0; digits < 17; digits++) {
                snprintf(text, sizeof text, "%.*e", digits, v);
                if (strtod(text, NULL) == v)
                        break;
        }
        qn_buf_puts(out, text);
}

/* The number after s.  Between 2^53 and 1e21 all that matters is that it is too large. */
static void put_next(struct qn_buf *out, struct qn_str s)
{
        char text[QN_SEMVER_MAX + 2];
        size_t n = QN_MIN(s.n, sizeof text - 1);
        uint64_t v;

        if (qn_str_u64(s, &v) == 0 && v <= QN_SEMVER_NUMBER_MAX) {
                qn_buf_printf(out, "%llu", (unsigned long long)v + 1);
                return;
        }
        memcpy(text, s.p, n);
        text[n] = '\0';
        if (strtod(text, NULL) >= 1e21)
                put_large(out, strtod(text, NULL));
        else
                put(out, "999999999999999999999");
}

/* ">=" and the lowest version that fits; "-0" below it when prereleases count. */
static void put_from(struct parser *p, struct qn_buf *out, const struct qn_plain *v)
{
        bool x = is_x(v->patch);

        put(out, ">=");
        qn_buf_str(out, v->major);
        put(out, ".");
        qn_buf_str(out, is_x(v->minor) ? QN_STR("0") : v->minor);
        put(out, ".");
        qn_buf_str(out, x || is_x(v->minor) ? QN_STR("0") : v->patch);
        if (x || is_x(v->minor))
                put(out, p->flags & QN_SEMVER_PRERELEASE ? "-0" : "");
        else if (v->pre.n)
                put(out, "-"), qn_buf_str(out, v->pre);
}

enum part {
        MAJOR,
        MINOR,
        PATCH,
};

/* "<" and the version where the given number is one higher. */
static void put_below_next(struct qn_buf *out, const struct qn_plain *v, enum part part)
{
        put(out, "<");
        if (part == MAJOR) {
                put_next(out, v->major);
                put(out, ".0.0-0");
                return;
        }
        qn_buf_str(out, v->major);
        put(out, ".");
        if (part == MINOR) {
                put_next(out, v->minor);
                put(out, ".0-0");
                return;
        }
        qn_buf_str(out, v->minor);
        put(out, ".");
        put_next(out, v->patch);
        put(out, "-0");
}

/* --- whole sets: builds, hyphens, blanks --- */

static void swap(struct parser *p)
{
        struct qn_buf t = p->a;

        p->a = p->b;
        p->b = t;
        qn_buf_reset(&p->b);
}

static void strip_builds(struct parser *p)
{
        struct qn_str s = qn_buf_view(&p->a);

        while (s.n) {
                size_t n = qn_plain_build(s, SIZE_MAX);

                if (n == 0)
                        qn_buf_byte(&p->b, s.p[0]);
                s = qn_str_skip(s, n ? n : 1);
        }
        swap(p);
}

static void put_full(struct qn_buf *out, const struct qn_plain *v)
{
        qn_buf_str(out, v->major);
        put(out, ".");
        qn_buf_str(out, v->minor);
        put(out, ".");
        qn_buf_str(out, v->patch);
        put(out, "-");
        qn_buf_str(out, v->pre);
}

static void put_hyphen_from(struct parser *p, struct qn_str text, const struct qn_plain *v)
{
        if (is_x(v->major))
                return;
        if (is_x(v->minor) || is_x(v->patch)) {
                put_from(p, &p->b, v);
                return;
        }
        put(&p->b, ">=");
        qn_buf_str(&p->b, text);
        if (!v->pre.n && (p->flags & QN_SEMVER_PRERELEASE))
                put(&p->b, "-0");
}

static void put_hyphen_to(struct parser *p, struct qn_str text, const struct qn_plain *v)
{
        if (is_x(v->minor)) {
                put_below_next(&p->b, v, MAJOR);
        } else if (is_x(v->patch)) {
                put_below_next(&p->b, v, MINOR);
        } else if (v->pre.n) {
                put(&p->b, "<=");
                put_full(&p->b, v);
        } else if (p->flags & QN_SEMVER_PRERELEASE) {
                put_below_next(&p->b, v, PATCH);
        } else {
                put(&p->b, "<=");
                qn_buf_str(&p->b, text);
        }
}

/* "1.2 - 2.3" → ">=1.2.0 <2.4.0-0" */
static void replace_hyphen(struct parser *p)
{
        struct qn_str s = qn_buf_view(&p->a), left, right;
        ptrdiff_t at = qn_str_find(s, QN_STR(" - "));
        struct qn_plain from, to;

        if (at < 0)
                return;
        left = qn_str_take(s, (size_t)at);
        right = qn_str_skip(s, (size_t)at + 3);
        /* Where build data was, one blank may have been left at the ends. */
        left = qn_str_skip(left, qn_str_starts(left, " "));
        right.n -= qn_str_ends(right, " ");
        if (!qn_plain_match_all(left, p->mode, &from) || !qn_plain_match_all(right, p->mode, &to))
                return;
        put_hyphen_from(p, left, &from);
        if (!is_x(to.major)) {
                if (p->b.n)
                        put(&p->b, " ");
                put_hyphen_to(p, right, &to);
        }
        swap(p);
}

static size_t one_space(struct qn_str s)
{
        return s.n && s.p[0] == ' ';
}

/* Bytes of <, >, <=, >= or = at the start of s. */
static size_t operator_size(struct qn_str s)
{
        size_t n = s.n && (s.p[0] == '<' || s.p[0] == '>');

        return n + (n < s.n && s.p[n] == '=');
}

static size_t filler_size(struct qn_str s)
{
        size_t n = 0;

        while (n < s.n && (s.p[n] == 'v' || s.p[n] == '=' || s.p[n] == ' '))
                n++;
        return n;
}

/* "> 1.2" → ">1.2".  Versions are passed over whole, so that an = inside what was read as one stays. */
static void trim_comparators(struct parser *p)
{
        struct qn_str s = qn_buf_view(&p->a);

        while (s.n) {
                size_t head = one_space(s), gap, n;
                struct qn_str rest;

                head += operator_size(qn_str_skip(s, head));
                gap = one_space(qn_str_skip(s, head));
                rest = qn_str_skip(s, head + gap);
                n = qn_plain_match(rest, QN_PLAIN_LOOSE, NULL);
                if (n == 0)
                        n = qn_plain_match(rest, QN_PLAIN_RANGE, NULL);
                if (n == 0) {
                        /* What may stand before a version does not help any later start either. */
                        n = QN_MAX(filler_size(s), (size_t)1);
                        qn_buf_str(&p->b, qn_str_take(s, n));
                        s = qn_str_skip(s, n);
                        continue;
                }
                qn_buf_str(&p->b, qn_str_take(s, head));
                qn_buf_str(&p->b, qn_str_take(rest, n));
                s = qn_str_skip(rest, n);
        }
        swap(p);
}

/* "~ 1" and "~> 1" → "~1"; "^ 1" → "^1". */
static void trim_signs(struct parser *p, char sign)
{
        struct qn_str s = qn_buf_view(&p->a);

        while (s.n) {
                size_t n = s.p[0] == sign;

                if (n && sign == '~' && s.n > 1 && s.p[1] == '>')
                        n++;
                if (n && one_space(qn_str_skip(s, n))) {
                        qn_buf_byte(&p->b, sign);
                        s = qn_str_skip(s, n + 1);
                } else {
                        qn_buf_byte(&p->b, s.p[0]);
                        s = qn_str_skip(s, 1);
                }
        }
        swap(p);
}

/* --- one word --- */

static bool replace_caret(struct parser *p, struct qn_str word)
{
        struct qn_plain v;
        bool zero;

        if (word.n == 0 || word.p[0] != '^' ||
            !qn_plain_match_all(qn_str_skip(word, 1), p->mode, &v))
                return false;
        if (is_x(v.major))
                return true;
        put_from(p, &p->b, &v);
        put(&p->b, " ");
        zero = qn_str_is(v.major, "0") && !is_x(v.minor);
        if (!zero)
                put_below_next(&p->b, &v, MAJOR);
        else if (is_x(v.patch) || !qn_str_is(v.minor, "0"))
                put_below_next(&p->b, &v, MINOR);
        else
                put_below_next(&p->b, &v, PATCH);
        return true;
}

static bool replace_tilde(struct parser *p, struct qn_str word)
{
        struct qn_plain v;

        if (word.n == 0 || word.p[0] != '~' ||
            !qn_plain_match_all(qn_str_skip(word, 1 + qn_str_starts(word, "~>")), p->mode, &v))
                return false;
        if (is_x(v.major))
                return true;
        put_from(p, &p->b, &v);
        put(&p->b, " ");
        put_below_next(&p->b, &v, is_x(v.minor) ? MAJOR : MINOR);
        return true;
}

/* "<1.x", ">=1.2": an operator before a version that is not whole. */
static void put_partial(struct parser *p, struct qn_str op, const struct qn_plain *v)
{
        bool up = qn_str_is(op, ">") || qn_str_is(op, "<="), xm = is_x(v->minor);

        put(&p->b, op.p[0] == '<' ? "<" : ">=");
        if (up && xm)
                put_next(&p->b, v->major);
        else
                qn_buf_str(&p->b, v->major);
        put(&p->b, ".");
        if (up && !xm)
                put_next(&p->b, v->minor);
        else
                qn_buf_str(&p->b, xm ? QN_STR("0") : v->minor);
        put(&p->b, op.p[0] == '<' || (p->flags & QN_SEMVER_PRERELEASE) ? ".0-0" : ".0");
}

static bool replace_x(struct parser *p, struct qn_str word)
{
        struct qn_str op = qn_str_take(word, operator_size(word));
        struct qn_plain v;

        if (!qn_plain_match_all(qn_str_skip(word, op.n), p->mode, &v))
                return false;
        /* "x.1", "1.x.1": left as they are, and refused later. */
        if ((is_x(v.major) && !is_x(v.minor)) || (is_x(v.minor) && v.patch.n && !is_x(v.patch)))
                return false;
        if (qn_str_is(op, "="))
                op.n = 0;
        if (is_x(v.major)) {
                if (qn_str_is(op, ">") || qn_str_is(op, "<"))
                        put(&p->b, "<0.0.0-0");
                return true;
        }
        if (!is_x(v.minor) && !is_x(v.patch))
                return false;
        if (op.n) {
                put_partial(p, op, &v);
                return true;
        }
        put_from(p, &p->b, &v);
        put(&p->b, " ");
        put_below_next(&p->b, &v, is_x(v.minor) ? MAJOR : MINOR);
        return true;
}

/* A star that is left anywhere in a word goes, with its operator: the first one only. */
static void put_without_star(struct qn_buf *out, struct qn_str word)
{
        for (size_t i = 0; i < word.n; i++) {
                struct qn_str rest = qn_str_skip(word, i);
                size_t n = operator_size(rest);

                if (n < rest.n && rest.p[n] == '*') {
                        qn_buf_str(out, qn_str_take(word, i));
                        qn_buf_str(out, qn_str_skip(rest, n + 1));
                        return;
                }
        }
        qn_buf_str(out, word);
}

static void replace_words(struct parser *p)
{
        struct qn_str s = qn_buf_view(&p->a);

        if (s.n == 0)
                return;
        while (s.p) {
                struct qn_str word = qn_str_cut(&s, ' ');

                if (!replace_caret(p, word) && !replace_tilde(p, word) && !replace_x(p, word))
                        put_without_star(&p->b, word);
                if (s.p)
                        put(&p->b, " ");
        }
        swap(p);
}

/* --- comparators --- */

static const char *const op_text[] = {
        [OP_EQ] = "", [OP_LT] = "<", [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=", [OP_ANY] = "",
};

static enum op read_op(struct qn_str op)
{
        if (op.n == 0 || op.p[0] == '=')
                return OP_EQ;
        if (op.p[0] == '<')
                return op.n == 2 ? OP_LE : OP_LT;
        return op.n == 2 ? OP_GE : OP_GT;
}

/* 0, 1 when the word is no comparator at all, -EINVAL when it is one of a version that cannot be. */
static int read_comparator(struct parser *p, struct qn_str word, struct comparator *ret)
{
        struct qn_str op = qn_str_take(word, operator_size(word)),
                      version = qn_str_skip(word, op.n), kept;
        struct qn_buf *out = &p->b;

        if (!qn_plain_match_all(version, p->mode & QN_PLAIN_LOOSE, NULL))
                return 1;
        ret->op = read_op(op);
        if (qn_semver_parse(version, p->flags, &ret->v) < 0)
                return -EINVAL;
        qn_buf_reset(out);
        put(out, op_text[ret->op]);
        if (qn_semver_format(&ret->v, out) < 0)
                return -ENOBUFS;
        kept = qn_arena_dup(p->arena, qn_buf_view(out));
        if (!kept.p)
                return -ENOBUFS;
        ret->value = kept;
        /* From here on the version lives in its printed form, which has no build data. */
        if (ret->v.pre.n)
                ret->v.pre = qn_str_skip(kept, (size_t)qn_str_chr(kept, '-') + 1);
        ret->v.build = (struct qn_str){ NULL, 0 };
        return 0;
}

static int add_comparator(struct parser *p, struct comparator c)
{
        if (p->n == p->cap) {
                size_t cap = p->cap ? p->cap * 2 : LINEAR_MAX;
                struct comparator *v = reallocarray(p->v, cap, sizeof *v);

                if (!v)
                        return -ENOMEM;
                p->v = v;
                p->cap = cap;
        }
        p->v[p->n++] = c;
        return 0;
}

/* 1 when the set has this comparator already. */
static int is_seen(struct parser *p, struct qn_str value)
{
        int r = 0;

        if (p->n < LINEAR_MAX) {
                for (size_t i = 0; i < p->n; i++)
                        if (qn_str_eq(p->v[i].value, value))
                                return 1;
                return 0;
        }
        for (size_t i = 0; p->n == LINEAR_MAX && r >= 0 && i < p->n; i++)
                r = qn_map_add(&p->seen, &p->scratch, p->v[i].value, 0, NULL);
        return r < 0 ? r : qn_map_add(&p->seen, &p->scratch, value, 0, NULL);
}

/* Adds what a word says, once.  1: nothing can match any more, the set is just this comparator. */
static int add_word(struct parser *p, struct qn_str word, bool *any)
{
        struct comparator c = { .op = OP_ANY };
        int r;

        if (word.n == 0 ||
            qn_str_is(word, p->flags & QN_SEMVER_PRERELEASE ? ">=0.0.0-0" : ">=0.0.0")) {
                *any = true;
                return 0;
        }
        r = read_comparator(p, word, &c);
        if (r == 1)
                return p->flags & QN_SEMVER_LOOSE ? 0 : -EINVAL;
        if (r < 0)
                return r;
        r = is_seen(p, c.value);
        if (r != 0)
                return r < 0 ? r : 0;
        r = add_comparator(p, c);
        return r < 0 ? r : qn_str_is(c.value, "<0.0.0-0");
}

/* Every word must be a comparator before the first impossible one ends it all. */
static int check_words(struct parser *p, struct qn_str s)
{
        while (s.p) {
                struct qn_str word = qn_str_cut(&s, ' ');
                struct comparator c;
                int r = word.n ? read_comparator(p, word, &c) : 0;

                if (r < 0 || (r == 1 && !(p->flags & QN_SEMVER_LOOSE)))
                        return r < 0 ? r : -EINVAL;
        }
        return 0;
}

static int read_comparators(struct parser *p)
{
        struct qn_str s = qn_buf_view(&p->a);
        bool any = s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ';
        int r = 0;

        p->n = 0;
        p->seen = (struct qn_map){ 0 };
        while (r == 0 && s.n) {
                struct qn_str word = qn_str_cut(&s, ' ');

                if (word.n)
                        r = add_word(p, word, &any);
        }
        if (r == 1) {
                r = check_words(p, s);
                p->v[0] = p->v[p->n - 1];
                p->n = 1;
        }
        if (r == 0 && p->n == 0 && any)
                r = add_comparator(p, (struct comparator){ .op = OP_ANY, .value = QN_STR("") });
        qn_arena_reset(&p->scratch, (size_t)1 << 20);
        return r;
}

/* --- sets --- */

static int read_set(struct parser *p, struct qn_str text)
{
        struct set set;
        int r;

        qn_buf_reset(&p->a);
        qn_buf_reset(&p->b);
        qn_buf_str(&p->a, text);
        strip_builds(p);
        replace_hyphen(p);
        trim_comparators(p);
        trim_signs(p, '~');
        trim_signs(p, '^');
        replace_words(p);
        r = qn_buf_error(&p->a);
        if (r == 0)
                r = read_comparators(p);
        if (r < 0 || p->n == 0)
                return r;
        set.n = p->n;
        set.v = qn_arena_calloc(p->arena, set.n, sizeof *set.v);
        if (!set.v)
                return -ENOBUFS;
        memcpy(set.v, p->v, set.n * sizeof *set.v);
        r = QN_ARENA_ROOM(p->arena, p->range->sets, p->range->n, p->range->cap);
        if (r == 0)
                p->range->sets[p->range->n++] = set;
        return r;
}

static bool is_nothing(const struct set *s)
{
        return qn_str_is(s->v[0].value, "<0.0.0-0");
}

static bool is_anything(const struct set *s)
{
        return s->n == 1 && s->v[0].op == OP_ANY;
}

/* Alternatives that never match go (all but one); one that always matches stays alone. */
static void simplify(struct qn_range *r)
{
        struct set first = r->sets[0];
        size_t n = 0;

        if (r->n < 2)
                return;
        for (size_t i = 0; i < r->n; i++)
                if (!is_nothing(&r->sets[i]))
                        r->sets[n++] = r->sets[i];
        if (n == 0)
                r->sets[n++] = first;
        for (size_t i = 0; n > 1 && i < n; i++) {
                if (is_anything(&r->sets[i])) {
                        r->sets[0] = r->sets[i];
                        n = 1;
                }
        }
        r->n = n;
}

/* Trims and makes every run of white space one blank. */
static int collapse(struct qn_str s, struct qn_arena *a, struct qn_str *ret)
{
        char *out, *o;
        size_t n;

        s = qn_plain_trim(s);
        out = o = qn_arena_alloc(a, s.n + 1);
        if (!out)
                return -ENOBUFS;
        while (s.n) {
                n = qn_plain_space(s);
                if (n == 0)
                        *o++ = s.p[0];
                else if (o[-1] != ' ')
                        *o++ = ' ';
                s = qn_str_skip(s, n ? n : 1);
        }
        *ret = (struct qn_str){ out, (size_t)(o - out) };
        return 0;
}

static int read_sets(struct parser *p, struct qn_str text)
{
        int r = 0;

        while (r == 0 && text.p) {
                ptrdiff_t at = qn_str_find(text, QN_STR("||"));
                struct qn_str one = at < 0 ? text : qn_str_take(text, (size_t)at);

                text = at < 0 ? (struct qn_str){ NULL, 0 } : qn_str_skip(text, (size_t)at + 2);
                r = read_set(p, qn_str_trim(one));
        }
        return r;
}

int qn_range_parse(struct qn_str s, unsigned flags, struct qn_arena *a, struct qn_range **ret)
{
        _cleanup_(parser_done) struct parser p = {
                .arena = a,
                .flags = flags,
                .mode = QN_PLAIN_RANGE | (flags & QN_SEMVER_LOOSE ? QN_PLAIN_LOOSE : 0),
                .a = QN_BUF_INIT(TEXT_MAX),
                .b = QN_BUF_INIT(TEXT_MAX),
                .scratch = QN_ARENA_INIT(a->max),
        };
        struct qn_str text;
        int r;

        if (s.n > QN_RANGE_MAX)
                return -EFBIG;
        p.range = QN_ARENA_NEW(a, struct qn_range);
        if (!p.range)
                return -ENOBUFS;
        p.range->flags = flags;
        r = collapse(s, a, &text);
        if (r == 0)
                r = read_sets(&p, text);
        if (r < 0)
                return r;
        if (p.range->n == 0)
                return -EINVAL;
        simplify(p.range);
        *ret = p.range;
        return 0;
}

/* --- use --- */

static bool comparator_test(const struct comparator *c, const struct qn_semver *v)
{
        int r = c->op == OP_ANY ? 0 : qn_semver_cmp(v, &c->v);

        switch (c->op) {
        case OP_EQ:
                return r == 0;
        case OP_LT:
                return r < 0;
        case OP_LE:
                return r <= 0;
        case OP_GT:
                return r > 0;
        case OP_GE:
                return r >= 0;
        case OP_ANY:
                return true;
        }
        return false;
}

/* A prerelease only satisfies what names a prerelease of the very same version. */
static bool names_prerelease(const struct set *s, const struct qn_semver *v)
{
        for (size_t i = 0; i < s->n; i++) {
                const struct qn_semver *c = &s->v[i].v;

                if (s->v[i].op != OP_ANY && c->pre.n && c->major == v->major &&
                    c->minor == v->minor && c->patch == v->patch)
                        return true;
        }
        return false;
}

static bool set_test(const struct set *s, const struct qn_semver *v, unsigned flags)
{
        for (size_t i = 0; i < s->n; i++)
                if (!comparator_test(&s->v[i], v))
                        return false;
        return !v->pre.n || (flags & QN_SEMVER_PRERELEASE) || names_prerelease(s, v);
}

bool qn_range_test(const struct qn_range *r, const struct qn_semver *v)
{
        for (size_t i = 0; i < r->n; i++)
                if (set_test(&r->sets[i], v, r->flags))
                        return true;
        return false;
}

bool qn_range_test_str(const struct qn_range *r, struct qn_str v)
{
        struct qn_semver parsed;

        return qn_semver_parse(v, r->flags, &parsed) == 0 && qn_range_test(r, &parsed);
}

int qn_range_format(const struct qn_range *r, struct qn_buf *out)
{
        size_t before = out->n;

        for (size_t i = 0; i < r->n; i++) {
                if (i)
                        put(out, "||");
                for (size_t k = 0; k < r->sets[i].n; k++) {
                        if (k)
                                put(out, " ");
                        qn_buf_str(out, r->sets[i].v[k].value);
                }
        }
        if (out->n == before)
                put(out, "*");
        return qn_buf_error(out);
}

size_t qn_range_max(const struct qn_range *r, const struct qn_str *versions, size_t n)
{
        struct qn_semver best, v;
        size_t at = SIZE_MAX;

        for (size_t i = 0; i < n; i++) {
                if (qn_semver_parse(versions[i], r->flags, &v) < 0 || !qn_range_test(r, &v))
                        continue;
                if (at == SIZE_MAX || qn_semver_cmp(&best, &v) < 0) {
                        best = v;
                        at = i;
                }
        }
        return at;
}
