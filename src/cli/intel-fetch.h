/* intel-fetch.h - downloads of feeds: in pieces into a file, so that one that was cut goes on where it stopped, and many small ones
 * at once. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct qn_intel_fetch;
struct qn_pool;

struct qn_intel_fetch_config {
        const char *data_dir, *cache_dir;
        struct qn_pool *pool; /* of analyse roles, for npm's configuration: proxies, authorities */
        bool no_sandbox, quiet;
};

/* Logs what is wrong. */
QN_MUST int qn_intel_fetch_new(const struct qn_intel_fetch_config *config,
                               struct qn_intel_fetch **ret);
struct qn_intel_fetch *qn_intel_fetch_free(struct qn_intel_fetch *f);

struct qn_intel_get {
        const char *name; /* of the file that holds what came so far */
        struct qn_str url;
        struct qn_str etag;  /* of what is there already; may be empty */
        struct qn_str token; /* for the server; may be empty */
};

struct qn_intel_got {
        bool unchanged; /* it still has that etag */
        int fd;         /* open for reading only; the caller's */
        uint64_t size;
        struct qn_str etag, next; /* next: address of the next page; live until the next call */
        char problem[512];        /* why not, in one sentence with the address */
};

/* 0; -errno: the problem says why, and what came is kept. */
QN_MUST int qn_intel_fetch_file(struct qn_intel_fetch *f, const struct qn_intel_get *get,
                                struct qn_intel_got *ret);
/* Forgets what came: it was taken over, or is of no use. */
void qn_intel_fetch_forget(struct qn_intel_fetch *f, const char *name);

/* Small ones.  fn is called for each in their order, with what came, or with missing: the server does not have it. */
typedef int qn_intel_fetched(void *ctx, size_t i, struct qn_str body, bool missing);
QN_MUST int qn_intel_fetch_many(struct qn_intel_fetch *f, const struct qn_str *urls, size_t n,
                                struct qn_str token, qn_intel_fetched *fn, void *ctx, char *problem,
                                size_t problem_size);
