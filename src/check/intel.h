/* intel.h - what intelligence knows about an artifact, as events beside what was seen in it.  Private to check/. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_check_intel;
struct qn_item;
struct qn_tell;

/* only: nothing else will be asked, and there must be an index; without it *ret is NULL when there is none. */
QN_MUST int qn_check_intel_open(const char *state_dir, const char *data_dir, bool only,
                                struct qn_check_intel **ret, struct qn_err *reterr);
struct qn_check_intel *qn_check_intel_free(struct qn_check_intel *ci);
void qn_check_intel_freep(struct qn_check_intel **ci);

/* A table of what is listed, for the analyse roles: a sealed descriptor that stays its own, or -1. */
int qn_check_intel_known(const struct qn_check_intel *ci);
/* Goes on with the newest state.  -errno: it is as it was, or asks nothing any more. */
QN_MUST int qn_check_intel_again(struct qn_check_intel *ci, const char *data_dir,
                                 struct qn_err *reterr);
/* What it asks, NULL: nothing; stays its own. */
struct qn_tell *qn_check_intel_tell(struct qn_check_intel *ci);
/* Adds to the item's events what is known about its name, version and integrity, and about hosts and hashes that its events name.
 * 0 or -errno. */
QN_MUST int qn_check_intel_add(struct qn_check_intel *ci, struct qn_item *it);
