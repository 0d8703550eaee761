/* hashset.h - a set of 64-bit hashes in an arena. */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qn_arena;

struct qn_hashset {
        uint64_t *slots; /* open addressing; 0 is empty, and stands for itself as `zero` */
        size_t n, cap;   /* cap: a power of two */
        bool zero;
};

bool qn_hashset_has(const struct qn_hashset *s, uint64_t hash);
/* 0 added, 1 was there, -ENOBUFS at the arena's cap. */
QN_MUST int qn_hashset_add(struct qn_hashset *s, struct qn_arena *a, uint64_t hash);
