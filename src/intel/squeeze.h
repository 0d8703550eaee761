/* squeeze.h - texts that resemble each other, each made small by itself with a dictionary of what they share (zstd).  What is
 * unpacked was packed here: the index is our own. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/macro.h"
#include "base/str.h"

struct qn_arena;
struct qn_squeeze;

#define QN_SQUEEZE_DICTIONARY ((size_t)48 << 10) /* bytes */

/* The dictionary is copied; it may be empty. */
QN_MUST int qn_squeeze_new(struct qn_str dictionary, struct qn_squeeze **ret);
struct qn_squeeze *qn_squeeze_free(struct qn_squeeze *s);
/* Appends to out: 0 or -ENOMEM. */
QN_MUST int qn_squeeze_pack(struct qn_squeeze *s, struct qn_cur in, struct qn_buf *out);
/* Into the arena: 0; -EBADMSG; -EFBIG: more than max bytes; -ENOBUFS. */
QN_MUST int qn_squeeze_unpack(struct qn_squeeze *s, struct qn_cur in, size_t max,
                              struct qn_arena *a, struct qn_cur *ret);
/* Makes a dictionary of samples that lie one behind the other.  -ENODATA: they have too little in common. */
QN_MUST int qn_squeeze_learn(struct qn_str samples, const size_t *sizes, unsigned n,
                             struct qn_buf *out);
