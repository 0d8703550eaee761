/* table.h - columns of text, as wide as their widest cell.  Cells must already be fit to print
 * (show.h). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#define QN_TABLE_COLUMNS_MAX 8

struct qn_table {
        unsigned columns;
        unsigned right; /* bit mask of columns that are aligned right */
        struct qn_buf text;
        size_t *ends; /* where each cell's text ends */
        size_t n, cap;
        int error;
};

#define QN_TABLE_INIT(n_columns) \
        ((struct qn_table){ .columns = (n_columns), .text = QN_BUF_INIT((size_t)64 << 20) })

/* Cells fill rows from left to right. */
void qn_table_cell(struct qn_table *t, struct qn_str s);
/* Prints the rows, two spaces between columns; the last column is cut at width (0: not). */
QN_MUST
int qn_table_print(const struct qn_table *t, struct qn_buf *out, size_t width);
void qn_table_done(struct qn_table *t);
