/* landlock.h - gives up the file system, TCP and signals to others, except for what a list of paths
 * allows to read. */
#pragma once

#include "base/macro.h"

struct qn_landlock {
        const char *const *read; /* what stays readable, with what is below it; ends with NULL */
        bool connect;            /* TCP connections stay allowed (binding never is) */
};

/* Uses everything the running kernel knows: 0 or -errno (-ENOSYS, -EOPNOTSUPP: not there or
 * switched off). */
QN_MUST int qn_landlock_apply(const struct qn_landlock *l);
