/* target.h - what an argument of `qanat check` means: an npm name, a tarball, a directory or a lock file.
 * As npm reads it: an argument that is a path ("./x", "/x", "x/y", "x.tgz", ".", anything that names an existing file but a
 * plain word) is local, all else is name, name@range or @scope/name@range.  Of a file only the first bytes are looked at. */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum qn_target_kind {
        QN_TARGET_NAME,
        QN_TARGET_ARCHIVE, /* gzip or tar */
        QN_TARGET_DIR,
        QN_TARGET_LOCK,
};

struct qn_target {
        enum qn_target_kind kind;
        const char *arg;     /* as given; belongs to the caller */
        struct qn_str name;  /* NAME: slices of arg */
        struct qn_str range; /* NAME: empty: none was given */
        bool shadows;        /* NAME: a directory of that name lies here too */
};

/* 0, or what is wrong with the argument as one line in reterr: -ENOENT, -EINVAL, -EACCES… */
QN_MUST int qn_target_parse(const char *arg, struct qn_target *ret, struct qn_err *reterr);
/* The same of what is a name whatever files there are: names that others chose may look like one ("x@1.0.0-a.tgz"). */
QN_MUST int qn_target_parse_name(const char *arg, struct qn_target *ret, struct qn_err *reterr);
/* The lock file of a project directory: written to ret ("dir/package-lock.json"), -ENOENT when there is none.
 * npm-shrinkwrap.json wins over package-lock.json, as in npm; then those of pnpm, Yarn, Bun and Deno; what is installed counts
 * last. */
QN_MUST int qn_target_lock(const char *dir, char *ret, size_t size);
/* Whether npm's own reader is for it; otherwise the name says of which package manager it is. */
bool qn_target_is_npm_lock(struct qn_str path);
