/* Values: taints, unions of alternatives, truth, numbers and text as the language converts them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "observe/vm-priv.h"

#define TEXT_DEPTH 4u /* arrays within arrays that become text */

/* --- names of properties --- */

uint32_t qn_vm_key(struct qn_vm *vm, struct qn_str name)
{
        uint32_t k = qn_map_get(&vm->names, name);

        if (k != QN_MAP_NONE)
                return k;
        name = qn_arena_dup(&vm->a, name);
        if (!name.p || QN_ARENA_ROOM(&vm->a, vm->keys, vm->n_keys, vm->keys_cap) < 0 ||
            qn_map_add(&vm->names, &vm->a, name, (uint32_t)vm->n_keys, NULL) < 0) {
                vm->full = true;
                return 0;
        }
        vm->keys[vm->n_keys] = name;
        return (uint32_t)vm->n_keys++;
}

struct qn_str qn_vm_key_text(const struct qn_vm *vm, uint32_t key)
{
        return vm->keys[key];
}

/* --- taints --- */

uint16_t qn_vm_taint(struct qn_vm *vm, uint64_t labels, uint32_t trace)
{
        if (!labels)
                return 0;
        for (size_t i = vm->n_taints, k = 0; i > 1 && k < 16; i--, k++)
                if (vm->taints[i - 1].labels == labels && vm->taints[i - 1].trace == trace)
                        return (uint16_t)(i - 1);
        if (vm->n_taints >= QN_VM_TAINTS ||
            QN_ARENA_ROOM(&vm->a, vm->taints, vm->n_taints, vm->taints_cap) < 0) {
                /* The labels must not get lost: the first taint that holds them all. */
                qn_vm_charge(vm, vm->n_taints * sizeof *vm->taints);
                for (size_t i = 1; i < vm->n_taints; i++)
                        if ((vm->taints[i].labels & labels) == labels)
                                return (uint16_t)i;
                vm->full = true;
                return 0;
        }
        vm->taints[vm->n_taints] = (struct qn_vtaint){ labels, trace };
        return (uint16_t)vm->n_taints++;
}

/* Of two ways, the one that brought more is told. */
uint16_t qn_vm_mix(struct qn_vm *vm, uint16_t a, uint16_t b)
{
        uint64_t la, lb;
        uint32_t slot;
        uint16_t r;

        if (a == b || !b)
                return a;
        if (!a)
                return b;
        la = vm->taints[a].labels;
        lb = vm->taints[b].labels;
        if ((la | lb) == la)
                return a;
        if ((la | lb) == lb)
                return b;
        slot = (a * 31u + b) & 255;
        if (vm->mix_a[slot] == ((uint32_t)a << 16 | b))
                return (uint16_t)vm->mix_r[slot];
        r = qn_vm_taint(vm, la | lb,
                        __builtin_popcountll(lb) > __builtin_popcountll(la) ? vm->taints[b].trace
                                                                            : vm->taints[a].trace);
        vm->mix_a[slot] = (uint32_t)a << 16 | b;
        vm->mix_r[slot] = r;
        return r;
}

static uint16_t deep(struct qn_vm *vm, struct qn_v v, unsigned depth, unsigned *left)
{
        uint16_t t = v.taint;

        if (depth > 4 || !*left)
                return t;
        --*left;
        if (v.kind == QN_V_ALT)
                for (uint32_t i = 0; i < v.alt->n; i++)
                        t = qn_vm_mix(vm, t, deep(vm, v.alt->v[i], depth + 1, left));
        if (v.kind != QN_V_OBJ)
                return t;
        t = qn_vm_mix(vm, t, v.obj->taint);
        t = qn_vm_mix(vm, t, v.obj->any.taint);
        if (v.obj->cls == QN_VC_ARRAY)
                for (uint32_t i = 0; i < v.obj->n && *left; i++)
                        t = qn_vm_mix(vm, t,
                                      deep(vm, v.obj->elems[v.obj->first + i], depth + 1, left));
        if (v.obj->cls == QN_VC_PROMISE)
                t = qn_vm_mix(vm, t, deep(vm, *v.obj->cell, depth + 1, left));
        if (v.obj->cls == QN_VC_FUNC)
                return t;
        for (uint32_t i = 0; i < v.obj->n_props && *left; i++)
                t = qn_vm_mix(vm, t, deep(vm, v.obj->props[i].v, depth + 1, left));
        return t;
}

