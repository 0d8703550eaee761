/* evidence.c - what the formats share: how an event and a verdict are put into words. */
#include "event/event.h"
#include "report/render.h"

struct qn_str qn_evidence_file(const struct qn_event_set *set, const struct qn_event *e)
{
        return set && e->file < set->n_files ? set->files[e->file] : (struct qn_str){ 0 };
}

void qn_evidence_text(const struct qn_event *e, struct qn_buf *out)
{
        if (e->text.n) {
                qn_buf_str(out, e->text);
                return;
        }
        for (unsigned i = 0; i < qn_event_n_identity(e); i++) {
                qn_buf_printf(out, "%s%s ", i ? ", " : "", qn_attr_name(e->keys[i]));
                qn_buf_str(out, e->values[i]);
        }
}

const char *qn_advice(enum qn_verdict_kind k)
{
        switch (k) {
        case QN_MALICIOUS:
                return "Do not install it.  Where it was installed, treat every credential on that "
                       "machine as stolen.";
        case QN_SUSPICIOUS:
                return "Do not install it before somebody has read the lines above.";
        case QN_UNKNOWN:
                return "treat it as unsafe until it can be analysed.";
        case QN_CLEAN:
                break;
        }
        return "";
}
