/* affected.h - who has a package: the assets of the inventory that hold it or held it, and who fetched it from the gate. */
#pragma once

#include "base/arena.h"
#include "store/db.h"
#include "watch/notice.h"

struct qn_affected {
        struct qn_notice_place *places; /* assets by name, then clients */
        size_t n, cap;
        size_t more; /* that there was no room for: they are counted */
};

/* inventory, gate: their stores, or NULL where there is none; version empty: any.  Texts live in the arena.  0 or -errno. */
QN_MUST int qn_affected_find(struct qn_db *inventory, struct qn_db *gate, struct qn_str name,
                             struct qn_str version, struct qn_arena *a, struct qn_affected *ret);
