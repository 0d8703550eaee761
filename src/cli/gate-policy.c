#include "cli/gate-policy.h"

#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "gate/policy-cases.h"
#include "parse/packument.h"

#define OUT_MAX ((size_t)256 << 20)

struct run {
        const struct gate_policy_test *t;
        const char *cases_path;
        struct qn_arena arena;
        struct qn_policy *policy;
        struct qn_policy_case *cases;
        size_t n, failed;
        struct qn_buf out;
};

static int flush(struct qn_buf *out)
{
        int r = qn_buf_error(out);

        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(out));
        return r < 0 ? log_err(r, "the results cannot be written: %s", strerror(-r)) : 0;
}

/* --- JSON --- */

static void put_time(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char text[QN_TIME_TEXT];
        struct qn_str s = qn_time_format(ms, text);

        if (ms == INT64_MAX || !s.n)
                qn_jsonw_null(w, key);
        else
                qn_jsonw_str(w, key, s);
}

static void put_steps(struct qn_jsonw *w, const struct qn_policy *p,
                      const struct qn_policy_facts *f, int64_t now)
{
        struct qn_policy_step steps[QN_POLICY_STEPS];

        qn_policy_explain(p, f, now, steps);
        qn_jsonw_array(w, "steps");
        for (unsigned i = 0; i < QN_POLICY_STEPS; i++) {
                const struct qn_policy_step *s = &steps[i];

                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "rule", s->rule);
                qn_jsonw_bool(w, "applies", s->applies);
                qn_jsonw_bool(w, "excepted", s->excepted);
                qn_jsonw_bool(w, "decides", s->decides);
                qn_jsonw_cstr(w, "action", s->applies ? qn_policy_action_name(s->action) : NULL);
                qn_jsonw_cstr(w, "mode", s->applies ? qn_policy_mode_name(s->mode) : NULL);
                qn_jsonw_cstr(w, "why", s->why);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_decision(struct qn_jsonw *w, const struct qn_policy_facts *f,
                         const struct qn_policy_decision *d)
{
        qn_jsonw_str(w, "name", f->name);
        qn_jsonw_str(w, "version", f->version);
        qn_jsonw_cstr(w, "outcome", qn_policy_expect_name(qn_policy_outcome(d)));
        qn_jsonw_cstr(w, "action", qn_policy_action_name(d->action));
        qn_jsonw_cstr(w, "mode", qn_policy_mode_name(d->mode));
        qn_jsonw_cstr(w, "rule", d->rule[0] ? d->rule : NULL);
        qn_jsonw_cstr(w, "reason", d->reason);
        qn_jsonw_bool(w, "excepted", d->excepted);
        qn_jsonw_bool(w, "overridden", d->overridden);
        put_time(w, "until", d->until_ms);
}

static void json_case(struct run *r, struct qn_jsonw *w, const struct qn_policy_case *c,
                      const struct qn_policy_decision *d, const char *wrong)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "case", c->name);
        qn_jsonw_u64(w, "line", c->line);
        qn_jsonw_bool(w, "ok", !wrong[0]);
        qn_jsonw_cstr(w, "expected", qn_policy_expect_name(c->expect));
        qn_jsonw_cstr(w, "wrong", wrong[0] ? wrong : NULL);
        put_decision(w, &c->facts, d);
        if (r->t->explain)
                put_steps(w, r->policy, &c->facts, c->at);
        qn_jsonw_end_object(w);
}

static void run_json(struct run *r)
{
        struct qn_jsonw w = QN_JSONW_INIT(&r->out, 2);
        struct qn_policy_decision d;
        char wrong[QN_POLICY_CASE_BYTES];

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.gate-policy-test/1");
        qn_jsonw_cstr(&w, "revision", qn_policy_revision(r->policy));
        qn_jsonw_array(&w, "cases");
        for (size_t i = 0; i < r->n; i++) {
                qn_policy_decide(r->policy, &r->cases[i].facts, r->cases[i].at, &d);
                qn_policy_case_check(&r->cases[i], &d, wrong);
                r->failed += wrong[0] != '\0';
                if (wrong[0] || !r->t->quiet)
                        json_case(r, &w, &r->cases[i], &d, wrong);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_u64(&w, "failed", r->failed);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&r->out, '\n');
}

/* --- text --- */

