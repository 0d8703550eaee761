/* report-file.h - a record as a file in a checkout: whole or not at all, and never over another one. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* Whether two records are the same, or differ in their times alone. */
bool qn_report_same(struct qn_str a, struct qn_str b);
/* Writes text to root/path, with the directories on the way; root must be there.  1: the same is there already, or one that differs
 * in its times alone; 0: written; -EEXIST: something else is there; -errno.  Logs nothing. */
QN_MUST int qn_report_file(const char *root, struct qn_str path, struct qn_str text,
                           struct qn_err *reterr);
