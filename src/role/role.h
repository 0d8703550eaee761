/* role.h - processes of this program that do one thing with no more power than it needs.
 * A role is the same executable, run again with a hidden argument and an empty environment.  It
 * opens what it needs (qn_role_def.open), confines itself, says that it is ready, and from then on
 * takes jobs from its socket (msg.h), one after the other, until the parent is gone.  Not here:
 * handing out jobs (pool.h), what a role may do (confine.h). */
#pragma once

#include <sys/types.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "role/confine.h"
#include "role/msg.h"

/* Where a job writes. */
struct qn_role_output {
        int fd;
        size_t left; /* bytes that may still be written */
};

/* 0; -EFBIG past the job's cap; -errno.  out: a struct qn_role_output, so that it serves as a sink (base/sink.h). */
QN_MUST int qn_role_write(void *out, const void *p, size_t n);

struct qn_role_job {
        uint8_t kind;
        size_t reply_max;     /* bytes */
        unsigned cpu_seconds; /* processor time of one job */
        /* Runs confined.  0 and the reply, or a negative errno and the error.  -ENOMEM ends the
         * process: it met its memory limit. */
        int (*run)(void *ctx, struct qn_cur params, struct qn_cur input, struct qn_buf *reply,
                   struct qn_err *reterr);
        /* Instead of it, for jobs with further inputs beside the first: those that are not there are empty. */
        int (*run_beside)(void *ctx, struct qn_cur params,
                          const struct qn_cur inputs[1 + QN_BESIDE], struct qn_buf *reply,
                          struct qn_err *reterr);
        /* Instead of them, for jobs that write a file of at most output_max bytes: the reply is empty. */
        int (*run_output)(void *ctx, struct qn_cur params,
                          const struct qn_cur inputs[1 + QN_BESIDE], struct qn_role_output *out,
                          struct qn_err *reterr);
        size_t output_max;
};

struct qn_role_def {
        enum qn_role role;
        /* Runs before confinement: loads tables from data_dir.  NULL: nothing to load. */
        int (*open)(const char *data_dir, void **ret, struct qn_err *reterr);
        const struct qn_role_job *jobs;
        size_t n_jobs;
        /* Instead of jobs, for a role that works on several things at once: takes messages until
         * the parent is gone and returns the exit status. */
        int (*serve)(void *ctx, int sock);
};

const struct qn_role_job *qn_role_find_job(const struct qn_role_def *def, uint8_t kind);

/* How a role ends that meets one of its own limits. */
enum {
        QN_ROLE_EXIT_CPU = 81,
        QN_ROLE_EXIT_MEMORY,
        QN_ROLE_EXIT_PROTOCOL,
        QN_ROLE_EXIT_START, /* after telling the reason */
};

/* main() calls this first: whether the arguments are those of a role, and the role itself (analyse
 * or fetch); returns its exit status. */
bool qn_role_requested(int argc, char **argv);
QN_MUST int qn_role_main(int argc, char **argv);
/* The same for a program with roles of its own. */
QN_MUST int qn_role_run(const struct qn_role_def *const *defs, size_t n, int argc, char **argv);

struct qn_role_start {
        enum qn_role role;
        const char *data_dir;  /* NULL: none */
        const char *cache_dir; /* where open() may keep what it compiled; NULL: nowhere */
        bool no_sandbox;       /* limits stay, confinement is left out */
};

/* Starts a role: its process and the parent's end of its socket (not blocking, closed on exec). The
 * caller closes the socket and waits for the process.  The process dies with the thread that
 * started it. */
QN_MUST int qn_role_spawn(const struct qn_role_start *start, pid_t *ret_pid, int *ret_sock,
                          struct qn_err *reterr);
/* Ends such a process (with SIGKILL, unless `gone` and it ends by itself soon) and says how it
 * ended, as waitpid(). */
int qn_role_end(pid_t pid, bool gone);
