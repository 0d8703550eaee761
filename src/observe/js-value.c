/* What an expression stands for, as far as one file's bindings and constants tell.  Depth and number of steps are capped:
 * past the caps everything is simply not known.  A deeper evaluator can take this module's place. */
#include <stdio.h>

#include "observe/js-priv.h"
#include "parse/js-tok.h"

#define PARTS_MAX   256
#define PLAIN_LINKS 64u /* of a chain; eval() gives up long before */

/* Entries of slot[] that are no values: one being worked out, and one that stands for nothing and carries nothing. */
#define SLOT_BUSY  UINT32_MAX
#define SLOT_PLAIN (UINT32_MAX - 1)
/* Entries of atom_root[] that are no interfaces. */
#define GLOBAL_PLAIN    UINT32_MAX
#define GLOBAL_DIRNAME  (UINT32_MAX - 1)
#define GLOBAL_FILENAME (UINT32_MAX - 2)

static struct qn_js_val eval(struct qn_js_file *j, uint32_t node, unsigned depth);

static struct qn_js_val nothing(void)
{
        return (struct qn_js_val){ .kind = QN_VAL_NONE };
}

static struct qn_js_val text_val(struct qn_str s, bool exact)
{
        return s.p ? (struct qn_js_val){ .kind = QN_VAL_STRING, .str = s, .exact = exact }
                   : nothing();
}

static struct qn_js_val api_val(const struct qn_js_file *j, uint32_t api)
{
        if (!api)
                return nothing();
        if (j->apis->list[api].is == QN_IS_ROOT)
                api = j->apis->list[api].returns;
        return (struct qn_js_val){ .kind = QN_VAL_API, .api = api };
}

static struct qn_js_val node_val(uint32_t node)
{
        return (struct qn_js_val){ .kind = QN_VAL_NODE, .node = node };
}

uint32_t qn_jso_arg(const struct qn_js_file *j, uint32_t call, unsigned i)
{
        return qn_js_child(j->ast, call, i + 1);
}

uint32_t qn_jso_strip(const struct qn_js_file *j, uint32_t node)
{
        for (int i = 0; i < 16 && node; i++) {
                const struct qn_js_node *n = qn_jsn(j, node);

                if (n->type == QN_JS_AWAIT) {
                        node = n->first;
                } else if (n->type == QN_JS_SEQUENCE) {
                        uint32_t last = n->first;

                        for (int k = 0; k < 64 && qn_jsn(j, last)->next; k++)
                                last = qn_jsn(j, last)->next;
                        node = last;
                } else {
                        break;
                }
        }
        return node;
}

/* --- properties --- */

static struct qn_str key_text(struct qn_js_file *j, uint32_t property)
{
        const struct qn_js_node *p = qn_jsn(j, property);
        uint32_t key = p->first;

        if (p->type != QN_JS_PROPERTY || !key)
                return (struct qn_str){ NULL, 0 };
        if (qn_jsn(j, key)->type == QN_JS_IDENT && !(p->flags & QN_JS_F_COMPUTED))
                return qn_jso_atom_text(j, qn_jsn(j, key)->val);
        if (qn_jsn(j, key)->type == QN_JS_STRING)
                return qn_js_string(j->ast, key, j->a);
        return (struct qn_str){ NULL, 0 };
}

static uint32_t property_value(struct qn_js_file *j, uint32_t object, struct qn_str name)
{
        uint32_t found = 0;
        size_t seen = 0;

        if (!object || qn_jsn(j, object)->type != QN_JS_OBJECT)
                return 0;
        for (uint32_t p = qn_jsn(j, object)->first; p; p = qn_jsn(j, p)->next, seen++)
                if (qn_str_eq(key_text(j, p), name))
                        found = qn_js_child(j->ast, p, 1);
        /* Long tables that are asked often count as work, so that it stays in proportion to the file. */
        j->budget -= QN_MIN(j->budget, seen / 8);
        return found;
}

uint32_t qn_jso_property(struct qn_js_file *j, uint32_t object, const char *name)
{
        struct qn_js_val v = eval(j, object, 0);

        return v.kind == QN_VAL_NODE ? property_value(j, v.node, qn_str_c(name)) : 0;
}

