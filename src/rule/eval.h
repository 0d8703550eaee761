/* eval.h - conditions against one package's events: private to rule/. */
#pragma once

#include "rule/cond.h"

/* Events that fit a pattern, as positions in the set, ascending: found when first asked for. */
struct qn_hits {
        uint32_t *at;
        uint32_t n;
        bool done;
};

struct qn_eval {
        const struct qn_event_set *set;
        struct qn_arena *arena;
        struct qn_kinds present;
        uint32_t first[QN_EVENT_MAX + 1]; /* where each kind begins in by_kind */
        uint32_t *by_kind;                /* events by kind, in the set's order within a kind */
        struct qn_hits *hits;             /* per pattern */
        bool full;                        /* the arena's cap was reached: the result is void */
};

/* What a condition may look at. */
struct qn_scope {
        uint8_t phases;
        uint32_t file; /* or QN_ANY_FILE */
};
#define QN_ANY_FILE (UINT32_MAX - 1)

QN_MUST int qn_eval_init(struct qn_eval *e, const struct qn_event_set *set, struct qn_arena *a,
                         uint32_t n_patterns);
/* Whether all kinds that the rule cannot do without are there. */
bool qn_eval_worth(const struct qn_eval *e, const struct qn_compiled *rule);
bool qn_eval_cond(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope);
/* How many events fit a condition of events (qn_cond_is_events); it counts no further than `most`. */
uint32_t qn_eval_count(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope,
                       uint32_t most);
/* For a condition that is true: how many events it takes to make it so, at most.  1: a single fact. */
size_t qn_eval_strength(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope);
/* For a condition that is true: chooses the evidence.  f->evidence has room for QN_EVIDENCE_MAX. */
void qn_eval_evidence(struct qn_eval *e, const struct qn_rule_cond *c, struct qn_scope scope,
                      struct qn_finding *f);
