#include "parse/semver.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "parse/semver-text.h"

/* Length in UTF-16 units, which is what JavaScript counts, as far as it matters: up to the cap. */
static size_t js_length(struct qn_str s)
{
        size_t n = 0;

        while (s.n && n <= QN_SEMVER_MAX) {
                uint32_t cp;

                s = qn_str_skip(s, qn_utf8_next(s, &cp));
                n += cp > 0xffff ? 2 : 1;
        }
        return n;
}

static int read_number(struct qn_str s, uint64_t *ret)
{
        uint64_t v;

        if (qn_str_u64(s, &v) < 0 || v > QN_SEMVER_NUMBER_MAX)
                return -EINVAL;
        *ret = v;
        return 0;
}

int qn_semver_parse(struct qn_str s, unsigned flags, struct qn_semver *ret)
{
        struct qn_plain plain;
        struct qn_semver v;

        if (s.n == 0 || js_length(s) > QN_SEMVER_MAX)
                return -EINVAL;
        if (!qn_plain_match_all(qn_plain_trim(s), flags & QN_SEMVER_LOOSE ? QN_PLAIN_LOOSE : 0,
                                &plain))
                return -EINVAL;
        if (read_number(plain.major, &v.major) < 0 || read_number(plain.minor, &v.minor) < 0 ||
            read_number(plain.patch, &v.patch) < 0)
                return -EINVAL;
        v.pre = plain.pre;
        v.build = plain.build;
        *ret = v;
        return 0;
}

/* --- order --- */

static bool is_numeric(struct qn_str id)
{
        for (size_t i = 0; i < id.n; i++)
                if (id.p[i] < '0' || id.p[i] > '9')
                        return false;
        return id.n > 0;
}

static double as_double(struct qn_str id)
{
        char text[QN_SEMVER_MAX + 1];
        size_t n = QN_MIN(id.n, sizeof text - 1);

        memcpy(text, id.p, n);
        text[n] = '\0';
        return strtod(text, NULL);
}

/* Whether JavaScript would have one and the same value for both, so that the next identifiers decide. */
static bool same_identifier(struct qn_str a, struct qn_str b, bool numbers)
{
        uint64_t x, y;

        if (qn_str_eq(a, b))
                return true;
        return numbers && qn_str_u64(a, &x) == 0 && qn_str_u64(b, &y) == 0 && x == y &&
               x < QN_SEMVER_NUMBER_MAX;
}

static int cmp_identifier(struct qn_str a, struct qn_str b)
{
        bool x = is_numeric(a), y = is_numeric(b);
        int r;

        if (x && y) {
                double m = as_double(a), n = as_double(b);

                return m < n ? -1 : m > n;
        }
        if (x != y)
                return x ? -1 : 1;
        r = qn_str_cmp(a, b);
        return r < 0 ? -1 : r > 0;
}

/* Identifier by identifier; the shorter list is lower.  As in npm, the first pair that differs decides even when it
 * compares as equal (numbers too large to tell apart). */
static int cmp_lists(struct qn_str a, struct qn_str b, bool numbers)
{
        while (a.p && b.p) {
                struct qn_str x = qn_str_cut(&a, '.'), y = qn_str_cut(&b, '.');

                if (!same_identifier(x, y, numbers))
                        return cmp_identifier(x, y);
        }
        return (a.p != NULL) - (b.p != NULL);
}

static int cmp_number(uint64_t a, uint64_t b)
{
        return a < b ? -1 : a > b;
}

int qn_semver_cmp(const struct qn_semver *a, const struct qn_semver *b)
{
        int r = cmp_number(a->major, b->major);

        if (r == 0)
                r = cmp_number(a->minor, b->minor);
        if (r == 0)
                r = cmp_number(a->patch, b->patch);
        if (r != 0)
                return r;
        if (!a->pre.n || !b->pre.n)
                return (a->pre.n == 0) - (b->pre.n == 0);
        return cmp_lists(a->pre, b->pre, true);
}

int qn_semver_cmp_build(const struct qn_semver *a, const struct qn_semver *b)
{
        int r = qn_semver_cmp(a, b);
        struct qn_str none = { NULL, 0 };

        return r ? r : cmp_lists(a->build.n ? a->build : none, b->build.n ? b->build : none, false);
}

int qn_semver_format(const struct qn_semver *v, struct qn_buf *out)
{
        qn_buf_printf(out, "%llu.%llu.%llu", (unsigned long long)v->major,
                      (unsigned long long)v->minor, (unsigned long long)v->patch);
        if (v->pre.n) {
                qn_buf_byte(out, '-');
                qn_plain_put_pre(out, v->pre);
        }
        return qn_buf_error(out);
}

bool qn_semver_is_plain(struct qn_str s)
{
        struct qn_semver v;

        if (s.n == 0 || s.p[0] < '0' || s.p[0] > '9')
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '+' || c == '-'))
                        return false;
        }
        return qn_semver_parse(s, 0, &v) == 0;
}

int qn_semver_parse_short(struct qn_str s, struct qn_semver *ret)
{
        struct qn_semver v = { 0 };
        struct qn_str major = qn_str_cut(&s, '.');

        if (qn_str_u64(major, &v.major) < 0 || (s.p && qn_str_u64(s, &v.minor) < 0))
                return -EINVAL;
        *ret = v;
        return 0;
}
