/* yaml.c - libyaml's events → a tree, with an explicit stack.
 * Aliases share nodes; what they would weigh if they were written out is counted against QN_YAML_NODES_MAX and
 * QN_YAML_DEPTH_MAX, so that whoever walks the tree meets a bounded one. */
#include "parse/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"

#define LINEAR_KEYS 16 /* up to here duplicate keys are looked for pairwise */

struct frame {
        struct qn_node *node;
        size_t items_cap, keys_cap;
        struct qn_str key;
        bool has_key;
        uint32_t anchor;  /* index in anchors, QN_MAP_NONE */
        uint32_t height;  /* of the tallest child */
        uint64_t started; /* weight of the document when it was opened */
};

struct anchor {
        struct qn_node *node; /* NULL while it is open */
        uint64_t weight;
        uint32_t height;
};

struct reader {
        yaml_parser_t yaml;
        struct qn_arena *arena;
        struct qn_err *err;
        struct qn_cur in, at; /* at: where character number `chars` is */
        size_t chars;
        struct frame stack[QN_YAML_DEPTH_MAX];
        uint32_t depth;
        uint64_t weight;
        struct qn_map names;
        struct anchor *anchors;
        size_t n_anchors, anchors_cap;
        struct qn_node *root;
        bool done;
};

/* libyaml counts characters; marks only move forward between nodes. */
static size_t byte_offset(struct reader *r, size_t chars)
{
        while (r->chars < chars && r->at.p < r->at.end) {
                uint32_t cp;

                r->at.p += qn_utf8_next(qn_cur_rest(&r->at), &cp);
                r->chars++;
        }
        return (size_t)(r->at.p - r->in.p);
}

static int fail(struct reader *r, const yaml_event_t *e, int code, const char *what)
{
        return qn_fail(r->err, code, byte_offset(r, e->start_mark.index), "%s", what);
}

static int parser_error(struct reader *r)
{
        const yaml_parser_t *y = &r->yaml;
        size_t at = y->error == YAML_READER_ERROR ? y->problem_offset
                                                  : byte_offset(r, y->problem_mark.index);

        if (y->error == YAML_MEMORY_ERROR)
                return qn_fail(r->err, -ENOMEM, 0, "out of memory");
        return qn_fail(r->err, -EBADMSG, QN_MIN(at, qn_cur_left(&r->in)), "%s",
                       y->problem ? y->problem : "not YAML");
}

/* --- scalars --- */

static size_t digits(struct qn_str s, size_t i)
{
        while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
                i++;
        return i;
}

/* A number as JSON writes it; anything else that YAML might call a number stays a string. */
static bool is_number(struct qn_str s)
{
        size_t i = s.n && s.p[0] == '-', from = i;

        i = digits(s, i);
        if (i == from || (i > from + 1 && s.p[from] == '0'))
                return false;
        if (i < s.n && s.p[i] == '.') {
                from = ++i;
                i = digits(s, i);
                if (i == from)
                        return false;
        }
        if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
                i++;
                i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
                from = i;
                i = digits(s, i);
                if (i == from)
                        return false;
        }
        return i == s.n;
}

static bool is_one_of(struct qn_str s, const char *const words[3])
{
        return qn_str_is(s, words[0]) || qn_str_is(s, words[1]) || qn_str_is(s, words[2]);
}

static void set_plain_type(struct qn_node *n)
{
        struct qn_str s = n->text;

        if (!s.n || qn_str_is(s, "~") ||
            is_one_of(s, (const char *const[]){ "null", "Null", "NULL" })) {
                n->type = QN_NODE_NULL;
        } else if (is_one_of(s, (const char *const[]){ "true", "True", "TRUE" })) {
                n->type = QN_NODE_BOOL;
                n->boolean = true;
        } else if (is_one_of(s, (const char *const[]){ "false", "False", "FALSE" })) {
                n->type = QN_NODE_BOOL;
        } else if (is_number(s)) {
                n->type = QN_NODE_NUMBER;
        }
}

static int read_text(struct reader *r, const yaml_event_t *e, struct qn_str *ret)
{
        struct qn_str s = { (const char *)e->data.scalar.value, e->data.scalar.length };

        s = qn_arena_dup(r->arena, s);
        if (!s.p)
                return fail(r, e, -ENOBUFS, "the document needs more memory than it may have");
        *ret = s;
        return 0;
}

static bool tagged_string(const yaml_event_t *e)
{
        const char *tag = (const char *)e->data.scalar.tag;

        return tag && strcmp(tag, YAML_STR_TAG) == 0;
}

/* --- anchors --- */

