#include "role/pool.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/worker.h"

#define MS UINT64_C(1000000)

struct qn_pool {
        struct qn_pool_config config;
        char *data_dir, *cache_dir;
        int epoll;
        int error; /* no worker can be started: why is in err */
        struct qn_err err;
        struct qn_tasks queue;
        size_t pending;
        unsigned strikes;       /* crashes, less the answers since */
        unsigned failed_starts; /* in a row */
        struct qn_worker workers[QN_ROLE_WORKERS_MAX];
        uint8_t packet[QN_ROLE_MESSAGE_MAX];
};

/* How a worker was lost, as far as the parent knows before it asks the system. */
enum loss { LOSS_GONE, LOSS_TIMEOUT, LOSS_PROTOCOL };

const char *qn_pool_status_name(enum qn_pool_status s)
{
        static const char *const names[] = {
                [QN_POOL_OK] = "ok",           [QN_POOL_FAILED] = "failed",
                [QN_POOL_CRASHED] = "crashed", [QN_POOL_TIMEOUT] = "timeout",
                [QN_POOL_LIMIT] = "limit",     [QN_POOL_PROTOCOL] = "protocol",
        };

        return names[s];
}

/* --- results --- */

static void deliver(struct qn_pool *p, struct qn_task *t, struct qn_pool_result *result)
{
        int none = -1;

        if (!result->output_fd)
                result->output_fd = &none;
        result->user = t->user;
        p->pending--;
        if (t->done)
                t->done(t->ctx, result);
        else
                p->config.done(p->config.ctx, result);
        qn_task_free(t);
}

/* A sentence of a role, for people: cut, and with nothing in it that a terminal would act on. */
static void copy_sentence(struct qn_str s, char *ret, size_t size)
{
        size_t n = QN_MIN(s.n, size - 1);

        for (size_t i = 0; i < n; i++)
                ret[i] = s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?';
        ret[n] = '\0';
}

static void deliver_answer(struct qn_pool *p, struct qn_worker *w)
{
        struct qn_pool_result result = { .elapsed_ns = w->reply.elapsed_ns, .why = "" };
        struct qn_cur bytes = w->reply.bytes;
        _cleanup_(qn_closep) int output = -1;
        char why[sizeof p->err.msg];
        int status = w->reply.status;

        if (status == 0)
                status = qn_task_take_output(w->tasks.head, &output, &result.output_size);
        p->strikes -= p->strikes > 0;
        if (status < 0) {
                copy_sentence(w->reply.status < 0 ? qn_cur_rest(&bytes)
                                                  : qn_str_c(strerror(-status)),
                              why, sizeof why);
                result.status = QN_POOL_FAILED;
                result.code = status;
                result.why = why;
        } else {
                result.reply = bytes;
                result.output_fd = &output;
        }
        deliver(p, qn_worker_pop(w), &result);
}

/* What the end of a worker means for the job it was working on. */
static void judge_end(enum loss loss, int status, const struct qn_task *victim,
                      struct qn_pool_result *ret, char *why, size_t size)
{
        const char *name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

        ret->why = why;
        ret->status = QN_POOL_CRASHED;
        if (loss == LOSS_TIMEOUT) {
                ret->status = QN_POOL_TIMEOUT;
                snprintf(why, size, "the time limit was reached");
        } else if (loss == LOSS_PROTOCOL || code == QN_ROLE_EXIT_PROTOCOL) {
                ret->status = QN_POOL_PROTOCOL;
                snprintf(why, size, "the worker and its parent did not understand each other");
        } else if (code == QN_ROLE_EXIT_CPU) {
                ret->status = QN_POOL_LIMIT;
                snprintf(why, size, "it needs more than %u s of processor time",
                         victim->job->cpu_seconds);
        } else if (code == QN_ROLE_EXIT_MEMORY) {
                ret->status = QN_POOL_LIMIT;
                snprintf(why, size, "it needs more than %zu MB of memory", QN_ROLE_MEMORY >> 20);
        } else if (WIFSIGNALED(status)) {
                ret->code = WTERMSIG(status);
                snprintf(why, size, "the worker crashed (SIG%s)", name ? name : "RT");
        } else {
                snprintf(why, size, "the worker ended with status %d", code);
        }
}

