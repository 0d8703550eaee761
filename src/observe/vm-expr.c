/* Expressions. */
#include <math.h>

#include "base/limits.h"
#include "observe/vm-priv.h"
#include "parse/js-tok.h"

#define ARGS_MAX    4096u
#define NEW_ROUNDS  8u                /* of a loop, in which all of it is evaluated */
#define STACK_BYTES ((size_t)3 << 20) /* of the C stack that one package's code may take */

bool qn_vm_too_deep(const struct qn_vm *vm)
{
        const char *here = __builtin_frame_address(0);

        return (size_t)(vm->stack_base - here) > STACK_BYTES;
}

/* --- names --- */

static struct qn_v *slot_of(struct qn_vframe *f, uint32_t binding)
{
        struct qn_vmod *m = f->m;
        uint32_t scope = m->owner[m->ast->bindings[binding].scope];

        for (unsigned i = 0; f && i < QN_JS_DEPTH_MAX; i++, f = f->up)
                if (f->scope == scope && f->m == m)
                        return &f->slots[m->slot[binding]];
        return NULL;
}

/* A name in code that stood in a text: the names around the call that ran it. */
static struct qn_v *outer_slot(struct qn_vm *vm, struct qn_vframe *f, uint32_t key)
{
        struct qn_str name = qn_vm_key_text(vm, key);

        for (f = f->m->outer; f; f = f->up) {
                const struct qn_js_ast *ast = f->m->ast;

                qn_vm_charge(vm, ast->n_bindings * sizeof *ast->bindings);
                for (uint32_t b = 1; b < ast->n_bindings; b++)
                        if (f->m->owner[ast->bindings[b].scope] == f->scope &&
                            qn_str_eq(ast->atoms[ast->bindings[b].atom], name))
                                return &f->slots[f->m->slot[b]];
                if (!f->up && f->m->outer)
                        return outer_slot(vm, f, key);
        }
        return NULL;
}

static struct qn_v frame_arguments(struct qn_vm *vm, struct qn_vframe *f)
{
        while (f && !f->args && f->up && f->scope != 1)
                f = f->up;
        return f && f->args ? qn_v_obj(qn_vm_array(vm, f->args, f->n_args)) : qn_v_unknown();
}

static struct qn_v eval_free_name(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t key = qn_vm_atom_key(vm, f->m, qn_vn(f->m, node)->val);
        struct qn_vprop *own = qn_vm_own(vm->globals, key);
        struct qn_v *slot = f->m->outer ? outer_slot(vm, f, key) : NULL;
        struct qn_v v;

        if (slot)
                return *slot;
        if (own)
                return own->v;
        switch (key) {
        case QN_K_UNDEFINED:
                return qn_v_undef();
        case QN_K_NAN:
                return qn_v_num(NAN);
        case QN_K_INFINITY:
                return qn_v_num(INFINITY);
        case QN_K_ARGUMENTS:
                return frame_arguments(vm, f);
        case QN_K_EXPORTS:
                return f->m->esm ? qn_v_unknown() : qn_v_obj(f->m->exports);
        case QN_K_MODULE:
                return f->m->module ? qn_v_obj(f->m->module) : qn_v_unknown();
        case QN_K_FILENAME:
        case QN_K_DIRNAME: {
                struct qn_str path = f->m->path;
                ptrdiff_t slash = qn_str_rchr(path, '/');
                struct qn_v dot = qn_v_str(QN_STR("./"));

                if (key == QN_K_DIRNAME)
                        path = qn_str_take(path, slash < 0 ? 0 : (size_t)slash);
                return path.n ? qn_vm_concat(vm, dot, qn_v_str(path)) : qn_v_str(QN_STR("."));
        }
        default:
                v = qn_vm_global(vm, key);
                return v.kind == QN_V_API ? qn_vm_api_read(vm, (struct qn_vat){ f->m, node }, v)
                                          : v;
        }
}

static struct qn_v eval_name(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_v *slot;

        if (!n->first)
                return eval_free_name(vm, f, node);
        slot = slot_of(f, n->first);
        return slot ? *slot : qn_v_unknown();
}

static struct qn_v after_cut(struct qn_v v)
{
        struct qn_v r = qn_v_lost(v.taint);

        if (!qn_v_certain(v))
                return qn_v_tainted(v.taint);
        if (!qn_v_goes_on(v))
                return v;
        r.flags |= v.flags & QN_VF_DECODED;
        return r;
}

