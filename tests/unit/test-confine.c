/* A role tries to break out of its own confinement; the kernel's view of it is checked from
 * outside. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/jobs.h"
#include "role/landlock.h"
#include "role/pool.h"
#include "role/probes.h"
#include "role/sanitizer.h"
#include "test.h"

__attribute__((constructor)) static void become_role(int argc, char **argv)
{
        const struct qn_role_def *const defs[] = { &test_role, &test_fetch_role, &test_serve_role };

        if (qn_role_requested(argc, argv))
                exit(qn_role_run(defs, QN_ARRAY_SIZE(defs), argc, argv));
}

struct answer {
        enum qn_pool_status status;
        int code;
        uint8_t reply[64];
};

static void keep(void *ctx QN_UNUSED, const struct qn_pool_result *r)
{
        struct answer *a = r->user;

        a->status = r->status;
        a->code = r->code;
        memcpy(a->reply, r->reply.p ? r->reply.p : a->reply,
               QN_MIN(qn_cur_left(&r->reply), sizeof a->reply));
}

static struct qn_pool *pool_of(const struct qn_role_def *def)
{
        const struct qn_pool_config config = { .def = def, .workers = 1, .done = keep };
        struct qn_pool *p = NULL;

        ASSERT_EQ(qn_pool_new(&config, &p, NULL), 0);
        return p;
}

static struct answer ask(struct qn_pool *p, uint8_t kind, const void *params, size_t n)
{
        struct answer a = { 0 };
        struct qn_err err = { 0 };
        int r;

        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = kind,
                                                           .params = { params, n },
                                                           .input_fd = -1,
                                                           .user = &a }),
                  0);
        while ((r = qn_pool_poll(p, -1, &err)) > 0)
                ;
        if (r < 0)
                fail_msg("%s", err.msg);
        return a;
}

static bool ended_as(enum probe_end want, const struct answer *a, uint32_t error, bool other_abi)
{
        switch (want) {
        case PROBE_KILLED:
                /* SIGSEGV: this kernel does not have the other numbering at all */
                return a->status == QN_POOL_CRASHED &&
                       (a->code == SIGSYS || (other_abi && a->code == SIGSEGV));
        case PROBE_REFUSED:
                return a->status == QN_POOL_OK &&
                       (error == EPERM || error == EACCES || error == ENOSYS);
        case PROBE_ALLOWED:
                return a->status == QN_POOL_OK && error != EPERM && error != EACCES;
        }
        return false;
}

static void run_probes(const struct qn_role_def *def)
{
        struct qn_pool *p = pool_of(def);
        size_t wrong = 0;

        for (uint32_t i = 0; i < n_probes; i++) {
                const uint32_t params[2] = { i, (uint32_t)getpid() };
                enum probe_end want = def->role == QN_ROLE_FETCH   ? probes[i].fetch
                                      : def->role == QN_ROLE_SERVE ? probes[i].serve
                                                                   : probes[i].analyse;
                struct answer a = ask(p, JOB_PROBE, params, sizeof params);
                uint32_t error;

                memcpy(&error, a.reply, sizeof error);
                if (ended_as(want, &a, error, strstr(probes[i].name, "i386") != NULL))
                        continue;
                print_message("%s: status %s, signal %d, errno %u\n", probes[i].name,
                              qn_pool_status_name(a.status), a.code, error);
                wrong++;
        }
        ASSERT_EQ(wrong, 0);
        ASSERT_EQ(ask(p, JOB_ECHO, "x", 1).status,
                  QN_POOL_OK); /* after all that, replies still work */
        qn_pool_free(p);
}

TEST(analyse_has_no_way_out)
{
        run_probes(&test_role);
}

TEST(fetch_has_sockets_and_nothing_else)
{
        run_probes(&test_fetch_role);
}

TEST(serve_accepts_and_does_nothing_else)
{
        run_probes(&test_serve_role);
}

static struct test_state state_of(struct qn_pool *p)
{
        struct answer a = ask(p, JOB_STATE, NULL, 0);
        struct test_state s;