uint16_t qn_vm_deep_taint(struct qn_vm *vm, struct qn_v v)
{
        unsigned left = 400;

        return v.kind == QN_V_OBJ || v.kind == QN_V_ALT ? deep(vm, v, 0, &left) : v.taint;
}

/* --- either of two --- */

static bool same(struct qn_v a, struct qn_v b)
{
        if (a.kind != b.kind)
                return false;
        switch (a.kind) {
        case QN_V_STR:
                return a.n == b.n && (a.p == b.p || memcmp(a.p, b.p, a.n) == 0) &&
                       (a.flags & QN_VF_INEXACT) == (b.flags & QN_VF_INEXACT);
        case QN_V_NUM:
                return a.num == b.num;
        case QN_V_OBJ:
                return a.obj == b.obj;
        case QN_V_ALT:
                return a.alt == b.alt;
        default:
                return a.n == b.n;
        }
}

static bool says_nothing(struct qn_v v)
{
        return v.kind == QN_V_UNKNOWN || v.kind == QN_V_UNDEF || v.kind == QN_V_NULL;
}

/* What variables begin with before they get their value. */
static bool is_poor(struct qn_v v)
{
        return (v.kind == QN_V_STR && v.n == 0) || v.kind == QN_V_NUM || v.kind == QN_V_BOOL ||
               v.kind == QN_V_NULL;
}

static void add_alt(struct qn_vm *vm, struct qn_valt *alt, struct qn_v v)
{
        if (says_nothing(v))
                return;
        for (uint32_t i = 0; i < alt->n; i++)
                if (same(alt->v[i], v)) {
                        alt->v[i].taint = qn_vm_mix(vm, alt->v[i].taint, v.taint);
                        return;
                }
        if (alt->n < QN_VM_ALTS)
                alt->v[alt->n++] = v;
}

/* Whether add_alt() would change nothing. */
static bool has_alt(struct qn_vm *vm, const struct qn_valt *alt, struct qn_v v)
{
        if (says_nothing(v))
                return true;
        for (uint32_t i = 0; i < alt->n; i++)
                if (same(alt->v[i], v))
                        return qn_vm_mix(vm, alt->v[i].taint, v.taint) == alt->v[i].taint;
        return alt->n == QN_VM_ALTS;
}

static bool has_alts(struct qn_vm *vm, struct qn_v a, struct qn_v b)
{
        if (a.kind != QN_V_ALT)
                return false;
        for (uint32_t i = 0; i < qn_vm_count(b); i++)
                if (!has_alt(vm, a.alt, b.kind == QN_V_ALT ? b.alt->v[i] : b))
                        return false;
        return true;
}

struct qn_v qn_vm_join(struct qn_vm *vm, struct qn_v a, struct qn_v b)
{
        uint16_t taint = a.taint == b.taint ? a.taint : qn_vm_mix(vm, a.taint, b.taint);
        uint8_t flags = (a.flags | b.flags) & (QN_VF_DECODED | QN_VF_LOST);
        struct qn_valt *alt;
        struct qn_v r;

        if ((b.kind == QN_V_UNKNOWN && is_poor(a)) || (a.kind == QN_V_UNKNOWN && is_poor(b)))
                r = qn_v_unknown();
        else if (a.kind == QN_V_STR && b.kind == QN_V_STR && (!a.n || !b.n))
                r = a.n ? a : b;
        else if (says_nothing(b) || same(a, b))
                r = a.kind == QN_V_UNDEF || a.kind == QN_V_NULL ? b : a;
        else if (says_nothing(a))
                r = b;
        else if (has_alts(vm, a, b))
                r = (struct qn_v){ .kind = QN_V_ALT, .alt = a.alt };
        else {
                alt = qn_arena_alloc(&vm->a, sizeof *alt);
                if (!alt) {
                        vm->full = true;
                        return a;
                }
                alt->n = 0;
                for (uint32_t i = 0; i < qn_vm_count(a); i++)
                        add_alt(vm, alt, a.kind == QN_V_ALT ? a.alt->v[i] : a);
                for (uint32_t i = 0; i < qn_vm_count(b); i++)
                        add_alt(vm, alt, b.kind == QN_V_ALT ? b.alt->v[i] : b);
                r = alt->n == 1 ? alt->v[0] : (struct qn_v){ .kind = QN_V_ALT, .alt = alt };
        }
        r.taint = taint;
        r.flags |= flags;
        r.flags &= (uint8_t)~QN_VF_LITERAL;
        return r;
}

