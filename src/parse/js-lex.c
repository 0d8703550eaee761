/* js-lex.c - the next token.  Regular expressions are read on request (qn_js_lex_regex): only the parser knows whether a
 * slash divides.  Template literals need no help: a } that closes a substitution is known by the count of open braces. */
#include "base/utf8.h"
#include "parse/js-impl.h"
#include "parse/js-scan.h"

/* What a byte can start.  Values below QN_JS_TOK_MAX are one-byte tokens. */
enum kind {
        K_NAME = QN_JS_TOK_MAX,
        K_BLANK, /* white space, line ends */
        K_SLASH,
        K_OP,
        K_LBRACE,
        K_RBRACE,
        K_QUOTE,
        K_DIGIT,
        K_DOT,
        K_TEMPLATE,
        K_HASH,
        K_BAD,
        K_END,
        K_BACKSLASH, /* from here on: a name may go on with it */
        K_HIGH,
};
_Static_assert(K_HIGH < 256, "fits the table");

static const uint8_t kinds[256] = {
        /* clang-format off */
        [0] = K_END, [1 ... 8] = K_BAD, ['\t' ... '\r'] = K_BLANK, [14 ... 31] = K_BAD, [127] = K_BAD,
        [' '] = K_BLANK, ['/'] = K_SLASH, ['"'] = K_QUOTE, ['\''] = K_QUOTE, ['`'] = K_TEMPLATE, ['#'] = K_HASH,
        ['a' ... 'z'] = K_NAME, ['A' ... 'Z'] = K_NAME, ['_'] = K_NAME, ['$'] = K_NAME,
        ['0' ... '9'] = K_DIGIT, ['.'] = K_DOT, ['\\'] = K_BACKSLASH, [128 ... 255] = K_HIGH,
        ['{'] = K_LBRACE, ['}'] = K_RBRACE,
        ['('] = QN_JS_TOK_LPAREN, [')'] = QN_JS_TOK_RPAREN, ['['] = QN_JS_TOK_LBRACK, [']'] = QN_JS_TOK_RBRACK,
        [';'] = QN_JS_TOK_SEMI, [','] = QN_JS_TOK_COMMA, [':'] = QN_JS_TOK_COLON, ['~'] = QN_JS_TOK_BITNOT,
        ['@'] = QN_JS_TOK_AT,
        ['='] = K_OP, ['+'] = K_OP, ['-'] = K_OP, ['*'] = K_OP, ['%'] = K_OP, ['<'] = K_OP, ['>'] = K_OP,
        ['!'] = K_OP, ['&'] = K_OP, ['|'] = K_OP, ['^'] = K_OP, ['?'] = K_OP,
        /* clang-format on */
};

static inline void token(struct qn_js *js, unsigned type, const uint8_t *p, unsigned n)
{
        js->t.type = (uint8_t)type;
        js->t.val = 0;
        js->t.start = qn_js_off(js, p);
        js->t.end = js->t.start + n;
        js->p = p + n;
}

void qn_js_lex_bad(struct qn_js *js, const uint8_t *start, const uint8_t *end, const char *msg)
{
        js->lex_msg = msg;
        token(js, QN_JS_TOK_BAD, start, (unsigned)(end - start));
}

/* --- names --- */

static inline void name_token(struct qn_js *js, const uint8_t *p, uint32_t n, uint32_t atom)
{
        token(js, QN_JS_TOK_IDENT, p, n);
        js->t.val = atom;
        if (atom < QN_JS_ATOM_FIXED_MAX)
                js->t.type = QN_JS_TOK_IDENT + qn_js_word_tok[atom];
}

uint32_t qn_js_name_run(const uint8_t *p)
{
        uint64_t key[2];
        uint32_t n = 0, k;

        do {
                k = qn_js_scan_name(p + n, key);
                n += k;
        } while (k == 16);
        return n;
}

