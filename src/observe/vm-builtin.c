/* Methods that values have by their kind: which there are, and who works them out. */
#include <math.h>

#include "observe/vm-priv.h"

struct qn_v qn_vm_vague(struct qn_vm *vm, struct qn_vat at, struct qn_v self, struct qn_vargs *args)
{
        return qn_vm_call_unknown(vm, at, qn_v_unknown(), self, args);
}

static bool is_text_method(uint32_t key)
{
        return key >= QN_K_CHAR_AT && key <= QN_K_NORMALIZE;
}

static bool is_array_method(uint32_t key)
{
        return (key >= QN_K_PUSH && key <= QN_K_VALUES) || key == QN_K_SLICE ||
               key == QN_K_CONCAT || key == QN_K_INDEX_OF || key == QN_K_INCLUDES ||
               key == QN_K_AT || key == QN_K_TO_STRING || key == QN_K_LAST_INDEX_OF;
}

static bool is_promise_method(uint32_t key)
{
        return key == QN_K_THEN || key == QN_K_CATCH || key == QN_K_FINALLY;
}

static bool is_function_method(uint32_t key)
{
        return key == QN_K_CALL || key == QN_K_APPLY || key == QN_K_BIND || key == QN_K_TO_STRING;
}

static bool object_has(const struct qn_vobj *o, uint32_t key)
{
        switch (o->cls) {
        case QN_VC_ARRAY:
                return is_array_method(key) || key == QN_K_NEXT;
        case QN_VC_BUFFER:
                return is_array_method(key) || (key >= QN_K_SUBARRAY && key <= QN_K_DECODE);
        case QN_VC_FUNC:
        case QN_VC_BOUND:
                return is_function_method(key);
        case QN_VC_REGEX:
                return key == QN_K_TEST || key == QN_K_EXEC;
        case QN_VC_MAP:
                return (key >= QN_K_SET && key <= QN_K_APPEND) ||
                       (key >= QN_K_ENTRIES && key <= QN_K_VALUES) || key == QN_K_FOR_EACH ||
                       key == QN_K_TO_STRING;
        default:
                return key == QN_K_HAS_OWN || key == QN_K_TO_STRING || key == QN_K_VALUE_OF;
        }
}

bool qn_vm_has_method(const struct qn_vm *vm, struct qn_v v, uint32_t key)
{
        (void)vm;
        if (is_promise_method(key))
                return true;
        switch (v.kind) {
        case QN_V_STR:
                return is_text_method(key);
        case QN_V_OBJ:
                return object_has(v.obj, key);
        case QN_V_API:
                return is_function_method(key) && key != QN_K_TO_STRING;
        default:
                return false;
        }
}

/* --- functions as values --- */

static struct qn_v bind(struct qn_vm *vm, struct qn_v fn, struct qn_vargs *args)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_BOUND);
        struct qn_vbound *b = qn_arena_calloc(&vm->a, 1, sizeof *b);

        if (!o || !b) {
                vm->full = true;
                return qn_v_unknown();
        }
        b->target = fn;
        b->self = qn_vm_arg(args, 0);
        if (args->n > 1) {
                b->n = args->n - 1;
                b->args = qn_arena_alloc(&vm->a, b->n * sizeof *b->args);
                if (!b->args) {
                        vm->full = true;
                        return qn_v_unknown();
                }
                memcpy(b->args, args->v + 1, b->n * sizeof *b->args);
        }
        o->bound = b;
        return qn_v_obj(o);
}

static struct qn_v function_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v fn,
                                   struct qn_vargs *args)
{
        struct qn_vargs more = { args->n > 1 ? args->v + 1 : NULL, args->n > 1 ? args->n - 1 : 0,
                                 false };

        switch (key) {
        case QN_K_CALL:
                return qn_vm_call(vm, at, fn, qn_vm_arg(args, 0), &more);
        case QN_K_APPLY: {
                struct qn_v list = qn_vm_arg(args, 1);

                if (!qn_vm_elements(vm, list, &more.v, &more.n)) {
                        more.v = args->n > 1 ? args->v + 1 : NULL;
                        more.n = args->n > 1;
                }
                return qn_vm_call(vm, at, fn, qn_vm_arg(args, 0), &more);
        }
        case QN_K_BIND:
                return bind(vm, fn, args);
        default:
                return qn_vm_to_text(vm, fn);
        }
}

static struct qn_v promise_method(struct qn_vm *vm, struct qn_vat at, uint32_t key,
                                  struct qn_v self, struct qn_vargs *args)
{
        struct qn_v v = qn_vm_settled(vm, self), r = v, one;

        if (key == QN_K_THEN && args->n && qn_v_callable(args->v[0])) {
                struct qn_vargs a = { &v, 1, false };

                r = qn_vm_settled(vm, qn_vm_call(vm, at, args->v[0], qn_v_undef(), &a));
                if (args->n > 1 && qn_v_callable(args->v[1]))
                        r = qn_vm_join(vm, r, qn_vm_callback(vm, at, args->v[1], qn_v_unknown()));
                return r;
        }
        if (args->n && qn_v_callable(args->v[0])) {
                one = qn_vm_callback(vm, at, args->v[0], qn_v_unknown());
                r = key == QN_K_CATCH ? qn_vm_join(vm, v, one) : v;
        }
        return r;
}

/* --- maps, sets, forms: entries are properties --- */

static struct qn_v map_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                              struct qn_vargs *args)
{
        struct qn_v k = qn_vm_arg(args, 0), v = args->n > 1 ? args->v[1] : k, r;
        struct qn_vobj *list;