void qn_vm_assign_name(struct qn_vm *vm, struct qn_vframe *f, uint32_t ident, struct qn_v v,
                       bool declare)
{
        const struct qn_js_node *n = qn_vn(f->m, ident);
        struct qn_v *slot = n->first ? slot_of(f, n->first) : NULL;
        struct qn_vframe *owner = f;
        uint32_t key;

        if (slot) {
                uint32_t scope = f->m->owner[f->m->ast->bindings[n->first].scope];

                while (owner && !(owner->scope == scope && owner->m == f->m))
                        owner = owner->up;
                if (!declare && owner && qn_vm_is_cut(vm, owner->born))
                        v = after_cut(v);
                if (!declare && owner && vm->uncertain > owner->born)
                        v = qn_vm_join(vm, *slot, v);
                *slot = v;
                return;
        }
        if (n->first)
                return;
        key = qn_vm_atom_key(vm, f->m, n->val);
        slot = f->m->outer ? outer_slot(vm, f, key) : NULL;
        if (slot) {
                *slot = vm->cut ? after_cut(v) : v;
                return;
        }
        if (vm->cut)
                v = after_cut(v);
        qn_vm_api_write(vm, (struct qn_vat){ f->m, ident }, qn_v_unknown(), key, v);
        v.flags &= (uint8_t)~QN_VF_LITERAL;
        qn_vm_define(vm, vm->globals, key, v, false);
}

/* --- patterns --- */

uint32_t qn_vm_property_key(struct qn_vm *vm, struct qn_vframe *f, uint32_t key, bool computed)
{
        const struct qn_js_node *k = qn_vn(f->m, key);
        struct qn_v v;

        if (!computed && (k->type == QN_JS_IDENT || k->type == QN_JS_PRIVATE_NAME))
                return qn_vm_atom_key(vm, f->m, k->val);
        v = qn_vm_to_text(vm, qn_vm_eval(vm, f, key));
        return qn_v_exact(v) ? qn_vm_key(vm, qn_v_text(v)) : 0;
}

static void bind_object(struct qn_vm *vm, struct qn_vframe *f, uint32_t pattern, struct qn_v v,
                        bool declare)
{
        struct qn_vmod *m = f->m;

        for (uint32_t p = qn_vn(m, pattern)->first; p; p = qn_vn(m, p)->next) {
                const struct qn_js_node *n = qn_vn(m, p);
                uint32_t target = n->first ? qn_vn(m, n->first)->next : 0, key;
                struct qn_v part;

                if (n->type == QN_JS_SPREAD) {
                        if (qn_vm_is_env(vm, v))
                                v = qn_vm_env_all(vm, (struct qn_vat){ m, p }, "spread");
                        qn_vm_bind(vm, f, n->first, v, declare);
                        continue;
                }
                if (n->type != QN_JS_PROPERTY || !target)
                        continue;
                key = qn_vm_property_key(vm, f, n->first, n->flags & QN_JS_F_COMPUTED);
                if (qn_vm_is_env(vm, v) && key)
                        part = qn_vm_env(vm, (struct qn_vat){ m, p },
                                         qn_v_str(qn_vm_key_text(vm, key)));
                else
                        part = key ? qn_vm_get(vm, v, key) : qn_vm_get_index(vm, v, qn_v_unknown());
                if (part.kind == QN_V_API)
                        part = qn_vm_api_read(vm, (struct qn_vat){ m, p }, part);
                if (key)
                        part = qn_vm_name_source(vm, (struct qn_vat){ m, p }, key, part);
                qn_vm_bind(vm, f, target, part, declare);
        }
}

static void bind_array(struct qn_vm *vm, struct qn_vframe *f, uint32_t pattern, struct qn_v v,
                       bool declare)
{
        struct qn_v *list = NULL;
        uint32_t n = 0, i = 0;
        bool known = qn_vm_elements(vm, v, &list, &n);

        for (uint32_t c = qn_vn(f->m, pattern)->first; c; c = qn_vn(f->m, c)->next, i++) {
                struct qn_v part;

                if (qn_vn(f->m, c)->type == QN_JS_EMPTY)
                        continue;
                if (qn_vn(f->m, c)->type == QN_JS_SPREAD) {
                        part = known ? qn_v_obj(qn_vm_array(vm, i < n ? list + i : NULL,
                                                            i < n ? n - i : 0))
                                     : qn_v_tainted(qn_vm_deep_taint(vm, v));
                        qn_vm_bind(vm, f, qn_vn(f->m, c)->first, part, declare);
                        continue;
                }
                part = known ? i < n ? qn_vm_with(vm, list[i], v.taint) : qn_v_undef()
                             : qn_vm_get_index(vm, v, qn_v_unknown());
                qn_vm_bind(vm, f, c, part, declare);
        }
}

