#include "inventory/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "role/bom-wire.h"

#define RAW_MAX   ((size_t)256 << 20)
#define STEPS_MAX 2000000u /* looks at edges for one question */

/* --- packing --- */

int qn_graph_pack(const struct qn_bom *bom, struct qn_buf *out)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30);
        struct qn_buf raw = QN_BUF_INIT(RAW_MAX);
        struct qn_bom slim = *bom;
        uint32_t size;
        uLongf n;
        int r = 0;

        slim.items = qn_arena_calloc(&a, bom->n + 1, sizeof *slim.items);
        for (size_t i = 0; slim.items && i < bom->n; i++) {
                struct qn_bom_item *t = &slim.items[i];

                *t = bom->items[i];
                t->resolved = t->integrity = t->path = (struct qn_str){ NULL, 0 };
        }
        r = slim.items ? qn_bom_wire_write(&slim, &raw) : -ENOBUFS;
        n = compressBound(raw.n);
        size = (uint32_t)raw.n;
        if (r == 0)
                r = qn_buf_add(out, &size, sizeof size);
        if (r == 0)
                r = qn_buf_room(out, n);
        if (r == 0 &&
            compress2((Bytef *)out->p + out->n, &n, (const Bytef *)raw.p, raw.n, 3) != Z_OK)
                r = -ENOMEM;
        if (r == 0)
                out->n += n;
        qn_buf_done(&raw);
        qn_arena_done(&a);
        return r;
}

int qn_graph_unpack(struct qn_cur packed, struct qn_arena *a, struct qn_bom **ret)
{
        uint32_t size;
        uLongf n;
        uint8_t *raw;

        if (qn_cur_le32(&packed, &size) < 0 || size > RAW_MAX)
                return -EBADMSG;
        raw = qn_arena_alloc(a, (size_t)size + 1);
        if (!raw)
                return -ENOBUFS;
        n = size;
        if (uncompress(raw, &n, packed.p, qn_cur_left(&packed)) != Z_OK || n != size)
                return -EBADMSG;
        return qn_bom_wire_read(qn_cur_mem(raw, n), a, ret, NULL);
}

/* --- ways --- */

struct searcher {
        const struct qn_bom *b;
        struct qn_arena *a;
        uint32_t *first, *next; /* edges to each item, as lists */
        bool *reached;          /* from the project */
        bool *on_way;
        struct qn_ways *ret;
        size_t max, cap, steps;
};

/* Who can be reached at all: only these lead back to the project. */
static int mark_reached(struct searcher *s)
{
        const struct qn_bom *b = s->b;
        uint32_t *out = qn_arena_alloc(s->a, (b->n + 1) * sizeof *out);
        uint32_t *link = qn_arena_calloc(s->a, b->n_edges + 1, sizeof *link);
        uint32_t *queue = qn_arena_calloc(s->a, b->n + 1, sizeof *queue);
        size_t head = 0, tail = 0;

        if (!out || !link || !queue)
                return -ENOBUFS;
        memset(out, 0xff, (b->n + 1) * sizeof *out);
        for (size_t i = b->n_edges; i-- > 0;) {
                size_t from = b->edges[i].from == QN_BOM_ROOT ? b->n : b->edges[i].from;

                link[i] = out[from];
                out[from] = (uint32_t)i;
        }
        queue[tail++] = (uint32_t)b->n;
        while (head < tail) {
                for (uint32_t i = out[queue[head++]]; i != UINT32_MAX; i = link[i]) {
                        uint32_t to = b->edges[i].to;

                        if (s->reached[to])
                                continue;
                        s->reached[to] = true;
                        queue[tail++] = to;
                }
        }
        return 0;
}

