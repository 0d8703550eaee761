/* pack-dir.h - a directory as one tar archive in sealed memory, so that every target reaches the
 * analyse role in the same form and the parent never looks into a file. Everything is packed but
 * .git, and but node_modules where a package manager has filled it (it left its state file there,
 * or a lock file stands beside it): bundled dependencies of an unpacked package are part of that
 * package. A symbolic link to a file inside the directory is packed as that file; other links and
 * special files are left out. */
#pragma once

#include "base/err.h"

struct qn_pack_stats {
        unsigned files;
        unsigned unreadable; /* files that could not be read */
        char first[256];     /* the first of them */
        bool installed;      /* a filled node_modules was left out */
};

/* ret_fd: a sealed memfd that the caller owns.  -EFBIG past QN_PACK_MAX or QN_TAR_ENTRIES_MAX,
 * -ELOOP too deep, -errno. */
QN_MUST
int qn_pack_dir(const char *path, int *ret_fd, struct qn_pack_stats *ret, struct qn_err *reterr);

struct qn_buf;

/* An archive, or a directory packed; the descriptor is the caller's, and stands at the beginning. */
QN_MUST int qn_pack_open(const char *path, int *ret_fd, struct qn_err *reterr);
/* The bytes of it, appended. */
QN_MUST int qn_pack_read(const char *path, struct qn_buf *ret);
