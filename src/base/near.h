/* near.h - how far a word is from another one, for "did you mean". */
#pragma once

#include "base/str.h"

#define QN_NEAR_MAX 48u /* bytes; longer words are not worth a guess */

/* Edits that make one of the other: a letter left out, put in, another one, or two neighbours swapped.  ASCII case is ignored.
 * QN_NEAR_MAX: one of them is too long. */
unsigned qn_near(struct qn_str a, struct qn_str b);
