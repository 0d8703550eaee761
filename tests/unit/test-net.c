/* The registry client without a network: addresses, index lines, configurations as bytes, error codes. */
#include "net/cacache.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/un.h>

#include "base/hash.h"
#include "base/limits.h"
#include "net/address.h"
#include "net/http.h"
#include "net/npmconf.h"
#include "net/url.h"
#include "test.h"

#define ARENA     _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)4 << 20)
#define BUF(name) _cleanup_(qn_buf_done) struct qn_buf name = QN_BUF_INIT((size_t)1 << 20)

/* --- address.h --- */

static bool is_public(const char *text)
{
        struct sockaddr_in in = { .sin_family = AF_INET };
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

        if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
                return qn_address_is_public((const struct sockaddr *)&in);
        if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
                fail_msg("\"%s\" is no address", text);
        return qn_address_is_public((const struct sockaddr *)&in6);
}

TEST(address_inside)
{
        static const char *const inside[] = {
                "0.0.0.0",
                "0.255.255.255",
                "10.0.0.1",
                "10.255.255.255",
                "100.64.0.1",
                "100.100.100.200",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "168.63.129.16",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.0.1",
                "198.18.0.1",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "::7f00:1",
                "::ffff:10.0.0.1",
                "::ffff:127.0.0.1",
                "::fffe:8.8.8.8",
                "64:ff9b::10.0.0.1",
                "64:ff9b:1::8.8.8.8",
                "64:ff9b::a9fe:a9fe",
                "100::1",
                "2001::1",
                "2001:1ff:ffff::1",
                "2001:db8::1",
                "2002:7f00:1::",
                "2002:808:808::",
                "3fff::1",
                "3fff:fff::1",
                "4000::1",
                "5f00::1",
                "fc00::1",
                "fd00:ec2::254",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(inside); i++) {
                if (is_public(inside[i]))
                        fail_msg("%s is inside", inside[i]);
                ASSERT_EQ(qn_address_place(qn_str_c(inside[i])), QN_PLACE_INSIDE);
        }
}

TEST(address_public)
{
        static const char *const outside[] = {
                "1.1.1.1",          "8.8.8.8",       "9.255.255.255",   "11.0.0.0",
                "100.63.255.255",   "100.128.0.0",   "126.255.255.255", "128.0.0.1",
                "168.63.129.15",    "168.63.129.17", "169.253.255.255", "169.255.0.0",
                "172.15.255.255",   "172.32.0.0",    "192.0.1.1",       "192.0.3.0",
                "192.167.255.255",  "192.169.0.0",   "198.17.255.255",  "198.20.0.0",
                "198.51.101.0",     "203.0.114.0",   "223.255.255.255", "::ffff:8.8.8.8",
                "64:ff9b::8.8.8.8", "2000::1",       "2001:200::1",     "2001:db7::1",
                "2001:db9::1",      "2003::1",       "2606:4700::1",    "3ffe::1",
                "3fff:1000::1",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(outside); i++) {
                if (!is_public(outside[i]))
                        fail_msg("%s is public", outside[i]);
                ASSERT_EQ(qn_address_place(qn_str_c(outside[i])), QN_PLACE_PUBLIC);
        }
}

TEST(address_of_another_family)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };

        ASSERT_FALSE(qn_address_is_public((const struct sockaddr *)&un));
}

TEST(address_as_hosts_are_written)
{
        static const struct {
                const char *host;
                enum qn_place place;
        } cases[] = {
                { "localhost", QN_PLACE_INSIDE },
                { "localhost.", QN_PLACE_INSIDE },
                { "a.b.localhost", QN_PLACE_INSIDE },
                { "[::1]", QN_PLACE_INSIDE },
                { "[fe80::1%25eth0]", QN_PLACE_INSIDE },
                { "fe80::1%eth0", QN_PLACE_INSIDE },
                { "127.0.0.1.", QN_PLACE_INSIDE },
                { "[2606:4700::1]", QN_PLACE_PUBLIC },
                { "", QN_PLACE_NAME },
                { "[]", QN_PLACE_NAME },
                { "%", QN_PLACE_NAME },
                { ".", QN_PLACE_NAME },
                { "notlocalhost", QN_PLACE_NAME },
                { "localhost.example", QN_PLACE_NAME },
                { "127.0.0.1.example", QN_PLACE_NAME },
                { "1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0.1.2.3.4.5.6.7.8.9.0", QN_PLACE_NAME },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++)
                if (qn_address_place(qn_str_c(cases[i].host)) != cases[i].place)
                        fail_msg("\"%s\"", cases[i].host);
}

