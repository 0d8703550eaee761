/* OSV records: hostile and odd ones first. */
#include "parse/osv.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/packument.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)256 << 20 };
static struct qn_err err;

static struct qn_osv *parse(const char *text)
{
        struct qn_osv *osv = NULL;

        qn_arena_reset(&arena, 0);
        err = (struct qn_err){ 0 };
        if (qn_osv_parse(qn_cur_str(qn_str_c(text)), &arena, &osv, &err) < 0)
                ASSERT_NULL(osv);
        return osv;
}

static int refused(const char *text)
{
        ASSERT_NULL(parse(text));
        ASSERT_TRUE(err.msg[0]);
        return err.code;
}

TEST(what_is_no_record_is_refused)
{
        ASSERT_EQ(refused("[]"), -EINVAL);
        ASSERT_EQ(refused("{\"name\":\"x\",\"version\":\"1.0.0\"}"), -EINVAL);
        ASSERT_EQ(refused("{\"affected\":{}}"), -EINVAL);
        ASSERT_EQ(refused("{\"affected\":[7]}"), -EINVAL);
        ASSERT_EQ(refused("{\"affected\":[{\"package\":{\"name\":\"x\"}}]}"), -EINVAL);
        ASSERT_EQ(refused("{\"affected\":["), -EBADMSG);
        ASSERT_EQ(refused("{\"id\":\"\xff\",\"affected\":[]}"), -EILSEQ);
}

TEST(too_much_is_refused)
{
        struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);

        qn_buf_puts(&b, "{\"affected\":[");
        for (unsigned i = 0; i <= QN_OSV_AFFECTED_MAX; i++)
                qn_buf_puts(&b, i ? ",{}" : "{}");
        qn_buf_puts(&b, "]}");
        ASSERT_EQ(refused(b.p), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"affected\":[{\"versions\":[");
        for (unsigned i = 0; i <= QN_OSV_VERSIONS_MAX; i++)
                qn_buf_puts(&b, i ? ",\"1\"" : "\"1\"");
        qn_buf_puts(&b, "]}]}");
        ASSERT_EQ(refused(b.p), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"affected\":[{\"ranges\":[{\"events\":[");
        for (unsigned i = 0; i <= QN_OSV_EVENTS_MAX; i++)
                qn_buf_puts(&b, i ? ",{\"fixed\":\"1\"}" : "{\"fixed\":\"1\"}");
        qn_buf_puts(&b, "]}]}]}");
        ASSERT_EQ(refused(b.p), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"affected\":[],\"database_specific\":{\"iocs\":{\"domains\":[");
        for (unsigned i = 0; i <= QN_OSV_INDICATORS_MAX; i++)
                qn_buf_printf(&b, "%s\"h%u.example.invalid\"", i ? "," : "", i);
        qn_buf_puts(&b, "]}}}");
        ASSERT_EQ(refused(b.p), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"affected\":[],\"id\":\"");
        qn_buf_fill(&b, 'x', QN_OSV_ID_MAX + 1);
        qn_buf_puts(&b, "\"}");
        ASSERT_EQ(refused(b.p), -EINVAL);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"affected\":[],\"details\":\"");
        qn_buf_fill(&b, 'x', QN_OSV_MAX);
        qn_buf_puts(&b, "\"}");
        ASSERT_EQ(refused(b.p), -EFBIG);
        qn_buf_done(&b);
}

TEST(references_are_kept_up_to_a_number)
{
        struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_osv *osv = parse("{\"affected\":[],\"references\":[{\"type\":\"WEB\",\"url\":"
                                   "\"https://a.invalid\"},{\"type\":\"FIX\"},7,{\"url\":\"b\"}]}");

        ASSERT_EQ(osv->n_references, 2);
        ASSERT_STR(osv->references[0].type, "WEB");
        ASSERT_STR(osv->references[1].url, "b");
        ASSERT_EQ(parse("{\"affected\":[],\"references\":{}}")->n_references, 0);
        qn_buf_puts(&b, "{\"affected\":[],\"references\":[");
        for (unsigned i = 0; i <= QN_OSV_REFERENCES_MAX; i++)
                qn_buf_printf(&b, "%s{\"url\":\"%u\"}", i ? "," : "", i);
        qn_buf_puts(&b, "]}");
        ASSERT_EQ(parse(b.p)->n_references, QN_OSV_REFERENCES_MAX);
        qn_buf_done(&b);
}

TEST(a_record_without_id_summary_or_details_is_one)
{
        const struct qn_osv *o =
                parse("{\"modified\":\"2025-09-16T16:30:35.123456789Z\",\"affected\":[]}");

        ASSERT_NOT_NULL(o);
        ASSERT_EQ(o->id.n, 0);
        ASSERT_EQ(o->summary.n, 0);
        ASSERT_EQ(o->modified_ms, INT64_C(1758040235123));
        ASSERT_EQ(o->withdrawn_ms, QN_TIME_NONE);
        ASSERT_STR(qn_osv_id_of_path(QN_STR("osv/npm/x/MAL-0000-a-1.json")), "MAL-0000-a-1");
}

