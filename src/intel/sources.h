/* sources.h - where what is known comes from: data/intel/sources.yaml, or a copy with other addresses.  Written by the operator. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_arena;

enum qn_source_kind {
        QN_SOURCE_OSV,        /* OSV's export: an archive, a list of changes, single records */
        QN_SOURCE_RECORDS,    /* an archive or a directory of records */
        QN_SOURCE_LIST,       /* a table or lines */
        QN_SOURCE_ADVISORIES, /* pages of GitHub's REST interface */
};

struct qn_source_conf {
        struct qn_str name;
        enum qn_source_kind kind;
        struct qn_str url;             /* or a path */
        struct qn_str changes, record; /* OSV; both or none; record holds {id} */
        struct qn_str token;           /* name of an environment variable, or empty */
        bool enabled;
};

/* path NULL: that of the data directory.  Texts live in the arena.  -EINVAL: which line, and why. */
QN_MUST int qn_sources_load(const char *data_dir, const char *path, struct qn_arena *a,
                            struct qn_source_conf **ret, size_t *ret_n, struct qn_err *reterr);
/* Whether it is an address, and not a path. */
bool qn_source_is_remote(struct qn_str url);