static int prepare(struct searcher *s)
{
        const struct qn_bom *b = s->b;

        s->first = qn_arena_alloc(s->a, (b->n + 1) * sizeof *s->first);
        s->next = qn_arena_calloc(s->a, b->n_edges + 1, sizeof *s->next);
        s->reached = qn_arena_calloc(s->a, b->n + 1, sizeof *s->reached);
        s->on_way = qn_arena_calloc(s->a, b->n + 1, sizeof *s->on_way);
        if (!s->first || !s->next || !s->reached || !s->on_way)
                return -ENOBUFS;
        memset(s->first, 0xff, (b->n + 1) * sizeof *s->first);
        for (size_t i = b->n_edges; i-- > 0;) {
                s->next[i] = s->first[b->edges[i].to];
                s->first[b->edges[i].to] = (uint32_t)i;
        }
        return mark_reached(s);
}

/* stack: edges that were taken backwards from the item; the last one comes from the project. */
static int keep_way(struct searcher *s, const uint32_t *stack, size_t n)
{
        struct qn_way w = { .items = qn_arena_calloc(s->a, n, sizeof *w.items), .n = n };

        if (!w.items || QN_ARENA_ROOM(s->a, s->ret->v, s->ret->n, s->cap) < 0)
                return -ENOBUFS;
        for (size_t i = 0; i < n; i++)
                w.items[i] = s->b->edges[stack[n - 1 - i]].to;
        s->ret->v[s->ret->n++] = w;
        return 0;
}

/* Depth first, backwards over the edges: stack holds the edge at which each level stands. */
static int search(struct searcher *s, uint32_t target)
{
        uint32_t stack[QN_WAY_STEPS_MAX];
        size_t depth = 1;
        int r = 0;

        stack[0] = s->first[target];
        s->on_way[target] = true;
        while (r == 0 && depth) {
                uint32_t i = stack[depth - 1], from;

                if (i == UINT32_MAX || s->ret->n == s->max || ++s->steps > STEPS_MAX) {
                        s->ret->more |= i != UINT32_MAX;
                        depth--; /* this level is done: go on behind the edge that led here */
                        if (depth) {
                                s->on_way[s->b->edges[stack[depth - 1]].from] = false;
                                stack[depth - 1] = s->next[stack[depth - 1]];
                        }
                        continue;
                }
                from = s->b->edges[i].from;
                if (from == QN_BOM_ROOT)
                        r = keep_way(s, stack, depth);
                if (from == QN_BOM_ROOT || s->on_way[from] || !s->reached[from] ||
                    depth == QN_WAY_STEPS_MAX) {
                        s->ret->more |= from != QN_BOM_ROOT && depth == QN_WAY_STEPS_MAX;
                        stack[depth - 1] = s->next[i];
                        continue;
                }
                s->on_way[from] = true;
                stack[depth++] = s->first[from];
        }
        s->on_way[target] = false;
        return r;
}

static int compare(const void *x, const void *y)
{
        const struct qn_way *a = x, *b = y;

        if (a->n != b->n)
                return a->n < b->n ? -1 : 1;
        for (size_t i = 0; i < a->n; i++)
                if (a->items[i] != b->items[i])
                        return a->items[i] < b->items[i] ? -1 : 1;
        return 0;
}

static void drop_repeats(struct qn_ways *w)
{
        size_t n = 0;

        for (size_t i = 0; i < w->n; i++)
                if (!n || compare(&w->v[n - 1], &w->v[i]) != 0)
                        w->v[n++] = w->v[i];
        w->n = n;
}

int qn_graph_ways(const struct qn_bom *bom, struct qn_str name, struct qn_str version, size_t max,
                  struct qn_arena *a, struct qn_ways *ret)
{
        struct searcher s = { .b = bom, .a = a, .ret = ret, .max = max };
        int r;

        *ret = (struct qn_ways){ 0 };
        r = prepare(&s);
        for (size_t i = 0; r == 0 && i < bom->n; i++) {
                const struct qn_bom_item *t = &bom->items[i];

                if ((qn_str_eq(t->name, name) || (t->alias.p && qn_str_eq(t->alias, name))) &&
                    (!version.p || qn_str_eq(t->version, version)))
                        r = search(&s, (uint32_t)i);
        }
        if (r == 0 && ret->n)
                qsort(ret->v, ret->n, sizeof *ret->v, compare);
        drop_repeats(ret); /* an item may be asked for in two ways */
        return r;
}
