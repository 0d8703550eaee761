/* watch-run.c - qanat watch: follows the registry until a signal ends it, or once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/term.h"
#include "check/intel.h"
#include "cli/args.h"
#include "cli/check-targets.h"
#include "cli/load-rules.h"
#include "cli/watch-report.h"
#include "cli/watch-tell.h"
#include "cli/watch-verb.h"
#include "intel/revision.h"
#include "intel/tell.h"
#include "net/http-conf.h"
#include "net/npmconf.h"
#include "parse/replica.h"
#include "rule/result.h"
#include "rule/rule.h"
#include "watch/metrics.h"
#include "watch/watch.h"

#define TURN_MS  250
#define INTEL_NS ((uint64_t)30 * 1000 * 1000 * 1000)
#define RULES_NS ((uint64_t)5 * 1000 * 1000 * 1000) /* between two looks at the rules */

struct run {
        const struct qn_args *args;
        struct qn_progress progress;
        struct qn_scrape *scrape; /* NULL: nobody may ask for counters */
        struct qn_watch_teller teller;
        struct qn_watch_reporter reporter;
        struct qn_rules *rules;
        struct qn_revision by;
        uint64_t looked;              /* when the rules were read last, in nanoseconds */
        struct qn_check_intel *intel; /* NULL: nothing is known */
        uint64_t asked;               /* when it was read last */
        bool bad_rules, bad_intel;    /* those that there are now cannot be read */
        bool stopped;                 /* by a signal */
        int signals;
};

static void note(void *user QN_UNUSED, const char *text)
{
        log_note("%s", text);
}

static int on_judged(void *user, struct qn_db *db, const struct qn_watch_judged *j)
{
        struct run *run = user;

        return qn_watch_tell_judged(&run->teller, db, j);
}

static int on_campaign(void *user, struct qn_db *db, const struct qn_watch_campaign *c)
{
        struct run *run = user;

        return qn_watch_tell_campaign(&run->teller, db, c);
}

static void on_written(void *user, bool done)
{
        struct run *run = user;

        qn_watch_tell_written(&run->teller, done);
}

