/* Functions of the language: numbers, text, objects, promises.  What is not worked out passes on what it was given. */
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "observe/vm-priv.h"

#define KEYS_MAX 65536u

typedef struct qn_v std_fn(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args);

/* --- names --- */

static const char *const names[QN_STD_MAX] = {
        [QN_STD_NONE] = "",
#define STD(id, name) [QN_STD_##id] = name,
#include "observe/vm-std.def"
#undef STD
};

struct qn_str qn_vm_std_name(uint32_t std)
{
        return qn_str_c(std < QN_STD_MAX ? names[std] : "");
}

uint32_t qn_vm_std_find(const struct qn_vm *vm, struct qn_str object, struct qn_str name)
{
        char buf[64];
        uint32_t i;

        if (object.n + name.n + 1 > sizeof buf)
                return 0;
        if (object.n)
                memcpy(buf, object.p, object.n);
        if (object.n && name.n)
                buf[object.n] = '.';
        if (name.n)
                memcpy(buf + object.n + (object.n > 0), name.p, name.n);
        i = qn_map_get(&vm->std, (struct qn_str){ buf, object.n + name.n + (object.n && name.n) });
        return i == QN_MAP_NONE ? 0 : i;
}

/* --- numbers --- */

static struct qn_v parse_int(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                             struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0));
        struct qn_str s = qn_str_trim(qn_v_text(text));
        double radix = fmin(fmax(qn_vm_int_arg(args, 1, 10), 2), 36), value = 0;
        bool minus, digits = false;

        (void)at;
        (void)std;
        if (!qn_v_exact(text))
                return qn_v_tainted(text.taint);
        minus = s.n && s.p[0] == '-';
        if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
                s = qn_str_skip(s, 1);
        if ((args->n < 2 || radix == 16) && s.n > 1 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') {
                radix = 16;
                s = qn_str_skip(s, 2);
        }
        for (size_t i = 0; i < s.n; i++) {
                int c = s.p[i] | 0x20, d = s.p[i] >= '0' && s.p[i] <= '9' ? s.p[i] - '0'
                                           : c >= 'a' && c <= 'z'         ? c - 'a' + 10
                                                                          : 99;

                if (d >= (int)radix)
                        break;
                value = value * radix + d;
                digits = true;
        }
        return qn_vm_with(vm, qn_v_num(!digits ? NAN : minus ? -value : value), text.taint);
}

static struct qn_v parse_float(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                               struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0));
        struct qn_str s = qn_str_take(qn_str_trim(qn_v_text(text)), 60);
        char buf[64], *end;
        double d;

        (void)at;
        (void)std;
        if (!qn_v_exact(text))
                return qn_v_tainted(text.taint);
        if (s.n)
                memcpy(buf, s.p, s.n);
        buf[s.n] = 0;
        d = strtod(buf, &end);
        return qn_v_num(end == buf ? NAN : d);
}

static struct qn_v number(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v v = args->n ? args->v[0] : qn_v_num(0);
        double d;
        int t;

        (void)vm;
        (void)at;
        switch (std) {
        case QN_STD_BOOLEAN:
                t = qn_vm_truth(v);
                return t < 0 ? qn_v_unknown() : qn_v_bool(t);
        case QN_STD_IS_NAN:
        case QN_STD_NUMBER_IS_NAN:
                return qn_vm_number(v, &d) ? qn_v_bool(isnan(d)) : qn_v_unknown();
        case QN_STD_IS_FINITE:
                return qn_vm_number(v, &d) ? qn_v_bool(isfinite(d)) : qn_v_unknown();
        default:
                return qn_vm_number(v, &d) ? qn_v_num(d) : qn_v_tainted(v.taint);
        }
}

