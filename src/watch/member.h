/* member.h - a version judged again with what is to be said of its campaign now: when it comes to one, when that gets worse, and when
 * a person has dismissed it. */
#pragma once

#include "base/buf.h"
#include "watch/rejudge.h"

/* Both live in the arena, and in `events`. */
struct qn_member {
        struct qn_seen was;
        struct qn_seen_finding *before; /* what was found in it then */
        size_t n_before;
        struct qn_seen_put is;
};

/* In the caller's transaction.  1: its verdict is another one now; 0: it is as it was, or nothing is left of what was seen in it;
 * -errno. */
QN_MUST int qn_member_judge(struct qn_db *db, const struct qn_rejudge_conf *conf, int64_t id,
                            struct qn_arena *a, struct qn_buf *events, struct qn_member *ret);
