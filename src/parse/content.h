/* content.h - files by their content: what tells which package a file is from, wherever somebody copied it to.
 * Line endings, a byte order mark, white space at the end and the address of a source map do not count: copying changes them. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/str.h"

#define QN_CONTENT_BYTES 16 /* of SHA-256 */

struct qn_content_id {
        uint8_t hash[QN_CONTENT_BYTES];
        uint32_t size; /* bytes that count */
};

struct qn_content_file {
        struct qn_str path; /* in the package */
        struct qn_content_id id;
};

/* A package's files that are worth knowing. */
struct qn_contents {
        struct qn_str name, version;
        struct qn_str integrity; /* SRI of its tarball; p NULL: it came as something else */
        struct qn_content_file *files;
        size_t n;
};

/* Whether a file of this name is code, or a package.json. */
bool qn_content_counts(struct qn_str path);
/* room: for what has to be rewritten.  1; 0 the file is too small to say anything; -ENOMEM, -EFBIG, -EIO. */
QN_MUST int qn_content_id(struct qn_str bytes, struct qn_buf *room, struct qn_content_id *ret);
