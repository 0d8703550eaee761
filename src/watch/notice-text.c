/* notice-text.c - a message for people.  What came from packages was made safe before it was stored; in Markdown it stands in
 * code spans and fences besides, which are longer than any run of backticks in it. */
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/show.h"
#include "parse/json.h"
#include "watch/notice.h"

struct pen {
        struct qn_buf *out;
        bool markdown;
        size_t max; /* no further details behind it */
};

/* --- what to do --- */

static const char *const contain[] = {
        "Stop the spread: keep the versions named here from being installed again (qanat intel block "
        "NAME@VERSION: the gate obeys at once), and stop the builds, deployments and editors that "
        "would load them.",
        "Isolate the machines that ran them: take them off the network. Do not switch them off: memory "
        "and logs are evidence.",
        "Find out who else has them: qanat inventory who-has NAME@VERSION, qanat gate ledger "
        "NAME@VERSION.",
        "Clean: go back to a version from before, delete node_modules and caches, make build machines "
        "and images anew, and look for what was left behind (services, workflows, editor tasks).",
        "Only then rotate what could be read there: tokens, keys, passwords. Do not rotate before "
        "cleaning: what is made anew on such a machine is stolen again, and some of these programs "
        "destroy data when their token stops working.",
        "Look at what was published, pushed or started with those credentials meanwhile, and undo it.",
        NULL
};

static const char *const hold[] = {
        "Do not take up the versions named here until somebody has looked at them.",
        "Let a person decide: qanat check NAME@VERSION --explain.",
        "Where they have run, publish and deploy nothing from that machine until then. Rotate nothing "
        "yet: if it turns out bad, clean first.",
        NULL
};

static const char *const relax[] = { "Nothing is to be stopped: what was held back may go on.",
                                     NULL };

/* By verdict, the worst first. */
static const struct {
        const char *verdict;
        const char *const *steps;
} advice[] = { { "malicious", contain }, { "suspicious", hold }, { "clean", relax } };

static size_t rank_of(const struct qn_node *n)
{
        struct qn_str kind = qn_node_text(qn_node_get(n, "kind")),
                      verdict = qn_node_text(qn_node_get(n, "verdict"));
        size_t i = 0;

        if (qn_str_is(kind, "report") || qn_str_is(kind, "test"))
                return QN_ARRAY_SIZE(advice);
        while (i < QN_ARRAY_SIZE(advice) && !qn_str_is(verdict, advice[i].verdict))
                i++;
        return i;
}

static void put_steps(struct pen *p, size_t rank)
{
        if (rank == QN_ARRAY_SIZE(advice))
                return;
        qn_buf_puts(p->out, p->markdown ? "\n## What to do, in this order\n\n"
                                        : "\nWhat to do, in this order\n\n");
        for (unsigned i = 0; advice[rank].steps[i]; i++)
                qn_buf_printf(p->out, "%u. %s\n", i + 1, advice[rank].steps[i]);
}

/* --- words --- */

static size_t longest_run(struct qn_str s, char c)
{
        size_t best = 0, run = 0;

        for (size_t i = 0; i < s.n; i++) {
                run = s.p[i] == c ? run + 1 : 0;
                best = QN_MAX(best, run);
        }
        return best;
}

/* It is shown once more: the outbox is a file. */
static void word(struct pen *p, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX);
        size_t run;

        qn_show(&b, s, QN_NOTIFY_TEXT_MAX, 0);
        if (!p->markdown || !b.n) {
                qn_buf_str(p->out, qn_buf_view(&b));
                return;
        }
        run = longest_run(qn_buf_view(&b), '`') + 1;
        qn_buf_fill(p->out, '`', run);
        if (run > 1 || b.p[0] == ' ')
                qn_buf_byte(p->out, ' ');
        qn_buf_str(p->out, qn_buf_view(&b));
        if (run > 1 || b.p[0] == ' ')
                qn_buf_byte(p->out, ' ');
        qn_buf_fill(p->out, '`', run);
}

static void field(struct pen *p, const struct qn_node *n, const char *key, const char *before)
{
        struct qn_str s = qn_node_text(qn_node_get(n, key));

        if (!s.n)
                return;
        qn_buf_puts(p->out, before);
        word(p, s);
}

static void paragraph(struct pen *p, struct qn_str s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SHOW_MAX);
        size_t fence;

        qn_show(&b, s, QN_NOTIFY_TEXT_MAX, 0);
        if (!b.n)
                return;
        fence = QN_MAX(longest_run(qn_buf_view(&b), '`') + 1, (size_t)3);
        if (p->markdown) {
                qn_buf_byte(p->out, '\n');
                qn_buf_fill(p->out, '`', fence);
                qn_buf_puts(p->out, "text\n");
        } else {
                qn_buf_puts(p->out, "  ");
        }
        qn_buf_str(p->out, qn_buf_view(&b));
        qn_buf_byte(p->out, '\n');
        if (p->markdown) {
                qn_buf_fill(p->out, '`', fence);
                qn_buf_puts(p->out, "\n\n");
        }
}

/* --- one notice --- */

