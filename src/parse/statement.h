/* statement.h - what an attestation states: an in-toto statement (v0.1, v1) with a SLSA provenance (v0.2, v1) or npm's publish
 * predicate.  HOSTILE INPUT.  Texts are slices of the payload or live in the arena; p NULL where it says nothing. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

struct qn_arena;

struct qn_subject {
        struct qn_str name;   /* pkg:npm/%40scope/name@1.0.0 */
        struct qn_str sha512; /* hexadecimal */
};

struct qn_statement {
        struct qn_str predicate; /* type */
        struct qn_subject subjects[QN_STATEMENT_SUBJECTS_MAX];
        size_t n;
        struct qn_str repository, ref,
                workflow; /* that it says to be built from, as it spells them */
        struct qn_str commit, builder;
};

/* 0; -EINVAL: JSON, but no statement; -EFBIG: too many subjects; else those of json.h. */
QN_MUST int qn_statement_read(struct qn_cur in, struct qn_arena *a, struct qn_statement *ret,
                              struct qn_err *reterr);

/* Whether a package URL names this version of this package. */
bool qn_purl_is(struct qn_str purl, struct qn_str name, struct qn_str version);
