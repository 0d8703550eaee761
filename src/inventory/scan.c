#include "inventory/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "inventory/vendored.h"
#include "inventory/walk.h"
#include "parse/collection.h"
#include "role/analyse.h"
#include "role/bom-wire.h"
#include "role/input.h"
#include "role/pool.h"
#include "store/learnt.h"

struct scan {
        struct qn_inventory *inv;
        struct qn_pool *pool;
        struct qn_db known; /* sql NULL: nothing is known */
        int r;              /* what went wrong with the whole */
};

/* What is remembered of a job. */
struct place {
        struct qn_str path, below;
};

/* --- results --- */

static struct qn_str show_path(struct scan *s, const char *base, struct qn_str rel)
{
        struct qn_str b = qn_str_c(base);
        struct qn_buf path = QN_BUF_INIT(QN_TAR_NAME_MAX * 2);
        struct qn_str ret;

        while (rel.n && b.n > 1 && b.p[b.n - 1] == '/')
                b.n--;
        if (!rel.n || !qn_str_is(b, "."))
                qn_buf_str(&path, b);
        if (path.n && rel.n && path.p[path.n - 1] != '/')
                qn_buf_byte(&path, '/');
        qn_buf_str(&path, rel);
        ret = qn_arena_dup(&s->inv->arena, qn_buf_view(&path));
        qn_buf_done(&path);
        return ret;
}

static int add_error(struct scan *s, struct qn_str path, struct qn_str message)
{
        struct qn_inventory *inv = s->inv;
        struct qn_inventory_error e = { path, qn_arena_dup(&inv->arena, message) };

        if (!e.path.p || !e.message.p ||
            QN_ARENA_ROOM(&inv->arena, inv->errors, inv->n_errors, inv->errors_cap) < 0)
                return -ENOBUFS;
        inv->errors[inv->n_errors++] = e;
        return 0;
}

static int add_source(struct scan *s, const struct place *at, struct qn_bom *bom)
{
        struct qn_inventory *inv = s->inv;
        struct qn_buf b = QN_BUF_INIT(QN_TAR_NAME_MAX * 2);
        int r = 0;

        if (QN_ARENA_ROOM(&inv->arena, inv->sources, inv->n, inv->cap) < 0)
                return -ENOBUFS;
        inv->sources[inv->n++] = (struct qn_inventory_source){ at->path, at->below, bom };
        if (bom->broken) {
                qn_buf_printf(&b, "%zu parts of it cannot be read, the first: ", bom->broken);
                qn_buf_str(&b, bom->first_broken);
                r = add_error(s, at->path, qn_buf_view(&b));
        }
        qn_buf_done(&b);
        return r;
}

/* The files and trees of an image. */
static void on_image(void *ctx, const struct qn_pool_result *res)
{
        struct scan *s = ctx;
        struct place *at = res->user;
        struct qn_err err = { 0 };
        struct qn_collection c;
        int r = 0;

        if (res->status != QN_POOL_OK) {
                r = add_error(s, at->path, qn_str_c(res->why));
        } else if (qn_collection_wire_read(res->reply, &s->inv->arena, &c, &err) < 0) {
                r = add_error(s, at->path, qn_str_c(err.msg));
                c.n = 0;
        }
        for (size_t i = 0; r == 0 && res->status == QN_POOL_OK && i < c.n; i++) {
                struct qn_str path = c.sources[i].path;
                struct place in;

                path = qn_str_skip(path, qn_str_starts(path, "/"));
                in.path = show_path(s, at->path.p, path);
                in.below = path;

                if (!in.path.p || !in.below.p)
                        r = -ENOBUFS;
                else if (c.sources[i].bom)
                        r = add_source(s, &in, c.sources[i].bom);
                else
                        r = add_error(s, in.path, c.sources[i].error);
        }
        if (r < 0)
                s->r = r;
}

static void on_reply(void *ctx, const struct qn_pool_result *res)
{
        struct scan *s = ctx;
        struct place *at = res->user;
        struct qn_err err = { 0 };
        struct qn_bom *bom;
        int r = 0;

        if (res->status != QN_POOL_OK) {
                r = add_error(s, at->path, qn_str_c(res->why));
        } else {
                r = qn_bom_wire_read(res->reply, &s->inv->arena, &bom, &err);
                r = r < 0 ? add_error(s, at->path, qn_str_c(err.msg)) : add_source(s, at, bom);
        }
        if (r < 0)
                s->r = r;
}

