#include "watch/metrics.h"

#include "base/buf.h"
#include "base/prom.h"
#include "rule/judge.h"
#include "watch/watch-priv.h"

static void put_feed(const struct qn_prom *p, const struct qn_watch_counts *c)
{
        const struct {
                const char *name, *help;
                uint64_t value;
        } rows[] = {
                { "pages_total", "Pages of the feed.", c->pages },
                { "changes_total", "Changes in them.", c->changes },
                { "skipped_total", "Changes of what is no package.", c->skipped },
                { "deleted_total", "Packages that were taken away.", c->deleted },
                { "repeated_total", "Pages from before the place in the feed.", c->repeated },
                { "backwards_total", "Times that the feed began anew.", c->backwards },
                { "names_total", "Names that were looked up.", c->names },
                { "nothing_new_total", "Names without a new version.", c->nothing_new },
                { "later_total", "Names that are to be tried again.", c->late },
                { "left_out_total", "Versions from before watching began.", c->left_out },
                { "versions_total", "Versions that got a verdict.", c->versions },
                { "scanned_total", "Versions that were judged again.", c->scanned },
                { "scan_changed_total", "Of these, verdicts that are others now.",
                  c->scan_changed },
                { "campaigns_total", "Campaigns that came into being.", c->campaigns },
                { "failed_total", "Transactions of the store that failed.", c->failed },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++)
                qn_prom_one(p, rows[i].name, "counter", rows[i].help, rows[i].value);
        qn_prom_head(p, "verdicts_total", "counter", "Verdicts by kind.");
        for (unsigned i = 0; i < QN_ARRAY_SIZE(c->by_verdict); i++)
                qn_prom_label(p, "verdicts_total", "verdict",
                              qn_verdict_name((enum qn_verdict_kind)i), c->by_verdict[i]);
}

static void put_spans(const struct qn_prom *p, const struct qn_watch_counts *c)
{
        qn_prom_head(p, "latency_seconds", "histogram",
                     "From being published to being seen, from there to the verdict, and both.");
        for (unsigned i = 0; i < QN_SPAN_MAX; i++)
                qn_prom_histogram(p, &(struct qn_prom_histogram){
                                             .name = "latency_seconds",
                                             .label = "span",
                                             .text = qn_watch_span_name((enum qn_watch_span)i),
                                             .buckets = c->span[i],
                                             .n = QN_ARRAY_SIZE(c->span[i]),
                                             .unit = 0.001,
                                             .sum = (double)c->span_ms[i] / 1e3 });
}

int qn_watch_metrics(struct qn_watch *w, struct qn_buf *out)
{
        const struct qn_prom p = { out, "qanat_watch_" };
        struct qn_pending_stats st = { 0 };
        int64_t now = qn_watch_now();
        int r = qn_pending_stats(&w->db, now, &st);

        put_feed(&p, &w->counts);
        qn_prom_one(&p, "queue", "gauge", "Names that wait.", (uint64_t)st.n);
        qn_prom_one(&p, "queue_later", "gauge", "Names that are to be tried again later.",
                    (uint64_t)st.waiting);
        qn_prom_one(&p, "queue_age_seconds", "gauge", "How long the oldest name waits.",
                    st.n ? (uint64_t)(now - st.oldest) / 1000 : 0);
        qn_prom_one(&p, "checking", "gauge", "Versions that are being looked at.",
                    qn_check_under_way(w->check));
        put_spans(&p, &w->counts);
        return r < 0 ? r : qn_buf_error(out);
}
