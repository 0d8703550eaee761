/* js-parse-module.c - import and export declarations. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

static void now_module(struct qn_js *js)
{
        if (js->mode == QN_JS_SCRIPT)
                return;
        js->ast.module = true;
        js->strict = true;
}

/* "module": takes the string. */
static uint32_t source(struct qn_js *js)
{
        return qn_js_is(js, T(STRING)) ? qn_js_leaf(js, QN_JS_STRING)
                                       : qn_js_fail(js, "expected a module's name");
}

static uint32_t from(struct qn_js *js)
{
        if (!qn_js_is_atom(js, QN_JS_ATOM_FROM))
                return qn_js_fail(js, "expected 'from'");
        qn_js_next(js);
        return source(js);
}

/* with { type: "json" }, or assert in its place. */
static void attributes(struct qn_js *js, struct qn_js_list *l)
{
        if (!qn_js_is(js, T(WITH)) && (js->t.nl || !qn_js_is_atom(js, QN_JS_ATOM_W_ASSERT)))
                return;
        qn_js_next(js);
        if (!qn_js_is(js, T(LBRACE))) {
                qn_js_fail(js, "expected '{'");
                return;
        }
        qn_js_push(js, l, qn_js_object(js));
}

/* A name of an export: any word, or a string. */
static uint32_t export_name(struct qn_js *js)
{
        uint32_t atom = js->t.val;

        if (qn_js_is(js, T(STRING))) {
                struct qn_str raw = { (const char *)js->src + js->t.start + 1,
                                      js->t.end - js->t.start - 2 };
                struct qn_str text = js->t.escaped ? qn_js_decode(raw, &js->text) : raw;

                atom = text.p ? qn_js_intern(js, text) : 0;
        } else if (!qn_js_is_word(js->t.type)) {
                return qn_js_fail(js, "expected a name");
        }
        qn_js_next(js);
        return atom;
}

/* --- import --- */

static struct qn_js_declare import_binding(uint32_t spec)
{
        return (struct qn_js_declare){ .parent = spec, .kind = QN_JS_B_IMPORT };
}

/* A specifier whose local name is the current token. */
static uint32_t plain_spec(struct qn_js *js, uint32_t start, uint32_t imported)
{
        uint32_t n = qn_js_node(js, QN_JS_IMPORT_SPEC, start);

        qn_js_at(js, n)->val = imported;
        qn_js_child_of(js, n, qn_js_binding_ident(js, import_binding(n)));
        return qn_js_finish(js, n);
}

static uint32_t namespace(struct qn_js *js)
{
        uint32_t start = js->t.start;

        qn_js_next(js);
        if (!qn_js_is_atom(js, QN_JS_ATOM_W_AS))
                return qn_js_fail(js, "expected 'as'");
        qn_js_next(js);
        return plain_spec(js, start, 0);
}

/* a, a as b, "a" as b */
static uint32_t named_spec(struct qn_js *js)
{
        struct qn_js_token first = js->t;
        uint32_t atom = export_name(js), n;

        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) {
                qn_js_next(js);
                return plain_spec(js, first.start, atom);
        }
        if (!qn_js_is_name_tok(first.type))
                return qn_js_fail(js, "expected 'as'");
        n = qn_js_node(js, QN_JS_IMPORT_SPEC, first.start);
        qn_js_at(js, n)->val = atom;
        qn_js_child_of(js, n, qn_js_key_of(js, &first));
        qn_js_declare(js, qn_js_at(js, n)->first, import_binding(n));
        return qn_js_finish(js, n);
}

/* A name of a type, with `as`: leaves nothing. */
static void skip_spec(struct qn_js *js)
{
        (void)export_name(js);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) {
                qn_js_next(js);
                (void)export_name(js);
        }
}

static void named_specs(struct qn_js *js, struct qn_js_list *l)
{
        qn_js_next(js);
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                if (QN_UNLIKELY(js->types) && qn_js_eat_type_only(js))
                        skip_spec(js);
                else
                        qn_js_push(js, l, named_spec(js));
                if (!qn_js_is(js, T(RBRACE)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RBRACE));
}

