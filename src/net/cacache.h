/* cacache.h - npm's content-addressed cache (_cacache), read only.
 * Content is found by its integrity, index entries by the hash of their key; what comes back is an open descriptor.  The
 * content is neither read nor verified here: the consumer checks the integrity, and must not trust the size either, as npm
 * may be writing at the same time.  Index lines hold text that registries sent: HOSTILE INPUT, each with its own checksum;
 * torn, foreign and oversized lines are passed over, as npm does. */
#pragma once

#include "base/arena.h"
#include "base/macro.h"
#include "base/str.h"

struct qn_cacache;

/* dir is the _cacache directory itself.  -ENOENT: there is none; -errno. */
QN_MUST int qn_cacache_open(const char *dir, struct qn_cacache **ret);
struct qn_cacache *qn_cacache_free(struct qn_cacache *c);
void qn_cacache_freep(struct qn_cacache **c);

/* Opens content by Subresource Integrity ("sha512-…", also sha1, sha256 and sha384; of several, the strongest first).
 * -ENOENT: not there; -EINVAL: not an integrity. */
QN_MUST int qn_cacache_content(struct qn_cacache *c, struct qn_str integrity, int *ret_fd,
                               uint64_t *ret_size);

/* One index entry; absent texts have p NULL. */
struct qn_cacache_entry {
        struct qn_str key, integrity, url;
        uint64_t size;
        uint64_t time_ms;     /* since 1970, when the answer came */
        uint64_t status;      /* 0: 200 */
        struct qn_str accept; /* of the request */
        struct qn_str etag, last_modified, cache_control, content_type, date, expires, vary;
};

/* Takes or passes over an entry for the key. */
typedef bool qn_cacache_wanted(const struct qn_cacache_entry *e, void *user);

/* Opens the bucket file in which the key's entries are, among others.  -ENOENT. */
QN_MUST int qn_cacache_bucket(struct qn_cacache *c, struct qn_str key, int *ret_fd);
/* The newest entry for the key in a bucket's text that wanted (NULL: any) takes.  -ENOENT: none, or deleted since; -ENOBUFS. */
QN_MUST int qn_cacache_pick(struct qn_str bucket, struct qn_str key, qn_cacache_wanted *wanted,
                            void *user, struct qn_arena *a, struct qn_cacache_entry *ret);
/* The key under which npm's HTTP client stores a URL (as qn_url_write() spells it). */
QN_MUST int qn_cacache_url_key(struct qn_str url, struct qn_arena *a, struct qn_str *ret);

/* One line of an index bucket; slices point into it or into the arena.  0; 1: an entry that says its key was deleted;
 * -EBADMSG: torn or not one; -ENOBUFS. */
QN_MUST int qn_cacache_line(struct qn_str line, struct qn_arena *a, struct qn_cacache_entry *ret);
/* For how many seconds from time_ms on the entry may be used without asking the registry (RFC 9111: max-age or Expires; no
 * heuristics). */
uint64_t qn_cacache_lifetime_s(const struct qn_cacache_entry *e);
/* Whether what came at time_ms and lives for life_s may be used so at now_ms. */
bool qn_cacache_fresh(uint64_t time_ms, uint64_t life_s, uint64_t now_ms);
