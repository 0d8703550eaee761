/* map.h - hash map from byte slices to 32-bit values, in an arena.  Keys are not copied.  Iteration order is insertion
 * order (entries are an array), so that nothing depends on hash values. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;

struct qn_map_entry {
        struct qn_str key;
        uint64_t hash;
        uint32_t value;
};

struct qn_map {
        struct qn_map_entry *entries;
        uint32_t *slots; /* entry index + 1, 0 empty; a power of two */
        size_t n, entry_cap, slot_cap;
};

#define QN_MAP_NONE UINT32_MAX

/* The value stored for key, or QN_MAP_NONE. */
uint32_t qn_map_get(const struct qn_map *m, struct qn_str key);
/* Stores value unless the key is there.  0 added, 1 was there (*ret_old, when not NULL, gets its value), -ENOBUFS. */
QN_MUST int qn_map_add(struct qn_map *m, struct qn_arena *a, struct qn_str key, uint32_t value,
                       uint32_t *ret_old);
