/* intel-import.h - feeds from files and directories into the index. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "intel/feed.h"
#include "intel/index.h"

struct qn_intel_import {
        const char *data_dir, *cache_dir, *intel_dir;
        bool no_sandbox, whole, force, quiet;
        struct qn_str source; /* as whom; empty: by the file's name */
};

struct qn_intel_imported {
        struct qn_str source; /* lives in buffer */
        char buffer[QN_INTEL_SOURCE_NAME_MAX + 1];
        struct qn_feed_counts feed;
        struct qn_intel_counts index;
        char problem[256]; /* the first one; may be empty */
};

/* One file, or all records below a directory; in one step: all of it is there afterwards, or nothing.  Logs what is wrong. */
QN_MUST int qn_intel_import(const struct qn_intel_import *how, const char *path,
                            struct qn_intel_imported *ret);
