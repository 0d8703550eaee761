#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "gate/service.h"
#include "test.h"

#define SUM "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

static struct qn_arena arena = QN_ARENA_INIT((size_t)16 << 20);

static struct qn_service service(const char *text)
{
        struct qn_service s = { 0 };
        struct qn_err err = { 0 };

        if (qn_service_parse(qn_str_c(text), "/etc/qanat/gate.yaml", true, &arena, &s, &err) < 0)
                fail_msg("%s", err.msg);
        return s;
}

static void wrong(const char *text, const char *message)
{
        struct qn_service s = { 0 };
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_service_parse(qn_str_c(text), "gate.yaml", true, &arena, &s, &err), -EINVAL);
        ASSERT_NULL(s.listen);
        assert_string_equal(err.msg, message);
}

TEST(wrong_keys)
{
        wrong("upstream: []\n",
              "gate.yaml:1: there is no key \"upstream\"; did you mean \"upstreams\"?");
        wrong("upstreams:\n  - nam: x\n",
              "gate.yaml:2: there is no key \"nam\"; did you mean \"name\"?");
        wrong("acces_log: x\n", "gate.yaml:1: there is no key \"acces_log\"; did you mean "
                                "\"access-log\"?");
        wrong("x\n", "gate.yaml:1: the file is a mapping, lines of `key: value`");
        wrong("closed: true\nclosed: false\n",
              "gate.yaml:1: the file has a key twice: leave one of them out");
}

TEST(wrong_types)
{
        wrong("listen: 4873\n", "gate.yaml:1: listen is a list, lines that begin with `- `");
        wrong("upstreams: {}\n", "gate.yaml:1: upstreams is a list, lines that begin with `- `");
        wrong("tokens: ci\n", "gate.yaml:1: tokens is a list, lines that begin with `- `");
        wrong("tokens: [ci]\n", "gate.yaml:1: a token is a mapping, lines of `key: value`");
        wrong("closed: yes\n", "gate.yaml:1: closed is true or false, not \"yes\"");
        wrong("rate: -1\n", "gate.yaml:1: rate is a whole number from 0 on, not \"-1\"");
        wrong("rate: 4294967296\n", "gate.yaml:1: rate is a whole number from 0 on, not "
                                    "\"4294967296\"");
        wrong("rate: 1\nburst: many\n",
              "gate.yaml:2: burst is a whole number from 0 on, not \"many\"");
        wrong("body: 1XB\n",
              "gate.yaml:1: body is a size such as 512KB, 64MB or 10GB, not \"1XB\"");
        wrong("body: 129MB\n", "gate.yaml:1: body is at most 128MB");
        wrong("cache: {size: 9999999TB}\n",
              "gate.yaml:1: size is a size such as 512KB, 64MB or 10GB, not \"9999999TB\"");
        wrong("cache:\n  fresh: 500ms\n", "gate.yaml:2: fresh is in whole seconds: round it");
        wrong("foreign-tarballs: none\n",
              "gate.yaml:1: foreign-tarballs is public, any or refuse, not \"none\"");
        wrong("drain: 30\n",
              "gate.yaml:1: drain is 0 or a time such as 5s, 30m, 24h, 7d or 2w, not "
              "\"30\"");
}

TEST(wrong_addresses)
{
        static const char *const bad[] = { "4873",      ":4873",      "localhost:4873",
                                           "127.0.0.1", "1.2.3.4:0",  "1.2.3.4:65536",
                                           "::1:4873",  "[1.2.3.4]:1" };

        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
                char text[80];

                snprintf(text, sizeof text, "listen:\n  - \"127.0.0.1:1\"\n  - \"%s\"\n", bad[i]);
                wrong(text, "gate.yaml:3: listen has addresses with ports: \"127.0.0.1:4873\", "
                            "\"[::1]:4873\"");
        }
        wrong("listen: []\n", "gate.yaml:1: listen is empty: say an address and a port");
        wrong("listen: [\"0.0.0.0:4873\"]\n",
              "gate.yaml:1: say under which `url` clients reach it: it listens widely");
        wrong("listen: [\"127.0.0.1:1\", \"127.0.0.1:1\"]\n",
              "gate.yaml:1: this address is there twice");
        wrong("proxies: [gate.example]\n",
              "gate.yaml:1: proxies has addresses such as 10.0.0.7 or ::1");
}

