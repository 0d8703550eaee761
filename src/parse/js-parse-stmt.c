/* js-parse-stmt.c - statements. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* ( expression ) */
static uint32_t condition(struct qn_js *js)
{
        uint32_t e;

        qn_js_expect(js, T(LPAREN));
        e = qn_js_expr(js);
        qn_js_expect(js, T(RPAREN));
        return e;
}

static uint32_t expression_statement(struct qn_js *js)
{
        uint32_t start = js->t.start, e, s;
        struct qn_js_node *n;

        if (QN_UNLIKELY(js->types) && (s = qn_js_typed_statement(js)) != 0)
                return s;
        e = qn_js_expr(js);
        n = qn_js_at(js, e);
        if (qn_js_is(js, T(COLON)) && n->type == QN_JS_IDENT && !(n->flags & QN_JS_F_PAREN)) {
                js->log.n -= js->log.n && js->log.p[js->log.n - 1] == e; /* no use of a variable */
                qn_js_next(js);
                n->type = QN_JS_LABELED;
                n->flags = 0;
                s = qn_js_statement(js);
                qn_js_at(js, e)->first = s;
                return qn_js_finish(js, e);
        }
        s = qn_js_node(js, QN_JS_EXPR_STMT, start);
        qn_js_at(js, s)->first = e;
        qn_js_semicolon(js);
        return qn_js_finish(js, s);
}

static uint32_t empty_statement(struct qn_js *js)
{
        return qn_js_leaf(js, QN_JS_EMPTY);
}

uint32_t qn_js_block(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_BLOCK, js->t.start);
        struct qn_js_list l = { 0, 0 };
        struct qn_js_open scope;

        qn_js_expect(js, T(LBRACE));
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_BLOCK, n);
        qn_js_statements(js, &l, T(RBRACE));
        qn_js_scope_close(js, &scope);
        qn_js_at(js, n)->first = l.first;
        qn_js_expect(js, T(RBRACE));
        return qn_js_finish(js, n);
}

/* --- declarations --- */

static uint32_t declarator(struct qn_js *js, unsigned kind)
{
        static const uint8_t kinds[] = { [QN_JS_VAR_VAR] = QN_JS_B_VAR,
                                         [QN_JS_VAR_LET] = QN_JS_B_LET,
                                         [QN_JS_VAR_CONST] = QN_JS_B_CONST,
                                         [QN_JS_VAR_USING] = QN_JS_B_CONST };
        uint32_t n = qn_js_node(js, QN_JS_DECLARATOR, js->t.start), init;
        uint32_t target =
                qn_js_pattern(js, (struct qn_js_declare){ .parent = n, .kind = kinds[kind] });

        if (QN_UNLIKELY(js->types)) {
                qn_js_eat(js, T(NOT));
                qn_js_annotation(js);
        }
        if (qn_js_eat(js, T(ASSIGN))) {
                init = qn_js_assign(js);
        } else {
                init = qn_js_empty(js);
                if ((kind == QN_JS_VAR_CONST || qn_js_at(js, target)->type != QN_JS_IDENT) &&
                    !((js->around & QN_JS_AROUND_FOR) &&
                      (qn_js_is(js, T(IN)) || qn_js_is_atom(js, QN_JS_ATOM_W_OF))))
                        qn_js_fail(js, "declaration needs a value");
        }
        qn_js_pair(js, n, target, init);
        return qn_js_finish(js, n);
}

uint32_t qn_js_var(struct qn_js *js, unsigned kind)
{
        uint32_t n = qn_js_node(js, QN_JS_VAR, js->t.start);
        struct qn_js_list l = { 0, 0 };

        do
                qn_js_push(js, &l, declarator(js, kind));
        while (qn_js_eat(js, T(COMMA)));
        qn_js_at(js, n)->first = l.first;
        qn_js_at(js, n)->op = (uint8_t)kind;
        return qn_js_finish(js, n);
}

