/* rule.h - rule files (YAML, data/rules/) → compiled rules.  The format is described in docs/RULES.md.
 * An id that occurs twice, an unknown field, event, attribute or label is an error with file, line and column. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "rule/judge.h"

struct qn_rules;

struct qn_rule {
        struct qn_str id, title, explain, advice;
        enum qn_severity severity;
        enum qn_verdict_kind verdict; /* QN_CLEAN: informs only */
        unsigned score;
        struct qn_str *tactics; /* ATT&CK ids: TA0001, T1195.002 … */
        size_t n_tactics;
        struct qn_str *references;
        size_t n_references;
        struct qn_str file; /* where it was read */
        unsigned line;
        const struct qn_rule_cond *when; /* private to rule/ */
};

/* Reads every *.yaml below each of the n paths (directories or files), in byte order of their names. */
QN_MUST int qn_rules_load(const char *const *paths, size_t n, struct qn_rules **ret,
                          struct qn_err *reterr);
struct qn_rules *qn_rules_free(struct qn_rules *r);
void qn_rules_freep(struct qn_rules **r);
/* Sorted by id. */
size_t qn_rules_count(const struct qn_rules *r);
const struct qn_rule *qn_rules_at(const struct qn_rules *r, size_t i);
/* The i of one of them. */
size_t qn_rules_number(const struct qn_rules *r, const struct qn_rule *rule);
/* Another number when a file is another, or when they come in another order. */
uint64_t qn_rules_revision(const struct qn_rules *r);
/* The phases it looks at, as bits of enum qn_phase. */
unsigned qn_rule_phases(const struct qn_rule *rule);
const struct qn_rule *qn_rules_find(const struct qn_rules *r, struct qn_str id);
