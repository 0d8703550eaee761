/* deliver-command.c - a program of the operator's: no shell, nothing of our environment, the message as JSON on its standard
 * input, a time after which it and what it started are ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/input.h"
#include "watch/deliver-priv.h"

/* --- starting --- */

static int plan_files(posix_spawn_file_actions_t *files, int input, int output)
{
        int r = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

        if (r == 0)
                r = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
        return -r;
}

/* A group of its own, and signals as at the start of a program. */
static int plan_process(posix_spawnattr_t *attr)
{
        sigset_t none, all;
        int r;

        sigemptyset(&none);
        sigfillset(&all);
        r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                   POSIX_SPAWN_SETPGROUP);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attr, &none);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attr, &all);
        if (r == 0)
                r = posix_spawnattr_setpgroup(attr, 0);
        return -r;
}

static int spawn(const struct qn_channel *ch, struct qn_str uid, int input, int output, pid_t *ret)
{
        _cleanup_(qn_freep) char **argv = calloc(ch->argv.n + 1, sizeof *argv);
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        char id[96];
        char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
        char *env[] = { path, lang, id, NULL };
        int r;

        if (!argv)
                return -ENOMEM;
        for (size_t i = 0; i < ch->argv.n; i++)
                argv[i] = (char *)(uintptr_t)ch->argv.v[i].p; /* arena copies end with a NUL */
        snprintf(id, sizeof id, "QANAT_MESSAGE=%.*s", QN_STR_ARG(qn_str_take(uid, 64)));
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        r = plan_files(&files, input, output);
        if (r == 0)
                r = plan_process(&attr);
        if (r == 0)
                r = -posix_spawn(ret, argv[0], &files, &attr, argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&files);
        return r;
}

static void errand_free(struct qn_errand *e)
{
        qn_closep(&e->process);
        qn_closep(&e->output);
        qn_buf_done(&e->text);
        free(e);
}

static void kill_all(struct qn_errand *e)
{
        int status;

        kill(-e->pid, SIGKILL);
        while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
                ;
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
                kill_all(e);
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
                kill_all(e);
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
                kill_all(e);
                errand_free(e);
        }
}