static struct qn_v math(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        double x = NAN, y = NAN;
        uint16_t taint = 0;

        (void)at;
        for (uint32_t i = 0; i < args->n; i++) {
                double d;

                taint = qn_vm_mix(vm, taint, args->v[i].taint);
                if (!qn_vm_number(args->v[i], &d))
                        return qn_v_tainted(taint);
                if (i == 0)
                        x = d;
                else if (std == QN_STD_MATH_MIN)
                        x = fmin(x, d);
                else if (std == QN_STD_MATH_MAX)
                        x = fmax(x, d);
                else
                        y = d;
        }
        switch (std) {
        case QN_STD_MATH_FLOOR:
                x = floor(x);
                break;
        case QN_STD_MATH_CEIL:
                x = ceil(x);
                break;
        case QN_STD_MATH_ROUND:
                x = floor(x + 0.5);
                break;
        case QN_STD_MATH_TRUNC:
                x = trunc(x);
                break;
        case QN_STD_MATH_ABS:
                x = fabs(x);
                break;
        case QN_STD_MATH_SQRT:
                x = sqrt(x);
                break;
        case QN_STD_MATH_POW:
                x = pow(x, y);
                break;
        case QN_STD_MATH_IMUL:
                x = isfinite(x) && isfinite(y) ? (double)(int32_t)(qn_vm_u32(x) * qn_vm_u32(y)) : 0;
                break;
        case QN_STD_MATH_RANDOM:
                return qn_v_unknown();
        default:
                break;
        }
        return qn_vm_with(vm, qn_v_num(x), taint);
}

/* --- text --- */

static struct qn_v char_codes(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                              struct qn_vargs *args)
{
        struct qn_v r = qn_v_str(QN_STR(""));
        uint32_t high = 0;

        (void)at;
        for (uint32_t i = 0; i < args->n; i++) {
                double d;
                uint32_t c;

                if (!qn_vm_number(args->v[i], &d) || !(d >= 0) || d > 0x10ffff)
                        return qn_v_tainted(qn_vm_mix(vm, r.taint, args->v[i].taint));
                c = (uint32_t)d;
                if (std == QN_STD_FROM_CHAR_CODE)
                        c &= 0xffff;
                if (c >= 0xd800 && c < 0xdc00 && i + 1 < args->n) {
                        high = c;
                        continue;
                }
                if (high && c >= 0xdc00 && c < 0xe000)
                        c = 0x10000 + ((high & 0x3ff) << 10) + (c & 0x3ff);
                high = 0;
                r = qn_vm_concat(vm, r, qn_vm_with(vm, qn_vm_code_unit(vm, c), args->v[i].taint));
        }
        if (args->n > 1)
                r.flags |= QN_VF_DECODED;
        return r;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9'                     ? c - '0'
               : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                        : -1;
}

static struct qn_v percent_decode(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                                  struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0)), r;
        struct qn_str s = qn_v_text(text);
        char *p = qn_vm_bytes(vm, s.n * 2);
        size_t n = 0;

        (void)at;
        for (size_t i = 0; p && i < s.n; i++) {
                int a = s.p[i] == '%' && i + 2 < s.n + 0 ? hex_digit(s.p[i + 1]) : -1;
                int b = a >= 0 ? hex_digit(s.p[i + 2]) : -1;

                if (b < 0) {
                        p[n++] = s.p[i];
                        continue;
                }
                a = a * 16 + b;
                if (std == QN_STD_UNESCAPE && a >= 0x80) {
                        p[n++] = (char)(0xc0 | a >> 6);
                        p[n++] = (char)(0x80 | (a & 0x3f));
                } else {
                        p[n++] = (char)a;
                }
                i += 2;
        }
        r = p ? qn_v_str((struct qn_str){ p, n }) : qn_v_unknown();
        r.flags |= text.flags;
        return qn_vm_with(vm, r, text.taint);
}

static struct qn_v percent_encode(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                                  struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0)), r;
        const char *plain = std == QN_STD_ENCODE_URI ? "-_.!~*'();/?:@&=+$,#"
                            : std == QN_STD_ESCAPE   ? "@*_+-./"
                                                     : "-_.!~*'()";
        struct qn_buf b = QN_BUF_INIT(QN_VM_TEXT_MAX);

        (void)at;
        for (size_t i = 0; i < text.n && text.kind == QN_V_STR; i++) {
                char c = text.p[i];

                if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
                    strchr(plain, c))
                        qn_buf_byte(&b, c);
                else
                        qn_buf_printf(&b, "%%%02X", (unsigned)(uint8_t)c);
        }
        r = qn_buf_error(&b) < 0 || text.kind != QN_V_STR ? qn_v_unknown()
            : b.n                                         ? qn_vm_dup(vm, qn_buf_view(&b))
                                                          : qn_v_str(QN_STR(""));
        qn_buf_done(&b);
        r.flags |= text.flags;
        return qn_vm_with(vm, r, text.taint);
}

