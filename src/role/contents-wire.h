/* contents-wire.h - the files of a package as the reply of a role.  HOSTILE INPUT when read. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "parse/content.h"

QN_MUST int qn_contents_wire_write(const struct qn_contents *c, struct qn_buf *out);
/* 0, -EBADMSG or -ENOBUFS; texts are slices of the reply. */
QN_MUST int qn_contents_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_contents *ret);
