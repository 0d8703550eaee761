/* bench-judge - a store of versions with the events of real packages, judged again: by the rules that it was judged by, and when one
 * rule is new.
 *   find CACHE/_cacache/content-v2 -type f | LC_ALL=C sort | bench-judge DATA [VERSIONS [STATE]]
 * STATE: a state directory with an index of what is known (qanat intel import), which is asked then, too.
 * Each tarball is looked at once; versions have the events of one after the other, under names of their own. */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "measure.h"
#include "observe/analyse.h"
#include "observe/scan.h"
#include "rule/rule.h"
#include "watch/rejudge.h"

#define BATCH 2000u
#define NOW   INT64_C(1700000000000)

struct kind {
        struct qn_str events, verdict, reason;
        unsigned score;
        struct qn_seen_finding *findings;
        size_t n_findings, n_events;
};

struct bench {
        const char *data, *state; /* state NULL: nothing is known */
        char dir[64];
        struct qn_arena a;
        struct qn_rules *rules;
        struct kind *kinds;
        size_t n, cap;
        uint64_t bytes, events;
};

static void must(int r, const char *what)
{
        if (r >= 0)
                return;
        fprintf(stderr, "bench-judge: %s: %s\n", what, strerrordesc_np(-r));
        exit(1);
}

/* --- real packages --- */

static void keep(struct bench *b, const struct qn_event_set *set)
{
        _cleanup_(qn_arena_done) struct qn_arena one = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        _cleanup_(qn_buf_done) struct qn_buf bytes = QN_BUF_INIT(QN_PKG_ARENA_MAX);
        struct qn_verdict v;
        struct kind k;

        must(qn_event_set_write(set, &bytes), "events");
        must(qn_judge(b->rules, set, &one, &v), "judge");
        must(QN_ARENA_ROOM(&b->a, b->kinds, b->n, b->cap), "memory");
        k = (struct kind){ .events = qn_arena_dup(&b->a, qn_buf_view(&bytes)),
                           .verdict = qn_str_c(qn_verdict_name(v.kind)),
                           .reason = qn_arena_dup(&b->a, v.reason),
                           .score = v.score,
                           .n_findings = v.n,
                           .n_events = set->n };
        must(qn_rejudge_findings(&v, &b->a, &k.findings), "memory");
        b->kinds[b->n++] = k;
        b->bytes += k.events.n;
        b->events += k.n_events;
}

static void look_at_all(struct bench *b)
{
        struct qn_observers *o;
        struct qn_analyser *an;
        char path[4096];

        must(qn_observers_load(b->data, &o, NULL), b->data);
        must(qn_analyser_new(o, &an), "analyser");
        while (fgets(path, sizeof path, stdin)) {
                struct qn_analyse_in in = { 0 };
                const struct qn_event_set *set;

                path[strcspn(path, "\n")] = '\0';
                in.archive = bench_map(path);
                if (qn_cur_left(&in.archive) > 2 && in.archive.p[0] == 0x1f &&
                    in.archive.p[1] == 0x8b && qn_analyse(an, &in, &set) == 0)
                        keep(b, set);
                bench_unmap(in.archive);
        }
        qn_analyser_free(an);
        qn_observers_free(o);
}

/* --- the store --- */

static void put_one(struct bench *b, struct qn_db *db, size_t i)
{
        const struct kind *k = &b->kinds[i % b->n];
        char name[64], integrity[64];
        struct qn_seen_put p = { .events = k->events,
                                 .findings = k->findings,
                                 .n_findings = k->n_findings };
        int64_t id;

        snprintf(name, sizeof name, "package-%zu", i / 3);
        snprintf(integrity, sizeof integrity, "sha512-%zu", i);
        p.v = (struct qn_seen){ .name = qn_str_c(name),
                                .version = qn_str_c(&"1.0.0\0001.0.1\0001.0.2"[i % 3 * 6]),
                                .integrity = qn_str_c(integrity),
                                .seen = NOW,
                                .judged = NOW,
                                .verdict = k->verdict,
                                .score = k->score,
                                .reason = k->reason,
                                .rules = QN_STR("0000000000000000") };
        must(qn_versions_put(db, &p, &id), "put");
}

static void make_store(struct bench *b, size_t n)
{
        struct qn_db db;
        uint64_t start = qn_io_nanos();

        must(qn_db_open(&qn_db_watch, b->dir, true, &db, NULL), b->dir);
        for (size_t i = 0; i < n; i++) {
                if (i % BATCH == 0)
                        must(qn_db_begin(&db), "begin");
                put_one(b, &db, i);
                if (i % BATCH == BATCH - 1 || i + 1 == n)
                        must(qn_db_commit(&db), "commit");
        }
        qn_db_close(&db);
        printf("store                  %8zu versions of %zu packages, %.1f events and %.1f KB of each, "
               "made at %.0f/s\n",
               n, b->n, (double)b->events / (double)b->n, (double)b->bytes / (double)b->n / 1e3,
               (double)n * 1e9 / (double)(qn_io_nanos() - start));
}

/* --- the runs --- */

static int on_change(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is)
{
        (void)ctx;
        (void)was;
        (void)is;
        return 0;
}

