/* Operators on values: numbers, bits, comparisons. */
#include <math.h>

#include "observe/vm-priv.h"
#include "parse/js-tok.h"

uint32_t qn_vm_u32(double d)
{
        if (!isfinite(d))
                return 0;
        d = fmod(trunc(d), 4294967296.0);
        return (uint32_t)(int64_t)(d < 0 ? d + 4294967296.0 : d);
}

static double arithmetic(unsigned op, double x, double y)
{
        uint32_t a, b;

        switch (op) {
        case QN_JS_TOK_ADD:
                return x + y;
        case QN_JS_TOK_SUB:
                return x - y;
        case QN_JS_TOK_MUL:
                return x * y;
        case QN_JS_TOK_DIV:
                return x / y;
        case QN_JS_TOK_MOD:
                return fmod(x, y);
        case QN_JS_TOK_POW:
                return pow(x, y);
        default:
                break;
        }
        a = qn_vm_u32(x);
        b = qn_vm_u32(y);
        switch (op) {
        case QN_JS_TOK_AND:
                return (int32_t)(a & b);
        case QN_JS_TOK_OR:
                return (int32_t)(a | b);
        case QN_JS_TOK_XOR:
                return (int32_t)(a ^ b);
        case QN_JS_TOK_SHL:
                return (int32_t)(a << (b & 31));
        case QN_JS_TOK_SHR:
                return (int32_t)a >> (b & 31);
        default:
                return a >> (b & 31);
        }
}

static int compare(unsigned op, struct qn_v a, struct qn_v b)
{
        double x, y;
        int c;

        if (a.kind == QN_V_STR && b.kind == QN_V_STR) {
                if ((a.flags | b.flags) & QN_VF_INEXACT)
                        return -1;
                c = qn_str_cmp(qn_v_text(a), qn_v_text(b));
                return op == QN_JS_TOK_LT   ? c < 0
                       : op == QN_JS_TOK_GT ? c > 0
                       : op == QN_JS_TOK_LE ? c <= 0
                                            : c >= 0;
        }
        if (!qn_vm_number(a, &x) || !qn_vm_number(b, &y))
                return -1;
        return op == QN_JS_TOK_LT   ? x < y
               : op == QN_JS_TOK_GT ? x > y
               : op == QN_JS_TOK_LE ? x <= y
                                    : x >= y;
}

static struct qn_v truth_value(struct qn_vm *vm, int t, struct qn_v a, struct qn_v b)
{
        struct qn_v r = t < 0 ? qn_v_unknown() : qn_v_bool(t);

        r.flags |= t < 0 ? (a.flags | b.flags) & QN_VF_LOST : 0;
        r.taint = qn_vm_mix(vm, a.taint, b.taint);
        /* What a comparison says of a secret is not the secret. */
        return r.kind == QN_V_UNKNOWN ? (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = r.flags } : r;
}

static struct qn_v plus(struct qn_vm *vm, struct qn_v a, struct qn_v b)
{
        bool text = a.kind == QN_V_STR || b.kind == QN_V_STR || a.kind == QN_V_OBJ ||
                    b.kind == QN_V_OBJ || a.kind == QN_V_ALT || b.kind == QN_V_ALT;
        double x, y;
        struct qn_v r;

        if (!text && qn_vm_number(a, &x) && qn_vm_number(b, &y)) {
                r = qn_v_num(x + y);
                r.taint = qn_vm_mix(vm, a.taint, b.taint);
                return r;
        }
        if (text)
                return qn_vm_concat(vm, a, b);
        r = qn_v_tainted(qn_vm_mix(vm, a.taint, b.taint));
        r.flags = (a.flags | b.flags) & (QN_VF_LOST | QN_VF_DECODED);
        return r;
}

struct qn_v qn_vm_binary(struct qn_vm *vm, unsigned op, struct qn_v a, struct qn_v b)
{
        struct qn_v r;
        double x, y;
        int t;

        if (op != QN_JS_TOK_ADD && a.kind == QN_V_STR && b.kind == QN_V_STR)
                qn_vm_charge(vm, QN_MIN(a.n, b.n));
        switch (op) {
        case QN_JS_TOK_ADD:
                return plus(vm, a, b);
        case QN_JS_TOK_EQ:
        case QN_JS_TOK_EQ_STRICT:
                return truth_value(vm, qn_vm_equal(a, b, op == QN_JS_TOK_EQ_STRICT), a, b);
        case QN_JS_TOK_NE:
        case QN_JS_TOK_NE_STRICT:
                t = qn_vm_equal(a, b, op == QN_JS_TOK_NE_STRICT);
                return truth_value(vm, t < 0 ? t : !t, a, b);
        case QN_JS_TOK_LT:
        case QN_JS_TOK_GT:
        case QN_JS_TOK_LE:
        case QN_JS_TOK_GE:
                return truth_value(vm, compare(op, a, b), a, b);
        case QN_JS_TOK_IN:
                if (b.kind == QN_V_OBJ && a.kind == QN_V_STR && !b.obj->open)
                        return truth_value(
                                vm, qn_vm_own(b.obj, qn_vm_key(vm, qn_v_text(a))) ? 1 : -1, a, b);
                return qn_v_unknown();
        case QN_JS_TOK_INSTANCEOF:
                return qn_v_unknown();
        default:
                break;
        }
        if (qn_vm_number(a, &x) && qn_vm_number(b, &y))
                r = qn_v_num(arithmetic(op, x, y));
        else
                r = qn_v_unknown();
        r.taint = qn_vm_mix(vm, a.taint, b.taint);
        r.flags |= (a.flags | b.flags) & (QN_VF_LOST | QN_VF_DECODED);
        return r;
}
