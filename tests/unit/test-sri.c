#include "test.h"

#include "base/buf.h"
#include "parse/sri.h"

/* Of the five bytes "hello". */
#define SHA1   "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00="
#define SHA256 "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
#define SHA384 "sha384-WeF0h3dEjGnea4ANejO7+5/xtGPkQ1TDVTvNucZm+pASWjx5+QOXvfX2oT3oKGhP"
#define SHA512                                       \
        "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/" \
        "3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw=="

static int check(const char *text, const char *bytes)
{
        struct qn_sri sri;
        int r = qn_sri_parse(qn_str_c(text), &sri);

        return r < 0 ? r : qn_sri_check(&sri, qn_cur_mem(bytes, strlen(bytes)));
}

TEST(sri_nothing_to_check)
{
        ASSERT_EQ(check("", "hello"), -EINVAL);
        ASSERT_EQ(check("  \n", "hello"), -EINVAL);
        ASSERT_EQ(check("sha512", "hello"), -EINVAL);
        ASSERT_EQ(check("sha512-", "hello"), -EINVAL);
        ASSERT_EQ(check("sha512-?option", "hello"), -EINVAL);
        ASSERT_EQ(check("md5-XUFAKrxLKna5cZ2REBfFkg==", "hello"), -EINVAL);
        ASSERT_EQ(check("SHA1-qvTGHdzF6KLavt4PO0gs2a6pQ00=", "hello"), -EINVAL);
}

TEST(sri_wrong)
{
        ASSERT_EQ(check(SHA512, "hellp"), -EBADMSG);
        ASSERT_EQ(check(SHA1, ""), -EBADMSG);
        ASSERT_EQ(check("sha512-AAAA", "hello"), -EBADMSG);
        /* As ssri: base64 is compared as text, so another spelling of the same bytes is wrong. */
        ASSERT_EQ(check("sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00", "hello"), -EBADMSG);
        ASSERT_EQ(check("sha1-qvTGHdzF6KLavt4PO0gs2a6pQ01=", "hello"), -EBADMSG);
}

TEST(sri_strongest_decides)
{
        ASSERT_EQ(check(SHA1 " " SHA512, "hello"), 0);
        ASSERT_EQ(check("sha1-AAAA " SHA512, "hello"), 0);
        ASSERT_EQ(check("sha512-AAAA " SHA1 " " SHA384, "hello"), -EBADMSG);
        ASSERT_EQ(check(SHA256 " sha384-AAAA", "hello"), -EBADMSG);
        ASSERT_EQ(check("sha512-AAAA " SHA512 " sha512-BBBB", "hello"), 0);
}

TEST(sri_good)
{
        ASSERT_EQ(check(SHA1, "hello"), 0);
        ASSERT_EQ(check(SHA256, "hello"), 0);
        ASSERT_EQ(check(SHA384, "hello"), 0);
        ASSERT_EQ(check(SHA512, "hello"), 0);
        ASSERT_EQ(check("\t" SHA512 "?a?b \n", "hello"), 0);
        ASSERT_EQ(check("md5-x sha3-y " SHA1, "hello"), 0);
}

TEST(sri_too_many)
{
        struct qn_buf b = QN_BUF_INIT(65536);
        struct qn_sri sri;

        for (size_t i = 0; i < QN_SRI_HASHES_MAX; i++)
                qn_buf_puts(&b, "sha512-AAAA ");
        ASSERT_EQ(qn_sri_parse(qn_buf_view(&b), &sri), 0);
        ASSERT_EQ(sri.n, QN_SRI_HASHES_MAX);
        qn_buf_puts(&b, "sha512-AAAA ");
        ASSERT_EQ(qn_sri_parse(qn_buf_view(&b), &sri), -E2BIG);
        qn_buf_done(&b);
}

TEST(sri_format)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        struct qn_buf b = QN_BUF_INIT(1024);

        ASSERT_EQ(qn_digest(QN_SHA512, "hello", 5, digest), 0);
        ASSERT_EQ(qn_sri_format(QN_SHA512, digest, &b), 0);
        ASSERT_STR(qn_buf_view(&b), SHA512);
        qn_buf_reset(&b);
        ASSERT_EQ(qn_sri_from_hex(QN_SHA1, QN_STR("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"), &b),
                  0);
        ASSERT_STR(qn_buf_view(&b), SHA1);
        ASSERT_EQ(qn_sri_from_hex(QN_SHA1, QN_STR("aaf4"), &b), -EINVAL);
        ASSERT_EQ(qn_sri_from_hex(QN_SHA1, QN_STR("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434x"), &b),
                  -EINVAL);
        qn_buf_done(&b);
}
