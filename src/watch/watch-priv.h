/* watch-priv.h - what the parts of the watcher share.  Private to watch/. */
#pragma once

#include <sys/queue.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "check/check.h"
#include "parse/replica.h"
#include "store/pending.h"
#include "watch/rejudge.h"
#include "watch/watch.h"

struct qn_fetch;
struct qn_popular;
struct qn_result;
struct qn_track;

#define QN_WATCH_NAMES_MAX    48u    /* looked up at a time */
#define QN_WATCH_VERSIONS_MAX 96u    /* being checked at a time */
#define QN_WATCH_PER_NAME_MAX 200u   /* versions of one name at a time */
#define QN_WATCH_QUEUE_MAX    20000u /* names that wait: then the feed waits, too */
#define QN_WATCH_PAGE         2000u
#define QN_WATCH_PAGE_BYTES   ((size_t)64 << 20)
#define QN_WATCH_COMMIT_MS    250 /* after which what has a verdict is on disk */
#define QN_WATCH_COMMIT_MAX   256u
#define QN_WATCH_TURN_MS      50
#define QN_WATCH_LOOK_MS      200 /* between two looks into an empty queue */
#define QN_WATCH_ROLE_TRIES   2u  /* for what a role died of */
#define QN_WATCH_TRIES        5u  /* for what the registry does not have (yet) */

/* A name that is being looked at. */
struct qn_watch_name {
        LIST_ENTRY(qn_watch_name) link;
        struct qn_watch *w;
        struct qn_arena mem;
        struct qn_pending p;
        uint64_t epoch; /* of the transaction in which its first result was written */
        unsigned open;  /* its versions without a result, and questions about itself */
        bool nothing;   /* no new version was found */
        char why[160];  /* it is to be tried again; empty: it is done */
};

/* Where the feed is. */
struct qn_watch_feed {
        struct qn_fetch *fetch;
        bool asked;                       /* a page is on its way */
        char seq[QN_REPLICA_SEQ_MAX + 1]; /* the place; empty: the begin is not known yet */
        int64_t at; /* the next page is not asked for before that (monotonic) */
        unsigned failures;
};

struct qn_watch {
        struct qn_watch_config config;
        struct qn_arena mem;
        struct qn_db db;
        struct qn_check *check;
        const struct qn_npmconf *npm;
        struct qn_popular *popular;
        LIST_HEAD(, qn_watch_name) names;
        size_t n_names;
        struct qn_watch_feed feed;
        bool begun;
        bool input_open; /* the input is being read */
        int input_error;
        bool fed; /* once: the feed had no more */
        /* The transaction under way. */
        bool in_transaction, broken; /* broken: it failed, and is rolled back at its end */
        unsigned n_written;
        bool untake;   /* names count as taken that nobody works on */
        int64_t began; /* monotonic */
        uint64_t epoch;
        int64_t idle_until; /* nothing was due: no look into the queue before that (monotonic) */
        int64_t rest_until; /* the store was locked or full: no new work before that (monotonic) */
        const struct qn_rules *judge_by;
        struct qn_revision by;
        struct qn_track *track;
        bool track_lost;         /* a transaction was undone that it took for done */
        int64_t scan_at;         /* it failed: not before that (monotonic) */
        struct qn_rejudge *scan; /* NULL: nothing is judged again */
        uint64_t scanned_before, scan_changed_before;
        int64_t horizon;
        struct qn_watch_counts counts, counts_before; /* before: at the begin of the transaction */
};

int64_t qn_watch_now(void);       /* milliseconds since 1970 */
int64_t qn_watch_monotonic(void); /* milliseconds */
QN_PRINTF(2, 3) void qn_watch_note(struct qn_watch *w, const char *fmt, ...);

/* --- record.c: what is written down, many at a time --- */

/* Opens the transaction when none is; 0 or -errno. */
QN_MUST int qn_record_begin(struct qn_watch *w);
/* Something in it failed: all of it is undone. */
void qn_record_failed(struct qn_watch *w, int r);
/* Ends it when it is old or large enough, or now. */
void qn_record_end(struct qn_watch *w, bool now);
int qn_record_result(void *user, const struct qn_result *res); /* qn_check_config.result */
/* The name is at its end: out of the queue, or back into it. */
void qn_record_name(struct qn_watch *w, struct qn_watch_name *n);

/* --- found.c: campaigns --- */

QN_MUST int qn_found(struct qn_watch *w, int64_t id, const struct qn_seen *v,
                     const struct qn_result *res);

/* --- back-scan.c: judging again --- */

/* By what things are judged now. */
struct qn_rejudge_conf qn_back_scan_conf(struct qn_watch *w);
QN_MUST int qn_back_scan_begin(struct qn_watch *w);
/* Begins when what is on record was not judged to the end by what holds now. */
QN_MUST int qn_back_scan_resume(struct qn_watch *w);
void qn_back_scan_step(struct qn_watch *w);

/* --- name.c: from a name to its new versions --- */

void qn_name_take(struct qn_watch *w);
void qn_name_one_less(struct qn_watch_name *n);
struct qn_watch_name *qn_name_free(struct qn_watch_name *n);

/* --- feed.c --- */

QN_MUST int qn_feed_begin(struct qn_watch *w, struct qn_err *reterr);
void qn_feed_step(struct qn_watch *w);