        ASSERT_EQ(a.status, QN_POOL_OK);
        memcpy(&s, a.reply, sizeof s);
        return s;
}

/* The value of one line of /proc/PID/status. */
static void status_line(int pid, const char *key, char *ret, size_t size)
{
        struct qn_buf b = QN_BUF_INIT(16384);
        char path[64];
        struct qn_str text, line;

        snprintf(path, sizeof path, "/proc/%d/status", pid);
        ASSERT_EQ(qn_io_read(path, &b), 0);
        text = qn_buf_view(&b);
        *ret = '\0';
        while (text.n) {
                line = qn_str_cut(&text, '\n');
                if (qn_str_starts(line, key)) {
                        line = qn_str_trim(qn_str_skip(line, strlen(key)));
                        snprintf(ret, size, "%.*s", QN_STR_ARG(line));
                }
        }
        qn_buf_done(&b);
}

TEST(kernel_sees_a_confined_process)
{
        static const char *const want[][2] = {
                { "CapInh:", "0000000000000000" },
                { "CapPrm:", "0000000000000000" },
                { "CapEff:", "0000000000000000" },
                { "CapAmb:", "0000000000000000" },
                { "NoNewPrivs:", "1" },
                { "Seccomp:", "2" },
                { "Threads:", "1" },
        };
        struct qn_pool *p = pool_of(&test_role);
        struct test_state s = state_of(p);
        char got[256];

        for (size_t i = 0; i < QN_ARRAY_SIZE(want); i++) {
                status_line(s.pid, want[i][0], got, sizeof got);
                assert_string_equal(got, want[i][1]);
        }
        status_line(s.pid, "Uid:", got, sizeof got);
        if (geteuid() == 0)
                assert_string_equal(got, "65534\t65534\t65534\t65534");
        qn_pool_free(p);
}

static bool same_namespace(int pid, const char *name)
{
        char path[64];
        struct stat ours, theirs;

        snprintf(path, sizeof path, "/proc/self/ns/%s", name);
        ASSERT_EQ(stat(path, &ours), 0);
        snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, name);
        ASSERT_EQ(stat(path, &theirs), 0);
        return ours.st_ino == theirs.st_ino;
}

TEST(root_sees_the_namespaces_and_the_empty_root)
{
        struct qn_pool *p = pool_of(&test_role);
        struct test_state s = state_of(p);
        char path[64];

        if (geteuid() == 0) { /* nobody else may look */
                ASSERT_FALSE(same_namespace(s.pid, "net"));
                ASSERT_FALSE(same_namespace(s.pid, "ipc"));
                ASSERT_FALSE(same_namespace(s.pid, "mnt"));
                snprintf(path, sizeof path, "/proc/%d/root/etc", s.pid);
                ASSERT_EQ(access(path, F_OK), -1);
        }
        qn_pool_free(p);
}

TEST(nobody_can_trace_a_worker)
{
        struct qn_pool *p = pool_of(&test_role);
        struct test_state s = state_of(p);
        struct stat st;
        char path[64];

        snprintf(path, sizeof path, "/proc/%d/status", s.pid);
        ASSERT_EQ(stat(path, &st), 0);
        ASSERT_EQ(st.st_uid, 0); /* how the kernel shows a process that is not dumpable */
        qn_pool_free(p);
}

