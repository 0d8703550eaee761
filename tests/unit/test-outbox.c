/* The outbox: what is told once, together, not too often, and until it arrived. */
#include <errno.h>

#include "base/buf.h"
#include "base/limits.h"
#include "store/outbox.h"
#include "test.h"

#include "stores.h"

#define HOUR INT64_C(3600000)

static struct qn_outbox_add message(const char *topic, const char *fact, int64_t now)
{
        return (struct qn_outbox_add){ .channel = QN_STR("hook"),
                                       .recipient = QN_STR("r"),
                                       .topic = qn_str_c(topic),
                                       .subject = qn_str_c(fact),
                                       .fact = qn_str_c(fact),
                                       .body = qn_str_c(fact),
                                       .now = now };
}

static enum qn_outbox_added add(struct place *p, const struct qn_outbox_add *a)
{
        enum qn_outbox_added how = QN_OUTBOX_KNOWN;

        ASSERT_EQ(qn_db_begin(&p->db), 0);
        ASSERT_EQ(qn_outbox_add(&p->db, a, &how), 0);
        ASSERT_EQ(qn_db_commit(&p->db), 0);
        return how;
}

static enum qn_outbox_added put(struct place *p, const char *topic, const char *fact, int64_t now)
{
        const struct qn_outbox_add a = message(topic, fact, now);

        return add(p, &a);
}

static int claim(struct place *p, int64_t now, struct qn_outbox_message *m)
{
        return qn_outbox_claim(&p->db, QN_STR("hook"), now, 1000, &p->a, m);
}

static int count(void *ctx, const struct qn_outbox_message *m QN_UNUSED)
{
        ++*(int *)ctx;
        return 0;
}

static int in_state(struct place *p, enum qn_outbox_state s)
{
        int n = 0;

        ASSERT_EQ(qn_outbox_each(&p->db, &s, count, &n), 0);
        return n;
}

static int join(void *ctx, struct qn_str body)
{
        qn_buf_str(ctx, body);
        qn_buf_byte(ctx, ';');
        return 0;
}

TEST(nothing_is_due)
{
        struct qn_outbox_message m = { .id = 7 };
        struct qn_outbox_add later = message("t", "a", 1000);
        int64_t due = 7, n = 7;
        WATCH_PLACE(p);

        ASSERT_EQ(claim(&p, INT64_MAX / 2, &m), -ENOENT);
        ASSERT_EQ(qn_outbox_next(&p.db, QN_STR("hook"), &due), 0);
        later.wait = 500;
        ASSERT_EQ(add(&p, &later), QN_OUTBOX_NEW);
        ASSERT_EQ(claim(&p, 1499, &m), -ENOENT);
        ASSERT_EQ(qn_outbox_claim(&p.db, QN_STR("other"), 9999, 1, &p.a, &m), -ENOENT);
        ASSERT_EQ(m.id, 7);
        ASSERT_EQ(qn_outbox_next(&p.db, QN_STR("hook"), &due), 1);
        ASSERT_EQ(due, 1500);
        ASSERT_EQ(qn_outbox_revive(&p.db, 0, 1, &n), 0);
        ASSERT_EQ(n, 0);
}

TEST(what_is_rolled_back_was_never_said)
{
        const struct qn_outbox_add a = message("t", "a", 1000);
        enum qn_outbox_added how;
        WATCH_PLACE(p);

        ASSERT_EQ(qn_db_begin(&p.db), 0);
        ASSERT_EQ(qn_outbox_add(&p.db, &a, &how), 0);
        qn_db_rollback(&p.db);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_WAITING), 0);
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_NEW);
}

TEST(a_fact_may_be_long)
{
        const size_t n = (size_t)3 << 20;
        _cleanup_(qn_freep) char *text = malloc(n);
        struct qn_outbox_add a = message("t", "a", 1000);
        WATCH_PLACE(p);

        ASSERT_NOT_NULL(text);
        memset(text, 'x', n);
        a.fact = (struct qn_str){ text, n };
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_NEW);
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_KNOWN);
        text[n - 1] = 'y';
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_JOINED);
}

TEST(a_fact_is_told_once_to_each)
{
        struct qn_outbox_add a = message("t", "a", 1000);
        WATCH_PLACE(p);

        ASSERT_EQ(add(&p, &a), QN_OUTBOX_NEW);
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_KNOWN);
        a.topic = QN_STR("another");
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_KNOWN);
        a.recipient = QN_STR("ra");
        a.fact = QN_STR("");
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_NEW); /* "r" and "a" are not "ra" and "" */
        a.channel = QN_STR("mail");
        ASSERT_EQ(add(&p, &a), QN_OUTBOX_NEW);
}

