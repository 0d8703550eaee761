/* text.c - the report for people.  Everything that came from a package is escaped and defanged on
 * its way here. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/show.h"
#include "event/event.h"
#include "event/flow.h"
#include "report/render.h"
#include "rule/attack.h"
#include "rule/rule.h"
#include "rule/score.h"

#define EVIDENCE_SHOWN 6  /* per finding, unless all is asked for */
#define FINDINGS_SHOWN 8  /* per package, likewise */
#define CLEAN_SHOWN    12 /* up to so many clean packages get their own line */

static const struct {
        const char *word, *colour;
} looks[] = {
        [QN_CLEAN] = { "clean", "\033[32m" },
        [QN_UNKNOWN] = { "UNKNOWN", "\033[1;35m" },
        [QN_SUSPICIOUS] = { "SUSPICIOUS", "\033[1;33m" },
        [QN_MALICIOUS] = { "MALICIOUS", "\033[1;31m" },
};
#define WORD_WIDTH 10 /* of the longest */

static void put_word(const struct qn_report_opts *o, enum qn_verdict_kind k, struct qn_buf *out)
{
        if (o->colour)
                qn_buf_puts(out, looks[k].colour);
        qn_buf_puts(out, looks[k].word);
        if (o->colour)
                qn_buf_puts(out, "\033[0m");
        qn_buf_fill(out, ' ', WORD_WIDTH - strlen(looks[k].word));
        qn_buf_puts(out, "  ");
}

static void put_styled(const struct qn_report_opts *o, const char *style, struct qn_str s,
                       struct qn_buf *out)
{
        if (o->colour)
                qn_buf_puts(out, style);
        qn_show(out, s, 0, QN_SHOW_DEFANG);
        if (o->colour)
                qn_buf_puts(out, "\033[0m");
}

/* Appends text word by word; lines after the first begin with indent blanks. */
static void put_wrapped(struct qn_buf *out, struct qn_str text, size_t column, size_t indent,
                        size_t width)
{
        _cleanup_(qn_buf_done) struct qn_buf safe = QN_BUF_INIT(QN_REPORT_ENTRY_MAX);
        bool first = true;
        struct qn_str rest;

        qn_show(&safe, text, 0, QN_SHOW_DEFANG);
        for (rest = qn_buf_view(&safe); rest.n;) {
                struct qn_str word = qn_str_cut(&rest, ' ');
                size_t w = qn_show_width(word);

                if (!first && column + 1 + w > width) {
                        qn_buf_byte(out, '\n');
                        qn_buf_fill(out, ' ', indent);
                        column = indent;
                } else if (!first) {
                        qn_buf_byte(out, ' ');
                        column++;
                }
                qn_buf_str(out, word);
                column += w;
                first = false;
        }
        qn_buf_byte(out, '\n');
}

static void put_labelled(const struct qn_report_opts *o, const char *label, struct qn_str text,
                         struct qn_buf *out)
{
        if (!text.n)
                return;
        qn_buf_printf(out, "      %-9s", label);
        put_wrapped(out, text, 15, 15, o->width);
}

/* "lib/a.js:14:3", or "package" for what is about the whole. */
static void put_place(struct qn_str file, uint32_t line, uint32_t column, struct qn_buf *out)
{
        qn_show(out, file.n ? file : QN_STR("package"), 48, 0);
        if (file.n && line)
                qn_buf_printf(out, ":%u", line);
        if (file.n && line && column)
                qn_buf_printf(out, ":%u", column);
}

static void make_place(const struct qn_event_set *set, const struct qn_event *e, struct qn_buf *out)
{
        put_place(qn_evidence_file(set, e), e->line, e->column, out);
}

static size_t place_width(const struct qn_event_set *set, const struct qn_finding *f, size_t shown)
{
        size_t most = 0;

        for (size_t i = 0; i < shown; i++) {
                _cleanup_(qn_buf_done) struct qn_buf place = QN_BUF_INIT(4096);

                make_place(set, f->evidence[i], &place);
                most = QN_MAX(most, qn_show_width(qn_buf_view(&place)));
        }
        return most;
}

/* One line of evidence: lead, then columns.  All but the lead may come from packages; the place is escaped already. */
struct row {
        const char *lead;
        struct qn_str place, what, text;
};

struct widths {
        size_t place, what;
};

