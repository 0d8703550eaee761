/* js-parse-object.c - object literals and the keys they share with classes. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

bool qn_js_starts_key(const struct qn_js *js)
{
        switch (js->t.type) {
        case T(STRING):
        case T(NUMBER):
        case T(BIGINT):
        case T(PRIVATE):
        case T(LBRACK):
                return true;
        default:
                return qn_js_is_word(js->t.type);
        }
}

uint32_t qn_js_key_of(struct qn_js *js, const struct qn_js_token *t)
{
        uint32_t n = qn_js_node(js, QN_JS_IDENT, t->start);

        qn_js_at(js, n)->end = t->end;
        qn_js_at(js, n)->val = t->val;
        qn_js_at(js, n)->flags = t->escaped ? QN_JS_F_ESCAPED : 0;
        return n;
}

uint32_t qn_js_key(struct qn_js *js, unsigned *flags)
{
        uint32_t e;

        switch (js->t.type) {
        case T(STRING):
                return qn_js_leaf(js, QN_JS_STRING);
        case T(NUMBER):
                return qn_js_leaf(js, QN_JS_NUMBER);
        case T(BIGINT):
                return qn_js_leaf(js, QN_JS_BIGINT);
        case T(PRIVATE):
                return qn_js_leaf(js, QN_JS_PRIVATE_NAME);
        case T(LBRACK):
                *flags |= QN_JS_F_COMPUTED;
                qn_js_next(js);
                e = qn_js_assign_in(js);
                qn_js_expect(js, T(RBRACK));
                return e;
        default:
                return qn_js_is_word(js->t.type) ? qn_js_leaf(js, QN_JS_IDENT)
                                                 : qn_js_fail(js, "expected a key");
        }
}

/* `get`, `set` or `async` before a key.  When the word is the key itself, it is returned as such (else 0). */
static uint32_t modifier(struct qn_js *js, unsigned *flags)
{
        struct qn_js_token word = js->t;
        unsigned bit = QN_JS_F_ASYNC;

        if (qn_js_is_atom(js, QN_JS_ATOM_W_GET))
                bit = QN_JS_F_GET;
        else if (qn_js_is_atom(js, QN_JS_ATOM_W_SET))
                bit = QN_JS_F_SET;
        else if (!qn_js_is(js, T(ASYNC)))
                return 0;
        qn_js_next(js);
        if (bit == QN_JS_F_ASYNC ? js->t.nl || !(qn_js_starts_key(js) || qn_js_is(js, T(MUL)))
                                 : !qn_js_starts_key(js))
                return qn_js_key_of(js, &word);
        *flags |= bit;
        return 0;
}

/* { a } and, if it becomes a pattern, { a = 1 } */
static uint32_t shorthand(struct qn_js *js, uint32_t key, unsigned tok)
{
        uint32_t value, n, init;

        if (!qn_js_is_name_tok(tok))
                return qn_js_fail(js, "expected ':'");
        value = qn_js_node(js, QN_JS_IDENT, 0);
        *qn_js_at(js, value) = *qn_js_at(js, key);
        qn_js_at(js, value)->next = 0;
        qn_js_log(js, value);
        if (!qn_js_is(js, T(ASSIGN)))
                return value;
        if (!js->cover)
                js->cover = js->t.start + 1;
        n = qn_js_node(js, QN_JS_DEFAULT, qn_js_at(js, value)->start);
        qn_js_next(js);
        init = qn_js_assign(js);
        qn_js_pair(js, n, value, init);
        return qn_js_finish(js, n);
}

static uint32_t property(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_PROPERTY, js->t.start), key, value;
        unsigned flags = 0, tok;

        tok = js->t.type;
        key = modifier(js, &flags);
        if (!key) {
                if (qn_js_eat(js, T(MUL)))
                        flags |= QN_JS_F_GENERATOR;
                tok = js->t.type;
                key = qn_js_key(js, &flags);
        }
        if (qn_js_is(js, T(LPAREN)) || (js->types && qn_js_is(js, T(LT)))) {
                if (!(flags & (QN_JS_F_GET | QN_JS_F_SET)))
                        flags |= QN_JS_F_METHOD;
                value = qn_js_method(js, flags & (QN_JS_F_ASYNC | QN_JS_F_GENERATOR));
        } else if (flags & ~(unsigned)QN_JS_F_COMPUTED) {
                return qn_js_fail(js, "expected '('");
        } else if (qn_js_eat(js, T(COLON))) {
                value = qn_js_assign(js);
        } else if (flags) {
                return qn_js_fail(js, "expected ':'");
        } else {
                value = shorthand(js, key, tok);
                flags |= QN_JS_F_SHORTHAND;
        }
        qn_js_at(js, n)->flags = (uint16_t)(flags & ~(unsigned)(QN_JS_F_ASYNC | QN_JS_F_GENERATOR));
        qn_js_pair(js, n, key, value);
        return qn_js_finish(js, n);
}

uint32_t qn_js_object(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_OBJECT, js->t.start);
        struct qn_js_list l = { 0, 0 };
        uint8_t around = js->around;

        js->around = 0;
        qn_js_expect(js, T(LBRACE));
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                qn_js_push(js, &l, qn_js_is(js, T(ELLIPSIS)) ? qn_js_spread(js) : property(js));
                if (!qn_js_is(js, T(RBRACE)))
                        qn_js_expect(js, T(COMMA));
        }
        js->around = around;
        qn_js_expect(js, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}
