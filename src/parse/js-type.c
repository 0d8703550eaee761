/* js-type.c - types of TypeScript and Flow: read over and forgotten, for they do not run.
 * A type is operands with operators between them, so reading one is a loop; whatever stands in brackets is skipped up to the
 * bracket that closes it, as nothing inside can be code.
 *
 * `<` may begin type arguments or be an operator: it is tried, and taken back when it was an operator.  What is tried in vain
 * is counted: past QN_JS_TRIES times the file's size nothing is tried any more (an error says so), and time stays linear. */
#include "parse/js-impl.h"

#define T(id) QN_JS_TOK_##id

enum { OPENS = 1, CLOSES, ANGLE, NEVER };

/* Brackets, what begins with >, and tokens that are in no type. */
static const uint8_t shapes[QN_JS_TOK_MAX] = {
        [T(LPAREN)] = OPENS,      [T(LBRACK)] = OPENS,
        [T(LBRACE)] = OPENS,      [T(TEMPLATE_HEAD)] = OPENS,
        [T(RPAREN)] = CLOSES,     [T(RBRACK)] = CLOSES,
        [T(RBRACE)] = CLOSES,     [T(TEMPLATE_TAIL)] = CLOSES,
        [T(GT)] = ANGLE,          [T(GE)] = ANGLE,
        [T(SHR)] = ANGLE,         [T(SHR_ASSIGN)] = ANGLE,
        [T(USHR)] = ANGLE,        [T(USHR_ASSIGN)] = ANGLE,
        [T(END)] = NEVER,         [T(BAD)] = NEVER,
        [T(REGEX)] = NEVER,       [T(BITNOT)] = NEVER,
        [T(INC)] = NEVER,         [T(DEC)] = NEVER,
        [T(NULLISH)] = NEVER,     [T(OROR)] = NEVER,
        [T(ANDAND)] = NEVER,      [T(XOR)] = NEVER,
        [T(EQ)] = NEVER,          [T(NE)] = NEVER,
        [T(EQ_STRICT)] = NEVER,   [T(NE_STRICT)] = NEVER,
        [T(LE)] = NEVER,          [T(DIV)] = NEVER,
        [T(POW)] = NEVER,         [T(ADD_ASSIGN)] = NEVER,
        [T(SUB_ASSIGN)] = NEVER,  [T(MUL_ASSIGN)] = NEVER,
        [T(DIV_ASSIGN)] = NEVER,  [T(MOD_ASSIGN)] = NEVER,
        [T(POW_ASSIGN)] = NEVER,  [T(SHL_ASSIGN)] = NEVER,
        [T(AND_ASSIGN)] = NEVER,  [T(OR_ASSIGN)] = NEVER,
        [T(XOR_ASSIGN)] = NEVER,  [T(ANDAND_ASSIGN)] = NEVER,
        [T(OROR_ASSIGN)] = NEVER, [T(NULLISH_ASSIGN)] = NEVER,
};

/* --- brackets --- */

/* The current token is || right after a brace. */
static bool opens_exact(const struct qn_js *js)
{
        return qn_js_is(js, T(OROR)) && js->src[js->prev_end - 1] == '{';
}

/* The current token opens a bracket: goes past the one that closes it. */
static bool skip_brackets(struct qn_js *js)
{
        uint32_t open = 0, braces = js->braces - qn_js_is(js, T(LBRACE));
        uint32_t templates = js->n_tpl - qn_js_is(js, T(TEMPLATE_HEAD));

        do {
                unsigned shape = shapes[js->t.type];

                if (shape == NEVER && opens_exact(js)) /* {||} of Flow */
                        shape = 0;
                if (shape == NEVER || js->braces < braces || js->n_tpl < templates ||
                    (js->n_tpl == templates && qn_js_is(js, T(TEMPLATE_MIDDLE))))
                        return false;
                open += shape == OPENS;
                open -= shape == CLOSES;
                qn_js_next(js);
        } while (open);
        return true;
}

/* The current token begins with >: takes that one character. */
static void take_angle(struct qn_js *js)
{
        js->t.end = js->t.start + 1;
        js->p = js->src + js->t.end;
        qn_js_next(js);
}

/* The current token is < or <<: goes past the > that closes it. */
static bool skip_angles(struct qn_js *js)
{
        uint32_t open = 0;

        do {
                unsigned tok = js->t.type;

                if (tok == T(LT) || tok == T(SHL)) {
                        open += js->t.end - js->t.start;
                        qn_js_next(js);
                } else if (shapes[tok] == ANGLE) {
                        open--;
                        take_angle(js);
                } else if (shapes[tok] == OPENS) {
                        if (!skip_brackets(js))
                                return false;
                } else if (shapes[tok] || tok == T(SEMI) || tok == T(TEMPLATE_MIDDLE)) {
                        return false;
                } else {
                        qn_js_next(js);
                }
        } while (open);
        return true;
}

/* --- types --- */

