/* Functions: frames, calls, classes, and the functions that nobody called. */
#include "base/limits.h"
#include "observe/vm-priv.h"

#define RUNS_MAX      60000u /* of one function */
#define RUNS_VAGUE    2u     /* with arguments that say nothing */
#define ACTIVE_MAX    60u    /* of one function inside itself */
#define CALLBACK_ARGS 3u
#define SPARE_FRAMES  32u
#define PARAMS_LEFT   8u /* parameters of a function that somebody else may call */

/* --- frames --- */

struct qn_vframe *qn_vm_frame(struct qn_vm *vm, struct qn_vmod *m, uint32_t scope,
                              struct qn_vframe *up)
{
        uint32_t n = m->n_slots[scope];
        struct qn_vframe *f = n < SPARE_FRAMES ? vm->spare[n] : NULL;

        if (f)
                vm->spare[n] = f->up;
        else
                f = qn_arena_alloc(&vm->a, sizeof *f + n * sizeof f->slots[0]);
        if (!f) {
                vm->full = true;
                return NULL;
        }
        *f = (struct qn_vframe){ .up = up, .m = m, .scope = scope, .born = vm->uncertain };
        for (uint32_t i = 0; i < n; i++)
                f->slots[i] = qn_v_undef();
        return f;
}

/* No function was made in it, so nothing refers to it any more. */
static void give_back(struct qn_vm *vm, struct qn_vframe *f)
{
        uint32_t n = f->m->n_slots[f->scope];

        if (f->m->captured[f->scope] || n >= SPARE_FRAMES)
                return;
        f->up = vm->spare[n];
        vm->spare[n] = f;
}

/* --- making functions --- */

static struct qn_vobj *new_function(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_FUNC);

        if (!o)
                return NULL;
        o->fn = qn_arena_calloc(&vm->a, 1, sizeof *o->fn);
        if (!o->fn || QN_ARENA_ROOM(&vm->a, vm->made, vm->n_made, vm->made_cap) < 0) {
                vm->full = true;
                return NULL;
        }
        o->fn->node = node;
        o->fn->m = f->m;
        o->fn->env = f;
        vm->made[vm->n_made++] = o;
        return o;
}

struct qn_v qn_vm_make_function(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        struct qn_vobj *o = new_function(vm, f, node);

        if (o && qn_vn(f->m, node)->flags & QN_JS_F_ARROW)
                o->fn->self = f->self;
        return qn_v_obj(o);
}

struct qn_vobj *qn_vm_home(struct qn_vm *vm, struct qn_vobj *fn)
{
        if (!fn->fn->home) {
                fn->fn->home = qn_vm_object(vm, QN_VC_OBJECT);
                if (fn->fn->home)
                        fn->fn->home->owner = fn;
        }
        return fn->fn->home;
}

/* --- classes --- */

static bool is_constructor(const struct qn_vmod *m, uint32_t method)
{
        const struct qn_js_node *n = qn_vn(m, method), *key = n->first ? qn_vn(m, n->first) : NULL;

        return n->type == QN_JS_METHOD && key && key->type == QN_JS_IDENT &&
               key->val == QN_JS_ATOM_CONSTRUCTOR && !(n->flags & QN_JS_F_STATIC);
}

static void class_member(struct qn_vm *vm, struct qn_vframe *f, struct qn_vobj *class,
                         uint32_t member)
{
        const struct qn_js_node *n = qn_vn(f->m, member);
        struct qn_vobj *on = n->flags & QN_JS_F_STATIC ? class : class->fn->home;
        struct qn_v v, was = f->self;
        uint32_t key;

        if (n->type == QN_JS_STATIC_BLOCK) {
                qn_vm_list(vm, f, n->first);
                return;
        }
        if (!n->first || !qn_vn(f->m, n->first)->next)
                return;
        key = qn_vm_property_key(vm, f, n->first, n->flags & QN_JS_F_COMPUTED);
        if (n->type == QN_JS_METHOD) {
                v = qn_vm_make_function(vm, f, qn_vn(f->m, n->first)->next);
                if (qn_v_is_obj(v, QN_VC_FUNC))
                        v.obj->fn->self = class->fn->self;
                if (key && !(n->flags & QN_JS_F_SET))
                        qn_vm_define(vm, on, key, v, n->flags & QN_JS_F_GET);
        } else if (n->type == QN_JS_FIELD && n->flags & QN_JS_F_STATIC && key) {
                f->self = qn_v_obj(class);
                qn_vm_define(vm, on, key, qn_vm_eval(vm, f, qn_vn(f->m, n->first)->next), false);
                f->self = was;
        }
}

