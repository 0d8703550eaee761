#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/input.h"
#include "role/jobs.h"
#include "role/pool.h"
#include "role/sanitizer.h"
#include "test.h"

/* A role of this program is this program: the loader hands the arguments to constructors. */
__attribute__((constructor)) static void become_role(int argc, char **argv)
{
        const struct qn_role_def *const defs[] = { &test_role };

        if (qn_role_requested(argc, argv))
                exit(qn_role_run(defs, 1, argc, argv));
}

struct answer {
        int calls, code;
        enum qn_pool_status status;
        char why[160];
        uint8_t reply[256];
        size_t n;
};

static void keep(void *ctx QN_UNUSED, const struct qn_pool_result *r)
{
        struct answer *a = r->user;

        a->calls++;
        a->status = r->status;
        a->code = r->code;
        a->n = qn_cur_left(&r->reply);
        snprintf(a->why, sizeof a->why, "%s", r->why);
        if (a->n)
                memcpy(a->reply, r->reply.p, QN_MIN(a->n, sizeof a->reply));
}

static struct qn_pool *pool_in(unsigned workers, const char *data_dir)
{
        const struct qn_pool_config config = {
                .def = &test_role, .data_dir = data_dir, .workers = workers, .done = keep
        };
        struct qn_pool *p = NULL;

        ASSERT_EQ(qn_pool_new(&config, &p, NULL), 0);
        return p;
}

static struct qn_pool *pool_of(unsigned workers)
{
        return pool_in(workers, NULL);
}

static int finish(struct qn_pool *p, struct qn_err *err)
{
        int r;

        while ((r = qn_pool_poll(p, -1, err)) > 0)
                ;
        return r;
}

static void give(struct qn_pool *p, uint8_t kind, const void *params, size_t n, struct answer *a)
{
        const struct qn_pool_job job = {
                .kind = kind, .params = { params, n }, .input_fd = -1, .user = a
        };

        *a = (struct answer){ 0 };
        ASSERT_EQ(qn_pool_submit(p, &job), 0);
}

static void give_number(struct qn_pool *p, uint8_t kind, uint32_t number, struct answer *a)
{
        give(p, kind, &number, sizeof number, a);
}

static struct answer ask(struct qn_pool *p, uint8_t kind, const void *params, size_t n)
{
        struct answer a;

        give(p, kind, params, n, &a);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.calls, 1);
        return a;
}

static struct answer ask_number(struct qn_pool *p, uint8_t kind, uint32_t number)
{
        return ask(p, kind, &number, sizeof number);
}

static int open_descriptors(void)
{
        DIR *d = opendir("/proc/self/fd");
        int n = 0;

        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static void assert_no_children(void)
{
        ASSERT_EQ(waitpid(-1, NULL, WNOHANG), -1);
        ASSERT_EQ(errno, ECHILD);
}

TEST(role_without_tables_says_why)
{
        struct qn_pool *p = pool_in(2, "missing");
        struct qn_err err = { 0 };
        struct answer a;

        give_number(p, JOB_ECHO, 1, &a);
        ASSERT_EQ(finish(p, &err), -ENOENT);
        ASSERT_TRUE(strstr(err.msg, "no tables in \"missing\"") != NULL);
        ASSERT_EQ(a.calls, 1);
        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_ECHO, .input_fd = -1 }),
                  -ENOENT);
        qn_pool_free(p);
        assert_no_children();
}

TEST(role_that_dies_at_its_start_is_given_up)
{
        struct qn_pool *p = pool_in(1, "deadly");
        struct qn_err err = { 0 };
        struct answer a;

        give_number(p, JOB_ECHO, 1, &a);
        ASSERT_EQ(finish(p, &err), -EPROTO);
        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        qn_pool_free(p);
}

