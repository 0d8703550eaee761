/* test-mask.c - what looks like a secret does not leave the house; words, versions and paths stay. */
#include "base/buf.h"
#include "base/mask.h"
#include "test.h"

static void expect(const char *in, const char *out)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_mask_secrets(&b, qn_str_c(in));
        if (!qn_str_is(qn_buf_view(&b), out))
                fail_msg("\"%s\" became \"%.*s\", not \"%s\"", in, (int)b.n, b.p, out);
}

/* Put together here, so that no scanner of secrets takes this file for a leak. */
#define RANDOM "9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6Md4Sg8Ah"

TEST(words_stay)
{
        static const char *const texts[] = {
                "",
                "Installation reads github, ssh, npm credentials and talks to \"a.invalid\".",
                "the token of the user, a password, any secret: all of them are read",
                "@scope/node-hide-console-windows-2024@1.2.3-beta.20241231",
                "lib/some_very_long_module_name_with_words.js",
                "process.env.NPM_TOKEN",
                "hxxps://host.invalid/a/b/c?d",
                "internationalization-and-localization",
                "a_b-c=d+e",
                "npm_config_registry and npm_x",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                expect(texts[i], texts[i]);
}

TEST(tokens_by_their_issuer)
{
        expect("x npm_" RANDOM " y", "x *** y");
        expect("'ghp_" RANDOM "'", "'***'");
        expect("github_pat_" RANDOM "_" RANDOM ".", "***.");
        expect("(AKIA"
               "ABCDEFGHIJKLMNOP)",
               "(***)");
        expect("eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc_DEF-123", "***");
        expect("bot123456:AA" RANDOM "/sendMessage", "bot123456:***/sendMessage");
}

TEST(what_looks_random)
{
        expect("/api/webhooks/1234/" RANDOM "/x", "/api/webhooks/1234/***/x");
        expect("0123456789abcdef0123456789abcdef", "***");
        expect("0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde");
}

TEST(values_by_their_name)
{
        expect("password=hunter2 and", "password=*** and");
        expect("NPM_TOKEN='abcd';", "NPM_TOKEN='***';");
        expect("{\"api_key\": \"qwerty\"}", "{\"api_key\": \"***\"}");
        expect("Authorization: Bearer abcdefg", "Authorization: Bearer ***");
        expect("Authorization: Basic dXNlcg", "Authorization: Basic ***");
        expect("_authToken=abcdef", "_authToken=***");
        expect("?token=abc", "?token=abc");
        expect("?token=abcd&x=1", "?token=***&x=1");
}

TEST(users_of_addresses)
{
        expect("https://me:pass@host.invalid/a@b", "https://***@host.invalid/a@b");
        expect("https://host.invalid/a@b", "https://host.invalid/a@b");
        expect("https://", "https://");
}
