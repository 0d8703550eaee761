/* pending.h - the names that the registry's feed brought and that nobody has looked at to the end: a queue that survives whatever
 * happens.  A name is in it once, however often it changed; who takes it remembers its sequence, so that what changed meanwhile is
 * looked at again.  Times are milliseconds since 1970; writers open a transaction (db.h). */
#pragma once

#include "base/arena.h"
#include "store/watch-db.h"

struct qn_pending {
        struct qn_str name, seq;
        int64_t seen;      /* when the feed told of it first */
        int64_t due;       /* not before */
        unsigned priority; /* higher comes first */
        unsigned tries;    /* that came to nothing */
};

/* It changed: due now.  seen and the higher priority stay. */
QN_MUST int qn_pending_add(struct qn_db *db, const struct qn_pending *p);
/* Takes up to max names that are due, the most urgent first; texts live in the arena.  How many. */
QN_MUST int qn_pending_take(struct qn_db *db, int64_t now, size_t max, struct qn_arena *a,
                            struct qn_pending *ret);
/* It was looked at to the end; when it changed since it was taken, it stays. */
QN_MUST int qn_pending_done(struct qn_db *db, struct qn_str name, struct qn_str seq);
/* It is to be tried again at `due`, or at once when it changed since it was taken; why: for people. */
QN_MUST int qn_pending_later(struct qn_db *db, const struct qn_pending *taken, int64_t due,
                             struct qn_str why);
/* Nobody works on any of them: for the begin. */
QN_MUST int qn_pending_untake(struct qn_db *db);

struct qn_pending_stats {
        int64_t n, taken, waiting; /* waiting: due later */
        int64_t oldest;            /* seen; 0: none */
};
QN_MUST int qn_pending_stats(struct qn_db *db, int64_t now, struct qn_pending_stats *ret);
/* When the next one is due that is not taken: 0, or -ENOENT. */
QN_MUST int qn_pending_next(struct qn_db *db, int64_t *ret_due);
