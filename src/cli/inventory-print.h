/* inventory-print.h - an inventory as a table, or as JSON by the contract "qanat.inventory/1". */
#pragma once

#include "inventory/scan.h"

/* 0 or -errno: onto standard output, piece by piece. */
QN_MUST int qn_inventory_print_json(const struct qn_inventory *inv);
QN_MUST int qn_inventory_print_table(const struct qn_inventory *inv);
/* Errors as notes on standard error. */
void qn_inventory_print_errors(const struct qn_inventory *inv);
