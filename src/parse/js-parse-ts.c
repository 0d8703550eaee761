/* js-parse-ts.c - statements of TypeScript and Flow.  Types leave no node but an EMPTY in their statement's place; what runs
 * leaves the nodes of the JavaScript it means:
 *   enum E { A = 1, B }           var E = { A: 1 }       (members without a value are not kept)
 *   namespace N { … }             { … }                  (a block; `export` inside means nothing)
 *   import a = require("a")       const a = require("a")
 *   export = x                    module.exports = x
 * Parameter properties are in js-parse-func.c, the rest of classes is in js-parse-class.c. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

/* The token after the current one. */
static struct qn_js_token peek(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        struct qn_js_token t;

        qn_js_next(js);
        t = js->t;
        qn_js_restore(js, &m);
        return t;
}

static bool is_name_on_line(const struct qn_js_token *t)
{
        return qn_js_is_name_tok(t->type) && !t->nl;
}

/* What leaves nothing. */
static uint32_t erased(struct qn_js *js, uint32_t start)
{
        return qn_js_finish(js, qn_js_node(js, QN_JS_EMPTY, start));
}

static void take_name(struct qn_js *js)
{
        if (qn_js_is_word(js->t.type) || qn_js_is(js, T(STRING)))
                qn_js_next(js);
        else
                qn_js_fail(js, "expected a name");
}

static void types_list(struct qn_js *js)
{
        do
                qn_js_type(js);
        while (qn_js_eat(js, T(COMMA)));
}

/* --- types --- */

/* [opaque] type A<…> [: type] [= type]; the current token is `opaque` or `type`. */
static void alias(struct qn_js *js)
{
        if (qn_js_is_atom(js, QN_JS_ATOM_W_OPAQUE))
                qn_js_next(js);
        qn_js_next(js);
        take_name(js);
        qn_js_type_params(js);
        qn_js_annotation(js);
        if (qn_js_eat(js, T(ASSIGN)))
                qn_js_type(js);
        qn_js_semicolon(js);
}

/* After its first word: a declaration whose body is in braces. */
static void up_to_body(struct qn_js *js)
{
        while (!qn_js_is(js, T(LBRACE)) && !qn_js_is(js, T(END)) && !qn_js_is(js, T(SEMI))) {
                if (qn_js_is(js, T(LT)))
                        qn_js_type_params(js);
                else
                        qn_js_next(js);
        }
        if (!qn_js_eat(js, T(SEMI)))
                qn_js_skip_brackets(js);
}

static void interface(struct qn_js *js)
{
        qn_js_next(js);
        take_name(js);
        qn_js_type_params(js);
        if (qn_js_eat(js, T(EXTENDS)))
                types_list(js);
        qn_js_skip_brackets(js);
}

/* --- declare --- */

/* function, component and hook: the current token is that word. */
static void declared_function(struct qn_js *js)
{
        qn_js_next(js);
        qn_js_eat(js, T(MUL));
        if (!qn_js_is(js, T(LT)) && !qn_js_is(js, T(LPAREN)))
                take_name(js);
        qn_js_type_params(js);
        qn_js_skip_brackets(js);
        qn_js_return_type(js);
        qn_js_semicolon(js);
}

static void declared_variables(struct qn_js *js)
{
        do {
                qn_js_next(js);
                take_name(js);
                qn_js_annotation(js);
                if (qn_js_eat(js, T(ASSIGN)))
                        qn_js_type(js); /* a literal */
        } while (qn_js_is(js, T(COMMA)));
        qn_js_semicolon(js);
}

/* module "a" { … }, module "a"; and Flow's module.exports: type */
static void declared_module(struct qn_js *js)
{
        qn_js_next(js);
        if (qn_js_eat(js, T(DOT))) {
                take_name(js);
                qn_js_annotation(js);
                qn_js_semicolon(js);
                return;
        }
        while (qn_js_is_word(js->t.type) || qn_js_is(js, T(DOT)))
                qn_js_next(js);
        qn_js_eat(js, T(STRING));
        if (qn_js_is(js, T(LBRACE)))
                qn_js_skip_brackets(js);
        else
                qn_js_semicolon(js);
}