struct qn_v qn_vm_make_class(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t name = qn_vn(f->m, node)->first, parent = qn_vn(f->m, name)->next;
        uint32_t body = qn_vn(f->m, parent)->next;
        struct qn_vobj *class = new_function(vm, f, 0);
        bool derived = qn_vn(f->m, parent)->type != QN_JS_EMPTY;

        if (!class || !qn_vm_home(vm, class))
                return qn_v_unknown();
        class->fn->class_node = node;
        class->fn->self = derived ? qn_vm_eval(vm, f, parent) : qn_v_undef();
        if (qn_v_is_obj(class->fn->self, QN_VC_FUNC)) {
                class->fn->home->proto = qn_vm_home(vm, class->fn->self.obj);
                class->proto = class->fn->self.obj;
        }
        if (qn_vn(f->m, name)->type == QN_JS_IDENT)
                qn_vm_assign_name(vm, f, name, qn_v_obj(class), true);
        for (uint32_t c = body ? qn_vn(f->m, body)->first : 0; c; c = qn_vn(f->m, c)->next) {
                if (is_constructor(f->m, c))
                        class->fn->node = qn_vn(f->m, qn_vn(f->m, c)->first)->next;
                else if (qn_vn(f->m, c)->type == QN_JS_DECORATOR)
                        qn_vm_eval(vm, f, qn_vn(f->m, c)->first);
                else
                        class_member(vm, f, class, c);
        }
        return qn_v_obj(class);
}

static void init_fields(struct qn_vm *vm, struct qn_vobj *class, struct qn_v self)
{
        struct qn_vfn *fn = class->fn;
        struct qn_vframe *f = fn->env;
        uint32_t body = qn_vn_child(fn->m, fn->class_node, 2);
        struct qn_v was = f->self;

        f->self = self;
        for (uint32_t c = body ? qn_vn(fn->m, body)->first : 0; c; c = qn_vn(fn->m, c)->next) {
                const struct qn_js_node *n = qn_vn(fn->m, c);
                uint32_t value = n->type == QN_JS_FIELD && n->first ? qn_vn(fn->m, n->first)->next
                                                                    : 0,
                         key;

                if (!value || n->flags & QN_JS_F_STATIC)
                        continue;
                key = qn_vm_property_key(vm, f, n->first, n->flags & QN_JS_F_COMPUTED);
                if (key)
                        qn_vm_put(vm, self, key, qn_vm_eval(vm, f, value));
        }
        f->self = was;
}

/* --- calling --- */

static bool informs(struct qn_v v)
{
        return v.taint || (v.kind != QN_V_UNKNOWN && v.kind != QN_V_UNDEF && v.kind != QN_V_NULL);
}

static bool any_informs(const struct qn_vargs *args)
{
        for (uint32_t i = 0; i < args->n; i++)
                if (informs(args->v[i]))
                        return true;
        return false;
}

static bool all_certain(const struct qn_vargs *args)
{
        for (uint32_t i = 0; i < args->n; i++)
                if (!qn_v_certain(args->v[i]) ||
                    (args->v[i].kind == QN_V_OBJ && args->v[i].obj->open))
                        return false;
        return true;
}

static uint16_t taint_of_args(struct qn_vm *vm, const struct qn_vargs *args)
{
        uint16_t t = 0;

        for (uint32_t i = 0; i < args->n; i++)
                t = qn_vm_mix(vm, t, qn_vm_deep_taint(vm, args->v[i]));
        return t;
}

/* A way that goes through a call is told with the call. */
static struct qn_v passed(struct qn_vm *vm, struct qn_vat at, struct qn_v v)
{
        if (v.taint && at.node)
                v.taint = qn_vm_taint(
                        vm, vm->taints[v.taint].labels,
                        qn_vm_trace(vm, at, "passed to a function", vm->taints[v.taint].trace));
        return v;
}

