/* facts.h - what is true of a cluster as a whole, kept up to date as it grows: what campaigns are judged by (rules.h). */
#pragma once

#include "campaign/rules.h"

#define QN_FACTS_APART  16u /* owners, and scopes, that are told apart; more count as so many */
#define QN_FACTS_RECENT 32u /* packages that can be together at one time; more count as so many */

struct qn_facts {
        uint32_t n[QN_FACT_MAX];
        uint32_t owners[QN_FACTS_APART], scopes[QN_FACTS_APART];
        uint32_t times[QN_FACTS_RECENT]; /* of the latest packages, a ring */
};

/* A version that comes to the cluster. */
struct qn_facts_of {
        uint32_t owner, scope, time, signs;
        uint32_t had;   /* signs that versions of the same package brought to the cluster before */
        unsigned kinds; /* 1 << qn_feature_kind: what it came by */
        bool again;     /* its package has versions in the cluster */
};

/* window: how far apart packages may be that were published together. */
void qn_facts_add(struct qn_facts *f, const struct qn_facts_of *v, uint32_t window);
/* Those of a large cluster: what both have may be counted twice. */
void qn_facts_merge(struct qn_facts *f, const struct qn_facts *other);
