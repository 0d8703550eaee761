/* gate-policy-verb.c - qanat gate policy check|test: whether a policy can be used, what it makes of cases that are written
 * down, and what it makes of versions that exist. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/args.h"
#include "cli/gate-policy.h"
#include "cli/gate-verb.h"
#include "cli/load-rules.h"
#include "gate/gate.h"
#include "gate/policy.h"
#include "gate/trial.h"
#include "net/npmconf.h"
#include "parse/semver.h"

#define USAGE                                                         \
        "write: qanat gate policy check [POLICY], qanat gate policy " \
        "test [CASES], or: qanat gate policy test NAME@VERSION..."

/* "left-pad@1.3.0", "@acme/web@2.0.0"; "./left-pad@1" and "x@1.yaml" are files. */
static bool is_package(const char *arg)
{
        struct qn_str s = qn_str_c(arg);

        return qn_str_rchr(s, '@') > 0 && !strchr("./", s.p[0]) && !qn_str_ends(s, ".yaml") &&
               !qn_str_ends(s, ".yml");
}

static int read_version(const char *arg, struct qn_trial_version *ret)
{
        struct qn_str s = qn_str_c(arg);
        size_t at = (size_t)qn_str_rchr(s, '@');
        struct qn_semver v;

        *ret = (struct qn_trial_version){ .name = qn_str_take(s, at),
                                          .version = qn_str_skip(s, at + 1) };
        if (!qn_npm_name_ok(ret->name))
                return log_err(-EINVAL, "%s: before the @ there is no package's name", arg);
        if (qn_semver_parse(ret->version, 0, &v) < 0)
                return log_err(-EINVAL, "%s: write one version, such as %.*s@1.0.0", arg,
                               QN_STR_ARG(ret->name));
        return 0;
}

static int read_versions(const struct qn_args *a, struct qn_trial_version *v, size_t n)
{
        bool document = qn_args_get(a, "packument");
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                const char *arg = a->argv[i + 2];
                int k = is_package(arg)
                                ? read_version(arg, &v[i])
                                : log_err(-EINVAL,
                                          "%s: beside packages there are only packages, written "
                                          "NAME@VERSION",
                                          arg);

                r = k < 0 ? k : r;
                if (r == 0 && document && !qn_str_eq(v[i].name, v[0].name))
                        r = log_err(-EINVAL, "%s: --packument is of one package, %.*s", arg,
                                    QN_STR_ARG(v[0].name));
        }
        return r;
}

static int open_document(const struct qn_args *a, int *ret)
{
        const char *path = qn_args_get(a, "packument");

        *ret = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
        return path && *ret < 0 ? log_err(-errno, "%s: %s", path, strerror(errno)) : 0;
}

static int decide(const struct qn_args *a, const struct gate_policy_test *t,
                  const struct qn_gate_config *c, const struct qn_trial_version *v, size_t n)
{
        _cleanup_(qn_freep) struct qn_policy_facts *facts = calloc(n, sizeof *facts);
        _cleanup_(qn_trial_freep) struct qn_trial *trial = NULL;
        _cleanup_(qn_closep) int document = -1;
        struct qn_err err = { 0 };
        int r = facts ? open_document(a, &document) : log_err(-ENOMEM, "out of memory");

        if (r < 0)
                return r;
        r = qn_trial_new(c, &trial, &err);
        if (r == 0)
                r = qn_trial_facts(trial, v, n, document, facts, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        return gate_policy_explain(qn_trial_policy(trial), facts, n, (int64_t)time(NULL) * 1000, t);
}

static void note(void *user QN_UNUSED, const char *text)
{
        log_note("%s", text);
}

static int test_packages(const struct qn_args *a, const struct gate_policy_test *t)
{
        size_t n = a->n - 2;
        _cleanup_(qn_freep) struct qn_trial_version *v = calloc(n, sizeof *v);
        struct qn_rule_paths rules;
        struct qn_gate_config c = { .data_dir = a->data,
                                    .cache_dir = a->cache,
                                    .state_dir = a->state,
                                    .store = a->store,
                                    .policy = t->policy,
                                    .service = qn_args_get(a, "service"),
                                    .registry = qn_args_get(a, "registry"),
                                    .workers = 1,
                                    .no_sandbox = qn_args_on(a, "no-sandbox"),
                                    .rules = rules.list,
                                    .note = note };
        int r = v ? read_versions(a, v, n) : log_err(-ENOMEM, "out of memory");

        if (r == 0)
                r = qn_rule_paths(a, "rules", &rules);
        if (r < 0)
                return r;
        c.n_rules = rules.n;
        return decide(a, t, &c, v, n);
}

static int test(const struct qn_args *a, struct gate_policy_test *t)
{
        if (a->n > 2 && is_package(a->argv[2]))
                return test_packages(a, t);
        if (qn_args_get(a, "packument"))
                return log_err(-EINVAL, "--packument goes with a package, written NAME@VERSION");
        if (a->n > 3)
                return log_err(-EINVAL, USAGE);
        t->cases = a->n == 3 ? a->argv[2] : NULL;
        return gate_policy_test(t);
}

int qn_gate_verb_policy(const struct qn_args *a)
{
        const char *what = a->n > 1 ? a->argv[1] : "";
        bool json = qn_str_is(qn_str_c(qn_args_get(a, "format")), "json");
        char builtin[4096];
        struct gate_policy_test t = { .policy = qn_args_get(a, "policy"),
                                      .json = json,
                                      .quiet = qn_args_on(a, "quiet"),
                                      .explain = qn_args_on(a, "explain") };

        snprintf(builtin, sizeof builtin, "%s/gate/policy.yaml", a->data);
        if (!t.policy)
                t.policy = builtin;
        if (strcmp(what, "check") == 0 && a->n <= 3)
                return gate_policy_check(a->n == 3 ? a->argv[2] : t.policy, json);
        if (strcmp(what, "test") == 0)
                return test(a, &t);
        return log_err(-EINVAL, USAGE);
}