TEST(wrong_urls)
{
        wrong("url: gate.example\n",
              "gate.yaml:1: url is an address such as https://npm.acme.example/");
        wrong("url: https://\n",
              "gate.yaml:1: url is an address such as https://npm.acme.example/");
        wrong("url: ftp://x/\n",
              "gate.yaml:1: url is an address such as https://npm.acme.example/");
        wrong("url: https://x/?y\n", "gate.yaml:1: url has no blanks, queries or fragments");
        wrong("url: \"https://x /\"\n", "gate.yaml:1: url has no blanks, queries or fragments");
        wrong("url: https://me:secret@x/\n",
              "gate.yaml:1: url holds no user or password: use `token`");
        wrong("tls: {cert: a}\n", "gate.yaml:1: tls needs `cert` and `key`");
        wrong("webhook: {secret: {env: HOME}}\n", "gate.yaml:1: a webhook needs an `url`");
}

#define UP "upstreams:\n  - {name: a, url: \"https://a.example\"}\n"

TEST(wrong_upstreams)
{
        wrong("upstreams:\n  - name: a\n", "gate.yaml:2: an upstream without `url`: add it");
        wrong("upstreams:\n  - url: http://a\n", "gate.yaml:2: an upstream without `name`: add it");
        wrong("upstreams:\n  - {name: a b, url: \"http://a\"}\n",
              "gate.yaml:2: an upstream's name has letters, digits, -, _ and .");
        wrong(UP "  - {name: b, url: \"http://b\"}\n",
              "gate.yaml:3: only one upstream is without scopes: add them");
        wrong(UP "  - {name: a, url: \"http://b\", scopes: [\"@b\"]}\n",
              "gate.yaml:3: there is an upstream of that name already");
        wrong(UP "  - {name: b, url: \"http://b\", scopes: [acme]}\n",
              "gate.yaml:3: a scope is written \"@acme\"");
        wrong(UP "  - {name: b, url: \"http://b\", scopes: [\"@acme/*\"]}\n",
              "gate.yaml:3: a scope is written \"@acme\"");
        wrong(UP "  - {name: b, url: \"http://b\", scopes: [\"@b\", \"@b\"]}\n",
              "gate.yaml:3: this scope has an upstream already");
        wrong(UP "  - {name: b, url: \"http://b\", scopes: [\"@b\"]}\n"
                 "  - {name: c, url: \"http://b\", scopes: [\"@b\"]}\n",
              "gate.yaml:4: this scope has an upstream already");
        wrong("upstreams:\n  - {name: a, url: \"http://a\", login: true, token: {env: HOME}}\n",
              "gate.yaml:2: an upstream has a token, or `login`: leave one out");
}

TEST(secrets_are_not_written_down)
{
        wrong("upstreams:\n  - {name: a, url: \"http://a\", token: npm_secret}\n",
              "gate.yaml:2: no secret is written here: say {env: NAME} or {file: PATH}");
        wrong("upstreams:\n  - {name: a, url: \"http://a\", token: {}}\n",
              "gate.yaml:2: token is one of {env: NAME} and {file: PATH}");
        wrong("upstreams:\n  - {name: a, url: \"http://a\", token: {env: A, file: b}}\n",
              "gate.yaml:2: token is one of {env: NAME} and {file: PATH}");
        wrong("upstreams:\n  - {name: a, url: \"http://a\", token: {env: QANAT_TEST_UNSET}}\n",
              "gate.yaml:2: the variable QANAT_TEST_UNSET is not set: export it");
        wrong("upstreams:\n  - {name: a, url: \"http://a\", token: {file: /nonexistent/x}}\n",
              "gate.yaml:2: the secret's file cannot be read: No such file or directory");
        setenv("QANAT_TEST_SECRET", "a b", 1);
        wrong("webhook: {url: \"http://a\", secret: {env: QANAT_TEST_SECRET}}\n",
              "gate.yaml:1: the secret is no single word of ASCII");
        setenv("QANAT_TEST_SECRET", " ", 1);
        wrong("webhook: {url: \"http://a\", secret: {env: QANAT_TEST_SECRET}}\n",
              "gate.yaml:1: the secret is empty, or longer than 2000 characters");
}

