/* intel-import.h - feeds from files, directories and memory into the index. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "intel/feed.h"
#include "intel/index.h"

struct qn_pool;

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

/* The same in pieces.  The index is locked from begin to end; what is not committed is forgotten.  All but begin and commit
 * leave the reason of an error in the problem of what begin was given; those two log it. */
struct qn_intel_take;

/* how, and ret, must outlive it. */
QN_MUST int qn_intel_take_begin(const struct qn_intel_import *how, struct qn_intel_imported *ret,
                                struct qn_intel_take **ret_take);
struct qn_intel_take *qn_intel_take_end(struct qn_intel_take *t);
/* What is remembered of the source; what is changed here is remembered at the commit. */
struct qn_intel_source *qn_intel_take_source(struct qn_intel_take *t);
struct qn_pool *qn_intel_take_pool(struct qn_intel_take *t);
/* Begins to take in; after a commit, again. */
QN_MUST int qn_intel_take_start(struct qn_intel_take *t, bool whole);
QN_MUST int qn_intel_take_path(struct qn_intel_take *t, const char *path);
/* Owns the descriptor, which is open for reading only. */
QN_MUST int qn_intel_take_file(struct qn_intel_take *t, const char *name, int fd, uint64_t size);
/* One record, or a piece of a list of its own; it is read with others at once. */
QN_MUST int qn_intel_take_text(struct qn_intel_take *t, struct qn_str path, struct qn_str text);
/* Reads what came by qn_intel_take_text(). */
QN_MUST int qn_intel_take_flush(struct qn_intel_take *t);
/* What comes is from somewhere else: how far the source had got means nothing any more. */
void qn_intel_take_forget(struct qn_intel_take *t);
QN_MUST int qn_intel_take_commit(struct qn_intel_take *t);
