#include "role/serve.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/input.h"
#include "role/msg.h"
#include "role/role.h"

#define TICK_MS 50 /* processor time between two looks at the budget of a job */

/* One process, one thread, one job at a time; the timer's handler needs to find it. */
static struct worker {
        const struct qn_role_def *def;
        void *ctx;
        int sock;
        struct qn_input inputs[1 + QN_BESIDE];
        struct qn_buf reply;
        volatile uint64_t cpu_end; /* processor time at which the running job must have ended; 0:
                                      none is running */
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
} worker;

static uint64_t cpu_nanos(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tick(int sig QN_UNUSED)
{
        int saved = errno;

        if (worker.cpu_end && cpu_nanos() > worker.cpu_end)
                _exit(QN_ROLE_EXIT_CPU);
        for (size_t i = 0; i < QN_ARRAY_SIZE(worker.inputs); i++)
                qn_input_trim(&worker.inputs[i]);
        errno = saved;
}

/* The timer runs only while the process does, so an idle role is not woken. */
static int start_ticking(void)
{
        const struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
        const struct itimerval every = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };

        if (sigaction(SIGPROF, &action, NULL) < 0 || setitimer(ITIMER_PROF, &every, NULL) < 0)
                return -errno;
        return 0;
}

int qn_role_write(void *out, const void *p, size_t n)
{
        struct qn_role_output *o = out;

        if (n > o->left)
                return -EFBIG;
        o->left -= n;
        return qn_io_write_fd(o->fd, (struct qn_str){ p, n });
}

/* With the inputs at hand: the job itself. */
static int run_on(const struct qn_msg_job *job, const struct qn_cur *inputs, struct qn_err *reterr)
{
        const struct qn_role_job *kind = qn_role_find_job(worker.def, job->kind);
        struct qn_role_output output = { .fd = job->beside.fds[QN_BESIDE_OUTPUT] };
        int r;

        if (!kind || (job->beside.has && !kind->run_beside && !kind->run_output) ||
            job->beside.has >> QN_BESIDE_OUTPUT != (kind->output_max > 0))
                return qn_fail(reterr, -EOPNOTSUPP, 0, "no such job");
        qn_buf_reset(&worker.reply);
        worker.reply.max = kind->reply_max;
        output.left = kind->output_max;
        worker.cpu_end = cpu_nanos() + kind->cpu_seconds * UINT64_C(1000000000);
        if (kind->run_output)
                r = kind->run_output(worker.ctx, job->params, inputs, &output, reterr);
        else if (kind->run_beside)
                r = kind->run_beside(worker.ctx, job->params, inputs, &worker.reply, reterr);
        else
                r = kind->run(worker.ctx, job->params, inputs[0], &worker.reply, reterr);
        worker.cpu_end = 0;
        if (r == 0)
                r = qn_buf_error(&worker.reply);
        return r < 0 && !reterr->msg[0] ? qn_fail(reterr, r, 0, "%s", strerror(-r)) : r;
}

static int run_job(const struct qn_msg_job *job, int fd, struct qn_err *reterr)
{
        struct qn_cur inputs[QN_ARRAY_SIZE(worker.inputs)] = { job->input };
        int fds[QN_ARRAY_SIZE(worker.inputs)] = { fd }, r = 0, stale = 0;

        for (unsigned i = 0; i < QN_BESIDE; i++)
                fds[1 + i] = job->beside.has >> i & 1 ? job->beside.fds[i] : -1;
        for (size_t i = 0; i < QN_ARRAY_SIZE(fds) && r == 0; i++)
                if (fds[i] >= 0)
                        r = qn_input_open(&worker.inputs[i], fds[i], &inputs[i], reterr);
        if (r == 0)
                r = run_on(job, inputs, reterr);
        for (size_t i = 0; i < QN_ARRAY_SIZE(fds); i++)
                if (fds[i] >= 0 && qn_input_close(&worker.inputs[i], fds[i], reterr) < 0)
                        stale = -ESTALE;
        return stale < 0 ? stale : r;
}

static int answer(const struct qn_msg_job *job, int fd)
{
        struct qn_err err = { 0 };
        uint64_t start = qn_io_nanos();
        int r = run_job(job, fd, &err);

        if (r == -ENOMEM)
                _exit(QN_ROLE_EXIT_MEMORY);
        r = qn_msg_send_reply(worker.sock, job->seq, r, qn_io_nanos() - start,
                              r < 0 ? qn_str_c(err.msg) : qn_buf_view(&worker.reply));
        if (worker.reply.cap > QN_ROLE_MESSAGE_MAX * 8)
                qn_buf_done(&worker.reply);
        return r;
}

static int work(void)
{
        for (;;) {
                _cleanup_(qn_closep) int fd = -1;
                struct qn_msg_job job;
                int r = qn_msg_recv_job(worker.sock, worker.packet, &job, &fd);

                if (r == 0)
                        return 0;
                if (r > 0) {
                        r = answer(&job, fd);
                        qn_msg_beside_close(&job.beside);
                }
                if (r < 0)
                        return r == -EPIPE ? 0 : QN_ROLE_EXIT_PROTOCOL;
        }
}

static int prepare(const char *data_dir, bool confined, struct qn_err *reterr)
{
        const struct qn_role_def *def = worker.def;
        int r = def->open ? def->open(data_dir, &worker.ctx, reterr) : 0;

        if (r < 0)
                return r;
        r = qn_confine_limits(def->role, worker.sock + 1, reterr);
        if (r < 0)
                return r;
        r = def->serve ? 0 : start_ticking(); /* the budget is one of jobs */
        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot start a timer: %s", strerror(-r));
        return confined ? qn_confine(def->role, reterr) : 0;
}

int qn_role_live(const struct qn_role_def *def, int sock, const char *data_dir, bool confined)
{
        struct qn_err err = { 0 };
        int r;

        worker.def = def;
        worker.sock = sock;
        r = prepare(data_dir, confined, &err);
        if (r < 0 && !err.msg[0])
                qn_fail(&err, r, 0, "%s", strerror(-r));
        if (qn_msg_send_reply(sock, 0, r, 0, qn_str_c(err.msg)) < 0 || r < 0)
                _exit(QN_ROLE_EXIT_START);
        _exit(def->serve
                      ? def->serve(worker.ctx, sock)
                      : work()); /* nothing that a library registered for the exit is of use in a role */
}
