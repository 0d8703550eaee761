/* db-pg.c - PostgreSQL: each kind of store has a schema of its own in the database.
 * A statement's types are those of the values that it was given, so it is prepared when it runs.  Its rows are read whole, so that
 * others may run meanwhile; many of them come through a cursor, some at a time. */
#include <endian.h>
#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "store/db-driver.h"
#include "store/pg-link.h"
#include "store/pg-sql.h"

#define ROWS_MAX 256                /* that are held at a time, of what may be many */
#define SQL_MAX  ((size_t)16 << 10) /* bytes of a statement */

enum {
        TYPE_BOOL = 16,
        TYPE_BYTEA = 17,
        TYPE_INT8 = 20,
        TYPE_INT2 = 21,
        TYPE_INT4 = 23,
        TYPE_TEXT = 25
};

struct store {
        struct qn_pg *pg;
        unsigned
                names; /* given so far: none comes twice, as one may stay where a transaction failed */
        int changes;
};

struct statement {
        struct qn_stmt base;
        struct store *store;
        struct qn_pg *pg; /* that of the store */
        char *sql;
        struct qn_pg_sql about;
        unsigned name, cursor;       /* on the server: "s1", "q2" */
        unsigned prepared, declared; /* generation of the connection; 0: not */
        bool ran;
        int refused; /* -errno: a value that it was given */
        PGresult *rows;
        int row;
        Oid types[QN_PG_PARAMS_MAX]; /* as far as they are known */
        Oid known[QN_PG_PARAMS_MAX]; /* to the server */
        const char *values[QN_PG_PARAMS_MAX];
        int lengths[QN_PG_PARAMS_MAX];
        int64_t numbers[QN_PG_PARAMS_MAX];
        char *mended[QN_PG_PARAMS_MAX];
        struct qn_arena texts; /* of the row at hand that were mended */
};

static struct store *store_of(struct qn_db *db)
{
        return db->conn;
}

static struct statement *of(struct qn_stmt *s)
{
        return (struct statement *)s;
}

/* --- connection --- */

static int connect_pg(const struct qn_db_def *def, const char *where, bool write, struct qn_db *db,
                      struct qn_err *reterr)
{
        struct store *s = calloc(1, sizeof *s);
        int r = s ? qn_pg_open(where, def->file, &s->pg, reterr) : -ENOMEM;

        (void)write;
        if (r < 0)
                free(s);
        else
                db->conn = s;
        return r;
}

static void close_pg(struct qn_db *db)
{
        qn_pg_free(store_of(db)->pg);
        free(db->conn);
}

static int patience(struct qn_db *db, int ms)
{
        return qn_pg_patience(store_of(db)->pg, ms);
}

static void explain(struct qn_db *db, int code, struct qn_err *ret)
{
        const struct qn_pg *p = store_of(db)->pg;

        if (p->last.code == code)
                *ret = p->last;
        else
                qn_fail(ret, code, 0, "%s: %s", p->label,
                        code == -EBADMSG ? "the store is damaged" : strerrordesc_np(-code));
}

static int exec(struct qn_db *db, const char *sql)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_pg_sql about;
        int r = qn_pg_translate(qn_str_c(sql), &b, &about);

        return r == 0 && b.n ? qn_pg_do(store_of(db)->pg, b.p) : r;
}

static int changes(struct qn_db *db)
{
        return store_of(db)->changes;
}

/* --- versions of a schema --- */

/* The number that a query without values gives; 0 when it gives none. */
static int ask_number(struct qn_pg *p, const char *sql, int *ret)
{
        PGresult *result;
        int r = qn_pg_ensure(p);

        if (r < 0)
                return r;
        result = PQexec(p->conn, sql);
        r = qn_pg_check(p, result);
        if (r == 0)
                *ret = PQntuples(result) ? (int)strtol(PQgetvalue(result, 0, 0), NULL, 10) : 0;
        PQclear(result);
        return r;
}

static int read_version(struct qn_db *db, int *ret)
{
        struct qn_pg *p = store_of(db)->pg;
        char sql[256];
        int there = 0, r;

        /* Not to_regclass(): it may not know yet what another process has just made. */
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM pg_tables WHERE schemaname = '%s'"
                 " AND tablename = 'qanat_schema'",
                 p->schema);
        r = ask_number(p, sql, &there);
        *ret = 0;
        if (r < 0 || !there)
                return r;
        snprintf(sql, sizeof sql, "SELECT version FROM \"%s\".qanat_schema", p->schema);
        return ask_number(p, sql, ret);
}

