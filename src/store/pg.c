/* pg.c - libpq, loaded when it is first needed: it brings Kerberos and LDAP, and who has his store in a file never needs it.  The
 * functions are those of libpq-fe.h, by the same names, and hand on to the real ones. */
#include <libpq-fe.h>
#include <stddef.h>

#include "base/lazy.h"

#define LIBRARY "libpq.so.5"

/* Type, name, parameters, arguments, what is returned without libpq. */
#define FUNCTIONS(X)                                                                             \
        X(PGconn *, PQconnectdbParams, (const char *const *k, const char *const *v, int expand), \
          (k, v, expand), NULL)                                                                  \
        X(PQconninfoOption *, PQconninfoParse, (const char *info, char **message),               \
          (info, message), NULL)                                                                 \
        X(ConnStatusType, PQstatus, (const PGconn *c), (c), CONNECTION_BAD)                      \
        X(PGTransactionStatusType, PQtransactionStatus, (const PGconn *c), (c), PQTRANS_UNKNOWN) \
        X(char *, PQerrorMessage, (const PGconn *c), (c), NULL)                                  \
        X(const char *, PQparameterStatus, (const PGconn *c, const char *name), (c, name), NULL) \
        X(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * c, PQnoticeProcessor p, void *ctx), \
          (c, p, ctx), NULL)                                                                     \
        X(PGresult *, PQexec, (PGconn * c, const char *sql), (c, sql), NULL)                     \
        X(PGresult *, PQexecParams,                                                              \
          (PGconn * c, const char *sql, int n, const Oid *types, const char *const *values,      \
           const int *lengths, const int *formats, int format),                                  \
          (c, sql, n, types, values, lengths, formats, format), NULL)                            \
        X(PGresult *, PQprepare,                                                                 \
          (PGconn * c, const char *name, const char *sql, int n, const Oid *types),              \
          (c, name, sql, n, types), NULL)                                                        \
        X(PGresult *, PQexecPrepared,                                                            \
          (PGconn * c, const char *name, int n, const char *const *values, const int *lengths,   \
           const int *formats, int format),                                                      \
          (c, name, n, values, lengths, formats, format), NULL)                                  \
        X(ExecStatusType, PQresultStatus, (const PGresult *r), (r), PGRES_FATAL_ERROR)           \
        X(char *, PQresultErrorField, (const PGresult *r, int field), (r, field), NULL)          \
        X(int, PQntuples, (const PGresult *r), (r), 0)                                           \
        X(int, PQnfields, (const PGresult *r), (r), 0)                                           \
        X(Oid, PQftype, (const PGresult *r, int at), (r, at), 0)                                 \
        X(char *, PQgetvalue, (const PGresult *r, int row, int at), (r, row, at), NULL)          \
        X(int, PQgetlength, (const PGresult *r, int row, int at), (r, row, at), 0)               \
        X(int, PQgetisnull, (const PGresult *r, int row, int at), (r, row, at), 1)               \
        X(char *, PQcmdStatus, (PGresult * r), (r), NULL)                                        \
        X(char *, PQcmdTuples, (PGresult * r), (r), NULL)

/* The same without a result. */
#define PROCEDURES(X)                                              \
        X(PQfinish, (PGconn * c), (c))                             \
        X(PQconninfoFree, (PQconninfoOption * options), (options)) \
        X(PQclear, (PGresult * r), (r))                            \
        X(PQfreemem, (void *p), (p))

enum {
#define F(type, name, parameters, arguments, without) AT_##name,
#define P(name, parameters, arguments)                AT_##name,
        FUNCTIONS(F) PROCEDURES(P)
#undef F
#undef P
                AT_MAX
};

static const char *const names[] = {
#define F(type, name, parameters, arguments, without) #name,
#define P(name, parameters, arguments)                #name,
        FUNCTIONS(F) PROCEDURES(P)
#undef F
#undef P
};

static void *functions[AT_MAX];
static struct qn_lazy library = QN_LAZY(LIBRARY, names, functions);

#define F(type, name, parameters, arguments, without) \
        QN_LAZY_FUNCTION(&library, AT_##name, type, name, parameters, arguments, without)
#define P(name, parameters, arguments) \
        QN_LAZY_PROCEDURE(&library, AT_##name, name, parameters, arguments)

FUNCTIONS(F)
PROCEDURES(P)
