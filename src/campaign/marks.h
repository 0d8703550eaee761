/* marks.h - what a version may share with others that have nothing to do with it: a hook that is new, a program that is new
 * and runs by itself, a new dependency, a text made from a template.  Whether many have the same is for others to see. */
#pragma once

#include "event/event.h"

enum qn_mark_kind {
        QN_MARK_HOOK,       /* text: its command */
        QN_MARK_PROGRAM,    /* text: its path */
        QN_MARK_DEPENDENCY, /* text: its name */
        QN_MARK_TEMPLATE,   /* text: which one; flags: why it matters */
};

struct qn_mark {
        enum qn_mark_kind kind;
        struct qn_str text, flags;
        uint64_t key; /* equal where it is the same */
};

/* Goes on while fn returns 0, whose result comes back. */
int qn_marks_of(const struct qn_event_set *set, int (*fn)(void *ctx, const struct qn_mark *m),
                void *ctx);
/* "@scope" of a package's name; p NULL: it has none. */
struct qn_str qn_mark_scope(struct qn_str name);
