/* command.h - what a command line does (data/commands.yaml): npm scripts, binding.gyp expansions, child processes,
 * workflow steps, editor tasks, shell scripts.  HOSTILE INPUT.
 * Events get no place and no phase: that is the host's business. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"

struct qn_arena;
struct qn_classes;
struct qn_commands;

QN_MUST int qn_commands_load(const char *data_dir, const struct qn_classes *classes,
                             struct qn_arena *a, const struct qn_commands **ret,
                             struct qn_err *reterr);

/* Who wants to know; every call may be NULL. */
struct qn_command_host {
        void *ctx;
        void (*event)(void *ctx, struct qn_event *e);
        /* A file is run; path as written, lang as in the table ("js", "python", "exec" when it is started itself). */
        void (*file)(void *ctx, struct qn_str path, struct qn_str lang);
        /* Text is run as code. */
        void (*code)(void *ctx, struct qn_str code, struct qn_str lang);
        /* A script of package.json is run. */
        void (*script)(void *ctx, struct qn_str name);
};

struct qn_command_sum {
        struct qn_str program; /* of the first command, without sudo, env, npx… */
        struct qn_str target;  /* the first file that is run */
        uint64_t labels;       /* what its output carries */
        unsigned commands;
        bool hidden;     /* all output thrown away */
        bool background; /* &, nohup, setsid */
        bool hides_errors;
        bool cut; /* not read to its end */
};

QN_MUST int qn_command_observe(const struct qn_commands *t, struct qn_str line, struct qn_arena *a,
                               const struct qn_command_host *host, struct qn_command_sum *ret);
/* The same for a program and its arguments, as child_process.spawn() takes them. */
QN_MUST int qn_command_observe_argv(const struct qn_commands *t, const struct qn_str *argv,
                                    size_t argc, struct qn_arena *a,
                                    const struct qn_command_host *host, struct qn_command_sum *ret);
