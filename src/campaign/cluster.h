/* cluster.h - which packages belong together, one addition at a time.
 * A new package is held against those with the same band of a sketch and against those with the same feature.  What they have in
 * common adds up, and only enough of it joins them: most of the code; a file that runs unasked; an indicator and whatever
 * else; several weaker things of different kinds.  One weak thing never does, nor many of one kind.  A feature counts only while
 * it is rare, or most of those that have it are in one cluster: what unrelated packages share (a licence, a popular
 * dependency, a publisher of many things) counts for nothing.  Two large clusters are joined only by strong evidence, so that a
 * package in between does not make one of both.
 * Deterministic for the same additions in the same order.  The time of an addition does not grow with what is stored. */
#pragma once

#include "base/macro.h"

struct qn_sketch;

/*      id         weight  name         what it is */
#define QN_FEATURES(X)                                                                           \
        X(CODE, 4, "code")             /* a sketch like another; not given as a feature */       \
        X(PAYLOAD, 4, "payload")       /* a file that runs unasked, or that findings are in */   \
        X(ADDITION, 4, "addition")     /* what an update does that the version before did not */ \
        X(INDICATOR, 3, "indicator")   /* a wallet, a host, a key */                             \
        X(FILE, 2, "file")             /* any other file with the same content */                \
        X(TEXT, 2, "text")             /* a description, a README but for names and numbers */   \
        X(NAME, 2, "name")             /* how the name is made (campaign/names.h) */             \
        X(DEPENDENCY, 2, "dependency") /* one depends on the other, or both on a rare third */   \
        X(PUBLISHER, 1, "publisher")

enum qn_feature_kind {
#define X(id, weight, name) QN_FEATURE_##id,
        QN_FEATURES(X)
#undef X
                QN_FEATURE_KINDS
};

const char *qn_feature_name(enum qn_feature_kind kind);

struct qn_feature {
        enum qn_feature_kind kind;
        uint64_t key; /* qn_hash64() of what it is; of a dependency: of its name */
};

struct qn_cluster_item {
        uint64_t key;        /* qn_hash64() of the package's name */
        uint32_t time;       /* of its publication, in seconds since 1970 */
        bool established;    /* old: only payloads, additions and indicators draw it in */
        bool only_additions; /* popular: nothing but what it adds draws it in */
        bool alone; /* it brings nothing: it is drawn into nothing, and nobody is drawn to it */
        bool owns;  /* innocent: what it has before others, they only copied; it joins nobody */
        const struct qn_sketch *sketch; /* or NULL */
        const struct qn_feature *features;
        size_t n_features;
};

struct qn_clusters;

/* Of at most members_max members, and at most QN_CLUSTER_MEMBERS_MAX. */
struct qn_clusters *qn_clusters_new(size_t members_max);
struct qn_clusters *qn_clusters_free(struct qn_clusters *c);
void qn_clusters_freep(struct qn_clusters **c);
/* Tells when two clusters become one, before they are: root stands for both from then on, other for one of them no more. */
void qn_clusters_on_join(struct qn_clusters *c,
                         void (*fn)(void *ctx, uint32_t root, uint32_t other), void *ctx);
/* What a tool writes into every new project: code like this is nobody's. */
QN_MUST int qn_clusters_ignore(struct qn_clusters *c, const struct qn_sketch *sketch);
/* 1: it has joined others, 0: it stands alone; *ret_member is its number, from 0 on.  -ENOBUFS: there are too many;
 * -ENOMEM: c is good for nothing but qn_clusters_free(). */
QN_MUST int qn_clusters_add(struct qn_clusters *c, const struct qn_cluster_item *item,
                            uint32_t *ret_member);

size_t qn_clusters_count(const struct qn_clusters *c); /* members */
size_t qn_clusters_bytes(const struct qn_clusters *c);

/* A member that stands for its cluster until the cluster is joined to another. */
uint32_t qn_cluster_of(const struct qn_clusters *c, uint32_t member);
/* The next member of the same cluster, in a ring. */
uint32_t qn_cluster_next(const struct qn_clusters *c, uint32_t member);

struct qn_cluster_why {
        uint32_t with; /* the member that it was found to belong to; itself when it was the first */
        unsigned kinds;   /* what they had in common: bits 1 << qn_feature_kind */
        unsigned percent; /* how like their code is, when that is among it */
};
struct qn_cluster_why qn_cluster_why(const struct qn_clusters *c, uint32_t member);

struct qn_cluster_info {
        uint64_t id;    /* of its first member: stays while the cluster grows */
        uint32_t first; /* the member with the least time, then key */
        uint32_t size;
        uint32_t from, to;             /* time of the first and the last one */
        uint32_t by[QN_FEATURE_KINDS]; /* how many members joined with such evidence */
};
/* These two take time as the cluster is large. */
void qn_cluster_info(const struct qn_clusters *c, uint32_t member, struct qn_cluster_info *ret);
/* Adds to counts[i] the members published from + i * step seconds on; earlier and later ones nowhere. */
void qn_cluster_growth(const struct qn_clusters *c, uint32_t member, uint32_t from, uint32_t step,
                       uint32_t *counts, size_t n);
