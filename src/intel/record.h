/* record.h - one statement about packages (an OSV record, or a row of somebody's list) as the index keeps it.  HOSTILE INPUT
 * on the reading side: whoever wrote a feed may have taken over the role that packed it.
 * Packed: numbers as LEB128, texts as a number and bytes.  What matching needs is the head; the rest is cold: prose, hashes,
 * when who imported what. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "parse/osv.h"

struct qn_arena;

/* Appends the record.  Only blocks about npm are kept. */
void qn_intel_pack(const struct qn_osv *osv, struct qn_buf *out);

/* The parts of a packed record: cursors into it. */
struct qn_intel_packed {
        struct qn_cur head, cold;
};

/* 0 or -EBADMSG. */
QN_MUST int qn_intel_split(struct qn_cur packed, struct qn_intel_packed *ret);
/* 0, -EBADMSG or -ENOBUFS; texts are slices of the packed bytes; what is cold is left empty. */
QN_MUST int qn_intel_unpack(struct qn_cur head, struct qn_arena *a, struct qn_osv **ret);
/* Adds the rest to what was unpacked from the head. */
QN_MUST int qn_intel_unpack_cold(struct qn_cur cold, struct qn_arena *a, struct qn_osv *osv);

/* The small pieces, for who stores more beside a record. */
void qn_intel_put_num(struct qn_buf *b, uint64_t v);
void qn_intel_put_text(struct qn_buf *b, struct qn_str s);
QN_MUST int qn_intel_get_num(struct qn_cur *c, uint64_t *ret);
QN_MUST int qn_intel_get_text(struct qn_cur *c, struct qn_str *ret);
