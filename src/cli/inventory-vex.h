/* inventory-vex.h - what the intelligence says of the components of an SBOM. */
#pragma once

#include "report/sbom.h"

/* Matches of all components, in the order of ids; none when there is no intelligence.  0, or an error that was logged. */
QN_MUST int qn_inventory_vex(const char *state, const struct qn_components *c, struct qn_arena *a,
                             struct qn_sbom_match **ret, size_t *ret_n);
