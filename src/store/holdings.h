/* holdings.h - questions to the store. */
#pragma once

#include "base/arena.h"
#include "store/assets.h"
#include "store/db.h"

struct qn_holding {
        struct qn_str name, version, integrity;
        struct qn_asset asset;
        struct qn_str path, kind; /* of the source */
        int64_t since, until;     /* until: QN_TIME_OPEN while it is there */
        int64_t seen;             /* when the source was observed last */
        unsigned flags;           /* QN_BOM_FLAGS */
};

/* Texts live during the call. */
typedef int qn_holding_fn(void *ctx, const struct qn_holding *h);

/* Who had any version of the package in [from, to]; in the order of assets, sources, versions. */
QN_MUST int qn_holdings_of(struct qn_db *db, struct qn_str name, int64_t from, int64_t to,
                           qn_holding_fn *fn, void *ctx);
/* What an asset has at a time, all sources together; by name and version.  -ENOENT: no such asset. */
QN_MUST int qn_holdings_at(struct qn_db *db, struct qn_str asset, int64_t time, qn_holding_fn *fn,
                           void *ctx);
/* The graph of each source that has the package now. */
typedef int qn_graph_fn(void *ctx, const struct qn_holding *source, struct qn_cur graph);
QN_MUST int qn_holdings_graphs(struct qn_db *db, struct qn_str name, qn_graph_fn *fn, void *ctx);
/* Sources that were observed last before a time: asset, path, kind and seen are filled in. */
QN_MUST int qn_holdings_stale(struct qn_db *db, int64_t before, qn_holding_fn *fn, void *ctx);

struct qn_holdings_stats {
        int64_t assets, sources, packages, holdings, observations;
};
QN_MUST int qn_holdings_stats(struct qn_db *db, struct qn_holdings_stats *ret);
