/* Notices: what leaves the house, as JSON, text, Markdown and mail; who gets it; the file that says so. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/packument.h"
#include "store/ledger.h"
#include "test.h"
#include "watch/affected.h"
#include "watch/mail.h"
#include "watch/notify.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)
#define BUF(b)   _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20)

static bool has(const struct qn_buf *b, const char *what)
{
        return qn_str_find(qn_buf_view(b), qn_str_c(what)) >= 0;
}

static size_t times(const struct qn_buf *b, const char *what)
{
        struct qn_str s = qn_buf_view(b), w = qn_str_c(what);
        size_t n = 0;

        for (ptrdiff_t at; (at = qn_str_find(s, w)) >= 0; n++)
                s = qn_str_skip(s, (size_t)at + w.n);
        return n;
}

/* --- safe text --- */

TEST(nothing_in_a_text_can_do_anything)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "a\r\nBcc: x", "a Bcc: x" },
                { "\x1b[31m", "\\x1b[31m" },
                { "@everyone", "[@]everyone" },
                { "<@U1> <!here>", "<[@]U1> <[!]here>" },
                { "see https://a.invalid/b", "see hxxps://a[.]invalid/b" },
                { "\xe2\x80\xaegpj", "\\u{202e}gpj" },
                { "\xff\x80", "\\xff\\x80" },
                { "mail a@b.invalid", "mail a[@]b[.]invalid" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                BUF(b);
                qn_notice_safe(&b, qn_str_c(rows[i].in), 0);
                ASSERT_STR(qn_buf_view(&b), rows[i].out);
        }
}

