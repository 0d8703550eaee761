/* versions.h - every version that was seen: what was observed of it, what it was judged to be, and when.
 * Events are stored without what intelligence knew of them at that time, so that they can be judged again by what is known today;
 * the verdicts that a version once had stay.  Times are milliseconds since 1970; writers open a transaction (db.h). */
#pragma once

#include "base/arena.h"
#include "base/cur.h"
#include "store/watch-db.h"

struct qn_seen {
        int64_t id; /* from 1 on */
        struct qn_str name, version, integrity;
        struct qn_str publisher; /* p NULL: unknown, or nobody */
        int64_t published;       /* or QN_TIME_NONE */
        int64_t seen, judged;    /* when the feed told of it; when it got its verdict */
        struct qn_str verdict;   /* "clean", "unknown"… */
        unsigned score;
        struct qn_str reason, rules; /* rules: revision of what it was judged by */
        bool observed;               /* reading: its events are on record */
};

struct qn_seen_finding {
        struct qn_str rule, severity, verdict, title;
};

/* What is to be written down of a version: a new one, or the same again. */
struct qn_seen_put {
        struct qn_seen v;     /* id and observed are not asked */
        struct qn_str events; /* p NULL: those on record stay, unless they are of other bytes */
        const struct qn_seen_finding *findings;
        size_t n_findings;
};

/* 1: it is new or its verdict is another one; 0: as it was; -errno. */
QN_MUST int qn_versions_put(struct qn_db *db, const struct qn_seen_put *p, int64_t *ret_id);
/* What it is judged to be now, of the events that it was judged by before: 1; 0: somebody else wrote to it since `was` was
 * read, and nothing happened; -errno.  Only what differs is a judgement. */
QN_MUST int qn_versions_rejudged(struct qn_db *db, const struct qn_seen *was,
                                 const struct qn_seen_put *p);
/* 0, or -ENOENT; texts live in the arena. */
QN_MUST int qn_versions_find(struct qn_db *db, struct qn_str name, struct qn_str version,
                             struct qn_arena *a, struct qn_seen *ret);
QN_MUST int qn_versions_by_id(struct qn_db *db, int64_t id, struct qn_arena *a,
                              struct qn_seen *ret);

typedef int qn_versions_fn(void *ctx, const struct qn_seen *v);
/* Each version of a package, by the order of being seen.  Goes on while fn returns 0, whose result comes back; texts live during
 * the call. */
QN_MUST int qn_versions_of(struct qn_db *db, struct qn_str name, qn_versions_fn *fn, void *ctx);
/* Those of a verdict that were judged from `since` on, oldest first. */
QN_MUST int qn_versions_judged(struct qn_db *db, struct qn_str verdict, int64_t since,
                               qn_versions_fn *fn, void *ctx);
/* Those that somebody has decided something about, whatever they were judged to be, by the order of being seen. */
QN_MUST int qn_versions_decided(struct qn_db *db, qn_versions_fn *fn, void *ctx);

/* Up to `limit` versions behind an id, with their events, by id: for what goes over all of them in steps. */
typedef int qn_versions_events_fn(void *ctx, const struct qn_seen *v, struct qn_cur events);
QN_MUST int qn_versions_events(struct qn_db *db, int64_t after, size_t limit,
                               qn_versions_events_fn *fn, void *ctx);
/* The versions with ids in (after, to] that were seen since a time, and whose names fit a pattern (qn_str_glob; empty: all), also
 * those without events. */
struct qn_seen_range {
        int64_t after, to, since;
        struct qn_str name;
};
QN_MUST int qn_versions_range(struct qn_db *db, const struct qn_seen_range *range,
                              qn_versions_events_fn *fn, void *ctx);
/* The findings of all versions with such ids, by id and rule. */
QN_MUST int qn_versions_findings_range(struct qn_db *db, const struct qn_seen_range *range,
                                       int (*fn)(void *ctx, int64_t id,
                                                 const struct qn_seen_finding *f),
                                       void *ctx);
/* The largest id; 0: there is none. */
QN_MUST int qn_versions_last(struct qn_db *db, int64_t *ret);
/* Those of one version; 0, or -ENOENT. */
QN_MUST int qn_versions_events_of(struct qn_db *db, int64_t id, struct qn_arena *a,
                                  struct qn_cur *ret);

/* The verdicts that a version had, oldest first: verdict, score, reason, rules and judged are set. */
QN_MUST int qn_versions_history(struct qn_db *db, int64_t id, qn_versions_fn *fn, void *ctx);
/* The findings of its last verdict, by rule. */
QN_MUST int qn_versions_findings(struct qn_db *db, int64_t id,
                                 int (*fn)(void *ctx, const struct qn_seen_finding *f), void *ctx);
/* The same, in the arena. */
QN_MUST int qn_versions_findings_list(struct qn_db *db, int64_t id, struct qn_arena *a,
                                      struct qn_seen_finding **ret, size_t *ret_n);

/* How many there are, by verdict in the order of the words: clean, malicious, suspicious, unknown. */
struct qn_versions_stats {
        int64_t n, names, with_events, by_verdict[4];
        int64_t last; /* when the last one was judged; 0: there is none */
};
QN_MUST int qn_versions_stats(struct qn_db *db, struct qn_versions_stats *ret);
/* Of those that were seen since a time, the milliseconds from being seen to the verdict that a share of them (0 to 100 %) did not
 * exceed; -ENOENT: there are none. */
QN_MUST int qn_versions_latency(struct qn_db *db, int64_t since, unsigned percent, int64_t *ret_ms);

/* Forgets events of versions that are clean and were seen before a time; what they were judged stays.  How many. */
QN_MUST int qn_versions_forget(struct qn_db *db, int64_t before, int64_t *ret_n);
