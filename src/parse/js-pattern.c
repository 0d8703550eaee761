/* js-pattern.c - patterns: those that declare, and expressions that turn out to be patterns, which are converted in place.
 * The recursion of the conversion is bounded: each level was a level of the expression, which had its depth counted. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* --- declaring --- */

uint32_t qn_js_binding_ident(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n;

        if (!qn_js_is_name_tok(js->t.type))
                return qn_js_fail(js, "expected a name");
        n = qn_js_leaf(js, QN_JS_IDENT);
        qn_js_declare(js, n, d);
        return n;
}

uint32_t qn_js_pattern_default(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t start = js->t.start, p = qn_js_pattern(js, d), n, init;

        if (!qn_js_eat(js, T(ASSIGN)))
                return p;
        n = qn_js_node(js, QN_JS_DEFAULT, start);
        init = qn_js_assign_in(js);
        qn_js_pair(js, n, p, init);
        return qn_js_finish(js, n);
}

static uint32_t rest(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n = qn_js_node(js, QN_JS_SPREAD, js->t.start);

        qn_js_next(js);
        qn_js_child_of(js, n, qn_js_pattern(js, d));
        return qn_js_finish(js, n);
}

static uint32_t array_pattern(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n = qn_js_node(js, QN_JS_ARRAY, js->t.start);
        struct qn_js_list l = { 0, 0 };

        qn_js_next(js);
        while (!qn_js_is(js, T(RBRACK)) && !qn_js_is(js, T(END))) {
                if (qn_js_is(js, T(COMMA))) {
                        qn_js_push(js, &l, qn_js_empty(js));
                        qn_js_next(js);
                        continue;
                }
                if (qn_js_is(js, T(ELLIPSIS))) {
                        qn_js_push(js, &l, rest(js, d));
                        break;
                }
                qn_js_push(js, &l, qn_js_pattern_default(js, d));
                if (!qn_js_is(js, T(RBRACK)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RBRACK));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* { a } and { a = 1 }: the key is a name, which is declared by its copy. */
static uint32_t shorthand(struct qn_js *js, uint32_t key, struct qn_js_declare d)
{
        uint32_t value = qn_js_node(js, QN_JS_IDENT, 0), n, init;

        *qn_js_at(js, value) = *qn_js_at(js, key);
        qn_js_declare(js, value, d);
        if (!qn_js_eat(js, T(ASSIGN)))
                return value;
        n = qn_js_node(js, QN_JS_DEFAULT, qn_js_at(js, value)->start);
        init = qn_js_assign_in(js);
        qn_js_pair(js, n, value, init);
        return qn_js_finish(js, n);
}

static uint32_t property_pattern(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n = qn_js_node(js, QN_JS_PROPERTY, js->t.start), key, value;
        unsigned flags = 0, tok = js->t.type;

        key = qn_js_key(js, &flags);
        if (qn_js_eat(js, T(COLON))) {
                value = qn_js_pattern_default(js, d);
        } else if (qn_js_is_name_tok(tok)) {
                value = shorthand(js, key, d);
                flags |= QN_JS_F_SHORTHAND;
        } else {
                return qn_js_fail(js, "expected ':'");
        }
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, key, value);
        return qn_js_finish(js, n);
}

static uint32_t object_pattern(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n = qn_js_node(js, QN_JS_OBJECT, js->t.start);
        struct qn_js_list l = { 0, 0 };

        qn_js_next(js);
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                if (qn_js_is(js, T(ELLIPSIS))) {
                        qn_js_push(js, &l, rest(js, d));
                        break;
                }
                qn_js_push(js, &l, property_pattern(js, d));
                if (!qn_js_is(js, T(RBRACE)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

uint32_t qn_js_pattern(struct qn_js *js, struct qn_js_declare d)
{
        uint32_t n;

        if (QN_LIKELY(!qn_js_is(js, T(LBRACK)) && !qn_js_is(js, T(LBRACE))))
                return qn_js_binding_ident(js, d);
        if (!qn_js_enter(js))
                return 0;
        n = qn_js_is(js, T(LBRACK)) ? array_pattern(js, d) : object_pattern(js, d);
        qn_js_leave(js);
        return n;
}

/* --- converting --- */

/* What the walk over a pattern does with its names: params != 0 declares them, else they are written to. */
struct conversion {
        uint32_t params;
        unsigned op;
};

static void convert(struct qn_js *js, uint32_t e, const struct conversion *c);

static void convert_name(struct qn_js *js, uint32_t e, const struct conversion *c)
{
        if (c->params) {
                qn_js_at(js, e)->op = QN_JS_REF_READ;
                qn_js_declare(js, e,
                              (struct qn_js_declare){ .parent = c->params, .kind = QN_JS_B_PARAM });
        } else {
                qn_js_at(js, e)->op = c->op == T(ASSIGN) ? QN_JS_REF_WRITE : QN_JS_REF_BOTH;
        }
}

/* An element of a pattern: may have a default value, may be a hole or the rest. */
static void convert_element(struct qn_js *js, uint32_t e, const struct conversion *c)
{
        struct qn_js_node *n = qn_js_at(js, e);

        switch (n->type) {
        case QN_JS_EMPTY:
                return;
        case QN_JS_SPREAD:
                if (n->next)
                        qn_js_fail_at(js, n->start, "rest element must be last");
                return convert(js, n->first, c);
        case QN_JS_ASSIGN:
                if (n->op != T(ASSIGN) || (n->flags & QN_JS_F_PAREN)) {
                        qn_js_fail_at(js, n->start, "not a pattern");
                        return;
                }
                n->type = QN_JS_DEFAULT;
                n->op = 0;
                if (c->params) /* as a target it was converted when it was met */
                        convert(js, n->first, c);
                return;
        case QN_JS_DEFAULT:
                return convert(js, n->first, c);
        case QN_JS_PROPERTY:
                if (n->flags & (QN_JS_F_METHOD | QN_JS_F_GET | QN_JS_F_SET))
                        qn_js_fail_at(js, n->start, "method in a pattern");
                else
                        convert_element(js, qn_js_at(js, n->first)->next, c);
                return;
        default:
                return convert(js, e, c);
        }
}

static void convert(struct qn_js *js, uint32_t e, const struct conversion *c)
{
        const struct qn_js_node *n = qn_js_at(js, e);

        switch (n->type) {
        case QN_JS_IDENT:
                if (!c->params || !(n->flags & QN_JS_F_PAREN))
                        return convert_name(js, e, c);
                break;
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
                if (!c->params && !(n->flags & QN_JS_F_OPTIONAL))
                        return;
                break;
        case QN_JS_ARRAY:
        case QN_JS_OBJECT:
                if (c->op != T(ASSIGN) || (n->flags & QN_JS_F_PAREN))
                        break;
                js->cover = 0;
                for (uint32_t i = n->first; i; i = qn_js_at(js, i)->next)
                        convert_element(js, i, c);
                return;
        }
        qn_js_fail_at(js, n->start, c->params ? "not a parameter" : "cannot be assigned to");
}

void qn_js_to_target(struct qn_js *js, uint32_t e, unsigned op)
{
        convert(js, e, &(struct conversion){ .op = op });
}

void qn_js_to_param(struct qn_js *js, uint32_t e, uint32_t params)
{
        convert_element(js, e, &(struct conversion){ .params = params, .op = T(ASSIGN) });
}
