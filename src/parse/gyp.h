/* gyp.h - binding.gyp and .gypi → tree, and every command in it.  HOSTILE INPUT.
 * gyp evaluates these files as Python; we read its literals: dicts, lists, tuples, strings (quotes of all kinds, prefixes,
 * adjacent and added ones joined), numbers, True, False, None, comments.  Anything else is -EBADMSG with its place, and
 * worth suspicion: it would run.  Nesting is capped by QN_GYP_DEPTH_MAX, size by QN_GYP_MAX (-EFBIG); bytes that are not
 * UTF-8 are -EILSEQ, as Python refuses them.  A repeated key counts once with its last value.  Nodes keep line and column. */
#pragma once

#include "base/cur.h"
#include "base/err.h"
#include "base/str.h"
#include "parse/json.h"

struct qn_arena;

enum qn_gyp_kind {
        QN_GYP_EXPANSION, /* <!(command) and its like: runs while the build is configured */
        QN_GYP_PYMOD,     /* <!pymod_do_main(module arguments): loads a Python module */
        QN_GYP_ACTION,    /* "actions": runs while building */
        QN_GYP_RULE,      /* "rules": runs for each matching source */
        QN_GYP_POSTBUILD, /* "postbuilds" */
        QN_GYP_CONDITION, /* a condition that does more than compare (calls, attributes): Python evaluates it */
};

struct qn_gyp_command {
        enum qn_gyp_kind kind;
        char phase;     /* expansions: '<' early, '>' late, '^' latest; else 0 */
        bool list;      /* <!@(…): split into a list */
        bool nested;    /* stands inside another expansion */
        bool variables; /* holds <(name): it is not known in full */
        struct qn_str
                text; /* EXPANSION: the shell command; PYMOD: what is in the parentheses; CONDITION: it;
                                      others: the words joined by blanks */
        const struct qn_str
                *argv; /* ACTION, RULE, POSTBUILD, and expansions written as a list: the words */
        size_t argc;
        struct qn_str name;         /* action_name, rule_name …, else "" */
        struct qn_str target;       /* target_name around it, else "" */
        uint32_t off, line, column; /* of the string (or list) that holds it */
};

struct qn_gyp_name {
        struct qn_str text;
        uint32_t off;
};

struct qn_gyp {
        const struct qn_node *root; /* an object */
        struct qn_gyp_command *commands;
        size_t n;
        struct qn_gyp_name *includes; /* "includes": other files that are read */
        size_t n_includes;
        struct qn_gyp_name *dependencies; /* "dependencies": "path/file.gyp:target" and the like */
        size_t n_dependencies;
        struct qn_gyp_name *sources; /* "sources" */
        size_t n_sources;
        bool variables; /* some command holds variables */
};

/* Errors as above; -EFBIG also past QN_GYP_COMMANDS_MAX commands or for one longer than QN_COMMAND_MAX; -EINVAL when the
 * file is no dict; -ENOBUFS. */
QN_MUST int qn_gyp_parse(struct qn_cur in, struct qn_arena *a, struct qn_gyp **ret,
                         struct qn_err *reterr);
