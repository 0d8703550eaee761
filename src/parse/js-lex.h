/* js-lex.h - the tokens of a file without a tree: for passes over code that is too large to parse.  HOSTILE INPUT.
 * Whether a slash begins a regular expression is decided by the tokens before it, which is right for all but contrived
 * code; JSX text is read as if it were JavaScript. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "parse/js-tok.h"

struct qn_js;

struct qn_js_lexeme {
        uint32_t start, end; /* byte offsets */
        uint32_t atom;       /* of names, words and #names; 0 else.  Text: qn_js_atom() */
        uint8_t tok;         /* qn_js_tok; BAD for what is none */
        bool nl;             /* a line end stands before it */
};

/* Calls each, when not NULL, with every token but END; *ret_n is their number.  0, -EFBIG past a cap, -ENOMEM, or the first
 * non-zero value that each returned. */
QN_MUST int qn_js_lex(struct qn_js *js, struct qn_str source,
                      int (*each)(void *arg, const struct qn_js_lexeme *t), void *arg,
                      uint32_t *ret_n);
/* Text of an atom of the last qn_js_lex(). */
struct qn_str qn_js_atom(const struct qn_js *js, uint32_t atom);
