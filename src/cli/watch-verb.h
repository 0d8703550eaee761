/* watch-verb.h - the parts of `qanat watch`.  Private to cmd-watch.c and watch-*.c. */
#pragma once

struct qn_args;

/* Follows the registry until it is told to stop, or until all that there is was looked at. */
int qn_watch_verb_run(const struct qn_args *a);
/* What the store says: place in the feed, queue, verdicts. */
int qn_watch_verb_status(const struct qn_args *a);