/* obj.name, whatever obj turned out to be. */
static struct qn_js_val member_of(struct qn_js_file *j, struct qn_js_val obj, struct qn_str name,
                                  unsigned depth)
{
        const struct qn_js_api *api;
        struct qn_js_val v = nothing();
        uint32_t child;

        v.labels = obj.labels;
        switch (obj.kind) {
        case QN_VAL_API:
                api = &j->apis->list[obj.api];
                if (api->is == QN_IS_ENV)
                        return (struct qn_js_val){ .kind = QN_VAL_ENV, .str = name, .exact = true };
                child = qn_js_api_member(j->apis, obj.api, name);
                if (child && j->apis->list[child].is == QN_IS_SELF)
                        return obj;
                if (child) {
                        v = api_val(j, child);
                        v.labels |= j->apis->list[child].prop ? j->apis->list[child].labels : 0;
                        return v;
                }
                if (qn_str_is(name, "default"))
                        return obj;
                if (api->is == QN_IS_GLOBAL)
                        return api_val(j, qn_js_api_global(j->apis, name));
                return v;
        case QN_VAL_NODE:
                child = property_value(j, obj.node, name);
                return child ? eval(j, child, depth + 1) : v;
        default:
                return v;
        }
}

/* --- what stands for nothing --- */

/* What a free name stands for: an interface or one of GLOBAL_*. */
static uint32_t global_root(struct qn_js_file *j, uint32_t atom)
{
        if (!j->atom_root[atom]) {
                struct qn_str name = qn_jso_atom_text(j, atom);
                uint32_t api = qn_js_api_global(j->apis, name);

                j->atom_root[atom] = api                             ? api
                                     : qn_str_is(name, "__dirname")  ? GLOBAL_DIRNAME
                                     : qn_str_is(name, "__filename") ? GLOBAL_FILENAME
                                                                     : GLOBAL_PLAIN;
        }
        return j->atom_root[atom];
}

static bool is_interop(struct qn_str name)
{
        return qn_str_find(name, QN_STR("nterop")) >= 0 || qn_str_starts(name, "__import") ||
               qn_str_starts(name, "__toESM") || qn_str_starts(name, "__toModule");
}

static bool is_plain_name(struct qn_js_file *j, const struct qn_js_node *ident)
{
        if (!ident->first)
                return global_root(j, ident->val) == GLOBAL_PLAIN;
        return j->slot[ident->first] == SLOT_PLAIN;
}

/* Whether a chain a.b(c).d begins with something that is known to stand for nothing: by far the most common case. */
bool qn_jso_is_plain(struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);

        for (unsigned links = 0; n->type == QN_JS_MEMBER || n->type == QN_JS_CALL; links++) {
                bool call = n->type == QN_JS_CALL;

                if (!n->first || links == PLAIN_LINKS)
                        return false;
                n = qn_jsn(j, n->first);
                if (call && n->type == QN_JS_IDENT && is_interop(qn_jso_atom_text(j, n->val)))
                        return false;
        }
        return n->type == QN_JS_THIS || (n->type == QN_JS_IDENT && is_plain_name(j, n));
}

/* The value of a MEMBER node whose object is known. */
static struct qn_js_val member_value(struct qn_js_file *j, uint32_t node,
                                     const struct qn_js_val *obj, unsigned depth)
{
        const struct qn_js_node *n = qn_jsn(j, node);

        if (n->flags & QN_JS_F_PRIVATE)
                return nothing();
        if (obj->kind != QN_VAL_API && obj->kind != QN_VAL_NODE)
                return (struct qn_js_val){ .labels = obj->labels };
        return member_of(j, *obj, qn_jso_atom_text(j, n->val), depth);
}

/* --- bindings --- */

/* The property names that lead from a pattern to the identifier it declares. */
static bool pattern_path(struct qn_js_file *j, uint32_t pattern, uint32_t ident,
                         struct qn_str *path, size_t *n, unsigned depth)
{
        const struct qn_js_node *p = qn_jsn(j, pattern);

