#include "role/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANY \
        {   \
        } /* whatever its arguments */

/* A system call that is allowed, when its argument `arg.arg` compares as said (op 0: whatever its
 * arguments). */
struct rule {
        int nr;
        struct scmp_arg_cmp arg;
};

/* Every role: memory, the passed descriptors, time, leaving.  No call here takes a path. */
static const struct rule core[] = {
        { SCMP_SYS(read), ANY },
        { SCMP_SYS(readv), ANY },
        { SCMP_SYS(pread64), ANY },
        { SCMP_SYS(write), ANY },
        { SCMP_SYS(writev), ANY },
        { SCMP_SYS(sendmsg), ANY },
        { SCMP_SYS(recvmsg), ANY },
        { SCMP_SYS(fstat), ANY },
        { SCMP_SYS(lseek), ANY },
        { SCMP_SYS(close), ANY },
        { SCMP_SYS(brk), ANY },
        { SCMP_SYS(munmap), ANY },
        { SCMP_SYS(mremap), ANY },
        { SCMP_SYS(madvise), ANY },
        { SCMP_SYS(futex), ANY },
        { SCMP_SYS(sched_yield), ANY },
        { SCMP_SYS(clock_gettime), ANY },
        { SCMP_SYS(clock_nanosleep), ANY },
        { SCMP_SYS(gettimeofday), ANY },
        { SCMP_SYS(time), ANY },
        { SCMP_SYS(getrandom), ANY },
        { SCMP_SYS(getpid), ANY },
        { SCMP_SYS(gettid), ANY },
        { SCMP_SYS(rt_sigprocmask), ANY },
        { SCMP_SYS(rt_sigreturn), ANY },
        { SCMP_SYS(restart_syscall), ANY },
        { SCMP_SYS(exit), ANY },
        { SCMP_SYS(exit_group), ANY },
        /* no new machine code */
        { SCMP_SYS(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
        { SCMP_SYS(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
};

static const struct rule sanitizer[] = {
        { SCMP_SYS(sigaltstack), ANY },
        { SCMP_SYS(rt_sigaction), ANY },
        { SCMP_SYS(getrlimit), ANY },
        { SCMP_SYS(prctl), { 0, SCMP_CMP_EQ, PR_SET_VMA } },
};

static const struct rule sockets[] = {
        { SCMP_SYS(socket), { 0, SCMP_CMP_EQ, AF_INET } },
        { SCMP_SYS(socket), { 0, SCMP_CMP_EQ, AF_INET6 } },
        { SCMP_SYS(socketpair), { 0, SCMP_CMP_EQ, AF_UNIX } },
        { SCMP_SYS(connect), ANY },
        { SCMP_SYS(shutdown), ANY },
        { SCMP_SYS(sendto), ANY },
        { SCMP_SYS(sendmmsg), ANY },
        { SCMP_SYS(recvfrom), ANY },
        { SCMP_SYS(recvmmsg), ANY },
        { SCMP_SYS(getsockopt), ANY },
        { SCMP_SYS(setsockopt), ANY },
        { SCMP_SYS(getsockname), ANY },
        { SCMP_SYS(getpeername), ANY },
        { SCMP_SYS(poll), ANY },
        { SCMP_SYS(ppoll), ANY },
        { SCMP_SYS(epoll_create1), ANY },
        { SCMP_SYS(epoll_ctl), ANY },
        { SCMP_SYS(epoll_wait), ANY },
        { SCMP_SYS(epoll_pwait), ANY },
        { SCMP_SYS(eventfd2), ANY },
        { SCMP_SYS(pipe2), ANY },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFL } },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFL } },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFD } },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFD } },
        { SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, FIONBIO } },
        { SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, FIONREAD } },
        { SCMP_SYS(timerfd_create), ANY },
        { SCMP_SYS(timerfd_settime), ANY },
        { SCMP_SYS(ftruncate), ANY }, /* of a body that is fetched once more */
        { SCMP_SYS(rt_sigaction), ANY },
        { SCMP_SYS(sched_getaffinity), ANY },
        { SCMP_SYS(uname), ANY },
        /* the resolver and the CA store; Landlock says which paths */
        { SCMP_SYS(open), { 1, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY } },
        { SCMP_SYS(openat), { 2, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_RDONLY } },
        { SCMP_SYS(getdents64), ANY },
        { SCMP_SYS(stat), ANY },
        { SCMP_SYS(newfstatat), ANY },
};

