/* JSON.parse() of text that is known, JSON.stringify() of values that are. */
#include "base/buf.h"
#include "observe/vm-priv.h"
#include "parse/json.h"

#define DEPTH_MAX 40u
#define NODES_MAX 20000u

static struct qn_v from_node(struct qn_vm *vm, const struct qn_node *n, unsigned depth,
                             unsigned *left)
{
        struct qn_vobj *o;

        if (depth > DEPTH_MAX || !*left)
                return qn_v_unknown();
        --*left;
        switch (n->type) {
        case QN_NODE_NULL:
                return (struct qn_v){ .kind = QN_V_NULL };
        case QN_NODE_BOOL:
                return qn_v_bool(n->boolean);
        case QN_NODE_NUMBER:
                return qn_v_num(qn_vm_parse_number(n->text));
        case QN_NODE_STRING:
                return qn_v_str(n->text.p ? n->text : QN_STR(""));
        case QN_NODE_ARRAY:
                o = qn_vm_array(vm, NULL, 0);
                for (size_t i = 0; o && i < n->n; i++)
                        qn_vm_push(vm, o, from_node(vm, n->items[i], depth + 1, left));
                return qn_v_obj(o);
        case QN_NODE_OBJECT:
                o = qn_vm_object(vm, QN_VC_OBJECT);
                for (size_t i = 0; o && i < n->n; i++)
                        qn_vm_define(vm, o, qn_vm_key(vm, n->keys[i]),
                                     from_node(vm, n->items[i], depth + 1, left), false);
                return qn_v_obj(o);
        }
        return qn_v_unknown();
}

struct qn_v qn_vm_json(struct qn_vm *vm, struct qn_v text)
{
        struct qn_str s = qn_v_text(text);
        unsigned left = NODES_MAX;
        struct qn_node *root;

        if (!qn_v_exact(text) ||
            qn_json_parse((struct qn_cur){ (const uint8_t *)s.p, (const uint8_t *)s.p + s.n },
                          &vm->a, &root, NULL) < 0)
                return (struct qn_v){ .kind = QN_V_UNKNOWN,
                                      .taint = text.taint,
                                      .flags = text.flags & (QN_VF_DECODED | QN_VF_LOST) };
        return qn_vm_with(vm, from_node(vm, root, 0, &left), text.taint);
}

struct writer {
        struct qn_vm *vm;
        struct qn_buf b;
        bool inexact;
        unsigned left;
};

static void write_text(struct writer *w, struct qn_str s)
{
        qn_buf_byte(&w->b, '"');
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '"' || s.p[i] == '\\')
                        qn_buf_byte(&w->b, '\\');
                if ((uint8_t)s.p[i] < 0x20)
                        qn_buf_printf(&w->b, "\\u%04x", (unsigned)s.p[i]);
                else
                        qn_buf_byte(&w->b, s.p[i]);
        }
        qn_buf_byte(&w->b, '"');
}

static void write_value(struct writer *w, struct qn_v v, unsigned depth)
{
        struct qn_v t;
        bool first = true;

        v = qn_vm_settled(w->vm, qn_vm_first(v));
        if (depth > DEPTH_MAX || !w->left) {
                w->inexact = true;
                return;
        }
        w->left--;
        if (v.kind == QN_V_STR) {
                w->inexact |= v.flags & QN_VF_INEXACT;
                write_text(w, qn_v_text(v));
        } else if (v.kind == QN_V_NUM || v.kind == QN_V_BOOL || v.kind == QN_V_NULL) {
                t = qn_vm_to_text(w->vm, v);
                qn_buf_str(&w->b, qn_v_text(t));
        } else if (qn_v_is_obj(v, QN_VC_ARRAY)) {
                qn_buf_byte(&w->b, '[');
                for (uint32_t i = 0; i < v.obj->n; i++, first = false) {
                        if (!first)
                                qn_buf_byte(&w->b, ',');
                        write_value(w, v.obj->elems[v.obj->first + i], depth + 1);
                }
                qn_buf_byte(&w->b, ']');
                w->inexact |= v.obj->open;
        } else if (v.kind == QN_V_OBJ && v.obj->cls == QN_VC_OBJECT) {
                qn_buf_byte(&w->b, '{');
                for (uint32_t i = 0; i < v.obj->n_props; i++) {
                        struct qn_vprop *p = &v.obj->props[i];

                        if (qn_v_callable(p->v) || p->v.kind == QN_V_UNDEF)
                                continue;
                        if (!first)
                                qn_buf_byte(&w->b, ',');
                        first = false;
                        write_text(w, qn_vm_key_text(w->vm, p->key));
                        qn_buf_byte(&w->b, ':');
                        write_value(w, p->v, depth + 1);
                }
                qn_buf_byte(&w->b, '}');
                w->inexact |= v.obj->open;
        } else {
                qn_buf_byte(&w->b, '*');
                w->inexact = true;
        }
}

struct qn_v qn_vm_to_json(struct qn_vm *vm, struct qn_vat at, struct qn_v v)
{
        struct writer w = { .vm = vm, .b = QN_BUF_INIT((size_t)1 << 20), .left = 4000 };
        struct qn_v r;

        if (qn_vm_is_env(vm, v))
                v = qn_vm_env_all(vm, at, "stringify");
        write_value(&w, v, 0);
        r = qn_buf_error(&w.b) < 0 ? qn_v_unknown() : qn_vm_dup(vm, qn_buf_view(&w.b));
        if (w.inexact && r.kind == QN_V_STR)
                r.flags |= QN_VF_INEXACT;
        qn_buf_done(&w.b);
        return qn_vm_with(vm, r, qn_vm_deep_taint(vm, v));
}
