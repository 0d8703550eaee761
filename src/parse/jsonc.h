/* jsonc.h - JSON with comments and trailing commas, as bun and editors write it → the tree of json.h.  HOSTILE INPUT.
 * What strict JSON does not have is blanked in a copy, so that offsets stay. */
#pragma once

#include "parse/json.h"

/* Errors of qn_json_parse(). */
QN_MUST int qn_jsonc_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                           struct qn_err *reterr);
