/* feed.h - what somebody published about bad packages → packed records.  HOSTILE INPUT, run in the analyse role.
 * Takes a ZIP of OSV records (OSV's export), a tar archive of them, gzipped or not (a repository), one record, an array of
 * records, a record a line, a bundle (below), or a list (parse/listing.h); which it is decides the content.
 * One record that is broken costs that record; it is counted, and the first one is named. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

struct qn_feed;

QN_MUST int qn_feed_new(struct qn_feed **ret);
struct qn_feed *qn_feed_free(struct qn_feed *f);

struct qn_feed_counts {
        uint64_t records, malware, withdrawn;
        uint64_t foreign;  /* records about other ecosystems, or about nothing */
        uint64_t others;   /* files that are no records, as in a repository */
        uint64_t broken;   /* records or rows that could not be read */
        uint64_t rows;     /* of lists */
        int64_t latest_ms; /* the newest change of a record, since 1970; 0: none says */
};

struct qn_feed_result {
        struct qn_feed_counts counts;
        struct qn_str problem; /* the first one: where and what; may be empty */
        struct qn_cur records; /* u32 length and a packed record (record.h), again and again */
};

struct qn_feed_input {
        struct qn_cur bytes;
        struct qn_str source; /* as whom to name the records of a list */
        struct qn_str path;   /* what the input is called */
        uint32_t part,
                parts; /* take only this one of so many equal parts; parts 0: all.  What cannot be taken in parts is
                                 in part 0. */
};

/* Nothing in it was understood. */
bool qn_feed_is_nonsense(const struct qn_feed_counts *c);
/* Appends to out, for qn_feed_read().
 * 0; -EINVAL: nothing in it was understood, which of one part of several is no error; -EBADMSG, -EFBIG…: the whole cannot be read. */
QN_MUST int qn_feed_pack(struct qn_feed *f, const struct qn_feed_input *in, struct qn_buf *out,
                         struct qn_err *reterr);
/* 0 or -EBADMSG. */
QN_MUST int qn_feed_read(struct qn_cur in, struct qn_feed_result *ret);
/* The next packed record: 1, 0 at the end, -EBADMSG. */
QN_MUST int qn_feed_next(struct qn_cur *records, struct qn_cur *ret);

/* A bundle: files of a directory in one piece, so that a checkout of a repository needs no archive. */
void qn_bundle_begin(struct qn_buf *b);
void qn_bundle_add(struct qn_buf *b, struct qn_str path, struct qn_str content);
