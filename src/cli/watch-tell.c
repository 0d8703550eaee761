#include "cli/watch-tell.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "parse/packument.h"
#include "store/assets.h"
#include "store/ledger.h"
#include "watch/affected.h"
#include "watch/review.h"

#define LINES_MAX ((size_t)16 << 20)

static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- begin and end --- */

static int load_policy(struct qn_watch_teller *t)
{
        const char *path = qn_args_get(t->args, "watch-policy");
        char builtin[4096];
        struct qn_err err = { 0 };
        int r;

        snprintf(builtin, sizeof builtin, "%s/watch/policy.yaml", t->args->data);
        r = qn_watch_policy_load(path ? path : builtin, &t->policy, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

static int load_notify(struct qn_watch_teller *t)
{
        const char *path = qn_args_get(t->args, "notify");
        struct qn_err err = { 0 };
        int r = path ? qn_notify_conf_load(path, &t->mem, &t->conf, &err) : 0;

        if (r < 0)
                return log_err(r, "%s", err.msg);
        t->notifies = path != NULL;
        return 0;
}

/* Who has a package is asked of the inventory and the gate, where there are such. */
static int open_place(const struct qn_db_def *def, const char *where, struct qn_db *db, bool *ret)
{
        struct qn_err err = { 0 };
        int r = qn_db_open(def, where, false, db, &err);

        *ret = r == 0;
        return r == 0 || r == -ENOENT ? 0 : log_err(r, "%s", err.msg);
}

int qn_watch_teller_open(const struct qn_args *a, struct qn_progress *progress,
                         struct qn_watch_teller *t)
{
        int r;

        *t = (struct qn_watch_teller){ .args = a,
                                       .progress = progress,
                                       .mem = QN_ARENA_INIT((size_t)16 << 20),
                                       .lines = QN_BUF_INIT(LINES_MAX) };
        r = load_policy(t);
        if (r == 0)
                r = load_notify(t);
        if (r == 0 && t->notifies)
                r = open_place(&qn_db_inventory, a->store, &t->inventory, &t->has_inventory);
        if (r == 0 && t->notifies)
                r = open_place(&qn_db_gate, a->store, &t->gate, &t->has_gate);
        return r;
}

int qn_watch_teller_send(struct qn_watch_teller *t, struct qn_db *db,
                         const struct qn_http_opts *http)
{
        const struct qn_notify_opts opts = { .conf = &t->conf,
                                             .db = db,
                                             .http = *http,
                                             .no_sandbox = qn_args_on(t->args, "no-sandbox") };

        return t->notifies ? qn_notify_new(&opts, &t->pump) : 0;
}

void qn_watch_teller_close(struct qn_watch_teller *t)
{
        qn_notify_free(t->pump);
        if (t->has_inventory)
                qn_db_close(&t->inventory);
        if (t->has_gate)
                qn_db_close(&t->gate);
        qn_buf_done(&t->lines);
        qn_arena_done(&t->mem);
}

/* --- a line --- */

static void add_judged(struct qn_watch_teller *t, const struct qn_watch_judged *j)
{
        struct qn_buf *line = &t->lines;

        qn_buf_printf(line, "%-10.*s %3u  ", QN_STR_ARG(j->v->verdict), j->v->score);
        qn_show(line, j->v->name, 0, 0);
        qn_buf_byte(line, '@');
        qn_show(line, j->v->version, 0, 0);
        qn_buf_str(line, QN_STR("  "));
        qn_show(line, j->v->reason, 0, QN_SHOW_DEFANG);
        if (j->before.p)
                qn_buf_printf(line, "  (was %.*s)", QN_STR_ARG(j->before));
        qn_buf_byte(line, '\n');
}

/* That nobody reads it is no reason not to go on. */
void qn_watch_tell_written(struct qn_watch_teller *t, bool done)
{
        int r = 0;

        if (!t->lines.n)
                return;
        qn_progress_clear(t->progress);
        if (done)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&t->lines));
        if (r < 0 && !t->mute)
                log_note("what is found cannot be printed: %s", strerrordesc_np(-r));
        t->mute = r < 0;
        qn_buf_reset(&t->lines);
}

/* --- notices --- */

static int queue(struct qn_watch_teller *t, struct qn_db *db, const struct qn_notice *n)
{
        return qn_notify_queue(&t->conf, db, n, now_ms(), NULL);
}

/* What people said about it counts, whatever is on record: now, and before the verdict became another one. */
struct effects {
        struct qn_review_effect now, before;
        bool had; /* a verdict before */
};

static int find_effects(struct qn_db *db, const struct qn_watch_judged *j, struct qn_arena *a,
                        struct effects *ret)
{
        struct effects e = { .had = j->before.p != NULL };
        struct qn_review_case c;
        int r = qn_review_load(db, j->v, a, &c);

