/* report.h - verdicts → what people and machines read: text, JSON (qanat.check/1) and SARIF 2.1.0.
 * A result is rendered when it is added, so that the package's events may be freed at once; at the
 * end the results are put into one order (name, version, target), whatever order they were added
 * in.
 *
 *   qn_report_new(); qn_report_add()…; qn_report_end(); return qn_report_status();
 */
#pragma once

#include "base/macro.h"
#include "base/str.h"
#include "rule/result.h"

struct qn_buf;
struct qn_report;

enum qn_report_format { QN_REPORT_TEXT, QN_REPORT_JSON, QN_REPORT_SARIF };

struct qn_report_opts {
        enum qn_report_format format;
        enum qn_verdict_kind fail_on; /* QN_SUSPICIOUS or QN_MALICIOUS */
        /* text, unless said otherwise */
        bool colour;
        bool all;     /* one line for each clean package, however many there are */
        bool explain; /* why each rule exists, all evidence, and rules that only inform; JSON: all features of the learned score */
        size_t width; /* columns; 0: 100 */
};

QN_MUST
int qn_report_new(const struct qn_report_opts *o, struct qn_report **ret);
struct qn_report *qn_report_free(struct qn_report *r);
void qn_report_freep(struct qn_report **r);

/* Everything is copied except the rules, which must live until the end. */
QN_MUST
int qn_report_add(struct qn_report *r, const struct qn_result *res);
/* Writes the whole report.  elapsed_ns: of the run, 0 leaves it out (text only). */
QN_MUST
int qn_report_end(struct qn_report *r, uint64_t elapsed_ns, struct qn_buf *out);

/* How many results had that verdict. */
size_t qn_report_count(const struct qn_report *r, enum qn_verdict_kind k);
/* The exit status: 1 something at or above fail_on, else 3 something unknown, else 0.  (2 is wrong
 * usage.) */
int qn_report_status(const struct qn_report *r);
int qn_exit_status(enum qn_verdict_kind fail_on, const size_t counts[QN_MALICIOUS + 1]);

QN_MUST
int qn_report_format_from_name(struct qn_str s, enum qn_report_format *ret);
