/* inventory-learn.c - `qanat inventory learn`: remembers what packages consist of, so that copies of them are recognised.
 * They come from caches, trees of node_modules, archives and unpacked directories; each is read in the analyse role. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "check/pack-dir.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "role/analyse.h"
#include "role/contents-wire.h"
#include "role/pool.h"
#include "store/learnt.h"

#define BATCH 500u /* packages of one transaction */

enum { EXIT_INCOMPLETE = 3 };

struct learner {
        struct qn_db db;
        struct qn_pool *pool;
        struct qn_arena a;
        struct qn_str *todo; /* directories, NUL-terminated */
        size_t head, n, cap;
        size_t packages, fresh, files, refused;
        int r; /* what went wrong with the whole */
};

/* --- results --- */

static void tell(struct learner *l, struct qn_str path, const char *why)
{
        struct qn_buf b = QN_BUF_INIT(8192);

        l->refused++;
        qn_show(&b, path, 0, 0);
        log_note("%.*s: %s", QN_STR_ARG(qn_buf_view(&b)), why);
        qn_buf_done(&b);
}

static int keep(struct learner *l, const struct qn_contents *c)
{
        int r = qn_learnt_learn(&l->db, c);

        if (r < 0)
                return r;
        l->packages++;
        l->fresh += (size_t)r;
        l->files += r ? c->n : 0;
        if (l->packages % BATCH)
                return 0;
        r = qn_db_commit(&l->db);
        return r < 0 ? r : qn_db_begin(&l->db);
}

static void on_reply(void *ctx, const struct qn_pool_result *res)
{
        struct learner *l = ctx;
        struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        const struct qn_str *path = res->user;
        struct qn_contents c;
        int r = 0;

        if (res->status == QN_POOL_OK)
                r = qn_contents_wire_read(res->reply, &a, &c);
        if (res->status == QN_POOL_FAILED && res->code == -EINVAL)
                ; /* an archive that is no package */
        else if (res->status != QN_POOL_OK || r < 0)
                tell(l, *path, r < 0 ? "the reply of the analyse role is broken" : res->why);
        else
                r = keep(l, &c);
        if (r < 0 && r != -EBADMSG)
                l->r = r;
        qn_arena_done(&a);
}

/* Owns fd. */
static int submit(struct learner *l, struct qn_str path, int fd)
{
        struct qn_str *user = QN_ARENA_NEW(&l->a, struct qn_str);
        struct qn_pool_job job = { .kind = QN_JOB_CONTENTS, .input_fd = fd, .user = user };
        struct qn_err err = { 0 };
        int r = user ? l->r : -ENOBUFS;

        if (r == 0)
                *user = path;
        while (r == 0 && !qn_pool_room(l->pool)) {
                r = qn_pool_poll(l->pool, -1, &err) < 0 ? -EPIPE : l->r;
                if (r == -EPIPE)
                        log_err(r, "%s", err.msg);
        }
        if (r == 0)
                r = qn_pool_submit(l->pool, &job);
        if (r < 0)
                close(fd);
        if (r == -EFBIG || r == -EINVAL) {
                tell(l, path, "the archive is too large");
                return 0;
        }
        return r;
}

/* --- what is found --- */

static bool may_be_archive(struct qn_str path)
{
        return qn_str_ends(path, ".tgz") || qn_str_ends(path, ".tar.gz") ||
               qn_str_ends(path, ".zip") || qn_str_find(path, QN_STR("/content-v2/")) >= 0;
}

static int take_archive(struct learner *l, struct qn_str path)
{
        int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        unsigned char head[4] = { 0 };
        struct stat st;

        if (fd < 0) {
                tell(l, path, strerrordesc_np(errno));
                return 0;
        }
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || pread(fd, head, sizeof head, 0) < 4 ||
            (memcmp(head, "\x1f\x8b", 2) != 0 && memcmp(head, "PK\3\4", 4) != 0)) {
                close(fd);
                return 0;
        }
        return submit(l, path, fd);
}

