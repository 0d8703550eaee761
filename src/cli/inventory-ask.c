#include <errno.h>
#include <time.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "intel/affects.h"
#include "intel/index.h"
#include "intel/record.h"
#include "parse/semver.h"
#include "store/ledger.h"

#define DAY     86400
#define FETCHED "fetched" /* the kind of what a client got, whatever it did with it */

enum { EXIT_FOUND = 1 };

/* A question about holdings and its answer, in both forms. */
struct asked {
        const struct qn_args *args;
        struct qn_db db, gate;
        bool has_db, has_gate; /* either may be missing */
        struct qn_arena a;
        struct qn_buf out;
        struct qn_jsonw w;
        struct qn_table table;
        bool json;
        size_t found;
        const struct qn_range *range; /* who-has: NULL for every version */
        struct qn_str version;        /* who-has: exactly this; p NULL */
        const struct qn_osv *osv;     /* exposure */
        const struct qn_osv_affected *block;
        int64_t from, to;
};

/* clients: those of the gate count as well. */
static int begin(struct asked *q, const struct qn_args *a, const char *schema, unsigned columns,
                 bool clients)
{
        struct qn_err err = { 0 };
        int r;

        *q = (struct asked){ .args = a,
                             .a = QN_ARENA_INIT((size_t)512 << 20),
                             .out = QN_BUF_INIT(QN_INVENTORY_OUT_MAX),
                             .table = QN_TABLE_INIT(columns),
                             .json = qn_inventory_is_json(a),
                             .to = QN_TIME_OPEN };
        r = clients ? qn_db_open(&qn_db_gate, a->store, false, &q->gate, &err) : -ENOENT;
        q->has_gate = r == 0;
        if (r < 0 && r != -ENOENT)
                log_note("who fetched it through the gate is not known: %s", err.msg);
        r = qn_db_open(&qn_db_inventory, a->store, false, &q->db, &err);
        q->has_db = r == 0;
        if (r < 0 && !(r == -ENOENT && q->has_gate))
                return log_err(r, "%s", err.msg);
        q->w = QN_JSONW_INIT(&q->out, 0);
        if (q->json) {
                qn_jsonw_object(&q->w, NULL);
                qn_jsonw_cstr(&q->w, "schema", schema);
        }
        return 0;
}

/* found_matters: the exit status tells whether something was found. */
static int end(struct asked *q, int r, bool found_matters)
{
        if (q->json && r == 0) {
                qn_jsonw_end_array(&q->w);
                qn_jsonw_end_object(&q->w);
                qn_buf_byte(&q->out, '\n');
        } else if (r == 0) {
                r = qn_table_print(&q->table, &q->out, 0);
        }
        if (q->has_db)
                qn_db_close(&q->db);
        if (q->has_gate)
                qn_db_close(&q->gate);
        qn_table_done(&q->table);
        qn_arena_done(&q->a);
        r = qn_inventory_finish(&q->out, r);
        return r == 0 && found_matters && q->found ? EXIT_FOUND : r;
}

/* --- rows --- */

static void cell(struct asked *q, struct qn_str s, size_t width)
{
        struct qn_buf b = QN_BUF_INIT(8192);

        qn_show(&b, s, width, 0);
        qn_table_cell(&q->table, qn_buf_view(&b));
        qn_buf_done(&b);
}

#define PUT_FLAG(bit, field) qn_jsonw_bool(w, #field, (h->flags >> (bit)) & 1);

static void put_holding(struct asked *q, const struct qn_holding *h)
{
        struct qn_jsonw *w = &q->w;

        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "name", h->name);
        qn_inventory_put_text(w, "version", h->version.n ? h->version : (struct qn_str){ 0 });
        qn_inventory_put_text(w, "integrity", h->integrity);
        qn_inventory_put_asset(w, &h->asset);
        qn_jsonw_str(w, "source", h->path);
        qn_jsonw_str(w, "kind", h->kind);
        QN_BOM_FLAGS(PUT_FLAG)
        qn_inventory_put_time(w, "since", h->since);
        qn_inventory_put_time(w, "until", h->until);
        qn_inventory_put_time(w, "seen", h->seen);
        qn_jsonw_end_object(w);
}

static int print_holding(struct asked *q, const struct qn_holding *h)
{
        char since[QN_TIME_TEXT], until[QN_TIME_TEXT];
        struct qn_buf b = QN_BUF_INIT(8192);

        q->found++;
        if (q->json) {
                put_holding(q, h);
                return qn_buf_error(&q->out);
        }
        qn_buf_str(&b, h->name);
        qn_buf_byte(&b, '@');
        qn_buf_str(&b, h->version);
        cell(q, qn_buf_view(&b), 80);
        qn_buf_done(&b);
        cell(q, h->asset.name, 80);
        cell(q, h->path, 80);
        cell(q, h->asset.environment, 20);
        cell(q, qn_inventory_when(h->since, since), 0);
        if (qn_str_is(h->kind, FETCHED)) {
                cell(q, QN_STR("nobody knows"), 0);
                return q->table.error;
        }
        cell(q,
             h->until == QN_TIME_OPEN ? QN_STR("still there") : qn_inventory_when(h->until, until),
             0);
        return q->table.error;
}

