#include "cli/intel-changes.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "role/analyse.h"
#include "role/pool.h"

struct question {
        struct qn_arena *a;
        struct qn_changes *ret;
        bool answered;
        int r;
        char *problem;
        size_t problem_size;
};

static void on_reply(void *ctx, const struct qn_pool_result *res)
{
        struct question *q = ctx;

        q->answered = true;
        if (res->status == QN_POOL_OK)
                q->r = qn_analyse_read_changes(res->reply, q->a, q->ret);
        else
                q->r = res->code < 0 ? res->code : -EBADMSG;
        if (q->r < 0)
                snprintf(q->problem, q->problem_size, "the list of changes: %s",
                         res->status == QN_POOL_OK ? strerror(-q->r) : res->why);
}

int qn_intel_read_changes(struct qn_pool *pool, int fd, int64_t since_ms, struct qn_arena *a,
                          struct qn_changes *ret, char *problem, size_t problem_size)
{
        struct question q = {
                .a = a, .ret = ret, .problem = problem, .problem_size = problem_size
        };
        struct qn_buf params = QN_BUF_INIT(64);
        struct qn_pool_job job = {
                .kind = QN_JOB_CHANGES, .input_fd = fd, .done = on_reply, .ctx = &q
        };
        struct qn_err err = { 0 };
        int r;

        qn_analyse_write_since(&params, since_ms);
        job.params = qn_buf_view(&params);
        r = qn_pool_submit(pool, &job);
        if (r < 0)
                close(fd);
        while (r >= 0 && !q.answered)
                r = qn_pool_poll(pool, -1, &err);
        qn_buf_done(&params);
        if (r < 0)
                snprintf(problem, problem_size, "%.150s", err.msg[0] ? err.msg : strerror(-r));
        return r < 0 ? r : q.r;
}
