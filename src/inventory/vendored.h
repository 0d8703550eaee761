/* vendored.h - packages that were copied into a project's own files, recognised by what the files hold.
 * What a file may be from is known from packages that were learnt (store/learnt.h).  Copies keep their relative places: files
 * that lie as in the package are one copy of it, and each file counts for the copy that explains most files.  Then a name
 * that the path speaks of counts, then how much of the package is there, then the higher version.  What many packages have,
 * or one small file that two have and no path tells apart, is nobody's. */
#pragma once

#include "base/arena.h"
#include "inventory/walk.h"
#include "parse/bom.h"
#include "parse/content.h"
#include "store/db.h"

struct qn_vendored_file {
        struct qn_str path;
        struct qn_content_id id;
};

/* The copies among the walk's files.  *ret is NULL when there are none.  0, -EFBIG: past QN_COPY_HITS_MAX; -ENOBUFS,
 * -ENOMEM, -EIO. */
QN_MUST int qn_vendored_scan(const struct qn_walk *w, struct qn_db *known, struct qn_arena *a,
                             struct qn_bom **ret);
/* The same of files that were read. */
QN_MUST int qn_vendored_find(const struct qn_vendored_file *files, size_t n, struct qn_db *known,
                             struct qn_arena *a, struct qn_bom **ret);
