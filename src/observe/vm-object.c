/* Objects, arrays, buffers: properties that are known, and what else they may hold. */
#include <math.h>

#include "observe/vm-priv.h"

#define INDEX_FROM   12u /* properties before they get an index */
#define ELEMENTS_MAX (1u << 20)

struct qn_vobj *qn_vm_object(struct qn_vm *vm, enum qn_vclass cls)
{
        struct qn_vobj *o = qn_arena_calloc(&vm->a, 1, sizeof *o);

        if (!o) {
                vm->full = true;
                return NULL;
        }
        o->cls = (uint8_t)cls;
        o->born = vm->uncertain;
        return o;
}

struct qn_vobj *qn_vm_array(struct qn_vm *vm, const struct qn_v *list, uint32_t n)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_ARRAY);

        for (uint32_t i = 0; o && i < n; i++)
                if (!qn_vm_push(vm, o, list[i]))
                        break;
        return o;
}

struct qn_vobj *qn_vm_buffer(struct qn_vm *vm, struct qn_str bytes)
{
        struct qn_vobj *o = qn_vm_object(vm, QN_VC_BUFFER);

        if (!o)
                return NULL;
        o->bytes = qn_vm_bytes(vm, bytes.n);
        if (!o->bytes) {
                o->open = true;
                return o;
        }
        if (bytes.n && bytes.p)
                memcpy(o->bytes, bytes.p, bytes.n);
        else
                memset(o->bytes, 0, bytes.n);
        o->n = o->cap = (uint32_t)bytes.n;
        return o;
}

bool qn_vm_push(struct qn_vm *vm, struct qn_vobj *o, struct qn_v v)
{
        if (o->n >= ELEMENTS_MAX) {
                o->open = true;
                return false;
        }
        if (o->first + o->n >= o->cap && o->first > o->n) { /* a queue: its room is used again */
                memmove(o->elems, o->elems + o->first, o->n * sizeof *o->elems);
                o->first = 0;
        }
        if (o->first + o->n >= o->cap) {
                uint32_t cap = QN_MAX(8u, o->n * 2);
                struct qn_v *to = qn_arena_alloc(&vm->a, cap * sizeof *to);

                if (!to) {
                        vm->full = o->open = true;
                        return false;
                }
                if (o->n)
                        memcpy(to, o->elems + o->first, o->n * sizeof *to);
                o->elems = to;
                o->first = 0;
                o->cap = cap;
        }
        o->elems[o->first + o->n++] = v;
        qn_vm_lose_if_cut(vm, o, v);
        return true;
}

/* --- named properties --- */

static uint32_t slot_of(const struct qn_vobj *o, uint32_t key)
{
        return (key * 2654435761u) & (o->cap_props * 2 - 1);
}

static void index_add(struct qn_vobj *o, uint32_t i)
{
        uint32_t s = slot_of(o, o->props[i].key);

        while (o->index[s])
                s = (s + 1) & (o->cap_props * 2 - 1);
        o->index[s] = i + 1;
}

/* At the cap the object stays as it was, with its index: what is put into it afterwards costs no search through all of it. */
static bool grow_props(struct qn_vm *vm, struct qn_vobj *o)
{
        uint32_t cap = o->cap_props ? o->cap_props * 2 : 4, *index = NULL;
        struct qn_vprop *to = cap > ELEMENTS_MAX ? NULL : qn_arena_alloc(&vm->a, cap * sizeof *to);

        if (to && cap > INDEX_FROM)
                index = qn_arena_calloc(&vm->a, (size_t)cap * 2, sizeof *index);
        if (!to || (cap > INDEX_FROM && !index)) {
                vm->full = o->open = true;
                return false;
        }
        if (o->n_props)
                memcpy(to, o->props, o->n_props * sizeof *to);
        o->props = to;
        o->cap_props = cap;
        o->index = index;
        for (uint32_t i = 0; index && i < o->n_props; i++)
                index_add(o, i);
        return true;
}