static struct qn_v base64(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v text = qn_vm_to_text(vm, qn_vm_arg(args, 0)), r;

        (void)at;
        if (!qn_v_exact(text)) {
                r = (struct qn_v){ .kind = QN_V_UNKNOWN,
                                   .flags = text.flags & QN_VF_LOST,
                                   .taint = text.taint };
        } else if (std == QN_STD_BTOA) {
                r = qn_vm_encode(vm, qn_v_text(text), QN_STR("base64"));
        } else {
                r = qn_vm_decode(vm, text, QN_STR("base64"));
                if (r.kind == QN_V_STR)
                        r = qn_vm_from_latin1(vm, qn_v_text(r));
        }
        if (std == QN_STD_ATOB)
                r.flags |= QN_VF_DECODED;
        return qn_vm_with(vm, r, text.taint);
}

static struct qn_v text_of(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        (void)at;
        (void)std;
        return args->n ? qn_vm_to_text(vm, args->v[0]) : qn_v_str(QN_STR(""));
}

/* --- arrays and objects --- */

static struct qn_v make_array(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                              struct qn_vargs *args)
{
        struct qn_v *list, v = qn_vm_arg(args, 0), length;
        struct qn_vobj *o;
        uint32_t n = 0;

        if (std == QN_STD_IS_ARRAY)
                return v.kind == QN_V_OBJ       ? qn_v_bool(v.obj->cls == QN_VC_ARRAY)
                       : v.kind == QN_V_UNKNOWN ? v
                                                : qn_v_bool(false);
        if (std == QN_STD_ARRAY && args->n == 1 && v.kind == QN_V_NUM) {
                o = qn_vm_array(vm, NULL, 0);
                for (uint32_t i = 0; o && i < v.num && i < KEYS_MAX; i++)
                        qn_vm_push(vm, o, qn_v_undef());
                return qn_v_obj(o);
        }
        if (std != QN_STD_ARRAY_FROM)
                return qn_v_obj(qn_vm_array(vm, args->v, args->n));
        if (qn_vm_elements(vm, v, &list, &n)) {
                o = qn_vm_array(vm, list, n);
        } else {
                length = v.kind == QN_V_OBJ ? qn_vm_get(vm, v, QN_K_LENGTH) : qn_v_undef();
                o = qn_vm_array(vm, NULL, 0);
                for (uint32_t i = 0; o && length.kind == QN_V_NUM && i < length.num && i < KEYS_MAX;
                     i++)
                        qn_vm_push(vm, o, qn_vm_get_index(vm, v, qn_v_num(i)));
                if (o && length.kind != QN_V_NUM) {
                        o->open = true;
                        o->any = v.kind == QN_V_OBJ ? qn_vm_get_index(vm, v, qn_v_unknown())
                                                    : qn_v_tainted(v.taint);
                        o->taint = qn_vm_deep_taint(vm, v);
                }
        }
        if (o && args->n > 1 && qn_v_callable(args->v[1])) {
                struct qn_vargs one = { args->v + 1, 1, false };

                return qn_vm_array_method(vm, at, QN_K_MAP, qn_v_obj(o), &one);
        }
        return qn_v_obj(o);
}

static struct qn_v keys_of(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v v = qn_vm_arg(args, 0);
        bool keys = std == QN_STD_OBJECT_KEYS || std == QN_STD_OBJECT_NAMES ||
                    std == QN_STD_REFLECT_OWN_KEYS;
        struct qn_vobj *o = qn_vm_array(vm, NULL, 0);

        if (qn_vm_is_env(vm, v))
                v = qn_vm_env_all(vm, at, "keys");
        v = qn_vm_first(v);
        if (!o)
                return qn_v_unknown();
        if (v.kind != QN_V_OBJ) {
                struct qn_v pair[2] = { qn_v_tainted(v.taint), qn_v_tainted(v.taint) };

                o->open = true;
                o->taint = v.taint;
                o->any =
                        std == QN_STD_OBJECT_ENTRIES ? qn_v_obj(qn_vm_array(vm, pair, 2)) : pair[0];
                return qn_v_obj(o);
        }
        for (uint32_t i = 0; v.obj->cls == QN_VC_ARRAY && i < v.obj->n; i++) {
                struct qn_v pair[2] = { qn_vm_number_text(vm, i, 10),
                                        v.obj->elems[v.obj->first + i] };

                qn_vm_push(vm, o,
                           keys                          ? pair[0]
                           : std == QN_STD_OBJECT_VALUES ? pair[1]
                                                         : qn_v_obj(qn_vm_array(vm, pair, 2)));
        }
        for (uint32_t i = 0; i < v.obj->n_props && i < KEYS_MAX; i++) {
                struct qn_v pair[2] = { qn_v_str(qn_vm_key_text(vm, v.obj->props[i].key)),
                                        v.obj->props[i].v };

                qn_vm_push(vm, o,
                           keys                          ? pair[0]
                           : std == QN_STD_OBJECT_VALUES ? pair[1]
                                                         : qn_v_obj(qn_vm_array(vm, pair, 2)));
        }
        o->open = v.obj->open;
        o->any = v.obj->any;
        o->taint = qn_vm_mix(vm, v.taint, v.obj->taint);
        return qn_v_obj(o);
}

