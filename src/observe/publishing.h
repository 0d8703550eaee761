/* publishing.h - how a version was published, compared with earlier versions of the same package.
 * Earlier: published before it, or lower where the document gives no dates; of the same major version if there is one; releases are
 * compared with releases.  Nothing depends on today's date. */
#pragma once

#include "base/limits.h"
#include "base/str.h"
#include "parse/packument.h"

struct qn_event_set;
struct qn_source;

struct qn_published_before {
        const struct qn_packument_version *list[QN_PUBLISHED_BEFORE_MAX]; /* the latest first */
        size_t n;
};

void qn_published_before(const struct qn_packument *p, const struct qn_packument_version *v,
                         struct qn_published_before *ret);
/* The latest of them with a provenance, or NULL. */
const struct qn_packument_version *qn_published_attested(const struct qn_published_before *b);
static inline bool qn_published_has_provenance(const struct qn_packument_version *v)
{
        return v->attestations_url.n || v->provenance_type.n;
}

/* By a CI service, whoever made it do so. */
bool qn_published_by_service(const struct qn_packument_version *v);

/* Adds meta events: provenance-lost, trusted-publisher-lost, ci-only-left.  Past a limit of the set it says so itself. */
void qn_publishing_compare(const struct qn_packument_version *v,
                           const struct qn_published_before *b, struct qn_event_set *set);
/* Adds meta events: provenance-owner-changed, -repository-changed, -workflow-changed, -branch-changed, -trigger-changed,
 * -runner-changed, -builder-changed.  version: that `before` belongs to. */
void qn_source_compare(const struct qn_source *now, const struct qn_source *before,
                       struct qn_str version, struct qn_event_set *set);
/* Adds provenance-repository-differs when the package itself names another repository. */
void qn_source_compare_manifest(const struct qn_source *now, struct qn_str repository,
                                struct qn_event_set *set);
/* "owner/name" of a repository on a forge, from the ways that package.json and provenance spell it; n 0: none. */
struct qn_str qn_repository_path(struct qn_str url);
