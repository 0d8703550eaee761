/* osv.h - what was found in versions of one package → an OSV record as OpenSSF's malicious-packages takes it in
 * (https://github.com/ossf/malicious-packages: CONTRIBUTING.md, docs/schema_additions.md).
 *   No id and no summary: both are given there.  One package, exact versions or all of them; directories are in lower case.
 *   database_specific holds the keys alone that are accepted: iocs; of the package cwes and indicators.
 *   Domains and addresses of iocs are written plainly, as they are compared; URLs with hxxp, so that nothing in the record can be
 *   followed.  Prose is defanged.  In prose and in URLs what looks like a secret is masked (base/mask.h); hosts, paths of files and
 *   hashes, which anybody finds in the package, are what others compare with, and stay as they are.
 * Results are gathered first; the order in which they came, and the clock, leave no trace in the record.
 *
 *      qn_mal_gather()…; qn_mal_end(); for each package qn_mal_write(), qn_mal_path(). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "parse/indicator.h"

struct qn_buf;
struct qn_result;

#define QN_MAL_SCHEMA_VERSION "1.7.4" /* of what is written, and of most records there */

/* One place of evidence. */
struct qn_mal_place {
        struct qn_str file; /* empty: the package as a whole */
        struct qn_str rule;
        const char *event; /* its name */
        uint32_t off, line;
        struct qn_str sha256; /* of the file, hexadecimal; empty: not known */
};

/* What a rule found, in words. */
struct qn_mal_finding {
        struct qn_str rule, title, explain;
        const char *phase;
};

struct qn_mal_version {
        struct qn_str version, integrity; /* integrity: of what the registry serves; may be empty */
        struct qn_str sha1, sha512;       /* of the same: hexadecimal, and as SRI; may be empty */
        struct qn_mal_finding *findings;  /* strongest first */
        size_t n_findings;
        struct qn_mal_place *places; /* sorted */
        size_t n_places;
};

struct qn_mal_package {
        struct qn_str name;
        struct qn_mal_version *versions; /* sorted as npm sorts them, then by integrity */
        size_t n, cap;
        struct qn_indicator *
                iocs; /* sorted, each once; wallets are told in the details: OpenSSF has no list of them */
        size_t n_iocs, iocs_cap;
};

struct qn_mal {
        struct qn_arena *arena;          /* owns what was gathered */
        struct qn_mal_package *packages; /* sorted by name */
        size_t n, cap;
};

struct qn_mal_credit {
        struct qn_str name, contact; /* contact: an address of mail or web; may be empty */
};

struct qn_mal_conf {
        struct qn_str time; /* RFC 3339, UTC: when the record was made */
        const struct qn_mal_credit *credits;
        size_t n_credits;
        struct qn_str page; /* of a package on the registry, all but its name; may be empty */
        bool every_version; /* the package is nothing else: not only the versions that were seen */
};

#define QN_MAL_INIT(a) ((struct qn_mal){ .arena = (a) })

/* Takes a copy of what a result says.  -EINVAL, with the reason: there can be no record of it (no name, no version, a name that
 * is none); -ENOBUFS at the arena's cap, -E2BIG past QN_MAL_VERSIONS_MAX. */
QN_MUST int qn_mal_gather(struct qn_mal *m, const struct qn_result *res, struct qn_err *reterr);
/* The same of what a person has confirmed to be malicious, also when nothing was found in it. */
QN_MUST int qn_mal_gather_confirmed(struct qn_mal *m, const struct qn_result *res,
                                    struct qn_err *reterr);
/* Sorts; nothing may be gathered after it. */
void qn_mal_end(struct qn_mal *m);
/* The record, indented, with a newline at its end: 0, -ENOBUFS past a cap. */
QN_MUST int qn_mal_write(const struct qn_mal_package *p, const struct qn_mal_conf *conf,
                         struct qn_buf *out);
/* Where it belongs in a checkout: "osv/malicious/npm/NAME/MAL-0000-qanat-….json".  The same package, versions and archives have
 * the same name at any time.  0 or -errno. */
QN_MUST int qn_mal_path(const struct qn_mal_package *p, const struct qn_mal_conf *conf,
                        struct qn_buf *out);
/* The directory of a package's records: "osv/malicious/npm/NAME" or, of those that were taken back, "osv/withdrawn/npm/NAME".
 * -EINVAL: the name is none that a directory in a repository may have. */
QN_MUST int qn_mal_dir(struct qn_str name, bool withdrawn, struct qn_buf *out);
/* Text of a person as it may stand in a record: one line, masked, escaped, defanged. */
void qn_mal_prose(struct qn_buf *out, struct qn_str s);
/* "NAME <CONTACT>" or "NAME": 0 or -EINVAL.  Slices of the text. */
QN_MUST int qn_mal_credit(struct qn_str text, struct qn_mal_credit *ret);