static struct qn_v assign(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v to = qn_vm_arg(args, 0);

        (void)std;
        if (to.kind != QN_V_OBJ)
                to = qn_v_obj(qn_vm_object(vm, QN_VC_OBJECT));
        for (uint32_t i = 1; i < args->n && to.kind == QN_V_OBJ; i++) {
                struct qn_v from = qn_vm_first(args->v[i]);

                if (qn_vm_is_env(vm, from))
                        from = qn_vm_env_all(vm, at, "assign");
                if (from.kind != QN_V_OBJ) {
                        to.obj->open |= from.kind == QN_V_UNKNOWN;
                        to.obj->taint = qn_vm_mix(vm, to.obj->taint, from.taint);
                        continue;
                }
                for (uint32_t k = 0; k < from.obj->n_props; k++)
                        qn_vm_define(vm, to.obj, from.obj->props[k].key, from.obj->props[k].v,
                                     from.obj->props[k].getter);
                to.obj->open |= from.obj->open;
                to.obj->taint =
                        qn_vm_mix(vm, to.obj->taint, qn_vm_mix(vm, from.taint, from.obj->taint));
        }
        return to;
}

static void define_one(struct qn_vm *vm, struct qn_v o, struct qn_v name, struct qn_v desc)
{
        struct qn_v get = qn_vm_prop(vm, desc, "get"), value = qn_vm_prop(vm, desc, "value");

        name = qn_vm_to_text(vm, name);
        if (o.kind != QN_V_OBJ || !qn_v_exact(name))
                return;
        if (qn_v_callable(get))
                qn_vm_define(vm, o.obj, qn_vm_key(vm, qn_v_text(name)), get, true);
        else
                qn_vm_put(vm, o, qn_vm_key(vm, qn_v_text(name)), value);
}

static struct qn_v define(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v o = qn_vm_arg(args, 0), list = qn_vm_first(qn_vm_arg(args, 1));

        (void)at;
        if (std == QN_STD_OBJECT_DEFINE)
                define_one(vm, o, list, qn_vm_arg(args, 2));
        else if (list.kind == QN_V_OBJ)
                for (uint32_t i = 0; i < list.obj->n_props; i++)
                        define_one(vm, o, qn_v_str(qn_vm_key_text(vm, list.obj->props[i].key)),
                                   list.obj->props[i].v);
        return o;
}

static struct qn_v object(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v v = qn_vm_arg(args, 0), *list, *pair;
        struct qn_vobj *o;
        uint32_t n, two;

        (void)at;
        switch (std) {
        case QN_STD_OBJECT_CREATE:
                o = qn_vm_object(vm, QN_VC_OBJECT);
                if (o && v.kind == QN_V_OBJ)
                        o->proto = v.obj;
                return qn_v_obj(o);
        case QN_STD_OBJECT_SET_PROTO:
                if (v.kind == QN_V_OBJ && qn_vm_arg(args, 1).kind == QN_V_OBJ &&
                    v.obj != args->v[1].obj)
                        v.obj->proto = args->v[1].obj;
                return v;
        case QN_STD_OBJECT_PROTO:
                return v.kind == QN_V_OBJ && v.obj->proto ? qn_v_obj(v.obj->proto) : qn_v_unknown();
        case QN_STD_OBJECT_FROM_ENTRIES:
                o = qn_vm_object(vm, QN_VC_OBJECT);
                if (!o)
                        return qn_v_unknown();
                o->taint = v.kind == QN_V_OBJ ? v.obj->taint : v.taint;
                if (!qn_vm_elements(vm, v, &list, &n) || (v.kind == QN_V_OBJ && v.obj->open))
                        o->open = true;
                else
                        for (uint32_t i = 0; i < n; i++)
                                if (qn_vm_elements(vm, list[i], &pair, &two) && two == 2)
                                        qn_vm_put_index(vm, qn_v_obj(o), pair[0], pair[1]);
                if (o->open)
                        o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, v));
                return qn_v_obj(o);
        case QN_STD_OBJECT:
                return v.kind == QN_V_UNDEF || v.kind == QN_V_NULL
                               ? qn_v_obj(qn_vm_object(vm, QN_VC_OBJECT))
                               : v;
        default:
                return v;
        }
}