static void name_cell(struct qn_table *t, struct qn_str name, const char *wrong)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 10);

        qn_show(&b, name, 80, 0);
        if (wrong[0])
                qn_buf_printf(&b, ": %s", wrong);
        qn_table_cell(t, qn_buf_view(&b));
}

static void text_step(struct qn_table *t, const struct qn_policy_step *s)
{
        qn_table_cell(t, qn_str_c(s->decides ? "*" : ""));
        qn_table_cell(t, qn_str_c(s->rule));
        qn_table_cell(t, qn_str_c(!s->applies   ? "-"
                                  : s->excepted ? "let through"
                                  : s->mode     ? qn_policy_mode_name(s->mode)
                                                : qn_policy_action_name(s->action)));
        qn_table_cell(t, qn_str_c(s->why));
}

/* Rules that apply, and what is still open, unless all are wanted. */
static bool is_shown(const struct qn_policy_step *s, const struct qn_policy_facts *f, bool all)
{
        return all || s->applies || (!f->judged && strcmp(s->rule, "verdict") == 0);
}

static void text_steps(struct qn_table *t, const struct qn_policy *p,
                       const struct qn_policy_facts *f, int64_t now, bool all)
{
        struct qn_policy_step steps[QN_POLICY_STEPS];

        qn_policy_explain(p, f, now, steps);
        for (unsigned i = 0; i < QN_POLICY_STEPS; i++)
                if (is_shown(&steps[i], f, all))
                        text_step(t, &steps[i]);
}

static void text_case(struct qn_table *t, const struct qn_policy_case *c,
                      const struct qn_policy_decision *d, const char *wrong)
{
        char line[32];

        snprintf(line, sizeof line, "line %u", c->line);
        qn_table_cell(t, wrong[0] ? QN_STR("FAILED") : QN_STR("ok"));
        qn_table_cell(t, qn_str_c(qn_policy_expect_name(qn_policy_outcome(d))));
        qn_table_cell(t, qn_str_c(d->rule[0] ? d->rule : "-"));
        qn_table_cell(t, qn_str_c(line));
        name_cell(t, c->name.n ? c->name : c->facts.name, wrong);
}

/* A case and, when they are wanted, its steps: the table of each case's steps stands below its row. */
static int text_explained(struct run *r, const struct qn_policy_case *c)
{
        struct qn_table t = QN_TABLE_INIT(4);
        int k;

        text_steps(&t, r->policy, &c->facts, c->at, true);
        k = qn_table_print(&t, &r->out, 0);
        qn_table_done(&t);
        qn_buf_byte(&r->out, '\n');
        return k;
}

static int print_rows(struct run *r, struct qn_table *t, const struct qn_policy_case *c)
{
        int k = qn_table_print(t, &r->out, 0);

        qn_table_done(t);
        *t = QN_TABLE_INIT(5);
        return k == 0 && r->t->explain && c ? text_explained(r, c) : k;
}

static int run_text(struct run *r)
{
        struct qn_table t = QN_TABLE_INIT(5);
        struct qn_policy_decision d;
        char wrong[QN_POLICY_CASE_BYTES];
        int k = 0;

        for (size_t i = 0; k == 0 && i < r->n; i++) {
                qn_policy_decide(r->policy, &r->cases[i].facts, r->cases[i].at, &d);
                qn_policy_case_check(&r->cases[i], &d, wrong);
                r->failed += wrong[0] != '\0';
                if (!wrong[0] && r->t->quiet)
                        continue;
                text_case(&t, &r->cases[i], &d, wrong);
                if (r->t->explain)
                        k = print_rows(r, &t, &r->cases[i]);
        }
        if (k == 0)
                k = print_rows(r, &t, NULL);
        qn_table_done(&t);
        qn_buf_printf(&r->out, "%zu cases, %zu failed (policy %s)\n", r->n, r->failed,
                      qn_policy_revision(r->policy));
        return k < 0 ? log_err(k, "out of memory") : 0;
}

/* --- the commands --- */

static int load(struct run *r)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_GATE_FILE_MAX);
        struct qn_err err = { 0 };
        int k = qn_policy_load(r->t->policy, &r->policy, &err);

        if (k < 0)
                return log_err(k, "%s", err.msg);
        k = qn_io_read(r->cases_path, &text);
        if (k < 0)
                return log_err(k, "%s: %s", r->cases_path, strerror(-k));
        k = qn_policy_cases(qn_buf_view(&text), r->cases_path, &r->arena, &r->cases, &r->n, &err);
        if (k < 0)
                return log_err(k, "%s", err.msg);
        if (!r->n)
                return log_err(-EINVAL, "%s: there are no `tests` in it: add some", r->cases_path);
        return 0;
}

