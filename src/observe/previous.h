/* previous.h - a look at the version before, so that the package can be compared with it.  HOSTILE INPUT.
 * Only for analyse.c. */
#pragma once

#include "base/cur.h"
#include "base/err.h"

struct qn_archive;
struct qn_diff;
struct qn_observers;
struct qn_previous;
struct qn_scan;

QN_MUST int qn_previous_new(const struct qn_observers *o, struct qn_previous **ret);
struct qn_previous *qn_previous_free(struct qn_previous *p);

/* Notes the files of the version before.  0 and what the scan is then to compare with (qn_scan_compare()), and to be told of each
 * file (qn_diff_now()); -ENOMEM; another error: the version before cannot be read, and err tells why.  It stays open until
 * qn_previous_close(), its bytes are borrowed till then. */
QN_MUST int qn_previous_open(struct qn_previous *p, struct qn_cur previous, struct qn_diff **ret,
                             struct qn_err *err);
/* The scan has seen all files of the package, but not run its programs: which of its code is new is learnt. */
QN_MUST int qn_previous_learn(struct qn_previous *p, struct qn_scan *scan);
/* The scan of the package is done, but for its finish: what the version before did is learnt where that must be known. */
QN_MUST int qn_previous_observe(struct qn_previous *p, const struct qn_scan *scan);
void qn_previous_close(struct qn_previous *p);
