/* dependency.h - the dependencies that a version brings and the version before did not have: which, and what their own
 * documents tell.  Private to check/. */
#pragma once

#include "check/item.h"

struct qn_buf;

/* Finds them among the item's events: it->deps.  0 or -ENOMEM. */
QN_MUST int qn_check_dependencies(struct qn_item *it);
/* The one whose turn it is, NULL when there is none left. */
const struct qn_item_dep *qn_check_dependency(const struct qn_item *it);
/* Parameters of its job. */
void qn_check_dependency_params(const struct qn_item *it, struct qn_buf *params);
/* Its document cannot be had: what tells why. */
void qn_check_dependency_without(struct qn_item *it, const char *what);
/* The reply of its job.  0, -EBADMSG or -ENOBUFS. */
QN_MUST int qn_check_dependency_take(struct qn_item *it, struct qn_cur reply);