        if (pattern == ident)
                return true;
        if (depth > 4)
                return false;
        if (p->type == QN_JS_DEFAULT)
                return pattern_path(j, p->first, ident, path, n, depth + 1);
        if (p->type != QN_JS_OBJECT)
                return false;
        for (uint32_t i = p->first; i; i = qn_jsn(j, i)->next) {
                uint32_t value =
                        qn_jsn(j, i)->type == QN_JS_PROPERTY ? qn_js_child(j->ast, i, 1) : 0;
                size_t at = *n;

                if (!value && (qn_jsn(j, i)->flags & QN_JS_F_SHORTHAND))
                        value = qn_jsn(j, i)->first;
                if (!value || at >= 4)
                        continue;
                path[(*n)++] = key_text(j, i);
                if (pattern_path(j, value, ident, path, n, depth + 1))
                        return true;
                *n = at;
        }
        return false;
}

static struct qn_js_val from_declarator(struct qn_js_file *j, const struct qn_js_binding *b,
                                        unsigned depth)
{
        uint32_t target = qn_jsn(j, b->parent)->first, init = target ? qn_jsn(j, target)->next : 0;
        struct qn_str path[4];
        struct qn_js_val v;
        size_t n = 0;

        if (!init || qn_jsn(j, init)->type == QN_JS_EMPTY ||
            !pattern_path(j, target, b->decl, path, &n, 0))
                return nothing();
        v = eval(j, init, depth + 1);
        for (size_t i = 0; i < n; i++)
                v = member_of(j, v, path[i], depth + 1);
        return v;
}

static struct qn_js_val binding_value(struct qn_js_file *j, uint32_t index, unsigned depth)
{
        const struct qn_js_binding *b = &j->ast->bindings[index];
        uint32_t init;

        if (b->kind == QN_JS_B_PARAM &&
            b->atom == QN_JS_ATOM_REQUIRE) /* browserify: function (require, module, exports) */
                return api_val(j, qn_js_api_global(j->apis, QN_STR("require")));
        if (b->kind == QN_JS_B_FUNCTION || b->kind == QN_JS_B_CLASS)
                return b->writes ? nothing() : node_val(b->parent);
        if (!b->parent || qn_jsn(j, b->parent)->type != QN_JS_DECLARATOR)
                return nothing();
        init = qn_jsn(j, b->parent)->first ? qn_jsn(j, qn_jsn(j, b->parent)->first)->next : 0;
        if (b->writes == 0)
                return from_declarator(j, b, depth);
        if (b->writes == 1 && j->assigned[index] && (!init || qn_jsn(j, init)->type == QN_JS_EMPTY))
                return eval(j, j->assigned[index], depth + 1); /* var x; … x = require('fs') */
        return nothing();
}

/* Keeps what a binding stands for. */
static void remember(struct qn_js_file *j, uint32_t index, const struct qn_js_val *v)
{
        j->slot[index] = SLOT_PLAIN;
        if (v->kind == QN_VAL_NONE && !v->labels && !v->decoded)
                return;
        if (QN_ARENA_ROOM(j->a, j->vals, j->n_vals, j->vals_cap) < 0) {
                j->slot[index] = 0;
                j->lost = true;
                return;
        }
        j->vals[j->n_vals++] = *v;
        j->slot[index] = (uint32_t)j->n_vals;
}

static struct qn_js_val eval_binding(struct qn_js_file *j, uint32_t index, unsigned depth)
{
        struct qn_js_val v = nothing();

        if (j->slot[index] == SLOT_BUSY)
                return v;
        if (!j->slot[index]) {
                j->slot[index] = SLOT_BUSY;
                v = binding_value(j, index, depth);
                remember(j, index, &v);
        } else if (j->slot[index] != SLOT_PLAIN) {
                v = j->vals[j->slot[index] - 1];
        }
        return v;
}

static struct qn_js_val directory_of_file(struct qn_js_file *j, bool name)
{
        struct qn_str parts[2] = { QN_STR("."), j->s->path };
        ptrdiff_t slash = qn_str_rchr(j->s->path, '/');

        if (!name)
                parts[1].n = slash < 0 ? 0 : (size_t)slash;
        return text_val(qn_jso_const_path(j->a, parts, 2), true);
}

static struct qn_js_val eval_global(struct qn_js_file *j, uint32_t atom)
{
        uint32_t root = global_root(j, atom);

        switch (root) {
        case GLOBAL_PLAIN:
                return nothing();
        case GLOBAL_DIRNAME:
                return directory_of_file(j, false);
        case GLOBAL_FILENAME:
                return directory_of_file(j, true);
        default:
                return api_val(j, root);
        }
}

