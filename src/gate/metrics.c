/* metrics.c - counters as Prometheus reads them (text format 0.0.4). */
#include "gate/gate-priv.h"
#include "intel/tell.h"
#include "role/pool.h"

static void head(struct qn_buf *b, const char *name, const char *type, const char *help)
{
        qn_buf_printf(b, "# HELP qanat_gate_%s %s\n# TYPE qanat_gate_%s %s\n", name, help, name,
                      type);
}

static void one(struct qn_buf *b, const char *name, const char *type, const char *help, uint64_t v)
{
        head(b, name, type, help);
        qn_buf_printf(b, "qanat_gate_%s %llu\n", name, (unsigned long long)v);
}

static void put_face(struct qn_buf *b, const struct qn_front_counts *c)
{
        one(b, "requests_total", "counter", "Requests of clients.", c->requests);
        one(b, "kept_total", "counter", "Requests answered without asking the gate.", c->kept);
        one(b, "not_modified_total", "counter", "Requests answered with 304.", c->not_modified);
        one(b, "refused_total", "counter", "Requests refused for their rate or token.", c->refused);
        one(b, "malformed_total", "counter", "Requests that were none.", c->malformed);
        one(b, "sent_bytes_total", "counter", "Bytes of bodies sent.", c->bytes);
        one(b, "connections", "gauge", "Open connections.", c->open);
        head(b, "responses_total", "counter", "Answers by class of status.");
        for (unsigned i = 1; i < QN_ARRAY_SIZE(c->by_status); i++)
                qn_buf_printf(b, "qanat_gate_responses_total{code=\"%uxx\"} %llu\n", i,
                              (unsigned long long)c->by_status[i]);
}

/* buckets[i]: at most unit × 2^i; the last one: longer. */
static void histogram(struct qn_buf *b, const char *name, const char *help, const uint64_t *buckets,
                      size_t n, double unit, double seconds)
{
        uint64_t sum = 0;

        head(b, name, "histogram", help);
        for (size_t i = 0; i < n; i++) {
                sum += buckets[i];
                if (i + 1 < n)
                        qn_buf_printf(b, "qanat_gate_%s_bucket{le=\"%g\"} %llu\n", name,
                                      unit * (double)(1u << i), (unsigned long long)sum);
        }
        qn_buf_printf(b, "qanat_gate_%s_bucket{le=\"+Inf\"} %llu\nqanat_gate_%s_sum %.6f\n", name,
                      (unsigned long long)sum, name, seconds);
        qn_buf_printf(b, "qanat_gate_%s_count %llu\n", name, (unsigned long long)sum);
}

static void put_gate(struct qn_buf *b, const struct qn_gate *g)
{
        const struct qn_gate_counts *c = &g->counts;

        one(b, "questions_total", "counter", "Requests that the gate itself answered.", c->asked);
        one(b, "packuments_total", "counter", "Documents served.", c->packuments);
        one(b, "upstream_fetched_total", "counter", "Documents fetched.", c->fetched);
        one(b, "upstream_confirmed_total", "counter", "Documents found current.", c->confirmed);
        one(b, "upstream_failed_total", "counter", "Requests upstream that failed.", c->failed);
        one(b, "analysed_total", "counter", "Artifacts analysed.", c->analysed);
        one(b, "late_total", "counter", "Analyses that took longer than the budget.", c->late);
        one(b, "served_total", "counter", "Artifacts served.", c->served);
        one(b, "blocked_total", "counter", "Requests for what is blocked.", c->blocked);
        one(b, "quarantined_total", "counter", "Requests for what is in quarantine.",
            c->quarantined);
        one(b, "warned_total", "counter", "Artifacts served with a warning.", c->warned);
        one(b, "ledger_rows_total", "counter", "Rows written to the ledger.", c->notes);
        one(b, "alarms_total", "counter", "Artifacts that turned bad after they were served.",
            c->alarms);
        one(b, "again_total", "counter", "Artifacts that were judged again after they were served.",
            c->again);
        one(b, "again_lost_total", "counter",
            "Artifacts that should have been judged again, but whose bytes are gone.",
            c->again_lost);
        one(b, "cache_bytes", "gauge", "Bytes kept on disk.", g->cache_size);
        one(b, "packages", "gauge", "Packages in memory.", g->n_packages);
        one(b, "queue", "gauge", "Jobs that wait for an analysis.", qn_pool_pending(g->pool));
        head(b, "verdicts_total", "counter", "Verdicts by kind.");
        for (unsigned i = 0; i < QN_ARRAY_SIZE(c->by_verdict); i++)
                qn_buf_printf(b, "qanat_gate_verdicts_total{verdict=\"%s\"} %llu\n",
                              qn_verdict_name((enum qn_verdict_kind)i),
                              (unsigned long long)c->by_verdict[i]);
        histogram(b, "analysis_seconds", "Time from an artifact's bytes to its verdict.",
                  c->analysis_ms, QN_ARRAY_SIZE(c->analysis_ms), 0.001,
                  (double)c->analysis_sum_ms / 1e3);
        histogram(b, "request_seconds", "Time of a request.", g->face.counts.latency,
                  QN_ARRAY_SIZE(g->face.counts.latency), 0.0001,
                  (double)g->face.counts.latency_us / 1e6);
}

void qn_metrics_ask(struct qn_gate *g, struct qn_asked *a)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        const struct qn_front_answer head = {
                .status = 200,
                .content_type = QN_STR("text/plain; version=0.0.4; charset=utf-8"),
                .cache_control = QN_STR("no-store"),
        };
        struct qn_failure f;

        if (!a->q.admin) {
                qn_failure_set(&f, 401, "metrics want an operator's token");
                qn_answer_failure(g, a, &f);
                return;
        }
        put_face(&b, &g->face.counts);
        put_gate(&b, g);
        qn_answer_bytes(g, a, &head, qn_cur_mem(b.p, b.n));
}
