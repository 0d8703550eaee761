#include "store/pg-link.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/str.h"

#define PATIENCE_MS 30000
#define AGAIN_MS \
        2000 /* from one attempt to connect again to the next: who asks meanwhile does not wait */
/* A server that does not answer at all: what locks wait for, many times over, and at least so long. */
#define STATEMENT_MS_MIN 60000
#define STATEMENT_FACTOR 20

/* --- addresses --- */

bool qn_pg_is_url(const char *where)
{
        struct qn_str s = qn_str_c(where);

        return qn_str_starts(s, "postgres://") || qn_str_starts(s, "postgresql://");
}

/* A password that has @ or / in it unescaped would be taken for a host or a database, whose names are told where they fail. */
static bool is_unambiguous(struct qn_str url)
{
        struct qn_str rest = qn_str_skip(url, (size_t)qn_str_find(url, QN_STR("://")) + 3);
        const struct qn_str before = qn_str_cut(&rest, '?');
        const ptrdiff_t first = qn_str_chr(before, '@'), last = qn_str_rchr(before, '@'),
                        slash = qn_str_chr(before, '/');

        return first == last && (slash < 0 || last < slash);
}

static const char *option(const PQconninfoOption *o, const char *name)
{
        for (; o->keyword; o++)
                if (qn_str_is(qn_str_c(o->keyword), name))
                        return o->val ? o->val : "";
        return "";
}

static void name_server(struct qn_pg *p, const PQconninfoOption *o)
{
        const char *host = option(o, "host"), *port = option(o, "port");

        snprintf(p->label, sizeof p->label, "PostgreSQL at %.40s%s%.5s/%.30s",
                 *host ? host : "its socket", *port ? ":" : "", port, option(o, "dbname"));
}

/* That of several hosts is "5432,5433". */
static bool is_port(const char *port)
{
        return port[strspn(port, "0123456789,")] == '\0';
}

static int parse_url(struct qn_pg *p)
{
        char *message = NULL; /* it may quote a password */
        PQconninfoOption *o = PQconninfoParse(p->url, &message);
        int r;

        PQfreemem(message);
        if (!o)
                return message ? -EINVAL : -ENOSYS;
        name_server(p, o);
        r = is_port(option(o, "port")) ? 0 : -EINVAL;
        PQconninfoFree(o);
        return r;
}

static int read_url(struct qn_pg *p)
{
        int r = is_unambiguous(qn_str_c(p->url)) ? parse_url(p) : -EINVAL;

        if (r == -EINVAL)
                return qn_fail(&p->last, r, 0,
                               "the store's address cannot be read: postgres://USER@HOST:PORT/"
                               "DATABASE; in a password write @ as %%40, / as %%2F, ? as %%3F");
        if (r == -ENOSYS)
                return qn_fail(&p->last, r, 0, "PostgreSQL's client library is missing: libpq5");
        return r;
}

/* "watch.db" → "qanat_watch" */
static int name_schema(struct qn_pg *p, const char *file)
{
        size_t n = (size_t)snprintf(p->schema, sizeof p->schema, "qanat_");

        for (const char *c = file; *c && *c != '.'; c++) {
                if (n + 1 >= sizeof p->schema)
                        return -ENAMETOOLONG;
                p->schema[n++] =
                        isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
        }
        p->schema[n] = '\0';
        return 0;
}

/* --- what goes wrong --- */

/* By the begin of the SQLSTATE; the first one counts. */
static const struct {
        const char *state;
        int code;
} codes[] = {
        { "08", -ECONNRESET },  /* connection */
        { "22021", -EILSEQ },   /* no UTF-8 */
        { "25006", -EROFS },    /* a standby */
        { "28", -EACCES },      /* who are you */
        { "40", -EBUSY },       /* serialisation, deadlock */
        { "42501", -EACCES },   /* privilege */
        { "42P01", -EBADMSG },  /* a table is missing */
        { "42703", -EBADMSG },  /* a column */
        { "53100", -ENOSPC },   /* disk */
        { "53200", -ENOMEM },   /* memory */
        { "53400", -EFBIG },    /* a limit of the configuration */
        { "53", -EBUSY },       /* connections */
        { "54", -EFBIG },       /* a limit of the program */
        { "55P03", -EBUSY },    /* a lock */
        { "57014", -EBUSY },    /* out of time */
        { "57P", -ECONNRESET }, /* it is shut down */
        { "XX001", -EBADMSG },  /* data, */
        { "XX002", -EBADMSG },  /* or an index, are damaged */
};

static int code_of(const char *state)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(codes); i++)
                if (qn_str_starts(qn_str_c(state), codes[i].state))
                        return codes[i].code;
        return -EIO;
}

static struct qn_str first_line(const char *message)
{
        struct qn_str rest = qn_str_c(message ? message : "");

        return qn_str_trim(qn_str_cut(&rest, '\n'));
}

static bool is_up(const struct qn_pg *p)
{
        return p->conn && !p->broken && PQstatus(p->conn) == CONNECTION_OK;
}

static int lost(struct qn_pg *p)
{
        return qn_fail(&p->last, -ECONNRESET, 0, "%s: the connection was lost", p->label);
}

