/* Buffers and typed arrays; encodings of bytes as text. */
#include <math.h>

#include "base/buf.h"
#include "base/hash.h"
#include "observe/vm-priv.h"

struct qn_v qn_vm_from_latin1(struct qn_vm *vm, struct qn_str bytes)
{
        char *p = qn_vm_bytes(vm, bytes.n * 2);
        size_t n = 0;

        for (size_t i = 0; p && i < bytes.n; i++) {
                uint8_t c = (uint8_t)bytes.p[i];

                if (c >= 0x80)
                        p[n++] = (char)(0xc0 | c >> 6);
                p[n++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
        }
        return p ? qn_v_str((struct qn_str){ p, n }) : qn_v_unknown();
}

/* The low bytes of text's characters. */
static struct qn_str to_latin1(struct qn_vm *vm, struct qn_str s)
{
        char *p = qn_vm_bytes(vm, s.n);
        size_t n = 0;

        for (size_t i = 0; p && i < s.n; i++) {
                uint8_t c = (uint8_t)s.p[i];

                if (c >= 0xc2 && c <= 0xdf && i + 1 < s.n) {
                        p[n++] = (char)((c & 3) << 6 | (s.p[i + 1] & 0x3f));
                        i++;
                } else {
                        p[n++] = (char)c;
                }
        }
        return p ? (struct qn_str){ p, n } : (struct qn_str){ NULL, 0 };
}

static bool is_base64(struct qn_str e)
{
        return qn_str_ieq(e, QN_STR("base64")) || qn_str_ieq(e, QN_STR("base64url"));
}

static bool is_latin1(struct qn_str e)
{
        return qn_str_ieq(e, QN_STR("latin1")) || qn_str_ieq(e, QN_STR("binary")) ||
               qn_str_ieq(e, QN_STR("ascii"));
}

/* Text in an encoding → bytes; {NULL, 0} when it is not such text.  Node drops what does not belong there. */
static struct qn_str decode_bytes(struct qn_vm *vm, struct qn_str s, struct qn_str encoding)
{
        struct qn_str out = { NULL, 0 };

        if (is_base64(encoding)) {
                if (qn_base64_decode(s, &vm->a, &out) < 0)
                        return (struct qn_str){ NULL, 0 };
                return out.p ? out : QN_STR("");
        }
        if (qn_str_ieq(encoding, QN_STR("hex"))) {
                if (qn_hex_decode(qn_str_take(s, s.n & ~(size_t)1), &vm->a, &out) < 0)
                        return (struct qn_str){ NULL, 0 };
                return out.p ? out : QN_STR("");
        }
        return is_latin1(encoding) ? to_latin1(vm, s) : s;
}

struct qn_v qn_vm_encode(struct qn_vm *vm, struct qn_str bytes, struct qn_str encoding)
{
        struct qn_buf b = QN_BUF_INIT(QN_VM_TEXT_MAX);
        struct qn_v r;

        if (is_latin1(encoding))
                return qn_vm_from_latin1(vm, bytes);
        if (is_base64(encoding))
                qn_base64_encode(&b, bytes.p, bytes.n);
        else if (qn_str_ieq(encoding, QN_STR("hex")))
                qn_hex_encode(&b, bytes.p, bytes.n);
        else
                return qn_v_str(bytes);
        r = qn_buf_error(&b) < 0 ? qn_v_unknown() : qn_vm_dup(vm, qn_buf_view(&b));
        if (!b.n && r.kind != QN_V_STR)
                r = qn_v_str(QN_STR(""));
        qn_buf_done(&b);
        return r;
}

static bool fill_from_list(struct qn_vm *vm, struct qn_vobj *to, struct qn_v *list, uint32_t n)
{
        bool known = true;

        for (uint32_t i = 0; i < n; i++) {
                double d = 0;

                known &= qn_vm_number(list[i], &d);
                to->bytes[i] = (char)(uint8_t)qn_vm_u32(d);
                to->taint = qn_vm_mix(vm, to->taint, list[i].taint);
        }
        return known;
}

/* What Buffer.from() makes of a value; an open buffer when it is not known. */
struct qn_vobj *qn_vm_bytes_of(struct qn_vm *vm, struct qn_v v, struct qn_str encoding)
{
        struct qn_vobj *o;
        struct qn_v *list;
        uint32_t n;
        struct qn_str bytes = { NULL, 0 };

        v = qn_vm_first(v);
        if (qn_v_is_obj(v, QN_VC_BUFFER)) {
                o = qn_vm_buffer(vm, (struct qn_str){ v.obj->bytes, v.obj->n });
                if (o)
                        o->open |= v.obj->open;
        } else if (v.kind == QN_V_NUM && v.num >= 0 && v.num < 1 << 20) {
                o = qn_vm_buffer(vm, (struct qn_str){ NULL, (size_t)v.num });
        } else if (qn_v_is_obj(v, QN_VC_ARRAY) && !v.obj->open &&
                   qn_vm_elements(vm, v, &list, &n)) {
                o = qn_vm_buffer(vm, (struct qn_str){ NULL, n });
                if (o && !o->open)
                        o->open = !fill_from_list(vm, o, list, n);
        } else {
                if (qn_v_exact(v))
                        bytes = decode_bytes(vm, qn_v_text(v), encoding);
                o = qn_vm_buffer(vm, bytes.p ? bytes : QN_STR(""));
                if (o)
                        o->open |= !bytes.p;
        }
        if (o)
                o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, v));
        return o;
}

