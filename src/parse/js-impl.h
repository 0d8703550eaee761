/* js-impl.h - what the files of the JavaScript front end share.  Not for others: they include js.h.
 *
 * The lexer works on a private copy of the source that ends in QN_JS_PAD zero bytes: every scanning loop stops at a zero,
 * and reads of up to QN_JS_PAD bytes past any position stay inside, so that the hot loops need no bounds checks.
 *
 * A syntax error sets `panic` and replaces the current token by END, which no rule accepts: all rules return at once, and
 * the statement list that holds the broken statement recovers.  What cannot be recovered from is kept in `fatal`. */
#pragma once

#include "base/arena.h"
#include "base/limits.h"
#include "parse/js-tok.h"
#include "parse/js.h"

#define QN_JS_PAD 64u

/* `lim` elements may be used before the memory cap is asked again; `cap` are allocated and survive from file to file. */
#define QN_JS_VEC(type)               \
        struct {                      \
                type *p;              \
                uint32_t n, lim, cap; \
        }

struct qn_js_token {
        uint32_t start, end;
        uint32_t val; /* atom of a name */
        uint8_t type; /* qn_js_tok */
        bool nl;      /* a line end stands before it */
        bool escaped; /* holds escapes */
};

struct qn_js_mark { /* a place to come back to after looking one token ahead */
        const uint8_t *p;
        struct qn_js_token t;
        uint32_t prev_end, braces, n_tpl, n_comments;
};

/* One slot of the atom table.  Names of up to 16 bytes are their own key; longer ones are known by hash and compared. */
struct qn_js_slot {
        uint64_t lo, hi;
        uint32_t atom, n; /* atom 0: free */
};

/* A declaration as it was met; becomes a binding when scopes are resolved. */
struct qn_js_decl {
        uint32_t node, parent, next; /* IDENT, what gives it its value, next one of the scope */
        uint8_t kind;                /* qn_js_binding_kind */
        uint8_t how;                 /* qn_js_decl_how */
};

enum qn_js_decl_how {
        QN_JS_DECL_PLAIN,
        QN_JS_DECL_OWN_NAME, /* name of a function expression: gives way to every other declaration */
        QN_JS_DECL_HOISTED, /* function in a block, seen from the function around it (ECMAScript, Annex B.3.2) */
        QN_JS_DECL_LOOP, /* gets its values from for-in or for-of */
};

struct qn_js_decl_list {
        uint32_t first, last;
};

/* A scope that is being parsed; blocks get a number only when something is declared in them. */
struct qn_js_open {
        struct qn_js_open *up, *up_fn;
        uint32_t scope, mark, node; /* number or 0, place of its entry in the log, its node */
        uint8_t kind;
};

/* The log tells in source order what name resolution needs: nodes that refer, and these marks. */
#define QN_JS_LOG_ENTER 0x80000000u /* | scope */
#define QN_JS_LOG_LEAVE 0xc0000000u
#define QN_JS_LOG_EVAL  0xc0000001u /* a direct call of eval */

/* Building a node's list of children from left to right. */
struct qn_js_list {
        uint32_t first, last;
};

/* What decides whether `await` and `yield` are names. */
enum {
        QN_JS_IN_FUNCTION = 1 << 0,
        QN_JS_IN_ASYNC = 1 << 1,
        QN_JS_IN_GENERATOR = 1 << 2,
};

/* What an expression stands in when it is in no brackets of its own. */
enum {
        QN_JS_AROUND_FOR = 1 << 0, /* head of a for: `in` is no operator */
        QN_JS_AROUND_COLON =
                1 << 1, /* before the colon of ?: or of a case: `(a): b` types nothing */
};