enum operand {
        WRONG,
        PREFIX, /* an operator: its operand follows */
        PLAIN,
        PARAMS, /* (…), which => after it makes a function type's parameters */
};

static bool starts_operand(const struct qn_js *js)
{
        switch (js->t.type) {
        case T(LPAREN):
        case T(LBRACE):
        case T(LBRACK):
        case T(STRING):
        case T(TEMPLATE):
        case T(TEMPLATE_HEAD):
        case T(QUESTION):
                return true;
        default:
                return qn_js_is_word(js->t.type) && !qn_js_is(js, T(EXTENDS));
        }
}

/* Whether the name is an operator when an operand follows on the same line. */
static bool is_prefix(uint32_t atom)
{
        switch (atom) {
        case QN_JS_ATOM_W_KEYOF:
        case QN_JS_ATOM_W_READONLY:
        case QN_JS_ATOM_W_UNIQUE:
        case QN_JS_ATOM_W_INFER:
        case QN_JS_ATOM_W_ASSERTS:
        case QN_JS_ATOM_W_IMPLIES:
        case QN_JS_ATOM_W_ABSTRACT:
        case QN_JS_ATOM_W_RENDERS:
        case QN_JS_ATOM_W_HOOK:
                return true;
        default:
                return false;
        }
}

/* Names after dots, and type arguments. */
static enum operand rest_of_name(struct qn_js *js)
{
        struct qn_js_mark m;

        while (qn_js_eat(js, T(DOT))) {
                if (!qn_js_is_word(js->t.type) && !qn_js_is(js, T(PRIVATE)))
                        return WRONG;
                qn_js_next(js);
        }
        if (js->t.nl || (!qn_js_is(js, T(LT)) && !qn_js_is(js, T(SHL))))
                return PLAIN;
        m = qn_js_save(js);
        if (!qn_js_may_try(js) || !skip_angles(js)) /* `x as number < y` */
                qn_js_tried(js, &m);
        return PLAIN;
}

static enum operand name(struct qn_js *js)
{
        uint32_t atom = qn_js_is(js, T(IDENT)) ? js->t.val : 0;

        qn_js_next(js);
        if (atom == QN_JS_ATOM_W_COMPONENT && qn_js_is(js, T(LPAREN)))
                return skip_brackets(js) ? PLAIN : WRONG;
        if (atom == QN_JS_ATOM_W_INTERFACE && qn_js_is(js, T(LBRACE)))
                return skip_brackets(js) ? PLAIN : WRONG;
        if (is_prefix(atom) && !js->t.nl && starts_operand(js) &&
            !qn_js_is_atom(js, QN_JS_ATOM_W_IS))
                return PREFIX;
        return rest_of_name(js);
}

/* Whether ( begins parameters, where a type in parentheses may as well be followed by =>: `()`, `(...`, `(a:`, `(a?`, and
 * for TypeScript `(a)` and `(a,` too. */
static bool starts_params(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool yes;

        qn_js_next(js);
        yes = qn_js_is(js, T(RPAREN)) || qn_js_is(js, T(ELLIPSIS));
        if (!yes && qn_js_is_word(js->t.type)) {
                qn_js_next(js);
                yes = qn_js_is(js, T(COLON)) || qn_js_is(js, T(QUESTION)) ||
                      (!js->flow && (qn_js_is(js, T(COMMA)) || qn_js_is(js, T(RPAREN))));
        }
        qn_js_restore(js, &m);
        return yes;
}

static enum operand operand(struct qn_js *js, bool of_arrow)
{
        enum operand what;

        switch (js->t.type) {
        case T(OR):
        case T(AND):
        case T(SUB):
        case T(QUESTION):
        case T(TYPEOF):
        case T(NEW):
                qn_js_next(js);
                return PREFIX;
        case T(LT):
        case T(SHL):
                return skip_angles(js) ? PREFIX : WRONG;
        case T(LPAREN):
                what = of_arrow && !starts_params(js) ? PLAIN : PARAMS;
                return skip_brackets(js) ? what : WRONG;
        case T(LBRACE):
        case T(LBRACK):
        case T(TEMPLATE_HEAD):
                return skip_brackets(js) ? PLAIN : WRONG;
        case T(MUL):
        case T(STRING):
        case T(NUMBER):
        case T(BIGINT):
        case T(TEMPLATE):
                qn_js_next(js);
                return PLAIN;
        case T(IMPORT):
                qn_js_next(js);
                return qn_js_is(js, T(LPAREN)) && skip_brackets(js) ? rest_of_name(js) : WRONG;
        default:
                return qn_js_is_word(js->t.type) ? name(js) : WRONG;
        }
}

/* [] and [key] */
static bool skip_indices(struct qn_js *js)
{
        for (;;) {
                if (qn_js_is(js, T(QDOT)))
                        qn_js_next(js);
                if (!qn_js_is(js, T(LBRACK)) || js->t.nl)
                        return true;
                if (!skip_brackets(js))
                        return false;
        }
}

