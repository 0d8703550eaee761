/* policy-cases.h - cases that a policy is tested with: facts, and what is expected.  The list `tests` of a policy, or of a file
 * of its own.
 *
 *   - name: what is published today has to wait
 *     package: left-pad@1.3.1
 *     at: 2026-11-29T14:00Z              # when it is asked; left out: 2026-01-01
 *     published: 2026-11-29T11:00Z       # left out: 1000 days before
 *     first-published: 2014-03-14        # left out: 1000 days before; published and this may also be: unknown
 *     hooks: none                        # none, old, new
 *     provenance: kept                   # kept, lost
 *     looks-like: lodash
 *     from-owned: false
 *     known: nothing                     # nothing, allowed, vulnerable, suspicious, malicious
 *     known-id: MAL-2026-1
 *     known-why: steals tokens
 *     verdict: none                      # none (not analysed yet), clean, unknown, late, suspicious, malicious
 *     reason: why
 *     expect: block                      # block, quarantine, warn, observe, allow
 *     rule: minimum-age                  # these may be left out: the decision's rule, its end, who let it through,
 *     until: 2026-11-30T11:00Z           # a part of what the client is told
 *     by: nobody                         # nobody, exception, override
 *     says: try again after */
#pragma once

#include "base/err.h"
#include "gate/policy.h"

struct qn_arena;

enum qn_policy_expect {
        QN_EXPECT_ALLOW,
        QN_EXPECT_OBSERVE,
        QN_EXPECT_WARN,
        QN_EXPECT_QUARANTINE,
        QN_EXPECT_BLOCK
};

struct qn_policy_case {
        struct qn_str name;
        unsigned line;
        int64_t at;
        struct qn_policy_facts facts;
        enum qn_policy_expect expect;
        struct qn_str rule, says; /* p NULL: any */
        int64_t until;            /* INT64_MIN: any; INT64_MAX: never */
        int by;                   /* -1: any; 0 nobody, 1 an exception, 2 an override */
};

/* 0 or -EINVAL: which line and why; -errno.  All of it lives in the arena. */
QN_MUST int qn_policy_cases(struct qn_str text, const char *path, struct qn_arena *a,
                            struct qn_policy_case **ret, size_t *ret_n, struct qn_err *reterr);

/* What comes of it, mode included: "allow", "observe", "warn", "quarantine", "block". */
enum qn_policy_expect qn_policy_outcome(const struct qn_policy_decision *d);
const char *qn_policy_expect_name(enum qn_policy_expect e);
/* What is not as expected, as one line; "" when all is. */
#define QN_POLICY_CASE_BYTES (QN_POLICY_REASON_BYTES + 200)
void qn_policy_case_check(const struct qn_policy_case *c, const struct qn_policy_decision *d,
                          char ret[QN_POLICY_CASE_BYTES]);