#define WHAT_WIDTH 14 /* of most kinds of events */
#define WHAT_MAX   40

static void put_row(const struct qn_report_opts *o, const struct row *row, struct widths wide,
                    struct qn_buf *out)
{
        size_t place = qn_show_width(row->place), what, used, left;

        qn_buf_printf(out, "      %s", row->lead);
        qn_buf_str(out, row->place);
        qn_buf_fill(out, ' ', (wide.place > place ? wide.place - place : 0) + 2);
        what = qn_show(out, row->what, WHAT_MAX, QN_SHOW_DEFANG);
        qn_buf_fill(out, ' ', (wide.what > what ? wide.what - what : 0) + 1);
        used = 6 + strlen(row->lead) + QN_MAX(wide.place, place) + 2 + QN_MAX(wide.what, what) + 1;
        left = o->width > used + 30 ? o->width - used : 0;
        if (!left) { /* too narrow to stand beside its place */
                qn_buf_puts(out, "\n          ");
                left = QN_MAX(o->width, (size_t)40) - 10;
        }
        qn_show(out, row->text, left, QN_SHOW_DEFANG);
        qn_buf_byte(out, '\n');
}

static void put_event_row(const struct qn_report_opts *o, const char *lead,
                          const struct qn_event_set *set, const struct qn_event *e,
                          struct widths wide, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf place = QN_BUF_INIT(4096),
                                             text = QN_BUF_INIT(QN_REPORT_ENTRY_MAX);

        make_place(set, e, &place);
        qn_evidence_text(e, &text);
        put_row(o,
                &(struct row){ lead, qn_buf_view(&place), qn_str_c(qn_event_name(e->kind)),
                               qn_buf_view(&text) },
                wide, out);
}

/* Of the columns of a flow; what is longer than its column's most pushes its own line only. */
static struct widths flow_widths(const struct qn_event_set *set, const struct qn_event *e)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_FLOW_MAX * 8);
        struct qn_str rest = qn_event_get(e, QN_ATTR_FLOW);
        struct qn_flow_step step;
        struct widths wide;

        make_place(set, e, &b);
        wide = (struct widths){ qn_show_width(qn_buf_view(&b)), WHAT_WIDTH };
        while (qn_flow_next(&rest, &step)) {
                qn_buf_reset(&b);
                put_place(step.file, step.line, step.column, &b);
                wide.place = QN_MAX(wide.place, qn_show_width(qn_buf_view(&b)));
                qn_buf_reset(&b);
                wide.what = QN_MAX(wide.what, qn_show(&b, step.what, WHAT_MAX, QN_SHOW_DEFANG));
        }
        return wide;
}

/* How data came to an event: the source, what it went through, and the event itself. */
static void put_flow(const struct qn_report_opts *o, const struct qn_event_set *set,
                     const struct qn_event *e, struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf place = QN_BUF_INIT(4096);
        struct qn_str rest = qn_event_get(e, QN_ATTR_FLOW);
        struct widths wide = flow_widths(set, e);
        const char *lead = "  source   ";
        struct qn_flow_step step;

        while (qn_flow_next(&rest, &step)) {
                qn_buf_reset(&place);
                put_place(step.file, step.line, step.column, &place);
                put_row(o, &(struct row){ lead, qn_buf_view(&place), step.what, step.text }, wide,
                        out);
                lead = "  through  ";
        }
        put_event_row(o, "  sink     ", set, e, wide, out);
}

static void put_evidence(const struct qn_report_opts *o, const struct qn_event_set *set,
                         const struct qn_event *e, size_t wide, struct qn_buf *out)
{
        put_event_row(o, "", set, e, (struct widths){ wide, WHAT_WIDTH }, out);
        if (o->explain && qn_event_get(e, QN_ATTR_FLOW).n)
                put_flow(o, set, e, out);
}

static void put_tactics(const struct qn_report_opts *o, const struct qn_rule *rule,
                        struct qn_buf *out)
{
        _cleanup_(qn_buf_done) struct qn_buf list = QN_BUF_INIT(1 << 16);

        for (size_t i = 0; i < rule->n_tactics; i++) {
                const char *name = qn_attack_name(rule->tactics[i]);

                qn_buf_puts(&list, i ? ", " : "");
                qn_buf_str(&list, rule->tactics[i]);
                if (name)
                        qn_buf_printf(&list, " %s", name);
        }
        put_labelled(o, "ATT&CK:", qn_buf_view(&list), out);
}

