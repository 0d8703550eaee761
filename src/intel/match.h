/* match.h - what is known about one version: all statements, cross-referenced.
 * Statements about malware in a version become one match, with everybody who says it; vulnerabilities that share a name are one
 * match each; what was taken back stays visible and counts for nothing.
 *
 * How sure it is: CONFIRMED, when a statement names the version or a range around it, or when all of the package is bad
 * and nothing speaks against that.  DOUBTFUL, when only a range without an end condemns it and either another statement names
 * certain versions, or the package is a popular one and nobody but one automatic origin says so. */
#pragma once

#include "intel/affects.h"
#include "intel/index.h"

struct qn_arena;
struct qn_popular;

enum qn_intel_kind { QN_INTEL_MALWARE, QN_INTEL_VULNERABILITY };
enum qn_intel_sure { QN_INTEL_WITHDRAWN, QN_INTEL_DOUBTFUL, QN_INTEL_CONFIRMED };

struct qn_intel_statement {
        const struct qn_osv *osv;
        uint32_t sources; /* bits: which feeds have it */
        enum qn_affects how;
        struct qn_str why; /* one sentence: which record, block and range */
};

struct qn_intel_match {
        enum qn_intel_kind kind;
        enum qn_intel_sure sure;
        struct qn_str id; /* of the statement that says it best */
        struct qn_str why;
        struct qn_str severity; /* of a vulnerability; may be empty */
        struct qn_str summary;
        struct qn_str *origins; /* sorted, each once */
        size_t n_origins;
        struct qn_str *aliases; /* other ids, sorted */
        size_t n_aliases;
        int64_t published_ms, modified_ms;     /* first and latest, or QN_TIME_NONE */
        struct qn_intel_statement *statements; /* sorted by id */
        size_t n;
};

struct qn_intel_answer {
        struct qn_intel_match
                *matches; /* malware first, then vulnerabilities, then what was withdrawn */
        size_t n;
};

/* version empty: every statement about the package.  integrity: of the tarball, or empty.  popular may be NULL.
 * 0 or -errno; all of it lives in the arena and in what the index maps. */
QN_MUST int qn_intel_match(struct qn_intel *x, const struct qn_popular *popular, struct qn_str name,
                           struct qn_str version, struct qn_str integrity, struct qn_arena *a,
                           struct qn_intel_answer *ret);
/* "malware", "vulnerability"; "withdrawn", "doubtful", "confirmed". */
const char *qn_intel_kind_name(enum qn_intel_kind k);
const char *qn_intel_sure_name(enum qn_intel_sure s);
