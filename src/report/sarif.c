/* sarif.c - SARIF 2.1.0, for code scanning dashboards.  What could not be analysed is a result too:
 * readers of SARIF show results, and an empty report must not be taken for a clean one. */
#include "base/jsonw.h"
#include "event/event.h"
#include "event/flow.h"
#include "report/render.h"
#include "rule/rule.h"

#define UNKNOWN_RULE "not-analysed"

static const char *level_of(enum qn_verdict_kind k)
{
        switch (k) {
        case QN_MALICIOUS:
                return "error";
        case QN_SUSPICIOUS:
        case QN_UNKNOWN:
                return "warning";
        case QN_CLEAN:
                break;
        }
        return "note";
}

/* A path as a URI reference (RFC 3986): everything but unreserved characters and a few that paths
 * may hold is encoded. */
static void put_uri_part(struct qn_buf *out, struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c && strchr("-._~/@+", c)))
                        qn_buf_byte(out, (char)c);
                else
                        qn_buf_printf(out, "%%%02X", c);
        }
}

/* "name@version", or what the user named. */
static void make_identity(const struct qn_result *res, struct qn_buf *out)
{
        qn_buf_str(out, res->name.n ? res->name : res->target);
        if (res->name.n && res->version.n) {
                qn_buf_byte(out, '@');
                qn_buf_str(out, res->version);
        }
}

static void put_message(struct qn_jsonw *w, const char *key, struct qn_str text)
{
        qn_jsonw_object(w, key);
        qn_jsonw_str(w, "text", text);
        qn_jsonw_end_object(w);
}

/* Where something is: in no file, it is about the package. */
struct place {
        struct qn_str file, text;
        uint32_t line, column;
        const uint32_t *off; /* where it is known */
};

static void put_region(struct qn_jsonw *w, const struct place *at)
{
        qn_jsonw_object(w, "region");
        qn_jsonw_u64(w, "startLine", at->line);
        if (at->column)
                qn_jsonw_u64(w, "startColumn", at->column);
        if (at->off)
                qn_jsonw_u64(w, "byteOffset", *at->off);
        if (at->text.n)
                put_message(w, "snippet", at->text);
        qn_jsonw_end_object(w);
}

static void put_place(struct qn_jsonw *w, const char *key, const struct qn_result *res,
                      const struct place *at, struct qn_str message)
{
        _cleanup_(qn_buf_done) struct qn_buf id = QN_BUF_INIT(1 << 20), uri = QN_BUF_INIT(1 << 20);

        make_identity(res, &id);
        put_uri_part(&uri, qn_buf_view(&id));
        qn_buf_byte(&uri, '/');
        put_uri_part(&uri, at->file.n ? at->file : QN_STR("package.json"));
        qn_jsonw_object(w, key);
        qn_jsonw_object(w, "physicalLocation");
        qn_jsonw_object(w, "artifactLocation");
        qn_jsonw_str(w, "uri", qn_buf_view(&uri));
        qn_jsonw_end_object(w);
        if (at->file.n && at->line)
                put_region(w, at);
        qn_jsonw_end_object(w);
        qn_jsonw_array(w, "logicalLocations");
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "fullyQualifiedName", qn_buf_view(&id));
        qn_jsonw_cstr(w, "kind", "module");
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
        if (message.n)
                put_message(w, "message", message);
        qn_jsonw_end_object(w);
}

/* The place of an event; NULL: of the package. */
static void put_location(struct qn_jsonw *w, const char *key, const struct qn_result *res,
                         const struct qn_event *e)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_REPORT_ENTRY_MAX);
        struct place at = { .line = 0 };

        if (e) {
                at = (struct place){ qn_evidence_file(res->set, e), e->text, e->line, e->column,
                                     &e->off };
                qn_buf_printf(&text, "%s: ", qn_event_name(e->kind));
                qn_evidence_text(e, &text);
        }
        put_place(w, key, res, &at, qn_buf_view(&text));
}

/* --- flows --- */