static uint32_t var_statement(struct qn_js *js, unsigned kind, uint32_t start)
{
        uint32_t n = qn_js_var(js, kind);

        qn_js_at(js, n)->start = start;
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t var(struct qn_js *js)
{
        uint32_t start = js->t.start;

        qn_js_next(js);
        return var_statement(js, QN_JS_VAR_VAR, start);
}

static uint32_t constant(struct qn_js *js)
{
        uint32_t start = js->t.start;

        qn_js_next(js);
        if (qn_js_is(js, T(ENUM)) && js->types)
                return qn_js_enum(js, start);
        return var_statement(js, QN_JS_VAR_CONST, start);
}

/* After `using` (already taken): the name of what it declares, on the same line. */
static bool using_name(const struct qn_js *js)
{
        return qn_js_is_name_tok(js->t.type) && !js->t.nl && !qn_js_is_atom(js, QN_JS_ATOM_W_OF);
}

bool qn_js_eat_decl(struct qn_js *js, unsigned *ret_kind)
{
        unsigned tok = js->t.type;
        struct qn_js_mark m = qn_js_save(js);
        bool yes = false;

        qn_js_next(js);
        *ret_kind = tok == T(LET) ? QN_JS_VAR_LET : QN_JS_VAR_USING;
        if (tok == T(LET)) {
                yes = qn_js_is_name_tok(js->t.type) || qn_js_is(js, T(LBRACK)) ||
                      qn_js_is(js, T(LBRACE));
        } else if (tok == T(USING)) {
                yes = using_name(js);
        } else if (qn_js_is(js, T(USING)) && !js->t.nl) { /* await using */
                qn_js_next(js);
                yes = using_name(js);
        }
        if (!yes)
                qn_js_restore(js, &m);
        return yes;
}

static uint32_t maybe_declaration(struct qn_js *js)
{
        uint32_t start = js->t.start;
        unsigned kind;

        return qn_js_eat_decl(js, &kind) ? var_statement(js, kind, start)
                                         : expression_statement(js);
}

bool qn_js_is_async_function(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool yes;

        qn_js_next(js);
        yes = qn_js_is(js, T(FUNCTION)) && !js->t.nl;
        qn_js_restore(js, &m);
        return yes;
}

static uint32_t function(struct qn_js *js)
{
        return qn_js_function(js, js->t.start, QN_JS_F_STATEMENT);
}

static uint32_t maybe_async(struct qn_js *js)
{
        uint32_t start = js->t.start;

        if (!qn_js_is_async_function(js))
                return expression_statement(js);
        qn_js_next(js);
        return qn_js_function(js, start, QN_JS_F_STATEMENT | QN_JS_F_ASYNC);
}

static uint32_t class(struct qn_js *js)
{
        return qn_js_class(js, QN_JS_F_STATEMENT, (struct qn_js_list){ 0, 0 });
}

/* @decorator class … and @decorator export class … */
static uint32_t decorated(struct qn_js *js)
{
        struct qn_js_list l = qn_js_decorators(js);
        uint32_t n;

        if (qn_js_is(js, T(CLASS)))
                return qn_js_class(js, QN_JS_F_STATEMENT, l);
        js->decorators = l;
        if (qn_js_is(js, T(EXPORT)))
                n = qn_js_export(js);
        else if (js->types && qn_js_is_atom(js, QN_JS_ATOM_W_ABSTRACT))
                n = qn_js_typed_statement(js);
        else
                n = qn_js_fail(js, "expected 'class'");
        js->decorators = (struct qn_js_list){ 0, 0 };
        return n;
}

/* --- branches --- */

/* if … else if … else: a loop, for such chains are long.  Until the end is known `end` leads back to the `if` before. */
static uint32_t if_statement(struct qn_js *js)
{
        uint32_t chain = 0, n, test, then, hole = 0, first = 0;

        do {
                n = qn_js_node(js, QN_JS_IF, js->t.start);
                qn_js_next(js);
                test = condition(js);
                then = qn_js_statement(js);
                qn_js_pair(js, n, test, then);
                if (hole)
                        qn_js_link(js, hole, n);
                qn_js_at(js, n)->end = chain;
                chain = n;
                hole = then;
                if (!qn_js_eat(js, T(ELSE))) {
                        qn_js_link(js, hole, qn_js_empty(js));
                        hole = 0;
                        break;
                }
        } while (qn_js_is(js, T(IF)));
        if (hole)
                qn_js_link(js, hole, qn_js_statement(js));
        for (; chain; chain = n) {
                n = qn_js_at(js, chain)->end;
                first = qn_js_finish(js, chain);
        }
        return first;
}

static uint32_t case_clause(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_CASE, js->t.start);
        struct qn_js_list l = { 0, 0 };

        if (qn_js_eat(js, T(CASE))) {
                js->around |= QN_JS_AROUND_COLON;
                qn_js_push(js, &l, qn_js_expr(js));
                js->around &= (uint8_t)~QN_JS_AROUND_COLON;
        } else {
                qn_js_expect(js, T(DEFAULT));
                qn_js_push(js, &l, qn_js_empty(js));
        }
        qn_js_expect(js, T(COLON));
        while (!qn_js_is(js, T(CASE)) && !qn_js_is(js, T(DEFAULT)) && !qn_js_is(js, T(RBRACE)) &&
               !qn_js_is(js, T(END)))
                qn_js_push(js, &l, qn_js_statement_or_error(js));
        qn_js_at(js, n)->first = l.first;
        return qn_js_finish(js, n);
}

