/* js-parse-primary.c - primary expressions: names, literals, parentheses, arrays, templates, new, import. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

typedef uint32_t primary_fn(struct qn_js *js);

uint32_t qn_js_ident_ref(struct qn_js *js)
{
        uint32_t n = qn_js_leaf(js, QN_JS_IDENT);

        qn_js_log(js, n);
        return n;
}

/* A name, or the only parameter of an arrow function. */
static uint32_t name(struct qn_js *js)
{
        uint32_t start = js->t.start, n = qn_js_ident_ref(js);

        if (QN_UNLIKELY(qn_js_is(js, T(ARROW))) && js->arrow_at == start && !js->t.nl)
                return qn_js_arrow(js, start, n, js->log.n - 1, false);
        return n;
}

static uint32_t number(struct qn_js *js)
{
        return qn_js_leaf(js, QN_JS_NUMBER);
}

static uint32_t bigint(struct qn_js *js)
{
        return qn_js_leaf(js, QN_JS_BIGINT);
}

static uint32_t string(struct qn_js *js)
{
        return qn_js_leaf(js, QN_JS_STRING);
}

static uint32_t regex(struct qn_js *js)
{
        qn_js_lex_regex(js);
        if (!qn_js_is(js, T(REGEX)))
                return qn_js_fail(js, "");
        return qn_js_leaf(js, QN_JS_REGEX);
}

/* this, super, null, true, false: nodes that have no value but their type. */
static uint32_t word(struct qn_js *js)
{
        static const uint8_t types[QN_JS_TOK_MAX] = { [T(THIS)] = QN_JS_THIS,
                                                      [T(SUPER)] = QN_JS_SUPER,
                                                      [T(NULL)] = QN_JS_NULL,
                                                      [T(TRUE)] = QN_JS_TRUE,
                                                      [T(FALSE)] = QN_JS_FALSE };
        unsigned type = types[js->t.type];

        js->t.val = 0; /* of the word */
        return qn_js_leaf(js, type);
}

/* #name in object */
static uint32_t private_in(struct qn_js *js)
{
        uint32_t n = qn_js_leaf(js, QN_JS_PRIVATE_NAME);

        return qn_js_is(js, T(IN)) ? n : qn_js_fail(js, "private name without 'in'");
}

/* --- parentheses --- */

/* What stands in parentheses, and how sure it is. */
enum cover {
        COVER_ANY,
        COVER_TYPED,  /* (a: type): parameters, or a cast of Flow */
        COVER_PARAMS, /* only an arrow function's parameters can be: `()`, `(a,)` and `(…b)` */
};

static enum cover parse_cover(struct qn_js *js, struct qn_js_list *l)
{
        bool only_params = true, typed = false;
        uint8_t around = js->around;

        js->around = 0;
        while (!qn_js_is(js, T(RPAREN)) && !qn_js_is(js, T(END))) {
                uint32_t e;

                only_params = qn_js_is(js, T(ELLIPSIS));
                e = only_params ? qn_js_spread(js) : qn_js_assign(js);
                if (QN_UNLIKELY(js->types && !qn_js_is(js, T(RPAREN)) && !qn_js_is(js, T(COMMA)))) {
                        typed |= qn_js_is(js, T(COLON));
                        e = qn_js_typed_element(js, e);
                }
                qn_js_push(js, l, e);
                if (qn_js_is(js, T(RPAREN)))
                        break;
                if (only_params)
                        qn_js_fail(js, "rest parameter must be last");
                qn_js_expect(js, T(COMMA));
                only_params = true; /* unless something follows the comma */
        }
        js->around = around;
        return only_params ? COVER_PARAMS : typed ? COVER_TYPED : COVER_ANY;
}

/* Takes the type that an arrow function whose parameters have just ended returns. */
static void maybe_arrow_type(struct qn_js *js, bool typed)
{
        if (qn_js_is(js, T(COLON)) && (typed || !(js->around & QN_JS_AROUND_COLON)))
                (void)qn_js_arrow_type(js);
}

static uint32_t paren(struct qn_js *js)
{
        uint32_t start = js->t.start, mark = js->log.n, inside, end, n;
        bool may_be_arrow = js->arrow_at == start;
        enum cover cover;
        struct qn_js_list l = { 0, 0 };

        qn_js_log(js, 0); /* an arrow function's scope would begin here */
        qn_js_next(js);
        inside = js->t.start;
        cover = parse_cover(js, &l);
        end = js->prev_end;
        qn_js_expect(js, T(RPAREN));
        if (QN_UNLIKELY(js->types) && may_be_arrow)
                maybe_arrow_type(js, cover != COVER_ANY);
        if (qn_js_is(js, T(ARROW)) && may_be_arrow && !js->t.nl)
                return qn_js_arrow(js, start, l.first, mark, false);
        if (cover == COVER_PARAMS)
                return qn_js_fail(js, "expected an expression");
        n = l.first;
        if (l.first != l.last) {
                n = qn_js_node(js, QN_JS_SEQUENCE, inside);
                qn_js_child_of(js, n, l.first);
                qn_js_at(js, n)->end = end;
        }
        qn_js_at(js, n)->flags |= QN_JS_F_PAREN;
        return n;
}

