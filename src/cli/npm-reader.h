/* npm-reader.h - reads what a project brought for npm's configuration in an analyse role. */
#pragma once

#include "base/err.h"
#include "net/npmconf.h"

struct qn_pool;

struct qn_npm_reader {
        struct qn_pool *pool; /* of analyse roles */
        struct qn_err err;    /* why the pool cannot work, if so */
};

/* r is borrowed for as long as the result is used. */
struct qn_npmconf_reader qn_npm_reader(struct qn_npm_reader *r);
/* npm's configuration for those who ask no registry: proxies, authorities, patience.  Logs what is wrong. */
QN_MUST int qn_npm_network(struct qn_pool *pool, const char *cache_dir, struct qn_npmconf **ret);
