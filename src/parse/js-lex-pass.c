/* js-lex-pass.c - tokens without a parser.  A slash divides after an operand; two tokens do not tell whether they end one:
 * a ) may close the head of an if, a } may close a block.  So the opening brackets are kept on a stack with what they are. */
#include "parse/js-impl.h"
#include "parse/js-lex.h"

#define T(id) QN_JS_TOK_##id

#define STACK_MAX (QN_JS_DEPTH_MAX * 4u)

enum bracket {
        B_OPERAND, /* what it closes is an operand: (…), […], an object */
        B_HEAD,    /* (…) of if, while, for, with: a statement follows */
        B_BLOCK,   /* {…} of statements or class members */
};

struct pass {
        bool operand;          /* the last token ended an operand */
        bool dot, member;      /* it was a dot, it came after one: `x.if (a) / b` has no head */
        uint8_t prev, before;  /* the last two tokens */
        uint32_t n, questions; /* open brackets; ? without : at this level */
        uint8_t stack[STACK_MAX];
};

static bool is_head(const struct pass *s)
{
        switch (s->prev == T(AWAIT) ? s->before : s->prev) {
        case T(IF):
        case T(WHILE):
        case T(FOR):
        case T(WITH):
                return !s->member;
        default:
                return false;
        }
}

/* What an opening brace begins, by the token before it. */
static enum bracket brace(const struct pass *s)
{
        switch (s->prev) {
        case T(END):
        case T(SEMI):
        case T(LBRACE):
        case T(RBRACE):
        case T(RPAREN):
        case T(ARROW):
        case T(ELSE):
        case T(DO):
        case T(TRY):
        case T(FINALLY):
                return B_BLOCK;
        case T(COLON): /* a label, a case; or a value in an object or after ?: */
                return s->questions == 0 &&
                                       (s->n == 0 || s->stack[(s->n - 1) % STACK_MAX] == B_BLOCK)
                               ? B_BLOCK
                               : B_OPERAND;
        default:
                return s->operand ? B_BLOCK : B_OPERAND; /* class A { */
        }
}

static void open_bracket(struct pass *s, enum bracket b)
{
        s->stack[s->n++ % STACK_MAX] = (uint8_t)b; /* deeper than that only guesses get worse */
        s->operand = false;
        s->questions = 0;
}

static void close_bracket(struct pass *s)
{
        if (s->n)
                s->n--;
        s->operand = s->stack[s->n % STACK_MAX] == B_OPERAND;
        s->questions = 0;
}

/* Takes note of a token. */
static void note(struct pass *s, unsigned tok)
{
        bool dot = tok == T(DOT) || tok == T(QDOT);

        switch (tok) {
        case T(LPAREN):
                open_bracket(s, is_head(s) ? B_HEAD : B_OPERAND);
                break;
        case T(LBRACK):
                open_bracket(s, B_OPERAND);
                break;
        case T(LBRACE):
                open_bracket(s, brace(s));
                break;
        case T(RPAREN):
        case T(RBRACK):
        case T(RBRACE):
                close_bracket(s);
                break;
        case T(INC):
        case T(DEC): /* after an operand or before one: it stays as it was */
                break;
        case T(QUESTION):
                s->questions++;
                s->operand = false;
                break;
        case T(COLON):
                s->questions -= s->questions != 0;
                s->operand = false;
                break;
        default:
                s->operand = qn_js_ends_operand(tok) || (s->dot && qn_js_is_word(tok));
        }
        s->before = s->prev;
        s->prev = (uint8_t)tok;
        s->member = s->dot;
        s->dot = dot;
}

int qn_js_lex(struct qn_js *js, struct qn_str source,
              int (*each)(void *arg, const struct qn_js_lexeme *t), void *arg, uint32_t *ret_n)
{
        struct pass s = { .prev = T(END) };
        uint32_t n = 0;
        int r = qn_js_begin(js, source, QN_JS_AUTO, 0);

        if (r < 0)
                return r;
        for (qn_js_lex_start(js); js->t.type != T(END); qn_js_next(js)) {
                if (!s.operand && (js->t.type == T(DIV) || js->t.type == T(DIV_ASSIGN)))
                        qn_js_lex_regex(js);
                note(&s, js->t.type);
                n++;
                if (!each)
                        continue;
                r = each(arg, &(struct qn_js_lexeme){ .start = js->t.start,
                                                      .end = js->t.end,
                                                      .tok = js->t.type,
                                                      .nl = js->t.nl,
                                                      .atom = js->t.val });
                if (r)
                        return r;
        }
        if (js->fatal)
                return js->fatal;
        *ret_n = n;
        return 0;
}

struct qn_str qn_js_atom(const struct qn_js *js, uint32_t atom)
{
        return atom < js->atoms.n ? js->atoms.p[atom] : (struct qn_str){ NULL, 0 };
}
