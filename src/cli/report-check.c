#include "cli/report-check.h"

#include <errno.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/show.h"
#include "check/check.h"
#include "check/target.h"
#include "cli/args.h"
#include "cli/inventory.h"
#include "report/report.h"
#include "rule/rule.h"

#define GATHER_MAX ((size_t)512 << 20)

/* --- options --- */

int qn_report_time(const struct qn_args *a, const char *option, int64_t *ret_ms,
                   char text[QN_TIME_TEXT])
{
        const char *when = qn_args_get(a, option);
        int64_t seconds = (int64_t)time(NULL);

        if ((when && qn_inventory_time(qn_str_c(when), &seconds) < 0) ||
            !qn_time_format(seconds * 1000, text).n)
                return log_err(-EINVAL, "--%s: \"%s\" is no time", option, when ? when : "now");
        *ret_ms = seconds * 1000;
        return 0;
}

static int read_credits(struct qn_report_run *r)
{
        const char *text;

        for (size_t i = 0; (text = qn_args_all(r->a, "credit", i)); i++) {
                if (i >= QN_REPORT_CREDITS_MAX)
                        return log_err(-E2BIG, "--credit: more than %u", QN_REPORT_CREDITS_MAX);
                if (qn_mal_credit(qn_str_c(text), &r->credits[i]) < 0)
                        return log_err(-EINVAL,
                                       "--credit: \"%s\" is not of the form "
                                       "\"NAME <CONTACT>\"",
                                       text);
                r->conf.n_credits = i + 1;
        }
        r->conf.credits = r->credits;
        return 0;
}

static bool is_page(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || strchr("\"<>\\^`{|}?#@", s.p[i]))
                        return false;
        return (qn_str_starts(s, "https://") || qn_str_starts(s, "http://")) &&
               s.n > strlen("https://");
}

static int read_page(struct qn_report_run *r)
{
        r->conf.page = qn_str_c(qn_args_get(r->a, "page"));
        if (r->conf.page.n && !is_page(r->conf.page))
                return log_err(-EINVAL, "--page: \"%.*s\" is no address of a web page",
                               QN_STR_ARG(r->conf.page));
        return 0;
}

static int read_options(struct qn_report_run *r)
{
        int e = qn_report_time(r->a, "time", &r->time_ms, r->time);

        r->conf.time = qn_str_c(r->time);
        if (e == 0)
                e = read_credits(r);
        if (e == 0)
                e = read_page(r);
        r->conf.every_version = qn_args_on(r->a, "every-version");
        return e;
}

/* --- results --- */

static void say(struct qn_str target, const char *what, struct qn_str why)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_show(&b, target, 0, 0);
        qn_buf_printf(&b, ": %s", what);
        qn_show(&b, why, 0, QN_SHOW_DEFANG);
        if (qn_buf_error(&b) == 0)
                log_note("%s", b.p);
}

static size_t index_of(const struct qn_report_run *r, struct qn_str target)
{
        size_t i = 0;

        while (i + 1 < r->targets.n && !qn_str_is(target, r->targets.list[i].arg))
                i++;
        return i;
}

int qn_report_run_confirmed(const struct qn_report_run *r, const struct qn_result *res)
{
        return r->confirmed ? r->confirmed(r->user, res) : 0;
}

int qn_report_run_take(struct qn_report_run *r, const struct qn_result *res, size_t target)
{
        struct qn_result copy = *res;
        struct qn_err err = { 0 };
        int sure = qn_report_run_confirmed(r, res);
        int e = sure < 0 ? sure : r->known ? r->known(r->user, res) : 0;

        if (e != 0) {
                r->outcomes[target].known += e > 0;
                return e < 0 ? e : 0;
        }
        /* the archive of a directory is ours: nobody will ever see one with its hash */
        if (r->targets.list[target].kind == QN_TARGET_DIR)
                copy.integrity = (struct qn_str){ 0 };
        e = sure ? qn_mal_gather_confirmed(&r->mal, &copy, &err)
                 : qn_mal_gather(&r->mal, &copy, &err);
        if (e == -EINVAL) {
                say(res->target, "cannot be reported: ", qn_str_c(err.msg));
                r->outcomes[target].unknown++;
                return 0;
        }
        if (e < 0)
                return log_err(e, "%s", err.msg);
        r->outcomes[target].reported++;
        return 0;
}

