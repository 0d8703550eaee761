/* Records as OpenSSF keeps them: which are refused and why, how one grows, how a version is taken back. */
#include <errno.h>

#include "base/limits.h"
#include "parse/mal-record.h"
#include "parse/osv.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)

#define HEAD                                                                                 \
        "{\"schema_version\":\"1.7.4\",\"modified\":\"2026-01-02T03:04:05Z\",\"published\":" \
        "\"2026-01-02T03:04:05Z\","
#define DETAILS \
        "\"details\":\"qanat found malicious behaviour in evil 1.0.0:\\n\\n- A (rule a, x).\\n\","
#define PACKAGE "\"package\":{\"ecosystem\":\"npm\",\"name\":\"evil\"}"
#define CREDITS ",\"credits\":[{\"name\":\"X\",\"type\":\"FINDER\"}]"
#define SHA     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define RECORD(versions, specific)                                                     \
        HEAD DETAILS "\"affected\":[{" PACKAGE ",\"versions\":[" versions "]" specific \
                     "}]" CREDITS "}"

static int check(const char *text, unsigned flags, const char *why)
{
        ARENA(a);
        struct qn_err err = { 0 };
        int r = qn_mal_record_check(qn_cur_str(qn_str_c(text)), QN_STR("evil"), flags, &a, &err);

        if (why && qn_str_find(qn_str_c(err.msg), qn_str_c(why)) < 0)
                fail_msg("\"%s\" does not say \"%s\" of %s", err.msg, why, text);
        return r;
}

TEST(what_is_refused)
{
        static const struct {
                const char *text, *why;
        } bad[] = {
                { "[]", "one package" },
                { "{}", "one package" },
                { HEAD DETAILS "\"affected\":[]}", "one package" },
                { HEAD DETAILS "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]},{}]}",
                  "one package" },
                { HEAD DETAILS "\"affected\":[7]}", "not about the package" },
                { RECORD("", ""), "names no versions" },
                { RECORD("\"1.0.0\",\"1.0.0\"", ""), "one twice" },
                { RECORD("\"v1\"", ""), "none" },
                { RECORD("7", ""), "none" },
                { RECORD("\"1.0.0\"", ",\"ecosystem_specific\":{}"), "ecosystem_specific" },
                { RECORD("\"1.0.0\"", ",\"database_specific\":{\"x\":{}}"), ": x" },
                { RECORD("\"1.0.0\"", ",\"database_specific\":{\"cwes\":\"x\"}"), "dropped" },
                { RECORD("\"1.0.0\"", ",\"ranges\":[{\"type\":\"GIT\",\"events\":[]}]"), "range" },
                { RECORD("\"1.0.0\"", ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"fixed\":"
                                      "\"1\"}]}]"),
                  "range" },
                { RECORD("\"1.0.0\"", ",\"database_specific\":{\"indicators\":{\"evidence_files\":"
                                      "[{\"path\":\"x\",\"sha256\":\"12\"}]}}"),
                  "hash" },
                { RECORD("\"1.0.0\"",
                         ",\"database_specific\":{\"indicators\":{\"package_integrity\":"
                         "[{\"filename\":\"x\",\"hashes\":{}}]}}"),
                  "hash" },
                { HEAD DETAILS "\"id\":\"MAL-2026-1\",\"affected\":[{" PACKAGE
                               ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "id" },
                { HEAD DETAILS "\"summary\":\"x\",\"affected\":[{" PACKAGE
                               ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "id" },
                { HEAD DETAILS "\"withdrawn\":\"2026-01-02T03:04:05Z\",\"affected\":[{" PACKAGE
                               ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "id" },
                { HEAD DETAILS "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}]}",
                  "who found it" },
                { HEAD "\"details\":\" \",\"affected\":[{" PACKAGE
                       ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "says nothing" },
                { HEAD "\"details\":\"see https://x.invalid\",\"affected\":[{" PACKAGE
                       ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "link" },
                { HEAD "\"details\":\"see www.x.invalid\",\"affected\":[{" PACKAGE
                       ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "link" },
                { HEAD "\"details\":\"token npm_9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6Md4Sg8AhXy12\","
                       "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}]" CREDITS "}",
                  "secret" },
                { HEAD DETAILS "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}],"
                               "\"database_specific\":{\"iocs\":{\"domains\":[\"x y\"]}}" CREDITS
                               "}",
                  "indicator" },
                { HEAD DETAILS "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}],"
                               "\"database_specific\":{\"iocs\":{\"urls\":[\"https://x.invalid/a\"]"
                               "}}" CREDITS "}",
                  "followed" },
                { "{\"schema_version\":\"2.0.0\"," DETAILS "\"affected\":[{" PACKAGE
                  ",\"versions\":[\"1.0.0\"]}]}",
                  "schema_version" },
                { "{\"schema_version\":\"1.7.4\",\"modified\":\"yesterday\"," DETAILS
                  "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}]}",
                  "times" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_EQ(check(bad[i].text, QN_MAL_UNASSIGNED | QN_MAL_CREDITED, bad[i].why),
                          -EINVAL);
        ASSERT_EQ(check("{", 0, NULL), -EBADMSG);
}

TEST(what_is_fit)
{
        static const char *const wallet =
                HEAD "\"details\":\"- Wallets: 0x52908400098527886E0F7030069857D2E4169EE7.\","
                     "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}]" CREDITS "}";
        static const char *const assigned =
                HEAD "\"id\":\"MAL-2026-1\",\"summary\":\"x\",\"details\":\"https://x.invalid\","
                     "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}]}";
        unsigned strict = QN_MAL_UNASSIGNED | QN_MAL_CREDITED;

        ASSERT_EQ(check(RECORD("\"1.0.0\",\"1.0.1\"", ""), strict, NULL), 0);
        ASSERT_EQ(check(wallet, strict, NULL), 0);
        ASSERT_EQ(check(assigned, 0, NULL), 0);
        ASSERT_EQ(check(assigned, strict, "id"), -EINVAL);
}

TEST(a_record_has_a_size)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_MAL_RECORD_MAX + 2);

        qn_buf_fill(&b, ' ', QN_MAL_RECORD_MAX + 1);
        ASSERT_EQ(qn_mal_record_check(qn_cur_mem(b.p, b.n), QN_STR("evil"), 0, &a, NULL), -EFBIG);
}

