#include "cli/inventory-print.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/show.h"
#include "base/table.h"
#include "inventory/components.h"

#define PIECE     ((size_t)1 << 17) /* bytes that are written at once */
#define OUT_MAX   ((size_t)256 << 20)
#define ARENA_MAX ((size_t)2 << 30)

/* --- JSON --- */

static void put_text(struct qn_jsonw *w, const char *key, struct qn_str s)
{
        if (s.p)
                qn_jsonw_str(w, key, s);
        else
                qn_jsonw_null(w, key);
}

/* "name@version" */
static void put_id(struct qn_jsonw *w, const struct qn_bom_item *t, struct qn_buf *b)
{
        qn_buf_reset(b);
        qn_buf_str(b, t->name);
        if (t->version.n) {
                qn_buf_byte(b, '@');
                qn_buf_str(b, t->version);
        }
        qn_jsonw_str(w, NULL, qn_buf_view(b));
}

static void put_ids(struct qn_jsonw *w, const char *key, const struct qn_components *c,
                    const uint32_t *list, size_t n, struct qn_buf *b)
{
        qn_jsonw_array(w, key);
        for (size_t i = 0; i < n; i++)
                put_id(w, &c->v[list[i]].it, b);
        qn_jsonw_end_array(w);
}

static void put_copy(struct qn_jsonw *w, const struct qn_bom_copy *copy)
{
        qn_jsonw_object(w, "copy");
        qn_jsonw_u64(w, "files", copy->files);
        qn_jsonw_u64(w, "of", copy->of);
        qn_jsonw_array(w, "others");
        for (size_t i = 0; i < copy->n_others; i++)
                qn_jsonw_str(w, NULL, copy->others[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_end_object(w);
}

static void put_component(struct qn_jsonw *w, const struct qn_inventory_source *s,
                          const struct qn_components *c, const struct qn_component *v,
                          struct qn_arena *a, struct qn_buf *b)
{
        const struct qn_bom_item *t = &v->it;

        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "name", t->name);
        put_text(w, "version", t->version);
        put_text(w, "integrity", t->integrity);
        put_text(w, "resolved", qn_component_url(t->resolved, a));
        qn_jsonw_bool(w, "dev", t->dev);
        qn_jsonw_bool(w, "optional", t->optional);
        qn_jsonw_bool(w, "peer", t->peer);
        qn_jsonw_bool(w, "bundled", t->bundled);
        qn_jsonw_bool(w, "direct", t->direct);
        qn_jsonw_bool(w, "extraneous", t->extraneous);
        qn_jsonw_bool(w, "scripts", t->scripts);
        put_text(w, "alias", t->alias);
        qn_jsonw_cstr(w, "origin", qn_bom_origin_name(t->origin));
        put_ids(w, "dependents", c, v->dependents, v->n_dependents, b);
        put_ids(w, "path", c, v->chain, v->n_chain, b);
        qn_jsonw_array(w, "locations");
        for (size_t i = 0; i < v->n_paths; i++)
                qn_jsonw_str(w, NULL, v->paths[i]);
        qn_jsonw_end_array(w);
        qn_jsonw_str(w, "source", s->path);
        qn_jsonw_cstr(w, "kind", qn_bom_kind_name(s->bom->kind));
        if (t->copy)
                put_copy(w, t->copy);
        qn_jsonw_end_object(w);
}

static int flush(struct qn_buf *out, size_t from)
{
        int r = qn_buf_error(out);

        if (r < 0 || out->n < from)
                return r;
        r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(out));
        qn_buf_reset(out);
        return r;
}

static int put_components(struct qn_jsonw *w, const struct qn_inventory_source *s, struct qn_buf *b)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_components c;
        int r = qn_components_make(s->bom, &a, &c);

        for (size_t i = 0; r == 0 && i < c.n; i++) {
                put_component(w, s, &c, &c.v[i], &a, b);
                r = flush(w->out, PIECE);
        }
        qn_arena_done(&a);
        return r;
}

static void put_source(struct qn_jsonw *w, const struct qn_inventory_source *s)
{
        qn_jsonw_object(w, NULL);
        qn_jsonw_str(w, "source", s->path);
        qn_jsonw_cstr(w, "kind", qn_bom_kind_name(s->bom->kind));
        put_text(w, "format", s->bom->format);
        put_text(w, "name", s->bom->name);
        put_text(w, "version", s->bom->version);
        qn_jsonw_u64(w, "packages", s->bom->n);
        qn_jsonw_end_object(w);
}

