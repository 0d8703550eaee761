/* collection.h - what a host of a fleet collected (qanat inventory collect): one JSON document.  HOSTILE INPUT.
 *
 *      { "schema": "qanat.collection/1", "time": 1700000000, "asset": { "kind", "name", "owner", "environment", "commit" },
 *        "sources": [{ "path", "kind", "packages": [[name, version, integrity, flags, origin]…], "needs": [[from, to, need]…] }] }
 *
 * from is -1 for the project; flags and need are the numbers of bom.h.  Texts live in the arena. */
#pragma once

#include "parse/bom.h"

#define QN_COLLECTION_SCHEMA "qanat.collection/1"

struct qn_collected {
        struct qn_str path;
        struct qn_bom *bom;  /* NULL: it could not be read */
        struct qn_str error; /* then, why */
};

struct qn_collection {
        struct qn_str kind, name, owner, environment, commit;
        int64_t time; /* seconds since 1970 */
        struct qn_collected *sources;
        size_t n;
        bool whole; /* all that there is: what an earlier one had and this one has not is gone */
};

/* Errors of json.h; -EINVAL: something is not as it must be. */
QN_MUST int qn_collection_read(struct qn_cur in, struct qn_arena *a, struct qn_collection *ret,
                               struct qn_err *reterr);