struct qn_js {
        /* lexer */
        const uint8_t *p;         /* first byte after the current token */
        const uint8_t *src, *end; /* the padded copy */
        struct qn_js_token t;
        uint32_t prev_end; /* end of the token before */
        uint32_t braces;   /* { that are open */
        uint32_t n_tpl;
        const char *lex_msg; /* what is wrong with a BAD token */
        bool line_start;     /* nothing but comments since the start of the file */
        /* atoms */
        struct qn_js_slot *slots,
                *fixed_slots; /* fixed_slots: how the table looks when a file begins */
        uint32_t slot_mask;
        uint64_t seed[2];
        QN_JS_VEC(struct qn_str) atoms;
        struct qn_arena text; /* decoded names */
        /* parser */
        QN_JS_VEC(struct qn_js_node) nodes;
        QN_JS_VEC(uint32_t) log;
        QN_JS_VEC(struct qn_js_decl) decls;
        QN_JS_VEC(struct qn_js_scope) scopes;
        QN_JS_VEC(struct qn_js_decl_list) lists; /* one for each scope */
        QN_JS_VEC(struct qn_js_comment) comments;
        QN_JS_VEC(struct qn_js_binding) bindings;
        QN_JS_VEC(uint32_t) current; /* name resolution: the binding that each atom has now */
        QN_JS_VEC(uint32_t) undo;
        QN_JS_VEC(uint32_t) lines;
        uint32_t lines_to; /* how far the source was searched for line ends */
        uint32_t depth;
        uint32_t arrow_at; /* where an arrow function may start */
        uint32_t cover;    /* `{ a = 1 }` that has not become a pattern yet: its place + 1 */
        struct qn_js_list decorators;      /* that stood before `export` */
        struct qn_js_open *open, *open_fn; /* innermost scope, innermost that holds `var` */
        uint8_t in;                        /* QN_JS_IN_* */
        uint8_t around;                    /* QN_JS_AROUND_* */
        bool strict;
        bool panic;
        bool types, flow;    /* annotations are read; where they differ, in Flow's way */
        bool tried_out;      /* too much was tried in vain */
        uint32_t namespaces; /* of TypeScript, that are open */
        struct qn_js_list param_decorators; /* TypeScript: before parameters, for the class body */
        struct qn_js_list
                properties; /* TypeScript: assignments that parameters of a constructor mean */
        uint64_t tried;     /* bytes */
        uint8_t mode;       /* qn_js_mode */
        unsigned opts;
        int fatal;
        struct qn_js_mark bad; /* where panic began */
        struct qn_js_ast ast;
        uint8_t *copy;
        size_t copy_cap;
        uint32_t tpl[QN_JS_DEPTH_MAX]; /* open templates: braces when their ${ began */
};

/* --- memory (js-mem.c) --- */
/* Makes room for one more element; false: past the cap or out of memory, js->fatal is set and the parser panics. */
bool qn_js_grow(struct qn_js *js, void *vec, size_t size);
#define QN_JS_ROOM(js, v) \
        (QN_LIKELY((js)->v.n < (js)->v.lim) || qn_js_grow((js), &(js)->v, sizeof *(js)->v.p))
void qn_js_fatal(struct qn_js *js, int code, const char *msg);
void qn_js_mem_reset(struct qn_js *js);
QN_MUST int qn_js_copy_source(struct qn_js *js, struct qn_str source);

/* --- atoms (js-atom.c) --- */
QN_MUST int qn_js_atoms_init(struct qn_js *js);
void qn_js_atoms_reset(struct qn_js *js);
/* text must stay where it is for as long as the tree; 0 when memory is out (panic). */
uint32_t qn_js_intern(struct qn_js *js, struct qn_str text);
/* Adds what was looked for in vain. */
uint32_t qn_js_atom_add(struct qn_js *js, struct qn_js_slot s, struct qn_str text);

