/* js-parse-func.c - functions of every form. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* What a function has of its own and gives back at its end. */
struct outer {
        uint8_t in;
        bool no_in, strict;
};

static struct outer enter_function(struct qn_js *js, unsigned flags)
{
        struct outer o = { js->in, js->no_in, js->strict };

        js->in = QN_JS_IN_FUNCTION;
        if (flags & QN_JS_F_ASYNC)
                js->in |= QN_JS_IN_ASYNC;
        if (flags & QN_JS_F_GENERATOR)
                js->in |= QN_JS_IN_GENERATOR;
        return o;
}

static void leave_function(struct qn_js *js, struct outer o)
{
        js->in = o.in;
        js->no_in = o.no_in;
        js->strict = o.strict;
}

/* { … }, in the function's own scope. */
static uint32_t body(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_BLOCK, js->t.start);
        struct qn_js_list l = { 0, 0 };

        js->no_in = false;
        qn_js_expect(js, T(LBRACE));
        qn_js_body_statements(js, &l, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return n;
}

/* The function is over before its last brace is taken: what follows belongs to the code around it. */
static void close_body(struct qn_js *js, uint32_t n)
{
        qn_js_expect(js, T(RBRACE));
        qn_js_finish(js, n);
}

static uint32_t parameters(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_PARAMS, js->t.start), p;
        struct qn_js_declare d = { .parent = n, .kind = QN_JS_B_PARAM };
        struct qn_js_list l = { 0, 0 };

        qn_js_expect(js, T(LPAREN));
        while (!qn_js_is(js, T(RPAREN)) && !qn_js_is(js, T(END))) {
                if (qn_js_is(js, T(ELLIPSIS))) {
                        p = qn_js_node(js, QN_JS_SPREAD, js->t.start);
                        qn_js_next(js);
                        qn_js_child_of(js, p, qn_js_pattern(js, d));
                        qn_js_push(js, &l, qn_js_finish(js, p));
                        break;
                }
                qn_js_push(js, &l, qn_js_pattern_default(js, d));
                if (!qn_js_is(js, T(RPAREN)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RPAREN));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* From the parameters on; name is IDENT or EMPTY. */
static uint32_t rest_of_function(struct qn_js *js, uint32_t n, uint32_t name, unsigned flags)
{
        struct outer outer = enter_function(js, flags);
        struct qn_js_open scope;
        uint32_t params, block, mark = js->log.n;

        qn_js_log(js, 0);
        qn_js_scope_open_fn(js, &scope, n, mark);
        if (!(flags & QN_JS_F_STATEMENT) && qn_js_at(js, name)->type == QN_JS_IDENT)
                qn_js_declare(js, name,
                              (struct qn_js_declare){ .parent = n,
                                                      .kind = QN_JS_B_FUNCTION,
                                                      .how = QN_JS_DECL_OWN_NAME });
        params = parameters(js);
        block = body(js);
        qn_js_scope_close(js, &scope);
        leave_function(js, outer);
        close_body(js, block);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, name, params);
        qn_js_link(js, params, block);
        return qn_js_finish(js, n);
}

uint32_t qn_js_method(struct qn_js *js, unsigned flags)
{
        uint32_t n = qn_js_node(js, QN_JS_FUNCTION, js->t.start), name = qn_js_empty(js);

        return rest_of_function(js, n, name, flags);
}

uint32_t qn_js_function(struct qn_js *js, uint32_t start, unsigned flags)
{
        uint32_t n = qn_js_node(js, QN_JS_FUNCTION, start), name;

        qn_js_next(js);
        if (qn_js_eat(js, T(MUL)))
                flags |= QN_JS_F_GENERATOR;
        if (!qn_js_is_name_tok(js->t.type))
                name = qn_js_empty(js);
        else if (flags & QN_JS_F_STATEMENT)
                name = qn_js_binding_ident(
                        js, (struct qn_js_declare){ .parent = n, .kind = QN_JS_B_FUNCTION });
        else
                name = qn_js_leaf(js, QN_JS_IDENT);
        return rest_of_function(js, n, name, flags);
}

/* The parameters' expressions become patterns, and the list of them the child of PARAMS. */
static uint32_t arrow_params(struct qn_js *js, uint32_t start, uint32_t list)
{
        uint32_t n = qn_js_node(js, QN_JS_PARAMS, start);

        qn_js_child_of(js, n, list);
        for (uint32_t i = list; i; i = qn_js_at(js, i)->next)
                qn_js_to_param(js, i, n);
        js->cover = 0;
        return qn_js_finish(js, n);
}

static uint32_t arrow_body(struct qn_js *js, unsigned *flags)
{
        if (qn_js_is(js, T(LBRACE)))
                return body(js);
        *flags |= QN_JS_F_EXPR_BODY;
        return qn_js_assign(js);
}

uint32_t qn_js_arrow(struct qn_js *js, uint32_t start, uint32_t list, uint32_t mark, bool async)
{
        unsigned flags = QN_JS_F_ARROW | (async ? QN_JS_F_ASYNC : 0);
        uint32_t n = qn_js_node(js, QN_JS_FUNCTION, start), name = qn_js_empty(js), params, block;
        struct qn_js_open scope;
        struct outer outer = enter_function(js, flags);

        qn_js_scope_open_fn(js, &scope, n, mark);
        params = arrow_params(js, start, list);
        qn_js_next(js);
        block = arrow_body(js, &flags);
        qn_js_scope_close(js, &scope);
        leave_function(js, outer);
        if (!(flags & QN_JS_F_EXPR_BODY))
                close_body(js, block);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, name, params);
        qn_js_link(js, params, block);
        return qn_js_finish(js, n);
}
