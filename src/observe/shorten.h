/* shorten.h - the version before of a program, without what need not be read of it: the bodies of functions that stand in
 * the new version, too, byte for byte.  What is left parses as the whole does, and names in it mean what they meant. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct qn_arena;
struct qn_js_units;

struct qn_shortened {
        struct qn_str text;
        uint32_t *blocks; /* where in it the empty bodies begin, in order */
        uint32_t n;
};

/* 1 and the text, 0 it would hardly be shorter, -ENOBUFS.  known: for each unit of the new version, gets whether it is a function
 * whose body was left out, or lies in one.  The result lives in `a`; what is needed on the way in tmp. */
QN_MUST int qn_shorten(struct qn_str before, struct qn_str now, const struct qn_js_units *units,
                       bool *known, struct qn_arena *a, struct qn_arena *tmp,
                       struct qn_shortened *ret);
/* Whether each empty body was read as the body of a function.  If not, the same bytes were something else before, such as a
 * comment, and the whole must be read. */
bool qn_shortened_holds(const struct qn_shortened *s, const struct qn_js_units *units);