struct qn_vprop *qn_vm_own(struct qn_vobj *o, uint32_t key)
{
        if (o->index) {
                for (uint32_t s = slot_of(o, key); o->index[s];
                     s = (s + 1) & (o->cap_props * 2 - 1))
                        if (o->props[o->index[s] - 1].key == key)
                                return &o->props[o->index[s] - 1];
                return NULL;
        }
        for (uint32_t i = 0; i < o->n_props; i++)
                if (o->props[i].key == key)
                        return &o->props[i];
        return NULL;
}

void qn_vm_define(struct qn_vm *vm, struct qn_vobj *o, uint32_t key, struct qn_v v, bool getter)
{
        struct qn_vprop *p = qn_vm_own(o, key);

        if (o != vm->globals)
                qn_vm_lose_if_cut(vm, o, v);
        if (!p) {
                if (o->n_props == o->cap_props && !grow_props(vm, o))
                        return;
                p = &o->props[o->n_props++];
                p->key = key;
                p->v = qn_v_undef();
                if (o->index)
                        index_add(o, o->n_props - 1);
        } else if (vm->uncertain > o->born) {
                v = qn_vm_join(vm, p->v, v);
        }
        if (qn_v_is_obj(v, QN_VC_FUNC) && !v.obj->fn->holder && o != vm->globals)
                v.obj->fn->holder = o;
        p->v = v;
        p->getter = getter;
}

static struct qn_v own_or_inherited(struct qn_vm *vm, struct qn_v self, uint32_t key, bool *found)
{
        struct qn_vobj *o = self.obj;

        for (unsigned i = 0; o && i < 16; i++, o = o->proto) {
                struct qn_vprop *p = qn_vm_own(o, key);

                if (!p)
                        continue;
                *found = true;
                if (p->getter) {
                        struct qn_vargs none = { NULL, 0, false };

                        return qn_vm_call(vm, (struct qn_vat){ vm->m, 0 }, p->v, self, &none);
                }
                return p->v;
        }
        *found = false;
        return qn_v_undef();
}

/* --- reading --- */

/* Every function's constructor makes code out of text. */
static struct qn_v function_constructor(struct qn_vm *vm)
{
        return qn_vm_api(vm, qn_js_api_global(vm->apis, QN_STR("Function")));
}

/* name and length, which nobody stored; what a parent that is not known may have. */
static bool is_open_function(const struct qn_vobj *o, uint32_t key)
{
        return o->cls == QN_VC_FUNC && (key == QN_K_NAME || key == QN_K_LENGTH ||
                                        (o->fn->class_node && o->fn->self.kind == QN_V_UNKNOWN));
}

static struct qn_v get_from_object(struct qn_vm *vm, struct qn_v v, uint32_t key)
{
        struct qn_vobj *o = v.obj;
        bool found;
        struct qn_v r;

        if (key == QN_K_LENGTH && (o->cls == QN_VC_ARRAY || o->cls == QN_VC_BUFFER))
                return o->open ? qn_v_tainted(o->taint) : qn_v_num(o->n);
        if (key == QN_K_BYTE_LENGTH && o->cls == QN_VC_BUFFER)
                return o->open ? qn_v_unknown() : qn_v_num(o->n);
        if (key == QN_K_BUFFER && o->cls == QN_VC_BUFFER)
                return v;
        r = own_or_inherited(vm, v, key, &found);
        if (found)
                return qn_vm_or_lost(qn_vm_with(vm, r, o->taint), o);
        if (key == QN_K_PROTOTYPE && o->cls == QN_VC_FUNC) {
                return qn_v_obj(qn_vm_home(vm, o));
        }
        if (key == QN_K_SIZE && o->cls == QN_VC_MAP)
                return qn_v_unknown();
        if (qn_vm_has_method(vm, v, key))
                return (struct qn_v){ .kind = QN_V_BUILTIN, .n = key, .taint = o->taint };
        if (key == QN_K_CONSTRUCTOR && o->cls == QN_VC_FUNC)
                return function_constructor(vm);
        if (key == QN_K_CONSTRUCTOR)
                return (struct qn_v){ .kind = QN_V_STD, .n = QN_STD_OBJECT };
        if (o->cls == QN_VC_MODULE && o->mod) { /* module.paths, module.constructor… */
                uint32_t root = qn_js_api_global(vm->apis, QN_STR("module"));
                struct qn_v m = qn_vm_api_member(vm, root, key, 0);

                if (m.kind != QN_V_UNKNOWN)
                        return m;
        }
        r = o->open                                       ? qn_vm_with(vm, o->any, v.taint)
            : o->any.kind != QN_V_UNKNOWN || o->any.taint ? o->any
                                                          : qn_v_undef();
        if (r.kind == QN_V_UNDEF && (o->open || is_open_function(o, key)))
                r = qn_v_unknown();
        return qn_vm_with(vm, r, o->taint);
}

