/* test-term.c - colour and progress: nothing on what is no terminal, a line on one. */
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "base/term.h"
#include "test.h"

/* A machine may have none left, or none at all (a bare chroot). */
#define NEED_TERMINAL(master, slave, size)                                \
        do {                                                              \
                if (openpty((master), (slave), NULL, NULL, (size)) < 0)   \
                        SKIP("this machine has no pseudo-terminal left"); \
        } while (0)

TEST(colour)
{
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC), master, slave;

        NEED_TERMINAL(&master, &slave, NULL);
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        ASSERT_FALSE(qn_term_colour("auto", null));
        ASSERT_TRUE(qn_term_colour("always", null));
        ASSERT_TRUE(qn_term_colour(NULL, slave));
        ASSERT_FALSE(qn_term_colour("never", slave));
        setenv("NO_COLOR", "1", 1);
        ASSERT_FALSE(qn_term_colour("auto", slave));
        ASSERT_TRUE(qn_term_colour("always", slave));
        setenv("NO_COLOR", "", 1); /* empty does not count */
        ASSERT_TRUE(qn_term_colour("auto", slave));
        setenv("TERM", "dumb", 1);
        ASSERT_FALSE(qn_term_colour("auto", slave));
        close(null);
        close(master);
        close(slave);
}

TEST(width)
{
        struct winsize size = { .ws_col = 132, .ws_row = 40 };
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC), master, slave;

        NEED_TERMINAL(&master, &slave, &size);
        ASSERT_EQ(qn_term_width(null, 77), 77);
        ASSERT_EQ(qn_term_width(slave, 77), 132);
        close(null);
        close(master);
        close(slave);
}

/* Runs p's steps with standard error on fd. */
static void steps(int fd, bool quiet, uint64_t age)
{
        int saved = dup(STDERR_FILENO);
        struct qn_progress p;

        dup2(fd, STDERR_FILENO);
        qn_progress_begin(&p, "checking", quiet);
        p.started -= age;
        qn_progress_step(&p, 3, 12, QN_STR("evil\x1b[2J"));
        qn_progress_step(&p, 4, 12, QN_STR("too soon to be drawn"));
        qn_progress_clear(&p);
        qn_progress_clear(&p);
        dup2(saved, STDERR_FILENO);
        close(saved);
}

static size_t written(int fd, char *text, size_t size)
{
        size_t n = 0;
        ssize_t got;

        while ((got = read(fd, text + n, size - 1 - n)) > 0)
                n += (size_t)got;
        text[n] = '\0';
        return n;
}

TEST(progress_only_on_a_terminal)
{
        int pipefd[2];
        char text[512];

        ASSERT_EQ(pipe2(pipefd, O_CLOEXEC | O_NONBLOCK), 0);
        steps(pipefd[1], false, UINT64_C(5000000000));
        ASSERT_EQ(written(pipefd[0], text, sizeof text), 0);
        close(pipefd[0]);
        close(pipefd[1]);
}

TEST(progress_after_a_second)
{
        int master, slave;
        char text[512];

        NEED_TERMINAL(&master, &slave, NULL);
        ASSERT_EQ(fcntl(master, F_SETFL, O_NONBLOCK), 0);
        steps(slave, false, 0);
        ASSERT_EQ(written(master, text, sizeof text), 0);
        steps(slave, true, UINT64_C(5000000000));
        ASSERT_EQ(written(master, text, sizeof text), 0);
        steps(slave, false, UINT64_C(5000000000));
        written(master, text, sizeof text);
        ASSERT_STR(qn_str_c(text), "\r\033[Kchecking 3 of 12 (25 %)  evil\\x1b[2J\r\033[K");
        close(master);
        close(slave);
}
