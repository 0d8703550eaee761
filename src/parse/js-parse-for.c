/* js-parse-for.c - the four kinds of `for`, which look alike until the head's first part is over. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* `var`, `let`, `const`, `using` or `await using`, when the head begins with one. */
static bool eat_kind(struct qn_js *js, unsigned *ret_kind)
{
        switch (js->t.type) {
        case T(VAR):
                *ret_kind = QN_JS_VAR_VAR;
                break;
        case T(CONST):
                *ret_kind = QN_JS_VAR_CONST;
                break;
        case T(LET):
        case T(USING):
        case T(AWAIT):
                return qn_js_eat_decl(js, ret_kind);
        default:
                return false;
        }
        qn_js_next(js);
        return true;
}

static uint32_t first_part(struct qn_js *js)
{
        uint32_t start = js->t.start, n;
        unsigned kind;

        if (qn_js_is(js, T(SEMI)))
                return qn_js_empty(js);
        js->around = QN_JS_AROUND_FOR;
        if (eat_kind(js, &kind)) {
                n = qn_js_var(js, kind);
                qn_js_at(js, n)->start = start;
        } else {
                n = qn_js_expr(js);
        }
        js->around = 0;
        return n;
}

/* The names that the loop's own declaration declared get their values from the loop. */
static void mark_loop_names(struct qn_js *js, uint32_t left, uint32_t first_decl)
{
        uint32_t declarator = qn_js_at(js, left)->first;

        for (uint32_t i = first_decl; i < js->decls.n; i++)
                if (js->decls.p[i].parent == declarator)
                        js->decls.p[i].how = QN_JS_DECL_LOOP;
}

/* for (left of right) and for (left in right). */
static void each(struct qn_js *js, uint32_t n, uint32_t left, uint32_t first_decl, bool of)
{
        uint32_t right, body;

        if (qn_js_at(js, left)->type == QN_JS_VAR)
                mark_loop_names(js, left, first_decl);
        else
                qn_js_to_target(js, left, T(ASSIGN));
        qn_js_next(js);
        right = of ? qn_js_assign(js) : qn_js_expr(js);
        qn_js_expect(js, T(RPAREN));
        body = qn_js_statement(js);
        qn_js_at(js, n)->type = of ? QN_JS_FOR_OF : QN_JS_FOR_IN;
        qn_js_pair(js, n, left, right);
        qn_js_at(js, right)->next = body;
}

static void classic(struct qn_js *js, uint32_t n, uint32_t init)
{
        struct qn_js_list l = { 0, 0 };

        qn_js_push(js, &l, init);
        qn_js_expect(js, T(SEMI));
        qn_js_push(js, &l, qn_js_is(js, T(SEMI)) ? qn_js_empty(js) : qn_js_expr(js));
        qn_js_expect(js, T(SEMI));
        qn_js_push(js, &l, qn_js_is(js, T(RPAREN)) ? qn_js_empty(js) : qn_js_expr(js));
        qn_js_expect(js, T(RPAREN));
        qn_js_push(js, &l, qn_js_statement(js));
        qn_js_at(js, n)->first = l.first;
}

uint32_t qn_js_for(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_FOR, js->t.start), first, first_decl = js->decls.n;
        struct qn_js_open scope;
        uint8_t around = js->around;

        qn_js_next(js);
        if (qn_js_is(js, T(AWAIT))) {
                qn_js_next(js);
                qn_js_at(js, n)->flags = QN_JS_F_AWAIT;
                if (!(js->in & QN_JS_IN_FUNCTION))
                        js->ast.module = true;
        }
        qn_js_expect(js, T(LPAREN));
        qn_js_scope_open(js, &scope, QN_JS_SCOPE_BLOCK, n);
        first = first_part(js);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_OF))
                each(js, n, first, first_decl, true);
        else if (qn_js_is(js, T(IN)))
                each(js, n, first, first_decl, false);
        else
                classic(js, n, first);
        qn_js_scope_close(js, &scope);
        js->around = around;
        return qn_js_finish(js, n);
}
