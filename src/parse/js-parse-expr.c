/* js-parse-expr.c - expressions from the comma down to what follows a primary one.
 * What code repeats without limit is a loop: operators of one level, chains of assignments and conditions, of members and
 * calls.  Recursion is left to what nests in brackets, and to the few levels of operators. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

enum { LEVEL_ASSIGN = 20, LEVEL_COND };

static const uint8_t levels[QN_JS_TOK_MAX] = {
#define TOK(id, text, level) [QN_JS_TOK_##id] = level,
#include "parse/js-tok.def"
#undef TOK
};

/* `as` and `satisfies` bind like comparisons. */
enum { LEVEL_CAST = 8 };

static bool is_cast(const struct qn_js *js)
{
        return !js->t.nl &&
               (qn_js_is_atom(js, QN_JS_ATOM_W_AS) || qn_js_is_atom(js, QN_JS_ATOM_W_SATISFIES));
}

static inline unsigned level(const struct qn_js *js)
{
        unsigned l = levels[js->t.type];

        return QN_UNLIKELY(js->types && l == 0 && is_cast(js)) ? LEVEL_CAST : l;
}

bool qn_js_is_infix(const struct qn_js *js)
{
        return level(js) != 0;
}

bool qn_js_is_bare_arrow(const struct qn_js *js, uint32_t e)
{
        const struct qn_js_node *n = &js->nodes.p[e];

        return n->type == QN_JS_FUNCTION &&
               (n->flags & (QN_JS_F_ARROW | QN_JS_F_PAREN)) == QN_JS_F_ARROW;
}

