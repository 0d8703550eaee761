#include "base/str.h"

#include <errno.h>

int qn_str_cmp(struct qn_str a, struct qn_str b)
{
        size_t n = QN_MIN(a.n, b.n);
        int r = n ? memcmp(a.p, b.p, n) : 0;

        if (r != 0)
                return r;
        return a.n < b.n ? -1 : a.n > b.n;
}

ptrdiff_t qn_str_chr(struct qn_str s, char c)
{
        const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

        return at ? at - s.p : -1;
}

ptrdiff_t qn_str_rchr(struct qn_str s, char c)
{
        const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

        return at ? at - s.p : -1;
}

ptrdiff_t qn_str_find(struct qn_str s, struct qn_str needle)
{
        const char *at;

        if (needle.n == 0)
                return 0;
        at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
        return at ? at - s.p : -1;
}

static inline unsigned char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

bool qn_str_ieq(struct qn_str a, struct qn_str b)
{
        if (a.n != b.n)
                return false;
        for (size_t i = 0; i < a.n; i++)
                if (lower(a.p[i]) != lower(b.p[i]))
                        return false;
        return true;
}

ptrdiff_t qn_str_ifind(struct qn_str s, struct qn_str needle)
{
        for (size_t i = 0; i + needle.n <= s.n; i++)
                if (qn_str_ieq(qn_str_take(qn_str_skip(s, i), needle.n), needle))
                        return (ptrdiff_t)i;
        return -1;
}

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

struct qn_str qn_str_trim(struct qn_str s)
{
        while (s.n && is_space(s.p[0]))
                s = qn_str_skip(s, 1);
        while (s.n && is_space(s.p[s.n - 1]))
                s.n--;
        return s;
}

struct qn_str qn_str_cut(struct qn_str *s, char sep)
{
        ptrdiff_t at = qn_str_chr(*s, sep);
        struct qn_str head = *s;

        if (at < 0) {
                *s = (struct qn_str){ NULL, 0 };
                return head;
        }
        head.n = (size_t)at;
        *s = qn_str_skip(*s, (size_t)at + 1);
        return head;
}

bool qn_str_glob(struct qn_str s, struct qn_str pattern)
{
        size_t i = 0, j = 0, star = SIZE_MAX, mark = 0;

        /* Going back only to the last star keeps the work at |s| x |pattern| in the worst case. */
        while (i < s.n) {
                if (j < pattern.n && pattern.p[j] == '*') {
                        star = j++;
                        mark = i;
                } else if (j < pattern.n && (pattern.p[j] == '?' || pattern.p[j] == s.p[i])) {
                        i++, j++;
                } else if (star != SIZE_MAX) {
                        j = star + 1;
                        i = ++mark;
                } else {
                        return false;
                }
        }
        while (j < pattern.n && pattern.p[j] == '*')
                j++;
        return j == pattern.n;
}

int qn_str_u64(struct qn_str s, uint64_t *ret)
{
        uint64_t v = 0;

        if (s.n == 0)
                return -EINVAL;
        for (size_t i = 0; i < s.n; i++) {
                unsigned d = (unsigned)(s.p[i] - '0');

                if (s.p[i] < '0' || d > 9)
                        return -EINVAL;
                if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
                    __builtin_add_overflow(v, (uint64_t)d, &v))
                        return -ERANGE;
        }
        *ret = v;
        return 0;
}

struct qn_str qn_str_base(struct qn_str path)
{
        return qn_str_skip(path, (size_t)(qn_str_rchr(path, '/') + 1));
}

struct qn_str qn_str_dir(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return qn_str_take(path, slash < 0 ? 0 : (size_t)slash);
}