struct qn_v qn_vm_decode(struct qn_vm *vm, struct qn_v text, struct qn_str encoding)
{
        struct qn_str out = qn_v_exact(text) ? decode_bytes(vm, qn_v_text(text), encoding)
                                             : (struct qn_str){ NULL, 0 };

        return out.p ? qn_v_str(out) : qn_v_tainted(text.taint);
}

static struct qn_v part(struct qn_vm *vm, struct qn_v self, const struct qn_vargs *args)
{
        struct qn_vobj *o = self.obj, *r;
        double a = trunc(qn_vm_int_arg(args, 0, 0)), b = trunc(qn_vm_int_arg(args, 1, o->n));

        a = a < 0 ? fmax(0, o->n + a) : fmin(a, o->n);
        b = b < 0 ? fmax(0, o->n + b) : fmin(b, o->n);
        r = qn_vm_buffer(vm, (struct qn_str){ o->bytes + (size_t)a, a < b ? (size_t)(b - a) : 0 });
        if (r) {
                r->taint = o->taint;
                r->open |= o->open;
        }
        return qn_v_obj(r);
}

static struct qn_v as_array(struct qn_vm *vm, struct qn_v self)
{
        struct qn_v *list;
        uint32_t n;

        if (!qn_vm_elements(vm, self, &list, &n))
                return qn_v_tainted(qn_vm_deep_taint(vm, self));
        return qn_v_obj(qn_vm_array(vm, list, n));
}

static struct qn_v to_text(struct qn_vm *vm, struct qn_v self, struct qn_v encoding)
{
        struct qn_vobj *o = self.obj;
        struct qn_v r;

        if (o->open)
                r = (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = self.flags };
        else
                r = qn_vm_encode(vm, (struct qn_str){ o->bytes, o->n }, qn_v_text(encoding));
        r.flags |= self.flags & (QN_VF_DECODED | QN_VF_LOST);
        return qn_vm_or_lost(qn_vm_with(vm, r, qn_vm_mix(vm, o->taint, self.taint)), o);
}

static void set_bytes(struct qn_vm *vm, struct qn_vobj *o, struct qn_v from, double at)
{
        struct qn_v *list;
        uint32_t n;

        o->taint = qn_vm_mix(vm, o->taint, qn_vm_deep_taint(vm, from));
        if (!qn_vm_elements(vm, from, &list, &n) || !(at >= 0)) {
                o->open = true;
                return;
        }
        for (uint32_t i = 0; i < n && i + at < o->n; i++) {
                double d = 0;

                o->open |= !qn_vm_number(list[i], &d);
                o->bytes[(uint32_t)at + i] = (char)(uint8_t)qn_vm_u32(d);
        }
}

struct qn_v qn_vm_buffer_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                                struct qn_vargs *args)
{
        struct qn_v list;

        switch (key) {
        case QN_K_TO_STRING:
        case QN_K_DECODE:
                return to_text(vm, self, qn_vm_arg(args, 0));
        case QN_K_SLICE:
        case QN_K_SUBARRAY:
                return part(vm, self, args);
        case QN_K_READ_UINT8:
                return qn_vm_get_index(vm, self, qn_v_num(qn_vm_int_arg(args, 0, 0)));
        case QN_K_WRITE_UINT8:
                qn_vm_put_index(vm, self, qn_vm_arg(args, 1), qn_vm_arg(args, 0));
                return qn_v_unknown();
        case QN_K_SET:
                set_bytes(vm, self.obj, qn_vm_arg(args, 0), qn_vm_int_arg(args, 1, 0));
                return qn_v_undef();
        case QN_K_FILL:
                if (args->n && args->v[0].kind == QN_V_NUM && !self.obj->open)
                        memset(self.obj->bytes, (int)(uint8_t)qn_vm_u32(args->v[0].num),
                               self.obj->n);
                else
                        self.obj->open = true;
                return self;
        case QN_K_REVERSE:
                for (uint32_t i = 0, n = self.obj->n; !self.obj->open && i < n / 2; i++) {
                        char t = self.obj->bytes[i];

                        self.obj->bytes[i] = self.obj->bytes[n - 1 - i];
                        self.obj->bytes[n - 1 - i] = t;
                }
                return self;
        case QN_K_COPY:
        case QN_K_WRITE:
        case QN_K_EQUALS:
                return qn_vm_vague(vm, at, self, args);
        case QN_K_MAP: { /* stays bytes */
                list = as_array(vm, self);
                if (!qn_v_is_obj(list, QN_VC_ARRAY))
                        return qn_vm_vague(vm, at, self, args);
                list = qn_vm_array_method(vm, at, key, list, args);
                return qn_v_obj(qn_vm_bytes_of(vm, list, (struct qn_str){ NULL, 0 }));
        }
        default:
                list = as_array(vm, self);
                return qn_v_is_obj(list, QN_VC_ARRAY) ? qn_vm_array_method(vm, at, key, list, args)
                                                      : qn_vm_vague(vm, at, self, args);
        }
}
