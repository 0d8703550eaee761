#include "parse/node-build.h"

#include <errno.h>
#include <stdlib.h>

#include "base/map.h"

#define LINEAR_KEYS 16 /* objects up to here are searched for duplicates without a map */

void qn_build_done(struct qn_build *b)
{
        free(TAKE_PTR(b->stack));
        qn_arena_done(&b->scratch);
}

int qn_build_add(struct qn_build *b, struct qn_node *node)
{
        if (b->n == b->cap) {
                size_t cap = b->cap ? b->cap * 2 : 256;
                struct qn_build_pending *p = reallocarray(b->stack, cap, sizeof *p);

                if (!p)
                        return -ENOMEM;
                b->stack = p;
                b->cap = cap;
        }
        b->stack[b->n++] = (struct qn_build_pending){ b->key, node };
        b->key = (struct qn_str){ NULL, 0 };
        return 0;
}

int qn_build_open(struct qn_build *b, struct qn_node *node)
{
        int r;

        if (b->depth == QN_JSON_DEPTH_MAX)
                return -EFBIG;
        r = qn_build_add(b, node);
        if (r == 0)
                b->levels[b->depth++] = (struct qn_build_level){ node, b->n };
        return r;
}

static size_t find_linear(const struct qn_str *keys, size_t n, struct qn_str key)
{
        size_t i = 0;

        while (i < n && !qn_str_eq(keys[i], key))
                i++;
        return i;
}

/* Copies a closing object's members. */
static int fill_object(struct qn_build *b, struct qn_node *o, const struct qn_build_pending *kids,
                       size_t n)
{
        struct qn_map seen = { 0 };
        size_t m = 0;

        o->keys = qn_arena_alloc(b->arena, n * sizeof *o->keys);
        if (!o->keys)
                return -ENOBUFS;
        for (size_t i = 0; i < n; i++) {
                uint32_t at = (uint32_t)m;

                if (n <= LINEAR_KEYS)
                        at = (uint32_t)find_linear(o->keys, m, kids[i].key);
                else if (qn_map_add(&seen, &b->scratch, kids[i].key, (uint32_t)m, &at) < 0)
                        return -ENOBUFS;
                o->duplicate |= at < m;
                o->keys[at] = kids[i].key;
                o->items[at] = kids[i].node;
                m += at == m;
        }
        o->n = m;
        if (n > LINEAR_KEYS)
                qn_arena_reset(&b->scratch, (size_t)1 << 20);
        return 0;
}

int qn_build_close(struct qn_build *b)
{
        const struct qn_build_level *l = &b->levels[--b->depth];
        const struct qn_build_pending *kids = b->stack + l->from;
        size_t n = b->n - l->from;

        b->n = l->from;
        if (n == 0)
                return 0;
        l->node->items = qn_arena_alloc(b->arena, n * sizeof *l->node->items);
        if (!l->node->items)
                return -ENOBUFS;
        if (l->node->type == QN_NODE_OBJECT)
                return fill_object(b, l->node, kids, n);
        for (size_t i = 0; i < n; i++)
                l->node->items[i] = kids[i].node;
        l->node->n = n;
        return 0;
}
