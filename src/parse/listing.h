/* listing.h - lists of bad versions and of indicators as people publish them → rows.  HOSTILE INPUT.
 * Three forms, told apart by the content: a table with a header line (CSV by RFC 4180, or TSV); lines "name@version",
 * "ecosystem:name:version"; lines that are hashes, hosts, addresses.  '#' begins a comment, blank lines are passed over.
 * A cell with several versions becomes as many rows.  What cannot be understood is counted, not fatal.
 * Caps: QN_LISTING_COLUMNS_MAX, QN_LISTING_CELL_MAX. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/indicator.h"

struct qn_arena;

#define QN_LISTING_COLUMNS_MAX 32u

struct qn_listing {
        struct qn_cur in;
        char separator;                          /* ',' or '\t'; 0: lines */
        uint8_t columns[QN_LISTING_COLUMNS_MAX]; /* what each holds */
        size_t n_columns;
        size_t line;            /* from 1, of the row that is read next */
        struct qn_str versions; /* of the row at hand: those that are still to come */
        struct qn_listing_row *row;
        size_t skipped, first_skipped; /* rows that were not understood; the line of the first */
};

struct qn_listing_row {
        bool is_package;
        struct qn_str ecosystem, name, version; /* of a package; version empty: every one */
        struct qn_indicator ioc;                /* of anything else */
        struct qn_str campaign, note, source;   /* may be empty */
        size_t line;
};

/* Looks at the beginning.  0, or -EINVAL: a table without a column that is known. */
QN_MUST int qn_listing_open(struct qn_cur in, struct qn_listing *ret, struct qn_err *reterr);
/* 1 and the next row, 0 at the end, -ENOBUFS.  Texts live in the arena or are slices of the input. */
QN_MUST int qn_listing_next(struct qn_listing *l, struct qn_arena *a, struct qn_listing_row *ret);
