/* gyp-literal.h - Python literals → a tree.  Inside the gyp reader only.  Errors and limits as in gyp.h. */
#pragma once

#include "parse/json.h"

QN_MUST int qn_gyp_literal(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                           struct qn_err *reterr);
