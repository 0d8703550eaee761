/* What was reported: rows by version and place, what is still to be reported; and hashes of files on their way from a role. */
#include <errno.h>
#include <unistd.h>

#include "base/limits.h"
#include "observe/digests.h"
#include "parse/gz.h"
#include "role/digests-wire.h"
#include "store/reports.h"
#include "store/reviews.h"
#include "store/versions.h"
#include "tarball.h"
#include "test.h"
#include "watch/unreported.h"

#include "stores.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)

static struct qn_reported row(const char *version, const char *place, int64_t time)
{
        return (struct qn_reported){ .name = QN_STR("evil"),
                                     .version = qn_str_c(version),
                                     .place = qn_str_c(place),
                                     .branch = QN_STR("qanat/evil"),
                                     .commit = QN_STR("1234"),
                                     .path = QN_STR("osv/x.json"),
                                     .state = QN_REPORT_WRITTEN,
                                     .time = time,
                                     .changed = time };
}

TEST(a_report_is_found_by_version_and_place)
{
        WATCH_PLACE(p);
        ARENA(a);
        struct qn_reported r = row("1.0.0", "/here", 10), got;

        ASSERT_EQ(qn_reports_find(&p.db, r.name, r.version, (struct qn_str){ 0 }, &a, &got),
                  -ENOENT);
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        r = row("1.0.0", "/there", 20);
        r.state = QN_REPORT_SENT;
        r.branch = r.commit = (struct qn_str){ 0 };
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        ASSERT_EQ(qn_reports_find(&p.db, r.name, r.version, QN_STR("/here"), &a, &got), 0);
        ASSERT_EQ(got.state, QN_REPORT_WRITTEN);
        ASSERT_STR(got.branch, "qanat/evil");
        ASSERT_EQ(qn_reports_find(&p.db, r.name, r.version, (struct qn_str){ 0 }, &a, &got), 0);
        ASSERT_STR(got.place, "/there");
        ASSERT_EQ(got.state, QN_REPORT_SENT);
        ASSERT_NULL(got.branch.p);
}

TEST(what_becomes_of_it_keeps_when_it_began)
{
        WATCH_PLACE(p);
        ARENA(a);
        struct qn_reported r = row("1.0.0", "/here", 10), got;

        r.campaign = QN_STR("worm");
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        r = row("1.0.0", "/here", 30);
        r.state = QN_REPORT_WITHDRAWN;
        r.reason = QN_STR("wrong");
        r.by = QN_STR("R");
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        ASSERT_EQ(qn_reports_find(&p.db, r.name, r.version, QN_STR("/here"), &a, &got), 0);
        ASSERT_EQ(got.time, 10);
        ASSERT_EQ(got.changed, 30);
        ASSERT_EQ(got.state, QN_REPORT_WITHDRAWN);
        ASSERT_STR(got.campaign, "worm");
        ASSERT_STR(got.reason, "wrong");
        ASSERT_STR(qn_str_c(qn_report_state_name(got.state)), "withdrawn");
}

static int count(void *ctx, const struct qn_reported *r QN_UNUSED)
{
        return ++*(int *)ctx >= 2;
}

static int note(void *ctx, struct qn_str name, struct qn_str version)
{
        qn_buf_printf(ctx, "%.*s@%.*s ", QN_STR_ARG(name), QN_STR_ARG(version));
        return 0;
}

static void see(struct qn_db *db, const char *version, const char *verdict, int64_t judged)
{
        const struct qn_seen_put put = { .v = { .name = QN_STR("evil"),
                                                .version = qn_str_c(version),
                                                .integrity = QN_STR("sha512-x"),
                                                .judged = judged,
                                                .verdict = qn_str_c(verdict),
                                                .reason = QN_STR(""),
                                                .rules = QN_STR("") } };
        int64_t id;

        ASSERT_EQ(qn_versions_put(db, &put, &id), 1);
}

