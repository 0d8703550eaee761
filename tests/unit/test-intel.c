/* What is known to be bad: matching as the OSV schema says it, the index, and how statements become one answer. */
#include "intel/match.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "intel/feed.h"
#include "intel/record.h"
#include "intel/trust.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)256 << 20 };

/* --- one block against one version --- */

static const char *affects(const char *block, const char *version)
{
        static const char *const names[] = { "not", "all", "range", "version" };
        struct qn_affects_why why;
        struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_osv *osv = NULL;

        qn_arena_reset(&arena, 0);
        qn_buf_printf(&b,
                      "{\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"x\"},%s}]}",
                      block);
        ASSERT_EQ(qn_osv_parse(qn_cur_str(qn_buf_view(&b)), &arena, &osv, NULL), 0);
        block = names[qn_osv_affects(&osv->affected[0], qn_str_c(version), &why)];
        qn_buf_done(&b);
        return block;
}

#define EVENTS(list)                 "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[" list "]}]"
#define AFFECTS(block, version, how) assert_string_equal(affects(block, version), how)

TEST(events_of_a_range)
{
        static const char fixed[] = EVENTS("{\"introduced\":\"1.0.0\"},{\"fixed\":\"1.2.0\"}");
        static const char last[] =
                EVENTS("{\"introduced\":\"8.1.1\"},{\"last_affected\":\"8.1.2\"}");
        static const char limit[] = EVENTS("{\"introduced\":\"1.0.0\"},{\"limit\":\"2.0.0\"}");
        static const char twice[] = EVENTS(
                "{\"fixed\":\"1.1.0\"},{\"introduced\":\"2.0.0\"},{\"introduced\":\"1.0.0\"},"
                "{\"fixed\":\"2.1.0\"}");

        AFFECTS(fixed, "0.9.9", "not");
        AFFECTS(fixed, "1.0.0", "range");
        AFFECTS(fixed, "1.0.0-rc.1", "not");
        AFFECTS(fixed, "1.2.0-rc.1", "range");
        AFFECTS(fixed, "1.2.0", "not");
        AFFECTS(last, "8.1.2", "range");
        AFFECTS(last, "8.1.3-0", "not");
        AFFECTS(last, "8.1.3", "not");
        AFFECTS(limit, "1.9.9", "range");
        AFFECTS(limit, "2.0.0", "not");
        AFFECTS(twice, "1.0.5", "range");
        AFFECTS(twice, "1.5.0", "not");
        AFFECTS(twice, "2.0.5", "range");
        AFFECTS(twice, "2.1.0", "not");
        AFFECTS(EVENTS("{\"introduced\":\"0\"}"), "0.0.0-alpha", "all");
        AFFECTS(EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"1.0.0\"}"), "0.0.1", "range");
        AFFECTS(EVENTS("{\"introduced\":\"0\"},{\"fixed\":\"1.0.0\"}"), "1.0.0", "not");
        AFFECTS(EVENTS("{\"introduced\":\"0\"}"), "not a version", "not");
}

/* In one pass: with each event against each other this would take minutes. */
TEST(a_range_may_have_as_many_events_as_are_let_in)
{
        static struct qn_osv_event events[QN_OSV_EVENTS_MAX];
        struct qn_osv_range range = { QN_OSV_SEMVER, events, QN_OSV_EVENTS_MAX };
        const struct qn_osv_affected block = { .ranges = &range, .n_ranges = 1 };
        struct qn_affects_why why;

        qn_arena_reset(&arena, 0);
        for (unsigned i = 0; i < QN_OSV_EVENTS_MAX; i++) {
                char version[32];

                snprintf(version, sizeof version, "%u.0.0", i + 1);
                events[i] = (struct qn_osv_event){ i % 2 ? QN_OSV_FIXED : QN_OSV_INTRODUCED,
                                                   qn_arena_dup(&arena, qn_str_c(version)) };
        }
        ASSERT_EQ(qn_osv_affects(&block, QN_STR("501.3.0"), &why), QN_AFFECTS_RANGE);
        ASSERT_EQ(qn_osv_affects(&block, QN_STR("502.3.0"), &why), QN_AFFECTS_NOT);
        ASSERT_EQ(qn_osv_affects(&block, QN_STR("999999.0.0"), &why), QN_AFFECTS_NOT);
}