static void put_step(struct qn_jsonw *w, const struct qn_result *res,
                     const struct qn_flow_step *step)
{
        struct place at = { step->file, step->text, step->line, step->column, NULL };

        qn_jsonw_object(w, NULL);
        put_place(w, "location", res, &at, step->what);
        qn_jsonw_end_object(w);
}

static void put_flow(struct qn_jsonw *w, const struct qn_result *res, const struct qn_event *e)
{
        struct qn_str flow = qn_event_get(e, QN_ATTR_FLOW);
        struct qn_flow_step step;

        qn_jsonw_object(w, NULL);
        qn_jsonw_array(w, "threadFlows");
        qn_jsonw_object(w, NULL);
        qn_jsonw_array(w, "locations");
        while (qn_flow_next(&flow, &step))
                put_step(w, res, &step);
        qn_jsonw_object(w, NULL);
        put_location(w, "location", res, e);
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static void put_flows(struct qn_jsonw *w, const struct qn_result *res, const struct qn_finding *f)
{
        bool any = false;

        for (size_t i = 0; i < f->n_evidence; i++) {
                if (!qn_event_get(f->evidence[i], QN_ATTR_FLOW).n)
                        continue;
                if (!any)
                        qn_jsonw_array(w, "codeFlows");
                any = true;
                put_flow(w, res, f->evidence[i]);
        }
        if (any)
                qn_jsonw_end_array(w);
}

/* --- results --- */

static void put_properties(struct qn_jsonw *w, const struct qn_result *res,
                           const struct qn_finding *f)
{
        qn_jsonw_object(w, "properties");
        qn_jsonw_str(w, "target", res->target);
        qn_jsonw_cstr(w, "verdict", qn_verdict_name(res->verdict->kind));
        qn_jsonw_u64(w, "score", res->verdict->score);
        if (res->integrity.n)
                qn_jsonw_str(w, "integrity", res->integrity);
        if (f) {
                qn_jsonw_cstr(w, "layer", qn_layer_name(f->layer));
                qn_jsonw_cstr(w, "phase", qn_phase_name(f->phase));
        }
        qn_jsonw_end_object(w);
}

/* Stays the same from run to run, so that a dashboard can tell old from new: the package and the
 * rule, not the line. */
static void put_fingerprint(struct qn_jsonw *w, const struct qn_result *res, struct qn_str rule)
{
        _cleanup_(qn_buf_done) struct qn_buf id = QN_BUF_INIT(1 << 20);

        make_identity(res, &id);
        qn_buf_byte(&id, '#');
        qn_buf_str(&id, rule);
        qn_jsonw_object(w, "partialFingerprints");
        qn_jsonw_str(w, "qanat/v1", qn_buf_view(&id));
        qn_jsonw_end_object(w);
}

static void begin_result(struct qn_jsonw *w, struct qn_str rule, const char *level)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "ruleId", rule);
        qn_jsonw_cstr(w, "level", level);
}

static void put_finding(struct qn_jsonw *w, const struct qn_result *res, const struct qn_finding *f)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(1 << 20);

        make_identity(res, &text);
        qn_buf_puts(&text, ": ");
        qn_buf_str(&text, f->rule->title);
        if (f->explain.n) {
                qn_buf_puts(&text, ". ");
                qn_buf_str(&text, f->explain);
        }
        begin_result(w, f->rule->id, level_of(f->verdict));
        put_message(w, "message", qn_buf_view(&text));
        qn_jsonw_array(w, "locations");
        put_location(w, NULL, res, f->n_evidence ? f->evidence[0] : NULL);
        qn_jsonw_end_array(w);
        if (f->n_evidence > 1) {
                qn_jsonw_array(w, "relatedLocations");
                for (size_t i = 1; i < f->n_evidence; i++)
                        put_location(w, NULL, res, f->evidence[i]);
                qn_jsonw_end_array(w);
        }
        put_flows(w, res, f);
        put_fingerprint(w, res, f->rule->id);
        put_properties(w, res, f);
        qn_jsonw_end_object(w);
}