static void bind_member(struct qn_vm *vm, struct qn_vframe *f, uint32_t target, struct qn_v v)
{
        const struct qn_js_node *n = qn_vn(f->m, target);
        struct qn_v obj = qn_vm_eval(vm, f, n->first), key;
        uint32_t k;

        if (n->type == QN_JS_MEMBER) {
                k = qn_vm_atom_key(vm, f->m, n->val);
        } else {
                key = qn_vm_eval(vm, f, qn_vn(f->m, n->first)->next);
                if (obj.kind == QN_V_OBJ || obj.kind == QN_V_ALT) {
                        qn_vm_put_index(vm, obj, key, v);
                        return;
                }
                key = key.kind == QN_V_UNKNOWN ? key : qn_vm_to_text(vm, key);
                k = qn_v_exact(key) ? qn_vm_key(vm, qn_v_text(key)) : 0;
        }
        if (obj.kind == QN_V_API)
                qn_vm_api_write(vm, (struct qn_vat){ f->m, target }, obj, k, v);
        else
                qn_vm_put(vm, obj, k, v);
        if (obj.kind == QN_V_UNKNOWN && v.taint && qn_vn(f->m, n->first)->type == QN_JS_IDENT)
                qn_vm_assign_name(vm, f, n->first, qn_vm_with(vm, obj, v.taint), false);
}

void qn_vm_bind(struct qn_vm *vm, struct qn_vframe *f, uint32_t pattern, struct qn_v v,
                bool declare)
{
        const struct qn_js_node *n = qn_vn(f->m, pattern);

        if (!pattern || qn_vm_too_deep(vm))
                return;
        switch (n->type) {
        case QN_JS_IDENT:
                qn_vm_assign_name(vm, f, pattern, v, declare);
                break;
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
                bind_member(vm, f, pattern, v);
                break;
        case QN_JS_DEFAULT: {
                int t = v.kind == QN_V_UNDEF ? 0 : v.kind == QN_V_UNKNOWN ? -1 : 1;

                if (t <= 0)
                        v = qn_vm_join(vm, v, qn_vm_eval(vm, f, qn_vn(f->m, n->first)->next));
                qn_vm_bind(vm, f, n->first, v, declare);
                break;
        }
        case QN_JS_OBJECT:
                bind_object(vm, f, pattern, v, declare);
                break;
        case QN_JS_ARRAY:
                bind_array(vm, f, pattern, v, declare);
                break;
        case QN_JS_SPREAD:
                qn_vm_bind(vm, f, n->first, v, declare);
                break;
        default:
                break;
        }
}

/* --- operators --- */

/* a && b, a || b, a ?? b: which side counts, 1 right, 0 left, -1 either. */
static int which_side(unsigned op, struct qn_v a)
{
        int t = qn_vm_truth(a);

        if (a.flags & QN_VF_LITERAL)
                return -1;
        if (op == QN_JS_TOK_NULLISH)
                return a.kind == QN_V_UNDEF || a.kind == QN_V_NULL    ? 1
                       : a.kind == QN_V_UNKNOWN || a.kind == QN_V_ALT ? -1
                                                                      : 0;
        if (a.kind == QN_V_API)
                t = op == QN_JS_TOK_OROR ? 1 : -1;
        return t < 0 ? -1 : op == QN_JS_TOK_ANDAND ? t : !t;
}

static struct qn_v logical(struct qn_vm *vm, struct qn_vframe *f, unsigned op, struct qn_v a,
                           uint32_t right)
{
        int side = which_side(op, a);
        struct qn_v b;

        if (side == 0)
                return a;
        if (side == 1)
                return qn_vm_eval(vm, f, right);
        vm->uncertain++;
        b = qn_vm_eval(vm, f, right);
        vm->uncertain--;
        if (op == QN_JS_TOK_ANDAND)
                return qn_vm_with(vm, b, b.kind == QN_V_UNKNOWN ? a.taint : 0);
        return qn_vm_join(vm, a, b);
}

/* Gives a number whatever it works on. */
static bool is_arithmetic(const struct qn_js_node *n)
{
        return n->type == QN_JS_NUMBER ||
               (n->type == QN_JS_BINARY && (n->op == QN_JS_TOK_SUB || n->op == QN_JS_TOK_MUL ||
                                            n->op == QN_JS_TOK_DIV || n->op == QN_JS_TOK_MOD)) ||
               (n->type == QN_JS_UNARY && n->op == QN_JS_TOK_SUB);
}

/* NaN stays NaN whatever is added to it.  Obfuscators turn their table of strings, round by round, until a sum of a dozen
 * decoded texts is the right one: a loop that went some rounds showed what else its terms do. */