static int take_signals(void)
{
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool is_told_to_stop(struct run *run)
{
        struct signalfd_siginfo info;

        run->stopped |= read(run->signals, &info, sizeof info) == (ssize_t)sizeof info;
        return run->stopped;
}

/* --- rules --- */

static int load_rules(struct run *run)
{
        struct qn_err err = { 0 };
        int r = qn_load_rules(run->args, &run->rules);

        if (r < 0)
                return r;
        run->looked = qn_io_nanos();
        run->by.rules = qn_rules_revision(run->rules);
        r = qn_revision_tables(run->args->data, &run->by.tables, &err);
        return r < 0 ? log_err(r, "%s", err.msg) : 0;
}

/* A rule file that is another one counts from then on, for what is new and for what was seen. */
static int look_at_rules(struct run *run, struct qn_watch *w)
{
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        struct qn_rule_paths paths;
        struct qn_err err = { 0 };
        struct qn_rules *old = run->rules;
        int r;

        if (qn_io_nanos() - run->looked < RULES_NS)
                return 0;
        run->looked = qn_io_nanos();
        r = qn_rule_paths(run->args, "rules", &paths);
        if (r == 0)
                r = qn_rules_load(paths.list, paths.n, &rules, &err);
        if (r < 0) {
                if (!run->bad_rules)
                        log_note("the rules cannot be read, those from before count: %s",
                                 err.msg[0] ? err.msg : strerrordesc_np(-r));
                run->bad_rules = true;
                return 0;
        }
        run->bad_rules = false;
        if (qn_rules_revision(rules) == run->by.rules)
                return 0;
        run->by.rules = qn_rules_revision(rules);
        log_note("there are other rules: everything that was seen is judged by them");
        r = run->teller.policy.scan_rules ? qn_watch_judge_anew(w, rules, &run->by)
                                          : qn_watch_judge_by(w, rules, &run->by);
        run->rules = TAKE_PTR(rules);
        qn_rules_free(old);
        return r;
}

/* An index may come into being later.  One that cannot be read for a while leaves what was known before. */
static int read_intel(struct run *run, struct qn_watch *w, struct qn_revision *by,
                      struct qn_err *reterr)
{
        const struct qn_args *a = run->args;
        bool first = !run->intel;
        int r = first ? qn_check_intel_open(a->state, a->data, false, &run->intel, reterr)
                      : qn_check_intel_again(run->intel, a->data, reterr);

        if (r == 0 && run->intel)
                r = qn_revision_index(qn_tell_index(qn_check_intel_tell(run->intel)), by);
        if (r == 0 && first && run->intel)
                qn_watch_know(w, run->intel);
        by->trust = qn_revision_trust(a->data);
        return r;
}

/* The same for what intelligence knows. */
static int look_at_intel(struct run *run, struct qn_watch *w)
{
        struct qn_revision by = run->by;
        struct qn_err err = { 0 };
        int r;

        if (qn_args_on(run->args, "no-intel") || qn_io_nanos() - run->asked < INTEL_NS)
                return 0;
        run->asked = qn_io_nanos();
        r = read_intel(run, w, &by, &err);
        if (r < 0) {
                if (run->intel && !qn_check_intel_tell(run->intel))
                        return log_err(r, "what is known to be bad cannot be read any more: %s",
                                       err.msg[0] ? err.msg : strerrordesc_np(-r));
                if (!run->bad_intel)
                        log_note(
                                "what is known to be bad cannot be read anew, what was known before "
                                "counts: %s",
                                err.msg[0] ? err.msg : strerrordesc_np(-r));
                run->bad_intel = true;
                return 0;
        }
        run->bad_intel = false;
        if (by.state == run->by.state && by.trust == run->by.trust)
                return 0;
        run->by = by;
        log_note("something else is known: everything that was seen is judged by it");
        return run->teller.policy.scan_intel ? qn_watch_judge_anew(w, run->rules, &run->by)
                                             : qn_watch_judge_by(w, run->rules, &run->by);
}

static int work(struct run *run, struct qn_watch *w)
{
        struct qn_err err = { 0 };
        int r = 1;

        qn_progress_begin(&run->progress, "watching", qn_args_on(run->args, "quiet"));
        while (r > 0 && !is_told_to_stop(run)) {
                const struct qn_watch_counts *c = qn_watch_counts(w);

                r = qn_watch_turn(w, TURN_MS, &err);
                if (run->scrape)
                        qn_scrape_step(run->scrape, w);
                if (r > 0) {
                        int e = look_at_rules(run, w);

                        if (e == 0)
                                e = look_at_intel(run, w);
                        r = e < 0 ? e : r;
                }
                if (qn_watch_is_settled(w)) {
                        qn_watch_tell_step(&run->teller);
                        qn_watch_reporter_step(&run->reporter, qn_watch_db(w));
                }
                qn_progress_step(&run->progress, c->versions, c->changes, QN_STR(""));
        }
        qn_progress_clear(&run->progress);
        if (r < 0)
                log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        if (qn_watch_settle(w) < 0 && r >= 0)
                r = log_err(
                        -EIO,
                        "what was looked at last is not in the store, and will be looked at again");
        return r < 0 ? r : 0;
}

static int listen_for_scrapes(struct run *run)
{
        const char *address = qn_args_get(run->args, "metrics");
        struct qn_err err = { 0 };
        char name[64];
        int r = address ? qn_scrape_open(qn_str_c(address), &run->scrape, &err) : 0;

        if (r < 0)
                return log_err(r, "--metrics: %s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        if (run->scrape) {
                qn_scrape_name(run->scrape, name);
                log_note("counters at http://%s/metrics", name);
        }
        return 0;
}

static void sum_up(const struct qn_watch *w)
{
        const struct qn_watch_counts *c = qn_watch_counts(w);

        log_note(
                "%llu changes, %llu names looked up, %llu versions: %llu malicious, %llu suspicious, "
                "%llu unknown, %llu clean; %llu names are to be tried again",
                (unsigned long long)c->changes, (unsigned long long)c->names,
                (unsigned long long)c->versions, (unsigned long long)c->by_verdict[QN_MALICIOUS],
                (unsigned long long)c->by_verdict[QN_SUSPICIOUS],
                (unsigned long long)c->by_verdict[QN_UNKNOWN],
                (unsigned long long)c->by_verdict[QN_CLEAN], (unsigned long long)c->late);
}

static int read_config(const struct qn_args *a, struct qn_watch_config *c)
{
        const char *since = qn_args_get(a, "since");

        c->feed = qn_args_get(a, "feed");
        c->input = qn_args_get(a, "input");
        c->since = since;
        c->once = qn_args_on(a, "once");
        c->workers = (unsigned)qn_args_u64(a, "jobs");
        c->poll_ms = qn_args_get(a, "poll") ? (unsigned)qn_args_u64(a, "poll") : 1000;
        c->no_sandbox = qn_args_on(a, "no-sandbox");
        if (!c->feed && !c->input)
                return log_err(-EINVAL, "nothing to follow: give --feed URL or --input FILE");
        if (since && !qn_replica_is_seq(qn_str_c(since)))
                return log_err(-EINVAL, "--since %s: no sequence of a feed", since);
        return 0;
}

static int begin(struct run *run, const struct qn_watch_config *c, struct qn_watch **ret,
                 struct qn_npmconf **ret_npm)
{
        struct qn_err err = { 0 };
        struct qn_http_opts http;
        int r = qn_watch_new(c, ret, &err);

        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        r = load_rules(run);
        if (r == 0)
                r = qn_load_npm(run->args, qn_watch_pool(*ret), false, ret_npm);
        if (r == 0)
                r = qn_watch_connect(*ret, *ret_npm);
        if (r < 0)
                return r;
        r = qn_watch_judge_by(*ret, run->rules, &run->by);
        if (r < 0)
                return log_err(r, "%s", strerrordesc_np(-r));
        http = qn_http_opts_of(*ret_npm);
        r = qn_watch_teller_send(&run->teller, qn_watch_db(*ret), &http);
        return r < 0 ? log_err(r, "notices: %s", strerrordesc_np(-r)) : listen_for_scrapes(run);
}

static void end(struct run *run)
{
        qn_scrape_free(run->scrape);
        qn_watch_teller_close(&run->teller);
        qn_rules_free(run->rules);
        qn_closep(&run->signals);
}

static int open_intel(const struct qn_args *a, struct run *run, struct qn_check_intel **ret)
{
        struct qn_err err = { 0 };
        int r = qn_args_on(a, "no-intel")
                        ? 0
                        : qn_check_intel_open(a->state, a->data, false, ret, &err);

        run->by.trust = qn_revision_trust(a->data);
        if (r == 0 && *ret)
                r = qn_revision_index(qn_tell_index(qn_check_intel_tell(*ret)), &run->by);
        return r < 0 ? log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r)) : 0;
}

