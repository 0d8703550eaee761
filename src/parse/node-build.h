/* node-build.h - puts a tree of qn_node together from the outside in.  Inside the parsers only.
 * Children of open nodes wait on one stack and are copied out, in their final number, when the node closes; so nothing
 * recurses and no array is left behind half used.  A key that an object has already replaces the value in its first place
 * and marks the object. */
#pragma once

#include "base/arena.h"
#include "parse/json.h"

struct qn_build_pending {
        struct qn_str key; /* {NULL, 0} inside arrays */
        struct qn_node *node;
};

struct qn_build_level {
        struct qn_node *node;
        size_t from; /* its first child on the stack */
};

struct qn_build {
        struct qn_arena *arena;
        struct qn_arena scratch; /* maps of one object's keys */
        struct qn_build_pending *stack;
        size_t n, cap;
        struct qn_str key; /* of the next value, set by the caller inside objects */
        struct qn_build_level levels[QN_JSON_DEPTH_MAX];
        size_t depth;
};

#define QN_BUILD_INIT(a)                                         \
        {                                                        \
                .arena = (a), .scratch = QN_ARENA_INIT((a)->max) \
        }

/* Adds a value below the innermost open node (or as the root).  0, -ENOBUFS or -ENOMEM, as the others. */
QN_MUST int qn_build_add(struct qn_build *b, struct qn_node *node);
/* Adds an array or object that stays open; -EFBIG past QN_JSON_DEPTH_MAX. */
QN_MUST int qn_build_open(struct qn_build *b, struct qn_node *node);
QN_MUST int qn_build_close(struct qn_build *b);
void qn_build_done(struct qn_build *b);

/* The root, once everything is closed. */
static inline struct qn_node *qn_build_root(const struct qn_build *b)
{
        return b->n ? b->stack[0].node : NULL;
}
