/* pg-sql.h - the store's SQL, which is written for SQLite, as PostgreSQL has it.
 * It knows what the store writes, in its ways: keywords in capitals, names in small letters, values as ?1 to ?N.  What both
 * understand stays as it is; what cannot be translated word by word is refused, and is to be written so that both understand it. */
#pragma once

#include "base/buf.h"

#define QN_PG_PARAMS_MAX 32u

struct qn_pg_sql {
        unsigned params; /* the highest ?N */
        bool select;     /* it only reads */
        bool open_ended; /* it gives rows in an order, and no LIMIT to them */
};

/* Appends the translation.  -EINVAL: there is none. */
QN_MUST int qn_pg_translate(struct qn_str sql, struct qn_buf *out, struct qn_pg_sql *ret);
/* Appends a text as PostgreSQL can keep it: each byte that is not UTF-8, and each NUL, becomes U+FFFD and its value in hex. */
void qn_pg_mend(struct qn_str v, struct qn_buf *out);
bool qn_pg_is_sound(struct qn_str v);
