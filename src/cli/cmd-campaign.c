#include <errno.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/campaign-verb.h"
#include "cli/verbs.h"

#define COLUMNS 8u

/* --- what both parts share --- */

void qn_campaign_text(struct qn_buf *out, struct qn_str s, size_t width)
{
        qn_show(out, s.n ? s : QN_STR("-"), width, QN_SHOW_DEFANG);
}

void qn_campaign_cell(struct qn_table *t, struct qn_str s, size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX);

        qn_campaign_text(&b, s, width);
        qn_table_cell(t, qn_buf_view(&b));
}

struct qn_str qn_campaign_when(int64_t ms, char buffer[QN_TIME_TEXT])
{
        return qn_time_format(ms, buffer);
}

void qn_campaign_put_text(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

void qn_campaign_put_time(struct qn_jsonw *w, const char *key, int64_t ms)
{
        char buffer[QN_TIME_TEXT];
        struct qn_str s = qn_time_format(ms, buffer);

        qn_campaign_put_text(w, key, s.n ? s : (struct qn_str){ NULL, 0 });
}

void qn_campaign_put(struct qn_jsonw *w, const struct qn_campaign *c)
{
        qn_jsonw_str(w, "id", c->id);
        qn_jsonw_str(w, "verdict", c->verdict);
        qn_jsonw_bool(w, "dismissed", c->dismissed);
        qn_jsonw_str(w, "rule", c->rule);
        qn_jsonw_str(w, "title", c->title);
        qn_campaign_put_text(w, "names", c->pattern);
        qn_jsonw_u64(w, "versions", (uint64_t)c->versions);
        qn_jsonw_u64(w, "packages", (uint64_t)c->packages);
        qn_jsonw_u64(w, "publishers", (uint64_t)c->publishers);
        qn_campaign_put_time(w, "first", c->first);
        qn_campaign_put_time(w, "last", c->last);
        qn_campaign_put_time(w, "founded", c->founded);
}

/* --- list --- */

struct list {
        struct qn_campaign *v;
        size_t n, cap;
        struct qn_arena a;
};

static int keep(void *ctx, const struct qn_campaign *c)
{
        struct list *l = ctx;
        struct qn_campaign k = *c;
        struct qn_str *const texts[] = { &k.id, &k.verdict, &k.rule, &k.title, &k.pattern };

        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                if (texts[i]->p)
                        *texts[i] = qn_arena_dup(&l->a, *texts[i]);
        if (!k.id.p || !k.title.p || QN_ARENA_ROOM(&l->a, l->v, l->n, l->cap) < 0)
                return -ENOBUFS;
        l->v[l->n++] = k;
        return 0;
}

struct recent {
        int64_t since, n;
};

static int add_recent(void *ctx, int64_t time, int64_t n)
{
        struct recent *k = ctx;

        if (time > k->since)
                k->n += n;
        return 0;
}

/* Versions of its last 24 hours. */
static int count_recent(struct qn_db *db, const struct qn_campaign *c, int64_t *ret)
{
        struct recent k = { c->last - 24 * QN_CAMPAIGN_HOUR, 0 };
        int r = c->last == QN_TIME_NONE
                        ? 0
                        : qn_campaigns_growth(db, c->id, QN_CAMPAIGN_HOUR, add_recent, &k);

        *ret = k.n;
        return r;
}

static void put_number(struct qn_table *t, const char *before, int64_t n)
{
        char text[32];

        snprintf(text, sizeof text, "%s%lld", before, (long long)n);
        qn_table_cell(t, qn_str_c(text));
}

/* "2026-01-31 12:05" */
static void put_minute(struct qn_table *t, int64_t ms)
{
        char buffer[QN_TIME_TEXT];
        struct qn_str s = qn_time_format(ms, buffer);

        if (s.n > 16)
                buffer[10] = ' ';
        qn_campaign_cell(t, qn_str_take(s, 16), 0);
}

static void print_row(struct qn_campaign_answer *c, const struct qn_campaign *k, int64_t recent)
{
        struct qn_table *t = &c->table;

        qn_campaign_cell(t, k->id, 0);
        qn_campaign_cell(t, k->dismissed ? QN_STR("dismissed") : k->verdict, 12);
        put_number(t, "", k->packages);
        put_number(t, "", k->publishers);
        put_minute(t, k->first);
        put_minute(t, k->last);
        put_number(t, "+", recent);
        qn_campaign_cell(t, k->pattern.n ? k->pattern : k->title, 80);
}

static int print(struct qn_campaign_answer *c, const struct qn_campaign *k)
{
        int64_t recent;
        int r = count_recent(c->db, k, &recent);

        if (r < 0)
                return r;
        if (!c->json) {
                print_row(c, k, recent);
                return c->table.error;
        }
        qn_jsonw_object(&c->w, NULL);
        qn_campaign_put(&c->w, k);
        qn_jsonw_u64(&c->w, "last_day", (uint64_t)recent);
        qn_jsonw_end_object(&c->w);
        return qn_buf_error(&c->out);
}

static void print_heads(struct qn_campaign_answer *c)
{
        static const char *const heads[COLUMNS] = { "campaign", "verdict",      "packages",
                                                    "accounts", "first",        "last",
                                                    "last day", "names, or why" };

        for (size_t i = 0; i < COLUMNS; i++)
                qn_table_cell(&c->table, qn_str_c(heads[i]));
}

static int list(struct qn_campaign_answer *c)
{
        struct list l = { .a = QN_ARENA_INIT((size_t)256 << 20) };
        int r = qn_campaigns_each(c->db, keep, &l);

        if (c->json) {
                qn_jsonw_object(&c->w, NULL);
                qn_jsonw_cstr(&c->w, "schema", "qanat.campaigns/1");
                qn_jsonw_array(&c->w, "campaigns");
        } else if (l.n) {
                print_heads(c);
        }
        for (size_t i = 0; r == 0 && i < l.n; i++)
                r = print(c, &l.v[i]);
        if (c->json) {
                qn_jsonw_end_array(&c->w);
                qn_jsonw_end_object(&c->w);
        } else if (r == 0) {
                r = qn_table_print(&c->table, &c->out, 0);
        }
        if (r == 0 && !l.n)
                log_note("no campaign was seen yet");
        qn_arena_done(&l.a);
        return r;
}

/* --- the verb --- */

struct part {
        const char *name;
        bool id, write;
        int (*run)(struct qn_campaign_answer *c, const char *id);
};

static int list_all(struct qn_campaign_answer *c, const char *id)
{
        (void)id;
        return list(c);
}

static const struct part parts[] = {
        { "list", false, false, list_all },
        { "show", true, false, qn_campaign_show },
        { "dismiss", true, true, qn_campaign_dismiss },
};

static const struct part *find_part(const struct qn_args *a)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (strcmp(parts[i].name, a->argv[0]) == 0 && a->n == 1u + parts[i].id)
                        return &parts[i];
        return NULL;
}

