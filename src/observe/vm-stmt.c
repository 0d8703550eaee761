/* Statements.  A condition that is not known takes both ways, one after the other, on the same state: what is assigned there
 * joins what was there before.  What follows a return is looked at all the same: nothing can be hidden behind a guard. */
#include <math.h>

#include "observe/vm-priv.h"
#include "parse/js-tok.h"

#define ITERATIONS_MAX   60000u /* of one loop that is decided */
#define ITERATIONS_VAGUE 3u     /* of one that has no end that is known */
#define ELEMENTS_WALKED  4096u
#define ROUNDS_COMPUTED  1000u /* a loop that was decided so often makes something */

/* --- declarations --- */

/* Function declarations are there before the first statement runs. */
void qn_vm_hoist(struct qn_vm *vm, struct qn_vframe *f, uint32_t first)
{
        for (uint32_t s = first; s; s = qn_vn(f->m, s)->next) {
                const struct qn_js_node *n = qn_vn(f->m, s);
                uint32_t fn = s;

                if (n->type == QN_JS_EXPORT_NAMED || n->type == QN_JS_EXPORT_DEFAULT)
                        fn = n->first;
                n = qn_vn(f->m, fn);
                if (n->type == QN_JS_FUNCTION && n->flags & QN_JS_F_STATEMENT && n->first &&
                    qn_vn(f->m, n->first)->type == QN_JS_IDENT)
                        qn_vm_assign_name(vm, f, n->first, qn_vm_make_function(vm, f, fn), true);
        }
}

static void declare(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        for (uint32_t d = qn_vn(f->m, node)->first; d; d = qn_vn(f->m, d)->next) {
                uint32_t target = qn_vn(f->m, d)->first,
                         init = target ? qn_vn(f->m, target)->next : 0;
                struct qn_v v;

                if (!init || qn_vn(f->m, init)->type == QN_JS_EMPTY) {
                        if (init && qn_vn(f->m, node)->op != QN_JS_VAR_VAR)
                                qn_vm_bind(vm, f, target, qn_v_undef(), true);
                        continue;
                }
                v = qn_vm_eval(vm, f, init);
                if (qn_vn(f->m, target)->type == QN_JS_IDENT)
                        v = qn_vm_name_source(vm, (struct qn_vat){ f->m, d },
                                              qn_vm_atom_key(vm, f->m, qn_vn(f->m, target)->val),
                                              v);
                qn_vm_bind(vm, f, target, v, qn_vn(f->m, node)->op != QN_JS_VAR_VAR);
        }
}

/* --- lists --- */

enum qn_vdone qn_vm_list(struct qn_vm *vm, struct qn_vframe *f, uint32_t first)
{
        enum qn_vdone done = QN_DONE_NORMAL;

        if (first)
                qn_vm_hoist(vm, f, first);
        for (uint32_t s = first; s; s = qn_vn(f->m, s)->next) {
                enum qn_vdone d = qn_vm_exec(vm, f, s);

                if (d == QN_DONE_NORMAL || done != QN_DONE_NORMAL)
                        continue;
                if (qn_vn(f->m, s)->type != QN_JS_RETURN && qn_vn(f->m, s)->type != QN_JS_THROW)
                        return d;
                done = d;
                vm->uncertain++; /* what stands behind a plain return */
        }
        if (done != QN_DONE_NORMAL)
                vm->uncertain--;
        return done;
}

/* --- branches --- */

/* One of several ways, when which is not known. */
static enum qn_vdone maybe(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        enum qn_vdone d;

        if (!node)
                return QN_DONE_NORMAL;
        vm->uncertain++;
        d = qn_vm_exec(vm, f, node);
        vm->uncertain--;
        return d;
}

static enum qn_vdone both(struct qn_vm *vm, enum qn_vdone a, enum qn_vdone b)
{
        if (a == b)
                return a;
        if (a == QN_DONE_BREAK || b == QN_DONE_BREAK)
                vm->maybe_break = true;
        return QN_DONE_NORMAL;
}

static enum qn_vdone exec_if(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t test = qn_vn(f->m, node)->first, yes = qn_vn(f->m, test)->next,
                 no = qn_vn(f->m, yes)->next;
        struct qn_v v = qn_vm_eval(vm, f, test);
        int t = v.flags & QN_VF_LITERAL ? -1 : qn_vm_truth(v);
        enum qn_vdone a, b;

        if (t == 1)
                return qn_vm_exec(vm, f, yes);
        if (t == 0)
                return no ? qn_vm_exec(vm, f, no) : QN_DONE_NORMAL;
        vm->vague++;
        a = maybe(vm, f, yes);
        b = no ? maybe(vm, f, no) : QN_DONE_NORMAL;
        return both(vm, a, b);
}