/* { … } or * [as a], from "module" */
static void names_from(struct qn_js *js)
{
        if (qn_js_is(js, T(LBRACE))) {
                qn_js_skip_brackets(js);
        } else {
                qn_js_next(js);
                if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) {
                        qn_js_next(js);
                        take_name(js);
                }
        }
        if (qn_js_is_atom(js, QN_JS_ATOM_FROM)) {
                qn_js_next(js);
                qn_js_eat(js, T(STRING));
                if (qn_js_eat(js, T(WITH)))
                        qn_js_skip_brackets(js);
        }
        qn_js_semicolon(js);
}

static void declared_word(struct qn_js *js)
{
        switch (js->t.val) {
        case QN_JS_ATOM_W_TYPE:
        case QN_JS_ATOM_W_OPAQUE:
                return alias(js);
        case QN_JS_ATOM_MODULE:
        case QN_JS_ATOM_W_NAMESPACE:
                return declared_module(js);
        case QN_JS_ATOM_W_COMPONENT:
        case QN_JS_ATOM_W_HOOK:
                return declared_function(js);
        default: /* interface, abstract class, global */
                return up_to_body(js);
        }
}

/* After `declare`. */
static void declared(struct qn_js *js)
{
        if (qn_js_eat(js, T(EXPORT)) && qn_js_eat(js, T(DEFAULT)) && !qn_js_is(js, T(FUNCTION)) &&
            !qn_js_is(js, T(CLASS))) {
                qn_js_type(js);
                qn_js_semicolon(js);
                return;
        }
        switch (js->t.type) {
        case T(ASYNC):
                qn_js_next(js);
                return declared_function(js);
        case T(FUNCTION):
                return declared_function(js);
        case T(CONST):
                if (peek(js).type == T(ENUM))
                        return up_to_body(js);
                return declared_variables(js);
        case T(VAR):
        case T(LET):
                return declared_variables(js);
        case T(LBRACE):
        case T(MUL):
                return names_from(js);
        case T(CLASS):
        case T(ENUM):
                return up_to_body(js);
        default:
                return declared_word(js);
        }
}

static bool is_declared(const struct qn_js_token *t)
{
        if (t->nl)
                return false;
        switch (t->type) {
        case T(ASYNC):
        case T(FUNCTION):
        case T(CONST):
        case T(VAR):
        case T(LET):
        case T(CLASS):
        case T(ENUM):
        case T(EXPORT):
        case T(IDENT):
                return true;
        default:
                return false;
        }
}

/* --- what runs --- */

static uint32_t enum_member(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_PROPERTY, js->t.start), key, value;
        unsigned flags = 0;

        key = qn_js_key(js, &flags);
        if (!qn_js_eat(js, T(ASSIGN)))
                return 0;
        value = qn_js_assign_in(js);
        qn_js_at(js, n)->flags = (uint16_t)flags;
        qn_js_pair(js, n, key, value);
        return qn_js_finish(js, n);
}

static uint32_t enum_body(struct qn_js *js)
{
        uint32_t n = qn_js_node(js, QN_JS_OBJECT, js->t.start), member;
        struct qn_js_list l = { 0, 0 };

        qn_js_expect(js, T(LBRACE));
        while (!qn_js_is(js, T(RBRACE)) && !qn_js_is(js, T(END))) {
                if (qn_js_eat(js, T(ELLIPSIS))) /* Flow: there may be more */
                        break;
                member = enum_member(js);
                if (member)
                        qn_js_push(js, &l, member);
                if (!qn_js_is(js, T(RBRACE)))
                        qn_js_expect(js, T(COMMA));
        }
        qn_js_expect(js, T(RBRACE));
        qn_js_child_of(js, n, l.first);
        return qn_js_finish(js, n);
}

/* A declaration of one variable, whose name is the current token. */
static uint32_t variable(struct qn_js *js, uint32_t start, unsigned kind, uint32_t *ret_declarator)
{
        uint32_t n = qn_js_node(js, QN_JS_VAR, start), d, name;
        struct qn_js_declare how = { .kind = kind == QN_JS_VAR_VAR ? QN_JS_B_VAR : QN_JS_B_CONST };

        d = how.parent = qn_js_node(js, QN_JS_DECLARATOR, js->t.start);
        name = qn_js_binding_ident(js, how);
        qn_js_at(js, n)->op = (uint8_t)kind;
        qn_js_child_of(js, n, d);
        qn_js_child_of(js, d, name);
        *ret_declarator = d;
        return n;
}

