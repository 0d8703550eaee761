/* js-parse-class.c - classes and decorators. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* A member's modifiers that are no flags of its node. */
enum { ACCESSOR = 1 << 20 };

/* @name, @name.member(…), @(expression) */
static uint32_t decorator(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_DECORATOR, js->t.start), start, e, m;
        struct qn_js_list l;

        qn_js_next(js);
        start = js->t.start;
        if (qn_js_is(js, T(LPAREN))) {
                js->arrow_at = UINT32_MAX;
                e = qn_js_primary(js);
        } else if (qn_js_is_name_tok(js->t.type)) {
                e = qn_js_ident_ref(js);
        } else {
                return qn_js_fail(js, "expected a decorator");
        }
        while (qn_js_eat(js, T(DOT))) {
                if (!qn_js_is_word(js->t.type) && !qn_js_is(js, T(PRIVATE)))
                        return qn_js_fail(js, "expected a property's name");
                m = qn_js_leaf(js, QN_JS_MEMBER);
                qn_js_at(js, m)->start = start;
                qn_js_child_of(js, m, e);
                e = m;
        }
        if (qn_js_is(js, T(LPAREN))) {
                m = qn_js_node(js, QN_JS_CALL, start);
                l = (struct qn_js_list){ e, e };
                qn_js_child_of(js, m, e);
                qn_js_arguments(js, &l);
                e = qn_js_finish(js, m);
        }
        qn_js_child_of(js, n, e);
        return qn_js_finish(js, n);
}

struct qn_js_list qn_js_decorators(struct qn_js *js)
{
        struct qn_js_list l = { 0, 0 };

        while (qn_js_is(js, T(AT)))
                qn_js_push(js, &l, decorator(js));
        return l;
}

static unsigned modifier_bit(const struct qn_js *js)
{
        if (qn_js_is(js, T(ASYNC)))
                return QN_JS_F_ASYNC;
        if (!qn_js_is(js, T(IDENT)) || js->t.escaped)
                return 0;
        switch (js->t.val) {
        case QN_JS_ATOM_W_STATIC:
                return QN_JS_F_STATIC;
        case QN_JS_ATOM_W_GET:
                return QN_JS_F_GET;
        case QN_JS_ATOM_W_SET:
                return QN_JS_F_SET;
        case QN_JS_ATOM_W_ACCESSOR:
                return ACCESSOR;
        default:
                return 0;
        }
}

/* Whether what follows makes the word before it a modifier, not a member's name. */
static bool modifies(const struct qn_js *js, unsigned bit)
{
        if (js->t.nl && (bit & (QN_JS_F_ASYNC | ACCESSOR)))
                return false;
        if (qn_js_is(js, T(MUL)))
                return bit & (QN_JS_F_ASYNC | QN_JS_F_STATIC);
        return qn_js_starts_key(js) || (bit == QN_JS_F_STATIC && qn_js_is(js, T(LBRACE)));
}

/* Takes the modifiers; the last word is the key when nothing follows that it could modify: returned, else 0. */
static uint32_t modifiers(struct qn_js *js, unsigned *flags)
{
        for (;;) {
                struct qn_js_token word = js->t;
                unsigned bit = modifier_bit(js);

                if (!bit || (*flags & bit) || (*flags && bit == QN_JS_F_STATIC))
                        return 0;
                qn_js_next(js);
                if (!modifies(js, bit))
                        return qn_js_key_of(js, &word);
                *flags |= bit;
        }
}

static uint32_t static_block(struct qn_js *js, uint32_t n)
{
        struct qn_js_list l = { 0, 0 };
        struct qn_js_open scope;
        uint32_t mark = js->log.n;
        uint8_t in = js->in;

        qn_js_next(js);
        qn_js_log(js, 0);
        qn_js_scope_open_fn(js, &scope, n, mark);
        js->in = QN_JS_IN_FUNCTION;
        qn_js_statements(js, &l, T(RBRACE));
        js->in = in;
        qn_js_scope_close(js, &scope);
        qn_js_expect(js, T(RBRACE));
        qn_js_at(js, n)->type = QN_JS_STATIC_BLOCK;
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

static uint32_t field_value(struct qn_js *js)
{
        uint8_t in = js->in;
        uint32_t e;

        if (!qn_js_eat(js, T(ASSIGN)))
                return qn_js_empty(js);
        js->in = QN_JS_IN_FUNCTION;
        e = qn_js_assign_in(js);
        js->in = in;
        return e;
}

static uint32_t member(struct qn_js *js)
{
        const unsigned on_function = QN_JS_F_ASYNC | QN_JS_F_GENERATOR;
        uint32_t n = qn_js_node(js, QN_JS_METHOD, js->t.start), key, value;
        unsigned flags = 0;

        key = modifiers(js, &flags);
        if (!key) {
                if (flags == QN_JS_F_STATIC && qn_js_is(js, T(LBRACE)))
                        return static_block(js, n);
                if (qn_js_eat(js, T(MUL)))
                        flags |= QN_JS_F_GENERATOR;
                key = qn_js_key(js, &flags);
        }
        if (qn_js_is(js, T(LPAREN)) && !(flags & ACCESSOR)) {
                value = qn_js_method(js, flags & on_function);
        } else if (flags & (on_function | QN_JS_F_GET | QN_JS_F_SET)) {
                return qn_js_fail(js, "expected '('");
        } else {
                qn_js_at(js, n)->type = QN_JS_FIELD;
                value = field_value(js);
                qn_js_semicolon(js);
        }
        qn_js_at(js, n)->flags = (uint16_t)(flags & ~(on_function | ACCESSOR));
        qn_js_pair(js, n, key, value);
        return qn_js_finish(js, n);
}

static uint32_t class_body(struct qn_js *js, struct qn_js_list l)
{
        uint32_t n = qn_js_node(js, QN_JS_CLASS_BODY, js->t.start);

        qn_js_expect(js, T(LBRACE));
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                if (qn_js_eat(js, T(SEMI)))
                        continue;
                if (qn_js_is(js, T(AT)))
                        qn_js_push(js, &l, decorator(js));
                else
                        qn_js_push(js, &l, member(js));
        }
        qn_js_expect(js, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

static uint32_t class_name(struct qn_js *js, uint32_t n)
{
        if (!qn_js_is_name_tok(js->t.type))
                return qn_js_empty(js);
        return qn_js_binding_ident(js,
                                   (struct qn_js_declare){ .parent = n, .kind = QN_JS_B_CLASS });
}

uint32_t qn_js_class(struct qn_js *js, unsigned flags, struct qn_js_list decorators)
{
        uint32_t n = qn_js_node(js, QN_JS_CLASS, js->t.start), name, parent, body;
        bool strict = js->strict, no_in = js->no_in;
        struct qn_js_open scope;

        if (!qn_js_enter(js))
                return 0;
        js->decorators = (struct qn_js_list){ 0, 0 };
        js->strict = true;
        js->no_in = false;
        qn_js_next(js);
        name = flags & QN_JS_F_STATEMENT ? class_name(js, n) : 0;
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_CLASS, n);
        if (!name)
                name = class_name(js, n);
        js->arrow_at = UINT32_MAX;
        parent = qn_js_eat(js, T(EXTENDS)) ? qn_js_left(js) : qn_js_empty(js);
        body = class_body(js, decorators);
        qn_js_scope_close(js, &scope);
        js->strict = strict;
        js->no_in = no_in;
        qn_js_leave(js);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, name, parent);
        qn_js_link(js, parent, body);
        return qn_js_finish(js, n);
}
