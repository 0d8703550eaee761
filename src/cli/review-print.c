/* review-print.c - what waits for a person, one version in full, and the log of what people decided. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mask.h"
#include "base/show.h"
#include "base/table.h"
#include "base/term.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "cli/load-rules.h"
#include "cli/review.h"
#include "event/event.h"
#include "intel/tell.h"
#include "parse/packument.h"
#include "report/report.h"
#include "rule/rule.h"

#define ARENA_MAX  ((size_t)1 << 30)
#define NAME_WIDTH 60

bool qn_review_is_json(const struct qn_args *a)
{
        return strcmp(qn_args_get(a, "format"), "json") == 0;
}

/* --- finding and judging --- */

int qn_review_find(struct qn_db *db, const char *text, struct qn_arena *a,
                   struct qn_review_subject *ret)
{
        struct qn_str what = qn_str_c(text);
        ptrdiff_t at = qn_str_rchr(what, '@');
        struct qn_review_subject s;
        int r;

        if (at <= 0 || (size_t)at + 1 == what.n)
                return log_err(-EINVAL, "%s: which version? write NAME@VERSION", text);
        r = qn_versions_find(db, qn_str_take(what, (size_t)at), qn_str_skip(what, (size_t)at + 1),
                             a, &s.v);
        if (r == -ENOENT)
                return log_err(r, "%s was not seen yet", text);
        if (r == 0)
                r = qn_review_load(db, &s.v, a, &s.c);
        if (r < 0)
                return log_err(r, "the store cannot be read: %s", strerrordesc_np(-r));
        qn_review_effective(&s.c, &s.effect);
        *ret = s;
        return 0;
}

static int open_tell(const struct qn_args *a, struct qn_tell **ret)
{
        struct qn_err err = { 0 };
        int r = qn_tell_open(a->state, a->data, ret, &err);

        if (r == 0)
                qn_tell_at(*ret, (int64_t)time(NULL) * 1000);
        return r == -ENOENT ? 0 : r < 0 ? log_err(r, "%s", err.msg) : 0;
}

int qn_review_judge(const struct qn_args *a, struct qn_db *db, struct qn_rules *rules,
                    const struct qn_seen *v, struct qn_arena *arena, struct qn_rejudged *ret)
{
        _cleanup_(qn_tell_freep) struct qn_tell *tell = NULL;
        struct qn_rejudge_conf conf = { .rules = rules };
        struct qn_cur events;
        int r = open_tell(a, &tell);

        if (r < 0)
                return r;
        conf.tell = tell;
        r = qn_versions_events_of(db, v->id, arena, &events);
        if (r == -ENOENT)
                return r;
        if (r == 0)
                r = qn_rejudge_version(&conf, v, events, arena, ret);
        return r < 0 ? log_err(r, "%.*s@%.*s: its events cannot be judged: %s", QN_STR_ARG(v->name),
                               QN_STR_ARG(v->version), strerrordesc_np(-r))
                     : 0;
}

/* --- pieces --- */

static int finish(struct qn_buf *out, int r)
{
        if (r == 0)
                r = qn_buf_error(out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(out));
        return r < 0 ? log_err(r, "cannot print: %s", strerrordesc_np(-r)) : 0;
}

/* What a person wrote may hold a secret, too. */
static void put_shown(struct qn_buf *out, struct qn_str s, size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf masked = QN_BUF_INIT(1 << 20);

        qn_mask_secrets(&masked, s);
        qn_show(out, qn_buf_view(&masked), width, QN_SHOW_DEFANG);
}

static void cell(struct qn_table *t, struct qn_str s, size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        put_shown(&b, s.n ? s : QN_STR("-"), width);
        qn_table_cell(t, qn_buf_view(&b));
}

static void cell_number(struct qn_table *t, unsigned n)
{
        char text[16];

        snprintf(text, sizeof text, "%u", n);
        qn_table_cell(t, qn_str_c(text));
}

static void cell_time(struct qn_table *t, int64_t ms)
{
        char text[QN_TIME_TEXT];

        cell(t, qn_time_format(ms, text), 0);
}

/* name@version as it is: what is typed into the next command. */
static void cell_name(struct qn_table *t, struct qn_str name, struct qn_str version)
{
        _cleanup_(qn_buf_done) struct qn_buf raw = QN_BUF_INIT(1 << 16), b = QN_BUF_INIT(1 << 16);

        qn_buf_printf(&raw, "%.*s@%.*s", QN_STR_ARG(name), QN_STR_ARG(version));
        qn_show(&b, qn_buf_view(&raw), NAME_WIDTH, 0);
        qn_table_cell(t, qn_buf_view(&b));
}

