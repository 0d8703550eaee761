/* js-parse-class.c - classes and decorators. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* A member's modifiers that are no flags of its node. */
enum {
        ACCESSOR = 1 << 20,
        ERASED = 1 << 21,  /* private and its like */
        DROPPED = 1 << 22, /* declare, abstract: the member is not there when the program runs */
};

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
        if (QN_UNLIKELY(js->types))
                qn_js_type_params(js);
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

static unsigned typed_modifier_bit(uint32_t atom)
{
        switch (atom) {
        case QN_JS_ATOM_W_PUBLIC:
        case QN_JS_ATOM_W_PRIVATE:
        case QN_JS_ATOM_W_PROTECTED:
        case QN_JS_ATOM_W_READONLY:
        case QN_JS_ATOM_W_OVERRIDE:
                return ERASED;
        case QN_JS_ATOM_W_DECLARE:
        case QN_JS_ATOM_W_ABSTRACT:
                return DROPPED;
        default:
                return 0;
        }
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
                return js->types ? typed_modifier_bit(js->t.val) : 0;
        }
}

/* Whether what follows makes the word before it a modifier, not a member's name. */
static bool modifies(const struct qn_js *js, unsigned bit)
{
        if (js->t.nl && (bit & (QN_JS_F_ASYNC | ACCESSOR | DROPPED)))
                return false;
        if (qn_js_is(js, T(MUL)))
                return bit & (QN_JS_F_ASYNC | QN_JS_F_STATIC | ERASED);
        if (js->types && (qn_js_is(js, T(ADD)) || qn_js_is(js, T(SUB))))
                return true;
        return qn_js_starts_key(js) || (bit == QN_JS_F_STATIC && qn_js_is(js, T(LBRACE)));
}

/* Takes the modifiers; the last word is the key when nothing follows that it could modify: returned, else 0. */
static uint32_t modifiers(struct qn_js *js, unsigned *flags)
{
        for (;;) {
                struct qn_js_token word = js->t;
                unsigned bit = modifier_bit(js);

                if (!bit || (*flags & bit & ~(unsigned)ERASED) ||
                    ((*flags & ~(unsigned)(ERASED | DROPPED)) && bit == QN_JS_F_STATIC))
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

/* [key: type]: type */
static bool is_index_signature(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool yes;

        if (!js->types || !qn_js_is(js, T(LBRACK)))
                return false;
        qn_js_next(js);
        yes = qn_js_is_name_tok(js->t.type);
        qn_js_next(js);
        yes = yes && qn_js_is(js, T(COLON));
        qn_js_restore(js, &m);
        return yes;
}

static uint32_t index_signature(struct qn_js *js)
{
        qn_js_skip_brackets(js);
        qn_js_annotation(js);
        qn_js_semicolon(js);
        return 0;
}

/* After a member's key. */
static bool starts_method(struct qn_js *js)
{
        if (QN_UNLIKELY(js->types) && (qn_js_is(js, T(QUESTION)) || qn_js_is(js, T(NOT))))
                qn_js_next(js);
        return qn_js_is(js, T(LPAREN)) || (js->types && qn_js_is(js, T(LT)));
}

/* 0: nothing of it runs. */
static uint32_t member(struct qn_js *js)
{
        const unsigned on_function = QN_JS_F_ASYNC | QN_JS_F_GENERATOR;
        uint32_t n = qn_js_node(js, QN_JS_METHOD, js->t.start), key, value;
        unsigned flags = 0;

        key = modifiers(js, &flags);
        if (!key) {
                if (flags == QN_JS_F_STATIC && qn_js_is(js, T(LBRACE)))
                        return static_block(js, n);
                if (is_index_signature(js))
                        return index_signature(js);
                if (QN_UNLIKELY(js->types) && (qn_js_is(js, T(ADD)) || qn_js_is(js, T(SUB))))
                        qn_js_next(js); /* Flow: variance */
                if (qn_js_eat(js, T(MUL)))
                        flags |= QN_JS_F_GENERATOR;
                key = qn_js_key(js, &flags);
        }
        if (starts_method(js) && !(flags & ACCESSOR)) {
                value = qn_js_method(js, flags & on_function);
                if (!value) {
                        qn_js_semicolon(js);
                        return 0;
                }
        } else if (flags & (on_function | QN_JS_F_GET | QN_JS_F_SET)) {
                return qn_js_fail(js, "expected '('");
        } else {
                qn_js_at(js, n)->type = QN_JS_FIELD;
                qn_js_annotation(js);
                value = field_value(js);
                qn_js_semicolon(js);
                if (flags & DROPPED)
                        return 0;
        }
        qn_js_at(js, n)->flags = (uint16_t)(flags & ~(on_function | ACCESSOR | ERASED | DROPPED));
        qn_js_pair(js, n, key, value);
        return qn_js_finish(js, n);
}

/* A member, after the decorators of its parameters. */
static void add_member(struct qn_js *js, struct qn_js_list *l)
{
        uint32_t m = member(js);

        if (js->param_decorators.first) {
                if (l->last)
                        qn_js_link(js, l->last, js->param_decorators.first);
                else
                        l->first = js->param_decorators.first;
                l->last = js->param_decorators.last;
                js->param_decorators = (struct qn_js_list){ 0, 0 };
        }
        if (m)
                qn_js_push(js, l, m);
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
                        add_member(js, &l);
        }
        qn_js_expect(js, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

static uint32_t class_name(struct qn_js *js, uint32_t n)
{
        if (!qn_js_is_name_tok(js->t.type) ||
            (js->types && qn_js_is_atom(js, QN_JS_ATOM_W_IMPLEMENTS)))
                return qn_js_empty(js);
        return qn_js_binding_ident(js,
                                   (struct qn_js_declare){ .parent = n, .kind = QN_JS_B_CLASS });
}

/* What types say between a class's name and its body. */
static void implements(struct qn_js *js)
{
        qn_js_type_params(js);
        while (qn_js_is_atom(js, QN_JS_ATOM_W_IMPLEMENTS) ||
               qn_js_is_atom(js, QN_JS_ATOM_W_MIXINS)) {
                do {
                        qn_js_next(js);
                        qn_js_type(js);
                } while (qn_js_is(js, T(COMMA)));
        }
}

uint32_t qn_js_class(struct qn_js *js, unsigned flags, struct qn_js_list decorators)
{
        uint32_t n = qn_js_node(js, QN_JS_CLASS, js->t.start), name, parent, body;
        bool strict = js->strict;
        uint8_t around = js->around;
        struct qn_js_open scope;

        if (!qn_js_enter(js))
                return 0;
        js->decorators = (struct qn_js_list){ 0, 0 };
        js->strict = true;
        js->around = 0;
        qn_js_next(js);
        name = flags & QN_JS_F_STATEMENT ? class_name(js, n) : 0;
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_CLASS, n);
        if (!name)
                name = class_name(js, n);
        js->arrow_at = UINT32_MAX;
        if (QN_UNLIKELY(js->types))
                qn_js_type_params(js);
        parent = qn_js_eat(js, T(EXTENDS)) ? qn_js_left(js) : qn_js_empty(js);
        if (QN_UNLIKELY(js->types))
                implements(js);
        body = class_body(js, decorators);
        qn_js_scope_close(js, &scope);
        js->strict = strict;
        js->around = around;
        qn_js_leave(js);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, name, parent);
        qn_js_link(js, parent, body);
        return qn_js_finish(js, n);
}
