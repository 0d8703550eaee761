/* gate-verb.h - the parts of `qanat gate`.  Private to cmd-gate.c and gate-*.c. */
#pragma once

struct qn_args;

/* Runs the gate until it is told to stop. */
int qn_gate_verb_run(const struct qn_args *a);
/* Who fetched what: the ledger; and what of it turned bad. */
int qn_gate_verb_ledger(const struct qn_args *a);
/* How a client is told to use the gate. */
int qn_gate_verb_setup(const struct qn_args *a);
/* What the policy makes of cases; whether it can be read. */
int qn_gate_verb_policy(const struct qn_args *a);
