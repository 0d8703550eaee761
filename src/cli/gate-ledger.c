/* gate-ledger.c - qanat gate ledger [NAME[@VERSION]]: who fetched what when, and what of it turned bad. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/gate-verb.h"
#include "cli/inventory.h"
#include "parse/packument.h"
#include "store/ledger.h"

#define OUT_MAX ((size_t)1 << 30)

struct listing {
        bool json;
        struct qn_buf out;
        struct qn_jsonw w;
        struct qn_table table;
        const struct qn_ledger_filter *of;
};

static void put_text(struct listing *l, struct qn_str s, size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX);

        qn_show(&b, s.n ? s : QN_STR("-"), width, QN_SHOW_DEFANG);
        qn_table_cell(&l->table, qn_buf_view(&b));
}

static struct qn_str when(int64_t ms, char buffer[QN_TIME_TEXT])
{
        return qn_time_format(ms, buffer);
}

static void put_json_text(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

static void put_artifact(struct qn_jsonw *w, const struct qn_ledger_artifact *a)
{
        qn_jsonw_str(w, "name", a->name);
        qn_jsonw_str(w, "version", a->version);
        put_json_text(w, "integrity", a->integrity);
}

static int on_fetch(void *ctx, const struct qn_ledger_fetch *f)
{
        struct listing *l = ctx;
        char time[QN_TIME_TEXT];

        if (!l->json) {
                qn_table_cell(&l->table, when(f->time, time));
                put_text(l, f->artifact.name, 60);
                put_text(l, f->artifact.version, 24);
                put_text(l, f->token.n ? f->token : f->address, 60);
                put_text(l, f->ci, 24);
                put_text(l, f->user_agent, 60);
                return l->table.error;
        }
        qn_jsonw_object(&l->w, NULL);
        put_artifact(&l->w, &f->artifact);
        qn_jsonw_str(&l->w, "time", when(f->time, time));
        put_json_text(&l->w, "token", f->token);
        put_json_text(&l->w, "address", f->address);
        put_json_text(&l->w, "user_agent", f->user_agent);
        put_json_text(&l->w, "session", f->session);
        put_json_text(&l->w, "command", f->command);
        put_json_text(&l->w, "ci", f->ci);
        qn_jsonw_end_object(&l->w);
        return qn_buf_error(&l->out);
}

static int on_alarm(void *ctx, const struct qn_ledger_alarm *a)
{
        struct listing *l = ctx;
        char time[QN_TIME_TEXT];

        if ((l->of->name.n && !qn_str_eq(l->of->name, a->artifact.name)) ||
            (l->of->version.n && !qn_str_eq(l->of->version, a->artifact.version)))
                return 0;
        if (!l->json) {
                qn_table_cell(&l->table, when(a->time, time));
                put_text(l, a->artifact.name, 60);
                put_text(l, a->artifact.version, 24);
                put_text(l, a->verdict, 10);
                put_text(l, a->reason, 200);
                return l->table.error;
        }
        qn_jsonw_object(&l->w, NULL);
        put_artifact(&l->w, &a->artifact);
        qn_jsonw_str(&l->w, "time", when(a->time, time));
        qn_jsonw_str(&l->w, "verdict", a->verdict);
        qn_jsonw_str(&l->w, "reason", a->reason);
        qn_jsonw_bool(&l->w, "told", a->told);
        qn_jsonw_end_object(&l->w);
        return qn_buf_error(&l->out);
}

static int time_of(const struct qn_args *a, const char *option, int64_t *ret)
{
        const char *text = qn_args_get(a, option);
        int r = text ? qn_inventory_time(qn_str_c(text), ret) : 0;

        if (r < 0)
                return log_err(r,
                               "--%s %s: write a day (2026-01-31) or a time (2026-01-31T12:00:00Z)",
                               option, text);
        *ret *= 1000;
        return 0;
}

static int filter_of(const struct qn_args *a, struct qn_ledger_filter *f)
{
        struct qn_str what = qn_str_c(a->n > 1 ? a->argv[1] : "");
        ptrdiff_t at = qn_str_rchr(what, '@');
        int r = a->n > 2 ? log_err(-EINVAL, "qanat gate ledger takes one NAME[@VERSION]") : 0;

        f->name = at > 0 ? qn_str_take(what, (size_t)at) : what;
        f->version = at > 0 ? qn_str_skip(what, (size_t)at + 1) : QN_STR("");
        f->client = qn_str_c(qn_args_get(a, "client") ? qn_args_get(a, "client") : "");
        if (r == 0)
                r = time_of(a, "since", &f->since);
        return r < 0 ? r : time_of(a, "until", &f->until);
}

static int print_table(struct listing *l, const char *none)
{
        int r = l->table.n ? qn_table_print(&l->table, &l->out, 0) : 0;

        if (!l->table.n && none)
                qn_buf_printf(&l->out, "%s\n", none);
        qn_table_done(&l->table);
        l->table = QN_TABLE_INIT(5);
        return r;
}

static int print(struct listing *l, struct qn_db *db, const struct qn_ledger_filter *f)
{
        int r;

        l->table = QN_TABLE_INIT(6);
        r = qn_ledger_each(db, f, on_fetch, l);
        if (r == 0)
                r = print_table(l, "nobody fetched that");
        if (r == 0)
                r = qn_ledger_alarms(db, false, on_alarm, l);
        if (r == 0 && l->table.n)
                qn_buf_puts(&l->out, "\nturned bad after it was served:\n");
        return r == 0 ? print_table(l, NULL) : r;
}

static int print_json(struct listing *l, struct qn_db *db, const struct qn_ledger_filter *f)
{
        int r;

        l->w = QN_JSONW_INIT(&l->out, 0);
        qn_jsonw_object(&l->w, NULL);
        qn_jsonw_cstr(&l->w, "schema", "qanat.ledger/1");
        qn_jsonw_array(&l->w, "fetches");
        r = qn_ledger_each(db, f, on_fetch, l);
        qn_jsonw_end_array(&l->w);
        qn_jsonw_array(&l->w, "alarms");
        if (r == 0)
                r = qn_ledger_alarms(db, false, on_alarm, l);
        qn_jsonw_end_array(&l->w);
        qn_jsonw_end_object(&l->w);
        qn_buf_byte(&l->out, '\n');
        return r;
}

int qn_gate_verb_ledger(const struct qn_args *a)
{
        struct listing l = { .json = qn_str_is(qn_str_c(qn_args_get(a, "format")), "json"),
                             .out = QN_BUF_INIT(OUT_MAX) };
        struct qn_ledger_filter f = { 0 };
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = filter_of(a, &f);

        if (r < 0)
                return r;
        r = qn_db_open(&qn_db_gate, a->store, false, &db, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        l.of = &f;
        r = l.json ? print_json(&l, &db, &f) : print(&l, &db, &f);
        if (r < 0)
                qn_db_fail(&db, r, &err);
        qn_db_close(&db);
        if (r == 0)
                r = qn_buf_error(&l.out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&l.out));
        qn_buf_done(&l.out);
        return r < 0 ? log_err(r, "the ledger cannot be read: %s",
                               err.msg[0] ? err.msg : strerrordesc_np(-r))
                     : 0;
}
