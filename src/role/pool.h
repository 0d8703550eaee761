/* pool.h - a number of role processes that work on jobs.
 * Jobs are handed out in batches; results come in any order, each exactly once.  When a worker
 * dies, what it had not answered goes to a new one; the job it was working on gets one more try.
 * The number of workers changes nothing but the time.
 *
 *      qn_pool_new(); qn_pool_submit()…; while (qn_pool_poll(pool, -1) > 0); qn_pool_free();
 *
 * or, beside other descriptors: wait for qn_pool_fd() to be readable or qn_pool_timeout() to pass,
 * then qn_pool_poll(pool, 0). */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "role/msg.h"
#include "role/role.h"

struct qn_pool;

enum qn_pool_status {
        QN_POOL_OK,
        QN_POOL_FAILED,   /* the job itself returned an error */
        QN_POOL_CRASHED,  /* the worker died of it */
        QN_POOL_TIMEOUT,  /* wall clock */
        QN_POOL_LIMIT,    /* processor time or memory */
        QN_POOL_PROTOCOL, /* the worker answered nonsense */
};

struct qn_pool_result {
        enum qn_pool_status status;
        int code;            /* QN_POOL_FAILED: negative errno; QN_POOL_CRASHED: the signal, or 0 */
        const char *why;     /* one sentence, printable ASCII; empty for QN_POOL_OK */
        struct qn_cur reply; /* QN_POOL_OK: hostile bytes, live during the call */
        /* QN_POOL_OK, of jobs that write an output: a sealed memfd at position 0 that holds hostile bytes; the callback's
         * when it takes it, with TAKE_FD(*result->output_fd), else it is closed.  *output_fd -1: there is none. */
        int *output_fd;
        uint64_t output_size;
        uint64_t elapsed_ns; /* as the worker says; 0 when it could not */
        void *user;
};

/* Called from qn_pool_poll(); may submit jobs, must not free the pool. */
typedef void qn_pool_done_fn(void *ctx, const struct qn_pool_result *result);

struct qn_pool_config {
        const struct qn_role_def *def;
        const char *data_dir, *cache_dir; /* NULL or as in qn_role_start; copied */
        unsigned workers;                 /* at most; they start as work comes */
        bool no_sandbox;
        qn_pool_done_fn *done;
        void *ctx;
};

struct qn_pool_job {
        uint8_t kind;
        struct qn_str params;        /* copied */
        struct qn_cur input;         /* must live until the result; not with input_fd */
        int input_fd;                /* a file open for reading only, or a sealed memfd; -1: none */
        struct qn_msg_beside beside; /* further inputs, of the same kind as input_fd */
        uint64_t wall_ns;            /* 0: QN_ROLE_WALL_SECONDS */
        qn_pool_done_fn *done;       /* NULL: that of the pool, which passes its own context too */
        void *ctx;
        void *user;
};

/* Starts the first worker at once, so that it loads its tables while the caller goes on.  0 or
 * -errno. */
QN_MUST int qn_pool_new(const struct qn_pool_config *config, struct qn_pool **ret,
                        struct qn_err *reterr);
/* Kills the workers and forgets unfinished jobs without a result. */
struct qn_pool *qn_pool_free(struct qn_pool *p);
void qn_pool_freep(struct qn_pool **p);

/* 0: the pool owns the descriptors from here and will call done once; or -errno (-EMSGSIZE, -EFBIG,
 * -EINVAL: a descriptor that can be written to; -ENOMEM): nothing happened. */
QN_MUST int qn_pool_submit(struct qn_pool *p, const struct qn_pool_job *job);

/* Does what can be done, waiting at most timeout_ms (-1: as long as it takes) for something to do.
 * Returns the number of unfinished jobs, or -errno when no worker can be started; every job has had
 * its result then, and *reterr says why. */
QN_MUST int qn_pool_poll(struct qn_pool *p, int timeout_ms, struct qn_err *reterr);
/* Jobs that were submitted and have no result yet. */
size_t qn_pool_pending(const struct qn_pool *p);
/* Jobs that may be submitted before a worker has nothing to do: callers that hold descriptors open
 * no more than these. */
size_t qn_pool_room(const struct qn_pool *p);
int qn_pool_fd(const struct qn_pool *p);
/* Milliseconds until qn_pool_poll() wants to be called even though nothing arrived; -1: never. */
int qn_pool_timeout(const struct qn_pool *p);

const char *qn_pool_status_name(enum qn_pool_status s);
