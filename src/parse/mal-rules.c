/* mal-rules.c - what a record has to be before anybody else sees it: the rules of the OSV schema that it can break, those of OpenSSF's
 * validation, and ours: nothing that can be followed, nothing secret. */
#include <errno.h>

#include "base/limits.h"
#include "base/mask.h"
#include "parse/indicator.h"
#include "parse/json.h"
#include "parse/mal-record.h"
#include "parse/packument.h"
#include "parse/semver.h"
#include "parse/wallet.h"

struct rules {
        const struct qn_node *doc, *affected;
        struct qn_str name;
        unsigned flags;
        struct qn_arena *a;
        const char *detail; /* which key, for the message */
};

static struct qn_str text(const struct qn_node *n, const char *key)
{
        return qn_node_text(qn_node_get(n, key));
}

static bool is_list(const struct qn_node *n)
{
        return qn_node_is(n, QN_NODE_ARRAY) && n->n > 0;
}

/* Every key is one of these, which end with NULL. */
static bool has_only(struct rules *r, const struct qn_node *object, const char *const *keys)
{
        for (size_t i = 0; qn_node_is(object, QN_NODE_OBJECT) && i < object->n; i++) {
                size_t k = 0;

                while (keys[k] && !qn_str_is(object->keys[i], keys[k]))
                        k++;
                if (!keys[k]) {
                        struct qn_str copy = qn_arena_dup(r->a, qn_str_take(object->keys[i], 40));

                        r->detail = copy.p;
                        return false;
                }
        }
        return true;
}

/* --- the record itself --- */

static bool known_keys(struct rules *r)
{
        static const char *const top[] = {
                "schema_version", "id",         "modified", "published",         "withdrawn",
                "aliases",        "related",    "upstream", "summary",           "details",
                "affected",       "references", "credits",  "database_specific", NULL
        };
        static const char *const package[] = { "ecosystem", "name", "purl", NULL };
        static const char *const affected[] = { "package", "ranges", "versions",
                                                "database_specific", NULL };
        static const char *const of_affected[] = { "cwes", "indicators", "iocs", "ghsa", NULL };
        static const char *const of_top[] = { "malicious-packages-origins", "iocs", NULL };

        return has_only(r, r->doc, top) && has_only(r, r->affected, affected) &&
               has_only(r, qn_node_get(r->affected, "package"), package) &&
               has_only(r, qn_node_get(r->affected, "database_specific"), of_affected) &&
               has_only(r, qn_node_get(r->doc, "database_specific"), of_top);
}

/* Scalars there are stripped: whoever writes one means something that will be lost. */
static bool no_scalars(struct rules *r)
{
        const struct qn_node *const parts[] = { qn_node_get(r->doc, "database_specific"),
                                                qn_node_get(r->affected, "database_specific") };

        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                for (size_t k = 0; parts[i] && k < parts[i]->n; k++)
                        if (!qn_node_is(parts[i]->items[k], QN_NODE_OBJECT) &&
                            !qn_node_is(parts[i]->items[k], QN_NODE_ARRAY) &&
                            !qn_node_is(parts[i]->items[k], QN_NODE_NULL))
                                return false;
        return true;
}

static bool is_time(struct qn_str s)
{
        return qn_str_ends(s, "Z") && qn_time_parse(s) != QN_TIME_NONE;
}

static bool times(struct rules *r)
{
        const struct qn_node *withdrawn = qn_node_get(r->doc, "withdrawn");

        return is_time(text(r->doc, "modified")) && is_time(text(r->doc, "published")) &&
               (!withdrawn || is_time(qn_node_text(withdrawn)));
}

static bool schema(struct rules *r)
{
        struct qn_semver v;

        return qn_semver_parse(text(r->doc, "schema_version"), 0, &v) == 0 && v.major == 1 &&
               v.minor >= 4;
}

static bool id(struct rules *r)
{
        const struct qn_node *own = qn_node_get(r->doc, "id");
        struct qn_str s = qn_node_text(own);

        if (!(r->flags & QN_MAL_UNASSIGNED))
                return !own || qn_node_is(own, QN_NODE_STRING);
        return (!own ||
                (qn_node_is(own, QN_NODE_STRING) && (!s.n || qn_str_starts(s, "MAL-0000-")))) &&
               !qn_node_get(r->doc, "summary") && !qn_node_get(r->doc, "withdrawn");
}

static bool details(struct rules *r)
{
        return qn_str_trim(text(r->doc, "details")).n > 0;
}

/* --- the package --- */

static bool one_package(struct rules *r)
{
        const struct qn_node *package = qn_node_get(r->affected, "package");

        return qn_str_is(text(package, "ecosystem"), "npm") &&
               qn_str_eq(text(package, "name"), r->name);
}

