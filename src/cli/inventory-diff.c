#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "inventory/join.h"

struct package {
        struct qn_str name, version;
};

struct set {
        struct package *v;
        size_t n, cap;
};

struct diff {
        const struct qn_args *args;
        struct qn_arena a;
        struct qn_db db;
        bool open; /* the store */
        struct qn_buf out;
        struct qn_jsonw w;
};

static int add(struct diff *d, struct set *s, struct qn_str name, struct qn_str version)
{
        struct package p = { qn_arena_dup(&d->a, name),
                             qn_arena_dup(&d->a, version.p ? version : QN_STR("")) };

        if (!p.name.p || !p.version.p || QN_ARENA_ROOM(&d->a, s->v, s->n, s->cap) < 0)
                return -ENOBUFS;
        s->v[s->n++] = p;
        return 0;
}

static int compare(const void *x, const void *y)
{
        const struct package *a = x, *b = y;
        int c = qn_str_cmp(a->name, b->name);

        return c ? c : qn_str_cmp(a->version, b->version);
}

static void make_unique(struct set *s)
{
        size_t n = 0;

        if (s->n)
                qsort(s->v, s->n, sizeof *s->v, compare);
        for (size_t i = 0; i < s->n; i++)
                if (!n || compare(&s->v[n - 1], &s->v[i]) != 0)
                        s->v[n++] = s->v[i];
        s->n = n;
}

/* --- where a set comes from --- */

static int from_path(struct diff *d, const char *path, struct set *s)
{
        struct qn_inventory_how how;
        struct qn_inventory inv;
        struct qn_err err = { 0 };
        int r;

        qn_inventory_how(d->args, &how);
        r = qn_inventory_scan(&how, &path, 1, &inv, &err);
        if (r < 0)
                log_err(r, "%s", err.msg);
        if (r == 0 && inv.n_errors)
                r = log_err(-EBADMSG, "%s: %.*s", path, QN_STR_ARG(inv.errors[0].message));
        for (size_t i = 0; r == 0 && i < inv.n; i++)
                for (size_t k = 0; r == 0 && k < inv.sources[i].bom->n; k++) {
                        const struct qn_bom_item *t = &inv.sources[i].bom->items[k];

                        if (t->origin != QN_BOM_FROM_WORKSPACE)
                                r = add(d, s, t->name, t->version);
                }
        qn_inventory_done(&inv);
        return r;
}

struct filling {
        struct diff *d;
        struct set *s;
};

static int on_holding(void *ctx, const struct qn_holding *h)
{
        struct filling *f = ctx;

        return add(f->d, f->s, h->name, h->version);
}

/* "ASSET" now, or "ASSET@TIME". */
static int from_store(struct diff *d, const char *what, struct set *s)
{
        struct filling f = { d, s };
        struct qn_str name = qn_str_c(what);
        ptrdiff_t at = qn_str_rchr(name, '@');
        int64_t when = (int64_t)time(NULL);
        struct qn_err err = { 0 };
        int r = 0;

        if (!d->open && (r = qn_db_open(&qn_db_inventory, d->args->store, false, &d->db, &err)) < 0)
                return log_err(r, "%s", err.msg);
        d->open = true;
        if (at > 0 && qn_inventory_time(qn_str_skip(name, (size_t)at + 1), &when) == 0)
                name = qn_str_take(name, (size_t)at);
        r = qn_holdings_at(&d->db, name, when, on_holding, &f);
        if (r == -ENOENT)
                return log_err(r, "%s: neither a path nor an asset of the inventory", what);
        return r;
}

static int fill(struct diff *d, const char *what, struct set *s)
{
        int r = access(what, F_OK) == 0 ? from_path(d, what, s) : from_store(d, what, s);

        make_unique(s);
        return r;
}

/* --- the difference --- */

static void print(struct diff *d, bool json, char sign, const struct package *p)
{
        if (json) {
                qn_jsonw_object(&d->w, NULL);
                qn_jsonw_str(&d->w, "name", p->name);
                qn_jsonw_str(&d->w, "version", p->version);
                qn_jsonw_end_object(&d->w);
                return;
        }
        qn_buf_printf(&d->out, "%c ", sign);
        qn_show(&d->out, p->name, 0, 0);
        if (p->version.n)
                qn_buf_byte(&d->out, '@');
        qn_show(&d->out, p->version, 0, 0);
        qn_buf_byte(&d->out, '\n');
}

/* What is in x and not in y. */
static void print_missing(struct diff *d, bool json, const char *key, char sign,
                          const struct set *x, const struct set *y)
{
        size_t k = 0;

        if (json)
                qn_jsonw_array(&d->w, key);
        for (size_t i = 0; i < x->n; i++) {
                while (k < y->n && compare(&y->v[k], &x->v[i]) < 0)
                        k++;
                if (k < y->n && compare(&y->v[k], &x->v[i]) == 0)
                        continue;
                print(d, json, sign, &x->v[i]);
        }
        if (json)
                qn_jsonw_end_array(&d->w);
}

int qn_inventory_diff(const struct qn_args *a)
{
        struct diff d = { .args = a,
                          .a = QN_ARENA_INIT((size_t)1 << 30),
                          .out = QN_BUF_INIT(QN_INVENTORY_OUT_MAX) };
        struct set before = { 0 }, after = { 0 };
        bool json = qn_inventory_is_json(a);
        int r;

        if (a->n != 3)
                return log_err(-EINVAL,
                               "usage: qanat inventory diff A B (assets, ASSET@TIME, or paths)");
        r = fill(&d, a->argv[1], &before);
        if (r == 0)
                r = fill(&d, a->argv[2], &after);
        d.w = QN_JSONW_INIT(&d.out, 0);
        if (json) {
                qn_jsonw_object(&d.w, NULL);
                qn_jsonw_cstr(&d.w, "schema", "qanat.inventory.diff/1");
        }
        if (r == 0) {
                print_missing(&d, json, "removed", '-', &before, &after);
                print_missing(&d, json, "added", '+', &after, &before);
        }
        if (json) {
                qn_jsonw_end_object(&d.w);
                qn_buf_byte(&d.out, '\n');
        }
        if (d.open)
                qn_db_close(&d.db);
        qn_arena_done(&d.a);
        return qn_inventory_finish(&d.out, r);
}
