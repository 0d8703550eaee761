/* term.h - the terminal: whether there is one, colour, width, and a progress line on standard
 * error. */
#pragma once

#include <stdio.h>

#include "base/macro.h"
#include "base/str.h"

/* when: "auto", "always" or "never" (NULL: auto).  Auto is colour on a terminal, unless $NO_COLOR
 * is set or $TERM is dumb. */
bool qn_term_colour(const char *when, int fd);
/* Columns of the terminal behind fd; fallback when there is none. */
size_t qn_term_width(int fd, size_t fallback);

/* One line that is drawn over itself while something takes longer than a second.  Nothing at all is
 * written when standard error is no terminal, so callers need not ask. */
struct qn_progress {
        const char *what; /* "checking" */
        bool on, drawn;
        uint64_t started, last; /* nanoseconds */
};

void qn_progress_begin(struct qn_progress *p, const char *what, bool quiet);
/* total 0: not known.  detail is hostile text, such as a package's name. */
void qn_progress_step(struct qn_progress *p, size_t done, size_t total, struct qn_str detail);
/* Removes the line.  Also to be called before anything else is written to standard error. */
void qn_progress_clear(struct qn_progress *p);
