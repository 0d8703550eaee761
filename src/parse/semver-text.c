#include "parse/semver-text.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "parse/semver.h"

/* node-semver caps the repetitions in its patterns; past them a text is cut in two pieces. */
#define DIGITS_MAX QN_SEMVER_MAX
#define IDENT_MAX  (QN_SEMVER_MAX - 6)

/* --- characters --- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool is_wild(char c)
{
        return c == 'x' || c == 'X' || c == '*';
}

static bool is_space(uint32_t c)
{
        return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x1680 ||
               (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
               c == 0x205f || c == 0x3000 || c == 0xfeff;
}

size_t qn_plain_space(struct qn_str s)
{
        uint32_t cp;
        size_t n;

        if (s.n == 0)
                return 0;
        n = qn_utf8_next(s, &cp);
        return is_space(cp) ? n : 0;
}

struct qn_str qn_plain_trim(struct qn_str s)
{
        size_t n, end = 0, at = 0;

        while ((n = qn_plain_space(s)) > 0)
                s = qn_str_skip(s, n);
        while (at < s.n) {
                n = qn_plain_space(qn_str_skip(s, at));
                at += n ? n : 1;
                if (!n)
                        end = at;
        }
        return qn_str_take(s, end);
}

/* --- identifiers --- */

static size_t digits(struct qn_str s, size_t max)
{
        size_t n = 0;

        while (n < s.n && n < max && is_digit(s.p[n]))
                n++;
        return n;
}

/* Without leading zeros when strict. */
static size_t number(struct qn_str s, bool loose)
{
        if (loose)
                return digits(s, DIGITS_MAX);
        if (s.n && s.p[0] == '0')
                return 1;
        return digits(s, DIGITS_MAX + 1);
}

static size_t identifier(struct qn_str s, bool loose)
{
        size_t n = digits(s, DIGITS_MAX), end;

        if (n == s.n || !is_word(s.p[n]))
                return number(s, loose);
        end = QN_MIN(s.n, n + 1 + IDENT_MAX);
        while (n < end && (is_word(s.p[n]) || is_digit(s.p[n])))
                n++;
        return n;
}

static size_t prerelease(struct qn_str s, bool loose)
{
        size_t n = identifier(s, loose);

        while (n && n < s.n && s.p[n] == '.') {
                size_t more = identifier(qn_str_skip(s, n + 1), loose);

                if (!more)
                        break;
                n += 1 + more;
        }
        return n;
}

size_t qn_plain_build(struct qn_str s, size_t max)
{
        size_t n = 0;

        if (s.n == 0 || s.p[0] != '+')
                return 0;
        for (;;) {
                size_t from = n + 1, i = from;

                while (i < s.n && i - from < max && (is_word(s.p[i]) || is_digit(s.p[i])))
                        i++;
                if (i == from)
                        return n;
                n = i;
                if (n == s.n || s.p[n] != '.')
                        return n;
        }
}

/* --- the whole --- */

static size_t prefix(struct qn_str s, unsigned mode)
{
        size_t n = 0, step;

        if (mode == 0)
                return s.n && s.p[0] == 'v';
        while (n < s.n) {
                step = s.p[n] == 'v' || s.p[n] == '=' ? 1 : qn_plain_space(qn_str_skip(s, n));
                if (!step)
                        break;
                n += step;
        }
        return n;
}

/* One of the three numbers. */
static size_t component(struct qn_str s, unsigned mode, struct qn_str *ret)
{
        size_t n = number(s, mode & QN_PLAIN_LOOSE);

        if (n == 0 && (mode & QN_PLAIN_RANGE) && s.n && is_wild(s.p[0]))
                n = 1;
        if (n)
                *ret = qn_str_take(s, n);
        return n;
}

/* What may follow the patch: prerelease and build. */
static size_t tail(struct qn_str s, unsigned mode, struct qn_plain *ret)
{
        bool loose = mode & QN_PLAIN_LOOSE, hyphen = s.n && s.p[0] == '-';
        struct qn_str rest = qn_str_skip(s, hyphen);
        size_t n = hyphen || loose ? prerelease(rest, loose) : 0;

        /* Loose: a hyphen that nothing follows is a prerelease by itself. */
        if (n == 0 && hyphen && loose) {
                hyphen = false;
                rest = s;
                n = prerelease(rest, loose);
        }
        if (n) {
                ret->pre = qn_str_take(rest, n);
                n += hyphen;
        }
        rest = qn_str_skip(s, n);
        ret->build.n = qn_plain_build(rest, IDENT_MAX);
        n += ret->build.n;
        if (ret->build.n)
                ret->build = qn_str_skip(qn_str_take(rest, ret->build.n), 1);
        return n;
}

/* A dot and a number. */
static size_t dotted(struct qn_str s, unsigned mode, struct qn_str *ret)
{
        size_t n;

        if (s.n == 0 || s.p[0] != '.')
                return 0;
        n = component(qn_str_skip(s, 1), mode, ret);
        return n ? n + 1 : 0;
}

size_t qn_plain_match(struct qn_str s, unsigned mode, struct qn_plain *ret)
{
        struct qn_plain got = { .major = { NULL, 0 } };
        size_t at = prefix(s, mode), n = component(qn_str_skip(s, at), mode, &got.major);

        if (n == 0)
                return 0;
        at += n;
        n = dotted(qn_str_skip(s, at), mode, &got.minor);
        at += n;
        if (n) {
                n = dotted(qn_str_skip(s, at), mode, &got.patch);
                at += n;
        }
        if (n == 0 && !(mode & QN_PLAIN_RANGE))
                return 0;
        if (n)
                at += tail(qn_str_skip(s, at), mode, &got);
        if (ret)
                *ret = got;
        return at;
}

bool qn_plain_match_all(struct qn_str s, unsigned mode, struct qn_plain *ret)
{
        struct qn_plain got;
        size_t n = qn_plain_match(s, mode, &got);

        if (n == 0)
                return false;
        /* Loose "1.2.34.5" is 1.2.3 with the prerelease 4.5: the only place where a shorter number leads to the end. */
        if (n < s.n && (mode & QN_PLAIN_LOOSE) && s.p[n] == '.' && got.patch.n > 1 &&
            is_digit(got.patch.p[0]) && !got.pre.p && !got.build.p) {
                got.patch.n--;
                n--;
                n += tail(qn_str_skip(s, n), mode, &got);
        }
        if (n < s.n)
                return false;
        if (ret)
                *ret = got;
        return true;
}

void qn_plain_put_pre(struct qn_buf *out, struct qn_str pre)
{
        while (pre.p) {
                struct qn_str id = qn_str_cut(&pre, '.');
                uint64_t v;

                if (qn_str_u64(id, &v) == 0 && v < QN_SEMVER_NUMBER_MAX)
                        qn_buf_printf(out, "%llu", (unsigned long long)v);
                else
                        qn_buf_str(out, id);
                if (pre.p)
                        qn_buf_byte(out, '.');
        }
}
