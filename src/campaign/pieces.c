#include "campaign/pieces.h"

#include <errno.h>

#define FIRST_CAP 16u

static size_t piece_of(uint64_t hash)
{
        return hash >> 54;
}

static void put(struct qn_piece *piece, uint64_t hash, uint32_t slot)
{
        uint32_t i = (uint32_t)hash;

        while (piece->slots[i & (piece->cap - 1)])
                i++;
        piece->slots[i & (piece->cap - 1)] = slot;
        piece->n++;
}

static int grow(const struct qn_pieces *p, struct qn_piece *piece)
{
        struct qn_piece bigger = { .cap = piece->cap ? piece->cap * 2 : FIRST_CAP };

        bigger.slots = calloc(bigger.cap, sizeof *bigger.slots);
        if (!bigger.slots)
                return -ENOMEM;
        for (uint32_t i = 0; i < piece->cap; i++)
                if (piece->slots[i])
                        put(&bigger, p->hash_of(p->owner, piece->slots[i] - 1), piece->slots[i]);
        free(piece->slots);
        *piece = bigger;
        return 0;
}

int qn_pieces_add(struct qn_pieces *p, uint64_t hash, uint32_t number)
{
        struct qn_piece *piece = &p->at[piece_of(hash)];

        if (piece->n >= piece->cap / 4 * 3) {
                int r = grow(p, piece);

                if (r < 0)
                        return r;
        }
        put(piece, hash, number + 1);
        return 0;
}

uint32_t qn_pieces_next(const struct qn_pieces *p, struct qn_pieces_walk *w)
{
        const struct qn_piece *piece = &p->at[piece_of(w->hash)];

        while (piece->cap) {
                uint32_t slot = piece->slots[w->at++ & (piece->cap - 1)];

                if (!slot)
                        break;
                if (p->hash_of(p->owner, slot - 1) == w->hash)
                        return slot - 1;
        }
        return QN_PIECES_NONE;
}

size_t qn_pieces_bytes(const struct qn_pieces *p)
{
        size_t n = 0;

        for (size_t i = 0; i < QN_PIECES; i++)
                n += p->at[i].cap * sizeof *p->at[i].slots;
        return n;
}

void qn_pieces_done(struct qn_pieces *p)
{
        for (size_t i = 0; i < QN_PIECES; i++)
                free(p->at[i].slots);
        *p = (struct qn_pieces){ 0 };
}