static int take_directory(struct learner *l, struct qn_str path)
{
        struct qn_pack_stats stats = { 0 };
        struct qn_err err = { 0 };
        int fd, r = qn_pack_dir(path.p, &fd, &stats, &err);

        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                tell(l, path, err.msg[0] ? err.msg : strerrordesc_np(-r));
                return 0;
        }
        return submit(l, path, fd);
}

static struct qn_str join(struct learner *l, struct qn_str dir, const char *name)
{
        struct qn_buf b = QN_BUF_INIT(QN_TAR_NAME_MAX);
        struct qn_str ret = { NULL, 0 };

        qn_buf_str(&b, dir);
        if (dir.n && dir.p[dir.n - 1] != '/')
                qn_buf_byte(&b, '/');
        qn_buf_puts(&b, name);
        if (qn_buf_error(&b) == 0)
                ret = qn_arena_dup(&l->a, qn_buf_view(&b));
        qn_buf_done(&b);
        return ret;
}

static bool exists(struct learner *l, struct qn_str dir, const char *name)
{
        struct qn_str path = join(l, dir, name);

        return path.p && access(path.p, F_OK) == 0;
}

/* In node_modules or a scope there, or as bun's cache calls them. */
static bool is_package(struct learner *l, struct qn_str dir)
{
        struct qn_str up = qn_str_dir(dir), name = qn_str_base(dir);

        if (qn_str_starts(qn_str_base(up), "@"))
                up = qn_str_dir(up);
        if (!qn_str_is(qn_str_base(up), "node_modules") && !qn_str_glob(name, QN_STR("*@*@@@*")))
                return false;
        return name.n && name.p[0] != '@' && exists(l, dir, "package.json");
}

static int push(struct learner *l, struct qn_str dir)
{
        if (!dir.p || QN_ARENA_ROOM(&l->a, l->todo, l->n, l->cap) < 0)
                return -ENOBUFS;
        if (l->n == QN_INVENTORY_DIRS_MAX) {
                tell(l, dir, "there are too many directories");
                return 0;
        }
        l->todo[l->n++] = dir;
        return 0;
}

static int visit_entry(struct learner *l, struct qn_str dir, int fd, const struct dirent *e)
{
        struct qn_str path = join(l, dir, e->d_name);
        struct stat st;

        if (!path.p)
                return -ENOBUFS;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        if (S_ISREG(st.st_mode))
                return may_be_archive(path) ? take_archive(l, path) : 0;
        if (!S_ISDIR(st.st_mode) || strcmp(e->d_name, ".git") == 0)
                return 0;
        if (!is_package(l, path))
                return push(l, path);
        if (exists(l, path, "node_modules") && push(l, join(l, path, "node_modules")) < 0)
                return -ENOBUFS;
        return take_directory(l, path);
}