/* --- jobs --- */

/* Owns fd; beside: bytes, may be empty. */
static int submit(struct scan *s, uint8_t kind, const struct place *at, int fd,
                  struct qn_str params, struct qn_cur beside, struct qn_err *reterr)
{
        struct place *user = QN_ARENA_NEW(&s->inv->arena, struct place);
        struct qn_pool_job job = { .kind = kind, .params = params, .input_fd = fd, .user = user };
        int r = user && at->path.p && at->below.p ? 0 : -ENOBUFS;

        while (r == 0 && !qn_pool_room(s->pool))
                r = qn_pool_poll(s->pool, -1, reterr) < 0 ? -EPIPE : 0;
        if (r == 0 && qn_cur_left(&beside)) {
                r = qn_input_sealed(beside, &job.beside.fds[0]);
                job.beside.has = r == 0;
        }
        if (kind == QN_JOB_IMAGE) {
                job.done = on_image;
                job.ctx = s;
                job.wall_ns = UINT64_C(3) * QN_IMAGE_SECONDS * 1000000000u;
        }
        if (r == 0) {
                *user = *at;
                r = qn_pool_submit(s->pool, &job);
                if (r == 0)
                        return 0;
        }
        close(fd);
        qn_msg_beside_close(&job.beside);
        return r;
}

static int submit_file(struct scan *s, const struct qn_walk *w, const char *base,
                       struct qn_str path, struct qn_err *reterr)
{
        struct qn_buf beside = QN_BUF_INIT(QN_INVENTORY_BESIDE_MAX * 2);
        struct place at = { show_path(s, base, path), path };
        int fd = openat(w->root, path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r;

        if (fd < 0)
                return add_error(s, at.path, qn_str_c(strerrordesc_np(errno)));
        r = qn_walk_beside(w, qn_str_dir(path), &beside);
        if (r == 0)
                r = submit(s, QN_JOB_BOM, &at, fd, qn_str_base(path),
                           qn_cur_str(qn_buf_view(&beside)), reterr);
        else
                close(fd);
        qn_buf_done(&beside);
        return r;
}

static int submit_tree(struct scan *s, const char *base, struct qn_walk_tree *t,
                       struct qn_err *reterr)
{
        struct qn_buf path = QN_BUF_INIT(QN_TAR_NAME_MAX);
        struct qn_str params = { NULL, 0 };
        struct place at;
        struct qn_cur none = { NULL, NULL };
        int fd, r;

