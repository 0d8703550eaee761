/* audit.h - what a client's question for advisories names.  HOSTILE INPUT.
 * Two forms: npm's bulk one, and the older one that is like a lock file, which pnpm and yarn send too.  Both may come with gzip.
 * Names that are no npm names and versions that are none are left out.  Caps: QN_AUDIT_MAX, QN_AUDIT_PAIRS_MAX (-EFBIG). */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;

enum qn_audit_kind {
        QN_AUDIT_BULK = 1, /* {"name": ["1.0.0"]} */
        QN_AUDIT_TREE, /* {"dependencies": {"name": {"version": "1.0.0", "dependencies": {…}}}} */
};

struct qn_audit_pair {
        struct qn_str name, version;
};

struct qn_audit {
        struct qn_audit_pair *v; /* sorted by bytes of name, then of version; none twice */
        size_t n;
};

/* Errors of json.h and gz.h, -EINVAL no object, -EFBIG, -ENOBUFS.  Texts are slices of the input or live in the arena. */
QN_MUST int qn_audit_read(struct qn_cur in, enum qn_audit_kind kind, struct qn_arena *a,
                          struct qn_audit *ret, struct qn_err *reterr);
int qn_audit_cmp(const struct qn_audit_pair *a, const struct qn_audit_pair *b);
