/* gate-policy-verb.c - qanat gate policy check|test [FILE]: what a policy makes of cases, and whether it can be used. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/gate-policy.h"
#include "cli/gate-verb.h"

int qn_gate_verb_policy(const struct qn_args *a)
{
        const char *what = a->n > 1 ? a->argv[1] : "";
        bool json = qn_str_is(qn_str_c(qn_args_get(a, "format")), "json");
        char builtin[4096];
        struct gate_policy_test t = { .policy = qn_args_get(a, "policy"),
                                      .json = json,
                                      .quiet = qn_args_on(a, "quiet"),
                                      .explain = qn_args_on(a, "explain") };

        snprintf(builtin, sizeof builtin, "%s/gate/policy.yaml", a->data);
        if (!t.policy)
                t.policy = builtin;
        if (strcmp(what, "check") == 0 && a->n <= 3)
                return gate_policy_check(a->n == 3 ? a->argv[2] : t.policy, json);
        if (strcmp(what, "test") == 0 && a->n <= 3) {
                t.cases = a->n == 3 ? a->argv[2] : NULL;
                return gate_policy_test(&t);
        }
        return log_err(
                -EINVAL,
                "write: qanat gate policy check [POLICY], or: qanat gate policy test [CASES]");
}