        qn_buf_str(&path, t->dir);
        if (!t->cache)
                qn_buf_puts(&path, t->dir.n ? "/node_modules" : "node_modules");
        at.path = show_path(s, base, qn_buf_view(&path));
        at.below = qn_arena_dup(&s->inv->arena, qn_buf_view(&path));
        qn_buf_done(&path);
        r = qn_input_sealed(qn_cur_str(qn_buf_view(&t->files)), &fd);
        return r < 0 ? r
                     : submit(s, t->cache ? QN_JOB_CACHE : QN_JOB_INSTALLED, &at, fd, params, none,
                              reterr);
}

static int submit_image(struct scan *s, const struct qn_walk *w, const char *base,
                        struct qn_str dir, struct qn_err *reterr)
{
        struct place at = { show_path(s, base, dir), dir };
        struct qn_cur none = { NULL, NULL };
        struct qn_str params = { NULL, 0 };
        int fd, r = qn_walk_image(w, dir, &fd);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return add_error(s, at.path,
                                 r == -EFBIG ? QN_STR("the image is too large")
                                             : qn_str_c(strerrordesc_np(-r)));
        return submit(s, QN_JOB_IMAGE, &at, fd, params, none, reterr);
}

/* --- copies of packages in a project's own files --- */

static int open_known(struct scan *s, const char *dir)
{
        struct qn_err err = { 0 };
        int r = dir ? qn_db_open(&qn_db_learnt, dir, false, &s->known, &err) : 0;

        return r < 0 && r != -ENOENT ? add_error(s, qn_str_c(dir), qn_str_c(err.msg)) : 0;
}

static int add_copies(struct scan *s, const struct qn_walk *w, const char *base)
{
        struct place at = { show_path(s, base, QN_STR("")), QN_STR(".") };
        struct qn_bom *bom = NULL;
        int r = s->known.conn ? qn_vendored_scan(w, &s->known, &s->inv->arena, &bom) : 0;

        if (r == -EFBIG || r == -EIO || r == -EBADMSG)
                return add_error(s, at.path,
                                 r == -EFBIG ? QN_STR("too many files are like those of packages")
                                             : QN_STR("what is known of packages cannot be read"));
        return r < 0 ? r : !bom ? 0 : at.path.p ? add_source(s, &at, bom) : -ENOBUFS;
}

static bool is_own(const struct qn_inventory_source *s, struct qn_str name)
{
        const struct qn_bom *b = s->bom;

        if (qn_str_chr(s->below, '/') < 0 && qn_str_eq(b->name, name))
                return true;
        for (size_t i = 0; i < b->n; i++)
                if (b->items[i].origin == QN_BOM_FROM_WORKSPACE &&
                    qn_str_eq(b->items[i].name, name))
                        return true;
        return false;
}

/* What the project itself publishes is no copy, although its files are those of a package. */
static void drop_own(struct qn_inventory *inv, struct qn_bom *copies)
{
        size_t kept = 0;

        for (size_t i = 0; i < copies->n; i++) {
                bool own = false;

                for (size_t k = 0; k < inv->n && !own; k++)
                        own = is_own(&inv->sources[k], copies->items[i].name);
                if (!own)
                        copies->items[kept++] = copies->items[i];
        }
        copies->n = copies->n_edges = kept; /* an edge each, from the project */
}

static void drop_own_copies(struct qn_inventory *inv)
{
        size_t kept = 0;

        for (size_t i = 0; i < inv->n; i++)
                if (inv->sources[i].bom->kind == QN_BOM_VENDORED)
                        drop_own(inv, inv->sources[i].bom);
        for (size_t i = 0; i < inv->n; i++)
                if (inv->sources[i].bom->kind != QN_BOM_VENDORED || inv->sources[i].bom->n)
                        inv->sources[kept++] = inv->sources[i];
        inv->n = kept;
}

/* --- targets --- */

/* A tar archive, gzipped or not, which no list of packages is. */
static bool is_archive(int fd)
{
        unsigned char head[512] = { 0 };
        ssize_t n = pread(fd, head, sizeof head, 0);

        return (n > 2 && head[0] == 0x1f && head[1] == 0x8b) ||
               (n == sizeof head && memcmp(head + 257, "ustar", 5) == 0);
}

static int scan_dir(struct scan *s, const char *dir, struct qn_err *reterr)
{
        struct qn_err err = { 0 };
        struct qn_str path = qn_str_c(dir);
        struct qn_walk w;
        int r = qn_walk(dir, s->known.conn != NULL, &s->inv->arena, &w, &err);

        if (r < 0)
                return r == -ENOBUFS
                               ? r
                               : add_error(s, show_path(s, dir, QN_STR("")), qn_str_c(err.msg));
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        if (w.n_trees && (qn_str_is(path, "node_modules") || qn_str_ends(path, "/node_modules")))
                path = qn_str_dir(path); /* the tree counts from the directory around it */
        path = qn_arena_dup(&s->inv->arena, path.n ? path : QN_STR("."));
        for (size_t i = 0; r == 0 && i < w.n_errors; i++)
                r = add_error(s, show_path(s, dir, w.errors[i].path), w.errors[i].message);
        for (size_t i = 0; r == 0 && i < w.n_files; i++)
                r = submit_file(s, &w, dir, w.files[i].path, reterr);
        for (size_t i = 0; r == 0 && i < w.n_images; i++)
                r = submit_image(s, &w, dir, w.images[i].path, reterr);
        for (size_t i = 0; r == 0 && i < w.n_trees; i++)
                r = submit_tree(s, path.p, &w.trees[i], reterr);
        if (r == 0)
                r = add_copies(s, &w, dir);
        qn_walk_done(&w);
        return r;
}

/* A document by itself; the package.json beside it is part of what it says. */
static int scan_file(struct scan *s, const char *file, struct qn_err *reterr)
{
        struct qn_str path = qn_str_c(file), dir = qn_str_dir(path);
        struct qn_walk_file beside = { QN_STR("package.json") },
                            parent = { QN_STR("../package.json") };
        struct qn_walk w = { .root = -1, .packages = &beside, .n_packages = 1 };
        struct qn_buf bytes = QN_BUF_INIT(QN_INVENTORY_BESIDE_MAX * 2);
        struct place place = { qn_arena_dup(&s->inv->arena, path),
                               qn_arena_dup(&s->inv->arena, qn_str_base(path)) };
        char at[QN_TAR_NAME_MAX];
        int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;

        if (fd < 0)
                return add_error(s, path, qn_str_c(strerrordesc_np(errno)));
        if (!dir.n)
                dir = qn_str_c(path.p[0] == '/' ? "/" : ".");
        snprintf(at, sizeof at, "%.*s", QN_STR_ARG(dir));
        w.root = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (qn_str_is(qn_str_base(path), ".package-lock.json"))
                w.packages = &parent;
        if (w.root >= 0)
                r = qn_walk_beside(&w, QN_STR(""), &bytes);
        if (r == 0)
                r = submit(s, is_archive(fd) ? QN_JOB_IMAGE : QN_JOB_BOM, &place, fd,
                           qn_str_base(path), qn_cur_str(qn_buf_view(&bytes)), reterr);
        else
                close(fd);
        qn_closep(&w.root);
        qn_buf_done(&bytes);
        return r;
}

static int scan_path(struct scan *s, const char *path, struct qn_err *reterr)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return add_error(s, qn_arena_dup(&s->inv->arena, qn_str_c(path)),
                                 qn_str_c(strerrordesc_np(errno)));
        if (S_ISDIR(st.st_mode))
                return scan_dir(s, path, reterr);
        if (S_ISREG(st.st_mode))
                return scan_file(s, path, reterr);
        return add_error(s, qn_arena_dup(&s->inv->arena, qn_str_c(path)),
                         QN_STR("neither a file nor a directory"));
}