static void bind_params(struct qn_vm *vm, struct qn_vat at, struct qn_vframe *f, uint32_t params,
                        const struct qn_vargs *args)
{
        uint32_t i = 0;

        for (uint32_t p = params ? qn_vn(f->m, params)->first : 0; p;
             p = qn_vn(f->m, p)->next, i++) {
                struct qn_v v = qn_vm_arg(args, i);

                if (qn_vn(f->m, p)->type == QN_JS_SPREAD)
                        v = qn_v_obj(qn_vm_array(vm, i < args->n ? args->v + i : NULL,
                                                 i < args->n ? args->n - i : 0));
                else
                        v = passed(vm, at, v);
                if (qn_vn(f->m, p)->type == QN_JS_IDENT)
                        v = qn_vm_name_source(vm, (struct qn_vat){ f->m, p },
                                              qn_vm_atom_key(vm, f->m, qn_vn(f->m, p)->val), v);
                qn_vm_bind(vm, f, p, v, true);
        }
}

static struct qn_v run_body(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, uint32_t body)
{
        struct qn_vcall call = { .f = f, .up = vm->call, .born = vm->uncertain };
        struct qn_vmod *was = vm->m;
        uint32_t label = vm->label, loops = vm->loops, round = vm->round;
        bool maybe = vm->maybe_break;

        vm->call = &call;
        vm->m = f->m;
        vm->loops = vm->round = 0;
        if (qn_vn(f->m, node)->flags & QN_JS_F_EXPR_BODY)
                call.ret = qn_vm_eval(vm, f, body);
        else
                qn_vm_list(vm, f, qn_vn(f->m, body)->first);
        vm->call = call.up;
        vm->m = was;
        vm->label = label;
        vm->loops = loops;
        vm->round = round;
        vm->maybe_break = maybe;
        if (qn_vn(f->m, node)->flags & QN_JS_F_GENERATOR && call.yielded.kind == QN_V_OBJ)
                return call.yielded;
        if (!call.returned && !(qn_vn(f->m, node)->flags & QN_JS_F_EXPR_BODY))
                return qn_v_undef();
        return call.ret;
}

/* Whether it is worth running it again. */
static bool skips(const struct qn_vm *vm, const struct qn_vmod *m, uint32_t scope, bool informed)
{
        if (m->active[scope] >= (informed ? ACTIVE_MAX : 1))
                return true;
        if (vm->rough && m->runs[scope])
                return true;
        return m->runs[scope] >= (informed ? RUNS_MAX : RUNS_VAGUE);
}

static struct qn_v run_function(struct qn_vm *vm, struct qn_vat at, struct qn_vobj *o,
                                struct qn_v self, struct qn_vargs *args)
{
        struct qn_vfn *fn = o->fn;
        struct qn_vmod *m = fn->m;
        uint32_t node = fn->node, scope = qn_vn(m, node)->val, name, params, body;
        bool arrow = qn_vn(m, node)->flags & QN_JS_F_ARROW, informed;
        struct qn_vframe *f;
        struct qn_v ret;

        informed = any_informs(args);
        if (scope >= m->ast->n_scopes || vm->full || qn_vm_too_deep(vm) ||
            skips(vm, m, scope, informed)) {
                ret = qn_vm_with(vm, fn->ret, taint_of_args(vm, args));
                if (informed && (vm->dark || !vm->rough) && all_certain(args))
                        ret.flags |= QN_VF_LOST;
                return ret;
        }
        name = qn_vn(m, node)->first;
        params = qn_vn(m, name)->next;
        body = qn_vn(m, params)->next;
        f = qn_vm_frame(vm, m, scope, fn->env);
        if (!f || !body)
                return qn_v_unknown();
        f->self = arrow ? fn->self : self;
        f->fn = arrow && fn->env ? fn->env->fn : qn_v_obj(o);
        if (!arrow) {
                f->args = args->v;
                f->n_args = args->n;
        }
        m->runs[scope] += m->runs[scope] < UINT16_MAX;
        m->active[scope]++;
        if (qn_vn(m, name)->type == QN_JS_IDENT && !(qn_vn(m, node)->flags & QN_JS_F_STATEMENT))
                qn_vm_assign_name(vm, f, name, qn_v_obj(o), true);
        bind_params(vm, at, f, params, args);
        ret = run_body(vm, f, node, body);
        m->active[scope]--;
        f->args = NULL; /* the caller's */
        give_back(vm, f);
        fn->ret = fn->called++ ? qn_vm_join(vm, fn->ret, ret) : ret;
        return ret;
}