/* libcurl's reading of the odd ways to write IPv4 addresses is what is looked at. */
TEST(address_in_odd_urls)
{
        static const char *const odd[] = {
                "http://0x7f.1/", "http://2130706433/",         "http://0177.0.0.1/",
                "http://127.1/",  "http://[::ffff:127.0.0.1]/", "http://user@LOCALHOST:80/"
        };
        ARENA;

        for (size_t i = 0; i < QN_ARRAY_SIZE(odd); i++) {
                struct qn_url u;

                if (qn_url_parse(qn_str_c(odd[i]), &a, &u, NULL) == 0 &&
                    qn_address_place(u.host) != QN_PLACE_INSIDE)
                        fail_msg("%s", odd[i]);
        }
}

/* --- url.h --- */

TEST(url_refuses_what_is_no_web_address)
{
        static const struct {
                const char *text;
                int r;
        } cases[] = {
                { "", -EINVAL },
                { "   ", -EINVAL },
                { "http://", -EINVAL },
                { "https://host:0/", -EINVAL },
                { "https://host:65536/", -EINVAL },
                { "https://ho st/", -EINVAL },
                { "https://host./", -EINVAL },
                { "https://%68ost%2f/", -EINVAL },
                { "https://host%00.invalid/", -EINVAL },
                { "https://%35/", -EINVAL },
                { "https://h\303\266st/", -EINVAL }, /* its ASCII form is accepted */
                { "https://host/a b", -EINVAL },
                { "https://host/\n", 0 }, /* white space at the ends is cut off, as npm does */
                { "https://ho\nst/", -EINVAL },
                { "../relative", -EINVAL },
                { "//host/path", -EINVAL },
                { "ftp://host/", -EPROTONOSUPPORT },
                { "file:///etc/passwd", -EPROTONOSUPPORT },
                { "git+ssh://host/x", -EPROTONOSUPPORT },
        };
        ARENA;

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                struct qn_url u = { .port = 7 };
                struct qn_err err = { 0 };
                int r = qn_url_parse(qn_str_c(cases[i].text), &a, &u, &err);

                if (r != cases[i].r)
                        fail_msg("\"%s\": %d, not %d", cases[i].text, r, cases[i].r);
                if (r < 0)
                        ASSERT_TRUE(u.port == 7 && err.msg[0]);
        }
}

TEST(url_longer_than_the_cap)
{
        BUF(b);
        ARENA;
        struct qn_url u;

        qn_buf_puts(&b, "https://host/");
        qn_buf_fill(&b, 'x', QN_URL_MAX);
        ASSERT_EQ(qn_url_parse(qn_buf_view(&b), &a, &u, NULL), -EINVAL);
}

static void check_url(const char *text, const char *written, const char *nerf, const char *safe)
{
        BUF(b);
        ARENA;
        struct qn_url u;

        ASSERT_EQ(qn_url_parse(qn_str_c(text), &a, &u, NULL), 0);
        qn_url_write(&u, &b);
        ASSERT_STR(qn_buf_view(&b), written);
        qn_buf_reset(&b);
        qn_url_nerf(&u, &b);
        ASSERT_STR(qn_buf_view(&b), nerf);
        qn_buf_reset(&b);
        qn_url_safe(qn_str_c(text), &b);
        ASSERT_STR(qn_buf_view(&b), safe);
}

TEST(url_spellings)
{
        check_url("https://Host.INVALID:443/a/../b?q=1#f", "https://host.invalid/b?q=1",
                  "//host.invalid/b", "https://Host.INVALID:443/a/../b");
        check_url("http://u:p@h.invalid:8080", "http://h.invalid:8080/", "//h.invalid:8080/",
                  "http://h.invalid:8080");
        check_url("https://u:p%40x@h.invalid/@s%2fa", "https://h.invalid/@s%2fa",
                  "//h.invalid/@s%2fa", "https://h.invalid/@s%2fa");
        check_url("https://[::1]:4873/x", "https://[::1]:4873/x", "//[::1]:4873/x",
                  "https://[::1]:4873/x");
}

TEST(url_safe_takes_anything)
{
        BUF(b);

        qn_url_safe(QN_STR("http://a:b@c@h\0\033[2J/x?y"), &b);
        ASSERT_STR(qn_buf_view(&b), "http://h??[2J/x");
        qn_buf_reset(&b);
        qn_url_safe(QN_STR("no url?x"), &b);
        ASSERT_STR(qn_buf_view(&b), "no?url");
}

