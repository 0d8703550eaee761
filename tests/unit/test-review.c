/* What counts of a verdict and of what people decided about it; the log of decisions and the queue. */
#include <errno.h>

#include "base/buf.h"
#include "test.h"

#include "stores.h"
#include "watch/review.h"

/* --- what counts --- */

static const struct qn_seen_finding steals = { QN_STR("steals"), QN_STR("high"),
                                               QN_STR("malicious"), QN_STR("It steals") };
static const struct qn_seen_finding hides = { QN_STR("hides"), QN_STR("high"), QN_STR("suspicious"),
                                              QN_STR("It hides") };
static const struct qn_seen_finding informs = { QN_STR("informs"), QN_STR("info"), QN_STR("clean"),
                                                QN_STR("It informs") };

static struct qn_review decision(enum qn_review_action action, const char *verdict,
                                 const char *rules)
{
        return (struct qn_review){ .who = QN_STR("jo"),
                                   .action = action,
                                   .integrity = QN_STR("sha512-a"),
                                   .verdict = qn_str_c(verdict),
                                   .rules = qn_str_c(rules) };
}

struct setup {
        struct qn_seen_finding findings[4];
        struct qn_review decisions[6];
        struct qn_review_case c;
        struct qn_review_effect e;
};

static void begin(struct setup *s, enum qn_verdict_kind verdict)
{
        *s = (struct setup){ 0 };
        s->c = (struct qn_review_case){ .verdict = verdict,
                                        .integrity = QN_STR("sha512-a"),
                                        .findings = s->findings,
                                        .decisions = s->decisions };
}

static void found(struct setup *s, struct qn_seen_finding f)
{
        s->findings[s->c.n_findings++] = f;
}

static void decided(struct setup *s, struct qn_review d)
{
        s->decisions[s->c.n_decisions++] = d;
}

static void expect(struct setup *s, enum qn_verdict_kind verdict, enum qn_review_why why)
{
        qn_review_effective(&s->c, &s->e);
        ASSERT_EQ(s->e.verdict, verdict);
        ASSERT_EQ(s->e.why, why);
}

TEST(where_nobody_decided_the_verdict_counts)
{
        struct setup s;

        for (int k = QN_CLEAN; k <= QN_MALICIOUS; k++) {
                begin(&s, (enum qn_verdict_kind)k);
                found(&s, steals);
                expect(&s, (enum qn_verdict_kind)k, QN_REVIEW_NOBODY);
                ASSERT_NULL(s.e.by);
                decided(&s, decision(QN_REVIEW_NOTE, "malicious", " steals "));
                expect(&s, (enum qn_verdict_kind)k, QN_REVIEW_NOBODY);
        }
}

TEST(a_decision_about_other_bytes_counts_for_nothing)
{
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        s.c.integrity = QN_STR("sha512-b");
        expect(&s, QN_MALICIOUS, QN_REVIEW_NOBODY);
        /* nor where nobody knows which bytes there are */
        s.c.integrity = QN_STR("");
        s.decisions[0].integrity = QN_STR("");
        expect(&s, QN_MALICIOUS, QN_REVIEW_NOBODY);
}

TEST(what_is_rejected_is_clean_until_another_rule_finds_something)
{
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        found(&s, informs);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        expect(&s, QN_CLEAN, QN_REVIEW_REJECTED);
        ASSERT_TRUE(qn_review_is_decided(&s.e));
        found(&s, hides);
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
        ASSERT_TRUE(qn_review_is_reopened(&s.e));
        ASSERT_STR(s.e.fresh->rule, "hides");
        /* a person rejects that, too: both count */
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " hides "));
        expect(&s, QN_CLEAN, QN_REVIEW_REJECTED);
}

TEST(names_of_rules_are_compared_as_a_whole)
{
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals-more "));
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
        s.decisions[0].rules = QN_STR("");
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
        s.findings[0].rule = QN_STR("");
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
}

TEST(a_worse_verdict_than_was_rejected_is_asked_about_again)
{
        struct setup s;

        begin(&s, QN_SUSPICIOUS);
        found(&s, hides);
        decided(&s, decision(QN_REVIEW_REJECT, "suspicious", " hides "));
        expect(&s, QN_CLEAN, QN_REVIEW_REJECTED);
        s.c.verdict = QN_MALICIOUS;
        expect(&s, QN_MALICIOUS, QN_REVIEW_WORSE);
        /* also where no finding says why */
        s.c.n_findings = 0;
        expect(&s, QN_MALICIOUS, QN_REVIEW_WORSE);
}