TEST(messages_grow_until_somebody_sends_them)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(100);
        struct qn_outbox_failure f = { .tries_max = 3 };
        struct qn_outbox_message m;
        WATCH_PLACE(p);

        ASSERT_EQ(put(&p, "t", "a", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(put(&p, "u", "x", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(put(&p, "t", "b", 1001), QN_OUTBOX_JOINED);
        ASSERT_EQ(claim(&p, 2000, &m), 0);
        ASSERT_STR(m.topic, "t");
        ASSERT_TRUE(m.parts == 2 && m.tries == 1 && m.state == QN_OUTBOX_SENDING && !m.error.p);
        ASSERT_EQ(qn_outbox_parts(&p.db, m.id, join, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "a;b;");
        ASSERT_EQ(put(&p, "t", "c", 2000), QN_OUTBOX_NEW);
        f.id = m.id;
        f.tries = 1;
        f.now = 2000;
        ASSERT_EQ(qn_outbox_failed(&p.db, &f), 0);
        /* Its receiver may have it all the same, and drops what comes with that uid. */
        ASSERT_EQ(put(&p, "t", "d", 2001), QN_OUTBOX_JOINED);
        ASSERT_EQ(claim(&p, 2001, &m), 0);
        ASSERT_STR(m.topic, "u");
}

TEST(what_was_claimed_by_the_dead_is_sent_again)
{
        struct qn_outbox_message first, again;
        struct qn_outbox_failure f = { .tries_max = 9, .error = QN_STR("late") };
        WATCH_PLACE(p);

        ASSERT_EQ(put(&p, "t", "a", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(claim(&p, 1000, &first), 0);
        ASSERT_EQ(claim(&p, 1999, &again), -ENOENT);
        ASSERT_EQ(claim(&p, 2000, &again), 0);
        ASSERT_TRUE(again.id == first.id && qn_str_eq(again.uid, first.uid) && again.tries == 2);
        /* The first one lives, and says that it failed: it is not its to say any more. */
        f.id = first.id;
        f.tries = first.tries;
        ASSERT_EQ(qn_outbox_failed(&p.db, &f), 0);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_SENDING), 1);
        ASSERT_EQ(qn_outbox_done(&p.db, again.id, 2100), 0);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_DONE), 1);
        f.tries = again.tries;
        ASSERT_EQ(qn_outbox_failed(&p.db, &f), 0);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_DONE), 1);
}

TEST(after_enough_tries_it_is_dead)
{
        struct qn_outbox_failure f = { .tries_max = 2, .error = QN_STR("no"), .first_wait = 1000 };
        struct qn_outbox_message m;
        int64_t now = 1000, n = 0;
        WATCH_PLACE(p);

        ASSERT_EQ(put(&p, "t", "a", now), QN_OUTBOX_NEW);
        for (unsigned i = 1; i <= 2; i++) {
                ASSERT_EQ(claim(&p, now, &m), 0);
                f.id = m.id;
                f.tries = m.tries;
                f.now = now;
                ASSERT_EQ(qn_outbox_failed(&p.db, &f), 0);
                ASSERT_EQ(claim(&p, now + 999, &m), -ENOENT);
                now += 1250;
        }
        ASSERT_EQ(claim(&p, now + 100 * HOUR, &m), -ENOENT);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_DEAD), 1);
        ASSERT_EQ(qn_outbox_revive(&p.db, m.id + 1, now, &n), 0);
        ASSERT_EQ(n, 0);
        ASSERT_EQ(qn_outbox_revive(&p.db, 0, now, &n), 0);
        ASSERT_EQ(n, 1);
        ASSERT_EQ(claim(&p, now, &m), 0);
        ASSERT_TRUE(m.tries == 1 && qn_str_is(m.error, "no"));
}

TEST(waits_grow_and_differ)
{
        int64_t before = 0;
        bool differ = false;

        for (unsigned i = 1; i <= 30; i++) {
                int64_t wait = qn_outbox_backoff(5, i, 30000);

                ASSERT_TRUE(wait >= QN_MIN(before, QN_NOTIFY_WAIT_MAX_MS));
                ASSERT_TRUE(wait <= QN_NOTIFY_WAIT_MAX_MS / 4 * 5);
                ASSERT_EQ(wait, qn_outbox_backoff(5, i, 30000));
                differ |= wait != qn_outbox_backoff(6, i, 30000);
                before = wait / 5 * 4;
        }
        ASSERT_TRUE(differ);
        ASSERT_TRUE(qn_outbox_backoff(5, 1, 30000) >= 30000);
        ASSERT_TRUE(qn_outbox_backoff(5, 2, 30000) >= 120000);
        ASSERT_EQ(qn_outbox_backoff(5, 9, 0), 0);
        ASSERT_TRUE(qn_outbox_backoff(5, 1, INT64_MAX) >= QN_NOTIFY_WAIT_MAX_MS);
}

