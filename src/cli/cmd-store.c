#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "cli/verbs.h"
#include "store/care.h"
#include "store/export.h"
#include "store/versions.h"

#define OUT_MAX    ((size_t)64 << 20)
#define PIECE      ((size_t)1 << 17) /* bytes that are written at once */
#define DAYS_MAX   36525
#define DAY_MS     INT64_C(86400000)
#define EXIT_FAULT 1

static int open_store(const struct qn_args *a, const struct qn_db_def *def, struct qn_db *ret,
                      struct qn_err *reterr)
{
        return qn_db_open(def, a->store, false, ret, reterr);
}

static int flush(struct qn_buf *b)
{
        int r = qn_buf_error(b);

        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(b));
        qn_buf_reset(b);
        return r;
}

/* --- check --- */

struct report {
        struct qn_buf out;
        struct qn_jsonw w;
        bool json;
        const char *store; /* at hand */
        size_t faults;     /* of it */
        bool any;
};

static int on_fault(void *ctx, const struct qn_fault *f)
{
        struct report *p = ctx;

        p->any = true;
        if (p->json) {
                qn_jsonw_object(&p->w, NULL);
                qn_jsonw_str(&p->w, "what", f->what);
                qn_jsonw_cstr(&p->w, "next", f->next);
                qn_jsonw_end_object(&p->w);
        } else {
                if (!p->faults)
                        qn_buf_printf(&p->out, "%s: not sound\n", p->store);
                qn_buf_puts(&p->out, "  ");
                qn_show(&p->out, f->what, 0, 0);
                qn_buf_printf(&p->out, "\n    next: %s\n", f->next);
        }
        p->faults++;
        return qn_buf_error(&p->out);
}

static int is_damaged(struct report *p, const char *what, int code)
{
        const struct qn_fault f = { qn_str_c(what), code == -EPROTO
                                                            ? "use the qanat that made it"
                                                            : "bring back a copy from before" };

        return on_fault(p, &f);
}

