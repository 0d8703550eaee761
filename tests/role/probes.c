#include "role/probes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define PARENT    0x7000000000000001ul /* stands for the parent's process id */
#define P(x)      ((unsigned long)(x))
#define HERE      ((unsigned long)AT_FDCWD)
#define SOCK      3ul /* the socket to the parent, the one descriptor a role has */
#define PAGE      0x1000ul
#define CALL_I386 (-2) /* through the other entry to the kernel; args[0] is the number */

static struct sockaddr_in tcp = { .sin_family = AF_INET,
                                  .sin_port = 0x0900 /* discard */,
                                  .sin_addr = { 0x0100007f } };
static struct sockaddr_un unix_path = { AF_UNIX, "/run/qanat-nothing" };
static struct open_how how = { .flags = O_RDONLY };
static char *argv_true[] = { (char *)(uintptr_t) "true", NULL };
static char scratch[256];
static struct iovec local = { scratch, sizeof scratch };
static struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
static uint64_t clone_args[11];
static uint32_t caps[8] = { 0x20080522 };

/* The same end in all profiles; another one where requests are made; one for each. */
/* clang-format off */
#define BOTH(end, name, nr, ...)  EACH_OF(end, end, end, name, nr, __VA_ARGS__)
#define EACH(a, f, name, nr, ...) EACH_OF(a, f, a, name, nr, __VA_ARGS__)
#define EACH_OF(a, f, s, name, nr, ...) { name, PROBE_##a, PROBE_##f, PROBE_##s, SYS_##nr, { __VA_ARGS__ } }
/* clang-format on */

