/* gate.h - the registry firewall: answers clients of a registry from upstream ones, with what policy lets through.
 * This process talks to its roles (the HTTP face, fetch, analyse), decides, and keeps the ledger; it parses nothing that came
 * from outside but their answers. */
#pragma once

#include "base/err.h"
#include "base/macro.h"

struct qn_gate;

struct qn_gate_config {
        const char *data_dir, *cache_dir, *state_dir;
        const char *store;            /* of the ledger (store/db.h) */
        const char *policy, *service; /* files; NULL: the default ones */
        const char *const *rules;     /* directories and files of rules */
        size_t n_rules;
        const char *registry; /* instead of what npm's configuration says; NULL */
        const char *listen;   /* instead of the service file's addresses; NULL */
        unsigned workers;     /* 0: one per processor */
        bool no_sandbox;
        /* What the operator should know, one line each; never a secret. */
        void (*note)(void *user, const char *text);
        void *user;
};

/* All of config is borrowed.  Reads every file, takes sockets from systemd or opens them, starts the roles. */
QN_MUST int qn_gate_new(const struct qn_gate_config *config, struct qn_gate **ret,
                        struct qn_err *reterr);
/* Works until SIGTERM or SIGINT, then drains; SIGHUP reads policy, rules, intelligence and the service file again. */
QN_MUST int qn_gate_run(struct qn_gate *g, struct qn_err *reterr);
struct qn_gate *qn_gate_free(struct qn_gate *g);
void qn_gate_freep(struct qn_gate **g);

/* The addresses that it listens on, as "127.0.0.1:4873"; NULL behind the last. */
const char *qn_gate_address(const struct qn_gate *g, size_t i);
