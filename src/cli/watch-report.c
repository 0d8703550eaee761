#include "cli/watch-report.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "watch/unreported.h"

#define SECOND       ((uint64_t)1000 * 1000 * 1000)
#define LOOK_NS      (5 * SECOND)   /* between two looks whether there may be more to report */
#define FULL_NS      (60 * SECOND)  /* between two looks at what there is, when nothing seems new */
#define RETRY_NS     (60 * SECOND)  /* after a report of which something is left */
#define RETRY_MAX_NS (600 * SECOND) /* after many that failed */
#define END_MS       8000           /* a report may take so long when watching ends */
#define KILL_MS      2000           /* and then to end */
#define LIST_MAX     ((size_t)4 << 20)
#define ARGS_MAX     32u

extern char **environ;

void qn_watch_reporter_init(struct qn_watch_reporter *p, const struct qn_args *a,
                            const struct qn_watch_policy *policy)
{
        const char *repository = qn_args_get(a, "repository"), *upload = qn_args_get(a, "upload");

        *p = (struct qn_watch_reporter){ .args = a, .policy = policy };
        p->on = (repository && *repository) || (upload && *upload);
}

/* --- what is to be reported --- */

struct list {
        struct qn_buf text;
        unsigned n;
};

/* What is too much comes later. */
static int add_line(void *ctx, struct qn_str name, struct qn_str version)
{
        struct list *l = ctx;

        qn_buf_printf(&l->text, "%.*s@%.*s\n", QN_STR_ARG(name), QN_STR_ARG(version));
        return qn_buf_error(&l->text) < 0 || ++l->n >= QN_MAL_TARGETS_MAX;
}

static void list_done(struct list *l)
{
        qn_buf_done(&l->text);
}

/* As a file to read from; -ENOENT: there is nothing. */
static int make_list(struct qn_watch_reporter *p, struct qn_db *db, int *ret)
{
        _cleanup_(list_done) struct list list = { .text = QN_BUF_INIT(LIST_MAX) };
        _cleanup_(qn_closep) int fd = -1;
        int r = qn_unreported(db, p->policy, qn_io_now_ms(), add_line, &list);

        if (r < 0)
                return r;
        if (!list.n)
                return -ENOENT;
        fd = memfd_create("reports", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = qn_io_write_fd(fd, qn_buf_view(&list.text));
        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r == 0)
                *ret = TAKE_FD(fd);
        return r;
}

/* --- who reports it --- */

static void put_option(const char **argv, size_t *n, const char *name, const char *value)
{
        if (!value || !*value)
                return;
        argv[(*n)++] = name;
        argv[(*n)++] = value;
}

static void make_arguments(const struct qn_args *a, const char *argv[ARGS_MAX])
{
        static const char *const same[][2] = {
                { "--repository", "repository" }, { "--upload", "upload" },
                { "--token-file", "token-file" }, { "--author", "author" },
                { "--credit", "credit" },         { "--registry", "registry" },
        };
        static const char *const begin[] = { "qanat", "report", "submit", "--quiet" };
        size_t n = QN_ARRAY_SIZE(begin);

        memcpy(argv, begin, sizeof begin);
        put_option(argv, &n, "--from", "-");
        put_option(argv, &n, "--data", a->data);
        put_option(argv, &n, "--state", a->state);
        put_option(argv, &n, "--store", a->store);
        put_option(argv, &n, "--cache", a->cache);
        for (size_t i = 0; i < QN_ARRAY_SIZE(same); i++)
                put_option(argv, &n, same[i][0], qn_args_get(a, same[i][1]));
        if (qn_args_on(a, "no-sandbox"))
                argv[n++] = "--no-sandbox";
        argv[n] = NULL;
}

static int begin(struct qn_watch_reporter *p, struct qn_db *db)
{
        _cleanup_(qn_closep) int list = -1;
        const char *argv[ARGS_MAX];
        struct qn_child child = { .path = "/proc/self/exe",
                                  .argv = argv,
                                  .env = (const char *const *)environ,
                                  .out = STDERR_FILENO,
                                  .err = STDERR_FILENO };
        int r = make_list(p, db, &list);

        if (r < 0)
                return r;
        make_arguments(p->args, argv);
        child.in = list;
        return qn_child_start(&child, &p->pid);
}

/* Whatever could not be reported is not asked for again at once: what is put off is in the store (store/reports.h), and a place that
 * takes nothing is left alone for longer each time. */
static void ended(struct qn_watch_reporter *p, int status)
{
        bool failed = !WIFEXITED(status) || WEXITSTATUS(status) == 2;

        p->pid = 0;
        if (status == 0) {
                p->wait = 0;
                return;
        }
        p->wait = failed ? QN_MIN(p->wait ? 2 * p->wait : RETRY_NS, RETRY_MAX_NS) : RETRY_NS;
        p->next = qn_io_nanos() + p->wait;
        if (failed)
                log_note("what was found could not be reported; it is tried again");
}

/* -ETIMEDOUT: it goes on; -EINTR: somebody is to be heard. */
static int wait_for(struct qn_watch_reporter *p, int ms, int wake)
{
        int status = 0, r = p->pid ? qn_child_wait(p->pid, ms, wake, &status) : 0;

        if (r == -ETIMEDOUT || r == -EINTR)
                return r;
        if (p->pid)
                ended(p, r < 0 ? SIGKILL : status);
        return 0;
}

/* Whether it is time to look: something has changed, or nobody has looked for long. */
static bool is_worth(struct qn_watch_reporter *p, struct qn_db *db)
{
        uint64_t now = qn_io_nanos(), stamp = 0;

        if (now < p->next)
                return false;
        p->next = now + LOOK_NS;
        if (qn_reports_stamp(db, &stamp) == 0 && stamp == p->stamp && now < p->full)
                return false;
        p->stamp = stamp;
        p->full = now + FULL_NS;
        return true;
}

static void look(struct qn_watch_reporter *p, struct qn_db *db)
{
        int r = begin(p, db);

        if (r < 0 && r != -ENOENT)
                log_note("what was found cannot be reported now: %s", strerrordesc_np(-r));
}

void qn_watch_reporter_step(struct qn_watch_reporter *p, struct qn_db *db)
{
        if (p->on && wait_for(p, 0, -1) == 0 && is_worth(p, db))
                look(p, db);
}

/* What it has begun comes to its end, if that is near; then it and what it started are ended. */
static void stop(struct qn_watch_reporter *p)
{
        if (wait_for(p, END_MS, -1) == 0)
                return;
        log_note("reporting takes too long and is ended");
        (void)kill(p->pid, SIGTERM);
        if (wait_for(p, KILL_MS, -1) == 0)
                return;
        qn_child_kill(p->pid);
        p->pid = 0;
}

void qn_watch_reporter_end(struct qn_watch_reporter *p, struct qn_db *db, int wake)
{
        if (p->on && db && wait_for(p, -1, wake) == 0) {
                look(p, db);
                (void)wait_for(p, -1, wake);
        }
        stop(p);
}
