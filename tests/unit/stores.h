/* stores.h - tests that run with each database behind the store: in a directory of their own, and in an empty database of the server
 * that tests/cli/postgres.py started.  Include after test.h. */
#pragma once

#include <ftw.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "store/watch-db.h"

enum backend { LITE, POSTGRES };

struct place {
        enum backend backend;
        char dir[64];
        const char *where; /* for qn_db_open() */
        struct qn_db db;
        struct qn_arena a;
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
        (void)st;
        (void)type;
        (void)f;
        return remove(path);
}

/* What the store would not do.  database NULL: that of the tests. */
static inline void run_pg_in(const char *database, const char *sql)
{
        const char *const keys[] = { "dbname", database ? "dbname" : NULL, NULL };
        const char *const values[] = { getenv("QANAT_TEST_PG"), database, NULL };
        PGconn *c = PQconnectdbParams(keys, values, 1);
        PGresult *r;

        ASSERT_EQ(PQstatus(c), CONNECTION_OK);
        PQclear(PQexec(c, "SET client_min_messages TO warning"));
        r = PQexec(c, sql);
        if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
                fail_msg("%s", PQerrorMessage(c));
        PQclear(r);
        PQfinish(c);
}

static inline void run_pg(const char *sql)
{
        run_pg_in(NULL, sql);
}

static inline void run_lite(const char *dir, const char *file, const char *sql)
{
        char path[128];
        sqlite3 *db;

        snprintf(path, sizeof path, "%s/%s", dir, file);
        ASSERT_EQ(sqlite3_open(path, &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
}

static inline void place_done(struct place *p)
{
        if (p->db.driver)
                qn_db_close(&p->db);
        qn_arena_done(&p->a);
        if (p->where)
                nftw(p->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        p->where = NULL;
}

static inline bool place_init(struct place *p, enum backend b)
{
        *p = (struct place){ .backend = b,
                             .dir = "/tmp/qanat-test-XXXXXX",
                             .a = QN_ARENA_INIT((size_t)8 << 20) };
        if (b == POSTGRES && !getenv("QANAT_TEST_PG")) {
                print_message("# without PostgreSQL: it is not installed\n");
                return false;
        }
        ASSERT_NOT_NULL(mkdtemp(p->dir));
        p->where = b == POSTGRES ? getenv("QANAT_TEST_PG") : p->dir;
        if (b == POSTGRES)
                run_pg("DO 'DECLARE s text; BEGIN FOR s IN SELECT nspname FROM pg_namespace"
                       " WHERE nspname LIKE ''qanat%'' LOOP"
                       " EXECUTE ''DROP SCHEMA '' || quote_ident(s) || '' CASCADE'';"
                       " END LOOP; END'");
        return true;
}

static inline bool place_next(struct place *p)
{
        const bool first = !p->where;

        place_done(p);
        if (first)
                return place_init(p, LITE);
        return p->backend == LITE && place_init(p, POSTGRES);
}

/* { … } once for each database; p is an empty place in it. */
#define EACH_PLACE(p) for (struct place p = { 0 }; place_next(&p);)

static inline bool wants_pg(void)
{
        return getenv("QANAT_TEST_ON_PG") && getenv("QANAT_TEST_PG");
}

/* An empty watch store for the rest of the block: in a directory, or with $QANAT_TEST_ON_PG in the server. */
#define WATCH_PLACE(p)                                             \
        _cleanup_(place_done) struct place p = { 0 };              \
        ASSERT_TRUE(place_init(&p, wants_pg() ? POSTGRES : LITE)); \
        ASSERT_EQ(qn_db_open(&qn_db_watch, p.where, true, &p.db, NULL), 0)

#ifdef TEST_UNIT
/* The store that an older version made: KIND-1.sql, for PostgreSQL KIND-1.pg.sql. */
static inline void run_kept(const struct place *p, const char *kind, struct qn_buf *b)
{
        char path[512], file[64];

        snprintf(path, sizeof path, "%s/%s-1%s.sql", TEST_UNIT, kind,
                 p->backend == POSTGRES ? ".pg" : "");
        snprintf(file, sizeof file, "%s.db", kind);
        ASSERT_EQ(qn_io_read(path, b), 0);
        ASSERT_EQ(qn_buf_byte(b, 0), 0);
        if (p->backend == POSTGRES)
                run_pg(b->p);
        else
                run_lite(p->dir, file, b->p);
}
#endif

static inline int64_t number(struct qn_db *db, const char *sql)
{
        int64_t n = INT64_MIN;

        ASSERT_EQ(qn_db_first(qn_db_prepare(db, sql), &n), 1);
        return n;
}
