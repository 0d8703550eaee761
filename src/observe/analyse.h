/* analyse.h - a tarball or tar archive → sealed event set: integrity, inflate, walk, observe.  HOSTILE INPUT.
 * Small archives are inflated whole and walked in place; large ones stream, so that memory stays bounded however large
 * the package is.  Whatever is broken becomes an UNANALYSED event; only -ENOMEM is an error. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"

struct qn_event_set;
struct qn_imprint;
struct qn_observers;
struct qn_analyser; /* one per worker */

QN_MUST int qn_analyser_new(const struct qn_observers *o, struct qn_analyser **ret);
struct qn_analyser *qn_analyser_free(struct qn_analyser *an);
void qn_analyser_freep(struct qn_analyser **an);

struct qn_scan_stats;
/* Files and bytes of the last archive. */
void qn_analyser_stats(const struct qn_analyser *an, struct qn_scan_stats *ret);

/* An artifact and what is known about it; what is not there is empty. */
struct qn_analyse_in {
        struct qn_cur archive;
        struct qn_str
                integrity; /* what it must match: an SRI string of one or more hashes ("sha512-… sha1-…") */
        struct qn_cur previous;           /* the archive of the version before */
        struct qn_str previous_integrity; /* as integrity */
        struct qn_cur packument;          /* the registry's document of the package */
        struct qn_cur known;              /* a table of known.h */
        struct qn_str version; /* under which that document files it; empty: the manifest says */
        bool imprint;          /* wants its imprint, too */
};

/* The set carries the sha512 SRI of the bytes and lives until the next call. */
QN_MUST int qn_analyse(struct qn_analyser *an, const struct qn_analyse_in *in,
                       const struct qn_event_set **ret);
/* That of the last one, when it was wanted. */
const struct qn_imprint *qn_analyser_imprint(const struct qn_analyser *an);