static __attribute__((noinline)) void name_long(struct qn_js *js, const uint8_t *p)
{
        uint32_t n = qn_js_name_run(p);

        if (kinds[p[n]] >= K_BACKSLASH)
                qn_js_lex_name_slow(js, p, false);
        else
                name_token(js, p, n, qn_js_intern(js, (struct qn_str){ (const char *)p, n }));
}

static inline void name(struct qn_js *js, const uint8_t *p)
{
        uint64_t key[2];
        uint32_t n = qn_js_scan_name(p, key);

        if (QN_UNLIKELY(n == 16))
                name_long(js, p);
        else if (QN_UNLIKELY(kinds[p[n]] >= K_BACKSLASH))
                qn_js_lex_name_slow(js, p, false);
        else
                name_token(js, p, n, qn_js_intern_key(js, key[0], key[1], p, n));
}

static void private_name(struct qn_js *js, const uint8_t *p)
{
        uint32_t n = qn_js_name_run(p + 1);
        unsigned k = kinds[p[1]];

        if (kinds[p[1 + n]] >= K_BACKSLASH && (n == 0 || k == K_NAME)) {
                qn_js_lex_name_slow(js, p + 1, true);
        } else if (k != K_NAME) {
                qn_js_lex_bad(js, p, p + 1, "stray #");
        } else {
                token(js, QN_JS_TOK_PRIVATE, p, n + 1);
                js->t.val = qn_js_intern(js, (struct qn_str){ (const char *)p + 1, n });
        }
}

/* --- white space and comments --- */

static void comment(struct qn_js *js, const uint8_t *start, const uint8_t *end)
{
        if (QN_JS_ROOM(js, comments))
                js->comments.p[js->comments.n++] =
                        (struct qn_js_comment){ qn_js_off(js, start), qn_js_off(js, end) };
}

static bool is_line_separator(const uint8_t *p)
{
        return p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8;
}

/* After the marks of a one-line comment; returns its end, the line end not taken. */
static const uint8_t *line_comment(struct qn_js *js, const uint8_t *start, const uint8_t *p)
{
        for (;; p++) {
                p = qn_js_scan(p, '\n', '\r', (char)0xe2);
                if (*p == '\n' || *p == '\r' || (*p == 0 && p >= js->end) || is_line_separator(p))
                        break;
        }
        comment(js, start, p);
        return p;
}

/* NULL: not closed, the current token is BAD. */
static const uint8_t *block_comment(struct qn_js *js, const uint8_t *start)
{
        for (const uint8_t *p = start + 2;; p++) {
                p = qn_js_scan(p, '*', '\n', (char)0xe2);
                if (*p == '*' && p[1] == '/') {
                        comment(js, start, p + 2);
                        return p + 2;
                }
                if (*p == '\n' || *p == '\r' || is_line_separator(p))
                        js->t.nl = true;
                if (*p == 0 && p >= js->end) {
                        qn_js_lex_bad(js, start, p, "comment is not closed");
                        return NULL;
                }
        }
}

/* Length of the white space or line end that starts with a byte past ASCII; 0: none. */
static unsigned high_blank(struct qn_js *js, const uint8_t *p)
{
        uint32_t cp;
        unsigned n = (unsigned)qn_utf8_next(
                (struct qn_str){ (const char *)p, (size_t)(js->end - p) }, &cp);

        if (cp == 0x2028 || cp == 0x2029) {
                js->t.nl = true;
                return n;
        }
        return cp == 0xa0 || cp == 0xfeff || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
                               cp == 0x202f || cp == 0x205f || cp == 0x3000
                       ? n
                       : 0;
}

/* `<!--` and, at the start of a line, `-->` comment out the rest of the line in scripts (ECMAScript, Annex B.1.1). */
static bool html_comments(const struct qn_js *js)
{
        return js->mode != QN_JS_MODULE && !js->ast.module;
}

