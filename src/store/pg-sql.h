/* pg-sql.h - the store's SQL, which is written for SQLite, as PostgreSQL has it.
 * It knows what the store writes, in its ways: keywords in capitals, names in small letters, values as ?1 to ?N.  What both
 * understand stays as it is; what cannot be translated word by word is refused, and is to be written so that both understand it. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define QN_PG_PARAMS_MAX 32u

struct qn_pg_sql {
        unsigned params; /* the highest ?N */
        bool select;     /* it only reads */
        bool open_ended; /* it gives rows in an order, and no LIMIT to them */
};

/* Appends the translation.  -EINVAL: there is none. */
QN_MUST int qn_pg_translate(struct qn_str sql, struct qn_buf *out, struct qn_pg_sql *ret);

/* PostgreSQL keeps texts that are UTF-8 without NUL.  Each other byte is kept as U+FFFD and its value in hex; what looks like that
 * already is kept so as well, and every text comes back as it was. */
bool qn_pg_is_sound(struct qn_str v); /* it is kept as it is */
void qn_pg_mend(struct qn_str v, struct qn_buf *out);
/* The text that is kept so; p is NULL when the arena is full. */
struct qn_str qn_pg_unmend(struct qn_str v, struct qn_arena *a);
