#include "parse/bom-priv.h"

bool qn_bom_split(struct qn_str s, struct qn_str *ret_name, struct qn_str *ret_rest)
{
        ptrdiff_t at = qn_str_chr(qn_str_skip(s, 1), '@');

        if (at < 0)
                return false;
        *ret_name = qn_str_take(s, (size_t)at + 1);
        *ret_rest = qn_str_skip(s, (size_t)at + 2);
        return true;
}

static const struct {
        const char *prefix;
        enum qn_bom_origin origin;
} prefixes[] = {
        { "git+", QN_BOM_FROM_GIT },
        { "git:", QN_BOM_FROM_GIT },
        { "git@", QN_BOM_FROM_GIT },
        { "github:", QN_BOM_FROM_GIT },
        { "gitlab:", QN_BOM_FROM_GIT },
        { "bitbucket:", QN_BOM_FROM_GIT },
        { "gist:", QN_BOM_FROM_GIT },
        { "ssh:", QN_BOM_FROM_GIT },
        { "file:", QN_BOM_FROM_FILE },
        { "./", QN_BOM_FROM_FILE },
        { "../", QN_BOM_FROM_FILE },
        { "/", QN_BOM_FROM_FILE },
        { "link:", QN_BOM_FROM_LINK },
        { "portal:", QN_BOM_FROM_LINK },
        { "workspace:", QN_BOM_FROM_WORKSPACE },
        { "patch:", QN_BOM_FROM_PATCH },
        { "http:", QN_BOM_FROM_URL },
        { "https:", QN_BOM_FROM_URL },
};

/* An address that is the one of a repository, not of a tarball. */
static bool is_repository(struct qn_str url)
{
        struct qn_str plain = url;
        ptrdiff_t hash = qn_str_chr(url, '#');

        if (hash >= 0)
                plain.n = (size_t)hash;
        return qn_str_ends(plain, ".git") || qn_str_find(url, QN_STR("#commit=")) >= 0;
}

enum qn_bom_origin qn_bom_origin_of(struct qn_str spec)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(prefixes); i++) {
                if (!qn_str_starts(spec, prefixes[i].prefix))
                        continue;
                if (prefixes[i].origin == QN_BOM_FROM_URL && is_repository(spec))
                        return QN_BOM_FROM_GIT;
                return prefixes[i].origin;
        }
        return QN_BOM_FROM_REGISTRY;
}

bool qn_bom_take_alias(struct qn_str spec, struct qn_str *ret_name, struct qn_str *ret_version)
{
        struct qn_str name, version;

        if (!qn_str_starts(spec, "npm:") || !qn_bom_split(qn_str_skip(spec, 4), &name, &version))
                return false;
        *ret_name = name;
        *ret_version = version;
        return true;
}

struct qn_str qn_bom_join(struct qn_arena *a, struct qn_str x, struct qn_str y, struct qn_str z)
{
        const struct qn_str parts[] = { x, y, z };
        size_t n = x.n + y.n + z.n;
        char *p = qn_arena_alloc(a, n + 1), *to = p;

        if (!p)
                return (struct qn_str){ NULL, 0 };
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++) {
                if (parts[i].n)
                        memcpy(to, parts[i].p, parts[i].n);
                to += parts[i].n;
        }
        *to = '\0';
        return (struct qn_str){ p, n };
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct qn_str qn_bom_unescape(struct qn_arena *a, struct qn_str s)
{
        size_t n = 0;
        char *p;

        if (qn_str_chr(s, '%') < 0)
                return s;
        p = qn_arena_alloc(a, s.n);
        if (!p)
                return (struct qn_str){ NULL, 0 };
        for (size_t i = 0; i < s.n; i++) {
                int high = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
                int low = high >= 0 ? hex_digit(s.p[i + 2]) : -1;

                p[n++] = low >= 0 ? (char)(high << 4 | low) : s.p[i];
                i += low >= 0 ? 2 : 0;
        }
        return (struct qn_str){ p, n };
}

/* Cuts the last directory off; false when there is none but "..". */
static bool go_up(struct qn_str *path)
{
        ptrdiff_t slash = qn_str_rchr(*path, '/');
        struct qn_str last = slash < 0 ? *path : qn_str_skip(*path, (size_t)slash + 1);

        if (!last.n || qn_str_is(last, ".."))
                return false;
        path->n = slash < 0 ? 0 : (size_t)slash;
        return true;
}

struct qn_str qn_bom_path(struct qn_arena *a, struct qn_str dir, struct qn_str rel)
{
        char *p = qn_arena_alloc(a, dir.n + rel.n + 3);
        struct qn_str out = { p, dir.n };

        if (!p)
                return (struct qn_str){ NULL, 0 };
        if (dir.n)
                memcpy(p, dir.p, dir.n);
        while (rel.n) {
                struct qn_str part = qn_str_cut(&rel, '/');

                if (!part.n || qn_str_is(part, ".") || (qn_str_is(part, "..") && go_up(&out)))
                        continue;
                if (out.n)
                        p[out.n++] = '/';
                memcpy(p + out.n, part.p, part.n);
                out.n += part.n;
        }
        p[out.n] = '\0';
        return out;
}

struct qn_str qn_bom_version_in(struct qn_str url, struct qn_str name)
{
        struct qn_str base = qn_str_base(name), file = qn_str_base(url);

        if (!qn_str_ends(qn_str_dir(url), "/-") || !qn_str_ends(file, ".tgz") ||
            !qn_str_eq(qn_str_take(file, base.n), base) || file.n < base.n + strlen("-0.tgz") ||
            file.p[base.n] != '-' || file.p[base.n + 1] < '0' || file.p[base.n + 1] > '9')
                return (struct qn_str){ NULL, 0 };
        file = qn_str_skip(file, base.n + 1);
        return qn_str_take(file, file.n - strlen(".tgz"));
}
