/* verbs.h - the table of verbs.  Parsing, help, `qanat completion`, the man-page check and
 * configuration are made from it.
 *
 * To add a verb `frob`:
 *   1. src/cli/cmd-frob.c: `int cmd_frob(const struct qn_args *a)`, which returns an exit status (0
 * to 3), or a negative errno that it has already logged (exit 2).  Options by name: qn_args_get(a,
 * "format"), qn_args_on(a, "offline").
 *   2. src/cli/verbs.c: its options and one row; below: its declaration; src/cli/meson.build: the
 * file.
 *   3. man/qanat-frob.1, with every option of the row (tools/check-help tells what is missing).
 */
#pragma once

#include "base/config.h"
#include "base/macro.h"

struct qn_args;

enum {
        QN_OPT_CONFIG =
                1, /* may also come from the environment (QANAT_NAME) and the configuration file */
        QN_OPT_MANY = 2,   /* may be given several times: qn_args_all() */
        QN_OPT_NUMBER = 4, /* decimal digits: qn_args_u64() */
};

struct qn_opt {
        const char *name;     /* long name, without dashes */
        char letter;          /* one-letter form, or 0 */
        unsigned flags;       /* QN_OPT_* */
        const char *arg;      /* what its argument is called; NULL: a switch */
        const char *values;   /* "text|json|sarif": the only values allowed; NULL: any */
        const char *fallback; /* value when it is not given; NULL: none */
        const char *doc;      /* one line */
};

enum {
        QN_NEED_DATA = 1, /* main() finds the data directory first: a->data */
        QN_NEED_STATE =
                2, /* main() names the state directory first (it may not exist yet): a->state */
        QN_NEED_CACHE = 4, /* the same: a->cache */
};

struct qn_verb {
        const char *name;
        int min, max;   /* arguments besides options; max -1: any number */
        unsigned needs; /* QN_NEED_* */
        int (*run)(const struct qn_args *a);
        const char *synopsis; /* "TARGET..." */
        const char *first; /* "list|show|test": the only values of the first argument; NULL: any */
        const char *summary;       /* one line */
        const struct qn_opt *opts; /* ends with {}; NULL: none of its own */
};

extern const struct qn_verb qn_verbs[];      /* ends with {} */
extern const struct qn_opt qn_common_opts[]; /* what every verb takes; ends with {} */

const struct qn_verb *qn_verb_find(const char *name);
/* Logs that there is no such verb, and which one may have been meant; returns -EINVAL. */
int qn_verb_unknown(const char *name);
/* The option of that name, the verb's own first; NULL when there is none. */
const struct qn_opt *qn_opt_find(const struct qn_verb *v, const char *name);

int cmd_campaign(const struct qn_args *a);
int cmd_check(const struct qn_args *a);
int cmd_completion(const struct qn_args *a);
int cmd_events(const struct qn_args *a);
int cmd_gate(const struct qn_args *a);
int cmd_help(const struct qn_args *a);
int cmd_intel(const struct qn_args *a);
int cmd_inventory(const struct qn_args *a);
int cmd_judge(const struct qn_args *a);
int cmd_notify(const struct qn_args *a);
int cmd_report(const struct qn_args *a);
int cmd_review(const struct qn_args *a);
int cmd_rules(const struct qn_args *a);
int cmd_semver(const struct qn_args *a);
int cmd_store(const struct qn_args *a);
int cmd_unpack(const struct qn_args *a);
int cmd_watch(const struct qn_args *a);
int cmd_version(const struct qn_args *a);
/* The help text of one verb, or of the program (NULL). */
void qn_help_print(FILE *f, const struct qn_verb *v);
