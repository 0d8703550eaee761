/* cmd-watch.c - `qanat watch`: the registry as it is published. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/verbs.h"
#include "cli/watch-verb.h"

static const struct {
        const char *name;
        int (*run)(const struct qn_args *a);
} parts[] = {
        { "run", qn_watch_verb_run },
        { "status", qn_watch_verb_status },
};

int cmd_watch(const struct qn_args *a)
{
        const char *part = a->n ? a->argv[0] : "run";

        if (a->n > 1)
                return log_err(-EINVAL, "qanat watch %s takes no arguments", part);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (strcmp(parts[i].name, part) == 0)
                        return parts[i].run(a);
        return log_err(-EINVAL, "%s: no part of qanat watch; see qanat-watch(1)", part);
}