static uint32_t finish_variable(struct qn_js *js, uint32_t n, uint32_t declarator, uint32_t value)
{
        qn_js_link(js, qn_js_at(js, declarator)->first, value);
        qn_js_finish(js, declarator);
        return qn_js_finish(js, n);
}

uint32_t qn_js_enum(struct qn_js *js, uint32_t start)
{
        uint32_t n, d;

        qn_js_next(js);
        n = variable(js, start, QN_JS_VAR_VAR, &d);
        if (qn_js_is_atom(js, QN_JS_ATOM_W_OF)) { /* Flow: of string */
                qn_js_next(js);
                qn_js_type(js);
        }
        return finish_variable(js, n, d, enum_body(js));
}

/* After `import`: name = … */
static uint32_t import_equals(struct qn_js *js, uint32_t start)
{
        uint32_t d, n = variable(js, start, QN_JS_VAR_CONST, &d), value;

        qn_js_expect(js, T(ASSIGN));
        value = qn_js_assign(js);
        finish_variable(js, n, d, value);
        qn_js_semicolon(js);
        return qn_js_finish(js, n);
}

/* namespace A.B { … }; the current token is that word. */
static uint32_t namespace(struct qn_js *js)
{
        uint32_t n;

        do {
                qn_js_next(js);
                take_name(js);
        } while (qn_js_is(js, T(DOT)));
        js->namespaces++;
        n = qn_js_block(js);
        js->namespaces--;
        return n;
}

/* export = x; the current token is =. */
static uint32_t export_equals(struct qn_js *js, uint32_t start)
{
        uint32_t s = qn_js_node(js, QN_JS_EXPR_STMT, start), n, m, o, value;

        n = qn_js_node(js, QN_JS_ASSIGN, start);
        m = qn_js_node(js, QN_JS_MEMBER, start);
        o = qn_js_node(js, QN_JS_IDENT, start);
        qn_js_at(js, o)->val = QN_JS_ATOM_MODULE;
        qn_js_at(js, m)->val = QN_JS_ATOM_EXPORTS;
        qn_js_at(js, n)->op = T(ASSIGN);
        qn_js_log(js, o);
        qn_js_finish(js, o);
        qn_js_finish(js, m);
        qn_js_next(js);
        value = qn_js_expr(js);
        qn_js_child_of(js, m, o);
        qn_js_pair(js, n, m, value);
        qn_js_finish(js, n);
        qn_js_child_of(js, s, n);
        qn_js_semicolon(js);
        return qn_js_finish(js, s);
}

/* --- statements --- */

static uint32_t abstract_class(struct qn_js *js)
{
        uint32_t start = js->t.start, n;

        qn_js_next(js);
        n = qn_js_class(js, QN_JS_F_STATEMENT, js->decorators);
        qn_js_at(js, n)->start = start;
        return n;
}

/* Whether the statement goes on as one of these languages, by the token after its first word. */
static bool goes_on(struct qn_js *js, const struct qn_js_token *next)
{
        switch (js->t.val) {
        case QN_JS_ATOM_W_ABSTRACT:
                return next->type == T(CLASS) && !next->nl;
        case QN_JS_ATOM_W_OPAQUE:
                return is_name_on_line(next) && next->val == QN_JS_ATOM_W_TYPE;
        case QN_JS_ATOM_W_DECLARE:
                return is_declared(next);
        case QN_JS_ATOM_GLOBAL:
                return next->type == T(LBRACE) && !next->nl;
        case QN_JS_ATOM_MODULE:
                return is_name_on_line(next) || (next->type == T(STRING) && !next->nl);
        default:
                return is_name_on_line(next);
        }
}