TEST(what_could_not_be_analysed_is_not_cleared)
{
        struct setup s;

        begin(&s, QN_UNKNOWN);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        expect(&s, QN_UNKNOWN, QN_REVIEW_NOBODY);
        s.c.verdict = QN_CLEAN;
        expect(&s, QN_CLEAN, QN_REVIEW_REJECTED);
}

TEST(what_is_confirmed_is_malicious_whatever_rules_say_later)
{
        struct setup s;

        for (int k = QN_CLEAN; k <= QN_MALICIOUS; k++) {
                begin(&s, (enum qn_verdict_kind)k);
                found(&s, hides);
                decided(&s, decision(QN_REVIEW_CONFIRM, "malicious", " "));
                expect(&s, QN_MALICIOUS, QN_REVIEW_CONFIRMED);
        }
}

TEST(what_is_confirmed_as_less_stays_so_until_more_is_found)
{
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        decided(&s, decision(QN_REVIEW_CONFIRM, "suspicious", " steals "));
        expect(&s, QN_SUSPICIOUS, QN_REVIEW_CONFIRMED);
        found(&s, informs);
        expect(&s, QN_SUSPICIOUS, QN_REVIEW_CONFIRMED);
        found(&s, hides);
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
}

TEST(the_last_decision_counts)
{
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        decided(&s, decision(QN_REVIEW_CONFIRM, "malicious", " steals "));
        decided(&s, decision(QN_REVIEW_NOTE, "clean", " steals "));
        expect(&s, QN_MALICIOUS, QN_REVIEW_CONFIRMED);
        /* what was rejected before a confirmation does not come back with the next rejection */
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " hides "));
        expect(&s, QN_MALICIOUS, QN_REVIEW_FRESH);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        expect(&s, QN_CLEAN, QN_REVIEW_REJECTED);
}

TEST(policy_acts_on_what_counts)
{
        struct qn_watch_policy policy;
        struct qn_watch_case w;
        struct setup s;

        qn_watch_policy_defaults(&policy);
        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        qn_review_effective(&s.c, &s.e);
        w = qn_review_watch_case(&s.e, 95);
        ASSERT_TRUE(qn_watch_policy_acts(&policy, &w));
        w = qn_review_watch_case(&s.e, 85);
        ASSERT_FALSE(qn_watch_policy_acts(&policy, &w));
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        qn_review_effective(&s.c, &s.e);
        w = qn_review_watch_case(&s.e, 95);
        ASSERT_FALSE(qn_watch_policy_acts(&policy, &w));
        /* reopened: nothing happens before a person has looked again */
        found(&s, hides);
        qn_review_effective(&s.c, &s.e);
        w = qn_review_watch_case(&s.e, 100);
        ASSERT_FALSE(qn_watch_policy_acts(&policy, &w));
        decided(&s, decision(QN_REVIEW_CONFIRM, "malicious", " steals hides "));
        qn_review_effective(&s.c, &s.e);
        w = qn_review_watch_case(&s.e, 80);
        ASSERT_TRUE(qn_watch_policy_acts(&policy, &w));
}

TEST(each_outcome_is_a_sentence)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct setup s;

        begin(&s, QN_MALICIOUS);
        found(&s, steals);
        decided(&s, decision(QN_REVIEW_REJECT, "malicious", " steals "));
        s.decisions[0].reason = QN_STR("its own tests");
        qn_review_effective(&s.c, &s.e);
        qn_review_say(&s.e, &b);
        ASSERT_STR(qn_buf_view(&b), "jo has rejected what was found: its own tests");
        found(&s, hides);
        qn_review_effective(&s.c, &s.e);
        qn_buf_reset(&b);
        qn_review_say(&s.e, &b);
        ASSERT_STR(qn_buf_view(&b), "jo has decided about it, but hides was found since");
}

/* --- the store --- */

static int64_t put(struct place *p, const char *name, const char *verdict, unsigned score,
                   const struct qn_seen_finding *f)
{
        struct qn_seen_put put = { .v = { .name = qn_str_c(name),
                                          .version = QN_STR("1.0.0"),
                                          .integrity = QN_STR("sha512-a"),
                                          .seen = 1,
                                          .judged = 1,
                                          .verdict = qn_str_c(verdict),
                                          .score = score,
                                          .reason = QN_STR("because"),
                                          .rules = QN_STR("r") },
                                   .findings = f,
                                   .n_findings = f ? 1 : 0 };
        int64_t id = 0;

        ASSERT_EQ(qn_db_begin(&p->db), 0);
        ASSERT_TRUE(qn_versions_put(&p->db, &put, &id) >= 0);
        ASSERT_EQ(qn_db_commit(&p->db), 0);
        return id;
}