static struct qn_v reflect(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v o = qn_vm_arg(args, 0), key = qn_vm_arg(args, 1);
        struct qn_vargs list = { NULL, 0, false };

        switch (std) {
        case QN_STD_REFLECT_GET:
                if (qn_vm_is_env(vm, o))
                        return qn_vm_env(vm, at, key);
                o = qn_vm_get_index(vm, o, key);
                return o.kind == QN_V_API ? qn_vm_api_read(vm, at, o) : o;
        case QN_STD_REFLECT_SET:
                qn_vm_put_index(vm, o, key, qn_vm_arg(args, 2));
                return qn_v_bool(true);
        case QN_STD_REFLECT_APPLY:
                if (!qn_vm_elements(vm, qn_vm_arg(args, 2), &list.v, &list.n))
                        list = (struct qn_vargs){ args->n > 2 ? args->v + 2 : NULL, args->n > 2,
                                                  false };
                return qn_vm_call(vm, at, o, key, &list);
        default:
                if (!qn_vm_elements(vm, key, &list.v, &list.n))
                        list = (struct qn_vargs){ args->n > 1 ? args->v + 1 : NULL, args->n > 1,
                                                  false };
                list.is_new = true;
                return qn_vm_construct(vm, at, o, &list);
        }
}

/* --- containers --- */

static struct qn_v make_map(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_MAP);
        struct qn_v *list, *pair, from = qn_vm_first(qn_vm_arg(args, 0));
        uint32_t n, two;

        (void)at;
        if (!o)
                return qn_v_unknown();
        if (from.kind == QN_V_OBJ && from.obj->cls == QN_VC_OBJECT)
                for (uint32_t i = 0; i < from.obj->n_props; i++)
                        qn_vm_define(vm, o, from.obj->props[i].key, from.obj->props[i].v, false);
        else if (qn_vm_elements(vm, from, &list, &n))
                for (uint32_t i = 0; i < n; i++) {
                        bool is_pair = std != QN_STD_SET &&
                                       qn_vm_elements(vm, list[i], &pair, &two) && two == 2;

                        qn_vm_put_index(vm, qn_v_obj(o), is_pair ? pair[0] : list[i],
                                        is_pair ? pair[1] : list[i]);
                }
        o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, from));
        return qn_v_obj(o);
}

/* An object that only holds its arguments: new URL(), new Blob(), new Request(), new Error(). */
static struct qn_v make_holder(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                               struct qn_vargs *args)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_OBJECT);

        (void)at;
        if (!o)
                return qn_v_unknown();
        for (uint32_t i = 0; i < args->n; i++)
                o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, args->v[i]));
        o->open = true;
        if (std == QN_STD_URL || std == QN_STD_REQUEST) {
                struct qn_v url = qn_vm_to_text(vm, qn_vm_arg(args, 0)), base = qn_vm_arg(args, 1);

                /* new URL('./x.js', import.meta.url): a file beside this one */
                if (std == QN_STD_URL && base.kind == QN_V_STR && url.kind == QN_V_STR &&
                    qn_str_find(qn_v_text(url), QN_STR("://")) < 0 &&
                    qn_str_find(qn_v_text(base), QN_STR("://")) >= 0)
                        url = qn_vm_concat(vm, base, url);
                qn_vm_define(vm, o, QN_K_HREF, url, false);
                if (std == QN_STD_URL)
                        qn_vm_define(vm, o, QN_K_PATHNAME, url, false);
        } else if (std == QN_STD_ERROR || std == QN_STD_TYPE_ERROR) {
                qn_vm_define(vm, o, QN_K_MESSAGE, qn_vm_arg(args, 0), false);
        }
        return qn_v_obj(o);
}

static struct qn_v make_buffer(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                               struct qn_vargs *args)
{
        struct qn_v v = qn_vm_arg(args, 0), *list, r;
        struct qn_str encoding = qn_v_text(qn_vm_first(qn_vm_arg(args, 1)));
        struct qn_vobj *o;
        uint32_t n;