static void put_line(struct pen *p, const struct qn_node *n)
{
        uint64_t score = qn_node_u64(qn_node_get(n, "score"), 0);
        struct qn_str before = qn_node_text(qn_node_get(n, "before"));

        qn_buf_puts(p->out, "- ");
        qn_buf_str(p->out, qn_node_text(qn_node_get(n, "kind")));
        field(p, n, "name", " ");
        field(p, n, "version", " ");
        if (!qn_str_is(qn_node_text(qn_node_get(n, "kind")), "test")) {
                field(p, n, "verdict", ": ");
                if (score)
                        qn_buf_printf(p->out, ", score %llu", (unsigned long long)score);
        }
        if (before.n)
                field(p, n, "before", ", before: ");
        field(p, n, "campaign", ", campaign ");
        qn_buf_byte(p->out, '\n');
}

static void put_place(struct pen *p, const struct qn_node *n)
{
        bool client = qn_str_is(qn_node_text(qn_node_get(n, "kind")), "client");

        qn_buf_puts(p->out, "- ");
        qn_buf_str(p->out, qn_node_text(qn_node_get(n, "kind")));
        field(p, n, "name", " ");
        field(p, n, "environment", ", environment ");
        field(p, n, "owner", ", owner ");
        field(p, n, "path", ", in ");
        field(p, n, "version", client ? ", fetched " : ", version ");
        field(p, n, "since", client ? ", first " : ", since ");
        field(p, n, "last", client ? ", last " : ", last seen ");
        if (qn_node_bool(qn_node_get(n, "gone"), false))
                qn_buf_puts(p->out, ", it is there no more");
        qn_buf_byte(p->out, '\n');
}

static void put_details(struct pen *p, const struct qn_node *n)
{
        const struct qn_node *findings = qn_node_get(n, "findings"),
                             *places = qn_node_get(n, "places");
        uint64_t total = qn_node_u64(qn_node_get(n, "places_total"), 0);

        qn_buf_puts(p->out, p->markdown ? "\n### " : "\n");
        field(p, n, "name", "");
        field(p, n, "version", " ");
        qn_buf_byte(p->out, '\n');
        paragraph(p, qn_node_text(qn_node_get(n, "reason")));
        for (size_t i = 0; findings && i < findings->n; i++) {
                qn_buf_puts(p->out, "- found");
                field(p, findings->items[i], "rule", " ");
                field(p, findings->items[i], "severity", ", ");
                field(p, findings->items[i], "title", ": ");
                qn_buf_byte(p->out, '\n');
        }
        if (places && places->n)
                qn_buf_puts(p->out,
                            p->markdown ? "\nWhere it is or was:\n\n" : "  Where it is or was:\n");
        for (size_t i = 0; places && i < places->n && p->out->n < p->max; i++)
                put_place(p, places->items[i]);
        if (places && total > places->n)
                qn_buf_printf(p->out, "- and %llu more\n", (unsigned long long)(total - places->n));
        field(p, n, "integrity", p->markdown ? "\nIntegrity: " : "  Integrity: ");
        qn_buf_byte(p->out, '\n');
}

/* --- the message --- */

static void put_head(struct pen *p, const struct qn_notice_message *m)
{
        _cleanup_(qn_buf_done) struct qn_buf title = QN_BUF_INIT(4096);

        if (p->markdown || qn_notice_title(m, &title) < 0)
                return; /* an issue has a title of its own */
        qn_buf_str(p->out, qn_buf_view(&title));
        qn_buf_puts(p->out, "\n\n");
}

static void put_foot(struct pen *p, const struct qn_notice_message *m)
{
        if (p->markdown)
                qn_buf_printf(p->out, "\n<!-- qanat %.*s -->\n", QN_STR_ARG(m->uid));
        else
                qn_buf_printf(p->out, "\nMessage %.*s of qanat.\n", QN_STR_ARG(m->uid));
}

/* Each body is read by itself, so that memory does not grow with their number. */
static int read_body(struct qn_str body, struct qn_arena *a, struct qn_node **ret)
{
        qn_arena_reset(a, (size_t)1 << 20);
        return qn_json_parse(qn_cur_str(body), a, ret, NULL);
}

/* One line each; ret_rank: the worst of all. */
static int put_lines(struct pen *p, const struct qn_notice_message *m, struct qn_arena *a,
                     size_t *ret_rank)
{
        struct qn_node *n;
        size_t lines = 0;

        for (size_t i = 0; i < m->n; i++) {
                int r = read_body(m->bodies[i], a, &n);

                if (r < 0)
                        return r;
                *ret_rank = QN_MIN(*ret_rank, rank_of(n));
                if (lines < QN_NOTIFY_LINES_MAX && p->out->n < p->max) {
                        put_line(p, n);
                        lines++;
                }
        }
        if (m->count > lines)
                qn_buf_printf(p->out, "- and %llu more\n", (unsigned long long)(m->count - lines));
        return 0;
}

int qn_notice_text(const struct qn_notice_message *m, bool markdown, struct qn_arena *a,
                   struct qn_buf *out)
{
        struct pen p = { out, markdown, QN_NOTIFY_ISSUE_MAX / 2 };
        size_t rank = QN_ARRAY_SIZE(advice);
        struct qn_node *n;
        int r;

        put_head(&p, m);
        r = put_lines(&p, m, a, &rank);
        if (r < 0)
                return r;
        put_steps(&p, rank);
        for (size_t i = 0; i < QN_MIN(m->n, (size_t)QN_NOTIFY_DETAILS_MAX) && out->n < p.max; i++) {
                r = read_body(m->bodies[i], a, &n);
                if (r < 0)
                        return r;
                put_details(&p, n);
        }
        put_foot(&p, m);
        return qn_buf_error(out);
}