/* --- workers --- */

static size_t count_running(const struct qn_pool *p)
{
        size_t n = 0;

        for (unsigned i = 0; i < p->config.workers; i++)
                n += p->workers[i].sock >= 0;
        return n;
}

/* Gives up: nothing more will run, and every job gets to know. */
static void give_up(struct qn_pool *p, int error, const char *why)
{
        struct qn_pool_result result = { .status = QN_POOL_CRASHED, .why = p->err.msg };
        struct qn_tasks rest;
        struct qn_task *t;

        p->error = qn_fail(&p->err, error, 0, "%s", why);
        qn_tasks_init(&rest);
        for (unsigned i = 0; i < p->config.workers; i++) {
                struct qn_worker *w = &p->workers[i];

                if (w->sock >= 0)
                        (void)qn_worker_end(w, false);
                qn_tasks_unshift(&rest, &w->tasks);
        }
        qn_tasks_unshift(&rest, &p->queue);
        while ((t = qn_tasks_pop(&rest)))
                deliver(p, t, &result);
}

/* Restarts get slower while crashes outnumber answers, so that a broken installation does not burn
 * the machine. */
static uint64_t back_off(const struct qn_pool *p)
{
        unsigned n = QN_MAX(p->failed_starts, p->strikes > 8 ? p->strikes - 8 : 0u);

        return n ? MS << QN_MIN(n, 4u) : 0;
}

static void put_back(struct qn_pool *p, struct qn_task *t)
{
        struct qn_tasks one;

        qn_tasks_init(&one);
        qn_tasks_push(&one, t);
        qn_tasks_unshift(&p->queue, &one);
}

/* A crash gets a second try, because the worker may have been killed from outside or before it
 * began with the job. */
static void lose_worker(struct qn_pool *p, struct qn_worker *w, enum loss loss)
{
        bool was_ready = w->ready;
        struct qn_task *victim = was_ready && w->tasks.n ? qn_worker_pop(w) : NULL;
        int status = qn_worker_end(w, loss == LOSS_GONE);
        struct qn_pool_result result = { 0 };
        char why[sizeof p->err.msg];

        if (victim)
                judge_end(loss, status, victim, &result, why, sizeof why);
        if (was_ready)
                p->strikes++;
        else
                p->failed_starts++;
        w->not_before = qn_io_nanos() + back_off(p);
        qn_tasks_unshift(&p->queue, &w->tasks);
        if (victim && result.status == QN_POOL_CRASHED && ++victim->crashes < QN_ROLE_CRASHES_MAX)
                put_back(p, victim);
        else if (victim)
                deliver(p, victim, &result);
        if (p->strikes > QN_ROLE_STRIKES_MAX)
                give_up(p, -EPROTO, "too many workers crashed");
        else if (p->failed_starts >= QN_ROLE_STARTS_MAX)
                give_up(p, -EPROTO, "workers end before they are ready");
}

/* Reads what a worker sent until there is nothing more. */
static void hear_worker(struct qn_pool *p, struct qn_worker *w)
{
        char why[sizeof p->err.msg];

        while (w->sock >= 0) {
                int r = qn_worker_read(w, p->packet);

                if (w->ready)
                        p->failed_starts = 0;
                if (r == 1) {
                        deliver_answer(p, w);
                } else if (r == -EAGAIN) {
                        return;
                } else if (r == -ECANCELED) {
                        struct qn_cur bytes = w->reply.bytes;

                        copy_sentence(qn_cur_rest(&bytes), why, sizeof why);
                        give_up(p, w->reply.status, why);
                } else if (r < 0) {
                        lose_worker(p, w, r == -EPIPE ? LOSS_GONE : LOSS_PROTOCOL);
                }
        }
}