        (void)at;
        if (std == QN_STD_BUFFER_IS)
                return qn_v_is_obj(v, QN_VC_BUFFER) ? qn_v_bool(true) : qn_v_unknown();
        if (std == QN_STD_BUFFER_CONCAT) {
                r = qn_v_str(QN_STR(""));
                if (!qn_vm_elements(vm, v, &list, &n))
                        return qn_v_tainted(qn_vm_deep_taint(vm, v));
                for (uint32_t i = 0; i < n; i++)
                        r = qn_vm_concat(vm, r, list[i]);
                if (v.kind == QN_V_OBJ && v.obj->open)
                        r.flags |= QN_VF_INEXACT;
                o = qn_vm_bytes_of(vm, qn_v_exact(r) ? r : qn_v_tainted(r.taint),
                                   (struct qn_str){ NULL, 0 });
                if (o)
                        o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, v));
                return qn_v_obj(o);
        }
        r = qn_v_obj(qn_vm_bytes_of(vm, v, encoding));
        if (encoding.n && !qn_str_starts(encoding, "ut"))
                r.flags |= QN_VF_DECODED;
        r.flags |= v.flags & (QN_VF_DECODED | QN_VF_LOST);
        return r;
}

/* Arrays of larger numbers are plain arrays. */
static struct qn_v make_numbers(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                                struct qn_vargs *args)
{
        struct qn_v r;
        struct qn_vargs one = { args->v, QN_MIN(args->n, 1u), false };

        (void)std;
        if (args->n && args->v[0].kind != QN_V_NUM)
                return make_array(vm, at, QN_STD_ARRAY_FROM, &one);
        r = make_array(vm, at, QN_STD_ARRAY, &one);
        for (uint32_t i = 0; qn_v_is_obj(r, QN_VC_ARRAY) && i < r.obj->n; i++)
                r.obj->elems[r.obj->first + i] = qn_v_num(0);
        return r;
}

static struct qn_v text_coder(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                              struct qn_vargs *args)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_OBJECT);
        uint32_t key = std == QN_STD_TEXT_DECODER ? QN_K_DECODE : QN_K_ENCODE;

        (void)at;
        (void)args;
        if (!o)
                return qn_v_unknown();
        /* decoder.decode(bytes) is String(bytes); encoder.encode(text) is Buffer.from(text) */
        qn_vm_define(vm, o, key,
                     (struct qn_v){ .kind = QN_V_STD,
                                    .n = std == QN_STD_TEXT_DECODER ? QN_STD_STRING
                                                                    : QN_STD_BUFFER_FROM },
                     false);
        return qn_v_obj(o);
}

/* --- promises --- */

static struct qn_v promise(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v v = qn_vm_arg(args, 0), *list, r;
        struct qn_vobj *o, *all;
        uint32_t n;

        switch (std) {
        case QN_STD_PROMISE_RESOLVE:
                return qn_vm_settled(vm, v);
        case QN_STD_PROMISE_REJECT:
                return qn_v_unknown();
        case QN_STD_PROMISE_ALL:
        case QN_STD_PROMISE_ALL_SETTLED:
        case QN_STD_PROMISE_RACE:
        case QN_STD_PROMISE_ANY:
                if (!qn_vm_elements(vm, v, &list, &n))
                        return qn_v_tainted(qn_vm_deep_taint(vm, v));
                all = qn_vm_array(vm, NULL, 0);
                r = qn_v_unknown();
                for (uint32_t i = 0; all && i < n; i++) {
                        struct qn_v one = qn_vm_settled(vm, list[i]);

                        qn_vm_push(vm, all, one);
                        r = qn_vm_join(vm, r, one);
                }
                if (all)
                        all->open = v.kind == QN_V_OBJ && v.obj->open;
                return std == QN_STD_PROMISE_RACE || std == QN_STD_PROMISE_ANY ? r : qn_v_obj(all);
        default:
                break;
        }
        o = qn_vm_object(vm, QN_VC_PROMISE);
        all = qn_vm_object(vm, QN_VC_RESOLVE);
        if (!o || !all || !(o->cell = qn_arena_calloc(&vm->a, 1, sizeof *o->cell)))
                return qn_v_unknown();
        all->cell = o->cell;
        if (qn_v_callable(v)) {
                struct qn_v both[2] = { qn_v_obj(all), qn_v_unknown() };
                struct qn_vargs two = { both, 2, false };

                qn_vm_call(vm, at, v, qn_v_undef(), &two);
        }
        return qn_v_obj(o);
}

