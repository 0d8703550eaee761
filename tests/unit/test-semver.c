/* Versions and ranges.  The comparison with npm's own package is tests/cli/semver.mjs; here are the limits, the order of
 * versions, and the cases that the documentation of node-semver gives. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/semver.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)

static bool is_version(const char *s, unsigned flags)
{
        struct qn_semver v;
        int r = qn_semver_parse(qn_str_c(s), flags, &v);

        ASSERT_TRUE(r == 0 || r == -EINVAL);
        return r == 0;
}

TEST(not_versions)
{
        static const char *const bad[] = {
                "",
                " ",
                "1",
                "1.2",
                "1.2.",
                "1.2.3.4",
                "a.b.c",
                "01.2.3",
                "1.2.3-",
                "1.2.3-01",
                "1.2.3-a..b",
                "1.2.3+",
                "1.2.3+a..b",
                "1.2.3-\xc3\xa9",
                "-1.2.3",
                "1.2.x",
                "=1.2.3",
                "1.2.3beta",
                "1.2.9007199254740992",
                "1. 2.3",
                "\xff",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                if (is_version(bad[i], 0))
                        fail_msg("\"%s\" was taken for a version", bad[i]);
}

TEST(version_length_is_capped)
{
        char text[QN_SEMVER_MAX + 2] = "1.2.3-";

        memset(text + 6, 'a', QN_SEMVER_MAX - 6);
        ASSERT_TRUE(is_version(text, 0));
        text[QN_SEMVER_MAX] = 'a';
        ASSERT_FALSE(is_version(text, 0));
}

TEST(nul_is_no_white_space)
{
        struct qn_semver v;

        ASSERT_EQ(qn_semver_parse(QN_STR("1.2.3\0"), QN_SEMVER_LOOSE, &v), -EINVAL);
        ASSERT_EQ(qn_semver_parse((struct qn_str){ NULL, 0 }, 0, &v), -EINVAL);
}

TEST(versions_and_their_parts)
{
        struct qn_semver v;

        ASSERT_EQ(qn_semver_parse(QN_STR(" v1.22.9007199254740991-rc.1+b.01 "), 0, &v), 0);
        ASSERT_EQ(v.minor, 22);
        ASSERT_TRUE(v.patch == QN_SEMVER_NUMBER_MAX);
        ASSERT_STR(v.pre, "rc.1");
        ASSERT_STR(v.build, "b.01");
        ASSERT_EQ(qn_semver_parse(QN_STR("=v 01.2.34.5"), QN_SEMVER_LOOSE, &v), 0);
        ASSERT_EQ(v.patch, 3);
        ASSERT_STR(v.pre, "4.5");
        ASSERT_EQ(qn_semver_parse(QN_STR("1.2.3-"), QN_SEMVER_LOOSE, &v), 0);
        ASSERT_STR(v.pre, "-");
}

TEST(order)
{
        static const char *const up[] = {
                "0.0.0-0",     "0.0.0",         "1.0.0-0",
                "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
                "1.0.0-beta",  "1.0.0-beta.2",  "1.0.0-beta.11",
                "1.0.0-rc.1",  "1.0.0",         "1.0.1",
                "1.2.0",       "1.10.0",        "2.0.0",
        };
        struct qn_semver a, b;

        for (size_t i = 0; i < QN_ARRAY_SIZE(up); i++) {
                for (size_t j = 0; j < QN_ARRAY_SIZE(up); j++) {
                        ASSERT_EQ(qn_semver_parse(qn_str_c(up[i]), 0, &a) |
                                          qn_semver_parse(qn_str_c(up[j]), 0, &b),
                                  0);
                        ASSERT_TRUE(qn_semver_cmp(&a, &b) == (i < j ? -1 : i > j));
                }
        }
        ASSERT_EQ(qn_semver_parse(QN_STR("1.0.0+a"), 0, &a) |
                          qn_semver_parse(QN_STR("1.0.0+b"), 0, &b),
                  0);
        ASSERT_EQ(qn_semver_cmp(&a, &b), 0);
        ASSERT_EQ(qn_semver_cmp_build(&a, &b), -1);
}

TEST(not_ranges)
{
        static const char *const bad[] = { "latest",  ">",         "^",   "1.2.3 -2",
                                           "> 1 <",   "1 - 2 - 3", "x.1", "1.x.1-a",
                                           ">01.1.1", "1.2.3.4",   "||a", "^1.2.3beta" };
        ARENA(a);
        struct qn_range *r = NULL;

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                ASSERT_EQ(qn_range_parse(qn_str_c(bad[i]), 0, &a, &r), -EINVAL);
                ASSERT_NULL(r);
        }
}

TEST(range_limits)
{
        ARENA(a);
        _cleanup_(qn_arena_done) struct qn_arena small = QN_ARENA_INIT(100);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);
        struct qn_range *r = NULL;

        qn_buf_fill(&b, ' ', QN_RANGE_MAX + 1);
        ASSERT_EQ(qn_range_parse(qn_buf_view(&b), 0, &a, &r), -EFBIG);
        ASSERT_EQ(qn_range_parse(QN_STR("1||2||3||4"), 0, &small, &r), -ENOBUFS);
        ASSERT_NULL(r);
}

/* None of these may take long, or more memory than the arena has. */
TEST(hostile_ranges)
{
        static const char *const units[] = { "||",  "v",        "=",    "> ",          "~ ", "1 ",
                                             "^1 ", "1.2.3 - ", "+",    "+a ",         "x ", "*",
                                             "-",   "1.1.1.",   "=1 <", "\xe2\x80\xa8" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(units); i++) {
                for (unsigned flags = 0; flags < 4; flags++) {
                        ARENA(a);
                        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_RANGE_MAX);
                        struct qn_range *r = NULL;

                        while (b.n + strlen(units[i]) <= QN_RANGE_MAX)
                                qn_buf_puts(&b, units[i]);
                        int rc = qn_range_parse(qn_buf_view(&b), flags, &a, &r);
                        ASSERT_EQ(rc == 0, r != NULL);
                        ASSERT_TRUE(a.total < (size_t)24 << 20);
                }
        }
}