static void add(struct place *p, int64_t id, struct qn_review v)
{
        v.version = id;
        v.time = 5;
        ASSERT_EQ(qn_reviews_add(&p->db, &v), 0);
}

TEST(the_log_changes_and_forgets_nothing)
{
        struct qn_review *list;
        size_t n;
        WATCH_PLACE(p);

        add(&p, put(&p, "a", "malicious", 85, &steals),
            decision(QN_REVIEW_CONFIRM, "malicious", " steals "));
        ASSERT_TRUE(qn_db_exec(&p.db, "UPDATE review SET who = 'x'") < 0);
        ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM review") < 0);
        ASSERT_EQ(qn_reviews_list(&p.db, 1, &p.a, &list, &n), 0);
        ASSERT_EQ(n, 1);
        ASSERT_STR(list[0].who, "jo");
        ASSERT_STR(list[0].rules, " steals ");
        ASSERT_EQ(list[0].action, QN_REVIEW_CONFIRM);
}

TEST(a_decision_about_nothing_is_refused)
{
        struct qn_review v = decision(QN_REVIEW_NOTE, "clean", "");
        WATCH_PLACE(p);

        v.version = 77;
        ASSERT_TRUE(qn_reviews_add(&p.db, &v) < 0);
}

static void assert_queue(struct place *p, const struct qn_watch_policy *policy, bool all,
                         const char *names)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_review_item *v;
        size_t n;

        ASSERT_EQ(qn_review_queue(&p->db, policy, all, &p->a, &v, &n), 0);
        qn_buf_puts(&b, "");
        for (size_t i = 0; i < n; i++)
                qn_buf_printf(&b, "%.*s ", QN_STR_ARG(v[i].v.name));
        ASSERT_STR(qn_buf_view(&b), names);
}

TEST(the_queue_has_what_waits_for_a_person)
{
        struct qn_watch_policy policy;
        int64_t m, s;
        WATCH_PLACE(p);

        qn_watch_policy_defaults(&policy);
        assert_queue(&p, &policy, false, "");
        put(&p, "clean", "clean", 10, &informs);
        put(&p, "unknown", "unknown", 10, NULL);
        put(&p, "sure", "malicious", 97, &steals);
        s = put(&p, "suspect", "suspicious", 50, &hides);
        put(&p, "also", "suspicious", 50, &hides);
        m = put(&p, "doubtful", "malicious", 85, &steals);
        assert_queue(&p, &policy, false, "doubtful also suspect ");
        add(&p, m, decision(QN_REVIEW_CONFIRM, "malicious", " steals "));
        add(&p, s, decision(QN_REVIEW_REJECT, "suspicious", " hides "));
        assert_queue(&p, &policy, false, "also ");
        assert_queue(&p, &policy, true, "sure doubtful also suspect ");
        /* another rule, and another tarball */
        put(&p, "suspect", "malicious", 99, &steals);
        assert_queue(&p, &policy, false, "suspect also ");
        policy.review = QN_WATCH_NEVER;
        assert_queue(&p, &policy, false, "suspect ");
}

TEST(what_was_decided_is_in_the_queue_whatever_the_verdict_calls_for)
{
        struct qn_watch_policy policy;
        int64_t id;
        WATCH_PLACE(p);

        qn_watch_policy_defaults(&policy);
        policy.review = 60;
        put(&p, "low", "suspicious", 50, &hides);
        /* something else was found in what was rejected, below what is put before a person */
        id = put(&p, "again", "suspicious", 50, &hides);
        add(&p, id, decision(QN_REVIEW_REJECT, "suspicious", " hides "));
        assert_queue(&p, &policy, false, "");
        assert_queue(&p, &policy, true, "again ");
        put(&p, "again", "suspicious", 50, &steals);
        assert_queue(&p, &policy, false, "again ");
        /* no rule finds anything in what was confirmed */
        add(&p, put(&p, "sure", "clean", 0, NULL), decision(QN_REVIEW_CONFIRM, "malicious", " "));
        add(&p, put(&p, "also", "unknown", 0, NULL), decision(QN_REVIEW_CONFIRM, "malicious", " "));
        add(&p, put(&p, "noted", "clean", 0, NULL), decision(QN_REVIEW_NOTE, "clean", " "));
        assert_queue(&p, &policy, false, "again ");
        assert_queue(&p, &policy, true, "again also sure ");
}
