/* deliver-command.c - a program of the operator's: no shell, nothing of our environment, the message as JSON on its standard
 * input, a time after which it and what it started are ended. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/limits.h"
#include "role/input.h"
#include "watch/deliver-priv.h"

/* --- starting --- */

static int spawn(const struct qn_channel *ch, struct qn_str uid, int input, int output, pid_t *ret)
{
        _cleanup_(qn_freep) const char **argv = calloc(ch->argv.n + 1, sizeof *argv);
        char id[96];
        const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", id, NULL };
        struct qn_child child = { .env = env, .in = input, .out = output, .err = output };

        if (!argv)
                return -ENOMEM;
        for (size_t i = 0; i < ch->argv.n; i++)
                argv[i] = ch->argv.v[i].p; /* arena copies end with a NUL */
        snprintf(id, sizeof id, "QANAT_MESSAGE=%.*s", QN_STR_ARG(qn_str_take(uid, 64)));
        child.path = argv[0];
        child.argv = argv;
        return qn_child_start(&child, ret);
}

static void errand_free(struct qn_errand *e)
{
        qn_closep(&e->process);
        qn_closep(&e->output);
        qn_buf_done(&e->text);
        free(e);
}

static int watch(struct qn_courier *c, struct qn_errand *e)
{
        struct epoll_event process = { .events = EPOLLIN }, output = { .events = EPOLLIN };

        e->process = pidfd_open(e->pid, 0);
        if (e->process < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, e->process, &process) < 0 ||
            epoll_ctl(c->epoll, EPOLL_CTL_ADD, e->output, &output) < 0)
                return -errno;
        return 0;
}

static int start(struct qn_courier *c, const struct qn_delivery *d, struct qn_errand *e)
{
        _cleanup_(qn_buf_done) struct qn_buf json = QN_BUF_INIT(QN_NOTIFY_MESSAGE_MAX);
        _cleanup_(qn_closep) int input = -1, theirs = -1;
        int pipes[2], r = qn_notice_json(d->message, &json);

        if (r == 0)
                r = qn_input_sealed(qn_cur_mem(json.p, json.n), &input);
        if (r < 0)
                return r;
        if (pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        e->output = pipes[0];
        theirs = pipes[1];
        if (fcntl(e->output, F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        r = spawn(d->channel, d->message->uid, input, theirs, &e->pid);
        if (r < 0)
                return r;
        r = watch(c, e);
        if (r < 0)
                qn_child_kill(e->pid);
        return r;
}

int qn_deliver_command(struct qn_courier *c, const struct qn_delivery *d)
{
        struct qn_errand *e = calloc(1, sizeof *e);
        int r;

        if (!e)
                return -ENOMEM;
        e->process = e->output = -1;
        e->done = d->done;
        e->user = d->user;
        e->text = QN_BUF_INIT(QN_NOTIFY_OUTPUT_MAX);
        e->deadline = qn_io_nanos() + d->channel->timeout_ms * UINT64_C(1000000);
        r = start(c, d, e);
        if (r < 0) {
                errand_free(e);
                return r;
        }
        LIST_INSERT_HEAD(&c->errands, e, link);
        return 0;
}

/* --- looking after them --- */

/* Reads on when nothing more is kept: a command that prints much is not held up. */
static void listen_to(struct qn_courier *c, struct qn_errand *e)
{
        char block[4096];
        ssize_t n = -1;

        for (unsigned turns = 0; e->output >= 0 && turns < 64; turns++) {
                n = read(e->output, block, sizeof block);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                qn_buf_add(&e->text, block, QN_MIN((size_t)n, QN_NOTIFY_OUTPUT_MAX - e->text.n));
        }
        if (n == 0) { /* nobody holds the other end any more */
                epoll_ctl(c->epoll, EPOLL_CTL_DEL, e->output, NULL);
                qn_closep(&e->output);
                e->output = -1;
        }
}

static void finish(struct qn_courier *c, struct qn_errand *e, bool sent, const char *how)
{
        _cleanup_(qn_buf_done) struct qn_buf what = QN_BUF_INIT(QN_NOTIFY_OUTPUT_MAX + 128);

        qn_buf_puts(&what, how);
        if (e->text.n) {
                qn_buf_puts(&what, ": ");
                qn_buf_str(&what, qn_str_trim(qn_buf_view(&e->text)));
        }
        LIST_REMOVE(e, link);
        c->finished++;
        qn_deliver_tell(e->done, e->user, sent, qn_buf_view(&what));
        errand_free(e);
}

static void look_after(struct qn_courier *c, struct qn_errand *e)
{
        char how[64];
        int status = 0;
        pid_t ended;

        listen_to(c, e);
        ended = waitpid(e->pid, &status, WNOHANG);
        if (ended == 0 && qn_io_nanos() >= e->deadline) {
                qn_child_kill(e->pid);
                listen_to(c, e);
                finish(c, e, false, "it did not end in time and was ended");
                return;
        }
        if (ended == 0)
                return;
        listen_to(c, e);
        if (WIFSIGNALED(status))
                snprintf(how, sizeof how, "it was ended by signal %d", WTERMSIG(status));
        else
                snprintf(how, sizeof how, "exit %d", WEXITSTATUS(status));
        finish(c, e, ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0, how);
}

void qn_errands_look(struct qn_courier *c)
{
        struct qn_errand *e, *next;

        for (e = LIST_FIRST(&c->errands); e; e = next) {
                next = LIST_NEXT(e, link);
                look_after(c, e);
        }
}

void qn_errands_end(struct qn_courier *c)
{
        struct qn_errand *e;

        while ((e = LIST_FIRST(&c->errands))) {
                LIST_REMOVE(e, link);
                qn_child_kill(e->pid);
                errand_free(e);
        }
}
