/* pg-link.h - one connection to PostgreSQL, in the schema of one store.  Where it was lost, and no transaction was under way, it is
 * made anew.  What goes wrong is told without the password.  Private to db-pg.c. */
#pragma once

#include <libpq-fe.h>

#include "base/err.h"

struct qn_pg {
        PGconn *conn;
        char *url;
        char schema[64];     /* "qanat_watch" */
        char label[96];      /* "PostgreSQL at HOST/DATABASE" */
        int patience;        /* ms that a lock is waited for */
        unsigned generation; /* of the connection: what was prepared on another one is gone */
        int64_t failed; /* when a connection could not be made again, by the machine's clock; 0: it could */
        bool in_transaction;
        bool broken;        /* the server said that it ends the connection */
        struct qn_err last; /* what went wrong last */
};

bool qn_pg_is_url(const char *where);
/* file: the store's name among files, "watch.db". */
QN_MUST int qn_pg_open(const char *url, const char *file, struct qn_pg **ret,
                       struct qn_err *reterr);
struct qn_pg *qn_pg_free(struct qn_pg *p);
QN_MUST int qn_pg_patience(struct qn_pg *p, int ms);
/* There is a connection; outside of a transaction it may be a new one. */
QN_MUST int qn_pg_ensure(struct qn_pg *p);
/* A result as an errno; it is kept in p->last. */
QN_MUST int qn_pg_check(struct qn_pg *p, const PGresult *result);
/* Statements without values, of which the results do not matter. */
QN_MUST int qn_pg_do(struct qn_pg *p, const char *sql);