TEST(url_origins)
{
        ARENA;
        struct qn_url x, y;

        ASSERT_EQ(qn_url_parse(QN_STR("https://h.invalid/a"), &a, &x, NULL), 0);
        ASSERT_EQ(qn_url_parse(QN_STR("https://H.invalid:443/b"), &a, &y, NULL), 0);
        ASSERT_TRUE(qn_url_same_origin(&x, &y) && qn_url_same_host(&x, &y));
        ASSERT_EQ(qn_url_parse(QN_STR("http://h.invalid/a"), &a, &y, NULL), 0);
        ASSERT_FALSE(qn_url_same_origin(&x, &y));
        ASSERT_TRUE(qn_url_same_host(&x, &y));
        ASSERT_EQ(qn_url_parse(QN_STR("https://h.invalid:444/a"), &a, &y, NULL), 0);
        ASSERT_FALSE(qn_url_same_origin(&x, &y) || qn_url_same_host(&x, &y));
}

/* --- cacache.h --- */

static void add_line(struct qn_buf *b, const char *json)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        ASSERT_EQ(qn_digest(QN_SHA1, json, strlen(json), digest), 0);
        qn_buf_byte(b, '\n');
        qn_hex_encode(b, digest, 20);
        qn_buf_byte(b, '\t');
        qn_buf_puts(b, json);
}

TEST(index_line_that_is_none)
{
        static const char *const cases[] = {
                "",
                "\t",
                "x",
                "da39a3ee5e6b4b0d3255bfef95601890afd80709\t",
                "\t{}",
                "0000\t{\"key\":\"k\"}",
                "bf21a9e8fbc5a3846fb05b4fa0859e0917b2202g\t{}",
        };
        ARENA;
        BUF(b);
        struct qn_cacache_entry e = { .size = 5 };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++)
                ASSERT_EQ(qn_cacache_line(qn_str_c(cases[i]), &a, &e), -EBADMSG);
        add_line(&b, "{\"no\":\"key\"}");
        ASSERT_EQ(qn_cacache_line(qn_str_skip(qn_buf_view(&b), 1), &a, &e), -EBADMSG);
        qn_buf_reset(&b);
        add_line(&b, "{\"key\":1}");
        ASSERT_EQ(qn_cacache_line(qn_str_skip(qn_buf_view(&b), 1), &a, &e), -EBADMSG);
        qn_buf_reset(&b);
        add_line(&b, "[\"key\"");
        ASSERT_EQ(qn_cacache_line(qn_str_skip(qn_buf_view(&b), 1), &a, &e), -EBADMSG);
        ASSERT_EQ(e.size, 5);
}

TEST(index_line_longer_than_the_cap)
{
        ARENA;
        BUF(json);
        BUF(b);
        struct qn_cacache_entry e;

        qn_buf_puts(&json, "{\"key\":\"");
        qn_buf_fill(&json, 'k', QN_CACACHE_LINE_MAX);
        qn_buf_puts(&json, "\",\"integrity\":\"sha512-x\"}");
        add_line(&b, json.p);
        ASSERT_EQ(qn_cacache_line(qn_str_skip(qn_buf_view(&b), 1), &a, &e), -EBADMSG);
}

static bool is_short(const struct qn_cacache_entry *e, void *user)
{
        (void)user;
        return qn_str_is(e->accept, "short");
}