TEST(submit_refuses)
{
        struct qn_pool *p = pool_of(1);
        static char big[QN_ROLE_PARAMS_MAX + 1];
        char path[] = "/tmp/qanat-test-XXXXXX";
        int fd = mkstemp(path), pipes[2];

        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = 99, .input_fd = -1 }),
                  -EOPNOTSUPP);
        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_ECHO,
                                                           .params = { big, sizeof big },
                                                           .input_fd = -1 }),
                  -EMSGSIZE);
        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_ECHO, .input_fd = fd }),
                  -EINVAL); /* writable */
        ASSERT_EQ(pipe(pipes), 0);
        ASSERT_EQ(
                qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_ECHO, .input_fd = pipes[0] }),
                -EINVAL);
        ASSERT_EQ(ftruncate(fd, (off_t)QN_ROLE_INPUT_MAX + 1), 0);
        close(fd);
        fd = open(path, O_RDONLY);
        ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_ECHO, .input_fd = fd }),
                  -EFBIG);
        ASSERT_EQ(qn_pool_pending(p), 0);
        close(fd);
        close(pipes[0]);
        close(pipes[1]);
        unlink(path);
        qn_pool_free(p);
}

TEST(crash_costs_one_job)
{
        struct qn_pool *p = pool_of(1);
        struct answer before, a, after;

        give(p, JOB_ECHO, "one", 3, &before);
        give_number(p, JOB_CRASH, SIGABRT, &a);
        give(p, JOB_ECHO, "two", 3, &after);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(before.status, QN_POOL_OK);
        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        ASSERT_EQ(a.code, SIGABRT);
        ASSERT_TRUE(strstr(a.why, "SIGABRT") != NULL);
        ASSERT_EQ(after.status, QN_POOL_OK);
        ASSERT_EQ(memcmp(after.reply, "two", 3), 0);
        qn_pool_free(p);
        assert_no_children();
}

TEST(crash_names_the_signal)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = ask_number(p, JOB_CRASH, SIGKILL);

        ASSERT_EQ(a.code, SIGKILL);
        a = ask_number(p, JOB_CRASH, 0);
        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        ASSERT_EQ(a.code, QN_SANITIZED ? a.code : SIGSEGV);
        a = ask_number(p, JOB_EXIT, 7);
        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        ASSERT_STR(qn_str_c(a.why), "the worker ended with status 7");
        qn_pool_free(p);
}

TEST(endless_loop_meets_the_wall_clock)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = { 0 }, after;
        const struct qn_pool_job job = {
                .kind = JOB_LOOP, .input_fd = -1, .wall_ns = 100000000, .user = &a
        };

        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        give(p, JOB_ECHO, "two", 3, &after);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.status, QN_POOL_TIMEOUT);
        ASSERT_EQ(after.status, QN_POOL_OK);
        qn_pool_free(p);
}

TEST(endless_loop_meets_its_processor_time)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = ask(p, JOB_LOOP, NULL, 0);

        ASSERT_EQ(a.status, QN_POOL_LIMIT);
        ASSERT_STR(qn_str_c(a.why), "it needs more than 1 s of processor time");
        qn_pool_free(p);
}

TEST(waiting_behind_a_slow_job_costs_no_time)
{
        struct qn_pool *p = pool_of(1);
        uint32_t ms = 150;
        struct answer a[3] = { 0 };

        for (int i = 0; i < 3; i++)
                ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_SLEEP,
                                                                   .params = { (char *)&ms, 4 },
                                                                   .input_fd = -1,
                                                                   .wall_ns = 400000000,
                                                                   .user = &a[i] }),
                          0);
        ASSERT_EQ(finish(p, NULL), 0);
        for (int i = 0; i < 3; i++)
                ASSERT_EQ(a[i].status, QN_POOL_OK);
        qn_pool_free(p);
}

