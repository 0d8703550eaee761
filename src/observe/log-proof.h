/* log-proof.h - that a transparency log took an entry, and when: the log's promise (signed entry timestamp), the proof of inclusion
 * (RFC 9162, 2.1.3.2) and the checkpoint that signs the tree's root. */
#pragma once

#include "parse/attest.h"
#include "parse/trust.h"

struct qn_arena;

enum qn_log_result {
        QN_LOG_TIMED,     /* the log signed that it took the entry at entry->time */
        QN_LOG_INCLUDED,  /* it is in the log, but nobody signed when */
        QN_LOG_UNKNOWN,   /* the log is none of those trusted, or was not at that time */
        QN_LOG_WRONG_KEY, /* promise or checkpoint are not signed by the log that the entry names */
        QN_LOG_WRONG_PROOF, /* the hashes lead to another root than the checkpoint's */
        QN_LOG_NOTHING,     /* neither promise nor signed proof */
};

/* 0, or -ENOMEM, -ENOBUFS. */
QN_MUST int qn_log_check(const struct qn_log_entry *e, const struct qn_trust_root *trust,
                         struct qn_arena *a, enum qn_log_result *ret);
/* Whether the hashes lead from the leaf to the root. */
bool qn_log_included(struct qn_str leaf, const struct qn_log_proof *p);
