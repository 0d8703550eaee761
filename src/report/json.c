/* json.c - qanat.check/1: one result a line, so that reports can be compared and searched line by
 * line. */
#include "base/jsonw.h"
#include "event/event.h"
#include "event/flow.h"
#include "report/render.h"
#include "rule/rule.h"
#include "rule/score.h"

/* What is not known is null, not "". */
static void put_known(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.n)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

static void put_flow(struct qn_jsonw *w, struct qn_str flow)
{
        struct qn_flow_step step;

        qn_jsonw_array(w, "flow");
        while (qn_flow_next(&flow, &step)) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "file", step.file);
                qn_jsonw_u64(w, "line", step.line);
                qn_jsonw_u64(w, "column", step.column);
                qn_jsonw_str(w, "what", step.what);
                qn_jsonw_str(w, "text", step.text);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
}

static void put_evidence(struct qn_jsonw *w, const struct qn_event_set *set,
                         const struct qn_event *e)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_REPORT_ENTRY_MAX);

        qn_evidence_text(e, &text);
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "event", qn_event_name(e->kind));
        put_known(w, "file", qn_evidence_file(set, e));
        qn_jsonw_u64(w, "offset", e->off);
        qn_jsonw_u64(w, "line", e->line);
        qn_jsonw_u64(w, "column", e->column);
        qn_jsonw_str(w, "text", qn_buf_view(&text));
        put_flow(w, qn_event_get(e, QN_ATTR_FLOW));
        qn_jsonw_end_object(w);
}

static void put_finding(struct qn_jsonw *w, const struct qn_event_set *set,
                        const struct qn_finding *f)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "rule", f->rule->id);
        qn_jsonw_str(w, "title", f->rule->title);
        qn_jsonw_cstr(w, "severity", qn_severity_name(f->rule->severity));
        qn_jsonw_cstr(w, "verdict", qn_verdict_name(f->verdict));
        qn_jsonw_cstr(w, "layer", qn_layer_name(f->layer));
        qn_jsonw_cstr(w, "phase", qn_phase_name(f->phase));
        put_known(w, "explain", f->explain);
        qn_jsonw_array(w, "tactics");
        for (size_t i = 0; i < f->rule->n_tactics; i++)
                qn_jsonw_str(w, NULL, f->rule->tactics[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_array(w, "evidence");
        for (size_t i = 0; i < f->n_evidence; i++)
                put_evidence(w, set, f->evidence[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static void put_unanalysed(struct qn_jsonw *w, const struct qn_event_set *set,
                           const struct qn_event *e)
{
        qn_jsonw_object(w, NULL);
        put_known(w, "what", qn_event_get(e, QN_ATTR_WHAT));
        put_known(w, "file", qn_evidence_file(set, e));
        put_known(w, "detail", qn_event_get(e, QN_ATTR_DETAIL));
        qn_jsonw_end_object(w);
}

static double thousandths(int v)
{
        return (double)v / 1000;
}

/* features: the values of all that is there, also of what has no weight; the training reads them. */
static void put_learned(struct qn_jsonw *w, const struct qn_learned *l, bool features)
{
        qn_jsonw_object(w, "learned");
        qn_jsonw_u64(w, "model", l->model);
        qn_jsonw_u64(w, "score", l->score);
        qn_jsonw_double(w, "logit", thousandths(l->logit), 3);
        qn_jsonw_double(w, "bias", thousandths(l->bias), 3);
        qn_jsonw_array(w, "contributions");
        for (size_t i = 0; i < l->n; i++) {
                qn_jsonw_object(w, NULL);
                qn_jsonw_str(w, "feature", l->parts[i].feature->id);
                qn_jsonw_str(w, "title", l->parts[i].feature->title);
                qn_jsonw_u64(w, "value", l->parts[i].value);
                qn_jsonw_double(w, "points", thousandths(l->parts[i].points), 3);
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_array(w);
        if (features) {
                qn_jsonw_object(w, "features");
                for (size_t i = 0; i < l->n_all; i++) {
                        qn_jsonw_key(w, l->parts[i].feature->id);
                        qn_jsonw_u64(w, NULL, l->parts[i].value);
                }
                qn_jsonw_end_object(w);
        }
        qn_jsonw_end_object(w);
}

void qn_json_result(const struct qn_report_opts *o, const struct qn_result *res, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);
        const struct qn_verdict *v = res->verdict;

        qn_jsonw_object(&w, NULL);
        qn_jsonw_str(&w, "target", res->target);
        put_known(&w, "name", res->name);
        put_known(&w, "version", res->version);
        put_known(&w, "integrity", res->integrity);
        qn_jsonw_cstr(&w, "verdict", qn_verdict_name(v->kind));
        qn_jsonw_u64(&w, "score", v->score);
        qn_jsonw_str(&w, "reason", v->reason);
        qn_jsonw_double(&w, "elapsed_ms", (double)res->elapsed_ns / 1e6, 3);
        qn_jsonw_array(&w, "findings");
        for (size_t i = 0; i < v->n; i++)
                put_finding(&w, res->set, &v->findings[i]);
        qn_jsonw_end_array(&w);
        qn_jsonw_array(&w, "unanalysed");
        for (size_t i = 0; i < v->n_unanalysed; i++)
                put_unanalysed(&w, res->set, v->unanalysed[i]);
        qn_jsonw_end_array(&w);
        if (res->learned)
                put_learned(&w, res->learned, o->explain);
        qn_jsonw_end_object(&w);
}

void qn_json_document(const struct qn_report *r, struct qn_buf *out)
{
        qn_buf_puts(out, "{\"schema\":\"qanat.check/1\",\"results\":[");
        for (size_t i = 0; i < r->n; i++) {
                qn_buf_puts(out, i ? ",\n" : "\n");
                qn_buf_str(out, r->entries[i].body);
        }
        qn_buf_puts(out, r->n ? "\n]}\n" : "]}\n");
}
