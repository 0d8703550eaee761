/* policy.h - what is done by itself about what is seen, and what waits for a person.  data/watch/policy.yaml says what the keys mean. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "rule/judge.h"

#define QN_WATCH_NEVER 101u /* a score that nothing has */

struct qn_watch_policy {
        uint32_t automatic, review; /* scores, or QN_WATCH_NEVER */
        bool reports_automatic, reports_confirmed;
        enum qn_verdict_kind told_from; /* QN_CLEAN: nothing is told */
        bool told_unreviewed, told_cleared;
        bool scan_rules, scan_intel;
};

/* What a verdict calls for.  AUTOMATIC: to be acted on before anybody has looked. */
enum qn_watch_band { QN_BAND_NONE, QN_BAND_REVIEW, QN_BAND_AUTOMATIC };

/* What holds where a file says nothing. */
void qn_watch_policy_defaults(struct qn_watch_policy *p);
/* Strict: an unknown key is an error with path and line.  What the text leaves out is the default. */
QN_MUST int qn_watch_policy_parse(struct qn_str text, const char *path, struct qn_watch_policy *ret,
                                  struct qn_err *reterr);
QN_MUST int qn_watch_policy_load(const char *path, struct qn_watch_policy *ret,
                                 struct qn_err *reterr);

enum qn_watch_band qn_watch_policy_band(const struct qn_watch_policy *p, enum qn_verdict_kind v,
                                        unsigned score);

/* What is about to be done about; verdict: the effective one (review.h). */
struct qn_watch_case {
        enum qn_verdict_kind verdict;
        unsigned score;
        bool decided; /* a person has decided about it */
        bool waits;   /* a person has to look at it first, whatever its score is */
};

/* Whether it is acted on: by its score, or because a person says so. */
bool qn_watch_policy_acts(const struct qn_watch_policy *p, const struct qn_watch_case *c);
/* Whether a record is written. */
bool qn_watch_policy_reports(const struct qn_watch_policy *p, const struct qn_watch_case *c);
/* Whether people are told. */
bool qn_watch_policy_tells(const struct qn_watch_policy *p, const struct qn_watch_case *c);