int qn_inventory_print_json(const struct qn_inventory *inv)
{
        struct qn_buf out = QN_BUF_INIT(OUT_MAX), b = QN_BUF_INIT(OUT_MAX);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);
        int r = 0;

        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.inventory/1");
        qn_jsonw_array(&w, "sources");
        for (size_t i = 0; i < inv->n; i++)
                put_source(&w, &inv->sources[i]);
        qn_jsonw_end_array(&w);
        qn_jsonw_array(&w, "components");
        for (size_t i = 0; r == 0 && i < inv->n; i++)
                r = put_components(&w, &inv->sources[i], &b);
        qn_jsonw_end_array(&w);
        qn_jsonw_array(&w, "errors");
        for (size_t i = 0; i < inv->n_errors; i++) {
                qn_jsonw_object(&w, NULL);
                qn_jsonw_str(&w, "source", inv->errors[i].path);
                qn_jsonw_str(&w, "message", inv->errors[i].message);
                qn_jsonw_end_object(&w);
        }
        qn_jsonw_end_array(&w);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&out, '\n');
        if (r == 0)
                r = flush(&out, 0);
        qn_buf_done(&out);
        qn_buf_done(&b);
        return r;
}

/* --- table --- */

static void add_cell(struct qn_table *t, struct qn_str s, size_t width)
{
        struct qn_buf b = QN_BUF_INIT(4096);

        qn_show(&b, s, width, 0);
        qn_table_cell(t, qn_buf_view(&b));
        qn_buf_done(&b);
}

static void add_row(struct qn_table *t, const struct qn_component *v)
{
        const struct {
                bool on;
                const char *word;
        } words[] = {
                { v->it.direct, "direct" },     { v->it.dev, "dev" },
                { v->it.optional, "optional" }, { v->it.peer, "peer" },
                { v->it.bundled, "bundled" },   { v->it.extraneous, "extraneous" },
                { v->it.scripts, "scripts" },
        };
        struct qn_buf b = QN_BUF_INIT(4096);

        add_cell(t, v->it.name, 60);
        add_cell(t, v->it.version, 30);
        if (v->it.origin != QN_BOM_FROM_REGISTRY)
                qn_buf_puts(&b, qn_bom_origin_name(v->it.origin));
        for (size_t i = 0; i < QN_ARRAY_SIZE(words); i++) {
                if (!words[i].on)
                        continue;
                qn_buf_puts(&b, b.n ? " " : "");
                qn_buf_puts(&b, words[i].word);
        }
        if (v->it.copy)
                qn_buf_printf(&b, ", %u of %u files", v->it.copy->files, v->it.copy->of);
        if (v->it.alias.p) {
                qn_buf_puts(&b, b.n ? " as " : "as ");
                qn_show(&b, v->it.alias, 60, 0);
        }
        qn_table_cell(t, qn_buf_view(&b));
        qn_buf_done(&b);
}

static int print_source(const struct qn_inventory_source *s, struct qn_buf *out)
{
        struct qn_arena a = QN_ARENA_INIT(ARENA_MAX);
        struct qn_table t = QN_TABLE_INIT(3);
        struct qn_components c;
        int r = qn_components_make(s->bom, &a, &c);

        if (r == 0) {
                qn_show(out, s->path, 0, 0);
                qn_buf_printf(out, "  %s, %zu packages\n", qn_bom_kind_name(s->bom->kind), c.n);
                for (size_t i = 0; i < c.n; i++)
                        add_row(&t, &c.v[i]);
                r = qn_table_print(&t, out, 0);
                qn_buf_byte(out, '\n');
        }
        qn_table_done(&t);
        qn_arena_done(&a);
        return r;
}

int qn_inventory_print_table(const struct qn_inventory *inv)
{
        struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        int r = 0;

        for (size_t i = 0; r == 0 && i < inv->n; i++) {
                r = print_source(&inv->sources[i], &out);
                if (r == 0)
                        r = flush(&out, PIECE);
        }
        if (r == 0)
                r = flush(&out, 0);
        qn_buf_done(&out);
        return r;
}

void qn_inventory_print_errors(const struct qn_inventory *inv)
{
        for (size_t i = 0; i < inv->n_errors; i++) {
                struct qn_buf b = QN_BUF_INIT(8192);

                qn_show(&b, inv->errors[i].path, 0, 0);
                qn_buf_puts(&b, ": ");
                qn_show(&b, inv->errors[i].message, 400, 0);
                log_note("%.*s", QN_STR_ARG(qn_buf_view(&b)));
                qn_buf_done(&b);
        }
}
