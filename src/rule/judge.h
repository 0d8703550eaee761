/* judge.h - events + rules → verdict.  Pure: no clock, no I/O, no dependence on order; the same input gives the same bytes.
 * Precedence: malicious > suspicious > unknown > clean.  An UNANALYSED event makes a package that would be clean unknown. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_event;
struct qn_event_set;
struct qn_rules;
struct qn_rule;

enum qn_verdict_kind { QN_CLEAN, QN_UNKNOWN, QN_SUSPICIOUS, QN_MALICIOUS };
enum qn_severity {
        QN_SEV_INFO,
        QN_SEV_LOW,
        QN_SEV_MEDIUM,
        QN_SEV_HIGH,
        QN_SEV_CRITICAL,
        QN_SEV_MAX
};

struct qn_finding {
        const struct qn_rule *rule;
        enum qn_verdict_kind
                verdict; /* the rule's; QN_CLEAN when weak evidence lies in code that cannot be reached */
        uint8_t layer, phase; /* of the strongest evidence */
        const struct qn_event *
                *evidence; /* the most telling first, at most QN_EVIDENCE_MAX, never empty */
        size_t n_evidence;
        struct qn_str
                explain; /* the rule's text with the evidence put in, UTF-8, not yet escaped; may be empty */
};

struct qn_verdict {
        enum qn_verdict_kind kind;
        unsigned score;       /* 0 to 100 */
        struct qn_str reason; /* one sentence, UTF-8, not yet escaped for a terminal; never empty */
        struct qn_finding *findings; /* strongest first, then by rule id */
        size_t n;
        const struct qn_event *
                *unanalysed; /* what is missing, also when the verdict is worse than unknown */
        size_t n_unanalysed;
};

/* The set is sealed.  The verdict lives in the arena and points into set and rules.  Score: 100 - 100 * product of
 * (1 - score/100) over the findings, kept within the verdict's band (malicious 80-100, suspicious 40-79, else 0-39): one
 * more finding never lowers it.  -ENOBUFS at the arena's cap. */
QN_MUST int qn_judge(const struct qn_rules *rules, const struct qn_event_set *set,
                     struct qn_arena *a, struct qn_verdict *ret);

const char *qn_verdict_name(enum qn_verdict_kind v);
const char *qn_severity_name(enum qn_severity s);
QN_MUST int qn_verdict_from_name(struct qn_str s, enum qn_verdict_kind *ret);