TEST(exact_versions_beat_a_range_over_everything)
{
        static const char both[] =
                EVENTS("{\"introduced\":\"0\"}") ",\"versions\":[\"4.2.0\",\"4.2.1\"]";

        AFFECTS(both, "4.2.1", "version");
        AFFECTS(both, "4.2.2", "not");
        AFFECTS(EVENTS("{\"introduced\":\"1.0.0\"}") ",\"versions\":[\"0.5.0\"]", "1.1.0", "range");
        AFFECTS("\"versions\":[\"v1.0.0\"]", "1.0.0", "version");
        AFFECTS("\"versions\":[\"odd\"]", "odd", "version");
}

TEST(ranges_of_other_kinds_never_match)
{
        AFFECTS("\"ranges\":[{\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}]", "1.0.0",
                "not");
        AFFECTS("\"ranges\":[{\"type\":\"NEW\",\"events\":[{\"introduced\":\"0\"}]}]", "1.0.0",
                "not");
        AFFECTS("\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}]",
                "1.0.0", "all");
}

/* --- the index --- */

static char dir[] = "/tmp/qanat-intel-XXXXXX";

static void forget(void)
{
        static const char *const files[] = { "index.mdb", "index.mdb-lock", "update.lock" };
        char path[128];

        for (size_t i = 0; i < QN_ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof path, "%s/%s", dir, files[i]);
                unlink(path);
        }
        rmdir(dir);
        memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
}

/* Takes a feed in: 0 or -errno. */
static int import(const char *source, const char *text, bool whole, bool force,
                  struct qn_intel_counts *ret)
{
        struct qn_intel_counts counts = { 0 };
        struct qn_buf packed = QN_BUF_INIT((size_t)16 << 20);
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_feed_result res;
        struct qn_intel *x = NULL;
        struct qn_intel_source s;
        struct qn_feed *f = NULL;
        struct qn_cur record;
        struct qn_err err = { 0 };
        int r;

        ASSERT_EQ(qn_feed_new(&f), 0);
        ASSERT_EQ(qn_feed_pack(f,
                               &(struct qn_feed_input){ .bytes = qn_cur_str(qn_str_c(text)),
                                                        .source = qn_str_c(source),
                                                        .path = QN_STR("x.json") },
                               &packed, NULL),
                  0);
        ASSERT_EQ(qn_feed_read(qn_cur_str(qn_buf_view(&packed)), &res), 0);
        ASSERT_EQ(qn_intel_open_writer(dir, &x, &err), 0);
        ASSERT_EQ(qn_intel_source(x, qn_str_c(source), &a, &s), 0);
        ASSERT_EQ(qn_intel_begin(x, &s, whole), 0);
        while ((r = qn_feed_next(&res.records, &record)) == 1)
                ASSERT_EQ(qn_intel_put(x, record), 0);
        ASSERT_EQ(r, 0);
        r = qn_intel_commit(x, &s, force, &counts, &err);
        if (ret)
                *ret = counts;
        qn_intel_close(x);
        qn_feed_free(f);
        qn_arena_done(&a);
        qn_buf_done(&packed);
        return r;
}

#define NOW_MS 1764547200000 /* 2025-12-01 */

static struct qn_intel_trust *trust;

/* "confirmed malware ID" for each match; who says it behind that. */
static const char *known(const char *name, const char *version)
{
        static char out[2048];
        struct qn_intel_answer ans;
        struct qn_intel *x = NULL;
        size_t n = 0;

        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), 0);
        ASSERT_EQ(qn_intel_match(x, trust,
                                 &(struct qn_intel_question){ .name = qn_str_c(name),
                                                              .version = qn_str_c(version),
                                                              .now_ms = NOW_MS },
                                 &arena, &ans),
                  0);
        out[0] = '\0';
        for (size_t i = 0; i < ans.n; i++) {
                const struct qn_intel_match *m = &ans.matches[i];

                n += (size_t)snprintf(out + n, 400, "%s%s %s %.*s", i ? "; " : "",
                                      qn_intel_sure_name(m->sure), qn_intel_kind_name(m->kind),
                                      QN_STR_ARG(m->id));
                for (size_t k = 0; k < m->n_origins; k++)
                        n += (size_t)snprintf(out + n, 100, " %.*s", QN_STR_ARG(m->origins[k]));
        }
        qn_intel_close(x);
        return out;
}

