/* jsonw.h - writes JSON onto a qn_buf: commas and indentation are its business, order is the caller's.
 * Text that is not valid UTF-8 gets U+FFFD for each bad byte, so that the output is always valid JSON.
 * Invisible and bidirectional characters are written as \u escapes. */
#pragma once

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"

#define QN_JSONW_DEPTH_MAX 32

struct qn_jsonw {
        struct qn_buf *out;
        unsigned depth, indent; /* indent 0: one line */
        bool first[QN_JSONW_DEPTH_MAX], after_key;
};

#define QN_JSONW_INIT(buf, spaces) \
        ((struct qn_jsonw){ .out = (buf), .indent = (spaces), .first = { true } })

/* key NULL inside arrays and at the top. */
void qn_jsonw_object(struct qn_jsonw *w, const char *key);
void qn_jsonw_array(struct qn_jsonw *w, const char *key);
void qn_jsonw_end_object(struct qn_jsonw *w);
void qn_jsonw_end_array(struct qn_jsonw *w);
void qn_jsonw_str(struct qn_jsonw *w, const char *key, struct qn_str v);
void qn_jsonw_cstr(struct qn_jsonw *w, const char *key, const char *v); /* NULL writes null */
void qn_jsonw_u64(struct qn_jsonw *w, const char *key, uint64_t v);
void qn_jsonw_double(struct qn_jsonw *w, const char *key, double v, int decimals);
/* As it is written in another document that was read. */
void qn_jsonw_number(struct qn_jsonw *w, const char *key, struct qn_str raw);
void qn_jsonw_bool(struct qn_jsonw *w, const char *key, bool v);
void qn_jsonw_null(struct qn_jsonw *w, const char *key);
/* For keys that come from data. */
void qn_jsonw_key(struct qn_jsonw *w, struct qn_str key);
