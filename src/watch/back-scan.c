/* back-scan.c - what was seen is judged by rules that are new, some of it at each turn. */
#include <errno.h>
#include <stdlib.h>

#include "check/intel.h"
#include "rule/rule.h"
#include "store/setting.h"
#include "watch/watch-priv.h"

#define STEP     256u
#define RETRY_MS 10000
#define SCANNED  "scanned.by" /* setting: the revision that everything on record was judged by */

struct qn_rejudge_conf qn_back_scan_conf(struct qn_watch *w)
{
        return (struct qn_rejudge_conf){
                .rules = w->judge_by,
                .tell = w->config.intel ? qn_check_intel_tell(w->config.intel) : NULL,
                .by = w->by,
                .now = qn_watch_now(),
        };
}

int qn_back_scan_begin(struct qn_watch *w)
{
        const struct qn_rejudge_conf conf = qn_back_scan_conf(w);

        w->scan = qn_rejudge_free(w->scan);
        w->scan_at = 0;
        w->scanned_before = w->counts.scanned;
        w->scan_changed_before = w->counts.scan_changed;
        return qn_rejudge_new(&conf, &w->scan);
}

/* That everything on record was judged by what holds now. */
static int put_done(struct qn_watch *w)
{
        char by[QN_REVISION_TEXT];

        return qn_setting_put(&w->db, SCANNED, qn_revision_text(&w->by, true, by));
}

int qn_back_scan_resume(struct qn_watch *w)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 12);
        struct qn_str was = { 0 };
        char by[QN_REVISION_TEXT];
        int64_t last = 0;
        int r = qn_versions_last(&w->db, &last);

        if (r == 0)
                r = qn_setting_get(&w->db, SCANNED, &a, &was);
        if (r < 0 && r != -ENOENT)
                return r;
        if (!last)
                return put_done(w);
        return qn_str_eq(was, qn_revision_text(&w->by, true, by)) ? 0 : qn_back_scan_begin(w);
}

static int on_changed(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is)
{
        struct qn_watch *w = ctx;
        struct qn_seen now = is->v;
        const struct qn_watch_judged j = { .cause = QN_WATCH_SCAN,
                                           .v = &now,
                                           .before = was->v.verdict,
                                           .findings = is->findings,
                                           .n_findings = is->n_findings,
                                           .findings_before = was->findings,
                                           .n_findings_before = was->n_findings,
                                           .campaign = "" };

        if (qn_str_eq(was->v.verdict, is->v.verdict))
                return 0;
        now.judged = qn_watch_now();
        return w->config.judged ? w->config.judged(w->config.user, &w->db, &j) : 0;
}

static void end(struct qn_watch *w)
{
        if (put_done(w) < 0) /* then it is done once more after the next start */
                qn_watch_note(w, "it cannot be written down that everything was judged again");
        qn_watch_note(
                w,
                "%llu versions on record were judged again, %llu of them are judged otherwise now",
                (unsigned long long)(w->counts.scanned - w->scanned_before),
                (unsigned long long)qn_rejudge_so_far(w->scan)->changed);
        w->scan = qn_rejudge_free(w->scan);
}

void qn_back_scan_step(struct qn_watch *w)
{
        int64_t now = qn_watch_monotonic();
        int r;

        if (!w->scan || now < w->rest_until || now < w->scan_at)
                return;
        qn_record_end(w, true); /* it has transactions of its own */
        r = qn_rejudge_step(w->scan, &w->db, STEP, on_changed, w);
        w->counts.scanned = w->scanned_before + qn_rejudge_so_far(w->scan)->judged;
        w->counts.scan_changed = w->scan_changed_before + qn_rejudge_so_far(w->scan)->changed;
        if (w->config.written)
                w->config.written(w->config.user, r >= 0);
        if (r == 0)
                end(w);
        if (r >= 0)
                return;
        qn_watch_note(w, "what was seen cannot be judged again now: %s; it is tried again",
                      strerrordesc_np(-r));
        r = qn_back_scan_begin(w);
        w->scan_at = now + RETRY_MS;
        if (r < 0)
                w->scan = NULL;
}
