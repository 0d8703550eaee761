/* replica.h - a page of a registry's replication feed (CouchDB's `_changes`, as npm's replicate.npmjs.com gives it, without documents):
 * what changed since a sequence.  HOSTILE INPUT.
 *      {"results":[{"seq":7,"id":"name","changes":[{"rev":"1-a"}],"deleted":true}, …],"last_seq":7}
 * Sequences are numbers, or with CouchDB 2 and later texts that begin with one; both are kept as text.  Design documents and what
 * cannot be a package's name are counted and left out.  Instead of a page, a file may have one change a line (as `feed=continuous`
 * gives them, or as somebody recorded them), or just names, one a line. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;

struct qn_replica_change {
        struct qn_str name; /* fit to be asked for */
        struct qn_str seq;  /* printable, not empty; of a list of names: the line's number */
        bool deleted;
};

struct qn_replica {
        struct qn_replica_change *v; /* in the order of the page */
        size_t n;
        size_t skipped;     /* changes of other things */
        struct qn_str last; /* where to go on: printable, not empty */
};

/* The number that a sequence begins with, or -1. */
int64_t qn_replica_number(struct qn_str seq);
/* Whether a text may be a sequence of an address. */
bool qn_replica_is_seq(struct qn_str s);

/* Texts live in the arena or are slices of the input.  0; -EINVAL: no page of a feed; -EFBIG: more than QN_REPLICA_MAX changes;
 * errors of json.h; -ENOBUFS. */
QN_MUST int qn_replica_parse(struct qn_cur in, struct qn_arena *a, struct qn_replica *ret,
                             struct qn_err *reterr);
/* The same of a recorded feed or a list of names. */
QN_MUST int qn_replica_parse_lines(struct qn_cur in, struct qn_arena *a, struct qn_replica *ret,
                                   struct qn_err *reterr);