TEST(wrong_tokens)
{
        wrong("tokens:\n  - name: ci\n", "gate.yaml:2: a token without `sha256`: add it");
        wrong("tokens:\n  - sha256: " SUM "\n", "gate.yaml:2: a token without `name`: add it");
        wrong("tokens:\n  - {name: ci, sha256: abcd}\n",
              "gate.yaml:2: sha256 is what `printf %s TOKEN | sha256sum` prints");
        wrong("tokens:\n  - {name: ci, sha256: npm_secret}\n",
              "gate.yaml:2: sha256 is what `printf %s TOKEN | sha256sum` prints");
        wrong("tokens:\n  - {name: ci, sha256: " SUM "}\n  - {name: ci, sha256: " SUM "}\n",
              "gate.yaml:3: there is a token of that name already");
        wrong("tokens:\n  - {name: ci, sha256: " SUM "}\n  - {name: me, sha256: " SUM "}\n",
              "gate.yaml:3: this token is there under another name");
        wrong("closed: true\n", "gate.yaml:1: closed, and no client has a token: add `tokens`");
        wrong("burst: 5\n", "gate.yaml:1: burst needs a `rate`");
}

TEST(too_many_entries)
{
        struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        qn_buf_puts(&b, "tokens:\n");
        for (unsigned i = 0; i <= QN_GATE_LIST_MAX; i++)
                qn_buf_puts(&b, " - x\n");
        wrong(b.p, "gate.yaml:2: tokens has more than 1000 entries");
        memcpy(b.p, "listen:", 7);
        wrong(b.p, "gate.yaml:2: listen has more than 1000 entries");
        qn_buf_done(&b);
}

TEST(without_a_file)
{
        struct qn_service s;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_service_default(&arena, &s), 0);
        ASSERT_EQ(s.n_listen, 1);
        ASSERT_STR(s.listen[0], "127.0.0.1:4873");
        ASSERT_STR(s.url, "http://127.0.0.1:4873");
        ASSERT_NULL(s.cert.p);
        ASSERT_EQ(s.n_upstreams + s.n_tokens + s.rate + s.burst, 0);
        ASSERT_FALSE(s.closed);
        ASSERT_EQ(s.cache_bytes, UINT64_C(10) << 30);
        ASSERT_EQ(s.fresh_s, 300);
        ASSERT_EQ(s.body_max, 64 << 20);
        ASSERT_EQ(s.drain_s, 30);
        ASSERT_EQ(s.foreign, QN_FOREIGN_PUBLIC);
        ASSERT_NULL(s.access_log.p);
        ASSERT_NULL(s.webhook.p);
        ASSERT_STR(s.proxies, "");
        ASSERT_EQ(qn_service_load("/nonexistent/gate.yaml", &arena, &s, &err), -ENOENT);
        assert_string_equal(err.msg, "/nonexistent/gate.yaml: No such file or directory");
}

