/* What is sent when something that was served turns out to be bad. */
#include <errno.h>

#include "base/limits.h"
#include "gate/alarm.h"
#include "role/webhook.h"
#include "test.h"

static const struct qn_alarm_fetch fetches[] = {
        { .time_ms = INT64_C(1700000000000),
          .client = { .address = { "192.0.2.7", 9 },
                      .token = { "ci", 2 },
                      .user_agent = { "npm/10", 6 },
                      .command = { "install", 7 } } },
        { .time_ms = 0, .client = { .address = { "2001:db8::1", 11 } } },
};

static struct qn_alarm_event event(void)
{
        return (struct qn_alarm_event){ .id = 7,
                                        .time_ms = INT64_C(1700000100000),
                                        .gate = QN_STR("https://gate.invalid"),
                                        .name = QN_STR("@s/bad"),
                                        .version = QN_STR("1.0.0"),
                                        .before = QN_CLEAN,
                                        .verdict = QN_MALICIOUS,
                                        .rule = QN_STR("intelligence"),
                                        .reason = QN_STR("it \"steals\" tokens\n"),
                                        .fetches = fetches,
                                        .n_fetches = 2,
                                        .total = 5 };
}

TEST(the_document)
{
        struct qn_alarm_event e = event();
        _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT(4096), b = QN_BUF_INIT(4096);

        ASSERT_EQ(qn_alarm_write(&e, &a), 0);
        ASSERT_STR(
                qn_buf_view(&a),
                "{\"schema\":1,\"event\":\"served-bad\",\"id\":7,\"time\":\"2023-11-14T22:15:00Z\","
                "\"gate\":\"https://gate.invalid\","
                "\"artifact\":{\"name\":\"@s/bad\",\"version\":\"1.0.0\"},"
                "\"before\":\"clean\",\"verdict\":\"malicious\",\"rule\":\"intelligence\","
                "\"reason\":\"it \\\"steals\\\" tokens\\n\",\"total\":5,\"fetches\":["
                "{\"time\":\"2023-11-14T22:13:20Z\",\"address\":\"192.0.2.7\",\"token\":\"ci\","
                "\"userAgent\":\"npm/10\",\"command\":\"install\"},"
                "{\"time\":\"1970-01-01T00:00:00Z\",\"address\":\"2001:db8::1\"}]}");
        ASSERT_EQ(qn_alarm_write(&e, &b), 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&a), qn_buf_view(&b)));
}

static size_t count(struct qn_str s, struct qn_str what)
{
        size_t n = 0;

        for (ptrdiff_t at; (at = qn_str_find(s, what)) >= 0; n++)
                s = qn_str_skip(s, (size_t)at + what.n);
        return n;
}

TEST(it_has_caps)
{
        static struct qn_alarm_fetch many[QN_ALARM_FETCHES_MAX + 5];
        static char reason[QN_ALARM_TEXT_MAX + 10];
        struct qn_alarm_event e = event();
        _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT((size_t)1 << 20), b = QN_BUF_INIT(100);

        memset(reason, 'r', sizeof reason);
        memcpy(reason + QN_ALARM_TEXT_MAX - 1, "\xc3\xa9", 2);
        e.reason = (struct qn_str){ reason, sizeof reason };
        e.fetches = many;
        e.n_fetches = QN_ARRAY_SIZE(many);
        ASSERT_EQ(qn_alarm_write(&e, &a), 0);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("1970-01-01")), QN_ALARM_FETCHES_MAX);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("\"total\":1005,")), 1);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("rr\",\"total\"")), 1); /* no half character */
        ASSERT_EQ(qn_alarm_write(&e, &b), -ENOBUFS);
}

/* openssl dgst -sha256 -hmac Jefe over "1700000100.m-7." and the body. */
#define SUM "112eb8b396895787cc683c236e80c05f0f9bd4ca3b03e619b7faa36ed6c76ed4"

TEST(what_is_not_signed)
{
        struct qn_webhook w = { .secret = QN_STR("Jefe"), .id = QN_STR("m-7") };
        static const char *const ids[] = { "", "a b", "a,b", "a.b", "a\nb", "\xc3\xa9" };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(256), small = QN_BUF_INIT(20);

        for (size_t i = 0; i < QN_ARRAY_SIZE(ids); i++) {
                w.id = qn_str_c(ids[i]);
                ASSERT_EQ(qn_webhook_sign(&w, &b), -EINVAL);
        }
        w.id = QN_STR("m-7");
        ASSERT_EQ(qn_webhook_sign(&w, &small), -ENOBUFS);
        w.secret = (struct qn_str){ 0 };
        ASSERT_EQ(qn_webhook_sign(&w, &b), -EINVAL);
        ASSERT_EQ(b.n, 0);
}

TEST(the_signature)
{
        const struct qn_str body = QN_STR("what do ya want for nothing?");
        const struct qn_webhook w = { .secret = QN_STR("Jefe"),
                                      .id = QN_STR("m-7"),
                                      .time_ms = INT64_C(1700000100999),
                                      .body = body };
        static const char *const wrong[] = {
                "",
                "sha256=" SUM,
                "t=1700000101,id=m-7,sha256=" SUM,
                "t=1700000100,id=m-8,sha256=" SUM,
                "t=1700000100,id=m-7,sha256=" SUM "0",
                "t=99999999999999999999,id=m-7,sha256=" SUM,
                "t=1700000100,id=,sha256=" SUM,
        };
        const char *want = "t=1700000100,id=m-7,sha256=" SUM;
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(256);

        ASSERT_EQ(qn_webhook_sign(&w, &b), 0);
        ASSERT_STR(qn_buf_view(&b), want);
        ASSERT_TRUE(qn_webhook_verify(QN_STR("Jefe"), body, qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR("jefe"), body, qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR("Jefe"), qn_str_skip(body, 1), qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR(""), body, (struct qn_str){ 0 }));
        for (size_t i = 0; i < QN_ARRAY_SIZE(wrong); i++)
                ASSERT_FALSE(qn_webhook_verify(QN_STR("Jefe"), body, qn_str_c(wrong[i])));
}
