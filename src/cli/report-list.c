/* report-list.c - `qanat report list`: what was reported, what became of it, and where it is. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/report-check.h"
#include "store/reports.h"

#define OUT_MAX ((size_t)256 << 20)

struct list {
        struct qn_table table;
        struct qn_jsonw *json; /* NULL: a table */
};

static void cell(struct qn_table *t, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);

        qn_show(&b, s, 0, 0);
        qn_table_cell(t, qn_buf_view(&b));
}

static void add_row(struct qn_table *t, const struct qn_reported *r)
{
        char when[QN_TIME_TEXT];

        cell(t, r->name);
        cell(t, r->version);
        cell(t, qn_str_c(qn_report_state_name(r->state)));
        cell(t, qn_str_take(qn_time_format(r->changed, when), 10));
        cell(t, r->branch.n ? r->branch : r->place);
        cell(t, qn_str_take(r->commit, 12));
        cell(t, r->reason);
}

static void put(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

static void add_object(struct qn_jsonw *w, const struct qn_reported *r)
{
        char when[QN_TIME_TEXT];

        qn_jsonw_object(w, NULL);
        put(w, "name", r->name);
        put(w, "version", r->version);
        qn_jsonw_cstr(w, "state", qn_report_state_name(r->state));
        put(w, "reported", qn_time_format(r->time, when));
        put(w, "changed", qn_time_format(r->changed, when));
        put(w, "place", r->place);
        put(w, "branch", r->branch);
        put(w, "commit", r->commit);
        put(w, "path", r->path);
        put(w, "campaign", r->campaign);
        put(w, "reason", r->reason);
        put(w, "by", r->by);
        qn_jsonw_end_object(w);
}

static int on_report(void *ctx, const struct qn_reported *r)
{
        struct list *l = ctx;

        if (l->json)
                add_object(l->json, r);
        else
                add_row(&l->table, r);
        return 0;
}

static int read_all(const struct qn_args *a, struct list *l)
{
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = qn_db_open(&qn_db_watch, a->store, false, &db, &err);

        if (r == -ENOENT)
                return 0; /* nothing was reported yet */
        if (r < 0)
                return log_err(r, "%s", err.msg);
        if (a->n < 2)
                r = qn_reports_each(&db, (struct qn_str){ 0 }, on_report, l);
        for (size_t i = 1; r == 0 && i < a->n; i++)
                r = qn_reports_each(&db, qn_str_c(a->argv[i]), on_report, l);
        qn_db_close(&db);
        return r < 0 ? log_err(r, "the store cannot be read: %s", strerror(-r)) : 0;
}

static int list_table(const struct qn_args *a, struct list *l, struct qn_buf *out)
{
        static const char *const heads[] = { "PACKAGE", "VERSION", "STATE", "CHANGED",
                                             "WHERE",   "COMMIT",  "REASON" };
        int r;

        l->table = QN_TABLE_INIT(QN_ARRAY_SIZE(heads));
        for (size_t i = 0; i < QN_ARRAY_SIZE(heads); i++)
                qn_table_cell(&l->table, qn_str_c(heads[i]));
        r = read_all(a, l);
        if (r == 0)
                r = qn_table_print(&l->table, out, 0);
        qn_table_done(&l->table);
        return r;
}

static int list_json(const struct qn_args *a, struct list *l, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);
        int r;

        l->json = &w;
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.reports/1");
        qn_jsonw_array(&w, "reports");
        r = read_all(a, l);
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
        return r;
}

int qn_report_list(const struct qn_args *a)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        struct list l = { .json = NULL };
        int r = qn_str_is(qn_str_c(qn_args_get(a, "format")), "json") ? list_json(a, &l, &out)
                                                                      : list_table(a, &l, &out);

        if (r < 0)
                return r;
        if (qn_buf_error(&out) < 0)
                return log_err(-ENOMEM, "the list is too long");
        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        return r < 0 ? log_err(r, "cannot write the list: %s", strerror(-r)) : 0;
}