static struct qn_v call_object(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                               struct qn_vargs *args)
{
        struct qn_vobj *o = fn.obj;

        switch (o->cls) {
        case QN_VC_FUNC:
                if (o->fn->class_node) {
                        if (self.kind == QN_V_OBJ && o->fn->instance != self.obj)
                                init_fields(vm, o, self);
                        if (!o->fn->node)
                                return informs(o->fn->self)
                                               ? qn_vm_call(vm, at, o->fn->self, self, args)
                                               : qn_v_undef();
                }
                return run_function(vm, at, o, self, args);
        case QN_VC_BOUND: {
                struct qn_vbound *b = o->bound;
                struct qn_vobj *all = qn_vm_array(vm, b->args, b->n);
                struct qn_vargs more;

                for (uint32_t i = 0; all && i < args->n; i++)
                        qn_vm_push(vm, all, args->v[i]);
                if (!all)
                        return qn_v_unknown();
                more = (struct qn_vargs){ qn_vm_elems(all), all->n, args->is_new };
                return qn_vm_call(vm, at, b->target, b->self.kind == QN_V_UNDEF ? self : b->self,
                                  &more);
        }
        case QN_VC_RESOLVE:
                *o->cell = qn_vm_join(vm, *o->cell, qn_vm_settled(vm, qn_vm_arg(args, 0)));
                return qn_v_undef();
        default:
                return qn_vm_call_unknown(vm, at, fn, self, args);
        }
}

struct qn_v qn_vm_call(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                       struct qn_vargs *args)
{
        struct qn_v r;

        qn_vm_spend(vm, 1);
        if (vm->full || qn_vm_too_deep(vm))
                return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST };
        switch (fn.kind) {
        case QN_V_OBJ:
                return call_object(vm, at, fn, self, args);
        case QN_V_API:
                return qn_vm_api_call(vm, at, fn, self, args);
        case QN_V_STD:
                return qn_vm_std(vm, at, fn.n, self, args);
        case QN_V_BUILTIN:
                return qn_vm_method(vm, at, fn.n, self, args);
        case QN_V_ALT:
                r = qn_v_unknown();
                vm->uncertain++;
                for (uint32_t i = 0; i < fn.alt->n; i++)
                        r = qn_vm_join(vm, r, qn_vm_call(vm, at, fn.alt->v[i], self, args));
                vm->uncertain--;
                return r;
        default:
                return qn_vm_call_unknown(vm, at, fn, self, args);
        }
}

struct qn_v qn_vm_callback(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v arg)
{
        struct qn_v list[CALLBACK_ARGS];
        struct qn_vargs args = { list, CALLBACK_ARGS, false };
        struct qn_v r;

        for (uint32_t i = 0; i < CALLBACK_ARGS; i++)
                list[i] = arg;
        vm->uncertain++;
        r = qn_vm_call(vm, at, fn, qn_v_tainted(arg.taint), &args);
        vm->uncertain--;
        return r;
}

/* program.command('x').action(f) */
static bool keeps_for_later(const struct qn_vm *vm, struct qn_vat at)
{
        const struct qn_js_node *n = qn_vn(at.m, at.node), *c;

        if (!at.node || n->type != QN_JS_CALL || !n->first)
                return false;
        c = qn_vn(at.m, n->first);
        return c->type == QN_JS_MEMBER &&
               qn_map_get(&vm->apis->later, at.m->ast->atoms[c->val]) != QN_MAP_NONE;
}

/* Somebody else's function: what goes in may come out, and functions that are passed may be called. */
struct qn_v qn_vm_call_unknown(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                               struct qn_vargs *args)
{
        uint16_t given = taint_of_args(vm, args),
                 taint = qn_vm_mix(vm, qn_vm_mix(vm, fn.taint, self.taint), given);
        bool was = vm->load;
        struct qn_v r;

