/* entropy.h - how random bytes look, from a sample of them. */
#pragma once

#include "base/str.h"

/* Bits per byte, times 100 (0 to 800), of at most 64 KB taken evenly from all of s; text lies near 450, machine code near
 * 620, compressed and encrypted data above 780.  Short texts (below 256 bytes) say nothing: 0. */
unsigned qn_entropy(struct qn_str s);
