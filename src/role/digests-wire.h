/* digests-wire.h - which files of an archive are asked about, and the hashes as the reply of a role.  HOSTILE INPUT when read. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "observe/digests.h"

/* Parameters of QN_JOB_DIGESTS: as many of the paths as fit. */
void qn_digests_wire_ask(struct qn_buf *out, const struct qn_str *paths, size_t n);
/* 0, -EBADMSG or -ENOBUFS; sorted, each once; slices of the parameters. */
QN_MUST int qn_digests_wire_asked(struct qn_cur params, struct qn_arena *a, struct qn_str **ret,
                                  size_t *ret_n);
QN_MUST int qn_digests_wire_write(const struct qn_digests *d, struct qn_buf *out);
/* 0, -EBADMSG or -ENOBUFS: hashes and wallets are of the form that they should have, paths sorted.  Copied into the arena. */
QN_MUST int qn_digests_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_digests *ret);
