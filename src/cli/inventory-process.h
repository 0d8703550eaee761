/* inventory-process.h - what a running program of Node, Bun or Deno can load: its script and the trees of node_modules that a
 * require from there finds, in the file system that the process itself sees.  Nothing of its memory or environment is read. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define QN_PROCESS_PATHS_MAX 16u

struct qn_process {
        const char *name; /* "host:/srv/shop/server.js" */
        const char *paths[QN_PROCESS_PATHS_MAX];
        size_t n;
        size_t root; /* bytes of each path that lead to the file system of the process */
};

/* 0; -EINVAL no process id, -ESRCH no such process, -ENOEXEC a program of another kind, -ENOENT it has no packages; -errno. */
QN_MUST int qn_inventory_process(const char *pid, struct qn_arena *a, struct qn_process *ret,
                                 struct qn_err *reterr);
