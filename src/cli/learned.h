/* learned.h - the learned score of a verb's results (rule/score.h), from DATA/score.  It is beside the verdict: nothing here
 * can change one, and a data directory without a model is no error. */
#pragma once

#include "base/arena.h"
#include "report/report.h"
#include "rule/score.h"

struct qn_args;

struct qn_learner {
        struct qn_score *model; /* NULL: there is no score */
        struct qn_arena arena;
        struct qn_learned last;
};

/* Reads the model when the report shows it: in JSON, or with an explanation.  Logs what is wrong.  qn_learner_done() in any
 * case. */
QN_MUST int qn_learner_open(const struct qn_args *a, const struct qn_report_opts *o,
                            struct qn_learner *ret);
void qn_learner_done(struct qn_learner *l);
/* Puts the score beside a result that has events and is not unknown.  It lives until the next one. */
void qn_learner_add(struct qn_learner *l, struct qn_result *res);
