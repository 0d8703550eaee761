/* campaign-show.c - qanat campaign show ID: its versions, why they belong together, how it grew. */
#include <errno.h>

#include "base/log.h"
#include "base/show.h"
#include "campaign/shared.h"
#include "cli/args.h"
#include "cli/campaign-verb.h"

#define DAY          (24 * QN_CAMPAIGN_HOUR)
#define HOURS_MAX    72 /* of a campaign whose growth is told by the hour */
#define FINDINGS_MAX 8u
#define BAR          40u /* columns of the longest */

struct showing {
        struct qn_campaign_answer *c;
        struct qn_campaign of;
        struct qn_shared shared;
        int64_t step, most; /* of the growth */
        uint64_t limit, shown;
        bool heads;
};

static void line(struct showing *s, const char *head, struct qn_str text)
{
        qn_buf_printf(&s->c->out, "%-14s ", head);
        qn_campaign_text(&s->c->out, text, 0);
        qn_buf_byte(&s->c->out, '\n');
}

static void head(struct showing *s, const char *what)
{
        qn_buf_printf(&s->c->out, "\n%s\n", what);
}

/* --- how it came into being --- */

static int on_step(void *ctx, const struct qn_campaign_step *p)
{
        struct showing *s = ctx;
        struct qn_jsonw *w = &s->c->w;
        char time[QN_TIME_TEXT];

        if (s->c->json) {
                qn_jsonw_object(w, NULL);
                qn_campaign_put_time(w, "time", p->time);
                qn_jsonw_str(w, "verdict", p->verdict);
                qn_jsonw_str(w, "rule", p->rule);
                qn_jsonw_u64(w, "packages", (uint64_t)p->packages);
                qn_jsonw_end_object(w);
                return 0;
        }
        qn_buf_printf(&s->c->out, "%-14s %.*s: %.*s with %lld packages, by %.*s\n", "judged",
                      QN_STR_ARG(qn_campaign_when(p->time, time)), QN_STR_ARG(p->verdict),
                      (long long)p->packages, QN_STR_ARG(p->rule));
        return 0;
}

static int on_growth_most(void *ctx, int64_t time QN_UNUSED, int64_t n)
{
        struct showing *s = ctx;

        s->most = QN_MAX(s->most, n);
        return 0;
}

static int on_growth(void *ctx, int64_t time, int64_t n)
{
        struct showing *s = ctx;
        struct qn_jsonw *w = &s->c->w;
        char text[QN_TIME_TEXT];

        if (s->c->json) {
                qn_jsonw_object(w, NULL);
                qn_campaign_put_time(w, "time", time);
                qn_jsonw_u64(w, "versions", (uint64_t)n);
                qn_jsonw_end_object(w);
                return 0;
        }
        qn_buf_printf(&s->c->out, "  %.*s %7lld ", s->step == DAY ? 10 : 16,
                      qn_campaign_when(time, text).p, (long long)n);
        qn_buf_fill(&s->c->out, '#', (size_t)QN_MAX(1, n * BAR / s->most));
        qn_buf_byte(&s->c->out, '\n');
        return 0;
}

static int show_growth(struct showing *s)
{
        struct qn_db *db = s->c->db;
        int r = qn_campaigns_growth(db, s->of.id, s->step, on_growth_most, s);

        if (s->c->json) {
                qn_jsonw_cstr(&s->c->w, "growth_by", s->step == DAY ? "day" : "hour");
                qn_jsonw_array(&s->c->w, "growth");
        } else {
                head(s, s->step == DAY ? "Versions by day" : "Versions by hour");
        }
        if (r == 0)
                r = qn_campaigns_growth(db, s->of.id, s->step, on_growth, s);
        if (s->c->json)
                qn_jsonw_end_array(&s->c->w);
        return r;
}

/* --- why they belong together --- */