/* A server: no socket of its own making. */
static const struct rule accepting[] = {
        { SCMP_SYS(accept4), ANY },
        { SCMP_SYS(shutdown), ANY },
        { SCMP_SYS(sendto), { 4, SCMP_CMP_EQ, 0 } }, /* on what is connected */
        { SCMP_SYS(recvfrom), ANY },
        { SCMP_SYS(sendfile), ANY },
        { SCMP_SYS(getsockopt), ANY },
        { SCMP_SYS(setsockopt), ANY },
        { SCMP_SYS(getsockname), ANY },
        { SCMP_SYS(poll), ANY },
        { SCMP_SYS(epoll_create1), ANY },
        { SCMP_SYS(epoll_ctl), ANY },
        { SCMP_SYS(epoll_wait), ANY },
        { SCMP_SYS(epoll_pwait), ANY },
        { SCMP_SYS(eventfd2), ANY },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_GETFL } },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_SETFL } },
        { SCMP_SYS(fcntl), { 1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC } },
        { SCMP_SYS(rt_sigaction), ANY },
        { SCMP_SYS(getrusage), ANY },
        { SCMP_SYS(sched_getaffinity), ANY },
};

/* Threads, not processes; glibc falls back from clone3, whose flags no filter can see. */
static const struct rule threads[] = {
        { SCMP_SYS(clone), { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } },
        { SCMP_SYS(set_robust_list), ANY },
        { SCMP_SYS(rseq), ANY },
};

/* No library asks for these by accident. */
static const int deadly[] = {
        SCMP_SYS(execve),
        SCMP_SYS(execveat),
        SCMP_SYS(fork),
        SCMP_SYS(vfork),
        SCMP_SYS(ptrace),
        SCMP_SYS(process_vm_readv),
        SCMP_SYS(process_vm_writev),
        SCMP_SYS(pidfd_open),
        SCMP_SYS(pidfd_getfd),
        SCMP_SYS(kcmp),
        SCMP_SYS(mount),
        SCMP_SYS(umount2),
        SCMP_SYS(pivot_root),
        SCMP_SYS(chroot),
        SCMP_SYS(fsopen),
        SCMP_SYS(move_mount),
        SCMP_SYS(open_tree),
        SCMP_SYS(unshare),
        SCMP_SYS(setns),
        SCMP_SYS(bpf),
        SCMP_SYS(io_uring_setup),
        SCMP_SYS(perf_event_open),
        SCMP_SYS(userfaultfd),
        SCMP_SYS(keyctl),
        SCMP_SYS(add_key),
        SCMP_SYS(request_key),
        SCMP_SYS(init_module),
        SCMP_SYS(finit_module),
        SCMP_SYS(kexec_load),
        SCMP_SYS(open_by_handle_at),
        SCMP_SYS(name_to_handle_at),
        SCMP_SYS(bind),
        SCMP_SYS(listen),
};

static int allow(scmp_filter_ctx ctx, const struct rule *rules, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].nr, rules[i].arg.op != 0,
                                           &rules[i].arg);
        return r;
}

static int allow_threads(scmp_filter_ctx ctx)
{
        int r = allow(ctx, threads, QN_ARRAY_SIZE(threads));

        return r < 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

static int fill(scmp_filter_ctx ctx, unsigned sets)
{
        /* abort() signals itself, and nobody else */
        const struct rule self = { SCMP_SYS(tgkill), { 0, SCMP_CMP_EQ, (scmp_datum_t)getpid() } };
        int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

        if (r == 0)
                r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r == 0)
                r = allow(ctx, core, QN_ARRAY_SIZE(core));
        if (r == 0)
                r = allow(ctx, &self, 1);
        if (r == 0 && (sets & QN_SYSCALLS_SANITIZER))
                r = allow(ctx, sanitizer, QN_ARRAY_SIZE(sanitizer));
        if (r == 0 && (sets & QN_SYSCALLS_SOCKETS))
                r = allow(ctx, sockets, QN_ARRAY_SIZE(sockets));
        if (r == 0 && (sets & QN_SYSCALLS_ACCEPT))
                r = allow(ctx, accepting, QN_ARRAY_SIZE(accepting));
        if (r == 0 && (sets & (QN_SYSCALLS_SOCKETS | QN_SYSCALLS_ACCEPT)))
                r = allow_threads(ctx);
        for (size_t i = 0; i < QN_ARRAY_SIZE(deadly) && r == 0; i++)
                r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
        return r;
}

int qn_syscalls_apply(unsigned sets)
{
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!ctx)
                return -ENOMEM;
        r = fill(ctx, sets);
        if (r == 0)
                r = seccomp_load(ctx);
        seccomp_release(ctx);
        return r;
}