/* --- who fetched it through the gate --- */

struct fetched {
        struct asked *q;
        qn_holding_fn *fn;
};

static int on_client(void *ctx, const struct qn_ledger_client *c)
{
        const struct fetched *f = ctx;
        const struct qn_holding h = { .name = c->artifact.name,
                                      .version = c->artifact.version,
                                      .integrity = c->artifact.integrity,
                                      .asset = { .kind = QN_STR("client"), .name = c->client },
                                      .path = QN_STR("qanat gate"),
                                      .kind = QN_STR(FETCHED),
                                      .since = c->first / 1000,
                                      .until = QN_TIME_OPEN,
                                      .seen = c->last / 1000 };

        return f->fn(f->q, &h);
}

/* What assets hold in [from, to], and what clients fetched before its end. */
static int holders(struct asked *q, struct qn_str name, int64_t from, int64_t to, qn_holding_fn *fn)
{
        struct fetched f = { q, fn };
        int r = q->has_db ? qn_holdings_of(&q->db, name, from, to, fn, q) : 0;

        if (r == 0 && q->has_gate)
                r = qn_ledger_clients(&q->gate, name, to >= INT64_MAX / 1000 ? 0 : (to + 1) * 1000,
                                      on_client, &f);
        return r;
}

/* --- who-has --- */

static int on_holding(void *ctx, const struct qn_holding *h)
{
        struct asked *q = ctx;

        if (q->version.p && !qn_str_eq(q->version, h->version) &&
            (!q->range || !qn_range_test_str(q->range, h->version)))
                return 0;
        return print_holding(q, h);
}

/* "--between T1 T2": the second one comes as an argument; "--between T1..T2" is the same. */
static int take_times(struct asked *q, const char **ret_what)
{
        struct qn_str first = qn_str_c(qn_args_get(q->args, "between")), second = { NULL, 0 };
        ptrdiff_t dots = qn_str_find(first, QN_STR(".."));
        size_t n = q->args->n;

        *ret_what = n > 1 ? q->args->argv[1] : NULL;
        if (dots >= 0) {
                second = qn_str_skip(first, (size_t)dots + 2);
                first = qn_str_take(first, (size_t)dots);
        } else if (first.p && n == 3) {
                int64_t t;
                bool front = qn_inventory_time(qn_str_c(q->args->argv[1]), &t) == 0;

                second = qn_str_c(q->args->argv[front ? 1 : 2]);
                *ret_what = q->args->argv[front ? 2 : 1];
                n = 2;
        }
        if (!*ret_what || n != 2)
                return log_err(-EINVAL,
                               "usage: qanat inventory who-has NAME[@RANGE] [--between T1 T2]");
        if (!first.p) {
                q->from = (int64_t)time(NULL);
                return 0;
        }
        if (qn_inventory_time(first, &q->from) < 0 || qn_inventory_time(second, &q->to) < 0 ||
            q->to < q->from)
                return log_err(-EINVAL, "--between needs two times, the earlier one first");
        return 0;
}

int qn_inventory_who_has(const struct qn_args *a)
{
        const char *what;
        struct asked q;
        struct qn_str name, range;
        struct qn_range *parsed = NULL;
        int r = begin(&q, a, "qanat.inventory.who-has/1", 6, true);

        if (r < 0)
                return end(&q, r, false);
        r = take_times(&q, &what);
        if (r < 0)
                return end(&q, r, false);
        name = qn_str_c(what);
        if (qn_bom_split(qn_str_c(what), &name, &range)) {
                q.version = range;
                if (qn_range_parse(range, QN_SEMVER_PRERELEASE, &q.a, &parsed) == 0)
                        q.range = parsed;
        }
        if (!name.n || (q.version.p && !q.range && !range.n))
                r = log_err(-EINVAL, "\"%s\" is no NAME or NAME@RANGE", what);
        if (q.json) {
                qn_jsonw_cstr(&q.w, "query", what);
                qn_jsonw_array(&q.w, "matches");
        }
        if (r == 0)
                r = holders(&q, name, q.from, q.to, on_holding);
        /* What is no range may still be what a source calls a version; else it must not look like an answer. */
        if (r == 0 && !q.found && q.version.p && !q.range)
                r = log_err(-EINVAL, "\"%.*s\" is no range of versions", QN_STR_ARG(q.version));
        if (r == 0 && !q.found && !q.json)
                log_note("nobody has %s", what);
        return end(&q, r, false);
}

/* --- exposure --- */

