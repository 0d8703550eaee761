/* previous.h - a look at the version before, so that the package can be compared with it.  HOSTILE INPUT.
 * Only for analyse.c. */
#pragma once

#include "base/cur.h"
#include "base/err.h"

struct qn_archive;
struct qn_diff;
struct qn_previous;
struct qn_scan;

QN_MUST int qn_previous_new(struct qn_previous **ret);
struct qn_previous *qn_previous_free(struct qn_previous *p);

/* Looks at what differs between the two archives, with the scan, which must be begun anew afterwards; now: open.
 * 0 and what the scan is then to compare with (qn_scan_compare()); -ENOMEM; another error: the version before cannot be
 * read, and err tells why. */
QN_MUST int qn_previous_look(struct qn_previous *p, struct qn_scan *scan, struct qn_archive *now,
                             struct qn_cur previous, struct qn_diff **ret, struct qn_err *err);