#define RECORD(id, modified, more, block)                        \
        "{\"id\":\"" id "\",\"modified\":\"" modified "\"," more \
        "\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"bad\"}," block "}]}"
#define ORIGIN(name) \
        "\"database_specific\":{\"malicious-packages-origins\":[{\"source\":\"" name "\"}]},"
#define T1 "2025-01-01T00:00:00Z"
#define T2 "2025-02-01T00:00:00Z"

TEST(there_is_no_index_yet)
{
        struct qn_intel *x = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_intel_open("/nonexistent", &x, &err), -ENOENT);
        ASSERT_NULL(x);
        ASSERT_TRUE(strstr(err.msg, "qanat intel"));
}

TEST(a_damaged_index_is_told)
{
        char path[128];
        struct qn_intel *x = NULL;

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(import("a", RECORD("MAL-1", T1, "", "\"versions\":[\"1.0.0\"]"), false, false,
                         NULL),
                  0);
        snprintf(path, sizeof path, "%s/index.mdb", dir);
        ASSERT_EQ(truncate(path, 8192), 0);
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), -EBADMSG);
        ASSERT_EQ(truncate(path, 100), 0);
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), -EBADMSG);
        forget();
}

static uint64_t records_of(struct qn_intel *x)
{
        struct qn_intel_stats st;

        ASSERT_EQ(qn_intel_stats(x, &st), 0);
        return st.records;
}

static int import_one(const char *id)
{
        char text[512];

        snprintf(text, sizeof text,
                 "{\"id\":\"%s\",\"modified\":\"" T1 "\",\"affected\":[{\"package\":"
                 "{\"ecosystem\":\"npm\",\"name\":\"bad\"},\"versions\":[\"1.0.0\"]}]}",
                 id);
        return import("a", text, false, false, NULL);
}

TEST(a_reader_goes_on_with_what_is_new)
{
        char path[128], gone[128];
        struct qn_intel *x = NULL;
        struct qn_intel_stats first, second;
        struct qn_err err = { 0 };

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/index.mdb", dir);
        snprintf(gone, sizeof gone, "%s/gone", dir);
        ASSERT_EQ(import_one("MAL-1"), 0);
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), 0);
        ASSERT_EQ(qn_intel_stats(x, &first), 0);
        ASSERT_EQ(qn_intel_again(&x, NULL), 0);
        ASSERT_EQ(records_of(x), 1u);
        ASSERT_EQ(rename(path, gone), 0);
        ASSERT_EQ(qn_intel_again(&x, NULL), 0); /* there is none: the old one goes on */
        ASSERT_EQ(import_one("MAL-2"), 0);      /* another one */
        ASSERT_EQ(import_one("MAL-3"), 0);
        ASSERT_EQ(qn_intel_again(&x, NULL), 0);
        ASSERT_EQ(records_of(x), 2u);
        ASSERT_EQ(qn_intel_stats(x, &second), 0);
        ASSERT_TRUE(first.state != second.state);
        unlink(path); /* and one that is none */
        ASSERT_EQ(symlink("/etc/passwd", path), 0);
        ASSERT_EQ(qn_intel_again(&x, &err), -EBADMSG);
        ASSERT_TRUE(strstr(err.msg, "is damaged"));
        ASSERT_NOT_NULL(x);
        qn_intel_close(x);
        unlink(gone);
        forget();
}

TEST(an_index_into_which_nothing_was_taken_is_none)
{
        char path[128];
        struct qn_intel *x = NULL;

        ASSERT_NOT_NULL(mkdtemp(dir));
        snprintf(path, sizeof path, "%s/index.mdb", dir);
        close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), -EBADMSG);
        ASSERT_EQ(qn_intel_open_writer(dir, &x, NULL), 0);
        x = qn_intel_close(x);
        ASSERT_EQ(qn_intel_open(dir, &x, NULL), -ENOENT);
        ASSERT_NULL(x);
        forget();
}

