#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/gate-verb.h"
#include "cli/verbs.h"

static const struct {
        const char *name;
        int (*run)(const struct qn_args *a);
} parts[] = {
        { "run", qn_gate_verb_run },
        { "ledger", qn_gate_verb_ledger },
        { "setup", qn_gate_verb_setup },
        { "policy", qn_gate_verb_policy },
};

int cmd_gate(const struct qn_args *a)
{
        const char *part = a->n ? a->argv[0] : "run";

        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (strcmp(parts[i].name, part) == 0)
                        return parts[i].run(a);
        return log_err(-EINVAL, "%s: no part of qanat gate; see qanat-gate(1)", part);
}
