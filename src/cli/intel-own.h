/* intel-own.h - the organisation's own list: STATE/intel/own.yaml (parse/own-list.h), which people may edit, and its part of the
 * index. */
#pragma once

#include "cli/intel-import.h"

struct qn_args;

/* block, allow, expire NAME[@VERSION]: adds the entry to the list and takes the list in.  Logs what is wrong. */
QN_MUST int qn_intel_own_add(const struct qn_args *a, const struct qn_intel_import *how,
                             const char *action, const char *what);
/* Takes the list in, when there is one: 1; 0: there is none. */
QN_MUST int qn_intel_own_take(const struct qn_intel_import *how);
