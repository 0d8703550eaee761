#include "base/hashset.h"

#include <errno.h>

#include "base/arena.h"

#define FIRST_CAP 64u

/* Where hash is, or the empty slot for it. */
static uint64_t *slot_of(uint64_t *slots, size_t cap, uint64_t hash)
{
        size_t i = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);

        while (slots[i] && slots[i] != hash)
                i = (i + 1) & (cap - 1);
        return &slots[i];
}

bool qn_hashset_has(const struct qn_hashset *s, uint64_t hash)
{
        if (!hash)
                return s->zero;
        return s->cap && *slot_of(s->slots, s->cap, hash);
}

static int grow(struct qn_hashset *s, struct qn_arena *a)
{
        size_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
        uint64_t *slots = qn_arena_calloc(a, cap, sizeof *slots);

        if (!slots)
                return -ENOBUFS;
        for (size_t i = 0; i < s->cap; i++)
                if (s->slots[i])
                        *slot_of(slots, cap, s->slots[i]) = s->slots[i];
        s->slots = slots;
        s->cap = cap;
        return 0;
}

int qn_hashset_add(struct qn_hashset *s, struct qn_arena *a, uint64_t hash)
{
        uint64_t *slot;

        if (qn_hashset_has(s, hash))
                return 1;
        if (!hash) {
                s->zero = true;
                return 0;
        }
        if (s->n * 2 >= s->cap && grow(s, a) < 0)
                return -ENOBUFS;
        slot = slot_of(s->slots, s->cap, hash);
        *slot = hash;
        s->n++;
        return 0;
}
