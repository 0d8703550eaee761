/* cmd-judge.c - events (NDJSON, one set or several) → verdicts; --all: those of the store. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/judge-all.h"
#include "cli/learned.h"
#include "cli/load-rules.h"
#include "cli/verbs.h"
#include "event/event.h"
#include "report/report.h"
#include "rule/rule.h"

#define KEEP ((size_t)1 << 20) /* memory that stays between two sets */

static int options(const struct qn_args *a, struct qn_report_opts *ret)
{
        struct qn_report_opts o = { .all = true, .explain = qn_args_on(a, "explain") };
        int r = qn_report_format_from_name(qn_str_c(qn_args_get(a, "format")), &o.format);

        if (r == 0)
                r = qn_verdict_from_name(qn_str_c(qn_args_get(a, "fail-on")), &o.fail_on);
        if (r == 0)
                *ret = o;
        return r;
}

struct by {
        struct qn_rules *rules;
        struct qn_learner learner;
        struct qn_report *report;
};

static void by_done(struct by *by)
{
        by->report = qn_report_free(by->report);
        by->rules = qn_rules_free(by->rules);
        qn_learner_done(&by->learner);
}

/* Reads and judges the next set of the input. */
static int judge_one(struct by *by, const char *path, struct qn_cur *in, struct qn_arena *arena)
{
        struct qn_event_set set;
        struct qn_verdict verdict;
        struct qn_err err = { 0 };
        uint64_t start = qn_io_nanos();
        struct qn_result res = { .target = qn_str_c(path), .set = &set, .verdict = &verdict };
        int r;

        qn_arena_reset(arena, KEEP);
        r = qn_event_set_read_json(in, arena, &set, &err);
        if (r < 0)
                return log_err(r, "%s: %s", path, err.msg);
        r = qn_judge(by->rules, &set, arena, &verdict);
        if (r < 0)
                return log_err(r, "%s: there are too many events to judge", path);
        res.name = set.name;
        res.version = set.version;
        res.integrity = set.integrity;
        res.elapsed_ns = qn_io_nanos() - start;
        qn_learner_add(&by->learner, &res);
        return qn_report_add(by->report, &res);
}

static int judge_file(struct by *by, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_JSON_MAX);
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        struct qn_cur in;
        int r = qn_io_read(path, &b);

        if (r < 0)
                return log_err(r, "%s: %s", path,
                               r == -EFBIG ? "the file is too large" : strerror(-r));
        in = qn_cur_mem(b.p, b.n);
        do
                r = judge_one(by, path, &in, &arena);
        while (r == 0 && qn_cur_left(&in));
        return r;
}

static int judge_files(const struct qn_args *a)
{
        _cleanup_(by_done) struct by by = { 0 };
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_JSON_MAX);
        struct qn_report_opts opts;
        int r = options(a, &opts);

        if (r == 0)
                r = qn_load_rules(a, &by.rules);
        if (r == 0)
                r = qn_learner_open(a, &opts, &by.learner);
        if (r == 0)
                r = qn_report_new(&opts, &by.report);
        for (size_t i = 0; r == 0 && i < a->n; i++)
                r = judge_file(&by, a->argv[i]);
        if (r == 0 && a->n == 0)
                r = judge_file(&by, "-");
        if (r == 0)
                r = qn_report_end(by.report, 0, &out);
        if (r == 0)
                r = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&out));
        return r < 0 ? r : qn_report_status(by.report);
}

/* What only the store has. */
static int check_options(const struct qn_args *a)
{
        static const char *const names[] = { "since", "name", "jobs" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++)
                if (qn_args_get(a, names[i]))
                        return log_err(-EINVAL, "--%s is for --all", names[i]);
        return qn_args_on(a, "dry-run") ? log_err(-EINVAL, "--dry-run is for --all") : 0;
}

int cmd_judge(const struct qn_args *a)
{
        int r;

        if (qn_args_on(a, "all"))
                return qn_judge_all(a);
        r = check_options(a);
        return r < 0 ? r : judge_files(a);
}
