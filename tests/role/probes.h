/* probes.h - attempts to break out of a role, one system call each.  They are harmless where they
 * succeed. */
#pragma once

#include "base/macro.h"

enum probe_end {
        PROBE_REFUSED, /* the call returns EPERM */
        PROBE_KILLED,  /* SIGSYS */
        PROBE_ALLOWED,
};

struct probe {
        const char *name;
        enum probe_end analyse, fetch, serve; /* how it must end in each profile */
        long nr;
        unsigned long args[6];
};

extern const struct probe probes[];
extern const size_t n_probes;

/* 0 or errno.  parent: the process that started this one. */
int probe_run(size_t i, int parent);
