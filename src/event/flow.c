#include "event/flow.h"

/* Takes ":number" off the end of *place; 0 and nothing taken when there is none. */
static uint32_t take_number(struct qn_str *place)
{
        ptrdiff_t colon = qn_str_rchr(*place, ':');
        uint64_t v;

        if (colon < 0 || qn_str_u64(qn_str_skip(*place, (size_t)colon + 1), &v) < 0 ||
            v > UINT32_MAX)
                return 0;
        *place = qn_str_take(*place, (size_t)colon);
        return (uint32_t)v;
}

bool qn_flow_next(struct qn_str *flow, struct qn_flow_step *ret)
{
        struct qn_str line = { NULL, 0 };
        struct qn_flow_step step = { .line = 0 };

        while (flow->n && !line.n)
                line = qn_str_cut(flow, '\n');
        if (!line.n)
                return false;
        step.file = qn_str_cut(&line, '\t');
        step.what = qn_str_cut(&line, '\t');
        step.text = line;
        step.column = take_number(&step.file);
        step.line = take_number(&step.file);
        if (!step.line) { /* one number only is a line */
                step.line = step.column;
                step.column = 0;
        }
        *ret = step;
        return true;
}
