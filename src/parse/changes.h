/* changes.h - the list of all records of an OSV export with the time of their last change (modified_id.csv: "time,id" a line) → what
 * changed since.  HOSTILE INPUT.  Lines that are none are counted. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;

struct qn_change {
        struct qn_str
                id; /* letters, digits, '-', '_', '.', ':': fit for an address; slice of the input */
        int64_t time_ms; /* since 1970 */
};

struct qn_changes {
        struct qn_change *v; /* oldest first, each id once */
        size_t n;
        size_t listed, skipped; /* lines that are records, and that are not understood */
        int64_t newest_ms;      /* of all, or QN_TIME_NONE */
};

/* Whether a text is an id that may be part of an address. */
bool qn_change_is_id(struct qn_str s);
/* since_ms: only what changed then or later; QN_TIME_NONE: everything.
 * 0; -EINVAL: no line of it is a record; -EFBIG: more than QN_CHANGES_MAX changed; -ENOBUFS. */
QN_MUST int qn_changes_parse(struct qn_cur in, int64_t since_ms, struct qn_arena *a,
                             struct qn_changes *ret, struct qn_err *reterr);
