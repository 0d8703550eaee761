/* names.h - generators of names, found in the names that they made.
 * A name is split into fields: words (W), digits (D), letters and digits without sense (R).  A template keeps some fields at its
 * beginning, and perhaps the last one, as they are: "elf-stats-W-W-D3".  A template is a generator when at least 40 names
 * fit and all of its fields look drawn from a list: each word comes back again and again, none much more often than others;
 * numbers differ; and there is a number, or nonsense, or two words beside something fixed.  Names that people give (eslint-plugin-W) have
 * words that come once, or few that come very often.
 * Memory is bounded: what is seen rarely is only counted, roughly, and templates that nobody fits any more make room. */
#pragma once

#include "base/str.h"

#define QN_TEMPLATE_TEXT 256u

struct qn_generators;

struct qn_generator {
        uint64_t key;                /* of the template: the same for all its names */
        uint32_t names;              /* that were seen since it was watched */
        char text[QN_TEMPLATE_TEXT]; /* lower-case letters, digits, - _ . @ / and W, D, D3, R */
};

struct qn_generators *qn_generators_new(void);
struct qn_generators *qn_generators_free(struct qn_generators *g);
void qn_generators_freep(struct qn_generators **g);
/* Learns a name; each package's once.  0 or -ENOMEM. */
QN_MUST int qn_generators_add(struct qn_generators *g, struct qn_str name);
/* Whether a generator that is known by now may have made the name; the least specific one. */
bool qn_generators_find(const struct qn_generators *g, struct qn_str name,
                        struct qn_generator *ret);
size_t qn_generators_bytes(const struct qn_generators *g);
/* All fields of a name as their classes: "W-W-D3".  False: too many, or something else than a name. */
bool qn_name_shape(struct qn_str name, char ret[QN_TEMPLATE_TEXT]);
