#include "cli/judge-all.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "cli/load-rules.h"
#include "rule/rule.h"
#include "watch/rejudge.h"

#define OUT_MAX    ((size_t)1 << 30)
#define NAME_WIDTH 60

struct change {
        struct qn_seen was, is;
};

struct run {
        struct qn_arena a;
        struct change *v;
        size_t n, cap;
        enum qn_verdict_kind fail_on;
        bool failed;
        struct qn_rejudge_stats stats;
};

static int keep(struct qn_arena *a, struct qn_seen *s)
{
        struct qn_str *const texts[] = { &s->name,    &s->version, &s->integrity,
                                         &s->verdict, &s->reason,  &s->rules };

        return qn_arena_keep(a, texts, QN_ARRAY_SIZE(texts));
}

/* What is undone afterwards is in the list, too; but then all has failed, and it is not printed. */
static int on_change(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is)
{
        struct run *r = ctx;
        struct change c = { was->v, is->v };
        enum qn_verdict_kind k;
        int e;

        if (qn_str_eq(was->v.verdict, is->v.verdict))
                return 0;
        if (qn_verdict_from_name(is->v.verdict, &k) == 0 && k >= r->fail_on)
                r->failed = true;
        e = keep(&r->a, &c.was);
        if (e == 0)
                e = keep(&r->a, &c.is);
        if (e == 0)
                e = QN_ARENA_ROOM(&r->a, r->v, r->n, r->cap);
        if (e == 0)
                r->v[r->n++] = c;
        return e;
}

static int by_name(const void *pa, const void *pb)
{
        const struct change *a = pa, *b = pb;
        int c = qn_str_cmp(a->is.name, b->is.name);

        return c ? c : qn_str_cmp(a->is.version, b->is.version);
}

/* --- options --- */

static int time_of(const struct qn_args *a, int64_t *ret)
{
        const char *text = qn_args_get(a, "since");
        int r = text ? qn_inventory_time(qn_str_c(text), ret) : 0;

        if (r < 0 || *ret > INT64_MAX / 1000)
                return log_err(
                        -EINVAL,
                        "--since %s: write a day (2026-01-31) or a time (2026-01-31T12:00:00Z)",
                        text);
        *ret *= 1000;
        return 0;
}

static int check_options(const struct qn_args *a)
{
        if (a->n)
                return log_err(-EINVAL, "--all judges what was seen, and takes no file: \"%s\"",
                               a->argv[0]);
        if (strcmp(qn_args_get(a, "format"), "sarif") == 0)
                return log_err(-EINVAL, "--all prints text or json");
        if (qn_args_on(a, "explain"))
                return log_err(-EINVAL, "--all explains nothing: see qanat review show");
        return 0;
}

/* --- printing --- */

static void put_verdict(struct qn_jsonw *w, const char *key, const struct qn_seen *s)
{
        qn_jsonw_object(w, key);
        qn_jsonw_str(w, "verdict", s->verdict);
        qn_jsonw_u64(w, "score", s->score);
        qn_jsonw_str(w, "reason", s->reason);
        qn_jsonw_end_object(w);
}