int qn_watch_verb_run(const struct qn_args *a)
{
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *npm = NULL;
        struct qn_watch *w = NULL;
        struct run run = { .args = a, .signals = -1 };
        struct qn_watch_config c = { .data_dir = a->data,
                                     .cache_dir = a->cache,
                                     .store = a->store,
                                     .judged = on_judged,
                                     .campaign = on_campaign,
                                     .written = on_written,
                                     .note = note,
                                     .user = &run };
        int r = read_config(a, &c);

        if (r < 0)
                return r;
        run.signals = take_signals();
        r = qn_watch_teller_open(a, &run.progress, &run.teller);
        qn_watch_reporter_init(&run.reporter, a, &run.teller.policy);
        if (r == 0)
                r = open_intel(a, &run, &run.intel);
        c.intel = run.intel;
        c.scan = run.teller.policy.scan_rules || run.teller.policy.scan_intel;
        run.asked = qn_io_nanos();
        if (r == 0)
                r = begin(&run, &c, &w, &npm);
        if (r == 0) {
                r = work(&run, w);
                qn_watch_reporter_end(&run.reporter,
                                      r == 0 && c.once && !run.stopped ? qn_watch_db(w) : NULL,
                                      run.signals);
                sum_up(w);
        }
        qn_notify_free(run.teller.pump); /* it works on the watcher's store */
        run.teller.pump = NULL;
        qn_watch_free(w);
        qn_check_intel_free(run.intel);
        end(&run);
        return r;
}
