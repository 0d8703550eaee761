/* evidence.c - what the formats share: how an event, a tactic and a verdict are put into words. */
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
        for (unsigned i = 0; i < e->n_attrs; i++) {
                qn_buf_printf(out, "%s%s ", i ? ", " : "", qn_attr_name(e->keys[i]));
                qn_buf_str(out, e->values[i]);
        }
}

const char *qn_tactic_name(struct qn_str id)
{
        static const struct {
                const char *id, *name;
        } tactics[] = {
                { "TA0001", "Initial Access" },
                { "TA0002", "Execution" },
                { "TA0003", "Persistence" },
                { "TA0004", "Privilege Escalation" },
                { "TA0005", "Defense Evasion" },
                { "TA0006", "Credential Access" },
                { "TA0007", "Discovery" },
                { "TA0008", "Lateral Movement" },
                { "TA0009", "Collection" },
                { "TA0010", "Exfiltration" },
                { "TA0011", "Command and Control" },
                { "TA0040", "Impact" },
                { "TA0042", "Resource Development" },
                { "TA0043", "Reconnaissance" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(tactics); i++)
                if (qn_str_is(id, tactics[i].id))
                        return tactics[i].name;
        return NULL;
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
                return "Treat it as unsafe until it can be analysed.";
        case QN_CLEAN:
                break;
        }
        return "";
}
