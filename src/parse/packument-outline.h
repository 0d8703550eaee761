/* packument-outline.h - where things stand in a registry's document: its members, the versions, the tags.  One pass; what is
 * kept are slices of the input, and what had escapes in the arena.  Inside the facts and the rewriter only.  HOSTILE INPUT.
 * Of repeated keys the last one counts, as in JSON.parse, wherever it stands and however it is spelt. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "parse/json.h"

struct qn_arena;

struct qn_outline_version {
        struct qn_str key; /* the version: qn_semver_is_plain() */
        struct qn_str raw; /* the value's text, as it stands */
        struct qn_str dist,
                tarball; /* the same of dist (an object) and dist.tarball (any value); p NULL: not there */
        struct qn_str time; /* the same of its entry in `time`, a string */
        struct qn_str address, integrity,
                shasum; /* decoded texts of dist; p NULL: no strings, or absurdly long */
        bool fits;      /* an object that names the package and the version as which it is filed */
        bool odd;       /* not simply: each of name, version, dist, dist.tarball once */
        bool hooks, attested;
};

struct qn_outline_member {
        struct qn_str key, raw_key /* with its quotes */, value;
};

struct qn_outline_tag {
        struct qn_str tag, raw_tag /* with its quotes */, target;
};

struct qn_outline {
        struct qn_arena *arena;
        struct qn_outline_member *members; /* in the order of the first of repeated keys */
        size_t n_members, member_cap;
        struct qn_outline_version *versions;
        size_t n, cap;
        struct qn_map index; /* key → version */
        struct qn_outline_tag *tags;
        size_t n_tags, tag_cap;
        bool has_versions;
        struct qn_str created, modified,
                unpublished; /* texts of values of `time`; p NULL: not there */
};

/* name: the document must be of that package.  Errors of json.h; -EINVAL: no packument, or of another package; -EFBIG: too many
 * versions, tags, members; -ENOBUFS. */
QN_MUST int qn_outline_read(struct qn_cur in, struct qn_str name, struct qn_arena *a,
                            struct qn_outline *ret, struct qn_err *reterr);
/* NULL: not there. */
const struct qn_outline_version *qn_outline_version(const struct qn_outline *o, struct qn_str key);
const struct qn_outline_member *qn_outline_member(const struct qn_outline *o, const char *key);

/* --- walking an object of the document --- */

struct qn_outline_walk {
        struct qn_json json;
        struct qn_err *err;
        struct qn_arena *arena; /* keys with escapes */
};

/* object: the text of an object, well-formed: 0, -ENOBUFS. */
QN_MUST int qn_outline_enter(struct qn_outline_walk *w, struct qn_str object, struct qn_arena *a,
                             struct qn_err *reterr);
/* 1 and the next member, whose value has begun; 0 at the end; -errno.  raw_key may be NULL. */
QN_MUST int qn_outline_next(struct qn_outline_walk *w, struct qn_str *ret_key,
                            struct qn_str *ret_raw_key, struct qn_json_event *ret_value);
/* Passes over the rest of the value: its text. */
QN_MUST int qn_outline_pass(struct qn_outline_walk *w, const struct qn_json_event *value,
                            struct qn_str *ret);
