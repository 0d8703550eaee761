/* assets.h - which packages were in which places, and when.
 * An observation says all that one source of an asset holds at a time.  Observations may come in any order; the same one
 * again changes nothing.  The store keeps holdings: from when to when a package was there, as far as it was observed. */
#pragma once

#include "base/arena.h"
#include "parse/bom.h"
#include "store/db.h"

extern const struct qn_db_def qn_db_inventory;

#define QN_TIME_OPEN INT64_MAX /* `until` of what is still there */

struct qn_asset {
        struct qn_str kind, name;                 /* kind: project, image, host, process, service */
        struct qn_str owner, environment, commit; /* p NULL: not known */
};

struct qn_observation {
        struct qn_asset asset;
        struct qn_str path; /* of the source in the asset */
        int64_t time;       /* seconds since 1970 */
        const struct qn_bom *bom;
        struct qn_str
                graph; /* the packages and who needs whom, packed; replaces that of an earlier time; p NULL: none */
};

struct qn_observed {
        size_t packages, added, gone;
};

/* Everything between begin and commit happens, or nothing. */
QN_MUST int qn_assets_observe(struct qn_db *db, const struct qn_observation *o, struct qn_arena *a,
                              struct qn_observed *ret);
/* Sources of an asset that were not seen at a time, though the asset was looked at as a whole, hold nothing from then on. */
QN_MUST int qn_assets_end(struct qn_db *db, const struct qn_asset *asset, int64_t time,
                          const struct qn_str *paths, size_t n);
