/* bom-installed.h - a tree of node_modules, whose package.json files and links came as a bundle (files.h).  HOSTILE INPUT.
 * Paths count from the project's directory: "package.json" is its own, "node_modules/a/package.json" a package.  What
 * npm noted beside them (node_modules/.package-lock.json) gives integrities and addresses. */
#pragma once

#include "parse/bom.h"

QN_MUST int qn_bom_read_installed(struct qn_cur files, struct qn_arena *a, struct qn_bom **ret,
                                  struct qn_err *reterr);