static int check_content(struct report *p, struct qn_db *db, const struct qn_store *kind)
{
        struct qn_err err = { 0 };
        int r = qn_store_check(db, kind, on_fault, p);

        if (r < 0)
                qn_db_fail(db, r, &err);
        if (r == -EBADMSG)
                return is_damaged(p, err.msg, r);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

/* What cannot be opened because of what is in it is a fault; what cannot be reached tells nothing. */
static int check_store(struct report *p, const struct qn_args *a, const struct qn_store *kind)
{
        struct qn_err err = { 0 };
        struct qn_db db;
        const int opened = open_store(a, kind->def, &db, &err);
        int r;

        if (opened == -ENOENT)
                return 0;
        if (opened < 0 && opened != -EBADMSG && opened != -EPROTO)
                return log_err(opened, "%s", err.msg);
        p->store = kind->name;
        p->faults = 0;
        if (p->json) {
                qn_jsonw_object(&p->w, NULL);
                qn_jsonw_cstr(&p->w, "store", kind->name);
                qn_jsonw_array(&p->w, "faults");
        }
        r = opened < 0 ? is_damaged(p, err.msg, opened) : check_content(p, &db, kind);
        qn_db_close(&db);
        if (p->json) {
                qn_jsonw_end_array(&p->w);
                qn_jsonw_end_object(&p->w);
        } else if (r == 0 && !p->faults) {
                qn_buf_printf(&p->out, "%s: sound\n", kind->name);
        }
        return r;
}

static int check(const struct qn_args *a)
{
        struct report p = { .out = QN_BUF_INIT(OUT_MAX),
                            .json = qn_str_is(qn_str_c(qn_args_get(a, "format")), "json") };
        int r = 0;

        p.w = QN_JSONW_INIT(&p.out, 0);
        if (p.json) {
                qn_jsonw_object(&p.w, NULL);
                qn_jsonw_cstr(&p.w, "schema", "qanat.store.check/1");
                qn_jsonw_array(&p.w, "stores");
        }
        for (const struct qn_store *s = qn_stores; r == 0 && s->name; s++)
                r = check_store(&p, a, s);
        if (p.json) {
                qn_jsonw_end_array(&p.w);
                qn_jsonw_end_object(&p.w);
                qn_buf_byte(&p.out, '\n');
        } else if (r == 0 && !p.out.n) {
                qn_buf_puts(&p.out, "there is no store yet\n");
        }
        if (r == 0 && (r = flush(&p.out)) < 0)
                log_err(r, "the answer cannot be written: %s", strerrordesc_np(-r));
        qn_buf_done(&p.out);
        return r < 0 ? r : p.any ? EXIT_FAULT : 0;
}

/* --- vacuum --- */

static int vacuum(const struct qn_args *a)
{
        for (const struct qn_store *s = qn_stores; s->name; s++) {
                struct qn_err err = { 0 };
                struct qn_db db;
                int r = open_store(a, s->def, &db, &err);

                if (r == -ENOENT)
                        continue;
                if (r < 0)
                        return log_err(r, "%s", err.msg);
                r = qn_db_vacuum(&db);
                if (r < 0)
                        log_err(qn_db_fail(&db, r, &err), "%s", err.msg);
                qn_db_close(&db);
                if (r < 0)
                        return r;
                log_note("%s: done", s->name);
        }
        return 0;
}

/* --- export --- */

static int on_line(void *ctx, struct qn_str line)
{
        struct qn_buf *b = ctx;

        qn_buf_str(b, line);
        return b->n < PIECE ? qn_buf_error(b) : flush(b);
}

static int time_of(const char *option, const char *text, int64_t *ret)
{
        int64_t seconds;

        if (qn_inventory_time(qn_str_c(text), &seconds) < 0 || seconds < 0)
                return log_err(-EINVAL,
                               "--%s %s: write a day (2026-01-31) or a time (2026-01-31T12:00:00Z)",
                               option, text);
        *ret = seconds * 1000;
        return 0;
}

static int export(const struct qn_args *a)
{
        const char *since = qn_args_get(a, "since");
        struct qn_buf out = QN_BUF_INIT((size_t)1 << 30);
        struct qn_err err = { 0 };
        struct qn_db db;
        int64_t from = INT64_MIN;
        int r = since ? time_of("since", since, &from) : 0;

        if (r < 0)
                return r;
        r = open_store(a, &qn_db_watch, &db, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_store_export(&db, qn_args_get(a, "table"), from, on_line, &out);
        if (r == 0)
                r = flush(&out);
        if (r == -EPIPE)
                log_err(r, "not all was written: %s", strerrordesc_np(EPIPE));
        else if (r < 0)
                log_err(qn_db_fail(&db, r, &err), "not all was written: %s", err.msg);
        qn_db_close(&db);
        qn_buf_done(&out);
        return r;
}

/* --- forget --- */

static int before_of(const struct qn_args *a, int64_t *ret)
{
        const char *text = qn_args_get(a, "before");
        uint64_t days;

        if (!text)
                return log_err(-EINVAL, "forget what? --before a date, or so many days ago");
        if (qn_str_u64(qn_str_c(text), &days) < 0)
                return time_of("before", text, ret);
        if (days > DAYS_MAX)
                return log_err(-EINVAL, "--before %s: these are no days that anybody remembers",
                               text);
        *ret = (int64_t)time(NULL) * 1000 - (int64_t)days * DAY_MS;
        return 0;
}

static int forget_in(struct qn_db *db, int64_t before, int64_t *ret)
{
        int r = qn_db_begin(db);

        if (r == 0)
                r = qn_versions_forget(db, before, ret);
        if (r == 0)
                return qn_db_commit(db);
        qn_db_rollback(db);
        return r;
}

static int forget(const struct qn_args *a)
{
        struct qn_buf out = QN_BUF_INIT(256);
        struct qn_err err = { 0 };
        struct qn_db db;
        int64_t before = 0, n = 0;
        int r = before_of(a, &before);

        if (r < 0)
                return r;
        r = open_store(a, &qn_db_watch, &db, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = forget_in(&db, before, &n);
        if (r < 0)
                log_err(qn_db_fail(&db, r, &err), "nothing was forgotten: %s", err.msg);
        qn_db_close(&db);
        if (r == 0) {
                qn_buf_printf(&out, "forgot the events of %lld clean versions\n", (long long)n);
                r = flush(&out);
        }
        qn_buf_done(&out);
        return r;
}

/* --- the verb --- */

static const struct {
        const char *name;
        int (*run)(const struct qn_args *a);
} actions[] = {
        { "check", check },
        { "vacuum", vacuum },
        { "export", export },
        { "forget", forget },
};

int cmd_store(const struct qn_args *a)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(actions); i++)
                if (strcmp(a->argv[0], actions[i].name) == 0)
                        return actions[i].run(a);
        return log_err(-EINVAL, "\"%s\" is nothing that can be done with a store", a->argv[0]);
}
