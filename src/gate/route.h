/* route.h - what a client of a registry asks for, by the path of its request.  HOSTILE INPUT.
 * Both spellings of scoped names (@scope/name, @scope%2fname) are one route; a path that could mean two things (an empty or
 * dotted part, a backslash, a control, a broken or doubled escape) is none.  Pure: no allocation, no I/O. */
#pragma once

#include "base/limits.h"
#include "base/macro.h"
#include "base/str.h"

enum qn_route_kind {
        QN_ROUTE_PACKUMENT,      /* /name */
        QN_ROUTE_VERSION,        /* /name/1.2.3, /name/latest */
        QN_ROUTE_TARBALL,        /* /name/-/base-1.2.3.tgz; also a publication's address */
        QN_ROUTE_TAGS,           /* /-/package/name/dist-tags */
        QN_ROUTE_TAG,            /* /-/package/name/dist-tags/tag */
        QN_ROUTE_SEARCH,         /* /-/v1/search?… */
        QN_ROUTE_PING,           /* /-/ping */
        QN_ROUTE_WHOAMI,         /* /-/whoami, /-/npm/v1/user */
        QN_ROUTE_KEYS,           /* /-/npm/v1/keys */
        QN_ROUTE_ATTESTATIONS,   /* /-/npm/v1/attestations/name@version */
        QN_ROUTE_ADVISORIES,     /* /-/npm/v1/security/advisories/bulk */
        QN_ROUTE_AUDIT,          /* /-/npm/v1/security/audits/quick, …/audits */
        QN_ROUTE_LOGIN,          /* /-/v1/login…, /-/user/org.couchdb.user:… */
        QN_ROUTE_TOKENS,         /* /-/npm/v1/tokens… */
        QN_ROUTE_REVISION,       /* /name/-rev/…, /name/-/base.tgz/-rev/…: unpublishing */
        QN_ROUTE_OTHER_REGISTRY, /* anything else below /-/: asked of the registry as it stands */
        QN_ROUTE_READY,          /* /-/gate/ready */
        QN_ROUTE_METRICS,        /* /-/gate/metrics */
        QN_ROUTE_NONE,           /* nothing that a registry has: 404 */
};

struct qn_route {
        enum qn_route_kind kind;
        char bytes
                [QN_ROUTE_PATH_MAX]; /* the path, decoded: what follows, but for query, points into it */
        struct qn_str name;          /* of the package: one that can be asked for; empty: none */
        struct qn_str
                version; /* VERSION: version or tag; TARBALL: of the file's name, empty when that is not base-version.tgz;
                                  TAG: the tag; ATTESTATIONS: the version */
        struct qn_str file;  /* TARBALL: the last part of the path */
        struct qn_str query; /* behind the "?": a slice of what was parsed; may be empty */
};

/* path: of the request, with its query.  prefix: the path below which the gate answers ("" or "/npm").  Not to be copied: what
 * it holds points into it. */
void qn_route_parse(struct qn_str path, struct qn_str prefix, struct qn_route *ret);
const char *qn_route_kind_name(enum qn_route_kind k);
