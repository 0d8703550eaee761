/* json-tree.c - pull events → a tree.  Children of open levels wait on one stack and are copied out, in their final
 * number, when the level closes; so nothing recurses and no array is left behind half used. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "parse/json.h"

#define LINEAR_KEYS 16 /* objects up to here are searched for duplicates without a map */

struct pending {
        struct qn_str key; /* {NULL, 0} inside arrays */
        struct qn_node *node;
};

struct level {
        struct qn_node *node;
        size_t from; /* its first child on the stack */
};

struct builder {
        struct qn_arena *arena;
        struct qn_arena scratch; /* maps of one object's keys */
        struct pending *stack;
        size_t n, cap;
        struct qn_str key; /* waits for its value */
        struct level levels[QN_JSON_DEPTH_MAX];
        size_t depth;
};

static void builder_done(struct builder *b)
{
        free(b->stack);
        qn_arena_done(&b->scratch);
}

static int push(struct builder *b, struct qn_node *node)
{
        if (b->n == b->cap) {
                size_t cap = b->cap ? b->cap * 2 : 256;
                struct pending *p = reallocarray(b->stack, cap, sizeof *p);

                if (!p)
                        return -ENOMEM;
                b->stack = p;
                b->cap = cap;
        }
        b->stack[b->n++] = (struct pending){ b->key, node };
        b->key = (struct qn_str){ NULL, 0 };
        return 0;
}

static size_t find_linear(const struct qn_str *keys, size_t n, struct qn_str key)
{
        size_t i = 0;

        while (i < n && !qn_str_eq(keys[i], key))
                i++;
        return i;
}

/* Copies a closing object's members; a repeated key replaces the value in its first place. */
static int fill_object(struct builder *b, struct qn_node *o, const struct pending *kids, size_t n)
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

static int close_level(struct builder *b)
{
        const struct level *l = &b->levels[--b->depth];
        const struct pending *kids = b->stack + l->from;
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

static const enum qn_node_type types[] = {
        [QN_JSON_OBJECT] = QN_NODE_OBJECT, [QN_JSON_ARRAY] = QN_NODE_ARRAY, [QN_JSON_STRING] = QN_NODE_STRING,
        [QN_JSON_NUMBER] = QN_NODE_NUMBER, [QN_JSON_TRUE] = QN_NODE_BOOL,   [QN_JSON_FALSE] = QN_NODE_BOOL,
        [QN_JSON_NULL] = QN_NODE_NULL,
};

static int add_value(struct builder *b, const struct qn_json_event *e)
{
        struct qn_node *node = QN_ARENA_NEW(b->arena, struct qn_node);
        int r;

        if (!node)
                return -ENOBUFS;
        node->type = types[e->kind];
        node->boolean = e->kind == QN_JSON_TRUE;
        node->off = (uint32_t)e->off;
        if (e->kind == QN_JSON_NUMBER)
                node->text = e->raw;
        if (e->kind == QN_JSON_STRING && (r = qn_json_unescape(e, b->arena, &node->text)) < 0)
                return r;
        r = push(b, node);
        if (r == 0 && (e->kind == QN_JSON_OBJECT || e->kind == QN_JSON_ARRAY))
                b->levels[b->depth++] = (struct level){ node, b->n };
        return r;
}

static int add_event(struct builder *b, const struct qn_json_event *e)
{
        switch (e->kind) {
        case QN_JSON_KEY:
                return qn_json_unescape(e, b->arena, &b->key);
        case QN_JSON_OBJECT_END:
        case QN_JSON_ARRAY_END:
                return close_level(b);
        default:
                return add_value(b, e);
        }
}

int qn_json_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret, struct qn_err *reterr)
{
        _cleanup_(builder_done) struct builder b = { .arena = a, .scratch = QN_ARENA_INIT(a->max) };
        struct qn_json_event e;
        struct qn_json j;
        int r = qn_json_init(&j, in, reterr);

        if (r < 0)
                return r;
        for (;;) {
                r = qn_json_next(&j, &e, reterr);
                if (r < 0)
                        return r;
                if (e.kind == QN_JSON_EOF)
                        break;
                r = add_event(&b, &e);
                if (r < 0)
                        return qn_fail(reterr, r, e.off, "JSON: the document needs too much memory");
        }
        *ret = b.stack[0].node;
        return 0;
}

/* --- look-ups --- */

const struct qn_node *qn_node_get_str(const struct qn_node *object, struct qn_str key)
{
        if (!qn_node_is(object, QN_NODE_OBJECT))
                return NULL;
        for (size_t i = 0; i < object->n; i++)
                if (qn_str_eq(object->keys[i], key))
                        return object->items[i];
        return NULL;
}

const struct qn_node *qn_node_get(const struct qn_node *object, const char *key)
{
        return qn_node_get_str(object, qn_str_c(key));
}

struct qn_str qn_node_text(const struct qn_node *string)
{
        return qn_node_is(string, QN_NODE_STRING) ? string->text : (struct qn_str){ NULL, 0 };
}

bool qn_node_bool(const struct qn_node *n, bool fallback)
{
        return qn_node_is(n, QN_NODE_BOOL) ? n->boolean : fallback;
}

uint64_t qn_node_u64(const struct qn_node *n, uint64_t fallback)
{
        uint64_t v;

        return qn_node_is(n, QN_NODE_NUMBER) && qn_str_u64(n->text, &v) == 0 ? v : fallback;
}
