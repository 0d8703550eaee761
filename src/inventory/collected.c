#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "inventory/scan.h"
#include "parse/collection.h"
#include "role/analyse.h"
#include "role/bom-wire.h"
#include "role/input.h"
#include "role/pool.h"

struct reading {
        struct qn_arena *a;
        struct qn_collection *ret;
        struct qn_err *err;
        int r;
};

static void on_reply(void *ctx, const struct qn_pool_result *res)
{
        struct reading *rd = ctx;

        if (res->status == QN_POOL_OK)
                rd->r = qn_collection_wire_read(res->reply, rd->a, rd->ret, rd->err);
        else
                rd->r = qn_fail(rd->err, res->code < 0 ? res->code : -EBADMSG, 0, "%.150s",
                                res->why);
}

/* A file as it is; anything else is read first. */
static int open_input(const char *file, int *ret)
{
        bool standard = strcmp(file, "-") == 0;
        _cleanup_(qn_closep) int fd =
                standard ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct qn_buf bytes = QN_BUF_INIT(QN_JSON_MAX);
        struct stat st;
        int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

        if (r == 0 && S_ISREG(st.st_mode) && !standard) {
                *ret = TAKE_FD(fd);
                return 0;
        }
        if (r == 0 && S_ISDIR(st.st_mode))
                r = -EISDIR;
        if (r == 0)
                r = qn_io_read_fd(fd, &bytes);
        if (r == 0)
                r = qn_input_sealed(qn_cur_str(qn_buf_view(&bytes)), ret);
        qn_buf_done(&bytes);
        return r;
}

static int read_one(struct qn_pool *pool, const char *file, struct qn_err *reterr)
{
        struct qn_pool_job job = { .kind = QN_JOB_COLLECTION };
        int r = open_input(file, &job.input_fd);

        if (r < 0)
                return r;
        r = qn_pool_submit(pool, &job);
        if (r < 0)
                close(job.input_fd);
        while (r == 0 && qn_pool_pending(pool) > 0)
                r = qn_pool_poll(pool, -1, reterr) < 0 ? -EPIPE : 0;
        return r;
}

int qn_inventory_collected(const struct qn_inventory_how *how, const char *file, struct qn_arena *a,
                           struct qn_collection *ret, struct qn_err *reterr)
{
        struct reading rd = { .a = a, .ret = ret, .err = reterr };
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .workers = 1,
                                               .no_sandbox = how->no_sandbox,
                                               .done = on_reply,
                                               .ctx = &rd };
        struct qn_pool *pool = NULL;
        int r = qn_pool_new(&config, &pool, reterr);

        if (r == 0)
                r = read_one(pool, file, reterr);
        if (r == 0)
                r = rd.r;
        qn_pool_free(pool);
        if (r < 0 && !reterr->msg[0])
                qn_fail(reterr, r, 0, "%s", strerrordesc_np(-r));
        return r;
}