static void put_time(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char text[QN_TIME_TEXT];

        if (ms == QN_TIME_NONE)
                qn_jsonw_null(w, key);
        else
                qn_jsonw_str(w, key, qn_time_format(ms, text));
}

static void put_masked(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_mask_secrets(&b, s);
        qn_jsonw_str(w, key, qn_buf_view(&b));
}

static void put_effect(struct qn_jsonw *w, const struct qn_review_effect *e)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_review_say(e, &b);
        qn_jsonw_object(w, "effective");
        qn_jsonw_cstr(w, "verdict", qn_verdict_name(e->verdict));
        qn_jsonw_bool(w, "decided", qn_review_is_decided(e));
        put_masked(w, "why", qn_buf_view(&b));
        qn_jsonw_end_object(w);
}

static void put_seen(struct qn_jsonw *w, const struct qn_seen *v)
{
        qn_jsonw_str(w, "name", v->name);
        qn_jsonw_str(w, "version", v->version);
        qn_jsonw_str(w, "integrity", v->integrity);
        qn_jsonw_str(w, "verdict", v->verdict);
        qn_jsonw_u64(w, "score", v->score);
        put_masked(w, "reason", v->reason);
}

/* --- list --- */

static void list_json(const struct qn_review_item *v, size_t n, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.review-list/1");
        qn_jsonw_array(&w, "versions");
        for (size_t i = 0; i < n; i++) {
                qn_jsonw_object(&w, NULL);
                put_seen(&w, &v[i].v);
                qn_jsonw_u64(&w, "findings", v[i].n_findings);
                put_effect(&w, &v[i].effect);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}

static struct qn_str decision_of(const struct qn_review_effect *e)
{
        static const char *const words[] = { [QN_REVIEW_NOBODY] = "-",
                                             [QN_REVIEW_CONFIRMED] = "confirmed",
                                             [QN_REVIEW_REJECTED] = "rejected",
                                             [QN_REVIEW_FRESH] = "again: new finding",
                                             [QN_REVIEW_WORSE] = "again: worse" };

        return qn_str_c(words[e->why]);
}

static int list_text(const struct qn_review_item *v, size_t n, struct qn_buf *out)
{
        _cleanup_(qn_table_done) struct qn_table t = QN_TABLE_INIT(5);

        t.right = 1u << 0;
        for (size_t i = 0; i < n; i++) {
                cell_number(&t, v[i].v.score);
                cell_name(&t, v[i].v.name, v[i].v.version);
                cell(&t, v[i].v.verdict, 0);
                cell(&t, decision_of(&v[i].effect), 0);
                cell(&t, v[i].v.reason, 0);
        }
        if (!n)
                qn_buf_puts(out, "nothing waits for a person\n");
        return n ? qn_table_print(&t, out, 0) : 0;
}

static int load_policy(const struct qn_args *a, struct qn_watch_policy *ret)
{
        const char *given = qn_args_get(a, "watch-policy");
        struct qn_err err = { 0 };
        char path[4096];
        int r;

        if (snprintf(path, sizeof path, "%s/watch/policy.yaml", a->data) >= (int)sizeof path)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", a->data);
        r = qn_watch_policy_load(given ? given : path, ret, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

int qn_review_verb_list(const struct qn_args *a, struct qn_db *db)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_REVIEW_OUT_MAX);
        struct qn_watch_policy policy;
        struct qn_review_item *v;
        size_t n;
        int r = a->n > 1 ? log_err(-EINVAL, "one argument too many: \"%s\"", a->argv[1])
                         : load_policy(a, &policy);

        if (r < 0)
                return r;
        r = qn_review_queue(db, &policy, qn_args_on(a, "all"), &arena, &v, &n);
        if (r < 0)
                return log_err(r, "the store cannot be read: %s", strerrordesc_np(-r));
        if (qn_review_is_json(a))
                list_json(v, n, &out);
        else
                r = list_text(v, n, &out);
        return finish(&out, r);
}

/* --- show --- */

struct showing {
        const struct qn_args *a;
        struct qn_db *db;
        struct qn_arena *arena;
        struct qn_review_subject s;
        struct qn_rejudged now;
        struct qn_rules *rules;
        bool kept; /* its events */
        struct qn_buf *out;
        struct qn_table table;
        struct qn_jsonw w;
};

static int mask_text(struct qn_arena *a, struct qn_str *s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_mask_secrets(&b, *s);
        *s = qn_arena_dup(a, qn_buf_view(&b));
        return qn_buf_error(&b) < 0 ? qn_buf_error(&b) : s->p ? 0 : -ENOBUFS;
}

/* The verdict is made; what is printed of it from here on holds no secrets. */
static int mask_verdict(struct showing *s)
{
        struct qn_verdict *v = &s->now.verdict;
        int r = qn_event_set_mask(s->now.set);

        if (r == 0)
                r = mask_text(s->arena, &v->reason);
        for (size_t i = 0; r == 0 && i < v->n; i++)
                if (v->findings[i].explain.n)
                        r = mask_text(s->arena, &v->findings[i].explain);
        return r;
}

static int render(struct showing *s, enum qn_report_format format, struct qn_buf *out)
{
        _cleanup_(qn_report_freep) struct qn_report *report = NULL;
        const struct qn_report_opts opts = { .format = format,
                                             .fail_on = QN_SUSPICIOUS,
                                             .all = true,
                                             .explain = qn_args_on(s->a, "explain") };
        const struct qn_result res = { .target = s->s.v.name,
                                       .name = s->s.v.name,
                                       .version = s->s.v.version,
                                       .integrity = s->s.v.integrity,
                                       .verdict = &s->now.verdict,
                                       .set = s->now.set };
        int r = mask_verdict(s);

        if (r == 0)
                r = qn_report_new(&opts, &report);
        if (r == 0)
                r = qn_report_add(report, &res);
        return r == 0 ? qn_report_end(report, 0, out) : r;
}

static void put_line(struct qn_buf *out, const char *what, struct qn_str s)
{
        if (!s.n)
                return;
        qn_buf_printf(out, "  %-11s", what);
        put_shown(out, s, 0);
        qn_buf_byte(out, '\n');
}

static void put_line_time(struct qn_buf *out, const char *what, int64_t ms)
{
        char text[QN_TIME_TEXT];

        put_line(out, what, ms == QN_TIME_NONE ? QN_STR("") : qn_time_format(ms, text));
}

static void put_head(const struct showing *s, struct qn_buf *out)
{
        const struct qn_seen *v = &s->s.v;
        _cleanup_(qn_buf_done) struct qn_buf why = QN_BUF_INIT(1 << 20);

        qn_show(out, v->name, 0, 0);
        qn_buf_byte(out, '@');
        qn_show(out, v->version, 0, 0);
        qn_buf_printf(out, ": %.*s, score %u of 100\n", QN_STR_ARG(v->verdict), v->score);
        put_line(out, "reason", v->reason);
        qn_buf_puts(out, "  integrity  ");
        qn_show(out, v->integrity, 0, 0);
        qn_buf_byte(out, '\n');
        put_line(out, "publisher", v->publisher);
        put_line_time(out, "published", v->published);
        put_line_time(out, "seen", v->seen);
        put_line_time(out, "judged", v->judged);
        qn_buf_printf(&why, "%s: ", qn_verdict_name(s->s.effect.verdict));
        qn_review_say(&s->s.effect, &why);
        put_line(out, "counts as", qn_buf_view(&why));
        for (size_t i = 0; i < s->s.c.n_findings; i++) {
                qn_buf_printf(out, "  %-11s", i ? "" : "findings");
                qn_show(out, s->s.c.findings[i].rule, 0, 0);
                qn_buf_printf(out, " (%.*s)\n", QN_STR_ARG(s->s.c.findings[i].verdict));
        }
}

static int on_history(void *ctx, const struct qn_seen *v)
{
        struct showing *s = ctx;

        cell_time(&s->table, v->judged);
        cell(&s->table, v->verdict, 0);
        cell_number(&s->table, v->score);
        cell(&s->table, v->reason, 0);
        return s->table.error;
}

static void review_row(struct qn_table *t, const struct qn_review *v)
{
        cell_time(t, v->time);
        cell(t, v->who, 40);
        cell(t, qn_str_c(qn_review_action_name(v->action)), 0);
        cell(t, v->verdict, 0);
        cell(t, v->reason, 0);
}

static int put_history(struct showing *s, struct qn_buf *out)
{
        int r;

        s->table = QN_TABLE_INIT(4);
        r = qn_versions_history(s->db, s->s.v.id, on_history, s);
        qn_buf_puts(out, "\nwhat it was judged to be:\n");
        if (r == 0)
                r = qn_table_print(&s->table, out, 0);
        qn_table_done(&s->table);
        if (r < 0 || !s->s.c.n_decisions)
                return r;
        s->table = QN_TABLE_INIT(5);
        for (size_t i = 0; i < s->s.c.n_decisions; i++)
                review_row(&s->table, &s->s.c.decisions[i]);
        qn_buf_puts(out, "\nwhat people said:\n");
        r = qn_table_print(&s->table, out, 0);
        qn_table_done(&s->table);
        return r;
}

static int show_text(struct showing *s)
{
        int r = 0;

        put_head(s, s->out);
        if (s->kept) {
                qn_buf_puts(s->out, "\nby the rules of today:\n\n");
                r = render(s, QN_REPORT_TEXT, s->out);
        } else {
                qn_buf_puts(s->out, "\nits events are not kept any more\n");
        }
        return r == 0 ? put_history(s, s->out) : r;
}

static int on_history_json(void *ctx, const struct qn_seen *v)
{
        struct showing *s = ctx;

        qn_jsonw_object(&s->w, NULL);
        put_time(&s->w, "time", v->judged);
        qn_jsonw_str(&s->w, "verdict", v->verdict);
        qn_jsonw_u64(&s->w, "score", v->score);
        put_masked(&s->w, "reason", v->reason);
        qn_jsonw_str(&s->w, "rules", v->rules);
        qn_jsonw_end_object(&s->w);
        return qn_buf_error(s->out);
}

static void put_review(struct qn_jsonw *w, const struct qn_review *v)
{
        qn_jsonw_object(w, NULL);
        if (v->name.p) {
                qn_jsonw_str(w, "name", v->name);
                qn_jsonw_str(w, "version", v->version_text);
        }
        put_time(w, "time", v->time);
        qn_jsonw_str(w, "who", v->who);
        qn_jsonw_cstr(w, "action", qn_review_action_name(v->action));
        qn_jsonw_str(w, "integrity", v->integrity);
        qn_jsonw_str(w, "verdict", v->verdict);
        qn_jsonw_u64(w, "score", v->score);
        qn_jsonw_array(w, "rules");
        for (struct qn_str rest = v->rules; rest.n;) {
                struct qn_str rule = qn_str_cut(&rest, ' ');

                if (rule.n)
                        qn_jsonw_str(w, NULL, rule);
        }
        qn_jsonw_end_array(w);
        put_masked(w, "reason", v->reason);
        qn_jsonw_end_object(w);
}

/* The whole document of a check, as a value. */
static int put_report(struct showing *s)
{
        _cleanup_(qn_buf_done) struct qn_buf doc = QN_BUF_INIT(QN_REVIEW_OUT_MAX);
        int r;

        if (!s->kept) {
                qn_jsonw_null(&s->w, "report");
                return 0;
        }
        r = render(s, QN_REPORT_JSON, &doc);
        qn_jsonw_key(&s->w, QN_STR("report"));
        qn_buf_str(s->out, qn_str_trim(qn_buf_view(&doc)));
        s->w.after_key = false;
        return r;
}

static int show_json(struct showing *s)
{
        struct qn_jsonw *w = &s->w;
        const struct qn_review_case *c = &s->s.c;
        int r;

        *w = QN_JSONW_INIT(s->out, 0);
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "schema", "qanat.review/1");
        put_seen(w, &s->s.v);
        if (s->s.v.publisher.p)
                qn_jsonw_str(w, "publisher", s->s.v.publisher);
        else
                qn_jsonw_null(w, "publisher");
        put_time(w, "published", s->s.v.published);
        put_time(w, "seen", s->s.v.seen);
        put_time(w, "judged", s->s.v.judged);
        put_effect(w, &s->s.effect);
        qn_jsonw_array(w, "findings");
        for (size_t i = 0; i < c->n_findings; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "rule", c->findings[i].rule);
                qn_jsonw_str(w, "severity", c->findings[i].severity);
                qn_jsonw_str(w, "verdict", c->findings[i].verdict);
                qn_jsonw_str(w, "title", c->findings[i].title);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
        qn_jsonw_array(w, "history");
        r = qn_versions_history(s->db, s->s.v.id, on_history_json, s);
        qn_jsonw_end_array(w);
        qn_jsonw_array(w, "decisions");
        for (size_t i = 0; i < c->n_decisions; i++)
                put_review(w, &c->decisions[i]);
        qn_jsonw_end_array(w);
        if (r == 0)
                r = put_report(s);
        qn_jsonw_end_object(w);
        qn_buf_byte(s->out, '\n');
        return r;
}

