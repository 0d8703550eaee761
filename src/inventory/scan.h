/* scan.h - which packages a directory or a file lists: every lock file, SBOM and tree of node_modules in it is a source.
 * Contents are parsed in the analyse role; what cannot be read is an error beside the others, never the end. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/bom.h"

struct qn_inventory_source {
        struct qn_str path;  /* as the caller named it, with what was found below */
        struct qn_str below; /* from the directory that was scanned; a file's own name */
        struct qn_bom *bom;
};

struct qn_inventory_error {
        struct qn_str path, message; /* both may hold text from the input */
};

struct qn_inventory {
        struct qn_arena arena;
        struct qn_inventory_source *sources; /* in the order of their paths */
        size_t n, cap;
        struct qn_inventory_error *errors;
        size_t n_errors, errors_cap;
};

struct qn_inventory_how {
        bool no_sandbox;
        unsigned workers;  /* 0: one */
        const char *known; /* the directory of store/learnt.h, to recognise copies; NULL: not to */
};

/* Adds what is found at each path to *ret, which the caller ends with qn_inventory_done() in any case.
 * 0; -ENOBUFS, -ENOMEM; or what stopped the roles, said in reterr. */
QN_MUST int qn_inventory_scan(const struct qn_inventory_how *how, const char *const *paths,
                              size_t n, struct qn_inventory *ret, struct qn_err *reterr);
struct qn_collection;
/* Reads what a host collected ("-": standard input).  0; -EINVAL and others with the reason in reterr. */
QN_MUST int qn_inventory_collected(const struct qn_inventory_how *how, const char *file,
                                   struct qn_arena *a, struct qn_collection *ret,
                                   struct qn_err *reterr);
void qn_inventory_done(struct qn_inventory *inv);
