/* bom-priv.h - what the readers of bom.h share.  Inside the parsers only. */
#pragma once

#include "base/buf.h"
#include "parse/bom.h"
#include "parse/json.h"
#include "parse/pkgjson.h"

QN_MUST int qn_bom_new(struct qn_arena *a, enum qn_bom_kind kind, struct qn_bom **ret,
                       struct qn_err *reterr);
QN_MUST int qn_bom_add(struct qn_bom *b, const struct qn_bom_item *item, uint32_t *ret,
                       struct qn_err *reterr);
QN_MUST int qn_bom_need(struct qn_bom *b, uint32_t from, uint32_t to, enum qn_bom_need need,
                        struct qn_err *reterr);
/* Works out direct and extraneous from the edges; with `all` also dev, optional and peer.  When the project's own needs are
 * not known (no edge comes from it), what nobody needs counts as direct.  0 or -ENOBUFS. */
QN_MUST int qn_bom_settle(struct qn_bom *b, bool all, struct qn_err *reterr);
int qn_bom_no_memory(struct qn_err *reterr);

/* The readers, one a format; each makes its own bom. */
typedef int qn_bom_reader(const struct qn_bom_in *in, struct qn_arena *a, struct qn_bom **ret,
                          struct qn_err *reterr);
qn_bom_reader qn_bom_read_npm, qn_bom_read_yarn, qn_bom_read_berry, qn_bom_read_pnpm,
        qn_bom_read_bun, qn_bom_read_bunb, qn_bom_read_deno, qn_bom_read_sbom, qn_bom_read_pnp;

bool qn_bom_is_sbom(const struct qn_node *doc);

/* --- specs (bom-spec.c) --- */

/* What a version or resolution text says about the origin: "git+ssh://…", "file:…", "https://….tgz". */
enum qn_bom_origin qn_bom_origin_of(struct qn_str spec);
/* "npm:real@1" → real and 1; false for anything else. */
bool qn_bom_take_alias(struct qn_str spec, struct qn_str *ret_name, struct qn_str *ret_version);
/* The version that a registry's address of a tarball speaks of: "…/a/-/a-1.0.0.tgz"; p NULL: none. */
struct qn_str qn_bom_version_in(struct qn_str url, struct qn_str name);
/* Two or three texts in a row, in the arena; p NULL at its cap. */
struct qn_str qn_bom_join(struct qn_arena *a, struct qn_str x, struct qn_str y, struct qn_str z);
/* Percent-decoding; the text itself when there is nothing to decode. */
struct qn_str qn_bom_unescape(struct qn_arena *a, struct qn_str s);

/* --- trees of node_modules (bom-place.c) --- */

/* Which item lies where. */
struct qn_bom_places {
        struct qn_arena *arena;
        struct qn_map map;
        struct qn_buf path; /* of the place that is looked at */
};

QN_MUST int qn_bom_place(struct qn_bom_places *p, struct qn_str path, uint32_t item);
/* What `name` is for the code in directory `from`: looked for as Node does, upwards.  QN_MAP_NONE: not there. */
uint32_t qn_bom_find(struct qn_bom_places *p, struct qn_str from, struct qn_str name);

/* --- the project's own package.json files (bom-project.c) --- */

struct qn_bom_member {
        struct qn_str dir; /* "" is the project itself */
        const struct qn_pkgjson *pkg;
        uint32_t item; /* for the reader: its item, QN_BOM_ROOT for the project */
};

struct qn_bom_project {
        struct qn_bom_member
                *members; /* the project first, when it has a package.json, then its workspaces */
        size_t n;
};

/* All package.json files of a bundle.  0, -ENOBUFS or -EBADMSG; what cannot be read is left out. */
QN_MUST int qn_bom_packages(struct qn_cur beside, struct qn_arena *a, struct qn_bom_project *ret,
                            struct qn_err *reterr);
/* The package.json of a directory, or NULL. */
const struct qn_pkgjson *qn_bom_package_at(const struct qn_bom_project *p, struct qn_str dir);
/* The project and its workspaces only, as "workspaces" of its package.json names them. */
QN_MUST int qn_bom_project(struct qn_cur beside, struct qn_arena *a, struct qn_bom_project *ret,
                           struct qn_err *reterr);
/* Whether the project names the directory in its "workspaces". */
bool qn_bom_is_workspace(const struct qn_pkgjson *root, struct qn_str dir);
/* An item for each workspace, needed by the project; takes name and version of the project. */
QN_MUST int qn_bom_add_members(struct qn_bom *b, struct qn_bom_project *p, struct qn_err *reterr);
enum qn_bom_need qn_bom_need_of(const struct qn_pkgjson_dep *d);
