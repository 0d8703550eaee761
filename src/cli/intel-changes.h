/* intel-changes.h - a list of changed records, read by an analyse role. */
#pragma once

#include "parse/changes.h"

struct qn_pool;

/* Owns the descriptor.  since_ms INT64_MAX: only how new the newest is.  0; -EFBIG: too many changed; -errno: the problem says
 * why. */
QN_MUST int qn_intel_read_changes(struct qn_pool *pool, int fd, int64_t since_ms,
                                  struct qn_arena *a, struct qn_changes *ret, char *problem,
                                  size_t problem_size);