/* --- async --- */

/* async (…): a call, or the parameters of an arrow function. */
static uint32_t async_paren(struct qn_js *js, uint32_t callee, uint32_t start)
{
        bool may_be_arrow = js->arrow_at == start && !js->t.nl, typed;
        uint32_t mark = js->log.n, n;
        struct qn_js_list l = { 0, 0 };

        qn_js_log(js, 0);
        typed = qn_js_arguments(js, &l);
        if (QN_UNLIKELY(js->types) && may_be_arrow)
                maybe_arrow_type(js, typed || !l.first);
        if (qn_js_is(js, T(ARROW)) && may_be_arrow && !js->t.nl) {
                js->log.p[mark - 1] = 0; /* `async` was no variable */
                return qn_js_arrow(js, start, l.first, mark, true);
        }
        n = qn_js_node(js, QN_JS_CALL, start);
        qn_js_pair(js, n, callee, l.first);
        return qn_js_finish(js, n);
}

/* `for (async of …)`: only an arrow function may begin so. */
static bool is_of_arrow(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool yes;

        if (!(js->around & QN_JS_AROUND_FOR) || !qn_js_is_atom(js, QN_JS_ATOM_W_OF))
                return true;
        qn_js_next(js);
        yes = qn_js_is(js, T(ARROW));
        qn_js_restore(js, &m);
        return yes;
}

static uint32_t async(struct qn_js *js)
{
        uint32_t start = js->t.start, n;

        if (qn_js_is_async_function(js)) {
                qn_js_next(js);
                return qn_js_function(js, start, QN_JS_F_ASYNC);
        }
        n = name(js);
        if (qn_js_is_bare_arrow(js, n))
                return n;
        if (QN_UNLIKELY(js->types) && qn_js_is(js, T(LT)) && js->arrow_at == start &&
            qn_js_is_generic_arrow(js))
                qn_js_type_params(js);
        if (qn_js_is(js, T(LPAREN)))
                return async_paren(js, n, start);
        if (!qn_js_is_name_tok(js->t.type) || js->t.nl || js->arrow_at != start || !is_of_arrow(js))
                return n;
        js->log.n--; /* async x => … */
        n = qn_js_ident_ref(js);
        if (!qn_js_is(js, T(ARROW)) || js->t.nl)
                return qn_js_fail(js, "expected '=>'");
        return qn_js_arrow(js, start, n, js->log.n - 1, true);
}

/* --- brackets --- */

static uint32_t array(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_ARRAY, js->t.start);
        struct qn_js_list l = { 0, 0 };
        uint8_t around = js->around;

        js->around = 0;
        qn_js_next(js);
        while (!qn_js_is(js, T(RBRACK)) && !qn_js_is(js, T(END))) {
                if (qn_js_is(js, T(COMMA))) {
                        qn_js_push(js, &l, qn_js_empty(js));
                        qn_js_next(js);
                        continue;
                }
                qn_js_push(js, &l, qn_js_is(js, T(ELLIPSIS)) ? qn_js_spread(js) : qn_js_assign(js));
                if (!qn_js_is(js, T(RBRACK)))
                        qn_js_expect(js, T(COMMA));
        }
        js->around = around;
        qn_js_expect(js, T(RBRACK));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* A literal part: the token without its marks. */
static uint32_t template_part(struct qn_js *js, unsigned closing)
{
        uint32_t n = qn_js_node(js, QN_JS_TEMPLATE_PART, js->t.start + 1);

        qn_js_at(js, n)->end = js->t.end - closing;
        qn_js_at(js, n)->flags = js->t.escaped ? QN_JS_F_ESCAPED : 0;
        return n;
}

uint32_t qn_js_template(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_TEMPLATE, js->t.start);
        struct qn_js_list l = { 0, 0 };
        uint8_t around = js->around;

        js->around = 0;
        while (qn_js_is(js, T(TEMPLATE_HEAD)) || qn_js_is(js, T(TEMPLATE_MIDDLE))) {
                qn_js_push(js, &l, template_part(js, 2));
                qn_js_next(js);
                qn_js_push(js, &l, qn_js_expr(js));
        }
        js->around = around;
        if (!qn_js_is(js, T(TEMPLATE)) && !qn_js_is(js, T(TEMPLATE_TAIL)))
                return qn_js_fail(js, "expected '}'");
        qn_js_push(js, &l, template_part(js, 1));
        qn_js_next(js);
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* --- new, import, functions --- */

static uint32_t meta(struct qn_js *js, uint32_t start, unsigned kind, uint32_t atom)
{
        uint32_t n = qn_js_node(js, QN_JS_META, start);

        qn_js_next(js);
        if (!qn_js_is_atom(js, atom))
                return qn_js_fail(js, "unknown meta property");
        qn_js_next(js);
        qn_js_at(js, n)->op = (uint8_t)kind;
        return qn_js_finish(js, n);
}