TEST(names_that_npm_could_have_stay)
{
        static const struct {
                const char *in, *out;
        } rows[] = {
                { "socket.io", "socket.io" },
                { "@babel/core", "@babel/core" },
                { "1.0.0-rc.1+b", "1.0.0-rc.1+b" },
                { "@everyone/x", "[@]everyone/x" },
                { "@Here/x", "[@]Here/x" },
                { "a@b", "a[@]b" },
                { "a/b", "a/b" },
                { "a b\n", "a b" },
                { "http://x.invalid", "hxxp://x[.]invalid" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                BUF(b);
                qn_notice_safe_name(&b, qn_str_c(rows[i].in));
                if (!qn_str_eq(qn_str_trim(qn_buf_view(&b)), qn_str_c(rows[i].out)))
                        fail_msg("%s: %s", rows[i].in, b.p);
        }
}

/* --- one notice --- */

static struct qn_notice notice(void)
{
        return (struct qn_notice){ .kind = QN_NOTICE_MALICIOUS,
                                   .name = QN_STR("@s/bad"),
                                   .version = QN_STR("1.0.0"),
                                   .verdict = QN_STR("malicious"),
                                   .before = QN_STR("clean"),
                                   .score = 97,
                                   .reason = QN_STR("it `steals` tokens"),
                                   .time = QN_TIME_NONE };
}

static struct qn_str text_of(const struct qn_notice *n,
                             int (*write)(const struct qn_notice *n, struct qn_buf *out),
                             struct qn_buf *b)
{
        qn_buf_reset(b);
        ASSERT_EQ(write(n, b), 0);
        return qn_buf_view(b);
}

TEST(subjects_and_topics)
{
        struct qn_notice n = notice();
        BUF(b);

        ASSERT_STR(text_of(&n, qn_notice_subject, &b), "malicious: @s/bad@1.0.0");
        ASSERT_STR(text_of(&n, qn_notice_topic, &b), "scope @s");
        n.kind = QN_NOTICE_CHANGED;
        n.name = QN_STR("bad");
        ASSERT_STR(text_of(&n, qn_notice_subject, &b), "verdict-changed: bad@1.0.0 is malicious");
        ASSERT_STR(text_of(&n, qn_notice_topic, &b), "package bad");
        n.kind = QN_NOTICE_CAMPAIGN;
        n.campaign = QN_STR("c-7");
        ASSERT_STR(text_of(&n, qn_notice_subject, &b), "campaign: c-7");
        ASSERT_STR(text_of(&n, qn_notice_topic, &b), "campaign c-7");
        n.campaign = QN_STR("");
        n.name = QN_STR("@everyone/x");
        ASSERT_STR(text_of(&n, qn_notice_topic, &b), "scope [@]everyone");
}

static bool same_fact(const struct qn_notice *x, const struct qn_notice *y, const char *owner)
{
        BUF(a);
        BUF(b);

        ASSERT_EQ(qn_notice_fact(x, qn_str_c(owner), &a), 0);
        ASSERT_EQ(qn_notice_fact(y, qn_str_c(owner), &b), 0);
        return qn_str_eq(qn_buf_view(&a), qn_buf_view(&b));
}

TEST(what_is_the_same_fact)
{
        const struct qn_notice_place places[] = {
                { .kind = QN_STR("project"), .name = QN_STR("a") },
                { .kind = QN_STR("project"), .name = QN_STR("b") }
        };
        const struct qn_notice_place again[] = { places[0], places[0] };
        struct qn_notice x = notice(), y = notice();

        y.score = 80;
        y.reason = QN_STR("other words");
        y.time = 5;
        ASSERT_TRUE(same_fact(&x, &y, NULL));
        x.kind = y.kind = QN_NOTICE_CHANGED;
        ASSERT_FALSE(same_fact(&x, &y, NULL)); /* it changed once more */
        y = x;
        y.version = QN_STR("1.0.1");
        ASSERT_FALSE(same_fact(&x, &y, NULL));
        y = x;
        x.places = y.places = places;
        x.n_places = 1;
        y.n_places = 2;
        ASSERT_TRUE(same_fact(&x, &y, NULL));
        ASSERT_FALSE(same_fact(&x, &y, "web")); /* another of their assets has it */
        y.n_places = 1;
        ASSERT_TRUE(same_fact(&x, &y, "web"));
        x.places = again;
        x.n_places = 2;
        ASSERT_TRUE(same_fact(&x, &y, "web")); /* another file in the same asset */
        x.kind = y.kind = QN_NOTICE_CAMPAIGN;
        x.campaign = y.campaign = QN_STR("c");
        y.name = QN_STR("sibling");
        ASSERT_TRUE(same_fact(&x, &y, NULL));
}

TEST(a_fact_of_many_places_is_short)
{
        const size_t n = 100000;
        _cleanup_(qn_freep) struct qn_notice_place *places = calloc(n, sizeof *places);
        _cleanup_(qn_freep) char *names = calloc(n, 128);
        struct qn_notice x = notice(), y;
        BUF(b);

        ASSERT_TRUE(places && names);
        for (size_t i = 0; i < n; i++) {
                snprintf(names + i * 128, 128, "%0120zu", i);
                places[i] = (struct qn_notice_place){ .kind = QN_STR("project"),
                                                      .name = qn_str_c(names + i * 128) };
        }
        x.places = places;
        x.n_places = n;
        ASSERT_EQ(qn_notice_fact(&x, QN_STR("web"), &b), 0);
        ASSERT_TRUE(b.n < 4096);
        y = x;
        ASSERT_TRUE(same_fact(&x, &y, "web"));
        y.n_places--;
        ASSERT_FALSE(same_fact(&x, &y, "web"));
        x.n_places = 1;
        x.n_more = 7;
        qn_buf_reset(&b);
        ASSERT_EQ(qn_notice_write(&x, &b), 0);
        ASSERT_TRUE(has(&b, "\"places_total\":8"));
}

TEST(a_notice_has_caps)
{
        static struct qn_seen_finding findings[QN_NOTIFY_FINDINGS_MAX + 3];
        static struct qn_notice_place places[QN_NOTIFY_PLACES_MAX + 3];
        static char reason[QN_NOTIFY_TEXT_MAX * 2];
        struct qn_notice n = notice();
        BUF(b);

        for (size_t i = 0; i < QN_ARRAY_SIZE(findings); i++)
                findings[i].rule = QN_STR("ruleid");
        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++)
                places[i] = (struct qn_notice_place){ .kind = QN_STR("image") };
        memset(reason, 'r', sizeof reason);
        for (size_t i = 7; i < sizeof reason; i += 8)
                reason[i] = ' '; /* words, no secret */
        n.findings = findings;
        n.n_findings = QN_ARRAY_SIZE(findings);
        n.places = places;
        n.n_places = QN_ARRAY_SIZE(places);
        n.reason = (struct qn_str){ reason, sizeof reason };
        ASSERT_EQ(qn_notice_write(&n, &b), 0);
        ASSERT_EQ(times(&b, "ruleid"), QN_NOTIFY_FINDINGS_MAX);
        ASSERT_EQ(times(&b, "\"image\""), QN_NOTIFY_PLACES_MAX);
        ASSERT_EQ(times(&b, "\"places_total\":503"), 1);
        ASSERT_EQ(times(&b, "rrrrrrr"), QN_NOTIFY_TEXT_MAX / 8);
}