TEST(several_statements_become_one_match)
{
        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(import("feed",
                         "[" RECORD("MAL-2025-1", T1, ORIGIN("a"),
                                    EVENTS("{\"introduced\":\"0\"}")) "," RECORD("MAL-2025-2", T1,
                                                                                 ORIGIN("b"),
                                                                                 "\"versions\":["
                                                                                 "\"1.0.0\"]") "]",
                         false, false, NULL),
                  0);
        ASSERT_EQ(import("mine", "bad@1.0.0\nBad@1.0.0\n", false, false, NULL), 0);
        assert_string_equal(known("bad", "1.0.0"), "confirmed malware MAL-2025-2 a b mine");
        /* nothing but the range speaks of the others */
        assert_string_equal(known("bad", "2.0.0"), "doubtful malware MAL-2025-1 a");
        assert_string_equal(known("BAD", "1.0.0"), "");
        assert_string_equal(known("Bad", "1.0.0"), "confirmed malware LIST:mine/Bad mine");
        forget();
}

TEST(the_newer_record_of_an_id_wins_in_any_order)
{
        static const char old[] = RECORD("MAL-1", T1, ORIGIN("a"), "\"versions\":[\"1.0.0\"]");
        static const char new[] = RECORD("MAL-1", T2, ORIGIN("a"), "\"versions\":[\"2.0.0\"]");

        for (unsigned i = 0; i < 2; i++) {
                ASSERT_NOT_NULL(mkdtemp(dir));
                ASSERT_EQ(import("x", i ? new : old, false, false, NULL), 0);
                ASSERT_EQ(import("y", i ? old : new, false, false, NULL), 0);
                assert_string_equal(known("bad", "1.0.0"), "");
                assert_string_equal(known("bad", "2.0.0"), "confirmed malware MAL-1 a");
                forget();
        }
}

TEST(what_was_withdrawn_stays_visible_and_does_not_count)
{
        static const char plain[] = RECORD("MAL-1", T1, ORIGIN("a"), "\"versions\":[\"1.0.0\"]");
        static const char gone[] = RECORD("MAL-1", T1, "\"withdrawn\":\"" T2 "\"," ORIGIN("a"),
                                          "\"versions\":[\"1.0.0\"]");

        for (unsigned i = 0; i < 2;
             i++) { /* the time of the change stands still: the order must not matter */
                ASSERT_NOT_NULL(mkdtemp(dir));
                ASSERT_EQ(import("x", i ? gone : plain, false, false, NULL), 0);
                ASSERT_EQ(import("x", i ? plain : gone, false, false, NULL), 0);
                assert_string_equal(known("bad", "1.0.0"), "withdrawn malware MAL-1 a");
                forget();
        }
}

TEST(vulnerabilities_are_kept_apart)
{
        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(
                import("x",
                       "[" RECORD("GHSA-1", T1, "\"aliases\":[\"CVE-1\"],", EVENTS("{\"introduced\":\"0\"}")) "," RECORD(
                               "CVE-1", T1, "",
                               EVENTS("{\"introduced\":\"0\"}")) "," RECORD("GHSA-2", T1, "",
                                                                            EVENTS("{\"introduced\""
                                                                                   ":\"0\"}")) "]",
                       false, false, NULL),
                0);
        assert_string_equal(known("bad", "1.0.0"),
                            "confirmed vulnerability CVE-1 x; confirmed vulnerability GHSA-2 x");
        forget();
}

TEST(a_source_that_shrinks_by_half_is_not_taken_over)
{
        struct qn_intel_counts c;

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(import("x", "a@1.0.0\nb@1.0.0\nc@1.0.0\nd@1.0.0\n", true, false, &c), 0);
        ASSERT_EQ(c.added, 4);
        ASSERT_EQ(import("y", "a@1.0.0\n", true, false, NULL), 0);
        ASSERT_EQ(import("x", "a@1.0.0\n", true, false, NULL), -ERANGE);
        assert_string_equal(known("d", "1.0.0"), "confirmed malware LIST:x/d x");
        ASSERT_EQ(import("x", "a@1.0.0\nb@1.0.0\n", true, false, &c), 0);
        ASSERT_EQ(c.removed, 2);
        ASSERT_EQ(c.same, 2);
        assert_string_equal(known("d", "1.0.0"), "");
        ASSERT_EQ(import("x", "z@1.0.0\n", true, true, &c), 0);
        ASSERT_EQ(c.removed, 2);
        assert_string_equal(known("a", "1.0.0"), "confirmed malware LIST:y/a y");
        forget();
}

