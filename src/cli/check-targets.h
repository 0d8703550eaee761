/* check-targets.h - what the verbs that check packages share: targets from the command line, and one run of check.h over them.
 * The verb's table has the options of QN_OPT_TARGETS. */
#pragma once

#include "base/macro.h"
#include "cli/load-rules.h"

/* Rows for the options of a verb that checks its targets. */
#define QN_OPT_TARGETS                                                                                        \
        { "offline", 0, QN_OPT_CONFIG, NULL, NULL, NULL, "use npm's cache only" },                            \
                { "registry",                                                                                 \
                  0,                                                                                          \
                  QN_OPT_CONFIG,                                                                              \
                  "URL",                                                                                      \
                  NULL,                                                                                       \
                  NULL,                                                                                       \
                  "registry to use instead of npm's configured one" },                                        \
                { "foreign-tarballs",                                                                         \
                  0,                                                                                          \
                  QN_OPT_CONFIG,                                                                              \
                  "WHICH",                                                                                    \
                  "public|any|refuse",                                                                        \
                  "public",                                                                                   \
                  "fetch tarballs that are not on a registry: from public addresses, from any, not at all" }, \
                QN_OPT_RULES,                                                                                 \
                { "jobs",                                                                                     \
                  'j',                                                                                        \
                  QN_OPT_CONFIG | QN_OPT_NUMBER,                                                              \
                  "N",                                                                                        \
                  NULL,                                                                                       \
                  NULL,                                                                                       \
                  "analyse N packages at a time (default: one per processor)" },                              \
                { "no-previous",                                                                              \
                  0,                                                                                          \
                  QN_OPT_CONFIG,                                                                              \
                  NULL,                                                                                       \
                  NULL,                                                                                       \
                  NULL,                                                                                       \
                  "do not fetch the version before of each NAME to compare with" },                           \
        {                                                                                                     \
                "no-sandbox", 0, 0, NULL, NULL, NULL,                                                         \
                        "go on where the kernel refuses to confine the analysis"                              \
        }

struct qn_args;
struct qn_check_config;
struct qn_npmconf;
struct qn_pool;
struct qn_rules;
struct qn_target;

struct qn_targets {
        struct qn_target *list;
        size_t n;
        bool any_remote; /* something may have to be fetched */
};

/* npm's configuration, as the options --registry and --quiet say; a project's part of it is read in one of these roles.  Logs what
 * is wrong. */
QN_MUST int qn_load_npm(const struct qn_args *a, struct qn_pool *pool, bool offline,
                        struct qn_npmconf **ret);

/* The n arguments, of which the last n_names are names, whatever files there are; none: the directory one stands in.  Logs what is
 * wrong with each of them.  qn_targets_done() in any case. */
QN_MUST int qn_targets_read(const char *const *argv, size_t n, size_t n_names,
                            struct qn_targets *ret);
void qn_targets_done(struct qn_targets *t);
/* Checks them, judged by the rules below the data directory (load-rules.h); what the options say is put into config.  Logs what is
 * wrong.  The rules are the caller's to free, once nothing points into them. */
QN_MUST int qn_check_targets(const struct qn_args *a, const struct qn_targets *t, const char *rules,
                             struct qn_check_config *config, struct qn_rules **ret_rules);
