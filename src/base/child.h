/* child.h - programs that are started: each in a process group of its own, with signals as at the start of a program and no descriptor
 * but the three that it is given, so that it can be ended with all that it started. */
#pragma once

#include <sys/types.h>

#include "base/macro.h"

struct qn_buf;

struct qn_child {
        const char *path; /* of the program; NULL: argv[0], looked for in PATH */
        const char *const *argv, *const *env;
        int in, out, err;
};

QN_MUST int qn_child_start(const struct qn_child *c, pid_t *ret);
/* Ends the group at once, and waits for the child. */
void qn_child_kill(pid_t pid);
/* Waits for its end: 0, and *ret as waitpid(2) has it; -ETIMEDOUT: it goes on; -EINTR: the same, and there is something to read from
 * `wake` (-1: nothing).  ms < 0: however long. */
QN_MUST int qn_child_wait(pid_t pid, int ms, int wake, int *ret);
/* Runs it to its end and reads what it prints, in place of c->out: its exit status, or -errno.  -ETIMEDOUT: it took longer than ms and
 * was ended; -EFBIG: it prints more than the buffer takes, and was ended; -ECHILD: a signal ended it.  What ends this process from outside
 * ends it first. */
QN_MUST int qn_child_run(const struct qn_child *c, int ms, struct qn_buf *out);
