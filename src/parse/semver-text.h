/* semver-text.h - the piece of text that versions and ranges share: "v1.2.3-pre+build", "1.x", "*".  Inside semver only.
 * npm's own rules are a pile of rewriting patterns; what they accept is kept to the letter, also where it surprises. */
#pragma once

#include "base/str.h"

enum qn_plain_mode {
        QN_PLAIN_LOOSE =
                1, /* leading zeros, no hyphen before the prerelease, any number of v, = and blanks in front */
        QN_PLAIN_RANGE = 2, /* x, X and * for a number; minor and patch may be missing */
};

/* Parts that are missing have p NULL. */
struct qn_plain {
        struct qn_str major, minor, patch, pre, build;
};

/* Matches as much as possible at the start of s: bytes used, 0 when there is no match.  ret may be NULL. */
size_t qn_plain_match(struct qn_str s, unsigned mode, struct qn_plain *ret);
/* Matches all of s. */
bool qn_plain_match_all(struct qn_str s, unsigned mode, struct qn_plain *ret);
/* Bytes of "+build" at the start of s, 0 when there is none; max caps each identifier. */
size_t qn_plain_build(struct qn_str s, size_t max);
/* Bytes of a white space character, as JavaScript has them, at the start of s; 0 when there is none. */
size_t qn_plain_space(struct qn_str s);
/* Without white space of that kind at both ends. */
struct qn_str qn_plain_trim(struct qn_str s);
/* A prerelease whose numbers have lost leading zeros, as npm prints it: appended to out. */
struct qn_buf;
void qn_plain_put_pre(struct qn_buf *out, struct qn_str pre);