TEST(many_different_comparators)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_RANGE_MAX);
        struct qn_range *r = NULL;

        for (int i = 0; i < 4000; i++)
                qn_buf_printf(&b, "<%d.0.0 ", 10 + i % 3000);
        ASSERT_EQ(qn_range_parse(qn_buf_view(&b), 0, &a, &r), 0);
        ASSERT_TRUE(qn_range_test_str(r, QN_STR("9.9.9")));
        ASSERT_FALSE(qn_range_test_str(r, QN_STR("10.0.0")));
        qn_buf_reset(&b);
        ASSERT_EQ(qn_range_format(r, &b), 0);
        ASSERT_TRUE(b.n < 40000);
}

TEST(ranges_in_comparators)
{
        static const struct {
                const char *range, *want;
        } cases[] = {
                { "1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4" },
                { "1.2 - 2.3.4", ">=1.2.0 <=2.3.4" },
                { "1.2.3 - 2.3", ">=1.2.3 <2.4.0-0" },
                { "1.2.3 - 2", ">=1.2.3 <3.0.0-0" },
                { "", "*" },
                { "1.x", ">=1.0.0 <2.0.0-0" },
                { "1.2.x", ">=1.2.0 <1.3.0-0" },
                { "~1.2.3", ">=1.2.3 <1.3.0-0" },
                { "~1", ">=1.0.0 <2.0.0-0" },
                { "~0.2", ">=0.2.0 <0.3.0-0" },
                { "~1.2.3-beta.2", ">=1.2.3-beta.2 <1.3.0-0" },
                { "^1.2.3", ">=1.2.3 <2.0.0-0" },
                { "^0.2.3", ">=0.2.3 <0.3.0-0" },
                { "^0.0.3", ">=0.0.3 <0.0.4-0" },
                { "^0.0.3-beta", ">=0.0.3-beta <0.0.4-0" },
                { "^0.0", "<0.1.0-0" },
                { "^0.x", "<1.0.0-0" },
                { "> 1.2 || <1", ">=1.3.0||<1.0.0-0" },
                { "1 || *", "*" },
                { "<x || 2.0.0", "2.0.0" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                ARENA(a);
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
                struct qn_range *r = NULL;

                ASSERT_EQ(qn_range_parse(qn_str_c(cases[i].range), 0, &a, &r), 0);
                ASSERT_EQ(qn_range_format(r, &b), 0);
                ASSERT_STR(qn_buf_view(&b), cases[i].want);
        }
}

TEST(prereleases_need_a_reason)
{
        ARENA(a);
        struct qn_range *r = NULL;

        ASSERT_EQ(qn_range_parse(QN_STR(">1.2.3-alpha.3"), 0, &a, &r), 0);
        ASSERT_TRUE(qn_range_test_str(r, QN_STR("1.2.3-alpha.7")));
        ASSERT_FALSE(qn_range_test_str(r, QN_STR("3.4.5-alpha.9")));
        ASSERT_TRUE(qn_range_test_str(r, QN_STR("3.4.5")));
        ASSERT_EQ(qn_range_parse(QN_STR(">1.2.3-alpha.3"), QN_SEMVER_PRERELEASE, &a, &r), 0);
        ASSERT_TRUE(qn_range_test_str(r, QN_STR("3.4.5-alpha.9")));
}

TEST(the_highest_of_many)
{
        static const struct qn_str list[] = {
                QN_STR("1.0.0"), QN_STR("junk"),    QN_STR("1.9.0"),
                QN_STR("2.0.0"), QN_STR("1.9.0+b"), QN_STR("1.10.0-a")
        };
        ARENA(a);
        struct qn_range *r = NULL;

        ASSERT_EQ(qn_range_parse(QN_STR("^1"), 0, &a, &r), 0);
        ASSERT_EQ(qn_range_max(r, list, QN_ARRAY_SIZE(list)), 2);
        ASSERT_TRUE(qn_range_max(r, list, 0) == SIZE_MAX);
}