/* --- the rest --- */

static struct qn_v make_regex(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                              struct qn_vargs *args)
{
        struct qn_v source = qn_vm_arg(args, 0), flags = qn_vm_arg(args, 1);
        struct qn_vobj *o;
        struct qn_str *text;

        (void)at;
        (void)std;
        if (qn_v_is_obj(source, QN_VC_REGEX))
                return source;
        o = qn_vm_object(vm, QN_VC_REGEX);
        text = qn_arena_calloc(&vm->a, 2, sizeof *text);
        if (!o || !text || !qn_v_exact(source))
                return qn_v_unknown();
        text[0] = qn_v_text(source);
        text[1] = qn_v_exact(flags) ? qn_v_text(flags) : QN_STR("");
        o->text = text;
        return qn_v_obj(o);
}

static struct qn_v json(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v v = qn_vm_arg(args, 0);

        if (std == QN_STD_JSON_STRINGIFY)
                return qn_vm_to_json(vm, at, v);
        v = v.kind == QN_V_OBJ ? qn_vm_to_text(vm, v) : qn_vm_first(v);
        return qn_vm_json(vm, v);
}

static struct qn_v run_later(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                             struct qn_vargs *args)
{
        (void)std;
        if (args->n && qn_v_callable(args->v[0]))
                qn_vm_callback(vm, at, args->v[0], qn_v_unknown());
        return qn_v_unknown();
}

static struct qn_v passes(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        (void)vm;
        (void)at;
        (void)std;
        return qn_vm_arg(args, 0);
}

static struct qn_v run_code(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        struct qn_v code = qn_vm_first(qn_vm_arg(args, 0));

        if (code.kind == QN_V_OBJ && code.obj->cls == QN_VC_BUFFER)
                code = qn_vm_to_text(vm, code);
        if (std != QN_STD_EVAL && code.kind == QN_V_OBJ && qn_v_callable(code))
                return qn_vm_callback(vm, at, code, qn_v_unknown()); /* setTimeout(f) */
        return qn_v_exact(code)
                       ? qn_vm_run_text(vm, at, qn_v_text(code), vm->call ? vm->call->f : NULL)
                       : qn_v_tainted(code.taint);
}

/* new Function('a', 'b', 'return a + b') */
static struct qn_v make_code(struct qn_vm *vm, struct qn_vat at, uint32_t std,
                             struct qn_vargs *args)
{
        struct qn_v text = qn_v_str(QN_STR("(function("));
        uint32_t n = std == QN_STD_FUNCTION ? args->n : QN_MIN(args->n, 1u);

        for (uint32_t i = 0; i + 1 < n; i++) {
                if (i)
                        text = qn_vm_concat(vm, text, qn_v_str(QN_STR(",")));
                text = qn_vm_concat(vm, text, args->v[i]);
        }
        text = qn_vm_concat(vm, text, qn_v_str(QN_STR("){")));
        if (n)
                text = qn_vm_concat(vm, text, args->v[n - 1]);
        text = qn_vm_concat(vm, text, qn_v_str(QN_STR("\n})")));
        return qn_v_exact(text) && n ? qn_vm_run_text(vm, at, qn_v_text(text), NULL)
                                     : qn_v_tainted(text.taint);
}

static struct qn_v unpack(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_vargs *args)
{
        (void)at;
        (void)std;
        return qn_vm_inflate(vm, qn_vm_arg(args, 0));
}

