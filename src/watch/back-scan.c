/* back-scan.c - what was seen is judged by rules that are new, some of it at each turn. */
#include <errno.h>
#include <stdlib.h>

#include "check/intel.h"
#include "rule/rule.h"
#include "watch/watch-priv.h"

#define STEP 256u

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
        w->scanned_before = w->counts.scanned;
        w->scan_changed_before = w->counts.scan_changed;
        return qn_rejudge_new(&conf, &w->scan);
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

void qn_back_scan_step(struct qn_watch *w)
{
        int r;

        if (!w->scan || qn_watch_monotonic() < w->rest_until)
                return;
        qn_record_end(w, true); /* it has transactions of its own */
        r = qn_rejudge_step(w->scan, &w->db, STEP, on_changed, w);
        w->counts.scanned = w->scanned_before + qn_rejudge_so_far(w->scan)->judged;
        w->counts.scan_changed = w->scan_changed_before + qn_rejudge_so_far(w->scan)->changed;
        if (r > 0)
                return;
        if (r < 0)
                qn_watch_note(
                        w,
                        "what was seen cannot be judged again: %s; it is begun anew with the next rules",
                        strerrordesc_np(-r));
        else
                qn_watch_note(
                        w,
                        "%llu versions were judged by the new rules, %llu of them are judged otherwise now",
                        (unsigned long long)(w->counts.scanned - w->scanned_before),
                        (unsigned long long)qn_rejudge_so_far(w->scan)->changed);
        w->scan = qn_rejudge_free(w->scan);
}
