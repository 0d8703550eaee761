/* js.h - events from JavaScript: the syntax tree, the table of interfaces (data/apis.yaml), constants and bindings.
 * Not here: data flow through functions and files. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "parse/js.h"

struct qn_arena;
struct qn_js_apis;
struct qn_scan;
struct qn_site;

QN_MUST int qn_js_apis_load(const char *data_dir, struct qn_arena *a, struct qn_js_apis **ret,
                            struct qn_err *reterr);
/* The file in hand.  Returns its tree, valid until the parser's next file, or NULL. */
const struct qn_js_ast *qn_js_observe(struct qn_scan *s, struct qn_str source);
/* Learns the statements of a program of the version before: nothing is observed.  Whether it could be read. */
bool qn_js_learn(struct qn_scan *s, struct qn_str source);
/* How a file of this name is parsed (qn_js_mode, QN_JS_OPT_*). */
void qn_js_options(struct qn_str path, enum qn_js_mode *ret_mode, unsigned *ret_opts);
/* The package's part of a module name: @scope/name/x → @scope/name. */
struct qn_str qn_module_package(struct qn_str spec);
/* Code that stood in a string or a command, as if it stood at site. */
void qn_js_observe_code(struct qn_scan *s, const struct qn_site *site, struct qn_str code);
