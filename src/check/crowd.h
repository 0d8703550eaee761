/* crowd.h - what the packages of one run have in common: published together with the same new hook or file, texts made from
 * one template.  Private to check/.
 *
 * Every package is noted once its events are there; those for which the others may matter wait until all are noted, so that the
 * answer does not depend on the order. */
#pragma once

#include "check/item.h"

struct qn_crowd_mark {
        uint64_t key; /* what it has in common with others, and with whom */
        uint64_t name;
        int64_t time;
};

struct qn_crowd {
        struct qn_arena mem;
        struct qn_crowd_mark *list;
        size_t n, cap;
        bool sorted;
};

void qn_crowd_init(struct qn_crowd *c);
void qn_crowd_done(struct qn_crowd *c);
/* 1: it should wait for the others; 0; -ENOBUFS at the arena's cap. */
QN_MUST int qn_crowd_note(struct qn_crowd *c, const struct qn_item *it);
/* All are noted: adds what there is to be said to the item's events. */
void qn_crowd_tell(struct qn_crowd *c, struct qn_item *it);
