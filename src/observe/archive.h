/* archive.h - the bytes of one package, walked as often as wanted in constant memory.  HOSTILE INPUT.
 * A small archive is inflated whole and its files are slices of that; a large or broken one streams, and each file passes
 * through one buffer.  Only for analyse.c. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "parse/tar.h"

struct qn_gz;
struct qn_gz_stream;

struct qn_archive {
        struct qn_gz *gz;    /* borrowed */
        struct qn_cur bytes; /* as given */
        struct qn_cur whole; /* unpacked, when not streaming */
        bool streaming;
        struct qn_gz_stream *stream; /* of the current walk */
        struct qn_tar *tar;
        uint8_t *file; /* streaming: content of the current file */
        size_t room;
};

struct qn_content {
        struct qn_cur data; /* all of the file, or its head */
        struct qn_cur tail; /* the last bytes when data is only the head, else empty */
        bool whole;
};

/* Chooses the way.  0 or -ENOMEM: what is broken shows while walking. */
QN_MUST int qn_archive_open(struct qn_archive *a, struct qn_gz *gz, struct qn_cur bytes);
/* Starts a walk from the beginning: 0 or -ENOMEM. */
QN_MUST int qn_archive_rewind(struct qn_archive *a);
/* As qn_tar_next(). */
QN_MUST int qn_archive_next(struct qn_archive *a, struct qn_tar_entry *ret, struct qn_err *reterr);
/* The content of the current entry, valid until the next call.  Of files past QN_FILE_MAX the head and the tail: the head
 * has up to QN_FILE_MAX bytes when it is text, else QN_FILE_PEEK. */
QN_MUST int qn_archive_content(struct qn_archive *a, const struct qn_tar_entry *e,
                               struct qn_content *ret, struct qn_err *reterr);
/* Ends the walk, keeps at most QN_UNPACKED_KEEP of memory for the next package. */
void qn_archive_close(struct qn_archive *a);
void qn_archive_done(struct qn_archive *a);
