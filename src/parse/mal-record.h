/* mal-record.h - one record as OpenSSF's malicious-packages keeps it in a file: whether it is fit to be handed on, and the same record
 * after something was added or taken back (https://github.com/ossf/malicious-packages: CONTRIBUTING.md, internal/report).
 * HOSTILE INPUT: a record in a repository may be anybody's.
 *
 * What is not known here stays as it is.  The text is made anew, indented, its keys in the order that they had. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"

enum { /* what a record has to be besides well-formed */
       QN_MAL_UNASSIGNED =
               1,           /* it has no id but the placeholder, no summary, and is not withdrawn */
       QN_MAL_CREDITED = 2, /* it says who found it, or refers to something */
};

/* mal-rules.c.  Of a package of this name: 0; -EINVAL, with the first thing that is wrong; -EFBIG; errors of json.h. */
QN_MUST int qn_mal_record_check(struct qn_cur text, struct qn_str name, unsigned flags,
                                struct qn_arena *a, struct qn_err *reterr);

enum qn_mal_outcome {
        QN_MAL_SAME,    /* there is nothing to change */
        QN_MAL_CHANGED, /* it is another text now */
        QN_MAL_GONE, /* the same, and nothing is left that is bad: it belongs to those that were withdrawn */
};

/* Adds the versions of another record of the package, with what is said of them.  What the record says of a version stays. */
QN_MUST int qn_mal_record_extend(struct qn_cur text, struct qn_cur more, struct qn_arena *a,
                                 struct qn_buf *out, enum qn_mal_outcome *ret,
                                 struct qn_err *reterr);

struct qn_mal_withdrawal {
        struct qn_str name, version;
        struct qn_str time; /* RFC 3339, UTC */
        struct qn_str note; /* prose for the details: why, and by whom */
};

/* A version that is one of several is taken out; with the last one, or where all of the package is meant, the record is withdrawn.
 * -ENOENT: it does not speak of that version. */
QN_MUST int qn_mal_record_withdraw(struct qn_cur text, const struct qn_mal_withdrawal *w,
                                   struct qn_arena *a, struct qn_buf *out, enum qn_mal_outcome *ret,
                                   struct qn_err *reterr);
