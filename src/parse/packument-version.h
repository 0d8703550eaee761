/* packument-version.h - one version's object of a packument.  Inside the packument reader only. */
#pragma once

#include "parse/packument.h"

struct qn_node;

/* Strings that are slices of `doc` are kept as they are, others are copied into the arena. */
struct qn_packument_keep {
        struct qn_cur doc;
        struct qn_arena *arena;
};

/* The string, safe to keep when the tree is gone; p NULL when n is no string or at the arena's cap. */
struct qn_str qn_packument_keep_text(const struct qn_packument_keep *k, const struct qn_node *n);
/* Object of strings → pairs, members of other types left out; list of persons.  0 or -ENOBUFS. */
QN_MUST int qn_packument_keep_pairs(const struct qn_packument_keep *k, const struct qn_node *n,
                                    struct qn_pkgjson_pairs *ret);
QN_MUST int qn_packument_keep_people(const struct qn_packument_keep *k, const struct qn_node *n,
                                     struct qn_packument_person **ret, size_t *ret_n);

/* raw: the object's text, well-formed; name and key: what it is filed under.  0 or -ENOBUFS. */
QN_MUST int qn_packument_read_version(const struct qn_packument_keep *k, struct qn_str raw,
                                      struct qn_str name, struct qn_str key,
                                      struct qn_packument_version *ret);
