#include "role/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/sanitizer.h"
#include "role/serve.h"

/* The arguments of a role: PROGRAM --role NAME MODE [DATA]. */
#define ARG_ROLE        "--role"
#define MODE_CONFINED   "confined"
#define MODE_UNCONFINED "unconfined"

#define GRACE_MS    200 /* from closing its socket to the end of a process that ends */
#define ROLE_SOCKET 3   /* the descriptor a role finds its socket at */

const struct qn_role_job *qn_role_find_job(const struct qn_role_def *def, uint8_t kind)
{
        for (size_t i = 0; i < def->n_jobs; i++)
                if (def->jobs[i].kind == kind)
                        return &def->jobs[i];
        return NULL;
}

bool qn_role_requested(int argc, char **argv)
{
        return argc > 1 && strcmp(argv[1], ARG_ROLE) == 0;
}

static const struct qn_role_def *find_def(const struct qn_role_def *const *defs, size_t n,
                                          const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(qn_role_name(defs[i]->role), name) == 0)
                        return defs[i];
        return NULL;
}

int qn_role_run(const struct qn_role_def *const *defs, size_t n, int argc, char **argv)
{
        const struct qn_role_def *def = argc == 4 || argc == 5 ? find_def(defs, n, argv[2]) : NULL;
        bool confined;

        if (!def)
                return QN_ROLE_EXIT_PROTOCOL;
        confined = strcmp(argv[3], MODE_UNCONFINED) != 0;
        prctl(PR_SET_NAME, qn_role_name(def->role));
        return qn_role_live(def, ROLE_SOCKET, argc == 5 ? argv[4] : NULL, confined);
}

static int make_sockets(int ret[2])
{
        int size = 2 * (int)QN_ROLE_MESSAGE_MAX;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
                return -errno;
        for (int i = 0; i < 2;
             i++) /* the default has room for one packet; asking for more is allowed to fail */
                (void)setsockopt(ret[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return 0;
}

/* Descriptors of the role: nothing but /dev/null and its socket.  Sanitizers report on standard
 * error. */
static int plan_files(posix_spawn_file_actions_t *files, int sock)
{
        int r = posix_spawn_file_actions_adddup2(files, sock, ROLE_SOCKET);

        if (r == 0)
                r = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDOUT_FILENO);
        if (r == 0 && !QN_SANITIZED)
                r = posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(files, ROLE_SOCKET + 1);
        return -r;
}

/* Signals of the terminal are for the parent, which ends its roles; everything else is as at the
 * start of a program. */
static int plan_signals(posix_spawnattr_t *attr)
{
        static const int blocked[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGTSTP };
        sigset_t mask, defaults;
        int r;

        sigemptyset(&mask);
        for (size_t i = 0; i < QN_ARRAY_SIZE(blocked); i++)
                sigaddset(&mask, blocked[i]);
        sigfillset(&defaults);
        r = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        if (r == 0)
                r = posix_spawnattr_setsigmask(attr, &mask);
        if (r == 0)
                r = posix_spawnattr_setsigdefault(attr, &defaults);
        return -r;
}

/* posix_spawn() shares the parent's memory until the exec: its cost does not grow with the parent.
 */
static int spawn_on(const struct qn_role_start *start, int sock, pid_t *ret)
{
        static char sanitizer[] = "ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:"
                                  "max_allocation_size_mb=1024";
        /* The C library asks for large pages: a large package takes a fifth less time. */
        static char memory[] = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1";
        const char *args[] = { "qanat",
                               ARG_ROLE,
                               qn_role_name(start->role),
                               start->no_sandbox ? MODE_UNCONFINED : MODE_CONFINED,
                               start->data_dir,
                               NULL };
        char cache[QN_TAR_NAME_MAX];
        char *env[4] = { NULL };
        size_t n_env = 0;
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        int r;

        if (QN_SANITIZED)
                env[n_env++] = sanitizer;
        else if (start->role == QN_ROLE_ANALYSE && start->data_dir)
                env[n_env++] = memory;
        if (start->cache_dir &&
            snprintf(cache, sizeof cache, "QANAT_CACHE=%s", start->cache_dir) < (int)sizeof cache)
                env[n_env++] = cache;
        posix_spawn_file_actions_init(&files);
        posix_spawnattr_init(&attr);
        r = plan_files(&files, sock);
        if (r == 0)
                r = plan_signals(&attr);
        if (r == 0)
                r = -posix_spawn(ret, "/proc/self/exe", &files, &attr,
                                 (char *const *)(uintptr_t)args, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&files);
        return r;
}

int qn_role_spawn(const struct qn_role_start *start, pid_t *ret_pid, int *ret_sock,
                  struct qn_err *reterr)
{
        _cleanup_(qn_closep) int ours = -1, theirs = -1;
        int pair[2], r = make_sockets(pair);

        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot make sockets: %s", strerror(-r));
        ours = pair[0];
        theirs = pair[1];
        r = spawn_on(start, theirs, ret_pid);
        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot start the %s role: %s",
                               qn_role_name(start->role), strerror(-r));
        *ret_sock = TAKE_FD(ours);
        return 0;
}

int qn_role_end(pid_t pid, bool gone)
{
        const struct timespec pause = { 0, 1000000 };
        int status = 0;
        pid_t ended = 0;

        for (int i = 0; gone && ended == 0 && i < GRACE_MS; i++) {
                ended = waitpid(pid, &status, WNOHANG);
                if (ended == 0)
                        nanosleep(&pause, NULL);
        }
        if (ended == 0) {
                kill(pid, SIGKILL);
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
        }
        return status;
}
