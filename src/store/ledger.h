/* ledger.h - what the gate remembers: who fetched which artifact when, verdicts by content, what is on disk.
 * The ledger itself is append-only: the file refuses to change or forget a row.  Times are milliseconds since 1970. */
#pragma once

#include "base/arena.h"
#include "store/db.h"

extern const struct qn_db_def qn_db_gate;

/* --- artifacts and who fetched them --- */

struct qn_ledger_artifact {
        int64_t id; /* from 1 on */
        struct qn_str name, version, integrity;
};

/* The number of an artifact, which is made when it is new. */
QN_MUST int qn_ledger_artifact(struct qn_db *db, const struct qn_ledger_artifact *a,
                               int64_t *ret_id);
/* The artifact of a number: 0, or -ENOENT; texts in the arena. */
QN_MUST int qn_ledger_find(struct qn_db *db, int64_t id, struct qn_arena *a,
                           struct qn_ledger_artifact *ret);

struct qn_ledger_fetch {
        struct qn_ledger_artifact artifact; /* adding: its id alone */
        int64_t time;
        struct qn_str token, address, user_agent, session, command, ci; /* p NULL: not known */
};

QN_MUST int qn_ledger_add(struct qn_db *db, const struct qn_ledger_fetch *f);

/* Rows that match, oldest first; texts live during the call.  Goes on while fn returns 0. */
struct qn_ledger_filter {
        struct qn_str name, version; /* empty: any */
        int64_t since, until;        /* 0: from the begin, to the end */
        struct qn_str client;        /* a token's name or an address; empty: anybody */
        int64_t artifact;            /* its id; 0: any */
};
typedef int qn_ledger_fn(void *ctx, const struct qn_ledger_fetch *f);
QN_MUST int qn_ledger_each(struct qn_db *db, const struct qn_ledger_filter *filter,
                           qn_ledger_fn *fn, void *ctx);
/* Who fetched versions of a package: a token's name, or the address where there was none; by version and client. */
struct qn_ledger_client {
        struct qn_ledger_artifact artifact;
        struct qn_str client;
        int64_t first, last, times;
};
QN_MUST int qn_ledger_clients(struct qn_db *db, struct qn_str name, int64_t until,
                              int (*fn)(void *ctx, const struct qn_ledger_client *c), void *ctx);
/* Each artifact that was ever served, by name and version. */
typedef int qn_ledger_artifact_fn(void *ctx, const struct qn_ledger_artifact *a);
QN_MUST int qn_ledger_served(struct qn_db *db, qn_ledger_artifact_fn *fn, void *ctx);
/* Those of them that have these bytes: one, unless a package goes by several names. */
QN_MUST int qn_ledger_copies(struct qn_db *db, struct qn_str integrity, qn_ledger_artifact_fn *fn,
                             void *ctx);

/* --- verdicts by content --- */

struct qn_ledger_verdict {
        struct qn_str verdict; /* "clean", "unknown"… */
        unsigned score;
        struct qn_str reason;
        struct qn_str rules; /* revision of the rules and tables that it was judged by */
        int64_t time;
};

/* 0, or -ENOENT; texts live in the arena. */
QN_MUST int qn_ledger_verdict(struct qn_db *db, struct qn_str integrity, struct qn_arena *a,
                              struct qn_ledger_verdict *ret);
QN_MUST int qn_ledger_judged(struct qn_db *db, struct qn_str integrity,
                             const struct qn_ledger_verdict *v);
/* The first artifact behind `after`, served or not, that has no verdict, or one by neither of two revisions: 0, or -ENOENT; texts in the arena. */
QN_MUST int qn_ledger_outdated(struct qn_db *db, int64_t after, const struct qn_str rules[2],
                               struct qn_arena *a, struct qn_ledger_artifact *ret);

/* --- what turned bad after it was served --- */

struct qn_ledger_alarm {
        struct qn_ledger_artifact artifact;
        int64_t time;
        struct qn_str verdict, reason;
        struct qn_str before; /* the verdict on record until then */
        bool told;            /* the webhook has it */
};

/* 1: new, 0: it was known, -errno. */
QN_MUST int qn_ledger_alarm(struct qn_db *db, const struct qn_ledger_alarm *a);
QN_MUST int qn_ledger_told(struct qn_db *db, int64_t artifact);
/* All of them, or those that nobody was told of; newest last. */
QN_MUST int qn_ledger_alarms(struct qn_db *db, bool untold,
                             int (*fn)(void *ctx, const struct qn_ledger_alarm *a), void *ctx);

/* --- what is on disk: tarballs by integrity, documents by name --- */

enum qn_cached_kind { QN_CACHED_TARBALL, QN_CACHED_PACKUMENT };

struct qn_ledger_cached {
        enum qn_cached_kind kind;
        struct qn_str key;
        uint64_t size;
        int64_t time;                      /* when it was fetched or found current */
        struct qn_str etag, last_modified; /* p NULL: none */
};

QN_MUST int qn_ledger_cache(struct qn_db *db, const struct qn_ledger_cached *c);
/* 0, or -ENOENT; it counts as used at `now`, unless that is 0. */
QN_MUST int qn_ledger_cached(struct qn_db *db, enum qn_cached_kind kind, struct qn_str key,
                             int64_t now, struct qn_arena *a, struct qn_ledger_cached *ret);
QN_MUST int qn_ledger_uncache(struct qn_db *db, enum qn_cached_kind kind, struct qn_str key);
QN_MUST int qn_ledger_cache_size(struct qn_db *db, uint64_t *ret);
/* What has not been used for longest: 0, or -ENOENT; key in the arena. */
QN_MUST int qn_ledger_oldest(struct qn_db *db, struct qn_arena *a, struct qn_ledger_cached *ret);
