/* walk.h - finds what lists npm packages below a directory: lock files, SBOMs, trees of node_modules, and the package.json
 * files that belong to them.  Only names are looked at here; contents are read, but parsed elsewhere.
 * Symbolic links are not followed, but those in node_modules are noted.  Caps: QN_INVENTORY_*.  Order is that of names. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct qn_walk_file {
        struct qn_str path; /* from the directory */
};

/* A tree: all of node_modules in and below one directory; or the index of a cache. */
struct qn_walk_tree {
        struct qn_str dir;   /* "" is the directory itself */
        struct qn_buf files; /* files.h, paths from dir */
        bool cache;          /* a package manager's, and no tree */
};

struct qn_walk_error {
        struct qn_str path, message;
};

struct qn_walk {
        struct qn_arena *arena;
        int root; /* the directory, open */
        struct qn_walk_file *files;
        size_t n_files, files_cap;
        struct qn_walk_file *packages; /* package.json of projects, in no node_modules */
        size_t n_packages, packages_cap;
        struct qn_walk_file *images; /* directories that are OCI layouts */
        size_t n_images, images_cap;
        struct qn_walk_file *copies; /* files of projects that may be copies of a package's */
        size_t n_copies, copies_cap;
        struct qn_walk_tree *trees;
        size_t n_trees, trees_cap;
        struct qn_walk_error *errors;
        size_t n_errors, errors_cap;
};

/* copies: whether files that may be copies are wanted.  0, -ENOBUFS, -errno; what cannot be read is an error in the list. */
QN_MUST int qn_walk(const char *dir, bool copies, struct qn_arena *a, struct qn_walk *ret,
                    struct qn_err *reterr);
void qn_walk_done(struct qn_walk *w);
/* The files of the image layout in `dir` as a bundle, in a file that nobody can write to.  -EFBIG: too large. */
QN_MUST int qn_walk_image(const struct qn_walk *w, struct qn_str dir, int *ret);
/* The package.json files of the project in `dir` as a bundle. */
QN_MUST int qn_walk_beside(const struct qn_walk *w, struct qn_str dir, struct qn_buf *out);
