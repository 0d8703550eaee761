/* asar.h - walk an Electron archive: a JSON header that names files by offset and size.  HOSTILE INPUT. */
#pragma once

#include "base/cur.h"
#include "base/str.h"

struct qn_arena;

typedef int (*qn_asar_fn)(void *ctx, struct qn_str path, struct qn_cur data);

bool qn_asar_is(struct qn_cur in);
/* Calls fn for every file, in the header's order, until it returns other than 0, which is returned.  -EBADMSG: no header that
 * can be read; -EFBIG past QN_ZIP_ENTRIES_MAX. */
QN_MUST int qn_asar_walk(struct qn_cur in, struct qn_arena *a, qn_asar_fn fn, void *ctx);
