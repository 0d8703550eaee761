/* tell.h - what intelligence knows about an artifact, as events beside what was seen in it. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "intel/match.h"

struct qn_arena;
struct qn_event_set;
struct qn_intel_trust;
struct qn_tell;

/* -ENOENT: there is no index; others as qn_intel_open(). */
QN_MUST int qn_tell_open(const char *state_dir, const char *data_dir, struct qn_tell **ret,
                         struct qn_err *reterr);
/* Goes on with the newest state, of the table of who is trusted, too.  -errno: *t is as it was, or NULL, when it had to be closed. */
QN_MUST int qn_tell_again(struct qn_tell **t, const char *data_dir, struct qn_err *reterr);
struct qn_tell *qn_tell_free(struct qn_tell *t);
void qn_tell_freep(struct qn_tell **t);
/* The time that entries expire by, milliseconds since 1970; before the first question. */
void qn_tell_at(struct qn_tell *t, int64_t now_ms);
/* For other questions; they stay its own. */
struct qn_intel *qn_tell_index(struct qn_tell *t);
struct qn_intel_trust *qn_tell_trust(struct qn_tell *t);

struct qn_told {
        struct qn_str name, version,
                integrity; /* version empty: only what all of it is said to be */
        bool unnamed; /* it is somebody's own, whatever it calls itself: its name says nothing */
};

/* A sealed set in the arena of what is known about name, version and integrity, and about hosts, addresses and hashes that the
 * events seen (NULL: none) name.  Its texts are those of told. */
QN_MUST int qn_tell_events(struct qn_tell *t, const struct qn_told *told,
                           const struct qn_event_set *seen, struct qn_arena *a,
                           struct qn_event_set *ret);
