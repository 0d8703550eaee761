/* mask.h - text that leaves the house: what looks like a token or a password in it becomes "***".
 * Errs on the side of masking: a hash or a random name may go too, words and versions stay. */
#pragma once

#include "base/str.h"

struct qn_buf;

/* Appends s, masked: tokens by the prefix of who issues them, long runs that look random, what follows "password=" and the
 * like, and the user part of addresses. */
void qn_mask_secrets(struct qn_buf *out, struct qn_str s);
