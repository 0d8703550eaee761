/* service.h - how the gate is run: addresses, upstreams, tokens, limits.  A YAML file of the operator's; data/gate/gate.yaml is
 * an example with every key, commented.  Secrets are never in it: tokens of clients are SHA-256 sums, tokens to upstreams are
 * named by environment variable or file. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "net/address.h"

struct qn_service_upstream {
        struct qn_str name;
        struct qn_str url;     /* http(s)://host/path/ */
        struct qn_str *scopes; /* "@acme"; none: it is the default one */
        size_t n_scopes;
        struct qn_str token; /* read from its variable or file; p NULL: none */
        bool writes;         /* publishing and the like are passed on to it */
        bool login; /* the client's own token is passed on instead, for what is not public */
};

struct qn_service_token {
        struct qn_str name;
        uint8_t sha256[32];
        bool admin;
};

struct qn_service {
        struct qn_str *listen; /* "127.0.0.1:4873", "[::]:4873" */
        size_t n_listen;
        struct qn_str url;       /* under which clients reach it, without a slash at the end */
        struct qn_str cert, key; /* paths; p NULL: plain HTTP */
        struct qn_service_upstream *upstreams;
        size_t n_upstreams; /* 0: what npm's configuration says */
        struct qn_service_token *tokens;
        size_t n_tokens;
        bool closed; /* clients need a token */
        uint32_t rate, burst;
        uint64_t cache_bytes; /* on disk */
        uint32_t fresh_s;     /* a packument is asked for again after so long */
        uint64_t body_max;
        struct qn_str access_log; /* path; p NULL: none; "-": standard output */
        struct qn_str
                webhook; /* told when something that was served turns out bad; p NULL: nobody */
        struct qn_str webhook_secret; /* read from its variable or file; signs what is sent */
        struct qn_str proxies;        /* addresses whose X-Forwarded-For counts */
        uint32_t drain_s;
        enum qn_foreign
                foreign; /* tarballs that are not on the registry whose document names them */
};

struct qn_arena;
/* All of it lives in the arena.  0 or -EINVAL: which line and why; -errno. */
QN_MUST int qn_service_load(const char *path, struct qn_arena *a, struct qn_service *ret,
                            struct qn_err *reterr);
/* The same for a text; path: for messages, and paths in it are beside it.  secrets: whether variables and files are read, else
 * token and webhook_secret stay NULL (to check a file elsewhere). */
QN_MUST int qn_service_parse(struct qn_str text, const char *path, bool secrets, struct qn_arena *a,
                             struct qn_service *ret, struct qn_err *reterr);
/* What holds without a file. */
QN_MUST int qn_service_default(struct qn_arena *a, struct qn_service *ret);
