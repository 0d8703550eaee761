/* item.h - one thing that a check works on, from its name to its verdict.  Private to check/. */
#pragma once

#include "base/arena.h"
#include "check/target.h"
#include "event/event.h"
#include "observe/digests.h"
#include "observe/provenance.h"
#include "role/analyse.h"
#include "rule/judge.h"

enum qn_item_state {
        QN_ITEM_PACKUMENT,    /* wants its packument fetched */
        QN_ITEM_PICK,         /* has its packument: fd */
        QN_ITEM_PREVIOUS,     /* wants the tarball of the version before fetched */
        QN_ITEM_TARBALL,      /* wants its tarball fetched */
        QN_ITEM_ANALYSE,      /* has its bytes: fd, or path */
        QN_ITEM_LOCK,         /* is a lock file: path */
        QN_ITEM_ATTESTATIONS, /* wants the attestations of its version fetched */
        QN_ITEM_EARLIER,      /* wants those of an earlier version fetched */
        QN_ITEM_KEYS,         /* wants the registry's keys fetched */
        QN_ITEM_DEPENDENCY,   /* wants the packument of a new dependency fetched */
        QN_ITEM_DEPENDED,     /* has that: fd */
        QN_ITEM_PROVENANCE,   /* has its events, and documents about it */
        QN_ITEM_DIGESTS,      /* is judged: wants hashes of the files in which evidence lies */
        QN_ITEM_WAITING,      /* has all that can be known of it alone: waits for the others */
        QN_ITEM_BUSY,         /* somebody works on it: see doing */
        QN_ITEM_DONE,
};

/* A dependency that the version before did not have. */
struct qn_item_dep {
        struct qn_str name, spec, flags;
};

struct qn_item {
        struct qn_item *next;   /* in the queue it waits in */
        struct qn_arena *names; /* texts that live as long as it does: the check's, or own */
        struct qn_arena own;    /* of what is checked without an end (qn_check_add_version) */
        bool streamed;          /* it is that: forgotten when it is done */
        void *tag;              /* of who added it */
        struct qn_arena mem;    /* events and verdict */
        enum qn_item_state state, doing; /* doing: what it was when it became busy */
        size_t order;                    /* number of the target it came from */
        const char *target;              /* as the user gave it */
        struct qn_str name, range, version, resolved, integrity;
        struct qn_analyse_pick before; /* the version before, of what comes from the registry */
        struct qn_str
                path; /* of a file or directory here, opened only when its turn comes; p NULL: none */
        bool is_dir;
        bool optional; /* npm leaves it out on systems that it is not made for */
        int fd;        /* -1: none */
        int packument; /* the registry's document, -1: none */
        int previous;  /* the archive of the version before, -1: none */
        int bytes;     /* its own, kept for hashes of its files; -1: not kept */
        struct qn_digests digests;
        bool from_cache; /* its bytes are npm's cached copy, which may be bad */
        bool refetch;    /* they were bad: the cache is no longer asked */
        /* What the registry says about it (documents.h), -1: nothing. */
        int docs[QN_DOC_MAX];
        struct qn_str publisher; /* as its packument says; a CI service is nobody */
        int64_t published;       /* milliseconds since 1970, or QN_TIME_NONE */
        bool pinned;             /* a lock file names it */
        bool attested;           /* its packument says that there are attestations */
        bool unreachable;        /* which could not be fetched */
        bool keys_asked;         /* the registry was asked for its keys */
        bool intel_asked;        /* what is known of it is among its events */
        bool unfetched;          /* its document or its bytes could not be had */
        struct qn_str earlier;   /* an earlier version that has some */
        struct qn_str
                incomplete; /* why it cannot be clean, whatever the analysis says; p NULL: nothing */
        struct qn_item_dep *deps;
        size_t n_deps, deps_cap, dep; /* dep: the one whose turn it is */
        struct qn_event_set set;
        struct qn_event_set more;         /* what is found out later, until it is judged */
        const struct qn_imprint *imprint; /* NULL: nobody asked for it */
        struct qn_verdict verdict;
        uint64_t elapsed_ns;
};

/* A new item of the n-th target, or NULL; names: NULL: its own. */
struct qn_item *qn_item_new(size_t order, const char *target, struct qn_arena *names);
struct qn_item *qn_item_free(struct qn_item *it);
/* How many descriptors it holds. */
size_t qn_item_descriptors(const struct qn_item *it);
void qn_item_close(struct qn_item *it);
/* Copies a text for the item; 0 or -ENOMEM. */
QN_MUST int qn_item_set(struct qn_item *it, struct qn_str *field, struct qn_str value);
/* What it is by its events, where nobody said so before: 0 or -ENOMEM. */
QN_MUST int qn_item_identify(struct qn_item *it);
/* Keeps its bytes when somebody else closes fd: for hashes of its files. */
void qn_item_keep_bytes(struct qn_item *it);
/* The set for events that come later than its own. */
struct qn_event_set *qn_item_more(struct qn_item *it);
/* Makes them events of the item.  0 or -ENOBUFS. */
QN_MUST int qn_item_join(struct qn_item *it);
/* Gives it the verdict unknown. */
void qn_item_unknown(struct qn_item *it, const char *fmt, ...) QN_PRINTF(2, 3);
/* Makes a verdict that would be clean unknown, for the reason in it->incomplete. */
void qn_item_fail_closed(struct qn_item *it);