static void put_things(struct showing *s)
{
        struct qn_jsonw *w = &s->c->w;

        qn_jsonw_object(w, "shared");
        qn_jsonw_u64(w, "versions_compared", s->shared.looked_at);
        for (unsigned i = QN_FEATURE_CODE + 1; i < QN_FEATURE_KINDS; i++)
                qn_jsonw_u64(w, qn_feature_name(i), s->shared.by[i]);
        qn_jsonw_u64(w, "on_each_other", s->shared.on_each_other);
        qn_jsonw_array(w, "things");
        for (size_t i = 0; i < s->shared.n; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_cstr(w, "kind", qn_feature_name(s->shared.things[i].kind));
                qn_jsonw_str(w, "what", s->shared.things[i].text);
                qn_jsonw_u64(w, "versions", s->shared.things[i].versions);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static void print_things(struct showing *s)
{
        static const char *const words[QN_FEATURE_KINDS] = {
                [QN_FEATURE_PAYLOAD] = "a file that runs unasked, with the same content",
                [QN_FEATURE_ADDITION] = "what it adds, or does",
                [QN_FEATURE_INDICATOR] = "a host or wallet",
                [QN_FEATURE_FILE] = "a file with the same content",
                [QN_FEATURE_TEXT] = "a text but for names and numbers",
                [QN_FEATURE_NAME] = "how the name is made",
                [QN_FEATURE_DEPENDENCY] = "a dependency that is rare",
                [QN_FEATURE_PUBLISHER] = "the account",
        };
        struct qn_buf *out = &s->c->out;

        qn_buf_printf(out, "\nWhat others of it have, too (of %u versions)\n", s->shared.looked_at);
        for (unsigned i = 0; i < QN_FEATURE_KINDS; i++)
                if (words[i] && s->shared.by[i])
                        qn_buf_printf(out, "  %7u %s\n", s->shared.by[i], words[i]);
        if (s->shared.on_each_other)
                qn_buf_printf(out, "  %7u depend on others of it\n", s->shared.on_each_other);
        if (s->shared.n)
                head(s, "The most frequent of it");
        for (size_t i = 0; i < s->shared.n; i++) {
                const struct qn_shared_thing *t = &s->shared.things[i];

                qn_buf_printf(out, "  %7u %s: ", t->versions, qn_feature_name(t->kind));
                qn_campaign_text(out, t->text, 80);
                qn_buf_byte(out, '\n');
        }
}

static int on_finding(void *ctx, struct qn_str rule, struct qn_str title, int64_t versions)
{
        struct showing *s = ctx;
        struct qn_jsonw *w = &s->c->w;

        if (s->c->json) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "rule", rule);
                qn_jsonw_str(w, "title", title);
                qn_jsonw_u64(w, "versions", (uint64_t)versions);
                qn_jsonw_end_object(w);
                return 0;
        }
        if (!s->heads)
                head(s, "Rules that matched its versions");
        s->heads = true;
        qn_buf_printf(&s->c->out, "  %7lld ", (long long)versions);
        qn_campaign_text(&s->c->out, rule, 40);
        qn_buf_puts(&s->c->out, ": ");
        qn_campaign_text(&s->c->out, title, 100);
        qn_buf_byte(&s->c->out, '\n');
        return 0;
}

static int show_evidence(struct showing *s)
{
        int r;

        if (s->c->json) {
                put_things(s);
                qn_jsonw_array(&s->c->w, "findings");
        } else {
                print_things(s);
        }
        r = qn_campaigns_findings(s->c->db, s->of.id, FINDINGS_MAX, on_finding, s);
        if (s->c->json)
                qn_jsonw_end_array(&s->c->w);
        return r;
}

/* --- its versions --- */

static void kinds_of(const struct qn_campaign_member *m, struct qn_buf *out)
{
        for (unsigned i = 0; i < QN_FEATURE_KINDS; i++) {
                if (!(m->kinds >> i & 1))
                        continue;
                qn_buf_printf(out, "%s%s", out->n ? ", " : "", qn_feature_name(i));
                if (i == QN_FEATURE_CODE)
                        qn_buf_printf(out, " %lld %%", (long long)m->percent);
        }
}

static void put_member(struct qn_jsonw *w, const struct qn_campaign_member *m)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "name", m->name);
        qn_jsonw_str(w, "version", m->number);
        qn_jsonw_str(w, "verdict", m->verdict);
        qn_jsonw_str(w, "reason", m->reason);
        qn_jsonw_str(w, "reach", m->reach);
        qn_campaign_put_text(w, "publisher", m->publisher);
        qn_campaign_put_time(w, "published", m->published);
        qn_jsonw_array(w, "by");
        for (unsigned i = 0; i < QN_FEATURE_KINDS; i++)
                if (m->kinds >> i & 1)
                        qn_jsonw_cstr(w, NULL, qn_feature_name(i));
        qn_jsonw_end_array(w);
        qn_jsonw_u64(w, "code_percent", (uint64_t)m->percent);
        qn_jsonw_end_object(w);
}

static int on_member(void *ctx, const struct qn_campaign_member *m)
{
        struct showing *s = ctx;
        struct qn_table *t = &s->c->table;
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1024);
        char time[QN_TIME_TEXT];

        if (s->c->json) {
                put_member(&s->c->w, m);
                return qn_buf_error(&s->c->out);
        }
        if (s->limit && s->shown == s->limit)
                return 0;
        s->shown++;
        qn_buf_str(&b, m->name);
        qn_buf_byte(&b, '@');
        qn_buf_str(&b, m->number);
        qn_campaign_cell(t, qn_buf_view(&b), 60);
        qn_campaign_cell(t, m->verdict, 12);
        qn_campaign_cell(t, qn_campaign_when(m->published, time), 0);
        qn_campaign_cell(t, m->publisher, 24);
        qn_buf_reset(&b);
        kinds_of(m, &b);
        qn_campaign_cell(t, b.n ? qn_buf_view(&b) : QN_STR("the first"), 60);
        return t->error;
}

