/* Where npm, node and the project are. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "net/npmconf-level.h"
#include "parse/json.h"

#define WALK_MAX 256 /* directories above the working directory */

struct qn_str npm_join(struct qn_arena *a, struct qn_str dir, const char *rest)
{
        size_t n = strlen(rest);
        char *p = qn_arena_alloc(a, dir.n + n + 2);
        size_t at = dir.n;

        if (!p)
                return (struct qn_str){ 0 };
        if (dir.n)
                memcpy(p, dir.p, dir.n);
        if (at == 0 || p[at - 1] != '/')
                p[at++] = '/';
        memcpy(p + at, rest, n + 1);
        return (struct qn_str){ p, at + n };
}

bool npm_is_file(const char *path)
{
        struct stat st;

        return path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_dir(const char *path)
{
        struct stat st;

        return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* npm run puts the project's node_modules/.bin in front: a checked project must not choose the npm that we run. */
static bool trusted_dir(struct qn_str dir)
{
        return qn_str_starts(dir, "/") && qn_str_find(dir, QN_STR("/node_modules/")) < 0;
}

static int filter_path(struct npm_levels *l)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_str rest = npm_getenv(l->in, "PATH");

        while (rest.p) {
                struct qn_str dir = qn_str_cut(&rest, ':');

                if (!trusted_dir(dir))
                        continue;
                if (b.n)
                        qn_buf_byte(&b, ':');
                qn_buf_str(&b, dir);
        }
        if (qn_buf_error(&b) < 0)
                return b.error;
        l->path = qn_arena_dup(&l->mem, qn_buf_view(&b));
        return l->path.p ? 0 : -ENOBUFS;
}

/* The real path of an executable on the (filtered) PATH; p NULL when there is none. */
static struct qn_str which(struct npm_levels *l, const char *name)
{
        struct qn_str rest = l->path;

        while (rest.p && rest.n) {
                struct qn_str full = npm_join(&l->mem, qn_str_cut(&rest, ':'), name);
                char real[PATH_MAX];

                if (full.p && npm_is_file(full.p) && access(full.p, X_OK) == 0 &&
                    realpath(full.p, real))
                        return qn_arena_dup(&l->mem, qn_str_c(real));
        }
        return (struct qn_str){ 0 };
}

static struct qn_str parent(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return qn_str_take(path, slash > 0 ? (size_t)slash : slash == 0 ? 1 : 0);
}

int npm_find_programs(struct npm_levels *l)
{
        struct qn_str env = npm_getenv(l->in, "PREFIX"), dest = npm_getenv(l->in, "DESTDIR");
        int r = filter_path(l);

        if (r < 0)
                return r;
        l->npm = which(l, "npm");
        l->node = which(l, "node");
        if (l->npm.p)
                l->npm_root = parent(parent(l->npm)); /* …/npm/bin/npm-cli.js */
        if (env.n)
                l->prefix = env;
        else if (l->node.p)
                l->prefix = parent(parent(l->node));
        if (!env.n && dest.n && l->prefix.p) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(PATH_MAX);

                qn_buf_str(&b, dest);
                qn_buf_str(&b, l->prefix);
                l->prefix =
                        qn_buf_error(&b) < 0 ? l->prefix : qn_arena_dup(&l->mem, qn_buf_view(&b));
        }
        return 0;
}

/* --- workspaces: does the package.json above name this directory? --- */

/* One path segment against one pattern segment is a glob; "**" stands for any number of segments. */
static bool match_segments(struct qn_str path, struct qn_str pattern, unsigned depth)
{
        while (pattern.p && pattern.n) {
                struct qn_str want = qn_str_cut(&pattern, '/'), have;

                if (qn_str_is(want, "**")) {
                        for (; depth < 32; qn_str_cut(&path, '/')) {
                                if (match_segments(path, pattern, depth + 1))
                                        return true;
                                if (!path.p || !path.n)
                                        return false;
                        }
                        return false;
                }
                if (!path.p || !path.n)
                        return false;
                have = qn_str_cut(&path, '/');
                if (!qn_str_glob(have, want))
                        return false;
        }
        return !path.p || !path.n;
}

static bool names_workspace(const struct qn_node *list, struct qn_str relative)
{
        bool found = false;

        for (size_t i = 0; qn_node_is(list, QN_NODE_ARRAY) && i < list->n && i < 1024; i++) {
                struct qn_str p = qn_str_trim(qn_node_text(list->items[i]));
                bool negated = qn_str_starts(p, "!");

                p = qn_str_skip(p, negated);
                p = qn_str_skip(p, qn_str_starts(p, "./") ? 2 : 0);
                while (qn_str_ends(p, "/"))
                        p.n--;
                if (p.n && match_segments(relative, p, 0))
                        found = !negated;
        }
        return found;
}

bool qn_npm_is_workspace(struct qn_str package_json, struct qn_str dir)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_node *root = NULL;
        const struct qn_node *list;

        if (qn_json_parse(qn_cur_str(package_json), &a, &root, NULL) < 0)
                return false;
        list = qn_node_get(root, "workspaces");
        if (qn_node_is(list, QN_NODE_OBJECT))
                list = qn_node_get(list, "packages");
        return names_workspace(list, dir);
}

static bool is_workspace_root(struct npm_levels *l, struct qn_str dir, struct qn_str file)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_NPMRC_MAX);
        const struct qn_npmconf_reader *by = l->in->reader;
        struct qn_str below = qn_str_skip(l->local_prefix, dir.n + (dir.n > 1));

        if (qn_io_read(file.p, &text) < 0)
                return false;
        return by ? by->is_workspace(by->ctx, qn_buf_view(&text), below)
                  : qn_npm_is_workspace(qn_buf_view(&text), below);
}

/* One directory on the way up: 1 when the search is over. */
static int look_at(struct npm_levels *l, struct qn_str dir, bool only_nearest)
{
        struct qn_str package = npm_join(&l->mem, dir, "package.json");
        struct qn_str modules = npm_join(&l->mem, dir, "node_modules");
        bool has = npm_is_file(package.p);

        if (!package.p || !modules.p)
                return -ENOBUFS;
        if (!l->local_prefix.p) {
                if (!has && !is_dir(modules.p))
                        return 0;
                l->local_prefix = dir;
                return only_nearest;
        }
        if (!has || !is_workspace_root(l, dir, package))
                return 0;
        l->local_prefix = dir;
        return 1;
}

int npm_find_local_prefix(struct npm_levels *l)
{
        enum npm_level at = NPM_BUILTIN;
        struct qn_str prefix = npm_levels_get(l, QN_STR("prefix"), &at), dir = qn_str_c(l->in->cwd);
        bool only_nearest = qn_str_is(npm_levels_get(l, QN_STR("workspaces"), NULL), "false");

        if (prefix.n && at == NPM_CLI) {
                l->local_prefix = npm_path(l, prefix);
                return l->local_prefix.p ? 0 : -ENOBUFS;
        }
        while (dir.n > 1 && qn_str_ends(dir, "/"))
                dir.n--;
        for (unsigned i = 0; dir.n && i < WALK_MAX; i++) {
                int r = look_at(l, dir, only_nearest);

                if (r < 0)
                        return r;
                if (r > 0 || dir.n == 1)
                        break;
                dir = parent(dir);
        }
        if (!l->local_prefix.p)
                l->local_prefix = qn_str_c(l->in->cwd);
        return 0;
}
