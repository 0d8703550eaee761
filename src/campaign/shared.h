/* shared.h - what the versions of a campaign have in common, for people. */
#pragma once

#include "campaign/cluster.h"
#include "store/campaigns.h"

#define QN_SHARED_TRACES_MAX 5000u /* versions that are looked at */
#define QN_SHARED_MAX        12u   /* things that are told */

struct qn_shared_thing {
        enum qn_feature_kind kind;
        struct qn_str text; /* a path, a host, what it does… */
        uint32_t versions;  /* that have it */
};

struct qn_shared {
        uint32_t looked_at;
        uint32_t by
                [QN_FEATURE_KINDS]; /* versions that have something of the kind with another one in common */
        uint32_t on_each_other; /* versions that depend on others of the campaign */
        struct qn_shared_thing things
                [QN_SHARED_MAX]; /* those with a text, of two versions at least; the most first */
        size_t n;
};

/* Lives in the arena; 0 or -errno. */
QN_MUST int qn_shared_find(struct qn_db *db, struct qn_str id, struct qn_arena *a,
                           struct qn_shared *ret);
