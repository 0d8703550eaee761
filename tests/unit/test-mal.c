/* test-mal.c - findings → records for OpenSSF: what is refused, what is said, what is never said, and that others can read it. */
#include <errno.h>

#include "base/jsonw.h"
#include "base/limits.h"
#include "parse/osv.h"
#include "parse/packument.h"
#include "report/osv.h"
#include "report/report.h"
#include "test.h"
#include "tools/report-sample.h"

#define SHA                                                                                 \
        "sha512-ofU9jRauVN8o1AFmd1NeMGNNyi354Qv0jLOxtT7LXGnmCVy9aH9ydNUbNupGY0MN0jc6Fn5ls+" \
        "kssv0biDsklg=="

struct fixture {
        struct sample s;
        struct qn_arena a;
        struct qn_mal m;
        struct qn_buf out;
        struct qn_mal_conf conf;
};

static void begin(struct fixture *f)
{
        *f = (struct fixture){ .a = QN_ARENA_INIT((size_t)64 << 20),
                               .out = QN_BUF_INIT((size_t)8 << 20),
                               .conf = { .time = QN_STR("2026-01-02T03:04:05Z") } };
        sample_init(&f->s);
        f->m = QN_MAL_INIT(&f->a);
        f->s.results[0].name = QN_STR("@evil/pad");
        f->s.results[0].integrity = QN_STR(SHA);
}

static void end(struct fixture *f)
{
        qn_buf_done(&f->out);
        qn_arena_done(&f->a);
        sample_done(&f->s);
}

static void gather(struct fixture *f, const char *version)
{
        struct qn_err err = { 0 };

        f->s.results[0].version = qn_str_c(version);
        ASSERT_EQ(qn_mal_gather(&f->m, &f->s.results[0], &err), 0);
}

static void write_first(struct fixture *f)
{
        qn_mal_end(&f->m);
        qn_buf_reset(&f->out);
        ASSERT_EQ(qn_mal_write(&f->m.packages[0], &f->conf, &f->out), 0);
}

static bool says(const struct fixture *f, const char *what)
{
        return qn_str_find(qn_buf_view(&f->out), qn_str_c(what)) >= 0;
}

/* An event that talks to somebody, as the only evidence of the sample. */
static void talk_to(struct fixture *f, struct qn_event *e, const char *host, const char *url,
                    const char *class)
{
        *e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_STATIC, 0);
        qn_event_attr(e, QN_ATTR_HOST, qn_str_c(host));
        qn_event_attr(e, QN_ATTR_URL, qn_str_c(url));
        qn_event_attr(e, QN_ATTR_CLASS, qn_str_c(class));
        f->s.evidence[0] = e;
        f->s.findings[0].n_evidence = 1;
}

static void expect_refusal(const char *name, const char *version)
{
        struct qn_err err = { 0 };
        struct fixture f;

        begin(&f);
        f.s.results[0].name = qn_str_c(name);
        f.s.results[0].version = qn_str_c(version);
        ASSERT_EQ(qn_mal_gather(&f.m, &f.s.results[0], &err), -EINVAL);
        ASSERT_TRUE(err.msg[0] != '\0');
        ASSERT_EQ(f.m.n, 0u);
        end(&f);
}

TEST(what_has_no_name_on_a_registry_is_refused)
{
        expect_refusal("", "1.0.0");
        expect_refusal("evil", "");
        expect_refusal("../../../etc/cron.d/x", "1.0.0");
        expect_refusal("@evil/..", "1.0.0");
        expect_refusal("@evil/a/b", "1.0.0");
        expect_refusal("a\nb", "1.0.0");
        expect_refusal("evil", "1.0");
        expect_refusal("evil", " 1.0.0");
        expect_refusal("evil", "../1");
}

TEST(what_only_informs_or_others_said_is_refused)
{
        struct qn_err err = { 0 };
        struct fixture f;

        begin(&f);
        ASSERT_EQ(qn_mal_gather(&f.m, &f.s.results[1], &err), -EINVAL);
        f.s.findings[0].layer = QN_LAYER_INTEL;
        ASSERT_EQ(qn_mal_gather(&f.m, &f.s.results[0], &err), -EINVAL);
        end(&f);
}

