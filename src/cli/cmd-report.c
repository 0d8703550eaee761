/* cmd-report.c - `qanat report osv`: what was found in packages, as records for OpenSSF's malicious-packages.
 * Only what qanat itself found counts: what others know is asked nowhere, so that no record repeats another one.
 * Nothing is sent anywhere. */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/show.h"
#include "cli/args.h"
#include "cli/check-targets.h"
#include "check/check.h"
#include "cli/inventory.h"
#include "cli/report-file.h"
#include "check/target.h"
#include "cli/verbs.h"
#include "parse/osv.h"
#include "parse/packument.h"
#include "report/osv.h"
#include "report/report.h"
#include "rule/rule.h"

#define GATHER_MAX  ((size_t)512 << 20)
#define CREDITS_MAX 16u
#define EXIT_NONE   1
#define EXIT_UNSURE 3

/* What became of a target; a lock file is many packages. */
struct outcome {
        size_t clean, suspicious, unknown, reported;
};

struct run {
        const struct qn_args *a;
        struct qn_targets targets;
        struct outcome *outcomes; /* one of each target */
        struct qn_arena arena;
        struct qn_mal mal;
        struct qn_mal_credit credits[CREDITS_MAX];
        struct qn_mal_conf conf;
        char time[QN_TIME_TEXT];
        int status;
};

/* --- options --- */

static int read_time(struct run *r)
{
        const char *when = qn_args_get(r->a, "time");
        int64_t seconds = (int64_t)time(NULL);

        if (when && qn_inventory_time(qn_str_c(when), &seconds) < 0)
                return log_err(-EINVAL, "--time: \"%s\" is no time", when);
        r->conf.time = qn_time_format(seconds * 1000, r->time);
        return r->conf.time.n ? 0 : log_err(-EINVAL, "--time: \"%s\" is no time", when);
}

static int read_credits(struct run *r)
{
        const char *text;

        for (size_t i = 0; (text = qn_args_all(r->a, "credit", i)); i++) {
                if (i >= CREDITS_MAX)
                        return log_err(-E2BIG, "--credit: more than %u", CREDITS_MAX);
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

static int read_page(struct run *r)
{
        r->conf.page = qn_str_c(qn_args_get(r->a, "page"));
        if (r->conf.page.n && !is_page(r->conf.page))
                return log_err(-EINVAL, "--page: \"%.*s\" is no address of a web page",
                               QN_STR_ARG(r->conf.page));
        return 0;
}

static int read_options(struct run *r)
{
        int e = read_time(r);

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

static size_t index_of(const struct run *r, struct qn_str target)
{
        size_t i = 0;

        while (i + 1 < r->targets.n && !qn_str_is(target, r->targets.list[i].arg))
                i++;
        return i;
}

static int take(struct run *r, const struct qn_result *res, size_t target)
{
        struct qn_result copy = *res;
        struct qn_err err = { 0 };
        int e;

        /* the archive of a directory is ours: nobody will ever see one with its hash */
        if (r->targets.list[target].kind == QN_TARGET_DIR)
                copy.integrity = (struct qn_str){ 0 };
        e = qn_mal_gather(&r->mal, &copy, &err);
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
        struct run *r = user;
        size_t target = index_of(r, res->target);
        struct outcome *o = &r->outcomes[target];

        switch (res->verdict->kind) {
        case QN_CLEAN:
                o->clean++;
                return 0;
        case QN_UNKNOWN:
                if (o->unknown++ == 0)
                        say(res->target,
                            "not reported, it could not be judged: ", res->verdict->reason);
                return 0;
        case QN_SUSPICIOUS:
                if (qn_args_on(r->a, "confirmed"))
                        break;
                o->suspicious++;
                return 0;
        case QN_MALICIOUS:
                break;
        }
        return take(r, res, target);
}

/* One line for each target of which there is no record, and the exit status. */
static void tell_outcomes(struct run *r)
{
        for (size_t i = 0; i < r->targets.n; i++) {
                const struct outcome *o = &r->outcomes[i];
                struct qn_str arg = qn_str_c(r->targets.list[i].arg);

                if (o->unknown) {
                        r->status = EXIT_UNSURE;
                } else if (!o->reported && o->suspicious) {
                        say(arg,
                            "not reported, it is only suspicious: when a person has "
                            "confirmed it, say --confirmed",
                            (struct qn_str){ 0 });
                        r->status = QN_MAX(r->status, EXIT_NONE);
                } else if (!o->reported && o->clean) {
                        say(arg, "nothing to report: it is clean", (struct qn_str){ 0 });
                        r->status = QN_MAX(r->status, EXIT_NONE);
                }
        }
}

/* --- records --- */

/* What is handed on is read once more, as those would read it to whom it goes. */
static int check_record(const struct qn_mal_package *p, struct qn_str text)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(GATHER_MAX);
        struct qn_err err = { 0 };
        struct qn_osv *osv;
        int r = qn_osv_parse(qn_cur_mem(text.p, text.n), &a, &osv, &err);

        if (r < 0)
                return log_err(r, "%.*s: nobody could read the record: %s", QN_STR_ARG(p->name),
                               err.msg);
        if (!osv->malware || osv->id.n || osv->n_affected != 1 ||
            !qn_str_eq(osv->affected[0].name, p->name) ||
            !(osv->affected[0].n_versions || osv->affected[0].n_ranges) ||
            osv->modified_ms == QN_TIME_NONE)
                return log_err(-EBADMSG, "%.*s: the record does not say what it should",
                               QN_STR_ARG(p->name));
        return 0;
}

static int write_file(const struct run *r, const struct qn_mal_package *p, struct qn_str text)
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

static int write_record(const struct run *r, const struct qn_mal_package *p)
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
static int write_records(struct run *r)
{
        int first = 0;

        qn_mal_end(&r->mal);
        if (r->mal.n && !r->conf.n_credits && !r->conf.page.n && !qn_args_on(r->a, "quiet"))
                log_note("OpenSSF wants to know who found it: name them with --credit");
        for (size_t i = 0; i < r->mal.n; i++) {
                int e = write_record(r, &r->mal.packages[i]);

                first = first ? first : e;
        }
        return first;
}

static int check(struct run *r)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        struct qn_check_config config = { .data_dir = r->a->data, .result = on_result, .user = r };

        r->outcomes = calloc(r->targets.n, sizeof *r->outcomes);
        if (!r->outcomes)
                return log_err(-ENOMEM, "out of memory");
        return qn_check_targets(r->a, &r->targets, "rules", &config, &rules);
}

int cmd_report(const struct qn_args *a)
{
        struct run r = { .a = a, .arena = QN_ARENA_INIT(GATHER_MAX) };
        int e;

        r.mal = QN_MAL_INIT(&r.arena);
        e = read_options(&r);
        if (e == 0)
                e = qn_targets_read(a->argv + 1, a->n - 1, &r.targets);
        if (e == 0)
                e = check(&r);
        if (e == 0) {
                tell_outcomes(&r);
                e = write_records(&r);
        }
        free(r.outcomes);
        qn_targets_done(&r.targets);
        qn_arena_done(&r.arena);
        return e < 0 ? e : r.status;
}
