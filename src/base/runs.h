/* runs.h - stretches that two texts have in common, in the order of both.
 * Not the longest possible ones: what is found costs little more than reading both texts once, whatever they hold. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;

struct qn_run {
        size_t a, b, n; /* where it begins in each, and its length */
};

struct qn_runs {
        struct qn_run *v;
        size_t n, cap;
};

/* 0 or -ENOBUFS; in the arena, with what is needed on the way. */
QN_MUST int qn_runs(struct qn_str a, struct qn_str b, struct qn_arena *arena, struct qn_runs *ret);
