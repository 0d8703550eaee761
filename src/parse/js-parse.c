/* js-parse.c - entry, errors, and recovery from them. */
#include "parse/js-impl.h"

#define PRAGMA_MAX 2048u /* bytes at a file's start in which @flow is looked for */

const char *qn_js_type_name(enum qn_js_type t)
{
        static const char *const names[] = {
#define NODE(id, estree, children) #id,
#include "parse/js-nodes.def"
#undef NODE
        };

        return (unsigned)t < QN_JS_TYPE_MAX ? names[t] : "";
}

const char *qn_js_tok_text(unsigned tok)
{
        static const char *const texts[] = {
#define TOK(id, text, level) text,
#include "parse/js-tok.def"
#undef TOK
        };

        return tok < QN_JS_TOK_MAX ? texts[tok] : "";
}

/* --- errors --- */

uint32_t qn_js_fail_at(struct qn_js *js, uint32_t off, const char *msg)
{
        if (!js->panic) {
                if (js->ast.errors++ == 0)
                        qn_fail(&js->ast.first_error, -EBADMSG, off, "%s", msg);
                js->panic = true;
                js->bad = qn_js_save(js);
        }
        /* Also when a rule went on in panic: whatever it reads next is the end. */
        js->t.type = QN_JS_TOK_END;
        js->p = js->end;
        return 0;
}

uint32_t qn_js_fail(struct qn_js *js, const char *msg)
{
        if (js->t.type == QN_JS_TOK_BAD)
                msg = js->lex_msg;
        return qn_js_fail_at(js, js->t.start, msg);
}

void qn_js_expect(struct qn_js *js, unsigned tok)
{
        char msg[64];

        if (QN_LIKELY(js->t.type == tok)) {
                qn_js_next(js);
                return;
        }
        snprintf(msg, sizeof msg, "expected '%s'", qn_js_tok_text(tok));
        qn_js_fail(js, msg);
}

void qn_js_semicolon(struct qn_js *js)
{
        if (qn_js_eat(js, QN_JS_TOK_SEMI) || js->t.nl || qn_js_is(js, QN_JS_TOK_RBRACE) ||
            qn_js_is(js, QN_JS_TOK_END))
                return;
        qn_js_fail(js, "expected ';'");
}

/* --- recovery --- */

/* Words that begin a statement and cannot go on with one. */
static bool starts_statement(unsigned tok)
{
        switch (tok) {
        case QN_JS_TOK_BREAK:
        case QN_JS_TOK_CLASS:
        case QN_JS_TOK_CONST:
        case QN_JS_TOK_CONTINUE:
        case QN_JS_TOK_DO:
        case QN_JS_TOK_EXPORT:
        case QN_JS_TOK_FOR:
        case QN_JS_TOK_FUNCTION:
        case QN_JS_TOK_IF:
        case QN_JS_TOK_IMPORT:
        case QN_JS_TOK_RETURN:
        case QN_JS_TOK_SWITCH:
        case QN_JS_TOK_THROW:
        case QN_JS_TOK_TRY:
        case QN_JS_TOK_VAR:
        case QN_JS_TOK_WHILE:
        case QN_JS_TOK_STRING:
        case QN_JS_TOK_THIS:
                return true;
        default:
                return qn_js_is_name_tok(tok);
        }
}

bool qn_js_ends_operand(unsigned tok)
{
        if (qn_js_is_name_tok(tok))
                return true;
        switch (tok) {
        case QN_JS_TOK_THIS:
        case QN_JS_TOK_SUPER:
        case QN_JS_TOK_NULL:
        case QN_JS_TOK_TRUE:
        case QN_JS_TOK_FALSE:
        case QN_JS_TOK_PRIVATE:
        case QN_JS_TOK_NUMBER:
        case QN_JS_TOK_BIGINT:
        case QN_JS_TOK_STRING:
        case QN_JS_TOK_REGEX:
        case QN_JS_TOK_TEMPLATE:
        case QN_JS_TOK_TEMPLATE_TAIL:
        case QN_JS_TOK_RPAREN:
        case QN_JS_TOK_RBRACK:
        case QN_JS_TOK_RBRACE:
                return true;
        default:
                return false;
        }
}

/* Goes on one token while recovering. */
static void skip_token(struct qn_js *js)
{
        bool operand = qn_js_ends_operand(js->t.type);

        qn_js_next(js);
        if (!operand && (qn_js_is(js, QN_JS_TOK_DIV) || qn_js_is(js, QN_JS_TOK_DIV_ASSIGN)))
                qn_js_lex_regex(js);
}