uint32_t qn_js_expr(struct qn_js *js)
{
        uint32_t start = js->t.start, e = qn_js_assign(js), n;
        struct qn_js_list l = { 0, 0 };

        if (QN_LIKELY(!qn_js_is(js, T(COMMA))))
                return e;
        n = qn_js_node(js, QN_JS_SEQUENCE, start);
        qn_js_push(js, &l, e);
        while (qn_js_eat(js, T(COMMA)))
                qn_js_push(js, &l, qn_js_assign(js));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* --- unary --- */

static uint32_t prefix(struct qn_js *js, unsigned type)
{
        uint32_t n = qn_js_node(js, type, js->t.start), e;
        unsigned op = js->t.type;

        qn_js_at(js, n)->op = (uint8_t)op;
        if (!qn_js_enter(js))
                return 0;
        qn_js_next(js);
        e = qn_js_unary(js);
        qn_js_leave(js);
        if (type == QN_JS_UPDATE) {
                qn_js_at(js, n)->flags = QN_JS_F_PREFIX;
                qn_js_to_target(js, e, op);
        }
        qn_js_child_of(js, n, e);
        return qn_js_finish(js, n);
}

/* Whether what follows `await` (already taken) shows that it is no name, outside all functions of a script or module. */
static bool operand_follows(const struct qn_js *js)
{
        unsigned tok = js->t.type;

        if (tok >= T(IDENT) && tok <= T(TEMPLATE_HEAD))
                return tok != T(IN) && tok != T(INSTANCEOF) && !qn_js_is_atom(js, QN_JS_ATOM_W_OF);
        return tok == T(LPAREN) || tok == T(LBRACK) || tok == T(LBRACE) || tok == T(NOT) ||
               tok == T(BITNOT) || ((tok == T(ADD) || tok == T(SUB)) && js->p[0] != ' ');
}

static bool await_is_keyword(struct qn_js *js)
{
        struct qn_js_mark m;
        bool yes;

        if (js->in & QN_JS_IN_ASYNC)
                return true;
        if ((js->in & QN_JS_IN_FUNCTION) || js->mode == QN_JS_SCRIPT)
                return false;
        if (js->ast.module)
                return true;
        m = qn_js_save(js);
        qn_js_next(js);
        yes = operand_follows(js);
        qn_js_restore(js, &m);
        js->ast.module |= yes;
        return yes;
}

uint32_t qn_js_unary(struct qn_js *js)
{
        uint32_t start = js->t.start, e, n;

        switch (js->t.type) {
        case T(NOT):
        case T(BITNOT):
        case T(ADD):
        case T(SUB):
        case T(TYPEOF):
        case T(VOID):
        case T(DELETE):
                return prefix(js, QN_JS_UNARY);
        case T(INC):
        case T(DEC):
                return prefix(js, QN_JS_UPDATE);
        case T(AWAIT):
                if (await_is_keyword(js))
                        return prefix(js, QN_JS_AWAIT);
                break;
        }
        e = qn_js_left(js);
        if (QN_LIKELY(js->t.type != T(INC) && js->t.type != T(DEC)) || js->t.nl)
                return e;
        n = qn_js_node(js, QN_JS_UPDATE, start);
        qn_js_at(js, n)->op = js->t.type;
        qn_js_to_target(js, e, js->t.type);
        qn_js_next(js);
        qn_js_child_of(js, n, e);
        return qn_js_finish(js, n);
}

/* --- infix --- */

static bool is_bare(const struct qn_js *js, uint32_t e, unsigned type)
{
        const struct qn_js_node *n = &js->nodes.p[e];

        return n->type == type && !(n->flags & QN_JS_F_PAREN);
}

static bool is_logic(const struct qn_js *js, uint32_t e)
{
        unsigned op = js->nodes.p[e].op;

        return is_bare(js, e, QN_JS_BINARY) && (op == T(OROR) || op == T(ANDAND));
}

/* Two mixtures need parentheses: -a ** b and a ?? b || c. */
static void check_mixture(struct qn_js *js, unsigned op, uint32_t left, uint32_t right)
{
        if (op == T(POW) && (is_bare(js, left, QN_JS_UNARY) || is_bare(js, left, QN_JS_AWAIT)))
                qn_js_fail(js, "unary operator before **");
        if (op == T(NULLISH) && (is_logic(js, left) || is_logic(js, right)))
                qn_js_fail(js, "?? mixed with || or &&");
        if (op == T(OROR) && is_bare(js, left, QN_JS_BINARY) && js->nodes.p[left].op == T(NULLISH))
                qn_js_fail(js, "?? mixed with || or &&");
}

static uint32_t binary(struct qn_js *js, uint32_t left, uint32_t start, unsigned min)
{
        for (;;) {
                unsigned op = js->t.type, bind = level(js);
                uint32_t right, right_start, n;

                if (bind <= min || bind >= LEVEL_ASSIGN ||
                    (op == T(IN) && (js->around & QN_JS_AROUND_FOR)) ||
                    qn_js_is_bare_arrow(js, left))
                        return left;
                qn_js_next(js);
                if (QN_UNLIKELY(op == T(IDENT))) {
                        qn_js_type(js);
                        continue;
                }
                right_start = js->t.start;
                right = qn_js_unary(js);
                if (level(js) > bind - (op == T(POW)) && level(js) < LEVEL_ASSIGN) {
                        if (!qn_js_enter(js))
                                return 0;
                        right = binary(js, right, right_start, bind - (op == T(POW)));
                        qn_js_leave(js);
                }
                if (op == T(POW) || op == T(NULLISH) || op == T(OROR))
                        check_mixture(js, op, left, right);
                n = qn_js_node(js, QN_JS_BINARY, start);
                qn_js_at(js, n)->op = (uint8_t)op;
                qn_js_pair(js, n, left, right);
                left = qn_js_finish(js, n);
        }
}

static uint32_t yield(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_YIELD, js->t.start), e;

        qn_js_next(js);
        switch (js->t.nl ? T(SEMI) : js->t.type) {
        case T(SEMI):
        case T(RPAREN):
        case T(RBRACK):
        case T(RBRACE):
        case T(COMMA):
        case T(COLON):
        case T(IN):
        case T(TEMPLATE_MIDDLE):
        case T(TEMPLATE_TAIL):
        case T(END):
                e = qn_js_empty(js);
                break;
        default:
                if (qn_js_eat(js, T(MUL)))
                        qn_js_at(js, n)->flags = QN_JS_F_DELEGATE;
                e = qn_js_assign(js);
        }
        qn_js_child_of(js, n, e);
        return qn_js_finish(js, n);
}

static uint32_t assign_around(struct qn_js *js, unsigned what)
{
        uint8_t around = js->around;
        uint32_t e;

        js->around = (uint8_t)what;
        e = qn_js_assign(js);
        js->around = around;
        return e;
}

uint32_t qn_js_assign_in(struct qn_js *js)
{
        return assign_around(js, 0);
}

