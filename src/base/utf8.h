/* utf8.h - reading UTF-8 that may be broken: every byte sequence yields code points, bad bytes one U+FFFD each. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

/* Reads one code point at the start of s (s.n > 0): returns the bytes used (1 to 4). */
size_t qn_utf8_next(struct qn_str s, uint32_t *ret);
/* Whether all of s is valid UTF-8 (no overlong forms, no surrogates). */
bool qn_utf8_valid(struct qn_str s);
/* Length of the leading run of ASCII bytes: fast (vectorised by the compiler). */
size_t qn_utf8_ascii_run(struct qn_str s);