static uint32_t switch_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_SWITCH, js->t.start);
        struct qn_js_list l = { 0, 0 };
        struct qn_js_open scope;

        qn_js_next(js);
        qn_js_push(js, &l, condition(js));
        qn_js_expect(js, T(LBRACE));
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_BLOCK, n);
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END)))
                qn_js_push(js, &l, case_clause(js));
        qn_js_scope_close(js, &scope);
        qn_js_expect(js, T(RBRACE));
        qn_js_at(js, n)->first = l.first;
        return qn_js_finish(js, n);
}

static uint32_t catch_clause(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_CATCH, js->t.start), param, body;
        struct qn_js_open scope;

        qn_js_next(js);
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_BLOCK, n);
        if (qn_js_eat(js, T(LPAREN))) {
                param = qn_js_pattern(js,
                                      (struct qn_js_declare){ .parent = n, .kind = QN_JS_B_CATCH });
                qn_js_annotation(js);
                qn_js_expect(js, T(RPAREN));
        } else {
                param = qn_js_empty(js);
        }
        body = qn_js_block(js);
        qn_js_scope_close(js, &scope);
        qn_js_pair(js, n, param, body);
        return qn_js_finish(js, n);
}

static uint32_t try_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_TRY, js->t.start);
        struct qn_js_list l = { 0, 0 };
        bool caught;

        qn_js_next(js);
        qn_js_push(js, &l, qn_js_block(js));
        caught = qn_js_is(js, T(CATCH));
        qn_js_push(js, &l, caught ? catch_clause(js) : qn_js_empty(js));
        if (qn_js_eat(js, T(FINALLY)))
                qn_js_push(js, &l, qn_js_block(js));
        else if (caught)
                qn_js_push(js, &l, qn_js_empty(js));
        else
                qn_js_fail(js, "try without catch or finally");
        qn_js_at(js, n)->first = l.first;
        return qn_js_finish(js, n);
}

/* --- loops --- */

static uint32_t while_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_WHILE, js->t.start), test, body;

        qn_js_next(js);
        test = condition(js);
        body = qn_js_statement(js);
        qn_js_pair(js, n, test, body);
        return qn_js_finish(js, n);
}

static uint32_t do_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_DO_WHILE, js->t.start), test, body;

        qn_js_next(js);
        body = qn_js_statement(js);
        qn_js_expect(js, T(WHILE));
        test = condition(js);
        qn_js_eat(js, T(SEMI)); /* may be missing here, even on the same line */
        qn_js_pair(js, n, body, test);
        return qn_js_finish(js, n);
}