static bool stays_nan(const struct qn_vm *vm, struct qn_v a, unsigned op,
                      const struct qn_js_node *right)
{
        if (vm->round <= NEW_ROUNDS || a.kind != QN_V_NUM || !isnan(a.num))
                return false;
        return op == QN_JS_TOK_SUB || op == QN_JS_TOK_MUL || op == QN_JS_TOK_DIV ||
               op == QN_JS_TOK_MOD || (op == QN_JS_TOK_ADD && is_arithmetic(right));
}

static struct qn_v eval_binary(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        /* The left spine is as long as the source likes: down without recursion, then up. */
        const struct qn_js_node *n = qn_vn(f->m, node);
        uint32_t path[256], depth = 0;
        struct qn_v a;

        while (n->type == QN_JS_BINARY && depth < QN_ARRAY_SIZE(path)) {
                path[depth++] = node;
                node = n->first;
                n = qn_vn(f->m, node);
        }
        a = qn_vm_eval(vm, f, node);
        while (depth--) {
                uint32_t right = qn_vn(f->m, qn_vn(f->m, path[depth])->first)->next;
                unsigned op = qn_vn(f->m, path[depth])->op;

                if (op == QN_JS_TOK_ANDAND || op == QN_JS_TOK_OROR || op == QN_JS_TOK_NULLISH)
                        a = logical(vm, f, op, a, right);
                else if (!stays_nan(vm, a, op, qn_vn(f->m, right)))
                        a = qn_vm_binary(vm, op, a, qn_vm_eval(vm, f, right));
        }
        return a;
}

static struct qn_v type_of(struct qn_v v)
{
        switch (v.kind) {
        case QN_V_UNDEF:
                return qn_v_str(QN_STR("undefined"));
        case QN_V_NULL:
                return qn_v_str(QN_STR("object"));
        case QN_V_BOOL:
                return qn_v_str(QN_STR("boolean"));
        case QN_V_NUM:
                return qn_v_str(QN_STR("number"));
        case QN_V_STR:
                return qn_v_str(QN_STR("string"));
        case QN_V_OBJ:
                return qn_v_callable(v) ? qn_v_str(QN_STR("function")) : qn_v_str(QN_STR("object"));
        default:
                return qn_v_unknown();
        }
}

static struct qn_v eval_unary(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_v v = qn_vm_eval(vm, f, n->first), r;
        unsigned arg = qn_vn(f->m, n->first)->type;
        double d;
        int t;

        switch (n->op) {
        case QN_JS_TOK_TYPEOF:
                return type_of(v);
        case QN_JS_TOK_VOID:
                return qn_v_undef();
        case QN_JS_TOK_DELETE:
                return qn_v_bool(true);
        case QN_JS_TOK_NOT:
                t = qn_vm_truth(v);
                r = t < 0 ? qn_v_unknown() : qn_v_bool(!t);
                r.flags |= v.flags & (QN_VF_LITERAL | QN_VF_LOST);
                if (arg == QN_JS_NUMBER)
                        r.flags |= QN_VF_LITERAL; /* !0 and !1 of minifiers */
                return r;
        default:
                break;
        }
        if (!qn_vm_number(v, &d)) {
                r = qn_v_tainted(v.taint);
                r.flags |= v.flags & QN_VF_LOST;
                return r;
        }
        r = qn_v_num(n->op == QN_JS_TOK_SUB      ? -d
                     : n->op == QN_JS_TOK_BITNOT ? (double)(int32_t)~qn_vm_u32(d)
                                                 : d);
        r.taint = v.taint;
        return r;
}

/* --- assignment --- */

static unsigned operator_of(unsigned assign)
{
        static const uint8_t ops[][2] = {
                { QN_JS_TOK_ADD_ASSIGN, QN_JS_TOK_ADD },
                { QN_JS_TOK_SUB_ASSIGN, QN_JS_TOK_SUB },
                { QN_JS_TOK_MUL_ASSIGN, QN_JS_TOK_MUL },
                { QN_JS_TOK_DIV_ASSIGN, QN_JS_TOK_DIV },
                { QN_JS_TOK_MOD_ASSIGN, QN_JS_TOK_MOD },
                { QN_JS_TOK_POW_ASSIGN, QN_JS_TOK_POW },
                { QN_JS_TOK_SHL_ASSIGN, QN_JS_TOK_SHL },
                { QN_JS_TOK_SHR_ASSIGN, QN_JS_TOK_SHR },
                { QN_JS_TOK_USHR_ASSIGN, QN_JS_TOK_USHR },
                { QN_JS_TOK_AND_ASSIGN, QN_JS_TOK_AND },
                { QN_JS_TOK_OR_ASSIGN, QN_JS_TOK_OR },
                { QN_JS_TOK_XOR_ASSIGN, QN_JS_TOK_XOR },
                { QN_JS_TOK_ANDAND_ASSIGN, QN_JS_TOK_ANDAND },
                { QN_JS_TOK_OROR_ASSIGN, QN_JS_TOK_OROR },
                { QN_JS_TOK_NULLISH_ASSIGN, QN_JS_TOK_NULLISH },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(ops); i++)
                if (ops[i][0] == assign)
                        return ops[i][1];
        return 0;
}

