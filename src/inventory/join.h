/* join.h - all sources of an inventory as one list: what several of them hold is one package there. */
#pragma once

#include "inventory/scan.h"

/* 0 or -ENOBUFS; lives in the arena. */
QN_MUST int qn_inventory_join(const struct qn_inventory *inv, struct qn_arena *a,
                              struct qn_bom **ret);