struct qn_v qn_vm_get(struct qn_vm *vm, struct qn_v obj, uint32_t key)
{
        struct qn_v r;

        switch (obj.kind) {
        case QN_V_OBJ:
                r = get_from_object(vm, obj, key);
                break;
        case QN_V_API:
                return qn_vm_api_member(vm, obj.n, key, obj.taint);
        case QN_V_STD: {
                uint32_t std = qn_vm_std_find(vm, qn_vm_std_name(obj.n), qn_vm_key_text(vm, key));

                if (std)
                        return (struct qn_v){ .kind = QN_V_STD, .n = std };
                if (key == QN_K_PROTOTYPE)
                        return obj;
                if (key == QN_K_CONSTRUCTOR)
                        return function_constructor(vm);
                return (struct qn_v){ .kind = QN_V_BUILTIN, .n = key };
        }
        case QN_V_STR:
                if (key == QN_K_LENGTH)
                        r = obj.flags & QN_VF_INEXACT ? qn_v_unknown()
                                                      : qn_v_num(qn_vm_length(vm, obj));
                else if (qn_vm_has_method(vm, obj, key))
                        r = (struct qn_v){ .kind = QN_V_BUILTIN, .n = key };
                else if (key == QN_K_CONSTRUCTOR)
                        r = (struct qn_v){ .kind = QN_V_STD, .n = QN_STD_STRING };
                else
                        r = qn_v_unknown();
                break;
        case QN_V_NUM:
        case QN_V_BOOL:
                if (key == QN_K_CONSTRUCTOR)
                        return (struct qn_v){ .kind = QN_V_STD,
                                              .n = obj.kind == QN_V_NUM ? QN_STD_NUMBER
                                                                        : QN_STD_BOOLEAN };
                r = (struct qn_v){ .kind = QN_V_BUILTIN, .n = key };
                break;
        case QN_V_BUILTIN:
                if (key == QN_K_CONSTRUCTOR)
                        return function_constructor(vm);
                r = (struct qn_v){ .kind = QN_V_BUILTIN, .n = key };
                break;
        case QN_V_ALT:
                r = qn_vm_get(vm, obj.alt->v[0], key);
                for (uint32_t i = 1; i < obj.alt->n; i++)
                        r = qn_vm_join(vm, r, qn_vm_get(vm, obj.alt->v[i], key));
                break;
        default:
                r = qn_v_unknown();
                r.flags = obj.flags & (QN_VF_LOST | QN_VF_DECODED);
        }
        return qn_vm_with(vm, r, obj.taint);
}

static struct qn_v byte_at(struct qn_vobj *o, double i)
{
        if (o->open)
                return qn_vm_or_lost(qn_v_unknown(), o);
        return i >= 0 && i < o->n ? qn_v_num((uint8_t)o->bytes[(uint32_t)i]) : qn_v_undef();
}

static struct qn_v any_element(struct qn_vm *vm, struct qn_v obj)
{
        struct qn_v r = obj.obj->any;

        if (obj.obj->cls == QN_VC_BUFFER)
                return qn_v_tainted(qn_vm_deep_taint(vm, obj));
        if (obj.obj->cls == QN_VC_ARRAY)
                for (uint32_t i = 0; i < obj.obj->n && i < 64; i++)
                        r = qn_vm_join(vm, r, obj.obj->elems[obj.obj->first + i]);
        else
                for (uint32_t i = 0; i < obj.obj->n_props && i < 64; i++)
                        r = qn_vm_join(vm, r, obj.obj->props[i].v);
        return qn_vm_with(vm, r, obj.obj->taint);
}

