#include "observe/packlist.h"

#include "parse/pkgjson.h"

static struct qn_str basename_of(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return slash < 0 ? path : qn_str_skip(path, (size_t)slash + 1);
}

/* Without "./" and "/" before, and without what stands for everything below behind. */
static struct qn_str plain(struct qn_str s)
{
        s = qn_str_trim(s);
        while (qn_str_starts(s, "./") || qn_str_starts(s, "/"))
                s = qn_str_skip(s, s.p[0] == '.' ? 2 : 1);
        if (qn_str_is(s, "."))
                s.n = 0;
        while (s.n && (s.p[s.n - 1] == '/' || s.p[s.n - 1] == '*'))
                s.n--;
        return s;
}

static bool is_below(struct qn_str path, struct qn_str dir)
{
        return path.n > dir.n && path.p[dir.n] == '/' && qn_str_eq(qn_str_take(path, dir.n), dir);
}

/* A pattern names a file, a directory, or files and directories by stars. */
static bool fits(struct qn_str path, struct qn_str pattern)
{
        struct qn_str p = plain(pattern), dir = path;
        ptrdiff_t slash;

        if (qn_str_starts(pattern, "!"))
                return false;
        if (!p.n || qn_str_chr(pattern, '{') >= 0 || qn_str_chr(pattern, '[') >= 0 ||
            qn_str_chr(pattern, '(') >= 0)
                return true; /* everything, or more than is understood */
        if (qn_str_eq(path, p) || is_below(path, p) || qn_str_glob(path, pattern) ||
            qn_str_glob(basename_of(path), p))
                return true;
        while ((slash = qn_str_rchr(dir, '/')) > 0) {
                dir.n = (size_t)slash;
                if (qn_str_glob(dir, p) || qn_str_glob(basename_of(dir), p))
                        return true;
        }
        return false;
}

static bool is_entry(const struct qn_pkgjson *p, struct qn_str path)
{
        if (qn_str_eq(plain(p->main.text), path) || qn_str_eq(plain(p->browser_main.text), path))
                return true;
        for (size_t i = 0; i < p->bin.n; i++)
                if (qn_str_eq(plain(p->bin.v[i].value), path))
                        return true;
        return p->directories_bin.text.n && is_below(path, plain(p->directories_bin.text));
}

/* main may be named without its extension, or as a directory. */
static bool is_main(const struct qn_pkgjson *p, struct qn_str path)
{
        struct qn_str main = plain(p->main.text);

        if (!main.n)
                return qn_str_starts(path, "index.");
        return path.n > main.n && (path.p[main.n] == '.' || path.p[main.n] == '/') &&
               qn_str_eq(qn_str_take(path, main.n), main);
}

bool qn_packlist_has(const struct qn_pkgjson *p, struct qn_str path)
{
        if (!p->files.n || qn_str_is(path, "package.json") || qn_str_is(path, "binding.gyp") ||
            qn_str_starts(path, "node_modules/") || is_entry(p, path) || is_main(p, path))
                return true;
        for (size_t i = 0; i < p->files.n; i++)
                if (fits(path, p->files.v[i].text))
                        return true;
        return false;
}
