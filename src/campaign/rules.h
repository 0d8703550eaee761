/* rules.h - which clusters are campaigns: data/campaigns.yaml.  A rule asks for facts of a cluster: how many packages, how many
 * of them do what, how they came to belong together; at least a number, or a share of the packages. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "campaign/cluster.h"
#include "rule/judge.h"

struct qn_arena;

/* What a version is or does: SIGN(id, name in the file).  Counted by package. */
#define QN_SIGNS(X)                                                                             \
        X(FIRST, "first")     /* the package was not there before */                            \
        X(POPULAR, "popular") /* the package is a popular one */                                \
        X(ADDS, "adds")       /* an update with a hook, a program, a deed that is new */        \
        X(HOOK, "hook")       /* an installation hook is new */                                 \
        X(ACTS, "acts")       /* it acts: data/campaigns.yaml says when */                      \
        X(LURE, "lure")       /* it newly depends on something that it does not load */         \
        X(TAKEN, "taken")     /* its people changed: in this version, or since it is watched */ \
        X(HOLLOW, "hollow")   /* there is nothing in it that anybody could need */              \
        X(PAID, "paid")       /* it names who is to be paid for it (tea.yaml) */                \
        X(RING, "ring")       /* it depends on packages that are called like it, or itself */   \
        X(NAMED, "named")     /* a generator made its name */                                   \
        X(THROWAWAY, "throwaway") /* an account that was made to be given up */                 \
        X(SUSPECTED, "suspected") /* suspicious or malicious by itself */                       \
        X(CONDEMNED, "condemned") /* malicious by itself */                                     \
        X(RECENT, "recent")       /* its package's first version was seen, too */               \
        X(SETTLED, "settled")     /* the package was there before anything of it was seen */

enum qn_sign {
#define X(id, name) QN_SIGN_##id,
        QN_SIGNS(X)
#undef X
                QN_SIGN_MAX
};

/* The facts: these, then a number for each sign (packages), then one for each kind of feature (versions that joined by it). */
enum qn_fact {
        QN_FACT_PACKAGES,
        QN_FACT_OWNERS, /* who publishes: accounts, else scopes; QN_FACTS_APART at most */
        QN_FACT_SCOPES, /* those without one are one; the same */
        QN_FACT_PEAK,   /* the most packages within `minutes`; QN_FACTS_RECENT at most */
        QN_FACT_SIGNS,
        QN_FACT_BY = QN_FACT_SIGNS + QN_SIGN_MAX,
        QN_FACT_MAX = QN_FACT_BY + QN_FEATURE_KINDS
};

struct qn_campaign_need {
        uint8_t fact;
        bool percent; /* of the packages */
        uint32_t at_least;
};

#define QN_CAMPAIGN_NEEDS_MAX 12u

struct qn_campaign_rule {
        struct qn_str id, title;
        enum qn_verdict_kind verdict; /* QN_SUSPICIOUS or QN_MALICIOUS */
        uint32_t reaches; /* 1 << qn_sign: what a version must be or do itself, all of it */
        struct qn_campaign_need needs[QN_CAMPAIGN_NEEDS_MAX];
        size_t n;
};

struct qn_campaign_rules;

/* Lives in the arena. */
QN_MUST int qn_campaign_rules_load(const char *data_dir, struct qn_arena *a,
                                   struct qn_campaign_rules **ret, struct qn_err *reterr);
/* The worst rule that is true of a cluster, the first among equals; NULL: none. */
const struct qn_campaign_rule *qn_campaign_rules_match(const struct qn_campaign_rules *r,
                                                       const uint32_t facts[QN_FACT_MAX]);
const struct qn_campaign_rule *qn_campaign_rules_find(const struct qn_campaign_rules *r,
                                                      struct qn_str id);
/* Which rules are true of a cluster: bits 1 << the number of the rule. */
uint64_t qn_campaign_rules_true(const struct qn_campaign_rules *r,
                                const uint32_t facts[QN_FACT_MAX]);
/* The worst verdict of rules among these bits that reach a version with such signs; QN_CLEAN: none does. */
enum qn_verdict_kind qn_campaign_rules_reach(const struct qn_campaign_rules *r, uint64_t rules,
                                             uint32_t signs);
bool qn_campaign_is_deed(const struct qn_campaign_rules *r, unsigned event_kind);
/* Hosts that anybody talks to; subdomains count. */
bool qn_campaign_is_common_host(const struct qn_campaign_rules *r, struct qn_str host);
/* Whether the host says whose an address is, or the whole address does; by its class (data/hosts.yaml), which may be none. */
bool qn_campaign_is_by_host(const struct qn_campaign_rules *r, struct qn_str class);
bool qn_campaign_is_by_address(const struct qn_campaign_rules *r, struct qn_str class);
/* The time in which packages count as published together, in seconds. */
uint32_t qn_campaign_window(const struct qn_campaign_rules *r);
