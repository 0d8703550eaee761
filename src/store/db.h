/* db.h - the SQLite file behind the store.  One writer at a time, any number of readers; what was committed stays, whatever
 * happens to the process or the machine (write-ahead log, full synchronisation).
 * Statements are prepared once and kept.  Not here: what is stored (assets.h). */
#pragma once

#include <sqlite3.h>

#include "base/err.h"
#include "base/str.h"

#define QN_DB_STATEMENTS_MAX 64u

struct qn_db {
        sqlite3 *sql;
        struct {
                const char *text; /* a literal: compared by its address */
                sqlite3_stmt *stmt;
        } kept[QN_DB_STATEMENTS_MAX];
        size_t n;
};

/* One kind of file. */
struct qn_db_def {
        const char *file;         /* its name in the state directory */
        const char *schema;       /* SQL that makes its tables */
        int version;              /* of the schema: from 1 on */
        const char *missing;      /* what to say when there is none */
        const char *const *steps; /* version - 1 of them: SQL from each version to the next */
};

/* Opens a file of a directory.  write: makes it when it is not there; else -ENOENT.  One of an older version is brought up to date
 * in one step, or stays as it is.  -EBADMSG: damaged or no such file; -EPROTO: of a version that is not known here; -EBUSY: another
 * process holds it for too long. */
QN_MUST int qn_db_open(const struct qn_db_def *def, const char *dir, bool write, struct qn_db *ret,
                       struct qn_err *reterr);
void qn_db_close(struct qn_db *db);
/* How long a statement waits while another process writes. */
QN_MUST int qn_db_patience(struct qn_db *db, int ms);

QN_MUST int qn_db_exec(struct qn_db *db, const char *sql);
/* The statement of a literal, reset and without values; NULL when it cannot be prepared. */
sqlite3_stmt *qn_db_prepare(struct qn_db *db, const char *sql);
/* 1 a row, 0 the end, -errno. */
QN_MUST int qn_db_step(sqlite3_stmt *s);
/* Runs a statement that gives no rows. */
QN_MUST int qn_db_run(sqlite3_stmt *s);

/* Values from 1 on; p NULL: no value. */
void qn_db_bind_text(sqlite3_stmt *s, int at, struct qn_str v);
void qn_db_bind_int(sqlite3_stmt *s, int at, int64_t v);
/* Of the row at hand, from 0 on; lives until the next step. */
struct qn_str qn_db_text(sqlite3_stmt *s, int at);