        switch (key) {
        case QN_K_SET:
        case QN_K_APPEND:
        case QN_K_ADD:
                qn_vm_put_index(vm, self, k.kind == QN_V_OBJ ? qn_v_unknown() : k, v);
                return self;
        case QN_K_GET:
                return qn_vm_get_index(vm, self, k.kind == QN_V_OBJ ? qn_v_unknown() : k);
        case QN_K_HAS:
                r = qn_vm_to_text(vm, k);
                return qn_v_exact(r) && qn_vm_own(self.obj, qn_vm_key(vm, qn_v_text(r)))
                               ? qn_v_bool(true)
                               : qn_v_unknown();
        case QN_K_TO_STRING:
                r = (struct qn_v){ .kind = QN_V_STR, .flags = QN_VF_INEXACT, .p = "*", .n = 1 };
                return qn_vm_with(vm, r, qn_vm_deep_taint(vm, self));
        case QN_K_VALUES:
        case QN_K_KEYS:
        case QN_K_ENTRIES:
        case QN_K_FOR_EACH:
                list = qn_vm_array(vm, NULL, 0);
                for (uint32_t i = 0; list && i < self.obj->n_props; i++) {
                        struct qn_v pair[2] = { qn_v_str(
                                                        qn_vm_key_text(vm, self.obj->props[i].key)),
                                                self.obj->props[i].v };

                        qn_vm_push(vm, list,
                                   key == QN_K_KEYS      ? pair[0]
                                   : key == QN_K_ENTRIES ? qn_v_obj(qn_vm_array(vm, pair, 2))
                                                         : pair[1]);
                }
                if (list) {
                        list->open = self.obj->open;
                        list->any = self.obj->any;
                        list->taint = self.obj->taint;
                }
                return key == QN_K_FOR_EACH && list
                               ? qn_vm_array_method(vm, at, key, qn_v_obj(list), args)
                               : qn_v_obj(list);
        default:
                return qn_vm_vague(vm, at, self, args);
        }
}

static struct qn_v object_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                                 struct qn_vargs *args)
{
        struct qn_vobj *o = self.obj;

        switch (o->cls) {
        case QN_VC_ARRAY:
                return qn_vm_with(vm, qn_vm_array_method(vm, at, key, self, args), o->taint);
        case QN_VC_BUFFER:
                return qn_vm_buffer_method(vm, at, key, self, args);
        case QN_VC_REGEX:
                return qn_vm_regex_method(vm, key, self, args);
        case QN_VC_MAP:
                return map_method(vm, at, key, self, args);
        default:
                break;
        }
        if (key == QN_K_HAS_OWN)
                return qn_v_unknown();
        if (key == QN_K_TO_STRING)
                return qn_vm_to_text(vm, self);
        if (key == QN_K_VALUE_OF)
                return self;
        return qn_vm_vague(vm, at, self, args);
}

/* Methods that do not look at all of their value. */
static bool is_quick(struct qn_v self, uint32_t key)
{
        if (self.kind == QN_V_OBJ)
                return key == QN_K_PUSH || key == QN_K_POP || key == QN_K_SHIFT || key == QN_K_AT;
        switch (key) {
        case QN_K_CHAR_AT:
        case QN_K_CHAR_CODE_AT:
        case QN_K_CODE_POINT_AT:
        case QN_K_AT:
        case QN_K_SLICE:
        case QN_K_SUBSTRING:
        case QN_K_SUBSTR:
        case QN_K_STARTS_WITH:
        case QN_K_ENDS_WITH:
        case QN_K_CONCAT:
        case QN_K_TO_STRING:
        case QN_K_VALUE_OF:
                return true;
        default:
                return false;
        }
}

void qn_vm_charge_value(struct qn_vm *vm, struct qn_v v)
{
        if (v.kind == QN_V_STR || qn_v_is_obj(v, QN_VC_BUFFER))
                qn_vm_charge(vm, v.kind == QN_V_STR ? v.n : v.obj->n);
        else if (qn_v_is_obj(v, QN_VC_ARRAY))
                qn_vm_charge(vm, v.obj->n * sizeof v);
        else if (v.kind == QN_V_OBJ)
                qn_vm_charge(vm, v.obj->n_props * sizeof v);
}

struct qn_v qn_vm_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                         struct qn_vargs *args)
{
        self = qn_vm_first(self);
        if (!is_quick(self, key))
                qn_vm_charge_value(vm, self);
        if (vm->full)
                return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST };
        if (is_function_method(key) && qn_v_callable(self))
                return function_method(vm, at, key, self, args);
        if (is_promise_method(key))
                return promise_method(vm, at, key, self, args);
        switch (self.kind) {
        case QN_V_STR:
                return qn_vm_text_method(vm, at, key, self, args);
        case QN_V_NUM:
                if (key == QN_K_TO_STRING) {
                        double radix = qn_vm_int_arg(args, 0, 10);

                        return qn_vm_with(
                                vm,
                                qn_vm_number_text(vm, self.num,
                                                  radix >= 2 && radix <= 36 ? (unsigned)radix : 10),
                                self.taint);
                }
                return key == QN_K_VALUE_OF ? self : qn_vm_vague(vm, at, self, args);
        case QN_V_BOOL:
                return key == QN_K_TO_STRING ? qn_vm_to_text(vm, self)
                                             : qn_vm_vague(vm, at, self, args);
        case QN_V_OBJ:
                return object_method(vm, at, key, self, args);
        default:
                return qn_vm_vague(vm, at, self, args);
        }
}
