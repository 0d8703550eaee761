#include "observe/publishing.h"

#include <stdlib.h>

#include "event/event.h"
#include "observe/attestation.h"
#include "parse/semver.h"

#define CI_ONLY_MIN 3u /* earlier versions, all built by a CI service, that make a habit */

/* --- which versions came before --- */

static bool parse(const struct qn_packument_version *v, struct qn_semver *ret)
{
        return qn_semver_parse(v->version, QN_SEMVER_LOOSE, ret) == 0;
}

static int cmp_published(const struct qn_packument_version *a, const struct qn_packument_version *b)
{
        struct qn_semver x, y;

        if (a->time != QN_TIME_NONE && b->time != QN_TIME_NONE && a->time != b->time)
                return a->time < b->time ? -1 : 1;
        if (parse(a, &x) && parse(b, &y))
                return qn_semver_cmp_build(&x, &y);
        return qn_str_cmp(a->version, b->version);
}

static bool is_before(const struct qn_packument_version *a, const struct qn_packument_version *v,
                      bool same_major)
{
        struct qn_semver x, y;

        if (a == v || !parse(a, &x) || !parse(v, &y) || cmp_published(a, v) >= 0)
                return false;
        return (y.pre.n || !x.pre.n) && (!same_major || x.major == y.major);
}

/* Keeps the latest ones, the latest first. */
static void insert(struct qn_published_before *b, const struct qn_packument_version *v)
{
        size_t at = b->n;

        while (at && cmp_published(b->list[at - 1], v) < 0)
                at--;
        if (at == QN_PUBLISHED_BEFORE_MAX)
                return;
        if (b->n < QN_PUBLISHED_BEFORE_MAX)
                b->n++;
        memmove(b->list + at + 1, b->list + at, (b->n - at - 1) * sizeof *b->list);
        b->list[at] = v;
}

static void collect(const struct qn_packument *p, const struct qn_packument_version *v,
                    bool same_major, struct qn_published_before *ret)
{
        ret->n = 0;
        for (size_t i = 0; i < p->n; i++)
                if (is_before(&p->versions[i], v, same_major))
                        insert(ret, &p->versions[i]);
}

void qn_published_before(const struct qn_packument *p, const struct qn_packument_version *v,
                         struct qn_published_before *ret)
{
        collect(p, v, true, ret);
        if (!ret->n)
                collect(p, v, false, ret);
}

const struct qn_packument_version *qn_published_attested(const struct qn_published_before *b)
{
        for (size_t i = 0; i < b->n; i++)
                if (qn_published_has_provenance(b->list[i]))
                        return b->list[i];
        return NULL;
}

bool qn_published_by_service(const struct qn_packument_version *v)
{
        return v->trusted_publisher.n > 0 || qn_str_is(v->publisher.name, "GitHub Actions");
}

/* --- what was lost --- */

static void add(struct qn_event_set *set, const char *what, struct qn_str value,
                struct qn_str detail, struct qn_str name)
{
        struct qn_event e = qn_event_make(QN_EVENT_META, QN_LAYER_METADATA, QN_FILE_NONE);

        e.phase = QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_VALUE, value);
        qn_event_attr(&e, QN_ATTR_DETAIL, detail);
        qn_event_attr(&e, QN_ATTR_NAME, name);
        (void)qn_event_add(set, &e);
}

typedef bool is_fn(const struct qn_packument_version *v);

static bool is_attested(const struct qn_packument_version *v)
{
        return qn_published_has_provenance(v);
}

static bool is_trusted(const struct qn_packument_version *v)
{
        return v->trusted_publisher.n > 0;
}

static bool is_from_ci(const struct qn_packument_version *v)
{
        return is_attested(v) || is_trusted(v);
}

/* How many versions in a row, the latest first. */
static size_t run_of(const struct qn_published_before *b, is_fn *is)
{
        size_t n = 0;

        while (n < b->n && is(b->list[n]))
                n++;
        return n;
}

/* value: how many versions in a row had it; name: the latest of them; detail: who published this one. */
static void lost(const struct qn_packument_version *v, const struct qn_published_before *b,
                 is_fn *is, size_t at_least, const char *what, struct qn_event_set *set)
{
        size_t n = is(v) ? 0 : run_of(b, is);
        char count[24];

        if (n < at_least)
                return;
        snprintf(count, sizeof count, "%zu", n);
        add(set, what, qn_str_c(count), v->publisher.name, b->list[0]->version);
}

