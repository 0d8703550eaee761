/* render.h - private to report/: the three formats, one file each, and what they share. */
#pragma once

#include "base/buf.h"
#include "report/report.h"

struct qn_event;

#define QN_REPORT_ENTRY_MAX ((size_t)16 << 20) /* bytes that one result may take in a report */

/* What a result looks like once it is rendered.  Keys point into text. */
struct qn_entry {
        struct qn_str name, version, target, integrity;
        enum qn_verdict_kind kind;
        char *text; /* the sort keys, then the rendered result */
        struct qn_str body;
};

struct qn_report {
        struct qn_report_opts o;
        struct qn_entry *entries;
        size_t n, cap;
        size_t counts[QN_MALICIOUS + 1];
        const struct qn_rule **rules; /* that occur in findings; sorted by id at the end */
        size_t n_rules, rules_cap;
};

/* One result. */
void qn_text_result(const struct qn_report_opts *o, const struct qn_result *res,
                    struct qn_buf *out);
void qn_json_result(const struct qn_report_opts *o, const struct qn_result *res,
                    struct qn_buf *out);
void qn_sarif_result(const struct qn_result *res, struct qn_buf *out);
/* The whole, from sorted entries. */
void qn_text_document(const struct qn_report *r, uint64_t elapsed_ns, struct qn_buf *out);
void qn_json_document(const struct qn_report *r, struct qn_buf *out);
void qn_sarif_document(const struct qn_report *r, struct qn_buf *out);

/* The file an event is about; empty for the package as a whole. */
struct qn_str qn_evidence_file(const struct qn_event_set *set, const struct qn_event *e);
/* The excerpt, or the attributes when there is none. */
void qn_evidence_text(const struct qn_event *e, struct qn_buf *out);
/* What to do about a verdict when its rules say nothing. */
const char *qn_advice(enum qn_verdict_kind k);