/* --- messages --- */

static struct qn_notice_message message_of(const struct qn_str *bodies, size_t n, uint64_t count)
{
        return (struct qn_notice_message){ .uid = QN_STR("abc-1"),
                                           .recipient = QN_STR("r"),
                                           .topic = QN_STR("scope @s"),
                                           .subject = QN_STR("malicious: @s/bad@1.0.0"),
                                           .created = INT64_C(1700000100000),
                                           .count = count,
                                           .bodies = bodies,
                                           .n = n };
}

TEST(broken_bodies)
{
        const struct qn_str body = QN_STR("{\"kind\":");
        struct qn_notice_message m = message_of(&body, 1, 1);
        ARENA(a);
        BUF(b);

        ASSERT_TRUE(qn_notice_text(&m, false, &a, &b) < 0);
        m.n = 0;
        ASSERT_EQ(qn_notice_text(&m, false, &a, &b), 0);
}

TEST(json_text_and_markdown)
{
        struct qn_notice n = notice();
        const struct qn_notice_place place = { .kind = QN_STR("project"),
                                               .name = QN_STR("shop"),
                                               .owner = QN_STR("web"),
                                               .version = QN_STR("1.0.0"),
                                               .since = 0,
                                               .last = QN_TIME_NONE,
                                               .gone = true };
        struct qn_notice_message m;
        struct qn_str body;
        struct qn_node *root;
        ARENA(a);
        BUF(w);
        BUF(json);
        BUF(text);
        BUF(md);

        n.places = &place;
        n.n_places = 1;
        body = text_of(&n, qn_notice_write, &w);
        m = message_of(&body, 1, 3);
        ASSERT_EQ(qn_notice_json(&m, &json), 0);
        ASSERT_EQ(qn_json_parse(qn_cur_str(qn_buf_view(&json)), &a, &root, NULL), 0);
        ASSERT_EQ(qn_node_u64(qn_node_get(root, "count"), 0), 3);
        ASSERT_EQ(qn_node_get(root, "notices")->n, 1);
        ASSERT_STR(qn_node_text(qn_node_get(root, "title")),
                   "[qanat] malicious: @s/bad@1.0.0 and 2 more (scope @s)");
        ASSERT_EQ(qn_notice_text(&m, false, &a, &text), 0);
        ASSERT_TRUE(has(&text, "- malicious @s/bad 1.0.0: malicious, score 97, before: clean\n"));
        ASSERT_TRUE(has(&text, "- and 2 more\n") && has(&text, "\n5. Only then rotate"));
        ASSERT_TRUE(has(&text, "- project shop, owner web, version 1.0.0, since "
                               "1970-01-01T00:00:00Z, it is there no more\n"));
        ASSERT_EQ(qn_notice_text(&m, true, &a, &md), 0);
        ASSERT_TRUE(has(&md, "- malicious `@s/bad` `1.0.0`: `malicious`") &&
                    has(&md, "```text\nit `steals` tokens\n```\n"));
        ASSERT_FALSE(has(&md, "[qanat]")); /* an issue has a title */
}

