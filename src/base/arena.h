/* arena.h - memory that dies together: everything parsed from one package lives in one capped arena.
 * Allocation never moves earlier blocks.  At the cap the calls return NULL, which callers report as -ENOBUFS: the input
 * asked for more than a limit, which is not the same as the machine being out of memory. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena_chunk;

struct qn_arena {
        struct qn_arena_chunk *chunks; /* from the system, newest first */
        uint8_t *p, *end;              /* free part of the newest part */
        uint8_t *spare, *spare_end;    /* what is left of the chunk that the last reset kept */
        size_t total;                  /* bytes of all parts */
        size_t last;                   /* bytes of the newest part */
        size_t max;                    /* cap for total */
};

#define QN_ARENA_INIT(cap) ((struct qn_arena){ .max = (cap) })

/* size bytes, 16-byte aligned, not cleared; NULL at the cap. */
void *qn_arena_alloc(struct qn_arena *a, size_t size) __attribute__((malloc, alloc_size(2)));
/* n * size bytes, cleared. */
void *qn_arena_calloc(struct qn_arena *a, size_t n, size_t size)
        __attribute__((malloc, alloc_size(2, 3)));
/* A copy of s that is also NUL-terminated (the NUL is not counted); p is NULL at the cap. */
struct qn_str qn_arena_dup(struct qn_arena *a, struct qn_str s);
/* Makes copies of n texts, of those that are there (p not NULL), in their place.  0, or -ENOBUFS with some of them copied. */
QN_MUST int qn_arena_keep(struct qn_arena *a, struct qn_str *const *texts, size_t n);
/* For arrays that double: returns an array of new_n elements holding the old_n first ones; the old one is left behind. */
void *qn_arena_grow(struct qn_arena *a, void *old, size_t old_n, size_t new_n, size_t size);
/* Forgets all blocks; keeps one chunk (of at most keep bytes) for the next use. */
void qn_arena_reset(struct qn_arena *a, size_t keep);
void qn_arena_done(struct qn_arena *a);

/* Typed: a cleared object, or an array that grows by doubling.
 * `arr` is a pointer, `n` its count, `cap` its capacity: returns 0 and makes room for one more, or -ENOBUFS. */
#define QN_ARENA_NEW(a, type) ((type *)qn_arena_calloc((a), 1, sizeof(type)))
#define QN_ARENA_ROOM(a, arr, n, cap)                                                      \
        ({                                                                                 \
                int r_ = 0;                                                                \
                if ((n) == (cap)) {                                                        \
                        size_t want_ = (cap) ? (size_t)(cap)*2 : 8;                        \
                        void *new_ = qn_arena_grow((a), (arr), (n), want_, sizeof *(arr)); \
                        if (new_)                                                          \
                                (arr) = new_, (cap) = want_;                               \
                        else                                                               \
                                r_ = -ENOBUFS;                                             \
                }                                                                          \
                r_;                                                                        \
        })