static int write_version(struct qn_db *db, int version)
{
        char sql[128];

        snprintf(sql, sizeof sql,
                 "DELETE FROM qanat_schema; INSERT INTO qanat_schema(version) VALUES(%d)", version);
        return qn_pg_do(store_of(db)->pg, sql);
}

static int let_grow_only(struct qn_db *db, const char *table)
{
        char sql[512];

        snprintf(sql, sizeof sql,
                 "CREATE FUNCTION \"%s_stays\"() RETURNS trigger LANGUAGE plpgsql AS"
                 " 'BEGIN RAISE EXCEPTION ''the ledger changes and forgets nothing''; END';"
                 "CREATE TRIGGER \"%s_stays\" BEFORE DELETE OR UPDATE OR TRUNCATE ON \"%s\""
                 " EXECUTE FUNCTION \"%s_stays\"()",
                 table, table, table, table);
        return qn_pg_do(store_of(db)->pg, sql);
}

static int make(struct qn_db *db, const struct qn_db_def *def)
{
        struct qn_pg *p = store_of(db)->pg;
        char sql[256];
        int r;

        snprintf(sql, sizeof sql,
                 "CREATE SCHEMA IF NOT EXISTS \"%s\";"
                 "CREATE TABLE qanat_schema(version INTEGER NOT NULL)",
                 p->schema);
        r = qn_pg_do(p, sql);
        if (r == 0)
                r = exec(db, def->schema);
        return r;
}

/* --- transactions --- */

/* Writers of a store wait for each other, from the begin on. */
static int begin_once(struct qn_pg *p)
{
        char sql[160];
        uint32_t key = 2166136261u;
        int r;

        for (const char *c = p->schema; *c; c++)
                key = (key ^ (unsigned char)*c) * 16777619u;
        snprintf(sql, sizeof sql,
                 "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
                 "SELECT pg_advisory_xact_lock(%d, %d)",
                 0x71616e61, (int)(key >> 1));
        r = qn_pg_do(p, sql);
        if (r < 0 && r != -ECONNRESET)
                PQclear(PQexec(p->conn, "ROLLBACK"));
        return r;
}

static int begin(struct qn_db *db)
{
        struct qn_pg *p = store_of(db)->pg;
        int r = begin_once(p);

        if (r == -ECONNRESET && !p->in_transaction)
                r = begin_once(p);
        p->in_transaction |= r == 0;
        return r;
}