struct qn_v qn_vm_first(struct qn_v v)
{
        return v.kind == QN_V_ALT ? qn_vm_alt(v, 0) : v;
}

/* --- truth and equality --- */

int qn_vm_truth(struct qn_v v)
{
        switch (v.kind) {
        case QN_V_UNDEF:
        case QN_V_NULL:
                return 0;
        case QN_V_BOOL:
                return v.n != 0;
        case QN_V_NUM:
                return v.num != 0 && !isnan(v.num);
        case QN_V_STR:
                return v.n ? 1 : v.flags & QN_VF_INEXACT ? -1 : 0;
        case QN_V_OBJ:
        case QN_V_STD:
                return 1;
        default:
                return -1;
        }
}

bool qn_vm_number(struct qn_v v, double *ret)
{
        switch (v.kind) {
        case QN_V_NUM:
                *ret = v.num;
                return true;
        case QN_V_BOOL:
                *ret = v.n;
                return true;
        case QN_V_NULL:
                *ret = 0;
                return true;
        case QN_V_UNDEF:
                *ret = NAN;
                return true;
        case QN_V_STR:
                *ret = qn_vm_parse_number(qn_v_text(v));
                return !(v.flags & QN_VF_INEXACT);
        case QN_V_OBJ:
                if (v.obj->cls != QN_VC_ARRAY || v.obj->open || v.obj->n > 1)
                        return false;
                if (v.obj->n == 0) {
                        *ret = 0; /* +[] */
                        return true;
                }
                return v.obj->elems[v.obj->first].kind != QN_V_OBJ &&
                       qn_vm_number(v.obj->elems[v.obj->first], ret);
        default:
                return false;
        }
}

int qn_vm_equal(struct qn_v a, struct qn_v b, bool strict)
{
        double x, y;
        bool an = a.kind == QN_V_NULL || a.kind == QN_V_UNDEF;
        bool bn = b.kind == QN_V_NULL || b.kind == QN_V_UNDEF;

        if (a.kind == QN_V_UNKNOWN || b.kind == QN_V_UNKNOWN || a.kind == QN_V_ALT ||
            b.kind == QN_V_ALT || a.kind == QN_V_API || b.kind == QN_V_API)
                return -1;
        if ((a.flags | b.flags) & QN_VF_INEXACT)
                return -1;
        if (an || bn)
                return strict ? a.kind == b.kind : an && bn;
        if (a.kind == b.kind)
                return a.kind == QN_V_NUM ? a.num == b.num : same(a, b);
        if (strict)
                return 0;
        if (qn_vm_number(a, &x) && qn_vm_number(b, &y))
                return x == y;
        return -1;
}

/* --- text --- */

/* Room for n bytes that will become text. */
char *qn_vm_bytes(struct qn_vm *vm, size_t n)
{
        char *p = n > QN_VM_TEXT_MAX ? NULL : qn_arena_alloc(&vm->a, n + 1);

        if (!p && n <= QN_VM_TEXT_MAX)
                vm->full = true;
        return p;
}

struct qn_v qn_vm_dup(struct qn_vm *vm, struct qn_str s)
{
        char *p = s.p ? qn_vm_bytes(vm, s.n) : NULL;

        if (!p)
                return qn_v_unknown();
        memcpy(p, s.p, s.n);
        qn_vm_charge(vm, s.n);
        return qn_v_str((struct qn_str){ p, s.n });
}

double qn_vm_parse_number(struct qn_str s)
{
        char buf[64], *end;
        double d;

        s = qn_str_trim(s);
        if (!s.n)
                return 0;
        if (s.n >= sizeof buf)
                return NAN;
        memcpy(buf, s.p, s.n);
        buf[s.n] = 0;
        if (s.n > 2 && buf[0] == '0' && (buf[1] | 0x20) != 'x' && (buf[1] | 0x20) >= 'b') {
                d = (double)strtoull(buf + 2, &end, (buf[1] | 0x20) == 'b' ? 2 : 8);
                return *end ? NAN : d;
        }
        if (!strncmp(buf, "Infinity", 9))
                return INFINITY;
        if ((buf[0] | 0x20) == 'i' || (buf[0] | 0x20) == 'n')
                return NAN;
        d = strtod(buf, &end);
        return *end ? NAN : d;
}