static double cpu_seconds(void)
{
        struct rusage self, kids;

        getrusage(RUSAGE_SELF, &self);
        getrusage(RUSAGE_CHILDREN, &kids);
        return (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec + kids.ru_utime.tv_sec +
                        kids.ru_stime.tv_sec) +
               (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec + kids.ru_utime.tv_usec +
                        kids.ru_stime.tv_usec) /
                       1e6;
}

static void run_all(struct bench *b, const char *what, const struct qn_rules *rules, unsigned jobs)
{
        struct qn_rejudge_all how = { .conf = { .rules = rules, .now = NOW + 1 },
                                      .store = b->dir,
                                      .state_dir = b->state,
                                      .data_dir = b->data,
                                      .no_intel = !b->state,
                                      .jobs = jobs };
        struct qn_rejudge_stats st;
        struct qn_err err = { 0 };
        uint64_t start = qn_io_nanos();
        double cpu = cpu_seconds(), seconds;
        int r = qn_rejudge_all(&how, on_change, NULL, &st, &err);

        must(r, err.msg);
        seconds = (double)(qn_io_nanos() - start) / 1e9;
        cpu = cpu_seconds() - cpu;
        printf("%-22s %8.0f versions/s  %.2f s, %.1f us of processor time of each; %llu other "
               "verdicts, %llu other scores or findings, %llu unread\n",
               what, (double)st.judged / seconds, seconds, cpu * 1e6 / (double)st.judged,
               (unsigned long long)st.changed, (unsigned long long)st.moved,
               (unsigned long long)st.unread);
}

static void run_steps(struct bench *b)
{
        const struct qn_rejudge_conf conf = { .rules = b->rules, .now = NOW + 1 };
        _cleanup_(qn_rejudge_freep) struct qn_rejudge *j = NULL;
        uint64_t start = qn_io_nanos(), last = start, longest = 0;
        struct qn_db db;
        int r = 1;

        must(qn_db_open(&qn_db_watch, b->dir, false, &db, NULL), b->dir);
        must(qn_rejudge_new(&conf, &j), "memory");
        while (r > 0) {
                uint64_t now;

                r = qn_rejudge_step(j, &db, 256, on_change, NULL);
                must(r, "step");
                now = qn_io_nanos();
                longest = QN_MAX(longest, now - last);
                last = now;
        }
        qn_db_close(&db);
        printf("in steps of 256        %8.0f versions/s  longest step %.1f ms\n",
               (double)qn_rejudge_so_far(j)->judged * 1e9 / (double)(last - start),
               (double)longest / 1e6);
}

static void load_rules(struct bench *b, const char *more, struct qn_rules **ret)
{
        char builtin[4096];
        const char *const paths[] = { builtin, more };
        struct qn_err err = { 0 };

        snprintf(builtin, sizeof builtin, "%s/rules", b->data);
        must(qn_rules_load(paths, more ? 2 : 1, ret, &err), err.msg);
}

static void run_new_rule(struct bench *b)
{
        static const char text[] = "rules:\n"
                                   "  - id: bench-new\n"
                                   "    title: It reads an environment variable and connects\n"
                                   "    severity: medium\n"
                                   "    verdict: suspicious\n"
                                   "    score: 40\n"
                                   "    tactics: [TA0007]\n"
                                   "    explain: A rule of a benchmark.\n"
                                   "    when:\n"
                                   "      all:\n"
                                   "        - event: env.read\n"
                                   "        - event: net.connect\n";
        _cleanup_(qn_rules_freep) struct qn_rules *rules = NULL;
        char path[128];

        snprintf(path, sizeof path, "%s/new.yaml", b->dir);
        must(qn_io_replace(path, qn_str_c(text)), path);
        load_rules(b, path, &rules);
        run_all(b, "a new rule, 2 at once", rules, 2);
        unlink(path);
}

static void clean_up(const struct bench *b)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        char path[128];

        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                snprintf(path, sizeof path, "%s/watch.db%s", b->dir, ends[i]);
                unlink(path);
        }
        rmdir(b->dir);
}

int main(int argc, char **argv)
{
        struct bench b = { .a = QN_ARENA_INIT((size_t)4 << 30), .dir = "/tmp/qanat-bench-XXXXXX" };
        unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;

        if (argc < 2) {
                fprintf(stderr, "usage: bench-judge DATA [VERSIONS [STATE]] <LIST\n");
                return 2;
        }
        b.data = argv[1];
        if (!mkdtemp(b.dir))
                must(-errno, b.dir);
        load_rules(&b, NULL, &b.rules);
        look_at_all(&b);
        if (!b.n)
                must(-ENOENT, "no tarballs on standard input");
        make_store(&b, n);
        if (argc > 3) {
                b.state = argv[3];
                run_all(&b, "asking what is known, 2", b.rules, 2);
                b.state = NULL;
        }
        run_all(&b, "the same rules, 1", b.rules, 1);
        run_all(&b, "the same rules, 2", b.rules, 2);
        run_steps(&b);
        run_new_rule(&b);
        clean_up(&b);
        qn_rules_free(b.rules);
        qn_arena_done(&b.a);
        return 0;
}
