#include "store/export.h"

#include <errno.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/limits.h"

#define COLUMNS_MAX 12
#define LINE_SIZE   (2 * QN_EVENTS_REPLY_MAX) /* the events of a version are no larger */

struct column {
        const char *name;
        enum { TEXT, NUMBER, BYTES } type;
};

#define OF_VERSION              \
        { "name", TEXT },       \
        {                       \
                "version", TEXT \
        }
#define VERDICT                                                       \
        { "verdict", TEXT }, { "score", NUMBER }, { "reason", TEXT }, \
        {                                                             \
                "rules", TEXT                                         \
        }

static const struct table {
        const char *name, *sql;
        struct column columns[COLUMNS_MAX];
} tables[] = {
        { "version",
          "SELECT name, version, integrity, publisher, published, seen, judged, verdict, score,"
          " reason, rules FROM version WHERE judged >= ?1 ORDER BY name, version",
          { OF_VERSION,
            { "integrity", TEXT },
            { "publisher", TEXT },
            { "published", NUMBER },
            { "seen", NUMBER },
            { "judged", NUMBER },
            VERDICT } },
        { "events",
          "SELECT v.name, v.version, e.bytes FROM events e JOIN version v ON v.id = e.version"
          " WHERE v.judged >= ?1 ORDER BY v.name, v.version",
          { OF_VERSION, { "bytes", BYTES } } },
        { "finding",
          "SELECT v.name, v.version, f.rule, f.severity, f.verdict, f.title FROM finding f"
          " JOIN version v ON v.id = f.version WHERE v.judged >= ?1"
          " ORDER BY v.name, v.version, f.rule",
          { OF_VERSION,
            { "rule", TEXT },
            { "severity", TEXT },
            { "verdict", TEXT },
            { "title", TEXT } } },
        { "judgement",
          "SELECT v.name, v.version, j.time, j.verdict, j.score, j.reason, j.rules"
          " FROM judgement j JOIN version v ON v.id = j.version WHERE j.time >= ?1"
          " ORDER BY v.name, v.version, j.id",
          { OF_VERSION, { "time", NUMBER }, VERDICT } },
        { "pending",
          "SELECT name, seq, priority, seen, due, tries, why FROM pending WHERE seen >= ?1"
          " ORDER BY name",
          { { "name", TEXT },
            { "seq", TEXT },
            { "priority", NUMBER },
            { "seen", NUMBER },
            { "due", NUMBER },
            { "tries", NUMBER },
            { "why", TEXT } } },
        { "setting",
          "SELECT key, value FROM setting ORDER BY key",
          { { "key", TEXT }, { "value", TEXT } } },
};

struct exporter {
        struct qn_buf line, value;
        struct qn_jsonw w;
        qn_export_fn *fn;
        void *ctx;
};

static void put_number(struct exporter *e, const char *name, int64_t v)
{
        if (v >= 0) {
                qn_jsonw_u64(&e->w, name, (uint64_t)v);
                return;
        }
        qn_jsonw_double(&e->w, name, (double)v, 0);
}

static void put_bytes(struct exporter *e, const char *name, struct qn_str v)
{
        qn_buf_reset(&e->value);
        qn_base64_encode(&e->value, v.p, v.n);
        qn_jsonw_str(&e->w, name, e->value.n ? qn_buf_view(&e->value) : QN_STR(""));
}

static void put_column(struct exporter *e, struct qn_stmt *s, int at, const struct column *c)
{
        if (qn_db_is_null(s, at))
                qn_jsonw_null(&e->w, c->name);
        else if (c->type == TEXT)
                qn_jsonw_str(&e->w, c->name, qn_db_text(s, at));
        else if (c->type == NUMBER)
                put_number(e, c->name, qn_db_int(s, at));
        else
                put_bytes(e, c->name, qn_db_blob(s, at));
}

static int put_row(struct exporter *e, struct qn_stmt *s, const struct table *t)
{
        int r;

        qn_buf_reset(&e->line);
        e->w = QN_JSONW_INIT(&e->line, 0);
        qn_jsonw_object(&e->w, NULL);
        qn_jsonw_cstr(&e->w, "schema", "qanat.store/1");
        qn_jsonw_cstr(&e->w, "table", t->name);
        for (int i = 0; i < COLUMNS_MAX && t->columns[i].name; i++)
                put_column(e, s, i, &t->columns[i]);
        qn_jsonw_end_object(&e->w);
        qn_buf_byte(&e->line, '\n');
        r = qn_buf_error(&e->value);
        if (r == 0)
                r = qn_buf_error(&e->line);
        return r < 0 ? r : e->fn(e->ctx, qn_buf_view(&e->line));
}

static int put_table(struct exporter *e, struct qn_db *db, const struct table *t, int64_t since)
{
        struct qn_stmt *s = qn_db_prepare(db, t->sql);
        int r, answer = 0;

        qn_db_bind_int(s, 1, since);
        while (answer == 0 && (r = qn_db_step(s)) > 0)
                answer = put_row(e, s, t);
        qn_db_reset(s);
        return answer ? answer : r;
}

int qn_store_export(struct qn_db *watch, const char *table, int64_t since, qn_export_fn *fn,
                    void *ctx)
{
        struct exporter e = { .line = QN_BUF_INIT(LINE_SIZE),
                              .value = QN_BUF_INIT(LINE_SIZE),
                              .fn = fn,
                              .ctx = ctx };
        int r = qn_db_snapshot(watch);

        for (size_t i = 0; r == 0 && i < QN_ARRAY_SIZE(tables); i++)
                if (!table || qn_str_is(qn_str_c(table), tables[i].name))
                        r = put_table(&e, watch, &tables[i], since);
        qn_db_rollback(watch);
        qn_buf_done(&e.line);
        qn_buf_done(&e.value);
        return r;
}
