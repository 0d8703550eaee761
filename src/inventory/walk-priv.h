/* walk-priv.h - what the parts of the walk share. */
#pragma once

#include <dirent.h>

#include "inventory/walk.h"

#define QN_WALK_NO_TREE SIZE_MAX

struct qn_walk_todo;

struct qn_walker {
        struct qn_walk *w;
        struct qn_buf buf; /* of the file that is read */
        struct qn_walk_todo *queue;
        size_t head, tail, cap;
        bool copies; /* are wanted */
};

/* "dir/name" in the arena, with a NUL behind it; p NULL at its cap. */
struct qn_str qn_walk_join(struct qn_walker *k, struct qn_str dir, struct qn_str name);
/* A tree or cache more: its number. */
QN_MUST int qn_walk_add_tree(struct qn_walker *k, struct qn_str dir, bool cache, size_t *ret);
/* Puts at most max bytes of a regular file into a tree's bundle; one that is not there is left out. */
QN_MUST int qn_walk_put(struct qn_walker *k, size_t tree, struct qn_str path, struct qn_str as,
                        size_t max);
/* Whether the directory is a package manager's cache, whose index is then in a tree of its own: 1, 0, or -ENOBUFS. */
QN_MUST int qn_walk_cache(struct qn_walker *k, struct qn_str dir, struct dirent **names, int n);
