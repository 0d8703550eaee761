/* trace.h - what is kept of a version for good, so that others can be found to belong to it: its sketch, what it has that others
 * may have, what it is and does.  Also as bytes, in the store. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/limits.h"
#include "campaign/cluster.h"
#include "campaign/rules.h"
#include "observe/sketch.h"

struct qn_event_set;
struct qn_imprint;
struct qn_popular;

struct qn_trace {
        uint64_t package;      /* qn_hash64() of its name */
        uint64_t owner, scope; /* owner: the account, else the scope; 0: nobody knows, no scope */
        uint32_t time;         /* in seconds since 1970 */
        uint32_t signs;        /* 1 << qn_sign */
        struct qn_sketch sketch;
        struct qn_feature features[QN_CLUSTER_FEATURES_MAX];
        struct qn_str texts
                [QN_CLUSTER_FEATURES_MAX]; /* of those that people can read; p NULL: not this one */
        size_t n;
};

/* A version as it is seen. */
struct qn_track_version {
        int64_t id; /* in the store (versions.h) */
        struct qn_str name, version;
        struct qn_str publisher;          /* p NULL: nobody knows, or a CI service */
        int64_t published;                /* milliseconds since 1970; not known: when it was seen */
        const struct qn_imprint *imprint; /* NULL: there is none */
        const struct qn_event_set *set;   /* sealed; NULL: there is none */
        enum qn_verdict_kind verdict;     /* by itself */
};

/* Texts live in the arena or in the version's own. */
QN_MUST int qn_trace_make(const struct qn_track_version *v, const struct qn_campaign_rules *rules,
                          const struct qn_popular *popular, struct qn_arena *a,
                          struct qn_trace *ret);
int qn_trace_write(const struct qn_trace *t, struct qn_buf *out);
/* 0 or -EBADMSG; texts are slices of the bytes. */
QN_MUST int qn_trace_read(struct qn_cur in, struct qn_trace *ret);
