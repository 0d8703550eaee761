#include "inventory/walk-priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/limits.h"
#include "parse/bom-image.h"
#include "parse/bom.h"
#include "parse/content.h"
#include "parse/files.h"

#define MODULES "node_modules"

enum place {
        PLACE_PLAIN,   /* any directory */
        PLACE_MODULES, /* node_modules */
        PLACE_SCOPE,   /* node_modules/@scope */
        PLACE_STORE, /* node_modules/.pnpm and the like: directories that have a node_modules each */
};

struct qn_walk_todo {
        struct qn_str path;
        size_t tree;
        unsigned depth;
        enum place place;
};

/* --- lists --- */

struct qn_str qn_walk_join(struct qn_walker *k, struct qn_str dir, struct qn_str name)
{
        struct qn_str ret = { NULL, dir.n + (dir.n != 0) + name.n };
        char *p = qn_arena_alloc(k->w->arena, ret.n + 1);

        if (!p)
                return (struct qn_str){ NULL, 0 };
        ret.p = p;
        if (dir.n) {
                memcpy(p, dir.p, dir.n);
                p[dir.n] = '/';
                p += dir.n + 1;
        }
        memcpy(p, name.p, name.n);
        p[name.n] = '\0';
        return ret;
}

static int note(struct qn_walker *k, struct qn_str path, const char *message)
{
        struct qn_walk *w = k->w;

        if (QN_ARENA_ROOM(w->arena, w->errors, w->n_errors, w->errors_cap) < 0)
                return -ENOBUFS;
        w->errors[w->n_errors++] = (struct qn_walk_error){ path, qn_str_c(message) };
        return 0;
}

static int push(struct qn_walker *k, const struct qn_walk_todo *t)
{
        if (!t->path.p)
                return -ENOBUFS;
        if (t->depth > QN_INVENTORY_DEPTH_MAX)
                return note(k, t->path, "the directories nest too deeply");
        if (k->tail == QN_INVENTORY_DIRS_MAX)
                return note(k, t->path, "there are too many directories");
        if (QN_ARENA_ROOM(k->w->arena, k->queue, k->tail, k->cap) < 0)
                return -ENOBUFS;
        k->queue[k->tail++] = *t;
        return 0;
}

static int add_file(struct qn_walker *k, struct qn_walk_file **list, size_t *n, size_t *cap,
                    struct qn_str path)
{
        if (!path.p)
                return -ENOBUFS;
        if (*n == QN_INVENTORY_FILES_MAX)
                return note(k, path, "there are too many files that list packages");
        if (QN_ARENA_ROOM(k->w->arena, *list, *n, *cap) < 0)
                return -ENOBUFS;
        (*list)[(*n)++] = (struct qn_walk_file){ path };
        return 0;
}

/* The first that is too much is told. */
static int add_copy(struct qn_walker *k, struct qn_str path)
{
        struct qn_walk *w = k->w;

        if (w->n_copies == QN_COPIES_MAX) {
                k->copies = false;
                return note(k, path, "there are too many files that may be copies");
        }
        return add_file(k, &w->copies, &w->n_copies, &w->copies_cap, path);
}

int qn_walk_add_tree(struct qn_walker *k, struct qn_str dir, bool cache, size_t *ret)
{
        struct qn_walk *w = k->w;

        if (QN_ARENA_ROOM(w->arena, w->trees, w->n_trees, w->trees_cap) < 0)
                return -ENOBUFS;
        w->trees[w->n_trees] =
                (struct qn_walk_tree){ dir, QN_BUF_INIT(QN_INVENTORY_BUNDLE_MAX), cache };
        *ret = w->n_trees++;
        return 0;
}

/* --- the files of a tree --- */

/* A path of the walk as the tree has it. */
static struct qn_str in_tree(const struct qn_walk_tree *t, struct qn_str path)
{
        return t->dir.n ? qn_str_skip(path, t->dir.n + 1) : path;
}

