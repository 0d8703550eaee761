/* wire.h - numbers and texts in the parameters and replies of roles.  HOSTILE INPUT.
 * Numbers are little-endian; a text is its length (u32, QN_WIRE_NONE for none) and its bytes. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/str.h"

#define QN_WIRE_NONE UINT32_MAX

static inline void qn_wire_put_u32(struct qn_buf *b, uint32_t v)
{
        qn_buf_add(b, &v, sizeof v);
}

static inline void qn_wire_put_u64(struct qn_buf *b, uint64_t v)
{
        qn_buf_add(b, &v, sizeof v);
}

void qn_wire_put_text(struct qn_buf *b, struct qn_str s);
void qn_wire_put_texts(struct qn_buf *b, const struct qn_str *const *texts, size_t n);
/* 0 or -EBADMSG; slices of the cursor's bytes, p NULL for none. */
QN_MUST int qn_wire_get_text(struct qn_cur *c, struct qn_str *ret);
QN_MUST int qn_wire_get_texts(struct qn_cur *c, struct qn_str *const *ret, size_t n);