TEST(memory_hog_meets_its_limit)
{
        const uint32_t once[2] = { 4096, 4096 }, bits[2] = { 4096, 4 };
        struct qn_pool *p = pool_of(1);
        struct answer a = ask(p, JOB_ALLOC, once, sizeof once);

        ASSERT_EQ(a.status, QN_POOL_LIMIT);
        ASSERT_TRUE(strstr(a.why, "1024 MB of memory") != NULL);
        if (!QN_SANITIZED) {
                a = ask(p, JOB_ALLOC, bits, sizeof bits);
                ASSERT_EQ(a.status, QN_POOL_LIMIT);
        }
        qn_pool_free(p);
}

TEST(error_of_a_job_is_printable)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = ask(p, JOB_FAIL, NULL, 0);

        ASSERT_EQ(a.status, QN_POOL_FAILED);
        ASSERT_EQ(a.code, -EILSEQ);
        ASSERT_STR(qn_str_c(a.why), "this is ?[31mred?");
        a = ask_number(p, JOB_SIZE, (1 << 20) + 1); /* more than the kind may answer */
        ASSERT_EQ(a.status, QN_POOL_FAILED);
        ASSERT_EQ(a.code, -ENOBUFS);
        a = ask_number(p, JOB_SIZE, 1 << 20);
        ASSERT_EQ(a.status, QN_POOL_OK);
        ASSERT_EQ(a.n, 1 << 20);
        qn_pool_free(p);
}

/* A reply as a worker would send it. */
static size_t make_piece(uint8_t *ret, uint64_t seq, uint64_t total, uint64_t off, int32_t status,
                         size_t n)
{
        const uint64_t head[4] = { seq, 0, total, off };

        memcpy(ret, head, sizeof head);
        memcpy(ret + 32, &status, 4);
        memset(ret + 36, 0, 4 + n);
        return 40 + n;
}

static struct answer ask_raw(struct qn_pool *p, uint8_t kind, uint64_t seq, uint64_t total,
                             uint64_t off, int32_t status, size_t n)
{
        uint8_t packet[128];
        struct answer a = { 0 };
        const struct qn_pool_job job = { .kind = kind,
                                         .input_fd = -1,
                                         .user = &a,
                                         .input = { packet, packet + make_piece(packet, seq, total,
                                                                                off, status, n) } };

        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.calls, 1);
        return a;
}

TEST(nonsense_from_a_worker)
{
        static const struct {
                uint64_t seq, total, off;
                int32_t status;
                uint8_t n;
                enum qn_pool_status want;
        } cases[] = {
                { 2, 4, 0, 0, 4, QN_POOL_PROTOCOL }, /* answers a job it does not have */
                { 0, 4, 0, 0, 4, QN_POOL_PROTOCOL },
                { 1, 4, 0, 0, 5, QN_POOL_PROTOCOL }, /* more than it said */
                { 1, 4, 0, 0, 0, QN_POOL_PROTOCOL }, /* a piece of nothing */
                { 1, 4, 1, 0, 3, QN_POOL_PROTOCOL }, /* a hole */
                { 1, 4, 0, 1, 4, QN_POOL_PROTOCOL }, /* no such status */
                { 1, 4, 0, INT32_MIN, 4, QN_POOL_PROTOCOL },
                { 1, (1 << 20) + 1, 0, 0, 4, QN_POOL_PROTOCOL }, /* past the cap of the kind */
                { 1, UINT64_MAX, 0, 0, 4, QN_POOL_PROTOCOL },
                { 1, 8, 0, 0, 4, QN_POOL_CRASHED }, /* half, and then it ends */
                { 1, 4, 0, 0, 4, QN_POOL_OK },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                struct qn_pool *p = pool_of(1);
                struct answer a = ask_raw(p, JOB_RAW, cases[i].seq, cases[i].total, cases[i].off,
                                          cases[i].status, cases[i].n);

                ASSERT_EQ(a.status, cases[i].want);
                ASSERT_EQ(ask(p, JOB_ECHO, "x", 1).status, QN_POOL_OK);
                qn_pool_free(p);
        }
}

