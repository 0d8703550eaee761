/* conf.h - the gate's files that an operator writes: typed values out of a YAML tree, and one line for what is wrong.
 * A table says which keys a mapping has; whatever is not in it is an error that names the nearest one.  A key without a value
 * counts as absent.  Texts live in the arena. */
#pragma once

#include "base/err.h"
#include "base/macro.h"
#include "base/str.h"

struct qn_arena;
struct qn_node;

struct qn_conf {
        struct qn_arena *a;
        const char *path;
        struct qn_str text;
        struct qn_err *err;
};

/* Puts what a node says where `to` points.  key: for messages. */
typedef int qn_conf_take_fn(struct qn_conf *c, const char *key, const struct qn_node *n, void *to);

struct qn_conf_key {
        const char *key;
        qn_conf_take_fn *take;
        size_t to; /* offset into the object */
};

/* Text → tree; an empty document is NULL.  Names path and line of what is wrong. */
QN_MUST int qn_conf_parse(struct qn_conf *c, struct qn_str text, const struct qn_node **ret);
/* Reads the file into the arena. */
QN_MUST int qn_conf_load(struct qn_conf *c, struct qn_str *ret);
/* "path:line: …", -EINVAL. */
int qn_conf_wrong(const struct qn_conf *c, const struct qn_node *at, const char *fmt, ...)
        QN_PRINTF(3, 4);
int qn_conf_memory(const struct qn_conf *c);
/* The keys of a mapping, by a table of n; what: for messages ("an exception"). */
QN_MUST int qn_conf_keys(struct qn_conf *c, const struct qn_node *map, const char *what,
                         const struct qn_conf_key *keys, size_t n, void *object);
/* Fails unless the node is a mapping without a key that is there twice. */
QN_MUST int qn_conf_is_map(const struct qn_conf *c, const struct qn_node *n, const char *what);
/* Fails unless the node is a list of at most max entries. */
QN_MUST int qn_conf_is_list(const struct qn_conf *c, const struct qn_node *n, const char *what,
                            size_t max);
/* Index of the word in a list that ends with NULL. */
QN_MUST int qn_conf_word(const struct qn_conf *c, const char *key, const struct qn_node *n,
                         const char *const *words, unsigned *ret);

/* What the tables are made of. */
qn_conf_take_fn qn_conf_text;     /* struct qn_str; not empty, no controls */
qn_conf_take_fn qn_conf_texts;    /* struct qn_conf_list */
qn_conf_take_fn qn_conf_bool;     /* bool */
qn_conf_take_fn qn_conf_u32;      /* uint32_t */
qn_conf_take_fn qn_conf_size;     /* uint64_t: 512, 64KB, 10GB */
qn_conf_take_fn qn_conf_duration; /* int64_t, milliseconds: 0, 500ms, 5s, 30m, 24h, 7d, 2w */
qn_conf_take_fn qn_conf_seconds;  /* uint32_t: the same, whole seconds */
qn_conf_take_fn
        qn_conf_time;        /* int64_t, milliseconds since 1970: a date, or a time with its zone */
qn_conf_take_fn qn_conf_url; /* struct qn_str: http(s), without user, query and fragment */
qn_conf_take_fn qn_conf_path; /* struct qn_str: beside the file that names it; "-" stays */

struct qn_conf_list {
        struct qn_str *v;
        size_t n;
};