struct conditions { /* A extends B ? C : D */
        uint32_t tests, branches;
};

/* Takes an operator after which an operand follows. */
static bool infix(struct qn_js *js, struct conditions *c, bool function)
{
        switch (js->t.type) {
        case T(OR):
        case T(AND):
                break;
        case T(ARROW):
                if (!function)
                        return false;
                break;
        case T(EXTENDS):
                c->tests++;
                break;
        case T(QUESTION):
                if (!c->tests)
                        return false;
                c->tests--;
                c->branches++;
                break;
        case T(COLON):
                if (!c->branches)
                        return false;
                c->branches--;
                break;
        default:
                if (js->t.nl || !qn_js_is_atom(js, QN_JS_ATOM_W_IS))
                        return false;
        }
        qn_js_next(js);
        return true;
}

static bool skip_type(struct qn_js *js, bool of_arrow)
{
        struct conditions c = { 0, 0 };
        enum operand what;

        do {
                do
                        what = operand(js, of_arrow);
                while (what == PREFIX);
                if (what == WRONG || !skip_indices(js))
                        return false;
        } while (infix(js, &c, what == PARAMS || (js->flow && !of_arrow)));
        return true;
}

void qn_js_type(struct qn_js *js)
{
        if (!skip_type(js, false))
                qn_js_fail(js, "expected a type");
}

void qn_js_return_type(struct qn_js *js)
{
        if (js->flow && qn_js_is_atom(js, QN_JS_ATOM_W_RENDERS)) {
                qn_js_next(js);
                qn_js_eat(js, T(MUL));
                qn_js_type(js);
                return;
        }
        if (!qn_js_eat(js, T(COLON)))
                return;
        if (!qn_js_is(js, T(MOD)))
                qn_js_type(js);
        if (qn_js_eat(js, T(MOD))) /* Flow: %checks */
                qn_js_next(js);
}

void qn_js_type_params(struct qn_js *js)
{
        if (qn_js_is(js, T(LT)) && !skip_angles(js))
                qn_js_fail(js, "expected '>'");
}

void qn_js_skip_brackets(struct qn_js *js)
{
        if (shapes[js->t.type] != OPENS || !skip_brackets(js))
                qn_js_fail(js, "brackets do not match");
}

/* --- trying --- */

bool qn_js_may_try(struct qn_js *js)
{
        uint64_t limit = (uint64_t)QN_JS_TRIES * (size_t)(js->end - js->src) + QN_JS_TRIES_MIN;

        if (js->tried <= limit)
                return true;
        if (!js->tried_out && js->ast.errors++ == 0)
                qn_fail(&js->ast.first_error, -EBADMSG, js->t.start, "too many ambiguous '<'");
        js->tried_out = true;
        return false;
}

bool qn_js_tried(struct qn_js *js, const struct qn_js_mark *m)
{
        js->tried += js->t.start - m->t.start;
        qn_js_restore(js, m);
        return false;
}

/* Whether < … > before the current token were type arguments in an expression: nothing that could be an operand follows. */
static bool ends_type_args(const struct qn_js *js)
{
        uint8_t glued = js->src[js->prev_end];

        switch (js->t.type) {
        case T(LPAREN):
        case T(TEMPLATE):
        case T(TEMPLATE_HEAD):
                return true;
        case T(RPAREN):
        case T(RBRACK):
        case T(RBRACE):
        case T(TEMPLATE_MIDDLE):
        case T(TEMPLATE_TAIL):
        case T(SEMI):
        case T(COMMA):
        case T(COLON):
        case T(DOT):
        case T(QDOT):
        case T(END):
                return !js->flow;
        case T(LT):
        case T(GT):
        case T(ADD):
        case T(SUB):
                return false;
        default:
                return !js->flow && glued != '=' && glued != '>' &&
                       (js->t.nl || qn_js_is_infix(js));
        }
}

bool qn_js_type_args(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);

        if (qn_js_may_try(js) && skip_angles(js) && ends_type_args(js))
                return true;
        return qn_js_tried(js, &m);
}

bool qn_js_arrow_type(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);

        if (!qn_js_may_try(js))
                return false;
        qn_js_next(js);
        if (qn_js_is(js, T(MOD)) || skip_type(js, true)) {
                if (qn_js_eat(js, T(MOD)))
                        qn_js_next(js);
                if (qn_js_is(js, T(ARROW)) && !js->t.nl)
                        return true;
        }
        return qn_js_tried(js, &m);
}

bool qn_js_is_generic_arrow(struct qn_js *js)
{
        struct qn_js_mark m = qn_js_save(js);
        bool yes = qn_js_may_try(js) && skip_angles(js) && qn_js_is(js, T(LPAREN)) &&
                   skip_brackets(js) && (qn_js_is(js, T(ARROW)) || qn_js_is(js, T(COLON)));

        qn_js_tried(js, &m);
        return yes;
}
