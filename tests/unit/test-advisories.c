/* What comes beside OSV records: lists of changes, ranges of advisories, GitHub's advisories, an own list, the table of sources. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "event/event.h"
#include "intel/affects.h"
#include "intel/sources.h"
#include "observe/known.h"
#include "parse/advisory-range.h"
#include "parse/changes.h"
#include "parse/ghsa.h"
#include "parse/json.h"
#include "parse/own-list.h"
#include "parse/packument.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)64 << 20 };

/* --- lists of changes --- */

/* "id id …" of what changed since. */
static const char *changed(const char *text, const char *since)
{
        static char out[2048];
        struct qn_changes c;
        size_t n = 0;

        qn_arena_reset(&arena, 0);
        if (qn_changes_parse(qn_cur_str(qn_str_c(text)),
                             since ? qn_time_parse(qn_str_c(since)) : QN_TIME_NONE, &arena, &c,
                             NULL) < 0)
                return "refused";
        out[0] = '\0';
        for (size_t i = 0; i < c.n; i++)
                n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s", i ? " " : "",
                                      QN_STR_ARG(c.v[i].id));
        return out;
}

TEST(a_text_without_a_change_is_no_list)
{
        assert_string_equal(changed("", NULL), "refused");
        assert_string_equal(changed("<html>\n", NULL), "refused");
        assert_string_equal(changed("2025-01-01T00:00:00Z,../../etc/passwd?\n", NULL), "refused");
        assert_string_equal(changed("2025-01-01T00:00:00Z,.\n", NULL), "refused");
        assert_string_equal(changed("yesterday,MAL-1\n", NULL), "refused");
}

TEST(changes_come_oldest_first_and_once)
{
        static const char list[] =
                "2025-03-01T00:00:00.123456Z,MAL-3\n2025-02-01T00:00:00Z,npm/MAL-2\r\n"
                "2025-01-01T00:00:00Z,MAL-1\nnonsense\n2025-02-02T00:00:00Z,MAL-3\n";

        assert_string_equal(changed(list, NULL), "MAL-1 MAL-2 MAL-3");
        assert_string_equal(changed(list, "2025-02-01T00:00:00Z"), "MAL-2 MAL-3");
        assert_string_equal(changed(list, "2025-04-01"), "");
}

TEST(too_many_changes_are_too_many)
{
        struct qn_buf b = QN_BUF_INIT((size_t)8 << 20);
        struct qn_changes c;

        for (unsigned i = 0; i <= QN_CHANGES_MAX; i++)
                qn_buf_printf(&b, "2025-01-01T00:00:00Z,MAL-%u\n", i);
        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_changes_parse(qn_cur_str(qn_buf_view(&b)), QN_TIME_NONE, &arena, &c, NULL),
                  -EFBIG);
        ASSERT_EQ(qn_changes_parse(qn_cur_str(qn_buf_view(&b)), INT64_MAX, &arena, &c, NULL), 0);
        ASSERT_EQ(c.listed, QN_CHANGES_MAX + 1);
        qn_buf_done(&b);
}

/* --- ranges --- */

/* Whether a range of an advisory covers a version: "yes", "no", "refused". */
static const char *covers(const char *range, const char *version)
{
        struct qn_osv_affected block = { .ecosystem = QN_STR("npm"), .name = QN_STR("x") };
        struct qn_affects_why why;

        qn_arena_reset(&arena, 0);
        if (qn_advisory_range(qn_str_c(range), &arena, &block) < 0)
                return "refused";
        return qn_osv_affects(&block, qn_str_c(version), &why) ? "yes" : "no";
}

TEST(ranges_that_make_no_sense_are_refused)
{
        static const char *const wrong[] = {
                "",
                "=",
                "latest",
                ">= x",
                ">= 1.0.0,",
                "^1.0.0",
                "1.0.0 - 2.0.0",
                "> 0, , < 2.0.0",
                "<1.0.0,<1.0.0,<1.0.0,<1.0.0,<1.0.0,<1.0.0,<1.0.0,<1.0.0,<1.0.0"
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(wrong); i++)
                assert_string_equal(covers(wrong[i], "1.0.0"), "refused");
}

