#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "inventory/walk-priv.h"

#define ZIP_HEAD   ((size_t)1024) /* bytes of an archive in which its directories are spelt */
#define LEVELS_MAX 4u

/* Which files of a cache are its index: the shape of their paths from its directory, a part a level; NULL: any name. */
struct shape {
        const char *parts[LEVELS_MAX];
        size_t levels, max;
};

struct cache {
        const char *child;  /* a name in the directory that gives it away, as a pattern */
        const char *beside; /* another one; NULL: none is needed */
        struct shape shapes[2];
};

static const struct cache caches[] = {
        { "index-v5", "content-v2", { { { "index-v5", "*", "*", "*" }, 4, SIZE_MAX } } },
        { "npm-*-integrity",
          NULL,
          { { { "npm-*", "node_modules", "*", ".yarn-metadata.json" }, 4, SIZE_MAX } } },
        { "*-npm-*.zip", NULL, { { { "*-npm-*.zip" }, 1, ZIP_HEAD } } },
        { "files",
          NULL,
          { { { "files", "??", "*-index.json" }, 3, SIZE_MAX },
            { { "index", "??", "*.json" }, 3, SIZE_MAX } } },
        { "*@*@@@*",
          NULL,
          { { { "*@*@@@*", "package.json" }, 2, SIZE_MAX },
            { { "@*", "*@*@@@*", "package.json" }, 3, SIZE_MAX } } },
};

static bool has(struct dirent **names, int n, const char *pattern)
{
        for (int i = 0; i < n; i++)
                if (qn_str_glob(qn_str_c(names[i]->d_name), qn_str_c(pattern)))
                        return true;
        return false;
}

/* pnpm's store is a directory of files in a directory called by its version. */
static bool is_named(const struct cache *c, struct qn_str dir)
{
        struct qn_str name = qn_str_base(dir);

        if (strcmp(c->child, "files") != 0)
                return true;
        return name.n > 1 && name.p[0] == 'v' && name.p[1] >= '0' && name.p[1] <= '9';
}

/* A scope's directory, right below node_modules, is one level more. */
static bool is_scope(const struct shape *s, size_t level, struct qn_str dir, const char *name)
{
        return name[0] == '@' && level > 0 && strcmp(s->parts[level - 1], "node_modules") == 0 &&
               qn_str_ends(dir, "/node_modules");
}

static int put_level(struct qn_walker *k, size_t tree, struct qn_str dir, const struct shape *s,
                     size_t level);

static int put_entry(struct qn_walker *k, size_t tree, struct qn_str dir, const struct shape *s,
                     size_t level, const char *name)
{
        struct qn_str path = qn_walk_join(k, dir, qn_str_c(name));
        const struct qn_walk_tree *t = &k->w->trees[tree];

        if (!path.p)
                return -ENOBUFS;
        if (level + 1 < s->levels)
                return put_level(k, tree, path, s,
                                 is_scope(s, level, dir, name) ? level : level + 1);
        return qn_walk_put(k, tree, path, t->dir.n ? qn_str_skip(path, t->dir.n + 1) : path,
                           s->max);
}

/* Bounded by LEVELS_MAX, and by one level more for a scope. */
static int put_level(struct qn_walker *k, size_t tree, struct qn_str dir, const struct shape *s,
                     size_t level)
{
        _cleanup_(qn_closep) int fd = openat(k->w->root, dir.n ? dir.p : ".",
                                             O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct dirent **names = NULL;
        int n = fd < 0 ? 0 : scandirat(fd, ".", &names, NULL, alphasort), r = 0;

        for (int i = 0; i < n; i++) {
                const char *name = names[i]->d_name;

                if (r == 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
                    qn_str_glob(qn_str_c(name), qn_str_c(s->parts[level])))
                        r = put_entry(k, tree, dir, s, level, name);
                free(names[i]);
        }
        free(names);
        return r;
}

int qn_walk_cache(struct qn_walker *k, struct qn_str dir, struct dirent **names, int n)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(caches); i++) {
                const struct cache *c = &caches[i];
                size_t tree;
                int r;

                if (!has(names, n, c->child) || (c->beside && !has(names, n, c->beside)) ||
                    !is_named(c, dir))
                        continue;
                r = qn_walk_add_tree(k, dir, true, &tree);
                for (size_t s = 0; r == 0 && s < QN_ARRAY_SIZE(c->shapes) && c->shapes[s].levels;
                     s++)
                        r = put_level(k, tree, dir, &c->shapes[s], 0);
                return r < 0 ? r : 1;
        }
        return 0;
}
