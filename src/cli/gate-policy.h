/* gate-policy.h - `qanat gate policy test|check`: a policy tried out before it is in force. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_policy;
struct qn_policy_facts;

struct gate_policy_test {
        const char *policy; /* path */
        const char *cases;  /* a file with `tests` of its own; NULL: those of the policy */
        bool json, quiet;   /* quiet: only what failed */
        bool explain;       /* every rule of every case */
};

/* Runs the cases and prints one row for each.  0 all as expected, 1 something is not, or a negative errno that was logged
 * (-EINVAL: a file is wrong, or there is no case at all). */
QN_MUST int gate_policy_test(const struct gate_policy_test *t);
/* Whether a policy is well formed: prints its revision.  0, or a negative errno that was logged. */
QN_MUST int gate_policy_check(const char *path, bool json);
/* For `policy test NAME@VERSION…`: what is decided about n versions with these facts, rule by rule (explain: also those that
 * do not apply).  Of t: json, explain.  0 when all of them are served, 1 when one is not, or a negative errno that was logged. */
QN_MUST int gate_policy_explain(const struct qn_policy *p, const struct qn_policy_facts *facts,
                                size_t n, int64_t now_ms, const struct gate_policy_test *t);