static int add_anchor(struct reader *r, const yaml_event_t *e, const yaml_char_t *name,
                      uint32_t *ret)
{
        struct qn_str key;
        uint32_t i;
        int k;

        *ret = QN_MAP_NONE;
        if (!name)
                return 0;
        key = qn_arena_dup(r->arena, qn_str_c((const char *)name));
        k = key.p ? qn_map_add(&r->names, r->arena, key, (uint32_t)r->n_anchors, &i) : -ENOBUFS;
        if (k < 0 || QN_ARENA_ROOM(r->arena, r->anchors, r->n_anchors, r->anchors_cap) < 0)
                return fail(r, e, -ENOBUFS, "the document needs more memory than it may have");
        if (k == 0)
                i = (uint32_t)r->n_anchors++;
        r->anchors[i] = (struct anchor){ 0 }; /* a second use of the name hides the first */
        *ret = i;
        return 0;
}

static void close_anchor(struct reader *r, uint32_t i, struct qn_node *n, uint64_t started,
                         uint32_t height)
{
        if (i != QN_MAP_NONE)
                r->anchors[i] = (struct anchor){ n, r->weight - started, height };
}

/* --- the tree --- */

static int new_node(struct reader *r, const yaml_event_t *e, enum qn_node_type type,
                    struct qn_node **ret)
{
        struct qn_node *n;

        if (++r->weight > QN_YAML_NODES_MAX)
                return fail(r, e, -EFBIG, "the document has too many nodes");
        n = QN_ARENA_NEW(r->arena, struct qn_node);
        if (!n)
                return fail(r, e, -ENOBUFS, "the document needs more memory than it may have");
        n->type = type;
        n->off = (uint32_t)byte_offset(r, e->start_mark.index);
        n->line = (uint32_t)e->start_mark.line + 1;
        n->column = (uint32_t)e->start_mark.column + 1;
        *ret = n;
        return 0;
}

/* Puts a finished (or just opened) node where it belongs. */
static int place(struct reader *r, const yaml_event_t *e, struct qn_node *n)
{
        struct frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;
        size_t count;

        if (!f) {
                r->root = n;
                return 0;
        }
        count = f->node->n;
        if (QN_ARENA_ROOM(r->arena, f->node->items, count, f->items_cap) < 0)
                return fail(r, e, -ENOBUFS, "the document needs more memory than it may have");
        if (f->node->type == QN_NODE_OBJECT) {
                if (QN_ARENA_ROOM(r->arena, f->node->keys, count, f->keys_cap) < 0)
                        return fail(r, e, -ENOBUFS,
                                    "the document needs more memory than it may have");
                f->node->keys[count] = f->key;
                f->has_key = false;
        }
        f->node->items[f->node->n++] = n;
        return 0;
}

static bool wants_key(const struct reader *r)
{
        const struct frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;

        return f && f->node->type == QN_NODE_OBJECT && !f->has_key;
}

static int on_scalar(struct reader *r, const yaml_event_t *e)
{
        struct qn_node *n;
        uint64_t started = r->weight;
        uint32_t anchor;
        int k;

        k = new_node(r, e, QN_NODE_STRING, &n);
        if (k == 0)
                k = read_text(r, e, &n->text);
        if (k == 0)
                k = add_anchor(r, e, e->data.scalar.anchor, &anchor);
        if (k < 0)
                return k;
        close_anchor(r, anchor, n, started, 0);
        if (wants_key(r)) {
                r->stack[r->depth - 1].key = n->text;
                r->stack[r->depth - 1].has_key = true;
                return 0;
        }
        if (e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tagged_string(e))
                set_plain_type(n);
        return place(r, e, n);
}

static int on_alias(struct reader *r, const yaml_event_t *e)
{
        uint32_t i = qn_map_get(&r->names, qn_str_c((const char *)e->data.alias.anchor));
        struct frame *f = r->depth ? &r->stack[r->depth - 1] : NULL;
        const struct anchor *a;

        if (i == QN_MAP_NONE)
                return fail(r, e, -EBADMSG, "an alias without an anchor");
        a = &r->anchors[i];
        if (!a->node)
                return fail(r, e, -EFBIG, "an anchor contains itself");
        r->weight += a->weight;
        if (r->weight > QN_YAML_NODES_MAX || r->depth + a->height > QN_YAML_DEPTH_MAX)
                return fail(r, e, -EFBIG, "aliases make the document too large");
        if (!wants_key(r)) {
                if (f)
                        f->height = QN_MAX(f->height, a->height);
                return place(r, e, a->node);
        }
        if (a->node->type >= QN_NODE_ARRAY)
                return fail(r, e, -EBADMSG, "a key must be a plain value");
        f->key = a->node->text;
        f->has_key = true;
        return 0;
}

static int on_open(struct reader *r, const yaml_event_t *e, enum qn_node_type type,
                   const yaml_char_t *anchor)
{
        struct frame f = { .started = r->weight };
        int k;

        if (wants_key(r))
                return fail(r, e, -EBADMSG, "a key must be a plain value");
        if (r->depth == QN_YAML_DEPTH_MAX)
                return fail(r, e, -EFBIG, "the document nests too deeply");
        k = new_node(r, e, type, &f.node);
        if (k == 0)
                k = add_anchor(r, e, anchor, &f.anchor);
        if (k == 0)
                k = place(r, e, f.node);
        if (k == 0)
                r->stack[r->depth++] = f;
        return k;
}

