/* result.h - one thing that was checked, and what came out of it: what a check gives and a report takes. */
#pragma once

#include "base/str.h"
#include "rule/judge.h"

struct qn_digests;
struct qn_event_set;
struct qn_imprint;
struct qn_learned;

struct qn_result {
        struct qn_str target;                   /* what the user named */
        struct qn_str name, version, integrity; /* empty where it is not known */
        const struct qn_verdict *verdict; /* required: what could not be judged is a verdict made by
                                             qn_result_unknown() */
        const struct qn_event_set
                *set; /* that the evidence points into; NULL when there are no findings */
        const struct qn_digests
                *digests;    /* of the archive and files of evidence; NULL: not asked for */
        uint64_t elapsed_ns; /* fetching not included */
        /* As the registry's document says, where it was asked. */
        struct qn_str publisher; /* p NULL: unknown, or nobody */
        int64_t published;       /* milliseconds since 1970, or QN_TIME_NONE */
        void *tag;               /* of who wanted it checked */
        bool unfetched; /* something of it could not be had: that may be otherwise tomorrow */
        const struct qn_imprint
                *imprint; /* NULL: nobody asked for it, or it could not be analysed */
        const struct qn_learned *learned; /* NULL: there is no learned score */
};

/* The verdict for something of which there are no events: not found, not fetched, not readable.
 * reason: one sentence. */
static inline struct qn_verdict qn_result_unknown(struct qn_str reason)
{
        return (struct qn_verdict){ .kind = QN_UNKNOWN, .reason = reason };
}
