/* review.h - what people decide about verdicts, and what counts then.
 * A decision is about certain bytes (integrity) and about what was found in them.  Confirmed: a person agrees.  Rejected: it is
 * clean, as long as no other rule finds something and the verdict becomes no worse; then a person is asked again. */
#pragma once

#include "store/reviews.h"
#include "store/versions.h"
#include "watch/policy.h"

struct qn_buf;

struct qn_review_case {
        enum qn_verdict_kind verdict; /* that is stored */
        struct qn_str integrity;      /* of the bytes */
        const struct qn_seen_finding *findings;
        size_t n_findings;
        const struct qn_review *decisions; /* oldest first */
        size_t n_decisions;
};

enum qn_review_why {
        QN_REVIEW_NOBODY,    /* has decided: what is stored counts */
        QN_REVIEW_CONFIRMED, /* by whom `by` says */
        QN_REVIEW_REJECTED,  /* likewise */
        QN_REVIEW_FRESH,     /* it was decided, but this came later */
        QN_REVIEW_WORSE,     /* it was decided, but the verdict was not as bad then */
};

struct qn_review_effect {
        enum qn_verdict_kind verdict; /* that counts */
        enum qn_review_why why;
        const struct qn_review *by;          /* the last decision about these bytes, or NULL */
        const struct qn_seen_finding *fresh; /* FRESH: the finding */
};

/* Pure: no clock, no I/O. */
void qn_review_effective(const struct qn_review_case *c, struct qn_review_effect *ret);
/* A person has decided about all of it. */
bool qn_review_is_decided(const struct qn_review_effect *e);
/* A person has to look at it, whatever policy does by itself: what was decided does not cover it any more. */
bool qn_review_is_reopened(const struct qn_review_effect *e);
/* What policy is asked about it. */
struct qn_watch_case qn_review_watch_case(const struct qn_review_effect *e, unsigned score);
/* One sentence, not yet escaped for a terminal. */
void qn_review_say(const struct qn_review_effect *e, struct qn_buf *out);

/* Whether the decision is about the rule. */
bool qn_review_names(const struct qn_review *v, struct qn_str rule);
/* The rules of findings, as qn_review.rules has them; p NULL at the arena's cap. */
struct qn_str qn_review_rules(const struct qn_seen_finding *findings, size_t n, struct qn_arena *a);

/* --- from the store --- */

/* The case of a version; in the arena, which has what `v` points to, too. */
QN_MUST int qn_review_load(struct qn_db *db, const struct qn_seen *v, struct qn_arena *a,
                           struct qn_review_case *ret);

struct qn_review_item {
        struct qn_seen v;
        struct qn_review_effect effect;
        size_t n_findings;
};

/* What waits for a person: in the review band and not decided, or reopened.  all: what was decided, too.  By score, the largest
 * first, then by name and version. */
QN_MUST int qn_review_queue(struct qn_db *db, const struct qn_watch_policy *policy, bool all,
                            struct qn_arena *a, struct qn_review_item **ret, size_t *ret_n);
