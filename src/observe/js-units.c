#include "observe/js-units.h"

#include <errno.h>

#include "base/arena.h"
#include "base/hash.h"
#include "parse/js.h"

struct visit {
        uint32_t node, unit;
        bool in_list; /* a statement, or an element of a list that stands for one */
};

struct walk {
        const struct qn_js_ast *ast;
        struct qn_arena *a;
        struct qn_js_unit *units;
        size_t n, cap;
        struct visit *stack;
        size_t n_stack, stack_cap;
        uint64_t *atoms; /* hash of each atom's text, 0: not asked yet */
        int err;
};

static uint64_t mix(uint64_t h)
{
        h ^= h >> 32;
        h *= UINT64_C(0xd6e8feb86659fd93);
        return h ^ h >> 29;
}

/* --- what a piece names --- */

/* Sums do not depend on the order. */
static void add_feature(struct walk *w, uint32_t unit, uint64_t hash)
{
        w->units[unit].hash += mix(hash | 1);
        w->units[unit].features++;
}

static void add_text(struct walk *w, uint32_t unit, struct qn_str s)
{
        if (s.n && !qn_str_is(s, "use strict"))
                add_feature(w, unit, qn_hash64(s.p, s.n));
}

static void add_atom(struct walk *w, uint32_t unit, uint32_t atom)
{
        if (atom >= w->ast->n_atoms || !w->ast->atoms[atom].n)
                return;
        if (!w->atoms[atom])
                w->atoms[atom] = qn_hash64(w->ast->atoms[atom].p, w->ast->atoms[atom].n) | 1;
        add_feature(w, unit, w->atoms[atom]);
}

/* Minifiers write true as !0 and undefined as void 0. */
static void add_number(struct walk *w, uint32_t unit, uint32_t node)
{
        double d = qn_js_number(w->ast, node);
        uint64_t bits;

        if (d == 0 || d == 1)
                return;
        memcpy(&bits, &d, sizeof bits);
        add_feature(w, unit, mix(bits));
}

static struct qn_str source_of(const struct walk *w, const struct qn_js_node *n)
{
        return qn_str_skip(qn_str_take(w->ast->source, n->end), n->start);
}

static void add_features(struct walk *w, uint32_t unit, uint32_t node)
{
        const struct qn_js_node *n = &w->ast->nodes[node];

        switch (n->type) {
        case QN_JS_IDENT:
                if (!n->first)
                        add_atom(w, unit, n->val);
                break;
        case QN_JS_MEMBER:
        case QN_JS_IMPORT_SPEC:
        case QN_JS_EXPORT_SPEC:
        case QN_JS_JSX_ATTR:
        case QN_JS_PRIVATE_NAME:
                add_atom(w, unit, n->val);
                break;
        case QN_JS_STRING:
        case QN_JS_TEMPLATE_PART:
                add_text(w, unit, qn_js_string(w->ast, node, w->a));
                break;
        case QN_JS_NUMBER:
                add_number(w, unit, node);
                break;
        case QN_JS_BIGINT:
        case QN_JS_REGEX:
        case QN_JS_JSX_NAME:
                add_text(w, unit, source_of(w, n));
                break;
        case QN_JS_CALL:
        case QN_JS_NEW:
        case QN_JS_AWAIT:
        case QN_JS_YIELD:
        case QN_JS_THROW:
                add_feature(w, unit, mix(n->type));
                break;
        default:
                break;
        }
}

/* --- the walk --- */

static void push(struct walk *w, struct visit v)
{
        if (QN_ARENA_ROOM(w->a, w->stack, w->n_stack, w->stack_cap) < 0)
                w->err = -ENOBUFS;
        else
                w->stack[w->n_stack++] = v;
}

static uint32_t new_unit(struct walk *w, uint32_t node, uint32_t outer, bool function)
{
        const struct qn_js_node *n = &w->ast->nodes[node];

        if (QN_ARENA_ROOM(w->a, w->units, w->n, w->cap) < 0) {
                w->err = -ENOBUFS;
                return outer;
        }
        w->units[w->n] = (struct qn_js_unit){
                .start = n->start, .end = n->end, .outer = outer, .function = function
        };
        return (uint32_t)w->n++;
}

