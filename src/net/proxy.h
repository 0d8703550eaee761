/* proxy.h - which proxy a URL goes through, by npm's rules. */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_url;

/* Texts are NUL-terminated; p NULL: not set. */
struct qn_proxies {
        struct qn_str all;         /* of npm's configuration, goes before the others */
        struct qn_str https, http; /* of the environment */
        struct qn_str none;        /* hosts without proxy, comma-separated */
};

/* NULL: no proxy. */
const char *qn_proxy_for(const struct qn_proxies *p, const struct qn_url *url);