TEST(what_nobody_was_told_of)
{
        WATCH_PLACE(p);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_reported r = row("1.0.1", "/here", 10);
        int n = 0;

        see(&p.db, "1.0.0", "malicious", 30);
        see(&p.db, "1.0.1", "malicious", 20);
        see(&p.db, "1.0.2", "suspicious", 20);
        see(&p.db, "1.0.3", "malicious", 10);
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        ASSERT_EQ(qn_reports_pending(&p.db, 0, note, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "evil@1.0.3 evil@1.0.0 ");
        r = row("1.0.0", "/here", 10);
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        r = row("1.0.3", "/here", 10);
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        ASSERT_EQ(qn_reports_each(&p.db, QN_STR("evil"), count, &n), 1);
        ASSERT_EQ(n, 2);
        n = 0;
        ASSERT_EQ(qn_reports_each(&p.db, QN_STR("good"), count, &n), 0);
        ASSERT_EQ(n, 0);
}

static void say(struct qn_db *db, int64_t version, enum qn_review_action action, const char *as)
{
        const struct qn_review v = { .version = version,
                                     .time = 1,
                                     .who = QN_STR("jo"),
                                     .action = action,
                                     .integrity = QN_STR("sha512-x"),
                                     .verdict = qn_str_c(as) };

        ASSERT_EQ(qn_reviews_add(db, &v), 0);
}

TEST(what_a_person_has_confirmed_is_to_be_reported)
{
        WATCH_PLACE(p);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_watch_policy policy;
        struct qn_reported r = row("1.0.4", "/here", 10);

        see(&p.db, "1.0.0", "clean", 30); /* no rule finds it */
        see(&p.db, "1.0.1", "malicious", 20);
        see(&p.db, "1.0.2", "suspicious", 20);
        see(&p.db, "1.0.3", "clean", 10);
        see(&p.db, "1.0.4", "clean", 10);
        say(&p.db, 1, QN_REVIEW_CONFIRM, "malicious");
        say(&p.db, 2, QN_REVIEW_CONFIRM, "malicious");
        say(&p.db, 3, QN_REVIEW_CONFIRM, "suspicious");
        say(&p.db, 4, QN_REVIEW_NOTE, "clean");
        say(&p.db, 5, QN_REVIEW_CONFIRM, "malicious");
        ASSERT_EQ(qn_reports_put(&p.db, &r), 0);
        ASSERT_EQ(qn_reports_pending(&p.db, 50, note, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "evil@1.0.1 evil@1.0.2 evil@1.0.0 ");
        qn_buf_reset(&b);
        qn_watch_policy_defaults(&policy);
        ASSERT_EQ(qn_unreported(&p.db, &policy, 50, note, &b), 0);
        ASSERT_EQ(b.n, 0);
        policy.reports_confirmed = true;
        ASSERT_EQ(qn_unreported(&p.db, &policy, 50, note, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "evil@1.0.1 evil@1.0.0 ");
        see(&p.db, "1.0.1", "clean", 40); /* a back-scan clears it: that changes nothing */
        qn_buf_reset(&b);
        ASSERT_EQ(qn_unreported(&p.db, NULL, 50, note, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "evil@1.0.0 evil@1.0.1 ");
}

static bool is_offered(struct qn_db *db, int64_t now)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

        ASSERT_EQ(qn_reports_pending(db, now, note, &b), 0);
        return b.n > 0;
}

TEST(what_was_not_reported_is_put_off)
{
        WATCH_PLACE(p);
        struct qn_put_off off = { .name = QN_STR("evil"), .version = QN_STR("1.0.0"), .now = 50 };
        int64_t wait = QN_REPORT_WAIT_MS;

        see(&p.db, "1.0.0", "malicious", 30);
        ASSERT_TRUE(is_offered(&p.db, 50));
        for (unsigned i = 0; i < 8; i++) { /* longer each time */
                ASSERT_EQ(qn_reports_put_off(&p.db, &off), 0);
                ASSERT_TRUE(!is_offered(&p.db, off.now + wait - 1));
                ASSERT_TRUE(is_offered(&p.db, off.now + wait));
                ASSERT_TRUE(is_offered(&p.db, INT64_MAX));
                off.now += wait;
                wait = QN_MIN(wait * 4, QN_REPORT_WAIT_MAX_MS);
        }
        off.known = true;
        ASSERT_EQ(qn_reports_put_off(&p.db, &off), 0);
        ASSERT_TRUE(!is_offered(&p.db, off.now + QN_REPORT_WAIT_KNOWN_MS - 1));
        ASSERT_TRUE(is_offered(&p.db, off.now + QN_REPORT_WAIT_KNOWN_MS));
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE version SET judged = 1000000000000"), 0);
        ASSERT_TRUE(is_offered(&p.db, off.now + 1)); /* judged anew */
}

TEST(whether_there_may_be_more)
{
        WATCH_PLACE(p);
        uint64_t first, then;

        ASSERT_EQ(qn_reports_stamp(&p.db, &first), 0);
        see(&p.db, "1.0.0", "clean", 30);
        ASSERT_EQ(qn_reports_stamp(&p.db, &then), 0);
        ASSERT_EQ(then, first);
        see(&p.db, "1.0.1", "malicious", 31);
        ASSERT_EQ(qn_reports_stamp(&p.db, &then), 0);
        ASSERT_TRUE(then != first);
}

/* --- hashes --- */

#define WALLET "0x52908400098527886E0F7030069857D2E4169EE7"

static void digest(struct qn_str tar, struct qn_arena *a, struct qn_digests *ret)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = qn_gz_new();
        static const struct qn_str paths[] = { { "x.js", 4 }, { "gone.js", 7 }, { "a.js", 4 } };

        ASSERT_EQ(qn_digests_read(gz, qn_cur_str(tar), paths, QN_ARRAY_SIZE(paths), a, ret), 0);
}

TEST(hashes_of_some_files)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(TB_MAX), wire = QN_BUF_INIT(TB_MAX);
        struct qn_digests d, again;
        const struct qn_file_digest *f;

        tb_file(&tar, "package/x.js", "the first of that name");
        tb_file(&tar, "package/a.js", "pay('" WALLET "', '" WALLET "')");
        tb_file(&tar, "package/b.js", "not asked for");
        tb_file(&tar, "package/x.js", "abc");
        tb_end(&tar);
        digest(qn_buf_view(&tar), &a, &d);
        ASSERT_EQ(d.n, 3u);
        ASSERT_EQ(d.sha1.n, 40u);
        f = qn_digests_find(&d, QN_STR("x.js"));
        ASSERT_STR(f->sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        ASSERT_EQ(qn_digests_find(&d, QN_STR("gone.js"))->sha256.n, 0u);
        ASSERT_NULL(qn_digests_find(&d, QN_STR("b.js")));
        f = qn_digests_find(&d, QN_STR("a.js"));
        ASSERT_EQ(f->n_wallets, 1u);
        ASSERT_STR(f->wallets[0], WALLET);
        ASSERT_EQ(qn_digests_wire_write(&d, &wire), 0);
        ASSERT_EQ(qn_digests_wire_read(qn_cur_mem(wire.p, wire.n), &a, &again), 0);
        ASSERT_EQ(again.n, 3u);
        ASSERT_STR(again.sha512, d.sha512.p);
        ASSERT_STR(qn_digests_find(&again, QN_STR("a.js"))->wallets[0], WALLET);
        for (size_t i = 0; i < wire.n; i++)
                ASSERT_TRUE(qn_digests_wire_read(qn_cur_mem(wire.p, i), &a, &again) < 0);
}

TEST(an_archive_that_breaks_off_gives_what_came_before)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(TB_MAX);
        struct qn_digests d;

        tb_file(&tar, "package/x.js", "abc");
        digest(qn_str_take(qn_buf_view(&tar), tar.n - 100), &a, &d);
        ASSERT_EQ(qn_digests_find(&d, QN_STR("a.js"))->sha256.n, 0u);
        digest(QN_STR("\x1f\x8b\x08 no archive"), &a, &d);
        ASSERT_EQ(d.sha1.n, 40u);
}

TEST(wallets_and_files_have_limits)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(TB_MAX), text = QN_BUF_INIT(TB_MAX),
                                             ask = QN_BUF_INIT(TB_MAX);
        struct qn_str many[QN_DIGEST_FILES_MAX + 9], *asked;
        struct qn_digests d;
        size_t n;

        for (unsigned i = 0; i < 3 * QN_DIGEST_WALLETS_MAX; i++)
                qn_buf_printf(&text, "0x%040x ", i);
        tb_file(&tar, "package/x.js", text.p);
        tb_end(&tar);
        digest(qn_buf_view(&tar), &a, &d);
        ASSERT_TRUE(qn_digests_find(&d, QN_STR("x.js"))->n_wallets <= QN_DIGEST_WALLETS_MAX);
        for (size_t i = 0; i < QN_ARRAY_SIZE(many); i++)
                many[i] = i % 2 ? QN_STR("a") : QN_STR("b");
        qn_digests_wire_ask(&ask, many, QN_ARRAY_SIZE(many));
        ASSERT_EQ(qn_digests_wire_asked(qn_cur_mem(ask.p, ask.n), &a, &asked, &n), 0);
        ASSERT_EQ(n, 2u);
        ASSERT_EQ(qn_digests_wire_asked(qn_cur_mem(ask.p, ask.n - 1), &a, &asked, &n), -EBADMSG);
}