static int read_head(int fd, size_t max, struct qn_buf *b)
{
        ssize_t n;
        int r = qn_buf_room(b, max);

        if (r < 0)
                return r;
        n = read(fd, b->p, max);
        if (n < 0)
                return -errno;
        b->n = (size_t)n;
        return 0;
}

/* Reads path, or its first max bytes, if it is a regular file: 1; 0 there is none. */
static int read_file(struct qn_walker *k, struct qn_str path, size_t max)
{
        _cleanup_(qn_closep) int fd =
                openat(k->w->root, path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        struct stat st;
        int r;

        qn_buf_reset(&k->buf);
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                               ? 0
                               : note(k, path, strerrordesc_np(errno));
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        r = max < QN_INVENTORY_FILE_MAX ? read_head(fd, max, &k->buf) : qn_io_read_fd(fd, &k->buf);
        if (r == -EFBIG)
                return note(k, path, "the file is too large");
        if (r < 0)
                return r == -ENOMEM ? r : note(k, path, strerrordesc_np(-r));
        return 1;
}

int qn_walk_put(struct qn_walker *k, size_t tree, struct qn_str path, struct qn_str as, size_t max)
{
        struct qn_walk_tree *t = &k->w->trees[tree];
        int r = read_file(k, path, max);

        if (r <= 0)
                return r;
        if (t->files.n + k->buf.n > QN_INVENTORY_BUNDLE_MAX / 2)
                return note(k, path, "the package.json files of this tree are too large together");
        qn_files_add(&t->files, QN_FILES_FILE, as, qn_str_take(qn_buf_view(&k->buf), max));
        return qn_buf_error(&t->files);
}

static int put_file(struct qn_walker *k, size_t tree, struct qn_str path, struct qn_str as)
{
        return qn_walk_put(k, tree, path, as, SIZE_MAX);
}

static int put_package(struct qn_walker *k, const struct qn_walk_todo *at)
{
        struct qn_str path = qn_walk_join(k, at->path, QN_STR("package.json"));

        return path.p ? put_file(k, at->tree, path, in_tree(&k->w->trees[at->tree], path))
                      : -ENOBUFS;
}

/* What lies outside of the tree is looked at once: its package.json only. */
static int put_outside(struct qn_walker *k, size_t tree, struct qn_str link, struct qn_str to)
{
        struct qn_str path = qn_walk_join(k, link, QN_STR("package.json"));
        struct qn_str as = qn_walk_join(k, to, QN_STR("package.json"));

        return path.p && as.p ? put_file(k, tree, path, as) : -ENOBUFS;
}

static int put_link(struct qn_walker *k, size_t tree, struct qn_str path)
{
        struct qn_walk_tree *t = &k->w->trees[tree];
        struct qn_str own = in_tree(t, path), to;
        char target[QN_TAR_NAME_MAX];
        ssize_t n = readlinkat(k->w->root, path.p, target, sizeof target);

        if (n < 0 || (size_t)n == sizeof target)
                return 0;
        to = (struct qn_str){ target, (size_t)n };
        if (target[0] == '/')
                to = qn_arena_dup(k->w->arena, to);
        else
                to = qn_bom_path(k->w->arena, qn_str_dir(own), to);
        if (!to.p)
                return -ENOBUFS;
        qn_files_add(&t->files, QN_FILES_LINK, own, to);
        if (qn_str_starts(to, "/") || qn_str_starts(to, "../"))
                return put_outside(k, tree, path, to);
        return qn_buf_error(&t->files);
}

/* --- directories --- */

/* A package: its package.json, and node_modules of its own. */
static int visit_package(struct qn_walker *k, const struct qn_walk_todo *at)
{
        const struct qn_walk_todo own = { qn_walk_join(k, at->path, QN_STR(MODULES)), at->tree,
                                          at->depth + 1, PLACE_MODULES };
        struct stat st;
        int r = put_package(k, at);

        if (r < 0 || !own.path.p)
                return r < 0 ? r : -ENOBUFS;
        if (fstatat(k->w->root, own.path.p, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
                return 0;
        return push(k, &own);
}

static int visit_in_modules(struct qn_walker *k, const struct qn_walk_todo *dir, struct qn_str name,
                            unsigned char type)
{
        struct qn_walk_todo t = { qn_walk_join(k, dir->path, name), dir->tree, dir->depth + 1,
                                  PLACE_STORE };

        if (!t.path.p)
                return -ENOBUFS;
        if (type == DT_LNK)
                return qn_str_starts(name, ".") ? 0 : put_link(k, dir->tree, t.path);
        if (type != DT_DIR)
                return qn_str_is(name, ".package-lock.json")
                               ? put_file(k, dir->tree, t.path,
                                          in_tree(&k->w->trees[dir->tree], t.path))
                               : 0;
        if (qn_str_is(name, ".bin") || qn_str_is(name, ".cache"))
                return 0;
        if (qn_str_starts(name, "."))
                return push(k, &t);
        t.place = PLACE_SCOPE;
        if (qn_str_starts(name, "@") && dir->place == PLACE_MODULES)
                return push(k, &t);
        return visit_package(k, &t);
}

/* ".pnpm/a@1.0.0/node_modules", or ".pnpm/@s/a@1.0.0/node_modules" of earlier versions */
static int visit_in_store(struct qn_walker *k, const struct qn_walk_todo *dir, struct qn_str name,
                          unsigned char type)
{
        struct qn_walk_todo t = { qn_walk_join(k, dir->path, name), dir->tree, dir->depth + 1,
                                  PLACE_MODULES };
        struct stat st;

        if (type != DT_DIR)
                return 0;
        if (!qn_str_is(name, MODULES) && t.path.p)
                t.path = qn_walk_join(k, t.path, QN_STR(MODULES));
        if (!t.path.p)
                return -ENOBUFS;
        if (fstatat(k->w->root, t.path.p, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                return push(k, &t);
        if (!qn_str_starts(name, "@"))
                return 0;
        t.path = qn_walk_join(k, dir->path, name);
        t.place = PLACE_STORE;
        return push(k, &t);
}

static int visit_in_plain(struct qn_walker *k, const struct qn_walk_todo *dir, struct qn_str name,
                          unsigned char type)
{
        struct qn_walk *w = k->w;
        struct qn_walk_todo t = { qn_walk_join(k, dir->path, name), dir->tree, dir->depth + 1,
                                  PLACE_PLAIN };

        if (!t.path.p)
                return -ENOBUFS;
        if (type == DT_DIR) {
                if (qn_str_is(name, MODULES))
                        t.place = PLACE_MODULES;
                return qn_str_is(name, ".git") ? 0 : push(k, &t);
        }
        if (type != DT_REG)
                return 0;
        if (k->copies && qn_content_counts(name) && add_copy(k, t.path) < 0)
                return -ENOBUFS;
        if (qn_str_is(name, "package.json"))
                return add_file(k, &w->packages, &w->n_packages, &w->packages_cap, t.path);
        return qn_bom_is_list(name) ? add_file(k, &w->files, &w->n_files, &w->files_cap, t.path)
                                    : 0;
}

static unsigned char type_of(int dir, const struct dirent *e)
{
        struct stat st;

        if (e->d_type != DT_UNKNOWN)
                return e->d_type;
        return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? DT_UNKNOWN
                                                                     : IFTODT(st.st_mode);
}

/* A plain directory that has node_modules begins a tree, unless it lies in one. */
static int find_tree(struct qn_walker *k, struct qn_walk_todo *dir, struct dirent **names, int n,
                     int fd)
{
        for (int i = 0; i < n && dir->place == PLACE_PLAIN && dir->tree == QN_WALK_NO_TREE; i++)
                if (strcmp(names[i]->d_name, MODULES) == 0 && type_of(fd, names[i]) == DT_DIR &&
                    qn_walk_add_tree(k, dir->path, false, &dir->tree) < 0)
                        return -ENOBUFS;
        if (dir->place == PLACE_PLAIN && dir->tree != QN_WALK_NO_TREE)
                return put_package(k, dir);
        return 0;
}

/* The blobs of an image are read as an image; nothing else is looked for there. */
static int find_image(struct qn_walker *k, const struct qn_walk_todo *dir, struct dirent **names,
                      int n)
{
        struct qn_walk *w = k->w;
        unsigned found = 0;

        for (int i = 0; i < n && dir->place == PLACE_PLAIN; i++)
                found |= strcmp(names[i]->d_name, "oci-layout") == 0   ? 1
                         : strcmp(names[i]->d_name, "index.json") == 0 ? 2
                                                                       : 0;
        if (found != 3)
                return 0;
        return add_file(k, &w->images, &w->n_images, &w->images_cap, dir->path) < 0 ? -ENOBUFS : 1;
}

/* What the kernel makes up as files holds no packages, and has no end. */
static bool is_made_up(int fd)
{
        static const unsigned long magic[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,
                                               DEBUGFS_MAGIC,      TRACEFS_MAGIC,
                                               CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC };
        struct statfs st;

        if (fstatfs(fd, &st) < 0)
                return false;
        for (size_t i = 0; i < QN_ARRAY_SIZE(magic); i++)
                if ((unsigned long)st.f_type == magic[i])
                        return true;
        return false;
}

static int visit(struct qn_walker *k, struct qn_walk_todo *dir)
{
        static int (*const visits[])(struct qn_walker *, const struct qn_walk_todo *, struct qn_str,
                                     unsigned char) = {
                [PLACE_PLAIN] = visit_in_plain,
                [PLACE_MODULES] = visit_in_modules,
                [PLACE_SCOPE] = visit_in_modules,
                [PLACE_STORE] = visit_in_store,
        };
        _cleanup_(qn_closep) int fd = openat(k->w->root, dir->path.n ? dir->path.p : ".",
                                             O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct dirent **names = NULL;
        bool image; /* or a cache */
        int n, r;

        if (fd >= 0 && dir->place == PLACE_PLAIN && is_made_up(fd))
                return 0;
        n = fd < 0 ? -1 : scandirat(fd, ".", &names, NULL, alphasort);
        if (n < 0)
                return note(k, dir->path, strerrordesc_np(errno));
        r = find_image(k, dir, names, n);
        if (r == 0 && dir->place == PLACE_PLAIN)
                r = qn_walk_cache(k, dir->path, names, n);
        image = r == 1;
        if (r == 0)
                r = find_tree(k, dir, names, n, fd);
        for (int i = 0; i < n; i++) {
                struct qn_str name = qn_str_c(names[i]->d_name);

                if (r == 0 && !image && !qn_str_is(name, ".") && !qn_str_is(name, ".."))
                        r = visits[dir->place](k, dir, name, type_of(fd, names[i]));
                free(names[i]);
        }
        free(names);
        return image && r == 1 ? 0 : r;
}

/* PATH may be a node_modules itself: then the directory around it is the project. */
static int begin(struct qn_walker *k, const char *dir)
{
        struct qn_walk_todo first = { QN_STR(""), QN_WALK_NO_TREE, 0, PLACE_PLAIN };
        struct qn_str path = qn_str_c(dir);
        char up[QN_TAR_NAME_MAX];

        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        if (qn_str_is(path, MODULES) || qn_str_ends(path, "/" MODULES)) {
                if (snprintf(up, sizeof up, "%.*s/..", QN_STR_ARG(path)) >= (int)sizeof up)
                        return -ENAMETOOLONG;
                first = (struct qn_walk_todo){ QN_STR(MODULES), 0, 0, PLACE_MODULES };
                if (qn_walk_add_tree(k, QN_STR(""), false, &first.tree) < 0)
                        return -ENOBUFS;
                dir = up;
        }
        k->w->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (k->w->root < 0)
                return -errno;
        if (first.place == PLACE_MODULES) {
                int r = put_file(k, first.tree, QN_STR("package.json"), QN_STR("package.json"));

                if (r < 0)
                        return r;
        }
        return push(k, &first);
}

static int compare(const void *x, const void *y)
{
        const struct qn_walk_file *a = x, *b = y;

        return qn_str_cmp(a->path, b->path);
}

/* Where yarn keeps the state of PnP as data, the program beside it has none. */
static void drop_empty_pnp(struct qn_walk *w)
{
        size_t kept = 0;

        for (size_t i = 0; i < w->n_files; i++) {
                struct qn_str path = w->files[i].path, name = qn_str_base(path);
                struct qn_str other = QN_STR(""); /* the names are in order */

                if (qn_str_is(name, ".pnp.cjs") && i + 1 < w->n_files)
                        other = w->files[i + 1].path;
                else if (qn_str_is(name, ".pnp.js") && kept)
                        other = w->files[kept - 1].path;
                if (!qn_str_is(qn_str_base(other), ".pnp.data.json") ||
                    !qn_str_eq(qn_str_dir(other), qn_str_dir(path)))
                        w->files[kept++] = w->files[i];
        }
        w->n_files = kept;
}

int qn_walk(const char *dir, bool copies, struct qn_arena *a, struct qn_walk *ret,
            struct qn_err *reterr)
{
        struct qn_walker k = { .w = ret,
                               .buf = QN_BUF_INIT(QN_INVENTORY_FILE_MAX),
                               .copies = copies };
        int r;

        *ret = (struct qn_walk){ .arena = a, .root = -1 };
        r = begin(&k, dir);
        while (r == 0 && k.head < k.tail) {
                struct qn_walk_todo t = k.queue[k.head++];

                r = visit(&k, &t);
        }
        qn_buf_done(&k.buf);
        if (r < 0) {
                qn_walk_done(ret);
                return qn_fail(reterr, r, 0, "%s", strerrordesc_np(-r));
        }
        if (ret->n_files)
                qsort(ret->files, ret->n_files, sizeof *ret->files, compare);
        drop_empty_pnp(ret);
        if (ret->n_packages)
                qsort(ret->packages, ret->n_packages, sizeof *ret->packages, compare);
        if (ret->n_copies)
                qsort(ret->copies, ret->n_copies, sizeof *ret->copies, compare);
        return 0;
}

void qn_walk_done(struct qn_walk *w)
{
        for (size_t i = 0; i < w->n_trees; i++)
                qn_buf_done(&w->trees[i].files);
        w->n_trees = 0;
        qn_closep(&w->root);
}

int qn_walk_beside(const struct qn_walk *w, struct qn_str dir, struct qn_buf *out)
{
        struct qn_buf text = QN_BUF_INIT(QN_INVENTORY_FILE_MAX);
        int r = 0;

        for (size_t i = 0; r == 0 && i < w->n_packages; i++) {
                struct qn_str path = w->packages[i].path;
                _cleanup_(qn_closep) int fd = -1;

                if (dir.n && (!qn_str_eq(qn_str_take(path, dir.n), dir) || path.p[dir.n] != '/'))
                        continue;
                fd = openat(w->root, path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
                qn_buf_reset(&text);
                if (fd < 0 || qn_io_read_fd(fd, &text) < 0)
                        continue;
                if (out->n + text.n > QN_INVENTORY_BESIDE_MAX)
                        break;
                qn_files_add(out, QN_FILES_FILE, dir.n ? qn_str_skip(path, dir.n + 1) : path,
                             qn_buf_view(&text));
                r = qn_buf_error(out);
        }
        qn_buf_done(&text);
        return r;
}