static bool is_index(double d)
{
        return d >= 0 && d == floor(d) && d < 4294967295.0;
}

struct qn_v qn_vm_get_index(struct qn_vm *vm, struct qn_v obj, struct qn_v key)
{
        double d;
        struct qn_v text;

        if (key.kind == QN_V_NUM && is_index(key.num)) {
                if (qn_v_is_obj(obj, QN_VC_ARRAY)) {
                        struct qn_vobj *o = obj.obj;

                        if (key.num < o->n)
                                return qn_vm_or_lost(
                                        qn_vm_with(vm, o->elems[o->first + (uint32_t)key.num],
                                                   o->taint),
                                        o);
                        return o->open ? qn_vm_with(vm, o->any, o->taint) : qn_v_undef();
                }
                if (qn_v_is_obj(obj, QN_VC_BUFFER))
                        return qn_vm_with(vm, byte_at(obj.obj, key.num), obj.obj->taint);
                if (qn_v_exact(obj))
                        return qn_vm_with(vm, qn_vm_char_at(vm, obj, key.num, false, false),
                                          obj.taint);
        }
        if (key.kind == QN_V_ALT && obj.kind == QN_V_OBJ) {
                struct qn_v r = qn_v_unknown();

                for (uint32_t i = 0; i < key.alt->n; i++)
                        r = qn_vm_join(vm, r, qn_vm_get_index(vm, obj, key.alt->v[i]));
                return r;
        }
        if (key.kind == QN_V_UNKNOWN || (key.flags & QN_VF_INEXACT) || key.kind == QN_V_ALT) {
                struct qn_v r = qn_v_tainted(obj.taint);

                if (obj.kind == QN_V_OBJ)
                        r = qn_vm_with(vm, any_element(vm, obj), obj.taint);
                r.flags |= (key.flags | obj.flags) & QN_VF_LOST;
                return r;
        }
        text = qn_vm_to_text(vm, key);
        if (!qn_v_exact(text))
                return qn_v_tainted(obj.taint);
        if (obj.kind == QN_V_OBJ && text.n && text.p[0] >= '0' && text.p[0] <= '9' &&
            key.kind == QN_V_STR && qn_vm_number(key, &d) && is_index(d) &&
            (obj.obj->cls == QN_VC_ARRAY || obj.obj->cls == QN_VC_BUFFER))
                return qn_vm_get_index(vm, obj, qn_v_num(d));
        return qn_vm_get(vm, obj, qn_vm_key(vm, qn_v_text(text)));
}

/* --- writing --- */

static void put_in_object(struct qn_vm *vm, struct qn_v obj, uint32_t key, struct qn_v v)
{
        struct qn_vobj *o = obj.obj;

        if (key == QN_K_PROTO && v.kind == QN_V_OBJ) {
                o->proto = v.obj == o ? NULL : v.obj;
                return;
        }
        if (key == QN_K_PROTOTYPE && o->cls == QN_VC_FUNC && v.kind == QN_V_OBJ) {
                o->fn->home = v.obj;
                v.obj->owner = o;
                return;
        }
        if (key == QN_K_LENGTH && o->cls == QN_VC_ARRAY) {
                if (v.kind == QN_V_NUM && v.num >= 0 && v.num < o->n)
                        o->n = (uint32_t)v.num;
                return;
        }
        if (o->cls == QN_VC_MODULE && key == QN_K_EXPORTS && o->mod && v.kind == QN_V_OBJ)
                o->mod->exports = v.obj;
        qn_vm_define(vm, o, key, v, false);
}

void qn_vm_put(struct qn_vm *vm, struct qn_v obj, uint32_t key, struct qn_v v)
{
        v.flags &= (uint8_t)~QN_VF_LITERAL;
        if (obj.kind == QN_V_OBJ)
                put_in_object(vm, obj, key, v);
        else if (obj.kind == QN_V_ALT)
                for (uint32_t i = 0; i < obj.alt->n; i++)
                        if (obj.alt->v[i].kind == QN_V_OBJ)
                                put_in_object(vm, obj.alt->v[i], key, v);
}

