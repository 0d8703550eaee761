/* metrics.c - the gate's counters. */
#include "base/prom.h"
#include "gate/gate-priv.h"
#include "intel/tell.h"
#include "role/pool.h"

static void put_face(const struct qn_prom *p, const struct qn_front_counts *c)
{
        static const char *const classes[QN_ARRAY_SIZE(c->by_status)] = { "",    "1xx", "2xx",
                                                                          "3xx", "4xx", "5xx" };

        qn_prom_one(p, "requests_total", "counter", "Requests of clients.", c->requests);
        qn_prom_one(p, "kept_total", "counter", "Requests answered without asking the gate.",
                    c->kept);
        qn_prom_one(p, "not_modified_total", "counter", "Requests answered with 304.",
                    c->not_modified);
        qn_prom_one(p, "refused_total", "counter", "Requests refused for their rate or token.",
                    c->refused);
        qn_prom_one(p, "malformed_total", "counter", "Requests that were none.", c->malformed);
        qn_prom_one(p, "sent_bytes_total", "counter", "Bytes of bodies sent.", c->bytes);
        qn_prom_one(p, "connections", "gauge", "Open connections.", c->open);
        qn_prom_head(p, "responses_total", "counter", "Answers by class of status.");
        for (unsigned i = 1; i < QN_ARRAY_SIZE(classes); i++)
                qn_prom_label(p, "responses_total", "code", classes[i], c->by_status[i]);
}

static void put_gate(const struct qn_prom *p, const struct qn_gate *g)
{
        const struct qn_gate_counts *c = &g->counts;

        qn_prom_one(p, "questions_total", "counter", "Requests that the gate itself answered.",
                    c->asked);
        qn_prom_one(p, "packuments_total", "counter", "Documents served.", c->packuments);
        qn_prom_one(p, "upstream_fetched_total", "counter", "Documents fetched.", c->fetched);
        qn_prom_one(p, "upstream_confirmed_total", "counter", "Documents found current.",
                    c->confirmed);
        qn_prom_one(p, "upstream_failed_total", "counter", "Requests upstream that failed.",
                    c->failed);
        qn_prom_one(p, "analysed_total", "counter", "Artifacts analysed.", c->analysed);
        qn_prom_one(p, "late_total", "counter", "Analyses that took longer than the budget.",
                    c->late);
        qn_prom_one(p, "served_total", "counter", "Artifacts served.", c->served);
        qn_prom_one(p, "blocked_total", "counter", "Requests for what is blocked.", c->blocked);
        qn_prom_one(p, "quarantined_total", "counter", "Requests for what is in quarantine.",
                    c->quarantined);
        qn_prom_one(p, "warned_total", "counter", "Artifacts served with a warning.", c->warned);
        qn_prom_one(p, "ledger_rows_total", "counter", "Rows written to the ledger.", c->notes);
        qn_prom_one(p, "alarms_total", "counter",
                    "Artifacts that turned bad after they were served.", c->alarms);
        qn_prom_one(p, "again_total", "counter",
                    "Artifacts that were judged again after they were served.", c->again);
        qn_prom_one(p, "again_lost_total", "counter",
                    "Artifacts that should have been judged again, but whose bytes are gone.",
                    c->again_lost);
        qn_prom_one(p, "cache_bytes", "gauge", "Bytes kept on disk.", g->cache_size);
        qn_prom_one(p, "packages", "gauge", "Packages in memory.", g->n_packages);
        qn_prom_one(p, "queue", "gauge", "Jobs that wait for an analysis.",
                    qn_pool_pending(g->pool));
        qn_prom_head(p, "verdicts_total", "counter", "Verdicts by kind.");
        for (unsigned i = 0; i < QN_ARRAY_SIZE(c->by_verdict); i++)
                qn_prom_label(p, "verdicts_total", "verdict",
                              qn_verdict_name((enum qn_verdict_kind)i), c->by_verdict[i]);
        qn_prom_histogram(p, &(struct qn_prom_histogram){
                                     .name = "analysis_seconds",
                                     .help = "Time from an artifact's bytes to its verdict.",
                                     .buckets = c->analysis_ms,
                                     .n = QN_ARRAY_SIZE(c->analysis_ms),
                                     .unit = 0.001,
                                     .sum = (double)c->analysis_sum_ms / 1e3 });
        qn_prom_histogram(
                p, &(struct qn_prom_histogram){ .name = "request_seconds",
                                                .help = "Time of a request.",
                                                .buckets = g->face.counts.latency,
                                                .n = QN_ARRAY_SIZE(g->face.counts.latency),
                                                .unit = 0.0001,
                                                .sum = (double)g->face.counts.latency_us / 1e6 });
}

void qn_metrics_ask(struct qn_gate *g, struct qn_asked *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        const struct qn_front_answer head = {
                .status = 200,
                .content_type = QN_STR(QN_PROM_TYPE),
                .cache_control = QN_STR("no-store"),
        };
        const struct qn_prom p = { &b, "qanat_gate_" };
        struct qn_failure f;

        if (!a->q.admin) {
                qn_failure_set(&f, 401, "metrics want an operator's token");
                qn_answer_failure(g, a, &f);
                return;
        }
        put_face(&p, &g->face.counts);
        put_gate(&p, g);
        qn_answer_bytes(g, a, &head, qn_cur_mem(b.p, b.n));
}
