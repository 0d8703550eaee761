/* worker.h - one role process as its parent sees it: the jobs it was given, its replies, its end.
 * Not here: which job goes to which worker, and what happens after a crash (pool.h). */
#pragma once

#include <sys/types.h>

#include "base/cur.h"
#include "base/err.h"
#include "role/msg.h"
#include "role/pool.h"
#include "role/role.h"

struct qn_task {
        struct qn_task *next;
        int fd;                      /* -1: input is used */
        struct qn_msg_beside beside; /* the output's place: since the task was given to a worker */
        struct qn_cur params, input;
        size_t weight; /* bytes of input */
        const struct qn_role_job *job;
        uint64_t wall_ns;
        unsigned crashes; /* workers that died of it, as it seems */
        qn_pool_done_fn *done;
        void *ctx, *user;
};

QN_MUST int qn_task_new(const struct qn_pool_job *job, const struct qn_role_def *def,
                        struct qn_task **ret);
struct qn_task *qn_task_free(struct qn_task *t);
/* Takes what was written, out of the role's reach; -1 when the job writes none.  -EBADMSG: too much; -errno. */
QN_MUST int qn_task_take_output(struct qn_task *t, int *ret, uint64_t *ret_size);

struct qn_tasks { /* a queue */
        struct qn_task *head, **tail;
        size_t n;
};

void qn_tasks_init(struct qn_tasks *q);
void qn_tasks_push(struct qn_tasks *q, struct qn_task *t);
struct qn_task *qn_tasks_pop(struct qn_tasks *q);
/* Moves all of `from` before the first of q. */
void qn_tasks_unshift(struct qn_tasks *q, struct qn_tasks *from);

struct qn_worker {
        pid_t pid;
        int sock; /* -1: there is no process */
        bool ready;
        uint64_t seq;          /* of the task at the head; counts up by one per task */
        struct qn_tasks tasks; /* given to it and not answered, in order */
        size_t weight;         /* of the tasks */
        uint64_t since;        /* when it was started, or when it began the task at the head (ns) */
        uint64_t not_before;   /* without process: when it may be started again (ns) */
        struct qn_msg_reply reply;
};

void qn_worker_init(struct qn_worker *w);
/* Kills the process if there is one; its tasks must be gone. */
void qn_worker_done(struct qn_worker *w);
QN_MUST int qn_worker_start(struct qn_worker *w, const struct qn_role_start *start,
                            struct qn_err *reterr);
bool qn_worker_has_room(const struct qn_worker *w, size_t weight);
/* Sends a task and owns it from then on: 0; -EAGAIN: not now; -EPIPE: it is dying; another -errno
 * is the task's fault. */
QN_MUST int qn_worker_give(struct qn_worker *w, struct qn_task *t);

/* Reads one packet into buf: 1 and w->reply is the whole answer to the task at the head; 0: more
 * has to come; -EAGAIN: nothing is there; -EPIPE: it is gone; -ECANCELED: it cannot start, w->reply
 * says why; another -errno: it does not keep to the protocol. */
QN_MUST int qn_worker_read(struct qn_worker *w, void *buf);
/* Removes the task at the head, whose reply was read or will never come. */
struct qn_task *qn_worker_pop(struct qn_worker *w);

/* Ends the process (with SIGKILL, unless `gone` and it ends by itself soon) and says how it ended,
 * as waitpid(). */
int qn_worker_end(struct qn_worker *w, bool gone);