TEST(shipped_example_is_the_default)
{
        struct qn_service s, d;
        struct qn_err err = { 0 };

        if (qn_service_load(TEST_DATA "/gate/gate.yaml", &arena, &s, &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_EQ(qn_service_default(&arena, &d), 0);
        ASSERT_STR(s.url, d.url.p);
        ASSERT_STR(s.listen[0], d.listen[0].p);
        ASSERT_EQ(s.n_listen, d.n_listen);
        ASSERT_EQ(s.n_upstreams + s.n_tokens, 0);
        ASSERT_EQ(s.cache_bytes, d.cache_bytes);
        ASSERT_EQ(s.fresh_s, d.fresh_s);
        ASSERT_EQ(s.body_max, d.body_max);
        ASSERT_EQ(s.drain_s, d.drain_s);
        ASSERT_EQ(s.foreign, d.foreign);
        ASSERT_EQ(s.rate + s.burst + s.closed, 0);
        ASSERT_NULL(s.access_log.p);
        ASSERT_NULL(s.webhook.p);
}

TEST(all_of_it)
{
        struct qn_service s;

        setenv("QANAT_TEST_SECRET", "npm_x\n", 1);
        s = service(
                "listen: [\"0.0.0.0:443\", \"[::]:443\"]\nurl: https://gate.example/npm//\n"
                "tls: {cert: gate.crt, key: /k}\n" UP
                "  - name: internal\n    url: http://[::1]:4874/x/\n    scopes: [\"@b\", \"@c\"]\n"
                "    token: {env: QANAT_TEST_SECRET}\n    writes: true\n"
                "tokens:\n  - {name: ci, sha256: " SUM ", admin: true}\nclosed: true\n"
                "rate: 5\nburst: 9\ncache: {size: 1MB, fresh: 1h}\nbody: 7\n"
                "access-log: \"-\"\nproxies: [10.0.0.7, \"::1\"]\ndrain: 0\n"
                "foreign-tarballs: refuse\n"
                "webhook: {url: \"https://h\", secret: {env: QANAT_TEST_SECRET}}\n");
        ASSERT_STR(s.url, "https://gate.example/npm");
        ASSERT_STR(s.cert, "/etc/qanat/gate.crt");
        ASSERT_STR(s.key, "/k");
        ASSERT_EQ(s.n_upstreams, 2);
        ASSERT_STR(s.upstreams[0].url, "https://a.example/");
        ASSERT_NULL(s.upstreams[0].token.p);
        ASSERT_STR(s.upstreams[1].url, "http://[::1]:4874/x/");
        ASSERT_STR(s.upstreams[1].scopes[1], "@c");
        ASSERT_STR(s.upstreams[1].token, "npm_x");
        ASSERT_TRUE(s.upstreams[1].writes && !s.upstreams[1].login);
        ASSERT_TRUE(s.closed && s.tokens[0].admin);
        ASSERT_EQ(s.tokens[0].sha256[0], 0x9f);
        ASSERT_EQ(s.tokens[0].sha256[31], 0x08);
        ASSERT_EQ(s.cache_bytes, 1 << 20);
        ASSERT_EQ(s.fresh_s, 3600);
        ASSERT_EQ(s.body_max, 7);
        ASSERT_STR(s.access_log, "-");
        ASSERT_STR(s.proxies, "10.0.0.7 ::1");
        ASSERT_STR(s.webhook_secret, "npm_x");
        ASSERT_EQ(s.drain_s, 0);
        ASSERT_EQ(s.foreign, QN_FOREIGN_REFUSE);
}

TEST(secret_beside_the_file)
{
        char dir[] = "/tmp/qanat-service-XXXXXX", path[64], yaml[64];
        struct qn_service s;
        struct qn_err err = { 0 };

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/token", dir);
        snprintf(yaml, sizeof yaml, "%s/gate.yaml", dir);
        ASSERT_EQ(qn_io_replace(path, QN_STR("npm_y\n")), 0);
        ASSERT_EQ(qn_io_replace(yaml, QN_STR("upstreams:\n  - {name: a, url: \"http://a\", token: "
                                             "{file: token}}\n")),
                  0);
        if (qn_service_load(yaml, &arena, &s, &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_STR(s.upstreams[0].token, "npm_y");
        unlink(path);
        unlink(yaml);
        rmdir(dir);
}
