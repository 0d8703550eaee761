/* cmd-check.c - `qanat check`: is this npm package safe? */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/args.h"
#include "cli/check-intel.h"
#include "cli/check.h"
#include "cli/documents.h"
#include "cli/load-rules.h"
#include "cli/npm-reader.h"
#include "cli/target.h"
#include "cli/verbs.h"
#include "net/npmconf.h"
#include "report/report.h"
#include "rule/rule.h"

#define TARGETS_MAX 100000u
#define REPORT_MAX  ((size_t)1 << 30)

extern char **environ;

struct targets {
        struct qn_target *list;
        size_t n;
        bool any_remote; /* something may have to be fetched */
};

/* Directories without a lock file and archives are checked on machines without npm as well. */
static bool may_be_fetched(const struct qn_target *t)
{
        char lock[4096];

        if (t->kind == QN_TARGET_DIR)
                return qn_target_lock(t->arg, lock, sizeof lock) != -ENOENT;
        return t->kind != QN_TARGET_ARCHIVE;
}

/* A document and a version before belong to one package. */
static int check_beside(const struct qn_args *a, const struct targets *t)
{
        static const char *const options[] = { "packument", "previous", "attestations",
                                               "earlier-attestations" };
        enum qn_target_kind kind = t->list[0].kind;

        if (t->n == 1 && (kind == QN_TARGET_ARCHIVE || kind == QN_TARGET_DIR))
                return 0;
        for (size_t i = 0; i < QN_ARRAY_SIZE(options); i++)
                if (qn_args_get(a, options[i]))
                        return log_err(-EINVAL,
                                       "--%s belongs to one target: a tarball or a directory",
                                       options[i]);
        return 0;
}

static int check_intel_only(const struct qn_args *a, const struct targets *t)
{
        for (size_t i = 0; qn_args_on(a, "intel-only") && i < t->n; i++)
                if (t->list[i].kind == QN_TARGET_ARCHIVE)
                        return log_err(
                                -EINVAL,
                                "%s: --intel-only analyses nothing: it takes NAME@VERSION, lock "
                                "files and projects",
                                t->list[i].arg);
        return 0;
}

/* All arguments are understood before anything is done: a mistyped one costs no work and no answer. */
static int read_targets(const struct qn_args *a, struct targets *t)
{
        static const char *const here[] = { "." };
        const char *const *argv = a->n ? a->argv : here;
        size_t n = a->n ? a->n : 1;
        int bad = 0;

        if (n > TARGETS_MAX)
                return log_err(-E2BIG, "%zu targets are too many: the most is %u", n, TARGETS_MAX);
        t->list = calloc(n, sizeof *t->list);
        if (!t->list)
                return log_err(-ENOMEM, "out of memory");
        for (size_t i = 0; i < n; i++) {
                struct qn_err err = { 0 };
                int r = qn_target_parse(argv[i], &t->list[i], &err);

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
        if (bad == 0)
                bad = check_intel_only(a, t);
        return bad ? bad : check_beside(a, t);
}

/* Rules about what is known; others would have nothing to look at. */
static const char *rules_dir(const struct qn_args *a)
{
        return qn_args_on(a, "intel-only") ? "rules/intel.yaml" : "rules";
}

static int load_npmconf(const struct qn_args *a, struct qn_pool *pool, struct qn_npmconf **ret)
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

        if (qn_args_on(a, "offline"))
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

static int on_result(void *user, const struct qn_result *res)
{
        return qn_report_add(user, res);
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

/* The rules are the caller's to free, once the report is out. */
static int check(const struct qn_args *a, const struct targets *t, struct qn_rules **rules,
                 const int *docs, struct qn_report *report)
{
        bool intel_only = qn_args_on(a, "intel-only");
        _cleanup_(qn_check_intel_freep) struct qn_check_intel *intel = NULL;
        struct qn_check_config config = {
                .data_dir =
                        intel_only ? NULL : a->data, /* roles need no tables to read lock files */
                .intel_only = intel_only,
                .cache_dir = a->cache,
                .workers = (unsigned)qn_args_u64(a, "jobs"),
                .no_sandbox = qn_args_on(a, "no-sandbox"),
                .alone = qn_args_on(a, "no-previous"),
                .foreign = foreign_of(a),
                .history = qn_args_on(a, "history"),
                .previous = qn_args_get(a, "previous"),
                .packument = qn_args_get(a, "packument"),
                .docs = docs,
                .result = on_result,
                .user = report,
        };
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *npm = NULL;
        _cleanup_(qn_check_freep) struct qn_check *c = NULL;
        struct qn_progress progress;
        struct qn_err err = { 0 };
        int r = 0;

        if (!qn_args_on(a, "no-intel") || intel_only)
                r = qn_check_intel_open(a->state, a->data, intel_only, &intel);
        if (r < 0)
                return r;
        config.intel = intel;
        r = qn_check_new(&config, &c, &err);
        if (r == 0) {
                r = qn_load_rules_of(a, rules_dir(a), rules);
                if (r < 0)
                        return r;
                qn_check_judge_by(c, *rules);
        }
        if (r == 0 && t->any_remote && !intel_only) {
                r = load_npmconf(a, qn_check_pool(c), &npm);
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

static int new_report(const struct qn_args *a, struct qn_report **ret)
{
        struct qn_report_opts o = {
                .colour = qn_term_colour(qn_args_get(a, "color"), STDOUT_FILENO),
                .all = qn_args_on(a, "all"),
                .explain = qn_args_on(a, "explain"),
                .width = qn_term_width(STDOUT_FILENO, 100),
        };

        if (qn_report_format_from_name(qn_str_c(qn_args_get(a, "format")), &o.format) < 0 ||
            qn_verdict_from_name(qn_str_c(qn_args_get(a, "fail-on")), &o.fail_on) < 0)
                return -EINVAL;
        return qn_report_new(&o, ret);
}

int cmd_check(const struct qn_args *a)
{
        _cleanup_(qn_report_freep) struct qn_report *report = NULL;
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(REPORT_MAX);
        struct targets targets = { 0 };
        int docs[QN_DOC_MAX] = { -1, -1, -1, -1, -1 };
        uint64_t begun = qn_io_nanos();
        int r = read_targets(a, &targets);

        if (r == 0)
                r = qn_documents_from_args(a, docs);
        if (r == 0)
                r = new_report(a, &report);
        if (r == 0)
                r = check(a, &targets, &rules, docs, report);
        free(targets.list);
        qn_documents_close(docs);
        if (r < 0)
                return r;
        r = qn_report_end(report, qn_io_nanos() - begun, &out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        if (r < 0)
                return log_err(r, "cannot write the report: %s", strerror(-r));
        return qn_report_status(report);
}