struct indexed {
        struct qn_str key;
        size_t at;
};

static int cmp_indexed(const void *pa, const void *pb)
{
        const struct indexed *a = pa, *b = pb;
        int c = qn_str_cmp(a->key, b->key);

        return c ? c : (a->at > b->at) - (a->at < b->at);
}

static bool repeats_linear(const struct qn_node *n)
{
        for (size_t i = 1; i < n->n; i++)
                for (size_t j = 0; j < i; j++)
                        if (qn_str_eq(n->keys[i], n->keys[j]))
                                return true;
        return false;
}

/* The last value of a repeated key moves to the first one's place. */
static int drop_repeats(struct reader *r, const yaml_event_t *e, struct qn_node *n)
{
        struct indexed *list;
        size_t to = 0;

        if (n->n <= LINEAR_KEYS && !repeats_linear(n))
                return 0;
        list = qn_arena_calloc(r->arena, n->n, sizeof *list);
        if (!list)
                return fail(r, e, -ENOBUFS, "the document needs more memory than it may have");
        for (size_t i = 0; i < n->n; i++)
                list[i] = (struct indexed){ n->keys[i], i };
        qsort(list, n->n, sizeof *list, cmp_indexed);
        for (size_t i = 1, first = 0; i < n->n; i++) {
                if (!qn_str_eq(list[i].key, list[first].key)) {
                        first = i;
                        continue;
                }
                n->duplicate = true;
                n->items[list[first].at] = n->items[list[i].at];
                n->items[list[i].at] = NULL;
        }
        for (size_t i = 0; i < n->n; i++) {
                if (!n->items[i])
                        continue;
                n->items[to] = n->items[i];
                n->keys[to++] = n->keys[i];
        }
        n->n = to;
        return 0;
}

static int on_close(struct reader *r, const yaml_event_t *e)
{
        struct frame *f = &r->stack[--r->depth];
        uint32_t height = f->height + 1;

        close_anchor(r, f->anchor, f->node, f->started, height);
        if (r->depth)
                f[-1].height = QN_MAX(f[-1].height, height);
        return f->node->type == QN_NODE_OBJECT ? drop_repeats(r, e, f->node) : 0;
}

static int on_event(struct reader *r, const yaml_event_t *e)
{
        switch (e->type) {
        case YAML_DOCUMENT_START_EVENT:
                return r->root ? fail(r, e, -EBADMSG, "more than one document") : 0;
        case YAML_SCALAR_EVENT:
                return on_scalar(r, e);
        case YAML_ALIAS_EVENT:
                return on_alias(r, e);
        case YAML_SEQUENCE_START_EVENT:
                return on_open(r, e, QN_NODE_ARRAY, e->data.sequence_start.anchor);
        case YAML_MAPPING_START_EVENT:
                return on_open(r, e, QN_NODE_OBJECT, e->data.mapping_start.anchor);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return on_close(r, e);
        case YAML_STREAM_END_EVENT:
                r->done = true;
                if (!r->root)
                        return new_node(r, e, QN_NODE_NULL, &r->root);
                return 0;
        default:
                return 0;
        }
}

static int read_all(struct reader *r)
{
        int k = 0;

        while (k == 0 && !r->done) {
                yaml_event_t e;

                if (!yaml_parser_parse(&r->yaml, &e))
                        return parser_error(r);
                k = on_event(r, &e);
                yaml_event_delete(&e);
        }
        return k;
}

static int check_bytes(struct qn_cur in, struct qn_err *reterr)
{
        struct qn_str s = qn_cur_rest(&in);

        if (s.n > QN_YAML_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the document is larger than %zu bytes",
                               QN_YAML_MAX);
        if (!qn_utf8_valid(s))
                return qn_fail(reterr, -EILSEQ, 0, "the document is not valid UTF-8");
        return 0;
}

int qn_yaml_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret, struct qn_err *reterr)
{
        struct reader r = { .arena = a, .err = reterr, .in = in, .at = in };
        int k = check_bytes(in, reterr);

        if (k < 0)
                return k;
        if (qn_str_starts(qn_cur_rest(&in), "\xef\xbb\xbf"))
                r.at.p = in.p += 3;
        if (!yaml_parser_initialize(&r.yaml))
                return qn_fail(reterr, -ENOMEM, 0, "out of memory");
        yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.yaml, in.p, qn_cur_left(&in));
        k = read_all(&r);
        yaml_parser_delete(&r.yaml);
        if (k == 0)
                *ret = r.root;
        return k;
}
