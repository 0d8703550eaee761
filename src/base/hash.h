/* hash.h - digests (OpenSSL libcrypto) and the fast identity hash (XXH3), plus hex and base64. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_arena;
struct qn_buf;

enum qn_digest { QN_SHA1, QN_SHA256, QN_SHA384, QN_SHA512, QN_DIGEST_MAX };

#define QN_DIGEST_BYTES_MAX 64

/* Bytes of a digest, and its name as Subresource Integrity spells it ("sha512"). */
size_t qn_digest_size(enum qn_digest d);
const char *qn_digest_name(enum qn_digest d);
/* Whole-buffer digest into ret (QN_DIGEST_BYTES_MAX bytes); 0 or -EIO when libcrypto refuses. */
QN_MUST int qn_digest(enum qn_digest d, const void *p, size_t n, uint8_t *ret);

/* The same of what comes piece by piece, however much it is: begin, add, end, which frees it and tells what went wrong on the way. */
struct qn_digest_run {
        void *ctx;
        int error;
};
void qn_digest_begin(struct qn_digest_run *run, enum qn_digest d);
void qn_digest_add(struct qn_digest_run *run, struct qn_str s);
/* "5:bytes": texts that may hold anything, one behind the other. */
void qn_digest_add_text(struct qn_digest_run *run, struct qn_str s);
QN_MUST int qn_digest_end(struct qn_digest_run *run, uint8_t *ret);

/* XXH3-64: identity inside one process or file, never a security statement. */
uint64_t qn_hash64(const void *p, size_t n);

/* Lower-case hex, and standard base64 with padding, appended to b. */
int qn_hex_encode(struct qn_buf *b, const void *p, size_t n);
int qn_base64_encode(struct qn_buf *b, const void *p, size_t n);
/* Of one digit, of either case; -1: it is none. */
int qn_hex_value(char c);
/* Strict hex into an arena: -EINVAL on an odd length or another character. */
QN_MUST int qn_hex_decode(struct qn_str s, struct qn_arena *a, struct qn_str *ret);
/* Base64, standard and URL alphabets mixed, padding optional, white space skipped, as Node's Buffer reads it.
 * -EINVAL on any other character. */
QN_MUST int qn_base64_decode(struct qn_str s, struct qn_arena *a, struct qn_str *ret);
/* The same into room for max bytes; -ENOBUFS: more than that. */
QN_MUST int qn_base64_decode_to(struct qn_str s, char *to, size_t max, size_t *ret_n);