/* A chain of = and ?: that grows to the right.  Until its end is known each node's `end` leads back to the one before. */
struct chain {
        uint32_t last, hole; /* last node; the child after which its last one belongs */
};

static void chain_add(struct qn_js *js, struct chain *c, uint32_t n, uint32_t hole)
{
        if (c->last)
                qn_js_link(js, c->hole, n);
        qn_js_at(js, n)->end = c->last;
        *c = (struct chain){ n, hole };
}

static uint32_t chain_end(struct qn_js *js, struct chain *c, uint32_t e)
{
        uint32_t n = c->last, first = e;

        qn_js_link(js, c->hole, e);
        while (n) {
                uint32_t before = qn_js_at(js, n)->end;

                first = qn_js_finish(js, n);
                n = before;
        }
        return first;
}

/* After `a?`: what shows that it is a parameter. */
static bool is_optional(const struct qn_js *js)
{
        return js->types && (qn_js_is(js, T(COLON)) || qn_js_is(js, T(COMMA)) ||
                             qn_js_is(js, T(RPAREN)) || qn_js_is(js, T(ASSIGN)));
}

/* The current token is ? or an assignment operator, e what stands before it.  False: the chain ends, with an optional
 * parameter. */
static bool chain_step(struct qn_js *js, struct chain *c, uint32_t e, uint32_t start)
{
        unsigned op = js->t.type;
        uint32_t n, then;

        if (op == T(QUESTION)) {
                qn_js_next(js);
                if (QN_UNLIKELY(is_optional(js)))
                        return false;
                then = assign_around(js, QN_JS_AROUND_COLON);
                qn_js_expect(js, T(COLON));
                n = qn_js_node(js, QN_JS_COND, start);
                qn_js_pair(js, n, e, then);
                chain_add(js, c, n, then);
                return true;
        }
        qn_js_to_target(js, e, op);
        qn_js_next(js);
        n = qn_js_node(js, QN_JS_ASSIGN, start);
        qn_js_at(js, n)->op = (uint8_t)op;
        qn_js_child_of(js, n, e);
        chain_add(js, c, n, e);
        return true;
}

uint32_t qn_js_assign(struct qn_js *js)
{
        struct chain c = { 0, 0 };
        uint32_t e, start;

        if (!qn_js_enter(js))
                return 0;
        for (;;) {
                start = js->arrow_at = js->t.start;
                if (QN_UNLIKELY(qn_js_is(js, T(YIELD)) && (js->in & QN_JS_IN_GENERATOR))) {
                        e = yield(js);
                        break;
                }
                e = qn_js_unary(js);
                if (level(js) && level(js) < LEVEL_ASSIGN)
                        e = binary(js, e, start, 0);
                if (QN_LIKELY(levels[js->t.type] < LEVEL_ASSIGN) || qn_js_is_bare_arrow(js, e))
                        break;
                if (!chain_step(js, &c, e, start))
                        break;
        }
        if (c.last)
                e = chain_end(js, &c, e);
        qn_js_leave(js);
        return e;
}

/* --- what follows a primary expression --- */

uint32_t qn_js_spread(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_SPREAD, js->t.start);

        qn_js_next(js);
        qn_js_child_of(js, n, qn_js_assign(js));
        return qn_js_finish(js, n);
}

uint32_t qn_js_typed_element(struct qn_js *js, uint32_t e)
{
        uint32_t n, value;

        qn_js_annotation(js);
        if (!qn_js_is(js, T(ASSIGN)))
                return e;
        n = qn_js_node(js, QN_JS_ASSIGN, qn_js_at(js, e)->start);
        qn_js_at(js, n)->op = T(ASSIGN);
        qn_js_next(js);
        value = qn_js_assign(js);
        qn_js_pair(js, n, e, value);
        return qn_js_finish(js, n);
}

bool qn_js_arguments(struct qn_js *js, struct qn_js_list *l)
{
        uint8_t around = js->around;
        bool typed = false;

        js->around = 0;
        qn_js_next(js);
        while (!qn_js_is(js, T(RPAREN)) && !qn_js_is(js, T(END))) {
                uint32_t e = qn_js_is(js, T(ELLIPSIS)) ? qn_js_spread(js) : qn_js_assign(js);

                if (QN_UNLIKELY(js->types && qn_js_is(js, T(COLON)))) {
                        e = qn_js_typed_element(js, e);
                        typed = true;
                }
                qn_js_push(js, l, e);
                if (!qn_js_is(js, T(RPAREN)))
                        qn_js_expect(js, T(COMMA));
        }
        js->around = around;
        qn_js_expect(js, T(RPAREN));
        return typed;
}

