/* contents.h - the files of one package, by their content (parse/content.h).  HOSTILE INPUT.
 * The package is a tarball, a directory packed as one, or a ZIP archive of yarn's cache. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "parse/content.h"

struct qn_gz;

/* -EINVAL: no package with a name and a version; errors of tar.h, gz.h and zip.h; -ENOBUFS.  Lives in the arena. */
QN_MUST int qn_contents_read(struct qn_gz *gz, struct qn_cur in, struct qn_arena *a,
                             struct qn_contents *ret, struct qn_err *reterr);
