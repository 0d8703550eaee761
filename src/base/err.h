/* err.h - the detail that goes with a negative errno: where in the input, and what is wrong in one sentence.
 * The library never logs; it fills a qn_err (NULL is allowed everywhere) and the program prints it once. */
#pragma once

#include "base/macro.h"

struct qn_err {
        int code;   /* the negative errno that was returned */
        size_t off; /* byte offset in the input, 0 where it makes no sense */
        char msg[160];
};

/* Fills err (when not NULL) and returns code, so that a failing branch is one statement. */
int qn_fail(struct qn_err *err, int code, size_t off, const char *fmt, ...) QN_PRINTF(4, 5);
