/* table.h - reading the data tables (data/<name>.yaml) that analysts edit.
 * A row is one line of text: what is matched, an arrow, the event, then its attributes:
 *     gh auth token -> secret.read which=github
 * Not hostile: an error in a table is the analyst's, and says where it is. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

struct qn_arena;
struct qn_node;

#define QN_ROW_WORDS 12

struct qn_row {
        struct qn_str words[QN_ROW_WORDS]; /* left of the arrow */
        size_t n_words;
        struct qn_str event; /* first word right of it, when it has no '=' */
        struct qn_str keys[QN_ROW_WORDS], values[QN_ROW_WORDS];
        size_t n_keys;
};

/* An event with constant attributes, as a row describes it. */
struct qn_row_event {
        uint8_t kind, n_attrs;
        uint8_t keys[QN_EVENT_ATTRS];
        struct qn_str values[QN_EVENT_ATTRS];
        uint64_t labels; /* of `which`, where it names a label */
};

/* Reads and parses data_dir/name; the tree lives in the arena. */
QN_MUST int qn_table_read(const char *data_dir, const char *name, struct qn_arena *a,
                          const struct qn_node **ret, struct qn_err *reterr);
/* Splits a row's text; slices point into it. */
QN_MUST int qn_row_split(struct qn_str text, struct qn_row *ret, struct qn_err *reterr);
/* The same for text without the part left of the arrow. */
QN_MUST int qn_row_split_right(struct qn_str text, struct qn_row *ret, struct qn_err *reterr);
struct qn_str qn_row_get(const struct qn_row *r, const char *key);
/* The event of a row; keys that are no attributes are left to the caller. */
QN_MUST int qn_row_event(const struct qn_row *r, struct qn_row_event *ret, struct qn_err *reterr);
/* Starts an event from it. */
struct qn_event qn_row_event_make(const struct qn_row_event *re);
/* "table.yaml: line 7: …": puts a place in front of what *err says. */
int qn_table_fail(struct qn_err *err, const char *name, const struct qn_node *at);
