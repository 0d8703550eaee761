/* npmconf.h - npm's configuration, resolved as npm resolves it: flags, environment, project .npmrc, user .npmrc, global npmrc,
 * npm's builtin npmrc, and what npm itself holds for the default registry (asked from npm once and remembered: no registry's
 * address is part of this program).
 * The parent resolves it.  It holds credentials: it is never printed.
 *
 * One thing is not as in npm.  The project's .npmrc came with the project, which may be what is being checked: it may choose
 * registries and say how patient to be, no more.  Its ${VAR} are not expanded, but for credentials of a host that another
 * level names as a registry; and no credentials of other levels go to a host they were not set for, nor over http unless
 * another level has the registry at http, nor a client certificate for all registries to one that only the project names. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/cur.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "net/proxy.h"

struct qn_url;

struct qn_npmconf_pair {
        struct qn_str key, value;
};

struct qn_npmrc;

/* Reads what a project brought: in a confined role, where there is one. */
struct qn_npmconf_reader {
        /* The lines of its .npmrc, as qn_npmrc_parse_raw(): 0 or -errno. */
        int (*rc)(void *ctx, struct qn_str text, struct qn_arena *a, struct qn_npmrc *ret);
        /* qn_npm_is_workspace() */
        bool (*is_workspace)(void *ctx, struct qn_str package_json, struct qn_str dir);
        void *ctx;
};

/* Where to look; everything is borrowed.  NULL or empty: that level does not exist. */
struct qn_npmconf_in {
        const char *cwd;                     /* absolute */
        char *const *env;                    /* as environ */
        const struct qn_npmconf_pair *flags; /* npm's names: "registry", "offline"… */
        size_t n_flags;
        bool no_project;                        /* leave out the project's .npmrc */
        const struct qn_npmconf_reader *reader; /* NULL: this process reads */
        const char *cache_dir; /* where npm's own default is remembered; NULL: nowhere */
};

struct qn_npmconf {
        struct qn_arena mem;
        struct qn_npmconf_pair *
                pairs; /* the resolved settings: named below, and @scope:registry and //host/…: ones */
        size_t n_pairs, cap_pairs;
        struct qn_map index;

        struct qn_str registry; /* always set */
        struct qn_str
                default_registry; /* npm's own default, also when another one is set; p NULL when npm is missing */
        struct qn_str
                cache; /* directory of the content-addressed cache, npm's cache setting + /_cacache */
        struct qn_str user_agent; /* p NULL unless configured */
        struct qn_str
                proxy; /* of npm's configuration, for all URLs; else the environment's for https, for http */
        struct qn_str env_https_proxy, env_http_proxy;
        struct qn_str no_proxy;     /* comma-separated */
        struct qn_str ca, extra_ca; /* PEM; p NULL: the system's authorities, none */
        struct qn_str cert, key;    /* PEM of a client certificate for every registry */
        struct qn_str replace_host; /* replace-registry-host */
        struct qn_str trusted;      /* registries that others than the project name, one a line */
        struct qn_str
                ignored; /* kinds of settings of the project's that were not taken; for a note */
        bool strict_ssl, offline, prefer_offline, prefer_online, omit_resolved;
        /* Zero when npm's own value was not changed: npm's waits of 10 and 60 s suit an installer, not a question. */
        uint32_t retries, retry_factor, retry_min_ms, retry_max_ms, timeout_ms, sockets;
        bool retries_set;
};

/* 0; -ENOENT: no registry configured and npm is not there or does not say; -EINVAL: the configured registry is not a URL;
 * -ENOMEM, -ENOBUFS.  Files that cannot be read count as absent, as with npm. */
QN_MUST int qn_npmconf_load(const struct qn_npmconf_in *in, struct qn_npmconf **ret,
                            struct qn_err *reterr);
struct qn_npmconf *qn_npmconf_free(struct qn_npmconf *c);
void qn_npmconf_freep(struct qn_npmconf **c);

/* The whole of it as bytes, and back.  Decoding trusts nothing: -EBADMSG, -ENOBUFS. */
int qn_npmconf_encode(const struct qn_npmconf *c, struct qn_buf *b);
QN_MUST int qn_npmconf_decode(struct qn_cur in, struct qn_npmconf **ret, struct qn_err *reterr);

/* A setting by its name; {NULL, 0} when nobody set it.  Named settings come out as resolved, e.g. "ca" as PEM text. */
struct qn_str qn_npmconf_get(const struct qn_npmconf *c, struct qn_str key);
/* Whether the package.json of a directory names `dir` below it as a workspace.  HOSTILE INPUT. */
bool qn_npm_is_workspace(struct qn_str package_json, struct qn_str dir);
/* The registry for a package name: its scope's, or the default one. */
struct qn_str qn_npmconf_registry_of(const struct qn_npmconf *c, struct qn_str name);

/* Whether the name can be asked for: "name" or "@scope/name" of URL-safe characters, at most QN_NAME_MAX. */
bool qn_npm_name_ok(struct qn_str name);

struct qn_npm_auth {
        struct qn_str authorization; /* value of the header; p NULL: none */
        struct qn_str cert, key;     /* PEM; p NULL: none */
};
/* What npm would send to url when it wants the package name: the credentials whose //host/path is the longest prefix, else
 * the registry's own when the host is the same.  Over http it goes only to this machine, and where somebody other than the
 * project has a registry at http.
 * Slices live in a or in c. */
QN_MUST int qn_npmconf_auth(const struct qn_npmconf *c, struct qn_str name,
                            const struct qn_url *url, struct qn_arena *a, struct qn_npm_auth *ret);
/* Whether url is at the registry for name, or at one that somebody other than the project names. */
bool qn_npmconf_knows(const struct qn_npmconf *c, struct qn_str name, const struct qn_url *url,
                      struct qn_arena *a);
/* What the role that connects chooses proxies by; texts live in c. */
struct qn_proxies qn_npmconf_proxies(const struct qn_npmconf *c);
/* The proxy for url as npm chooses it (NUL-terminated), or NULL. */
const char *qn_npmconf_proxy(const struct qn_npmconf *c, const struct qn_url *url);
/* The tarball's address as npm would ask it: `resolved` with the host replaced as replace-registry-host says, or, without
 * one, registry/name/-/base-version.tgz.  -EINVAL: no usable address. */
QN_MUST int qn_npmconf_tarball_url(const struct qn_npmconf *c, struct qn_str name,
                                   struct qn_str version, struct qn_str resolved,
                                   struct qn_arena *a, struct qn_str *ret, struct qn_err *reterr);
