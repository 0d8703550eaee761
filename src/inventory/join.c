#include "inventory/join.h"

#include <errno.h>

#include "base/buf.h"
#include "base/map.h"

/* Sources that know no integrity, or another address of the same bytes, say nothing different about a package. */
static int unify(struct qn_bom *b, struct qn_arena *a)
{
        struct qn_map known = { 0 }; /* "name\0version" → item with an integrity or an address */
        struct qn_str *keys = qn_arena_calloc(a, b->n + 1, sizeof *keys);
        struct qn_buf key = QN_BUF_INIT((size_t)64 << 20);
        int r = keys ? 0 : -ENOBUFS;

        for (size_t i = 0; r >= 0 && i < b->n; i++) {
                qn_buf_reset(&key);
                qn_buf_str(&key, b->items[i].name);
                qn_buf_byte(&key, '\0');
                qn_buf_str(&key, b->items[i].version);
                keys[i] = qn_arena_dup(a, qn_buf_view(&key));
                r = keys[i].p ? 0 : -ENOBUFS;
                if (r == 0 && b->items[i].integrity.p)
                        r = qn_map_add(&known, a, keys[i], (uint32_t)i, NULL);
        }
        for (size_t i = 0; r >= 0 && i < b->n; i++) {
                struct qn_bom_item *t = &b->items[i];
                uint32_t at = qn_map_get(&known, keys[i]);

                if (at == QN_MAP_NONE || t->origin != QN_BOM_FROM_REGISTRY)
                        continue;
                if (!t->integrity.p)
                        t->integrity = b->items[at].integrity;
                if (qn_str_eq(t->integrity, b->items[at].integrity) &&
                    (!t->resolved.p || b->items[at].resolved.p))
                        t->resolved = b->items[at].resolved;
        }
        qn_buf_done(&key);
        return r < 0 ? r : 0;
}

int qn_inventory_join(const struct qn_inventory *inv, struct qn_arena *a, struct qn_bom **ret)
{
        struct qn_bom *all = QN_ARENA_NEW(a, struct qn_bom);
        size_t items = 0, edges = 0;

        for (size_t i = 0; i < inv->n; i++) {
                items += inv->sources[i].bom->n;
                edges += inv->sources[i].bom->n_edges;
        }
        if (!all)
                return -ENOBUFS;
        all->arena = a;
        all->items = qn_arena_calloc(a, items + 1, sizeof *all->items);
        all->edges = qn_arena_calloc(a, edges + 1, sizeof *all->edges);
        if (!all->items || !all->edges)
                return -ENOBUFS;
        for (size_t i = 0; i < inv->n; i++) {
                const struct qn_bom *b = inv->sources[i].bom;
                uint32_t base = (uint32_t)all->n;

                if (!all->name.p) {
                        all->name = b->name;
                        all->version = b->version;
                }
                for (size_t k = 0; k < b->n; k++)
                        all->items[all->n++] = b->items[k];
                for (size_t k = 0; k < b->n_edges; k++) {
                        struct qn_bom_edge e = b->edges[k];

                        e.to += base;
                        e.from += e.from == QN_BOM_ROOT ? 0 : base;
                        all->edges[all->n_edges++] = e;
                }
        }
        *ret = all;
        return unify(all, a);
}
