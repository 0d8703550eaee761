#include "role/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/landlock.h"
#include "role/sanitizer.h"
#include "role/syscalls.h"

#define NOBODY 65534

struct profile {
        const char *name;
        int namespaces;  /* CLONE_NEW*, beside the user namespace */
        bool empty_root; /* `/` becomes a directory in which nothing is */
        struct qn_landlock landlock;
        unsigned syscalls; /* QN_SYSCALLS_* */
        rlim_t descriptors, threads;
        size_t memory; /* bytes of address space to grow by */
        rlim_t file;   /* bytes of a file that it was given to write to */
};

/* What name resolution and TLS read. */
static const char *const fetch_files[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/etc/ssl",
        "/etc/pki",
        "/etc/ca-certificates",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/run/systemd/resolve",
        NULL,
};

/* A PID namespace would need a second process per role; kill, ptrace and /proc are already out of
 * reach without it. */
#define PARSER(n)                                                                       \
        {                                                                               \
                .name = (n),                                                            \
                .namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS, \
                .empty_root = true, .descriptors = 16, .memory = QN_ROLE_MEMORY,        \
                .file = QN_ROLE_OUTPUT_MAX                                              \
        }
static const struct profile profiles[QN_ROLE_MAX] = {
        [QN_ROLE_ANALYSE] = PARSER("analyse"),
        [QN_ROLE_TEST] = PARSER("test"),
        [QN_ROLE_FETCH] = { .name = "fetch",
                            .namespaces = CLONE_NEWIPC | CLONE_NEWUTS,
                            .landlock = { .read = fetch_files, .connect = true },
                            .syscalls = QN_SYSCALLS_SOCKETS,
                            .descriptors = 1024,
                            .threads = 4096,
                            .memory = QN_ROLE_MEMORY,
                            .file = QN_TARBALL_MAX },
        /* sockets that listen come from the parent and stay in its network */
        [QN_ROLE_SERVE] = { .name = "serve",
                            .namespaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS,
                            .empty_root = true,
                            .syscalls = QN_SYSCALLS_ACCEPT,
                            .descriptors = QN_FRONT_FILES,
                            .threads = 4096,
                            .memory = QN_FRONT_MEMORY,
                            .file = RLIM_INFINITY },
};

_Static_assert(QN_TARBALL_MAX >= QN_PACKUMENT_MAX, "one limit for both");

const char *qn_role_name(enum qn_role role)
{
        return profiles[role].name;
}

static int set_limit(int what, rlim_t value)
{
        struct rlimit limit;

        if (getrlimit(what, &limit) < 0)
                return -errno;
        limit.rlim_max = QN_MIN(limit.rlim_max, value);
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(what, &limit) < 0 ? -errno : 0;
}

/* The address space in use, from /proc/self/statm. */
static int mapped_bytes(size_t *ret)
{
        _cleanup_(qn_closep) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        char text[64] = "";

        if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
                return -errno;
        *ret = strtoul(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
        return 0;
}

static int limit_memory(const struct profile *p)
{
        size_t used = 0;
        int r;

        if (QN_SANITIZED) /* their shadow is terabytes of address space */
                return 0;
        r = mapped_bytes(&used);
        return r < 0 ? r : set_limit(RLIMIT_AS, used + p->memory);
}

/* No RLIMIT_CPU: it counts for the life of a process, which serves many packages.  Each of them has
 * its own budget (serve.c), and the parent's clock behind it. */
static int limit_resources(const struct profile *p)
{
        const struct {
                int what;
                rlim_t value;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_FSIZE,
                  QN_SANITIZED ? RLIM_INFINITY : p->file }, /* reports may go to a file */
                { RLIMIT_NOFILE, p->descriptors },
                { RLIMIT_MEMLOCK, 0 },
                { RLIMIT_MSGQUEUE, 0 },
        };
        int r = limit_memory(p);

        for (size_t i = 0; i < QN_ARRAY_SIZE(limits) && r == 0; i++)
                r = set_limit(limits[i].what, limits[i].value);
        return r;
}

int qn_confine_limits(enum qn_role role, int keep, struct qn_err *reterr)
{
        static char *empty[] = { NULL };
        int r = limit_resources(&profiles[role]);

        if (r < 0)
                return qn_fail(reterr, r, 0, "cannot set the limits of a role: %s", strerror(-r));
        environ = empty;
        /* a kernel without close_range has no Landlock either; the spawner closed everything
         * already */
        if (close_range((unsigned)keep, ~0u, 0) < 0 && errno != ENOSYS)
                return qn_fail(reterr, -errno, 0, "cannot close descriptors: %s", strerror(errno));
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return qn_fail(reterr, -errno, 0, "cannot follow the parent: %s", strerror(errno));
        return 0;
}

/* What is mounted from here on is nobody else's.  In a chroot `/` may be no mount point: then it is enough that the one place
 * where something is going to be mounted is not shared. */
static int keep_mounts_private(void)
{
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
                return 0;
        if (errno != EINVAL)
                return -errno;
        return mount(NULL, "/proc", NULL, MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

/* Mounts an empty read-only directory and makes it the root. */
static int enter_empty_root(void)
{
        const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
        int r = keep_mounts_private();

        if (r < 0)
                return r;
        if (mount("none", "/proc", "tmpfs", flags, "mode=0111,size=4k,nr_inodes=2") < 0 ||
            chroot("/proc") < 0 || chdir("/") < 0)
                return -errno;
        return 0;
}

/* Root that is root only in a namespace may have no other user: -EINVAL is fine, nothing is gained
 * by staying. */
static int become_nobody(void)
{
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return -errno;
        if (setresgid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
                return -errno;
        if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
                return -errno;
        return 0;
}

/* Root makes the namespaces with its own power and then becomes nobody: from a user namespace it
 * could not change its uid. Everybody else, and root without that power, needs a user namespace. */
static int enter_namespaces(const struct profile *p)
{
        bool root = geteuid() == 0 && unshare(p->namespaces) == 0;
        int r;

        if (!root && unshare(p->namespaces | CLONE_NEWUSER) < 0)
                return -errno;
        r = p->empty_root ? enter_empty_root() : 0;
        if (r < 0 || !root)
                return r;
        return become_nobody();
}

static int drop_privileges(const struct profile *p)
{
        struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = { 0 };
        int r = set_limit(RLIMIT_NPROC, p->threads);

        if (r < 0)
                return r;
        if (syscall(SYS_capset, &head, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno; /* a change of uid forgets the death signal, hence once more */
        return 0;
}

static int apply_landlock(const struct profile *p)
{
        return qn_landlock_apply(&p->landlock);
}

static int apply_seccomp(const struct profile *p)
{
        return qn_syscalls_apply(p->syscalls | (QN_SANITIZED ? QN_SYSCALLS_SANITIZER : 0));
}

static const struct {
        const char *what;
        int (*apply)(const struct profile *p);
} steps[] = {
        { "user, network and mount namespaces", enter_namespaces },
        { "giving up privileges", drop_privileges },
        { "Landlock", apply_landlock },
        { "seccomp", apply_seccomp }, /* last: it forbids the others */
};

int qn_confine(enum qn_role role, struct qn_err *reterr)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(steps); i++) {
                int r = steps[i].apply(&profiles[role]);

                if (r < 0)
                        return qn_fail(reterr, r, 0,
                                       "this system refuses %s (%s); --no-sandbox runs without "
                                       "confinement",
                                       steps[i].what, strerror(-r));
        }
        return 0;
}