static bool versions(struct rules *r)
{
        const struct qn_node *list = qn_node_get(r->affected, "versions");
        struct qn_semver v;

        if (!list)
                return is_list(qn_node_get(r->affected, "ranges"));
        if (!is_list(list) || list->n > QN_OSV_VERSIONS_MAX)
                return false;
        for (size_t i = 0; i < list->n; i++) {
                struct qn_str s = qn_node_text(list->items[i]);

                if (qn_semver_parse(s, 0, &v) < 0 || !qn_semver_is_plain(s))
                        return false;
                for (size_t k = 0; k < i && i <= QN_MAL_VERSIONS_MAX; k++)
                        if (qn_str_eq(qn_node_text(list->items[k]), s))
                                return false;
        }
        return true;
}

static bool events_ok(const struct qn_node *events)
{
        static const char *const kinds[] = { "introduced", "fixed", "last_affected", "limit" };
        bool seen[QN_ARRAY_SIZE(kinds)] = { 0 };

        if (!is_list(events))
                return false;
        for (size_t i = 0; i < events->n; i++) {
                const struct qn_node *e = events->items[i];
                size_t k = 0;

                if (!qn_node_is(e, QN_NODE_OBJECT) || e->n != 1)
                        return false;
                while (k < QN_ARRAY_SIZE(kinds) && !qn_str_is(e->keys[0], kinds[k]))
                        k++;
                if (k == QN_ARRAY_SIZE(kinds) || !qn_node_text(e->items[0]).n)
                        return false;
                seen[k] = true;
        }
        return seen[0] && !(seen[1] && seen[2]);
}

static bool ranges(struct rules *r)
{
        const struct qn_node *list = qn_node_get(r->affected, "ranges");

        for (size_t i = 0; list && i < list->n; i++)
                if (!qn_str_is(text(list->items[i], "type"), "SEMVER") ||
                    !events_ok(qn_node_get(list->items[i], "events")))
                        return false;
        return !list || is_list(list);
}

static bool is_hash(struct qn_str s, enum qn_indicator_kind kind, struct qn_arena *a)
{
        struct qn_str value;

        return qn_indicator_read(kind, s, a, &value) == 0 && qn_str_eq(s, value);
}

/* A hash that is given is one. */
static bool hashes(struct rules *r)
{
        const struct qn_node *own =
                qn_node_get(qn_node_get(r->affected, "database_specific"), "indicators");
        const struct qn_node *files = qn_node_get(own, "evidence_files"),
                             *archives = qn_node_get(own, "package_integrity");

        for (size_t i = 0; files && i < files->n; i++) {
                struct qn_str sha = text(files->items[i], "sha256");

                if (!text(files->items[i], "path").n ||
                    (sha.n && !is_hash(sha, QN_IOC_SHA256, r->a)))
                        return false;
        }
        for (size_t i = 0; archives && i < archives->n; i++) {
                const struct qn_node *h = qn_node_get(archives->items[i], "hashes");
                struct qn_str sha1 = text(h, "sha1"), sha512 = text(h, "sha512_sri");

                if ((!sha1.n && !sha512.n) || (sha1.n && !is_hash(sha1, QN_IOC_SHA1, r->a)) ||
                    (sha512.n && !is_hash(sha512, QN_IOC_SHA512, r->a)))
                        return false;
        }
        return true;
}

/* --- indicators --- */

static bool all_are(const struct qn_node *list, enum qn_indicator_kind kind, struct qn_arena *a)
{
        struct qn_str value;

        if (list && !is_list(list))
                return false;
        for (size_t i = 0; list && i < list->n; i++)
                if (qn_indicator_read(kind, qn_node_text(list->items[i]), a, &value) < 0)
                        return false;
        return true;
}

static bool iocs(struct rules *r)
{
        const struct qn_node *own = qn_node_get(qn_node_get(r->doc, "database_specific"), "iocs");

        return all_are(qn_node_get(own, "domains"), QN_IOC_DOMAIN, r->a) &&
               all_are(qn_node_get(own, "ips"), QN_IOC_IP, r->a) &&
               all_are(qn_node_get(own, "urls"), QN_IOC_URL, r->a);
}

static bool urls(struct rules *r)
{
        const struct qn_node *list =
                qn_node_get(qn_node_get(qn_node_get(r->doc, "database_specific"), "iocs"), "urls");

        if (!(r->flags & QN_MAL_UNASSIGNED))
                return true; /* others write them as they like */
        for (size_t i = 0; list && i < list->n; i++)
                if (!qn_str_starts(qn_node_text(list->items[i]), "hxxp"))
                        return false;
        return true;
}