/* Where the body of a function begins, if it stands in braces. */
static uint32_t block_of(const struct qn_js_ast *ast, uint32_t node)
{
        uint32_t body = qn_js_child(ast, node, 2);

        return body && ast->nodes[body].type == QN_JS_BLOCK ? ast->nodes[body].start : 0;
}

static uint32_t new_function(struct walk *w, uint32_t node, uint32_t outer)
{
        uint32_t unit = new_unit(w, node, outer, true);

        w->units[unit].block = unit == outer ? 0 : block_of(w->ast, node);
        return unit;
}

static bool is_statement(unsigned type)
{
        return (type >= QN_JS_EXPR_STMT && type <= QN_JS_DEBUGGER && type != QN_JS_BLOCK) ||
               (type >= QN_JS_IMPORT && type <= QN_JS_EXPORT_ALL);
}

/* Whether the elements of a list are pieces of their own: `a(), b(), c();` is three statements. */
static bool is_list(const struct walk *w, const struct visit *v)
{
        unsigned type = w->ast->nodes[v->node].type;

        return type == QN_JS_EXPR_STMT || (type == QN_JS_SEQUENCE && v->in_list);
}

static void visit(struct walk *w, const struct visit *v)
{
        const struct qn_js_node *n = &w->ast->nodes[v->node];
        uint32_t unit = v->unit, child = n->type == QN_JS_IDENT ? 0 : n->first;
        bool list = is_list(w, v);

        if (n->type == QN_JS_FUNCTION)
                unit = new_function(w, v->node, unit);
        else if (is_statement(n->type) || n->type == QN_JS_DECLARATOR || v->in_list)
                unit = new_unit(w, v->node, unit, false);
        add_features(w, unit, v->node);
        if (n->type == QN_JS_PROPERTY && !(n->flags & QN_JS_F_COMPUTED) && child &&
            w->ast->nodes[child].type == QN_JS_IDENT) {
                add_atom(w, unit, w->ast->nodes[child].val);
                child = w->ast->nodes[child].next;
        }
        if (child)
                push(w, (struct visit){ child, unit, list });
}

static void walk(struct walk *w)
{
        push(w, (struct visit){ w->ast->root, 0, false });
        while (w->n_stack && w->err == 0) {
                struct visit v = w->stack[--w->n_stack];
                uint32_t next = w->ast->nodes[v.node].next;

                if (next && v.node != w->ast->root)
                        push(w, (struct visit){ next, v.unit, v.in_list });
                visit(w, &v);
        }
}

/* Inner ones come after outer ones. */
static void add_up(struct walk *w)
{
        for (size_t i = w->n; i-- > 0;) {
                struct qn_js_unit *u = &w->units[i];

                u->body += u->hash;
                if (i && !u->function)
                        w->units[u->outer].body += u->body;
        }
}

int qn_js_units(const struct qn_js_ast *ast, struct qn_arena *a, struct qn_js_units *ret)
{
        struct walk w = { .ast = ast, .a = a };

        *ret = (struct qn_js_units){ 0 };
        w.atoms = qn_arena_calloc(a, ast->n_atoms + 1, sizeof *w.atoms);
        if (!w.atoms)
                return -ENOBUFS;
        if (!ast->root)
                return 0;
        new_unit(&w, ast->root, 0, true);
        if (w.n)
                walk(&w);
        add_up(&w);
        *ret = (struct qn_js_units){ w.units, (uint32_t)w.n };
        return w.err;
}

uint32_t qn_js_unit_before(const struct qn_js_units *u, uint32_t off)
{
        uint32_t low = 0, high = u->n;

        while (low < high) {
                uint32_t mid = low + (high - low) / 2;

                if (u->v[mid].start < off)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

uint32_t qn_js_unit_at(const struct qn_js_units *u, uint32_t off)
{
        uint32_t low = qn_js_unit_before(u, off + 1);

        low -= low > 0;
        while (low && u->v[low].end <= off)
                low = u->v[low].outer;
        return low;
}
