/* js.h - JavaScript source → syntax tree with scopes.  HOSTILE INPUT.
 * Tolerant: a syntax error costs the statement it stands in (an ERROR node), never the file.  Linear time; nesting is capped
 * (QN_JS_DEPTH_MAX), memory too (QN_JS_ARENA_MAX).  Source may hold any bytes; invalid UTF-8 is an identifier-breaking
 * character outside literals.
 *
 * Types (TypeScript's, Flow's) are read over and leave no nodes; a statement of types is EMPTY.
 *
 * Nodes live in one array; a node is known by its 32-bit index, 0 is "none".  Children form a list: first, then next.
 * Everything is valid until the parser object is used for the next file. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;

enum qn_js_type {
#define NODE(id, estree, children) QN_JS_##id,
#include "parse/js-nodes.def"
#undef NODE
        QN_JS_TYPE_MAX
};

enum qn_js_flag {
        QN_JS_F_OPTIONAL = 1 << 0,  /* ?. */
        QN_JS_F_COMPUTED = 1 << 1,  /* [key] */
        QN_JS_F_SHORTHAND = 1 << 2, /* { a } */
        QN_JS_F_METHOD = 1 << 3,
        QN_JS_F_GET = 1 << 4,
        QN_JS_F_SET = 1 << 5,
        QN_JS_F_STATIC = 1 << 6,
        QN_JS_F_ASYNC = 1 << 7,
        QN_JS_F_GENERATOR = 1 << 8,
        QN_JS_F_ARROW = 1 << 9,
        QN_JS_F_EXPR_BODY = 1 << 10,          /* arrow function whose body is an expression */
        QN_JS_F_STATEMENT = 1 << 11,          /* function or class declaration */
        QN_JS_F_PREFIX = 1 << 12,             /* ++x */
        QN_JS_F_PRIVATE = 1 << 13,            /* a.#b */
        QN_JS_F_ESCAPED = 1 << 14,            /* literal with escapes: its text is not its value */
        QN_JS_F_PAREN = 1 << 15,              /* the expression stood in parentheses */
        QN_JS_F_AWAIT = QN_JS_F_ASYNC,        /* on FOR_OF */
        QN_JS_F_DELEGATE = QN_JS_F_GENERATOR, /* on YIELD */
};

enum { QN_JS_VAR_VAR, QN_JS_VAR_LET, QN_JS_VAR_CONST, QN_JS_VAR_USING };
enum { QN_JS_META_IMPORT, QN_JS_META_NEW_TARGET };
enum {
        QN_JS_REF_READ,
        QN_JS_REF_WRITE,
        QN_JS_REF_BOTH
}; /* op of an IDENT that refers: x, x = 1, x++ */

struct qn_js_node {   /* 24 bytes */
        uint8_t type; /* qn_js_type */
        uint8_t op;   /* operator (qn_js_tok) or the kind named in js-nodes.def */
        uint16_t flags;
        uint32_t start, end; /* byte offsets in the source, end exclusive */
        uint32_t first, next;
        uint32_t val; /* atom or scope, see js-nodes.def */
};
_Static_assert(sizeof(struct qn_js_node) == 24, "nodes are counted in tens of millions");

/* Names that observers switch on have fixed atoms (js-atoms.def); all others are numbered as they come. */
enum qn_js_atom {
        QN_JS_ATOM_NONE,
#define ATOM(id, text) QN_JS_ATOM_##id,
#include "parse/js-atoms.def"
#undef ATOM
#define WORD(id, text, tok) QN_JS_ATOM_W_##id,
#include "parse/js-words.def" /* words of the grammar */
#undef WORD
        QN_JS_ATOM_FIXED_MAX
};

enum qn_js_binding_kind {
        QN_JS_B_VAR,
        QN_JS_B_LET,
        QN_JS_B_CONST,
        QN_JS_B_FUNCTION,
        QN_JS_B_CLASS,
        QN_JS_B_PARAM,
        QN_JS_B_CATCH,
        QN_JS_B_IMPORT,
};

