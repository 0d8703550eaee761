/* match.h - what is known about one version: all statements, cross-referenced.
 * Statements about malware in a version become one match, with everybody who says it; vulnerabilities that share a name are one
 * match each; what the organisation itself decided is one, too; what was taken back or has expired stays visible and counts
 * for nothing.
 *
 * How sure it is: CONFIRMED, when a statement names the version or a range around it, or when all of the package is bad
 * and nothing speaks against that.  DOUBTFUL, when only a range without an end condemns it and either another statement names
 * certain versions, or the package is a popular one and nobody but one automatic origin says so; a block of the organisation's
 * own settles that.  ALLOWED, when the organisation allows it. */
#pragma once

#include "intel/affects.h"
#include "intel/index.h"

struct qn_arena;
struct qn_intel_trust;

enum qn_intel_kind { QN_INTEL_MALWARE, QN_INTEL_VULNERABILITY, QN_INTEL_BLOCK, QN_INTEL_ALLOW };
enum qn_intel_sure {
        QN_INTEL_WITHDRAWN,
        QN_INTEL_EXPIRED,
        QN_INTEL_ALLOWED,
        QN_INTEL_DOUBTFUL,
        QN_INTEL_CONFIRMED
};

struct qn_intel_statement {
        const struct qn_osv *osv;
        uint32_t sources; /* bits: which feeds have it */
        enum qn_affects how;
        struct qn_str why;     /* one sentence: which record, block and range */
        struct qn_str *sayers; /* who makes it, sorted */
        size_t n_sayers;
};

struct qn_intel_match {
        enum qn_intel_kind kind;
        enum qn_intel_sure sure;
        struct qn_str id; /* of the statement that says it best */
        struct qn_str why;
        struct qn_str severity; /* of a vulnerability; may be empty */
        struct qn_str summary;  /* of the own list: the reason */
        struct qn_str owner;    /* of an entry of the own list; may be empty */
        int64_t expires_ms;     /* the same, or QN_TIME_NONE */
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

struct qn_intel_question {
        struct qn_str name;
        struct qn_str version;   /* empty: every statement about the package */
        bool whole;              /* instead of a version: only what speaks of all versions */
        struct qn_str integrity; /* of the tarball, or empty */
        int64_t now_ms;          /* since 1970: what has expired by then counts for nothing */
};

/* trust may be NULL.  0 or -errno; all of it lives in the arena and in what the index maps. */
QN_MUST int qn_intel_match(struct qn_intel *x, struct qn_intel_trust *trust,
                           const struct qn_intel_question *q, struct qn_arena *a,
                           struct qn_intel_answer *ret);
/* "malware", "vulnerability", "block", "allow"; "withdrawn", "expired", "allowed", "doubtful", "confirmed". */
const char *qn_intel_kind_name(enum qn_intel_kind k);
const char *qn_intel_sure_name(enum qn_intel_sure s);
/* What it amounts to: "malicious", "suspicious" or "clean". */
const char *qn_intel_verdict(const struct qn_intel_answer *ans);