TEST(ranges_of_advisories_mean_what_they_say)
{
        static const char *const table[][3] = {
                { "= 1.2.3", "1.2.3", "yes" },
                { "= 1.2.3", "1.2.4", "no" },
                { "1.2.3", "1.2.3", "yes" },
                { ">= 1.0.0, < 2.0.0", "1.9.9", "yes" },
                { ">= 1.0.0, < 2.0.0", "2.0.0", "no" },
                { ">= 1.0.0, < 2.0.0", "0.9.0", "no" },
                { "<= 3.1.0", "3.1.0", "yes" },
                { "<= 3.1.0", "3.1.1", "no" },
                { "< 1.0.0", "0.0.1", "yes" },
                { "> 1.0.0", "1.0.0", "no" },
                { "> 1.0.0", "1.0.1-0", "yes" },
                { "> 1.0.0", "1.0.1", "yes" },
                { "> 1.0.0-a", "1.0.0-a", "no" },
                { "> 1.0.0-a", "1.0.0-b", "yes" },
                { "> 0", "0.0.1", "yes" },
                { ">= 0", "9.0.0", "yes" },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                assert_string_equal(covers(table[i][0], table[i][1]), table[i][2]);
}

/* --- GitHub's advisories --- */

static int advisory(const char *text, struct qn_osv **ret)
{
        struct qn_node *doc;

        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_json_parse(qn_cur_str(qn_str_c(text)), &arena, &doc, NULL), 0);
        if (!qn_ghsa_is(doc))
                return -ENOENT;
        return qn_ghsa_take(doc, &arena, ret, NULL);
}

TEST(what_is_no_advisory)
{
        struct qn_osv *o;

        ASSERT_EQ(advisory("{\"id\":\"GHSA-1\"}", &o), -ENOENT);
        ASSERT_EQ(advisory("[1]", &o), -ENOENT);
        ASSERT_EQ(advisory("{\"ghsa_id\":\"\"}", &o), -EINVAL);
}

TEST(an_advisory_becomes_a_record)
{
        struct qn_osv *o = NULL;

        ASSERT_EQ(advisory("{\"ghsa_id\":\"GHSA-a\",\"cve_id\":\"CVE-1\",\"type\":\"malware\","
                           "\"severity\":\"critical\",\"summary\":\"s\","
                           "\"updated_at\":\"2025-01-02T00:00:00Z\",\"published_at\":\"2025-01-"
                           "01T00:00:00Z\",\"withdrawn_at\":null,"
                           "\"vulnerabilities\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":"
                           "\"bad\"},\"vulnerable_version_range\":\"= 1.0.0\"},"
                           "{\"package\":{\"ecosystem\":\"npm\",\"name\":\"odd\"},\"vulnerable_"
                           "version_range\":\"whatever\"},{}]}",
                           &o),
                  0);
        ASSERT_STR(o->id, "GHSA-a");
        ASSERT_STR(o->aliases[0], "CVE-1");
        assert_true(o->malware && !o->withdrawn.n);
        ASSERT_EQ(o->n_affected, 1);
        ASSERT_STR(o->affected[0].versions[0], "1.0.0");
        ASSERT_EQ(o->modified_ms - o->published_ms, 86400000);
}

/* --- an own list --- */

/* "id:block id:allow …", or what is wrong. */
static const char *own(const char *text)
{
        static char out[2048];
        struct qn_err err = { 0 };
        struct qn_osv **list;
        size_t count = 0, n = 0;

        qn_arena_reset(&arena, 0);
        if (qn_own_list_parse(qn_cur_str(qn_str_c(text)), &arena, &list, &count, &err) < 0) {
                snprintf(out, sizeof out, "%s", err.msg);
                return out;
        }
        out[0] = '\0';
        for (size_t i = 0; i < count; i++)
                n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s:%s", i ? " " : "",
                                      QN_STR_ARG(list[i]->id),
                                      list[i]->policy == QN_OSV_BLOCK ? "block" : "allow");
        return out;
}

