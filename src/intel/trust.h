/* trust.h - whose word counts how much: data/intel/trust.yaml, and which packages are popular. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_intel_trust;

/* Reads the table; the list of popular names is only read when it is asked.  Lives in the arena. */
QN_MUST int qn_intel_trust_load(const char *data_dir, struct qn_arena *a,
                                struct qn_intel_trust **ret, struct qn_err *reterr);
/* Whether a report of that origin counts as one that nobody looked at.  trust may be NULL: all are. */
bool qn_intel_is_automatic(const struct qn_intel_trust *trust, struct qn_str origin);
/* Whether everybody uses the host, which may be a subdomain of one that is listed. */
bool qn_intel_is_shared_host(const struct qn_intel_trust *trust, struct qn_str host);
/* Whether the package is a popular one; one that cannot be told is.  trust NULL: none is. */
bool qn_intel_is_popular(struct qn_intel_trust *trust, struct qn_str name);
