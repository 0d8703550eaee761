/* reviews.h - what people decided about versions: who, when, and what it was about.  Append-only: the store refuses to change or
 * forget a line.  Times are milliseconds since 1970. */
#pragma once

#include "base/arena.h"
#include "store/watch-db.h"

enum qn_review_action { QN_REVIEW_CONFIRM, QN_REVIEW_REJECT, QN_REVIEW_NOTE };

struct qn_review {
        int64_t id; /* adding: is not asked */
        int64_t version, time;
        struct qn_str who;
        enum qn_review_action action;
        struct qn_str integrity; /* of the bytes that it is about */
        struct qn_str
                verdict; /* confirm: what it is confirmed to be; else what it was judged to be */
        unsigned score;
        struct qn_str rules; /* that had found something, between blanks: " a b " */
        struct qn_str reason;
        struct qn_str name, version_text; /* reading all of them */
};

/* Within a transaction. */
QN_MUST int qn_reviews_add(struct qn_db *db, const struct qn_review *v);
/* Those about a version, oldest first; texts live during the call.  Goes on while fn returns 0, whose result comes back. */
typedef int qn_reviews_fn(void *ctx, const struct qn_review *v);
QN_MUST int qn_reviews_of(struct qn_db *db, int64_t version, qn_reviews_fn *fn, void *ctx);
/* The same, in the arena. */
QN_MUST int qn_reviews_list(struct qn_db *db, int64_t version, struct qn_arena *a,
                            struct qn_review **ret, size_t *ret_n);
/* All since a time, oldest first, with name and version. */
QN_MUST int qn_reviews_all(struct qn_db *db, int64_t since, qn_reviews_fn *fn, void *ctx);

const char *qn_review_action_name(enum qn_review_action a);
