/* rejudge.h - what was seen is judged again, from the events in the store, by the rules and by what is known now.  Without events
 * it stays what it is, unless what is known says that it is bad.
 * Where the outcome is another one it is written down, some thousands in one transaction: the process may end at any moment, and
 * going over the store once more does the rest.  What somebody else wrote to meanwhile is left alone. */
#pragma once

#include "base/err.h"
#include "intel/revision.h"
#include "rule/judge.h"
#include "store/versions.h"

struct qn_event_set;
struct qn_rules;
struct qn_tell;

struct qn_rejudge_conf {
        const struct qn_rules *rules;
        struct qn_tell *tell;  /* NULL: nothing is known */
        struct qn_revision by; /* what the above are */
        int64_t now;           /* that new verdicts are dated by, in milliseconds since 1970 */
        int64_t since;         /* only what was seen from then on */
        struct qn_str name;    /* only names that fit (qn_str_glob); empty: all */
        bool dry;              /* nothing is written */
};

struct qn_rejudge_stats {
        uint64_t judged;
        uint64_t changed; /* its verdict is another one */
        uint64_t moved;   /* only its score, reason or findings are */
        uint64_t lost;    /* somebody else wrote to it meanwhile */
        uint64_t unread;  /* its events could not be read or judged: its verdict stays */
};

/* Called for each whose outcome is another one, inside the transaction that writes it down, so that what fn writes to the same
 * store is there when that is, and only then.  Where the transaction fails, or fn returns anything but 0, the step or the run fails
 * as a whole, and what was told of since the last transaction is not on record.
 * is: id, name, version, integrity, what it is judged to be, and its findings; was: what it was, and its findings, too, where its
 * verdict is another one and it is no dry run.  Events are not at hand; texts live during the call. */
typedef int qn_rejudge_fn(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is);

/* --- one version --- */

struct qn_rejudged {
        struct qn_event_set *set; /* with what is known */
        struct qn_verdict verdict;
        bool relies; /* on what is known */
};

/* All of it lives in the arena.  -EBADMSG: the events cannot be read; -ENOBUFS: there are too many. */
QN_MUST int qn_rejudge_version(const struct qn_rejudge_conf *conf, const struct qn_seen *v,
                               struct qn_cur events, struct qn_arena *a, struct qn_rejudged *ret);

/* --- in steps, for a process that does other things besides --- */

struct qn_rejudge;

/* What conf points to must live as long. */
QN_MUST int qn_rejudge_new(const struct qn_rejudge_conf *conf, struct qn_rejudge **ret);
struct qn_rejudge *qn_rejudge_free(struct qn_rejudge *j);
void qn_rejudge_freep(struct qn_rejudge **j);
/* The next n ids (at most QN_REJUDGE_STEP_MAX): 1 when there is more, 0 when all are done, -errno.  In no transaction. */
QN_MUST int qn_rejudge_step(struct qn_rejudge *j, struct qn_db *db, size_t n, qn_rejudge_fn *fn,
                            void *ctx);
const struct qn_rejudge_stats *qn_rejudge_so_far(const struct qn_rejudge *j);

/* --- all at once, in several processes --- */

struct qn_rejudge_all {
        struct qn_rejudge_conf conf;      /* tell is not asked: each process opens its own */
        const char *store;                /* qn_db_open() */
        const char *state_dir, *data_dir; /* qn_tell_open() */
        bool no_intel;                    /* nothing is asked what is known */
        unsigned jobs;                    /* 0: one of each processor */
};

/* The caller has neither the store nor the index open, and no threads. */
QN_MUST int qn_rejudge_all(const struct qn_rejudge_all *how, qn_rejudge_fn *fn, void *ctx,
                           struct qn_rejudge_stats *ret, struct qn_err *reterr);

/* --- for who stores a verdict --- */

/* The findings of a verdict as they are stored; in the arena. */
QN_MUST int qn_rejudge_findings(const struct qn_verdict *v, struct qn_arena *a,
                                struct qn_seen_finding **ret);