TEST(others_can_read_it)
{
        struct fixture f;
        struct qn_err err = { 0 };
        struct qn_osv *osv = NULL;

        begin(&f);
        gather(&f, "1.0.0");
        write_first(&f);
        ASSERT_EQ(qn_osv_parse(qn_cur_mem(f.out.p, f.out.n), &f.a, &osv, &err), 0);
        ASSERT_TRUE(osv->malware);
        ASSERT_EQ(osv->id.n, 0u);
        ASSERT_EQ(osv->summary.n, 0u);
        ASSERT_EQ(osv->modified_ms, qn_time_parse(f.conf.time));
        ASSERT_EQ(osv->published_ms, osv->modified_ms);
        ASSERT_EQ(osv->n_affected, 1u);
        ASSERT_STR(osv->affected[0].ecosystem, "npm");
        ASSERT_STR(osv->affected[0].name, "@evil/pad");
        ASSERT_EQ(osv->affected[0].n_versions, 1u);
        ASSERT_STR(osv->affected[0].versions[0], "1.0.0");
        ASSERT_EQ(osv->n_indicators, 1u);
        ASSERT_STR(osv->indicators[0].value, SHA);
        ASSERT_STR(osv->indicators[0].note, "pad-1.0.0.tgz");
        end(&f);
}

TEST(it_names_rule_file_and_offset)
{
        static const char *const parts[] = {
                "\"schema_version\": \"1.7.4\"",
                "\"cweId\": \"CWE-506\"",
                "\"path\": \"lib/setup.js\"",
                "\"rule\": \"steal\",\n                  \"event\": \"net.send\",\n"
                "                  \"offset\": 880,\n                  \"line\": 22",
                "qanat found malicious behaviour in @evil/pad 1.0.0:\\n\\n- Credentials leave at "
                "install time (rule steal, when: install). reads npm tokens and sends them to "
                "hxxps://evil[.]invalid\\n",
        };
        struct fixture f;

        begin(&f);
        gather(&f, "1.0.0");
        write_first(&f);
        for (size_t i = 0; i < QN_ARRAY_SIZE(parts); i++)
                if (!says(&f, parts[i]))
                        fail_msg("no \"%s\" in:\n%s", parts[i], f.out.p);
        ASSERT_FALSE(says(&f, "credits"));
        ASSERT_FALSE(says(&f, "references"));
        ASSERT_FALSE(says(&f, "\xe2\x80\xae"));
        end(&f);
}

