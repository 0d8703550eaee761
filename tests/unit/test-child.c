/* Programs that are started, and git among them: what they print, how long they may take, and what is left of them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/child.h"
#include "base/io.h"
#include "base/limits.h"
#include "cli/git.h"
#include "test.h"

static int run(const char *script, int ms, size_t max, struct qn_buf *out)
{
        _cleanup_(qn_closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        const char *const argv[] = { "sh", "-c", script, NULL };
        const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
        const struct qn_child c = { .argv = argv, .env = env, .in = null, .err = null };

        *out = QN_BUF_INIT(max);
        return qn_child_run(&c, ms, out);
}

static bool is_gone(pid_t pid)
{
        for (unsigned i = 0; i < 200 && kill(pid, 0) == 0; i++)
                usleep(10000);
        return kill(pid, 0) < 0 && errno == ESRCH;
}

TEST(what_it_prints_and_how_it_ends)
{
        _cleanup_(qn_buf_done) struct qn_buf out;

        ASSERT_EQ(run("echo a; exit 3", 10000, 100, &out), 3);
        ASSERT_STR(qn_buf_view(&out), "a\n");
        qn_buf_done(&out);
        ASSERT_EQ(run("kill -9 $$", 10000, 100, &out), -ECHILD);
        qn_buf_done(&out);
        ASSERT_EQ(run("while :; do echo 12345678; done", 10000, 100, &out), -EFBIG);
}

TEST(it_begins_with_signals_as_usual)
{
        _cleanup_(qn_buf_done) struct qn_buf out;
        sigset_t all, before;
        int r;

        signal(SIGPIPE, SIG_IGN);
        sigfillset(&all);
        ASSERT_EQ(sigprocmask(SIG_BLOCK, &all, &before), 0);
        r = run("for s in $(sed -n 's/^Sig[BI][lg][kn]://p' /proc/self/status); do"
                " echo $((0x$s & 0x7fffffff)); done; ls /proc/self/fd | wc -l",
                10000, 1000, &out);
        ASSERT_EQ(sigprocmask(SIG_SETMASK, &before, NULL), 0);
        signal(SIGPIPE, SIG_DFL);
        ASSERT_EQ(r, 0);
        ASSERT_STR(qn_buf_view(&out), "0\n0\n4\n"); /* three, and the directory */
}

TEST(what_takes_too_long_is_ended_with_what_it_started)
{
        _cleanup_(qn_buf_done) struct qn_buf out;
        uint64_t begin = qn_io_nanos(), pid = 0;

        ASSERT_EQ(run("sleep 1000 & echo $!; exec >&-; wait", 300, 100, &out), -ETIMEDOUT);
        ASSERT_TRUE(qn_io_nanos() - begin < UINT64_C(20) * 1000 * 1000 * 1000);
        ASSERT_EQ(qn_str_u64(qn_str_trim(qn_buf_view(&out)), &pid), 0);
        ASSERT_TRUE(is_gone((pid_t)pid));
        qn_buf_done(&out);
        ASSERT_EQ(run("sleep 1000", 300, 100, &out), -ETIMEDOUT); /* holds its output */
}

TEST(waiting_for_one)
{
        const char *const argv[] = { "sleep", "1000", NULL }, *const env[] = { NULL };
        const struct qn_child c = { NULL, argv, env, 0, 1, 2 };
        int ends[2], status = 0;
        pid_t pid;

        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        ASSERT_EQ(qn_child_start(&c, &pid), 0);
        ASSERT_EQ(qn_child_wait(pid, 0, -1, &status), -ETIMEDOUT);
        ASSERT_EQ(qn_child_wait(pid, 50, ends[0], &status), -ETIMEDOUT);
        ASSERT_EQ(write(ends[1], "x", 1), 1);
        ASSERT_EQ(qn_child_wait(pid, -1, ends[0], &status), -EINTR);
        ASSERT_EQ(kill(pid, SIGTERM), 0);
        ASSERT_EQ(qn_child_wait(pid, 10000, -1, &status), 0);
        ASSERT_EQ(status, SIGTERM);
        close(ends[0]);
        close(ends[1]);
}

TEST(a_repository_that_hangs)
{
        _cleanup_(qn_buf_done) struct qn_buf out;
        char dir[] = "/tmp/qanat-child-XXXXXX", text[256], id[QN_GIT_ID];
        struct qn_err err = { 0 };
        struct qn_git g;

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(text, sizeof text, "git init -q %s/r", dir);
        ASSERT_EQ(run(text, 60000, 100, &out), 0);
        snprintf(text, sizeof text, "%s/r", dir);
        ASSERT_EQ(qn_git_open(text, "/nonexistent/index", &g, &err), 0);
        ASSERT_EQ(g.patience_ms, QN_GIT_MS);
        snprintf(text, sizeof text, "%s/r/.git/config", dir);
        ASSERT_EQ(unlink(text), 0);
        ASSERT_EQ(mkfifo(text, 0600), 0);
        g.patience_ms = 500;
        ASSERT_EQ(qn_git_commit_of(&g, "HEAD", id, &err), -ETIMEDOUT);
        ASSERT_NOT_NULL(strstr(err.msg, "did not end within"));
        qn_git_done(&g);
        snprintf(text, sizeof text, "rm -rf %s", dir);
        qn_buf_done(&out);
        ASSERT_EQ(run(text, 60000, 100, &out), 0);
}