        vm->vague++;
        if (self.kind == QN_V_OBJ && self.obj->cls != QN_VC_FUNC && given)
                self.obj->taint = qn_vm_mix(vm, self.obj->taint, given);
        if (self.kind == QN_V_OBJ)
                taint = qn_vm_mix(vm, taint, self.obj->taint);
        vm->load = was &&
                   !(keeps_for_later(vm, at) && !(qn_vm_labels(vm, self) & QN_LABEL_BIT(NETWORK)));
        for (uint32_t i = 0; i < args->n; i++)
                if (args->v[i].kind == QN_V_OBJ && qn_v_callable(args->v[i]))
                        qn_vm_callback(vm, at, args->v[i], qn_v_tainted(taint));
        vm->load = was;
        r = qn_v_tainted(taint);
        for (uint32_t i = 0; i < args->n; i++)
                r.flags |= args->v[i].flags & (QN_VF_LOST | QN_VF_DECODED);
        r.flags |= self.flags & (QN_VF_LOST | QN_VF_DECODED);
        return r;
}

struct qn_v qn_vm_construct(struct qn_vm *vm, struct qn_vat at, struct qn_v fn,
                            struct qn_vargs *args)
{
        struct qn_v self, r;
        struct qn_vobj *o;

        fn = qn_vm_first(fn);
        if (!qn_v_is_obj(fn, QN_VC_FUNC))
                return qn_vm_call(vm, at, fn, qn_v_undef(), args);
        o = qn_vm_object(vm, QN_VC_OBJECT);
        if (!o)
                return qn_v_unknown();
        o->proto = qn_vm_home(vm, fn.obj);
        self = qn_v_obj(o);
        if (fn.obj->fn->class_node)
                init_fields(vm, fn.obj, self);
        fn.obj->fn->instance = o;
        if (!qn_v_is_obj(fn.obj->fn->self, QN_VC_FUNC) && informs(fn.obj->fn->self) &&
            fn.obj->fn->class_node)
                o->open = true; /* a parent that is not known */
        r = call_object(vm, at, fn, self, args);
        return r.kind == QN_V_OBJ ? r : self;
}

struct qn_v qn_vm_settled(struct qn_vm *vm, struct qn_v v)
{
        for (unsigned i = 0; i < 8 && qn_v_is_obj(v, QN_VC_PROMISE); i++)
                v = qn_vm_with(vm, *v.obj->cell, v.taint);
        return v;
}

/* --- functions that nobody called --- */

static struct qn_v self_of(struct qn_vm *vm, struct qn_vobj *o)
{
        struct qn_vobj *holder = o->fn->holder, *class = holder ? holder->owner : NULL;
        struct qn_vargs none = { NULL, 0, true };

        if (!holder)
                return qn_v_unknown();
        if (!class)
                return qn_v_obj(holder);
        if (!class->fn->instance)
                return qn_vm_construct(vm, (struct qn_vat){ class->fn->m, 0 }, qn_v_obj(class),
                                       &none);
        return qn_v_obj(class->fn->instance);
}

static bool never_ran(const struct qn_vobj *o)
{
        uint32_t scope;

        if (!o->fn->node)
                return o->fn->class_node && !o->fn->instance;
        scope = qn_vn(o->fn->m, o->fn->node)->val;
        return scope < o->fn->m->ast->n_scopes && !o->fn->m->runs[scope];
}

void qn_vm_run_left(struct qn_vm *vm, size_t from)
{
        struct qn_v unknown[PARAMS_LEFT] = { { 0 } };
        struct qn_vargs none = { unknown, PARAMS_LEFT, false };
        bool was = vm->load;

        vm->load = false;
        for (size_t i = from; i < vm->n_made && !vm->full; i++) {
                struct qn_vobj *o = vm->made[i];
                struct qn_vat at = { o->fn->m, 0 };

                if (!never_ran(o))
                        continue;
                vm->uncertain++;
                if (o->fn->class_node) {
                        none.is_new = true;
                        qn_vm_construct(vm, at, qn_v_obj(o), &none);
                        none.is_new = false;
                } else {
                        run_function(vm, at, o, self_of(vm, o), &none);
                }
                vm->uncertain--;
        }
        vm->load = was;
}