TEST(advice_goes_with_the_worst)
{
        struct qn_notice n = notice();
        struct qn_str bodies[2];
        struct qn_notice_message m;
        ARENA(a);
        BUF(x);
        BUF(y);
        BUF(out);

        n.verdict = QN_STR("suspicious");
        n.kind = QN_NOTICE_SUSPICIOUS;
        bodies[0] = text_of(&n, qn_notice_write, &x);
        m = message_of(bodies, 1, 1);
        ASSERT_EQ(qn_notice_text(&m, false, &a, &out), 0);
        ASSERT_TRUE(has(&out, "Rotate nothing yet") && !has(&out, "Stop the spread"));
        n.verdict = QN_STR("malicious");
        bodies[1] = text_of(&n, qn_notice_write, &y);
        m.n = m.count = 2;
        qn_buf_reset(&out);
        ASSERT_EQ(qn_notice_text(&m, false, &a, &out), 0);
        ASSERT_TRUE(has(&out, "Stop the spread"));
        n.kind = QN_NOTICE_REPORT;
        bodies[0] = text_of(&n, qn_notice_write, &x);
        m.n = m.count = 1;
        qn_buf_reset(&out);
        ASSERT_EQ(qn_notice_text(&m, false, &a, &out), 0);
        ASSERT_FALSE(has(&out, "What to do"));
}

TEST(large_messages_stay_within_their_caps)
{
        static struct qn_str bodies[QN_NOTIFY_LINES_MAX + 50];
        static struct qn_notice_place places[QN_NOTIFY_PLACES_MAX];
        struct qn_notice n = notice();
        struct qn_notice_message m;
        ARENA(a);
        BUF(few);
        BUF(many);
        BUF(text);
        BUF(md);

        n.reason = QN_STR("reasonword");
        bodies[0] = text_of(&n, qn_notice_write, &few);
        for (size_t i = 1; i < QN_ARRAY_SIZE(bodies); i++)
                bodies[i] = bodies[0];
        m = message_of(bodies, QN_ARRAY_SIZE(bodies), QN_ARRAY_SIZE(bodies));
        ASSERT_EQ(qn_notice_text(&m, false, &a, &text), 0);
        ASSERT_EQ(times(&text, "- malicious "), QN_NOTIFY_LINES_MAX);
        ASSERT_EQ(times(&text, "reasonword"), QN_NOTIFY_DETAILS_MAX);
        ASSERT_TRUE(has(&text, "- and 50 more\n"));
        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++)
                places[i] =
                        (struct qn_notice_place){ .kind = QN_STR("project"),
                                                  .name = QN_STR("a place with a long name"),
                                                  .path = QN_STR("some/where/package-lock.json") };
        n.places = places;
        n.n_places = QN_ARRAY_SIZE(places);
        bodies[0] = text_of(&n, qn_notice_write, &many);
        for (size_t i = 1; i < QN_ARRAY_SIZE(bodies); i++)
                bodies[i] = bodies[0];
        ASSERT_EQ(qn_notice_text(&m, true, &a, &md), 0);
        ASSERT_TRUE(md.n < QN_NOTIFY_ISSUE_MAX);
        qn_buf_reset(&md);
        ASSERT_EQ(qn_notice_json(&m, &md), 0);
        ASSERT_TRUE(md.n < QN_NOTIFY_MESSAGE_MAX && has(&md, "\"count\":350,"));
        ASSERT_EQ(md.p[md.n - 1], '}');
}

