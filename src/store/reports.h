/* reports.h - what was reported to others: which version, where, when, and what became of it.  Times are milliseconds since 1970. */
#pragma once

#include "base/arena.h"
#include "store/watch-db.h"

/* "written": it is on a branch; "sent": the receiver has it; "withdrawn". */
enum qn_report_state { QN_REPORT_WRITTEN, QN_REPORT_SENT, QN_REPORT_WITHDRAWN, QN_REPORT_STATES };
const char *qn_report_state_name(enum qn_report_state s);

struct qn_reported {
        int64_t id; /* from 1 on */
        struct qn_str name, version;
        struct qn_str place; /* a repository's directory, or the address that it was sent below */
        struct qn_str branch, commit; /* p NULL: it was sent */
        struct qn_str path;           /* of the record, below the place */
        struct qn_str campaign;       /* p NULL: none */
        enum qn_report_state state;
        int64_t time, changed;    /* first reported; last changed */
        struct qn_str reason, by; /* of a withdrawal; p NULL: none */
};

/* Writes down a report, or what became of it: the time when it was first reported stays.  Writers open a transaction (db.h). */
QN_MUST int qn_reports_put(struct qn_db *db, const struct qn_reported *r);
/* The last report of a version, wherever: 0, or -ENOENT; texts live in the arena.  place p NULL: any. */
QN_MUST int qn_reports_find(struct qn_db *db, struct qn_str name, struct qn_str version,
                            struct qn_str place, struct qn_arena *a, struct qn_reported *ret);

/* By name, in the order of being reported; name p NULL: all.  Goes on while fn returns 0, whose result comes back; texts live during
 * the call. */
typedef int qn_reports_fn(void *ctx, const struct qn_reported *r);
QN_MUST int qn_reports_each(struct qn_db *db, struct qn_str name, qn_reports_fn *fn, void *ctx);

/* A version that was offered and not reported: others have, or it cannot be done now.  It is offered again when it is judged anew, or
 * after a time that grows.  Writers open a transaction. */
struct qn_put_off {
        struct qn_str name, version;
        bool known; /* others have */
        int64_t now;
};
QN_MUST int qn_reports_put_off(struct qn_db *db, const struct qn_put_off *p);

/* Versions that were judged to be malicious, or that somebody has confirmed as bad, and that nobody was told of, but for those put
 * off beyond `now`; in the order of being judged. */
typedef int qn_unreported_fn(void *ctx, struct qn_str name, struct qn_str version);
QN_MUST int qn_reports_pending(struct qn_db *db, int64_t now, qn_unreported_fn *fn, void *ctx);
/* Differs from before when there may be more of them: an alarm, or what a person decided. */
QN_MUST int qn_reports_stamp(struct qn_db *db, uint64_t *ret);
