/* unicode.h - what a code point looks like on a terminal: hidden, wide, or ordinary. */
#pragma once

#include "base/macro.h"

/* Whether cp shows nothing, changes the order of its neighbours or drives the terminal: C0 and C1
 * controls, bidirectional marks, zero-width and filler characters, variation selectors, tags,
 * private use, noncharacters. */
bool qn_uc_hidden(uint32_t cp);
/* Columns on a terminal: 0 combining, 2 East Asian wide and emoji, else 1.  Not for hidden code
 * points. */
unsigned qn_uc_width(uint32_t cp);
