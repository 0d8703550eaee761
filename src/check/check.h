/* check.h - many packages at once: targets in, verdicts out.  The pipeline behind `qanat check`.
 *
 *      name ──▶ packument ──▶ pick ─┐
 *      lock file ──▶ entries ───────┼─▶ tarball (npm's cache, network) ──▶ analyse role ──▶ events ──▶ judge
 *      tarball, directory ──────────┘                   documents about it, intelligence ──▶ ┘
 *
 * This process opens files, talks to the fetch client and judges; packuments, lock files and packages are read by confined
 * analyse roles.  Whatever fails for one package is that package's verdict `unknown` with the reason, never the end of the rest. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "net/address.h"

struct qn_check;
struct qn_check_intel;
struct qn_npmconf;
struct qn_pool;
struct qn_registry;
struct qn_result;
struct qn_rules;
struct qn_target;

struct qn_check_config {
        const char *data_dir, *cache_dir;
        unsigned workers; /* 0: one per processor */
        bool no_sandbox;
        bool intel_only; /* nothing is fetched or analysed: only what is known of it is asked */
        struct qn_check_intel *intel; /* what is known; NULL: nothing */
        bool digests; /* of what is suspicious or worse: hashes of the files in which the evidence lies */
        bool alone; /* what comes from the registry is not compared with the version before */
        enum qn_foreign foreign; /* what may be fetched from elsewhere than from registries */
        bool imprint;            /* wants what a package is made of as well (observe/imprint.h) */
        bool no_cache; /* npm's cache is left alone: for what was published a moment ago */
        bool history; /* what a lock file names is looked at like a name: its document, the version before */
        /* Of the one target, which is local: the registry's document, and the version before; NULL: none. */
        const char *packument, *previous;
        /* What else the registry says about it; keys and roots are for all that is checked (cli/documents.h).  NULL: none. */
        const int *docs;
        /* Called once for each artifact, however often it was named, in no particular order; what it is given lives during
         * the call.  A negative result ends the run. */
        int (*result)(void *user, const struct qn_result *res);
        void *user;
};

/* All of it is borrowed and must outlive the check.  The first role is on its way when this returns: what takes time here may
 * be done meanwhile. */
QN_MUST int qn_check_new(const struct qn_check_config *config, struct qn_check **ret,
                         struct qn_err *reterr);
struct qn_check *qn_check_free(struct qn_check *c);
void qn_check_freep(struct qn_check **c);

/* The analyse roles, for what has to be read before the first target is added. */
struct qn_pool *qn_check_pool(const struct qn_check *c);
/* By which rules to judge, before the run. */
void qn_check_judge_by(struct qn_check *c, const struct qn_rules *rules);
/* What is known, from now on. */
void qn_check_know(struct qn_check *c, struct qn_check_intel *intel);
/* From where to fetch, before the run; without it nothing can be (local targets only). */
QN_MUST int qn_check_connect(struct qn_check *c, const struct qn_npmconf *npm);
QN_MUST int qn_check_add(struct qn_check *c, const struct qn_target *t);

/* One version of a package, for who checks without an end: it is not compared with the others of the run, and forgotten once
 * result() had it.  packument: the registry's document, which is taken over; -1: it is fetched.  tag: comes back with the result.
 * name and version are copied. */
QN_MUST int qn_check_add_version(struct qn_check *c, struct qn_str name, struct qn_str version,
                                 int packument, void *tag);
/* How many of them have no result yet. */
size_t qn_check_under_way(const struct qn_check *c);
/* Starts what can be started, and works until something happened or timeout_ms passed. */
QN_MUST int qn_check_turn(struct qn_check *c, int timeout_ms, struct qn_err *reterr);
/* The registry that it was connected with: who asks it as well has its callbacks from qn_check_turn(). */
struct qn_registry *qn_check_registry(const struct qn_check *c);

/* Works until every package has its verdict.  step, when not NULL, is called now and then.  An error means that nothing can
 * be analysed at all (no worker can be started) or that result() said so. */
typedef void qn_check_step(void *user, size_t done, size_t total, struct qn_str name);
QN_MUST int qn_check_run(struct qn_check *c, qn_check_step *step, void *user,
                         struct qn_err *reterr);
