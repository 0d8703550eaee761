/* ghsa.h - an advisory as GitHub's REST API gives it (docs.github.com, "List global security advisories") → OSV record.
 * HOSTILE INPUT.  A range that cannot be understood costs its package, not the advisory. */
#pragma once

#include "parse/osv.h"

struct qn_node;

/* Whether a document is one. */
bool qn_ghsa_is(const struct qn_node *doc);
/* Texts are slices of the document or live in the arena.  0; -EINVAL; -EFBIG; -ENOBUFS. */
QN_MUST int qn_ghsa_take(const struct qn_node *doc, struct qn_arena *a, struct qn_osv **ret,
                         struct qn_err *reterr);