int qn_pg_check(struct qn_pg *p, const PGresult *result)
{
        const ExecStatusType status = PQresultStatus(result);
        const char *state, *message;

        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
            status == PGRES_EMPTY_QUERY) {
                p->last.code = 0;
                return 0;
        }
        if (!is_up(p))
                return lost(p);
        state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        if (!state)
                return qn_fail(&p->last, -EIO, 0, "%s: %.*s", p->label,
                               QN_STR_ARG(first_line(PQerrorMessage(p->conn))));
        if (qn_str_is(qn_str_c(state), "25P02")) /* what made the transaction fail has been told */
                return -EIO;
        p->broken = code_of(state) == -ECONNRESET;
        return p->broken ? lost(p)
                         : qn_fail(&p->last, code_of(state), 0, "%s: %s", p->label,
                                   message ? message : state);
}

/* --- life --- */

static void be_silent(void *ctx, const char *message)
{
        (void)ctx;
        (void)message;
}

static PGconn *dial(const struct qn_pg *p)
{
        static const char *const keys[] = { "connect_timeout",
                                            "keepalives_idle",
                                            "keepalives_interval",
                                            "keepalives_count",
                                            "tcp_user_timeout",
                                            "fallback_application_name",
                                            "dbname", /* the address: what it says counts more */
                                            "client_encoding",
                                            NULL };
        const char *const values[] = {
                "10", "15", "5", "3", "30000", "qanat", p->url, "UTF8", NULL
        };
        PGconn *c = PQconnectdbParams(keys, values, 1);

        if (c)
                PQsetNoticeProcessor(c, be_silent, NULL);
        return c;
}

static int do_now(struct qn_pg *p, const char *sql)
{
        PGresult *result = PQexec(p->conn, sql);
        int r = qn_pg_check(p, result);

        PQclear(result);
        return r;
}

static int set_patience(struct qn_pg *p)
{
        char sql[160];

        snprintf(sql, sizeof sql, "SET lock_timeout TO %d; SET statement_timeout TO %d",
                 QN_MAX(p->patience, 1),
                 QN_MAX(QN_MIN(p->patience, INT32_MAX / STATEMENT_FACTOR) * STATEMENT_FACTOR,
                        STATEMENT_MS_MIN));
        return do_now(p, sql);
}

/* What was committed stays, even where the server is told otherwise. */
static int set_session(struct qn_pg *p)
{
        char sql[512];

        snprintf(sql, sizeof sql,
                 "SET search_path TO \"%s\", pg_temp; SET client_min_messages TO warning;"
                 "SET standard_conforming_strings TO on; SET DateStyle TO ISO;"
                 "SELECT set_config('synchronous_commit', 'on', false)"
                 " WHERE current_setting('synchronous_commit') = 'off'",
                 p->schema);
        return do_now(p, sql);
}

static int is_utf8(struct qn_pg *p)
{
        const char *encoding = PQparameterStatus(p->conn, "server_encoding");

        if (encoding && qn_str_is(qn_str_c(encoding), "UTF8"))
                return 0;
        return qn_fail(&p->last, -ENOTSUP, 0,
                       "%s: it is encoded in %s: make a database with ENCODING 'UTF8'", p->label,
                       encoding ? encoding : "nothing known");
}

static int begin_session(struct qn_pg *p)
{
        int r = is_utf8(p);

        if (r == 0)
                r = set_session(p);
        return r == 0 ? set_patience(p) : r;
}

static int connect_anew(struct qn_pg *p)
{
        int r;

        PQfinish(p->conn);
        p->conn = dial(p);
        p->generation++;
        p->broken = false;
        if (!p->conn)
                return qn_fail(&p->last, -ENOMEM, 0, "%s: out of memory", p->label);
        if (PQstatus(p->conn) == CONNECTION_OK)
                r = begin_session(p);
        else
                r = qn_fail(&p->last, -ECONNREFUSED, 0, "%.*s",
                            QN_STR_ARG(first_line(PQerrorMessage(p->conn))));
        if (r < 0) {
                PQfinish(p->conn);
                p->conn = NULL;
        }
        return r;
}

static int64_t now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

int qn_pg_ensure(struct qn_pg *p)
{
        int r;

        if (is_up(p))
                return 0;
        if (p->in_transaction)
                return lost(p);
        if (p->failed && now_ms() - p->failed < AGAIN_MS)
                return p->last.code;
        r = connect_anew(p);
        p->failed = r < 0 ? now_ms() : 0;
        return r;
}

int qn_pg_open(const char *url, const char *file, struct qn_pg **ret, struct qn_err *reterr)
{
        struct qn_pg *p = calloc(1, sizeof *p);
        int r = p && (p->url = strdup(url)) ? name_schema(p, file) : -ENOMEM;

        if (r == 0) {
                p->patience = PATIENCE_MS;
                r = read_url(p);
        }
        if (r == 0)
                r = connect_anew(p);
        if (r == 0) {
                *ret = p;
                return 0;
        }
        if (p && p->last.msg[0])
                qn_fail(reterr, r, 0, "%s", p->last.msg);
        qn_pg_free(p);
        return r;
}

struct qn_pg *qn_pg_free(struct qn_pg *p)
{
        if (!p)
                return NULL;
        PQfinish(p->conn);
        if (p->url)
                explicit_bzero(p->url, strlen(p->url));
        free(p->url);
        free(p);
        return NULL;
}

int qn_pg_patience(struct qn_pg *p, int ms)
{
        p->patience = ms;
        return qn_pg_ensure(p) < 0 ? -ECONNRESET : set_patience(p);
}

int qn_pg_do(struct qn_pg *p, const char *sql)
{
        int r = qn_pg_ensure(p);

        return r == 0 ? do_now(p, sql) : r;
}
