/* cmd-report.c - `qanat report`: what was found in packages, as records for OpenSSF's malicious-packages.
 * Only what qanat itself found counts: what others know is asked nowhere, so that no record repeats another one.
 * osv prints records or puts them into files, and sends nothing anywhere. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "cli/args.h"
#include "cli/report-check.h"
#include "cli/report-file.h"
#include "cli/verbs.h"
#include "parse/mal-record.h"

#define CHECK_MAX ((size_t)128 << 20)

/* --- records --- */

/* What is handed on is read once more, as those would read it to whom it goes. */
static int check_record(const struct qn_mal_package *p, struct qn_str text)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(CHECK_MAX);
        struct qn_err err = { 0 };
        int r = qn_mal_record_check(qn_cur_str(text), p->name, QN_MAL_UNASSIGNED, &a, &err);

        return r < 0 ? log_err(r, "%.*s: the record is not what it should be: %s",
                               QN_STR_ARG(p->name), err.msg)
                     : 0;
}

static int write_file(const struct qn_report_run *r, const struct qn_mal_package *p,
                      struct qn_str text)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096);
        const char *root = qn_args_get(r->a, "output");
        struct qn_err err = { 0 };
        int e = qn_mal_path(p, &r->conf, &path);

        if (e == 0)
                e = qn_report_file(root, qn_buf_view(&path), text, &err);
        if (e == -ENOTDIR)
                return log_err(e, "--output: %s: %s", root, err.msg);
        if (e < 0)
                return log_err(e, "%s/%s: %s", root, path.p ? path.p : "",
                               err.msg[0] ? err.msg : strerror(-e));
        if (!qn_args_on(r->a, "quiet"))
                log_note("%s/%s: %s", root, path.p, e ? "is there already" : "written");
        return 0;
}

static int write_record(const struct qn_report_run *r, const struct qn_mal_package *p)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_OSV_MAX);
        int e = qn_mal_write(p, &r->conf, &text);

        if (e < 0)
                return log_err(e, "%.*s: the record is too large", QN_STR_ARG(p->name));
        e = check_record(p, qn_buf_view(&text));
        if (e < 0)
                return e;
        if (qn_args_get(r->a, "output"))
                return write_file(r, p, qn_buf_view(&text));
        e = qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&text));
        return e < 0 ? log_err(e, "cannot write the record: %s", strerror(-e)) : 0;
}

/* All are tried; the first error is the one that counts. */
static int write_records(struct qn_report_run *r)
{
        int first = 0;

        if (r->mal.n && !r->conf.n_credits && !r->conf.page.n && !qn_args_on(r->a, "quiet"))
                log_note("OpenSSF wants to know who found it: name them with --credit");
        for (size_t i = 0; i < r->mal.n; i++) {
                int e = write_record(r, &r->mal.packages[i]);

                first = first ? first : e;
        }
        return first;
}

static int report_osv(const struct qn_args *a)
{
        struct qn_report_run r;
        int e = qn_report_run_init(&r, a);

        if (e == 0)
                e = qn_report_run_check(&r, a->argv + 1, a->n - 1);
        if (e == 0)
                e = write_records(&r);
        if (e == 0)
                e = r.status;
        qn_report_run_done(&r);
        return e;
}

static const struct {
        const char *name;
        int (*run)(const struct qn_args *a);
        const char *usage; /* in brackets: none are needed */
} words[] = {
        { "osv", report_osv, "TARGET..." },
        { "submit", qn_report_submit, "[TARGET...]" },
        { "withdraw", qn_report_withdraw, "NAME@VERSION..." },
        { "list", qn_report_list, "[NAME...]" },
};

int cmd_report(const struct qn_args *a)
{
        size_t i = 0;

        while (strcmp(a->argv[0], words[i].name) != 0)
                i++; /* the table of verbs lets nothing else through */
        if (words[i].usage[0] != '[' && a->n < 2)
                return log_err(-EINVAL, "which? usage: qanat report %s %s", words[i].name,
                               words[i].usage);
        return words[i].run(a);
}