/* --- text --- */

/* Text of a value inside a longer text; * where it is not known. */
static struct qn_str part_text(struct qn_js_file *j, const struct qn_js_val *v, bool *exact)
{
        char buf[32];

        if (v->kind == QN_VAL_STRING) {
                *exact &= v->exact;
                return v->str;
        }
        if (v->kind == QN_VAL_NUMBER) {
                snprintf(buf, sizeof buf, "%.15g", v->number);
                return qn_arena_dup(j->a, qn_str_c(buf));
        }
        *exact = false;
        if (v->kind == QN_VAL_ENV &&
            (qn_str_is(v->str, "HOME") || qn_str_is(v->str, "USERPROFILE")))
                return QN_STR("~");
        if (v->kind == QN_VAL_ENV &&
            (qn_str_is(v->str, "APPDATA") || qn_str_is(v->str, "LOCALAPPDATA")))
                return QN_STR("~/AppData");
        return QN_STR("*");
}

static struct qn_js_val join_parts(struct qn_js_file *j, struct qn_js_val *vals, size_t n,
                                   bool path)
{
        struct qn_str parts[PARTS_MAX];
        struct qn_js_val v;
        bool exact = true, any = false, decoded = false;
        uint64_t labels = 0;

        for (size_t i = 0; i < n; i++) {
                parts[i] = part_text(j, &vals[i], &exact);
                any |= vals[i].kind == QN_VAL_STRING || vals[i].kind == QN_VAL_ENV;
                decoded |= vals[i].decoded;
                labels |= vals[i].labels;
        }
        v = any ? text_val(path ? qn_jso_const_path(j->a, parts, n)
                                : qn_jso_const_join(j->a, parts, n, (struct qn_str){ 0 }),
                           exact)
                : nothing();
        v.labels = labels;
        v.decoded = decoded;
        return v;
}

static bool is_op(const struct qn_js_file *j, uint32_t node, unsigned tok)
{
        return qn_jsn(j, node)->type == QN_JS_BINARY && qn_jsn(j, node)->op == tok;
}

/* a + b + c…: the left spine is as long as the source likes. */
static struct qn_js_val eval_plus(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        struct qn_js_val vals[PARTS_MAX];
        size_t n = 0;

        while (n + 1 < PARTS_MAX && is_op(j, node, QN_JS_TOK_ADD)) {
                uint32_t left = qn_jsn(j, node)->first;

                vals[n++] = eval(j, qn_jsn(j, left)->next, depth + 1);
                node = left;
        }
        vals[n++] = eval(j, node, depth + 1);
        for (size_t i = 0; i < n / 2; i++) {
                struct qn_js_val t = vals[i];

                vals[i] = vals[n - 1 - i];
                vals[n - 1 - i] = t;
        }
        if (n == 2 && vals[0].kind == QN_VAL_NUMBER && vals[1].kind == QN_VAL_NUMBER) {
                vals[0].number += vals[1].number;
                return vals[0];
        }
        return join_parts(j, vals, n, false);
}

static struct qn_js_val eval_template(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        struct qn_js_val vals[PARTS_MAX];
        size_t n = 0;

        for (uint32_t c = qn_jsn(j, node)->first; c && n < PARTS_MAX; c = qn_jsn(j, c)->next)
                vals[n++] = qn_jsn(j, c)->type == QN_JS_TEMPLATE_PART
                                    ? text_val(qn_js_string(j->ast, c, j->a), true)
                                    : eval(j, c, depth + 1);
        return join_parts(j, vals, n, false);
}

/* --- calls --- */

static struct qn_js_val eval_require(struct qn_js_file *j, uint32_t call, unsigned depth)
{
        struct qn_js_val name = eval(j, qn_jso_arg(j, call, 0), depth + 1);

        if (name.kind != QN_VAL_STRING || !name.exact)
                return nothing();
        return api_val(j, qn_js_api_module(j->apis, name.str));
}

