/* url.h - http and https URLs, read by libcurl's own parser, so that what is checked is what is connected to.
 * HOSTILE INPUT: tarball addresses come from packuments and lock files.  Capped by QN_URL_MAX. */
#pragma once

#include "base/err.h"
#include "base/macro.h"
#include "base/str.h"

struct qn_arena;
struct qn_buf;

struct qn_url {
        bool tls;
        uint16_t port;                /* the one that is connected to */
        bool default_port;            /* port is the scheme's own */
        struct qn_str host;           /* lower case; IPv6 in brackets */
        struct qn_str path;           /* begins with '/', dot segments resolved */
        struct qn_str query;          /* without its '?'; p is NULL without one */
        struct qn_str user, password; /* percent-decoded; p is NULL when absent */
};

/* Slices live in the arena.  -EINVAL: not a URL; -EPROTONOSUPPORT: another scheme than http or https; -ENOBUFS. */
QN_MUST int qn_url_parse(struct qn_str s, struct qn_arena *a, struct qn_url *ret,
                         struct qn_err *reterr);
/* "scheme://host[:port]/path[?query]": never the user information, never the fragment. */
int qn_url_write(const struct qn_url *u, struct qn_buf *b);
/* npm's "nerf dart": "//host[:port]/path" (path as it is, without the query). */
int qn_url_nerf(const struct qn_url *u, struct qn_buf *b);
/* Same scheme, host and port: whom credentials may go to. */
bool qn_url_same_origin(const struct qn_url *a, const struct qn_url *b);
/* host[:port] as npm compares hosts. */
bool qn_url_same_host(const struct qn_url *a, const struct qn_url *b);
/* For messages: without user information, query and fragment, and control characters as '?'.  Takes anything. */
void qn_url_safe(struct qn_str url, struct qn_buf *b);
