/* npmconf-level.h - inside of npmconf: the raw levels before they are merged, shared by npmconf*.c. */
#pragma once

#include "net/npmconf.h"
#include "parse/npmrc.h"

enum npm_level { /* later ones win */
                 NPM_BUILTIN,
                 NPM_GLOBAL,
                 NPM_USER,
                 NPM_PROJECT,
                 NPM_ENV,
                 NPM_CLI,
                 NPM_LEVEL_MAX
};

struct npm_setting {
        struct qn_str key,
                value; /* ${VAR} expanded, trimmed; lists joined by "\n\n" as npm does in the environment */
        uint32_t seq; /* order inside the level */
};

struct npm_level_data {
        struct npm_setting *items;
        size_t n, cap;
        struct qn_map index;
};

struct npm_levels {
        const struct qn_npmconf_in *in;
        struct qn_arena mem;
        struct npm_level_data at[NPM_LEVEL_MAX];
        struct qn_str home, npm,
                node; /* npm: its npm-cli.js, node: the binary; resolved links, p NULL when missing */
        struct qn_str npm_root; /* directory of npm's package */
        struct qn_str path;     /* PATH without relative and node_modules directories */
        struct qn_str prefix, local_prefix;
        struct qn_npmrc project; /* its lines as they stand, not yet in at[NPM_PROJECT] */
        unsigned ignored;        /* bits of what was not taken of them */
        uint32_t seq;
};

/* npmconf-level.c */
QN_MUST int npm_levels_load(const struct qn_npmconf_in *in, struct npm_levels *l);
void npm_levels_done(struct npm_levels *l);
/* The value of the strongest level that has the key; *ret_level (may be NULL) says which.  p NULL when none has it. */
struct qn_str npm_levels_get(const struct npm_levels *l, struct qn_str key,
                             enum npm_level *ret_level);
/* Whether a was set after b inside one level that has both. */
bool npm_levels_later(const struct npm_levels *l, enum npm_level level, struct qn_str a,
                      struct qn_str b);
struct qn_str npm_getenv(const struct qn_npmconf_in *in, const char *name);
/* npm's path type: "~/" and relative to the working directory.  {NULL, 0} at the arena's cap. */
struct qn_str npm_path(struct npm_levels *l, struct qn_str value);

/* Adds to a value of a level; ${VAR} in it is expanded. */
QN_MUST int npm_levels_set(struct npm_levels *l, enum npm_level level, struct qn_str key,
                           struct qn_str value);
/* As it stands; list: appended to what is there. */
QN_MUST int npm_levels_set_plain(struct npm_levels *l, enum npm_level level, struct qn_str key,
                                 struct qn_str value, bool list);

/* npmconf-project.c: what the project may say.  trusted: see qn_npmconf. */
QN_MUST int npm_project_trusted(struct npm_levels *l, struct qn_str default_registry,
                                struct qn_str *ret);
QN_MUST int npm_project_admit(struct npm_levels *l, struct qn_str trusted);
int npm_project_explain(const struct npm_levels *l, struct qn_buf *b);
/* Whether a list of registries has one at url's scheme, host and port. */
bool npm_trusts(struct qn_str trusted, const struct qn_url *url, struct qn_arena *a);

/* npmconf-find.c: programs and directories */
QN_MUST int npm_find_programs(struct npm_levels *l);
QN_MUST int npm_find_local_prefix(struct npm_levels *l);
struct qn_str npm_join(struct qn_arena *a, struct qn_str dir, const char *rest);
bool npm_is_file(const char *path);

/* npmconf-default.c: what npm holds for the registry when nobody sets one.  -ENOENT when it cannot be had. */
QN_MUST int npm_default_registry(struct npm_levels *l, struct qn_str *ret, struct qn_err *reterr);
