/* str.h - byte slices: a pointer and a length, never NUL-terminated, never owned.
 * A slice lives as long as the buffer or arena it points into. */
#pragma once

#include <string.h>

#include "base/macro.h"

struct qn_str {
        const char *p;
        size_t n;
};

#define QN_STR(lit)   ((struct qn_str){ "" lit, sizeof(lit) - 1 })
#define QN_STR_ARG(s) (int)QN_MIN((s).n, (size_t)4096), (s).p /* for "%.*s" */

static inline struct qn_str qn_str_c(const char *c)
{
        return (struct qn_str){ c, c ? strlen(c) : 0 };
}

static inline bool qn_str_eq(struct qn_str a, struct qn_str b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Compares with a string literal or a C string. */
static inline bool qn_str_is(struct qn_str s, const char *c)
{
        size_t n = strlen(c);

        return s.n == n && (n == 0 || memcmp(s.p, c, n) == 0);
}

static inline bool qn_str_starts(struct qn_str s, const char *prefix)
{
        size_t n = strlen(prefix);

        return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

static inline bool qn_str_ends(struct qn_str s, const char *suffix)
{
        size_t n = strlen(suffix);

        return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

/* s without its first n bytes (all of it when n is larger). */
static inline struct qn_str qn_str_skip(struct qn_str s, size_t n)
{
        n = QN_MIN(n, s.n);
        return (struct qn_str){ n ? s.p + n : s.p, s.n - n };
}

/* The first n bytes of s. */
static inline struct qn_str qn_str_take(struct qn_str s, size_t n)
{
        return (struct qn_str){ s.p, QN_MIN(n, s.n) };
}

/* Total order: bytewise, shorter first on a common prefix. */
int qn_str_cmp(struct qn_str a, struct qn_str b);
/* "a/b/c" → "c" and "a/b"; without a slash all of it and "". */
struct qn_str qn_str_base(struct qn_str path);
struct qn_str qn_str_dir(struct qn_str path);
/* Position of a byte or a needle, or -1. */
ptrdiff_t qn_str_chr(struct qn_str s, char c);
ptrdiff_t qn_str_rchr(struct qn_str s, char c);
ptrdiff_t qn_str_find(struct qn_str s, struct qn_str needle);
/* ASCII case-insensitive. */
bool qn_str_ieq(struct qn_str a, struct qn_str b);
ptrdiff_t qn_str_ifind(struct qn_str s, struct qn_str needle);
/* Without ASCII white space at both ends. */
struct qn_str qn_str_trim(struct qn_str s);
/* Cuts at the first sep: returns the part before it and leaves the rest in *s; at the end *s becomes {NULL, 0}. */
struct qn_str qn_str_cut(struct qn_str *s, char sep);
/* Shell-style match: `*` any bytes, `?` one byte; everything else stands for itself.  At most |s| x |pattern| steps. */
bool qn_str_glob(struct qn_str s, struct qn_str pattern);
/* Decimal digits only, no sign, no overflow: 0 or -EINVAL/-ERANGE. */
QN_MUST int qn_str_u64(struct qn_str s, uint64_t *ret);
