/* cmd-check.c - `qanat check`: is this npm package safe? */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/term.h"
#include "check/check.h"
#include "check/intel.h"
#include "check/target.h"
#include "cli/args.h"
#include "cli/check-targets.h"
#include "cli/documents.h"
#include "cli/learned.h"
#include "cli/verbs.h"
#include "report/report.h"
#include "rule/rule.h"

#define REPORT_MAX ((size_t)1 << 30)

/* A document and a version before belong to one package. */
static int check_beside(const struct qn_args *a, const struct qn_targets *t)
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

static int check_intel_only(const struct qn_args *a, const struct qn_targets *t)
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

/* Rules about what is known; others would have nothing to look at. */
static const char *rules_dir(const struct qn_args *a)
{
        return qn_args_on(a, "intel-only") ? "rules/intel.yaml" : "rules";
}

struct output {
        struct qn_report *report;
        struct qn_learner learner;
};

static void output_done(struct output *o)
{
        o->report = qn_report_free(o->report);
        qn_learner_done(&o->learner);
}

static int on_result(void *user, const struct qn_result *res)
{
        struct output *o = user;
        struct qn_result with = *res;

        qn_learner_add(&o->learner, &with);
        return qn_report_add(o->report, &with);
}

/* The rules are the caller's to free, once the report is out. */
static int check(const struct qn_args *a, const struct qn_targets *t, struct qn_rules **rules,
                 const int *docs, struct output *out)
{
        bool intel_only = qn_args_on(a, "intel-only");
        _cleanup_(qn_check_intel_freep) struct qn_check_intel *intel = NULL;
        struct qn_check_config config = {
                .data_dir =
                        intel_only ? NULL : a->data, /* roles need no tables to read lock files */
                .intel_only = intel_only,
                .history = qn_args_on(a, "history"),
                .previous = qn_args_get(a, "previous"),
                .packument = qn_args_get(a, "packument"),
                .docs = docs,
                .result = on_result,
                .user = out,
        };
        struct qn_err err = { 0 };
        int r = 0;

        if (!qn_args_on(a, "no-intel") || intel_only)
                r = qn_check_intel_open(a->state, a->data, intel_only, &intel, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerror(-r));
        config.intel = intel;
        return qn_check_targets(a, t, rules_dir(a), &config, rules);
}

static int open_output(const struct qn_args *a, struct output *ret)
{
        struct qn_report_opts o = {
                .colour = qn_term_colour(qn_args_get(a, "color"), STDOUT_FILENO),
                .all = qn_args_on(a, "all"),
                .explain = qn_args_on(a, "explain"),
                .width = qn_term_width(STDOUT_FILENO, 100),
        };
        int r;

        if (qn_report_format_from_name(qn_str_c(qn_args_get(a, "format")), &o.format) < 0 ||
            qn_verdict_from_name(qn_str_c(qn_args_get(a, "fail-on")), &o.fail_on) < 0)
                return -EINVAL;
        /* what is known of a name alone has nothing to be learned from */
        r = qn_args_on(a, "intel-only") ? 0 : qn_learner_open(a, &o, &ret->learner);
        return r < 0 ? r : qn_report_new(&o, &ret->report);
}

int cmd_check(const struct qn_args *a)
{
        _cleanup_(output_done) struct output output = { 0 };
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(REPORT_MAX);
        _cleanup_(qn_targets_done) struct qn_targets targets = { 0 };
        int docs[QN_DOC_MAX] = { -1, -1, -1, -1, -1 };
        uint64_t begun = qn_io_nanos();
        int r = qn_targets_read(a->argv, a->n, 0, &targets);

        if (r == 0)
                r = check_intel_only(a, &targets);
        if (r == 0)
                r = check_beside(a, &targets);
        if (r == 0)
                r = qn_documents_from_args(a, docs);
        if (r == 0)
                r = open_output(a, &output);
        if (r == 0)
                r = check(a, &targets, &rules, docs, &output);
        qn_documents_close(docs);
        if (r < 0)
                return r;
        r = qn_report_end(output.report, qn_io_nanos() - begun, &out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        if (r < 0)
                return log_err(r, "cannot write the report: %s", strerror(-r));
        return qn_report_status(output.report);
}