static struct qn_v eval_assign(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        uint32_t target = n->first, right = qn_vn(f->m, target)->next;
        unsigned op = operator_of(n->op);
        struct qn_v v;

        if (!op) {
                v = qn_vm_eval(vm, f, right);
        } else {
                struct qn_v old = qn_vm_eval(vm, f, target);

                v = op == QN_JS_TOK_ANDAND || op == QN_JS_TOK_OROR || op == QN_JS_TOK_NULLISH
                            ? logical(vm, f, op, old, right)
                            : qn_vm_binary(vm, op, old, qn_vm_eval(vm, f, right));
        }
        qn_vm_bind(vm, f, target, v, false);
        return v;
}

static struct qn_v eval_update(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_v old = qn_vm_eval(vm, f, n->first), v;
        double d;

        if (qn_vm_number(old, &d)) {
                old = qn_v_num(d);
                v = qn_v_num(n->op == QN_JS_TOK_INC ? d + 1 : d - 1);
        } else {
                old = v = qn_v_unknown();
        }
        qn_vm_bind(vm, f, n->first, v, false);
        return n->flags & QN_JS_F_PREFIX ? v : old;
}

/* --- literals --- */

static struct qn_v eval_template(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_v r = qn_v_str(QN_STR(""));

        for (uint32_t c = qn_vn(f->m, node)->first; c; c = qn_vn(f->m, c)->next) {
                struct qn_v part = qn_vn(f->m, c)->type == QN_JS_TEMPLATE_PART
                                           ? qn_v_str(qn_js_string(f->m->ast, c, &vm->a))
                                           : qn_vm_eval(vm, f, c);

                r = qn_vm_concat(vm, r, part);
        }
        return r;
}

/* Adds what `...x` stands for. */
static void spread_into(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, struct qn_vobj *list)
{
        struct qn_v v = qn_vm_eval(vm, f, qn_vn(f->m, node)->first), *from;
        uint32_t n;

        if (qn_vm_elements(vm, v, &from, &n)) {
                for (uint32_t i = 0; i < n; i++)
                        if (!qn_vm_push(vm, list, from[i]))
                                return;
                list->taint = qn_vm_mix(vm, list->taint, v.taint);
                return;
        }
        list->open = true;
        list->taint = qn_vm_mix(vm, list->taint, qn_vm_deep_taint(vm, v));
}

static struct qn_v eval_array(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_vobj *o = qn_vm_array(vm, NULL, 0);

        for (uint32_t c = qn_vn(f->m, node)->first; o && c; c = qn_vn(f->m, c)->next) {
                if (qn_vn(f->m, c)->type == QN_JS_SPREAD)
                        spread_into(vm, f, c, o);
                else if (!qn_vm_push(vm, o, qn_vm_eval(vm, f, c)))
                        break;
        }
        return qn_v_obj(o);
}

static void spread_object(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, struct qn_vobj *o)
{
        struct qn_v v = qn_vm_eval(vm, f, qn_vn(f->m, node)->first);

        if (qn_vm_is_env(vm, v))
                v = qn_vm_env_all(vm, (struct qn_vat){ f->m, node }, "spread");
        v = qn_vm_first(v);
        if (v.kind != QN_V_OBJ) {
                o->open = true;
                o->taint = qn_vm_mix(vm, o->taint, v.taint);
                return;
        }
        for (uint32_t i = 0; i < v.obj->n_props; i++)
                qn_vm_define(vm, o, v.obj->props[i].key, v.obj->props[i].v, v.obj->props[i].getter);
        o->open |= v.obj->open;
        o->taint = qn_vm_mix(vm, o->taint, qn_vm_mix(vm, v.obj->taint, v.taint));
}

