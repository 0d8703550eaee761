/* serve.h - the life of a role process: open, confine, say ready, work until the parent is gone. */
#pragma once

#include "base/macro.h"

struct qn_role_def;

/* Returns the exit status of the process.  The process must have one thread. */
QN_MUST int qn_role_live(const struct qn_role_def *def, int sock, const char *data_dir,
                         bool confined);
