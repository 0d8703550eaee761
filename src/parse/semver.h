/* semver.h - versions and ranges exactly as node-semver 7 has them.  HOSTILE INPUT.
 * Versions are slices of the text they were read from; ranges live in an arena (and keep slices of their text).
 * Caps: QN_SEMVER_MAX for a version, QN_RANGE_MAX for a range (-EFBIG), numbers up to 2^53 - 1 as in JavaScript.
 * Nothing is cached, nothing is global. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;
struct qn_buf;

enum qn_semver_flags {
        QN_SEMVER_LOOSE = 1,      /* "=v1.2.3-beta", "1.2.3beta", leading zeros */
        QN_SEMVER_PRERELEASE = 2, /* prereleases satisfy ranges like any other version */
};

#define QN_SEMVER_NUMBER_MAX 9007199254740991u /* JavaScript's largest safe integer */

struct qn_semver {
        uint64_t major, minor, patch;
        struct qn_str pre, build; /* without the leading - and +; n 0 when absent */
};

/* 0 or -EINVAL: not a version. */
QN_MUST int qn_semver_parse(struct qn_str s, unsigned flags, struct qn_semver *ret);
/* As npm files a version: what the strict grammar has, without v, = or blanks around it. */
bool qn_semver_is_plain(struct qn_str s);
/* "1", "1.2": what is left out is 0.  0 or -EINVAL. */
QN_MUST int qn_semver_parse_short(struct qn_str s, struct qn_semver *ret);
/* Precedence: < 0, 0, > 0.  Build data does not count, except in the second, which npm sorts by. */
int qn_semver_cmp(const struct qn_semver *a, const struct qn_semver *b);
int qn_semver_cmp_build(const struct qn_semver *a, const struct qn_semver *b);
/* "1.2.3-pre", without build data. */
int qn_semver_format(const struct qn_semver *v, struct qn_buf *out);

struct qn_range;

/* 0, -EINVAL not a range, -EFBIG, -ENOBUFS. */
QN_MUST int qn_range_parse(struct qn_str s, unsigned flags, struct qn_arena *a,
                           struct qn_range **ret);
bool qn_range_test(const struct qn_range *r, const struct qn_semver *v);
/* Parses v with the range's flags first; what is not a version satisfies nothing. */
bool qn_range_test_str(const struct qn_range *r, struct qn_str v);
/* The range in comparators ("^1.2" → ">=1.2.0 <2.0.0-0"); "*" for everything. */
int qn_range_format(const struct qn_range *r, struct qn_buf *out);
/* Index of the highest of n versions in the range, or SIZE_MAX. */
size_t qn_range_max(const struct qn_range *r, const struct qn_str *versions, size_t n);
