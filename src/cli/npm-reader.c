#include "cli/npm-reader.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/log.h"
#include "role/analyse.h"
#include "role/pool.h"

extern char **environ;

struct question {
        bool answered;
        int r; /* the answer, or -errno */
        struct qn_arena *arena;
        struct qn_npmrc *rc;
};

/* One job, and nothing else until it is done. */
static int ask(struct qn_npm_reader *by, struct qn_pool_job *job, struct question *q)
{
        int r;

        job->input_fd = -1;
        job->ctx = q;
        r = qn_pool_submit(by->pool, job);
        while (r >= 0 && !q->answered)
                r = qn_pool_poll(by->pool, -1, &by->err);
        return r < 0 ? r : q->r;
}

static void on_rc(void *ctx, const struct qn_pool_result *res)
{
        struct question *q = ctx;

        q->answered = true;
        q->r = -EBADMSG;
        if (res->status == QN_POOL_OK)
                q->r = qn_analyse_read_npmrc(res->reply, q->arena, q->rc);
}

static int read_rc(void *ctx, struct qn_str text, struct qn_arena *a, struct qn_npmrc *ret)
{
        struct question q = { .arena = a, .rc = ret };
        struct qn_pool_job job = { .kind = QN_JOB_NPMRC, .input = qn_cur_str(text), .done = on_rc };

        return ask(ctx, &job, &q);
}

static void on_workspace(void *ctx, const struct qn_pool_result *res)
{
        struct question *q = ctx;
        struct qn_cur reply = res->reply;
        uint32_t yes = 0;

        q->answered = true;
        q->r = res->status == QN_POOL_OK && qn_cur_le32(&reply, &yes) == 0 && yes == 1;
}

static bool is_workspace(void *ctx, struct qn_str package_json, struct qn_str dir)
{
        struct question q = { 0 };
        struct qn_pool_job job = { .kind = QN_JOB_WORKSPACE,
                                   .params = dir,
                                   .input = qn_cur_str(package_json),
                                   .done = on_workspace };

        return ask(ctx, &job, &q) == 1;
}

struct qn_npmconf_reader qn_npm_reader(struct qn_npm_reader *r)
{
        return (struct qn_npmconf_reader){ read_rc, is_workspace, r };
}

int qn_npm_network(struct qn_pool *pool, const char *cache_dir, struct qn_npmconf **ret)
{
        /* No registry is asked anything here, so npm need not be asked for its own. */
        const struct qn_npmconf_pair flags[] = { { QN_STR("registry"),
                                                   QN_STR("https://registry.invalid/") } };
        struct qn_npm_reader by = { .pool = pool };
        const struct qn_npmconf_reader reader = qn_npm_reader(&by);
        _cleanup_(qn_freep) char *cwd = getcwd(NULL, 0);
        const struct qn_npmconf_in in = { .cwd = cwd,
                                          .env = environ,
                                          .flags = flags,
                                          .n_flags = QN_ARRAY_SIZE(flags),
                                          .no_project = true,
                                          .reader = &reader,
                                          .cache_dir = cache_dir };
        struct qn_err err = { 0 };
        int r = qn_npmconf_load(&in, ret, &err);

        return r < 0 ? log_err(r, "npm's configuration: %s", err.msg) : 0;
}