struct got {
        struct qn_intel *x;
        size_t n;
};

static int check_details(void *ctx, const struct qn_intel_record *rec)
{
        static const char *const want[] = { "one line that several records share\n\nx\n",
                                            "one line that several records share\ny",
                                            "one line that several records share" };
        struct qn_osv *osv = NULL;
        struct got *g = ctx;

        ASSERT_EQ(qn_intel_unpack(rec->head, &arena, &osv), 0);
        ASSERT_EQ(qn_intel_complete(g->x, rec, &arena, osv), 0);
        ASSERT_STR(osv->details, want[g->n++]);
        return 0;
}

TEST(details_come_back_as_they_were)
{
        static const char text[] =
                "[{\"id\":\"A\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"}}]"
                ","
                "\"details\":\"one line that several records share\\n\\nx\\n\"},"
                "{\"id\":\"B\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"}}],"
                "\"details\":\"one line that several records share\\ny\"},"
                "{\"id\":\"C\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"a\"}}],"
                "\"details\":\"one line that several records share\"}]";
        struct got got = { 0 };

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(import("x", text, false, false, NULL), 0);
        ASSERT_EQ(qn_intel_open(dir, &got.x, NULL), 0);
        ASSERT_EQ(qn_intel_all(got.x, check_details, &got), 0);
        ASSERT_EQ(got.n, 3);
        qn_intel_close(got.x);
        forget();
}

TEST(a_packed_record_that_is_cut_is_refused)
{
        struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_intel_packed p;
        struct qn_osv *osv = NULL;

        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_osv_parse(CUR(RECORD("MAL-1", T1, ORIGIN("a"), "\"versions\":[\"1.0.0\"]")),
                               &arena, &osv, NULL),
                  0);
        osv->references = &(struct qn_osv_reference){ QN_STR("WEB"), QN_STR("https://a.invalid") };
        osv->n_references = 1;
        qn_intel_pack(osv, &b);
        ASSERT_EQ(qn_intel_split(qn_cur_mem(b.p, b.n), &p), 0);
        for (size_t n = 0; n < b.n - qn_cur_left(&p.cold); n++) {
                struct qn_intel_packed cut;

                ASSERT_EQ(qn_intel_split(qn_cur_mem(b.p, n), &cut), -EBADMSG);
        }
        for (size_t n = 0; n < qn_cur_left(&p.head); n++)
                ASSERT_EQ(qn_intel_unpack(qn_cur_mem(p.head.p, n), &arena, &osv), -EBADMSG);
        ASSERT_EQ(qn_intel_unpack(p.head, &arena, &osv), 0);
        for (size_t n = 0; n < qn_cur_left(&p.cold); n++)
                ASSERT_EQ(qn_intel_unpack_cold(qn_cur_mem(p.cold.p, n), &arena, osv), -EBADMSG);
        ASSERT_EQ(qn_intel_unpack_cold(p.cold, &arena, osv), 0);
        ASSERT_EQ(osv->n_references, 1);
        ASSERT_STR(osv->references[0].url, "https://a.invalid");
        qn_buf_done(&b);
}

/* --- whose word counts --- */

#define WHOLE(id, origin)                                                                          \
        "{\"id\":\"" id "\",\"modified\":\"" T1 "\"," ORIGIN(                                      \
                origin) "\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":\"chalk\"},"   \
                        "\"ranges\":[{\"type\":\"SEMVER\",\"events\":[{\"introduced\":\"0\"}]}]}]" \
                        "}"

static void trust_what_is_shipped(struct qn_arena *a)
{
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_intel_trust_load(TEST_DATA, a, &trust, &err), 0);
}

TEST(a_lone_program_does_not_condemn_all_of_a_popular_package)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);

        ASSERT_NOT_NULL(mkdtemp(dir));
        trust_what_is_shipped(&a);
        ASSERT_EQ(import("x", WHOLE("MAL-1", "amazon-inspector"), true, true, NULL), 0);
        assert_string_equal(known("chalk", "5.0.0"), "doubtful malware MAL-1 amazon-inspector");
        ASSERT_EQ(import("y", WHOLE("MAL-2", "ghsa-malware"), true, true, NULL), 0);
        assert_string_equal(known("chalk", "5.0.0"),
                            "confirmed malware MAL-1 amazon-inspector ghsa-malware");
        trust = NULL;
        qn_arena_done(&a);
        forget();
}

