#include "gate/route.h"

#include "base/hash.h"
#include "net/npmconf.h"

static const struct {
        const char *path; /* below "/-/"; a slash at its end: and what is below it */
        enum qn_route_kind kind;
} places[] = {
        { "ping", QN_ROUTE_PING },
        { "whoami", QN_ROUTE_WHOAMI },
        { "npm/v1/user", QN_ROUTE_WHOAMI },
        { "npm/v1/keys", QN_ROUTE_KEYS },
        { "npm/v1/attestations/", QN_ROUTE_ATTESTATIONS },
        { "npm/v1/security/advisories/bulk", QN_ROUTE_ADVISORIES },
        { "npm/v1/security/audits/quick", QN_ROUTE_AUDIT },
        { "npm/v1/security/audits", QN_ROUTE_AUDIT },
        { "npm/v1/tokens", QN_ROUTE_TOKENS },
        { "npm/v1/tokens/", QN_ROUTE_TOKENS },
        { "v1/search", QN_ROUTE_SEARCH },
        { "v1/login", QN_ROUTE_LOGIN },
        { "v1/done", QN_ROUTE_LOGIN },
        { "v1/login/", QN_ROUTE_LOGIN },
        { "user/", QN_ROUTE_LOGIN },
        { "package/", QN_ROUTE_TAGS },
        { "gate/ready", QN_ROUTE_READY },
        { "gate/metrics", QN_ROUTE_METRICS },
        { "gate/", QN_ROUTE_NONE },
};

static const char *const names[] = {
        [QN_ROUTE_PACKUMENT] = "packument",
        [QN_ROUTE_VERSION] = "version",
        [QN_ROUTE_TARBALL] = "tarball",
        [QN_ROUTE_TAGS] = "dist-tags",
        [QN_ROUTE_TAG] = "dist-tag",
        [QN_ROUTE_SEARCH] = "search",
        [QN_ROUTE_PING] = "ping",
        [QN_ROUTE_WHOAMI] = "whoami",
        [QN_ROUTE_KEYS] = "keys",
        [QN_ROUTE_ATTESTATIONS] = "attestations",
        [QN_ROUTE_ADVISORIES] = "advisories",
        [QN_ROUTE_AUDIT] = "audit",
        [QN_ROUTE_LOGIN] = "login",
        [QN_ROUTE_TOKENS] = "tokens",
        [QN_ROUTE_REVISION] = "revision",
        [QN_ROUTE_OTHER_REGISTRY] = "other",
        [QN_ROUTE_READY] = "ready",
        [QN_ROUTE_METRICS] = "metrics",
        [QN_ROUTE_NONE] = "none",
};

const char *qn_route_kind_name(enum qn_route_kind k)
{
        return names[k];
}

/* One byte of the path, decoded; -1: a broken escape, or one of the percent sign, which somebody behind us may decode again. */
static int take_byte(struct qn_str *s)
{
        int c = (unsigned char)s->p[0];

        if (c == '%') {
                int high = s->n > 2 ? qn_hex_value(s->p[1]) : -1;
                int low = high >= 0 ? qn_hex_value(s->p[2]) : -1;

                if (low < 0)
                        return -1;
                *s = qn_str_skip(*s, 2);
                c = high << 4 | low;
                if (c == '%')
                        return -1;
        }
        *s = qn_str_skip(*s, 1);
        return c <= ' ' || c == 0x7f || c == '\\' || c == '#' ? -1 : c;
}

/* The path into r->bytes; p NULL when it is not fit to be one. */
static struct qn_str decode(struct qn_str path, struct qn_route *r)
{
        size_t n = 0;

        while (path.n) {
                int c = take_byte(&path);

                if (c < 0 || n == sizeof r->bytes)
                        return (struct qn_str){ 0 };
                r->bytes[n++] = (char)c;
        }
        return (struct qn_str){ r->bytes, n };
}

static bool parts_are_plain(struct qn_str path)
{
        while (path.p) {
                struct qn_str part = qn_str_cut(&path, '/');

                if (!part.n || qn_str_is(part, ".") || qn_str_is(part, ".."))
                        return false;
        }
        return true;
}

/* Takes a package's name, of one part or two, from the front of *s. */
static bool take_name(struct qn_str *s, struct qn_str *ret)
{
        struct qn_str all = *s, part = qn_str_cut(s, '/');

        if (qn_str_starts(part, "@") && s->p)
                part = qn_str_take(all, part.n + 1 + qn_str_cut(s, '/').n);
        if (!qn_npm_name_ok(part))
                return false;
        *ret = part;
        return true;
}