/* --- growing --- */

static int extend(const char *old, const char *more, struct qn_buf *out, enum qn_mal_outcome *ret)
{
        ARENA(a);

        qn_buf_reset(out);
        return qn_mal_record_extend(qn_cur_str(qn_str_c(old)), qn_cur_str(qn_str_c(more)), &a, out,
                                    ret, NULL);
}

#define FILES(version)                                                                    \
        ",\"database_specific\":{\"indicators\":{\"evidence_files\":[{\"path\":\"x.js\"," \
        "\"sha256\":\"" SHA "\",\"version\":\"" version "\",\"evidence\":[]}]}}"

TEST(what_a_record_has_already_changes_nothing)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        enum qn_mal_outcome what;

        ASSERT_EQ(extend(RECORD("\"1.0.0\",\"1.0.1\"", ""), RECORD("\"1.0.1\"", FILES("1.0.1")),
                         &out, &what),
                  0);
        ASSERT_EQ(what, QN_MAL_SAME);
        ASSERT_EQ(out.n, 0u);
        ASSERT_EQ(extend(HEAD "\"affected\":[{" PACKAGE ",\"ranges\":[{\"type\":\"SEMVER\","
                              "\"events\":[{\"introduced\":\"0\"}]}]}]}",
                         RECORD("\"1.0.1\"", ""), &out, &what),
                  0);
        ASSERT_EQ(what, QN_MAL_SAME);
}

TEST(versions_files_and_findings_are_added)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        static const char *const more = HEAD
                "\"details\":\"qanat found malicious behaviour in evil 1.9.0:\\n\\n- A (rule "
                "a, y).\\n- B (rule b, x).\\n\",\"affected\":[{" PACKAGE
                ",\"versions\":[\"1.9.0\"]" FILES(
                        "1.9.0") "}],\"database_specific\":{"
                                 "\"iocs\":{\"domains\":[\"b.invalid\",\"a.invalid\"]}}" CREDITS
                                 "}";
        static const char *const parts[] = {
                "evil 1.0.0, 1.9.0, 1.10.0:\\n\\n- A (rule a, x).\\n- B (rule b, x).\\n\"",
                "\"versions\": [\n        \"1.0.0\",\n        \"1.9.0\",\n        \"1.10.0\"\n",
                "\"version\": \"1.9.0\"",
                "\"domains\": [\n        \"a.invalid\",\n        \"b.invalid\"\n",
        };
        enum qn_mal_outcome what;

        ASSERT_EQ(extend(RECORD("\"1.0.0\",\"1.10.0\"", FILES("1.0.0")), more, &out, &what), 0);
        ASSERT_EQ(what, QN_MAL_CHANGED);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (!strstr(out.p, parts[i]))
                        fail_msg("no %s in %s", parts[i], out.p);
        ASSERT_EQ(check(out.p, QN_MAL_UNASSIGNED | QN_MAL_CREDITED, NULL), 0);
}