static void put_finding(const struct qn_report_opts *o, const struct qn_result *res,
                        const struct qn_finding *f, struct qn_buf *out)
{
        size_t shown = o->explain ? f->n_evidence : QN_MIN(f->n_evidence, (size_t)EVIDENCE_SHOWN);
        size_t wide = place_width(res->set, f, shown);

        qn_buf_puts(out, "\n    ");
        put_styled(o, "\033[1m", f->rule->title, out);
        qn_buf_puts(out, "  [");
        qn_show(out, f->rule->id, 0, 0);
        qn_buf_printf(out, ", %s, when: %s]\n", qn_severity_name(f->rule->severity),
                      qn_phase_name(f->phase));
        if (f->explain.n && qn_str_find(res->verdict->reason, f->explain) < 0) {
                qn_buf_puts(out, "      ");
                put_wrapped(out, f->explain, 6, 6, o->width);
        }
        for (size_t i = 0; i < shown; i++)
                put_evidence(o, res->set, f->evidence[i], wide, out);
        if (shown < f->n_evidence)
                qn_buf_printf(out, "      … and %zu more (--explain shows all)\n",
                              f->n_evidence - shown);
        put_tactics(o, f->rule, out);
}

/* Whether a finding belongs into the report: rules that only inform do not, unless asked for. */
static bool is_shown(const struct qn_report_opts *o, const struct qn_finding *f)
{
        return o->explain || f->verdict != QN_CLEAN;
}

static void put_findings(const struct qn_report_opts *o, const struct qn_result *res,
                         struct qn_buf *out)
{
        size_t shown = 0, left = 0;

        for (size_t i = 0; i < res->verdict->n; i++) {
                const struct qn_finding *f = &res->verdict->findings[i];

                if (!is_shown(o, f))
                        continue;
                if (o->explain || shown < FINDINGS_SHOWN)
                        put_finding(o, res, f, out);
                else
                        left++;
                shown++;
        }
        if (left)
                qn_buf_printf(out, "\n    … and %zu more findings (--explain shows all)\n", left);
}

static void put_unanalysed(const struct qn_report_opts *o, const struct qn_result *res,
                           struct qn_buf *out)
{
        size_t n = res->verdict->n_unanalysed,
               shown = o->explain ? n : QN_MIN(n, (size_t)EVIDENCE_SHOWN);

        for (size_t i = 0; i < shown; i++) {
                const struct qn_event *e = res->verdict->unanalysed[i];
                struct qn_str file = qn_evidence_file(res->set, e);

                qn_buf_puts(out, "      not analysed: ");
                qn_show(out, file.n ? file : QN_STR("package"), 60, 0);
                qn_buf_puts(out, "  ");
                qn_show(out,
                        qn_event_get(e, QN_ATTR_DETAIL).n ? qn_event_get(e, QN_ATTR_DETAIL)
                                                          : qn_event_get(e, QN_ATTR_WHAT),
                        QN_MAX(o->width, (size_t)60) - 20, QN_SHOW_DEFANG);
                qn_buf_byte(out, '\n');
        }
        if (shown < n)
                qn_buf_printf(out, "      … and %zu more (--explain shows all)\n", n - shown);
}

/* The advice of the finding that weighs most; the first one is the strongest. */
static struct qn_str find_advice(const struct qn_verdict *v)
{
        for (size_t i = 0; i < v->n; i++)
                if (v->findings[i].verdict == v->kind && v->findings[i].rule->advice.n)
                        return v->findings[i].rule->advice;
        return qn_str_c(qn_advice(v->kind));
}

/* A local file or directory is not known by its package's name. */
static bool names_itself(const struct qn_result *res)
{
        return !res->name.n || qn_str_starts(res->target, "./") ||
               qn_str_starts(res->target, "/") || qn_str_ends(res->target, ".tgz");
}

/* The second opinion: it is said after everything else, and never without what it adds up from. */
static void put_learned(const struct qn_report_opts *o, const struct qn_learned *l,
                        struct qn_buf *out)
{
        int bias = abs(l->bias);

