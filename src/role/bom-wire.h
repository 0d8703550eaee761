/* bom-wire.h - a list of packages as the reply of a role.  HOSTILE INPUT when read: whoever wrote the document may have taken
 * over the role.  What is read back has items and edges that fit together; texts hold whatever bytes they like. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "parse/bom.h"

QN_MUST int qn_bom_wire_write(const struct qn_bom *b, struct qn_buf *out);
/* 0, -EBADMSG or -ENOBUFS; everything lives in the arena. */
QN_MUST int qn_bom_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_bom **ret,
                             struct qn_err *reterr);

struct qn_collection;
/* The same for what a host collected. */
QN_MUST int qn_collection_wire_write(const struct qn_collection *c, struct qn_buf *out);
QN_MUST int qn_collection_wire_read(struct qn_cur reply, struct qn_arena *a,
                                    struct qn_collection *ret, struct qn_err *reterr);