static void put_element(struct qn_vm *vm, struct qn_vobj *o, uint32_t i, struct qn_v v)
{
        bool room = i < o->n + 4096u;

        while (room && o->n <= i)
                room = qn_vm_push(vm, o, qn_v_undef());
        if (!room) {
                o->open = true;
                o->any = qn_vm_join(vm, o->any, v);
                return;
        }
        o->elems[o->first + i] =
                vm->uncertain > o->born ? qn_vm_join(vm, o->elems[o->first + i], v) : v;
        qn_vm_lose_if_cut(vm, o, v);
}

static void put_byte(struct qn_vm *vm, struct qn_vobj *o, uint32_t i, struct qn_v v)
{
        double d;

        o->taint = qn_vm_mix(vm, o->taint, v.taint);
        qn_vm_lose_if_cut(vm, o, v);
        if (v.flags & QN_VF_LOST)
                qn_vm_lose(o);
        if (i >= o->n)
                return;
        if (!qn_vm_number(v, &d))
                o->open = true;
        else
                o->bytes[i] = (char)(uint8_t)qn_vm_u32(d);
}

void qn_vm_put_index(struct qn_vm *vm, struct qn_v obj, struct qn_v key, struct qn_v v)
{
        struct qn_v text;

        v.flags &= (uint8_t)~QN_VF_LITERAL;
        if (obj.kind == QN_V_ALT) {
                for (uint32_t i = 0; i < obj.alt->n; i++)
                        qn_vm_put_index(vm, obj.alt->v[i], key, v);
                return;
        }
        if (obj.kind != QN_V_OBJ)
                return;
        if (key.kind == QN_V_NUM && is_index(key.num)) {
                if (obj.obj->cls == QN_VC_ARRAY) {
                        put_element(vm, obj.obj, (uint32_t)key.num, v);
                        return;
                }
                if (obj.obj->cls == QN_VC_BUFFER) {
                        put_byte(vm, obj.obj, (uint32_t)key.num, v);
                        return;
                }
        }
        text = key.kind == QN_V_UNKNOWN || key.kind == QN_V_ALT ? qn_v_unknown()
                                                                : qn_vm_to_text(vm, key);
        if (qn_v_exact(text)) {
                qn_vm_put(vm, obj, qn_vm_key(vm, qn_v_text(text)), v);
                return;
        }
        obj.obj->open = true;
        obj.obj->any = qn_vm_join(vm, obj.obj->any, v);
        obj.obj->taint = qn_vm_mix(vm, obj.obj->taint, key.taint);
}

struct qn_v qn_vm_prop(struct qn_vm *vm, struct qn_v obj, const char *name)
{
        uint32_t k;
        bool found;
        struct qn_v r;

        obj = qn_vm_first(obj);
        if (obj.kind != QN_V_OBJ)
                return qn_v_undef();
        k = qn_map_get(&vm->names, qn_str_c(name));
        if (k == QN_MAP_NONE)
                return qn_v_undef();
        r = own_or_inherited(vm, obj, k, &found);
        return found ? r : qn_v_undef();
}

bool qn_vm_elements(struct qn_vm *vm, struct qn_v v, struct qn_v **ret, uint32_t *n)
{
        v = qn_vm_first(v);
        if (qn_v_exact(v))
                v = qn_vm_split_chars(vm, v, true);
        if (qn_v_is_obj(v, QN_VC_BUFFER) && !v.obj->open && v.obj->n < ELEMENTS_MAX) {
                struct qn_vobj *list = qn_vm_array(vm, NULL, 0);

                for (uint32_t i = 0; list && i < v.obj->n; i++)
                        if (!qn_vm_push(vm, list,
                                        qn_vm_with(vm, qn_v_num((uint8_t)v.obj->bytes[i]),
                                                   v.obj->taint)))
                                break;
                v = qn_v_obj(list);
        }
        if (!qn_v_is_obj(v, QN_VC_ARRAY))
                return false;
        *ret = v.obj->n ? v.obj->elems + v.obj->first : NULL;
        *n = v.obj->n;
        return true;
}
