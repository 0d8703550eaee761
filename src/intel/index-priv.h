/* index-priv.h - what the parts of the index share: index.c opens it, index-source.c remembers whom it is from, index-history.c
 * what changed when, index-write.c takes an import in, index-read.c answers. */
#pragma once

#include "intel/index.h"

#include <lmdb.h>
#include <string.h>
#include <sys/types.h>

#include "base/arena.h"
#include "intel/squeeze.h"

#define QN_IX_KEY_MAX 400u /* LMDB takes 511 bytes */

#define QN_IX_DICTIONARIES 16u

enum table { RECORDS, IDS, NAMES, IOCS, SOURCES, DICTIONARIES, HISTORY, META, TABLES };

struct import {
        unsigned source;
        bool whole;
        bool own;        /* QN_INTEL_OWN */
        bool indicators; /* some came or went */
        uint32_t next;   /* number of the next new record */
        uint64_t had;    /* records of the source before */
        uint64_t generation;
        uint8_t *seen; /* a bit for each record */
        size_t seen_n;
        struct qn_intel_counts counts;
        struct qn_buf gone; /* ids of what was forgotten, as texts of record.h */
        size_t n_gone;
};

struct qn_intel {
        MDB_env *env;
        MDB_txn *txn;
        MDB_dbi dbi[TABLES];
        int lock; /* writer: held as long as it is open */
        bool writer;
        char *path;
        dev_t dev; /* the file that was opened: another one may lie there later */
        ino_t ino;
        struct qn_squeeze *squeeze[QN_IX_DICTIONARIES]; /* by number; made when they are needed */
        struct import im;
        struct qn_arena a;   /* of one record */
        struct qn_arena mem; /* of one import */
        struct qn_buf value; /* that is being put together */
};

/* What stands in front of a packed head; behind that: the number of a dictionary, and what is cold, squeezed with it. */
struct front {
        uint32_t sources;
        uint32_t head_n : 31, withdrawn : 1;
        uint32_t generation, born; /* of the index when it was last changed, and when it came */
        int64_t modified_ms;
        uint64_t hash; /* of the packed record as it came */
};

/* A text as a key: what is longer than a key may be is told apart by its hash. */
struct key {
        char bytes[QN_IX_KEY_MAX + 16];
        size_t n;
};

/* 0 or the negative errno that goes with an error of LMDB. */
int qn_ix_code(int e);
/* r, with the sentence that goes with it. */
int qn_ix_failed(const struct qn_intel *x, int r, struct qn_err *reterr);
QN_MUST int qn_ix_get(struct qn_intel *x, enum table t, MDB_val key, MDB_val *ret);
QN_MUST int qn_ix_put(struct qn_intel *x, enum table t, MDB_val key, MDB_val value, unsigned flags);
/* Calls fn for each entry of a table (MDB_NEXT) or each key (MDB_NEXT_NODUP), in order, while it returns 0: that, or -errno. */
QN_MUST int qn_ix_walk(struct qn_intel *x, enum table t, MDB_cursor_op step,
                       int (*fn)(void *ctx, MDB_val key, MDB_val value), void *ctx);
uint64_t qn_ix_get_meta(struct qn_intel *x, const char *key); /* 0 when there is none */
QN_MUST int qn_ix_put_meta(struct qn_intel *x, const char *key, uint64_t n);
/* The key of a text, in k; prefix 0: none. */
MDB_val qn_ix_key(struct key *k, char prefix, struct qn_str text);
/* Begins to read, or the next transaction. */
QN_MUST int qn_ix_begin(struct qn_intel *x);
/* The dictionary of that number; 0 is the empty one. */
QN_MUST int qn_ix_squeeze(struct qn_intel *x, unsigned number, struct qn_squeeze **ret);
/* Remembers the import that is being finished. */
QN_MUST int qn_ix_put_change(struct qn_intel *x, const struct qn_intel_source *s);
/* Makes the table of qn_intel_known() anew. */
QN_MUST int qn_ix_put_known(struct qn_intel *x);
void qn_ix_put_source(struct qn_buf *b, const struct qn_intel_source *s);
QN_MUST int qn_ix_read_record(MDB_val v, uint32_t number, struct front *ret_front,
                              struct qn_intel_record *ret);
QN_MUST int qn_ix_get_record(struct qn_intel *x, uint32_t number, struct front *ret_front,
                             struct qn_intel_record *ret);

static inline MDB_val qn_ix_val(const void *p, size_t n)
{
        return (MDB_val){ n, (void *)(uintptr_t)p };
}

static inline struct qn_cur qn_ix_cur(MDB_val v)
{
        return qn_cur_mem(v.mv_data, v.mv_size);
}

static inline char qn_ix_ioc_prefix(enum qn_indicator_kind kind)
{
        return (char)('A' + kind);
}
