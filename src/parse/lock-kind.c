#include "parse/lock-kind.h"

static const char *const kind_names[] = {
        [QN_LOCK_REGISTRY] = "registry",
        [QN_LOCK_ALIAS] = "alias",
        [QN_LOCK_GIT] = "git",
        [QN_LOCK_URL] = "url",
        [QN_LOCK_FILE] = "file",
        [QN_LOCK_LINK] = "link",
        [QN_LOCK_WORKSPACE] = "workspace",
};

const char *qn_lock_kind_name(enum qn_lock_kind k)
{
        return kind_names[k];
}

struct qn_str qn_lock_path_name(struct qn_str path)
{
        static const struct qn_str dir = QN_STR("node_modules/");

        for (size_t i = path.n; i-- > 0;) {
                struct qn_str rest = qn_str_skip(path, i);

                if ((i == 0 || path.p[i - 1] == '/') && qn_str_starts(rest, dir.p))
                        return qn_str_skip(rest, dir.n);
        }
        return (struct qn_str){ NULL, 0 };
}

static struct qn_str base_name(struct qn_str path)
{
        ptrdiff_t at = qn_str_rchr(path, '/');

        return at >= 0 ? qn_str_skip(path, (size_t)at + 1) : path;
}

/* --- names --- */

static bool part_ok(struct qn_str s)
{
        if (s.n == 0 || s.p[0] == '.')
                return false;
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i], low = c | 0x20;

                if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') &&
                    (c == 0 || !strchr("-_.~!'()*", c)))
                        return false;
        }
        return true;
}

bool qn_lock_name_ok(struct qn_str name)
{
        struct qn_str rest = name, scope;

        if (name.n == 0 || name.p[0] == '_' || name.p[0] == '-' ||
            qn_str_is(name, "node_modules") || qn_str_is(name, "favicon.ico"))
                return false;
        if (name.p[0] != '@')
                return part_ok(name);
        scope = qn_str_cut(&rest, '/');
        return part_ok(qn_str_skip(scope, 1)) && part_ok(rest);
}

/* --- where it comes from --- */

static bool starts_with_any(struct qn_str s, const char *const *list)
{
        for (; *list; list++)
                if (qn_str_starts(s, *list))
                        return true;
        return false;
}

static const char *const git_prefixes[] = {
        "git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:", NULL,
};
static const char *const file_prefixes[] = { "file:", "./", "../", "/", NULL };
static const char *const url_prefixes[] = { "http:", "https:", NULL };

/* Takes the name off the front of s; a scope's slash may be written %2f. */
static bool take_name(struct qn_str *s, struct qn_str name)
{
        ptrdiff_t slash = name.n && name.p[0] == '@' ? qn_str_chr(name, '/') : -1;
        struct qn_str scope = qn_str_take(name, slash < 0 ? 0 : (size_t)slash), rest = *s;

        if (slash >= 0) {
                if (!qn_str_eq(qn_str_take(rest, scope.n), scope))
                        return false;
                rest = qn_str_skip(rest, scope.n);
                if (qn_str_starts(rest, "/"))
                        rest = qn_str_skip(rest, 1);
                else if (qn_str_ieq(qn_str_take(rest, 3), QN_STR("%2f")))
                        rest = qn_str_skip(rest, 3);
                else
                        return false;
                name = qn_str_skip(name, (size_t)slash + 1);
        }
        if (!qn_str_eq(qn_str_take(rest, name.n), name))
                return false;
        *s = qn_str_skip(rest, name.n);
        return true;
}

/* The file of "…/name/-/base-version.tgz"; build data may be missing from it. */
static bool is_tarball_of(struct qn_str file, struct qn_str name, struct qn_str version)
{
        struct qn_str base = base_name(name), plain = version;
        ptrdiff_t plus = qn_str_chr(version, '+');

        if (!qn_str_eq(qn_str_take(file, base.n), base) ||
            !qn_str_starts(qn_str_skip(file, base.n), "-"))
                return false;
        file = qn_str_skip(file, base.n + 1);
        if (plus >= 0)
                plain.n = (size_t)plus;
        if (!qn_str_eq(qn_str_take(file, plain.n), plain))
                return false;
        file = qn_str_skip(file, plain.n);
        if (plus >= 0 && qn_str_starts(file, "+"))
                file = qn_str_skip(file, version.n - plain.n);
        return qn_str_is(file, ".tgz");
}

/* Whether a URL is where a registry keeps this version: then who serves it is a question of configuration; if not, the
 * lock file brings bytes from elsewhere under this name. */
static bool is_registry_url(struct qn_str url, struct qn_str name, struct qn_str version)
{
        ptrdiff_t dash = qn_str_find(url, QN_STR("/-/")), download;
        struct qn_str head, tail;

        if (dash >= 0) {
                head = qn_str_take(url, (size_t)dash);
                tail = qn_str_skip(url, (size_t)dash + 3);
                for (size_t extra = 0; extra <= 2; extra += 2) {
                        struct qn_str end =
                                qn_str_skip(head, head.n - QN_MIN(head.n, name.n + extra));

                        if (take_name(&end, name) && end.n == 0)
                                return is_tarball_of(base_name(tail), name, version);
                }
                return false;
        }
        /* GitHub's registry: …/download/@scope/name/version/digest */
        download = qn_str_find(url, QN_STR("/download/"));
        if (download < 0)
                return false;
        tail = qn_str_skip(url, (size_t)download + 10);
        return take_name(&tail, name) && qn_str_starts(tail, "/") &&
               qn_str_eq(qn_str_take(qn_str_skip(tail, 1), version.n), version) &&
               qn_str_starts(qn_str_skip(tail, 1 + version.n), "/");
}

/* lockfileVersion 1 writes an alias into the version: "npm:real@1.2.3". */
static void take_alias_version(struct qn_lock_package *p)
{
        struct qn_str spec;
        ptrdiff_t at;

        if (!qn_str_starts(p->version, "npm:"))
                return;
        spec = qn_str_skip(p->version, 4);
        at = qn_str_rchr(spec, '@');
        if (at <= 0)
                return;
        p->name = qn_str_take(spec, (size_t)at);
        p->version = qn_str_skip(spec, (size_t)at + 1);
}

static enum qn_lock_kind find_kind(const struct qn_lock_package *p)
{
        struct qn_str from = p->resolved.p ? p->resolved : p->version;

        if (p->link)
                return QN_LOCK_LINK;
        if (starts_with_any(p->version, git_prefixes) || starts_with_any(p->resolved, git_prefixes))
                return QN_LOCK_GIT;
        if (starts_with_any(p->version, file_prefixes) ||
            starts_with_any(p->resolved, file_prefixes))
                return QN_LOCK_FILE;
        if (starts_with_any(from, url_prefixes) && !is_registry_url(from, p->name, p->version))
                return QN_LOCK_URL;
        return p->alias.p ? QN_LOCK_ALIAS : QN_LOCK_REGISTRY;
}

void qn_lock_classify(struct qn_lock_package *p, struct qn_str own_name)
{
        struct qn_str installed = qn_lock_path_name(p->path);

        p->name = own_name.p ? own_name : installed.p ? installed : base_name(p->path);
        if (!installed.p) {
                p->kind = QN_LOCK_WORKSPACE;
                p->bad_name = false;
                return;
        }
        take_alias_version(p);
        if (!qn_str_eq(p->name, installed))
                p->alias = installed;
        p->kind = find_kind(p);
        p->bad_name = !qn_lock_name_ok(p->name) || !qn_lock_name_ok(installed);
}
