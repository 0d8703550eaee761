/* revision.c - by what the gate's verdicts are made at this moment. */
#include "gate/gate-priv.h"
#include "rule/rule.h"

struct qn_str qn_revision(const struct qn_gate *g, bool relies, char text[QN_REVISION_TEXT])
{
        const struct qn_revision by = { .tables = g->tables,
                                        .rules = qn_rules_revision(g->rules),
                                        .indicators = g->indicators,
                                        .trust = g->trust,
                                        .state = g->intel };

        return qn_revision_text(&by, relies, text);
}
