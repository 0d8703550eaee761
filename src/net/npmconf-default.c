/* npm's own default registry.  This program holds no registry's address; npm does, so npm is asked, from an empty directory
 * with an empty configuration, and the answer is remembered as long as npm's program file stays the same. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "net/npmconf-level.h"
#include "net/url.h"

#define ANSWER_MAX     4096u
#define ANSWER_WAIT_MS 20000
#define PATH_TEXT_MAX  4096

/* First line of the remembered answer: any change of npm's program file makes it another one.  (The time of last change
 * counts as well, as archives may set the modification time to a constant.) */
static int fingerprint(const struct npm_levels *l, struct qn_buf *b)
{
        struct stat st;

        if (stat(l->npm.p, &st) < 0)
                return -errno;
        return qn_buf_printf(b, "%s %lld.%09ld %lld.%09ld %lld\n", l->npm.p,
                             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                             (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
                             (long long)st.st_size);
}

static bool usable(struct npm_levels *l, struct qn_str answer)
{
        struct qn_url u;

        return qn_url_parse(answer, &l->mem, &u, NULL) == 0;
}

static int cache_path(const struct npm_levels *l, char *path, size_t size)
{
        int n = snprintf(path, size, "%s/npm-registry-%016llx", l->in->cache_dir,
                         (unsigned long long)qn_hash64(l->npm.p, l->npm.n));

        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int recall(struct npm_levels *l, struct qn_str mark, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(ANSWER_MAX + PATH_TEXT_MAX);
        char path[PATH_TEXT_MAX];
        struct qn_str answer;

        if (!l->in->cache_dir || cache_path(l, path, sizeof path) < 0 ||
            qn_io_read(path, &text) < 0)
                return -ENOENT;
        answer = qn_buf_view(&text);
        if (answer.n <= mark.n || memcmp(answer.p, mark.p, mark.n) != 0)
                return -ENOENT;
        answer = qn_str_trim(qn_str_skip(answer, mark.n));
        if (!usable(l, answer))
                return -ENOENT;
        *ret = qn_arena_dup(&l->mem, answer);
        return ret->p ? 0 : -ENOBUFS;
}

/* That it cannot be remembered is no failure: npm is asked again next time. */
static void remember(const struct npm_levels *l, struct qn_str mark, struct qn_str answer)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(ANSWER_MAX + PATH_TEXT_MAX);
        char path[PATH_TEXT_MAX];
        int r;

        qn_buf_str(&b, mark);
        qn_buf_str(&b, answer);
        qn_buf_byte(&b, '\n');
        if (!l->in->cache_dir || qn_buf_error(&b) < 0 || cache_path(l, path, sizeof path) < 0)
                return;
        r = qn_io_mkdirs(l->in->cache_dir);
        if (r == 0)
                r = qn_io_replace(path, qn_buf_view(&b));
        (void)r;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
        (void)st;
        (void)kind;
        (void)ftw;
        remove(path);
        return 0;
}

static void remove_tree(char *dir)
{
        nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* In the child: nothing of the caller's environment or directory reaches npm. */
__attribute__((noreturn)) static void run_npm(const struct npm_levels *l, const char *dir, int out)
{
        static const char *const form[] = { "HOME=%s", "npm_config_cache=%s",
                                            "npm_config_userconfig=%s/user",
                                            "npm_config_globalconfig=%s/global" };
        char text[QN_ARRAY_SIZE(form) + 1][PATH_TEXT_MAX], npm[] = "npm", config[] = "config",
                                                           get[] = "get";
        char key[] = "registry", logs[] = "npm_config_logs_max=0",
             notify[] = "npm_config_update_notifier=false";
        char *argv[] = { npm, config, get, key, NULL };
        char *env[] = { text[0], text[1], text[2], text[3], text[4], logs, notify, NULL };
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), n;

        for (size_t i = 0; i <= QN_ARRAY_SIZE(form); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                n = i < QN_ARRAY_SIZE(form)
                            ? snprintf(text[i], sizeof text[i], form[i], dir)
                            : snprintf(text[i], sizeof text[i], "PATH=%s", l->path.p);
#pragma GCC diagnostic pop
                if (n < 0 || (size_t)n >= sizeof text[i])
                        _exit(126);
        }
        if (chdir(dir) < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
            dup2(out, STDOUT_FILENO) < 0)
                _exit(126);
        execve(l->npm.p, argv, env);
        _exit(127);
}

static void read_answer(int fd, struct qn_buf *b)
{
        uint64_t end = qn_io_nanos() + (uint64_t)ANSWER_WAIT_MS * 1000000u;
        struct pollfd p = { .fd = fd, .events = POLLIN };

        for (;;) {
                uint64_t now = qn_io_nanos();
                ssize_t n;

                if (now >= end || poll(&p, 1, (int)((end - now) / 1000000u) + 1) <= 0)
                        return;
                if (qn_buf_room(b, 512) < 0)
                        return;
                n = read(fd, b->p + b->n, 512);
                if (n <= 0)
                        return;
                b->n += (size_t)n;
        }
}

static int ask(struct npm_levels *l, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(ANSWER_MAX);
        struct qn_str tmp = npm_getenv(l->in, "TMPDIR"), answer;
        char dir[PATH_TEXT_MAX];
        int n = snprintf(dir, sizeof dir, "%.*s/qanat-npm-XXXXXX",
                         QN_STR_ARG(tmp.n ? tmp : QN_STR("/tmp")));
        int pipe_fd[2], status = -1;
        pid_t pid;

        if (n < 0 || (size_t)n >= sizeof dir || !mkdtemp(dir))
                return -ENOENT;
        pid = pipe2(pipe_fd, O_CLOEXEC) < 0 ? -1 : fork();
        if (pid == 0)
                run_npm(l, dir, pipe_fd[1]);
        if (pid > 0) {
                close(pipe_fd[1]);
                read_answer(pipe_fd[0], &b);
                close(pipe_fd[0]);
                kill(pid, SIGKILL); /* has no effect when it has ended by itself */
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
        }
        remove_tree(dir);
        answer = qn_str_trim(qn_buf_view(&b));
        if (pid < 0 || !usable(l, answer))
                return -ENOENT;
        *ret = qn_arena_dup(&l->mem, answer);
        return ret->p ? 0 : -ENOBUFS;
}

int npm_default_registry(struct npm_levels *l, struct qn_str *ret, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf mark = QN_BUF_INIT(PATH_TEXT_MAX);
        int r;

        if (!l->npm.p)
                return qn_fail(reterr, -ENOENT, 0,
                               "no registry is configured and npm is not installed: set registry "
                               "in .npmrc, or install npm");
        r = fingerprint(l, &mark);
        if (r < 0)
                return qn_fail(reterr, -ENOENT, 0, "npm cannot be read: %s", l->npm.p);
        r = recall(l, qn_buf_view(&mark), ret);
        if (r == 0)
                return 0;
        r = ask(l, ret);
        if (r < 0)
                return qn_fail(reterr, r, 0,
                               "no registry is configured and npm does not tell its own: set "
                               "registry in .npmrc");
        remember(l, qn_buf_view(&mark), *ret);
        return 0;
}
