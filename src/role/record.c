/* record.c - parameters: u32 work, u32 flags, name, version, time, note; reply: u32 outcome, u32 speaks | names | withdrawn, text. */
#include "role/record.h"

#include <errno.h>

#include "base/limits.h"
#include "intel/affects.h"
#include "parse/osv.h"
#include "role/analyse.h"
#include "role/input.h"
#include "role/pool.h"
#include "role/wire.h"

#define TEXTS(j) &(j)->name, &(j)->version, &(j)->time, &(j)->note

enum { SPEAKS = 1, NAMES = 2, WITHDRAWN = 4 };

static int read_params(struct qn_cur params, struct qn_record_job *ret)
{
        struct qn_str *const texts[] = { TEXTS(ret) };
        uint32_t work, flags;

        if (qn_cur_le32(&params, &work) < 0 || work > QN_RECORD_FIND ||
            qn_cur_le32(&params, &flags) < 0 ||
            qn_wire_get_texts(&params, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&params))
                return -EBADMSG;
        ret->work = (enum qn_record_work)work;
        ret->flags = flags;
        return 0;
}

/* --- in the role --- */

static int look(const struct qn_record_job *j, struct qn_arena *a, uint32_t *ret,
                struct qn_err *err)
{
        struct qn_osv *osv;
        int r = qn_osv_parse(j->record, a, &osv, err);

        *ret = 0;
        if (r < 0)
                return r;
        for (size_t i = 0; i < osv->n_affected; i++) {
                const struct qn_osv_affected *block = &osv->affected[i];
                struct qn_affects_why why;
                enum qn_affects how;

                if (!qn_str_is(block->ecosystem, "npm") || !qn_str_eq(block->name, j->name))
                        continue;
                how = qn_osv_affects(block, j->version, &why);
                *ret |= (how != QN_AFFECTS_NOT ? SPEAKS : 0) |
                        (how == QN_AFFECTS_VERSION ? NAMES : 0);
        }
        *ret |= osv->withdrawn.n ? WITHDRAWN : 0;
        return 0;
}

static int work(const struct qn_record_job *j, struct qn_arena *a, struct qn_buf *text,
                enum qn_mal_outcome *ret, struct qn_err *err)
{
        const struct qn_mal_withdrawal w = {
                .name = j->name, .version = j->version, .time = j->time, .note = j->note
        };

        *ret = QN_MAL_SAME;
        if (j->work == QN_RECORD_EXTEND)
                return qn_mal_record_extend(j->record, j->more, a, text, ret, err);
        if (j->work == QN_RECORD_WITHDRAW)
                return qn_mal_record_withdraw(j->record, &w, a, text, ret, err);
        return qn_mal_record_check(j->record, j->name, j->flags, a, err);
}

int qn_record_run(struct qn_cur params, struct qn_cur record, struct qn_cur more,
                  struct qn_arena *a, struct qn_buf *reply, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        struct qn_record_job j = { .record = record, .more = more };
        enum qn_mal_outcome outcome = QN_MAL_SAME;
        uint32_t said = 0;
        int r = read_params(params, &j);

        if (r == 0 && j.work == QN_RECORD_FIND)
                r = look(&j, a, &said, reterr);
        else if (r == 0)
                r = work(&j, a, &text, &outcome, reterr);
        if (r == 0 && text.n)
                r = qn_mal_record_check(qn_cur_mem(text.p, text.n), j.name,
                                        outcome == QN_MAL_GONE ? 0 : j.flags, a, reterr);
        if (r < 0)
                return r;
        qn_wire_put_u32(reply, outcome);
        qn_wire_put_u32(reply, said);
        qn_wire_put_text(reply, text.n ? qn_buf_view(&text) : (struct qn_str){ 0 });
        return qn_buf_error(reply);
}

/* --- in the parent --- */

struct waiting {
        struct qn_arena *a;
        struct qn_record_answer *ret;
        struct qn_err *err;
        int r; /* 1: no answer yet */
};

static int take(struct qn_cur reply, struct qn_arena *a, struct qn_record_answer *ret)
{
        uint32_t outcome, said;
        struct qn_str text;

        if (qn_cur_le32(&reply, &outcome) < 0 || outcome > QN_MAL_GONE ||
            qn_cur_le32(&reply, &said) < 0 || qn_wire_get_text(&reply, &text) < 0 ||
            qn_cur_left(&reply) || text.n > QN_MAL_RECORD_MAX || (outcome && !text.n))
                return -EBADMSG;
        *ret = (struct qn_record_answer){ .outcome = (enum qn_mal_outcome)outcome,
                                          .speaks = said & SPEAKS,
                                          .names = said & NAMES,
                                          .withdrawn = said & WITHDRAWN };
        if (text.n)
                ret->text = qn_arena_dup(a, text);
        return text.n && !ret->text.p ? -ENOBUFS : 0;
}

static void on_answer(void *ctx, const struct qn_pool_result *res)
{
        struct waiting *w = ctx;

        if (res->status == QN_POOL_OK)
                w->r = take(res->reply, w->a, w->ret);
        else
                w->r = res->status == QN_POOL_FAILED && res->code < 0 ? res->code : -EIO;
        if (w->r < 0)
                qn_fail(w->err, w->r, 0, "%s",
                        res->why && res->why[0] ? res->why : "the reply makes no sense");
}

/* Reads what is to be read from copies of its own, so that nobody changes it meanwhile. */
static int submit(struct qn_pool *pool, const struct qn_record_job *j, struct waiting *w)
{
        _cleanup_(qn_buf_done) struct qn_buf params = QN_BUF_INIT(QN_ROLE_PARAMS_MAX);
        const struct qn_str *const texts[] = { TEXTS(j) };
        struct qn_pool_job job = { .kind = QN_JOB_RECORD, .done = on_answer, .ctx = w };
        _cleanup_(qn_closep) int more = -1;
        int r = qn_input_sealed(j->record, &job.input_fd);

        if (r < 0)
                return r;
        if (qn_cur_left(&j->more))
                r = qn_input_sealed(j->more, &more);
        if (r == 0)
                r = qn_msg_beside_put(&job.beside, 0, more);
        qn_wire_put_u32(&params, j->work);
        qn_wire_put_u32(&params, j->flags);
        qn_wire_put_texts(&params, texts, QN_ARRAY_SIZE(texts));
        job.params = qn_buf_view(&params);
        if (r == 0)
                r = qn_buf_error(&params);
        if (r == 0)
                r = qn_pool_submit(pool, &job);
        if (r < 0) {
                qn_msg_beside_close(&job.beside);
                qn_closep(&job.input_fd);
        }
        return r;
}

int qn_record_ask(struct qn_pool *pool, const struct qn_record_job *job, struct qn_arena *a,
                  struct qn_record_answer *ret, struct qn_err *reterr)
{
        struct waiting w = { .a = a, .ret = ret, .err = reterr, .r = 1 };
        int r = submit(pool, job, &w);

        if (r < 0)
                return qn_fail(reterr, r, 0, "the record cannot be handed to its reader: %s",
                               strerror(-r));
        while (w.r == 1) {
                r = qn_pool_poll(pool, -1, reterr);
                if (r < 0)
                        return r;
        }
        return w.r;
}
