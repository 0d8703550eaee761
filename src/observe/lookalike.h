/* lookalike.h - whether a package's name is made to be mistaken for a popular one.
 * Found are slips of the hand (a letter dropped, doubled, swapped, the key beside it), other separators, the words in
 * another order, an ending or beginning such as -js, 2, node-, a plural, letters that look alike, a scope that imitates
 * another or repeats the name.  Not names of the list themselves, nor names below a scope that the list knows: only its
 * owner publishes there.  Of families (is-*, eslint-plugin-*) the word that differs must itself be long enough. */
#pragma once

#include "base/str.h"

struct qn_popular;

#define QN_LOOKALIKES_MAX 3

struct qn_lookalike {
        size_t rank; /* of what it looks like */
        const char *
                how; /* "dropped", "doubled", "swapped", "key", "letter", "added", "plural", "separators",
                            "glyphs", "order", "affix", "scope" */
};

/* How many it looks like, the most popular first.  unlisted: as though the name itself were not in the list. */
size_t qn_lookalike_find(const struct qn_popular *p, struct qn_str name, bool unlisted,
                         struct qn_lookalike ret[QN_LOOKALIKES_MAX]);