const struct probe probes[] = {
        /* files: Landlock refuses with EACCES where seccomp lets the fetch role read */
        BOTH(REFUSED, "open absolute", openat, HERE, P("/etc/passwd"), O_RDONLY),
        BOTH(REFUSED, "open shadow", openat, HERE, P("/etc/shadow"), O_RDONLY),
        BOTH(REFUSED, "open .npmrc", openat, HERE, P("/root/.npmrc"), O_RDONLY),
        BOTH(REFUSED, "open a private key", openat, HERE, P("/root/.ssh/id_rsa"), O_RDONLY),
        BOTH(REFUSED, "open cache", openat, HERE, P("/root/.npm/_cacache"), O_RDONLY),
        EACH(REFUSED, ALLOWED, "open authorities", openat, HERE, P("/etc/ssl/certs"), O_RDONLY),
        BOTH(REFUSED, "open relative", openat, HERE, P("."), O_RDONLY),
        BOTH(REFUSED, "open parent", openat, HERE, P("../../../../etc/passwd"), O_RDONLY),
        BOTH(REFUSED, "open root", openat, HERE, P("/"), O_RDONLY),
        BOTH(REFUSED, "open /proc/self/exe", openat, HERE, P("/proc/self/exe"), O_RDONLY),
        BOTH(REFUSED, "open /proc/self/fd", openat, HERE, P("/proc/self/fd/3"), O_RDWR),
        BOTH(REFUSED, "open /proc/self/mem", openat, HERE, P("/proc/self/mem"), O_RDWR),
        BOTH(REFUSED, "open /dev/null", openat, HERE, P("/dev/null"), O_RDONLY),
        EACH(REFUSED, ALLOWED, "open resolv.conf", openat, HERE, P("/etc/resolv.conf"), O_RDONLY),
        BOTH(REFUSED, "open for writing", openat, HERE, P("/etc/resolv.conf"), O_WRONLY),
        BOTH(REFUSED, "open O_PATH", openat, HERE, P("/"), O_PATH | O_RDWR),
        BOTH(REFUSED, "open O_TMPFILE", openat, HERE, P("/tmp"), O_TMPFILE | O_RDWR, 0600),
        BOTH(REFUSED, "create", openat, HERE, P("/tmp/qanat-probe"), O_CREAT | O_WRONLY, 0600),
        BOTH(REFUSED, "openat2", openat2, HERE, P("/etc/passwd"), P(&how), sizeof how),
        BOTH(KILLED, "open_by_handle_at", open_by_handle_at, HERE, P(scratch), O_RDONLY),
        BOTH(KILLED, "name_to_handle_at", name_to_handle_at, HERE, P("/"), P(scratch), P(scratch),
             0),
        BOTH(REFUSED, "statx", statx, HERE, P("/etc/passwd"), 0, 0x7ff, P(scratch)),
        EACH(REFUSED, ALLOWED, "newfstatat", newfstatat, HERE, P("/"), P(scratch), 0),
        BOTH(REFUSED, "faccessat", faccessat, HERE, P("/etc/passwd"), R_OK),
        BOTH(REFUSED, "readlinkat", readlinkat, HERE, P("/proc/self/exe"), P(scratch),
             sizeof scratch),
        BOTH(REFUSED, "unlinkat", unlinkat, HERE, P("/tmp/qanat-nothing"), 0),
        BOTH(REFUSED, "mkdirat", mkdirat, HERE, P("/tmp/qanat-probe"), 0700),
        BOTH(REFUSED, "mknodat", mknodat, HERE, P("/tmp/qanat-probe"), S_IFIFO | 0600, 0),
        BOTH(REFUSED, "renameat2", renameat2, HERE, P("/tmp/qanat-a"), HERE, P("/tmp/qanat-b"), 0),
        BOTH(REFUSED, "linkat", linkat, HERE, P("/tmp/qanat-a"), HERE, P("/tmp/qanat-b"), 0),
        BOTH(REFUSED, "symlinkat", symlinkat, P("/"), HERE, P("/tmp/qanat-probe")),
        BOTH(REFUSED, "fchmodat", fchmodat, HERE, P("/tmp/qanat-nothing"), 0600),
        BOTH(REFUSED, "fchownat", fchownat, HERE, P("/tmp/qanat-nothing"), 0, 0, 0),
        BOTH(REFUSED, "utimensat", utimensat, HERE, P("/tmp/qanat-nothing"), 0, 0),
        BOTH(REFUSED, "truncate", truncate, P("/tmp/qanat-nothing"), 0),
        BOTH(REFUSED, "setxattr", setxattr, P("/tmp/qanat-nothing"), P("user.a"), P(""), 0, 0),
        BOTH(REFUSED, "chdir", chdir, P("/")),
        BOTH(REFUSED, "fchdir", fchdir, SOCK),
        BOTH(KILLED, "chroot", chroot, P("/")),
        BOTH(REFUSED, "inotify_init1", inotify_init1, 0),
        BOTH(REFUSED, "fanotify_init", fanotify_init, 0, 0),
        BOTH(REFUSED, "mount statfs", statfs, P("/"), P(scratch)),
        BOTH(KILLED, "mount", mount, P("none"), P("/tmp"), P("tmpfs"), 0, 0),
        BOTH(KILLED, "umount2", umount2, P("/tmp/qanat-nothing"), 0),
        BOTH(KILLED, "pivot_root", pivot_root, P("/"), P("/")),
        BOTH(KILLED, "fsopen", fsopen, P("tmpfs"), 0),
        BOTH(KILLED, "open_tree", open_tree, HERE, P("/"), 0),
        BOTH(KILLED, "move_mount", move_mount, HERE, P("/"), HERE, P("/"), 0),
        /* network */
        EACH(REFUSED, ALLOWED, "socket tcp", socket, AF_INET, SOCK_STREAM, 0),
        EACH(REFUSED, ALLOWED, "socket tcp6", socket, AF_INET6, SOCK_STREAM, 0),
        EACH(REFUSED, ALLOWED, "socket udp", socket, AF_INET, SOCK_DGRAM, 0),
        BOTH(REFUSED, "socket unix", socket, AF_UNIX, SOCK_STREAM, 0),
        BOTH(REFUSED, "socket netlink", socket, AF_NETLINK, SOCK_RAW, 0),
        BOTH(REFUSED, "socket packet", socket, AF_PACKET, SOCK_RAW, 0),
        BOTH(REFUSED, "socket vsock", socket, 40, SOCK_STREAM, 0),
        BOTH(REFUSED, "socket alg", socket, 38, SOCK_SEQPACKET, 0),
        BOTH(REFUSED, "socket xdp", socket, 44, SOCK_RAW, 0),
        EACH(REFUSED, ALLOWED, "socketpair", socketpair, AF_UNIX, SOCK_STREAM, 0, P(scratch)),
        EACH_OF(REFUSED, ALLOWED, ALLOWED, "shutdown nothing", shutdown, 99, 0),
        EACH(REFUSED, ALLOWED, "connect tcp", connect, 99, P(&tcp), sizeof tcp),
        EACH(REFUSED, ALLOWED, "connect unix", connect, 99, P(&unix_path), sizeof unix_path),
        BOTH(KILLED, "bind", bind, SOCK, P(&unix_path), sizeof unix_path),
        BOTH(KILLED, "listen", listen, SOCK, 1),
        EACH_OF(REFUSED, REFUSED, ALLOWED, "accept4", accept4, SOCK, 0, 0, 0),
        EACH(REFUSED, ALLOWED, "sendto nowhere", sendto, 99, P(scratch), 1, 0, P(&tcp), sizeof tcp),
        /* processes */
        BOTH(KILLED, "execve", execve, P("/bin/true"), P(argv_true), P(argv_true + 1)),
        BOTH(KILLED, "execveat", execveat, HERE, P("/bin/true"), P(argv_true), P(argv_true + 1), 0),
        BOTH(REFUSED, "clone", clone, SIGCHLD, 0, 0, 0, 0),
        BOTH(REFUSED, "clone namespaces", clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0),
#ifdef SYS_fork
        BOTH(KILLED, "fork", fork, 0),
#endif
        /* vfork() cannot be called from here: the child would return on the parent's stack */
        BOTH(KILLED, "ptrace attach", ptrace, PTRACE_ATTACH, PARENT, 0, 0),
        BOTH(KILLED, "ptrace traceme", ptrace, PTRACE_TRACEME, 0, 0, 0),
        BOTH(KILLED, "process_vm_readv", process_vm_readv, PARENT, P(&local), 1, P(&local), 1, 0),
        BOTH(KILLED, "process_vm_writev", process_vm_writev, PARENT, P(&local), 1, P(&local), 1, 0),
        BOTH(REFUSED, "kill parent", kill, PARENT, 0),
        BOTH(REFUSED, "tgkill parent", tgkill, PARENT, PARENT, 0),
        BOTH(REFUSED, "tkill parent", tkill, PARENT, 0),
        BOTH(REFUSED, "kill all", kill, P(-1), 0),
        BOTH(REFUSED, "rt_sigqueueinfo", rt_sigqueueinfo, PARENT, 0, P(scratch)),
        BOTH(KILLED, "pidfd_open", pidfd_open, PARENT, 0),
        BOTH(KILLED, "pidfd_getfd", pidfd_getfd, SOCK, 0, 0),
        BOTH(REFUSED, "pidfd_send_signal", pidfd_send_signal, SOCK, 0, 0, 0),
        BOTH(KILLED, "kcmp", kcmp, PARENT, PARENT, 0, 0, 0),
        BOTH(REFUSED, "prlimit parent", prlimit64, PARENT, RLIMIT_NOFILE, 0, P(scratch)),
        BOTH(REFUSED, "setpriority", setpriority, 0, PARENT, 0),
        BOTH(REFUSED, "sched_setscheduler", sched_setscheduler, 0, 0, P(scratch)),
        BOTH(REFUSED, "wait4", wait4, P(-1), 0, 0, 0),
        /* privileges */
        BOTH(KILLED, "unshare", unshare, CLONE_NEWUSER),
        BOTH(KILLED, "setns", setns, SOCK, 0),
        BOTH(REFUSED, "setuid", setuid, 0),
        BOTH(REFUSED, "setresuid", setresuid, 0, 0, 0),
        BOTH(REFUSED, "setgroups", setgroups, 0, 0),
        BOTH(REFUSED, "capset", capset, P(caps), P(caps + 2)),
        BOTH(REFUSED, "prctl dumpable", prctl, PR_SET_DUMPABLE, 1, 0, 0, 0),
        BOTH(REFUSED, "prctl pdeathsig", prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0),
        BOTH(REFUSED, "prctl seccomp", prctl, PR_SET_SECCOMP, 0, 0, 0, 0),
        BOTH(REFUSED, "prctl ptracer", prctl, 0x59616d61 /* PR_SET_PTRACER */, P(-1), 0, 0, 0),
        BOTH(REFUSED, "seccomp", seccomp, 1, 0, 0),
        BOTH(REFUSED, "landlock_create_ruleset", landlock_create_ruleset, 0, 0, 1),
        BOTH(REFUSED, "setrlimit", setrlimit, RLIMIT_NOFILE, P(&unlimited)),
        BOTH(REFUSED, "personality", personality, 0x0400000 /* READ_IMPLIES_EXEC */),
        BOTH(KILLED, "keyctl", keyctl, 0, P(-3), 0),
        BOTH(KILLED, "add_key", add_key, P("user"), P("qanat"), P("x"), 1, P(-2)),
        BOTH(KILLED, "request_key", request_key, P("user"), P("qanat"), 0, 0),
        /* doors of the kernel that many exploits came through */
        BOTH(KILLED, "io_uring_setup", io_uring_setup, 1, P(scratch)),
        BOTH(REFUSED, "io_uring_enter", io_uring_enter, SOCK, 0, 0, 0, 0, 0),
        BOTH(KILLED, "bpf", bpf, 0, P(scratch), 0),
        BOTH(KILLED, "perf_event_open", perf_event_open, P(scratch), 0, P(-1), P(-1), 0),
        BOTH(KILLED, "userfaultfd", userfaultfd, 0),
        BOTH(KILLED, "init_module", init_module, P(scratch), 0, P("")),
        BOTH(KILLED, "finit_module", finit_module, SOCK, P(""), 0),
        BOTH(KILLED, "kexec_load", kexec_load, 0, 0, 0, 0),
        BOTH(REFUSED, "memfd_create", memfd_create, P("qanat"), 0),
        BOTH(REFUSED, "splice", splice, SOCK, 0, SOCK, 0, 1, 0),
        BOTH(REFUSED, "vmsplice", vmsplice, SOCK, P(&local), 1, 0),
        BOTH(REFUSED, "add watch queue", ioctl, SOCK, 0x5760, 0),
        BOTH(REFUSED, "ioctl TIOCSTI", ioctl, 0, TIOCSTI, P("x")),
        BOTH(REFUSED, "shmget", shmget, 0, PAGE, 0600),
        BOTH(REFUSED, "msgget", msgget, 0, 0600),
        BOTH(REFUSED, "semget", semget, 0, 1, 0600),
        BOTH(REFUSED, "mq_open", mq_open, P("qanat"), O_RDWR | O_CREAT, 0600, 0),
        BOTH(REFUSED, "syslog", syslog, 3, P(scratch), sizeof scratch),
        BOTH(REFUSED, "sethostname", sethostname, P("x"), 1),
        BOTH(REFUSED, "acct", acct, 0),
        BOTH(REFUSED, "swapon", swapon, P("/tmp/qanat-nothing"), 0),
        BOTH(REFUSED, "quotactl", quotactl, 0, 0, 0, 0),
        BOTH(REFUSED, "remap_file_pages", remap_file_pages, 0, PAGE, 0, 0, 0),
        BOTH(REFUSED, "mmap exec", mmap, 0, PAGE, PROT_READ | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, P(-1), 0),
        BOTH(REFUSED, "mprotect exec", mprotect, 0, PAGE, PROT_READ | PROT_EXEC),
        BOTH(REFUSED, "pkey_mprotect", pkey_mprotect, 0, PAGE, PROT_EXEC, P(-1)),
        /* descriptors */
        BOTH(REFUSED, "dup", dup, SOCK),
        BOTH(REFUSED, "dup3", dup3, SOCK, 9, 0),
        BOTH(REFUSED, "fcntl F_DUPFD", fcntl, SOCK, F_DUPFD, 0),
        EACH_OF(REFUSED, REFUSED, ALLOWED, "fcntl F_DUPFD_CLOEXEC", fcntl, 99, F_DUPFD_CLOEXEC, 0),
        EACH_OF(REFUSED, REFUSED, ALLOWED, "sendfile", sendfile, 99, 99, 0, 1),
        EACH_OF(REFUSED, ALLOWED, ALLOWED, "fcntl F_SETFL", fcntl, 99, F_SETFL, O_NONBLOCK),
        BOTH(REFUSED, "fcntl F_SETOWN", fcntl, SOCK, F_SETOWN, PARENT),
        EACH(REFUSED, ALLOWED, "pipe2", pipe2, P(scratch), 0),
        EACH_OF(REFUSED, ALLOWED, ALLOWED, "eventfd2", eventfd2, 0, 0),
        EACH_OF(REFUSED, ALLOWED, ALLOWED, "epoll_create1", epoll_create1, 0),
        BOTH(REFUSED, "signalfd4", signalfd4, P(-1), P(scratch), 8, 0),
        EACH(REFUSED, ALLOWED, "timerfd_create", timerfd_create, CLOCK_MONOTONIC, 0),
        EACH(REFUSED, ALLOWED, "ftruncate", ftruncate, 99, 0),
        /* what must work */
        BOTH(ALLOWED, "write /dev/null", write, 1, P(scratch), 1),
        BOTH(ALLOWED, "getpid", getpid, 0),
        BOTH(ALLOWED, "mmap", mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             P(-1), 0),
        BOTH(REFUSED, "clone3", clone3, P(clone_args), sizeof clone_args),
#ifdef __x86_64__
        /* other numberings of the same calls */
        { "getpid of x32",
          PROBE_KILLED,
          PROBE_KILLED,
          PROBE_KILLED,
          0x40000000 + SYS_getpid,
          { 0 } },
        { "getpid of i386", PROBE_KILLED, PROBE_KILLED, PROBE_KILLED, CALL_I386, { 20 } },
#endif
};
const size_t n_probes = QN_ARRAY_SIZE(probes);

int probe_run(size_t i, int parent)
{
        unsigned long a[6];

#ifdef __x86_64__
        if (probes[i].nr == CALL_I386) {
                long r = (long)probes[i].args[0];

                __asm__ volatile("int $0x80" : "+a"(r) : : "memory");
                return (int)r;
        }
#endif
        for (size_t j = 0; j < 6; j++)
                a[j] = probes[i].args[j] == PARENT ? (unsigned long)parent : probes[i].args[j];
        return syscall(probes[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}