TEST(an_old_package_has_a_short_hash)
{
        struct fixture f;

        begin(&f);
        f.s.results[0].integrity = QN_STR("sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        gather(&f, "1.0.0");
        f.s.results[0].integrity = QN_STR("sha1-bm9uZQ==");
        gather(&f, "1.0.1");
        write_first(&f);
        ASSERT_TRUE(says(&f, "\"sha1\": \"a9993e364706816aba3e25717850c26c9cd0d89d\""));
        ASSERT_FALSE(says(&f, "sha512_sri"));
        ASSERT_FALSE(says(&f, "pad-1.0.1.tgz"));
        end(&f);
}

TEST(directories_are_in_lower_case_and_none_of_gits_own)
{
        static const char *const never[] = { "",    "..",    ".git", "@a/.GIT",
                                             "a/b", "git~1", "a b",  "@a" };
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4096);

        ASSERT_EQ(qn_mal_dir(QN_STR("@Evil/Pad.js"), false, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "osv/malicious/npm/@evil/pad.js");
        qn_buf_reset(&b);
        ASSERT_EQ(qn_mal_dir(QN_STR("evil"), true, &b), 0);
        ASSERT_STR(qn_buf_view(&b), "osv/withdrawn/npm/evil");
        for (size_t i = 0; i < QN_ARRAY_SIZE(never); i++)
                ASSERT_EQ(qn_mal_dir(qn_str_c(never[i]), false, &b), -EINVAL);
}

TEST(order_of_arrival_does_not_matter)
{
        static const char *const orders[][4] = { { "1.10.0", "1.9.0", "2.0.0-a", "1.9.0" },
                                                 { "1.9.0", "2.0.0-a", "1.10.0", "1.10.0" } };
        _cleanup_(qn_buf_done) struct qn_buf first = QN_BUF_INIT((size_t)8 << 20);

        for (size_t i = 0; i < QN_ARRAY_SIZE(orders); i++) {
                struct fixture f;

                begin(&f);
                for (size_t k = 0; k < QN_ARRAY_SIZE(orders[i]); k++)
                        gather(&f, orders[i][k]);
                write_first(&f);
                ASSERT_EQ(f.m.n, 1u);
                ASSERT_TRUE(says(&f, "\"versions\": [\n        \"1.9.0\",\n        \"1.10.0\",\n"
                                     "        \"2.0.0-a\"\n      ]"));
                if (i == 0)
                        qn_buf_str(&first, qn_buf_view(&f.out));
                else
                        ASSERT_TRUE(qn_str_eq(qn_buf_view(&first), qn_buf_view(&f.out)));
                end(&f);
        }
}

TEST(one_version_of_two_archives_is_listed_once)
{
        struct fixture f;

        begin(&f);
        gather(&f, "1.0.0");
        f.s.results[0].integrity = (struct qn_str){ 0 };
        gather(&f, "1.0.0");
        write_first(&f);
        ASSERT_EQ(f.m.packages[0].n, 2u);
        ASSERT_TRUE(says(&f, "\"versions\": [\n        \"1.0.0\"\n      ]"));
        ASSERT_TRUE(says(&f, "in @evil/pad 1.0.0:"));
        end(&f);
}

TEST(every_version)
{
        struct fixture f;

        begin(&f);
        f.conf.every_version = true;
        gather(&f, "1.0.0");
        write_first(&f);
        ASSERT_TRUE(says(&f, "\"introduced\": \"0\""));
        ASSERT_FALSE(says(&f, "\"versions\""));
        end(&f);
}

TEST(credits_and_page)
{
        struct qn_mal_credit who[2];
        struct fixture f;

        ASSERT_EQ(qn_mal_credit(QN_STR(""), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("<a@b.invalid>"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("A <"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("A <>"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("A > b"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("A <b> c"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR("A\nB"), who), -EINVAL);
        ASSERT_EQ(qn_mal_credit(QN_STR(" A B < a@b.invalid > "), &who[0]), 0);
        ASSERT_EQ(qn_mal_credit(QN_STR("C"), &who[1]), 0);
        begin(&f);
        f.conf.credits = who;
        f.conf.n_credits = 2;
        f.conf.page = QN_STR("https://registry.invalid/package");
        gather(&f, "1.0.0");
        write_first(&f);
        ASSERT_TRUE(says(&f, "\"name\": \"A B\",\n      \"type\": \"FINDER\",\n      \"contact\": "
                             "[\n        \"a@b.invalid\"\n      ]\n    },\n    {\n      \"name\": "
                             "\"C\",\n      \"type\": \"FINDER\"\n    }"));
        ASSERT_TRUE(says(&f, "\"type\": \"PACKAGE\",\n      \"url\": "
                             "\"https://registry.invalid/package/@evil/pad\""));
        end(&f);
}

/* --- indicators --- */

static void expect_iocs(const char *host, const char *url, const char *class, const char *iocs)
{
        struct qn_event e;
        struct fixture f;

        begin(&f);
        talk_to(&f, &e, host, url, class);
        gather(&f, "1.0.0");
        write_first(&f);
        if (!says(&f, iocs))
                fail_msg("%s %s %s: no %s in\n%s", host, url, class, iocs, f.out.p);
        end(&f);
}

#define NONE "\"iocs\": {}"

TEST(hosts_and_addresses)
{
        expect_iocs(
                "Collect.Evil.invalid", "", "",
                "\"iocs\": {\n      \"domains\": [\n        \"collect.evil.invalid\"\n      ]\n    }");
        expect_iocs("", "https://u:p@evil.invalid:8443/a/b?key=1#x", "",
                    "\"domains\": [\n        \"evil.invalid\"\n      ],\n      \"urls\": [\n"
                    "        \"hxxps://evil.invalid:8443/a/b\"\n      ]");
        expect_iocs("", "http://198.18.0.7/x", "ip",
                    "\"ips\": [\n        \"198.18.0.7\"\n      ],\n      \"urls\": [\n"
                    "        \"hxxp://198.18.0.7/x\"\n      ]");
        expect_iocs("*.evil.invalid", "", "", NONE);
        expect_iocs("evil", "", "", NONE);
        expect_iocs("127.0.0.1", "http://127.0.0.1/a", "private", NONE);
}

TEST(what_many_use_is_no_indicator)
{
        expect_iocs(
                "chat.invalid", "https://chat.invalid/hooks/7/9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6",
                "messenger",
                "\"iocs\": {\n      \"urls\": [\n        \"hxxps://chat.invalid/hooks/7/***\"\n      ]");
        expect_iocs("api.host.invalid", "https://api.host.invalid/user", "github-api", NONE);
        expect_iocs("tunnel.invalid", "", "tunnel", NONE);
        expect_iocs("abc.tunnel.invalid", "", "tunnel", "\"abc.tunnel.invalid\"");
        expect_iocs("new.invalid", "", "a-class-of-the-user", NONE);
}

TEST(no_secret_and_no_link_in_prose)
{
        static const char *const never[] = {
                "9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6", "hunter2", "http://", "https://", "ftp://", "www.evil"
        };
        struct fixture f;

        begin(&f);
        f.s.findings[0].explain =
                QN_STR("It sends npm_9f8Zq0Lk3Pw7Xr2Vt5Yb1Nc6 with password=hunter2 to "
                       "https://me:hunter2@evil.invalid, HTTP://x.invalid, ftp://y.invalid, "
                       "www.evil.invalid");
        gather(&f, "1.0.0");
        write_first(&f);
        for (size_t i = 0; i < QN_ARRAY_SIZE(never); i++)
                if (qn_str_ifind(qn_buf_view(&f.out), qn_str_c(never[i])) >= 0)
                        fail_msg("\"%s\" in:\n%s", never[i], f.out.p);
        end(&f);
}

/* --- caps --- */

TEST(versions_have_a_cap)
{
        struct qn_err err = { 0 };
        struct fixture f;
        char version[32];

        begin(&f);
        for (unsigned i = 0; i < QN_MAL_VERSIONS_MAX; i++) {
                snprintf(version, sizeof version, "1.0.%u", i);
                gather(&f, version);
        }
        f.s.results[0].version = QN_STR("2.0.0");
        ASSERT_EQ(qn_mal_gather(&f.m, &f.s.results[0], &err), -E2BIG);
        end(&f);
}

TEST(addresses_have_a_cap)
{
        struct qn_err err = { 0 };
        struct qn_event e;
        struct fixture f;
        char version[32], host[32];
        int r = 0;
        unsigned i;

        begin(&f);
        for (unsigned k = 0; k < 2; k++)
                for (i = 0; r == 0 && i < QN_MAL_VERSIONS_MAX; i++) {
                        snprintf(version, sizeof version, "1.0.%u", i);
                        f.s.results[0].version = qn_str_c(version);
                        snprintf(host, sizeof host, "h%u-%u.invalid", k, i);
                        talk_to(&f, &e, host, "", "");
                        r = qn_mal_gather(&f.m, &f.s.results[0], &err);
                        f.m.packages[0].n = 0; /* so that versions do not end it */
                }
        ASSERT_EQ(r, 0);
        ASSERT_EQ(f.m.packages[0].n_iocs, QN_MAL_IOCS_MAX);
        talk_to(&f, &e, "more.invalid", "", "");
        ASSERT_EQ(qn_mal_gather(&f.m, &f.s.results[0], &err), -E2BIG);
        end(&f);
}

/* --- where it goes --- */

TEST(the_path_tells_package_versions_and_archives)
{
        _cleanup_(qn_buf_done) struct qn_buf one = QN_BUF_INIT(4096), two = QN_BUF_INIT(4096);
        struct fixture f;

        begin(&f);
        gather(&f, "1.0.0");
        qn_mal_end(&f.m);
        ASSERT_EQ(qn_mal_path(&f.m.packages[0], &f.conf, &one), 0);
        ASSERT_TRUE(
                qn_str_starts(qn_buf_view(&one), "osv/malicious/npm/@evil/pad/MAL-0000-qanat-"));
        ASSERT_TRUE(qn_str_ends(qn_buf_view(&one), ".json"));
        f.conf.time = QN_STR("2027-01-01T00:00:00Z");
        ASSERT_EQ(qn_mal_path(&f.m.packages[0], &f.conf, &two), 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)));
        gather(&f, "1.0.1");
        qn_buf_reset(&two);
        ASSERT_EQ(qn_mal_path(&f.m.packages[0], &f.conf, &two), 0);
        ASSERT_FALSE(qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)));
        end(&f);
}
