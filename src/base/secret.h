/* secret.h - files that hold one secret: a token, a password, a key. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The only line of a regular file that nobody but its owner, who is the user of this process or root, may read or write; without the
 * blanks around it, in *ret, which is a part of the buffer.  The message has no part of it.  -EINVAL, -EFBIG, -errno.
 * qn_secret_done() in any case. */
QN_MUST int qn_secret_read(const char *path, struct qn_buf *b, struct qn_str *ret,
                           struct qn_err *reterr);
/* Wipes it. */
void qn_secret_done(struct qn_buf *b);