TEST(another_package_is_another_record)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        enum qn_mal_outcome what;

        ASSERT_EQ(extend(RECORD("\"1.0.0\"", ""),
                         HEAD "\"affected\":[{\"package\":{\"name\":\"Evil\"}}]}", &out, &what),
                  -EEXIST);
        ASSERT_EQ(extend("{}", RECORD("\"1.0.0\"", ""), &out, &what), -EINVAL);
        ASSERT_EQ(extend("{\"affected\":{\"package\":{}}}", RECORD("\"1.0.0\"", ""), &out, &what),
                  -EINVAL);
}

TEST(what_nests_too_deep_is_no_record)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX),
                                             deep = QN_BUF_INIT(1 << 16);
        enum qn_mal_outcome what;

        qn_buf_puts(&deep, HEAD "\"affected\":[{" PACKAGE ",\"versions\":[\"1.0.0\"]}],\"x\":");
        qn_buf_fill(&deep, '[', 100);
        qn_buf_fill(&deep, ']', 100);
        qn_buf_byte(&deep, '}');
        ASSERT_EQ(extend(deep.p, RECORD("\"1.0.1\"", ""), &out, &what), -EFBIG);
}

/* --- taking back --- */

static int withdraw(const char *text, const char *version, struct qn_buf *out,
                    enum qn_mal_outcome *ret)
{
        ARENA(a);
        const struct qn_mal_withdrawal w = { QN_STR("evil"), qn_str_c(version),
                                             QN_STR("2026-02-03T04:05:06Z"), QN_STR("A note") };

        qn_buf_reset(out);
        return qn_mal_record_withdraw(qn_cur_str(qn_str_c(text)), &w, &a, out, ret, NULL);
}

TEST(one_of_two_versions_goes)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX);
        enum qn_mal_outcome what;

        ASSERT_EQ(withdraw(RECORD("\"1.0.0\",\"1.0.1\"", FILES("1.0.1")), "1.0.1", &out, &what), 0);
        ASSERT_EQ(what, QN_MAL_CHANGED);
        ASSERT_NULL(strstr(out.p, "\"1.0.1\""));
        ASSERT_NOT_NULL(
                strstr(out.p, "\"A note\\n\\nqanat found malicious behaviour in evil 1.0.0:"));
        ASSERT_NULL(strstr(out.p, "withdrawn"));
}

TEST(with_the_last_version_the_record_goes)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(QN_MAL_RECORD_MAX), again = out;
        enum qn_mal_outcome what;

        ASSERT_EQ(withdraw(RECORD("\"1.0.0\"", ""), "1.0.0", &out, &what), 0);
        ASSERT_EQ(what, QN_MAL_GONE);
        ASSERT_NOT_NULL(strstr(out.p, "\"withdrawn\": \"2026-02-03T04:05:06Z\""));
        ASSERT_NOT_NULL(strstr(out.p, "\"1.0.0\""));
        ASSERT_EQ(check(out.p, 0, NULL), 0);
        ASSERT_EQ(withdraw(out.p, "1.0.0", &again, &what), 0);
        ASSERT_EQ(what, QN_MAL_SAME);
        ASSERT_EQ(withdraw(HEAD DETAILS "\"affected\":[{" PACKAGE
                                        ",\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{"
                                        "\"introduced\":\"0\"}]}]}]}",
                           "9.9.9", &again, &what),
                  0);
        ASSERT_EQ(what, QN_MAL_GONE);
        ASSERT_EQ(withdraw(RECORD("\"1.0.0\"", ""), "1.0.1", &again, &what), -ENOENT);
}
