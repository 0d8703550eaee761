#include "parse/bom.h"

#include <errno.h>

#include "base/limits.h"
#include "parse/bom-priv.h"

#define NAME(id, name) name,
static const char *const kind_names[] = { QN_BOM_KINDS(NAME) };
static const char *const origin_names[] = { QN_BOM_ORIGINS(NAME) };
#undef NAME

const char *qn_bom_kind_name(enum qn_bom_kind k)
{
        return kind_names[k];
}

const char *qn_bom_origin_name(enum qn_bom_origin o)
{
        return origin_names[o];
}

int qn_bom_no_memory(struct qn_err *reterr)
{
        return qn_fail(reterr, -ENOBUFS, 0, "the document needs too much memory");
}

int qn_bom_new(struct qn_arena *a, enum qn_bom_kind kind, struct qn_bom **ret,
               struct qn_err *reterr)
{
        struct qn_bom *b = QN_ARENA_NEW(a, struct qn_bom);

        if (!b)
                return qn_bom_no_memory(reterr);
        b->arena = a;
        b->kind = kind;
        *ret = b;
        return 0;
}

int qn_bom_add(struct qn_bom *b, const struct qn_bom_item *item, uint32_t *ret,
               struct qn_err *reterr)
{
        if (b->n == QN_LOCK_PACKAGES_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the document holds more than %u packages",
                               QN_LOCK_PACKAGES_MAX);
        if (QN_ARENA_ROOM(b->arena, b->items, b->n, b->cap) < 0)
                return qn_bom_no_memory(reterr);
        b->items[b->n] = *item;
        if (!item->version.p && item->origin == QN_BOM_FROM_URL)
                b->items[b->n].version = qn_bom_version_in(item->resolved, item->name);
        if (ret)
                *ret = (uint32_t)b->n;
        b->n++;
        return 0;
}

int qn_bom_need(struct qn_bom *b, uint32_t from, uint32_t to, enum qn_bom_need need,
                struct qn_err *reterr)
{
        if (b->n_edges == QN_BOM_EDGES_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the document holds more than %u dependencies",
                               QN_BOM_EDGES_MAX);
        if (QN_ARENA_ROOM(b->arena, b->edges, b->n_edges, b->edges_cap) < 0)
                return qn_bom_no_memory(reterr);
        b->edges[b->n_edges++] = (struct qn_bom_edge){ from, to, need };
        return 0;
}

/* --- flags from edges --- */

/* The edges by where they come from: those of item i are order[first[i]] to order[first[i + 1] - 1]; the project is item n. */
struct graph {
        const struct qn_bom *b;
        uint32_t *first, *order;
        uint32_t *queue;
        bool *seen;
};

static size_t slot_of(const struct qn_bom *b, uint32_t from)
{
        return from == QN_BOM_ROOT ? b->n : from;
}

static int make_graph(const struct qn_bom *b, struct qn_arena *a, struct graph *g)
{
        *g = (struct graph){ .b = b };
        g->first = qn_arena_calloc(a, b->n + 3, sizeof *g->first);
        g->order = qn_arena_calloc(a, b->n_edges + 1, sizeof *g->order);
        g->queue = qn_arena_calloc(a, b->n + 1, sizeof *g->queue);
        g->seen = qn_arena_calloc(a, b->n + 1, sizeof *g->seen);
        if (!g->first || !g->order || !g->queue || !g->seen)
                return -ENOBUFS;
        for (size_t i = 0; i < b->n_edges; i++)
                g->first[slot_of(b, b->edges[i].from) + 2]++;
        for (size_t i = 1; i < b->n + 3; i++)
                g->first[i] += g->first[i - 1];
        for (size_t i = 0; i < b->n_edges; i++)
                g->order[g->first[slot_of(b, b->edges[i].from) + 1]++] = (uint32_t)i;
        return 0;
}

/* What can be reached from the project without edges of the kind `without` (QN_BOM_NEED_MAX: with all). */
static void reach(struct graph *g, enum qn_bom_need without)
{
        const struct qn_bom *b = g->b;
        size_t head = 0, tail = 0;

        memset(g->seen, 0, b->n + 1);
        g->queue[tail++] = (uint32_t)b->n;
        g->seen[b->n] = true;
        while (head < tail) {
                uint32_t at = g->queue[head++];

                for (uint32_t k = g->first[at]; k < g->first[at + 1]; k++) {
                        const struct qn_bom_edge *e = &b->edges[g->order[k]];

                        if (g->seen[e->to] || e->need == without || e->need == QN_BOM_PEER_OPTIONAL)
                                continue;
                        g->seen[e->to] = true;
                        g->queue[tail++] = e->to;
                }
        }
}

static void mark_direct(struct qn_bom *b)
{
        for (size_t i = 0; i < b->n; i++)
                b->items[i].direct = false;
        for (size_t i = 0; i < b->n_edges; i++) {
                const struct qn_bom_edge *e = &b->edges[i];

                if (e->from == QN_BOM_ROOT || b->items[e->from].origin == QN_BOM_FROM_WORKSPACE)
                        b->items[e->to].direct = true;
        }
}

/* Without the project's word: what nobody needs was asked for by the project. */
static int guess_root(struct qn_bom *b, struct qn_arena *a, struct qn_err *reterr)
{
        bool *needed = qn_arena_calloc(a, b->n + 1, sizeof *needed);
        int r = 0;

        if (!needed)
                return -ENOBUFS;
        for (size_t i = 0; i < b->n_edges; i++) {
                if (b->edges[i].from == QN_BOM_ROOT &&
                    b->items[b->edges[i].to].origin != QN_BOM_FROM_WORKSPACE)
                        return 0;
                needed[b->edges[i].to] = true;
        }
        for (size_t i = 0; r == 0 && i < b->n; i++)
                if (!needed[i])
                        r = qn_bom_need(b, QN_BOM_ROOT, (uint32_t)i, QN_BOM_PROD, reterr);
        return r;
}

static int settle(struct qn_bom *b, bool all, struct qn_arena *a, struct qn_err *reterr)
{
        struct graph g;
        int r = guess_root(b, a, reterr);

        if (r == 0)
                r = make_graph(b, a, &g);
        if (r < 0)
                return r;
        mark_direct(b);
        reach(&g, QN_BOM_NEED_MAX);
        for (size_t i = 0; i < b->n; i++)
                b->items[i].extraneous = !g.seen[i];
        if (!all)
                return 0;
        reach(&g, QN_BOM_DEV);
        for (size_t i = 0; i < b->n; i++)
                b->items[i].dev = !g.seen[i] && !b->items[i].extraneous;
        reach(&g, QN_BOM_OPTIONAL);
        for (size_t i = 0; i < b->n; i++)
                b->items[i].optional = !g.seen[i] && !b->items[i].extraneous;
        reach(&g, QN_BOM_PEER);
        for (size_t i = 0; i < b->n; i++)
                b->items[i].peer = !g.seen[i] && !b->items[i].extraneous;
        return 0;
}

int qn_bom_settle(struct qn_bom *b, bool all, struct qn_err *reterr)
{
        struct qn_arena scratch = QN_ARENA_INIT(b->arena->max);
        int r = settle(b, all, &scratch, reterr);

        qn_arena_done(&scratch);
        return r == -ENOBUFS ? qn_bom_no_memory(reterr) : r;
}
