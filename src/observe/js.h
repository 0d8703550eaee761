/* js.h - events from JavaScript: the syntax tree, the table of interfaces (data/apis.yaml), constants and bindings.
 * Not here: data flow through functions and files. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_js_apis;
struct qn_scan;
struct qn_site;

QN_MUST int qn_js_apis_load(const char *data_dir, struct qn_arena *a, struct qn_js_apis **ret,
                            struct qn_err *reterr);
/* The file in hand. */
void qn_js_observe(struct qn_scan *s, struct qn_str source);
/* Code that stood in a string or a command, as if it stood at site. */
void qn_js_observe_code(struct qn_scan *s, const struct qn_site *site, struct qn_str code);