static const uint8_t *blank_slow(struct qn_js *js, const uint8_t *p)
{
        for (;;) {
                unsigned n;

                p = qn_js_scan_spaces(p);
                if (*p == '\n' || *p == '\r') {
                        js->t.nl = true;
                        p++;
                } else if (kinds[*p] == K_BLANK) {
                        p++;
                } else if (*p == '/' && p[1] == '/') {
                        p = line_comment(js, p, p + 2);
                } else if (*p == '/' && p[1] == '*') {
                        p = block_comment(js, p);
                        if (!p)
                                return NULL;
                } else if (*p == '-' && p[1] == '-' && p[2] == '>' &&
                           (js->t.nl || js->line_start) && html_comments(js)) {
                        p = line_comment(js, p, p + 3);
                } else if (*p == '<' && p[1] == '!' && p[2] == '-' && p[3] == '-' &&
                           html_comments(js)) {
                        p = line_comment(js, p, p + 4);
                } else if (*p >= 0x80 && (n = high_blank(js, p)) != 0) {
                        p += n;
                } else {
                        return p;
                }
        }
}

const uint8_t *qn_js_lex_blank(struct qn_js *js, const uint8_t *p)
{
        return blank_slow(js, p);
}

/* --- operators --- */

#define T(id) QN_JS_TOK_##id

/* x, x= and, where the operator can be doubled, xx, xx=. */
static inline void doubled(struct qn_js *js, const uint8_t *p, unsigned one, unsigned one_eq,
                           unsigned two, unsigned two_eq)
{
        if (p[1] == p[0])
                token(js, p[2] == '=' && two_eq ? two_eq : two, p, 2 + (p[2] == '=' && two_eq));
        else
                token(js, p[1] == '=' ? one_eq : one, p, 1 + (p[1] == '='));
}

static inline void equals(struct qn_js *js, const uint8_t *p)
{
        if (p[1] == '=')
                token(js, p[2] == '=' ? T(EQ_STRICT) : T(EQ), p, 2 + (p[2] == '='));
        else if (p[1] == '>')
                token(js, T(ARROW), p, 2);
        else
                token(js, T(ASSIGN), p, 1);
}

static inline void question(struct qn_js *js, const uint8_t *p)
{
        if (p[1] == '?')
                token(js, p[2] == '=' ? T(NULLISH_ASSIGN) : T(NULLISH), p, 2 + (p[2] == '='));
        else if (p[1] == '.' && (uint8_t)(p[2] - '0') > 9)
                token(js, T(QDOT), p, 2);
        else
                token(js, T(QUESTION), p, 1);
}

static inline void greater(struct qn_js *js, const uint8_t *p)
{
        if (p[1] == '>' && p[2] == '>')
                token(js, p[3] == '=' ? T(USHR_ASSIGN) : T(USHR), p, 3 + (p[3] == '='));
        else
                doubled(js, p, T(GT), T(GE), T(SHR), T(SHR_ASSIGN));
}

static inline void not(struct qn_js * js, const uint8_t *p)
{
        if (p[1] == '=')
                token(js, p[2] == '=' ? T(NE_STRICT) : T(NE), p, 2 + (p[2] == '='));
        else
                token(js, T(NOT), p, 1);
}

static void operator_token(struct qn_js *js, const uint8_t *p)
{
        switch (*p) {
        case '=':
                return equals(js, p);
        case '!':
                return not(js, p);
        case '?':
                return question(js, p);
        case '>':
                return greater(js, p);
        case '<':
                return doubled(js, p, T(LT), T(LE), T(SHL), T(SHL_ASSIGN));
        case '+':
                return doubled(js, p, T(ADD), T(ADD_ASSIGN), T(INC), 0);
        case '-':
                return doubled(js, p, T(SUB), T(SUB_ASSIGN), T(DEC), 0);
        case '&':
                return doubled(js, p, T(AND), T(AND_ASSIGN), T(ANDAND), T(ANDAND_ASSIGN));
        case '|':
                return doubled(js, p, T(OR), T(OR_ASSIGN), T(OROR), T(OROR_ASSIGN));
        case '*':
                return doubled(js, p, T(MUL), T(MUL_ASSIGN), T(POW), T(POW_ASSIGN));
        case '^':
                return token(js, p[1] == '=' ? T(XOR_ASSIGN) : T(XOR), p, 1 + (p[1] == '='));
        default: /* % */
                return token(js, p[1] == '=' ? T(MOD_ASSIGN) : T(MOD), p, 1 + (p[1] == '='));
        }
}

