#include "inventory/components.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/map.h"

#define NONE UINT32_MAX

/* --- merging --- */

static struct qn_str key_of(const struct qn_bom_item *t, struct qn_buf *b, struct qn_arena *a)
{
        const struct qn_str parts[] = { t->name, t->version, t->integrity, t->resolved };

        qn_buf_reset(b);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++) {
                qn_buf_str(b, parts[i]);
                qn_buf_byte(b, '\0');
        }
        qn_buf_byte(b, (char)('a' + t->origin));
        return qn_buf_error(b) < 0 ? (struct qn_str){ NULL, 0 } : qn_arena_dup(a, qn_buf_view(b));
}

static void merge(struct qn_bom_item *into, const struct qn_bom_item *t)
{
        into->dev &= t->dev;
        into->optional &= t->optional;
        into->peer &= t->peer;
        into->bundled &= t->bundled;
        into->extraneous &= t->extraneous;
        into->direct |= t->direct;
        into->scripts |= t->scripts;
        if (!into->alias.p)
                into->alias = t->alias;
}

struct first {
        struct qn_bom_item it;
        uint32_t at; /* in the order of the document */
};

static int compare(const void *x, const void *y)
{
        const struct first *a = x, *b = y;
        int c = qn_str_cmp(a->it.name, b->it.name);

        if (!c)
                c = qn_str_cmp(a->it.version, b->it.version);
        return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* Numbers components in order; of: the item's. */
static int group(const struct qn_bom *bom, struct qn_arena *a, struct qn_components *ret)
{
        struct first *firsts = qn_arena_calloc(a, bom->n + 1, sizeof *firsts);
        uint32_t *rank = qn_arena_calloc(a, bom->n + 1, sizeof *rank);
        struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        struct qn_map keys = { 0 };
        uint32_t n = 0;
        int r = firsts && rank && ret->of ? 0 : -ENOBUFS;

        for (size_t i = 0; r == 0 && i < bom->n; i++) {
                struct qn_str key = key_of(&bom->items[i], &b, a);
                uint32_t at = n;

                r = key.p ? qn_map_add(&keys, a, key, n, &at) : -ENOBUFS;
                if (r < 0)
                        break;
                if (r == 0)
                        firsts[n] = (struct first){ bom->items[i], n };
                else
                        merge(&firsts[at].it, &bom->items[i]);
                n += r == 0;
                ret->of[i] = at;
                r = 0;
        }
        qn_buf_done(&b);
        if (r < 0)
                return r;
        qsort(firsts, n, sizeof *firsts, compare);
        ret->v = qn_arena_calloc(a, n + 1, sizeof *ret->v);
        if (!ret->v)
                return -ENOBUFS;
        ret->n = n;
        for (uint32_t i = 0; i < n; i++) {
                ret->v[i].it = firsts[i].it;
                rank[firsts[i].at] = i;
        }
        for (size_t i = 0; i < bom->n; i++)
                ret->of[i] = rank[ret->of[i]];
        return 0;
}

static int add_paths(const struct qn_bom *bom, struct qn_arena *a, struct qn_components *c)
{
        for (size_t i = 0; i < bom->n; i++)
                c->v[c->of[i]].n_paths += bom->items[i].path.n > 0;
        for (size_t i = 0; i < c->n; i++) {
                c->v[i].paths = qn_arena_calloc(a, c->v[i].n_paths + 1, sizeof *c->v[i].paths);
                if (!c->v[i].paths)
                        return -ENOBUFS;
                c->v[i].n_paths = 0;
        }
        for (size_t i = 0; i < bom->n; i++) {
                struct qn_component *v = &c->v[c->of[i]];

                if (bom->items[i].path.n)
                        v->paths[v->n_paths++] = bom->items[i].path;
        }
        return 0;
}

/* --- who needs whom --- */

struct pair {
        uint32_t to, from;
};

static int compare_pairs(const void *x, const void *y)
{
        const struct pair *a = x, *b = y;

        if (a->to != b->to)
                return a->to < b->to ? -1 : 1;
        return (a->from > b->from) - (a->from < b->from);
}

static int add_dependents(const struct qn_bom *bom, struct qn_arena *a, struct qn_components *c)
{
        struct pair *pairs = qn_arena_calloc(a, bom->n_edges + 1, sizeof *pairs);
        uint32_t *list = qn_arena_calloc(a, bom->n_edges + 1, sizeof *list);
        size_t n = 0;

        if (!pairs || !list)
                return -ENOBUFS;
        for (size_t i = 0; i < bom->n_edges; i++) {
                const struct qn_bom_edge *e = &bom->edges[i];

                if (e->from != QN_BOM_ROOT && c->of[e->from] != c->of[e->to])
                        pairs[n++] = (struct pair){ c->of[e->to], c->of[e->from] };
        }
        qsort(pairs, n, sizeof *pairs, compare_pairs);
        for (size_t i = 0, k = 0; i < n; i++) {
                struct qn_component *v = &c->v[pairs[i].to];

                if (i && compare_pairs(&pairs[i], &pairs[i - 1]) == 0)
                        continue;
                if (!v->n_dependents)
                        v->dependents = list + k;
                v->dependents[v->n_dependents++] = pairs[i].from;
                k++;
        }
        return 0;
}

/* Breadth first from the project, over "who is needed by": the first way found is a shortest one. */
struct ways {
        uint32_t *first, *next; /* needs of a component, as lists of edges */
        uint32_t *via, *depth, *queue;
};

static void walk_ways(const struct qn_bom *bom, const struct qn_components *c, struct ways *w)
{
        size_t head = 0, tail = 0;

        for (size_t i = bom->n_edges; i-- > 0;) {
                const struct qn_bom_edge *e = &bom->edges[i];
                size_t slot = e->from == QN_BOM_ROOT ? c->n : c->of[e->from];

                w->next[i] = w->first[slot];
                w->first[slot] = (uint32_t)i;
        }
        w->queue[tail++] = (uint32_t)c->n;
        while (head < tail) {
                uint32_t at = w->queue[head++];

                for (uint32_t i = w->first[at]; i != NONE; i = w->next[i]) {
                        uint32_t to = c->of[bom->edges[i].to];

                        if (w->depth[to])
                                continue;
                        w->depth[to] = at == c->n ? 1 : w->depth[at] + 1;
                        w->via[to] = at;
                        w->queue[tail++] = to;
                }
        }
}

static int add_chains(const struct qn_bom *bom, struct qn_arena *a, struct qn_components *c)
{
        struct ways w = {
                .first = qn_arena_alloc(a, (c->n + 1) * sizeof *w.first),
                .next = qn_arena_calloc(a, bom->n_edges + 1, sizeof *w.next),
                .via = qn_arena_calloc(a, c->n + 1, sizeof *w.via),
                .depth = qn_arena_calloc(a, c->n + 1, sizeof *w.depth),
                .queue = qn_arena_calloc(a, c->n + 1, sizeof *w.queue),
        };

        if (!w.first || !w.next || !w.via || !w.depth || !w.queue)
                return -ENOBUFS;
        memset(w.first, 0xff, (c->n + 1) * sizeof *w.first);
        walk_ways(bom, c, &w);
        for (uint32_t i = 0; i < c->n; i++) {
                struct qn_component *v = &c->v[i];
                uint32_t at = i;

                v->n_chain = w.depth[i];
                v->chain = qn_arena_alloc(a, (v->n_chain + 1) * sizeof *v->chain);
                if (!v->chain)
                        return -ENOBUFS;
                for (size_t k = v->n_chain; k-- > 0; at = w.via[at])
                        v->chain[k] = at;
        }
        return 0;
}

int qn_components_make(const struct qn_bom *bom, struct qn_arena *a, struct qn_components *ret)
{
        int r;

        *ret = (struct qn_components){ .of = qn_arena_calloc(a, bom->n + 1, sizeof *ret->of) };
        r = group(bom, a, ret);
        if (r == 0)
                r = add_paths(bom, a, ret);
        if (r == 0)
                r = add_dependents(bom, a, ret);
        return r == 0 ? add_chains(bom, a, ret) : r;
}

struct qn_str qn_component_url(struct qn_str url, struct qn_arena *a)
{
        ptrdiff_t colon = qn_str_find(url, QN_STR("://")), slash, at;
        struct qn_str rest, clean;
        size_t head;
        char *p;

        if (colon < 0)
                return url;
        head = (size_t)colon + 3;
        rest = qn_str_skip(url, head);
        slash = qn_str_chr(rest, '/');
        at = qn_str_rchr(qn_str_take(rest, slash < 0 ? rest.n : (size_t)slash), '@');
        if (at < 0 || qn_str_is(qn_str_take(rest, (size_t)at), "git"))
                return url;
        rest = qn_str_skip(rest, (size_t)at + 1);
        p = qn_arena_alloc(a, head + rest.n + 1);
        if (!p)
                return (struct qn_str){ NULL, 0 };
        memcpy(p, url.p, head);
        memcpy(p + head, rest.p, rest.n);
        clean = (struct qn_str){ p, head + rest.n };
        return clean;
}