/* When the patience with a worker ends; 0: it has nothing to do. */
static uint64_t deadline(const struct qn_worker *w)
{
        if (w->sock < 0)
                return 0;
        if (!w->ready)
                return w->since + QN_ROLE_START_SECONDS * 1000 * MS;
        return w->tasks.head ? w->since + w->tasks.head->wall_ns : 0;
}

static void kill_late(struct qn_pool *p)
{
        uint64_t now = qn_io_nanos();

        for (unsigned i = 0; i < p->config.workers; i++) {
                uint64_t at = deadline(&p->workers[i]);

                if (at && now >= at)
                        lose_worker(p, &p->workers[i], LOSS_TIMEOUT);
        }
}

static int start_worker(struct qn_pool *p, struct qn_worker *w, struct qn_err *reterr)
{
        const struct qn_role_start start = { .role = p->config.def->role,
                                             .data_dir = p->data_dir,
                                             .cache_dir = p->cache_dir,
                                             .no_sandbox = p->config.no_sandbox };
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };
        int r = qn_worker_start(w, &start, reterr);

        if (r < 0)
                return r;
        if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, w->sock, &event) < 0) {
                r = qn_fail(reterr, -errno, 0, "cannot watch a worker: %s", strerror(errno));
                (void)qn_worker_end(w, false);
        }
        return r;
}

/* --- handing out --- */

/* The least busy worker that has room, or NULL. */
static struct qn_worker *pick_worker(struct qn_pool *p, size_t weight)
{
        struct qn_worker *best = NULL;

        for (unsigned i = 0; i < p->config.workers; i++) {
                struct qn_worker *w = &p->workers[i];

                if (w->sock < 0 || !qn_worker_has_room(w, weight))
                        continue;
                if (!best || w->tasks.n < best->tasks.n)
                        best = w;
        }
        return best;
}

static struct qn_worker *startable_worker(struct qn_pool *p)
{
        uint64_t now = qn_io_nanos();

        for (unsigned i = 0; i < p->config.workers; i++)
                if (p->workers[i].sock < 0 && now >= p->workers[i].not_before)
                        return &p->workers[i];
        return NULL;
}

/* A worker for the next job: an idle one, a new one, the least busy one.  NULL: none has room. */
static struct qn_worker *find_worker(struct qn_pool *p, size_t weight)
{
        struct qn_worker *w = pick_worker(p, weight), *fresh;
        struct qn_err err = { 0 };
        int r;

        if (w && w->tasks.n == 0)
                return w;
        fresh = startable_worker(p);
        if (!fresh)
                return w;
        r = start_worker(p, fresh, &err);
        if (r == 0)
                return fresh;
        fresh->not_before = qn_io_nanos() + 100 * MS;
        if (count_running(p) == 0 && ++p->failed_starts >= QN_ROLE_STARTS_MAX)
                give_up(p, r, err.msg);
        return w;
}

static void hand_out(struct qn_pool *p)
{
        while (p->queue.head && !p->error) {
                struct qn_worker *w = find_worker(p, p->queue.head->weight);
                struct qn_task *t;
                int r;

                if (!w)
                        return;
                t = qn_tasks_pop(&p->queue);
                r = qn_worker_give(w, t);
                if (r == 0)
                        continue;
                if (r != -EAGAIN && r != -EPIPE) {
                        struct qn_pool_result result = { .status = QN_POOL_FAILED,
                                                         .code = r,
                                                         .why = strerror(-r) };

                        deliver(p, t, &result);
                        continue;
                }
                put_back(p, t); /* a reply or the end of the worker will bring us back here */
                return;
        }
}

/* --- the interface --- */