static uint32_t call(struct qn_js *js, uint32_t callee, uint32_t start, unsigned flags)
{
        uint32_t n = qn_js_node(js, QN_JS_CALL, start);
        struct qn_js_list l = { callee, callee };

        qn_js_arguments(js, &l);
        qn_js_at(js, n)->first = callee;
        qn_js_at(js, n)->flags = (uint16_t)flags;
        if (is_bare(js, callee, QN_JS_IDENT) && js->nodes.p[callee].val == QN_JS_ATOM_EVAL)
                qn_js_log(js, QN_JS_LOG_EVAL);
        return qn_js_finish(js, n);
}

static uint32_t index_access(struct qn_js *js, uint32_t object, uint32_t start, unsigned flags)
{
        uint32_t n = qn_js_node(js, QN_JS_INDEX, start), e;
        uint8_t around = js->around;

        js->around = 0;
        qn_js_next(js);
        e = qn_js_expr(js);
        js->around = around;
        qn_js_expect(js, T(RBRACK));
        qn_js_pair(js, n, object, e);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        return qn_js_finish(js, n);
}

/* The current token is the property's name. */
static uint32_t member(struct qn_js *js, uint32_t object, uint32_t start, unsigned flags)
{
        uint32_t n;

        if (qn_js_is(js, T(PRIVATE)))
                flags |= QN_JS_F_PRIVATE;
        else if (!qn_js_is_word(js->t.type))
                return qn_js_fail(js, "expected a property's name");
        n = qn_js_node(js, QN_JS_MEMBER, start);
        *qn_js_at(js, n) = (struct qn_js_node){ .type = QN_JS_MEMBER,
                                                .flags = (uint16_t)flags,
                                                .start = start,
                                                .end = js->t.end,
                                                .first = object,
                                                .val = js->t.val };
        qn_js_next(js);
        return n;
}

static uint32_t optional(struct qn_js *js, uint32_t e, uint32_t start)
{
        qn_js_next(js);
        if (QN_UNLIKELY(js->types))
                qn_js_type_params(js);
        if (qn_js_is(js, T(LPAREN)))
                return call(js, e, start, QN_JS_F_OPTIONAL);
        if (qn_js_is(js, T(LBRACK)))
                return index_access(js, e, start, QN_JS_F_OPTIONAL);
        return member(js, e, start, QN_JS_F_OPTIONAL);
}

static uint32_t tagged(struct qn_js *js, uint32_t tag, uint32_t start)
{
        uint32_t n = qn_js_node(js, QN_JS_TAGGED, start), t = qn_js_template(js);

        qn_js_pair(js, n, tag, t);
        return qn_js_finish(js, n);
}

uint32_t qn_js_postfix(struct qn_js *js, uint32_t e, uint32_t start, bool no_call)
{
        for (;;) {
                switch (js->t.type) {
                case T(DOT):
                        qn_js_next(js);
                        e = member(js, e, start, 0);
                        break;
                case T(LPAREN):
                        if (no_call)
                                return e;
                        e = call(js, e, start, 0);
                        break;
                case T(LBRACK):
                        e = index_access(js, e, start, 0);
                        break;
                case T(QDOT):
                        if (no_call)
                                return qn_js_fail(js, "optional chain after new");
                        e = optional(js, e, start);
                        break;
                case T(TEMPLATE):
                case T(TEMPLATE_HEAD):
                        e = tagged(js, e, start);
                        break;
                case T(NOT): /* of TypeScript: not null */
                        if (!js->types || js->t.nl)
                                return e;
                        qn_js_next(js);
                        break;
                case T(LT):
                case T(SHL):
                        if (!js->types || !qn_js_type_args(js))
                                return e;
                        break;
                default:
                        return e;
                }
        }
}

uint32_t qn_js_left(struct qn_js *js)
{
        uint32_t start = js->t.start, e = qn_js_primary(js);

        if (((js->t.type < T(TEMPLATE) || js->t.type > T(QDOT)) && QN_LIKELY(!js->types)) ||
            qn_js_is_bare_arrow(js, e))
                return e;
        return qn_js_postfix(js, e, start, false);
}