TEST(a_person_settles_a_doubt)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);

        ASSERT_NOT_NULL(mkdtemp(dir));
        trust_what_is_shipped(&a);
        ASSERT_EQ(import("x", WHOLE("MAL-1", "kam193"), true, true, NULL), 0);
        assert_string_equal(known("chalk", "5.0.0"), "confirmed malware MAL-1 kam193");
        ASSERT_EQ(import("x", WHOLE("MAL-2", "amazon-inspector"), true, true, NULL), 0);
        assert_string_equal(known("chalk", "5.0.0"), "doubtful malware MAL-2 amazon-inspector");
        ASSERT_EQ(import("own", "- block: chalk@5.0.0\n  reason: r\n", true, true, NULL), 0);
        assert_string_equal(known("chalk", "5.0.0"), "confirmed block OWN:chalk@5.0.0 own; "
                                                     "confirmed malware MAL-2 amazon-inspector");
        assert_string_equal(known("chalk", "5.0.1"), "doubtful malware MAL-2 amazon-inspector");
        ASSERT_EQ(import("own", "- allow: chalk\n  reason: r\n- block: chalk@4.0.0\n  reason: r\n",
                         true, true, NULL),
                  0);
        assert_string_equal(known("chalk", "5.0.0"), "confirmed allow OWN:chalk own; "
                                                     "allowed malware MAL-2 amazon-inspector");
        assert_string_equal(known("chalk", "4.0.0"),
                            "confirmed allow OWN:chalk own; confirmed block OWN:chalk@4.0.0 own; "
                            "confirmed malware MAL-2 amazon-inspector");
        ASSERT_EQ(import("own", "- allow: chalk\n  reason: r\n  expires: 2025-11-30\n", true, true,
                         NULL),
                  0);
        assert_string_equal(known("chalk", "5.0.0"), "expired allow OWN:chalk own; "
                                                     "doubtful malware MAL-2 amazon-inspector");
        trust = NULL;
        qn_arena_done(&a);
        forget();
}

TEST(nobody_else_has_a_policy)
{
        struct qn_osv_affected block = { .ecosystem = QN_STR("npm"), .name = QN_STR("x") };
        const struct qn_osv osv = {
                .id = QN_STR("OWN:x"), .policy = QN_OSV_ALLOW, .affected = &block, .n_affected = 1
        };
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_intel_source s;
        struct qn_intel *x = NULL;

        ASSERT_NOT_NULL(mkdtemp(dir));
        qn_intel_pack(&osv, &b);
        ASSERT_EQ(qn_intel_open_writer(dir, &x, NULL), 0);
        ASSERT_EQ(qn_intel_source(x, QN_STR("feed"), &a, &s), 0);
        ASSERT_EQ(qn_intel_begin(x, &s, false), 0);
        ASSERT_EQ(qn_intel_put(x, qn_cur_mem(b.p, b.n)), -EBADMSG);
        qn_intel_close(x);
        qn_buf_done(&b);
        qn_arena_done(&a);
        forget();
}

/* One package of a scope was a false alarm; the other was not. */
TEST(a_withdrawn_record_in_a_scope_that_was_compromised)
{
        static const char feed[] = "[{\"id\":\"MAL-1\",\"modified\":\"" T1 "\",\"withdrawn\":\"" T1
                                   "\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":"
                                   "\"@s/one\"},\"versions\":[\"1.0.0\"]}]},"
                                   "{\"id\":\"MAL-2\",\"modified\":\"" T1
                                   "\",\"affected\":[{\"package\":{\"ecosystem\":\"npm\",\"name\":"
                                   "\"@s/two\"},\"versions\":[\"1.0.0\"]}]}]";

        ASSERT_NOT_NULL(mkdtemp(dir));
        ASSERT_EQ(import("x", feed, true, true, NULL), 0);
        assert_string_equal(known("@s/one", "1.0.0"), "withdrawn malware MAL-1 x");
        assert_string_equal(known("@s/two", "1.0.0"), "confirmed malware MAL-2 x");
        forget();
}