static int visit(struct learner *l, struct qn_str dir)
{
        _cleanup_(qn_closep) int fd = open(dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        struct dirent **names = NULL;
        int n = fd < 0 ? -1 : scandirat(fd, ".", &names, NULL, alphasort), r = 0;

        if (n < 0)
                tell(l, dir, strerrordesc_np(errno));
        for (int i = 0; i < n; i++) {
                if (r == 0 && strcmp(names[i]->d_name, ".") != 0 &&
                    strcmp(names[i]->d_name, "..") != 0)
                        r = visit_entry(l, dir, fd, names[i]);
                free(names[i]);
        }
        free(names);
        return r;
}

/* A directory that is a package and has no node_modules is meant itself. */
static int take_path(struct learner *l, const char *name)
{
        struct qn_str path = qn_str_c(name);
        struct stat st;
        int r;

        if (stat(name, &st) < 0) {
                tell(l, path, strerrordesc_np(errno));
                return 0;
        }
        if (!S_ISDIR(st.st_mode))
                return take_archive(l, path);
        if (exists(l, path, "package.json") && !exists(l, path, "node_modules"))
                return take_directory(l, path);
        r = push(l, path);
        while (r == 0 && l->head < l->n)
                r = visit(l, l->todo[l->head++]);
        return r;
}

/* --- the caches of this user --- */

#define CACHES_MAX 8u

static int usual_caches(struct learner *l, const char **ret, size_t *ret_n)
{
        static const char *const below[] = { ".npm/_cacache", ".cache/yarn", ".yarn/berry/cache",
                                             ".bun/install/cache" };
        const char *home = getenv("HOME"), *npm = getenv("npm_config_cache");
        bool named = npm && *npm;

        *ret_n = 0;
        if (named && exists(l, qn_str_c(npm), "_cacache"))
                ret[(*ret_n)++] = join(l, qn_str_c(npm), "_cacache").p;
        for (size_t i = named; home && i < QN_ARRAY_SIZE(below); i++) {
                struct qn_str path = join(l, qn_str_c(home), below[i]);

                if (path.p && access(path.p, R_OK | X_OK) == 0)
                        ret[(*ret_n)++] = path.p;
        }
        return *ret_n ? 0 : log_err(-ENOENT, "no cache of a package manager is there: name a PATH");
}

/* --- the action --- */

static int report(const struct learner *l, bool json)
{
        struct qn_buf out = QN_BUF_INIT(4096);
        struct qn_jsonw w = QN_JSONW_INIT(&out, 0);

        if (!json) {
                qn_buf_printf(&out, "%zu packages, %zu new, with %zu files\n", l->packages,
                              l->fresh, l->files);
                return qn_inventory_finish(&out, 0);
        }
        qn_jsonw_object(&w, NULL);
        qn_jsonw_cstr(&w, "schema", "qanat.inventory.learnt/1");
        qn_jsonw_u64(&w, "packages", l->packages);
        qn_jsonw_u64(&w, "new", l->fresh);
        qn_jsonw_u64(&w, "files", l->files);
        qn_jsonw_u64(&w, "unreadable", l->refused);
        qn_jsonw_end_object(&w);
        qn_buf_byte(&out, '\n');
        return qn_inventory_finish(&out, 0);
}

static int learn(struct learner *l, const char *const *paths, size_t n)
{
        struct qn_err err = { 0 };
        int r = qn_db_begin(&l->db);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = take_path(l, paths[i]);
        while (r == 0 && qn_pool_pending(l->pool) > 0)
                r = qn_pool_poll(l->pool, -1, &err) < 0 ? -EPIPE : l->r;
        if (r == 0)
                r = l->r;
        if (r == 0)
                r = qn_db_commit(&l->db);
        if (r < 0)
                log_err(r, "not all was learnt: %s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        return r;
}

int qn_inventory_learn(const struct qn_args *a)
{
        struct learner l = { .a = QN_ARENA_INIT(QN_INVENTORY_ARENA_MAX) };
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .workers = 1,
                                               .no_sandbox = qn_args_on(a, "no-sandbox"),
                                               .done = on_reply,
                                               .ctx = &l };
        const char *usual[CACHES_MAX];
        const char *const *paths = a->n > 1 ? a->argv + 1 : usual;
        size_t n = a->n > 1 ? a->n - 1 : 0;
        struct qn_err err = { 0 };
        int r = n ? 0 : usual_caches(&l, usual, &n);

        if (r == 0) {
                r = qn_db_open(&qn_db_learnt, a->store, true, &l.db, &err);
                if (r == 0)
                        r = qn_pool_new(&config, &l.pool, &err);
                if (r < 0)
                        log_err(r, "%s", err.msg);
        }
        if (r == 0)
                r = learn(&l, paths, n);
        if (r == 0)
                r = report(&l, qn_inventory_is_json(a));
        qn_pool_free(l.pool);
        qn_db_close(&l.db);
        qn_arena_done(&l.a);
        return r == 0 && l.refused ? EXIT_INCOMPLETE : r;
}