static int on_result(void *user, const struct qn_result *res)
{
        struct qn_report_run *r = user;
        size_t target = index_of(r, res->target);
        struct qn_report_outcome *o = &r->outcomes[target];
        bool weighs = res->verdict->kind == QN_CLEAN || res->verdict->kind == QN_SUSPICIOUS;
        int e = weighs ? qn_report_run_confirmed(r, res) : 0;

        if (e != 0)
                return e < 0 ? e : qn_report_run_take(r, res, target);
        switch (res->verdict->kind) {
        case QN_CLEAN:
                o->clean++;
                return 0;
        case QN_UNKNOWN:
                if (o->unknown++ == 0)
                        o->why = qn_arena_dup(&r->arena, res->verdict->reason);
                return 0;
        case QN_SUSPICIOUS:
                if (qn_args_on(r->a, "confirmed"))
                        break;
                o->suspicious++;
                return 0;
        case QN_MALICIOUS:
                break;
        }
        return qn_report_run_take(r, res, target);
}

/* One line for each target of which there is no record, and the exit status. */
static void tell_outcomes(struct qn_report_run *r)
{
        for (size_t i = 0; i < r->targets.n; i++) {
                const struct qn_report_outcome *o = &r->outcomes[i];
                struct qn_str arg = qn_str_c(r->targets.list[i].arg);

                if (o->unknown) {
                        r->status = QN_REPORT_EXIT_UNSURE;
                } else if (!o->reported && !o->known && o->suspicious) {
                        say(arg,
                            "not reported, it is only suspicious: when a person has "
                            "confirmed it, say --confirmed",
                            (struct qn_str){ 0 });
                        r->status = QN_MAX(r->status, QN_REPORT_EXIT_NONE);
                } else if (!o->reported && !o->known && o->clean) {
                        say(arg, "nothing to report: it is clean", (struct qn_str){ 0 });
                        r->status = QN_MAX(r->status, QN_REPORT_EXIT_NONE);
                }
        }
}

/* --- the run --- */

int qn_report_run_init(struct qn_report_run *r, const struct qn_args *a)
{
        *r = (struct qn_report_run){ .a = a, .arena = QN_ARENA_INIT(GATHER_MAX) };
        r->mal = QN_MAL_INIT(&r->arena);
        return read_options(r);
}

void qn_report_run_done(struct qn_report_run *r)
{
        qn_rules_free(r->rules);
        free(r->outcomes);
        qn_targets_done(&r->targets);
        qn_arena_done(&r->arena);
}

static int try_otherwise(struct qn_report_run *r)
{
        int e = 0;

        for (size_t i = 0; e >= 0 && i < r->targets.n; i++) {
                if (!r->outcomes[i].unknown)
                        continue;
                e = r->otherwise ? r->otherwise(r, i) : 0;
                if (e > 0)
                        r->outcomes[i].unknown = 0;
                else if (e == 0 && r->outcomes[i].why.p)
                        say(qn_str_c(r->targets.list[i].arg),
                            "not reported, it could not be judged: ", r->outcomes[i].why);
        }
        return e < 0 ? e : 0;
}

int qn_report_run_check(struct qn_report_run *r, const char *const *argv, size_t n)
{
        struct qn_check_config config = {
                .data_dir = r->a->data, .result = on_result, .user = r, .digests = true
        };
        int e = qn_targets_read(argv, n, r->n_names, &r->targets);

        if (e < 0)
                return e;
        r->outcomes = calloc(r->targets.n, sizeof *r->outcomes);
        if (!r->outcomes)
                return log_err(-ENOMEM, "out of memory");
        e = qn_check_targets(r->a, &r->targets, "rules", &config, &r->rules);
        if (e == 0)
                e = try_otherwise(r);
        if (e < 0)
                return e;
        tell_outcomes(r);
        qn_mal_end(&r->mal);
        return 0;
}