        if (r < 0)
                return r;
        qn_review_effective(&c, &e.now);
        if (e.had) {
                if (qn_verdict_from_name(j->before, &c.verdict) < 0)
                        c.verdict = QN_UNKNOWN;
                c.findings = j->findings_before;
                c.n_findings = j->n_findings_before;
                qn_review_effective(&c, &e.before);
        }
        *ret = e;
        return 0;
}

static bool is_to_be_told(const struct qn_watch_teller *t, const struct effects *e, unsigned score)
{
        const struct qn_watch_case w = qn_review_watch_case(&e->now, score);

        if (e->had && e->before.verdict == e->now.verdict)
                return false;
        if (e->now.verdict == QN_CLEAN)
                return e->had && e->before.verdict == QN_MALICIOUS && t->policy.told_cleared;
        return qn_watch_policy_tells(&t->policy, &w);
}

/* Where a person's word counts instead of what is on record, that is the reason. */
static int put_verdict(const struct effects *e, struct qn_arena *a, struct qn_notice *n)
{
        _cleanup_(qn_buf_done) struct qn_buf why = QN_BUF_INIT(1 << 16);
        struct qn_str stored = n->verdict;

        n->verdict = qn_str_c(qn_verdict_name(e->now.verdict));
        if (e->had)
                n->before = qn_str_c(qn_verdict_name(e->before.verdict));
        n->kind = e->had                           ? QN_NOTICE_CHANGED
                  : e->now.verdict == QN_MALICIOUS ? QN_NOTICE_MALICIOUS
                                                   : QN_NOTICE_SUSPICIOUS;
        if (qn_str_eq(stored, n->verdict))
                return 0;
        n->score = e->now.why == QN_REVIEW_CONFIRMED ? e->now.by->score : 0;
        qn_review_say(&e->now, &why);
        n->reason = qn_arena_dup(a, qn_buf_view(&why));
        return qn_buf_error(&why) < 0 ? qn_buf_error(&why) : n->reason.p ? 0 : -ENOBUFS;
}

static int notify_judged(struct qn_watch_teller *t, struct qn_db *db,
                         const struct qn_watch_judged *j)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_NOTIFY_ARENA_MAX);
        struct qn_affected affected = { 0 };
        struct qn_notice n = { .name = j->v->name,
                               .version = j->v->version,
                               .integrity = j->v->integrity,
                               .verdict = j->v->verdict,
                               .score = j->v->score,
                               .reason = j->v->reason,
                               .findings = j->findings,
                               .n_findings = j->n_findings,
                               .time = j->v->judged };
        struct effects e;
        int r = find_effects(db, j, &a, &e);

        if (r < 0 || !is_to_be_told(t, &e, j->v->score))
                return r;
        r = put_verdict(&e, &a, &n);
        if (r < 0)
                return r;
        if (j->campaign[0])
                n.campaign = qn_str_c(j->campaign);
        r = qn_affected_find(t->has_inventory ? &t->inventory : NULL, t->has_gate ? &t->gate : NULL,
                             j->v->name, j->v->version, &a, &affected);
        if (r < 0)
                return r;
        n.places = affected.places;
        n.n_places = affected.n;
        n.n_more = affected.more;
        return queue(t, db, &n);
}

static bool is_alarm(struct qn_str verdict)
{
        return verdict.p && (qn_str_is(verdict, "malicious") || qn_str_is(verdict, "suspicious"));
}

int qn_watch_tell_judged(struct qn_watch_teller *t, struct qn_db *db,
                         const struct qn_watch_judged *j)
{
        int r = 0;

        if (!is_alarm(j->v->verdict) && !is_alarm(j->before))
                return 0;
        if (t->notifies)
                r = notify_judged(t, db, j);
        if (r == 0)
                add_judged(t, j);
        return r < 0 ? r : 0;
}

int qn_watch_tell_campaign(struct qn_watch_teller *t, struct qn_db *db,
                           const struct qn_watch_campaign *c)
{
        const struct qn_notice n = { .kind = QN_NOTICE_CAMPAIGN,
                                     .campaign = qn_str_c(c->id),
                                     .verdict = c->verdict,
                                     .reason = c->title,
                                     .time = now_ms() };
        int r = t->notifies && (c->founded || c->worsened) ? queue(t, db, &n) : 0;

        if (r < 0)
                return r;
        qn_buf_printf(&t->lines, "%-10.*s      campaign %s, %u packages%s  ",
                      QN_STR_ARG(c->verdict), c->id, c->packages, c->founded ? ", new" : "");
        qn_show(&t->lines, c->title, 0, QN_SHOW_DEFANG);
        qn_buf_byte(&t->lines, '\n');
        return 0;
}

void qn_watch_tell_step(struct qn_watch_teller *t)
{
        struct qn_err err = { 0 };
        int r = t->pump ? qn_notify_pump(t->pump, now_ms(), 0, &err) : 0;

        if (r < 0 && r != -EBUSY)
                log_note("notices cannot be sent now: %s",
                         err.msg[0] ? err.msg : strerrordesc_np(-r));
}
