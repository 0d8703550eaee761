/* files.h - several files in one piece, as input of a job: kind, path, content, again and again.  HOSTILE INPUT when read.
 * Not here: bundles of feeds (intel/feed.h), documents about one version (role/documents.h). */
#pragma once

#include "base/buf.h"
#include "base/cur.h"

enum qn_files_kind {
        QN_FILES_FILE, /* content: its bytes */
        QN_FILES_LINK, /* content: where a symbolic link leads, from the same root as its path */
        QN_FILES_DIR,  /* a directory that matters by its name; no content */
        QN_FILES_KIND_MAX
};

struct qn_files_entry {
        enum qn_files_kind kind;
        struct qn_str path;
        struct qn_cur content;
};

void qn_files_add(struct qn_buf *b, enum qn_files_kind kind, struct qn_str path,
                  struct qn_str content);
/* The next one: 1, 0 at the end, -EBADMSG. */
QN_MUST int qn_files_next(struct qn_cur *c, struct qn_files_entry *ret);
