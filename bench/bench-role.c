/* bench-role.c - what the split into processes costs: starting a worker, and handing one job to it.
 *
 *   bench-role [WORKERS]
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "role/pool.h"

#define STARTS  100
#define JOBS    20000
#define WARM_UP 200

static int run_null(void *ctx QN_UNUSED, struct qn_cur params QN_UNUSED, struct qn_cur input,
                    struct qn_buf *reply, struct qn_err *reterr QN_UNUSED)
{
        uint64_t n = qn_cur_left(&input);

        return qn_buf_add(reply, &n, sizeof n);
}

static const struct qn_role_job jobs[] = { { 1, 64, 20, run_null } };
static const struct qn_role_def role = { QN_ROLE_TEST, NULL, jobs, 1 };

static void count(void *ctx, const struct qn_pool_result *r)
{
        *(size_t *)ctx += r->status == QN_POOL_OK;
}

static int fail(int r, const char *what)
{
        fprintf(stderr, "bench-role: %s: %s\n", what, strerror(-r));
        exit(2);
}

static struct qn_pool *new_pool(unsigned workers, bool no_sandbox, size_t *done)
{
        const struct qn_pool_config config = { .def = &role,
                                               .workers = workers,
                                               .no_sandbox = no_sandbox,
                                               .done = count,
                                               .ctx = done };
        struct qn_pool *p;
        int r = qn_pool_new(&config, &p, NULL);

        return r < 0 ? fail(r, "pool"), NULL : p;
}

/* Submits n jobs, never more than the pool has room for, and waits for them. */
static void run_jobs(struct qn_pool *p, size_t n, struct qn_cur input, int fd)
{
        size_t given = 0;
        int r = 0;

        while (given < n || r > 0) {
                for (size_t room = qn_pool_room(p); room && given < n; room--, given++) {
                        const struct qn_pool_job job = {
                                .kind = 1,
                                .input = input,
                                .input_fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0)
                        };

                        r = qn_pool_submit(p, &job);
                        if (r < 0)
                                fail(r, "submit");
                }
                r = qn_pool_poll(p, -1, NULL);
                if (r < 0)
                        fail(r, "poll");
        }
}

static int compare(const void *a, const void *b)
{
        const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

/* From the decision to start a worker to its first answer. */
static void bench_start(bool no_sandbox)
{
        uint64_t call[STARTS], whole[STARTS];

        for (size_t i = 0; i < STARTS; i++) {
                size_t done = 0;
                uint64_t t = qn_io_nanos();
                struct qn_pool *p = new_pool(1, no_sandbox, &done);

                call[i] = qn_io_nanos() - t;
                run_jobs(p, 1, QN_CUR_LIT("x"), -1);
                whole[i] = qn_io_nanos() - t;
                qn_pool_free(p);
        }
        qsort(call, STARTS, sizeof *call, compare);
        qsort(whole, STARTS, sizeof *whole, compare);
        printf("start %-12s until the parent goes on: p50 %4.2f ms   until the first answer: p50 "
               "%4.2f ms, p95 %4.2f ms\n",
               no_sandbox ? "unconfined" : "confined", (double)call[STARTS / 2] / 1e6,
               (double)whole[STARTS / 2] / 1e6, (double)whole[STARTS * 95 / 100] / 1e6);
}

static void bench_jobs(unsigned workers, size_t size, bool by_fd)
{
        size_t done = 0;
        struct qn_pool *p = new_pool(workers, false, &done);
        uint8_t *bytes = calloc(1, size);
        struct qn_cur input = qn_cur_mem(bytes, size);
        int fd = -1;
        uint64_t t;

        if (by_fd) {
                fd = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
                if (qn_io_write_fd(fd, qn_cur_rest(&input)) < 0 ||
                    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0)
                        fail(-1, "memfd");
        }
        run_jobs(p, WARM_UP, input, fd);
        t = qn_io_nanos();
        run_jobs(p, JOBS, input, fd);
        t = qn_io_nanos() - t;
        if (done != JOBS + WARM_UP)
                fail(-1, "jobs were lost");
        printf("job %7zu bytes %-13s %u worker%s %6.1f us\n", size,
               by_fd ? "by descriptor" : "from memory", workers, workers == 1 ? " " : "s",
               (double)t / JOBS / 1e3);
        if (fd >= 0)
                close(fd);
        free(bytes);
        qn_pool_free(p);
}

int main(int argc, char **argv)
{
        static const size_t sizes[] = { 100, 10 << 10, 64 << 10, 1 << 20 };
        const struct qn_role_def *const defs[] = { &role };
        unsigned most = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;

        if (qn_role_requested(argc, argv))
                return qn_role_run(defs, 1, argc, argv);
        bench_start(true);
        bench_start(false);
        for (unsigned workers = 1; workers <= most; workers++)
                for (size_t i = 0; i < QN_ARRAY_SIZE(sizes); i++) {
                        bench_jobs(workers, sizes[i], false);
                        bench_jobs(workers, sizes[i], true);
                }
        return 0;
}
