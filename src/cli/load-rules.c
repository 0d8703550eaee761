#include "cli/load-rules.h"

#include <errno.h>

#include "base/log.h"
#include "cli/args.h"
#include "rule/rule.h"

#define PATHS_MAX 64

int qn_load_rules(const struct qn_args *a, struct qn_rules **ret)
{
        const char *paths[PATHS_MAX], *more;
        char builtin[4096];
        struct qn_err err = { 0 };
        size_t n = 1;
        int r;

        if (snprintf(builtin, sizeof builtin, "%s/rules", a->data) >= (int)sizeof builtin)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", a->data);
        paths[0] = builtin;
        while ((more = qn_args_all(a, "rules", n - 1))) {
                if (n == PATHS_MAX)
                        return log_err(-E2BIG, "--rules is given more than %u times",
                                       PATHS_MAX - 1);
                paths[n++] = more;
        }
        r = qn_rules_load(paths, n, ret, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}