static int show_members(struct showing *s)
{
        int r;

        s->c->table.columns = 5;
        s->c->table.right = 0;
        if (s->c->json)
                qn_jsonw_array(&s->c->w, "members");
        else
                head(s, "Versions");
        r = qn_campaigns_members(s->c->db, s->of.id, on_member, s);
        if (s->c->json)
                qn_jsonw_end_array(&s->c->w);
        else if (r == 0)
                r = qn_table_print(&s->c->table, &s->c->out, 0);
        if (!s->c->json && (int64_t)s->shown < s->of.versions)
                qn_buf_printf(&s->c->out, "and %lld more (--limit 0)\n",
                              (long long)s->of.versions - (long long)s->shown);
        return r;
}

/* --- all of it --- */

static void print_about(struct showing *s)
{
        const struct qn_campaign *c = &s->of;
        struct qn_buf *out = &s->c->out;
        char time[QN_TIME_TEXT];

        line(s, "campaign", c->id);
        line(s, "verdict", c->verdict);
        line(s, "why", c->title);
        qn_buf_printf(out, "%-14s %lld packages, %lld versions, %lld account%s\n", "size",
                      (long long)c->packages, (long long)c->versions, (long long)c->publishers,
                      c->publishers == 1 ? "" : "s");
        if (c->pattern.n)
                line(s, "names", c->pattern);
        line(s, "first", qn_campaign_when(c->first, time));
        line(s, "last", qn_campaign_when(c->last, time));
}

static int on_dismissal(void *ctx, const struct qn_campaign_dismissal *d)
{
        struct showing *s = ctx;
        char time[QN_TIME_TEXT];

        if (!s->c->json) {
                qn_buf_printf(&s->c->out, "%-14s ", "dismissed");
                qn_campaign_text(&s->c->out, qn_campaign_when(d->time, time), 0);
                qn_buf_puts(&s->c->out, " by ");
                qn_campaign_text(&s->c->out, d->who, 60);
                qn_buf_printf(&s->c->out, " as %.*s: ", QN_STR_ARG(d->verdict));
                qn_campaign_text(&s->c->out, d->reason, 200);
                qn_buf_byte(&s->c->out, '\n');
                return 0;
        }
        qn_jsonw_object(&s->c->w, NULL);
        qn_campaign_put_time(&s->c->w, "time", d->time);
        qn_jsonw_str(&s->c->w, "who", d->who);
        qn_jsonw_str(&s->c->w, "verdict", d->verdict);
        qn_jsonw_str(&s->c->w, "reason", d->reason);
        qn_jsonw_end_object(&s->c->w);
        return qn_buf_error(&s->c->out);
}

static int show_dismissals(struct showing *s)
{
        int r;

        if (s->c->json)
                qn_jsonw_array(&s->c->w, "dismissals");
        r = qn_campaigns_dismissals(s->c->db, s->of.id, on_dismissal, s);
        if (s->c->json)
                qn_jsonw_end_array(&s->c->w);
        return r;
}

static int show_about(struct showing *s)
{
        int r;

        if (s->c->json) {
                qn_jsonw_object(&s->c->w, NULL);
                qn_jsonw_cstr(&s->c->w, "schema", "qanat.campaign/1");
                qn_campaign_put(&s->c->w, &s->of);
        } else {
                print_about(s);
        }
        r = show_dismissals(s);
        if (r < 0)
                return r;
        if (s->c->json)
                qn_jsonw_array(&s->c->w, "judged");
        r = qn_campaigns_steps(s->c->db, s->of.id, on_step, s);
        if (s->c->json)
                qn_jsonw_end_array(&s->c->w);
        return r;
}

static int show(struct showing *s, struct qn_arena *a)
{
        const struct qn_campaign *c = &s->of;
        int r = qn_shared_find(s->c->db, c->id, a, &s->shared);

        s->step = c->last - c->first > HOURS_MAX * QN_CAMPAIGN_HOUR ? DAY : QN_CAMPAIGN_HOUR;
        if (r == 0)
                r = show_about(s);
        if (r == 0)
                r = show_evidence(s);
        if (r == 0)
                r = show_growth(s);
        if (r == 0)
                r = show_members(s);
        if (s->c->json)
                qn_jsonw_end_object(&s->c->w);
        return r;
}

int qn_campaign_show(struct qn_campaign_answer *c, const char *id)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)512 << 20);
        struct showing s = { .c = c, .limit = qn_args_u64(c->args, "limit") };
        int r = qn_campaigns_find(c->db, qn_str_c(id), &a, &s.of);

        if (r == -ENOENT)
                return log_err(r, "there is no campaign %s: qanat campaign list", id);
        return r < 0 ? r : show(&s, &a);
}