static int answer(struct qn_campaign_answer *c, const struct part *p, const char *id)
{
        int r = p->run(c, id);

        if (r < 0 && !p->write && r != -ENOENT)
                log_err(r, "cannot read what was seen: %s", strerror(-r));
        if (c->json && r == 0 && !p->write)
                qn_buf_byte(&c->out, '\n');
        if (r == 0)
                r = qn_buf_error(&c->out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&c->out));
        return r;
}

int cmd_campaign(const struct qn_args *a)
{
        const struct part *p = find_part(a);
        struct qn_db db = { .n = 0 };
        struct qn_campaign_answer c = { .args = a,
                                        .db = &db,
                                        .json = qn_str_is(qn_str_c(qn_args_get(a, "format")),
                                                          "json"),
                                        .out = QN_BUF_INIT(QN_CAMPAIGN_OUT_MAX),
                                        .table = QN_TABLE_INIT(COLUMNS) };
        struct qn_err err = { 0 };
        int r;

        if (!p)
                return log_err(-EINVAL, "usage: qanat campaign list, qanat campaign show ID, or"
                                        " qanat campaign dismiss ID --reason TEXT");
        r = qn_db_open(&qn_db_watch, a->store, false, &db, &err);
        if (r == 0 && p->write) { /* there is one: none is made by deciding */
                qn_db_close(&db);
                r = qn_db_open(&qn_db_watch, a->store, true, &db, &err);
        }
        if (r < 0)
                return log_err(r, "%s", err.msg);
        c.table.right = 1u << 2 | 1u << 3 | 1u << 6;
        c.w = QN_JSONW_INIT(&c.out, 0);
        r = answer(&c, p, a->argv[1]);
        qn_db_close(&db);
        qn_table_done(&c.table);
        qn_buf_done(&c.out);
        return r;
}
