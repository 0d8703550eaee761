/* dependency.h - a dependency that a version brings and the version before did not have: how old it was when the version was
 * published, whose it is, whether it runs something when it is installed.  HOSTILE INPUT, run in the analyse role.
 * Only dates of documents are compared: no clock is read. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_arena;
struct qn_event_set;

struct qn_dependency_in {
        struct qn_str name, version;       /* the package */
        struct qn_str wanted, spec;        /* the dependency, and what is asked for of it */
        struct qn_str flags;               /* for the events: "not-loaded" */
        struct qn_cur package, dependency; /* the registry's documents of both */
};

/* Adds events; ret is initialised, with an arena that may be spent, and not sealed.  0, or errors of packument.h. */
QN_MUST int qn_dependency_observe(const struct qn_dependency_in *in, struct qn_arena *a,
                                  struct qn_event_set *ret, struct qn_err *reterr);
