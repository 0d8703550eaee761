/* js-parse-func.c - functions of every form. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* What a function has of its own and gives back at its end. */
struct outer {
        uint8_t in, around;
        bool strict;
};

static struct outer enter_function(struct qn_js *js, unsigned flags)
{
        struct outer o = { js->in, js->around, js->strict };

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
        js->around = o.around;
        js->strict = o.strict;
}

/* { … }, in the function's own scope. */
static uint32_t body(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_BLOCK, js->t.start);
        struct qn_js_list l = js->properties;

        js->properties = (struct qn_js_list){ 0, 0 };
        js->around = 0;
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

/* --- parameters with types --- */

static bool is_property_word(const struct qn_js *js)
{
        switch (qn_js_is(js, T(IDENT)) && !js->t.escaped ? js->t.val : 0) {
        case QN_JS_ATOM_W_PUBLIC:
        case QN_JS_ATOM_W_PRIVATE:
        case QN_JS_ATOM_W_PROTECTED:
        case QN_JS_ATOM_W_READONLY:
        case QN_JS_ATOM_W_OVERRIDE:
                return true;
        default:
                return false;
        }
}

/* Takes `private` and its like, when a parameter's name follows. */
static bool eat_property_words(struct qn_js *js)
{
        bool any = false;

        while (is_property_word(js)) {
                struct qn_js_mark m = qn_js_save(js);

                qn_js_next(js);
                if (!qn_js_is_name_tok(js->t.type)) {
                        qn_js_restore(js, &m);
                        break;
                }
                any = true;
        }
        return any;
}

/* this.a = a: what `constructor(private a)` means. */
static void add_property(struct qn_js *js, uint32_t name, struct qn_js_list *l)
{
        struct qn_js_node at = *qn_js_at(js, name);
        uint32_t s = qn_js_node(js, QN_JS_EXPR_STMT, at.start), a, m, this, value;

        a = qn_js_node(js, QN_JS_ASSIGN, at.start);
        m = qn_js_node(js, QN_JS_MEMBER, at.start);
        this = qn_js_node(js, QN_JS_THIS, at.start);
        value = qn_js_node(js, QN_JS_IDENT, at.start);
        qn_js_at(js, s)->end = qn_js_at(js, a)->end = qn_js_at(js, m)->end = at.end;
        qn_js_at(js, value)->end = at.end;
        qn_js_at(js, value)->val = qn_js_at(js, m)->val = at.val;
        qn_js_at(js, a)->op = T(ASSIGN);
        qn_js_child_of(js, m, this);
        qn_js_pair(js, a, m, value);
        qn_js_child_of(js, s, a);
        qn_js_log(js, value);
        qn_js_push(js, l, s);
}

/* Flow's components: "name" as local, name as local.  Leaves the local name as the current token. */
static void skip_outer_name(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);

        qn_js_next(js);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS))
                qn_js_next(js);
        else
                qn_js_restore(js, &m);
}

/* @decorator private name?: type = value */
static uint32_t typed_parameter(struct qn_js *js, struct qn_js_declare d,
                                struct qn_js_list *properties)
{
        struct qn_js_list decorators = qn_js_decorators(js);
        uint32_t start, p, n, value;
        bool property = eat_property_words(js);

        if (decorators.first) {
                if (js->param_decorators.first)
                        qn_js_link(js, js->param_decorators.last, decorators.first);
                else
                        js->param_decorators.first = decorators.first;
                js->param_decorators.last = decorators.last;
        }
        if (js->flow && (qn_js_is_word(js->t.type) || qn_js_is(js, T(STRING))))
                skip_outer_name(js);
        start = js->t.start;
        p = qn_js_pattern(js, d);
        qn_js_eat(js, T(QUESTION));
        qn_js_annotation(js);
        if (property && qn_js_at(js, p)->type == QN_JS_IDENT)
                add_property(js, p, properties);
        if (!qn_js_eat(js, T(ASSIGN)))
                return p;
        n = qn_js_node(js, QN_JS_DEFAULT, start);
        value = qn_js_assign_in(js);
        qn_js_pair(js, n, p, value);
        return qn_js_finish(js, n);
}

