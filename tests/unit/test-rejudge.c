/* Stored events judged again: what is written, what is left alone, in steps and in several processes. */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "rule/rule.h"
#include "test.h"
#include "watch/rejudge.h"

#define HEAD(id, verdict)                                                                     \
        "rules:\n- id: " id "\n  title: It did " id "\n  severity: high\n  verdict: " verdict \
        "\n  explain: It did.\n"
#define NOW INT64_C(1790000000000)

struct place {
        char dir[64];
        struct qn_db db;
        struct qn_rules *rules;
        struct qn_rejudge_conf conf;
        unsigned told;
        char last[128]; /* what was told of last */
};

static void place_done(struct place *p)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        char path[128];

        if (p->db.conn)
                qn_db_close(&p->db);
        qn_rules_free(p->rules);
        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                snprintf(path, sizeof path, "%s/watch.db%s", p->dir, ends[i]);
                unlink(path);
        }
        rmdir(p->dir);
}

#define PLACE(p)                                                                    \
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX" }; \
        ASSERT_NOT_NULL(mkdtemp(p.dir));                                            \
        open_store(&p)

static void open_store(struct place *p)
{
        ASSERT_EQ(qn_db_open(&qn_db_watch, p->dir, true, &p->db, NULL), 0);
}

static void load(struct place *p, const char *text)
{
        char path[] = "/tmp/qanat-rule-XXXXXX";
        int fd = mkstemp(path);
        const char *paths[] = { path };
        struct qn_err err = { 0 };

        assert_true(fd >= 0);
        ASSERT_EQ(qn_io_write_fd(fd, qn_str_c(text)), 0);
        close(fd);
        p->rules = qn_rules_free(p->rules);
        if (qn_rules_load(paths, 1, &p->rules, &err) < 0)
                fail_msg("%s", err.msg);
        unlink(path);
        p->conf.rules = p->rules;
        p->conf.now = NOW;
}

/* A version that runs something when it is installed. */
static void put(struct place *p, unsigned number)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        _cleanup_(qn_buf_done) struct qn_buf bytes = QN_BUF_INIT((size_t)1 << 20);
        struct qn_event e = qn_event_make(QN_EVENT_PROC_EXEC, QN_LAYER_STATIC, QN_FILE_NONE);
        char name[32];
        struct qn_seen_put put = { .v = { .version = QN_STR("1.0.0"),
                                          .integrity = QN_STR("sha512-a"),
                                          .seen = number,
                                          .judged = 1,
                                          .verdict = QN_STR("clean"),
                                          .reason = QN_STR("No rule objects"),
                                          .rules = QN_STR("before") } };
        struct qn_event_set s;
        int64_t id;

        snprintf(name, sizeof name, "p%u", number);
        put.v.name = qn_str_c(name);
        e.phase = QN_PHASE_INSTALL;
        qn_event_set_init(&s, &a);
        ASSERT_EQ(qn_event_add(&s, &e), 0);
        ASSERT_EQ(qn_event_set_seal(&s), 0);
        ASSERT_EQ(qn_event_set_write(&s, &bytes), 0);
        put.events = number == 13 ? QN_STR("nonsense") : qn_buf_view(&bytes);
        ASSERT_EQ(qn_versions_put(&p->db, &put, &id), 1);
}

static void fill(struct place *p, unsigned n)
{
        ASSERT_EQ(qn_db_begin(&p->db), 0);
        for (unsigned i = 1; i <= n; i++)
                put(p, i);
        ASSERT_EQ(qn_db_commit(&p->db), 0);
}

static int on_change(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is)
{
        struct place *p = ctx;

        p->told++;
        snprintf(p->last, sizeof p->last, "%.*s %.*s-%.*s %u %zu-%zu", QN_STR_ARG(is->v.name),
                 QN_STR_ARG(was->v.verdict), QN_STR_ARG(is->v.verdict), is->v.score,
                 was->n_findings, is->n_findings);
        return 0;
}

static struct qn_rejudge_stats run(struct place *p, size_t n)
{
        _cleanup_(qn_rejudge_freep) struct qn_rejudge *j = NULL;
        int r;

        p->told = 0;
        ASSERT_EQ(qn_rejudge_new(&p->conf, &j), 0);
        while ((r = qn_rejudge_step(j, &p->db, n, on_change, p)) > 0)
                ;
        ASSERT_EQ(r, 0);
        return *qn_rejudge_so_far(j);
}

static int number(struct place *p, const char *sql)
{
        int64_t n = 0;

        ASSERT_TRUE(qn_db_first(qn_db_prepare(&p->db, sql), &n) >= 0);
        return (int)n;
}

