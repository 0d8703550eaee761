/* zst.h - zstd frames → bytes, streaming.  HOSTILE INPUT.
 * Several frames may follow each other.  The window that a frame asks for is capped (QN_ZST_WINDOW_LOG_MAX), and so is what comes
 * out.  Errors: -EBADMSG corrupt, -ENODATA cut short, -EFBIG past a cap, -ENOMEM. */
#pragma once

#include <sys/types.h>

#include "base/cur.h"
#include "base/err.h"

struct qn_zst;

/* Whether the bytes start like zstd. */
bool qn_zst_is(struct qn_cur in);
QN_MUST int qn_zst_new(struct qn_cur in, size_t cap, struct qn_zst **ret);
struct qn_zst *qn_zst_free(struct qn_zst *z);
void qn_zst_freep(struct qn_zst **z);
/* Up to n bytes into out: how many, 0 at the end, or a negative error. */
QN_MUST ssize_t qn_zst_read(struct qn_zst *z, void *out, size_t n, struct qn_err *reterr);
