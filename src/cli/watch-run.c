/* watch-run.c - qanat watch: follows the registry until a signal ends it, or once. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/log.h"
#include "base/show.h"
#include "base/term.h"
#include "check/intel.h"
#include "cli/args.h"
#include "cli/check-targets.h"
#include "cli/load-rules.h"
#include "cli/watch-verb.h"
#include "net/npmconf.h"
#include "parse/replica.h"
#include "rule/result.h"
#include "rule/rule.h"
#include "watch/metrics.h"
#include "watch/watch.h"

#define TURN_MS 250

struct run {
        const struct qn_args *args;
        struct qn_progress progress;
        struct qn_scrape *scrape; /* NULL: nobody may ask for counters */
        int signals;
};

static void note(void *user QN_UNUSED, const char *text)
{
        log_note("%s", text);
}

/* One line for each version that is worth one. */
static int on_judged(void *user, struct qn_db *db QN_UNUSED, const struct qn_watch_judged *j)
{
        struct run *run = user;
        _cleanup_(qn_buf_done) struct qn_buf line = QN_BUF_INIT(1 << 16);

        if (!j->changed || j->res->verdict->kind < QN_SUSPICIOUS)
                return 0;
        qn_progress_clear(&run->progress);
        qn_buf_printf(&line, "%-10s %3u  ", qn_verdict_name(j->res->verdict->kind), j->v->score);
        qn_show(&line, j->v->name, 0, 0);
        qn_buf_byte(&line, '@');
        qn_show(&line, j->v->version, 0, 0);
        qn_buf_str(&line, QN_STR("  "));
        qn_show(&line, j->v->reason, 0, QN_SHOW_DEFANG);
        qn_buf_byte(&line, '\n');
        return qn_io_write_fd(STDOUT_FILENO, qn_buf_view(&line));
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

static bool is_told_to_stop(const struct run *run)
{
        struct signalfd_siginfo info;

        return read(run->signals, &info, sizeof info) == (ssize_t)sizeof info;
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

int qn_watch_verb_run(const struct qn_args *a)
{
        _cleanup_(qn_check_intel_freep) struct qn_check_intel *intel = NULL;
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *npm = NULL;
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        _cleanup_(qn_watch_freep) struct qn_watch *w = NULL;
        struct run run = { .args = a };
        struct qn_watch_config c = { .data_dir = a->data,
                                     .cache_dir = a->cache,
                                     .store = a->state,
                                     .judged = on_judged,
                                     .note = note,
                                     .user = &run };
        struct qn_err err = { 0 };
        char revision[24];
        int r = read_config(a, &c);

        if (r < 0)
                return r;
        run.signals = take_signals();
        if (!qn_args_on(a, "no-intel"))
                r = qn_check_intel_open(a->state, a->data, false, &intel, &err);
        c.intel = intel;
        if (r == 0)
                r = qn_watch_new(&c, &w, &err);
        if (r < 0)
                return log_err(r, "%s", err.msg[0] ? err.msg : strerrordesc_np(-r));
        r = qn_load_rules(a, &rules);
        if (r == 0)
                r = qn_load_npm(a, qn_watch_pool(w), false, &npm);
        if (r == 0)
                r = qn_watch_connect(w, npm);
        if (r < 0)
                return r;
        snprintf(revision, sizeof revision, "%016llx",
                 (unsigned long long)qn_rules_revision(rules));
        qn_watch_judge_by(w, rules, revision);
        r = listen_for_scrapes(&run);
        if (r < 0)
                return r;
        r = work(&run, w);
        qn_scrape_free(run.scrape);
        sum_up(w);
        return r;
}
