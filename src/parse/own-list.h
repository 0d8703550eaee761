/* own-list.h - what an organisation decided for itself: a YAML list of entries, newest last → OSV records with a policy.
 *
 *   - block: chalk@5.6.1          # or allow:, or expire: which ends the entries about the same
 *     versions: [5.6.1, 5.6.2]    # instead of @version; neither: every version
 *     range: ">= 1.0.0, < 1.2.0"  # the same as a range
 *     reason: stole wallets
 *     owner: security@example.com
 *     since: 2026-11-29
 *     expires: 2027-01-31         # counts up to then; without it, for good
 *
 * Of several entries about the same package and versions the last counts.  Not hostile, but what it says is taken apart where
 * feeds are. */
#pragma once

#include "parse/osv.h"

/* Whether a text looks like one. */
bool qn_own_list_is(struct qn_str text);
/* 0; -EINVAL: an entry is wrong, and reterr says which line and why; -EFBIG; -ENOBUFS.  Texts live in the arena. */
QN_MUST int qn_own_list_parse(struct qn_cur in, struct qn_arena *a, struct qn_osv ***ret,
                              size_t *ret_n, struct qn_err *reterr);
