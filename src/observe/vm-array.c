/* Methods of arrays. */
#include <math.h>

#include "observe/vm-priv.h"

#define CALLS_MAX 20000u /* of one callback by one method */

static struct qn_v *elems(struct qn_vobj *o)
{
        return qn_vm_elems(o);
}

static struct qn_v element(struct qn_vm *vm, struct qn_vobj *o, uint32_t i)
{
        return qn_vm_with(vm, elems(o)[i], o->taint);
}

/* What an array holds that is not known: one more element. */
static uint32_t rounds(const struct qn_vm *vm, const struct qn_vobj *o)
{
        uint32_t n = QN_MIN(o->n, CALLS_MAX);

        if (vm->rough)
                n = QN_MIN(n, 1u);
        return n + o->open;
}

static struct qn_v round_value(struct qn_vm *vm, struct qn_vobj *o, uint32_t i)
{
        return i < o->n ? element(vm, o, i) : qn_vm_with(vm, o->any, o->taint);
}

static struct qn_v call_with(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v v,
                             uint32_t i, struct qn_vobj *o)
{
        struct qn_v list[3] = { v, qn_v_num(i), qn_v_obj(o) };
        struct qn_vargs args = { list, 3, false };

        return qn_vm_call(vm, at, fn, qn_v_undef(), &args);
}

static struct qn_v each(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_vobj *o,
                        struct qn_v fn)
{
        struct qn_vobj *out = key == QN_K_FOR_EACH ? NULL : qn_vm_array(vm, NULL, 0);
        struct qn_v found = qn_v_undef();

        for (uint32_t i = 0, n = rounds(vm, o); i < n && !vm->full; i++) {
                struct qn_v v = round_value(vm, o, i), r = call_with(vm, at, fn, v, i, o), *list;
                uint32_t k;
                int t = qn_vm_truth(r);

                if (key == QN_K_FILTER && t != 0 && out)
                        qn_vm_push(vm, out, v);
                else if (key == QN_K_MAP && out)
                        qn_vm_push(vm, out, qn_vm_settled(vm, r));
                else if (key == QN_K_FLAT_MAP && out && qn_vm_elements(vm, r, &list, &k))
                        for (uint32_t e = 0; e < k; e++)
                                qn_vm_push(vm, out, list[e]);
                else if ((key == QN_K_FIND || key == QN_K_FIND_LAST) && t != 0)
                        found = qn_vm_join(vm, found, v);
                if (key == QN_K_FIND && t == 1)
                        return found;
                if ((key == QN_K_SOME && t == 1) || (key == QN_K_EVERY && t == 0))
                        return qn_v_bool(key == QN_K_SOME);
                if (key == QN_K_FIND_INDEX && t == 1)
                        return qn_v_num(i);
        }
        if (out)
                out->open |= o->open;
        if (out && (QN_MIN(o->n, CALLS_MAX) < o->n || (vm->dark && vm->rough && o->n > 1)))
                qn_vm_lose(out);
        if (key == QN_K_MAP || key == QN_K_FILTER || key == QN_K_FLAT_MAP)
                return qn_v_obj(out);
        return key == QN_K_FIND || key == QN_K_FIND_LAST ? found : qn_v_unknown();
}

static struct qn_v reduce(struct qn_vm *vm, struct qn_vat at, struct qn_vobj *o,
                          struct qn_vargs *given, bool right)
{
        uint32_t n = rounds(vm, o), i = 0;
        struct qn_v acc = qn_vm_arg(given, 1);

        if (given->n < 2 && n)
                acc = round_value(vm, o, right ? n - 1 - i++ : i++);
        for (; i < n && !vm->full; i++) {
                uint32_t k = right ? n - 1 - i : i;
                struct qn_v list[3] = { acc, round_value(vm, o, k), qn_v_num(k) };
                struct qn_vargs args = { list, 3, false };

                acc = qn_vm_call(vm, at, qn_vm_arg(given, 0), qn_v_undef(), &args);
        }
        if (n < QN_MIN(o->n, CALLS_MAX) ? vm->dark : n < o->n)
                acc.flags |= QN_VF_LOST;
        return acc;
}

static struct qn_v join(struct qn_vm *vm, struct qn_vobj *o, struct qn_v by)
{
        struct qn_v r = qn_v_str(QN_STR("")),
                    sep = by.kind == QN_V_UNDEF ? qn_v_str(QN_STR(",")) : by;

