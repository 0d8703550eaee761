/* json.h - JSON text → events (pull) or → a tree in an arena.  HOSTILE INPUT.
 * Strict RFC 8259, plus what npm's own reader forgives: a leading byte order mark.  No recursion; nesting is capped by
 * QN_JSON_DEPTH_MAX, size by QN_JSON_MAX.  Strings must be valid UTF-8 (-EILSEQ otherwise); lone \u surrogates become
 * U+FFFD.  Duplicate keys are legal, the last one wins, as in JSON.parse, and the tree remembers that it saw one.
 * Errors: -EBADMSG malformed or cut short, -EILSEQ, -EFBIG too deep or too large, -ENOBUFS arena cap (trees: also -ENOMEM). */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_arena;

/* --- pull parser: no allocation, for documents of which only little is wanted --- */

enum qn_json_kind {
        QN_JSON_EOF, /* after the top-level value */
        QN_JSON_OBJECT,
        QN_JSON_OBJECT_END,
        QN_JSON_ARRAY,
        QN_JSON_ARRAY_END,
        QN_JSON_KEY,
        QN_JSON_STRING,
        QN_JSON_NUMBER, /* raw text */
        QN_JSON_TRUE,
        QN_JSON_FALSE,
        QN_JSON_NULL,
};

struct qn_json_event {
        enum qn_json_kind kind;
        bool escaped; /* text holds backslash escapes: qn_json_unescape() gives the real string */
        struct qn_str raw; /* KEY and STRING: between the quotes; NUMBER: its text */
        size_t off;        /* where it starts in the input */
};

struct qn_json {
        struct qn_cur in;
        const uint8_t *start;
        uint32_t depth;
        uint8_t state;
        uint8_t nest[QN_JSON_DEPTH_MAX / 8 + 1]; /* one bit a level: object or array */
};

QN_MUST int qn_json_init(struct qn_json *j, struct qn_cur in, struct qn_err *reterr);
QN_MUST int qn_json_next(struct qn_json *j, struct qn_json_event *ret, struct qn_err *reterr);
/* Skips one whole value: call it when the next event would be a value (after a KEY, or inside an array). */
QN_MUST int qn_json_skip(struct qn_json *j, struct qn_err *reterr);
/* Skips what is left of the value that e began (nothing, when e is a scalar); e must be the latest event. */
QN_MUST int qn_json_skip_rest(struct qn_json *j, const struct qn_json_event *e,
                              struct qn_err *reterr);
/* The string behind a KEY or STRING: raw itself, or decoded into the arena. */
QN_MUST int qn_json_unescape(const struct qn_json_event *e, struct qn_arena *a, struct qn_str *ret);

/* --- tree: also what the YAML reader builds --- */

enum qn_node_type {
        QN_NODE_NULL,
        QN_NODE_BOOL,
        QN_NODE_NUMBER,
        QN_NODE_STRING,
        QN_NODE_ARRAY,
        QN_NODE_OBJECT,
};

struct qn_node {
        enum qn_node_type type;
        bool boolean;
        bool duplicate; /* OBJECT: some key occurred twice (the last value is kept, in the first one's place) */
        uint32_t off, line,
                column;         /* byte offset; line and column from 1, 0 where not kept (JSON) */
        struct qn_str text;     /* STRING: decoded; NUMBER: raw text */
        struct qn_str *keys;    /* OBJECT: n names, in document order */
        struct qn_node **items; /* OBJECT and ARRAY: n values */
        size_t n;
};

/* Whole document → tree in the arena. */
QN_MUST int qn_json_parse(struct qn_cur in, struct qn_arena *a, struct qn_node **ret,
                          struct qn_err *reterr);

/* Look-ups accept NULL and wrong types: they return NULL, {NULL, 0} or the fallback, so that they chain. */
const struct qn_node *qn_node_get(const struct qn_node *object, const char *key);
const struct qn_node *qn_node_get_str(const struct qn_node *object, struct qn_str key);
struct qn_str qn_node_text(const struct qn_node *string); /* strings only */
bool qn_node_bool(const struct qn_node *n, bool fallback);
/* Non-negative integers only. */
uint64_t qn_node_u64(const struct qn_node *n, uint64_t fallback);
static inline bool qn_node_is(const struct qn_node *n, enum qn_node_type t)
{
        return n && n->type == t;
}
