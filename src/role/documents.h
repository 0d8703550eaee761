/* documents.h - several documents about one version as the one input that a job has.
 * Lengths (u64 each, in the order of enum qn_document), then the bytes.  HOSTILE INPUT on the reading side. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "observe/provenance.h"

/* Copies what the descriptors hold (-1: nothing) into a memory file that nobody can write to.  0, or -EFBIG, -EINVAL (no
 * regular file), -errno. */
QN_MUST int qn_documents_seal(const int fds[QN_DOC_MAX], int *ret, struct qn_err *reterr);
/* 0 or -EBADMSG. */
QN_MUST int qn_documents_open(struct qn_cur in, struct qn_cur ret[QN_DOC_MAX]);
