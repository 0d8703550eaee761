/* classify.h - what a path, an environment variable or an address stands for: data/secrets.yaml,
 * data/hosts.yaml, data/writes.yaml. */
#pragma once

#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "observe/table.h"

struct qn_arena;

/* Which pairs of neighbouring bytes a text has, as bits: a pattern can only match where its own pairs are. */
struct qn_pairs {
        uint64_t bits[4];
};

struct qn_path_class {
        struct qn_str glob;
        uint8_t label;
        struct qn_pairs pairs;
        bool wallet, memory; /* wallet.read, memory.read rather than secret.read */
};

struct qn_host_class {
        struct qn_str host, path, class; /* path: glob for what follows the host, or empty */
        uint32_t next;                   /* another row with the same host, +1 */
};

struct qn_write_class {
        struct qn_str glob;
        struct qn_pairs pairs;
        struct qn_row_event event;
};

struct qn_classes {
        struct qn_path_class *paths;
        size_t n_paths, paths_cap;
        struct qn_map env; /* name → label */
        struct qn_path_class *env_globs;
        size_t n_env_globs, env_globs_cap;
        struct qn_map
                values; /* names of variables and properties that say what they hold → label */
        struct qn_map
                probes; /* variables that tell where the program runs → index in probe_names */
        struct qn_str *probe_names;
        size_t n_probe_names, probe_names_cap;
        struct qn_map hosts; /* host → index in host_rows */
        struct qn_host_class *host_rows;
        size_t n_hosts, hosts_cap;
        struct qn_host_class *host_globs;
        size_t n_host_globs, host_globs_cap;
        struct qn_write_class *writes;
        size_t n_writes, writes_cap;
};

QN_MUST int qn_classes_load(const char *data_dir, struct qn_arena *a, struct qn_classes *ret,
                            struct qn_err *reterr);

/* A path as observers write it: ~ is the home directory, * an unknown part.  NULL when it holds no credentials. */
const struct qn_path_class *qn_classify_path(const struct qn_classes *c, struct qn_str path);
/* What writing this file arranges, or NULL. */
const struct qn_row_event *qn_classify_write(const struct qn_classes *c, struct qn_str path);
/* The label of an environment variable, or -1. */
int qn_classify_env(const struct qn_classes *c, struct qn_str name);
/* The label of what a variable, parameter or property of this name holds, or -1. */
int qn_classify_value(const struct qn_classes *c, struct qn_str name);
/* What reading this variable tells about the machine ("ci", "locale", "marker"…), or {NULL, 0}. */
struct qn_str qn_classify_probe(const struct qn_classes *c, struct qn_str name);
/* The class of an address (host without port; path from its first slash, may be empty), or {NULL, 0}. */
struct qn_str qn_classify_host(const struct qn_classes *c, struct qn_str host, struct qn_str path);

struct qn_url {
        struct qn_str scheme, host, port,
                path; /* path with its query; host without user and port */
};
/* Splits scheme://user@host:port/path; host:port without a scheme too when bare is set.  Whether it is an address. */
bool qn_url_split(struct qn_str s, bool bare, struct qn_url *ret);
/* "ip" for a public IPv4 literal, "private" for this machine or network, else {NULL, 0}. */
struct qn_str qn_classify_ip(struct qn_str host);