static enum qn_vdone run_cases(struct qn_vm *vm, struct qn_vframe *f, uint32_t from, bool fall)
{
        for (uint32_t c = from; c; c = fall ? qn_vn(f->m, c)->next : 0) {
                uint32_t test = qn_vn(f->m, c)->first;
                enum qn_vdone d =
                        test ? qn_vm_list(vm, f, qn_vn(f->m, test)->next) : QN_DONE_NORMAL;

                if (d != QN_DONE_NORMAL)
                        return d;
        }
        return QN_DONE_NORMAL;
}

/* The case that fits; 0 none; UINT32_MAX not known. */
static uint32_t find_case(struct qn_vm *vm, struct qn_vframe *f, uint32_t first, struct qn_v v)
{
        uint32_t otherwise = 0;

        for (uint32_t c = first; c; c = qn_vn(f->m, c)->next) {
                uint32_t test = qn_vn(f->m, c)->first;
                int t;

                if (!test || qn_vn(f->m, test)->type == QN_JS_EMPTY) {
                        otherwise = c;
                        continue;
                }
                t = qn_vm_equal(v, qn_vm_eval(vm, f, test), true);
                if (t < 0)
                        return UINT32_MAX;
                if (t)
                        return c;
        }
        return otherwise;
}

static enum qn_vdone exec_switch(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t what = qn_vn(f->m, node)->first, first = qn_vn(f->m, what)->next, c;
        struct qn_v v = qn_vm_eval(vm, f, what);
        enum qn_vdone d = QN_DONE_NORMAL;

        for (c = first; c; c = qn_vn(f->m, c)->next) {
                uint32_t test = qn_vn(f->m, c)->first;

                if (test)
                        qn_vm_hoist(vm, f, qn_vn(f->m, test)->next);
        }
        c = v.flags & QN_VF_LITERAL ? UINT32_MAX : find_case(vm, f, first, v);
        if (c != UINT32_MAX) {
                vm->matched++;
                d = run_cases(vm, f, c, true);
        } else {
                vm->vague++;
                vm->uncertain++;
                for (c = first; c; c = qn_vn(f->m, c)->next) {
                        enum qn_vdone one = run_cases(vm, f, c, false);

                        if (one == QN_DONE_CONTINUE)
                                vm->maybe_break = true;
                }
                vm->uncertain--;
        }
        return d == QN_DONE_BREAK && !vm->label ? QN_DONE_NORMAL : d;
}

/* --- loops --- */

struct loop {
        struct qn_vm *vm;
        struct qn_vframe *f;
        uint32_t label; /* its own */
        uint32_t rounds, vague_rounds;
        uint32_t was_round;
        uint32_t vague, matched; /* the counters when the round began */
        int64_t left;
        bool was_maybe;
        bool was_rough;
        bool no_steps; /* it is not at its end, but its steps are */
};

static struct loop loop_begin(struct qn_vm *vm, struct qn_vframe *f, uint32_t label)
{
        struct loop l = { .vm = vm,
                          .f = f,
                          .label = label,
                          .left = vm->left / 2,
                          .was_maybe = vm->maybe_break,
                          .was_rough = vm->rough };

        l.was_round = vm->round;
        vm->maybe_break = false;
        vm->round = 0;
        vm->loops++;
        return l;
}

static void loop_end(struct loop *l)
{
        l->vm->maybe_break = l->was_maybe;
        l->vm->round = l->was_round;
        l->vm->loops--;
}

/* What the body's end means: whether to go on.  *ret is what the loop ends with. */
static bool goes_on(struct loop *l, enum qn_vdone d, enum qn_vdone *ret)
{
        struct qn_vm *vm = l->vm;

        *ret = QN_DONE_NORMAL;
        if (d == QN_DONE_RETURN || d == QN_DONE_THROW) {
                *ret = d;
                return false;
        }
        if (d == QN_DONE_BREAK || d == QN_DONE_CONTINUE) {
                if (vm->label && vm->label != l->label) {
                        *ret = d;
                        return false;
                }
                vm->label = 0;
                return d == QN_DONE_CONTINUE;
        }
        return true;
}