static inline void dot(struct qn_js *js, const uint8_t *p)
{
        if ((uint8_t)(p[1] - '0') <= 9)
                qn_js_lex_number(js, p);
        else if (p[1] == '.' && p[2] == '.')
                token(js, T(ELLIPSIS), p, 3);
        else
                token(js, T(DOT), p, 1);
}

static inline void close_brace(struct qn_js *js, const uint8_t *p)
{
        if (js->n_tpl && js->tpl[js->n_tpl - 1] == js->braces) {
                js->n_tpl--;
                qn_js_lex_template(js, p, false);
                return;
        }
        js->braces -= js->braces != 0;
        token(js, T(RBRACE), p, 1);
}

/* The rarer starts of a token. */
static __attribute__((noinline)) void other(struct qn_js *js, const uint8_t *p)
{
        switch (kinds[*p]) {
        case K_TEMPLATE:
                return qn_js_lex_template(js, p, true);
        case K_HASH:
                return private_name(js, p);
        case K_BACKSLASH:
        case K_HIGH:
                return qn_js_lex_name_slow(js, p, false);
        default:
                if (p >= js->end)
                        return token(js, T(END), p, 0);
                return qn_js_lex_bad(js, p, p + 1, "unexpected character");
        }
}

/* Whether white space or a comment may start with this byte (and the next ones). */
static inline bool maybe_blank(const uint8_t *p)
{
        unsigned k = kinds[*p];

        return k == K_BLANK || (k == K_SLASH && (p[1] == '/' || p[1] == '*')) || k == K_HIGH ||
               (k == K_OP &&
                ((p[0] == '<' && p[1] == '!') || (p[0] == '-' && p[1] == '-' && p[2] == '>')));
}

void qn_js_next(struct qn_js *js)
{
        const uint8_t *p = js->p;

        js->prev_end = js->t.end;
        js->t.nl = false;
        js->t.escaped = false;
        if (*p == ' ')
                p++;
        if (maybe_blank(p)) {
                p = blank_slow(js, p);
                if (!p)
                        return;
        }
        switch (kinds[*p]) {
        case K_NAME:
                return name(js, p);
        case K_OP:
                return operator_token(js, p);
        case K_DOT:
                return dot(js, p);
        case K_QUOTE:
                return qn_js_lex_string(js, p);
        case K_DIGIT:
                return qn_js_lex_number(js, p);
        case K_LBRACE:
                js->braces++;
                return token(js, T(LBRACE), p, 1);
        case K_RBRACE:
                return close_brace(js, p);
        case K_SLASH:
                return token(js, p[1] == '=' ? T(DIV_ASSIGN) : T(DIV), p, 1 + (p[1] == '='));
        default:
                if (kinds[*p] < K_NAME)
                        return token(js, kinds[*p], p, 1);
                return other(js, p);
        }
}

void qn_js_lex_start(struct qn_js *js)
{
        const uint8_t *p = js->src;

        js->t = (struct qn_js_token){};
        js->prev_end = js->braces = js->n_tpl = 0;
        js->line_start = true;
        js->ast.hashbang = false;
        if (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
                p += 3;
        if (p[0] == '#' && p[1] == '!') {
                js->ast.hashbang = true;
                p = line_comment(js, p, p + 2);
        }
        js->p = p;
        qn_js_next(js);
        js->line_start = false;
}

struct qn_js_mark qn_js_save(const struct qn_js *js)
{
        return (struct qn_js_mark){ js->p,      js->t,     js->prev_end,
                                    js->braces, js->n_tpl, js->comments.n };
}

void qn_js_restore(struct qn_js *js, const struct qn_js_mark *m)
{
        js->p = m->p;
        js->t = m->t;
        js->prev_end = m->prev_end;
        js->braces = m->braces;
        js->n_tpl = m->n_tpl;
        js->comments.n = m->n_comments;
}