static size_t format_radix(double d, unsigned radix, char *buf, size_t room)
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
        uint64_t whole = (uint64_t)fabs(d);
        double part = fabs(d) - (double)whole;
        char tmp[72];
        size_t n = 0, k = 0;

        do
                tmp[k++] = digits[whole % radix];
        while ((whole /= radix) && k < sizeof tmp);
        if (d < 0)
                buf[n++] = '-';
        while (k && n < room)
                buf[n++] = tmp[--k];
        if (part > 0 && n + 1 < room) {
                buf[n++] = '.';
                for (int i = 0; i < 52 && part > 0 && n < room; i++) {
                        part *= radix;
                        buf[n++] = digits[(unsigned)part];
                        part -= (unsigned)part;
                }
        }
        return n;
}

#define EXACT 9007199254740992.0 /* integers below it are exact */

static size_t format_integer(double d, char *buf)
{
        uint64_t v = (uint64_t)fabs(d);
        char digits[24];
        size_t k = 0, n = 0;

        do
                digits[k++] = (char)('0' + v % 10);
        while (v /= 10);
        if (d < 0)
                buf[n++] = '-';
        while (k)
                buf[n++] = digits[--k];
        return n;
}

struct qn_v qn_vm_number_text(struct qn_vm *vm, double d, unsigned radix)
{
        char buf[160];
        size_t n;

        if (isnan(d))
                return qn_v_str(QN_STR("NaN"));
        if (isinf(d))
                return d > 0 ? qn_v_str(QN_STR("Infinity")) : qn_v_str(QN_STR("-Infinity"));
        if (radix != 10 && fabs(d) < EXACT) {
                n = format_radix(d, radix, buf, sizeof buf);
        } else if (fabs(d) < EXACT && d == floor(d)) {
                n = format_integer(d, buf);
        } else if (d == floor(d) && fabs(d) < 1e21) {
                n = (size_t)snprintf(buf, sizeof buf, "%.0f", d);
        } else {
                for (int digits = 15; digits <= 17; digits++) {
                        snprintf(buf, sizeof buf, "%.*g", digits, d);
                        if (strtod(buf, NULL) == d)
                                break;
                }
                n = strlen(buf);
        }
        return qn_vm_dup(vm, (struct qn_str){ buf, n });
}

static struct qn_v star(struct qn_v v)
{
        return (struct qn_v){ .kind = QN_V_STR,
                              .flags = QN_VF_INEXACT | (v.flags & QN_VF_LOST),
                              .taint = v.taint,
                              .n = 1,
                              .p = "*" };
}

/* Arrays may hold themselves. */
static struct qn_v array_text(struct qn_vm *vm, struct qn_v v)
{
        struct qn_v r = qn_v_str(QN_STR(""));

        if (vm->text_depth >= TEXT_DEPTH)
                return star(v);
        vm->text_depth++;
        for (uint32_t i = 0; i < v.obj->n; i++) {
                struct qn_v e = v.obj->elems[v.obj->first + i];

                if (i)
                        r = qn_vm_concat(vm, r, qn_v_str(QN_STR(",")));
                if (e.kind == QN_V_UNDEF || e.kind == QN_V_NULL)
                        continue;
                r = qn_vm_concat(vm, r, e);
        }
        vm->text_depth--;
        return v.obj->open ? star(qn_vm_or_lost(r, v.obj)) : r;
}

static struct qn_v object_text(struct qn_vm *vm, struct qn_v v)
{
        struct qn_v r;