/* Whether a loop whose condition holds may run again: decided rounds may be many, vague ones few. */
static bool another(struct loop *l, bool endless)
{
        struct qn_vm *vm = l->vm;
        bool vague = vm->vague != l->vague && vm->matched == l->matched;

        if (l->rounds++ && vague && (endless || vm->maybe_break) &&
            ++l->vague_rounds >= ITERATIONS_VAGUE)
                return false;
        l->no_steps =
                l->rounds > ITERATIONS_MAX || vm->left < l->left || (vm->rough && l->rounds > 1);
        if (l->no_steps)
                return false;
        l->vague = vm->vague;
        l->matched = vm->matched;
        vm->round = l->rounds;
        return true;
}

/* Rounds of a loop that is not decided: twice, so that what one round makes reaches the next. */
static enum qn_vdone vague_rounds(struct loop *l, uint32_t body, uint32_t update)
{
        struct qn_vm *vm = l->vm;
        unsigned rounds = vm->loops > 2 || vm->rough ? 1 : 2;

        vm->uncertain++;
        vm->vague++;
        while (rounds--) {
                qn_vm_exec(vm, l->f, body);
                if (update)
                        qn_vm_eval(vm, l->f, update);
        }
        vm->uncertain--;
        vm->label = 0;
        return QN_DONE_NORMAL;
}

/* The rounds for which there are no steps: what they change is not known any more. */
static enum qn_vdone cut_rounds(struct loop *l, uint32_t body, uint32_t update)
{
        uint32_t was = l->vm->cut;
        enum qn_vdone d;

        if (l->no_steps && !was && (l->vm->dark || (!l->was_rough && l->rounds >= ROUNDS_COMPUTED)))
                l->vm->cut = l->vm->uncertain + 1;
        d = vague_rounds(l, body, update);
        l->vm->cut = was;
        return d;
}

struct loop_parts {
        uint32_t test, update, body;
        bool test_last;
};

static enum qn_vdone run_loop(struct qn_vm *vm, struct qn_vframe *f, uint32_t label,
                              struct loop_parts p)
{
        struct loop l = loop_begin(vm, f, label);
        bool bare = !p.test || qn_vn(f->m, p.test)->type == QN_JS_EMPTY;
        enum qn_vdone ret = QN_DONE_NORMAL;

        for (;;) {
                struct qn_v v = bare || (p.test_last && l.rounds == 0) ? qn_v_bool(true)
                                                                       : qn_vm_eval(vm, f, p.test);
                int t = qn_vm_truth(v);
                bool endless = bare || (v.flags & QN_VF_LITERAL) || v.kind != QN_V_BOOL;

                if (t == 0)
                        break;
                if (t < 0) {
                        ret = vague_rounds(&l, p.body, p.update);
                        break;
                }
                if (!another(&l, endless)) {
                        ret = cut_rounds(&l, p.body, p.update);
                        break;
                }
                if (!goes_on(&l, qn_vm_exec(vm, f, p.body), &ret))
                        break;
                if (p.update && qn_vn(f->m, p.update)->type != QN_JS_EMPTY)
                        qn_vm_eval(vm, f, p.update);
                if (vm->full || qn_vm_too_deep(vm))
                        break;
        }
        loop_end(&l);
        return ret;
}

static enum qn_vdone exec_for(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, uint32_t label)
{
        struct loop_parts p = { 0 };
        uint32_t init = qn_vn(f->m, node)->first;

        p.test = qn_vn(f->m, init)->next;
        p.update = qn_vn(f->m, p.test)->next;
        p.body = qn_vn(f->m, p.update)->next;
        if (qn_vn(f->m, init)->type == QN_JS_VAR)
                declare(vm, f, init);
        else if (qn_vn(f->m, init)->type != QN_JS_EMPTY)
                qn_vm_eval(vm, f, init);
        if (qn_vn(f->m, p.update)->type == QN_JS_EMPTY)
                p.update = 0;
        return run_loop(vm, f, label, p);
}

static enum qn_vdone exec_while(struct qn_vm *vm, struct qn_vframe *f, uint32_t node,
                                uint32_t label)
{
        uint32_t first = qn_vn(f->m, node)->first, second = qn_vn(f->m, first)->next;
        bool post = qn_vn(f->m, node)->type == QN_JS_DO_WHILE;

        return run_loop(
                vm, f, label,
                (struct loop_parts){ post ? second : first, 0, post ? first : second, post });
}

static void bind_left(struct qn_vm *vm, struct qn_vframe *f, uint32_t left, struct qn_v v)
{
        const struct qn_js_node *n = qn_vn(f->m, left);

        bool declared = n->type == QN_JS_VAR;

        if (declared)
                left = n->first ? qn_vn(f->m, n->first)->first : 0;
        if (left)
                qn_vm_bind(vm, f, left, v, declared);
}

