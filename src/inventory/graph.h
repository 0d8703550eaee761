/* graph.h - who needs whom of one source, packed for the store, and the ways that lead to a package. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "parse/bom.h"

/* Names, versions, flags and edges of a list, compressed.  0, -ENOBUFS, -ENOMEM. */
QN_MUST int qn_graph_pack(const struct qn_bom *bom, struct qn_buf *out);
/* 0, -EBADMSG, -ENOBUFS; lives in the arena. */
QN_MUST int qn_graph_unpack(struct qn_cur packed, struct qn_arena *a, struct qn_bom **ret);

#define QN_WAY_STEPS_MAX 64u

/* A way from the project to an item: the items on it, the last one included. */
struct qn_way {
        uint32_t *items;
        size_t n;
};

struct qn_ways {
        struct qn_way *v; /* the shortest first */
        size_t n;
        bool more; /* there are more than were asked for, or too long ones */
};

/* All ways, without circles, to items of the name (and of the version, unless p is NULL): at most max.  0 or -ENOBUFS. */
QN_MUST int qn_graph_ways(const struct qn_bom *bom, struct qn_str name, struct qn_str version,
                          size_t max, struct qn_arena *a, struct qn_ways *ret);
