/* nested.h - archives inside a package: their files are observed as "outer.zip!/inner.js".  HOSTILE INPUT.
 * Depth, files and bytes are bounded (QN_NESTED_*).  Nothing loads files from there, so what cannot be opened hides nothing
 * that runs by itself; it is told (binary.odd) for rules that look at what unpacks it. */
#pragma once

#include "parse/binfmt.h"

struct qn_scan;
struct qn_scan_file;

bool qn_nested_is(const struct qn_scan_file *f, enum qn_format format);
/* 0 or -ENOMEM. */
int qn_nested_observe(struct qn_scan *s, const struct qn_scan_file *f);
void qn_nested_done(struct qn_scan *s);
