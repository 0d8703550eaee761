#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

#define MS_NS UINT64_C(1000000)

/* --- starting and ending --- */

static int plan_files(posix_spawn_file_actions_t *files, const struct qn_child *c)
{
        int r = posix_spawn_file_actions_adddup2(files, c->in, STDIN_FILENO);

        if (r == 0)
                r = posix_spawn_file_actions_adddup2(files, c->out, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(files, c->err, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
        return -r;
}

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

/* posix_spawn(3) changes none of them. */
static char *const *unconst(const char *const *list)
{
        return (char *const *)(uintptr_t)list;
}

int qn_child_start(const struct qn_child *c, pid_t *ret)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        int r;

        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        r = plan_files(&files, c);
        if (r == 0)
                r = plan_process(&attr);
        if (r == 0)
                r = -(c->path ? posix_spawn : posix_spawnp)(ret, c->path ? c->path : c->argv[0],
                                                            &files, &attr, unconst(c->argv),
                                                            unconst(c->env));
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&files);
        return r;
}

void qn_child_kill(pid_t pid)
{
        int status;

        kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
}

/* --- waiting --- */

static int ms_until(uint64_t deadline)
{
        uint64_t now = qn_io_nanos();

        return now >= deadline ? 0 : (int)QN_MIN((deadline - now) / MS_NS + 1, UINT64_C(1000000));
}

/* Until the descriptor has something, or is at its end. */
static int wait_for(int fd, int wake, uint64_t deadline)
{
        struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = wake, .events = POLLIN } };

        for (;;) {
                int n = poll(fds, 2, deadline == UINT64_MAX ? -1 : ms_until(deadline));

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0 && fds[0].revents)
                        return 0;
                if (n > 0)
                        return -EINTR;
                if (n == 0 && qn_io_nanos() >= deadline)
                        return -ETIMEDOUT;
        }
}

static int wait_until(pid_t pid, uint64_t deadline, int wake, int *ret)
{
        _cleanup_(qn_closep) int fd = pidfd_open(pid, 0);
        int r = fd < 0 ? -errno : wait_for(fd, wake, deadline);

        if (r < 0)
                return r;
        while (waitpid(pid, ret, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int qn_child_wait(pid_t pid, int ms, int wake, int *ret)
{
        return wait_until(pid, ms < 0 ? UINT64_MAX : qn_io_nanos() + (uint64_t)ms * MS_NS, wake,
                          ret);
}

/* --- a whole run --- */

static int read_all(int fd, int wake, uint64_t deadline, struct qn_buf *out)
{
        char block[1 << 16];

        for (;;) {
                int r = wait_for(fd, wake, deadline);
                ssize_t n;

                if (r < 0)
                        return r;
                n = read(fd, block, sizeof block);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                r = n && (size_t)n > out->max - out->n ? -EFBIG : qn_buf_add(out, block, (size_t)n);
                if (r < 0 || n == 0)
                        return r;
        }
}

/* Signals that end this process wait in a descriptor until the child is gone. */
static int hold_signals(sigset_t *before)
{
        static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
        sigset_t held;

        sigemptyset(&held);
        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                struct sigaction how;

                if (sigaction(ends[i], NULL, &how) == 0 && how.sa_handler != SIG_IGN)
                        sigaddset(&held, ends[i]);
        }
        if (pthread_sigmask(SIG_BLOCK, &held, before) != 0)
                return -EINVAL;
        return signalfd(-1, &held, SFD_CLOEXEC);
}

static int run_held(const struct qn_child *c, int wake, uint64_t deadline, struct qn_buf *out)
{
        _cleanup_(qn_closep) int from = -1, to = -1;
        struct qn_child child = *c;
        int ends[2], status = 0, r;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        from = ends[0];
        child.out = to = ends[1];
        r = qn_child_start(&child, &pid);
        if (r < 0)
                return r;
        qn_closep(&to);
        to = -1;
        r = read_all(from, wake, deadline, out);
        if (r == 0)
                r = wait_until(pid, deadline, wake, &status);
        if (r < 0) {
                qn_child_kill(pid);
                return r;
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

int qn_child_run(const struct qn_child *c, int ms, struct qn_buf *out)
{
        sigset_t before;
        int wake = hold_signals(&before);
        int r = run_held(c, wake, qn_io_nanos() + (uint64_t)ms * MS_NS, out);

        if (wake >= 0)
                close(wake);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return r;
}
