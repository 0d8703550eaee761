/* git-history.h - the versions that a file had in git, the oldest first.  git is run without what a repository could make it run:
 * no hooks, no pagers, no filters. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct qn_git_version {
        char commit[65];
        int64_t time; /* seconds since 1970, when it was committed */
};

/* Of dir/file: 0 and an array to be freed; -ENOENT: no version of it; -errno. */
QN_MUST int qn_git_versions(const char *dir, const char *file, struct qn_git_version **ret,
                            size_t *ret_n, struct qn_err *reterr);
/* The content of dir/file in a commit: 0; -ENOENT: it is not there; -EFBIG. */
QN_MUST int qn_git_content(const char *dir, const char *commit, const char *file,
                           struct qn_buf *out);
