/* pkgjson.h - package.json → what the rest of the program asks about it.  HOSTILE INPUT.
 * Wrong types never fail: the field counts as absent and a note is left in `odd`.  Only a document that is not JSON, or
 * not an object, is refused.  Texts are slices of the input or live in the arena: both must outlive the result.
 * Every `off` is the byte offset of the value (of its opening quote for a string), for showing the place.
 * Lists keep document order.  A repeated key counts once, with its last value, as npm sees it (`duplicate` tells).
 * Not here: what runs when (the trigger graph), reading command lines (shell.h), comparing versions (semver.h). */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_node;

/* A string field with its place; text.p is NULL when the field is absent or no string. */
struct qn_placed {
        struct qn_str text;
        uint32_t off;
};

/* A member of an object of strings: a script, an engine, a bin, a browser replacement. */
struct qn_pkgjson_pair {
        struct qn_str name;
        struct qn_str
                value; /* p is NULL for `false` in "browser" (the module is replaced by nothing) */
        uint32_t off;  /* of the value */
};

struct qn_pkgjson_pairs {
        struct qn_pkgjson_pair *v;
        size_t n;
};

struct qn_pkgjson_list {
        struct qn_placed *v;
        size_t n;
};

enum qn_dep_block {
        QN_DEP_PROD,
        QN_DEP_DEV,
        QN_DEP_PEER,
        QN_DEP_OPTIONAL,
};

struct qn_pkgjson_dep {
        enum qn_dep_block block;
        bool optional; /* PEER: peerDependenciesMeta says so */
        bool bundled;  /* named in bundleDependencies or bundledDependencies, or all are bundled */
        struct qn_str name, spec;
        uint32_t off; /* of the spec */
};

/* One leaf of "exports" or "imports". */
struct qn_pkgjson_entry {
        struct qn_str subpath; /* "." or "./x", perhaps with a star; "#x" in imports */
        struct qn_str
                conditions; /* on the way to the leaf, outermost first, joined by spaces: "node import"; may be "" */
        struct qn_str target; /* p is NULL for null (the subpath is closed) */
        uint32_t off;
};

struct qn_pkgjson_entries {
        struct qn_pkgjson_entry *v;
        size_t n;
};

/* Something that is not as npm documents it. */
struct qn_pkgjson_odd {
        struct qn_str field; /* "scripts", "bin" … */
        const char *what;    /* "is not an object", "holds a value that is not a string" … */
        uint32_t off;
};

struct qn_pkgjson {
        const struct qn_node *root; /* everything, for fields that are not below */
        bool duplicate; /* the document, "scripts" or a dependency block repeats a key */

        struct qn_placed name, version, description, license, homepage;
        struct qn_placed main, module, types, type; /* type: "module", "commonjs" or absent */
        struct qn_placed unpkg, jsdelivr, react_native;
        struct qn_placed repository, repository_directory; /* the URL or shorthand */
        struct qn_placed publish_registry;                 /* publishConfig.registry */
        struct qn_placed directories_bin; /* every file in this directory is a bin */

        struct qn_pkgjson_pairs scripts, engines;
        struct qn_pkgjson_pairs bin;   /* "bin": "x.js" gets the package's name without its scope */
        struct qn_placed browser_main; /* "browser": "x.js" */
        struct qn_pkgjson_pairs browser; /* "browser": {…} */
        struct qn_pkgjson_dep *deps;     /* all blocks */
        size_t n_deps;
        struct qn_pkgjson_list bundled; /* names */
        bool bundle_all;                /* bundleDependencies: true */
        struct qn_pkgjson_entries exports, imports;
        struct qn_pkgjson_list files, workspaces, os, cpu, libc;
        int8_t gypfile; /* 1 true, 0 false, -1 absent */
        bool is_private;

        struct qn_pkgjson_odd *odd; /* at most QN_PKGJSON_ODD_MAX */
        size_t n_odd;
};

/* Errors of json.h, and -EINVAL when the document is not an object.  The arena holds the tree too. */
QN_MUST int qn_pkgjson_parse(struct qn_cur in, struct qn_arena *a, struct qn_pkgjson **ret,
                             struct qn_err *reterr);
/* The same from a tree (one version of a packument): root must be an object (-EINVAL). */
QN_MUST int qn_pkgjson_read(const struct qn_node *root, struct qn_arena *a, struct qn_pkgjson **ret,
                            struct qn_err *reterr);
/* The command of a script, NULL when there is none. */
const struct qn_pkgjson_pair *qn_pkgjson_script(const struct qn_pkgjson *p, const char *name);
