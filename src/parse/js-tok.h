/* js-tok.h - names of JavaScript's tokens: what node.op means on UNARY, UPDATE, BINARY and ASSIGN. */
#pragma once

enum qn_js_tok {
#define TOK(id, text, level) QN_JS_TOK_##id,
#include "parse/js-tok.def"
#undef TOK
        QN_JS_TOK_MAX,
        QN_JS_TOK_NAME_FIRST = QN_JS_TOK_IDENT, /* may be an identifier… */
        QN_JS_TOK_NAME_LAST = QN_JS_TOK_USING,
        QN_JS_TOK_WORD_LAST = QN_JS_TOK_WITH, /* …or at least a property's name */
};

/* How the token is written ("+=", "typeof"); "" when out of range. */
const char *qn_js_tok_text(unsigned tok);