int gate_policy_test(const struct gate_policy_test *t)
{
        struct run run = { .t = t,
                           .cases_path = t->cases ? t->cases : t->policy,
                           .arena = QN_ARENA_INIT(QN_GATE_ARENA_MAX),
                           .out = QN_BUF_INIT(OUT_MAX) };
        int r = load(&run);

        if (r == 0 && t->json)
                run_json(&run);
        else if (r == 0)
                r = run_text(&run);
        if (r == 0)
                r = flush(&run.out);
        qn_policy_free(run.policy);
        qn_arena_done(&run.arena);
        qn_buf_done(&run.out);
        return r < 0 ? r : run.failed > 0;
}

int gate_policy_check(const char *path, bool json)
{
        _cleanup_(qn_policy_freep) struct qn_policy *p = NULL;
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 2);
        struct qn_err err = { 0 };
        int r = qn_policy_load(path, &p, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg);
        if (!json) {
                qn_show(&out, qn_str_c(path), 0, 0);
                qn_buf_printf(&out, ": well formed, mode %s, revision %s\n",
                              qn_policy_mode_name(qn_policy_mode(p)), qn_policy_revision(p));
                return flush(&out);
        }
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.gate-policy/1");
        qn_jsonw_cstr(&w, "mode", qn_policy_mode_name(qn_policy_mode(p)));
        qn_jsonw_cstr(&w, "revision", qn_policy_revision(p));
        qn_jsonw_u64(&w, "budget_ms", qn_policy_budget_ms(p));
        qn_jsonw_end_object(&w);
        qn_buf_byte(&out, '\n');
        return flush(&out);
}

static bool is_served(const struct qn_policy_decision *d)
{
        return d->action == QN_POLICY_ALLOW || d->mode != QN_POLICY_ENFORCE;
}

static int explain_text(const struct qn_policy *p, const struct qn_policy_facts *f, int64_t now,
                        const struct qn_policy_decision *d, bool all, struct qn_buf *out)
{
        struct qn_table t = QN_TABLE_INIT(4);
        char until[QN_TIME_TEXT];
        int r;

        qn_show(out, f->name, 100, 0);
        qn_buf_byte(out, '@');
        qn_show(out, f->version, 60, 0);
        qn_buf_printf(out, ": %s", qn_policy_expect_name(qn_policy_outcome(d)));
        if (d->until_ms != INT64_MAX && qn_time_format(d->until_ms, until).n)
                qn_buf_printf(out, " until %s", until);
        qn_buf_byte(out, '\n');
        text_steps(&t, p, f, now, all);
        r = qn_table_print(&t, out, 0);
        qn_table_done(&t);
        return r;
}

int gate_policy_explain(const struct qn_policy *p, const struct qn_policy_facts *facts, size_t n,
                        int64_t now_ms, const struct gate_policy_test *t)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 2);
        struct qn_policy_decision d;
        bool all_served = true;
        int r = 0;

        if (t->json) {
                qn_jsonw_object(&w, NULL);
                qn_jsonw_cstr(&w, "schema", "qanat.gate-policy-explain/1");
                qn_jsonw_cstr(&w, "revision", qn_policy_revision(p));
                qn_jsonw_array(&w, "results");
        }
        for (size_t i = 0; r == 0 && i < n; i++) {
                qn_policy_decide(p, &facts[i], now_ms, &d);
                all_served = all_served && is_served(&d);
                if (!t->json) {
                        r = explain_text(p, &facts[i], now_ms, &d, t->explain, &out);
                        continue;
                }
                qn_jsonw_object(&w, NULL);
                put_decision(&w, &facts[i], &d);
                qn_jsonw_bool(&w, "analysed", facts[i].judged);
                put_steps(&w, p, &facts[i], now_ms);
                qn_jsonw_end_object(&w);
        }
        if (t->json) {
                qn_jsonw_end_array(&w);
                qn_jsonw_end_object(&w);
                qn_buf_byte(&out, '\n');
        }
        r = r < 0 ? log_err(r, "out of memory") : flush(&out);
        return r < 0 ? r : !all_served;
}