uint32_t qn_js_typed_statement(struct qn_js *js)
{
        uint32_t start = js->t.start;
        struct qn_js_token next;

        switch (qn_js_is(js, T(IDENT)) && !js->t.escaped ? js->t.val : 0) {
        case QN_JS_ATOM_W_ABSTRACT:
        case QN_JS_ATOM_W_TYPE:
        case QN_JS_ATOM_W_OPAQUE:
        case QN_JS_ATOM_W_INTERFACE:
        case QN_JS_ATOM_W_DECLARE:
        case QN_JS_ATOM_W_NAMESPACE:
        case QN_JS_ATOM_MODULE:
        case QN_JS_ATOM_GLOBAL:
        case QN_JS_ATOM_W_COMPONENT:
        case QN_JS_ATOM_W_HOOK:
                next = peek(js);
                break;
        default:
                return 0;
        }
        if (!goes_on(js, &next))
                return 0;
        switch (js->t.val) {
        case QN_JS_ATOM_W_ABSTRACT:
                return abstract_class(js);
        case QN_JS_ATOM_W_COMPONENT:
        case QN_JS_ATOM_W_HOOK:
                return qn_js_function(js, start, QN_JS_F_STATEMENT);
        case QN_JS_ATOM_MODULE:
        case QN_JS_ATOM_W_NAMESPACE:
                if (next.type != T(STRING))
                        return namespace(js);
                declared_module(js);
                break;
        case QN_JS_ATOM_W_INTERFACE:
                interface(js);
                break;
        case QN_JS_ATOM_GLOBAL:
                up_to_body(js);
                break;
        case QN_JS_ATOM_W_DECLARE:
                qn_js_next(js);
                declared(js);
                break;
        default:
                alias(js);
        }
        return erased(js, start);
}

/* --- import and export --- */

/* `type` or `typeof` (the current token) makes the import one of types, by what follows. */
static bool imports_types(struct qn_js *js)
{
        struct qn_js_token next;

        if (qn_js_is(js, T(TYPEOF)))
                return true;
        if (!qn_js_is_atom(js, QN_JS_ATOM_W_TYPE))
                return false;
        next = peek(js);
        return next.type == T(LBRACE) || next.type == T(MUL) ||
               (qn_js_is_name_tok(next.type) && next.val != QN_JS_ATOM_FROM);
}

static uint32_t type_import(struct qn_js *js, uint32_t start)
{
        qn_js_next(js);
        if (qn_js_is_name_tok(js->t.type)) {
                qn_js_next(js);
                if (qn_js_eat(js, T(ASSIGN))) { /* import type a = require("a") */
                        qn_js_assign(js);
                        qn_js_semicolon(js);
                        return erased(js, start);
                }
                if (qn_js_is_atom(js, QN_JS_ATOM_FROM)) {
                        qn_js_next(js);
                        take_name(js);
                        qn_js_semicolon(js);
                        return erased(js, start);
                }
                qn_js_expect(js, T(COMMA));
        }
        names_from(js);
        return erased(js, start);
}

uint32_t qn_js_typed_import(struct qn_js *js, uint32_t start)
{
        if (imports_types(js))
                return type_import(js, start);
        if (qn_js_is_name_tok(js->t.type) && peek(js).type == T(ASSIGN))
                return import_equals(js, start);
        return 0;
}

static uint32_t export_of_types(struct qn_js *js, uint32_t start)
{
        struct qn_js_token next = peek(js);

        if (next.type != T(LBRACE) && next.type != T(MUL))
                return 0;
        qn_js_next(js);
        names_from(js);
        return erased(js, start);
}

uint32_t qn_js_typed_export(struct qn_js *js, uint32_t start)
{
        switch (js->t.type) {
        case T(ASSIGN):
                return export_equals(js, start);
        case T(ENUM):
                return qn_js_enum(js, js->t.start);
        case T(IMPORT):
                start = js->t.start;
                qn_js_next(js);
                return qn_js_typed_import(js, start);
        case T(CONST):
                return peek(js).type == T(ENUM) ? qn_js_statement(js) : 0;
        default:
                break;
        }
        if (qn_js_is_atom(js, QN_JS_ATOM_W_AS)) { /* as namespace A */
                qn_js_next(js);
                qn_js_next(js);
                take_name(js);
                qn_js_semicolon(js);
                return erased(js, start);
        }
        if (qn_js_is_atom(js, QN_JS_ATOM_W_TYPE)) {
                uint32_t n = export_of_types(js, start);

                if (n)
                        return n;
        }
        return qn_js_typed_statement(js);
}

bool qn_js_eat_type_only(struct qn_js *js)
{
        struct qn_js_token next;

        if (!qn_js_is_atom(js, QN_JS_ATOM_W_TYPE) && !qn_js_is(js, T(TYPEOF)))
                return false;
        next = peek(js);
        if (next.type != T(STRING) && (!qn_js_is_word(next.type) || next.val == QN_JS_ATOM_W_AS))
                return false;
        qn_js_next(js);
        return true;
}
