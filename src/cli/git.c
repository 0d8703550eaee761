#include "cli/git.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/limits.h"

#define ARGS_MAX   32
#define OUT_MAX    ((size_t)64 << 20)
#define ERRORS_MAX ((size_t)1 << 20)

/* --- one run --- */

/* Whatever the repository or the user have configured: nothing of them is run, nothing is fetched. */
static const char *const fixed_args[] = {
        "git",
        "--no-pager",
        "--literal-pathspecs",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.splitIndex=false",
        "-c",
        "core.sparseCheckout=false",
        "-c",
        "protocol.allow=never",
        "-c",
        "gc.auto=0",
        "-c",
        "core.attributesFile=/dev/null",
};

static const char *const fixed_env[] = {
        "LC_ALL=C",
        "HOME=/nonexistent",
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_SYSTEM=/dev/null",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_ATTR_NOSYSTEM=1",
        "GIT_TERMINAL_PROMPT=0",
        "GIT_ASKPASS=/bin/false",
        "GIT_EDITOR=:",
        "GIT_NO_LAZY_FETCH=1",
        "GIT_NO_REPLACE_OBJECTS=1",
        "GIT_OPTIONAL_LOCKS=0",
};

/* What differs from run to run: each a string to be freed. */
enum own_env { ENV_PATH, ENV_CEILING, ENV_INDEX, ENV_NAMES, ENV_LAST = ENV_NAMES + 6 };

struct env {
        char *own[ENV_LAST];
        const char *all[QN_ARRAY_SIZE(fixed_env) + ENV_LAST + 1];
};

static void env_done(struct env *e)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(e->own); i++)
                free(e->own[i]);
}

static bool put_env(struct env *e, size_t at, const char *name, struct qn_str value)
{
        return asprintf(&e->own[at], "%s=%.*s", name, QN_STR_ARG(value)) >= 0;
}

static int make_env(const struct qn_git *g, struct env *e)
{
        static const char *const who[] = { "AUTHOR", "COMMITTER" };
        struct qn_str path = qn_str_c(getenv("PATH"));
        char date[64], name[64];
        bool ok;
        size_t n = 0;

        snprintf(date, sizeof date, "%lld +0000", (long long)g->time);
        ok = put_env(e, ENV_PATH, "PATH", path.n ? path : QN_STR("/usr/bin:/bin")) &&
             put_env(e, ENV_CEILING, "GIT_CEILING_DIRECTORIES",
                     qn_str_dir(qn_str_c(g->dir)).n ? qn_str_dir(qn_str_c(g->dir)) : QN_STR("/")) &&
             put_env(e, ENV_INDEX, "GIT_INDEX_FILE", qn_str_c(g->index));
        for (size_t i = 0; ok && i < 2; i++) {
                const struct qn_str values[] = { g->name, g->mail, qn_str_c(date) };
                static const char *const what[] = { "NAME", "EMAIL", "DATE" };

                for (size_t k = 0; ok && k < 3; k++) {
                        snprintf(name, sizeof name, "GIT_%s_%s", who[i], what[k]);
                        ok = put_env(e, ENV_NAMES + i * 3 + k, name,
                                     values[k].p ? values[k] : QN_STR(""));
                }
        }
        for (size_t i = 0; i < QN_ARRAY_SIZE(fixed_env); i++)
                e->all[n++] = fixed_env[i];
        for (size_t i = 0; ok && i < QN_ARRAY_SIZE(e->own); i++)
                e->all[n++] = e->own[i];
        return ok ? 0 : -ENOMEM;
}

/* A file without a name that holds the bytes, to be read from its begin. */
static int file_of(struct qn_str bytes, int *ret)
{
        _cleanup_(qn_closep) int fd = memfd_create("qanat-git", MFD_CLOEXEC);
        int r = fd < 0 ? -errno : qn_io_write_fd(fd, bytes);

        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r == 0)
                *ret = TAKE_FD(fd);
        return r;
}

