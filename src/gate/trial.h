/* trial.h - what the gate would do with versions of packages, asked without being one: by the same policy, upstreams,
 * intelligence and verdicts on record.  Nothing is served, kept or written down. */
#pragma once

#include "base/err.h"
#include "base/macro.h"
#include "base/str.h"

struct qn_gate_config;
struct qn_policy;
struct qn_policy_facts;
struct qn_trial;

struct qn_trial_version {
        struct qn_str name, version;
};

/* Of config: what names files, the registry and the sandbox; borrowed. */
QN_MUST int qn_trial_new(const struct qn_gate_config *config, struct qn_trial **ret,
                         struct qn_err *reterr);
struct qn_trial *qn_trial_free(struct qn_trial *t);
void qn_trial_freep(struct qn_trial **t);

const struct qn_policy *qn_trial_policy(const struct qn_trial *t);
/* The facts of n versions; their texts live as long as t.  document: the registry's of the one package that all of them are
 * of, or -1: each package's is fetched.  Once.  Or -errno, and what cannot be had. */
QN_MUST int qn_trial_facts(struct qn_trial *t, const struct qn_trial_version *v, size_t n,
                           int document, struct qn_policy_facts *ret, struct qn_err *reterr);
