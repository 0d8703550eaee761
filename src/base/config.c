#include "base/config.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"

/* The first of $env/tail and ~/home_tail that can be named; -ENOENT without a home directory. */
static int home_path(const char *env, const char *home_tail, const char *tail, char **ret)
{
        const char *dir = getenv(env), *home = getenv("HOME");
        char *p = NULL;
        int n;

        if (dir && dir[0] == '/') /* the XDG specification: relative paths are to be ignored */
                n = asprintf(&p, "%s/%s", dir, tail);
        else if (home && home[0] == '/')
                n = asprintf(&p, "%s/%s/%s", home, home_tail, tail);
        else
                return -ENOENT;
        if (n < 0)
                return -ENOMEM;
        *ret = p;
        return 0;
}

static int copy_path(const char *path, char **ret)
{
        char *p = strdup(path);

        if (!p)
                return -ENOMEM;
        *ret = p;
        return 0;
}

int qn_dir_state(const char *given, char **ret)
{
        return given && *given ? copy_path(given, ret)
                               : home_path("XDG_STATE_HOME", ".local/state", "qanat", ret);
}

int qn_dir_cache(const char *given, char **ret)
{
        return given && *given ? copy_path(given, ret)
                               : home_path("XDG_CACHE_HOME", ".cache", "qanat", ret);
}

static bool has_rules(const char *dir)
{
        char path[4096];
        struct stat st;
        int n = snprintf(path, sizeof path, "%s/rules", dir);

        return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int qn_dir_data(const char *given, char **ret)
{
        static const char *const beside[] = { "../share/qanat", "../data" };
        char exe[4096], path[4200];
        ssize_t n;

        if (given && *given)
                return has_rules(given) ? copy_path(given, ret) : -ENOENT;
        n = readlink("/proc/self/exe", exe, sizeof exe - 1);
        if (n < 0)
                return -errno;
        exe[n] = '\0';
        exe[strrchr(exe, '/') - exe] = '\0';
        for (size_t i = 0; i < QN_ARRAY_SIZE(beside); i++) {
                _cleanup_(qn_freep) char *real = NULL;

                snprintf(path, sizeof path, "%s/%s", exe, beside[i]);
                real = realpath(path, NULL);
                if (real && has_rules(real)) {
                        *ret = TAKE_PTR(real);
                        return 0;
                }
        }
        return -ENOENT;
}

static int add_line(struct qn_config *c, struct qn_str key, struct qn_str value, unsigned number)
{
        struct qn_config_line *lines = reallocarray(c->lines, c->n + 1, sizeof *lines);
        struct qn_config_line *l;

        if (!lines)
                return -ENOMEM;
        c->lines = lines;
        l = &lines[c->n++];
        *l = (struct qn_config_line){ strndup(key.p, key.n), strndup(value.p, value.n), number };
        return l->key && l->value ? 0 : -ENOMEM;
}

/* Quotes are optional, and let a value begin or end with blanks or hold a `#`. */
static int parse_value(struct qn_str s, struct qn_str *ret)
{
        ptrdiff_t end;

        if (s.n && s.p[0] == '"') {
                end = qn_str_chr(qn_str_skip(s, 1), '"');
                if (end < 0)
                        return -EINVAL;
                *ret = qn_str_take(qn_str_skip(s, 1), (size_t)end);
                s = qn_str_trim(qn_str_skip(s, (size_t)end + 2));
                return s.n && s.p[0] != '#' ? -EINVAL : 0;
        }
        end = qn_str_find(s, QN_STR(" #"));
        *ret = qn_str_trim(end < 0 ? s : qn_str_take(s, (size_t)end));
        return 0;
}

static int parse_line(struct qn_config *c, struct qn_str s, unsigned number, struct qn_err *reterr)
{
        struct qn_str key, value;
        ptrdiff_t eq;

        s = qn_str_trim(s);
        if (s.n == 0 || s.p[0] == '#')
                return 0;
        eq = qn_str_chr(s, '=');
        if (eq <= 0)
                return qn_fail(reterr, -EINVAL, 0, "line %u: not of the form `key = value`",
                               number);
        key = qn_str_trim(qn_str_take(s, (size_t)eq));
        if (parse_value(qn_str_trim(qn_str_skip(s, (size_t)eq + 1)), &value) < 0)
                return qn_fail(reterr, -EINVAL, 0, "line %u: a quote is not closed", number);
        if (memchr(s.p, '\0', s.n))
                return qn_fail(reterr, -EINVAL, 0, "line %u: holds a NUL byte", number);
        return add_line(c, key, value, number);
}

static int find_file(char **ret)
{
        static const char system_wide[] = "/etc/qanat/qanat.conf";
        _cleanup_(qn_freep) char *own = NULL;

        if (home_path("XDG_CONFIG_HOME", ".config", "qanat/qanat.conf", &own) == 0 &&
            access(own, F_OK) == 0) {
                *ret = TAKE_PTR(own);
                return 0;
        }
        return access(system_wide, F_OK) == 0 ? copy_path(system_wide, ret) : -ENOENT;
}

static int read_file(struct qn_config *c, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_CONFIG_MAX);
        struct qn_str rest;
        unsigned number = 0;
        int r = qn_io_read(c->path, &b);

        if (r < 0)
                return qn_fail(reterr, r, 0, "%s", strerror(-r));
        for (rest = qn_buf_view(&b); rest.n;) {
                r = parse_line(c, qn_str_cut(&rest, '\n'), ++number, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int qn_config_load(const char *path, struct qn_config *ret, struct qn_err *reterr)
{
        _cleanup_(qn_config_done) struct qn_config c = { 0 };
        int r = path ? copy_path(path, &c.path) : find_file(&c.path);

        if (r == -ENOENT) {
                *ret = (struct qn_config){ 0 };
                return 0;
        }
        if (r == 0)
                r = read_file(&c, reterr);
        if (r < 0)
                return r;
        *ret = c;
        c = (struct qn_config){ 0 };
        return 0;
}

const char *qn_config_get(const struct qn_config *c, const char *key)
{
        for (size_t i = c->n; i > 0; i--)
                if (strcmp(c->lines[i - 1].key, key) == 0)
                        return c->lines[i - 1].value;
        return NULL;
}

void qn_config_done(struct qn_config *c)
{
        for (size_t i = 0; i < c->n; i++) {
                free(c->lines[i].key);
                free(c->lines[i].value);
        }
        free(c->lines);
        free(c->path);
        *c = (struct qn_config){ 0 };
}
