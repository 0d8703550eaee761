/* flow.h - the steps in the attribute `flow` of an event: how data came from its source to the event's place.
 * The first step is the source, the last the one before the event.  A step is a line "file:line:column<TAB>what<TAB>excerpt";
 * what is missing in one is empty or 0, so that a flow that was cut at QN_FLOW_MAX can still be read. */
#pragma once

#include "base/str.h"

struct qn_flow_step {
        struct qn_str file;
        uint32_t line, column; /* from 1; 0 unknown */
        struct qn_str what, text;
};

/* Takes the next step off *flow (the attribute's value at first); false: there is none left. */
bool qn_flow_next(struct qn_str *flow, struct qn_flow_step *ret);
