/* news.h - which versions of a package are news: not in the store, or in it with other bytes.  Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct qn_packument_facts;

/* What the store has of a version. */
struct qn_news_known {
        struct qn_str version, integrity;
        bool redo; /* it could not be looked at, and is to be tried again */
};

struct qn_news_in {
        const struct qn_packument_facts *facts;
        const struct qn_news_known *known; /* sorted by bytes of version */
        size_t n_known;
        int64_t horizon; /* what is published before is no news, unless it is the last */
};

/* Indices of facts->versions, those with install hooks first, then the youngest first; at most max, which are written to ret.
 * ret_left: how many unknown versions are left out, because they are older than the horizon or too many. */
size_t qn_news(const struct qn_news_in *in, size_t *ret, size_t max, size_t *ret_left);
