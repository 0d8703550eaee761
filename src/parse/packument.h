/* packument.h - a registry's document of one package: choose a version, or list them all.  HOSTILE INPUT.
 * Reads the full and the abbreviated ("corgi") form, from memory; nothing of a version that is not wanted is kept, so that
 * choosing from a document of 20 MB costs 2 MB.  Texts are slices of the input or live in the arena: both must outlive the
 * result.  Cap: QN_PACKUMENT_VERSIONS_MAX (-EFBIG).  Errors: those of json.h; -EINVAL not a packument; -ENOENT nothing matches (the message says what was asked). */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/pkgjson.h"

struct qn_arena;

#define QN_TIME_NONE INT64_MIN

struct qn_packument_signature {
        struct qn_str keyid, sig;
};

struct qn_packument_person {
        struct qn_str name, email;
};

struct qn_packument_version {
        struct qn_str name,
                version;       /* as the document files it: its name, the key of the version */
        struct qn_str tarball; /* URL */
        struct qn_str
                integrity; /* SRI; from shasum ("sha1-…") where there is none; p NULL when neither */
        struct qn_str shasum; /* hex, p NULL when absent */
        struct qn_packument_signature *signatures;
        size_t n_signatures;
        uint64_t unpacked_size, file_count; /* UINT64_MAX when not given */
        struct qn_str attestations_url;     /* p NULL: no attestations */
        struct qn_str provenance_type;      /* dist.attestations.provenance.predicateType */

        struct qn_str deprecated; /* text; p NULL when not deprecated */
        bool has_install_script;  /* hasInstallScript, or an install script is listed */
        bool has_shrinkwrap;
        bool gypfile;
        bool mismatch; /* name or version inside the entry differ from what it is filed under */
        uint32_t n_dependencies, n_optional, n_peer;
        uint32_t n_bundled;              /* UINT32_MAX: all of them */
        struct qn_pkgjson_pairs scripts; /* full form only */

        struct qn_packument_person publisher; /* _npmUser */
        struct qn_str
                trusted_publisher; /* _npmUser.trustedPublisher.id ("github"), p NULL: a token or a password */
        struct qn_packument_person *maintainers; /* as of this version */
        size_t n_maintainers;
        struct qn_str git_head, node_version, npm_version;
        struct qn_str published; /* from "time", p NULL in the abbreviated form */
        int64_t time;            /* the same in milliseconds since 1970, or QN_TIME_NONE */
        struct qn_str raw;       /* this version's JSON object: qn_pkgjson_parse() reads it */
};

struct qn_packument_want {
        struct qn_str spec; /* version, dist-tag or range; "" is the default tag */
        struct qn_str tag;  /* the default tag, "" is "latest" */
        int64_t before; /* only what was published by then (milliseconds since 1970), or QN_TIME_NONE */
        struct qn_str node, npm; /* versions that "engines" is held against; "" to leave that out */
};

/* Chooses as npm does: an exact version or tag and nothing else; for a range the default tag if it is in the range,
 * published in time, runs here and is not deprecated; else the best of what is in the range: not deprecated and fit for this
 * engine, then fit, then not deprecated, then the highest. */
QN_MUST int qn_packument_pick(struct qn_cur in, const struct qn_packument_want *want,
                              struct qn_arena *a, struct qn_packument_version **ret,
                              struct qn_err *reterr);

struct qn_packument {
        struct qn_str name;
        struct qn_str modified;         /* "modified" of the abbreviated form, or time.modified */
        int64_t created, modified_time; /* milliseconds since 1970, or QN_TIME_NONE */
        struct qn_pkgjson_pairs tags;   /* dist-tags: name → version */
        struct qn_packument_person *maintainers;
        size_t n_maintainers;
        struct qn_packument_version *versions; /* document order */
        size_t n;
        struct qn_pkgjson_pairs times; /* "time" as it stands: also versions that are gone */
        bool abbreviated;              /* no "time" and no "_id" */
        bool unpublished;              /* time.unpublished is there */
        struct qn_str readme;          /* p NULL when absent */
};

QN_MUST int qn_packument_read(struct qn_cur in, struct qn_arena *a, struct qn_packument **ret,
                              struct qn_err *reterr);
/* A version by name, or NULL. */
const struct qn_packument_version *qn_packument_find(const struct qn_packument *p,
                                                     struct qn_str version);

/* It names nobody and not when the package was made: a proxy's, whose times are those at which it fetched the versions. */
bool qn_packument_is_proxied(const struct qn_packument *p);

/* "2011-12-01T00:00:00.000Z" → milliseconds since 1970, or QN_TIME_NONE. */
int64_t qn_time_parse(struct qn_str iso);
/* The other way round, in seconds: "2011-12-01T00:00:00Z"; empty for QN_TIME_NONE and what no calendar has. */
#define QN_TIME_TEXT 40
struct qn_str qn_time_format(int64_t ms, char buffer[QN_TIME_TEXT]);
