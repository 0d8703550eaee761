/* What the gate makes of a registry's document: facts, the rewritten forms, compression, questions for advisories.
 * tests/cli/rewrite.mjs compares with JavaScript. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/gz.h"
#include "parse/json.h"
#include "parse/packument.h"
#include "parse/zst.h"
#include "role/analyse-wire.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20)
#define BUF(b)   _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20)

#define V(v)   "\"" v "\":" M(v)
#define M(v)   "{\"name\":\"p\",\"version\":\"" v "\",\"dist\":" D(v) "}"
#define D(v)   "{\"tarball\":\"https://r.example/p/-/p-" v ".tgz\",\"shasum\":\"x\"}"
#define OUT(v) "\"" v "\":{\"name\":\"p\",\"version\":\"" v "\",\"dist\":" OD(v) "}"
#define OD(v)  "{\"tarball\":\"https://gate/p/-/p-" v ".tgz\",\"shasum\":\"x\"}"

static int to_buf(void *ctx, const void *p, size_t n)
{
        return qn_buf_add(ctx, p, n);
}

static const struct qn_packument_blocked two[] = { { QN_STR("2.0.0"), QN_STR("bad") } };

static struct qn_packument_rewrite block_two(void)
{
        return (struct qn_packument_rewrite){ .name = QN_STR("p"),
                                              .base = QN_STR("https://gate"),
                                              .blocked = two,
                                              .n_blocked = 1,
                                              .message = QN_STR("no") };
}

static int rewrite(struct qn_str in, const struct qn_packument_rewrite *w, struct qn_buf *out,
                   struct qn_err *err)
{
        ARENA(a);

        qn_buf_reset(out);
        return qn_packument_rewrite(qn_cur_str(in), w, &a, to_buf, out, err);
}

/* The rewritten form, which is stable when nothing is blocked. */
static void assert_rewritten(struct qn_str in, const struct qn_packument_rewrite *w,
                             const char *want)
{
        struct qn_packument_rewrite again = *w;
        struct qn_err err = { 0 };
        BUF(out);
        BUF(twice);

        if (rewrite(in, w, &out, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(out.p, want);
        if (w->only.n || w->tags_only)
                return;
        again.n_blocked = 0;
        again.message = QN_STR("");
        ASSERT_EQ(rewrite(qn_buf_view(&out), &again, &twice, &err), 0);
        assert_string_equal(twice.p, out.p);
}

#define POLICY(v)                                                       \
        "\"policyRestrictions\":{\"message\":\"no\",\"versions\":{\"" v \
        "\":{\"name\":\"p\",\"version\":\"" v "\",\"reason\":\"bad\"}}}"

TEST(a_blocked_version_goes_everywhere)
{
        const struct qn_packument_rewrite w = block_two();

        assert_rewritten(
                QN_STR("{\"_id\":\"p\",\"name\":\"p\",\"dist-tags\":{\"latest\":\"2.0.0\",\"old\":"
                       "\"1.0.0\"},"
                       "\"versions\":{" V("1.0.0") "," V(
                               "2.0.0") "},\"time\":{\"created\":\"c\",\"modified\":\"m\","
                                        "\"1.0.0\":\"a\",\"2.0.0\":\"b\",\"0.5.0\":\"gone\"},"
                                        "\"readme\":\"  x \\u0041\", \"n\": [1e5, {}]}"),
                &w,
                "{\"_id\":\"p\",\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.0.0\",\"old\":\"1.0."
                "0\"},"
                "\"versions\":{" OUT("1.0.0") "},\"time\":{\"created\":\"c\",\"modified\":\"m\","
                                              "\"1.0.0\":\"a\"},"
                                              "\"readme\":\"  x \\u0041\",\"n\":[1e5, {}]," POLICY(
                                                      "2.0.0") "}");
}

TEST(nothing_blocked_means_no_restrictions)
{
        struct qn_packument_rewrite w = block_two();

        assert_rewritten(QN_STR("{\"name\":\"p\",\"versions\":{" V("1.0.0") "}}"), &w,
                         "{\"name\":\"p\",\"versions\":{" OUT("1.0.0") "}}");
}

TEST(repeated_and_escaped_keys_smuggle_nothing)
{
        const struct qn_packument_rewrite w = block_two();
        static const char *const inputs[] = {
                "{\"name\":\"p\",\"versions\":{" V("1.0.0") "},\"versions\":{" V("1.0.0") "," V(
                        "2.0.0") "}}",
                "{\"name\":\"p\",\"versions\":{" V("1.0.0") "},\"version\\u0073\":{" V(
                        "1.0.0") "," V("2.0.0") "}}",
                "{\"name\":\"x\",\"name\":\"p\",\"versions\":{" V("1.0.0") ",\"2.0.\\u0030\":" M(
                        "2.0.0") "}}",
                "{\"name\":\"p\",\"versions\":{\"2.0.0\":1," V("1.0.0") "," V("2.0.0") "}}",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(inputs); i++)
                assert_rewritten(
                        qn_str_c(inputs[i]), &w,
                        "{\"name\":\"p\",\"versions\":{" OUT("1.0.0") "}," POLICY("2.0.0") "}");
        /* The last one counts, and the first one's text is nowhere. */
        assert_rewritten(QN_STR("{\"name\":\"p\",\"versions\":{" V("2.0.0") "},\"versions\":{" V(
                                 "1.0.0") "}}"),
                         &w, "{\"name\":\"p\",\"versions\":{" OUT("1.0.0") "}}");
        assert_rewritten(
                QN_STR("{\"name\":\"p\",\"versions\":{\"1.0.0\":" M("2.0.0") "," V("1.0.0") "}}"),
                &w, "{\"name\":\"p\",\"versions\":{" OUT("1.0.0") "}}");
        assert_rewritten(
                QN_STR("{\"name\":\"p\",\"dist-tags\":{\"a\":\"1.0.0\",\"\\u0061\":\"2.0.0\"},"
                       "\"versions\":{" V("1.0.0") "},\"time\":{\"1.0.0\":\"a\",\"2.0.0\":\"b\","
                                                   "\"1.0.\\u0030\":\"c\"}}"),
                &w,
                "{\"name\":\"p\",\"dist-tags\":{\"\\u0061\":\"1.0.0\"},\"versions\":{" OUT(
                        "1.0.0") "},\"time\":{\"1.0.\\u0030\":\"c\"}}");
}

/* clang-format off */
static const char odd_entries[] =
        "{\"name\":\"p\",\"versions\":{"
        "\"3.0.0\":" M("2.0.0") ","
        "\"v2.0.0\":" M("2.0.0") ","
        "\" 2.0.0\":" M("2.0.0") ","
        "\"__proto__\":{\"2.0.0\":" M("2.0.0") "},"
        "\"constructor\":1,"
        "\"4.0.0\":{\"name\":\"q\",\"version\":\"4.0.0\"},"
        "\"5.0.0\":[],"
        "\"6.0.0\":{\"version\":\"6.0.0\"},"
        "\"07.0.0\":" M("07.0.0") ","
        V("1.0.0") "},"
        "\"stagedVersions\":{\"versions\":{" V("2.0.0") "}}}";
/* clang-format on */

TEST(entries_that_lie_and_keys_that_are_no_versions_go)
{
        const struct qn_packument_rewrite w = block_two();

        assert_rewritten(qn_str_c(odd_entries), &w,
                         "{\"name\":\"p\",\"versions\":{" OUT("1.0.0") "}}");
}

TEST(no_address_but_the_gates)
{
        struct qn_packument_rewrite w = block_two();
        static const char *const dists[] = {
                "\"dist\":{\"tarball\":\"//x\"},\"dist\":{\"tarball\":\"//e\",\"tarball\":\"//f\"}",
                "\"dist\":{\"tarb\\u0061ll\":1,\"tarball\":{\"x\":[]}}",
                "\"dist\":{}",
                "\"dist\":\"https://evil/\"",
                "\"dist\":null,\"d\\u0069st\":{\"tarball\":null}",
                "\"dist\":{\"tarball\":\"https://evil/\"},\"d\\u0069st\":7",
        };
        BUF(in);

        for (size_t i = 0; i < QN_ARRAY_SIZE(dists); i++) {
                qn_buf_reset(&in);
                qn_buf_printf(&in,
                              "{\"name\":\"p\",\"versions\":{\"1.0.0\":{\"name\":\"p\",\"version\":"
                              "\"1.0.0\",%s}}}",
                              dists[i]);
                for (int k = 0; k < 2; k++) {
                        w.abbreviated = k;
                        assert_rewritten(
                                qn_buf_view(&in), &w,
                                k ? "{\"name\":\"p\",\"dist-tags\":{},\"versions\":{\"1.0.0\":{"
                                    "\"name\":\"p\",\"version\":\"1.0.0\","
                                    "\"dist\":{\"tarball\":\"https://gate/p/-/p-1.0.0.tgz\"}}}}"
                                  : "{\"name\":\"p\",\"versions\":{\"1.0.0\":{\"name\":\"p\","
                                    "\"version\":\"1.0.0\","
                                    "\"dist\":{\"tarball\":\"https://gate/p/-/p-1.0.0.tgz\"}}}}");
                }
        }
}

TEST(scoped_names_and_prefixes)
{
        struct qn_packument_rewrite w = { .name = QN_STR("@s/n"),
                                          .base = QN_STR("http://h:1/npm"),
                                          .only = QN_STR("1.0.0") };

        assert_rewritten(QN_STR("{\"name\":\"@s/n\",\"versions\":{\"1.0.0\":{\"name\":\"@s/"
                                "n\",\"version\":\"1.0.0\",\"dist\":{\"tarball\":\"x\"}}}}"),
                         &w,
                         "{\"name\":\"@s/n\",\"version\":\"1.0.0\",\"dist\":{\"tarball\":\"http://"
                         "h:1/npm/@s/n/-/n-1.0.0.tgz\"}}");
}

static void assert_tags(const char *tags, const char *versions, const char *blocked,
                        const char *want)
{
        struct qn_packument_blocked list[16];
        struct qn_packument_rewrite w = { .name = QN_STR("p"), .tags_only = true, .blocked = list };
        struct qn_str rest = qn_str_c(versions);
        BUF(in);

        qn_buf_printf(&in, "{\"dist-tags\":{%s},\"versions\":{", tags);
        while (rest.n) {
                struct qn_str v = qn_str_cut(&rest, ' ');

                qn_buf_printf(&in, "\"%.*s\":{\"name\":\"p\",\"version\":\"%.*s\"}%s",
                              QN_STR_ARG(v), QN_STR_ARG(v), rest.n ? "," : "");
        }
        qn_buf_puts(&in, "},\"name\":\"p\"}");
        for (rest = qn_str_c(blocked); rest.n; w.n_blocked++)
                list[w.n_blocked] =
                        (struct qn_packument_blocked){ qn_str_cut(&rest, ' '), QN_STR("r") };
        assert_rewritten(qn_buf_view(&in), &w, want);
}

TEST(tags_move_down)
{
        const char *all = "0.9.0 1.0.0 1.0.1-rc.1 1.0.1 1.1.0-a 2.0.0-b 2.0.0 10.0.0";

        assert_tags("\"latest\":\"2.0.0\"", all, "", "{\"latest\":\"2.0.0\"}");
        assert_tags("\"latest\":\"2.0.0\"", all, "2.0.0", "{\"latest\":\"1.0.1\"}");
        assert_tags("\"latest\":\"10.0.0\"", all, "10.0.0 2.0.0", "{\"latest\":\"1.0.1\"}");
        assert_tags("\"next\":\"2.0.0-b\"", all, "2.0.0-b", "{\"next\":\"1.1.0-a\"}");
        assert_tags("\"next\":\"1.1.0-a\"", all, "1.1.0-a", "{\"next\":\"1.0.1\"}");
        assert_tags("\"latest\":\"0.9.0\",\"x\":\"1.0.0\"", all, "0.9.0", "{\"x\":\"1.0.0\"}");
        /* Targets that are not there, and that are none. */
        assert_tags("\"a\":\"3.0.0\",\"b\":\"junk\",\"c\":1,\"d\":null,\"e\":[\"2.0.0\"]", all, "",
                    "{\"a\":\"2.0.0\"}");
        /* Build data do not make it higher. */
        assert_tags("\"a\":\"1.0.0+b\"", "1.0.0+a 1.0.0+b 1.0.0+c", "1.0.0+b",
                    "{\"a\":\"1.0.0+c\"}");
        assert_tags("\"__proto__\":\"1.0.0\"", "1.0.0", "", "{\"__proto__\":\"1.0.0\"}");
}

TEST(one_version_alone)
{
        struct qn_packument_rewrite w = block_two();
        const struct qn_str
                in = QN_STR("{\"name\":\"p\",\"dist-tags\":{\"latest\":\"2.0.0\",\"beta\":\"2.0."
                            "0\",\"gone\":\"0.1.0\"},"
                            "\"versions\":{" V("1.0.0") "," V("2.0.0") "}}"),
                alone = QN_STR(
                        "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"2.0.0\"},\"versions\":{" V(
                                "2.0.0") "}}");
        const char *one = "{\"name\":\"p\",\"version\":\"1.0.0\",\"dist\":" OD("1.0.0") "}";
        struct qn_err err = { 0 };
        BUF(out);

        w.only = QN_STR("1.0.0");
        assert_rewritten(in, &w, one);
        w.only = QN_STR("latest");
        assert_rewritten(in, &w, one);
        ASSERT_EQ(rewrite(alone, &w, &out, &err), -EACCES);
        assert_string_equal(err.msg, "bad");
        w.only = QN_STR("2.0.0");
        ASSERT_EQ(rewrite(in, &w, &out, &err), -EACCES);
        ASSERT_EQ(out.n, 0);
        w.only = QN_STR("gone");
        ASSERT_EQ(rewrite(in, &w, &out, &err), -ENOENT);
        w.only = QN_STR("3.0.0");
        ASSERT_EQ(rewrite(in, &w, &out, &err), -ENOENT);
}

TEST(the_short_form_has_npms_fields)
{
        struct qn_packument_rewrite w = block_two();

        w.abbreviated = true;
        assert_rewritten(
                QN_STR("{\"_id\":\"p\",\"name\":\"p\",\"readme\":\"x\",\"dist-tags\":{\"latest\":"
                       "\"1.0.0\"},\"versions\":{"
                       "\"1.0.0\":{\"_id\":\"p@1.0.0\",\"scripts\":{\"postinstall\":\"x\"},"
                       "\"gypfile\":false,\"libc\":[\"musl\"],"
                       "\"dependencies\":{\"a\":\"1\"},\"dependencies\":{\"b\": "
                       "\"1\"},\"bundledDependencies\":[\"b\"],\"version\":\"1.0.0\","
                       "\"name\":\"p\",\"_npmUser\":{},\"_hasShrinkwrap\":false,\"deprecated\":"
                       "\"old\",\"peerDependenciesMeta\":{},"
                       "\"dist\":" D("1.0.0") "},\"1.1.0\":{\"name\":\"p\",\"version\":\"1.1.0\","
                                              "\"gypfile\":true,\"scripts\":{\"install\":\"\"},"
                                              "\"dist\":" D(
                                                      "1.1.0") "}},"
                                                               "\"time\":{\"modified\":\"2020\"}}"),
                &w,
                "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.0.0\"},\"versions\":{\"1.0.0\":{"
                "\"name\":\"p\",\"version\":\"1.0.0\","
                "\"deprecated\":\"old\",\"dependencies\":{\"b\": "
                "\"1\"},\"bundleDependencies\":[\"b\"],\"peerDependenciesMeta\":{},"
                "\"libc\":[\"musl\"],\"_hasShrinkwrap\":false,\"hasInstallScript\":true,"
                "\"dist\":" OD("1.0.0") "},\"1.1.0\":{\"name\":\"p\",\"version\":\"1.1.0\","
                                        "\"hasInstallScript\":true,\"dist\":" OD(
                                                "1.1.0") "}},\"modified\":\"2020\"}");
}

TEST(restrictions_of_an_upstream_stay_and_bring_nothing_along)
{
        struct qn_packument_rewrite w = block_two();
        const struct qn_str in = QN_STR(
                "{\"policyRestrictions\":{\"message\":\"a\\u001b[31m\\u202eb\\n\",\"versions\":{"
                "\"2.0.0\":{},\"3.0.0\":{\"reason\":\"why\","
                "\"dist\":{\"tarball\":\"https://evil/"
                "\"}},\"junk\":{},\"4.0.0\":7}},\"name\":\"p\",\"versions\":{" V("2.0.0") "}}");

        assert_rewritten(in, &w,
                         "{\"name\":\"p\",\"versions\":{},\"policyRestrictions\":{\"message\":"
                         "\"no\",\"versions\":{"
                         "\"2.0.0\":{\"name\":\"p\",\"version\":\"2.0.0\",\"reason\":\"bad\"},\"3."
                         "0.0\":{\"name\":\"p\",\"version\":\"3.0.0\",\"reason\":\"why\"},"
                         "\"4.0.0\":{\"name\":\"p\",\"version\":\"4.0.0\"}}}}");
        w.n_blocked = 0;
        w.message = QN_STR("");
        assert_rewritten(
                QN_STR("{\"policyRestrictions\":{\"message\":\"a\\u001b[31m\\u202eb\\n\","
                       "\"versions\":{\"3.0.0\":{}}},\"name\":\"p\",\"versions\":{}}"),
                &w,
                "{\"name\":\"p\",\"versions\":{},\"policyRestrictions\":{\"message\":\"a?[31m?"
                "b\\n\",\"versions\":{\"3.0.0\":{\"name\":\"p\",\"version\":\"3.0.0\"}}}}");
        assert_rewritten(QN_STR("{\"policyRestrictions\":[],\"name\":\"p\",\"versions\":{}}"), &w,
                         "{\"name\":\"p\",\"versions\":{}}");
}

static void assert_refused(struct qn_cur in, int code)
{
        ARENA(a);
        const struct qn_packument_rewrite w = block_two();
        struct qn_packument_facts f;
        struct qn_err err = { 0 };
        BUF(out);

        ASSERT_EQ(qn_packument_facts(in, QN_STR("p"), &a, &f, &err), code);
        ASSERT_TRUE(err.msg[0]);
        ASSERT_EQ(qn_packument_rewrite(in, &w, &a, to_buf, &out, &err), code);
        ASSERT_EQ(out.n, 0); /* nothing is written before all is read */
}

TEST(what_is_no_document_of_the_package)
{
        BUF(b);
        ARENA(a);
        const struct qn_packument_blocked wrong[] = { { QN_STR("2.0.0"), QN_STR("") },
                                                      { QN_STR("1.0.0"), QN_STR("") } };
        struct qn_packument_rewrite w = block_two();
        void *huge;

        assert_refused(CUR("[]"), -EINVAL);
        assert_refused(CUR("{\"name\":\"p\"}"), -EINVAL);
        assert_refused(CUR("{\"name\":\"p\",\"versions\":[]}"), -EINVAL);
        assert_refused(CUR("{\"name\":\"q\",\"versions\":{}}"), -EINVAL);
        assert_refused(CUR("{\"name\":\"p\",\"versions\":{},\"name\":\"q\"}"), -EINVAL);
        assert_refused(CUR("{\"name\":[\"p\"],\"versions\":{}}"), -EINVAL);
        assert_refused(CUR("{\"versions\":{}}"), -EINVAL);
        assert_refused(CUR("{\"name\":\"p\",\"versions\":{" V("1.0.0") "}"), -EBADMSG);
        assert_refused(CUR("{\"name\":\"p\",\"versions\":{}} {}"), -EBADMSG);
        assert_refused(CUR("{\"name\":\"p\",\"versions\":{},\"x\":\"\xff\"}"), -EILSEQ);
        assert_refused(CUR(""), -EBADMSG);
        huge = calloc(1, QN_JSON_MAX + 1);
        ASSERT_NOT_NULL(huge);
        assert_refused(qn_cur_mem(huge, QN_JSON_MAX + 1), -EFBIG);
        free(huge);
        qn_buf_puts(&b, "{\"name\":\"p\",\"versions\":{},\"x\":");
        qn_buf_fill(&b, '[', QN_JSON_DEPTH_MAX);
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG);
        w.blocked = wrong;
        w.n_blocked = 2;
        ASSERT_EQ(qn_packument_rewrite(CUR("{\"name\":\"p\",\"versions\":{}}"), &w, &a, to_buf, &b,
                                       NULL),
                  -EINVAL);
}

TEST(too_many_members_and_tags)
{
        BUF(b);

        qn_buf_puts(&b, "{\"name\":\"p\",\"versions\":{}");
        for (unsigned i = 0; i < QN_PACKUMENT_MEMBERS_MAX; i++)
                qn_buf_printf(&b, ",\"%u\":0", i);
        qn_buf_puts(&b, "}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"name\":\"p\",\"versions\":{},\"dist-tags\":{\"a\":\"\"");
        for (unsigned i = 0; i < QN_PACKUMENT_TAGS_MAX; i++)
                qn_buf_printf(&b, ",\"%u\":0", i);
        qn_buf_puts(&b, "}}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"name\":\"p\",\"versions\":{\"0.0.0\":0");
        for (unsigned i = 0; i < QN_PACKUMENT_VERSIONS_MAX; i++)
                qn_buf_printf(&b, ",\"1.0.%u\":0", i);
        qn_buf_puts(&b, "}}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG);
}

static int full(void *ctx QN_UNUSED, const void *p QN_UNUSED, size_t n QN_UNUSED)
{
        return -ENOSPC;
}

TEST(the_sinks_error_comes_back)
{
        ARENA(a);
        const struct qn_packument_rewrite w = block_two();

        ASSERT_EQ(qn_packument_rewrite(CUR("{\"name\":\"p\",\"versions\":{" V("1.0.0") "}}"), &w,
                                       &a, full, NULL, NULL),
                  -ENOSPC);
        ASSERT_EQ(qn_compress(CUR("x"), QN_COMPRESS_GZIP, full, NULL), -ENOSPC);
        ASSERT_EQ(qn_compress(CUR("x"), QN_COMPRESS_ZSTD, full, NULL), -ENOSPC);
}

/* --- facts --- */

#define FACTS                                                                                      \
        "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"10.0.0\",\"bad\":\"v1\"},\"versions\":{\"10." \
        "0.0\":{\"name\":\"p\",\"version\":\"10.0.0\","                                            \
        "\"scripts\":{\"install\":\"x\"},\"dist\":{\"tarball\":\"http:\\/\\/h\\/"                  \
        "x.tgz\",\"integrity\":\"sha512-YWJj\",\"attestations\":{\"url\":\"u\"}}},"                \
        "\"9.0.0\":{\"name\":\"q\",\"version\":\"9.0.0\",\"dist\":{\"tarball\":\"ftp://h/"         \
        "\",\"shasum\":\"ba1c7f0b8a0c5e4a6e6b0a7b5cfa5c9d1df0a8d2\"}},"                            \
        "\"9.0.0-a\":{\"name\":\"p\",\"version\":\"9.0.0-a\",\"scripts\":{\"test\":\"x\"},"        \
        "\"dist\":{\"integrity\":\"junk\"}},\"x\":{}},"                                            \
        "\"time\":{\"10.0.0\":\"2020-01-01T00:00:00.000Z\",\"9.0.0\":\"then\"}}"

static void assert_facts(const struct qn_packument_facts *f)
{
        ASSERT_EQ(f->n, 3);
        ASSERT_STR(f->name, "p");
        ASSERT_STR(f->versions[0].version, "9.0.0-a");
        ASSERT_NULL(f->versions[0].integrity.p);
        ASSERT_NULL(f->versions[0].tarball.p);
        ASSERT_FALSE(f->versions[0].has_hooks || f->versions[0].attested ||
                     f->versions[0].mismatch);
        ASSERT_TRUE(f->versions[0].time == QN_TIME_NONE && f->versions[1].time == QN_TIME_NONE);
        ASSERT_STR(f->versions[1].version, "9.0.0");
        ASSERT_TRUE(f->versions[1].mismatch);
        ASSERT_NULL(f->versions[1].tarball.p);
        ASSERT_TRUE(qn_str_starts(f->versions[1].integrity, "sha1-"));
        ASSERT_STR(f->versions[2].tarball, "http://h/x.tgz");
        ASSERT_STR(f->versions[2].integrity, "sha512-YWJj");
        ASSERT_TRUE(f->versions[2].has_hooks && f->versions[2].attested);
        ASSERT_TRUE(f->versions[2].time == 1577836800000);
        ASSERT_EQ(f->n_tags, 1);
        ASSERT_STR(f->tags[0], "latest");
        ASSERT_STR(f->targets[0], "10.0.0");
}

TEST(facts_and_their_way)
{
        ARENA(a);
        struct qn_packument_facts f, read;
        BUF(b);

        ASSERT_EQ(qn_packument_facts(CUR(FACTS), QN_STR("p"), &a, &f, NULL), 0);
        assert_facts(&f);
        ASSERT_EQ(qn_analyse_write_facts(&b, &f), 0);
        ASSERT_EQ(qn_analyse_read_facts(qn_cur_str(qn_buf_view(&b)), &a, &read), 0);
        assert_facts(&read);
        for (size_t n = 0; n < b.n; n++)
                ASSERT_EQ(qn_analyse_read_facts(qn_cur_mem(b.p, n), &a, &read), -EBADMSG);
        /* Not in order. */
        f.versions[0] = f.versions[2];
        qn_buf_reset(&b);
        ASSERT_EQ(qn_analyse_write_facts(&b, &f), 0);
        ASSERT_EQ(qn_analyse_read_facts(qn_cur_str(qn_buf_view(&b)), &a, &read), -EBADMSG);
}

TEST(rewriting_parameters_and_their_way)
{
        ARENA(a);
        struct qn_packument_rewrite w = block_two(), read;
        BUF(b);

        w.abbreviated = true;
        w.only = QN_STR("latest");
        qn_analyse_write_rewrite(&b, &w);
        ASSERT_EQ(qn_analyse_read_rewrite(qn_cur_str(qn_buf_view(&b)), &a, &read), 0);
        ASSERT_STR(read.name, "p");
        ASSERT_STR(read.only, "latest");
        ASSERT_STR(read.base, "https://gate");
        ASSERT_STR(read.message, "no");
        ASSERT_TRUE(read.abbreviated && !read.tags_only);
        ASSERT_EQ(read.n_blocked, 1);
        ASSERT_STR(read.blocked[0].version, "2.0.0");
        ASSERT_STR(read.blocked[0].reason, "bad");
        for (size_t n = 0; n < b.n; n++)
                ASSERT_EQ(qn_analyse_read_rewrite(qn_cur_mem(b.p, n), &a, &read), -EBADMSG);
}

/* --- compression --- */

static void assert_gzip(struct qn_str in)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = qn_gz_new();
        struct qn_cur back = { 0 };
        BUF(b);

        ASSERT_EQ(qn_compress(qn_cur_str(in), QN_COMPRESS_GZIP, to_buf, &b), 0);
        ASSERT_EQ(qn_gz_inflate(gz, qn_cur_str(qn_buf_view(&b)), (size_t)64 << 20, &back, NULL), 0);
        ASSERT_TRUE(qn_str_eq(qn_cur_rest(&back), in));
}

static void assert_zstd(struct qn_str in)
{
        _cleanup_(qn_zst_freep) struct qn_zst *z = NULL;
        char block[65536];
        ssize_t n;
        BUF(b);
        BUF(back);

        ASSERT_EQ(qn_compress(qn_cur_str(in), QN_COMPRESS_ZSTD, to_buf, &b), 0);
        ASSERT_EQ(qn_zst_new(qn_cur_str(qn_buf_view(&b)), (size_t)64 << 20, &z), 0);
        while ((n = qn_zst_read(z, block, sizeof block, NULL)) > 0)
                qn_buf_add(&back, block, (size_t)n);
        ASSERT_EQ(n, 0);
        ASSERT_TRUE(qn_str_eq(qn_buf_view(&back), in));
}

TEST(what_is_compressed_comes_back)
{
        static const size_t sizes[] = { 0, 1, 65536, (1 << 20) + 1, (9 << 20) + 3, 20 << 20 };
        uint32_t x = 1;
        BUF(b);

        for (size_t i = 0; i < QN_ARRAY_SIZE(sizes); i++) {
                while (b.n < sizes[i]) {
                        x = x * 1664525 + 1013904223;
                        qn_buf_byte(&b, (char)("abcdefghijklmnop"[x >> 28]));
                }
                assert_gzip(qn_buf_view(&b));
                assert_zstd(qn_buf_view(&b));
        }
}

/* --- questions for advisories --- */

static void assert_audit(struct qn_cur in, enum qn_audit_kind kind, const char *want)
{
        ARENA(a);
        struct qn_audit audit, read;
        struct qn_err err = { 0 };
        BUF(b);
        BUF(wire);

        if (qn_audit_read(in, kind, &a, &audit, &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_EQ(qn_analyse_write_pairs(&wire, &audit), 0);
        ASSERT_EQ(qn_analyse_read_audit(qn_cur_str(qn_buf_view(&wire)), &a, &read), 0);
        for (size_t i = 0; i < read.n; i++)
                qn_buf_printf(&b, "%.*s@%.*s ", QN_STR_ARG(read.v[i].name),
                              QN_STR_ARG(read.v[i].version));
        assert_string_equal(b.n ? b.p : "", want);
        for (size_t n = 0; n < wire.n; n++)
                ASSERT_EQ(qn_analyse_read_audit(qn_cur_mem(wire.p, n), &a, &read), -EBADMSG);
}

TEST(both_forms_of_questions)
{
        BUF(b);

        assert_audit(CUR("{}"), QN_AUDIT_BULK, "");
        assert_audit(CUR("{\"b\":[\"1.0.0\",\"0.1.0\",\"1.0.0\",7,[\"2.0.0\"],\"^1\"],\"@s/"
                         "a\":[\"1.0.0-\\u0061\"],\"../"
                         "x\":[\"1.0.0\"],\"c\":\"1.0.0\",\"d\":{\"e\":[\"1.0.0\"]}}"),
                     QN_AUDIT_BULK, "@s/a@1.0.0-a b@0.1.0 b@1.0.0 ");
        assert_audit(
                CUR("{\"name\":\"me\",\"version\":\"1.0.0\",\"requires\":{\"a\":\"^1\"},"
                    "\"install\":[\"x@1.0.0\"],\"dependencies\":{"
                    "\"a\":{\"version\":\"1.2.3\",\"requires\":{\"b\":\"1\"},\"dependencies\":{"
                    "\"b\":{\"version\":\"1.0.0\",\"version\":\"2.0.0\"},\"version\":{\"version\":"
                    "\"3.0.0\"}}},"
                    "\"alias\":{\"version\":\"npm:@s/real@4.0.0\"},\"git\":{\"version\":\"git+ssh:/"
                    "/x\"},\".\":{\"version\":\"0.0.0\",\"dependencies\":{\"p\":{\"version\":\"1.0."
                    "0\"}}},"
                    "\"dependencies\":{\"version\":\"5.0.0\",\"dependencies\":[{}]},\"n\":null}}"),
                QN_AUDIT_TREE,
                "@s/real@4.0.0 a@1.2.3 b@2.0.0 dependencies@5.0.0 p@1.0.0 version@3.0.0 ");
        ASSERT_EQ(qn_compress(CUR("{\"a\":[\"1.0.0\"]}"), QN_COMPRESS_GZIP, to_buf, &b), 0);
        assert_audit(qn_cur_str(qn_buf_view(&b)), QN_AUDIT_BULK, "a@1.0.0 ");
}

static int audit_code(struct qn_str in, enum qn_audit_kind kind)
{
        ARENA(a);
        struct qn_audit audit;

        return qn_audit_read(qn_cur_str(in), kind, &a, &audit, NULL);
}

TEST(questions_that_are_none)
{
        BUF(b);
        BUF(bomb);

        for (enum qn_audit_kind kind = QN_AUDIT_BULK; kind <= QN_AUDIT_TREE; kind++) {
                ASSERT_EQ(audit_code(QN_STR("[]"), kind), -EINVAL);
                ASSERT_EQ(audit_code(QN_STR(""), kind), -EBADMSG);
                ASSERT_EQ(audit_code(QN_STR("{\"a\":["), kind), -EBADMSG);
                ASSERT_EQ(audit_code(QN_STR("{} {}"), kind), -EBADMSG);
                ASSERT_EQ(audit_code(QN_STR("{\"\xff\":[]}"), kind), -EILSEQ);
                ASSERT_EQ(audit_code(QN_STR("\x1f\x8b\x08junk"), kind) < 0, true);
        }
        for (unsigned i = 0; i < QN_JSON_DEPTH_MAX; i++)
                qn_buf_puts(&b, "{\"dependencies\":{\"a\":");
        ASSERT_EQ(audit_code(qn_buf_view(&b), QN_AUDIT_TREE), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_fill(&b, ' ', QN_AUDIT_MAX + 1);
        ASSERT_EQ(audit_code(qn_buf_view(&b), QN_AUDIT_BULK), -EFBIG);
        ASSERT_EQ(qn_compress(qn_cur_str(qn_buf_view(&b)), QN_COMPRESS_GZIP, to_buf, &bomb), 0);
        ASSERT_EQ(audit_code(qn_buf_view(&bomb), QN_AUDIT_BULK), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{\"a\":[\"0.0.0\"");
        for (unsigned i = 0; i < QN_AUDIT_PAIRS_MAX; i++)
                qn_buf_printf(&b, ",\"1.0.%u\"", i);
        qn_buf_puts(&b, "]}");
        ASSERT_EQ(audit_code(qn_buf_view(&b), QN_AUDIT_BULK), -EFBIG);
}