TEST(answer_that_nobody_asked_for)
{
        struct qn_pool *p = pool_of(1);
        uint8_t twice[128];
        size_t n = make_piece(twice, 1, 4, 0, 0, 4);
        struct answer a = { 0 }, b;
        const struct qn_pool_job job = {
                .kind = JOB_SEND_FD, .input_fd = -1, .user = &a, .input = { twice, twice + n }
        };

        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        give(p, JOB_ECHO, "x", 1, &b);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.status, QN_POOL_PROTOCOL); /* its reply came with a descriptor */
        ASSERT_EQ(b.status, QN_POOL_OK);
        qn_pool_free(p);
}

TEST(descriptors_of_a_worker_are_not_taken)
{
        int before = open_descriptors();
        struct qn_pool *p = pool_of(1);
        struct answer a = ask_raw(p, JOB_SEND_FD, 1, 4, 0, 0, 4);

        ASSERT_EQ(a.status, QN_POOL_PROTOCOL);
        qn_pool_free(p);
        ASSERT_EQ(open_descriptors(), before);
}

TEST(worker_that_hangs_up_is_killed)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = ask(p, JOB_CLOSE, NULL, 0);

        ASSERT_EQ(a.status, QN_POOL_CRASHED);
        ASSERT_EQ(a.code, SIGKILL);
        qn_pool_free(p);
        assert_no_children();
}

/* A file of n bytes that repeat a pattern, open for reading. */
static int make_file(size_t n, char *path)
{
        struct qn_buf b = QN_BUF_INIT(SIZE_MAX / 2);
        int fd = mkstemp(path);

        for (size_t i = 0; i < n; i++)
                ASSERT_EQ(qn_buf_byte(&b, (char)(i * 7)), 0);
        ASSERT_EQ(qn_io_write_fd(fd, qn_buf_view(&b)), 0);
        close(fd);
        qn_buf_done(&b);
        return open(path, O_RDONLY | O_CLOEXEC);
}

TEST(inputs_of_every_size_by_descriptor_and_in_memory)
{
        static const size_t sizes[] = { 0,
                                        1,
                                        4096,
                                        QN_ROLE_INLINE_MAX,
                                        QN_ROLE_INLINE_MAX + 1,
                                        1 << 20,
                                        QN_ROLE_READ_MAX,
                                        QN_ROLE_READ_MAX + 1 };
        int before = open_descriptors();
        struct qn_pool *p = pool_of(2);

        for (size_t i = 0; i < QN_ARRAY_SIZE(sizes); i++) {
                char path[] = "/tmp/qanat-test-XXXXXX";
                int fd = make_file(sizes[i], path);
                struct qn_buf whole = QN_BUF_INIT(SIZE_MAX / 2);
                struct answer file = { 0 }, memory = { 0 };
                uint64_t want = 0, got[2];

                ASSERT_EQ(qn_io_read(path, &whole), 0);
                for (size_t j = 0; j < whole.n; j++)
                        want += (uint8_t)whole.p[j];
                ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_SUM,
                                                                   .input_fd = fd,
                                                                   .user = &file }),
                          0);
                ASSERT_EQ(qn_pool_submit(p, &(struct qn_pool_job){ .kind = JOB_SUM,
                                                                   .input_fd = -1,
                                                                   .user = &memory,
                                                                   .input = qn_cur_mem(whole.p,
                                                                                       whole.n) }),
                          0);
                ASSERT_EQ(finish(p, NULL), 0);
                ASSERT_EQ(file.status, QN_POOL_OK);
                ASSERT_EQ(memory.status, QN_POOL_OK);
                memcpy(&got[0], file.reply, 8);
                memcpy(&got[1], memory.reply, 8);
                ASSERT_TRUE(got[0] == want && got[1] == want);
                qn_buf_done(&whole);
                unlink(path);
        }
        qn_pool_free(p);
        ASSERT_EQ(open_descriptors(), before);
}

