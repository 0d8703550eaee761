/* advisory-range.h - ranges as advisories write them: ">= 1.0.0, < 2.0.0", "= 1.2.3", "> 0", "<= 3.1" → events of an OSV range, or
 * exact versions.  HOSTILE INPUT. */
#pragma once

#include "parse/osv.h"

/* Adds a range, or versions, to the block.  0; -EINVAL: it is not understood; -ENOBUFS. */
QN_MUST int qn_advisory_range(struct qn_str text, struct qn_arena *a,
                              struct qn_osv_affected *block);
