/* native.h - what executables and WebAssembly do, as far as their tables and the text in them tell (data/binary.yaml).
 * HOSTILE INPUT.  The events are those that JavaScript gives: how=import for what a loader connects, how=literal for text. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_literal_scan;
struct qn_natives;
struct qn_scan;
struct qn_scan_file;

QN_MUST int qn_natives_load(const char *data_dir, struct qn_arena *a, struct qn_natives **ret,
                            struct qn_err *reterr);
void qn_natives_done(struct qn_natives *n);
QN_MUST int qn_native_scan_new(const struct qn_natives *n, struct qn_literal_scan **ret);

/* format: the name of its format, for events. */
void qn_native_observe(struct qn_scan *s, const struct qn_scan_file *f, const char *format);
