/* main.c - finds the verb, parses its arguments, runs it, and turns its answer into the exit
 * status. */
#include <errno.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "gate/front.h"
#include "role/analyse.h"
#include "role/fetch.h"

#define EXIT_USAGE 2

static const struct qn_role_def *const roles[] = { &qn_role_analyse, &qn_role_fetch,
                                                   &qn_role_serve };

/* An answer that did not reach its reader is no answer: a full disk must not look like "nothing
 * found". */
static int flushed(int status)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        return log_err(EXIT_USAGE, "cannot write the output: %s", strerror(errno));
}

static int run(const struct qn_verb *v, int argc, char **argv)
{
        _cleanup_(qn_args_done) struct qn_args a = { 0 };
        int r = qn_args_parse(v, argc, argv, &a);

        if (r < 0)
                return EXIT_USAGE;
        if (a.help) {
                qn_help_print(stdout, v);
                return 0;
        }
        r = qn_args_prepare(&a);
        if (r == 0)
                r = v->run(&a);
        return r < 0 ? EXIT_USAGE : r;
}

int main(int argc, char **argv)
{
        const struct qn_verb *v;
        const char *name;

        if (qn_role_requested(argc, argv))
                return qn_role_run(roles, QN_ARRAY_SIZE(roles), argc, argv);
        if (argc < 2) {
                qn_help_print(stderr, NULL);
                return EXIT_USAGE;
        }
        name = argv[1];
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
                name = "help";
        if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
                name = "version";
        v = qn_verb_find(name);
        if (!v) {
                qn_verb_unknown(name);
                return EXIT_USAGE;
        }
        return flushed(run(v, argc - 2, argv + 2));
}
