/* What is done by itself and what waits for a person: the file, and what follows from it. */
#include <errno.h>

#include "base/buf.h"
#include "base/io.h"
#include "test.h"
#include "watch/policy.h"

static int parse(const char *text, struct qn_watch_policy *p, struct qn_err *err)
{
        return qn_watch_policy_parse(qn_str_c(text), "p.yaml", p, err);
}

TEST(what_is_wrong_is_told_with_its_line)
{
        static const struct {
                const char *text, *says;
        } wrong[] = {
                { "bands: 90", "p.yaml:1: bands is a mapping" },
                { "bands:\n  automatic: 101", "p.yaml:2: automatic is a score from 0 to 100" },
                { "bands:\n  automatic: -1", "p.yaml:2: automatic is a whole number" },
                { "bands:\n  automatic: often", "p.yaml:2: automatic is a whole number" },
                { "bands:\n  automtic: 90", "did you mean" },
                { "bnads:\n  automatic: 90", "did you mean" },
                { "reports:\n  automatic: perhaps", "p.yaml:2: automatic is true or false" },
                { "notifications:\n  level: clean", "p.yaml:2: level" },
                { "bands:\n  review: 1\n  review: 2", "twice" },
                { "- a", "p.yaml:1: a policy is a mapping" },
                { "bands: [", "p.yaml:" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(wrong); i++) {
                struct qn_watch_policy p = { .automatic = 7 };
                struct qn_err err = { 0 };

                ASSERT_EQ(parse(wrong[i].text, &p, &err), -EINVAL);
                ASSERT_EQ(p.automatic, 7);
                if (!strstr(err.msg, wrong[i].says))
                        fail_msg("\"%s\" does not say \"%s\"", err.msg, wrong[i].says);
        }
}

TEST(a_file_that_is_not_there)
{
        struct qn_watch_policy p;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_watch_policy_load("/nonexistent/policy.yaml", &p, &err), -ENOENT);
        ASSERT_TRUE(strstr(err.msg, "/nonexistent/policy.yaml") != NULL);
}

TEST(the_file_that_is_installed_says_the_defaults)
{
        struct qn_watch_policy file, usual;
        struct qn_err err = { 0 };

        memset(&file, 0, sizeof file);
        memset(&usual, 0, sizeof usual);
        if (qn_watch_policy_load(TEST_DATA "/watch/policy.yaml", &file, &err) < 0)
                fail_msg("%s", err.msg);
        qn_watch_policy_defaults(&usual);
        ASSERT_EQ(file.automatic, usual.automatic);
        ASSERT_EQ(file.review, usual.review);
        ASSERT_EQ(file.reports_automatic, usual.reports_automatic);
        ASSERT_EQ(file.reports_confirmed, usual.reports_confirmed);
        ASSERT_EQ(file.told_from, usual.told_from);
        ASSERT_EQ(file.told_unreviewed, usual.told_unreviewed);
        ASSERT_EQ(file.told_cleared, usual.told_cleared);
        ASSERT_EQ(file.scan_rules, usual.scan_rules);
        ASSERT_EQ(file.scan_intel, usual.scan_intel);
        ASSERT_FALSE(usual.reports_automatic || usual.reports_confirmed);
}

TEST(a_copy_names_what_differs)
{
        struct qn_watch_policy p;
        struct qn_err err = { 0 };

        ASSERT_EQ(parse("", &p, &err), 0);
        ASSERT_EQ(p.automatic, 90);
        ASSERT_EQ(parse("bands:\n  automatic: never\nreports:\n  confirmed: true\n"
                        "notifications: {level: none}\nback-scan: {rules: false}\n",
                        &p, &err),
                  0);
        ASSERT_EQ(p.automatic, QN_WATCH_NEVER);
        ASSERT_EQ(p.review, 40);
        ASSERT_TRUE(p.reports_confirmed && !p.reports_automatic);
        ASSERT_EQ(p.told_from, QN_CLEAN);
        ASSERT_TRUE(!p.scan_rules && p.scan_intel);
}

TEST(bands)
{
        struct qn_watch_policy p;

        qn_watch_policy_defaults(&p);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_CLEAN, 39), QN_BAND_NONE);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_UNKNOWN, 39), QN_BAND_NONE);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_SUSPICIOUS, 40), QN_BAND_REVIEW);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_MALICIOUS, 89), QN_BAND_REVIEW);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_MALICIOUS, 90), QN_BAND_AUTOMATIC);
        p.review = 60;
        p.automatic = QN_WATCH_NEVER;
        ASSERT_EQ(qn_watch_policy_band(&p, QN_SUSPICIOUS, 59), QN_BAND_NONE);
        ASSERT_EQ(qn_watch_policy_band(&p, QN_MALICIOUS, 100), QN_BAND_REVIEW);
}

TEST(what_is_acted_on)
{
        struct qn_watch_policy p;
        struct qn_watch_case c = { .verdict = QN_SUSPICIOUS, .score = 79, .decided = true };

        qn_watch_policy_defaults(&p);
        p.reports_automatic = p.reports_confirmed = true;
        ASSERT_FALSE(qn_watch_policy_acts(&p, &c));
        ASSERT_FALSE(qn_watch_policy_reports(&p, &c));
        c = (struct qn_watch_case){ .verdict = QN_MALICIOUS, .score = 89 };
        ASSERT_FALSE(qn_watch_policy_acts(&p, &c));
        ASSERT_FALSE(qn_watch_policy_tells(&p, &c));
        c.decided = true;
        ASSERT_TRUE(qn_watch_policy_acts(&p, &c));
        ASSERT_TRUE(qn_watch_policy_reports(&p, &c));
        ASSERT_TRUE(qn_watch_policy_tells(&p, &c));
        p.reports_confirmed = false;
        ASSERT_FALSE(qn_watch_policy_reports(&p, &c));
        c = (struct qn_watch_case){ .verdict = QN_MALICIOUS, .score = 95 };
        ASSERT_TRUE(qn_watch_policy_acts(&p, &c));
        ASSERT_TRUE(qn_watch_policy_reports(&p, &c));
        c.waits = true;
        ASSERT_FALSE(qn_watch_policy_acts(&p, &c));
        ASSERT_FALSE(qn_watch_policy_tells(&p, &c));
        p.told_unreviewed = true;
        ASSERT_TRUE(qn_watch_policy_tells(&p, &c));
        c = (struct qn_watch_case){ .verdict = QN_CLEAN };
        ASSERT_TRUE(qn_watch_policy_tells(&p, &c));
        p.told_from = QN_CLEAN;
        ASSERT_FALSE(qn_watch_policy_tells(&p, &c));
}
