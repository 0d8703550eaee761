/* registry.h - packuments and tarballs, from npm's cache or from the registry, as npm's configuration says.
 * Bodies come back as descriptors; nothing in them is looked at here: HTTP is the fetch role's, the cache's index is read by
 * an analyse role.  A tarball that npm's cache holds under the wanted integrity is taken from there; a packument only when
 * offline, prefer-offline, or fresh by its own headers.  Whether a body has the wanted integrity is the consumer's to check,
 * for both sources. */
#pragma once

#include "base/err.h"
#include "base/macro.h"
#include "base/str.h"
#include "net/address.h"
#include "net/http.h"

struct qn_npmconf;
struct qn_pool;
struct qn_registry;

enum qn_fetched_from {
        QN_FROM_NETWORK,
        QN_FROM_CACHE,
        QN_FROM_CACHE_CONFIRMED, /* the registry said 304: the cached copy is current */
};

/* Given to the callback, valid until it returns.  fd is the callback's when it takes it (TAKE_FD), else it is closed. */
struct qn_fetched {
        enum qn_http_code code; /* QN_HTTP_OK, or why there is nothing */
        int status;             /* HTTP status; 0 when there was no answer, or from the cache */
        const char *
                message; /* one sentence: what failed at which URL, and the next step; "" when OK */
        int fd; /* readable from position 0; a sealed memfd from the network, a plain file from the cache */
        uint64_t size;
        enum qn_fetched_from from;
        unsigned tries;
        struct qn_str
                url; /* that was fetched, after redirects; may hold credentials in its query: not for messages */
        struct qn_str etag, last_modified, cache_control, content_type,
                date; /* p NULL when absent */
};

typedef void qn_registry_done(struct qn_fetched *f, void *user);

/* One tarball; empty slices are allowed for all but name. */
struct qn_tarball_want {
        struct qn_str name, version;
        struct qn_str
                resolved; /* address from lock file or packument; empty: made from name and version */
        struct qn_str
                integrity; /* Subresource Integrity; empty: unknown, the cache is then used only when offline or asked to */
        bool skip_cache; /* the cached copy turned out to be bad */
};

struct qn_registry_config {
        const struct qn_npmconf *conf;
        struct qn_pool
                *pool; /* of analyse roles; its owner polls it, and frees it before the registry */
        bool no_sandbox;
        bool no_cache; /* npm's cache is left alone: what it calls fresh may be minutes old */
        enum qn_foreign
                foreign; /* tarballs at neither the package's registry nor one that the user names */
};

/* What config names is borrowed and outlives the object, but for the pool. */
QN_MUST int qn_registry_new(const struct qn_registry_config *config, struct qn_registry **ret);
struct qn_registry *qn_registry_free(
        struct qn_registry *r); /* not from a callback; what is open is not called back */
void qn_registry_freep(struct qn_registry **r);

/* Ask; the callback comes once, from qn_registry_poll(), never from here.  full: with times, maintainers, readme…; else the
 * abbreviated form, where the registry has one (check content_type).  0 or -ENOMEM. */
QN_MUST int qn_registry_packument(struct qn_registry *r, struct qn_str name, bool full,
                                  qn_registry_done *done, void *user);
QN_MUST int qn_registry_tarball(struct qn_registry *r, const struct qn_tarball_want *want,
                                qn_registry_done *done, void *user);
/* What the registry has to say about how a version was made, and the keys that the package's registry signs with. */
QN_MUST int qn_registry_attestations(struct qn_registry *r, struct qn_str name,
                                     struct qn_str version, qn_registry_done *done, void *user);
QN_MUST int qn_registry_keys(struct qn_registry *r, struct qn_str name, qn_registry_done *done,
                             void *user);
/* Works and calls back until something was finished, nothing is left, or timeout_ms passed (-1: no limit).
 * Questions that wait for the pool go on after qn_pool_poll(): with such, wait for both descriptors.
 * Returns the number of questions still open, or -errno when nothing can be fetched at all; all have been answered then. */
QN_MUST int qn_registry_poll(struct qn_registry *r, int timeout_ms, struct qn_err *reterr);
/* Readable when qn_registry_poll(r, 0) has something to do; it wants to be asked once a second as well. */
int qn_registry_fd(const struct qn_registry *r);
