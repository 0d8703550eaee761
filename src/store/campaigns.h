/* campaigns.h - campaigns, their versions, and what is kept of every version so that a restart knows what was known.
 * What the bytes of a trace mean, and when a cluster is a campaign, is campaign/'s business.  Times are milliseconds since 1970;
 * writers open a transaction (db.h). */
#pragma once

#include "base/arena.h"
#include "base/cur.h"
#include "store/watch-db.h"

#define QN_CAMPAIGN_ID_BYTES 20u /* "C-", 16 digits, NUL */

/* 1: it has the same one; 0: written, in the place of another one, and later than all others; -errno. */
QN_MUST int qn_traces_put(struct qn_db *db, int64_t version, struct qn_str bytes);
/* The latest `most`, oldest first.  Goes on while fn returns 0, whose result comes back; texts live during the call.
 * campaign: n 0 when it is in none. */
typedef int qn_traces_fn(void *ctx, int64_t version, struct qn_str name, struct qn_str campaign,
                         struct qn_cur bytes);
QN_MUST int qn_traces_each(struct qn_db *db, size_t most, qn_traces_fn *fn, void *ctx);

struct qn_campaign {
        struct qn_str id;
        int64_t founded;                    /* publication of the version that made it one */
        struct qn_str verdict, rule, title; /* of now */
        struct qn_str pattern;              /* of the names; p NULL: none */
        struct qn_str joined;               /* the campaign that it became part of; p NULL: none */
        int64_t size;                       /* packages, rounded down (track.h) */
        bool dismissed; /* by a person, as what it is now; not asked when it is written */
        int64_t versions, packages, publishers; /* from here on not asked when it is written */
        int64_t first, last;                    /* publication, or QN_TIME_NONE */
};

/* A new one, or another verdict, size or pattern of one. */
QN_MUST int qn_campaigns_put(struct qn_db *db, const struct qn_campaign *c);
/* What it was judged to be, at which time and with how many packages. */
struct qn_campaign_step {
        int64_t time;
        struct qn_str verdict, rule;
        int64_t packages;
};
QN_MUST int qn_campaigns_add_step(struct qn_db *db, struct qn_str id,
                                  const struct qn_campaign_step *s);
QN_MUST int qn_campaigns_steps(struct qn_db *db, struct qn_str id,
                               int (*fn)(void *ctx, const struct qn_campaign_step *s), void *ctx);
/* All of one campaign belongs to another from now on. */
QN_MUST int qn_campaigns_join(struct qn_db *db, struct qn_str id, struct qn_str to);

struct qn_campaign_member {
        int64_t version, with;  /* with: the version that it was found to belong to */
        int64_t kinds, percent; /* cluster.h: by what, how like the code is */
        struct qn_str reach;    /* what its campaign makes of it: suspicious or malicious */
        struct qn_str name, number, verdict, publisher,
                reason; /* number: the version; not asked when it is written */
        int64_t published;
};

/* 1: it is new, or reached by something else; 0: as it was, or of another campaign that was dismissed; -errno. */
QN_MUST int qn_campaigns_add_member(struct qn_db *db, struct qn_str id,
                                    const struct qn_campaign_member *m);
/* By publication, then name.  p NULL of after: from the first on. */
QN_MUST int qn_campaigns_members(struct qn_db *db, struct qn_str id,
                                 int (*fn)(void *ctx, const struct qn_campaign_member *m),
                                 void *ctx);
/* Their traces, in the order of being seen, at most `most`. */
QN_MUST int qn_campaigns_traces(struct qn_db *db, struct qn_str id, size_t most, qn_traces_fn *fn,
                                void *ctx);

/* Rules that matched versions of it by themselves (versions.h), the most frequent first, at most `most`. */
QN_MUST int qn_campaigns_findings(struct qn_db *db, struct qn_str id, size_t most,
                                  int (*fn)(void *ctx, struct qn_str rule, struct qn_str title,
                                            int64_t versions),
                                  void *ctx);

typedef int qn_campaigns_fn(void *ctx, const struct qn_campaign *c);
/* Those that are no part of another, the latest first. */
QN_MUST int qn_campaigns_each(struct qn_db *db, qn_campaigns_fn *fn, void *ctx);
/* 0, or -ENOENT; one that joined another is that other.  Texts live in the arena. */
QN_MUST int qn_campaigns_find(struct qn_db *db, struct qn_str id, struct qn_arena *a,
                              struct qn_campaign *ret);
/* Somebody looked at it, and it is none: its versions are what they are by themselves (campaign/tell.h), none is added, and
 * it is none again before it is worse than it was then.  Such a row is never changed. */
struct qn_campaign_dismissal {
        int64_t time;
        struct qn_str who, reason, verdict; /* verdict: that it had */
};
QN_MUST int qn_campaigns_dismiss(struct qn_db *db, struct qn_str id,
                                 const struct qn_campaign_dismissal *d);
QN_MUST int qn_campaigns_dismissals(struct qn_db *db, struct qn_str id,
                                    int (*fn)(void *ctx, const struct qn_campaign_dismissal *d),
                                    void *ctx);
/* 1: it is dismissed, as what it is now; 0: it is not, or there is none; -errno. */
QN_MUST int qn_campaigns_is_dismissed(struct qn_db *db, struct qn_str id);

/* That of a version unless it is dismissed, with the verdict that reaches this one, without what is counted or looked for among its versions (0 and QN_TIME_NONE): 0, or -ENOENT. */
QN_MUST int qn_campaigns_of(struct qn_db *db, int64_t version, struct qn_arena *a,
                            struct qn_campaign *ret);
/* How many versions of it were published in each step of so many milliseconds that has any. */
QN_MUST int qn_campaigns_growth(struct qn_db *db, struct qn_str id, int64_t step,
                                int (*fn)(void *ctx, int64_t time, int64_t n), void *ctx);
