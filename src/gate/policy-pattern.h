/* policy-pattern.h - which packages an entry of a policy is about: a name ("left-pad", "@acme/web") or a pattern
 * ("@acme/<any>", "acme-<any>": `*` stands for any characters and `?` for one, neither for the slash behind a scope).
 * "*" alone is every package.  Letter case counts. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_policy_pattern {
        struct qn_str text;
        bool exact;
        unsigned weight; /* of a pattern: the more characters it gives, the more it counts */
};

/* 0, or -EINVAL and what is wrong with it, as half a sentence.  text is kept. */
QN_MUST int qn_policy_pattern(struct qn_str text, struct qn_policy_pattern *ret,
                              const char **retwhy);
bool qn_policy_pattern_match(const struct qn_policy_pattern *p, struct qn_str name);
