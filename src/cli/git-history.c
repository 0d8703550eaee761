#include "cli/git-history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/limits.h"

#define LIST_MAX ((size_t)64 << 20)

extern char **environ;

/* Runs git in dir with up to six arguments and reads what it prints: its exit status, or -errno. */
static int run(const char *dir, const char *const args[6], struct qn_buf *out)
{
        const char *argv[24] = { "git", "--no-pager",
                                 "-c",  "core.fsmonitor=false",
                                 "-c",  "core.hooksPath=/dev/null",
                                 "-C",  dir };
        _cleanup_(qn_closep) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        struct qn_child child = {
                .argv = argv, .env = (const char *const *)environ, .in = null, .err = null
        };
        size_t n = 8;

        for (size_t i = 0; i < 6 && args[i]; i++)
                argv[n++] = args[i];
        return null < 0 ? -errno : qn_child_run(&child, QN_GIT_MS, out);
}

/* "<commit> <seconds>" */
static bool take_line(struct qn_str line, struct qn_git_version *v)
{
        struct qn_str commit = qn_str_cut(&line, ' ');
        uint64_t seconds;

        if (commit.n < 40 || commit.n >= sizeof v->commit || qn_str_u64(line, &seconds) < 0 ||
            seconds > INT64_MAX / 2)
                return false;
        for (size_t i = 0; i < commit.n; i++)
                if (!strchr("0123456789abcdef", commit.p[i]) || !commit.p[i])
                        return false;
        memcpy(v->commit, commit.p, commit.n);
        v->commit[commit.n] = '\0';
        v->time = (int64_t)seconds;
        return true;
}

int qn_git_versions(const char *dir, const char *file, struct qn_git_version **ret, size_t *ret_n,
                    struct qn_err *reterr)
{
        const char *const args[6] = { "log", "--reverse", "--format=%H %ct", "--", file };
        struct qn_buf list = QN_BUF_INIT(LIST_MAX);
        struct qn_git_version *v = NULL;
        struct qn_str text;
        size_t n = 0, lines = 0;
        int r = run(dir, args, &list);

        text = qn_buf_view(&list);
        for (size_t i = 0; r == 0 && i < text.n; i++)
                lines += text.p[i] == '\n';
        if (r == 0 && lines)
                v = calloc(lines, sizeof *v);
        while (v && text.n && n < lines)
                n += take_line(qn_str_cut(&text, '\n'), &v[n]);
        qn_buf_done(&list);
        if (r == 0 && lines && !v)
                return -ENOMEM;
        if (r == 0 && n) {
                *ret = v;
                *ret_n = n;
                return 0;
        }
        free(v);
        if (r < 0)
                return qn_fail(reterr, r, 0, "git: %s", strerrordesc_np(-r));
        return qn_fail(reterr, -ENOENT, 0,
                       r ? "not in a repository of git" : "git knows no version of it");
}

int qn_git_content(const char *dir, const char *commit, const char *file, struct qn_buf *out)
{
        const char *args[6] = { "cat-file", "blob" };
        struct qn_buf name = QN_BUF_INIT(8192);
        int r;

        qn_buf_printf(&name, "%s:./%s", commit, file);
        r = qn_buf_error(&name);
        args[2] = name.p;
        if (r == 0)
                r = run(dir, args, out);
        qn_buf_done(&name);
        return r > 0 ? -ENOENT : r;
}