/* base-1.2.3.tgz → 1.2.3 */
static struct qn_str version_in(struct qn_str name, struct qn_str file)
{
        struct qn_str base = qn_str_base(name);

        if (!qn_str_ends(file, ".tgz") || file.n <= base.n + 5 ||
            !qn_str_eq(qn_str_take(file, base.n), base) || file.p[base.n] != '-')
                return QN_STR("");
        return qn_str_skip(qn_str_take(file, file.n - 4), base.n + 1);
}

static enum qn_route_kind take_file(struct qn_str rest, struct qn_route *r)
{
        struct qn_str file = qn_str_cut(&rest, '/');

        if (rest.p)
                return qn_str_starts(rest, "-rev/") ? QN_ROUTE_REVISION : QN_ROUTE_NONE;
        r->file = file;
        r->version = version_in(r->name, file);
        return QN_ROUTE_TARBALL;
}

static enum qn_route_kind of_package(struct qn_str path, struct qn_route *r)
{
        struct qn_str first;

        if (!take_name(&path, &r->name))
                return QN_ROUTE_NONE;
        if (!path.p)
                return QN_ROUTE_PACKUMENT;
        first = qn_str_cut(&path, '/');
        if (qn_str_is(first, "-"))
                return path.p ? take_file(path, r) : QN_ROUTE_NONE;
        if (qn_str_is(first, "-rev"))
                return path.p ? QN_ROUTE_REVISION : QN_ROUTE_NONE;
        r->version = first;
        return path.p ? QN_ROUTE_NONE : QN_ROUTE_VERSION;
}

/* name/dist-tags, name/dist-tags/tag; others of a package are the registry's own matter (collaborators, visibility…). */
static enum qn_route_kind tags(struct qn_str rest, struct qn_route *r)
{
        if (!take_name(&rest, &r->name))
                return QN_ROUTE_NONE;
        if (!qn_str_is(qn_str_cut(&rest, '/'), "dist-tags"))
                return QN_ROUTE_OTHER_REGISTRY;
        r->version = qn_str_cut(&rest, '/');
        return rest.p ? QN_ROUTE_NONE : r->version.n ? QN_ROUTE_TAG : QN_ROUTE_TAGS;
}

static enum qn_route_kind attestations(struct qn_str rest, struct qn_route *r)
{
        ptrdiff_t at = qn_str_rchr(rest, '@');

        if (at <= 0 || !qn_npm_name_ok(qn_str_take(rest, (size_t)at)))
                return QN_ROUTE_NONE;
        r->name = qn_str_take(rest, (size_t)at);
        r->version = qn_str_skip(rest, (size_t)at + 1);
        return r->version.n && qn_str_chr(r->version, '/') < 0 ? QN_ROUTE_ATTESTATIONS
                                                               : QN_ROUTE_NONE;
}

static enum qn_route_kind of_registry(struct qn_str path, struct qn_route *r)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++) {
                size_t n = strlen(places[i].path);
                bool below = places[i].path[n - 1] == '/';
                struct qn_str rest = qn_str_skip(path, n);

                if (!qn_str_starts(path, places[i].path) || (below ? !rest.n : rest.n != 0))
                        continue;
                if (places[i].kind == QN_ROUTE_TAGS)
                        return tags(rest, r);
                if (places[i].kind == QN_ROUTE_ATTESTATIONS)
                        return attestations(rest, r);
                return places[i].kind;
        }
        return QN_ROUTE_OTHER_REGISTRY;
}

static enum qn_route_kind find(struct qn_str path, struct qn_route *r)
{
        if (path.n > 1 && qn_str_ends(path, "/"))
                path.n--;
        if (!qn_str_starts(path, "/"))
                return QN_ROUTE_NONE;
        path = qn_str_skip(path, 1);
        if (!parts_are_plain(path))
                return QN_ROUTE_NONE;
        return qn_str_starts(path, "-/") ? of_registry(qn_str_skip(path, 2), r)
                                         : of_package(path, r);
}

void qn_route_parse(struct qn_str path, struct qn_str prefix, struct qn_route *ret)
{
        struct qn_str query = path, plain = qn_str_cut(&query, '?');

        ret->name = ret->version = ret->file = QN_STR("");
        ret->query = query.p ? query : QN_STR("");
        ret->kind = QN_ROUTE_NONE;
        if (plain.n < prefix.n || !qn_str_eq(qn_str_take(plain, prefix.n), prefix))
                return;
        plain = decode(qn_str_skip(plain, prefix.n), ret);
        ret->kind = plain.p ? find(plain, ret) : QN_ROUTE_NONE;
        if (ret->kind == QN_ROUTE_NONE)
                ret->name = ret->version = ret->file = QN_STR("");
}