static void put_unknown(struct qn_jsonw *w, const struct qn_result *res)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(1 << 20);

        make_identity(res, &text);
        qn_buf_puts(&text, " could not be analysed: ");
        qn_buf_str(&text, res->verdict->reason);
        begin_result(w, QN_STR(UNKNOWN_RULE), level_of(QN_UNKNOWN));
        put_message(w, "message", qn_buf_view(&text));
        qn_jsonw_array(w, "locations");
        put_location(w, NULL, res, res->verdict->n_unanalysed ? res->verdict->unanalysed[0] : NULL);
        qn_jsonw_end_array(w);
        put_fingerprint(w, res, QN_STR(UNKNOWN_RULE));
        put_properties(w, res, NULL);
        qn_jsonw_end_object(w);
}

/* The results of one package, separated by ",\n" as in the document. */
void qn_sarif_result(const struct qn_result *res, struct qn_buf *out)
{
        for (size_t i = 0; i < res->verdict->n; i++) {
                struct qn_jsonw w = QN_JSONW_INIT(out, 0);

                qn_buf_puts(out, i ? ",\n" : "");
                put_finding(&w, res, &res->verdict->findings[i]);
        }
        if (res->verdict->kind == QN_UNKNOWN) {
                struct qn_jsonw w = QN_JSONW_INIT(out, 0);

                qn_buf_puts(out, res->verdict->n ? ",\n" : "");
                put_unknown(&w, res);
        }
}

static void put_rule(struct qn_jsonw *w, const struct qn_rule *rule)
{
        static const double severity[QN_SEV_MAX] = { 0.0, 2.0, 5.0, 8.0, 9.5 };

        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "id", rule->id);
        put_message(w, "shortDescription", rule->title);
        if (rule->advice.n)
                put_message(w, "help", rule->advice);
        qn_jsonw_object(w, "defaultConfiguration");
        qn_jsonw_cstr(w, "level", level_of(rule->verdict));
        qn_jsonw_end_object(w);
        qn_jsonw_object(w, "properties");
        /* a string, because code scanning wants it so */
        _cleanup_(qn_buf_done) struct qn_buf number = QN_BUF_INIT(16);
        qn_buf_printf(&number, "%.1f", severity[rule->severity]);
        qn_jsonw_str(w, "security-severity", qn_buf_view(&number));
        qn_jsonw_array(w, "tags");
        qn_jsonw_cstr(w, NULL, "security");
        for (size_t i = 0; i < rule->n_tactics; i++)
                qn_jsonw_str(w, NULL, rule->tactics[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
}

static void put_unknown_rule(struct qn_jsonw *w)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_cstr(w, "id", UNKNOWN_RULE);
        put_message(w, "shortDescription", QN_STR("A package could not be analysed"));
        put_message(w, "help", QN_STR("Treat it as unsafe until it can be analysed."));
        qn_jsonw_object(w, "defaultConfiguration");
        qn_jsonw_cstr(w, "level", level_of(QN_UNKNOWN));
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
}

static void put_driver(struct qn_jsonw *w, const struct qn_report *r)
{
        qn_jsonw_object(w, "tool");
        qn_jsonw_object(w, "driver");
        qn_jsonw_cstr(w, "name", "qanat");
        qn_jsonw_cstr(w, "version", QN_VERSION);
        qn_jsonw_cstr(w, "semanticVersion", QN_VERSION);
        qn_jsonw_array(w, "rules");
        for (size_t i = 0; i < r->n_rules; i++)
                put_rule(w, r->rules[i]);
        if (r->counts[QN_UNKNOWN])
                put_unknown_rule(w);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
        qn_jsonw_end_object(w);
}

void qn_sarif_document(const struct qn_report *r, struct qn_buf *out)
{
        struct qn_jsonw w = QN_JSONW_INIT(out, 0);
        bool any = false;

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "version", "2.1.0");
        qn_jsonw_array(&w, "runs");
        qn_jsonw_object(&w, NULL);
        put_driver(&w, r);
        qn_jsonw_array(&w, "results");
        for (size_t i = 0; i < r->n; i++) {
                if (!r->entries[i].body.n)
                        continue;
                qn_buf_puts(out, any ? ",\n" : "\n");
                qn_buf_str(out, r->entries[i].body);
                any = true;
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(out, '\n');
}
