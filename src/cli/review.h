/* review.h - the parts of `qanat review`, one file each.  Private to cmd-review.c and review-*.c. */
#pragma once

#include "base/buf.h"
#include "watch/rejudge.h"
#include "watch/review.h"

struct qn_args;

#define QN_REVIEW_OUT_MAX ((size_t)1 << 30)

/* A version that somebody asks about; everything lives in the arena. */
struct qn_review_subject {
        struct qn_seen v;
        struct qn_review_case c;
        struct qn_review_effect effect;
};

/* Each returns an exit status, or a negative errno that it has logged. */
int qn_review_verb_list(const struct qn_args *a, struct qn_db *db); /* review-print.c */
int qn_review_verb_show(const struct qn_args *a, struct qn_db *db);
int qn_review_verb_log(const struct qn_args *a, struct qn_db *db);

/* "NAME@VERSION" → what the store has; logs what is wrong. */
QN_MUST int qn_review_find(struct qn_db *db, const char *text, struct qn_arena *a,
                           struct qn_review_subject *ret);
/* Its events, judged by today's rules and by what is known.  -ENOENT: they are not kept any more.  Logs what is wrong. */
QN_MUST int qn_review_judge(const struct qn_args *a, struct qn_db *db, struct qn_rules *rules,
                            const struct qn_seen *v, struct qn_arena *arena,
                            struct qn_rejudged *ret);
/* Who decides: --by, QANAT_USER, else the user; one line.  Both log what is wrong. */
QN_MUST int qn_review_who(const struct qn_args *a, struct qn_str *ret);
/* A reason or note, which may be empty (NULL, too). */
QN_MUST int qn_review_reason(const char *text, struct qn_str *ret);
bool qn_review_is_json(const struct qn_args *a);

/* Its events as a good example of each rule that found something, below dir; logs what is wrong. */
QN_MUST int qn_review_write_examples(const struct qn_rules *rules, struct qn_db *db,
                                     const char *dir,
                                     const struct qn_review_subject *s); /* review-example.c */
