/* osv.h - one OSV record (https://ossf.github.io/osv-schema) → struct.  HOSTILE INPUT.
 * Reads what real feeds hold, the schema or not: no id, origins that are null, both spellings and both places of indicators.
 * Unknown fields are passed over; an indicator whose shape is not that of its kind is left out.
 * Texts are slices of the input or live in the arena: both must outlive the record.  Caps: QN_OSV_*_MAX.
 * Errors: those of json.h; -EINVAL no record (the message says why); -EFBIG past a cap. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/indicator.h"

struct qn_arena;

enum qn_osv_event_kind { QN_OSV_INTRODUCED, QN_OSV_FIXED, QN_OSV_LAST_AFFECTED, QN_OSV_LIMIT };

struct qn_osv_event {
        enum qn_osv_event_kind kind;
        struct qn_str version;
};

enum qn_osv_range_type { QN_OSV_SEMVER, QN_OSV_ECOSYSTEM, QN_OSV_GIT, QN_OSV_OTHER };

struct qn_osv_range {
        enum qn_osv_range_type type;
        struct qn_osv_event *events; /* document order */
        size_t n;
};

struct qn_osv_affected {
        struct qn_str ecosystem, name;
        struct qn_osv_range *ranges;
        size_t n_ranges;
        struct qn_str *versions;
        size_t n_versions;
};

/* Who said it (malicious-packages-origins).  The sha256 there is that of the report, and is not kept. */
struct qn_osv_origin {
        struct qn_str source, id, import_time, modified_time;
};

/* Where more is told: "ARTICLE", https://… */
struct qn_osv_reference {
        struct qn_str type, url;
};

/* What an organisation decided for itself (parse/own-list.h). */
enum qn_osv_policy { QN_OSV_NO_POLICY, QN_OSV_BLOCK, QN_OSV_ALLOW };

struct qn_osv {
        struct qn_str id; /* may be empty: then it is in the name of the file */
        struct qn_str modified, published, withdrawn;    /* as written; withdrawn.n: it is */
        int64_t modified_ms, published_ms, withdrawn_ms; /* since 1970, or QN_TIME_NONE */
        struct qn_str summary, details;
        struct qn_str
                severity; /* as the database calls it, lower case: "critical"…; may be empty */
        bool malware;     /* it is about malware, not about a vulnerability */
        enum qn_osv_policy policy;
        struct qn_str owner; /* of a policy; may be empty */
        int64_t expires_ms;  /* a policy counts until then, or QN_TIME_NONE */
        struct qn_str *aliases;
        size_t n_aliases;
        struct qn_osv_affected *affected;
        size_t n_affected;
        struct qn_osv_origin *origins;
        size_t n_origins;
        struct qn_indicator *indicators;
        size_t n_indicators;
        struct qn_osv_reference *references;
        size_t n_references;
};

QN_MUST int qn_osv_parse(struct qn_cur in, struct qn_arena *a, struct qn_osv **ret,
                         struct qn_err *reterr);
/* The same from a document that was read already. */
struct qn_node;
QN_MUST int qn_osv_take(const struct qn_node *doc, struct qn_arena *a, struct qn_osv **ret,
                        struct qn_err *reterr);
/* What the name of a file says of the record in it: "…/MAL-2025-1.json" → "MAL-2025-1". */
struct qn_str qn_osv_id_of_path(struct qn_str path);