TEST(inputs_beside_the_first)
{
        static const struct qn_msg_beside none;
        struct qn_pool *p = pool_of(1);
        struct qn_pool_job job = { .kind = JOB_BESIDE, .input_fd = -1, .input = CUR("main") };
        struct answer a[3] = { 0 };
        unsigned before = open_descriptors();

        for (unsigned i = 0; i < 3; i++) { /* none; the second; none again */
                job.user = &a[i];
                job.beside = none;
                if (i == 1) {
                        job.beside.has = 2;
                        ASSERT_EQ(qn_input_sealed(CUR("second"), &job.beside.fds[1]), 0);
                }
                ASSERT_EQ(qn_pool_submit(p, &job), 0);
        }
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_STR(((struct qn_str){ (char *)a[0].reply, a[0].n }), "0:main 1: 2: 3: ");
        ASSERT_STR(((struct qn_str){ (char *)a[1].reply, a[1].n }), "0:main 1: 2:second 3: ");
        ASSERT_STR(((struct qn_str){ (char *)a[2].reply, a[2].n }), "0:main 1: 2: 3: ");
        ASSERT_EQ(open_descriptors(), before);
        /* A kind of job that takes one input; a descriptor that is no file. */
        job.kind = JOB_ECHO;
        job.user = &a[0];
        job.beside = (struct qn_msg_beside){ 1, { 0 } };
        ASSERT_EQ(qn_input_sealed(CUR("more"), &job.beside.fds[0]), 0);
        a[0] = (struct answer){ 0 };
        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a[0].status, QN_POOL_FAILED);
        ASSERT_EQ(a[0].code, -EOPNOTSUPP);
        job.beside = (struct qn_msg_beside){ 1, { open("/dev/null", O_RDONLY) } };
        ASSERT_EQ(qn_pool_submit(p, &job), -EINVAL);
        qn_msg_beside_close(&job.beside);
        qn_pool_free(p);
}

TEST(large_file_that_changes_or_shrinks)
{
        char path[] = "/tmp/qanat-test-XXXXXX";
        int fd = make_file(QN_ROLE_READ_MAX * 2, path), writer = open(path, O_WRONLY);
        struct qn_pool *p = pool_of(1);
        struct answer a = { 0 }, b = { 0 };
        uint32_t wait = 300;

        ASSERT_EQ(qn_pool_submit(p,
                                 &(struct qn_pool_job){ .kind = JOB_SUM,
                                                        .input_fd = dup(fd),
                                                        .user = &a,
                                                        .params = { (char *)&wait, sizeof wait } }),
                  0);
        ASSERT_EQ(qn_pool_poll(p, 100, NULL), 1);
        usleep(100000);
        ASSERT_EQ(pwrite(writer, "!", 1, 100), 1);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.status, QN_POOL_FAILED);
        ASSERT_EQ(a.code, -ESTALE);

        ASSERT_EQ(qn_pool_submit(p,
                                 &(struct qn_pool_job){ .kind = JOB_SUM,
                                                        .input_fd = fd,
                                                        .user = &b,
                                                        .params = { (char *)&wait, sizeof wait } }),
                  0);
        ASSERT_EQ(qn_pool_poll(p, 100, NULL), 1);
        usleep(100000);
        ASSERT_EQ(ftruncate(writer, 4096), 0);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(b.status, QN_POOL_OK); /* SIGBUS, and the second try sees the file as it is now */
        ASSERT_EQ(b.n, 8);
        close(writer);
        unlink(path);
        qn_pool_free(p);
}

TEST(state_of_a_worker)
{
        struct qn_pool *p = pool_of(1);
        struct answer a = ask(p, JOB_STATE, NULL, 0);
        struct test_state s;

        ASSERT_EQ(a.status, QN_POOL_OK);
        memcpy(&s, a.reply, sizeof s);
        ASSERT_EQ(s.descriptors, 0xf); /* /dev/null three times, the socket */
        ASSERT_EQ(s.environment, 0);
        ASSERT_EQ(s.opened, 0x600d);
        qn_pool_free(p);
}

