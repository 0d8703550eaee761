/* pieces.h - an index from hashes to numbers in many pieces that grow one at a time: no addition waits until millions of
 * entries have moved.  It keeps the numbers only; whoever owns them tells their hashes. */
#pragma once

#include "base/macro.h"

#define QN_PIECES      1024u
#define QN_PIECES_NONE UINT32_MAX

struct qn_pieces {
        uint64_t (*hash_of)(const void *owner, uint32_t number);
        const void *owner;
        struct qn_piece {
                uint32_t *slots; /* number + 1, 0 empty */
                uint32_t n, cap; /* cap: 0 or a power of two */
        } at[QN_PIECES];
};

/* 0 or -ENOMEM.  The same hash may have many numbers. */
QN_MUST int qn_pieces_add(struct qn_pieces *p, uint64_t hash, uint32_t number);
size_t qn_pieces_bytes(const struct qn_pieces *p);
void qn_pieces_done(struct qn_pieces *p);

/* The numbers with a hash, in the order they were added unless the piece grew since; QN_PIECES_NONE ends it. */
struct qn_pieces_walk {
        uint64_t hash;
        uint32_t at;
};
static inline struct qn_pieces_walk qn_pieces_with(uint64_t hash)
{
        return (struct qn_pieces_walk){ hash, (uint32_t)hash };
}
uint32_t qn_pieces_next(const struct qn_pieces *p, struct qn_pieces_walk *w);
