#include "cli/load-rules.h"

#include <errno.h>

#include "base/log.h"
#include "cli/args.h"
#include "rule/rule.h"

int qn_rule_paths(const struct qn_args *a, const char *below, struct qn_rule_paths *ret)
{
        const char *more;

        if (snprintf(ret->builtin, sizeof ret->builtin, "%s/%s", a->data, below) >=
            (int)sizeof ret->builtin)
                return log_err(-ENAMETOOLONG, "%s: the path is too long", a->data);
        ret->list[0] = ret->builtin;
        ret->n = 1;
        while ((more = qn_args_all(a, "rules", ret->n - 1))) {
                if (ret->n == QN_ARRAY_SIZE(ret->list))
                        return log_err(-E2BIG, "--rules is given more than %zu times",
                                       QN_ARRAY_SIZE(ret->list) - 1);
                ret->list[ret->n++] = more;
        }
        return 0;
}

int qn_load_rules_of(const struct qn_args *a, const char *below, struct qn_rules **ret)
{
        struct qn_rule_paths paths;
        struct qn_err err = { 0 };
        int r = qn_rule_paths(a, below, &paths);

        if (r < 0)
                return r;
        r = qn_rules_load(paths.list, paths.n, ret, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

int qn_load_rules(const struct qn_args *a, struct qn_rules **ret)
{
        return qn_load_rules_of(a, "rules", ret);
}