static struct qn_v eval_object(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_OBJECT);

        for (uint32_t p = qn_vn(f->m, node)->first; o && p; p = qn_vn(f->m, p)->next) {
                const struct qn_js_node *n = qn_vn(f->m, p);
                uint32_t value = n->first ? qn_vn(f->m, n->first)->next : 0, key;
                struct qn_v v;

                if (n->type == QN_JS_SPREAD) {
                        spread_object(vm, f, p, o);
                        continue;
                }
                if (n->type != QN_JS_PROPERTY || !value)
                        continue;
                key = qn_vm_property_key(vm, f, n->first, n->flags & QN_JS_F_COMPUTED);
                v = qn_vm_eval(vm, f, value);
                if (n->flags & QN_JS_F_SET)
                        continue;
                if (key == QN_K_PROTO && !(n->flags & QN_JS_F_COMPUTED)) {
                        o->proto = v.kind == QN_V_OBJ ? v.obj : NULL;
                } else if (key) {
                        if (qn_vn(f->m, value)->type != QN_JS_STRING)
                                qn_vm_note_pair(vm, (struct qn_vat){ f->m, p }, key, v);
                        qn_vm_define(vm, o, key, v, n->flags & QN_JS_F_GET);
                } else {
                        o->open = true;
                        o->any = qn_vm_join(vm, o->any, v);
                }
        }
        return qn_v_obj(o);
}

static struct qn_v eval_regex(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_str s = { f->m->ast->source.p + n->start, n->end - n->start };
        ptrdiff_t end = qn_str_rchr(s, '/');
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_REGEX);
        struct qn_str *text = qn_arena_alloc(&vm->a, 2 * sizeof *text);

        if (!o || !text || end < 1)
                return qn_v_unknown();
        text[0] = qn_str_take(qn_str_skip(s, 1), (size_t)end - 1);
        text[1] = qn_str_skip(s, (size_t)end + 1);
        o->text = text;
        return qn_v_obj(o);
}

/* --- members and calls --- */

static struct qn_v member_key(struct qn_vm *vm, struct qn_vframe *f, const struct qn_js_node *n)
{
        return qn_vm_eval(vm, f, qn_vn(f->m, n->first)->next);
}

static struct qn_v member_of(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, struct qn_v obj)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_vat at = { f->m, node };
        struct qn_v key, r;
        uint32_t k;

        if (n->type == QN_JS_MEMBER) {
                k = qn_vm_atom_key(vm, f->m, n->val);
                if (qn_vm_is_env(vm, obj))
                        return qn_vm_env(vm, at, qn_v_str(qn_vm_key_text(vm, k)));
                r = qn_vm_get(vm, obj, k);
        } else {
                key = member_key(vm, f, n);
                if (qn_vm_is_env(vm, obj))
                        return qn_vm_env(vm, at, key);
                r = qn_vm_get_index(vm, obj, key);
                k = key.kind == QN_V_STR && obj.kind == QN_V_UNKNOWN ? qn_vm_key(vm, qn_v_text(key))
                                                                     : 0;
        }
        if (r.kind == QN_V_API)
                r = qn_vm_api_read(vm, at, r);
        return k ? qn_vm_name_source(vm, at, k, r) : r;
}

static struct qn_v this_of(struct qn_vframe *f)
{
        return f->self;
}

static struct qn_v super_member(struct qn_vm *vm, struct qn_vframe *f)
{
        struct qn_v fn = f->fn;

        (void)vm;
        if (!qn_v_is_obj(fn, QN_VC_FUNC))
                return qn_v_unknown();
        return fn.obj->fn->self;
}

static void eval_args(struct qn_vm *vm, struct qn_vframe *f, uint32_t first, struct qn_vargs *args)
{
        struct qn_v small[8];
        struct qn_vobj *list = NULL;
        uint32_t n = 0;

        for (uint32_t c = first; c; c = qn_vn(f->m, c)->next) {
                bool spread = qn_vn(f->m, c)->type == QN_JS_SPREAD;

                if (!list && (spread || n == QN_ARRAY_SIZE(small))) {
                        list = qn_vm_array(vm, small, n);
                        if (!list)
                                break;
                }
                if (spread)
                        spread_into(vm, f, c, list);
                else if (list && list->n < ARGS_MAX)
                        qn_vm_push(vm, list, qn_vm_eval(vm, f, c));
                else if (list)
                        qn_vm_lose(list);
                else if (!list)
                        small[n++] = qn_vm_eval(vm, f, c);
        }
        if (list) {
                if (list->open) /* what else the list holds */
                        qn_vm_push(vm, list, qn_vm_with(vm, list->any, list->taint));
                args->v = qn_vm_elems(list);
                args->n = list->n;
                return;
        }
        args->v = n ? qn_arena_alloc(&vm->a, n * sizeof *args->v) : NULL;
        if (n && !args->v) {
                vm->full = true;
                return;
        }
        args->n = n;
        for (uint32_t i = 0; i < n; i++)
                args->v[i] = small[i];
}

/* process[x('0x12')](…): whether it is known what is called tells whether the code was understood. */
static void count_computed(struct qn_vmod *m, struct qn_v self, struct qn_v fn)
{
        if (qn_v_callable(fn))
                m->seen++;
        else if (fn.kind == QN_V_UNKNOWN &&
                 (self.kind == QN_V_API || self.kind == QN_V_STD || self.kind == QN_V_STR))
                m->blind++;
}

