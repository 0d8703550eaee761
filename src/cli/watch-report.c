#include "cli/watch-report.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/args.h"
#include "watch/unreported.h"

#define SECOND   ((uint64_t)1000 * 1000 * 1000)
#define LOOK_NS  (5 * SECOND)    /* between two looks at what there is to report */
#define RETRY_NS (60 * SECOND)   /* after a report that failed */
#define AGAIN_NS (3600 * SECOND) /* what was handed on and is still there */
#define LIST_MAX ((size_t)4 << 20)
#define ARGS_MAX 32u

extern char **environ;

void qn_watch_reporter_init(struct qn_watch_reporter *p, const struct qn_args *a,
                            const struct qn_watch_policy *policy)
{
        const char *repository = qn_args_get(a, "repository"), *upload = qn_args_get(a, "upload");

        *p = (struct qn_watch_reporter){ .args = a, .policy = policy };
        p->on = (repository && *repository) || (upload && *upload);
}

/* --- what is to be reported --- */

static int add_line(void *ctx, struct qn_str name, struct qn_str version)
{
        struct qn_buf *b = ctx;

        qn_buf_printf(b, "%.*s@%.*s\n", QN_STR_ARG(name), QN_STR_ARG(version));
        return qn_buf_error(b);
}

/* What cannot be reported stays in the list: the same list is not handed on again and again. */
static bool was_handed(struct qn_watch_reporter *p, struct qn_str list)
{
        uint64_t number = qn_hash64(list.p, list.n), now = qn_io_nanos();

        if (number == p->handed && now < p->again)
                return true;
        p->handed = number;
        p->again = now + AGAIN_NS;
        return false;
}

/* As a file to read from; -ENOENT: there is nothing. */
static int make_list(struct qn_watch_reporter *p, struct qn_db *db, int *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf list = QN_BUF_INIT(LIST_MAX);
        _cleanup_(qn_closep) int fd = -1;
        int r = qn_unreported(db, p->policy, add_line, &list);

        if (r < 0 && r != -ENOBUFS) /* too many: the rest comes later */
                return r;
        if (!list.n || was_handed(p, qn_buf_view(&list)))
                return -ENOENT;
        fd = memfd_create("reports", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = qn_io_write_fd(fd, qn_buf_view(&list));
        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r == 0)
                *ret = TAKE_FD(fd);
        return r;
}

/* --- who reports it --- */

/* posix_spawn(3) changes none of them. */
static char *unconst(const char *s)
{
        union {
                const char *in;
                char *out;
        } u = { .in = s };

        return u.out;
}

static void put_option(char **argv, size_t *n, const char *name, const char *value)
{
        if (!value || !*value)
                return;
        argv[(*n)++] = unconst(name);
        argv[(*n)++] = unconst(value);
}

static void make_arguments(const struct qn_args *a, char *argv[ARGS_MAX])
{
        static const char *const same[][2] = {
                { "--repository", "repository" }, { "--upload", "upload" },
                { "--token-file", "token-file" }, { "--author", "author" },
                { "--credit", "credit" },         { "--registry", "registry" },
        };
        size_t n = 0;

        argv[n++] = unconst("qanat");
        argv[n++] = unconst("report");
        argv[n++] = unconst("submit");
        argv[n++] = unconst("--quiet");
        put_option(argv, &n, "--from", "-");
        put_option(argv, &n, "--data", a->data);
        put_option(argv, &n, "--state", a->state);
        put_option(argv, &n, "--store", a->store);
        put_option(argv, &n, "--cache", a->cache);
        for (size_t i = 0; i < QN_ARRAY_SIZE(same); i++)
                put_option(argv, &n, same[i][0], qn_args_get(a, same[i][1]));
        if (qn_args_on(a, "no-sandbox"))
                argv[n++] = unconst("--no-sandbox");
        argv[n] = NULL;
}

static int spawn(struct qn_watch_reporter *p, int list)
{
        char *argv[ARGS_MAX];
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t none;
        int r;

        make_arguments(p->args, argv);
        sigemptyset(&none);
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        r = posix_spawn_file_actions_adddup2(&files, list, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawnattr_setsigmask(&attr, &none);
        if (r == 0)
                r = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        if (r == 0)
                r = posix_spawn(&p->pid, "/proc/self/exe", &files, &attr, argv, environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&files);
        return -r;
}

/* 1: it is at its end. */
static int look_after(struct qn_watch_reporter *p, int flags)
{
        int status;
        pid_t pid = waitpid(p->pid, &status, flags);

        if (pid == 0 || (pid < 0 && errno == EINTR))
                return 0;
        p->pid = 0;
        if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) != 2)
                return 1;
        log_note("what was found could not be reported; it is tried again");
        p->again = 0;
        p->next = qn_io_nanos() + RETRY_NS;
        return 1;
}

void qn_watch_reporter_step(struct qn_watch_reporter *p, struct qn_db *db)
{
        _cleanup_(qn_closep) int list = -1;
        int r;

        if (!p->on || (p->pid && !look_after(p, WNOHANG)) || qn_io_nanos() < p->next)
                return;
        p->next = qn_io_nanos() + LOOK_NS;
        r = make_list(p, db, &list);
        if (r == 0)
                r = spawn(p, list);
        if (r < 0 && r != -ENOENT) {
                p->again = 0;
                log_note("what was found cannot be reported now: %s", strerrordesc_np(-r));
        }
}

void qn_watch_reporter_end(struct qn_watch_reporter *p)
{
        while (p->pid && !look_after(p, 0))
                ;
}