/* --- mail --- */

static void mail(const char *subject, const char *text, struct qn_buf *out)
{
        const struct qn_mail m = { .from = QN_STR("q@acme.invalid"),
                                   .to = QN_STR("s@acme.invalid"),
                                   .uid = QN_STR("abc-1"),
                                   .topic = QN_STR("t"),
                                   .subject = qn_str_c(subject),
                                   .text = qn_str_c(text),
                                   .time = INT64_C(1700000100000) };

        qn_buf_reset(out);
        ASSERT_EQ(qn_mail_write(&m, out), 0);
}

/* Lines end with CRLF and nothing else, none is long, and there is one empty one before the text. */
static void is_well_formed(const struct qn_buf *b)
{
        size_t line = 0;

        for (size_t i = 0; i < b->n; i++) {
                ASSERT_TRUE((uint8_t)b->p[i] < 0x80 && b->p[i]);
                ASSERT_TRUE((b->p[i] == '\n') == (i && b->p[i - 1] == '\r'));
                line = b->p[i] == '\n' ? 0 : line + 1;
                ASSERT_TRUE(line <= 200);
        }
        ASSERT_FALSE(has(b, "\r\n.\r\n"));
}

TEST(mail_headers)
{
        BUF(b);

        mail("plain", "t\n", &b);
        is_well_formed(&b);
        ASSERT_TRUE(has(&b, "Subject: plain\r\n") &&
                    has(&b, "Date: Tue, 14 Nov 2023 22:15:00 +0000\r\n") &&
                    has(&b, "Message-ID: <abc-1@acme.invalid>\r\n"));
        mail("a\r\nBcc: x@y.invalid", "t\n", &b);
        is_well_formed(&b);
        ASSERT_FALSE(has(&b, "Bcc"));
        mail("=?utf-8?B?QmNj?=", "t\n", &b);
        ASSERT_FALSE(has(&b, "QmNj"));
        mail("\xc3\xa4\xc3\xb6\xc3\xbc long enough for several words \xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
             "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
             "t\n", &b);
        is_well_formed(&b);
        ASSERT_EQ(times(&b, "=?utf-8?B?"), 2);
}

TEST(mail_text)
{
        BUF(b);

        mail("s", ".\nMAIL FROM:<x>\n..\n a \nb=c \xe2\x82\xac\r\nd", &b);
        is_well_formed(&b);
        ASSERT_TRUE(has(&b, "\r\n\r\n=2E\r\nMAIL FROM:<x>\r\n=2E.\r\n a=20\r\n"
                            "b=3Dc =E2=82=AC=0D\r\nd\r\n"));
        mail("s", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.\n",
             &b);
        is_well_formed(&b);
        ASSERT_TRUE(has(&b, "x=\r\n=2E\r\n"));
        mail("s", "", &b);
        is_well_formed(&b);
}

/* --- who gets it --- */

static int load(const char *text, struct qn_arena *a, struct qn_notify_conf *c, struct qn_err *err)
{
        return qn_notify_conf_parse(qn_str_c(text), "notify.yaml", false, a, c, err);
}

