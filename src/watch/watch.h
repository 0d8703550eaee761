/* watch.h - the registry as it is published: feed → names → new versions → verdicts → the store.
 *
 *      feed page ──▶ queue of names (store) ──▶ document ──▶ versions not seen ──▶ check ──▶ verdict, events ──▶ store
 *
 * What the feed brought is in the store before the place in the feed moves on, and leaves the queue together with what was found out:
 * whatever ends the process, nothing is lost, and nothing is done twice but what had no result yet.  This process parses nothing:
 * pages and documents are read by analyse roles.  Times are milliseconds since 1970. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "store/versions.h"

struct qn_check_intel;
struct qn_npmconf;
struct qn_pool;
struct qn_revision;
struct qn_rules;
struct qn_watch;

enum qn_watch_cause {
        QN_WATCH_NEW,      /* it was published */
        QN_WATCH_CAMPAIGN, /* it belongs to a campaign, or that got worse */
        QN_WATCH_SCAN,     /* rules or intelligence are others */
};

/* A version whose verdict is new, or another one; inside the transaction that writes it down. */
struct qn_watch_judged {
        enum qn_watch_cause cause;
        const struct qn_seen *v; /* as it is on record */
        struct qn_str before;    /* the verdict that it had; p NULL: none is known */
        const struct qn_seen_finding *findings, *findings_before; /* before: of that verdict */
        size_t n_findings, n_findings_before;
        const char *campaign; /* its id; "": none */
};

/* A campaign that came into being, grew, or got worse; inside the transaction. */
struct qn_watch_campaign {
        const char *id;
        struct qn_str verdict, title;
        uint32_t packages;
        bool founded, worsened;
};

struct qn_watch_config {
        const char *data_dir, *cache_dir;
        const char *store; /* where qn_db_open() finds it */
        const char *feed;  /* address of the replication feed; NULL: none is followed */
        const char *since; /* sequence to begin at when the store has no place yet; NULL: now */
        const char
                *input; /* a recorded feed or a list of names, taken in at the begin; NULL: none */
        bool once;      /* ends when all that there is was looked at */
        unsigned workers; /* 0: one per processor */
        unsigned poll_ms; /* between two looks at a feed that had no more */
        int64_t horizon; /* of what was never seen, versions from then on are new, and the last; 0: when watching began */
        struct qn_check_intel *intel; /* NULL: nothing is known */
        bool no_sandbox;
        bool scan; /* what is on record is judged anew at the begin, when it was by something else */
        int (*judged)(void *user, struct qn_db *db, const struct qn_watch_judged *j); /* or NULL */
        int (*campaign)(void *user, struct qn_db *db,
                        const struct qn_watch_campaign *c); /* or NULL */
        void (*written)(
                void *user,
                bool done); /* what judged() and campaign() were told of: on record, or undone; or NULL */
        void (*note)(void *user, const char *text); /* what people should know, one line */
        void *user;
};

/* What came to pass since the begin. */
#define QN_WATCH_BUCKETS 18u /* of 2^i milliseconds each: 1 ms to 131 s, and what is above */
enum qn_watch_span {
        QN_SPAN_PUBLISHED_SEEN,
        QN_SPAN_SEEN_VERDICT,
        QN_SPAN_PUBLISHED_VERDICT,
        QN_SPAN_MAX
};
struct qn_watch_counts {
        uint64_t pages, changes, skipped, deleted; /* of the feed */
        uint64_t repeated, backwards; /* pages from before our place; feeds that began anew */
        uint64_t names, nothing_new,
                late; /* looked up; of those without a new version; to be tried again */
        uint64_t versions, by_verdict[4], failed; /* that got a verdict; transactions that failed */
        uint64_t scanned, scan_changed;           /* judged again */
        uint64_t campaigns;                       /* that came into being */
        uint64_t
                left_out; /* versions from before the horizon, or more than are looked at of one name */
        uint64_t span[QN_SPAN_MAX][QN_WATCH_BUCKETS + 1], span_ms[QN_SPAN_MAX];
};
const char *qn_watch_span_name(enum qn_watch_span s);

QN_MUST int qn_watch_new(const struct qn_watch_config *config, struct qn_watch **ret,
                         struct qn_err *reterr);
struct qn_watch *qn_watch_free(struct qn_watch *w);
void qn_watch_freep(struct qn_watch **w);

/* The analyse roles, for what has to be read before the begin; then by which rules to judge, and from where to fetch: both are
 * borrowed.  Rules may be changed later. */
struct qn_pool *qn_watch_pool(const struct qn_watch *w);
QN_MUST int qn_watch_judge_by(struct qn_watch *w, const struct qn_rules *rules,
                              const struct qn_revision *by);
/* The same, and what was seen is judged by them as well, from then on, besides everything else.  Rules from before are not used any
 * more when these return. */
QN_MUST int qn_watch_judge_anew(struct qn_watch *w, const struct qn_rules *rules,
                                const struct qn_revision *by);
/* What is known, from now on: borrowed, too. */
void qn_watch_know(struct qn_watch *w, struct qn_check_intel *intel);
QN_MUST int qn_watch_connect(struct qn_watch *w, const struct qn_npmconf *npm);

/* Does what can be done, waiting at most timeout_ms.  1; 0: all is done, and nothing more will come (once); -errno: it cannot go
 * on at all.  What has a verdict is in the store when this returned 0 or qn_watch_settle() was called. */
QN_MUST int qn_watch_turn(struct qn_watch *w, int timeout_ms, struct qn_err *reterr);
QN_MUST int qn_watch_settle(struct qn_watch *w);
/* Nothing is written that is not on record: others may write now. */
bool qn_watch_is_settled(const struct qn_watch *w);

const struct qn_watch_counts *qn_watch_counts(const struct qn_watch *w);
struct qn_db *qn_watch_db(struct qn_watch *w);
/* Names and versions that are being looked at. */
void qn_watch_under_way(const struct qn_watch *w, size_t *ret_names, size_t *ret_versions);