/* `source` or `defer` between import and what is imported: taken. */
static void phase(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool deferred = qn_js_is_atom(js, QN_JS_ATOM_W_DEFER);

        if (!deferred && !qn_js_is_atom(js, QN_JS_ATOM_W_SOURCE))
                return;
        qn_js_next(js);
        if (deferred ? qn_js_is(js, T(MUL))
                     : qn_js_is_name_tok(js->t.type) && !qn_js_is_atom(js, QN_JS_ATOM_FROM))
                return;
        qn_js_restore(js, &m);
}

static void import_clause(struct qn_js *js, struct qn_js_list *l)
{
        phase(js);
        if (qn_js_is_name_tok(js->t.type)) {
                qn_js_push(js, l, plain_spec(js, js->t.start, QN_JS_ATOM_DEFAULT_NAME));
                if (!qn_js_eat(js, T(COMMA)))
                        return;
        }
        if (qn_js_is(js, T(MUL)))
                qn_js_push(js, l, namespace(js));
        else if (qn_js_is(js, T(LBRACE)))
                named_specs(js, l);
        else
                qn_js_fail(js, "expected names to import");
}

static uint32_t expression_after_all(struct qn_js *js, const struct qn_js_mark *m)
{
        uint32_t n, e;

        qn_js_restore(js, m);
        n = qn_js_node(js, QN_JS_EXPR_STMT, js->t.start);
        e = qn_js_expr(js);
        qn_js_child_of(js, n, e);
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

uint32_t qn_js_import(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        struct qn_js_list specs = { 0, 0 }, l = { 0, 0 };
        uint32_t n;

        qn_js_next(js);
        if (qn_js_is(js, T(LPAREN)) || qn_js_is(js, T(DOT)))
                return expression_after_all(js, &m);
        if (QN_UNLIKELY(js->types) && (n = qn_js_typed_import(js, m.t.start)) != 0)
                return n;
        now_module(js);
        n = qn_js_node(js, QN_JS_IMPORT, m.t.start);
        if (qn_js_is(js, T(STRING))) {
                qn_js_push(js, &l, source(js));
        } else {
                import_clause(js, &specs);
                qn_js_push(js, &l, from(js));
                if (specs.first) {
                        qn_js_link(js, l.last, specs.first);
                        l.last = specs.last;
                }
        }
        attributes(js, &l);
        qn_js_child_of(js, n, l.first);
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

/* --- export --- */

static uint32_t export_spec(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_EXPORT_SPEC, js->t.start), local, atom = js->t.val;

        if (qn_js_is(js, T(STRING))) {
                struct qn_js_token t = js->t;

                atom = export_name(js);
                local = qn_js_key_of(js, &t);
                qn_js_at(js, local)->type = QN_JS_STRING;
                qn_js_at(js, local)->val = 0;
        } else if (qn_js_is_word(js->t.type)) {
                local = qn_js_ident_ref(js);
        } else {
                return qn_js_fail(js, "expected a name");
        }
        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) {
                qn_js_next(js);
                atom = export_name(js);
        }
        qn_js_at(js, n)->val = atom;
        qn_js_child_of(js, n, local);
        return qn_js_finish(js, n);
}

/* { a, b as c } [from "module"] */
static void export_list(struct qn_js *js, struct qn_js_list *l)
{
        struct qn_js_list specs = { 0, 0 };
        uint32_t log = js->log.n;

        qn_js_push(js, l, qn_js_empty(js));
        qn_js_next(js);
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                if (QN_UNLIKELY(js->types) && qn_js_eat_type_only(js))
                        skip_spec(js);
                else
                        qn_js_push(js, &specs, export_spec(js));
                if (!qn_js_is(js, T(RBRACE)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RBRACE));
        if (qn_js_is_atom(js, QN_JS_ATOM_FROM)) {
                js->log.n = log; /* names of the other module */
                qn_js_push(js, l, from(js));
        } else {
                qn_js_push(js, l, qn_js_empty(js));
        }
        if (specs.first) {
                qn_js_link(js, l->last, specs.first);
                l->last = specs.last;
        }
        attributes(js, l);
        qn_js_semicolon(js);
}

