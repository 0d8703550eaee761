/* lock.h - package-lock.json and npm-shrinkwrap.json (lockfileVersion 1, 2, 3) → the packages in them.  HOSTILE INPUT.
 * Also reads node_modules/.package-lock.json.  One pass over the document, one array in the arena; texts are slices of the
 * input or live in the arena: both must outlive the result.  Order is the document's.  A repeated path counts once, with its
 * last value, as npm sees it.  Cap: QN_LOCK_PACKAGES_MAX (-EFBIG).
 * Errors: those of json.h; -EINVAL "not a lock file" (also without lockfileVersion); -ENOTSUP an unknown lockfileVersion. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/pkgjson.h"

struct qn_arena;

enum qn_lock_kind {
        QN_LOCK_REGISTRY,  /* a version from a registry (also when `resolved` was left out) */
        QN_LOCK_ALIAS,     /* the same under another name: "npm:real@1" */
        QN_LOCK_GIT,       /* a git repository; version or resolved holds its URL */
        QN_LOCK_URL,       /* a tarball from a URL that is not its registry address */
        QN_LOCK_FILE,      /* a tarball on disk */
        QN_LOCK_LINK,      /* a symbolic link to a directory: see `resolved` for where */
        QN_LOCK_WORKSPACE, /* a directory of the project itself, or what a link leads to */
};

struct qn_lock_package {
        struct qn_str name; /* the real name: from "name" for an alias, else from the path */
        struct qn_str
                alias; /* the name it is installed under, when that is another one; else p is NULL */
        struct qn_str version;   /* p is NULL where the lock file gives none (links) */
        struct qn_str resolved;  /* URL, path, or p NULL */
        struct qn_str integrity; /* SRI, or p NULL */
        struct qn_str
                path; /* "node_modules/a/node_modules/b"; made up the same way for lockfileVersion 1 */
        uint32_t off; /* of its entry in the lock file */
        enum qn_lock_kind kind;
        bool dev, optional,
                peer; /* only through devDependencies, … (devOptional sets dev and optional) */
        bool bundled; /* its bytes are in the tarball of a package above it */
        bool link;
        bool has_install_script;
        bool direct; /* a dependency of the project or of one of its workspaces (needs qn_lock_mark_direct() for version 1) */
        bool bad_name; /* npm would not accept the name */
};

/* What a package, a workspace or the project (from: "") asks for. */
struct qn_lock_need {
        struct qn_str from; /* its path */
        struct qn_str name;
        enum qn_dep_block block;
};

struct qn_lock {
        unsigned version;                 /* 1, 2 or 3 */
        struct qn_str name, root_version; /* of the project, p NULL when absent */
        struct qn_lock_package *packages; /* without the project itself */
        size_t n;
        struct qn_lock_need *needs; /* those of the project and its workspaces, or all */
        size_t n_needs;
        bool direct_known; /* version 1 does not say what is direct */
        bool duplicate;    /* some path occurred twice */
};

QN_MUST int qn_lock_parse(struct qn_cur in, struct qn_arena *a, struct qn_lock **ret,
                          struct qn_err *reterr);
/* The same with the needs of all packages. */
QN_MUST int qn_lock_parse_needs(struct qn_cur in, struct qn_arena *a, struct qn_lock **ret,
                                struct qn_err *reterr);
/* For version 1: marks what the project's package.json names.  0 or -ENOBUFS. */
QN_MUST int qn_lock_mark_direct(struct qn_lock *lock, const struct qn_pkgjson *project,
                                struct qn_arena *a);
/* "registry", "alias" … */
const char *qn_lock_kind_name(enum qn_lock_kind k);
