/* db-driver.h - what a database has to offer so that db.h works on it.  Private to db*.c.
 * SQL is SQLite's, as far as PostgreSQL has it too; what differs a driver translates (pg-sql.h). */
#pragma once

#include "store/db.h"

struct qn_stmt { /* the begin of a driver's own */
        const struct qn_db_driver *driver;
};

struct qn_db_driver {
        /* Connects: db->conn.  -ENOENT: there is none, and write is not set. */
        int (*connect)(const struct qn_db_def *def, const char *where, bool write, struct qn_db *db,
                       struct qn_err *reterr);
        void (*close)(struct qn_db *db);
        int (*patience)(struct qn_db *db, int ms);
        /* What the code means, as far as more is known of it. */
        void (*explain)(struct qn_db *db, int code, struct qn_err *ret);
        /* Of the schema: 0 while there is none. */
        int (*read_version)(struct qn_db *db, int *ret);
        int (*write_version)(struct qn_db *db, int version);
        int (*make)(struct qn_db *db, const struct qn_db_def *def); /* the tables */
        int (*let_grow_only)(struct qn_db *db, const char *table);  /* its rows stay as they are */
        int (*begin)(struct qn_db *db);    /* a transaction that writes: others that want to wait */
        int (*snapshot)(struct qn_db *db); /* one that reads */
        int (*commit)(struct qn_db *db);
        void (*rollback)(struct qn_db *db);
        int (*exec)(struct qn_db *db, const char *sql);
        int (*changes)(struct qn_db *db);
        int (*check)(struct qn_db *db, qn_db_fault_fn *fn, void *ctx);
        int (*vacuum)(struct qn_db *db);

        int (*prepare)(struct qn_db *db, const char *sql, struct qn_stmt **ret);
        void (*finalize)(struct qn_stmt *s);
        int (*step)(struct qn_stmt *s);
        void (*reset)(struct qn_stmt *s);
        void (*clear)(struct qn_stmt *s); /* its values */
        void (*bind_text)(struct qn_stmt *s, int at, struct qn_str v);
        void (*bind_int)(struct qn_stmt *s, int at, int64_t v);
        void (*bind_blob)(struct qn_stmt *s, int at, struct qn_str v);
        struct qn_str (*text)(struct qn_stmt *s, int at);
        int64_t (*number)(struct qn_stmt *s, int at);
        struct qn_str (*blob)(struct qn_stmt *s, int at);
        bool (*is_null)(struct qn_stmt *s, int at);
};

extern const struct qn_db_driver qn_db_sqlite, qn_db_pg;