static struct qn_v eval_call(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node), *c = qn_vn(f->m, n->first);
        struct qn_vat at = { f->m, node };
        struct qn_vargs args = { NULL, 0, n->type == QN_JS_NEW };
        struct qn_v self = qn_v_undef(), fn;

        if (c->type == QN_JS_MEMBER || c->type == QN_JS_INDEX) {
                if (qn_vn(f->m, c->first)->type == QN_JS_SUPER) {
                        self = this_of(f);
                        fn = super_member(vm, f);
                        if (c->type == QN_JS_MEMBER && qn_v_is_obj(fn, QN_VC_FUNC) &&
                            fn.obj->fn->home)
                                fn = qn_vm_get(vm, qn_v_obj(fn.obj->fn->home),
                                               qn_vm_atom_key(vm, f->m, c->val));
                } else {
                        self = qn_vm_eval(vm, f, c->first);
                        fn = member_of(vm, f, n->first, self);
                }
        } else if (c->type == QN_JS_SUPER) {
                self = this_of(f);
                fn = super_member(vm, f);
        } else {
                fn = qn_vm_eval(vm, f, n->first);
        }
        if (c->type == QN_JS_INDEX)
                count_computed(f->m, self, fn);
        eval_args(vm, f, c->next, &args);
        if (args.is_new)
                return qn_vm_construct(vm, at, fn, &args);
        return qn_vm_call(vm, at, fn, self, &args);
}

static struct qn_v eval_tagged(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t tag = qn_vn(f->m, node)->first, quasi = qn_vn(f->m, tag)->next;
        const struct qn_js_node *c = qn_vn(f->m, tag);
        struct qn_v self = qn_v_undef(), fn, text;
        struct qn_vargs args = { &text, 1, false };

        if (c->type == QN_JS_MEMBER) {
                self = qn_vm_eval(vm, f, c->first);
                fn = member_of(vm, f, tag, self);
        } else {
                fn = qn_vm_eval(vm, f, tag);
        }
        text = eval_template(vm, f, quasi);
        if (fn.kind == QN_V_STD && fn.n == QN_STD_RAW)
                return text;
        return qn_vm_call(vm, (struct qn_vat){ f->m, node }, fn, self, &args);
}

static struct qn_v eval_cond(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t test = qn_vn(f->m, node)->first, yes = qn_vn(f->m, test)->next;
        struct qn_v v = qn_vm_eval(vm, f, test), a, b;
        int t = v.flags & QN_VF_LITERAL ? -1 : qn_vm_truth(v);

        if (t >= 0)
                return qn_vm_eval(vm, f, t ? yes : qn_vn(f->m, yes)->next);
        vm->vague++;
        vm->uncertain++;
        a = qn_vm_eval(vm, f, yes);
        b = qn_vm_eval(vm, f, qn_vn(f->m, yes)->next);
        vm->uncertain--;
        return qn_vm_join(vm, a, b);
}

static struct qn_v eval_import_call(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_v name = qn_vm_eval(vm, f, qn_vn(f->m, node)->first);

        return qn_vm_require(vm, (struct qn_vat){ f->m, node }, name, "import()");
}

static struct qn_v eval_yield(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t arg = qn_vn(f->m, node)->first;
        struct qn_v v = arg && qn_vn(f->m, arg)->type != QN_JS_EMPTY ? qn_vm_eval(vm, f, arg)
                                                                     : qn_v_undef();

        if (vm->call && v.kind != QN_V_UNDEF) {
                if (!qn_v_is_obj(vm->call->yielded, QN_VC_ARRAY))
                        vm->call->yielded = qn_v_obj(qn_vm_array(vm, NULL, 0));
                if (qn_v_is_obj(vm->call->yielded, QN_VC_ARRAY) && vm->call->yielded.obj->n < 4096)
                        qn_vm_push(vm, vm->call->yielded.obj, v);
        }
        return qn_v_unknown();
}

/* import.meta */
static struct qn_v eval_meta(struct qn_vm *vm, struct qn_vframe *f)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_OBJECT);
        struct qn_str path = f->m->path;
        ptrdiff_t slash = qn_str_rchr(path, '/');
        struct qn_v dir = qn_vm_concat(vm, qn_v_str(QN_STR("./")),
                                       qn_v_str(qn_str_take(path, slash < 0 ? 0 : (size_t)slash)));

        if (!o)
                return qn_v_unknown();
        qn_vm_define(vm, o, QN_K_META_URL, qn_vm_concat(vm, qn_v_str(QN_STR("./")), qn_v_str(path)),
                     false);
        qn_vm_define(vm, o, QN_K_PATHNAME_FILE,
                     qn_vm_concat(vm, qn_v_str(QN_STR("./")), qn_v_str(path)), false);
        qn_vm_define(vm, o, QN_K_PATHNAME_DIR, dir, false);
        o->open = true;
        return qn_v_obj(o);
}