TEST(newest_fitting_entry_of_a_bucket)
{
        ARENA;
        BUF(b);
        struct qn_cacache_entry e = { 0 };

        add_line(&b, "{\"key\":\"k\",\"integrity\":\"sha512-old\",\"time\":5}");
        add_line(&b, "{\"key\":\"k\",\"integrity\":\"sha512-short\",\"metadata\":{\"reqHeaders\":{"
                     "\"accept\":\"short\"}}}");
        add_line(&b, "{\"key\":\"k\",\"integrity\":\"sha512-new\",\"size\":7,\"time\":1,"
                     "\"metadata\":{\"time\":9,\"url\":\"u\","
                     "\"resHeaders\":{\"etag\":\"\\\"e\\\"\",\"cache-control\":\"max-age=3\"}}}");
        add_line(&b, "{\"key\":\"other\",\"integrity\":\"sha512-x\"}");
        qn_buf_puts(&b, "\n0000000000000000000000000000000000000000\t{\"key\":\"k\",\"integrity\":"
                        "\"sha512-forged\"}\n{\"torn");
        ASSERT_EQ(qn_cacache_pick(qn_buf_view(&b), QN_STR("k"), NULL, NULL, &a, &e), 0);
        ASSERT_STR(e.integrity, "sha512-new");
        ASSERT_STR(e.etag, "\"e\"");
        ASSERT_EQ(e.time_ms, 9);
        ASSERT_EQ(e.size, 7);
        ASSERT_EQ(qn_cacache_pick(qn_buf_view(&b), QN_STR("k"), is_short, NULL, &a, &e), 0);
        ASSERT_STR(e.integrity, "sha512-short");
        ASSERT_EQ(qn_cacache_pick(qn_buf_view(&b), QN_STR("none"), NULL, NULL, &a, &e), -ENOENT);
        add_line(&b, "{\"key\":\"k\",\"integrity\":null}");
        ASSERT_EQ(qn_cacache_pick(qn_buf_view(&b), QN_STR("k"), NULL, NULL, &a, &e), -ENOENT);
        ASSERT_STR(e.integrity, "sha512-short");
}

TEST(freshness)
{
        static const struct {
                const char *control, *date, *expires;
                uint64_t age_s;
                bool fresh;
        } cases[] = {
                { NULL, NULL, NULL, 0, false },
                { "max-age=300", NULL, NULL, 299, true },
                { "public, max-age=\"300\"", NULL, NULL, 299, true },
                { "max-age=300", NULL, NULL, 300, false },
                { "MAX-AGE = 300", NULL, NULL, 1, true },
                { "max-age=300, no-cache", NULL, NULL, 1, false },
                { "no-store", NULL, NULL, 0, false },
                { "max-age=nonsense", NULL, NULL, 0, false },
                { "max-age=99999999999999999999", NULL, NULL, 0, false },
                { "xmax-age=300", NULL, NULL, 0, false },
                { NULL, "Tue, 15 Nov 1994 08:12:31 GMT", "Tue, 15 Nov 1994 08:13:31 GMT", 59,
                  true },
                { NULL, "Tue, 15 Nov 1994 08:12:31 GMT", "Tue, 15 Nov 1994 08:13:31 GMT", 60,
                  false },
                { NULL, "nonsense", "Tue, 15 Nov 1994 08:13:31 GMT", 0, false },
                { NULL, NULL, "0", 0, false },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                struct qn_cacache_entry e = { .cache_control = qn_str_c(cases[i].control),
                                              .date = qn_str_c(cases[i].date),
                                              .expires = qn_str_c(cases[i].expires),
                                              .time_ms = 1000000 };

                if (qn_cacache_fresh(e.time_ms, qn_cacache_lifetime_s(&e),
                                     1000000 + cases[i].age_s * 1000) != cases[i].fresh)
                        fail_msg("case %zu", i);
                ASSERT_FALSE(qn_cacache_fresh(e.time_ms, qn_cacache_lifetime_s(&e),
                                              999999)); /* from the future */
        }
}

TEST(no_cache_directory)
{
        struct qn_cacache *c = NULL;

        ASSERT_EQ(qn_cacache_open("/does/not/exist", &c), -ENOENT);
        ASSERT_NULL(c);
}

TEST(content_needs_an_integrity)
{
        static const char *const cases[] = { "",          "sha512",
                                             "sha512-",   "sha512-AAAA",
                                             "md5-AAAA",  "-",
                                             "sha1-****", "sha512-../../../../etc/passwd",
                                             "content-v2" };
        _cleanup_(qn_cacache_freep) struct qn_cacache *c = NULL;
        uint64_t size;
        int fd = -1;

        ASSERT_EQ(qn_cacache_open("/", &c), 0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++)
                ASSERT_EQ(qn_cacache_content(c, qn_str_c(cases[i]), &fd, &size), -EINVAL);
        ASSERT_EQ(qn_cacache_content(c, QN_STR("sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00="), &fd, &size),
                  -ENOENT);
        ASSERT_EQ(fd, -1);
}

/* --- npmconf.h --- */

TEST(configuration_that_cannot_be_decoded)
{
        static const struct {
                struct qn_cur in;
        } cases[] = {
                { CUR("") },
                { CUR("\1") },
                { CUR("\1\0\0\0\1\0\0\0a") },
                { CUR("\377\377\377\377\1\0\0\0a") },
                { CUR("\1\0\0\0\1\0\0\0ab") },                   /* no registry */
                { CUR("\1\0\0\0\1\0\0\0ab\1\0\0\0\1\0\0\0ab") }, /* twice */
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                struct qn_npmconf *c = NULL;
                struct qn_err err = { 0 };

                ASSERT_EQ(qn_npmconf_decode(cases[i].in, &c, &err), -EBADMSG);
                ASSERT_TRUE(err.msg[0]);
                ASSERT_NULL(c);
        }
}