static enum qn_vdone each(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, uint32_t label,
                          const struct qn_v *list, uint32_t n, struct qn_v more)
{
        uint32_t left = qn_vn(f->m, node)->first, body = qn_vn(f->m, qn_vn(f->m, left)->next)->next;
        struct loop l = loop_begin(vm, f, label);
        enum qn_vdone ret = QN_DONE_NORMAL;
        uint32_t i;

        for (i = 0; i < n && i < ELEMENTS_WALKED && another(&l, false); i++) {
                bind_left(vm, f, left, list[i]);
                if (!goes_on(&l, qn_vm_exec(vm, f, body), &ret) || vm->full)
                        break;
        }
        if (i < n && (l.no_steps || i == ELEMENTS_WALKED) && !vm->full) {
                l.no_steps = true;
                bind_left(vm, f, left, list[i]);
                cut_rounds(&l, body, 0);
        }
        if (more.kind != QN_V_UNDEF && ret == QN_DONE_NORMAL && !vm->full) {
                bind_left(vm, f, left, more);
                vague_rounds(&l, body, 0);
        }
        loop_end(&l);
        return ret;
}

static enum qn_vdone exec_for_of(struct qn_vm *vm, struct qn_vframe *f, uint32_t node,
                                 uint32_t label)
{
        uint32_t right = qn_vn(f->m, qn_vn(f->m, node)->first)->next;
        struct qn_v v = qn_vm_settled(vm, qn_vm_eval(vm, f, right)), *list, more = qn_v_undef();
        uint32_t n;

        if (!qn_vm_elements(vm, v, &list, &n))
                return each(vm, f, node, label, NULL, 0, qn_vm_get_index(vm, v, qn_v_unknown()));
        if (v.kind == QN_V_OBJ && v.obj->open)
                more = qn_vm_with(vm, v.obj->any, v.obj->taint);
        return each(vm, f, node, label, list, n, more);
}

static enum qn_vdone exec_for_in(struct qn_vm *vm, struct qn_vframe *f, uint32_t node,
                                 uint32_t label)
{
        uint32_t right = qn_vn(f->m, qn_vn(f->m, node)->first)->next;
        struct qn_v v = qn_vm_eval(vm, f, right), more = qn_v_undef();
        struct qn_vobj *keys;

        if (qn_vm_is_env(vm, v)) {
                v = qn_vm_env_all(vm, (struct qn_vat){ f->m, right }, "for-in");
                return each(vm, f, node, label, NULL, 0, qn_v_tainted(v.taint));
        }
        v = qn_vm_first(v);
        keys = qn_vm_array(vm, NULL, 0);
        if (v.kind != QN_V_OBJ || !keys)
                return each(vm, f, node, label, NULL, 0, qn_v_tainted(v.taint));
        for (uint32_t i = 0; v.obj->cls == QN_VC_ARRAY && i < v.obj->n && i < ELEMENTS_WALKED; i++)
                qn_vm_push(vm, keys, qn_vm_number_text(vm, i, 10));
        for (uint32_t i = 0; i < v.obj->n_props && i < ELEMENTS_WALKED; i++)
                qn_vm_push(vm, keys, qn_v_str(qn_vm_key_text(vm, v.obj->props[i].key)));
        if (v.obj->open)
                more = qn_v_tainted(v.obj->taint);
        return each(vm, f, node, label, qn_vm_elems(keys), keys->n, more);
}

/* --- the rest --- */

static enum qn_vdone exec_return(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t arg = qn_vn(f->m, node)->first;
        struct qn_v v = arg ? qn_vm_eval(vm, f, arg) : qn_v_undef();

        if (vm->call) {
                vm->call->ret = vm->call->returned ? qn_vm_join(vm, vm->call->ret, v) : v;
                vm->call->returned = true;
        }
        return QN_DONE_RETURN;
}

