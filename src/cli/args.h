/* args.h - one parser for all command lines, driven by the tables of verbs.h.
 * `--name value`, `--name=value`, `-n value`, `-nvalue`, bundled switches `-ab`, and `--` before
 * arguments that begin with a dash; options and arguments may be mixed.  An option that the table
 * lets the user configure is looked up in this order: command line, environment (QANAT_NAME),
 * configuration file, the table's own value. */
#pragma once

#include "base/config.h"
#include "base/macro.h"

struct qn_opt;
struct qn_verb;

struct qn_given {
        const struct qn_opt *opt;
        const char *value; /* "" for a switch */
};

struct qn_args {
        const struct qn_verb *verb;
        const char **argv; /* the arguments that are not options, NULL-terminated */
        size_t n;
        bool help;                  /* --help was among the options: nothing else was checked */
        char *data, *state, *cache; /* directories, where the verb needs them */
        const char *store; /* where it needs the state: that, or what --store names (store/db.h) */
        struct qn_given *given; /* in the order given; private */
        size_t n_given;
        struct qn_config config;
};

/* argv: what follows the verb.  Logs what is wrong and returns -EINVAL (wrong usage) or another
 * error. */
QN_MUST
int qn_args_parse(const struct qn_verb *v, int argc, char **argv, struct qn_args *ret);
/* Finds the directories that the verb needs; logs what is wrong. */
QN_MUST
int qn_args_prepare(struct qn_args *a);
void qn_args_done(struct qn_args *a);

/* The names must be in the verb's table: anything else is a mistake of the program and aborts. */
const char *qn_args_get(const struct qn_args *a,
                        const char *name);                  /* NULL: not given and no fallback */
bool qn_args_on(const struct qn_args *a, const char *name); /* a switch */
uint64_t qn_args_u64(const struct qn_args *a,
                     const char *name); /* QN_OPT_NUMBER; 0 when not given */
/* QN_OPT_MANY: the i-th value, NULL past the last. */
const char *qn_args_all(const struct qn_args *a, const char *name, size_t i);

/* The candidate that was most likely meant, or NULL: for "did you mean".  next(ctx, i) gives the
 * i-th one, then NULL. */
const char *qn_args_nearest(const char *typed, const char *(*next)(const void *ctx, size_t i),
                            const void *ctx);