/* * from "module", * as name from "module" */
static uint32_t export_all(struct qn_js *js, uint32_t n)
{
        struct qn_js_list l = { 0, 0 };

        qn_js_at(js, n)->type = QN_JS_EXPORT_ALL;
        qn_js_next(js);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) {
                qn_js_next(js);
                qn_js_at(js, n)->val = export_name(js);
        }
        qn_js_push(js, &l, from(js));
        attributes(js, &l);
        qn_js_child_of(js, n, l.first);
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

static uint32_t exported_class(struct qn_js *js)
{
        struct qn_js_list l = js->decorators.first ? js->decorators : qn_js_decorators(js);

        return qn_js_is(js, T(CLASS)) ? qn_js_class(js, QN_JS_F_STATEMENT, l)
                                      : qn_js_fail(js, "expected 'class'");
}

static uint32_t export_default(struct qn_js *js, uint32_t n)
{
        uint32_t start, e;

        qn_js_at(js, n)->type = QN_JS_EXPORT_DEFAULT;
        qn_js_next(js);
        start = js->t.start;
        if (QN_UNLIKELY(js->types) && (e = qn_js_typed_statement(js)) != 0) {
                ; /* a type, an abstract class */
        } else if (qn_js_is(js, T(FUNCTION))) {
                e = qn_js_function(js, start, QN_JS_F_STATEMENT);
        } else if (qn_js_is(js, T(ASYNC)) && qn_js_is_async_function(js)) {
                qn_js_next(js);
                e = qn_js_function(js, start, QN_JS_F_STATEMENT | QN_JS_F_ASYNC);
        } else if (qn_js_is(js, T(CLASS)) || qn_js_is(js, T(AT))) {
                e = exported_class(js);
        } else {
                e = qn_js_assign(js);
                qn_js_semicolon(js);
        }
        if (qn_js_at(js, e)->type == QN_JS_EMPTY)
                return e; /* nothing of it runs */
        qn_js_child_of(js, n, e);
        return qn_js_finish(js, n);
}

/* Whether the current token begins a declaration that can be exported. */
static bool starts_declaration(struct qn_js *js)
{
        switch (js->t.type) {
        case T(VAR):
        case T(CONST):
        case T(LET):
        case T(USING):
        case T(FUNCTION):
        case T(CLASS):
        case T(AT):
                return true;
        default:
                return qn_js_is(js, T(ASYNC)) && qn_js_is_async_function(js);
        }
}

/* With types: exports that plain JavaScript does not have.  0: it is none. */
static uint32_t typed_export(struct qn_js *js, uint32_t n)
{
        uint32_t d;

        if (js->namespaces && !qn_js_is(js, T(LBRACE)) && !qn_js_is(js, T(IMPORT)))
                return qn_js_statement(js);
        d = qn_js_typed_export(js, qn_js_at(js, n)->start);
        if (!d || (qn_js_at(js, d)->type != QN_JS_VAR && qn_js_at(js, d)->type != QN_JS_CLASS &&
                   qn_js_at(js, d)->type != QN_JS_FUNCTION))
                return d;
        now_module(js);
        qn_js_pair(js, n, d, qn_js_empty(js));
        return qn_js_finish(js, n);
}

uint32_t qn_js_export(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_EXPORT_NAMED, js->t.start), d;
        struct qn_js_list l = { 0, 0 };

        qn_js_next(js);
        if (QN_UNLIKELY(js->types) && (d = typed_export(js, n)) != 0)
                return d;
        now_module(js);
        if (qn_js_is(js, T(MUL)))
                return export_all(js, n);
        if (qn_js_is(js, T(DEFAULT)))
                return export_default(js, n);
        if (qn_js_is(js, T(LBRACE))) {
                export_list(js, &l);
        } else if (starts_declaration(js)) {
                qn_js_push(js, &l,
                           qn_js_is(js, T(AT)) || qn_js_is(js, T(CLASS)) ? exported_class(js)
                                                                         : qn_js_statement(js));
                if (qn_js_at(js, l.first)->type == QN_JS_EMPTY)
                        return l.first; /* an overload */
                qn_js_push(js, &l, qn_js_empty(js));
        } else {
                return qn_js_fail(js, "expected what to export");
        }
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}