static struct qn_v eval_sequence(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_v v = qn_v_undef();

        for (uint32_t c = qn_vn(f->m, node)->first; c; c = qn_vn(f->m, c)->next)
                v = qn_vm_eval(vm, f, c);
        return v;
}

/* JSX and whatever else holds expressions: they are evaluated for what they do. */
static struct qn_v eval_children(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint16_t taint = 0;

        for (uint32_t c = qn_vn(f->m, node)->first; c; c = qn_vn(f->m, c)->next)
                taint = qn_vm_mix(vm, taint, qn_vm_eval(vm, f, c).taint);
        return qn_v_tainted(taint);
}

static struct qn_v eval_string(struct qn_vm *vm, struct qn_vmod *m, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(m, node);

        if (!(n->flags & QN_JS_F_ESCAPED) && n->end - n->start >= 2)
                return qn_v_str(
                        (struct qn_str){ m->ast->source.p + n->start + 1, n->end - n->start - 2 });
        return qn_v_str(qn_js_string(m->ast, node, &vm->a));
}

static struct qn_v eval_literal(bool b)
{
        struct qn_v v = qn_v_bool(b);

        v.flags = QN_VF_LITERAL;
        return v;
}

static bool out_of_steps(struct qn_vm *vm)
{
        qn_vm_spend(vm, 1);
        return vm->full || qn_vm_too_deep(vm);
}

/* What was put together or decoded is looked at in the end. */
static struct qn_v made(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, struct qn_v v)
{
        if (v.kind == QN_V_STR)
                qn_vm_note_spelt(vm, (struct qn_vat){ f->m, node }, v);
        return v;
}

struct qn_v qn_vm_eval(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_v v;

        if (!node)
                return qn_v_unknown();
        if (out_of_steps(vm))
                return qn_v_lost(0);
        switch (n->type) {
        case QN_JS_IDENT:
                return eval_name(vm, f, node);
        case QN_JS_STRING:
                v = eval_string(vm, f->m, node);
                return n->flags & QN_JS_F_ESCAPED ? made(vm, f, node, v) : v;
        case QN_JS_NUMBER:
                return qn_v_num(qn_js_number(f->m->ast, node));
        case QN_JS_TRUE:
        case QN_JS_FALSE:
                return eval_literal(n->type == QN_JS_TRUE);
        case QN_JS_NULL:
                return (struct qn_v){ .kind = QN_V_NULL };
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
                if (qn_vn(f->m, n->first)->type == QN_JS_SUPER)
                        return qn_v_unknown();
                return member_of(vm, f, node, qn_vm_eval(vm, f, n->first));
        case QN_JS_CALL:
        case QN_JS_NEW:
                return made(vm, f, node, eval_call(vm, f, node));
        case QN_JS_BINARY:
                return made(vm, f, node, eval_binary(vm, f, node));
        case QN_JS_ASSIGN:
                return made(vm, f, node, eval_assign(vm, f, node));
        case QN_JS_UNARY:
                return eval_unary(vm, f, node);
        case QN_JS_UPDATE:
                return eval_update(vm, f, node);
        case QN_JS_COND:
                return eval_cond(vm, f, node);
        case QN_JS_TEMPLATE:
                return made(vm, f, node, eval_template(vm, f, node));
        case QN_JS_TAGGED:
                return eval_tagged(vm, f, node);
        case QN_JS_FUNCTION:
                return qn_vm_make_function(vm, f, node);
        case QN_JS_CLASS:
                return qn_vm_make_class(vm, f, node);
        case QN_JS_ARRAY:
                return eval_array(vm, f, node);
        case QN_JS_OBJECT:
                return eval_object(vm, f, node);
        case QN_JS_REGEX:
                return eval_regex(vm, f, node);
        case QN_JS_THIS:
                return this_of(f);
        case QN_JS_SEQUENCE:
                return eval_sequence(vm, f, node);
        case QN_JS_AWAIT:
                return qn_vm_settled(vm, qn_vm_eval(vm, f, n->first));
        case QN_JS_YIELD:
                return eval_yield(vm, f, node);
        case QN_JS_IMPORT_CALL:
                return eval_import_call(vm, f, node);
        case QN_JS_META:
                return n->op == QN_JS_META_IMPORT ? eval_meta(vm, f) : qn_v_unknown();
        case QN_JS_EMPTY:
                return qn_v_undef();
        default:
                return eval_children(vm, f, node);
        }
}
