/* gate-run.c - qanat gate: the registry firewall, until a signal ends it. */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/gate-verb.h"
#include "cli/load-rules.h"
#include "gate/gate.h"

static void note(void *user QN_UNUSED, const char *text)
{
        log_note("%s", text);
}

int qn_gate_verb_run(const struct qn_args *a)
{
        _cleanup_(qn_gate_freep) struct qn_gate *g = NULL;
        struct qn_rule_paths rules;
        struct qn_gate_config c = { .data_dir = a->data,
                                    .cache_dir = a->cache,
                                    .state_dir = a->state,
                                    .store = a->store,
                                    .policy = qn_args_get(a, "policy"),
                                    .service = qn_args_get(a, "service"),
                                    .registry = qn_args_get(a, "registry"),
                                    .listen = qn_args_get(a, "listen"),
                                    .workers = (unsigned)qn_args_u64(a, "jobs"),
                                    .no_sandbox = qn_args_on(a, "no-sandbox"),
                                    .rules = rules.list,
                                    .note = note };
        struct qn_err err = { 0 };
        int r = a->n > 1 ? log_err(-EINVAL, "qanat gate run takes no arguments") : 0;

        if (r == 0)
                r = qn_rule_paths(a, "rules", &rules);
        if (r < 0)
                return r;
        c.n_rules = rules.n;
        r = qn_gate_new(&c, &g, &err);
        for (size_t i = 0; r == 0 && qn_gate_address(g, i); i++)
                log_note("listening on %s", qn_gate_address(g, i));
        if (r == 0)
                r = qn_gate_run(g, &err);
        return r < 0 ? log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r)) : 0;
}
