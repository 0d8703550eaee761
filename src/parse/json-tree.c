/* json-tree.c - pull events → a tree, and looking things up in trees. */
#include <errno.h>

#include "parse/node-build.h"

static const enum qn_node_type types[] = {
        [QN_JSON_OBJECT] = QN_NODE_OBJECT, [QN_JSON_ARRAY] = QN_NODE_ARRAY,
        [QN_JSON_STRING] = QN_NODE_STRING, [QN_JSON_NUMBER] = QN_NODE_NUMBER,
        [QN_JSON_TRUE] = QN_NODE_BOOL,     [QN_JSON_FALSE] = QN_NODE_BOOL,
        [QN_JSON_NULL] = QN_NODE_NULL,
};

static int add_value(struct qn_build *b, const struct qn_json_event *e)
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
        if (e->kind == QN_JSON_OBJECT || e->kind == QN_JSON_ARRAY)
                return qn_build_open(b, node);
        return qn_build_add(b, node);
}

static int add_event(struct qn_build *b, const struct qn_json_event *e)
{
        switch (e->kind) {
        case QN_JSON_KEY:
                return qn_json_unescape(e, b->arena, &b->key);
        case QN_JSON_OBJECT_END:
        case QN_JSON_ARRAY_END:
                return qn_build_close(b);
        default:
                return add_value(b, e);
        }
}

int qn_json_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret, struct qn_err *reterr)
{
        _cleanup_(qn_build_done) struct qn_build b = QN_BUILD_INIT(a);
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
                        return qn_fail(reterr, r, e.off,
                                       "JSON: the document needs too much memory");
        }
        *ret = qn_build_root(&b);
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
