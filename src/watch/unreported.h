/* unreported.h - what was found, and nobody was told of yet (store/reports.h). */
#pragma once

#include "store/reports.h"
#include "watch/policy.h"

/* Each version that counts as malicious (judged to be so and not rejected by a person, or confirmed) and is not put off beyond `now`;
 * policy: only those that it wants to be reported, NULL: all.  In the order in which they were found. */
QN_MUST int qn_unreported(struct qn_db *db, const struct qn_watch_policy *policy, int64_t now,
                          qn_unreported_fn *fn, void *ctx);