TEST(origins_may_be_null_absent_or_repeated_and_their_hash_is_the_reports)
{
        const struct qn_osv *o = parse(
                "{\"affected\":[],\"database_specific\":{\"malicious-packages-origins\":null}}");

        ASSERT_EQ(o->n_origins, 0);
        ASSERT_FALSE(o->malware);
        o = parse("{\"affected\":[],\"database_specific\":{\"malicious-packages-origins\":["
                  "{\"source\":\"a\",\"id\":\"1\",\"sha256\":"
                  "\"346600b3c428f935cffe333f73dbf2bd10ff54fce19d9349"
                  "db9de380ddc45de8\"},{\"source\":\"a\",\"id\":\"1\"},{\"source\":\"b\"},7]}}");
        ASSERT_EQ(o->n_origins, 2);
        ASSERT_EQ(o->n_indicators, 0);
        ASSERT_TRUE(o->malware);
}

TEST(events_with_two_keys_are_two_and_unknown_ranges_are_marked)
{
        const struct qn_osv *o = parse(
                "{\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"x\"},\"ranges\":["
                "{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\",\"fixed\":\"1.0.0\"},{"
                "\"limit\":\"2\"}]},"
                "{\"type\":\"GIT\",\"events\":[{\"introduced\":\"abc\"}]},{\"type\":\"NEW\"}],"
                "\"versions\":null}]}");

        ASSERT_EQ(o->affected[0].n_ranges, 3);
        ASSERT_EQ(o->affected[0].ranges[0].n, 3);
        ASSERT_EQ(o->affected[0].ranges[0].events[1].kind, QN_OSV_FIXED);
        ASSERT_EQ(o->affected[0].ranges[1].type, QN_OSV_GIT);
        ASSERT_EQ(o->affected[0].ranges[2].type, QN_OSV_OTHER);
        ASSERT_EQ(o->affected[0].n_versions, 0);
}

TEST(indicators_lie_in_two_places_and_are_spelt_in_two_ways)
{
        const struct qn_osv *o =
                parse("{\"affected\":[{\"database_specific\":{\"indicators\":{"
                      "\"evidence_files\":[{\"path\":\"package.json\",\"sha256\":"
                      "\"346600B3C428F935CFFE333F73DBF2BD10FF54FCE19D9349DB9DE380DDC45DE8\"}],"
                      "\"package_integrity\":[{\"filename\":\"x.tgz\",\"hashes\":{\"sha1\":"
                      "\"da39a3ee5e6b4b0d3255bfef95601890afd80709\",\"sha512_sri\":\"sha512-"
                      "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/"
                      "SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\"}}],"
                      "\"domains\":[\"Evil.Example.INVALID\"],\"ip_addresses\":[\"10.0.0.1\"]}}}],"
                      "\"database_specific\":{\"iocs\":{\"ips\":[\"10.0.0.2\"],\"domains\":[\"evil."
                      "example.invalid\",\"no host\"],"
                      "\"urls\":[\"hxxps://evil[.]example.invalid/x\"]}}}");

        ASSERT_EQ(o->n_indicators, 7);
        ASSERT_STR(o->indicators[0].value, "evil.example.invalid");
        ASSERT_EQ(o->indicators[2].kind, QN_IOC_SHA256);
        ASSERT_STR(o->indicators[2].value,
                   "346600b3c428f935cffe333f73dbf2bd10ff54fce19d9349db9de380ddc45de8");
        ASSERT_STR(o->indicators[2].note, "package.json");
        ASSERT_STR(o->indicators[6].value, "https://evil.example.invalid/x");
}

TEST(what_is_malware)
{
        ASSERT_TRUE(parse("{\"id\":\"MAL-2025-1\",\"affected\":[]}")->malware);
        ASSERT_TRUE(
                parse("{\"id\":\"GHSA-1\",\"aliases\":[\"MAL-2025-1\"],\"affected\":[]}")->malware);
        ASSERT_TRUE(parse("{\"id\":\"GHSA-1\",\"affected\":[],\"database_specific\":{\"cwe_ids\":["
                          "\"CWE-506\"]}}")
                            ->malware);
        ASSERT_FALSE(parse("{\"id\":\"GHSA-1\",\"affected\":[],\"database_specific\":{\"cwe_ids\":["
                           "\"CWE-79\"],"
                           "\"severity\":\"HIGH\"}}")
                             ->malware);
        ASSERT_STR(parse("{\"id\":\"G\",\"affected\":[],\"database_specific\":{\"severity\":"
                         "\"HIGH\"}}")
                           ->severity,
                   "high");
}

TEST(escapes_and_bytes_of_utf8_mix_and_no_line_ends_the_file)
{
        const struct qn_osv *o =
                parse("{\"id\":\"MAL-1\",\"modified\":\"2025-01-01T00:00:00Z\",\"details\":"
                      "\"\\u003cb\\u003e na\xc3\xafve \\u00e9\",\"affected\":[]}");

        ASSERT_NOT_NULL(o);
        ASSERT_STR(o->details, "<b> na\xc3\xafve \xc3\xa9");
}

TEST(times_have_no_to_nine_digits_of_a_second)
{
        static const char digits[] = "123456789";

        for (int n = 0; n <= 9; n++) {
                char text[200];
                const struct qn_osv *o;

                snprintf(text, sizeof text,
                         "{\"id\":\"MAL-1\",\"modified\":\"2025-01-01T00:00:00%s%.*sZ\","
                         "\"affected\":[]}",
                         n ? "." : "", n, digits);
                o = parse(text);
                ASSERT_NOT_NULL(o);
                ASSERT_EQ(o->modified_ms, 1735689600000 + (n == 0   ? 0
                                                           : n == 1 ? 100
                                                           : n == 2 ? 120
                                                                    : 123));
        }
}