static uint32_t new (struct qn_js *js)
{
        uint32_t start = js->t.start, n, callee, callee_start;
        struct qn_js_list l;

        qn_js_next(js);
        if (qn_js_is(js, T(DOT)))
                return meta(js, start, QN_JS_META_NEW_TARGET, QN_JS_ATOM_W_TARGET);
        if (qn_js_is(js, T(IMPORT)) && js->p[0] != '.')
                return qn_js_fail(js, "new import()");
        if (!qn_js_enter(js))
                return 0;
        callee_start = js->t.start;
        callee = qn_js_primary(js);
        callee = qn_js_postfix(js, callee, callee_start, true);
        qn_js_leave(js);
        n = qn_js_node(js, QN_JS_NEW, start);
        l = (struct qn_js_list){ callee, callee };
        qn_js_child_of(js, n, callee);
        if (qn_js_is(js, T(LPAREN)))
                qn_js_arguments(js, &l);
        return qn_js_finish(js, n);
}

static uint32_t import_call(struct qn_js *js, uint32_t start)
{
        uint32_t n = qn_js_node(js, QN_JS_IMPORT_CALL, start);
        struct qn_js_list l = { 0, 0 };

        qn_js_arguments(js, &l);
        if (!l.first)
                return qn_js_fail(js, "import() of nothing");
        if (l.first == l.last)
                qn_js_push(js, &l, qn_js_empty(js));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* import(…), import.meta, import.source(…), import.defer(…) */
static uint32_t import(struct qn_js *js)
{
        uint32_t start = js->t.start, n;

        qn_js_next(js);
        if (qn_js_is(js, T(LPAREN)))
                return import_call(js, start);
        if (!qn_js_is(js, T(DOT)))
                return qn_js_fail(js, "import declaration in the wrong place");
        if (js->mode != QN_JS_SCRIPT)
                js->ast.module = true;
        qn_js_next(js);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_SOURCE) || qn_js_is_atom(js, QN_JS_ATOM_W_DEFER)) {
                qn_js_next(js);
                return qn_js_is(js, T(LPAREN)) ? import_call(js, start)
                                               : qn_js_fail(js, "expected '('");
        }
        if (!qn_js_is_atom(js, QN_JS_ATOM_W_META))
                return qn_js_fail(js, "unknown meta property");
        n = qn_js_node(js, QN_JS_META, start);
        qn_js_at(js, n)->op = QN_JS_META_IMPORT;
        qn_js_next(js);
        return qn_js_finish(js, n);
}

static uint32_t function(struct qn_js *js)
{
        return qn_js_function(js, js->t.start, 0);
}

static uint32_t class(struct qn_js *js)
{
        return qn_js_class(js, 0, (struct qn_js_list){ 0, 0 });
}

static uint32_t decorated_class(struct qn_js *js)
{
        struct qn_js_list l = qn_js_decorators(js);

        return qn_js_is(js, T(CLASS)) ? qn_js_class(js, 0, l) : qn_js_fail(js, "expected 'class'");
}

/* < before an operand: JSX, and with types a cast or an arrow function's type parameters. */
static uint32_t angle(struct qn_js *js)
{
        bool may_be_arrow = js->arrow_at == js->t.start;
        uint32_t start = js->t.start, e;

        if (!js->types)
                return qn_js_jsx(js);
        if ((js->opts & QN_JS_OPT_JSX) && !(may_be_arrow && qn_js_is_generic_arrow(js)))
                return qn_js_jsx(js);
        if (!qn_js_enter(js))
                return 0;
        qn_js_type_params(js);
        js->arrow_at = may_be_arrow ? js->t.start : UINT32_MAX;
        e = qn_js_unary(js);
        qn_js_leave(js);
        if (qn_js_is_bare_arrow(js, e))
                qn_js_at(js, e)->start = start;
        return e;
}

static primary_fn *const primaries[QN_JS_TOK_MAX] = {
        [T(IDENT)] = name,
        [T(LET)] = name,
        [T(AWAIT)] = name,
        [T(YIELD)] = name,
        [T(USING)] = name,
        [T(ASYNC)] = async,
        [T(NUMBER)] = number,
        [T(BIGINT)] = bigint,
        [T(STRING)] = string,
        [T(DIV)] = regex,
        [T(DIV_ASSIGN)] = regex,
        [T(THIS)] = word,
        [T(SUPER)] = word,
        [T(NULL)] = word,
        [T(TRUE)] = word,
        [T(FALSE)] = word,
        [T(PRIVATE)] = private_in,
        [T(LPAREN)] = paren,
        [T(LBRACK)] = array,
        [T(LBRACE)] = qn_js_object,
        [T(TEMPLATE)] = qn_js_template,
        [T(TEMPLATE_HEAD)] = qn_js_template,
        [T(NEW)] = new,
        [T(IMPORT)] = import,
        [T(FUNCTION)] = function,
        [T(CLASS)] = class,
        [T(AT)] = decorated_class,
        [T(LT)] = angle,
};

uint32_t qn_js_primary(struct qn_js *js)
{
        primary_fn *f = primaries[js->t.type];

        return QN_LIKELY(f != NULL) ? f(js) : qn_js_fail(js, "expected an expression");
}
