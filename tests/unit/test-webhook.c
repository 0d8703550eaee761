/* What is sent when something that was served turns out to be bad. */
#include <errno.h>

#include "base/limits.h"
#include "gate/webhook.h"
#include "test.h"

static const struct qn_webhook_fetch fetches[] = {
        { .time_ms = INT64_C(1700000000000),
          .client = { .address = { "192.0.2.7", 9 },
                      .token = { "ci", 2 },
                      .user_agent = { "npm/10", 6 },
                      .command = { "install", 7 } } },
        { .time_ms = 0, .client = { .address = { "2001:db8::1", 11 } } },
};

static struct qn_webhook_event event(void)
{
        return (struct qn_webhook_event){ .id = 7,
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
        struct qn_webhook_event e = event();
        _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT(4096), b = QN_BUF_INIT(4096);

        ASSERT_EQ(qn_webhook_write(&e, &a), 0);
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
        ASSERT_EQ(qn_webhook_write(&e, &b), 0);
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
        static struct qn_webhook_fetch many[QN_WEBHOOK_FETCHES_MAX + 5];
        static char reason[QN_WEBHOOK_TEXT_MAX + 10];
        struct qn_webhook_event e = event();
        _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT((size_t)1 << 20), b = QN_BUF_INIT(100);

        memset(reason, 'r', sizeof reason);
        memcpy(reason + QN_WEBHOOK_TEXT_MAX - 1, "\xc3\xa9", 2);
        e.reason = (struct qn_str){ reason, sizeof reason };
        e.fetches = many;
        e.n_fetches = QN_ARRAY_SIZE(many);
        ASSERT_EQ(qn_webhook_write(&e, &a), 0);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("1970-01-01")), QN_WEBHOOK_FETCHES_MAX);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("\"total\":1005,")), 1);
        ASSERT_EQ(count(qn_buf_view(&a), QN_STR("rr\",\"total\"")), 1); /* no half character */
        ASSERT_EQ(qn_webhook_write(&e, &b), -ENOBUFS);
}

TEST(the_signature)
{
        const struct qn_str body = QN_STR("what do ya want for nothing?"); /* RFC 4231, 4.3 */
        const char *want =
                "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(128), small = QN_BUF_INIT(20);

        ASSERT_EQ(qn_webhook_sign((struct qn_str){ 0 }, body, &b), -EINVAL);
        ASSERT_EQ(b.n, 0);
        ASSERT_EQ(qn_webhook_sign(QN_STR("Jefe"), body, &b), 0);
        ASSERT_STR(qn_buf_view(&b), want);
        ASSERT_EQ(qn_webhook_sign(QN_STR("Jefe"), body, &small), -ENOBUFS);
        ASSERT_TRUE(qn_webhook_verify(QN_STR("Jefe"), body, qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR("jefe"), body, qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR("Jefe"), qn_str_skip(body, 1), qn_str_c(want)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR("Jefe"), body, qn_str_take(qn_str_c(want), 70)));
        ASSERT_FALSE(qn_webhook_verify(QN_STR(""), body, (struct qn_str){ 0 }));
}