/* --- small ones --- */

static uint32_t jump(struct qn_js *js, unsigned type)
{
        uint32_t n = qn_js_node(js, type, js->t.start);

        qn_js_next(js);
        if (qn_js_is_name_tok(js->t.type) && !js->t.nl) {
                qn_js_at(js, n)->val = js->t.val;
                qn_js_next(js);
        }
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t break_statement(struct qn_js *js)
{
        return jump(js, QN_JS_BREAK);
}

static uint32_t continue_statement(struct qn_js *js)
{
        return jump(js, QN_JS_CONTINUE);
}

static uint32_t return_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_RETURN, js->t.start), value;
        bool bare;

        qn_js_next(js);
        bare = js->t.nl || qn_js_is(js, T(SEMI)) || qn_js_is(js, T(RBRACE)) || qn_js_is(js, T(END));
        value = bare ? qn_js_empty(js) : qn_js_expr(js);
        qn_js_at(js, n)->first = value;
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t throw_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_THROW, js->t.start), value;

        qn_js_next(js);
        if (js->t.nl)
                return qn_js_fail(js, "line end after throw");
        value = qn_js_expr(js);
        qn_js_at(js, n)->first = value;
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t with_statement(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_WITH, js->t.start), object, body;
        struct qn_js_open scope;

        qn_js_next(js);
        object = condition(js);
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_BLOCK, n);
        (void)qn_js_scope_number(js, &scope);
        body = qn_js_statement(js);
        qn_js_scope_close(js, &scope);
        qn_js_pair(js, n, object, body);
        return qn_js_finish(js, n);
}

static uint32_t debugger(struct qn_js *js)
{
        uint32_t n = qn_js_leaf(js, QN_JS_DEBUGGER);

        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t enumeration(struct qn_js *js)
{
        return js->types ? qn_js_enum(js, js->t.start) : qn_js_fail(js, "unexpected word");
}

static uint32_t misplaced(struct qn_js *js)
{
        return qn_js_fail(js, "unexpected word");
}

typedef uint32_t statement_fn(struct qn_js *js);

static statement_fn *const statements[QN_JS_TOK_MAX] = {
        [T(LBRACE)] = qn_js_block,
        [T(SEMI)] = empty_statement,
        [T(VAR)] = var,
        [T(CONST)] = constant,
        [T(LET)] = maybe_declaration,
        [T(USING)] = maybe_declaration,
        [T(AWAIT)] = maybe_declaration,
        [T(FUNCTION)] = function,
        [T(ASYNC)] = maybe_async,
        [T(CLASS)] = class,
        [T(AT)] = decorated,
        [T(IF)] = if_statement,
        [T(FOR)] = qn_js_for,
        [T(WHILE)] = while_statement,
        [T(DO)] = do_statement,
        [T(BREAK)] = break_statement,
        [T(CONTINUE)] = continue_statement,
        [T(RETURN)] = return_statement,
        [T(THROW)] = throw_statement,
        [T(TRY)] = try_statement,
        [T(SWITCH)] = switch_statement,
        [T(WITH)] = with_statement,
        [T(DEBUGGER)] = debugger,
        [T(IMPORT)] = qn_js_import,
        [T(EXPORT)] = qn_js_export,
        [T(ENUM)] = enumeration,
        [T(CASE)] = misplaced,
        [T(DEFAULT)] = misplaced,
        [T(ELSE)] = misplaced,
        [T(CATCH)] = misplaced,
        [T(FINALLY)] = misplaced,
};

uint32_t qn_js_statement(struct qn_js *js)
{
        statement_fn *f = statements[js->t.type];
        uint32_t s;

        if (!qn_js_enter(js))
                return 0;
        s = f ? f(js) : expression_statement(js);
        qn_js_leave(js);
        return s;
}
