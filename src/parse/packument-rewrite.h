/* packument-rewrite.h - a registry's document → the one that the gate serves.  HOSTILE INPUT.
 * One pass of the pull parser over the input, everything goes to a sink as it is made: memory does not grow with the document.
 * Versions that are not allowed are left out (and filed below policyRestrictions, which npm's own message comes from), every
 * dist-tag that pointed to one moves to the highest allowed version not above its old target (a prerelease only where the old
 * target was one; the tag goes when there is none), `time` keeps what `versions` has, dist.tarball becomes the gate's address. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/sink.h"
#include "base/str.h"

struct qn_arena;

/* --- facts: what decides, of each version --- */

struct qn_packument_fact {
        struct qn_str version, tarball,
                integrity; /* tarball, integrity: p NULL when absent or unfit to be used */
        int64_t time;      /* QN_TIME_NONE */
        bool has_hooks, attested;
        bool mismatch; /* the entry names another package or version: nobody gets it */
};

struct qn_packument_facts {
        struct qn_str name;
        struct qn_packument_fact *versions; /* in semver order, lowest first */
        size_t n;
        struct qn_str *tags, *targets; /* dist-tags */
        size_t n_tags;
};

/* -EINVAL: no packument, or one of another package than name.  Texts that are no version, no http(s) address, no SRI are left
 * out. */
QN_MUST int qn_packument_facts(struct qn_cur in, struct qn_str name, struct qn_arena *a,
                               struct qn_packument_facts *ret, struct qn_err *reterr);

/* That order: semver precedence, then build data, then bytes. */
int qn_packument_fact_cmp(const struct qn_packument_fact *a, const struct qn_packument_fact *b);

/* --- rewriting --- */

struct qn_packument_blocked {
        struct qn_str version, reason;
};

struct qn_packument_rewrite {
        struct qn_str name;
        struct qn_str
                base; /* the gate's address, no slash at the end: tarballs are base/name/-/file-version.tgz */
        bool abbreviated; /* application/vnd.npm.install-v1+json; else all that the registry said */
        struct qn_str
                only; /* not empty: the manifest of this version or tag alone (GET /name/version); -ENOENT */
        bool tags_only; /* the dist-tags alone (GET /-/package/name/dist-tags) */
        const struct qn_packument_blocked *blocked; /* sorted by bytes of version */
        size_t n_blocked;
        struct qn_str message; /* of policyRestrictions */
};

/* After an error what the sink got is worthless.  Errors as in json.h; -EINVAL as above; -EACCES: `only` is blocked. */
QN_MUST int qn_packument_rewrite(struct qn_cur in, const struct qn_packument_rewrite *w,
                                 struct qn_arena *a, qn_sink_fn *sink, void *ctx,
                                 struct qn_err *reterr);