        for (uint32_t i = 0; i < o->n; i++) {
                struct qn_v e = element(vm, o, i);

                if (i)
                        r = qn_vm_concat(vm, r, sep);
                if (e.kind != QN_V_UNDEF && e.kind != QN_V_NULL)
                        r = qn_vm_concat(vm, r, e);
        }
        if (o->open)
                r = qn_vm_concat(vm, r, qn_vm_or_lost(qn_v_tainted(o->taint), o));
        return r;
}

static void range(const struct qn_vobj *o, const struct qn_vargs *args, uint32_t *from,
                  uint32_t *to)
{
        double a = trunc(qn_vm_int_arg(args, 0, 0)), b = trunc(qn_vm_int_arg(args, 1, o->n));

        a = a < 0 ? fmax(0, o->n + a) : fmin(a, o->n);
        b = b < 0 ? fmax(0, o->n + b) : fmin(b, o->n);
        *from = (uint32_t)a;
        *to = (uint32_t)fmax(a, b);
}

static struct qn_v slice(struct qn_vm *vm, struct qn_vobj *o, const struct qn_vargs *args)
{
        uint32_t from, to;
        struct qn_vobj *r;

        range(o, args, &from, &to);
        r = qn_vm_array(vm, o->n ? elems(o) + from : NULL, to - from);
        if (r) {
                r->taint = o->taint;
                r->open = o->open;
                r->any = o->any;
        }
        return qn_v_obj(r);
}

static struct qn_v splice(struct qn_vm *vm, struct qn_vobj *o, const struct qn_vargs *args)
{
        uint32_t from, to, n;
        struct qn_vobj *gone, *rest;
        struct qn_vargs one = { args->v, QN_MIN(args->n, 1u), false };

        range(o, &one, &from, &to);
        n = args->n > 1 ? (uint32_t)fmin(fmax(0, qn_vm_int_arg(args, 1, 0)), o->n - from)
                        : o->n - from;
        gone = qn_vm_array(vm, o->n ? elems(o) + from : NULL, n);
        rest = qn_vm_array(vm, o->n ? elems(o) + from + n : NULL, o->n - from - n);
        if (!gone || !rest)
                return qn_v_unknown();
        o->n = from;
        for (uint32_t i = 2; i < args->n; i++)
                qn_vm_push(vm, o, args->v[i]);
        for (uint32_t i = 0; i < rest->n; i++)
                qn_vm_push(vm, o, rest->elems[rest->first + i]);
        return qn_v_obj(gone);
}

static void unshift(struct qn_vm *vm, struct qn_vobj *o, const struct qn_vargs *args)
{
        struct qn_vobj *all = qn_vm_array(vm, args->v, args->n);

        for (uint32_t i = 0; all && i < o->n; i++)
                qn_vm_push(vm, all, elems(o)[i]);
        if (!all)
                return;
        o->elems = all->elems;
        o->first = all->first;
        o->n = all->n;
        o->cap = all->cap;
}

static void reverse(struct qn_vobj *o)
{
        for (uint32_t i = 0; i < o->n / 2; i++) {
                struct qn_v t = elems(o)[i];

                elems(o)[i] = elems(o)[o->n - 1 - i];
                elems(o)[o->n - 1 - i] = t;
        }
}

static struct qn_v concat(struct qn_vm *vm, struct qn_vobj *o, const struct qn_vargs *args)
{
        struct qn_vobj *r = qn_vm_array(vm, o->n ? elems(o) : NULL, o->n);

        for (uint32_t i = 0; r && i < args->n; i++) {
                struct qn_v v = args->v[i];

                if (qn_v_is_obj(v, QN_VC_ARRAY))
                        for (uint32_t k = 0; k < v.obj->n; k++)
                                qn_vm_push(vm, r, elems(v.obj)[k]);
                else
                        qn_vm_push(vm, r, v);
                r->open |= v.kind == QN_V_UNKNOWN || (v.kind == QN_V_OBJ && v.obj->open);
        }
        if (r) {
                r->taint = o->taint;
                r->open |= o->open;
        }
        return qn_v_obj(r);
}

static struct qn_v flat(struct qn_vm *vm, struct qn_vobj *o)
{
        struct qn_vobj *r = qn_vm_array(vm, NULL, 0);

        for (uint32_t i = 0; r && i < o->n; i++) {
                struct qn_v v = element(vm, o, i);

                if (!qn_v_is_obj(v, QN_VC_ARRAY)) {
                        qn_vm_push(vm, r, v);
                        continue;
                }
                for (uint32_t k = 0; k < v.obj->n; k++)
                        qn_vm_push(vm, r, elems(v.obj)[k]);
        }
        return qn_v_obj(r);
}