TEST(configuration_survives_the_trip)
{
        char *const env[] = { (char[]){ "npm_config_registry=https://r.invalid/npm/" },
                              (char[]){ "npm_config_//r.invalid/:_authToken=T" },
                              (char[]){ "npm_config_fetch_retries=1" }, NULL };
        struct qn_npmconf_in in = { .cwd = "/", .env = env };
        _cleanup_(qn_npmconf_freep) struct qn_npmconf *c = NULL, *d = NULL;
        BUF(one);
        BUF(two);

        ASSERT_EQ(qn_npmconf_load(&in, &c, NULL), 0);
        ASSERT_EQ(qn_npmconf_encode(c, &one), 0);
        ASSERT_EQ(qn_npmconf_decode(qn_cur_str(qn_buf_view(&one)), &d, NULL), 0);
        ASSERT_EQ(qn_npmconf_encode(d, &two), 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)));
        ASSERT_STR(d->registry, "https://r.invalid/npm/");
        ASSERT_STR(qn_npmconf_get(d, QN_STR("//r.invalid/:_authToken")), "T");
        ASSERT_TRUE(d->strict_ssl && d->retries_set && d->retries == 1);
}

TEST(configuration_without_anything)
{
        struct qn_npmconf_in in = { .cwd = "/" };
        struct qn_npmconf *c = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_npmconf_load(&in, &c, &err), -ENOENT);
        ASSERT_NULL(c);
        ASSERT_TRUE(strstr(err.msg, ".npmrc") != NULL);
}

TEST(package_names)
{
        static const char *const good[] = { "a", "@a/b", "a.b-c_d", "JSONStream", "@x/y.z", "a~b" };
        static const char *const bad[] = { "",    ".",     "..",  "@",   "@/",
                                           "@a",  "@a/",   "@/a", "a/b", "@a/b/c",
                                           "a b", "a%2fb", "a?",  "a#",  "\x80" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(good); i++)
                ASSERT_TRUE(qn_npm_name_ok(qn_str_c(good[i])));
        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_FALSE(qn_npm_name_ok(qn_str_c(bad[i])));
}

/* --- http.h --- */

TEST(every_failure_has_a_name_a_number_and_a_next_step)
{
        ASSERT_EQ(qn_http_code_errno(QN_HTTP_OK), 0);
        for (int i = QN_HTTP_OK + 1; i < QN_HTTP_CODE_MAX; i++) {
                ASSERT_TRUE(qn_http_code_name((enum qn_http_code)i)[0]);
                ASSERT_TRUE(qn_http_code_errno((enum qn_http_code)i) < 0);
                ASSERT_TRUE(strstr(qn_http_code_text((enum qn_http_code)i), "; ") != NULL);
                for (int k = QN_HTTP_OK; k < i; k++)
                        assert_string_not_equal(qn_http_code_name((enum qn_http_code)i),
                                                qn_http_code_name((enum qn_http_code)k));
        }
}

static void count(struct qn_http_result *res, void *user)
{
        unsigned *n = user;

        ++*n;
        ASSERT_EQ(res->code, QN_HTTP_URL);
        ASSERT_EQ(res->fd, -1);
}

TEST(callbacks_come_from_poll_and_not_after_free)
{
        struct qn_http_opts o = { 0 };
        struct qn_http_request q = { .url = QN_STR("nonsense"), .max = 1 };
        struct qn_http *h = NULL;
        unsigned n = 0;

        ASSERT_EQ(qn_http_new(&o, &h), 0);
        ASSERT_EQ(qn_http_poll(h, -1), 0);
        ASSERT_EQ(qn_http_get(h, &q, -1, count, &n), 0);
        ASSERT_EQ(qn_http_get(h, &q, -1, count, &n), 0);
        ASSERT_EQ(n, 0);
        ASSERT_EQ(qn_http_poll(h, -1), 0);
        ASSERT_EQ(n, 2);
        ASSERT_EQ(qn_http_get(h, &q, -1, count, &n), 0);
        ASSERT_NULL(qn_http_free(h));
        ASSERT_EQ(n, 2);
}
