/* cmd-help.c - help and version, made from the table of verbs. */
#include <errno.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "qanat/qanat.h"

static void print_opts(FILE *f, const char *title, const struct qn_opt *opts)
{
        if (!opts || !opts->name)
                return;
        fprintf(f, "\n%s:\n", title);
        for (const struct qn_opt *o = opts; o->name; o++) {
                char left[64];

                snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
                         o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
                         o->arg ? " " : "", o->arg ? o->arg : "");
                fprintf(f, "  %-26s %s", left, o->doc);
                if (o->fallback)
                        fprintf(f, " [%s]", o->fallback);
                fputc('\n', f);
        }
}

static void print_verb(FILE *f, const struct qn_verb *v)
{
        fprintf(f, "Usage: qanat %s [OPTION...]%s%s\n\n%s.\n", v->name, *v->synopsis ? " " : "",
                v->synopsis, v->summary);
        if (v->first)
                fprintf(f, "The first argument is one of %s.\n", v->first);
        print_opts(f, "Options", v->opts);
        print_opts(f, "Options of every verb", qn_common_opts);
        fprintf(f, "\nMore: man qanat-%s\n", v->name);
}

void qn_help_print(FILE *f, const struct qn_verb *v)
{
        if (v) {
                print_verb(f, v);
                return;
        }
        fputs("qanat answers: is this npm package safe?\n\nUsage: qanat VERB [OPTION...] "
              "[ARGUMENT...]\n\nVerbs:\n",
              f);
        for (v = qn_verbs; v->name; v++)
                fprintf(f, "  %-12s %s\n", v->name, v->summary);
        fputs("\nHelp for one verb: qanat help VERB, or man qanat-VERB\n"
              "Exit status: 0 nothing found, 1 something found, 2 wrong usage, 3 something could "
              "not be analysed\n",
              f);
}

static const char *next_verb(const void *ctx QN_UNUSED, size_t i)
{
        return qn_verbs[i].name;
}

int qn_verb_unknown(const char *name)
{
        const char *near = qn_args_nearest(name, next_verb, NULL);

        if (near)
                return log_err(-EINVAL, "there is no verb \"%s\"; did you mean \"%s\"?", name,
                               near);
        return log_err(-EINVAL, "there is no verb \"%s\"; see qanat help", name);
}

int cmd_help(const struct qn_args *a)
{
        const struct qn_verb *v = a->n ? qn_verb_find(a->argv[0]) : NULL;

        if (a->n && !v)
                return qn_verb_unknown(a->argv[0]);
        qn_help_print(stdout, v);
        return 0;
}

int cmd_version(const struct qn_args *a QN_UNUSED)
{
        printf("qanat %s\n", qanat_version());
        return 0;
}