/* The first line that says why. */
static int say(int fd, const char *command, int code, struct qn_err *err)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(ERRORS_MAX);
        struct qn_str all, line;

        if (lseek(fd, 0, SEEK_SET) < 0 || qn_io_read_fd(fd, &b) < 0)
                qn_buf_reset(&b);
        all = qn_buf_view(&b);
        line = qn_str_trim(qn_str_cut(&all, '\n'));
        line = line.n ? line : QN_STR("failed");
        return qn_fail(err, code, 0, "git %s: %.*s", command, QN_STR_ARG(line));
}

/* The exit status of git, or -errno; a status other than 0 is told in err. */
static int run(const struct qn_git *g, const char *const *args, struct qn_str in,
               struct qn_buf *out, struct qn_err *err)
{
        _cleanup_(env_done) struct env env = { 0 };
        _cleanup_(qn_closep) int fd = -1, said = -1;
        const char *argv[QN_ARRAY_SIZE(fixed_args) + 2 + ARGS_MAX + 1] = { 0 };
        struct qn_child child = { .argv = argv, .env = env.all };
        size_t n = QN_ARRAY_SIZE(fixed_args);
        int r = make_env(g, &env);

        memcpy(argv, fixed_args, sizeof fixed_args);
        argv[n++] = "-C";
        argv[n++] = g->dir;
        for (size_t i = 0; args[i] && i < ARGS_MAX; i++)
                argv[n++] = args[i];
        if (r == 0)
                r = file_of(in, &fd);
        if (r == 0)
                r = file_of(QN_STR(""), &said);
        child.in = fd;
        child.err = said;
        if (r == 0)
                r = qn_child_run(&child, g->patience_ms, out);
        if (r == -ETIMEDOUT)
                return qn_fail(err, r, 0, "git %s: it did not end within %d s and was ended",
                               args[0], g->patience_ms / 1000);
        if (r < 0)
                return qn_fail(err, r, 0, "git %s: %s", args[0], strerror(-r));
        return r ? say(said, args[0], r, err) : 0;
}

/* The same where anything but success is an error. */
static int must(const struct qn_git *g, const char *const *args, struct qn_str in,
                struct qn_buf *out, struct qn_err *err)
{
        int r = run(g, args, in, out, err);

        return r > 0 ? -EREMOTEIO : r;
}

/* One object's name. */
static int take_id(struct qn_str s, char ret[QN_GIT_ID], struct qn_err *err)
{
        s = qn_str_trim(s);
        for (size_t i = 0; i < s.n; i++)
                if (!isxdigit((unsigned char)s.p[i]))
                        s.n = 0;
        if (s.n != 40 && s.n != 64)
                return qn_fail(err, -EBADMSG, 0, "git answers with something else than an object");
        memcpy(ret, s.p, s.n);
        ret[s.n] = '\0';
        return 0;
}

static int must_id(const struct qn_git *g, const char *const *args, struct qn_str in,
                   char ret[QN_GIT_ID], struct qn_err *err)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(4096);
        int r = must(g, args, in, &out, err);

        return r < 0 ? r : take_id(qn_buf_view(&out), ret, err);
}

/* --- the repository --- */

int qn_git_open(const char *dir, const char *index, struct qn_git *ret, struct qn_err *reterr)
{
        static const char *const args[] = { "rev-parse", "--git-dir", NULL };
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(2 * PATH_MAX);
        struct qn_git g = { .patience_ms = QN_GIT_MS };
        int r;

        g.dir = realpath(dir, NULL);
        if (!g.dir)
                return qn_fail(reterr, -errno, 0, "%s", strerror(errno));
        g.index = strdup(index);
        r = g.index ? run(&g, args, QN_STR(""), &out, reterr) : -ENOMEM;
        if (r > 0)
                r = -EINVAL; /* git's own line says why */
        if (r < 0)
                qn_git_done(&g);
        else
                *ret = g;
        return r;
}

void qn_git_done(struct qn_git *g)
{
        free(g->dir);
        free(g->index);
        *g = (struct qn_git){ 0 };
}