static enum qn_vdone exec_try(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t block = qn_vn(f->m, node)->first, handler = qn_vn(f->m, block)->next;
        uint32_t finally = handler ? qn_vn(f->m, handler)->next : 0;
        uint32_t vague = vm->vague;
        enum qn_vdone d = qn_vm_exec(vm, f, block), last;
        bool safe = d != QN_DONE_THROW &&
                    vm->vague == vague; /* all of it was worked out: nothing is caught */

        if (!safe && handler && qn_vn(f->m, handler)->type == QN_JS_CATCH) {
                uint32_t param = qn_vn(f->m, handler)->first;
                bool certain = d == QN_DONE_THROW;
                enum qn_vdone caught;

                if (param && qn_vn(f->m, param)->type != QN_JS_EMPTY)
                        qn_vm_bind(vm, f, param, certain ? vm->throwing : qn_v_unknown(), true);
                vm->uncertain += !certain;
                caught = qn_vm_exec(vm, f, qn_vn(f->m, param)->next);
                vm->uncertain -= !certain;
                d = certain ? caught : d;
        }
        if (!finally || qn_vn(f->m, finally)->type == QN_JS_EMPTY)
                return d;
        last = qn_vm_exec(vm, f, finally);
        return last == QN_DONE_NORMAL ? d : last;
}

static enum qn_vdone exec_labeled(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        unsigned type = qn_vn(f->m, n->first)->type;
        enum qn_vdone d;

        switch (type) {
        case QN_JS_FOR:
                return exec_for(vm, f, n->first, n->val);
        case QN_JS_FOR_OF:
                return exec_for_of(vm, f, n->first, n->val);
        case QN_JS_FOR_IN:
                return exec_for_in(vm, f, n->first, n->val);
        case QN_JS_WHILE:
        case QN_JS_DO_WHILE:
                return exec_while(vm, f, n->first, n->val);
        default:
                d = qn_vm_exec(vm, f, n->first);
                if (d == QN_DONE_BREAK && vm->label == n->val) {
                        vm->label = 0;
                        return QN_DONE_NORMAL;
                }
                return d;
        }
}

static enum qn_vdone exec_jump(struct qn_vm *vm, const struct qn_js_node *n, enum qn_vdone d)
{
        vm->label = n->val;
        return d;
}

enum qn_vdone qn_vm_exec(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);

        if (!node || vm->full || qn_vm_too_deep(vm))
                return QN_DONE_NORMAL;
        switch (n->type) {
        case QN_JS_EXPR_STMT:
                vm->value = qn_vm_eval(vm, f, n->first);
                return QN_DONE_NORMAL;
        case QN_JS_VAR:
                declare(vm, f, node);
                return QN_DONE_NORMAL;
        case QN_JS_BLOCK:
        case QN_JS_STATIC_BLOCK:
                return qn_vm_list(vm, f, n->first);
        case QN_JS_IF:
                return exec_if(vm, f, node);
        case QN_JS_RETURN:
                return exec_return(vm, f, node);
        case QN_JS_FOR:
                return exec_for(vm, f, node, 0);
        case QN_JS_FOR_OF:
                return exec_for_of(vm, f, node, 0);
        case QN_JS_FOR_IN:
                return exec_for_in(vm, f, node, 0);
        case QN_JS_WHILE:
        case QN_JS_DO_WHILE:
                return exec_while(vm, f, node, 0);
        case QN_JS_TRY:
                return exec_try(vm, f, node);
        case QN_JS_THROW:
                vm->throwing = qn_vm_eval(vm, f, n->first);
                return QN_DONE_THROW;
        case QN_JS_SWITCH:
                return exec_switch(vm, f, node);
        case QN_JS_BREAK:
                return exec_jump(vm, n, QN_DONE_BREAK);
        case QN_JS_CONTINUE:
                return exec_jump(vm, n, QN_DONE_CONTINUE);
        case QN_JS_LABELED:
                return exec_labeled(vm, f, node);
        case QN_JS_FUNCTION: /* hoisted */
                return QN_DONE_NORMAL;
        case QN_JS_CLASS:
                if (n->first && qn_vn(f->m, n->first)->type == QN_JS_IDENT)
                        qn_vm_assign_name(vm, f, n->first, qn_vm_make_class(vm, f, node), false);
                return QN_DONE_NORMAL;
        case QN_JS_WITH:
                qn_vm_eval(vm, f, n->first);
                return qn_vm_exec(vm, f, qn_vn(f->m, n->first)->next);
        case QN_JS_IMPORT:
                return QN_DONE_NORMAL;
        case QN_JS_EXPORT_NAMED:
        case QN_JS_EXPORT_DEFAULT:
        case QN_JS_EXPORT_ALL:
                qn_vm_export(vm, f, node);
                return QN_DONE_NORMAL;
        case QN_JS_EMPTY:
        case QN_JS_ERROR:
        case QN_JS_DEBUGGER:
                return QN_DONE_NORMAL;
        default:
                qn_vm_eval(vm, f, node);
                return QN_DONE_NORMAL;
        }
}