struct qn_js_binding {
        uint32_t atom, scope;
        uint32_t decl; /* the declaring IDENT node */
        uint32_t
                parent; /* node that gives it its value: DECLARATOR, FUNCTION, CLASS, PARAMS, CATCH or IMPORT_SPEC */
        uint32_t writes; /* assignments besides the declaration's own initialiser */
        uint32_t reads;
        uint8_t kind; /* qn_js_binding_kind */
};

enum qn_js_scope_kind {
        QN_JS_SCOPE_PROGRAM,
        QN_JS_SCOPE_FUNCTION,
        QN_JS_SCOPE_BLOCK,
        QN_JS_SCOPE_CLASS
};

struct qn_js_scope {
        uint32_t parent; /* 0: none (the program's scope is number 1) */
        uint32_t node;
        uint8_t kind;
        bool has_eval, has_with; /* names in it cannot be known for certain */
};

struct qn_js_comment {
        uint32_t start, end; /* with its marks */
};

struct qn_js_ast {
        struct qn_str source;
        struct qn_js_node *nodes; /* [0] unused */
        uint32_t n_nodes, root;
        struct qn_js_binding *bindings; /* [0] unused */
        uint32_t n_bindings;
        struct qn_js_scope *scopes; /* [0] unused */
        uint32_t n_scopes;
        const struct qn_str *atoms; /* text of each atom, escapes decoded */
        struct qn_str lexed;        /* the bytes of source that names without escapes point into */
        uint32_t n_atoms;
        struct qn_js_comment *comments;
        uint32_t n_comments;
        uint32_t errors;           /* ERROR nodes and other deviations */
        struct qn_err first_error; /* where and what the first one was */
        bool module;               /* import, export, import.meta or top-level await seen */
        bool jsx;
        bool hashbang;
};

enum qn_js_mode { QN_JS_AUTO, QN_JS_SCRIPT, QN_JS_MODULE };
enum {
        /* Source as tools read it: elements of JSX are always understood; with this bit files that say @flow, and those that
         * are no plain JavaScript, are read with Flow's types (a second pass). */
        QN_JS_OPT_JSX = 1 << 0,
        QN_JS_OPT_TS = 1 << 1, /* TypeScript; with JSX: .tsx */
        QN_JS_OPT_FLOW = 1 << 2,
};

struct qn_js; /* a parser: one per worker, reuses its memory */

struct qn_js *qn_js_new(void);
struct qn_js *qn_js_free(struct qn_js *js);
void qn_js_freep(struct qn_js **js);

/* 0 (ast->errors may be > 0), -EFBIG past a cap (too deep, too large, too many nodes), -ENOMEM. */
QN_MUST int qn_js_parse(struct qn_js *js, struct qn_str source, enum qn_js_mode mode, unsigned opts,
                        const struct qn_js_ast **ret, struct qn_err *reterr);

/* Value of a STRING or TEMPLATE_PART (escapes decoded, WTF-8 with lone surrogates as U+FFFD), or of an IDENT, MEMBER,
 * PRIVATE_NAME (its atom's text).  Points into the source or into the arena; {NULL, 0} for other nodes or at the cap. */
struct qn_str qn_js_string(const struct qn_js_ast *ast, uint32_t node, struct qn_arena *a);
/* Value of a NUMBER in any base, with separators. */
double qn_js_number(const struct qn_js_ast *ast, uint32_t node);
/* The i-th child of node, 0 when there is none. */
uint32_t qn_js_child(const struct qn_js_ast *ast, uint32_t node, unsigned i);
/* Line and column (both from 1, columns in bytes) of an offset: builds a line table at the first call. */
void qn_js_place(struct qn_js *js, uint32_t off, uint32_t *ret_line, uint32_t *ret_col);
/* Gives memory above keep bytes back. */
void qn_js_trim(struct qn_js *js, size_t keep);
const char *qn_js_type_name(enum qn_js_type t);
