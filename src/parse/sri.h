/* sri.h - Subresource Integrity strings, as lock files and registry documents carry them: "sha512-… sha1-…?option".
 * Read as npm's ssri does: hashes of unknown algorithms do not count, the strongest algorithm named decides alone, any one
 * of its hashes may match, and base64 is compared as text.  HOSTILE INPUT. */
#pragma once

#include "base/cur.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_buf;

struct qn_sri {
        enum qn_digest algorithm; /* the strongest one named */
        size_t n;
        struct qn_str digests[QN_SRI_HASHES_MAX]; /* base64, slices of the text */
};

/* 0, -EINVAL when no hash is there that can be checked, -E2BIG past QN_SRI_HASHES_MAX. */
QN_MUST int qn_sri_parse(struct qn_str text, struct qn_sri *ret);
/* Whether the bytes are the ones meant: 0, -EBADMSG when not, -EIO when libcrypto refuses. */
QN_MUST int qn_sri_check(const struct qn_sri *sri, struct qn_cur bytes);
/* The same with a digest by sri->algorithm that is already known. */
QN_MUST int qn_sri_check_digest(const struct qn_sri *sri, const uint8_t *digest);
/* Appends "sha512-…"; 0 or the buffer's error. */
int qn_sri_format(enum qn_digest algorithm, const uint8_t *digest, struct qn_buf *out);
/* The hexadecimal form of old registry documents (dist.shasum) as SRI: 0, -EINVAL, or the buffer's error. */
QN_MUST int qn_sri_from_hex(enum qn_digest algorithm, struct qn_str hex, struct qn_buf *out);
