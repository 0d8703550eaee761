/* index.h - everything that is known about bad packages, in one mapped file that all processes share.
 * An LMDB environment: readers see the state at their begin, whatever an update does meanwhile; an update is one
 * transaction, so that killing it at any moment leaves the old state.  One writer at a time.
 *
 *   records   number → who has it, the head of a packed record (record.h), what is cold of it, squeezed (squeeze.h)
 *   ids       id or alias → numbers        names     package → numbers      iocs   kind and value → numbers
 *   sources   name → what is remembered of a source         dictionaries  number → dictionary of squeeze.h
 *   history   generation → which import made it, and what it forgot         meta
 *
 * The file is our own: what is in it was packed by a role and checked when it was taken in. */
#pragma once

#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "parse/indicator.h"

struct qn_arena;
struct qn_intel;
struct qn_osv;

/* Opens the index below a directory for reading: 0; -ENOENT: there is none yet, or nothing was ever taken in; -EBADMSG: it is
 * damaged, -EPROTO of another version; -errno.
 * Once in a process at a time: a second environment of the same files takes away the locks of the first, and a writer then
 * overwrites what that one reads.  Who wants to see what is new asks qn_intel_again(). */
QN_MUST int qn_intel_open(const char *dir, struct qn_intel **ret, struct qn_err *reterr);
/* Goes on with the newest state, also when another index lies there now; what was read before is not valid any more.  While none
 * lies there, the one that was opened goes on.  -errno: *x is as it was before, or NULL, when it had to be closed. */
QN_MUST int qn_intel_again(struct qn_intel **x, struct qn_err *reterr);
/* The same for writing; makes it when there is none.  -EBUSY: another process updates it. */
QN_MUST int qn_intel_open_writer(const char *dir, struct qn_intel **ret, struct qn_err *reterr);
struct qn_intel *qn_intel_close(struct qn_intel *x); /* what was not committed is forgotten */
void qn_intel_closep(struct qn_intel **x);
/* --- sources --- */

#define QN_INTEL_SOURCES_MAX     32u
#define QN_INTEL_SOURCE_NAME_MAX 40u
#define QN_INTEL_OWN             "own" /* the organisation's own list: the only source with policies */

struct qn_intel_source {
        struct qn_str name;
        unsigned number;     /* below QN_INTEL_SOURCES_MAX */
        uint64_t records;    /* that it has */
        uint64_t updated_s;  /* since 1970, when it was taken in last */
        uint64_t generation; /* of the index then */
        struct qn_str etag,
                changes_etag; /* of the last whole download, and list of changes; may be empty */
        struct qn_str from;   /* address or file */
        struct qn_str
                position; /* up to which changes were taken in, as the source counts; may be empty */
};

/* Sources in the order of their numbers; texts live in the arena. */
QN_MUST int qn_intel_sources(struct qn_intel *x, struct qn_arena *a, struct qn_intel_source **ret,
                             size_t *ret_n);
/* The source of that name; made by the writer when it is new.  -ENOENT, -ENOSPC: too many. */
QN_MUST int qn_intel_source(struct qn_intel *x, struct qn_str name, struct qn_arena *a,
                            struct qn_intel_source *ret);

/* --- writing: one import --- */

struct qn_intel_counts {
        uint64_t added, changed, same, removed;
};

/* Begins to take in what one source says.  whole: it says all that it has to say, what it had said before and does not
 * repeat is forgotten at the commit. */
QN_MUST int qn_intel_begin(struct qn_intel *x, const struct qn_intel_source *s, bool whole);
/* Lets the index learn from packed records (feed.h) what they share, before they are put into it.  Changes how large it becomes,
 * nothing else. */
QN_MUST int qn_intel_learn(struct qn_intel *x, struct qn_cur records, uint64_t n);
/* A packed record.  Of several with one id the latest counts, in whatever order they come; one that was withdrawn wins
 * over its equal.  0, -EBADMSG (not taken), -errno. */
QN_MUST int qn_intel_put(struct qn_intel *x, struct qn_cur packed);
/* s: what to remember of the source (number and generation are kept).  shrunk_ok false: -ERANGE, and nothing happened, when
 * a whole import has less than half of what the source had. */
QN_MUST int qn_intel_commit(struct qn_intel *x, const struct qn_intel_source *s, bool shrunk_ok,
                            struct qn_intel_counts *ret, struct qn_err *reterr);

/* --- reading --- */

struct qn_intel_record {
        uint32_t number;
        uint32_t sources;    /* bits: who has it */
        uint32_t generation; /* of the index when it was last changed */
        uint32_t born;       /* of the index when it came */
        struct qn_cur head;  /* qn_intel_unpack() */
        struct qn_cur cold;  /* qn_intel_complete() */
};

/* Calls fn for each record of a package, by an id or alias, with an indicator, or of all; goes on while it returns 0.  What
 * it is given lives as long as the index is open. */
typedef int qn_intel_fn(void *ctx, const struct qn_intel_record *r);
QN_MUST int qn_intel_by_name(struct qn_intel *x, struct qn_str name, qn_intel_fn *fn, void *ctx);
QN_MUST int qn_intel_by_id(struct qn_intel *x, struct qn_str id, qn_intel_fn *fn, void *ctx);
QN_MUST int qn_intel_by_indicator(struct qn_intel *x, enum qn_indicator_kind kind,
                                  struct qn_str value, qn_intel_fn *fn, void *ctx);
QN_MUST int qn_intel_all(struct qn_intel *x, qn_intel_fn *fn, void *ctx);
/* Each package that is spoken of once, in the order of bytes. */
QN_MUST int qn_intel_names(struct qn_intel *x, int (*fn)(void *ctx, struct qn_str name), void *ctx);
/* Adds to what was unpacked from the head of a record what is cold of it. */
QN_MUST int qn_intel_complete(struct qn_intel *x, const struct qn_intel_record *r,
                              struct qn_arena *a, struct qn_osv *osv);

/* One import. */
struct qn_intel_change {
        uint64_t generation, at_s; /* at_s: since 1970 */
        struct qn_str source;
        struct qn_intel_counts counts;
        struct qn_str *gone; /* ids that it forgot; at most QN_INTEL_GONE_MAX of them */
        size_t n_gone;
};

#define QN_INTEL_GONE_MAX 10000u
#define QN_INTEL_HISTORY  1000u /* imports that are remembered */

/* The imports after a generation, oldest first; in the arena. */
QN_MUST int qn_intel_history(struct qn_intel *x, uint64_t after, struct qn_arena *a,
                             struct qn_intel_change **ret, size_t *ret_n);

/* The table of all indicators for who looks at packages (observe/known.h); lives as long as the index is open.  Empty: none. */
QN_MUST int qn_intel_known(struct qn_intel *x, struct qn_cur *ret);

struct qn_intel_stats {
        uint64_t records, names, indicators, bytes, generation;
        uint64_t
                state; /* a number for all that it says: generations of two indexes may be the same */
};
QN_MUST int qn_intel_stats(struct qn_intel *x, struct qn_intel_stats *ret);