TEST(large_replies_one_after_the_other)
{
        _cleanup_(qn_pool_freep) struct qn_pool *p = pool_of(1);
        static uint8_t in[8][1 << 20];
        struct answer a[8];

        for (unsigned i = 0; i < 8; i++) {
                const struct qn_pool_job job = { .kind = JOB_ECHO,
                                                 .input = { in[i], in[i] + sizeof in[i] },
                                                 .input_fd = -1,
                                                 .user = &a[i] };

                memset(in[i], 'a' + (int)i, sizeof in[i]);
                a[i] = (struct answer){ 0 };
                ASSERT_EQ(qn_pool_submit(p, &job), 0);
        }
        ASSERT_EQ(finish(p, NULL), 0);
        for (unsigned i = 0; i < 8; i++) {
                ASSERT_EQ(a[i].status, QN_POOL_OK);
                ASSERT_EQ(a[i].n, sizeof in[i]);
                assert_memory_equal(a[i].reply, in[i], sizeof a[i].reply);
        }
}

TEST(ten_thousand_jobs_whatever_the_number_of_workers)
{
        enum { N = 10000 };
        struct answer *a = calloc(N, sizeof *a);
        int before = open_descriptors();

        for (unsigned workers = 1; workers <= 4; workers += 3) {
                struct qn_pool *p = pool_of(workers);

                for (uint32_t i = 0; i < N; i++)
                        give_number(p, JOB_ECHO, i, &a[i]);
                ASSERT_EQ(finish(p, NULL), 0);
                for (uint32_t i = 0; i < N; i++) {
                        ASSERT_EQ(a[i].calls, 1);
                        ASSERT_EQ(a[i].n, 4);
                        ASSERT_EQ(memcmp(a[i].reply, &i, 4), 0);
                }
                qn_pool_free(p);
        }
        ASSERT_EQ(open_descriptors(), before);
        assert_no_children();
        free(a);
}

TEST(crashes_between_many_jobs)
{
        enum { N = 400 };
        struct answer *a = calloc(N, sizeof *a);
        struct qn_pool *p = pool_of(3);

        for (uint32_t i = 0; i < N; i++)
                give_number(p, i % 10 == 3 ? JOB_CRASH : JOB_ECHO, i % 10 == 3 ? SIGKILL : i,
                            &a[i]);
        ASSERT_EQ(finish(p, NULL), 0);
        for (uint32_t i = 0; i < N; i++) {
                ASSERT_EQ(a[i].calls, 1);
                ASSERT_EQ(a[i].status, i % 10 == 3 ? QN_POOL_CRASHED : QN_POOL_OK);
        }
        qn_pool_free(p);
        assert_no_children();
        free(a);
}

TEST(nothing_but_crashes_is_given_up)
{
        struct answer *a = calloc(QN_ROLE_STRIKES_MAX, sizeof *a);
        struct qn_pool *p = pool_of(2);
        struct qn_err err = { 0 };

        for (uint32_t i = 0; i < QN_ROLE_STRIKES_MAX; i++)
                give_number(p, JOB_CRASH, SIGKILL, &a[i]);
        ASSERT_EQ(finish(p, &err), -EPROTO);
        ASSERT_STR(qn_str_c(err.msg), "too many workers crashed");
        for (uint32_t i = 0; i < QN_ROLE_STRIKES_MAX; i++) {
                ASSERT_EQ(a[i].calls, 1);
                ASSERT_EQ(a[i].status, QN_POOL_CRASHED);
        }
        qn_pool_free(p);
        free(a);
}

