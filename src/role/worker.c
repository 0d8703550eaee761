#include "role/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/input.h"

/* --- tasks --- */

/* A role must not be able to change what another role will read. */
static int check_fd(int fd, size_t *ret_size)
{
        struct stat st;
        int flags = fcntl(fd, F_GETFL), seals;

        if (flags < 0 || fstat(fd, &st) < 0)
                return -errno;
        seals = (flags & O_ACCMODE) == O_RDONLY ? F_SEAL_WRITE : fcntl(fd, F_GET_SEALS);
        if (!S_ISREG(st.st_mode) || seals < 0 || !(seals & F_SEAL_WRITE))
                return -EINVAL;
        if ((uint64_t)st.st_size > QN_ROLE_INPUT_MAX)
                return -EFBIG;
        *ret_size = (size_t)st.st_size;
        return 0;
}

/* The bytes of what stands beside the input are added. */
static int check_beside(const struct qn_msg_beside *b, size_t *size)
{
        for (unsigned i = 0; i < QN_BESIDE; i++) {
                size_t n;
                int r;

                if (!(b->has >> i & 1))
                        continue;
                r = check_fd(b->fds[i], &n);
                if (r < 0)
                        return r;
                *size += n;
        }
        return 0;
}

int qn_task_new(const struct qn_pool_job *job, const struct qn_role_def *def, struct qn_task **ret)
{
        const struct qn_role_job *kind = qn_role_find_job(def, job->kind);
        size_t weight = qn_cur_left(&job->input);
        struct qn_task *t;
        int r = job->input_fd >= 0 ? check_fd(job->input_fd, &weight) : 0;

        if (r == 0 && weight > QN_ROLE_INPUT_MAX)
                r = -EFBIG;
        if (r == 0)
                r = job->beside.has >> QN_BESIDE ? -EINVAL : check_beside(&job->beside, &weight);
        if (r < 0)
                return r;
        if (!kind)
                return -EOPNOTSUPP;
        if (job->params.n > QN_ROLE_PARAMS_MAX)
                return -EMSGSIZE;
        t = malloc(sizeof *t + job->params.n);
        if (!t)
                return -ENOMEM;
        if (job->params.n)
                memcpy(t + 1, job->params.p, job->params.n);
        *t = (struct qn_task){
                .fd = job->input_fd,
                .beside = job->beside,
                .params = qn_cur_mem(t + 1, job->params.n),
                .input = job->input_fd >= 0 ? (struct qn_cur){ 0 } : job->input,
                .weight = weight,
                .job = kind,
                .wall_ns =
                        job->wall_ns ? job->wall_ns : QN_ROLE_WALL_SECONDS * UINT64_C(1000000000),
                .done = job->done,
                .ctx = job->ctx,
                .user = job->user,
        };
        *ret = t;
        return 0;
}

struct qn_task *qn_task_free(struct qn_task *t)
{
        if (t && t->fd >= 0)
                close(t->fd);
        if (t)
                qn_msg_beside_close(&t->beside);
        free(t);
        return NULL;
}

/* --- what it writes --- */

static void drop_output(struct qn_task *t)
{
        if (t->beside.has >> QN_BESIDE_OUTPUT)
                close(t->beside.fds[QN_BESIDE_OUTPUT]);
        t->beside.has &= (uint8_t) ~(1u << QN_BESIDE_OUTPUT);
}