static int compare_sources(const void *x, const void *y)
{
        const struct qn_inventory_source *a = x, *b = y;

        return qn_str_cmp(a->path, b->path);
}

static int compare_errors(const void *x, const void *y)
{
        const struct qn_inventory_error *a = x, *b = y;
        int c = qn_str_cmp(a->path, b->path);

        return c ? c : qn_str_cmp(a->message, b->message);
}

static int run(struct scan *s, const char *const *paths, size_t n, struct qn_err *reterr)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = scan_path(s, paths[i], reterr);
        while (r == 0 && qn_pool_pending(s->pool) > 0) {
                r = qn_pool_poll(s->pool, -1, reterr);
                r = r < 0 ? r : 0;
        }
        drop_own_copies(s->inv);
        if (s->inv->n)
                qsort(s->inv->sources, s->inv->n, sizeof *s->inv->sources, compare_sources);
        if (s->inv->n_errors)
                qsort(s->inv->errors, s->inv->n_errors, sizeof *s->inv->errors, compare_errors);
        return r < 0 ? r : s->r;
}

int qn_inventory_scan(const struct qn_inventory_how *how, const char *const *paths, size_t n,
                      struct qn_inventory *ret, struct qn_err *reterr)
{
        struct scan s = { .inv = ret };
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .workers = how->workers ? how->workers : 1,
                                               .no_sandbox = how->no_sandbox,
                                               .done = on_reply,
                                               .ctx = &s };
        int r;

        *ret = (struct qn_inventory){ .arena = QN_ARENA_INIT(QN_INVENTORY_ARENA_MAX) };
        r = qn_pool_new(&config, &s.pool, reterr);
        if (r == 0)
                r = open_known(&s, how->known);
        if (r == 0)
                r = run(&s, paths, n, reterr);
        qn_pool_free(s.pool);
        qn_db_close(&s.known);
        if (r < 0 && reterr && !reterr->msg[0])
                qn_fail(reterr, r, 0, "%s", strerrordesc_np(-r));
        return r;
}

void qn_inventory_done(struct qn_inventory *inv)
{
        qn_arena_done(&inv->arena);
}
