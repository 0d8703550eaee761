/* show.h - hostile text → text that is safe and honest to print: nothing in it can drive a
 * terminal, hide, reorder its neighbours or be clicked.  Also for log files and mail. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

enum {
        QN_SHOW_DEFANG = 1, /* hxxps://host[.]example, 10[.]0[.]0[.]1 */
};

/* Appends s as one line.  Blanks of all kinds become one space; other controls, bidirectional
 * marks, invisible and private code points become \xNN or \u{NNNN}, bytes that are not UTF-8 \xNN.
 * At most max columns (0: no limit), the last one "…" when something was cut.  Returns the columns
 * used. */
size_t qn_show(struct qn_buf *out, struct qn_str s, size_t max, unsigned flags);
/* Only the defanging: URLs, IP addresses, and names in quotes or alone that look like hosts. */
void qn_show_defang(struct qn_buf *out, struct qn_str s);
/* Columns that s, already fit to be printed, takes. */
size_t qn_show_width(struct qn_str s);
