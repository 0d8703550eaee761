/* gyp-tree.h - the literals of a binding.gyp as a tree; errors as in gyp.h.  Private to gyp*.c. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "parse/json.h"

QN_MUST int qn_gyp_tree(struct qn_cur in, struct qn_arena *a, struct qn_node **ret, struct qn_err *reterr);
