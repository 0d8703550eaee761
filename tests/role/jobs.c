#include "role/jobs.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "role/probes.h"

#define SOCKET 3

#define JOB_FN(name)                                                                   \
        static int name(void *ctx QN_UNUSED, struct qn_cur params QN_UNUSED,           \
                        struct qn_cur input QN_UNUSED, struct qn_buf *reply QN_UNUSED, \
                        struct qn_err *reterr QN_UNUSED)

static uint32_t number(struct qn_cur *params)
{
        uint32_t v = 0;

        return qn_cur_le32(params, &v) < 0 ? 0 : v;
}

JOB_FN(echo)
{
        qn_buf_str(reply, qn_cur_rest(&params));
        return qn_buf_str(reply, qn_cur_rest(&input));
}

static int beside(void *ctx QN_UNUSED, struct qn_cur params QN_UNUSED,
                  const struct qn_cur inputs[1 + QN_BESIDE], struct qn_buf *reply,
                  struct qn_err *reterr QN_UNUSED)
{
        for (size_t i = 0; i < 1 + QN_BESIDE; i++)
                qn_buf_printf(reply, "%zu:%.*s ", i, QN_STR_ARG(qn_cur_rest(&inputs[i])));
        return qn_buf_error(reply);
}

JOB_FN(take_a_nap)
{
        uint32_t ms = number(&params);
        struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

        return clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

JOB_FN(crash)
{
        int *volatile nowhere = NULL;
        int sig = (int)number(&params);

        if (sig == SIGABRT)
                abort();
        if (sig)
                raise(sig);
        *(volatile int *)nowhere = 1;
        return 0;
}

JOB_FN(loop)
{
        for (volatile unsigned i = 0;; i++)
                ;
        return 0;
}

JOB_FN(hog)
{
        size_t want = (size_t)number(&params) << 20, piece = (size_t)number(&params) << 20;

        for (size_t got = 0; got < want; got += piece) {
                char *p = malloc(piece);

                if (!p)
                        return -ENOMEM;
                for (size_t i = 0; i < piece; i += 4096)
                        ((volatile char *)p)[i] = 1;
        }
        return 0;
}

JOB_FN(leave)
{
        _exit((int)number(&params));
        return 0;
}

JOB_FN(fail)
{
        return qn_fail(reterr, -EILSEQ, 0, "this is \033[31mred\n");
}

JOB_FN(fill)
{
        return qn_buf_fill(reply, 'x', number(&params));
}

JOB_FN(raw)
{
        struct iovec part = { (void *)(uintptr_t)input.p, qn_cur_left(&input) };
        struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };

        if (sendmsg(SOCKET, &m, 0) < 0)
                return -errno;
        return leave(ctx, params, input, reply, reterr);
}

JOB_FN(hang_up)
{
        close(SOCKET);
        for (;;)
                clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 1, 0 }, NULL);
        return 0;
}

/* A complete and correct reply, but for the descriptor that comes with it. */
JOB_FN(smuggle)
{
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec part = { (void *)(uintptr_t)input.p, qn_cur_left(&input) };
        struct msghdr m = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control };
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        int fd = 0;

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
        return sendmsg(SOCKET, &m, 0) < 0 ? -errno : 0;
}

JOB_FN(probe)
{
        uint32_t i = number(&params), parent = number(&params);
        uint32_t result = i < n_probes ? (uint32_t)probe_run(i, (int)parent) : ENOENT;

        return qn_buf_add(reply, &result, sizeof result);
}

JOB_FN(state)
{
        struct test_state s = { .pid = (int32_t)syscall(SYS_getpid) };
        struct stat st;

        for (char **e = environ; e && *e; e++)
                s.environment++;
        for (unsigned fd = 0; fd < 32; fd++)
                s.descriptors |= (uint32_t)(syscall(SYS_fstat, fd, &st) == 0) << fd;
        s.opened = ctx ? *(uint32_t *)ctx : 0;
        return qn_buf_add(reply, &s, sizeof s);
}

JOB_FN(sum)
{
        uint64_t total = 0;

        if (qn_cur_left(&params) && take_a_nap(ctx, params, input, reply, reterr) != 0)
                return -EINTR;
        for (const uint8_t *p = input.p; p < input.end; p++)
                total += *p;
        return qn_buf_add(reply, &total, sizeof total);
}

static int past_the_count(struct qn_role_output *out)
{
        static const char block[65536];

        for (size_t n = 0; n <= JOB_WRITE_MAX; n += sizeof block)
                if (write(out->fd, block, sizeof block) < 0)
                        return -errno;
        return 0;
}

static int writes(void *ctx QN_UNUSED, struct qn_cur params,
                  const struct qn_cur inputs[1 + QN_BESIDE], struct qn_role_output *out,
                  struct qn_err *reterr)
{
        struct qn_str in = qn_cur_rest(&inputs[0]);
        int r = qn_role_write(out, in.p, in.n);

        switch ((enum test_write)number(&params)) {
        case WRITE_CRASH:
                abort();
        case WRITE_MAP:
                return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, out->fd, 0) ==
                                       MAP_FAILED
                               ? -errno
                               : r;
        case WRITE_PAST:
                return past_the_count(out);
        case WRITE_FAIL:
                return qn_fail(reterr, -EILSEQ, 0, "no");
        case WRITE_TOO_MUCH:
                while (r == 0)
                        r = qn_role_write(out, "12345", 5);
                break;
        case WRITE_ONLY:
                break;
        }
        return r;
}

static const struct qn_role_job jobs[] = {
        { JOB_ECHO, 64 << 20, 20, echo },
        { JOB_SLEEP, 0, 20, take_a_nap },
        { JOB_CRASH, 0, 20, crash },
        { JOB_LOOP, 0, 1, loop },
        { JOB_ALLOC, 0, 20, hog },
        { JOB_EXIT, 0, 20, leave },
        { JOB_FAIL, 0, 20, fail },
        { JOB_SIZE, 1 << 20, 20, fill },
        { JOB_RAW, 1 << 20, 20, raw },
        { JOB_CLOSE, 0, 20, hang_up },
        { JOB_SEND_FD, 64, 20, smuggle },
        { JOB_PROBE, 4, 20, probe },
        { JOB_STATE, 64, 20, state },
        { JOB_SUM, 8, 20, sum },
        { JOB_BESIDE, 64 << 20, 20, .run_beside = beside },
        { JOB_WRITE, 0, 20, .run_output = writes, .output_max = JOB_WRITE_MAX },
};

static int open_tables(const char *data_dir, void **ret, struct qn_err *reterr)
{
        static uint32_t tables;

        if (data_dir && strcmp(data_dir, "missing") == 0)
                return qn_fail(reterr, -ENOENT, 0, "no tables in \"%s\"", data_dir);
        if (data_dir && strcmp(data_dir, "deadly") == 0)
                abort();
        tables = 0x600d;
        *ret = &tables;
        return 0;
}

const struct qn_role_def test_role = { QN_ROLE_TEST, open_tables, jobs, QN_ARRAY_SIZE(jobs) };
const struct qn_role_def test_serve_role = { QN_ROLE_SERVE, NULL, jobs, QN_ARRAY_SIZE(jobs) };
const struct qn_role_def test_fetch_role = { QN_ROLE_FETCH, NULL, jobs, QN_ARRAY_SIZE(jobs) };
