/* lines.h - a small program that answers each line of its input.  Include once. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

/* The exit status; it ends with the first answer below zero. */
static int each_line(int (*answer)(struct qn_str line))
{
        char *line = NULL;
        size_t cap = 0;
        ssize_t n;
        int r = 0;

        while (r == 0 && (n = getline(&line, &cap, stdin)) > 0)
                r = answer(qn_str_trim((struct qn_str){ line, (size_t)n }));
        free(line);
        return r < 0;
}
