/* check-targets.h - what the verbs that check packages share: targets from the command line, and one run of check.h over them.
 * The verb's table has the options offline, registry, foreign-tarballs, rules, jobs, no-previous and no-sandbox. */
#pragma once

#include "base/macro.h"

struct qn_args;
struct qn_check_config;
struct qn_rules;
struct qn_target;

struct qn_targets {
        struct qn_target *list;
        size_t n;
        bool any_remote; /* something may have to be fetched */
};

/* The n arguments; none: the directory one stands in.  Logs what is wrong with each of them.  qn_targets_done() in any case. */
QN_MUST int qn_targets_read(const char *const *argv, size_t n, struct qn_targets *ret);
void qn_targets_done(struct qn_targets *t);
/* Checks them, judged by the rules below the data directory (load-rules.h); what the options say is put into config.  Logs what is
 * wrong.  The rules are the caller's to free, once nothing points into them. */
QN_MUST int qn_check_targets(const struct qn_args *a, const struct qn_targets *t, const char *rules,
                             struct qn_check_config *config, struct qn_rules **ret_rules);
