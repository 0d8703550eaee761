/* command-table.h - data/commands.yaml in memory; private to command*.c. */
#pragma once

#include "base/map.h"
#include "observe/table.h"

struct qn_cmd_wrapper {
        struct qn_str name;
        struct qn_str skip, sub; /* comma-separated lists */
        uint64_t words;          /* arguments of its own */
        bool pkg;                /* what follows is a package's name */
        bool slash;              /* options begin with a slash */
};

struct qn_cmd_interp {
        struct qn_str name, lang, eval, eval64, take, skip, stop, sub;
};

struct qn_cmd_rule {
        const struct qn_str *words;
        size_t n_words;
        struct qn_row_event event;
        uint32_t next; /* next rule of the same program, +1 */
};

struct qn_cmd_rules {
        struct qn_cmd_rule *list;
        size_t n, cap;
        struct qn_map by_program; /* → first rule; those with globs are chained at `globs` */
        uint32_t globs;
};

struct qn_commands {
        const struct qn_classes *classes;
        struct qn_cmd_wrapper *wrappers;
        size_t n_wrappers, wrappers_cap;
        struct qn_cmd_interp *interps;
        size_t n_interps, interps_cap;
        struct qn_cmd_rules rules, prompt, bypass, runners;
        struct qn_map downloaders, senders, filters, harmless;
        struct qn_map aliases; /* package → index in alias_names */
        struct qn_str *alias_names;
        size_t n_aliases, aliases_cap;
};

/* Whether a comma-separated list holds word. */
bool qn_cmd_list_has(struct qn_str list, struct qn_str word);
/* Whether argv (its program already reduced to the base name) is what the rule describes. */
bool qn_cmd_rule_matches(const struct qn_cmd_rule *r, struct qn_str program,
                         const struct qn_str *argv, size_t argc);
/* Walks the rules of a program: *at starts at 0; NULL at the end. */
const struct qn_cmd_rule *qn_cmd_rules_next(const struct qn_cmd_rules *t, struct qn_str program,
                                            uint64_t *at);
const struct qn_cmd_wrapper *qn_cmd_wrapper_find(const struct qn_commands *t, struct qn_str program,
                                                 struct qn_str first);
const struct qn_cmd_interp *qn_cmd_interp_find(const struct qn_commands *t, struct qn_str program);