/* `this: type`, which is no parameter. */
static bool eat_this(struct qn_js *js)
{
        if (!js->types || !qn_js_eat(js, T(THIS)))
                return false;
        qn_js_annotation(js);
        qn_js_eat(js, T(COMMA));
        return true;
}

static uint32_t parameters(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_PARAMS, js->t.start), p;
        struct qn_js_declare d = { .parent = n, .kind = QN_JS_B_PARAM };
        struct qn_js_list l = { 0, 0 }, properties = { 0, 0 };

        qn_js_expect(js, T(LPAREN));
        while (!qn_js_is(js, T(RPAREN)) && !qn_js_is(js, T(END))) {
                if (eat_this(js))
                        continue;
                if (qn_js_is(js, T(ELLIPSIS))) {
                        p = qn_js_node(js, QN_JS_SPREAD, js->t.start);
                        qn_js_next(js);
                        qn_js_child_of(js, p, qn_js_pattern(js, d));
                        qn_js_push(js, &l, qn_js_finish(js, p));
                        qn_js_annotation(js);
                        if (js->types)
                                qn_js_eat(js, T(COMMA));
                        break;
                }
                qn_js_push(js, &l,
                           QN_UNLIKELY(js->types) ? typed_parameter(js, d, &properties)
                                                  : qn_js_pattern_default(js, d));
                if (!qn_js_is(js, T(RPAREN)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RPAREN));
        qn_js_child_of(js, n, l.first);
        js->properties = properties;
        return qn_js_finish(js, n);
}

/* Forgets the function n, which turned out to have no body. */
static uint32_t forget(struct qn_js *js, uint32_t n, uint32_t mark, uint32_t scope, uint32_t decl)
{
        if (js->fatal)
                return 0;
        js->nodes.n = n;
        js->log.n = mark;
        js->decls.n = decl;
        js->scopes.n = js->lists.n = scope;
        js->properties = (struct qn_js_list){ 0, 0 };
        return 0;
}

/* From the parameters on; name is IDENT or EMPTY.  0: there is no body (an overload of TypeScript), or an error. */
static uint32_t rest_of_function(struct qn_js *js, uint32_t n, uint32_t name, unsigned flags)
{
        struct outer outer = enter_function(js, flags);
        struct qn_js_open scope;
        uint32_t params, block, mark = js->log.n, decl = js->decls.n;

        qn_js_log(js, 0);
        qn_js_scope_open_fn(js, &scope, n, mark);
        if (!(flags & QN_JS_F_STATEMENT) && qn_js_at(js, name)->type == QN_JS_IDENT)
                qn_js_declare(js, name,
                              (struct qn_js_declare){ .parent = n,
                                                      .kind = QN_JS_B_FUNCTION,
                                                      .how = QN_JS_DECL_OWN_NAME });
        if (QN_UNLIKELY(js->types))
                qn_js_type_params(js);
        params = parameters(js);
        if (QN_UNLIKELY(js->types)) {
                qn_js_return_type(js);
                if (!qn_js_is(js, T(LBRACE)) && !js->panic) {
                        qn_js_scope_close(js, &scope);
                        leave_function(js, outer);
                        return forget(js, n, mark, scope.scope, decl);
                }
        }
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
        uint32_t n = qn_js_node(js, QN_JS_FUNCTION, start), name, f;
        struct qn_js_declare d = { .parent = n, .kind = QN_JS_B_FUNCTION };

        qn_js_next(js);
        if (qn_js_eat(js, T(MUL)))
                flags |= QN_JS_F_GENERATOR;
        if (!qn_js_is_name_tok(js->t.type))
                name = qn_js_empty(js);
        else if ((flags & QN_JS_F_STATEMENT) && QN_LIKELY(!js->types))
                name = qn_js_binding_ident(js, d);
        else
                name = qn_js_leaf(js, QN_JS_IDENT);
        f = rest_of_function(js, n, name, flags);
        if (QN_LIKELY(!js->types || !(flags & QN_JS_F_STATEMENT)) || js->panic)
                return f;
        if (!f) {
                qn_js_semicolon(js);
                return qn_js_empty(js);
        }
        if (qn_js_at(js, name)->type == QN_JS_IDENT) /* not before: overloads declare nothing */
                qn_js_declare(js, name, d);
        return f;
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