        switch (v.obj->cls) {
        case QN_VC_ARRAY:
                r = array_text(vm, v);
                break;
        case QN_VC_BUFFER:
                r = qn_v_str((struct qn_str){ v.obj->bytes, v.obj->n });
                if (v.obj->open)
                        r = star(qn_vm_or_lost(v, v.obj));
                r.flags |= v.flags & QN_VF_DECODED;
                break;
        case QN_VC_OBJECT:
                r = v.obj->open ? star(v) : qn_v_str(QN_STR("[object Object]"));
                if (qn_vm_own(v.obj, QN_K_HREF))
                        r = qn_vm_to_text(vm, qn_vm_own(v.obj, QN_K_HREF)->v);
                else if (qn_vm_own(v.obj, QN_K_TO_STRING))
                        r = star(v);
                break;
        case QN_VC_FUNC:
                r = star(v);
                if (v.obj->fn->m && v.obj->fn->node) {
                        const struct qn_js_node *n = qn_vn(v.obj->fn->m, v.obj->fn->node);

                        r = qn_v_str((struct qn_str){ v.obj->fn->m->ast->source.p + n->start,
                                                      n->end - n->start });
                }
                break;
        default:
                r = star(v);
        }
        return qn_vm_with(vm, r, qn_vm_deep_taint(vm, v));
}

struct qn_v qn_vm_to_text(struct qn_vm *vm, struct qn_v v)
{
        struct qn_v r;

        switch (v.kind) {
        case QN_V_STR:
                return v;
        case QN_V_NUM:
                r = qn_vm_number_text(vm, v.num, 10);
                break;
        case QN_V_BOOL:
                r = v.n ? qn_v_str(QN_STR("true")) : qn_v_str(QN_STR("false"));
                break;
        case QN_V_NULL:
                r = qn_v_str(QN_STR("null"));
                break;
        case QN_V_UNDEF:
                r = qn_v_str(QN_STR("undefined"));
                break;
        case QN_V_OBJ:
                return object_text(vm, v);
        case QN_V_ALT:
                r = qn_vm_to_text(vm, qn_vm_first(v));
                break;
        default:
                return star(v);
        }
        r.taint = v.taint;
        r.flags |= v.flags & QN_VF_LOST;
        return r;
}

/* Text that is built in a loop grows at its end: what was made last has room behind it and is extended in place. */
static struct qn_v append(struct qn_vm *vm, struct qn_v a, struct qn_v b)
{
        size_t n = (size_t)a.n + b.n;
        bool last = a.p == vm->grow && a.n == vm->grow_n;

        if (n > QN_VM_TEXT_MAX)
                return star(qn_v_lost(a.taint));
        if (!last || n > vm->grow_cap) {
                size_t cap = last ? QN_MIN(2 * n, (size_t)QN_VM_TEXT_MAX) : n;
                char *p = qn_vm_bytes(vm, cap);

                if (!p)
                        return star(qn_v_lost(a.taint));
                memcpy(p, a.p, a.n);
                qn_vm_charge(vm, n);
                vm->grow = p;
                vm->grow_cap = cap;
        }
        memcpy(vm->grow + a.n, b.p, b.n);
        vm->grow_n = n;
        return qn_v_str((struct qn_str){ vm->grow, n });
}

struct qn_v qn_vm_concat(struct qn_vm *vm, struct qn_v a, struct qn_v b)
{
        uint16_t taint = qn_vm_mix(vm, a.taint, b.taint);
        struct qn_v x, y, r;

        if (a.kind == QN_V_ALT || b.kind == QN_V_ALT) {
                struct qn_v any = qn_v_unknown();

                for (uint32_t i = 0; i < qn_vm_count(a); i++)
                        for (uint32_t k = 0; k < qn_vm_count(b); k++)
                                any = qn_vm_join(
                                        vm, any,
                                        qn_vm_concat(vm, qn_vm_alt(a, i), qn_vm_alt(b, k)));
                return any;
        }
        x = qn_vm_to_text(vm, a);
        y = qn_vm_to_text(vm, b);
        if (!y.n)
                r = x;
        else if (!x.n)
                r = y;
        else if (x.n == 1 && y.n == 1 && x.p[0] == '*' && y.p[0] == '*' &&
                 (x.flags & y.flags & QN_VF_INEXACT))
                r = x;
        else
                r = append(vm, x, y);
        r.flags = (r.flags | x.flags | y.flags) & (QN_VF_INEXACT | QN_VF_DECODED | QN_VF_LOST);
        if (!qn_v_certain(x) || !qn_v_certain(y)) /* it would not be known anyway */
                r.flags &= (uint8_t)~QN_VF_LOST;
        r.taint = qn_vm_mix(vm, taint, qn_vm_mix(vm, x.taint, y.taint));
        return r;
}