/* Process ids of our children, from the kernel. */
static size_t list_children(pid_t *ret, size_t max)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        char path[64];
        size_t n = 0;
        uint64_t pid;

        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        if (qn_io_read(path, &b) == 0) {
                struct qn_str s = qn_buf_view(&b);

                while (s.n && n < max)
                        if (qn_str_u64(qn_str_cut(&s, ' '), &pid) == 0)
                                ret[n++] = (pid_t)pid;
        }
        qn_buf_done(&b);
        return n;
}

TEST(killing_workers_loses_only_what_they_work_on)
{
        enum { N = 3000 };
        struct answer *a = calloc(N, sizeof *a);
        int before = open_descriptors();
        struct qn_pool *p = pool_of(3);
        size_t kills = 0, lost = 0, at_kill = SIZE_MAX;
        uint32_t random = 1;
        int r;

        for (uint32_t i = 0; i < N; i++)
                give_number(p, JOB_ECHO, i, &a[i]);
        while ((r = qn_pool_poll(p, -1, NULL)) > 0) {
                pid_t pids[8];
                size_t n = list_children(pids, 8);

                random = random * 1103515245u + 12345u;
                if (n && random >> 16 & 1 && kills < 150 && qn_pool_pending(p) < at_kill) {
                        at_kill = qn_pool_pending(p);
                        kill(pids[(random >> 20) % n], SIGKILL);
                        kills++;
                }
        }
        ASSERT_EQ(r, 0);
        for (uint32_t i = 0; i < N; i++) {
                ASSERT_EQ(a[i].calls, 1);
                if (a[i].status == QN_POOL_OK)
                        ASSERT_EQ(memcmp(a[i].reply, &i, 4), 0);
                else
                        ASSERT_EQ(a[i].code, SIGKILL);
                lost += a[i].status != QN_POOL_OK;
        }
        ASSERT_TRUE(kills > 20);
        ASSERT_TRUE(lost <= kills);
        qn_pool_free(p);
        ASSERT_EQ(open_descriptors(), before);
        assert_no_children();
        free(a);
}

TEST(free_with_jobs_running)
{
        int before = open_descriptors();
        struct qn_pool *p = pool_of(2);
        struct answer a[20];

        for (int i = 0; i < 20; i++)
                give_number(p, JOB_SLEEP, 5000, &a[i]);
        ASSERT_EQ(qn_pool_poll(p, 50, NULL), 20);
        qn_pool_free(p);
        for (int i = 0; i < 20; i++)
                ASSERT_EQ(a[i].calls, 0);
        ASSERT_EQ(open_descriptors(), before);
        assert_no_children();
}

/* --- outputs --- */

struct output {
        enum qn_pool_status status;
        int code, fd;
        uint64_t size;
};

static void keep_output(void *ctx, const struct qn_pool_result *r)
{
        struct output *o = ctx;

        *o = (struct output){ r->status, r->code, TAKE_FD(*r->output_fd), r->output_size };
}

static struct output ask_output(struct qn_pool *p, struct qn_cur input, uint32_t what)
{
        struct output o = { .fd = -2 };
        const struct qn_pool_job job = { .kind = JOB_WRITE,
                                         .params = { (char *)&what, sizeof what },
                                         .input = input,
                                         .input_fd = -1,
                                         .done = keep_output,
                                         .ctx = &o };

        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        ASSERT_EQ(finish(p, NULL), 0);
        return o;
}