static inline uint64_t qn_js_mix(uint64_t a, uint64_t b)
{
        unsigned __int128 m = (unsigned __int128)a * b;

        return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint64_t qn_js_hash16(const struct qn_js *js, uint64_t lo, uint64_t hi)
{
        return qn_js_mix(lo ^ js->seed[0], hi ^ js->seed[1]);
}

/* The same as qn_js_intern() for a text of n <= 16 bytes given as two words (zero-filled), or for a longer one by its hash
 * and length. */
static inline uint32_t qn_js_intern_key(struct qn_js *js, uint64_t lo, uint64_t hi,
                                        const uint8_t *p, uint32_t n)
{
        uint64_t h = qn_js_hash16(js, lo, hi);

        for (uint32_t i = h & js->slot_mask;; i = (i + 1) & js->slot_mask) {
                const struct qn_js_slot *s = &js->slots[i];

                if (QN_UNLIKELY(!s->atom))
                        return qn_js_atom_add(js, (struct qn_js_slot){ .lo = lo, .hi = hi, .n = n },
                                              (struct qn_str){ (const char *)p, n });
                if (QN_LIKELY(s->lo == lo && s->hi == hi && s->n == n) &&
                    (n <= 16 || memcmp(js->atoms.p[s->atom].p, p, n) == 0))
                        return s->atom;
        }
}

/* Token of a fixed atom, as its distance from IDENT. */
extern const uint8_t qn_js_word_tok[QN_JS_ATOM_FIXED_MAX];

/* --- lexer (js-lex.c, js-lex-lit.c) --- */
void qn_js_lex_start(struct qn_js *js);
void qn_js_next(struct qn_js *js);
/* Reads the current token, which is / or /=, again as a regular expression. */
void qn_js_lex_regex(struct qn_js *js);
void qn_js_lex_name_slow(struct qn_js *js, const uint8_t *p, bool is_private);
void qn_js_lex_number(struct qn_js *js, const uint8_t *p);
void qn_js_lex_string(struct qn_js *js, const uint8_t *p);
void qn_js_lex_template(struct qn_js *js, const uint8_t *p, bool head);
void qn_js_lex_bad(struct qn_js *js, const uint8_t *start, const uint8_t *end, const char *msg);
/* Skips white space and comments from p; sets t.nl. */
const uint8_t *qn_js_lex_blank(struct qn_js *js, const uint8_t *p);
/* Whether the code point may start (or go on in) a name. */
bool qn_js_is_name(uint32_t cp, bool start);
/* Writes cp, a surrogate too, as 1 to 4 bytes. */
unsigned qn_js_put_utf8(char *d, uint32_t cp);
/* After "\\u": 4 digits or {…}.  Returns the end and the code point, or NULL. */
const uint8_t *qn_js_unicode_escape(const uint8_t *p, uint32_t *ret);
/* Length of the run of ASCII name characters at p. */
uint32_t qn_js_name_run(const uint8_t *p);

struct qn_js_mark qn_js_save(const struct qn_js *js);
void qn_js_restore(struct qn_js *js, const struct qn_js_mark *m);

/* --- shared by the rules --- */
static inline uint32_t qn_js_off(const struct qn_js *js, const uint8_t *p)
{
        return (uint32_t)(p - js->src);
}

static inline uint32_t qn_js_node(struct qn_js *js, unsigned type, uint32_t start)
{
        uint32_t i;

        if (!QN_JS_ROOM(js, nodes))
                return 0;
        i = js->nodes.n++;
        js->nodes.p[i] = (struct qn_js_node){ .type = (uint8_t)type, .start = start, .end = start };
        return i;
}

static inline struct qn_js_node *qn_js_at(struct qn_js *js, uint32_t i)
{
        return &js->nodes.p[i];
}

/* A leaf that is the current token; goes on to the next. */
static inline uint32_t qn_js_leaf(struct qn_js *js, unsigned type)
{
        uint32_t i = qn_js_node(js, type, js->t.start);
        struct qn_js_node *n = qn_js_at(js, i);

        n->end = js->t.end;
        n->val = js->t.val;
        n->flags = js->t.escaped ? QN_JS_F_ESCAPED : 0;
        qn_js_next(js);
        return i;
}

static inline uint32_t qn_js_empty(struct qn_js *js)
{
        return qn_js_node(js, QN_JS_EMPTY, js->prev_end);
}

/* The node ends where the last token did. */
static inline uint32_t qn_js_finish(struct qn_js *js, uint32_t i)
{
        js->nodes.p[i].end = js->prev_end;
        return i;
}

static inline void qn_js_push(struct qn_js *js, struct qn_js_list *l, uint32_t i)
{
        if (l->last)
                js->nodes.p[l->last].next = i;
        else
                l->first = i;
        l->last = i;
}

static inline void qn_js_link(struct qn_js *js, uint32_t a, uint32_t b)
{
        js->nodes.p[a].next = b;
}

/* A node that so far has no child gets one, or two. */
static inline void qn_js_child_of(struct qn_js *js, uint32_t parent, uint32_t a)
{
        js->nodes.p[parent].first = a;
}

static inline void qn_js_pair(struct qn_js *js, uint32_t parent, uint32_t a, uint32_t b)
{
        js->nodes.p[parent].first = a;
        js->nodes.p[a].next = b;
}

static inline void qn_js_log(struct qn_js *js, uint32_t what)
{
        if (QN_JS_ROOM(js, log))
                js->log.p[js->log.n++] = what;
}

static inline bool qn_js_is(const struct qn_js *js, unsigned tok)
{
        return js->t.type == tok;
}

static inline bool qn_js_eat(struct qn_js *js, unsigned tok)
{
        if (js->t.type != tok)
                return false;
        qn_js_next(js);
        return true;
}

static inline bool qn_js_is_name_tok(unsigned tok)
{
        return tok >= QN_JS_TOK_NAME_FIRST && tok <= QN_JS_TOK_NAME_LAST;
}

static inline bool qn_js_is_word(unsigned tok)
{
        return tok >= QN_JS_TOK_NAME_FIRST && tok <= QN_JS_TOK_WORD_LAST;
}

/* The current token is this contextual word, written without escapes. */
static inline bool qn_js_is_atom(const struct qn_js *js, uint32_t atom)
{
        return js->t.type == QN_JS_TOK_IDENT && js->t.val == atom && !js->t.escaped;
}

/* Every rule that can hold itself goes through these two. */
static inline bool qn_js_enter(struct qn_js *js)
{
        if (QN_LIKELY(js->depth < QN_JS_DEPTH_MAX)) {
                js->depth++;
                return true;
        }
        qn_js_fatal(js, -EFBIG, "nested too deeply");
        return false;
}

static inline void qn_js_leave(struct qn_js *js)
{
        js->depth--;
}

/* --- entry and errors (js-parse.c) --- */
/* Makes everything ready for a file: 0, -EFBIG, -ENOMEM. */
QN_MUST int qn_js_begin(struct qn_js *js, struct qn_str source, enum qn_js_mode mode,
                        unsigned opts);
/* Whether a slash after this token divides, as well as can be told from it alone. */
bool qn_js_ends_operand(unsigned tok);
/* Always 0, so that a rule can end with it. */
uint32_t qn_js_fail(struct qn_js *js, const char *msg);
uint32_t qn_js_fail_at(struct qn_js *js, uint32_t off, const char *msg);
void qn_js_expect(struct qn_js *js, unsigned tok);
void qn_js_semicolon(struct qn_js *js);

/* --- statements (js-parse.c, js-parse-stmt.c) --- */
uint32_t qn_js_statement(struct qn_js *js);
/* The next statement of a list; a broken one becomes ERROR. */
uint32_t qn_js_statement_or_error(struct qn_js *js);
/* Statements up to closing (not taken), added to l; the second one for bodies, which may begin with directives. */
void qn_js_statements(struct qn_js *js, struct qn_js_list *l, unsigned closing);
void qn_js_body_statements(struct qn_js *js, struct qn_js_list *l, unsigned closing);
uint32_t qn_js_block(struct qn_js *js);
uint32_t qn_js_var(struct qn_js *js, unsigned kind);
uint32_t qn_js_for(struct qn_js *js);
/* Takes `let`, `using` or `await using` when a declaration begins with it; ret: QN_JS_VAR_*. */
bool qn_js_eat_decl(struct qn_js *js, unsigned *ret_kind);
/* Takes nothing: whether `async function` stands here. */
bool qn_js_is_async_function(struct qn_js *js);

/* --- expressions (js-parse-expr.c, js-parse-primary.c, js-parse-object.c) --- */
uint32_t qn_js_expr(struct qn_js *js);
uint32_t qn_js_assign(struct qn_js *js);
uint32_t qn_js_unary(struct qn_js *js);
uint32_t qn_js_primary(struct qn_js *js);
uint32_t qn_js_left(struct qn_js *js); /* LeftHandSideExpression */
/* Member accesses, tagged templates and (unless no_call) calls that follow e. */
uint32_t qn_js_postfix(struct qn_js *js, uint32_t e, uint32_t start, bool no_call);
uint32_t qn_js_template(struct qn_js *js);
uint32_t qn_js_object(struct qn_js *js);
/* With `in` as an operator again, whatever the context. */
uint32_t qn_js_assign_in(struct qn_js *js);
uint32_t qn_js_ident_ref(struct qn_js *js);
/* `( … )` of a call. */
/* Returns whether annotations were among them: so far only parameters of an arrow function have them. */
bool qn_js_arguments(struct qn_js *js, struct qn_js_list *l);
/* `: type` and `= value` after e, which can only be a parameter with them: the parameter. */
uint32_t qn_js_typed_element(struct qn_js *js, uint32_t e);
/* An operator, or a cast, stands here. */
bool qn_js_is_infix(const struct qn_js *js);

uint32_t qn_js_spread(struct qn_js *js);
/* An arrow function that is not in parentheses: no operator may follow it. */
bool qn_js_is_bare_arrow(const struct qn_js *js, uint32_t e);

/* --- patterns (js-pattern.c) --- */
/* Makes e, an expression, the target of an assignment. */
void qn_js_to_target(struct qn_js *js, uint32_t e, unsigned op);
/* Makes e, an expression, a parameter of the function being opened. */
void qn_js_to_param(struct qn_js *js, uint32_t e, uint32_t params);
struct qn_js_declare { /* what the names of a pattern declare */
        uint32_t parent;
        uint8_t kind, how;
};
uint32_t qn_js_pattern(struct qn_js *js, struct qn_js_declare d);
uint32_t qn_js_pattern_default(struct qn_js *js, struct qn_js_declare d);
uint32_t qn_js_binding_ident(struct qn_js *js, struct qn_js_declare d);

/* --- functions and classes (js-parse-func.c, js-parse-class.c) --- */
/* The current token is `function`; flags: ASYNC, STATEMENT. */
uint32_t qn_js_function(struct qn_js *js, uint32_t start, unsigned flags);
/* From the ( of its parameters on. */
uint32_t qn_js_method(struct qn_js *js, unsigned flags);
/* The current token is =>; params is a list of expressions; mark their place in the log. */
uint32_t qn_js_arrow(struct qn_js *js, uint32_t start, uint32_t params, uint32_t mark, bool async);
/* The decorators before a class, which may be none. */
struct qn_js_list qn_js_decorators(struct qn_js *js);
/* The current token is `class`; decorators that cannot stand before it are put first in its body. */
uint32_t qn_js_class(struct qn_js *js, unsigned flags, struct qn_js_list decorators);
/* Key of a property or member; *flags gets COMPUTED. */
uint32_t qn_js_key(struct qn_js *js, unsigned *flags);
/* A key that was read as a modifier at first. */
uint32_t qn_js_key_of(struct qn_js *js, const struct qn_js_token *t);
bool qn_js_starts_key(const struct qn_js *js);

/* --- types (js-type.c): read over, no nodes; only when js->types --- */
void qn_js_type(struct qn_js *js);
/* `: type` of a function, when it is there. */
void qn_js_return_type(struct qn_js *js);
/* `<…>` of a declaration, when it is there. */
void qn_js_type_params(struct qn_js *js);
/* The current token opens a bracket: goes past the one that closes it. */
void qn_js_skip_brackets(struct qn_js *js);
/* The current token is < or <<, after an expression: takes what turns out to be type arguments. */
bool qn_js_type_args(struct qn_js *js);
/* The current token is the colon after a closing parenthesis: takes the type when => follows it. */
bool qn_js_arrow_type(struct qn_js *js);
/* The current token is <: whether `<…>(…)` and then => or a colon follow.  Takes nothing. */
bool qn_js_is_generic_arrow(struct qn_js *js);
/* Whether more may be tried; what was tried in vain since m is counted and taken back: always false. */
bool qn_js_may_try(struct qn_js *js);
bool qn_js_tried(struct qn_js *js, const struct qn_js_mark *m);

/* Takes `: type`, when it is there. */
static inline void qn_js_annotation(struct qn_js *js)
{
        if (QN_UNLIKELY(js->types) && qn_js_eat(js, QN_JS_TOK_COLON))
                qn_js_type(js);
}

/* --- declarations of types and what TypeScript adds to run (js-parse-ts.c); only when js->types --- */
/* A statement that begins with a word of these languages: its node, EMPTY when nothing of it runs; 0 when it is none. */
uint32_t qn_js_typed_statement(struct qn_js *js);
uint32_t qn_js_enum(struct qn_js *js, uint32_t start);
/* `import a = …` or `import type …` after `import`: 0 when it is none. */
uint32_t qn_js_typed_import(struct qn_js *js, uint32_t start);
/* After `export`, and after `export default`. */
uint32_t qn_js_typed_export(struct qn_js *js, uint32_t start);
/* `type` or `typeof` before a name in { … } of an import or export: taken. */
bool qn_js_eat_type_only(struct qn_js *js);

/* --- modules, JSX --- */
uint32_t qn_js_import(struct qn_js *js);
uint32_t qn_js_export(struct qn_js *js);
uint32_t qn_js_jsx(struct qn_js *js);

/* --- values (js-util.c) --- */
/* Text between the quotes with its escapes decoded; {NULL, 0} at the arena's cap. */
struct qn_str qn_js_decode(struct qn_str raw, struct qn_arena *a);

/* --- scopes (js-scope.c) --- */
void qn_js_scope_open(struct qn_js *js, struct qn_js_open *o, unsigned kind, uint32_t node);
/* A function's scope, whose entry belongs at mark in the log. */
void qn_js_scope_open_fn(struct qn_js *js, struct qn_js_open *o, uint32_t node, uint32_t mark);
void qn_js_scope_close(struct qn_js *js, struct qn_js_open *o);
/* Number of an open scope, which exists from now on if it did not; 0 when memory is out. */
uint32_t qn_js_scope_number(struct qn_js *js, struct qn_js_open *o);
void qn_js_declare(struct qn_js *js, uint32_t ident, struct qn_js_declare d);
/* Makes bindings of the declarations and resolves every name. */
void qn_js_resolve(struct qn_js *js);
