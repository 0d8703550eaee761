/* imprint.h - what a package is made of, small enough to be kept of every version that is ever seen: a sketch of its code and
 * text, some of its files by their content, some of its dependencies.  HOSTILE INPUT.
 * What is in many packages (licences, settings, popular dependencies) is left out.  Of the rest, those files come first in which
 * something was observed; then files and dependencies with the least hashes, so that two packages with much in common show it.
 * Whether what two packages have in common means anything is for others to say (campaign/). */
#pragma once

#include "base/limits.h"
#include "observe/sketch.h"

struct qn_event_set;
struct qn_imprinter; /* one per worker */
struct qn_observers;
struct qn_pkgjson;

struct qn_imprint_file {
        uint64_t content, path; /* qn_hash64() of it; qn_imprint_path() */
};
/* The same for "x.js" and "./x.js". */
uint64_t qn_imprint_path(struct qn_str path);

struct qn_imprint {
        struct qn_sketch sketch;
        struct qn_imprint_file files[QN_IMPRINT_FILES_MAX];
        uint64_t deps[QN_IMPRINT_DEPS_MAX]; /* qn_hash64() of their names */
        size_t n_files, n_deps;
};

QN_MUST int qn_imprinter_new(const struct qn_observers *o, struct qn_imprinter **ret);
struct qn_imprinter *qn_imprinter_free(struct qn_imprinter *m);
void qn_imprinter_begin(struct qn_imprinter *m);
/* A file of the package, whole.  0 or -ENOMEM. */
QN_MUST int qn_imprinter_file(struct qn_imprinter *m, struct qn_str path, struct qn_str content);
/* All files were seen; the set is sealed; manifest: NULL when there is none. */
void qn_imprinter_finish(struct qn_imprinter *m, const struct qn_event_set *set,
                         const struct qn_pkgjson *manifest, struct qn_imprint *ret);