TEST(an_output_is_sealed_and_the_callbacks)
{
        struct qn_pool *p = pool_of(1);
        struct output o = ask_output(p, CUR("written"), WRITE_ONLY);
        unsigned before = open_descriptors();
        char text[16];
        struct answer a;

        ASSERT_EQ(o.status, QN_POOL_OK);
        ASSERT_EQ(o.size, 7);
        ASSERT_EQ(fcntl(o.fd, F_GET_SEALS),
                  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        ASSERT_EQ(read(o.fd, text, sizeof text), 7);
        ASSERT_EQ(memcmp(text, "written", 7), 0);
        /* It is an input at once; nobody takes this one's output, and jobs that write none have none. */
        ASSERT_EQ(qn_pool_submit(
                          p,
                          &(struct qn_pool_job){ .kind = JOB_WRITE, .input_fd = o.fd, .user = &a }),
                  0);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(a.status, QN_POOL_OK);
        ASSERT_EQ(open_descriptors(), before - 1);
        o = ask_output(p, CUR(""), WRITE_ONLY);
        ASSERT_EQ(o.size, 0);
        close(o.fd);
        qn_pool_free(p);
}

TEST(outputs_of_jobs_that_fail_are_nobodys)
{
        static const struct {
                uint32_t what;
                enum qn_pool_status status;
                int code;
        } cases[] = {
                { WRITE_MAP, QN_POOL_FAILED, -EBUSY },
                { WRITE_PAST, QN_POOL_FAILED, -EBADMSG },
                { WRITE_FAIL, QN_POOL_FAILED, -EILSEQ },
                { WRITE_TOO_MUCH, QN_POOL_FAILED, -EFBIG },
                { WRITE_CRASH, QN_POOL_CRASHED, SIGABRT },
        };
        struct qn_pool *p = pool_of(1);
        unsigned before = open_descriptors();
        struct output o;

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                o = ask_output(p, CUR("x"), cases[i].what);
                ASSERT_EQ(o.status, cases[i].status);
                ASSERT_EQ(o.code, cases[i].code);
                ASSERT_EQ(o.fd, -1);
        }
        o = ask_output(p, CUR("x"), WRITE_ONLY); /* starts a new worker */
        close(o.fd);
        ASSERT_EQ(open_descriptors(), before);
        qn_pool_free(p);
}

/* The first try leaves bytes behind: they are not in what the second one makes. */
TEST(a_second_try_begins_with_an_empty_file)
{
        struct qn_pool *p = pool_of(1);
        struct output o = { .fd = -2 };
        struct answer crash;
        uint32_t what = WRITE_ONLY, sig = SIGKILL;
        const struct qn_pool_job job = { .kind = JOB_WRITE,
                                         .params = { (char *)&what, sizeof what },
                                         .input = CUR("once"),
                                         .input_fd = -1,
                                         .done = keep_output,
                                         .ctx = &o };

        /* What waits behind a job that kills the worker was given to it already. */
        give(p, JOB_CRASH, &sig, sizeof sig, &crash);
        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        ASSERT_EQ(finish(p, NULL), 0);
        ASSERT_EQ(crash.status, QN_POOL_CRASHED);
        ASSERT_EQ(o.status, QN_POOL_OK);
        ASSERT_EQ(o.size, 4);
        close(o.fd);
        qn_pool_free(p);
}

TEST(nobody_brings_an_output_along)
{
        struct qn_pool *p = pool_of(1);
        struct qn_pool_job job = { .kind = JOB_WRITE, .input_fd = -1 };

        job.beside.has = 1u << QN_BESIDE_OUTPUT;
        ASSERT_EQ(qn_pool_submit(p, &job), -EINVAL);
        qn_pool_free(p);
}

TEST(without_sandbox_only_confinement_is_missing)
{
        const struct qn_pool_config config = {
                .def = &test_role, .workers = 1, .no_sandbox = true, .done = keep
        };
        struct qn_pool *p = NULL;
        struct answer a;
        struct test_state s;

        ASSERT_EQ(qn_pool_new(&config, &p, NULL), 0);
        a = ask(p, JOB_STATE, NULL, 0);
        memcpy(&s, a.reply, sizeof s);
        ASSERT_EQ(s.descriptors, 0xf);
        ASSERT_EQ(s.environment, 0);
        a = ask_number(p, JOB_CRASH, SIGABRT);
        ASSERT_EQ(a.code, SIGABRT);
        qn_pool_free(p);
}
