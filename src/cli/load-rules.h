/* load-rules.h - the rules that a verb judges by: those of the data directory and those that --rules adds. */
#pragma once

#include "base/macro.h"

struct qn_args;
struct qn_rules;

/* A row for the options of a verb that needs QN_NEED_DATA. */
#define QN_OPT_RULES                                                          \
        {                                                                     \
                "rules", 0, QN_OPT_CONFIG | QN_OPT_MANY, "PATH", NULL, NULL,  \
                        "rule file or directory to add to the built-in rules" \
        }

struct qn_rule_paths {
        char builtin[4096];
        const char *list[64]; /* into builtin and the arguments */
        size_t n;
};

/* Where they are: `below` of the data directory first ("rules", "rules/intel.yaml").  Logs what is wrong. */
QN_MUST int qn_rule_paths(const struct qn_args *a, const char *below, struct qn_rule_paths *ret);
/* The rules of these paths; logs what is wrong. */
QN_MUST int qn_load_rules_of(const struct qn_args *a, const char *below, struct qn_rules **ret);
/* All of them. */
QN_MUST int qn_load_rules(const struct qn_args *a, struct qn_rules **ret);