static struct qn_v index_of(struct qn_vobj *o, struct qn_v v, bool includes)
{
        for (uint32_t i = 0; i < o->n; i++) {
                int t = qn_vm_equal(elems(o)[i], v, true);

                if (t < 0)
                        return qn_v_unknown();
                if (t)
                        return includes ? qn_v_bool(true) : qn_v_num(i);
        }
        return o->open ? qn_v_unknown() : includes ? qn_v_bool(false) : qn_v_num(-1);
}

static struct qn_v pairs(struct qn_vm *vm, struct qn_vobj *o, uint32_t key)
{
        struct qn_vobj *r = qn_vm_array(vm, NULL, 0);

        for (uint32_t i = 0; r && i < o->n; i++) {
                struct qn_v pair[2] = { qn_v_num(i), element(vm, o, i) };

                qn_vm_push(vm, r,
                           key == QN_K_KEYS     ? pair[0]
                           : key == QN_K_VALUES ? pair[1]
                                                : qn_v_obj(qn_vm_array(vm, pair, 2)));
        }
        return qn_v_obj(r);
}

static struct qn_v take_end(struct qn_vm *vm, struct qn_vobj *o, bool front)
{
        struct qn_v v;

        if (!o->n)
                return o->open ? qn_vm_with(vm, o->any, o->taint) : qn_v_undef();
        v = element(vm, o, front ? 0 : o->n - 1);
        o->n--;
        o->first += front;
        qn_vm_lose_if_cut(vm, o, v);
        return v;
}

static void fill(struct qn_vobj *o, const struct qn_vargs *args)
{
        for (uint32_t i = 0; i < o->n; i++)
                elems(o)[i] = qn_vm_arg(args, 0);
}

struct qn_v qn_vm_array_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                               struct qn_vargs *args)
{
        struct qn_vobj *o = self.obj;
        struct qn_v fn = qn_vm_arg(args, 0);

        switch (key) {
        case QN_K_PUSH:
                for (uint32_t i = 0; i < args->n; i++)
                        qn_vm_push(vm, o, args->v[i]);
                return qn_v_num(o->n);
        case QN_K_POP:
        case QN_K_SHIFT:
                return take_end(vm, o, key == QN_K_SHIFT);
        case QN_K_UNSHIFT:
                unshift(vm, o, args);
                return qn_v_num(o->n);
        case QN_K_JOIN:
        case QN_K_TO_STRING:
                return join(vm, o, key == QN_K_JOIN ? fn : qn_v_undef());
        case QN_K_REVERSE:
                reverse(o);
                return self;
        case QN_K_SLICE:
                return slice(vm, o, args);
        case QN_K_SPLICE:
                return splice(vm, o, args);
        case QN_K_CONCAT:
                return concat(vm, o, args);
        case QN_K_FLAT:
                return flat(vm, o);
        case QN_K_MAP:
        case QN_K_FILTER:
        case QN_K_FOR_EACH:
        case QN_K_FLAT_MAP:
        case QN_K_FIND:
        case QN_K_FIND_LAST:
        case QN_K_FIND_INDEX:
        case QN_K_SOME:
        case QN_K_EVERY:
                return qn_v_callable(fn) ? each(vm, at, key, o, fn)
                                         : qn_vm_vague(vm, at, self, args);
        case QN_K_REDUCE:
        case QN_K_REDUCE_RIGHT:
                return reduce(vm, at, o, args, key == QN_K_REDUCE_RIGHT);
        case QN_K_INDEX_OF:
        case QN_K_INCLUDES:
                return index_of(o, fn, key == QN_K_INCLUDES);
        case QN_K_AT:
                return qn_vm_get_index(vm, self,
                                       qn_v_num(qn_vm_int_arg(args, 0, 0) < 0
                                                        ? o->n + qn_vm_int_arg(args, 0, 0)
                                                        : qn_vm_int_arg(args, 0, 0)));
        case QN_K_FILL:
                fill(o, args);
                return self;
        case QN_K_SORT:
                if (o->n > 1) { /* in which order, is not known */
                        for (uint32_t i = 0; i < o->n && i < 64; i++)
                                o->any = qn_vm_join(vm, o->any, elems(o)[i]);
                }
                return self;
        case QN_K_ENTRIES:
        case QN_K_KEYS:
        case QN_K_VALUES:
                return pairs(vm, o, key);
        default:
                return qn_vm_vague(vm, at, self, args);
        }
}
