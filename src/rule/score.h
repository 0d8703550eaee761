/* score.h - the learned score: a second opinion beside the verdict, which it never changes.
 * A model is data: features (data/score/features.yaml, conditions and counts of events in the language of the rules) and what
 * each of them weighs (data/score/model.yaml, written by tools/score/train.py).  It is a logistic regression, so that the score
 * is a sum that can be shown:
 *
 *      points of a feature = weight × (1 for a condition; ln(1 + n) for n events that are counted)
 *      logit = bias + points of all features            score = 100 / (1 + e^-logit)
 *
 * No weight is negative and no condition says not: what is added to a package never lowers its score.  Everything is computed in
 * whole thousandths: the same events and the same model give the same bytes.  See docs/SCORE.md. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_event_set;
struct qn_score;

struct qn_score_feature {
        struct qn_str id, title;
        bool counted; /* its value is a number of events; else 1 */
        int weight;   /* thousandths */
};

struct qn_score_part {
        const struct qn_score_feature *feature;
        unsigned value; /* never 0 */
        int points;     /* thousandths */
};

struct qn_learned {
        unsigned model;                    /* its version */
        unsigned score;                    /* 0 to 100 */
        int bias, logit;                   /* thousandths; logit = bias + the points of all parts */
        const struct qn_score_part *parts; /* what is there: the most points first, then by id */
        size_t n, n_all;                   /* those that have points, and all */
};

/* Reads both files.  A feature that the model does not weigh has no points; a weight of an unknown feature, an unknown field, a
 * number out of bounds is -EINVAL with file, line and column. */
QN_MUST int qn_score_load(const char *features, const char *model, struct qn_score **ret,
                          struct qn_err *reterr);
struct qn_score *qn_score_free(struct qn_score *s);
void qn_score_freep(struct qn_score **s);
/* In the order of their file. */
size_t qn_score_count(const struct qn_score *s);
const struct qn_score_feature *qn_score_at(const struct qn_score *s, size_t i);

/* Pure, like the judge.  The set is sealed; the result lives in the arena and points into the model.  -ENOBUFS at the arena's
 * cap. */
QN_MUST int qn_score_learned(const struct qn_score *s, const struct qn_event_set *set,
                             struct qn_arena *a, struct qn_learned *ret);