#define EXEC_RULE(verdict) HEAD("runs", verdict) "  when: {event: proc.exec}\n"

TEST(an_empty_store_has_nothing_to_judge)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        load(&p, EXEC_RULE("malicious"));
        st = run(&p, 100);
        ASSERT_EQ(st.judged + st.changed + st.unread, 0);
}

TEST(a_new_rule_changes_verdicts_findings_and_the_history)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 20);
        load(&p, EXEC_RULE("malicious"));
        st = run(&p, 7);
        ASSERT_EQ(st.judged, 19);
        ASSERT_EQ(st.changed, 19);
        ASSERT_EQ(st.unread, 1);
        ASSERT_EQ(p.told, 19);
        ASSERT_STR(qn_str_c(p.last), "p20 clean-malicious 80 0-1");
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE verdict = 'malicious'"), 19);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM finding WHERE rule = 'runs'"), 19);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement"), 20 + 19);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE judged = 1790000000000"), 19);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE rules = 'before'"), 1);
        /* once more: there is nothing to do */
        st = run(&p, 4000);
        ASSERT_EQ(st.judged, 19);
        ASSERT_EQ(st.changed + st.moved, 0);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement"), 20 + 19);
        /* and without the rule it is told what had been found */
        load(&p, HEAD("other", "malicious") "  when: {event: net.send}\n");
        run(&p, 4000);
        ASSERT_STR(qn_str_c(p.last), "p20 malicious-clean 0 1-0");
}

/* Writes down what it is told of, and fails at the third. */
static int note_two(void *ctx, const struct qn_seen_put *was QN_UNUSED,
                    const struct qn_seen_put *is)
{
        struct place *p = ctx;
        char sql[128];

        if (++p->told == 3)
                return -ENOSPC;
        snprintf(sql, sizeof sql, "INSERT INTO setting(key, value) VALUES('%.*s', '')",
                 QN_STR_ARG(is->v.name));
        return qn_db_exec(&p->db, sql);
}

TEST(verdicts_and_what_is_told_of_them_are_one_transaction)
{
        _cleanup_(qn_rejudge_freep) struct qn_rejudge *j = NULL;
        PLACE(p);

        fill(&p, 5);
        load(&p, EXEC_RULE("malicious"));
        ASSERT_EQ(qn_rejudge_new(&p.conf, &j), 0);
        ASSERT_EQ(qn_rejudge_step(j, &p.db, 100, note_two, &p), -ENOSPC);
        ASSERT_EQ(qn_rejudge_so_far(j)->changed, 0);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE verdict = 'clean'"), 5);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM setting"), 0);
        j = qn_rejudge_free(j);
        ASSERT_EQ(qn_rejudge_new(&p.conf, &j), 0);
        ASSERT_EQ(qn_rejudge_step(j, &p.db, 100, note_two, &p), 0); /* five more */
        ASSERT_EQ(qn_rejudge_so_far(j)->changed, 5);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM setting"), 5);
}

TEST(a_dry_run_writes_nothing)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 5);
        load(&p, EXEC_RULE("suspicious"));
        p.conf.dry = true;
        st = run(&p, 100);
        ASSERT_EQ(st.changed, 5);
        ASSERT_EQ(p.told, 5);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE verdict = 'clean'"), 5);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement"), 5);
}

TEST(another_title_or_severity_is_another_finding)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 3);
        load(&p, "rules:\n- id: runs\n  title: It runs\n  severity: info\n  verdict: info\n"
                 "  explain: It did.\n  when: {event: proc.exec}\n");
        st = run(&p, 100);
        ASSERT_EQ(st.changed, 0);
        ASSERT_EQ(st.moved, 3);
        load(&p, "rules:\n- id: runs\n  title: It runs a program\n  severity: info\n"
                 "  verdict: info\n  explain: It did.\n  when: {event: proc.exec}\n");
        st = run(&p, 100);
        ASSERT_EQ(st.moved, 3);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM finding WHERE title = 'It runs a program'"), 3);
}

TEST(only_what_was_seen_since_and_is_called_so)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 12);
        load(&p, EXEC_RULE("malicious"));
        p.conf.since = 6;
        p.conf.name = QN_STR("p1*");
        p.conf.dry = true;
        st = run(&p, 100);
        ASSERT_EQ(st.judged, 3);
}