void qn_publishing_compare(const struct qn_packument_version *v,
                           const struct qn_published_before *b, struct qn_event_set *set)
{
        lost(v, b, is_attested, 1, "provenance-lost", set);
        lost(v, b, is_trusted, 1, "trusted-publisher-lost", set);
        if (run_of(b, is_from_ci) == b->n)
                lost(v, b, is_from_ci, CI_ONLY_MIN, "ci-only-left", set);
}

/* --- where it comes from --- */

static struct qn_str owner_of(struct qn_str path)
{
        ptrdiff_t slash = qn_str_chr(path, '/');

        return slash < 0 ? path : qn_str_take(path, (size_t)slash);
}

/* "github:o/n", "git+https://github.com/o/n.git#main", "git@github.com:o/n.git", "o/n" */
struct qn_str qn_repository_path(struct qn_str s)
{
        static const char *const prefixes[] = { "git+",   "ssh://", "https://", "http://",
                                                "git://", "git@",   "www." };
        static const char *const hosts[] = { "github.com", "github", "gitlab.com", "gitlab" };
        struct qn_str rest, none = { NULL, 0 };
        ptrdiff_t hash = qn_str_chr(s, '#'), slash;

        if (hash >= 0)
                s = qn_str_take(s, (size_t)hash);
        for (size_t i = 0; i < QN_ARRAY_SIZE(prefixes); i++)
                if (qn_str_starts(s, prefixes[i]))
                        s = qn_str_skip(s, strlen(prefixes[i]));
        for (size_t i = 0; i < QN_ARRAY_SIZE(hosts); i++) {
                rest = qn_str_skip(s, strlen(hosts[i]));
                if (qn_str_starts(s, hosts[i]) && rest.n &&
                    (rest.p[0] == '/' || rest.p[0] == ':')) {
                        s = qn_str_skip(rest, 1);
                        break;
                }
        }
        if (qn_str_ends(s, "/"))
                s.n--;
        if (qn_str_ends(s, ".git"))
                s.n -= 4;
        slash = qn_str_chr(s, '/');
        return slash > 0 && (size_t)slash + 1 < s.n && qn_str_chr(s, ':') < 0 ? s : none;
}

static bool differ(struct qn_str a, struct qn_str b)
{
        return a.n && b.n && !qn_str_ieq(a, b);
}

static void compare_repository(const struct qn_source *now, const struct qn_source *before,
                               struct qn_str version, struct qn_event_set *set)
{
        struct qn_str a = qn_repository_path(now->repository),
                      b = qn_repository_path(before->repository);

        if (!a.n || !b.n) {
                a = now->repository;
                b = before->repository;
        }
        if (differ(a, b))
                add(set,
                    differ(owner_of(a), owner_of(b)) ? "provenance-owner-changed"
                                                     : "provenance-repository-changed",
                    now->repository, before->repository, version);
}

/* Tags differ from version to version by nature. */
static struct qn_str branch_of(struct qn_str ref)
{
        return qn_str_starts(ref, "refs/tags/") ? QN_STR("refs/tags/") : ref;
}

void qn_source_compare(const struct qn_source *now, const struct qn_source *before,
                       struct qn_str version, struct qn_event_set *set)
{
        const struct {
                const char *what;
                struct qn_str now, before;
        } rows[] = {
                { "provenance-workflow-changed", now->workflow, before->workflow },
                { "provenance-branch-changed", branch_of(now->ref), branch_of(before->ref) },
                { "provenance-trigger-changed", now->trigger, before->trigger },
                { "provenance-runner-changed", now->runner, before->runner },
                { "provenance-builder-changed", now->issuer, before->issuer },
        };

        compare_repository(now, before, version, set);
        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++)
                if (differ(rows[i].now, rows[i].before))
                        add(set, rows[i].what, rows[i].now, rows[i].before, version);
        /* one of them may have been built by the workflow of another repository, the other not */
        if (!qn_str_eq(now->builder, before->builder))
                add(set, "provenance-builder-changed", now->builder, before->builder, version);
}

void qn_source_compare_manifest(const struct qn_source *now, struct qn_str repository,
                                struct qn_event_set *set)
{
        struct qn_str a = qn_repository_path(now->repository), b = qn_repository_path(repository);

        if (differ(a, b))
                add(set, "provenance-repository-differs", now->repository, repository,
                    (struct qn_str){ NULL, 0 });
}