static struct qn_js_val eval_decoder(struct qn_js_file *j, uint32_t call, const char *fixed,
                                     unsigned depth)
{
        struct qn_js_val text = eval(j, qn_jso_arg(j, call, 0), depth + 1), v;
        struct qn_str encoding = qn_str_c(fixed);

        if (!fixed) {
                struct qn_js_val e = eval(j, qn_jso_arg(j, call, 1), depth + 1);

                encoding = e.kind == QN_VAL_STRING ? e.str : (struct qn_str){ 0 };
        }
        v = nothing();
        if (text.kind == QN_VAL_STRING && text.exact)
                v = text_val(qn_jso_const_decode(j->a, text.str, encoding), true);
        v.decoded = encoding.n && !qn_str_starts(encoding, "utf");
        v.labels = text.labels | (v.decoded ? QN_LABEL_BIT(DECODED) : 0);
        return v;
}

static struct qn_js_val eval_charcodes(struct qn_js_file *j, uint32_t call, unsigned depth)
{
        char text[PARTS_MAX];
        size_t n = 0;
        struct qn_js_val v;

        for (uint32_t a = qn_jso_arg(j, call, 0); a && n < sizeof text; a = qn_jsn(j, a)->next) {
                struct qn_js_val c = eval(j, a, depth + 1);

                if (c.kind != QN_VAL_NUMBER || c.number < 0 || c.number > 127)
                        return nothing();
                text[n++] = (char)c.number;
        }
        v = text_val(qn_arena_dup(j->a, (struct qn_str){ text, n }), true);
        v.decoded = n > 1;
        return v;
}

static struct qn_js_val eval_join(struct qn_js_file *j, uint32_t call, unsigned depth)
{
        struct qn_js_val vals[PARTS_MAX];
        size_t n = 0;

        for (uint32_t a = qn_jso_arg(j, call, 0); a && n < PARTS_MAX; a = qn_jsn(j, a)->next)
                vals[n++] = eval(j, a, depth + 1);
        return n ? join_parts(j, vals, n, true) : nothing();
}

static struct qn_js_val call_api(struct qn_js_file *j, uint32_t call, uint32_t index,
                                 unsigned depth)
{
        const struct qn_js_api *api = &j->apis->list[index];
        struct qn_js_val v = nothing();

        switch (api->is) {
        case QN_IS_REQUIRE:
                return eval_require(j, call, depth);
        case QN_IS_ARG0:
                return eval(j, qn_jso_arg(j, call, 0), depth + 1);
        case QN_IS_JOIN:
                return eval_join(j, call, depth);
        case QN_IS_HOME:
                return text_val(QN_STR("~"), true);
        case QN_IS_TMP:
                return text_val(QN_STR("/tmp"), true);
        case QN_IS_CWD:
                return text_val(QN_STR("$CWD"), true);
        case QN_IS_BUFFER:
                return eval_decoder(j, call, NULL, depth);
        case QN_IS_BASE64:
                return eval_decoder(j, call, "base64", depth);
        case QN_IS_PERCENT:
                v = eval_decoder(j, call, "percent", depth);
                if (v.kind != QN_VAL_STRING ||
                    !v.exact) { /* an address, a query: nothing was hidden */
                        v.labels &= ~QN_LABEL_BIT(DECODED);
                        v.decoded = false;
                }
                return v;
        case QN_IS_CHARCODES:
                return eval_charcodes(j, call, depth);
        case QN_IS_ENVGET:
                v = eval(j, qn_jso_arg(j, call, 0), depth + 1);
                return (struct qn_js_val){ .kind = QN_VAL_ENV, .str = v.str, .exact = v.exact };
        default:
                if (api->returns)
                        v = api_val(j, api->returns);
                v.labels |= api->labels;
                return v;
        }
}

/* ['a', 'b'].join(c) */
static struct qn_js_val join_array(struct qn_js_file *j, uint32_t call, uint32_t array,
                                   unsigned depth)
{
        struct qn_str parts[PARTS_MAX], sep = qn_jso_text(j, qn_jso_arg(j, call, 0));
        bool exact = true;
        size_t n = 0;

        for (uint32_t e = qn_jsn(j, array)->first; e && n < PARTS_MAX; e = qn_jsn(j, e)->next) {
                struct qn_js_val v = eval(j, e, depth + 1);

                parts[n++] = part_text(j, &v, &exact);
        }
        return text_val(qn_jso_const_join(j->a, parts, n, sep.p ? sep : QN_STR(",")), exact);
}