TEST(wrong_files)
{
        static const struct {
                const char *text, *why;
        } rows[] = {
                { "wait: soon\n", "notify.yaml:1: wait is 0 or a time" },
                { "limit: 5\n", "notify.yaml:1: limit is a mapping" },
                { "channels: {}\n", "notify.yaml:1: channels is a list" },
                { "channels:\n  - kind: mail\n", "notify.yaml:2: a channel's `name`" },
                { "channels:\n  - {name: a, kind: mail, url: \"smtp://h/x\", from: a@b}\n",
                  "notify.yaml:2: url is an address such as smtp" },
                { "channels:\n  - {name: a, kind: mail, url: \"smtp://u@h\", from: a@b}\n",
                  "notify.yaml:2: url is an address such as smtp" },
                { "channels:\n  - {name: a, kind: mail, url: \"smtp://h\", from: a@b, user: u}\n",
                  "notify.yaml:2: `user` and `password` belong together" },
                { "channels:\n  - {name: a, kind: webhook, url: \"http://h\", timeout: 1h}\n",
                  "notify.yaml:2: timeout is between" },
                { "channels:\n  - {name: a, kind: mail, url: \"smtp://h\", from: a@b}\nroutes:\n"
                  "  - {to: a, address: \"x@y, z@y\"}\n",
                  "notify.yaml:4: `address` says to whom" },
                { "owners:\n  - {to: a}\n", "notify.yaml:2: an owner without `name`" },
                { "owners:\n  - {to: a, address: \"@a.b\"}\n",
                  "notify.yaml:2: owners without `name` get mail" },
                { "channels:\n  - {name: a, kind: mail, url: \"smtp://h\", from: a@b}\n"
                  "owners:\n  - {to: a, address: \"@\"}\n",
                  "notify.yaml:4: owners without `name` get mail" },
                { "channels:\n  - {name: a, kind: webhook, url: \"http://h\", secret: {}}\n",
                  "notify.yaml:2: secret is {file: PATH}" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                struct qn_notify_conf c = { .tries = 77 };
                struct qn_err err = { 0 };
                ARENA(a);

                ASSERT_EQ(load(rows[i].text, &a, &c, &err), -EINVAL);
                if (!qn_str_starts(qn_str_c(err.msg), rows[i].why))
                        fail_msg("%s: %s", rows[i].why, err.msg);
                ASSERT_EQ(c.tries, 77);
        }
}

/* What is commented out in it is right as well. */
TEST(the_shipped_example)
{
        struct qn_notify_conf c, d;
        struct qn_err err = { 0 };
        struct qn_str lines;
        char text[16384];
        size_t n;
        FILE *f;
        ARENA(a);
        BUF(b);

        ASSERT_EQ(qn_notify_conf_load(TEST_DATA "/watch/notify.yaml", &a, &c, &err), 0);
        ASSERT_EQ(load("", &a, &d, &err), 0);
        ASSERT_TRUE(c.tries == d.tries && c.wait_ms == d.wait_ms && c.limit == d.limit &&
                    c.per_ms == d.per_ms && c.retry_ms == d.retry_ms && c.keep_ms == d.keep_ms &&
                    !c.n_channels);
        f = fopen(TEST_DATA "/watch/notify.yaml", "r");
        ASSERT_NOT_NULL(f);
        n = fread(text, 1, sizeof text, f);
        fclose(f);
        lines = (struct qn_str){ text, n };
        while (lines.n) { /* "  # - key" and "  #   key" are not prose */
                struct qn_str line = qn_str_cut(&lines, '\n');

                if (qn_str_starts(line, "  # - ") || qn_str_starts(line, "  #   "))
                        qn_buf_printf(&b, "  %.*s\n", QN_STR_ARG(qn_str_skip(line, 4)));
                else if (!qn_str_starts(line, "  # "))
                        qn_buf_printf(&b, "%.*s\n", QN_STR_ARG(line));
        }
        if (load(b.p, &a, &c, &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_TRUE(c.n_channels == 4 && c.n_routes == 2 && c.n_owners == 2);
        ASSERT_TRUE(c.channels[1].kind == QN_CHANNEL_MAIL && c.routes[1].deployed);
}

struct place {
        char dir[64];
        const char *file; /* NULL: watch.db */
        struct qn_db db;
};

static void place_done(struct place *p)
{
        static const char *const ends[] = { "", "-wal", "-shm" };
        char path[128];

        qn_db_close(&p->db);
        for (size_t i = 0; i < QN_ARRAY_SIZE(ends); i++) {
                snprintf(path, sizeof path, "%s/%s%s", p->dir, p->file ? p->file : "watch.db",
                         ends[i]);
                unlink(path);
        }
        rmdir(p->dir);
}

static int on_row(void *ctx, const struct qn_outbox_message *m)
{
        qn_buf_printf(ctx, "%.*s %.*s %d\n", QN_STR_ARG(m->channel), QN_STR_ARG(m->recipient),
                      (int)m->parts);
        return 0;
}

TEST(who_fetched_it_is_affected)
{
        static const struct {
                const char *version, *token, *address;
                int64_t time;
        } rows[] = {
                { "1.0.0", "ci-web", "10.0.0.1", 1000 },
                { "1.0.0", "ci-web", "10.0.0.2", 3000 },
                { "1.0.0", NULL, "10.0.0.9", 2000 },
                { "2.0.0", "ci-web", "10.0.0.1", 4000 },
        };
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX",
                                                 .file = "gate.db" };
        _cleanup_(qn_arena_done) struct qn_arena tiny = QN_ARENA_INIT(64);
        struct qn_affected found = { 0 };
        ARENA(a);

        ASSERT_NOT_NULL(mkdtemp(p.dir));
        ASSERT_EQ(qn_db_open(&qn_db_gate, p.dir, true, &p.db, NULL), 0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(rows); i++) {
                struct qn_ledger_fetch f = { .artifact = { .name = QN_STR("bad"),
                                                           .version = qn_str_c(rows[i].version),
                                                           .integrity = qn_str_c(rows[i].version) },
                                             .time = rows[i].time,
                                             .token = qn_str_c(rows[i].token),
                                             .address = qn_str_c(rows[i].address) };

                ASSERT_EQ(qn_ledger_artifact(&p.db, &f.artifact, &f.artifact.id), 0);
                ASSERT_EQ(qn_ledger_add(&p.db, &f), 0);
        }
        ASSERT_EQ(qn_affected_find(NULL, &p.db, QN_STR("good"), QN_STR(""), &a, &found), 0);
        ASSERT_EQ(found.n, 0);
        ASSERT_EQ(qn_affected_find(NULL, NULL, QN_STR("bad"), QN_STR(""), &a, &found), 0);
        ASSERT_EQ(found.n, 0);
        ASSERT_EQ(qn_affected_find(NULL, &p.db, QN_STR("bad"), QN_STR("1.0.0"), &a, &found), 0);
        ASSERT_EQ(found.n, 2);
        ASSERT_STR(found.places[0].name, "10.0.0.9");
        ASSERT_STR(found.places[1].name, "ci-web");
        ASSERT_STR(found.places[1].kind, "client");
        ASSERT_TRUE(found.places[1].since == 1000 && found.places[1].last == 3000);
        ASSERT_EQ(qn_affected_find(NULL, &p.db, QN_STR("bad"), QN_STR(""), &a, &found), 0);
        ASSERT_EQ(found.n, 3);
        ASSERT_EQ(qn_affected_find(NULL, &p.db, QN_STR("bad"), QN_STR(""), &tiny, &found), 0);
        ASSERT_TRUE(found.n == 0 && found.more == 3); /* no room: they are counted */
}

TEST(owners_who_are_addresses)
{
        static const char conf[] =
                "channels:\n"
                "  - {name: m, kind: mail, url: \"smtp://h\", from: a@b}\n"
                "owners:\n"
                "  - {to: m, address: \"@acme.invalid\"}\n"
                "  - {name: boss@acme.invalid, to: m, address: office@acme.invalid}\n";
        const struct qn_notice_place places[] = {
                { .kind = QN_STR("project"),
                  .name = QN_STR("a"),
                  .owner = QN_STR("w@acme.invalid") },
                { .kind = QN_STR("project"),
                  .name = QN_STR("b"),
                  .owner = QN_STR("w@acme.invalid") },
                { .kind = QN_STR("host"),
                  .name = QN_STR("c"),
                  .owner = QN_STR("boss@acme.invalid") },
                { .kind = QN_STR("host"), .name = QN_STR("d"), .owner = QN_STR("x@evil.invalid") },
                { .kind = QN_STR("host"),
                  .name = QN_STR("e"),
                  .owner = QN_STR("x@evil.invalid>,<y@acme.invalid") },
                { .kind = QN_STR("host"), .name = QN_STR("f") },
        };
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX" };
        struct qn_notify_conf c;
        struct qn_notice n = notice();
        struct qn_err err = { 0 };
        ARENA(a);
        BUF(rows);

        ASSERT_NOT_NULL(mkdtemp(p.dir));
        ASSERT_EQ(qn_db_open(&qn_db_watch, p.dir, true, &p.db, NULL), 0);
        ASSERT_EQ(load(conf, &a, &c, &err), 0);
        n.places = places;
        n.n_places = QN_ARRAY_SIZE(places);
        ASSERT_EQ(qn_notify_queue(&c, &p.db, &n, 1000, NULL), 0);
        ASSERT_EQ(qn_outbox_each(&p.db, NULL, on_row, &rows), 0);
        ASSERT_STR(qn_buf_view(&rows), "m w@acme.invalid 1\nm office@acme.invalid 1\n");
}

TEST(routes_and_owners)
{
        static const char conf[] = "channels:\n"
                                   "  - {name: h, kind: webhook, url: \"http://h\"}\n"
                                   "  - {name: m, kind: mail, url: \"smtp://h\", from: a@b}\n"
                                   "routes:\n"
                                   "  - {to: h, kinds: [malicious], score: 50}\n"
                                   "  - {to: m, address: all@x, packages: [\"@s/*\"]}\n"
                                   "  - {to: m, address: near@x, deployed: true}\n"
                                   "owners:\n"
                                   "  - {name: web, to: m, address: web@x, clients: [\"ci-*\"]}\n"
                                   "  - {name: ops, to: m, address: ops@x}\n";
        const struct qn_notice_place places[] = {
                { .kind = QN_STR("project"), .name = QN_STR("a"), .owner = QN_STR("web") },
                { .kind = QN_STR("client"), .name = QN_STR("ci-7"), .owner = QN_STR("ops") },
                { .kind = QN_STR("host"), .name = QN_STR("b") },
        };
        _cleanup_(place_done) struct place p = { .dir = "/tmp/qanat-test-XXXXXX" };
        struct qn_notify_queued q = { 0 };
        struct qn_notify_conf c;
        struct qn_notice n = notice();
        struct qn_err err = { 0 };
        ARENA(a);
        BUF(rows);

        ASSERT_NOT_NULL(mkdtemp(p.dir));
        ASSERT_EQ(qn_db_open(&qn_db_watch, p.dir, true, &p.db, NULL), 0);
        ASSERT_EQ(load(conf, &a, &c, &err), 0);
        n.score = 49;
        n.name = QN_STR("other");
        ASSERT_EQ(qn_notify_queue(&c, &p.db, &n, 1000, &q), 0);
        ASSERT_EQ(q.messages, 0);
        n = notice();
        n.places = places;
        n.n_places = QN_ARRAY_SIZE(places);
        ASSERT_EQ(qn_notify_queue(&c, &p.db, &n, 1000, &q), 0);
        ASSERT_EQ(q.messages, 4);
        ASSERT_EQ(qn_outbox_each(&p.db, NULL, on_row, &rows), 0);
        ASSERT_STR(qn_buf_view(&rows), "h h 1\nm all@x 1\nm near@x 1\nm web@x 1\n");
        n.kind = QN_NOTICE_REPORT;
        ASSERT_EQ(qn_notify_queue(&c, &p.db, &n, 1000, &q), 0);
        ASSERT_TRUE(q.messages == 4 && q.joined == 2); /* reports are not the owners' */
}