int qn_git_commit_of(const struct qn_git *g, const char *name, char ret[QN_GIT_ID],
                     struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(4096), what = QN_BUF_INIT(4096);
        const char *args[] = { "rev-parse", "--verify", "--quiet", "--end-of-options", NULL, NULL };
        int r = qn_buf_printf(&what, "%s^{commit}", name);

        args[4] = what.p;
        if (r == 0)
                r = run(g, args, QN_STR(""), &out, reterr);
        if (r > 0)
                return qn_fail(reterr, -ENOENT, 0, "there is no \"%.100s\"", name);
        if (r == 0 && qn_str_starts(qn_buf_view(&out), "--end-of-options\n"))
                return take_id(qn_str_skip(qn_buf_view(&out), 17), ret, reterr);
        return r < 0 ? r : take_id(qn_buf_view(&out), ret, reterr);
}

static bool is_bare(const struct qn_git *g)
{
        static const char *const args[] = { "rev-parse", "--is-bare-repository", NULL };
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(4096);

        return run(g, args, QN_STR(""), &out, NULL) == 0 &&
               qn_str_is(qn_str_trim(qn_buf_view(&out)), "true");
}

int qn_git_base(const struct qn_git *g, const char *name, char ret[QN_GIT_ID],
                struct qn_err *reterr)
{
        static const char *const usual[] = { "refs/remotes/origin/HEAD", "refs/remotes/origin/main",
                                             "refs/heads/main", "refs/heads/master" };
        int r = -ENOENT;

        if (name)
                return qn_git_commit_of(g, name, ret, reterr);
        for (size_t i = 0; r == -ENOENT && i < QN_ARRAY_SIZE(usual); i++)
                r = qn_git_commit_of(g, usual[i], ret, reterr);
        if (r == -ENOENT && is_bare(g))
                r = qn_git_commit_of(g, "HEAD", ret, reterr);
        if (r == -ENOENT)
                return qn_fail(reterr, r, 0, "no default branch is there: name one with --base");
        return r;
}

int qn_git_is_used(const struct qn_git *g, const char *branch, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX), ref = QN_BUF_INIT(4096);
        const char *args[] = { "for-each-ref", "--format=%(worktreepath)", NULL, NULL };
        int r = qn_buf_printf(&ref, "refs/heads/%s", branch);

        args[2] = ref.p;
        if (r == 0)
                r = must(g, args, QN_STR(""), &out, reterr);
        return r < 0 ? r : qn_str_trim(qn_buf_view(&out)).n > 0;
}

/* --- what is there --- */

/* "100644 blob <id>\tosv/…/MAL-2025-1.json" */
static bool take_line(struct qn_str line, struct qn_str dir, struct qn_git_file *ret)
{
        struct qn_str mode = qn_str_cut(&line, ' '), type = qn_str_cut(&line, ' '),
                      id = qn_str_cut(&line, '\t');

        if (!qn_str_starts(mode, "100") || !qn_str_is(type, "blob") ||
            take_id(id, ret->id, NULL) < 0 || !qn_str_eq(qn_str_dir(line), dir))
                return false;
        ret->path = line;
        return true;
}

int qn_git_files(const struct qn_git *g, const char *commit, struct qn_str dir, struct qn_arena *a,
                 struct qn_git_file **ret, size_t *ret_n, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX), where = QN_BUF_INIT(4096);
        const char *args[] = { "ls-tree", "-z", commit, "--", NULL, NULL };
        struct qn_git_file *files = NULL, f;
        size_t n = 0, cap = 0;
        struct qn_str text;
        int r = qn_buf_printf(&where, "%.*s/", QN_STR_ARG(dir));

        args[4] = where.p;
        if (r == 0)
                r = must(g, args, QN_STR(""), &out, reterr);
        text = qn_buf_view(&out);
        while (r == 0 && text.n) {
                if (!take_line(qn_str_cut(&text, '\0'), dir, &f))
                        continue;
                r = QN_ARENA_ROOM(a, files, n, cap);
                if (r < 0)
                        break;
                f.path = qn_arena_dup(a, f.path);
                r = f.path.p ? 0 : -ENOBUFS;
                files[n++] = f;
        }
        if (r == 0) {
                *ret = files;
                *ret_n = n;
        }
        return r;
}