TEST(what_somebody_else_wrote_to_is_left_alone)
{
        const struct qn_seen was = {
                .id = 1, .integrity = QN_STR("sha512-a"), .verdict = QN_STR("clean"), .judged = 1
        };
        struct qn_seen_put is = { .v = { .verdict = QN_STR("malicious"),
                                         .score = 90,
                                         .reason = QN_STR("x"),
                                         .rules = QN_STR("y"),
                                         .judged = 7 } };
        PLACE(p);

        fill(&p, 2);
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE version SET judged = 2 WHERE id = 1"), 0);
        ASSERT_EQ(qn_versions_rejudged(&p.db, &was, &is), 0);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement WHERE version = 1"), 1);
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE version SET judged = 1 WHERE id = 1"), 0);
        ASSERT_EQ(qn_versions_rejudged(&p.db, &was, &is), 1);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement WHERE version = 1"), 2);
        ASSERT_EQ(number(&p, "SELECT score FROM version WHERE id = 1"), 90);
}

TEST(a_step_is_of_so_many_at_the_most)
{
        _cleanup_(qn_rejudge_freep) struct qn_rejudge *j = NULL;
        PLACE(p);

        fill(&p, QN_REJUDGE_STEP_MAX + 1);
        load(&p, EXEC_RULE("info"));
        ASSERT_EQ(qn_rejudge_new(&p.conf, &j), 0);
        ASSERT_EQ(qn_rejudge_step(j, &p.db, SIZE_MAX, on_change, &p), 1);
        ASSERT_EQ(qn_rejudge_so_far(j)->judged, QN_REJUDGE_STEP_MAX - 1);
        ASSERT_EQ(qn_rejudge_step(j, &p.db, SIZE_MAX, on_change, &p), 0);
        ASSERT_EQ(qn_rejudge_so_far(j)->judged, QN_REJUDGE_STEP_MAX);
}

/* --- in several processes --- */

static struct qn_rejudge_stats run_all(struct place *p, unsigned jobs)
{
        const struct qn_rejudge_all how = {
                .conf = p->conf, .store = p->dir, .no_intel = true, .jobs = jobs
        };
        struct qn_rejudge_stats st = { 0 };
        struct qn_err err = { 0 };

        qn_db_close(&p->db);
        p->db.conn = NULL;
        p->told = 0;
        if (qn_rejudge_all(&how, on_change, p, &st, &err) < 0)
                fail_msg("%s", err.msg);
        open_store(p);
        return st;
}

TEST(several_processes_find_what_one_finds)
{
        for (unsigned jobs = 1; jobs <= 5; jobs += 2) {
                struct qn_rejudge_stats st;
                PLACE(p);

                fill(&p, 3000);
                load(&p, EXEC_RULE("malicious"));
                st = run_all(&p, jobs);
                ASSERT_EQ(st.judged, 2999);
                ASSERT_EQ(st.changed, 2999);
                ASSERT_EQ(st.unread, 1);
                ASSERT_EQ(p.told, 2999);
                ASSERT_EQ(number(&p, "SELECT count(*) FROM finding WHERE rule = 'runs'"), 2999);
                ASSERT_EQ(number(&p, "SELECT count(*) FROM judgement"), 5999);
                st = run_all(&p, jobs);
                ASSERT_EQ(st.changed + st.moved, 0);
        }
}

TEST(there_are_so_many_processes_at_the_most)
{
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 5);
        load(&p, EXEC_RULE("malicious"));
        st = run_all(&p, QN_REJUDGE_JOBS_MAX + 1);
        ASSERT_EQ(st.changed, 5);
}

TEST(there_is_no_store)
{
        const struct qn_rejudge_all how = { .store = "/nonexistent" };
        struct qn_rejudge_stats st;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_rejudge_all(&how, on_change, NULL, &st, &err), -ENOENT);
        ASSERT_TRUE(strstr(err.msg, "nothing was watched yet") != NULL);
}

static int refuse(void *ctx, const struct qn_seen_put *was, const struct qn_seen_put *is)
{
        (void)ctx;
        (void)was;
        (void)is;
        return -ECANCELED;
}

TEST(who_is_told_may_end_it)
{
        struct qn_rejudge_all how = { .no_intel = true, .jobs = 2 };
        struct qn_rejudge_stats st;
        PLACE(p);

        fill(&p, 3000);
        load(&p, EXEC_RULE("malicious"));
        how.conf = p.conf;
        how.store = p.dir;
        ASSERT_EQ(qn_rejudge_all(&how, refuse, NULL, &st, NULL), -ECANCELED);
        ASSERT_EQ(number(&p, "SELECT count(*) FROM version WHERE verdict = 'clean'"), 3000);
}
