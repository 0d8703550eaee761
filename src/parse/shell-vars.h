/* shell-vars.h - puts the values of a script's own constants in the place of their names.  HOSTILE INPUT.
 * F=/tmp/x, export F=…, `for f in a b`: $F and ${F} become text; of a list, one value at a time.  Values that are computed
 * are left alone, so is everything inside single quotes.  Textual: what a script does to its variables is not followed.
 * Bounded: QN_SHELL_VARS_MAX names, QN_SCRIPT_MAX bytes of output; past a cap the rest stays as it is. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;

/* The text with every list standing at its pass-th value (the last one where it is shorter).  *ret_more: a further pass
 * would give another text.  0, or -ENOBUFS at the arena's cap. */
QN_MUST int qn_shell_expand(struct qn_str text, unsigned pass, struct qn_arena *a,
                            struct qn_str *ret, bool *ret_more);