/* Runs fn in a process of its own: its return value. */
static int in_child(int (*fn)(void))
{
        pid_t pid = fork();
        int status;

        if (pid == 0)
                _exit(fn());
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int landlock_alone(void)
{
        static const char *const readable[] = { "/etc/hosts", "/nothing/is/here", NULL };
        const struct qn_landlock rules = { .read = readable };
        struct sockaddr_in to = { .sin_family = AF_INET,
                                  .sin_port = 0x0900,
                                  .sin_addr = { 0x0100007f } };
        int sock = socket(AF_INET, SOCK_STREAM, 0);

        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (setresuid(65534, 65534, 65534) < 0 && geteuid() == 0)
                return 1;
        if (qn_landlock_apply(&rules) < 0)
                return 2;
        if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
                return 3;
        if (open("/etc/hosts", O_RDONLY) < 0 && errno != ENOENT)
                return 4;
        if (open("/tmp/qanat-probe", O_CREAT | O_WRONLY, 0600) >= 0 || errno != EACCES)
                return 5;
        if (connect(sock, (struct sockaddr *)&to, sizeof to) == 0 ||
            (errno != EACCES && errno != ECONNREFUSED))
                return 6; /* refused by the kernel from ABI 4, by the port before */
        return 0;
}

TEST(landlock_holds_without_the_rest)
{
        ASSERT_EQ(in_child(landlock_alone), 0);
}

/* The same as an ordinary user, who may be unable to run a program that lies in root's directories.
 */
static int as_ordinary_user(void)
{
        const struct qn_pool_config config = { .def = &test_role, .workers = 1, .done = keep };
        struct qn_pool *p = NULL;
        struct answer a = { 0 };
        struct qn_err err = { 0 };
        int r;

        if (setresgid(12345, 12345, 12345) < 0 || setresuid(12345, 12345, 12345) < 0)
                return 1;
        if (access("/proc/self/exe", X_OK) < 0)
                return 0;
        r = qn_pool_new(&config, &p, NULL);
        if (r < 0 || qn_pool_submit(p, &(struct qn_pool_job){
                                               .kind = JOB_ECHO, .input_fd = -1, .user = &a }) < 0)
                return 2;
        while ((r = qn_pool_poll(p, -1, &err)) > 0)
                ;
        if (r < 0)
                print_message("%s\n", err.msg);
        qn_pool_free(p);
        return r == 0 && a.status == QN_POOL_OK ? 0 : 3;
}

/* In a chroot the kernel gives namespaces to root alone. */
static int ordinary_user_has_namespaces(void)
{
        if (setresgid(12345, 12345, 12345) < 0 || setresuid(12345, 12345, 12345) < 0)
                return 1;
        return unshare(CLONE_NEWUSER) < 0 ? 1 : 0;
}

TEST(works_for_an_ordinary_user)
{
        if (geteuid() != 0)
                return;
        if (in_child(ordinary_user_has_namespaces) == 0)
                ASSERT_EQ(in_child(as_ordinary_user), 0);
        else
                ASSERT_EQ(in_child(as_ordinary_user), 3); /* refused, and not run without */
}

/* A machine without namespaces: the limit on them is zero in a user namespace of our own. */
static int without_namespaces(void)
{
        static const char *const limits[] = { "/proc/sys/user/max_user_namespaces",
                                              "/proc/sys/user/max_net_namespaces" };
        const struct qn_pool_config config = { .def = &test_role, .workers = 1, .done = keep };
        struct qn_pool *p = NULL;
        struct answer a = { 0 };
        struct qn_err err = { 0 };
        int r;

        if (unshare(CLONE_NEWUSER) < 0)
                return 1;
        for (size_t i = 0; i < QN_ARRAY_SIZE(limits); i++) {
                int fd = open(limits[i], O_WRONLY);

                if (fd < 0 || qn_io_write_fd(fd, QN_STR("0")) < 0)
                        return 2;
                close(fd);
        }
        if (qn_pool_new(&config, &p, NULL) < 0 ||
            qn_pool_submit(
                    p, &(struct qn_pool_job){ .kind = JOB_ECHO, .input_fd = -1, .user = &a }) < 0)
                return 3;
        while ((r = qn_pool_poll(p, -1, &err)) > 0)
                ;
        if (r >= 0 || !strstr(err.msg, "namespaces") || !strstr(err.msg, "--no-sandbox"))
                return 4;
        qn_pool_free(p);
        return 0;
}

TEST(refusal_of_the_kernel_is_named)
{
        int r = in_child(without_namespaces);

        if (r == 1 || r == 2)
                SKIP("this machine lets us make no namespace to try it in");
        ASSERT_EQ(r, 0);
}