static int snapshot(struct qn_db *db)
{
        struct qn_pg *p = store_of(db)->pg;
        int r = qn_pg_do(p, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

        p->in_transaction |= r == 0;
        return r;
}

/* A transaction that failed is rolled back by COMMIT, which says so. */
static int commit(struct qn_db *db)
{
        struct qn_pg *p = store_of(db)->pg;
        int r = qn_pg_ensure(p);
        PGresult *result;

        if (r == 0) {
                result = PQexec(p->conn, "COMMIT");
                r = qn_pg_check(p, result);
                if (r == 0 && !qn_str_is(qn_str_c(PQcmdStatus(result)), "COMMIT"))
                        r = -EIO;
                PQclear(result);
        }
        p->in_transaction = false;
        return r;
}

static void rollback(struct qn_db *db)
{
        struct qn_pg *p = store_of(db)->pg;

        if (p->conn)
                PQclear(PQexec(p->conn, "ROLLBACK"));
        p->in_transaction = false;
}

/* --- care --- */

/* Each row is a query that tells of a fault, or gives no row. */
static const char questions[] =
        "SELECT format('SELECT %%L || count(*) FROM %%I.%%I c WHERE c.%%I IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM %%I.%%I p WHERE p.%%I = c.%%I) HAVING count(*) > 0',"
        " c.relname || ': rows that refer to no ' || p.relname || ': ', '%s', c.relname,"
        " ca.attname, '%s', p.relname, pa.attname, ca.attname)"
        " FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid"
        " JOIN pg_class p ON p.oid = f.confrelid"
        " JOIN pg_attribute ca ON ca.attrelid = c.oid AND ca.attnum = f.conkey[1]"
        " JOIN pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = f.confkey[1]"
        " WHERE f.contype = 'f' AND f.connamespace = '%s'::regnamespace UNION ALL"
        " SELECT format('SELECT %%L', 'the constraint ' || conname || ' is not valid')"
        " FROM pg_constraint WHERE connamespace = '%s'::regnamespace AND NOT convalidated"
        " UNION ALL SELECT format('SELECT %%L', 'the index ' || c.relname || ' is not valid')"
        " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = '%s'::regnamespace AND NOT i.indisvalid ORDER BY 1";

/* Calls with the first column of each row of a query. */
static int each_text(struct qn_pg *p, const char *sql, qn_db_fault_fn *fn, void *ctx)
{
        int r = qn_pg_ensure(p);
        PGresult *result;

        if (r < 0)
                return r;
        result = PQexec(p->conn, sql);
        r = qn_pg_check(p, result);
        for (int i = 0; r == 0 && i < PQntuples(result); i++)
                r = fn(ctx, qn_str_c(PQgetvalue(result, i, 0)));
        PQclear(result);
        return r;
}

struct asking {
        struct qn_pg *pg;
        qn_db_fault_fn *fn;
        void *ctx;
};

static int ask(void *ctx, struct qn_str sql)
{
        const struct asking *a = ctx;

        return each_text(a->pg, sql.p, a->fn, a->ctx);
}

static int check(struct qn_db *db, qn_db_fault_fn *fn, void *ctx)
{
        struct qn_pg *p = store_of(db)->pg;
        char sql[sizeof questions + 5 * sizeof p->schema];

        snprintf(sql, sizeof sql, questions, p->schema, p->schema, p->schema, p->schema, p->schema);
        return each_text(p, sql, ask, &(struct asking){ p, fn, ctx });
}

static int vacuum_table(void *ctx, struct qn_str table)
{
        struct qn_pg *p = ctx;
        char sql[256];

        snprintf(sql, sizeof sql, "VACUUM (ANALYZE) \"%s\".\"%.64s\"", p->schema, table.p);
        return qn_pg_do(p, sql);
}

static int vacuum(struct qn_db *db)
{
        struct qn_pg *p = store_of(db)->pg;
        char sql[192];
        int r;

        snprintf(sql, sizeof sql,
                 "SELECT tablename FROM pg_tables WHERE schemaname = '%s' ORDER BY 1", p->schema);
        r = qn_pg_do(p, "SET statement_timeout TO 0"); /* of a large table it takes its time */
        if (r == 0)
                r = each_text(p, sql, vacuum_table, p);
        return r == 0 ? qn_pg_patience(p, p->patience) : r;
}

/* --- statements: life --- */

static int prepare(struct qn_db *db, const char *sql, struct qn_stmt **ret)
{
        struct qn_buf b = QN_BUF_INIT(SQL_MAX);
        struct statement *s = calloc(1, sizeof *s);
        int r = s ? qn_pg_translate(qn_str_c(sql), &b, &s->about) : -ENOMEM;

        if (r < 0) {
                qn_buf_done(&b);
                free(s);
                return r;
        }
        s->base.driver = &qn_db_pg;
        s->store = store_of(db);
        s->pg = s->store->pg;
        s->sql = b.p;
        s->texts = QN_ARENA_INIT((size_t)INT32_MAX);
        *ret = &s->base;
        return 0;
}

static void close_cursor(struct statement *s)
{
        char sql[32];

        if (s->declared && s->declared == s->pg->generation && s->pg->conn) {
                snprintf(sql, sizeof sql, "CLOSE q%u", s->cursor);
                PQclear(PQexec(s->pg->conn, sql));
        }
        s->declared = 0;
}

static void reset(struct qn_stmt *base)
{
        struct statement *s = of(base);

        close_cursor(s);
        PQclear(s->rows);
        s->rows = NULL;
        s->ran = false;
}

static void clear(struct qn_stmt *base)
{
        struct statement *s = of(base);

        s->refused = 0;
        for (unsigned i = 0; i < s->about.params; i++) {
                free(s->mended[i]);
                s->mended[i] = NULL;
                s->values[i] = NULL;
                s->lengths[i] = 0;
        }
}

static void finalize(struct qn_stmt *base)
{
        reset(base);
        clear(base);
        qn_arena_done(&of(base)->texts);
        free(of(base)->sql);
        free(base);
}

/* --- statements: values --- */

static bool is_param(const struct statement *s, int at)
{
        return at >= 1 && (unsigned)at <= s->about.params;
}

static void bind(struct statement *s, int at, struct qn_str v, Oid type)
{
        if (v.n > INT32_MAX)
                s->refused = -EFBIG;
        if (!is_param(s, at) || !v.p || v.n > INT32_MAX)
                return;
        s->values[at - 1] = v.p;
        s->lengths[at - 1] = (int)v.n;
        s->types[at - 1] = type;
}

static void bind_text(struct qn_stmt *base, int at, struct qn_str v)
{
        struct qn_buf b = QN_BUF_INIT((size_t)INT32_MAX);
        struct statement *s = of(base);

        if (!v.p || qn_pg_is_sound(v)) {
                bind(s, at, v, TYPE_TEXT);
                return;
        }
        qn_pg_mend(v, &b);
        if (!is_param(s, at) || qn_buf_error(&b) < 0) {
                s->refused = qn_buf_error(&b) == -ENOBUFS ? -EFBIG : qn_buf_error(&b);
                qn_buf_done(&b);
                return;
        }
        free(s->mended[at - 1]);
        s->mended[at - 1] = b.p;
        bind(s, at, qn_buf_view(&b), TYPE_TEXT);
}

static void bind_int(struct qn_stmt *base, int at, int64_t v)
{
        struct statement *s = of(base);

        if (!is_param(s, at))
                return;
        s->numbers[at - 1] = (int64_t)htobe64((uint64_t)v);
        bind(s, at, (struct qn_str){ (const char *)&s->numbers[at - 1], sizeof v }, TYPE_INT8);
}

static void bind_blob(struct qn_stmt *base, int at, struct qn_str v)
{
        bind(of(base), at, v, TYPE_BYTEA);
}

/* --- statements: running --- */

static const int all_binary[QN_PG_PARAMS_MAX] = { [0 ... QN_PG_PARAMS_MAX - 1] = 1 };

/* Keeps the rows. */
static int take(struct statement *s, PGresult *rows)
{
        int r = qn_pg_check(s->pg, rows);

        PQclear(s->rows);
        s->rows = NULL;
        s->row = -1;
        if (r < 0)
                PQclear(rows);
        else
                s->rows = rows;
        return r;
}

static int prepare_on_server(struct statement *s)
{
        const size_t size = s->about.params * sizeof *s->types;
        char name[32], sql[SQL_MAX + 32];
        PGresult *result;
        int r;

        if (s->prepared == s->pg->generation && memcmp(s->types, s->known, size) == 0)
                return 0;
        if (s->prepared == s->pg->generation) {
                snprintf(sql, sizeof sql, "DEALLOCATE s%u", s->name);
                PQclear(PQexec(s->pg->conn, sql));
        }
        s->prepared = 0;
        s->name = ++s->store->names;
        snprintf(name, sizeof name, "s%u", s->name);
        if (s->about.open_ended)
                snprintf(sql, sizeof sql, "%s LIMIT %d", s->sql, ROWS_MAX + 1);
        result = PQprepare(s->pg->conn, name, s->about.open_ended ? sql : s->sql,
                           (int)s->about.params, s->types);
        r = qn_pg_check(s->pg, result);
        PQclear(result);
        if (r < 0)
                return r;
        memcpy(s->known, s->types, size);
        s->prepared = s->pg->generation;
        return 0;
}

/* What was left of the rows is gone with a connection. */
static int fetch(struct statement *s)
{
        char sql[64];

        if (s->declared != s->pg->generation)
                return -ECONNRESET;
        snprintf(sql, sizeof sql, "FETCH FORWARD %d FROM q%u", ROWS_MAX, s->cursor);
        return take(s, PQexecParams(s->pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1));
}

/* It outlives the transaction in which it was declared. */
static int declare(struct statement *s)
{
        char sql[SQL_MAX + 64];
        PGresult *result;
        int r;

        s->cursor = ++s->store->names;
        snprintf(sql, sizeof sql, "DECLARE q%u NO SCROLL CURSOR WITH HOLD FOR %s", s->cursor,
                 s->sql);
        result = PQexecParams(s->pg->conn, sql, (int)s->about.params, s->types, s->values,
                              s->lengths, all_binary, 1);
        r = qn_pg_check(s->pg, result);
        PQclear(result);
        if (r < 0)
                return r;
        s->declared = s->pg->generation;
        return fetch(s);
}

static int run_once(struct statement *s)
{
        char name[32];
        int r = qn_pg_ensure(s->pg);

        if (r == 0)
                r = prepare_on_server(s);
        if (r < 0)
                return r;
        snprintf(name, sizeof name, "s%u", s->name);
        r = take(s, PQexecPrepared(s->pg->conn, name, (int)s->about.params, s->values, s->lengths,
                                   all_binary, 1));
        if (r == 0 && s->about.open_ended && PQntuples(s->rows) > ROWS_MAX)
                r = declare(s);
        return r;
}

static bool is_known_type(Oid type)
{
        static const Oid known[] = { TYPE_BOOL, TYPE_BYTEA, TYPE_INT8,
                                     TYPE_INT2, TYPE_INT4,  TYPE_TEXT };

        for (size_t i = 0; i < QN_ARRAY_SIZE(known); i++)
                if (known[i] == type)
                        return true;
        return false;
}

static int check_types(struct statement *s)
{
        for (int i = 0; i < PQnfields(s->rows); i++)
                if (!is_known_type(PQftype(s->rows, i)))
                        return qn_fail(&s->pg->last, -EPROTO, 0,
                                       "%s: column %d has a type that is not known here",
                                       s->pg->label, i);
        return 0;
}

/* What only reads is asked once more where the connection was lost. */
static int run(struct statement *s)
{
        int r = s->refused ? s->refused : run_once(s);

        if (r == -ECONNRESET && s->about.select && !s->pg->in_transaction)
                r = run_once(s);
        if (r == 0)
                r = check_types(s);
        if (r < 0)
                return r;
        s->ran = true;
        if (!s->about.select)
                s->store->changes = (int)strtol(PQcmdTuples(s->rows), NULL, 10);
        return 0;
}

static int step(struct qn_stmt *base)
{
        struct statement *s = of(base);
        int r = 0;

        qn_arena_reset(&s->texts, 0);
        if (!s->ran)
                r = run(s);
        else if (s->declared && PQntuples(s->rows) && s->row + 1 == PQntuples(s->rows))
                r = fetch(s);
        if (r < 0)
                return r;
        if (s->row + 1 >= PQntuples(s->rows))
                return 0;
        s->row++;
        return 1;
}

/* --- statements: rows --- */

static bool is_null(struct qn_stmt *base, int at)
{
        return PQgetisnull(of(base)->rows, of(base)->row, at) != 0;
}

static struct qn_str bytes(struct qn_stmt *base, int at)
{
        const struct statement *s = of(base);

        if (is_null(base, at))
                return (struct qn_str){ 0 };
        return (struct qn_str){ PQgetvalue(s->rows, s->row, at),
                                (size_t)PQgetlength(s->rows, s->row, at) };
}

static struct qn_str text(struct qn_stmt *base, int at)
{
        return qn_pg_unmend(bytes(base, at), &of(base)->texts);
}

static int64_t number(struct qn_stmt *base, int at)
{
        const struct qn_str v = bytes(base, at);
        const Oid type = PQftype(of(base)->rows, at);
        uint64_t n;

        if (type == TYPE_TEXT || type == TYPE_BYTEA || !v.n)
                return 0;
        n = v.n > 1 && (v.p[0] & 0x80) ? UINT64_MAX : 0; /* the sign of what is shorter */
        for (size_t i = 0; i < v.n; i++)
                n = n << 8 | (unsigned char)v.p[i];
        return (int64_t)n;
}

const struct qn_db_driver qn_db_pg = {
        .connect = connect_pg,
        .close = close_pg,
        .patience = patience,
        .explain = explain,
        .read_version = read_version,
        .write_version = write_version,
        .make = make,
        .let_grow_only = let_grow_only,
        .begin = begin,
        .snapshot = snapshot,
        .commit = commit,
        .rollback = rollback,
        .exec = exec,
        .changes = changes,
        .check = check,
        .vacuum = vacuum,
        .prepare = prepare,
        .finalize = finalize,
        .step = step,
        .reset = reset,
        .clear = clear,
        .bind_text = bind_text,
        .bind_int = bind_int,
        .bind_blob = bind_blob,
        .text = text,
        .number = number,
        .blob = bytes,
        .is_null = is_null,
};
