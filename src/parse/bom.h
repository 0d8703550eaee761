/* bom.h - what a document says is installed: packages and who needs whom.  One model for every way npm packages are written
 * down; the readers (bom-*.c) fill it, HOSTILE INPUT.
 * An item is one entry of its document: the same package at two places of a tree is two items.  Edges go from the item that
 * needs to the one it gets; QN_BOM_ROOT is the project itself, which is no item.  Texts are slices of the input or live in
 * the arena.  Caps: QN_LOCK_PACKAGES_MAX items, QN_BOM_EDGES_MAX edges (-EFBIG).
 * Flags that a document does not hold are worked out from the edges (qn_bom_settle). */
#pragma once

#include "base/arena.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"

#define QN_BOM_ROOT UINT32_MAX

/* The kinds of documents; the names are those of the JSON contract. */
#define QN_BOM_KINDS(X)                 \
        X(PACKAGE_LOCK, "package-lock") \
        X(SHRINKWRAP, "npm-shrinkwrap") \
        X(YARN_V1, "yarn-v1")           \
        X(YARN_BERRY, "yarn-berry")     \
        X(PNPM, "pnpm")                 \
        X(BUN, "bun")                   \
        X(BUN_BINARY, "bun-binary")     \
        X(DENO, "deno")                 \
        X(INSTALLED, "installed")       \
        X(CACHE, "cache")               \
        X(IMAGE, "image")               \
        X(SBOM, "sbom")                 \
        X(VENDORED, "vendored")
#define QN_BOM_KIND_ENUM(id, name) QN_BOM_##id,
enum qn_bom_kind { QN_BOM_KINDS(QN_BOM_KIND_ENUM) QN_BOM_KIND_MAX };

/* Where an item comes from. */
#define QN_BOM_ORIGINS(X)         \
        X(REGISTRY, "registry")   \
        X(GIT, "git")             \
        X(URL, "url")             \
        X(FILE, "file")           \
        X(LINK, "link")           \
        X(WORKSPACE, "workspace") \
        X(PATCH, "patch")         \
        X(VENDORED, "vendored")
#define QN_BOM_ORIGIN_ENUM(id, name) QN_BOM_FROM_##id,
enum qn_bom_origin { QN_BOM_ORIGINS(QN_BOM_ORIGIN_ENUM) QN_BOM_FROM_MAX };

enum qn_bom_need {
        QN_BOM_PROD,
        QN_BOM_DEV,
        QN_BOM_OPTIONAL,
        QN_BOM_PEER,
        QN_BOM_PEER_OPTIONAL,
        QN_BOM_NEED_MAX
};

/* The flags of an item, once: bit and field. */
#define QN_BOM_FLAGS(X) \
        X(0, dev)       \
        X(1, optional)  \
        X(2, peer)      \
        X(3, bundled)   \
        X(4, direct)    \
        X(5, scripts)   \
        X(6, extraneous)

/* What was recognised by its content. */
struct qn_bom_copy {
        uint32_t files, of;    /* so many files are those of the package, which has so many */
        struct qn_str *others; /* "name@version" of what has the very same files */
        size_t n_others;
};

struct qn_bom_item {
        struct qn_str name;
        struct qn_str
                alias; /* the name it is installed under, when that is another one; else p is NULL */
        struct qn_str version;   /* p NULL: the document gives none */
        struct qn_str resolved;  /* URL, path, commit…; p NULL: none */
        struct qn_str integrity; /* SRI of the tarball, or p NULL */
        struct qn_str path;      /* where it lies, or its key in the document; p NULL: neither */
        const struct qn_bom_copy *copy; /* NULL: none; only in memory, never on the wire */
        enum qn_bom_origin origin;
        bool dev, optional, peer; /* only reached through such dependencies */
        bool bundled;             /* its bytes came in the tarball of another package */
        bool direct;              /* a dependency of the project or of one of its workspaces */
        bool scripts;             /* has install scripts, as far as the document knows */
        bool extraneous;          /* nothing needs it */
};

struct qn_bom_edge {
        uint32_t from, to;
        enum qn_bom_need need;
};

struct qn_bom {
        struct qn_arena *arena;
        enum qn_bom_kind kind;
        struct qn_str format;        /* version of the document's format */
        struct qn_str name, version; /* of the project; p NULL when not known */
        struct qn_bom_item *items;
        size_t n, cap;
        struct qn_bom_edge *edges;
        size_t n_edges, edges_cap;
        size_t broken; /* parts of it that could not be read, and the first of them */
        struct qn_str first_broken;
};

/* What a reader gets. */
struct qn_bom_in {
        struct qn_cur doc;
        struct qn_cur
                beside; /* package.json files of the project as a bundle (files.h); may be empty */
        struct qn_str name; /* the document's file name, without directories */
};

const char *qn_bom_kind_name(enum qn_bom_kind k);
const char *qn_bom_origin_name(enum qn_bom_origin o);

/* dir/rel with "." and ".." resolved; what would leave the top keeps its "..".  NUL-terminated, in the arena; p NULL at its cap. */
struct qn_str qn_bom_path(struct qn_arena *a, struct qn_str dir, struct qn_str rel);
/* "@s/a@^1" → name "@s/a", rest "^1".  Without a version: false. */
bool qn_bom_split(struct qn_str s, struct qn_str *ret_name, struct qn_str *ret_rest);
/* Finds out what the document is, by its content and then by its name, and reads it.  0; -EINVAL: nothing that lists npm
 * packages; the errors of json.h and yaml.h; -ENOTSUP: a version of the format that is not known.  *ret lives in the arena. */
QN_MUST int qn_bom_read(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                        struct qn_err *reterr);
