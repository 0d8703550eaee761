#include "base/arena.h"

#include <stdlib.h>

#define CHUNK_MIN ((size_t)4 << 10)
#define ALIGN     16

struct qn_arena_chunk {
        struct qn_arena_chunk *next;
        size_t size; /* bytes after this header */
        _Alignas(ALIGN) uint8_t data[];
};

static int add_chunk(struct qn_arena *a, size_t need)
{
        size_t size = QN_MAX(need, CHUNK_MIN);
        struct qn_arena_chunk *c;

        /* Grow geometrically, so that a large package does not pay for thousands of small chunks. */
        if (a->chunks && size < a->chunks->size * 2)
                size = QN_MIN(a->chunks->size * 2, (size_t)8 << 20);
        size = QN_MAX(size, need);
        if (a->total >= a->max)
                return -1;
        if (size > a->max - a->total)
                size = a->max - a->total;
        if (size < need)
                return -1;
        c = malloc(sizeof *c + size);
        if (!c)
                return -1;
        c->next = a->chunks;
        c->size = size;
        a->chunks = c;
        a->total += size;
        a->p = c->data;
        a->end = c->data + size;
        return 0;
}

void *qn_arena_alloc(struct qn_arena *a, size_t size)
{
        void *p;

        if (size > a->max)
                return NULL;
        size = QN_MAX((size + ALIGN - 1) & ~(size_t)(ALIGN - 1), (size_t)ALIGN);
        if (size > (size_t)(a->end - a->p) && add_chunk(a, size) < 0)
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

void qn_arena_reset(struct qn_arena *a, size_t keep)
{
        struct qn_arena_chunk *c = a->chunks, *kept = NULL;

        while (c) {
                struct qn_arena_chunk *next = c->next;

                if (!kept && c->size <= keep)
                        kept = c;
                else
                        free(c);
                c = next;
        }
        a->chunks = kept;
        a->total = kept ? kept->size : 0;
        a->p = kept ? kept->data : NULL;
        a->end = kept ? kept->data + kept->size : NULL;
        if (kept)
                kept->next = NULL;
}

void qn_arena_done(struct qn_arena *a)
{
        qn_arena_reset(a, 0);
        free(TAKE_PTR(a->chunks));
        a->p = a->end = NULL;
        a->total = 0;
}
