/* log.h - what programs (never the library) say on stderr: one line each, prefixed with the program's name. */
#pragma once

#include "base/macro.h"

/* Prints "qanat: <message>" and returns r, so that `return log_err(r, …)` is one statement.  What
 * a terminal would obey is escaped, whoever's text the message quotes. */
int log_err(int r, const char *fmt, ...) QN_PRINTF(2, 3);
void log_note(const char *fmt, ...) QN_PRINTF(1, 2);