static int on_exposed(void *ctx, const struct qn_holding *h)
{
        struct asked *q = ctx;
        struct qn_affects_why why;

        return qn_osv_affects(q->block, h->version, &why) == QN_AFFECTS_NOT ? 0
                                                                            : print_holding(q, h);
}

static int look_for(struct asked *q, const struct qn_osv *osv)
{
        int r = 0;

        q->osv = osv;
        for (size_t i = 0; r == 0 && i < osv->n_affected; i++) {
                q->block = &osv->affected[i];
                r = holders(q, q->block->name, 0, QN_TIME_OPEN, on_exposed);
        }
        return r;
}

struct exposure {
        struct asked *q;
        struct qn_str word;
        struct qn_intel *index;
        size_t records;
};

static int on_record(void *ctx, const struct qn_intel_record *rec)
{
        struct exposure *x = ctx;
        struct qn_osv *osv;
        int r = qn_intel_unpack(rec->head, &x->q->a, &osv);

        if (r < 0)
                return r;
        x->records++;
        return look_for(x->q, osv);
}

/* A campaign is what the summaries and the sources of records call it. */
static bool speaks_of(const struct qn_osv *osv, struct qn_str word)
{
        bool found = qn_str_ifind(osv->summary, word) >= 0;

        for (size_t i = 0; i < osv->n_origins; i++)
                found |= qn_str_ieq(osv->origins[i].source, word) ||
                         qn_str_eq(osv->origins[i].id, word);
        return found;
}

static int on_any(void *ctx, const struct qn_intel_record *rec)
{
        struct exposure *x = ctx;
        struct qn_osv *osv;
        int r;

        qn_arena_reset(&x->q->a, 1 << 20);
        r = qn_intel_unpack(rec->head, &x->q->a, &osv);
        if (r == 0 && osv->malware)
                r = qn_intel_complete(x->index, rec, &x->q->a, osv);
        if (r < 0 || !osv->malware || !speaks_of(osv, x->word))
                return r;
        x->records++;
        return look_for(x->q, osv);
}

static int ask_intel(struct asked *q, struct qn_str what)
{
        struct exposure x = { q, what, NULL, 0 };
        struct qn_err err = { 0 };
        char dir[4096];
        int r;

        snprintf(dir, sizeof dir, "%.4000s/intel", q->args->state);
        r = qn_intel_open(dir, &x.index, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_intel_by_id(x.index, what, on_record, &x);
        if (r == 0 && !x.records)
                r = qn_intel_all(x.index, on_any, &x);
        if (r == 0 && !x.records)
                r = log_err(-ENOENT, "no record has this id, and none speaks of it");
        if (r == 0 && !q->found && !q->json)
                log_note("nobody has what %zu record%s about", x.records,
                         x.records == 1 ? " is" : "s are");
        qn_intel_close(x.index);
        return r;
}

int qn_inventory_exposure(const struct qn_args *a)
{
        struct asked q;
        int r;

        if (a->n != 2)
                return log_err(-EINVAL, "usage: qanat inventory exposure ID|CAMPAIGN");
        r = begin(&q, a, "qanat.inventory.exposure/1", 6, true);
        if (r < 0)
                return end(&q, r, false);
        if (q.json) {
                qn_jsonw_cstr(&q.w, "query", a->argv[1]);
                qn_jsonw_array(&q.w, "matches");
        }
        r = ask_intel(&q, qn_str_c(a->argv[1]));
        return end(&q, r, true);
}

/* --- stale --- */

static int on_stale(void *ctx, const struct qn_holding *h)
{
        struct asked *q = ctx;
        char seen[QN_TIME_TEXT];

        q->found++;
        if (!q->json) {
                cell(q, h->asset.name, 80);
                cell(q, h->path, 80);
                cell(q, qn_inventory_when(h->seen, seen), 0);
                return q->table.error;
        }
        qn_jsonw_object(&q->w, NULL);
        qn_inventory_put_asset(&q->w, &h->asset);
        qn_jsonw_str(&q->w, "source", h->path);
        qn_jsonw_str(&q->w, "kind", h->kind);
        qn_inventory_put_time(&q->w, "first", h->since);
        qn_inventory_put_time(&q->w, "seen", h->seen);
        qn_jsonw_end_object(&q->w);
        return qn_buf_error(&q->out);
}

int qn_inventory_stale(const struct qn_args *a)
{
        uint64_t days = qn_args_u64(a, "days");
        struct asked q;
        int r = begin(&q, a, "qanat.inventory.stale/1", 3, false);

        if (r < 0)
                return end(&q, r, false);
        if (q.json)
                qn_jsonw_array(&q.w, "stale");
        r = qn_holdings_stale(&q.db,
                              (int64_t)time(NULL) - (int64_t)QN_MIN(days, (uint64_t)100000) * DAY,
                              on_stale, &q);
        return end(&q, r, false);
}