static struct qn_js_val concat(struct qn_js_file *j, uint32_t call, const struct qn_js_val *text,
                               unsigned depth)
{
        struct qn_js_val vals[PARTS_MAX];
        size_t n = 0;

        vals[n++] = *text;
        for (uint32_t a = qn_jso_arg(j, call, 0); a && n < PARTS_MAX; a = qn_jsn(j, a)->next)
                vals[n++] = eval(j, a, depth + 1);
        return join_parts(j, vals, n, false);
}

/* Whether text.toString(encoding) is the text itself. */
static bool is_text_encoding(struct qn_js_file *j, uint32_t call, unsigned depth)
{
        struct qn_js_val e = eval(j, qn_jso_arg(j, call, 0), depth + 1);

        return e.kind != QN_VAL_STRING || qn_str_starts(e.str, "utf") ||
               qn_str_is(e.str, "ascii") || qn_str_is(e.str, "latin1") ||
               qn_str_is(e.str, "binary");
}

static struct qn_js_val call_method(struct qn_js_file *j, uint32_t call, uint32_t callee,
                                    const struct qn_js_val *obj, unsigned depth)
{
        struct qn_str name = qn_jso_atom_text(j, qn_jsn(j, callee)->val);
        uint32_t object = qn_jsn(j, callee)->first;

        if (qn_jsn(j, object)->type == QN_JS_ARRAY && qn_str_is(name, "join"))
                return join_array(j, call, object, depth);
        if (obj->kind == QN_VAL_STRING) {
                if (qn_str_is(name, "concat"))
                        return concat(j, call, obj, depth);
                if (qn_str_is(name, "trim") || qn_str_is(name, "toLowerCase") ||
                    qn_str_is(name, "valueOf") ||
                    (qn_str_is(name, "toString") && is_text_encoding(j, call, depth)))
                        return *obj;
        }
        if ((obj->kind == QN_VAL_NODE || obj->kind == QN_VAL_API) && qn_str_is(name, "bind"))
                return *obj; /* exec.bind(null) */
        return (struct qn_js_val){ .kind = QN_VAL_NONE,
                                   .labels = obj->labels,
                                   .decoded = obj->decoded };
}

/* obj.name(…); the object is looked at once, or a chain of calls would take exponential time. */
static struct qn_js_val eval_method_call(struct qn_js_file *j, uint32_t node, uint32_t callee,
                                         unsigned depth)
{
        struct qn_js_val obj, f;

        if (qn_jso_is_plain(j, callee))
                return nothing();
        obj = eval(j, qn_jsn(j, callee)->first, depth + 1);
        f = member_value(j, callee, &obj, depth + 1);
        if (f.kind == QN_VAL_API)
                return call_api(j, node, f.api, depth);
        return call_method(j, node, callee, &obj, depth);
}

static struct qn_js_val eval_call(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        uint32_t callee = qn_jso_strip(j, qn_jsn(j, node)->first);
        struct qn_js_val f;

        if (!callee)
                return nothing();
        if (qn_jsn(j, callee)->type == QN_JS_MEMBER)
                return eval_method_call(j, node, callee, depth);
        f = eval(j, callee, depth + 1);
        if (f.kind == QN_VAL_API)
                return call_api(j, node, f.api, depth);
        if (qn_jsn(j, callee)->type == QN_JS_IDENT &&
            is_interop(qn_jso_atom_text(j, qn_jsn(j, callee)->val)))
                return eval(j, qn_jso_arg(j, node, 0), depth + 1);
        return (struct qn_js_val){ .kind = QN_VAL_NONE, .labels = f.labels };
}

static struct qn_js_val eval_import(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        struct qn_js_val name = eval(j, qn_jsn(j, node)->first, depth + 1);

        if (name.kind != QN_VAL_STRING || !name.exact)
                return nothing();
        return api_val(j, qn_js_api_module(j->apis, name.str));
}

/* --- all kinds --- */