static const struct {
        uint16_t from, to; /* of enum qn_vstd */
        std_fn *fn;
} table[] = {
        { QN_STD_EVAL, QN_STD_EVAL, run_code },
        { QN_STD_PARSE_INT, QN_STD_PARSE_INT, parse_int },
        { QN_STD_PARSE_FLOAT, QN_STD_PARSE_FLOAT, parse_float },
        { QN_STD_IS_NAN, QN_STD_IS_FINITE, number },
        { QN_STD_ENCODE_URI, QN_STD_ENCODE_URI_COMPONENT, percent_encode },
        { QN_STD_DECODE_URI, QN_STD_DECODE_URI_COMPONENT, percent_decode },
        { QN_STD_ESCAPE, QN_STD_ESCAPE, percent_encode },
        { QN_STD_UNESCAPE, QN_STD_UNESCAPE, percent_decode },
        { QN_STD_ATOB, QN_STD_BTOA, base64 },
        { QN_STD_NUMBER, QN_STD_NUMBER, number },
        { QN_STD_NUMBER_PARSE_INT, QN_STD_NUMBER_PARSE_INT, parse_int },
        { QN_STD_NUMBER_PARSE_FLOAT, QN_STD_NUMBER_PARSE_FLOAT, parse_float },
        { QN_STD_NUMBER_IS_NAN, QN_STD_BIGINT, number },
        { QN_STD_STRING, QN_STD_STRING, text_of },
        { QN_STD_FROM_CHAR_CODE, QN_STD_FROM_CODE_POINT, char_codes },
        { QN_STD_ARRAY, QN_STD_IS_ARRAY, make_array },
        { QN_STD_OBJECT, QN_STD_OBJECT, object },
        { QN_STD_OBJECT_KEYS, QN_STD_OBJECT_ENTRIES, keys_of },
        { QN_STD_OBJECT_ASSIGN, QN_STD_OBJECT_ASSIGN, assign },
        { QN_STD_OBJECT_FREEZE, QN_STD_OBJECT_SEAL, passes },
        { QN_STD_OBJECT_CREATE, QN_STD_OBJECT_FROM_ENTRIES, object },
        { QN_STD_OBJECT_DEFINE, QN_STD_OBJECT_DEFINES, define },
        { QN_STD_OBJECT_NAMES, QN_STD_OBJECT_NAMES, keys_of },
        { QN_STD_OBJECT_PROTO, QN_STD_OBJECT_SET_PROTO, object },
        { QN_STD_REFLECT_GET, QN_STD_REFLECT_CONSTRUCT, reflect },
        { QN_STD_REFLECT_OWN_KEYS, QN_STD_REFLECT_OWN_KEYS, keys_of },
        { QN_STD_JSON_PARSE, QN_STD_JSON_STRINGIFY, json },
        { QN_STD_MATH_FLOOR, QN_STD_MATH_IMUL, math },
        { QN_STD_BUFFER_FROM, QN_STD_BUFFER, make_buffer },
        { QN_STD_UINT8ARRAY, QN_STD_ARRAY_BUFFER, make_buffer },
        { QN_STD_UINT16ARRAY, QN_STD_INT32ARRAY, make_numbers },
        { QN_STD_TEXT_DECODER, QN_STD_TEXT_ENCODER, text_coder },
        { QN_STD_MAP, QN_STD_URL_PARAMS, make_map },
        { QN_STD_URL, QN_STD_REQUEST, make_holder },
        { QN_STD_PROMISE, QN_STD_PROMISE_REJECT, promise },
        { QN_STD_FUNCTION, QN_STD_COMPILE_FUNCTION, make_code },
        { QN_STD_RUN_THIS, QN_STD_SET_IMMEDIATE, run_code },
        { QN_STD_REGEXP, QN_STD_REGEXP, make_regex },
        { QN_STD_ERROR, QN_STD_TYPE_ERROR, make_holder },
        { QN_STD_PROXY, QN_STD_PROXY, passes },
        { QN_STD_GUNZIP, QN_STD_UNZIP, unpack },
        { QN_STD_STRUCTURED_CLONE, QN_STD_STRUCTURED_CLONE, passes },
        { QN_STD_QUEUE_MICROTASK, QN_STD_QUEUE_MICROTASK, run_later },
};

/* What is not known of a result was lost with what it was made of. */
static struct qn_v still_lost(struct qn_v r, const struct qn_vargs *args)
{
        for (uint32_t i = 0; i < args->n && (r.kind == QN_V_UNKNOWN || r.flags & QN_VF_INEXACT);
             i++)
                r.flags |= args->v[i].flags & QN_VF_LOST;
        return r;
}

struct qn_v qn_vm_std(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_v self,
                      struct qn_vargs *args)
{
        (void)self;
        for (uint32_t i = 0; i < args->n && i < 4; i++)
                qn_vm_charge_value(vm, args->v[i]);
        if (vm->full)
                return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST };
        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                if (std >= table[i].from && std <= table[i].to)
                        return still_lost(table[i].fn(vm, at, std, args), args);
        return qn_vm_vague(vm, at, qn_v_undef(), args);
}
