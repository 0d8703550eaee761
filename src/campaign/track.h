/* track.h - campaigns as they come into being: each version that is seen is held against all others (cluster.h), and when the
 * cluster that it belongs to becomes a campaign by data/campaigns.yaml, or a worse one, that is told.
 * All of it can be made again from the traces in the store (campaigns.h), in the same order with the same result; what was found
 * to be a campaign stays one, under the same id, which is made from the name of its first version.  A campaign that turns out to
 * be part of another one takes on the id of the one that was found first. */
#pragma once

#include "base/err.h"
#include "campaign/trace.h"
#include "store/campaigns.h"

struct qn_track;

/* With the tables of the data directory, and nothing seen. */
QN_MUST int qn_track_new(const char *data_dir, struct qn_track **ret, struct qn_err *reterr);
struct qn_track *qn_track_free(struct qn_track *t);
void qn_track_freep(struct qn_track **t);
/* How many versions are held in memory, and how many of them, the latest, after a start or when that is reached; to be called
 * before qn_track_load().  Default: QN_TRACK_MEMBERS_MAX, QN_TRACK_MEMBERS_KEPT. */
void qn_track_limit(struct qn_track *t, size_t max, size_t kept);
/* Forgets everything and takes what the store has: at the start, and after an error or a transaction that was taken back. */
QN_MUST int qn_track_load(struct qn_track *t, struct qn_db *db);
size_t qn_track_count(const struct qn_track *t); /* versions that are held in memory */
size_t qn_track_bytes(const struct qn_track *t);

struct qn_track_news {
        char id[QN_CAMPAIGN_ID_BYTES]; /* of the campaign that the version belongs to; "": none */
        bool founded;                  /* it is one from now on */
        bool worsened;                 /* its verdict is worse than it was */
        bool grew;                     /* it has 10, 20, 50, 100… packages now */
        enum qn_verdict_kind verdict;  /* of the campaign */
        struct qn_str rule, title;     /* by which it is one */
        uint32_t packages;
        const int64_t
                *raise; /* versions that are to be judged again (tell.h), until the next call */
        size_t n_raise;
};

/* A version that is on record (versions.h), inside the caller's transaction.  1: it belongs to a campaign; 0: to none, or it was
 * taken before; -errno. */
QN_MUST int qn_track_add(struct qn_track *t, struct qn_db *db, const struct qn_track_version *v,
                         struct qn_track_news *ret);
/* 5, 10, 20, 50…: the largest that is not more than n; 0 below. */
uint32_t qn_track_step(uint32_t n);