TEST(entries_that_are_wrong_say_where)
{
        assert_string_equal(own("a: b"), "an own list is a list of entries");
        assert_string_equal(own("- block: x"), "line 1: an entry without a reason");
        assert_string_equal(own("- reason: x"),
                            "line 1: an entry begins with block, allow or expire");
        assert_string_equal(own("- block: x\n  allow: x\n  reason: r"),
                            "line 1: an entry says one of block, allow and expire");
        assert_string_equal(own("- block: x\n  reason: r\n  untill: 2025-01-01"),
                            "line 3: an entry has no such field");
        assert_string_equal(own("- block: x\n  reason: r\n  expires: soon"),
                            "line 3: this is no date such as 2026-11-29");
        assert_string_equal(own("- block: x@1.x\n  reason: r"), "line 1: this is no version");
        assert_string_equal(own("- block: x@1.0.0\n  versions: [1.0.0]\n  reason: r"),
                            "line 1: name the versions once: with @, versions or range");
        assert_string_equal(own("- block: x\n  versions: 1.0.0\n  reason: r"),
                            "line 2: versions is a list of versions");
        assert_string_equal(own("- expire: x"),
                            "line 1: there is no entry before it that it could end");
        assert_true(!qn_own_list_is(QN_STR("package,version\n")) &&
                    !qn_own_list_is(QN_STR("- name: x\n")) && !qn_own_list_is(QN_STR("")));
        assert_true(qn_own_list_is(QN_STR("# ours\n---\n\n- block: x\n")));
}

TEST(of_several_entries_the_last_counts)
{
        assert_string_equal(own("- block: x@1.0.0\n  reason: r\n- allow: x@1.0.0\n  reason: r\n- "
                                "block: '@s/y'\n  reason: r"),
                            "OWN:x@1.0.0:allow OWN:@s/y:block");
        assert_string_equal(own("- block: x\n  versions: [1.0.0, 1.0.1]\n  reason: r\n- block: x\n "
                                " range: '>= 2.0.0'\n  reason: r"),
                            "OWN:x@1.0.0,1.0.1:block OWN:x@>= 2.0.0:block");
        assert_string_equal(own("- block: x@1.0.0\n  reason: r\n- block: x@2.0.0\n  reason: r\n- "
                                "expire: x@1.0.0"),
                            "OWN:x@2.0.0:block");
        assert_string_equal(
                own("- block: x@1.0.0\n  reason: r\n- block: xy\n  reason: r\n- expire: x"),
                "OWN:xy:block");
}

/* --- sources --- */

TEST(the_table_of_sources_that_is_shipped_can_be_read)
{
        struct qn_source_conf *list;
        struct qn_err err = { 0 };
        size_t n = 0;

        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_sources_load(TEST_DATA, NULL, &arena, &list, &n, &err), 0);
        assert_true(n >= 3);
        ASSERT_EQ(qn_sources_load("/nowhere", NULL, &arena, &list, &n, &err), -ENOENT);
}

/* --- what is listed --- */

TEST(a_table_of_what_is_listed)
{
        struct qn_buf b = QN_BUF_INIT(4096);
        uint64_t keys[] = { qn_known_key(QN_IOC_DOMAIN, QN_STR("c2.attacker.invalid")),
                            qn_known_key(QN_IOC_URL, QN_STR("https://a.invalid/x")),
                            qn_known_key(QN_IOC_IP, QN_STR("203.0.113.7")) };
        static const struct {
                const char *text;
                bool known;
        } table[] = {
                { "c2.attacker.invalid", true }, { "https://x.c2.attacker.invalid:8080/y?z", true },
                { "attacker.invalid", false },   { "notc2.attacker.invalid", false },
                { "https://a.invalid/x", true }, { "https://a.invalid/y", false },
                { "http://203.0.113.7/", true }, { "203.0.113.7", true },
                { "203.0.113.70", false },       { "", false },
        };
        struct qn_event e;
        struct qn_known k;

        qn_known_write(keys, QN_ARRAY_SIZE(keys), false, &b);
        ASSERT_EQ(qn_known_open(qn_cur_mem(b.p, b.n), &k), 0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                ASSERT_EQ(qn_known_text(&k, qn_str_c(table[i].text), &e), table[i].known);
        for (size_t n = 1; n < b.n; n++)
                ASSERT_EQ(qn_known_open(qn_cur_mem(b.p, n), &k), -EBADMSG);
        ASSERT_EQ(qn_known_open((struct qn_cur){ 0 }, &k), 0);
        assert_false(qn_known_text(&k, QN_STR("c2.attacker.invalid"), &e));
        qn_buf_done(&b);
}
