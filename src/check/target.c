#include "check/target.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_name_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               strchr("-._~!'()*", c);
}

/* npm's rules for names that may be looked up (validate-npm-package-name, old names included). */
static bool is_name(struct qn_str s)
{
        struct qn_str scope = { NULL, 0 };

        if (s.n && s.p[0] == '@') {
                scope = qn_str_cut(&s, '/');
                if (scope.n < 2 || !s.p)
                        return false;
                scope = qn_str_skip(scope, 1);
        }
        if (s.n == 0 || s.n + scope.n > 214 || s.p[0] == '.' || s.p[0] == '_')
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!s.p[i] || !is_name_byte(s.p[i]))
                        return false;
        for (size_t i = 0; i < scope.n; i++)
                if (!scope.p[i] || !is_name_byte(scope.p[i]))
                        return false;
        return true;
}

static bool looks_local(struct qn_str s)
{
        if (s.n == 0)
                return false;
        if (s.p[0] == '.' || s.p[0] == '/' || s.p[0] == '~' || qn_str_ends(s, ".tgz") ||
            qn_str_ends(s, ".tar") || qn_str_ends(s, ".tar.gz") || qn_str_ends(s, ".json") ||
            qn_str_ends(s, "/"))
                return true;
        return s.p[0] != '@' && qn_str_chr(s, '/') >= 0 && qn_str_chr(s, '@') < 0;
}

static int parse_name(const char *arg, struct qn_target *t, struct qn_err *reterr)
{
        struct qn_str s = qn_str_c(arg);
        ptrdiff_t at;

        if (qn_str_starts(s, "npm:"))
                s = qn_str_skip(s, 4);
        at = s.n ? qn_str_chr(qn_str_skip(s, 1), '@') : -1;
        t->name = at >= 0 ? qn_str_take(s, (size_t)at + 1) : s;
        t->range =
                at >= 0 ? qn_str_trim(qn_str_skip(s, (size_t)at + 2)) : (struct qn_str){ NULL, 0 };
        if (!is_name(t->name))
                return qn_fail(reterr, -EINVAL, 0,
                               "\"%.60s\" is neither a package name nor a file here; give name, "
                               "name@range, a .tgz, a "
                               "directory or a lock file",
                               arg);
        t->kind = QN_TARGET_NAME;
        return 0;
}

static int parse_file(const char *arg, struct qn_target *t, struct qn_err *reterr)
{
        _cleanup_(qn_closep) int fd = open(arg, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        unsigned char head[512] = { 0 };
        ssize_t n;
        size_t i = 0;

        if (fd < 0)
                return qn_fail(reterr, -errno, 0, "cannot read it: %s", strerror(errno));
        if (!qn_target_is_npm_lock(qn_str_c(arg))) {
                t->kind = QN_TARGET_LOCK;
                return 0;
        }
        n = read(fd, head, sizeof head);
        if (n < 0)
                return qn_fail(reterr, -errno, 0, "cannot read it: %s", strerror(errno));
        if (n == 0)
                return qn_fail(reterr, -EINVAL, 0, "the file is empty");
        if (n >= 2 && head[0] == 0x1f && head[1] == 0x8b) {
                t->kind = QN_TARGET_ARCHIVE;
                return 0;
        }
        if (n == sizeof head && memcmp(head + 257, "ustar", 5) == 0) {
                t->kind = QN_TARGET_ARCHIVE;
                return 0;
        }
        if (n >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0)
                i = 3;
        while (i < (size_t)n && (head[i] == ' ' || (head[i] >= '\t' && head[i] <= '\r')))
                i++;
        if (i < (size_t)n && head[i] == '{') {
                t->kind = QN_TARGET_LOCK;
                return 0;
        }
        /* Named like a tarball but not one: still a package, whose analysis then says what is broken. */
        if (qn_str_ends(qn_str_c(arg), ".tgz") || qn_str_ends(qn_str_c(arg), ".tar.gz") ||
            qn_str_ends(qn_str_c(arg), ".tar")) {
                t->kind = QN_TARGET_ARCHIVE;
                return 0;
        }
        return qn_fail(reterr, -EINVAL, 0,
                       "this is neither a tarball, a directory nor a lock file");
}

int qn_target_parse(const char *arg, struct qn_target *ret, struct qn_err *reterr)
{
        struct qn_target t = { .arg = arg };
        struct stat st;
        int r;

        if (!*arg)
                return qn_fail(reterr, -EINVAL, 0, "an empty argument names no package");
        if (!looks_local(qn_str_c(arg)) && (stat(arg, &st) < 0 || S_ISDIR(st.st_mode))) {
                r = parse_name(arg, &t, reterr);
                t.shadows = stat(arg, &st) == 0 && S_ISDIR(st.st_mode);
        } else if (stat(arg, &st) < 0) {
                r = qn_fail(reterr, -errno, 0, "%s", strerror(errno));
        } else if (S_ISDIR(st.st_mode)) {
                t.kind = QN_TARGET_DIR;
                r = 0;
        } else if (S_ISREG(st.st_mode)) {
                r = parse_file(arg, &t, reterr);
        } else {
                r = qn_fail(reterr, -EINVAL, 0, "this is neither a file nor a directory");
        }
        if (r == 0)
                *ret = t;
        return r;
}

int qn_target_parse_name(const char *arg, struct qn_target *ret, struct qn_err *reterr)
{
        struct qn_target t = { .arg = arg };
        int r = parse_name(arg, &t, reterr);

        if (r == 0)
                *ret = t;
        return r;
}

static const char *first_that_exists(const char *dir, const char *const *names, size_t n)
{
        _cleanup_(qn_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; fd >= 0 && i < n; i++)
                if (faccessat(fd, names[i], F_OK, 0) == 0)
                        return names[i];
        return NULL;
}

/* npm's own first, then others; what is installed counts last. */
static const char *const lock_names[] = {
        "npm-shrinkwrap.json",
        "package-lock.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "bun.lockb",
        "deno.lock",
        "node_modules/.package-lock.json",
};

int qn_target_lock(const char *dir, char *ret, size_t size)
{
        const char *name = first_that_exists(dir, lock_names, QN_ARRAY_SIZE(lock_names));
        int n;

        if (!name)
                return -ENOENT;
        n = snprintf(ret, size, "%s/%s", dir, name);
        return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

bool qn_target_is_npm_lock(struct qn_str path)
{
        static const char *const others[] = { "pnpm-lock.yaml", "yarn.lock", "bun.lock",
                                              "bun.lockb", "deno.lock" };
        struct qn_str name = qn_str_base(path);

        for (size_t i = 0; i < QN_ARRAY_SIZE(others); i++)
                if (qn_str_is(name, others[i]))
                        return false;
        return true;
}