static void print_json(const struct run *r, bool dry, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.back-scan/1");
        qn_jsonw_bool(&w, "dry_run", dry);
        qn_jsonw_u64(&w, "judged", r->stats.judged);
        qn_jsonw_u64(&w, "changed", r->stats.changed);
        qn_jsonw_u64(&w, "moved", r->stats.moved);
        qn_jsonw_u64(&w, "lost", r->stats.lost);
        qn_jsonw_u64(&w, "unread", r->stats.unread);
        qn_jsonw_array(&w, "changes");
        for (size_t i = 0; i < r->n; i++) {
                qn_jsonw_object(&w, NULL);
                qn_jsonw_str(&w, "name", r->v[i].is.name);
                qn_jsonw_str(&w, "version", r->v[i].is.version);
                qn_jsonw_str(&w, "integrity", r->v[i].is.integrity);
                put_verdict(&w, "before", &r->v[i].was);
                put_verdict(&w, "after", &r->v[i].is);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

static void put_row(struct qn_table *t, const struct change *c)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        _cleanup_(qn_buf_done) struct qn_buf raw = QN_BUF_INIT(1 << 16);

        qn_buf_printf(&raw, "%.*s@%.*s", QN_STR_ARG(c->is.name), QN_STR_ARG(c->is.version));
        qn_show(&b, qn_buf_view(&raw), NAME_WIDTH, 0);
        qn_table_cell(t, qn_buf_view(&b));
        qn_buf_reset(&b);
        qn_show(&b, c->was.verdict, 0, 0);
        qn_buf_puts(&b, " → ");
        qn_show(&b, c->is.verdict, 0, 0);
        qn_table_cell(t, qn_buf_view(&b));
        qn_buf_reset(&b);
        qn_buf_printf(&b, "%u", c->is.score);
        qn_table_cell(t, qn_buf_view(&b));
        qn_buf_reset(&b);
        qn_show(&b, c->is.reason, 0, QN_SHOW_DEFANG);
        qn_table_cell(t, qn_buf_view(&b));
}

static void put_count(struct qn_buf *out, uint64_t n, const char *one, const char *many)
{
        if (n)
                qn_buf_printf(out, ", %llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static int print_text(const struct run *r, bool dry, struct qn_buf *out)
{
        _cleanup_(qn_table_done) struct qn_table t = QN_TABLE_INIT(4);
        int e;

        t.right = 1u << 2;
        for (size_t i = 0; i < r->n; i++)
                put_row(&t, &r->v[i]);
        e = qn_table_print(&t, out, 0);
        qn_buf_printf(out, "%llu version%s judged: ", (unsigned long long)r->stats.judged,
                      r->stats.judged == 1 ? "" : "s");
        qn_buf_printf(out, "%llu other verdict%s", (unsigned long long)r->stats.changed,
                      r->stats.changed == 1 ? "" : "s");
        put_count(out, r->stats.moved, "other score or finding", "other scores or findings");
        put_count(out, r->stats.lost, "left to who wrote to it meanwhile",
                  "left to who wrote to them meanwhile");
        put_count(out, r->stats.unread, "whose events cannot be read",
                  "whose events cannot be read");
        qn_buf_puts(out, dry ? " (nothing was written)\n" : "\n");
        return e;
}

static int print(struct run *r, const struct qn_args *a)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        bool dry = qn_args_on(a, "dry-run");
        int e = 0;

        if (r->n)
                qsort(r->v, r->n, sizeof *r->v, by_name);
        if (strcmp(qn_args_get(a, "format"), "json") == 0)
                print_json(r, dry, &out);
        else
                e = print_text(r, dry, &out);
        if (e == 0)
                e = qn_buf_error(&out);
        if (e == 0)
                e = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        return e < 0 ? log_err(e, "cannot print: %s", strerrordesc_np(-e)) : 0;
}

/* --- the run --- */

static int configure(const struct qn_args *a, struct qn_rules *rules, struct qn_rejudge_all *how)
{
        const char *name = qn_args_get(a, "name");
        struct qn_err err = { 0 };
        int64_t since = 0;
        int r = time_of(a, &since);

        if (r < 0)
                return r;
        *how = (struct qn_rejudge_all){ .conf = { .rules = rules,
                                                  .now = (int64_t)time(NULL) * 1000,
                                                  .since = since,
                                                  .name = qn_str_c(name ? name : ""),
                                                  .dry = qn_args_on(a, "dry-run") },
                                        .store = a->store,
                                        .state_dir = a->state,
                                        .data_dir = a->data,
                                        .jobs = (unsigned)QN_MIN(qn_args_u64(a, "jobs"),
                                                                 UINT64_C(1024)) };
        how->conf.by.rules = qn_rules_revision(rules);
        how->conf.by.trust = qn_revision_trust(a->data);
        r = qn_revision_tables(a->data, &how->conf.by.tables, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

static int judge(struct run *r, const struct qn_args *a)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        struct qn_rejudge_all how;
        struct qn_err err = { 0 };
        int e = qn_load_rules(a, &rules);

        if (e == 0)
                e = configure(a, rules, &how);
        if (e < 0)
                return e;
        e = qn_rejudge_all(&how, on_change, r, &r->stats, &err);
        return e < 0 ? log_err(e, "%s", err.msg) : 0;
}

int qn_judge_all(const struct qn_args *a)
{
        struct run r = { .a = QN_ARENA_INIT(OUT_MAX) };
        int e = check_options(a);

        if (e == 0)
                e = qn_verdict_from_name(qn_str_c(qn_args_get(a, "fail-on")), &r.fail_on);
        if (e == 0)
                e = judge(&r, a);
        if (e == 0)
                e = print(&r, a);
        qn_arena_done(&r.a);
        if (e < 0)
                return e;
        return r.failed ? 1 : r.stats.unread ? 3 : 0;
}