TEST(the_receiver_may_ask_for_more_time)
{
        struct qn_outbox_failure f = { .tries_max = 9, .now = 1000, .not_before = HOUR };
        struct qn_outbox_message m;
        int64_t due = 0;
        WATCH_PLACE(p);

        ASSERT_EQ(put(&p, "t", "a", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(claim(&p, 1000, &m), 0);
        f.id = m.id;
        f.tries = m.tries;
        ASSERT_EQ(qn_outbox_failed(&p.db, &f), 0);
        ASSERT_EQ(qn_outbox_next(&p.db, QN_STR("hook"), &due), 1);
        ASSERT_EQ(due, HOUR);
}

TEST(what_is_too_much_becomes_one_digest)
{
        struct qn_outbox_message m;
        char name[16];
        WATCH_PLACE(p);

        for (int i = 0; i < 10; i++) {
                struct qn_outbox_add a = message(name, name, 1000 + i);

                snprintf(name, sizeof name, "n%d", i);
                a.topic.n = a.fact.n = a.body.n = a.subject.n = strlen(name);
                a.limit = 3;
                a.per = HOUR;
                ASSERT_EQ(add(&p, &a), i < 3 ? QN_OUTBOX_NEW : QN_OUTBOX_OVER);
        }
        ASSERT_EQ(in_state(&p, QN_OUTBOX_WAITING), 4);
        for (int i = 0; i < 3; i++)
                ASSERT_EQ(claim(&p, 2000, &m), 0);
        ASSERT_EQ(claim(&p, 2000, &m), -ENOENT);
        ASSERT_EQ(claim(&p, 1003 + HOUR, &m), 0);
        while (!qn_str_is(m.topic, QN_OUTBOX_DIGEST))
                ASSERT_EQ(claim(&p, 1003 + HOUR, &m), 0);
        ASSERT_EQ(m.parts, 7);
}

TEST(a_message_holds_so_many_and_counts_the_rest)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_outbox_message m;
        char name[16];
        WATCH_PLACE(p);

        ASSERT_EQ(qn_db_begin(&p.db), 0);
        for (unsigned i = 0; i < QN_NOTIFY_PARTS_MAX + 5; i++) {
                struct qn_outbox_add a = message("t", name, 1000);
                enum qn_outbox_added how;

                snprintf(name, sizeof name, "%u", i);
                a.fact.n = strlen(name);
                a.body = QN_STR("x");
                ASSERT_EQ(qn_outbox_add(&p.db, &a, &how), 0);
        }
        ASSERT_EQ(qn_db_commit(&p.db), 0);
        ASSERT_EQ(claim(&p, 2000, &m), 0);
        ASSERT_EQ(m.parts, QN_NOTIFY_PARTS_MAX + 5);
        ASSERT_EQ(qn_outbox_parts(&p.db, m.id, join, &b), 0);
        ASSERT_EQ(b.n, 2 * QN_NOTIFY_PARTS_MAX + 5);
}

TEST(what_was_sent_long_ago_is_forgotten)
{
        struct qn_outbox_message m;
        int64_t n = 0;
        WATCH_PLACE(p);

        ASSERT_EQ(put(&p, "t", "a", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(put(&p, "u", "b", 1000), QN_OUTBOX_NEW);
        ASSERT_EQ(claim(&p, 1000, &m), 0);
        ASSERT_EQ(qn_outbox_done(&p.db, m.id, 5000), 0);
        ASSERT_EQ(qn_outbox_forget(&p.db, 5000, &n), 0);
        ASSERT_EQ(n, 0);
        ASSERT_EQ(put(&p, "t", "a", 6000), QN_OUTBOX_KNOWN);
        ASSERT_EQ(qn_outbox_forget(&p.db, 5001, &n), 0);
        ASSERT_EQ(n, 1);
        ASSERT_EQ(in_state(&p, QN_OUTBOX_WAITING), 1);
        ASSERT_EQ(put(&p, "t", "a", 6000), QN_OUTBOX_NEW);
        ASSERT_EQ(put(&p, "u", "b", 6000), QN_OUTBOX_KNOWN);
}
