#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK_MIN ((size_t)4 << 10)
#define ALIGN     16

struct qn_arena_chunk {
        struct qn_arena_chunk *next;
        size_t size; /* bytes after this header */
        _Alignas(ALIGN) uint8_t data[];
};

/* From what a reset kept, or from the system. */
static uint8_t *take(struct qn_arena *a, size_t size)
{
        struct qn_arena_chunk *c;
        uint8_t *p = a->spare;

        if (size <= (size_t)(a->spare_end - a->spare)) {
                a->spare += size;
                return p;
        }
        c = malloc(sizeof *c + size);
        if (!c)
                return NULL;
        c->next = a->chunks;
        c->size = size;
        a->chunks = c;
        return c->data;
}

/* Parts have the same sizes whatever was kept from before, so that the cap is met by the same input or not at all. */
static int add_part(struct qn_arena *a, size_t need)
{
        size_t size = QN_MAX(need, CHUNK_MIN);
        uint8_t *p;

        /* Grow geometrically, so that a large package does not pay for thousands of small parts. */
        if (size < a->last * 2)
                size = QN_MIN(a->last * 2, (size_t)8 << 20);
        size = QN_MAX(size, need);
        size = QN_MIN(size, a->max - a->total);
        if (size < need)
                return -1;
        p = take(a, size);
        if (!p)
                return -1;
        a->total += size;
        a->last = size;
        a->p = p;
        a->end = p + size;
        return 0;
}

void *qn_arena_alloc(struct qn_arena *a, size_t size)
{
        void *p;

        if (size > a->max)
                return NULL;
        size = QN_MAX((size + ALIGN - 1) & ~(size_t)(ALIGN - 1), (size_t)ALIGN);
        if (size > (size_t)(a->end - a->p) && add_part(a, size) < 0)
                return NULL;
        p = a->p;
        a->p += size;
        return p;
}

void *qn_arena_calloc(struct qn_arena *a, size_t n, size_t size)
{
        size_t bytes;
        void *p;

        if (__builtin_mul_overflow(n, size, &bytes))
                return NULL;
        p = qn_arena_alloc(a, bytes);
        if (p)
                memset(p, 0, bytes);
        return p;
}

struct qn_str qn_arena_dup(struct qn_arena *a, struct qn_str s)
{
        char *p = qn_arena_alloc(a, s.n + 1);

        if (!p)
                return (struct qn_str){ NULL, 0 };
        if (s.n)
                memcpy(p, s.p, s.n);
        p[s.n] = '\0';
        return (struct qn_str){ p, s.n };
}

int qn_arena_keep(struct qn_arena *a, struct qn_str *const *texts, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                if (!texts[i]->p)
                        continue;
                *texts[i] = qn_arena_dup(a, *texts[i]);
                if (!texts[i]->p)
                        return -ENOBUFS;
        }
        return 0;
}

void *qn_arena_grow(struct qn_arena *a, void *old, size_t old_n, size_t new_n, size_t size)
{
        size_t bytes;
        void *p;

        if (__builtin_mul_overflow(new_n, size, &bytes))
                return NULL;
        p = qn_arena_alloc(a, bytes);
        if (p && old_n)
                memcpy(p, old, old_n * size);
        return p;
}

/* The largest chunk that may be kept, or NULL. */
static struct qn_arena_chunk *choose(const struct qn_arena *a, size_t keep)
{
        struct qn_arena_chunk *best = NULL;

        for (struct qn_arena_chunk *c = a->chunks; c; c = c->next)
                if (c->size <= keep && (!best || c->size > best->size))
                        best = c;
        return best;
}

void qn_arena_reset(struct qn_arena *a, size_t keep)
{
        struct qn_arena_chunk *kept = choose(a, keep), *next;

        for (struct qn_arena_chunk *c = a->chunks; c; c = next) {
                next = c->next;
                if (c != kept)
                        free(c);
        }
        if (kept)
                kept->next = NULL;
        *a = (struct qn_arena){ .max = a->max,
                                .chunks = kept,
                                .spare = kept ? kept->data : NULL,
                                .spare_end = kept ? kept->data + kept->size : NULL };
}

void qn_arena_done(struct qn_arena *a)
{
        qn_arena_reset(a, 0);
}
