/* tar.h - walk an npm tarball.  HOSTILE INPUT.
 * ustar, old v7, GNU long names and links ('L', 'K'), pax ('x', 'g': path, size, linkpath), base-256 and octal numbers.
 * One walker over two sources: bytes in memory (entry data are slices of the input, nothing is copied) or a stream
 * (entry data arrive in pieces).
 *
 * What npm would unpack must be seen, so the walker decides as npm's reader (node-tar, strip 1) does where readers
 * differ: which headers count, how long a body is, which name wins.  As there, the first path component ("package/" or
 * another) is cut off, then roots ("/", "C:"); a header that npm skips (checksum, no name, a link name where none
 * belongs) is skipped and noted, and what npm would read of its body as headers is read as headers.
 * Nothing is ever written.  Odd entries are handed out, marked, and it is the caller's duty to judge them.
 * Errors: -EBADMSG a header on which readers disagree too much, -ENODATA cut short, -EFBIG past QN_TAR_*_MAX, -ENOMEM. */
#pragma once

#include <sys/types.h>

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

enum qn_tar_type {
        QN_TAR_FILE,
        QN_TAR_DIR,
        QN_TAR_SYMLINK,
        QN_TAR_HARDLINK,
        QN_TAR_DEVICE, /* character, block, fifo */
        QN_TAR_OTHER,  /* npm passes over it */
        QN_TAR_TYPE_MAX
};

enum qn_tar_odd { /* bits of qn_tar_entry.odd */
                  QN_TAR_ODD_ABSOLUTE =
                          1
                          << 0, /* path starts with / or a drive letter, before or after the cut */
                  QN_TAR_ODD_DOTDOT = 1 << 1, /* path has a ".." component */
                  QN_TAR_ODD_NUL = 1 << 2,    /* control characters or backslashes in the path */
                  QN_TAR_ODD_OUTSIDE =
                          1
                          << 3, /* a file with no first component to cut off, or nothing behind it */
                  QN_TAR_ODD_PAX =
                          1
                          << 4, /* a pax record overrides the header's size, or a file has a link name */
                  QN_TAR_ODD_UTF8 =
                          1 << 5, /* the path is not valid UTF-8: each client writes another name */
};

#define QN_TAR_ODD_BITS 6
/* "file", "directory", "symlink"…; "absolute-path", "parent-path"… for the i-th bit. */
const char *qn_tar_type_name(enum qn_tar_type type);
const char *qn_tar_odd_name(unsigned i);

struct qn_tar_entry {
        enum qn_tar_type type;
        unsigned odd;  /* qn_tar_odd bits */
        uint32_t mode; /* permission bits */
        uint64_t size; /* bytes of content */
        uint64_t off;  /* offset of the content in the unpacked archive */
        struct qn_str
                path; /* without the first component, "./" and double slashes removed; valid until the next call.
                             * "..", where npm refuses the entry, is left in.  OUTSIDE: as full, but with the same
                             * clean-up; may be empty */
        struct qn_str full; /* as written */
        struct qn_str link; /* target of a link */
        struct qn_cur data; /* memory source only: the content */
};

enum qn_tar_note { /* what was seen between the entries */
                   QN_TAR_NOTE_SKIPPED =
                           1 << 0, /* an invalid header that npm skips and other clients refuse */
                   QN_TAR_NOTE_TRAILING =
                           1
                           << 1 /* data behind the end-of-archive blocks, which some clients read */
};

struct qn_tar;

/* In memory. */
QN_MUST int qn_tar_open(struct qn_cur in, struct qn_tar **ret);
/* From a stream: read works like qn_gz_stream_read. */
typedef ssize_t (*qn_tar_read_fn)(void *user, void *out, size_t n, struct qn_err *reterr);
QN_MUST int qn_tar_open_stream(qn_tar_read_fn read, void *user, struct qn_tar **ret);
/* How many entries to accept instead of QN_TAR_ENTRIES_MAX: for archives that are no packages. */
void qn_tar_allow(struct qn_tar *t, size_t entries);
struct qn_tar *qn_tar_free(struct qn_tar *t);
void qn_tar_freep(struct qn_tar **t);

/* The next entry: 1, 0 at the end of the archive, or a negative error.  In a stream, unread content is skipped. */
QN_MUST int qn_tar_next(struct qn_tar *t, struct qn_tar_entry *ret, struct qn_err *reterr);
/* Stream source only: up to n further bytes of the current entry's content; 0 at its end. */
QN_MUST ssize_t qn_tar_read(struct qn_tar *t, void *out, size_t n, struct qn_err *reterr);
/* qn_tar_note bits so far. */
unsigned qn_tar_notes(const struct qn_tar *t);