/* What a closing brace at the broken statement's own level may still belong to. */
static bool goes_on(const struct qn_js *js)
{
        unsigned tok = js->t.type;

        return tok == QN_JS_TOK_RPAREN || tok == QN_JS_TOK_RBRACK || tok == QN_JS_TOK_COMMA ||
               tok == QN_JS_TOK_DOT || tok == QN_JS_TOK_SEMI || tok == QN_JS_TOK_QDOT ||
               tok == QN_JS_TOK_COLON;
}

struct place {
        uint32_t start, braces, n_tpl;
};

static struct place here(const struct qn_js *js)
{
        return (struct place){ js->t.start, js->braces - qn_js_is(js, QN_JS_TOK_LBRACE),
                               js->n_tpl };
}

/* Skips to where the next statement seems to begin: after a semicolon or the last closing brace, before a line that
 * begins like a statement, or before the brace that closes the surrounding block. */
static void resync(struct qn_js *js, struct place from)
{
        bool moved = js->t.start > from.start;

        while (!qn_js_is(js, QN_JS_TOK_END)) {
                bool level = js->braces == from.braces && js->n_tpl <= from.n_tpl;

                if (qn_js_is(js, QN_JS_TOK_RBRACE) && js->braces < from.braces)
                        return;
                if (level && moved && js->t.nl && starts_statement(js->t.type))
                        return;
                if (level && qn_js_is(js, QN_JS_TOK_SEMI)) {
                        qn_js_next(js);
                        return;
                }
                if (level && qn_js_is(js, QN_JS_TOK_RBRACE)) {
                        qn_js_next(js);
                        if (!goes_on(js))
                                return;
                        moved = true;
                        continue;
                }
                skip_token(js);
                moved = true;
        }
}

static uint32_t recover(struct qn_js *js, struct place from)
{
        uint32_t n = qn_js_node(js, QN_JS_ERROR, from.start);

        if (js->fatal)
                return 0;
        js->panic = false;
        js->cover = 0;
        js->param_decorators = js->properties = (struct qn_js_list){ 0, 0 };
        qn_js_restore(js, &js->bad);
        resync(js, from);
        return qn_js_finish(js, n);
}

uint32_t qn_js_statement_or_error(struct qn_js *js)
{
        struct place from = here(js);
        uint32_t s = qn_js_statement(js);

        if (QN_UNLIKELY(js->cover))
                qn_js_fail_at(js, js->cover - 1, "unexpected '=' in an object");
        return QN_UNLIKELY(js->panic) ? recover(js, from) : s;
}

void qn_js_statements(struct qn_js *js, struct qn_js_list *l, unsigned closing)
{
        while (!qn_js_is(js, closing) && !qn_js_is(js, QN_JS_TOK_END))
                qn_js_push(js, l, qn_js_statement_or_error(js));
}

/* Whether s is the directive "use strict", or some other one. */
static bool is_directive(const struct qn_js *js, uint32_t s, bool *ret_strict)
{
        const struct qn_js_node *n = &js->nodes.p[s], *e = &js->nodes.p[n->first];

        if (n->type != QN_JS_EXPR_STMT || e->type != QN_JS_STRING || (e->flags & QN_JS_F_PAREN))
                return false;
        *ret_strict =
                e->end - e->start == 12 && memcmp(js->src + e->start + 1, "use strict", 10) == 0;
        return true;
}

void qn_js_body_statements(struct qn_js *js, struct qn_js_list *l, unsigned closing)
{
        while (qn_js_is(js, QN_JS_TOK_STRING)) {
                uint32_t s = qn_js_statement_or_error(js);
                bool strict = false;

                qn_js_push(js, l, s);
                if (!is_directive(js, s, &strict))
                        break;
                js->strict |= strict;
        }
        qn_js_statements(js, l, closing);
}

/* --- entry --- */

static void program(struct qn_js *js)
{
        struct qn_js_open scope;
        struct qn_js_list l = { 0, 0 };

        js->ast.root = qn_js_node(js, QN_JS_PROGRAM, 0);
        qn_js_log(js, 0);
        if (js->fatal)
                return;
        qn_js_scope_open_fn(js, &scope, js->ast.root, 0);
        js->scopes.p[1].kind = QN_JS_SCOPE_PROGRAM;
        qn_js_body_statements(js, &l, QN_JS_TOK_END);
        qn_js_scope_close(js, &scope);
        js->nodes.p[js->ast.root].first = l.first;
        js->nodes.p[js->ast.root].end = qn_js_off(js, js->end);
}