int qn_git_look(const struct qn_git *g, const char *commit, const char *path, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        const char *const args[] = { "ls-tree", "-z", commit, "--", path, NULL };
        int r = must(g, args, QN_STR(""), &out, reterr);

        if (r < 0 || !out.n)
                return r;
        return qn_str_starts(qn_buf_view(&out), "040000 ") ? QN_GIT_DIR : QN_GIT_OTHER;
}

int qn_git_read(const struct qn_git *g, const char *id, struct qn_buf *out, struct qn_err *reterr)
{
        const char *const args[] = { "cat-file", "blob", id, NULL };

        return must(g, args, QN_STR(""), out, reterr);
}

/* --- what is made --- */

/* The index of a run that was killed is of no use to anybody. */
static void forget_index(const struct qn_git *g)
{
        char lock[PATH_MAX];

        if (snprintf(lock, sizeof lock, "%s.lock", g->index) < (int)sizeof lock)
                (void)unlink(lock);
        (void)unlink(g->index);
}

static int put_change(const struct qn_git *g, const struct qn_git_change *c, struct qn_buf *list,
                      struct qn_err *err)
{
        static const char *const args[] = { "hash-object", "-w", "--stdin", NULL };
        char id[QN_GIT_ID];
        int r;

        if (!c->text.p) {
                qn_buf_printf(list, "0 %040d\t", 0);
        } else {
                r = must_id(g, args, c->text, id, err);
                if (r < 0)
                        return r;
                qn_buf_printf(list, "100644 %s\t", id);
        }
        qn_buf_str(list, c->path);
        qn_buf_byte(list, '\0');
        return qn_buf_error(list);
}

static int make_tree(const struct qn_git *g, const char *parent, struct qn_str list,
                     char ret[QN_GIT_ID], struct qn_err *err)
{
        const char *const read[] = { "read-tree", parent, NULL };
        static const char *const update[] = { "update-index", "-z", "--add", "--index-info", NULL };
        static const char *const write[] = { "write-tree", NULL };
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(OUT_MAX);
        int r;

        forget_index(g);
        r = must(g, read, QN_STR(""), &out, err);
        if (r == 0)
                r = must(g, update, list, &out, err);
        if (r == 0)
                r = must_id(g, write, QN_STR(""), ret, err);
        forget_index(g);
        return r;
}

static int tree_of(const struct qn_git *g, const char *commit, char ret[QN_GIT_ID],
                   struct qn_err *err)
{
        char what[QN_GIT_ID + 8];
        const char *const args[] = { "rev-parse", "--verify", what, NULL };

        snprintf(what, sizeof what, "%s^{tree}", commit);
        return must_id(g, args, QN_STR(""), ret, err);
}

int qn_git_make(const struct qn_git *g, const char *parent, const struct qn_git_change *c, size_t n,
                struct qn_str message, char ret[QN_GIT_ID], struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf list = QN_BUF_INIT(OUT_MAX);
        char tree[QN_GIT_ID], before[QN_GIT_ID];
        const char *const args[] = { "commit-tree", tree, "-p", parent, "-F", "-", NULL };
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = put_change(g, &c[i], &list, reterr);
        if (r == 0)
                r = make_tree(g, parent, qn_buf_view(&list), tree, reterr);
        if (r == 0)
                r = tree_of(g, parent, before, reterr);
        if (r < 0)
                return r;
        if (strcmp(tree, before) == 0) {
                snprintf(ret, QN_GIT_ID, "%s", parent);
                return 1;
        }
        return must_id(g, args, message, ret, reterr);
}

int qn_git_move(const struct qn_git *g, const char *branch, const char *from, const char *to,
                struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(4096), ref = QN_BUF_INIT(4096);
        char none[QN_GIT_ID] = { 0 };
        const char *args[] = { "update-ref", "-m", "qanat report", NULL, to, NULL, NULL };
        int r = qn_buf_printf(&ref, "refs/heads/%s", branch);

        memset(none, '0', strlen(to));
        args[3] = ref.p;
        args[5] = from ? from : none;
        if (r == 0)
                r = run(g, args, QN_STR(""), &out, reterr);
        if (r > 0)
                return qn_fail(reterr, -EBUSY, 0,
                               "the branch %.60s is locked, or somebody else has moved it: try "
                               "again",
                               branch);
        return r;
}
