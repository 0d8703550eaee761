/* care.h - is what the stores keep what it should be? */
#pragma once

#include "store/db.h"

struct qn_store {
        const char *name; /* "watch" */
        const struct qn_db_def *def;
};

extern const struct qn_store qn_stores[]; /* all kinds; ends with {} */

struct qn_fault {
        struct qn_str what;
        const char *next; /* what to do */
};

/* First what the database finds, then what must be true of what is in it.  Goes on while fn returns 0. */
typedef int qn_fault_fn(void *ctx, const struct qn_fault *f);
QN_MUST int qn_store_check(struct qn_db *db, const struct qn_store *kind, qn_fault_fn *fn,
                           void *ctx);