/* --- who, and where more is told --- */

static bool credited(struct rules *r)
{
        const struct qn_node *credits = qn_node_get(r->doc, "credits"),
                             *references = qn_node_get(r->doc, "references");

        for (size_t i = 0; credits && i < credits->n; i++)
                if (!text(credits->items[i], "name").n)
                        return false;
        for (size_t i = 0; references && i < references->n; i++)
                if (!text(references->items[i], "type").n || !text(references->items[i], "url").n)
                        return false;
        return !(r->flags & QN_MAL_CREDITED) || is_list(credits) || is_list(references);
}

/* --- prose --- */

static bool no_links(struct rules *r)
{
        struct qn_str s = text(r->doc, "details");
        ptrdiff_t at;

        if (!(r->flags & QN_MAL_UNASSIGNED))
                return true;
        while ((at = qn_str_find(s, QN_STR("://"))) >= 0) {
                struct qn_str before = qn_str_take(s, (size_t)at);

                if (!qn_str_ends(before, "hxxp") && !qn_str_ends(before, "hxxps"))
                        return false;
                s = qn_str_skip(s, (size_t)at + 3);
        }
        return qn_str_ifind(text(r->doc, "details"), QN_STR("www.")) < 0;
}

static bool ends_word(char c)
{
        return c == ' ' || c == '\n' || c == ',' || c == '.' || c == ':';
}

/* The prose without addresses of wallets, which look as random as a token does. */
static int without_wallets(struct qn_str s, struct qn_buf *out)
{
        while (s.n) {
                struct qn_str word = { s.p, 0 };

                while (word.n < s.n && !ends_word(s.p[word.n]))
                        word.n++;
                if (qn_wallet_address(word) == QN_WALLET_NONE)
                        qn_buf_str(out, word);
                s = qn_str_skip(s, word.n);
                if (s.n)
                        qn_buf_byte(out, s.p[0]);
                s = qn_str_skip(s, 1);
        }
        return qn_buf_error(out);
}

static bool no_secrets(struct rules *r)
{
        _cleanup_(qn_buf_done) struct qn_buf prose = QN_BUF_INIT(QN_MAL_RECORD_MAX),
                                             masked = QN_BUF_INIT(2 * QN_MAL_RECORD_MAX);

        if (!(r->flags & QN_MAL_UNASSIGNED))
                return true;
        if (without_wallets(text(r->doc, "details"), &prose) < 0)
                return false;
        qn_mask_secrets(&masked, qn_buf_view(&prose));
        return qn_buf_error(&masked) == 0 && qn_str_eq(qn_buf_view(&prose), qn_buf_view(&masked));
}

/* In this order: what comes later may rely on what comes before. */
static const struct {
        bool (*ok)(struct rules *r);
        const char *wrong;
} rules[] = {
        { known_keys, "it has a key that is not accepted" },
        { no_scalars, "database_specific holds a value that would be dropped" },
        { schema, "schema_version is none of OSV from 1.4 on" },
        { id, "its id and summary are OpenSSF's to give" },
        { times, "its times are not all of the form 2026-01-02T03:04:05Z" },
        { details, "it says nothing about what was found" },
        { one_package, "it is not about the package of that name on npm" },
        { versions, "it names no versions, one twice, or one that is none" },
        { ranges, "a range of versions is none" },
        { hashes, "a hash is none" },
        { iocs, "an indicator is none" },
        { urls, "an address among the indicators can be followed" },
        { credited, "it does not say who found it: name them with --credit" },
        { no_links, "its text holds a link that can be followed" },
        { no_secrets, "its text holds what looks like a secret" },
};

int qn_mal_record_check(struct qn_cur in, struct qn_str name, unsigned flags, struct qn_arena *a,
                        struct qn_err *reterr)
{
        struct rules r = { .name = name, .flags = flags, .a = a };
        const struct qn_node *affected;
        struct qn_node *doc;
        int e;

        if (qn_cur_left(&in) > QN_MAL_RECORD_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the record is too large");
        e = qn_json_parse(in, a, &doc, reterr);
        if (e < 0)
                return e;
        r.doc = doc;
        affected = qn_node_get(doc, "affected");
        if (!is_list(affected) || affected->n != 1)
                return qn_fail(reterr, -EINVAL, 0, "it is not about one package");
        r.affected = affected->items[0];
        for (size_t i = 0; i < QN_ARRAY_SIZE(rules); i++)
                if (!rules[i].ok(&r))
                        return qn_fail(reterr, -EINVAL, 0, "%s%s%s", rules[i].wrong,
                                       r.detail ? ": " : "", r.detail ? r.detail : "");
        return 0;
}