static int load_showing(struct showing *s)
{
        int r = qn_review_find(s->db, s->a->argv[1], s->arena, &s->s);

        if (r == 0)
                r = qn_load_rules(s->a, &s->rules);
        if (r < 0)
                return r;
        r = qn_review_judge(s->a, s->db, s->rules, &s->s.v, s->arena, &s->now);
        s->kept = r == 0;
        return r == -ENOENT ? 0 : r;
}

int qn_review_verb_show(const struct qn_args *a, struct qn_db *db)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_REVIEW_OUT_MAX);
        struct showing s = { .a = a, .db = db, .arena = &arena, .out = &out };
        int r;

        if (a->n != 2)
                return log_err(-EINVAL, "usage: qanat review show NAME@VERSION");
        r = load_showing(&s);
        if (r == 0)
                r = finish(&out, qn_review_is_json(a) ? show_json(&s) : show_text(&s));
        qn_rules_free(s.rules);
        return r;
}

/* --- log --- */

struct logging {
        struct qn_str name, version; /* empty: all */
        bool json;
        struct qn_buf *out;
        struct qn_jsonw w;
        struct qn_table t;
};

static int on_review(void *ctx, const struct qn_review *v)
{
        struct logging *l = ctx;

        if ((l->name.n && !qn_str_eq(l->name, v->name)) ||
            (l->version.n && !qn_str_eq(l->version, v->version_text)))
                return 0;
        if (l->json) {
                put_review(&l->w, v);
                return qn_buf_error(l->out);
        }
        cell_time(&l->t, v->time);
        cell(&l->t, v->who, 40);
        cell(&l->t, qn_str_c(qn_review_action_name(v->action)), 0);
        cell_name(&l->t, v->name, v->version_text);
        cell(&l->t, v->verdict, 0);
        cell(&l->t, v->reason, 0);
        return l->t.error;
}