        qn_buf_printf(out,
                      "\n    Learned score %u of 100 (beside the rules, which alone decide):\n",
                      l->score);
        for (size_t i = 0; i < l->n; i++) {
                const struct qn_score_part *p = &l->parts[i];

                qn_buf_printf(out, "      %+3d.%03d  ", p->points / 1000, p->points % 1000);
                qn_show(out, p->feature->title, QN_MAX(o->width, (size_t)40) - 20, QN_SHOW_DEFANG);
                if (p->feature->counted)
                        qn_buf_printf(out, " (%u)", p->value);
                qn_buf_byte(out, '\n');
        }
        qn_buf_printf(out, "      %*s%d.%03d  to begin with\n", bias < 10000 ? 2 : 1,
                      l->bias < 0 ? "-" : "+", bias / 1000, bias % 1000);
}

static void put_identity(const struct qn_report_opts *o, const struct qn_result *res,
                         struct qn_buf *out)
{
        put_styled(o, "\033[1m", res->name.n ? res->name : res->target, out);
        if (res->version.n) {
                qn_buf_byte(out, ' ');
                qn_show(out, res->version, 60, 0);
        }
        if (res->name.n && names_itself(res)) {
                qn_buf_puts(out, " (");
                qn_show(out, res->target, 80, 0);
                qn_buf_byte(out, ')');
        }
}

static void put_alarm(const struct qn_report_opts *o, const struct qn_result *res,
                      struct qn_buf *out)
{
        const struct qn_verdict *v = res->verdict;

        if (v->score)
                qn_buf_printf(out, "  score %u of 100", v->score);
        qn_buf_puts(out, "\n    ");
        put_wrapped(out, v->reason, 4, 4, o->width);
        put_findings(o, res, out);
        if (v->n_unanalysed)
                put_unanalysed(o, res, out);
        if (o->explain && res->learned)
                put_learned(o, res->learned, out);
        if (v->kind !=
            QN_UNKNOWN) { /* said once, at the end: a registry that is down makes hundreds */
                qn_buf_puts(out, "\n    What to do: ");
                put_wrapped(out, find_advice(v), 16, 4, o->width);
        }
        qn_buf_byte(out, '\n');
}

void qn_text_result(const struct qn_report_opts *o, const struct qn_result *res, struct qn_buf *out)
{
        put_word(o, res->verdict->kind, out);
        put_identity(o, res, out);
        if (res->verdict->kind != QN_CLEAN) {
                put_alarm(o, res, out);
                return;
        }
        qn_buf_byte(out, '\n');
        if (o->explain)
                put_findings(o, res, out);
        if (o->explain && res->learned)
                put_learned(o, res->learned, out);
}

static void put_summary(const struct qn_report *r, uint64_t elapsed_ns, struct qn_buf *out)
{
        bool any = false;

        qn_buf_printf(out, "%zu package%s checked", r->n, r->n == 1 ? "" : "s");
        if (elapsed_ns)
                qn_buf_printf(out, " in %.*f s", elapsed_ns < 10000000000u ? 2 : 0,
                              (double)elapsed_ns / 1e9);
        for (int k = QN_MALICIOUS; k >= QN_CLEAN; k--) {
                if (!r->counts[k])
                        continue;
                qn_buf_puts(out, any ? ", " : ": ");
                if (r->o.colour)
                        qn_buf_puts(out, looks[k].colour);
                qn_buf_printf(out, "%zu %s", r->counts[k],
                              qn_verdict_name((enum qn_verdict_kind)k));
                if (r->o.colour)
                        qn_buf_puts(out, "\033[0m");
                any = true;
        }
        qn_buf_byte(out, '\n');
}

void qn_text_document(const struct qn_report *r, uint64_t elapsed_ns, struct qn_buf *out)
{
        bool list_clean = r->o.all || r->o.explain || r->counts[QN_CLEAN] <= CLEAN_SHOWN;

        for (int k = QN_MALICIOUS; k >= QN_CLEAN; k--)
                for (size_t i = 0; i < r->n; i++)
                        if ((int)r->entries[i].kind == k && (k != QN_CLEAN || list_clean))
                                qn_buf_str(out, r->entries[i].body);
        put_summary(r, elapsed_ns, out);
        if (r->counts[QN_UNKNOWN])
                qn_buf_printf(out, "What is unknown: %s\n", qn_advice(QN_UNKNOWN));
}