int qn_pool_new(const struct qn_pool_config *config, struct qn_pool **ret, struct qn_err *reterr)
{
        _cleanup_(qn_pool_freep) struct qn_pool *p = calloc(1, sizeof *p);
        int r;

        if (!p)
                return -ENOMEM;
        p->epoll = -1;
        p->config = *config;
        p->config.workers = QN_MIN(QN_MAX(config->workers, 1u), QN_ROLE_WORKERS_MAX);
        qn_tasks_init(&p->queue);
        for (unsigned i = 0; i < p->config.workers; i++)
                qn_worker_init(&p->workers[i]);
        if (config->data_dir && !(p->data_dir = strdup(config->data_dir)))
                return -ENOMEM;
        if (config->cache_dir && !(p->cache_dir = strdup(config->cache_dir)))
                return -ENOMEM;
        p->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (p->epoll < 0)
                return qn_fail(reterr, -errno, 0, "cannot watch workers: %s", strerror(errno));
        r = start_worker(p, &p->workers[0], reterr);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

struct qn_pool *qn_pool_free(struct qn_pool *p)
{
        struct qn_task *t;

        if (!p)
                return NULL;
        for (unsigned i = 0; i < p->config.workers; i++) {
                qn_worker_done(&p->workers[i]);
                qn_tasks_unshift(&p->queue, &p->workers[i].tasks);
        }
        while ((t = qn_tasks_pop(&p->queue)))
                qn_task_free(t);
        qn_closep(&p->epoll);
        free(p->data_dir);
        free(p->cache_dir);
        free(p);
        return NULL;
}

void qn_pool_freep(struct qn_pool **p)
{
        *p = qn_pool_free(*p);
}

int qn_pool_submit(struct qn_pool *p, const struct qn_pool_job *job)
{
        struct qn_task *t;
        int r;

        if (p->error)
                return p->error;
        r = qn_task_new(job, p->config.def, &t);
        if (r < 0)
                return r;
        qn_tasks_push(&p->queue, t);
        p->pending++;
        return 0;
}

int qn_pool_timeout(const struct qn_pool *p)
{
        uint64_t now = qn_io_nanos(), next = UINT64_MAX;

        for (unsigned i = 0; i < p->config.workers; i++) {
                const struct qn_worker *w = &p->workers[i];
                uint64_t at = deadline(w);

                if (w->sock < 0 && p->queue.head)
                        at = w->not_before;
                if (at || (w->sock < 0 && p->queue.head))
                        next = QN_MIN(next, at);
        }
        if (next == UINT64_MAX)
                return -1;
        return next <= now ? 0 : (int)QN_MIN((next - now) / MS + 1, UINT64_C(60000));
}

int qn_pool_poll(struct qn_pool *p, int timeout_ms, struct qn_err *reterr)
{
        struct epoll_event events[QN_ROLE_WORKERS_MAX];
        int n, own;

        hand_out(p);
        if (!p->error) { /* without a job, too: a worker that died meanwhile wants to be noticed */
                if (!p->pending)
                        timeout_ms = 0;
                own = qn_pool_timeout(p);
                if (own >= 0 && (timeout_ms < 0 || own < timeout_ms))
                        timeout_ms = own;
                n = epoll_wait(p->epoll, events, QN_ARRAY_SIZE(events), timeout_ms);
                if (n < 0 && errno != EINTR)
                        return qn_fail(reterr, -errno, 0, "cannot wait for workers: %s",
                                       strerror(errno));
                for (int i = 0; i < n; i++)
                        hear_worker(p, events[i].data.ptr);
                kill_late(p); /* after reading, so that a parent that slept does not blame its
                                 workers */
                hand_out(p);
        }
        if (p->error)
                return qn_fail(reterr, p->error, 0, "%s", p->err.msg);
        return (int)QN_MIN(p->pending, (size_t)INT_MAX);
}

size_t qn_pool_pending(const struct qn_pool *p)
{
        return p->pending;
}

size_t qn_pool_room(const struct qn_pool *p)
{
        size_t most = (size_t)p->config.workers * QN_ROLE_BATCH_MAX;

        return most > p->pending ? most - p->pending : 0;
}

int qn_pool_fd(const struct qn_pool *p)
{
        return p->epoll;
}