static int log_all(struct logging *l, struct qn_db *db, int64_t since)
{
        int r;

        l->w = QN_JSONW_INIT(l->out, 0);
        l->t = QN_TABLE_INIT(6);
        if (l->json) {
                qn_jsonw_object(&l->w, NULL);
                qn_jsonw_cstr(&l->w, "schema", "qanat.review-log/1");
                qn_jsonw_array(&l->w, "decisions");
        }
        r = qn_reviews_all(db, since, on_review, l);
        if (l->json) {
                qn_jsonw_end_array(&l->w);
                qn_jsonw_end_object(&l->w);
                qn_buf_byte(l->out, '\n');
        } else if (r == 0 && l->t.n) {
                r = qn_table_print(&l->t, l->out, 0);
        } else {
                qn_buf_puts(l->out, "nobody has decided anything\n");
        }
        qn_table_done(&l->t);
        return r;
}

int qn_review_verb_log(const struct qn_args *a, struct qn_db *db)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_REVIEW_OUT_MAX);
        struct qn_str what = qn_str_c(a->n > 1 ? a->argv[1] : "");
        ptrdiff_t at = qn_str_rchr(what, '@');
        struct logging l = { .json = qn_review_is_json(a), .out = &out };
        const char *text = qn_args_get(a, "since");
        int64_t since = 0;
        int r = text ? qn_inventory_time(qn_str_c(text), &since) : 0;

        if (a->n > 2)
                return log_err(-EINVAL, "qanat review log takes one NAME[@VERSION]");
        if (r < 0 || since > INT64_MAX / 1000)
                return log_err(-EINVAL,
                               "--since %s: write a day (2026-01-31) or a time "
                               "(2026-01-31T12:00:00Z)",
                               text);
        l.name = at > 0 ? qn_str_take(what, (size_t)at) : what;
        l.version = at > 0 ? qn_str_skip(what, (size_t)at + 1) : QN_STR("");
        return finish(&out, log_all(&l, db, since * 1000));
}