static void reset(struct qn_js *js, enum qn_js_mode mode, unsigned opts)
{
        qn_js_mem_reset(js);
        js->ast = (struct qn_js_ast){ .module = mode == QN_JS_MODULE };
        js->depth = js->cover = js->fatal = 0;
        js->arrow_at = UINT32_MAX;
        js->open = js->open_fn = NULL;
        js->decorators = (struct qn_js_list){ 0, 0 };
        js->in = 0;
        js->around = 0;
        js->panic = false;
        js->strict = mode == QN_JS_MODULE;
        js->mode = mode;
        js->opts = opts;
        js->types = opts & (QN_JS_OPT_TS | QN_JS_OPT_FLOW);
        js->flow = opts & QN_JS_OPT_FLOW;
        js->tried = js->namespaces = 0;
        js->tried_out = false;
        js->param_decorators = js->properties = (struct qn_js_list){ 0, 0 };
        qn_js_atoms_reset(js);
        /* number 0 of each means "none" */
        if (QN_JS_ROOM(js, nodes))
                js->nodes.p[js->nodes.n++] = (struct qn_js_node){};
        if (QN_JS_ROOM(js, scopes) && QN_JS_ROOM(js, lists)) {
                js->scopes.p[js->scopes.n++] = (struct qn_js_scope){};
                js->lists.p[js->lists.n++] = (struct qn_js_decl_list){};
        }
        if (QN_JS_ROOM(js, decls))
                js->decls.p[js->decls.n++] = (struct qn_js_decl){};
        if (QN_JS_ROOM(js, bindings))
                js->bindings.p[js->bindings.n++] = (struct qn_js_binding){};
}

int qn_js_begin(struct qn_js *js, struct qn_str source, enum qn_js_mode mode, unsigned opts)
{
        int r = source.n > QN_JS_FILE_MAX ? -EFBIG : qn_js_copy_source(js, source);

        if (r < 0)
                return r;
        reset(js, mode, opts);
        return js->fatal;
}

static void publish(struct qn_js *js, struct qn_str source)
{
        struct qn_js_ast *ast = &js->ast;

        ast->source = source;
        ast->lexed = (struct qn_str){ (const char *)js->src, (size_t)(js->end - js->src) };
        ast->nodes = js->nodes.p;
        ast->n_nodes = js->nodes.n;
        ast->bindings = js->bindings.p;
        ast->n_bindings = js->bindings.n;
        ast->scopes = js->scopes.p;
        ast->n_scopes = js->scopes.n;
        ast->atoms = js->atoms.p;
        ast->n_atoms = js->atoms.n;
        ast->comments = js->comments.p;
        ast->n_comments = js->comments.n;
}

/* The pragma of Flow: a comment at the beginning says @flow. */
static bool has_pragma(struct qn_str source)
{
        return memmem(source.p, QN_MIN(source.n, (size_t)PRAGMA_MAX), "@flow", 5) != NULL;
}

static int parse_once(struct qn_js *js, struct qn_str source, enum qn_js_mode mode, unsigned opts)
{
        int r = qn_js_begin(js, source, mode, opts);

        if (r < 0)
                return r;
        qn_js_lex_start(js);
        program(js);
        return 0;
}

int qn_js_parse(struct qn_js *js, struct qn_str source, enum qn_js_mode mode, unsigned opts,
                const struct qn_js_ast **ret, struct qn_err *reterr)
{
        bool guess = (opts & (QN_JS_OPT_JSX | QN_JS_OPT_TS)) == QN_JS_OPT_JSX;
        int r;

        if (guess && has_pragma(source))
                opts |= QN_JS_OPT_FLOW;
        r = parse_once(js, source, mode, opts);
        if (r == 0 && js->ast.errors && guess && !(opts & QN_JS_OPT_FLOW) && !js->fatal)
                r = parse_once(js, source, mode, opts | QN_JS_OPT_FLOW);
        if (r < 0)
                return qn_fail(reterr, r, 0, r == -EFBIG ? "file too large" : "out of memory");
        if (!js->fatal)
                qn_js_resolve(js);
        if (js->fatal) {
                struct qn_err *e = &js->ast.first_error;

                return qn_fail(reterr, js->fatal, e->off, "%s", e->msg);
        }
        publish(js, source);
        *ret = &js->ast;
        return 0;
}
