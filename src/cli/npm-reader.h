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
