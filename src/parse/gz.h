/* gz.h - gzip members → bytes.  HOSTILE INPUT.
 * Accepts what npm's reader certainly accepts: several members one after the other, and zero bytes after the last.  Other
 * bytes after the last member, or after the zeros, are -EBADMSG: whether npm reads a further member there depends on how
 * the download was cut into pieces.
 * Two ways: whole (libdeflate, one buffer that is reused, sized by the trailer but never trusting it) and streaming
 * (ISA-L, constant memory).  Caps: QN_TARBALL_MAX, QN_UNPACKED_MAX, QN_GZ_MEMBERS_MAX.
 * Errors: -EBADMSG corrupt (also a wrong CRC or length), -ENODATA cut short, -EFBIG past a cap, -ENOMEM. */
#pragma once

#include <sys/types.h>

#include "base/cur.h"
#include "base/err.h"

struct qn_gz; /* one per worker: decompressor and output buffer */

struct qn_gz *qn_gz_new(void);
struct qn_gz *qn_gz_free(struct qn_gz *gz);
void qn_gz_freep(struct qn_gz **gz);

/* Whether the bytes start like gzip. */
bool qn_gz_is(struct qn_cur in);
/* What the last member's trailer claims (modulo 2^32): a hint for choosing the way, nothing else. */
size_t qn_gz_size_hint(struct qn_cur in);
/* Everything at once; ret is valid until the next call on gz.  -EFBIG when the output would pass cap. */
QN_MUST int qn_gz_inflate(struct qn_gz *gz, struct qn_cur in, size_t cap, struct qn_cur *ret,
                          struct qn_err *reterr);
/* Deflated data without a wrapper, as ZIP archives hold them, of a size that is known.  -EBADMSG when it is another, or
 * corrupt. */
QN_MUST int qn_gz_inflate_raw(struct qn_gz *gz, struct qn_cur in, size_t size, struct qn_cur *ret);
/* CRC-32 as gzip and ZIP have it. */
uint32_t qn_gz_crc32(struct qn_cur c);
/* Gives the memory back above keep bytes (after a large package). */
void qn_gz_trim(struct qn_gz *gz, size_t keep);

/* Streaming: read() fills up to n bytes of out and returns how many, 0 at the end, or a negative error. */
struct qn_gz_stream;
QN_MUST int qn_gz_stream_new(struct qn_cur in, size_t cap, struct qn_gz_stream **ret);
struct qn_gz_stream *qn_gz_stream_free(struct qn_gz_stream *s);
void qn_gz_stream_freep(struct qn_gz_stream **s);
QN_MUST ssize_t qn_gz_stream_read(struct qn_gz_stream *s, void *out, size_t n,
                                  struct qn_err *reterr);