static struct qn_js_val eval_index(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        uint32_t object = qn_jsn(j, node)->first, property = qn_jsn(j, object)->next;
        struct qn_js_val obj = eval(j, object, depth + 1), key;

        if (obj.kind == QN_VAL_NONE)
                return obj;
        key = eval(j, property, depth + 1);
        if (obj.kind == QN_VAL_API && j->apis->list[obj.api].is == QN_IS_ENV)
                return (struct qn_js_val){ .kind = QN_VAL_ENV,
                                           .str = key.kind == QN_VAL_STRING ? key.str
                                                                            : (struct qn_str){ 0 },
                                           .exact = key.kind == QN_VAL_STRING && key.exact };
        if (key.kind == QN_VAL_STRING && key.exact)
                return member_of(j, obj, key.str, depth);
        if (obj.kind == QN_VAL_NODE && qn_jsn(j, obj.node)->type == QN_JS_ARRAY &&
            key.kind == QN_VAL_NUMBER && key.number >= 0 && key.number < 4096)
                return eval(j, qn_js_child(j->ast, obj.node, (unsigned)key.number), depth + 1);
        return (struct qn_js_val){ .kind = QN_VAL_NONE, .labels = obj.labels };
}

/* x || 'default', x ?? 'default': the constant side tells more. */
static struct qn_js_val eval_either(struct qn_js_file *j, uint32_t a, uint32_t b, unsigned depth)
{
        struct qn_js_val x = eval(j, a, depth + 1), y = eval(j, b, depth + 1),
                         v = x.kind != QN_VAL_NONE ? x : y;

        v.labels = x.labels | y.labels;
        return v;
}

static struct qn_js_val eval_binary(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        uint32_t left = qn_jsn(j, node)->first, right = qn_jsn(j, left)->next;

        if (is_op(j, node, QN_JS_TOK_ADD))
                return eval_plus(j, node, depth);
        if (is_op(j, node, QN_JS_TOK_OROR) || is_op(j, node, QN_JS_TOK_NULLISH) ||
            is_op(j, node, QN_JS_TOK_ANDAND))
                return eval_either(j, left, right, depth);
        return nothing();
}

static struct qn_js_val eval(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        const struct qn_js_node *n;
        struct qn_js_val v;

        if (!node || depth > QN_JS_EVAL_DEPTH || !j->budget)
                return nothing();
        j->budget--;
        node = qn_jso_strip(j, node);
        n = qn_jsn(j, node);
        switch (n->type) {
        case QN_JS_STRING:
                return text_val(qn_js_string(j->ast, node, j->a), true);
        case QN_JS_NUMBER:
                return (struct qn_js_val){ .kind = QN_VAL_NUMBER,
                                           .number = qn_js_number(j->ast, node) };
        case QN_JS_TEMPLATE:
                return eval_template(j, node, depth);
        case QN_JS_IDENT:
                return n->first ? eval_binding(j, n->first, depth) : eval_global(j, n->val);
        case QN_JS_MEMBER:
                if (n->flags & QN_JS_F_PRIVATE || qn_jso_is_plain(j, node))
                        return nothing();
                v = eval(j, n->first, depth + 1);
                return member_value(j, node, &v, depth);
        case QN_JS_INDEX:
                return eval_index(j, node, depth);
        case QN_JS_CALL:
        case QN_JS_NEW:
                return qn_jso_is_plain(j, node) ? nothing() : eval_call(j, node, depth);
        case QN_JS_IMPORT_CALL:
                return eval_import(j, node, depth);
        case QN_JS_BINARY:
                return eval_binary(j, node, depth);
        case QN_JS_COND:
                return eval_either(j, qn_js_child(j->ast, node, 1), qn_js_child(j->ast, node, 2),
                                   depth);
        case QN_JS_ASSIGN:
                return eval(j, qn_js_child(j->ast, node, 1), depth + 1);
        case QN_JS_FUNCTION:
        case QN_JS_CLASS:
        case QN_JS_OBJECT:
        case QN_JS_ARRAY:
                return node_val(node);
        default:
                return nothing();
        }
}

struct qn_js_val qn_jso_eval(struct qn_js_file *j, uint32_t node, unsigned depth)
{
        return eval(j, node, depth);
}

struct qn_str qn_jso_text(struct qn_js_file *j, uint32_t node)
{
        struct qn_js_val v = eval(j, node, 0);

        return v.kind == QN_VAL_STRING && v.exact ? v.str : (struct qn_str){ NULL, 0 };
}
