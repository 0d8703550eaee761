#include <errno.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "inventory/graph.h"
#include "parse/semver.h"

#define WAYS_MAX 1000u /* of one source */

struct why {
        const struct qn_args *args;
        struct qn_str name, version; /* version.p NULL: any */
        size_t limit;
        struct qn_buf out;
        struct qn_jsonw w;
        bool json;
};

static void put_id(struct qn_buf *b, const struct qn_bom_item *t)
{
        qn_buf_str(b, t->name);
        if (t->version.n) {
                qn_buf_byte(b, '@');
                qn_buf_str(b, t->version);
        }
}

static void print_way(struct why *y, const struct qn_bom *bom, const struct qn_way *way)
{
        struct qn_buf b = QN_BUF_INIT(1 << 20);

        if (y->json)
                qn_jsonw_array(&y->w, NULL);
        else
                qn_buf_puts(&y->out, "  ");
        for (size_t i = 0; i < way->n; i++) {
                qn_buf_reset(&b);
                put_id(&b, &bom->items[way->items[i]]);
                if (y->json) {
                        qn_jsonw_str(&y->w, NULL, qn_buf_view(&b));
                } else {
                        qn_buf_puts(&y->out, i ? " > " : "");
                        qn_show(&y->out, qn_buf_view(&b), 0, 0);
                }
        }
        if (y->json)
                qn_jsonw_end_array(&y->w);
        else
                qn_buf_byte(&y->out, '\n');
        qn_buf_done(&b);
}

static void print_ways(struct why *y, const struct qn_asset *asset, struct qn_str source,
                       const struct qn_bom *bom, const struct qn_ways *ways)
{
        size_t n = QN_MIN(ways->n, y->limit);

        if (y->json) {
                qn_jsonw_object(&y->w, NULL);
                if (asset)
                        qn_inventory_put_asset(&y->w, asset);
                qn_jsonw_str(&y->w, "source", source);
                qn_jsonw_bool(&y->w, "more", ways->more || n < ways->n);
                qn_jsonw_array(&y->w, "paths");
        } else {
                if (asset) {
                        qn_show(&y->out, asset->name, 0, 0);
                        qn_buf_puts(&y->out, "  ");
                }
                qn_show(&y->out, source, 0, 0);
                qn_buf_byte(&y->out, '\n');
        }
        for (size_t i = 0; i < n; i++)
                print_way(y, bom, &ways->v[i]);
        if (y->json) {
                qn_jsonw_end_array(&y->w);
                qn_jsonw_end_object(&y->w);
        } else if (ways->more || n < ways->n) {
                qn_buf_puts(&y->out, "  and more\n");
        } else if (!n) {
                qn_buf_puts(&y->out, "  it is there, and nothing asks for it\n");
        }
}

static bool has_item(const struct why *y, const struct qn_bom *bom)
{
        for (size_t i = 0; i < bom->n; i++)
                if (qn_str_eq(bom->items[i].name, y->name) &&
                    (!y->version.p || qn_str_eq(bom->items[i].version, y->version)))
                        return true;
        return false;
}

static int answer(struct why *y, const struct qn_asset *asset, struct qn_str source,
                  const struct qn_bom *bom)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30);
        struct qn_ways ways;
        int r = 0;

        if (has_item(y, bom)) {
                r = qn_graph_ways(bom, y->name, y->version, WAYS_MAX, &a, &ways);
                if (r == 0)
                        print_ways(y, asset, source, bom, &ways);
        }
        qn_arena_done(&a);
        return r < 0 ? r : qn_buf_error(&y->out);
}

static int on_graph(void *ctx, const struct qn_holding *h, struct qn_cur graph)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30);
        struct qn_bom *bom;
        int r = qn_graph_unpack(graph, &a, &bom);

        if (r == 0)
                r = answer(ctx, &h->asset, h->path, bom);
        qn_arena_done(&a);
        return r;
}

static int ask_store(struct why *y)
{
        struct qn_err err = { 0 };
        struct qn_db db;
        int r = qn_db_open(&qn_db_inventory, y->args->store, false, &db, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg);
        r = qn_holdings_graphs(&db, y->name, on_graph, y);
        qn_db_close(&db);
        return r;
}

static int ask_paths(struct why *y)
{
        struct qn_inventory_how how;
        struct qn_inventory inv;
        struct qn_err err = { 0 };
        int r;

        qn_inventory_how(y->args, &how);
        r = qn_inventory_scan(&how, y->args->argv + 2, y->args->n - 2, &inv, &err);
        if (r < 0)
                log_err(r, "%s", err.msg);
        for (size_t i = 0; r == 0 && i < inv.n; i++)
                r = answer(y, NULL, inv.sources[i].path, inv.sources[i].bom);
        for (size_t i = 0; r == 0 && i < inv.n_errors; i++)
                log_note("%.*s: %.*s", QN_STR_ARG(inv.errors[i].path),
                         QN_STR_ARG(inv.errors[i].message));
        qn_inventory_done(&inv);
        return r;
}

int qn_inventory_why(const struct qn_args *a)
{
        struct why y = { .args = a,
                         .limit = qn_args_u64(a, "limit"),
                         .out = QN_BUF_INIT(QN_INVENTORY_OUT_MAX),
                         .json = qn_inventory_is_json(a) };
        int r;

        if (a->n < 2)
                return log_err(-EINVAL, "usage: qanat inventory why NAME[@VERSION] [PATH...]");
        y.name = qn_str_c(a->argv[1]);
        if (!qn_bom_split(qn_str_c(a->argv[1]), &y.name, &y.version))
                y.version.p = NULL;
        y.w = QN_JSONW_INIT(&y.out, 0);
        if (y.json) {
                qn_jsonw_object(&y.w, NULL);
                qn_jsonw_cstr(&y.w, "schema", "qanat.inventory.why/1");
                qn_jsonw_cstr(&y.w, "query", a->argv[1]);
                qn_jsonw_array(&y.w, "sources");
        }
        r = a->n > 2 ? ask_paths(&y) : ask_store(&y);
        if (y.json) {
                qn_jsonw_end_array(&y.w);
                qn_jsonw_end_object(&y.w);
                qn_buf_byte(&y.out, '\n');
        }
        return qn_inventory_finish(&y.out, r);
}
