#include "cli/check-targets.h"

#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "base/term.h"
#include "check/check.h"
#include "check/target.h"
#include "cli/args.h"
#include "cli/load-rules.h"
#include "cli/npm-reader.h"
#include "net/npmconf.h"

#define TARGETS_MAX 100000u

extern char **environ;

/* Directories without a lock file and archives are checked on machines without npm as well. */
static bool may_be_fetched(const struct qn_target *t)
{
        char lock[4096];

        if (t->kind == QN_TARGET_DIR)
                return qn_target_lock(t->arg, lock, sizeof lock) != -ENOENT;
        return t->kind != QN_TARGET_ARCHIVE;
}

/* All arguments are understood before anything is done: a mistyped one costs no work and no answer. */
int qn_targets_read(const char *const *argv, size_t n, size_t n_names, struct qn_targets *t)
{
        static const char *const here[] = { "." };
        int bad = 0;

        if (!n) {
                argv = here;
                n = 1;
        }
        if (n > TARGETS_MAX)
                return log_err(-E2BIG, "%zu targets are too many: the most is %u", n, TARGETS_MAX);
        t->list = calloc(n, sizeof *t->list);
        if (!t->list)
                return log_err(-ENOMEM, "out of memory");
        for (size_t i = 0; i < n; i++) {
                struct qn_err err = { 0 };
                int r = (i < n - n_names ? qn_target_parse
                                         : qn_target_parse_name)(argv[i], &t->list[i], &err);

                if (r < 0) {
                        bad = log_err(r, "%s: %s", argv[i], err.msg);
                        continue;
                }
                t->any_remote = t->any_remote || may_be_fetched(&t->list[i]);
                if (t->list[i].shadows)
                        log_note("%s: checking the npm package; for the directory write ./%s",
                                 argv[i], argv[i]);
        }
        t->n = n;
        return bad;
}

void qn_targets_done(struct qn_targets *t)
{
        free(t->list);
        t->list = NULL;
}

int qn_load_npm(const struct qn_args *a, struct qn_pool *pool, bool offline,
                struct qn_npmconf **ret)
{
        struct qn_npmconf_pair flags[2];
        _cleanup_(qn_freep) char *cwd = getcwd(NULL, 0);
        struct qn_npm_reader by = { .pool = pool };
        const struct qn_npmconf_reader reader = qn_npm_reader(&by);
        struct qn_npmconf_in in = {
                .cwd = cwd, .env = environ, .flags = flags, .cache_dir = a->cache, .reader = &reader
        };
        struct qn_err err = { 0 };
        int r;

        if (offline)
                flags[in.n_flags++] = (struct qn_npmconf_pair){ QN_STR("offline"), QN_STR("true") };
        if (qn_args_get(a, "registry"))
                flags[in.n_flags++] =
                        (struct qn_npmconf_pair){ QN_STR("registry"),
                                                  qn_str_c(qn_args_get(a, "registry")) };
        r = qn_npmconf_load(&in, ret, &err);
        if (r < 0)
                return log_err(r, "npm's configuration: %s", by.err.msg[0] ? by.err.msg : err.msg);
        if ((*ret)->ignored.n && !qn_args_on(a, "quiet"))
                log_note("not taken from the project's .npmrc: %.*s (see qanat-check(1), "
                         "REGISTRIES)",
                         QN_STR_ARG((*ret)->ignored));
        return 0;
}

static void on_step(void *user, size_t done, size_t total, struct qn_str name)
{
        qn_progress_step(user, done, total, name);
}

/* The table of options has seen to it that it is one of them. */
static enum qn_foreign foreign_of(const struct qn_args *a)
{
        unsigned i = 0;

        while (strcmp(qn_foreign_names[i], qn_args_get(a, "foreign-tarballs")) != 0)
                i++;
        return (enum qn_foreign)i;
}

int qn_check_targets(const struct qn_args *a, const struct qn_targets *t, const char *rules,
                     struct qn_check_config *config, struct qn_rules **ret_rules)
{
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *npm = NULL;
        _cleanup_(qn_check_freep) struct qn_check *c = NULL;
        struct qn_progress progress;
        struct qn_err err = { 0 };
        int r;

        config->cache_dir = a->cache;
        config->workers = (unsigned)qn_args_u64(a, "jobs");
        config->no_sandbox = qn_args_on(a, "no-sandbox");
        config->alone = qn_args_on(a, "no-previous");
        config->foreign = foreign_of(a);
        r = qn_check_new(config, &c, &err);
        if (r == 0) {
                r = qn_load_rules_of(a, rules, ret_rules);
                if (r < 0)
                        return r;
                qn_check_judge_by(c, *ret_rules);
        }
        if (r == 0 && t->any_remote && !config->intel_only) {
                r = qn_load_npm(a, qn_check_pool(c), qn_args_on(a, "offline"), &npm);
                if (r < 0)
                        return r;
                r = qn_check_connect(c, npm);
        }
        for (size_t i = 0; r == 0 && i < t->n; i++)
                r = qn_check_add(c, &t->list[i]);
        qn_progress_begin(&progress, "checking", qn_args_on(a, "quiet"));
        if (r == 0)
                r = qn_check_run(c, on_step, &progress, &err);
        qn_progress_clear(&progress);
        return r < 0 ? log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r)) : 0;
}
