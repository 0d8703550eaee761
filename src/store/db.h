/* db.h - the database behind the store: files in a state directory (SQLite), or a server (PostgreSQL).  One writer at a time, any
 * number of readers; what was committed stays, whatever happens to the process or the machine.
 * Statements are prepared once and kept.  They are SQL that both understand: pg-sql.h says what is translated; texts are ordered
 * by their bytes, but whether NULL comes first or last is not told.
 * Not here: what is stored (assets.h, ledger.h …), what is behind (db-driver.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"

#define QN_DB_STATEMENTS_MAX 256u

struct qn_db_driver;
struct qn_stmt;

struct qn_db {
        const struct qn_db_driver *driver;
        void *conn;
        struct {
                const char *text; /* a literal: compared by its address */
                struct qn_stmt *stmt;
        } kept[QN_DB_STATEMENTS_MAX];
        size_t n;
};

#define QN_DB_GROWS_MAX 2u

/* One kind of store. */
struct qn_db_def {
        const char *file;         /* its name in the state directory */
        const char *schema;       /* SQL that makes its tables */
        int version;              /* of the schema: from 1 on */
        const char *missing;      /* what to say when there is none */
        const char *const *steps; /* version - 1 of them: SQL from each version to the next */
        struct {
                const char *table; /* NULL: no more */
                int since;         /* version of the schema that has it first; 0: the first one */
        } grows[QN_DB_GROWS_MAX];  /* tables that only grow: their rows stay as they are */
};

/* Opens that of a state directory, or of a database: postgres://USER@HOST/DATABASE, as libpq has it.  write: makes it when it is
 * not there; else -ENOENT.  One of an older version is brought up to date in one step, or stays as it is.  -EBADMSG: damaged or no
 * such file; -EPROTO: of a version that is not known here; -EBUSY: another process holds it for too long; -ECONNREFUSED: there is
 * no way to the server, or it does not let us in. */
QN_MUST int qn_db_open(const struct qn_db_def *def, const char *where, bool write,
                       struct qn_db *ret, struct qn_err *reterr);
void qn_db_close(struct qn_db *db);
/* How long a statement waits while another process writes. */
QN_MUST int qn_db_patience(struct qn_db *db, int ms);
/* Fills in what a code of the functions below is about, for people, and returns it.  A connection that was lost (-ECONNRESET) is
 * made again by what comes next, outside of a transaction. */
int qn_db_fail(struct qn_db *db, int code, struct qn_err *reterr);

/* A transaction that writes. */
QN_MUST int qn_db_begin(struct qn_db *db);
QN_MUST int qn_db_commit(struct qn_db *db);
void qn_db_rollback(struct qn_db *db);

/* One that reads, and sees the store as it is now, whoever writes: ends with qn_db_rollback(). */
QN_MUST int qn_db_snapshot(struct qn_db *db);

/* Statements without values and rows. */
QN_MUST int qn_db_exec(struct qn_db *db, const char *sql);
/* The statement of a literal, reset and without values; NULL when it cannot be prepared, which all below take, and fail. */
struct qn_stmt *qn_db_prepare(struct qn_db *db, const char *sql);
/* 1 a row, 0 the end, -errno. */
QN_MUST int qn_db_step(struct qn_stmt *s);
/* The same where there has to be a row: 0, or -ENOENT.  Reset it in any case. */
QN_MUST int qn_db_row(struct qn_stmt *s);
/* Runs a statement that gives no rows. */
QN_MUST int qn_db_run(struct qn_stmt *s);
/* Runs one that gives a number at the most: 1, or 0 when it gives none. */
QN_MUST int qn_db_first(struct qn_stmt *s, int64_t *ret);
/* It is done with its rows. */
void qn_db_reset(struct qn_stmt *s);
/* How many rows the last statement changed. */
int qn_db_changes(struct qn_db *db);

/* What the database finds wrong in what it keeps; goes on while fn returns 0. */
typedef int qn_db_fault_fn(void *ctx, struct qn_str what);
QN_MUST int qn_db_check(struct qn_db *db, qn_db_fault_fn *fn, void *ctx);
/* Gives back the room of what was forgotten, and counts anew what makes queries fast. */
QN_MUST int qn_db_vacuum(struct qn_db *db);

/* Values from 1 on; p NULL: no value.  They are borrowed until the statement ran. */
void qn_db_bind_text(struct qn_stmt *s, int at, struct qn_str v);
void qn_db_bind_int(struct qn_stmt *s, int at, int64_t v);
void qn_db_bind_blob(struct qn_stmt *s, int at, struct qn_str v);
/* Of the row at hand, from 0 on; texts live until the next step. */
struct qn_str qn_db_text(struct qn_stmt *s, int at);
int64_t qn_db_int(struct qn_stmt *s, int at);
struct qn_str qn_db_blob(struct qn_stmt *s, int at);
bool qn_db_is_null(struct qn_stmt *s, int at);
