/* literal.h - indicator strings (data/literals.yaml) searched in all text at memory speed.
 * The compiled database is kept in a cache directory under a name that holds the hash of the table, the version of the
 * engine and the processor's features; one that cannot be used is compiled anew. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_literals;
struct qn_literal_scan;
struct qn_scan;
struct qn_site;

struct qn_row_event;

/* table: "literals.yaml" or another with such patterns.  cache_dir NULL: $QANAT_CACHE, $XDG_CACHE_HOME/qanat,
 * ~/.cache/qanat; no cache when none can be made. */
QN_MUST int qn_literals_load(const char *data_dir, const char *table, const char *cache_dir,
                             struct qn_arena *a, struct qn_literals **ret, struct qn_err *reterr);
void qn_literals_done(struct qn_literals *l);
/* Scratch space: one per worker. */
QN_MUST int qn_literal_scan_new(const struct qn_literals *l, struct qn_literal_scan **ret);
struct qn_literal_scan *qn_literal_scan_free(struct qn_literal_scan *ls);
/* Adds an event for each pattern found in text (a file's path decides which patterns apply). */
void qn_literal_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text);
/* Bytes of any kind: fn gets each pattern for code (but those with binary: false) that is found, once, in the
 * table's order, with the end of the match. */
typedef void (*qn_literal_fn)(void *ctx, struct qn_str id, const struct qn_row_event *event,
                              size_t end);
QN_MUST int qn_literal_each(const struct qn_literals *l, struct qn_literal_scan *ls,
                            struct qn_str bytes, qn_literal_fn fn, void *ctx);
/* How many patterns occur in text, and nothing else: what a scan costs at the least. */
size_t qn_literal_count(const struct qn_literals *l, struct qn_literal_scan *ls,
                        struct qn_str text);