/* A new file for every try: what a worker wrote that came to an end with it is gone. */
static int make_output(struct qn_task *t)
{
        int fd;

        drop_output(t);
        if (!t->job->output_max)
                return 0;
        fd = memfd_create("qanat-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        t->beside.fds[QN_BESIDE_OUTPUT] = fd;
        t->beside.has |= 1u << QN_BESIDE_OUTPUT;
        return 0;
}

int qn_task_take_output(struct qn_task *t, int *ret, uint64_t *ret_size)
{
        uint64_t size = 0;
        int r;

        *ret = -1;
        *ret_size = 0;
        if (!(t->beside.has >> QN_BESIDE_OUTPUT))
                return 0;
        r = qn_input_seal(t->beside.fds[QN_BESIDE_OUTPUT], &size);
        if (r == 0 && size > t->job->output_max)
                r = -EBADMSG;
        if (r < 0)
                return r;
        *ret = t->beside.fds[QN_BESIDE_OUTPUT];
        *ret_size = size;
        t->beside.has &= (uint8_t) ~(1u << QN_BESIDE_OUTPUT);
        return 0;
}

/* --- queues --- */

void qn_tasks_init(struct qn_tasks *q)
{
        *q = (struct qn_tasks){ .tail = &q->head };
}

void qn_tasks_push(struct qn_tasks *q, struct qn_task *t)
{
        t->next = NULL;
        *q->tail = t;
        q->tail = &t->next;
        q->n++;
}

struct qn_task *qn_tasks_pop(struct qn_tasks *q)
{
        struct qn_task *t = q->head;

        if (!t)
                return NULL;
        q->head = t->next;
        if (!q->head)
                q->tail = &q->head;
        q->n--;
        return t;
}

void qn_tasks_unshift(struct qn_tasks *q, struct qn_tasks *from)
{
        if (!from->head)
                return;
        *from->tail = q->head;
        if (!q->head)
                q->tail = from->tail;
        q->head = from->head;
        q->n += from->n;
        qn_tasks_init(from);
}

/* --- the process --- */

void qn_worker_init(struct qn_worker *w)
{
        *w = (struct qn_worker){ .sock = -1 };
        qn_tasks_init(&w->tasks);
}

void qn_worker_done(struct qn_worker *w)
{
        if (w->sock >= 0)
                (void)qn_worker_end(w, false);
        qn_msg_reply_done(&w->reply);
}

int qn_worker_start(struct qn_worker *w, const struct qn_role_start *start, struct qn_err *reterr)
{
        int r = qn_role_spawn(start, &w->pid, &w->sock, reterr);

        if (r < 0)
                return r;
        w->ready = false;
        w->seq = 1;
        w->weight = 0;
        w->since = qn_io_nanos();
        qn_msg_reply_begin(&w->reply, 0, 0);
        return 0;
}

bool qn_worker_has_room(const struct qn_worker *w, size_t weight)
{
        if (w->tasks.n < 2) /* one runs, one waits, whatever their size */
                return true;
        return w->tasks.n < QN_ROLE_BATCH_MAX && w->weight + weight <= QN_ROLE_BATCH_BYTES;
}

/* The next thing that is expected is the reply to the task at the head. */
static void expect_head(struct qn_worker *w)
{
        w->since = qn_io_nanos();
        if (w->tasks.head)
                qn_msg_reply_begin(&w->reply, w->seq,
                                   QN_MIN(w->tasks.head->job->reply_max, QN_ROLE_REPLY_MAX));
}

int qn_worker_give(struct qn_worker *w, struct qn_task *t)
{
        struct qn_msg_job job = { .seq = w->seq + w->tasks.n,
                                  .kind = t->job->kind,
                                  .params = t->params };
        int r = make_output(t);

        job.beside = t->beside;
        if (r == 0 && t->fd < 0 && qn_cur_left(&t->input) > QN_ROLE_INLINE_MAX)
                r = qn_input_sealed(t->input, &t->fd);
        if (r < 0)
                return r;
        if (t->fd < 0)
                job.input = t->input;
        r = qn_msg_send_job(w->sock, &job, t->fd);
        if (r == -ETOOMANYREFS &&
            w->tasks.n) /* too many descriptors on their way: they will arrive */
                return -EAGAIN;
        if (r < 0)
                return r == -ECONNRESET ? -EPIPE : r;
        qn_tasks_push(&w->tasks, t);
        w->weight += t->weight;
        if (w->tasks.n == 1 && w->ready)
                expect_head(w);
        return 0;
}

int qn_worker_read(struct qn_worker *w, void *buf)
{
        struct qn_cur packet;
        int r = qn_msg_recv(w->sock, buf, &packet);

        if (r <= 0)
                return r == 0 ? -EPIPE : r;
        if (w->ready && !w->tasks.head)
                return -EBADMSG; /* nobody asked */
        r = qn_msg_reply_add(&w->reply, packet);
        if (r <= 0 || w->ready)
                return r;
        if (w->reply.status < 0)
                return -ECANCELED;
        w->ready = true;
        expect_head(w);
        return 0;
}

struct qn_task *qn_worker_pop(struct qn_worker *w)
{
        struct qn_task *t = qn_tasks_pop(&w->tasks);

        w->weight -= t->weight;
        w->seq++;
        expect_head(w);
        return t;
}

int qn_worker_end(struct qn_worker *w, bool gone)
{
        int status = qn_role_end(w->pid, gone);

        close(w->sock);
        w->sock = -1;
        w->ready = false;
        return status;
}
