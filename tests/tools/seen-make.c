/* seen-make - puts versions into a store of what was seen, as a watch does that judges by these rules.
 *   usage: seen-make STATE TIMES RULES... <EVENTS
 * EVENTS: sets of events as `qanat events` prints them.  TIMES: how often each is put there: from the second time on
 * under names that end with a number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "rule/rule.h"
#include "watch/rejudge.h"

#define BATCH 1000u
#define NOW   INT64_C(1790000000000)

struct maker {
        struct qn_db db;
        struct qn_rules *rules;
        unsigned long times;
        size_t n;
};

static int fail(const char *what, int r)
{
        fprintf(stderr, "seen-make: %s: %s\n", what, strerrordesc_np(-r));
        return 1;
}

static int put_one(struct maker *m, struct qn_seen_put *p, struct qn_str name, unsigned long i)
{
        char numbered[512];
        int64_t id;
        int r = m->n % BATCH == 0 ? qn_db_begin(&m->db) : 0;

        snprintf(numbered, sizeof numbered, "%.*s-%lu", QN_STR_ARG(name), i);
        p->v.name = i ? qn_str_c(numbered) : name;
        p->v.seen = NOW + (int64_t)m->n * 1000;
        if (r == 0)
                r = qn_versions_put(&m->db, p, &id);
        m->n++;
        if (r >= 0 && m->n % BATCH == 0)
                r = qn_db_commit(&m->db);
        return r < 0 ? r : 0;
}

static int put_set(struct maker *m, const struct qn_event_set *set, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf bytes = QN_BUF_INIT(QN_PKG_ARENA_MAX);
        struct qn_seen_finding *findings;
        struct qn_verdict v;
        struct qn_seen_put p = { 0 };
        int r = qn_event_set_write(set, &bytes);

        if (r == 0)
                r = qn_judge(m->rules, set, a, &v);
        if (r == 0)
                r = qn_rejudge_findings(&v, a, &findings);
        if (r < 0)
                return r;
        p = (struct qn_seen_put){ .v = { .version = set->version,
                                         .integrity = set->integrity,
                                         .publisher = QN_STR("somebody"),
                                         .published = NOW,
                                         .judged = NOW,
                                         .verdict = qn_str_c(qn_verdict_name(v.kind)),
                                         .score = v.score,
                                         .reason = v.reason,
                                         .rules = QN_STR("of-the-test") },
                                  .events = qn_buf_view(&bytes),
                                  .findings = findings,
                                  .n_findings = v.n };
        for (unsigned long i = 0; r == 0 && i < m->times; i++)
                r = put_one(m, &p, set->name, i);
        return r;
}

static int put_all(struct maker *m)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_JSON_MAX);
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        struct qn_cur in;
        int r = qn_io_read("-", &b);

        in = qn_cur_mem(b.p, b.n);
        while (r == 0 && qn_cur_left(&in)) {
                struct qn_event_set set;

                qn_arena_reset(&a, 1 << 20);
                r = qn_event_set_read_json(&in, &a, &set, NULL);
                if (r == 0)
                        r = put_set(m, &set, &a);
        }
        return r == 0 && m->n % BATCH ? qn_db_commit(&m->db) : r;
}

int main(int argc, char **argv)
{
        struct maker m = { 0 };
        struct qn_err err = { 0 };
        int r;

        if (argc < 4)
                return fail("usage: seen-make STATE TIMES RULES... <EVENTS", -EINVAL);
        m.times = strtoul(argv[2], NULL, 10);
        r = qn_rules_load((const char *const *)argv + 3, (size_t)argc - 3, &m.rules, &err);
        if (r == 0)
                r = qn_db_open(&qn_db_watch, argv[1], true, &m.db, &err);
        if (r < 0)
                return fail(err.msg, r);
        r = put_all(&m);
        qn_db_close(&m.db);
        qn_rules_free(m.rules);
        return r < 0 ? fail("events", r) : 0;
}
