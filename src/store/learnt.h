/* learnt.h - which packages a file may be from: contents of packages that this machine has met, STATE/learnt.db.
 * Of a version that comes twice the tarball counts more than anything unpacked, else the first. */
#pragma once

#include "parse/content.h"
#include "store/db.h"

extern const struct qn_db_def qn_db_learnt;

/* 1: it is new, or known better now; 0: it was known. */
QN_MUST int qn_learnt_learn(struct qn_db *db, const struct qn_contents *c);

struct qn_learnt {
        int64_t id; /* of the package */
        struct qn_str name, version, integrity;
        struct qn_str path; /* of the file in it */
        uint32_t files;     /* that the package has */
        uint64_t bytes;     /* of them */
};

/* Every package with the file, in the order in which they were learnt; texts live during the call. */
typedef int qn_learnt_fn(void *ctx, const struct qn_learnt *k);
QN_MUST int qn_learnt_find(struct qn_db *db, const struct qn_content_id *id, qn_learnt_fn *fn,
                           void *ctx);
