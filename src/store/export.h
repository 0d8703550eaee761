/* export.h - what was watched, as lines of JSON for others: {"schema":"qanat.store/1","table":"version",…}.
 * The same content gives the same bytes, whichever database keeps it: rows are in the order of names, and numbers that a database
 * gave them are not told.  Bytes are base64, times milliseconds since 1970. */
#pragma once

#include "base/buf.h"
#include "store/db.h"

/* Calls with each line; goes on while fn returns 0.  table NULL: all; since: what was seen or judged from then on. */
typedef int qn_export_fn(void *ctx, struct qn_str line);
QN_MUST int qn_store_export(struct qn_db *watch, const char *table, int64_t since, qn_export_fn *fn,
                            void *ctx);
