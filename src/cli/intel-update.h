/* intel-update.h - what the sources published, into the index. */
#pragma once

#include "cli/intel-import.h"

struct qn_buf;

struct qn_intel_update {
        struct qn_intel_import how; /* dirs and flags */
        const char *sources;        /* the file that names them; NULL: the usual one */
        const char *from; /* instead of the address of the one source that is named; NULL: none */
        const char *const *names; /* of the sources; n 0: all that are enabled */
        size_t n;
        bool json;
};

/* One source after the other; one that fails leaves what it had said before, and the others go on.  Adds a line for each to out.
 * 0; -errno of the last that failed; it has been logged. */
QN_MUST int qn_intel_update(const struct qn_intel_update *u, struct qn_buf *out);
