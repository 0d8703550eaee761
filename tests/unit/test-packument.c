/* Packuments: what is none is refused; the choice follows npm's (tests/cli/pick.mjs compares); listings are complete. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/packument.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20)

static void assert_refused(struct qn_cur in, int code, const char *message)
{
        ARENA(a);
        struct qn_packument_want want = { .spec = QN_STR("1"), .before = QN_TIME_NONE };
        struct qn_packument_version *v = NULL;
        struct qn_packument *p = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_packument_read(in, &a, &p, &err), code);
        ASSERT_NULL(p);
        ASSERT_EQ(qn_packument_pick(in, &want, &a, &v, &err), code);
        ASSERT_NULL(v);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

TEST(not_packuments)
{
        assert_refused(CUR("[]"), -EINVAL, "does not hold an object");
        assert_refused(CUR("{\"error\":\"Not found\"}"), -EINVAL, "has no versions");
        assert_refused(CUR("{\"versions\":[]}"), -EINVAL, "has no versions");
        assert_refused(CUR("{\"versions\":{\"1.0.0\":1}}"), -EINVAL, "not an object");
        assert_refused(CUR("{\"versions\":{\"1.0.0\":{}}"), -EBADMSG, "cut short");
        assert_refused(CUR("{\"versions\":{\"1.0.0\":{}}} x"), -EBADMSG, "after the end");
        assert_refused(CUR("{\"versions\":{\"1.0.0\":{\"a\":\"\0\"}}}"), -EBADMSG,
                       "control character");
        assert_refused(CUR("{\"versions\":{\"1.0.0\":{\"a\":\"\xff\"}}}"), -EILSEQ, "UTF-8");
        assert_refused(CUR(""), -EBADMSG, "cut short");
}

TEST(deep_nesting_is_refused)
{
        char doc[10010] = "{\"versions\":{\"1.0.0\":{\"x\":";

        memset(doc + 26, '[', sizeof doc - 26);
        assert_refused(qn_cur_mem(doc, sizeof doc), -EFBIG, "nested too deeply");
}

TEST(too_many_versions_are_refused)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);

        qn_buf_puts(&b, "{\"versions\":{\"a\":{}");
        for (unsigned i = 0; i < QN_PACKUMENT_VERSIONS_MAX; i++)
                qn_buf_printf(&b, ",\"%u\":{}", i);
        qn_buf_puts(&b, "}}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG, "more than");
}

TEST(memory_is_capped)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(500);
        struct qn_packument *p = NULL;

        ASSERT_EQ(
                qn_packument_read(CUR("{\"versions\":{\"1.0.0\":{},\"2.0.0\":{}}}"), &a, &p, NULL),
                -ENOBUFS);
        ASSERT_NULL(p);
}

#define DOC                                                                                        \
        "{\"_id\":\"p\",\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.1.0\",\"next\":\"2.0.0-rc."   \
        "1\"},\"versions\":{"                                                                      \
        "\"1.0.0\":{\"name\":\"p\",\"version\":\"1.0.0\",\"dist\":{\"tarball\":\"https://"         \
        "r.invalid/p/-/p-1.0.0.tgz\","                                                             \
        "\"shasum\":\"da39a3ee5e6b4b0d3255bfef95601890afd80709\"},\"scripts\":{\"postinstall\":"   \
        "\"node x\"},"                                                                             \
        "\"engines\":{\"node\":\">=4\"},\"_npmUser\":{\"name\":\"u\",\"email\":\"u@x.invalid\"}}," \
        "\"1.1.0\":{\"name\":\"p\",\"version\":\"1.1.0\",\"dist\":{\"integrity\":\"sha512-abc\","  \
        "\"unpackedSize\":12,"                                                                     \
        "\"fileCount\":3,\"signatures\":[{\"keyid\":\"k\",\"sig\":\"s\"}],\"attestations\":{"      \
        "\"url\":\"a\",\"provenance\":"                                                            \
        "{\"predicateType\":\"slsa\"}}},\"hasInstallScript\":true,\"dependencies\":{\"a\":\"1\","  \
        "\"b\":\"2\"},"                                                                            \
        "\"_npmUser\":{\"name\":\"ci\",\"trustedPublisher\":{\"id\":\"github\"}},\"maintainers\":" \
        "[{\"name\":\"m\"},\"n <n@x.invalid>\"]},"                                                 \
        "\"1.2.0\":{\"name\":\"q\",\"version\":\"1.2.0\",\"deprecated\":\"do n\\u006ft "           \
        "use\",\"dist\":{}},"                                                                      \
        "\"2.0.0-rc.1\":{\"name\":\"p\",\"version\":\"2.0.0-rc.1\",\"engines\":{\"node\":\">="     \
        "99\"}},"                                                                                  \
        "\"2.0.0\":{\"name\":\"p\",\"version\":\"2.0.0\",\"engines\":{\"node\":\">=99\"}}},"       \
        "\"time\":{\"created\":\"2020-01-01T00:00:00.000Z\",\"modified\":\"2021-01-01T00:00:00."   \
        "000Z\","                                                                                  \
        "\"1.0.0\":\"2020-01-01T00:00:00.000Z\",\"1.1.0\":\"2020-02-01T00:00:00.000Z\",\"1.2.0\":" \
        "\"2020-03-01T00:00:00.000Z\","                                                            \
        "\"2.0.0\":\"2020-04-01T00:00:00.000Z\",\"0.9.0\":\"2019-01-01T00:00:00.000Z\"}}"

static void assert_pick_of(struct qn_cur in, const char *spec, const char *before, const char *node,
                           const char *expected)
{
        ARENA(a);
        struct qn_packument_want want = { .spec = qn_str_c(spec),
                                          .node = qn_str_c(node),
                                          .before = QN_TIME_NONE };
        struct qn_packument_version *v = NULL;
        struct qn_err err = { 0 };
        int r;

        if (before)
                want.before = qn_time_parse(qn_str_c(before));
        r = qn_packument_pick(in, &want, &a, &v, &err);
        ASSERT_EQ(r, expected ? 0 : -ENOENT);
        if (expected)
                ASSERT_STR(v->version, expected);
        else
                ASSERT_TRUE(strstr(err.msg, "no version"));
}

static void assert_pick(const char *spec, const char *before, const char *node,
                        const char *expected)
{
        assert_pick_of(CUR(DOC), spec, before, node, expected);
}

TEST(nothing_matches)
{
        assert_pick("3", NULL, "", NULL);
        assert_pick("1.0.1", NULL, "", NULL);
        assert_pick("beta", NULL, "", NULL);
        assert_pick("1.0.0", "2019-12-31T00:00:00.000Z", "", NULL);
        assert_pick("^1", "2019-12-31T00:00:00.000Z", "", NULL);
        assert_pick_of(CUR("{\"name\":\"p\",\"versions\":{}}"), "1", NULL, "", NULL);
}

TEST(choices)
{
        assert_pick("1.0.0", NULL, "", "1.0.0");
        assert_pick(" =v1.0.0+build ", NULL, "", "1.0.0");
        assert_pick("next", NULL, "", "2.0.0-rc.1");
        assert_pick("", NULL, "", "1.1.0");
        assert_pick("*", NULL, "", "1.1.0");
        assert_pick("^1", NULL, "", "1.1.0");
        /* Deprecated: only when nothing else is in the range. */
        assert_pick(">=1.1.5 <2", NULL, "", "1.2.0");
        assert_pick(">1.1.0", NULL, "", "2.0.0");
        assert_pick(">=1.0.0", NULL, "v18.0.0", "1.1.0");
        assert_pick(">1.1.0", NULL, "v18.0.0", "1.2.0");
        assert_pick("^1", "2020-01-15T00:00:00.000Z", "", "1.0.0");
        assert_pick("latest", "2020-01-15T00:00:00.000Z", "", "1.0.0");
        assert_pick("^2.0.0-rc", NULL, "", "2.0.0");
}

TEST(the_last_of_repeated_keys_counts)
{
        assert_pick_of(CUR("{\"versions\":{\"1.0.0\":{}},\"dist-tags\":{\"latest\":\"1.0.0\"},"
                           "\"versions\":{\"3.0.0\":{},\"4.0.0\":{}},"
                           "\"dist-tags\":{\"latest\":\"3.0.0\"}}"),
                       "", NULL, "", "3.0.0");
}

TEST(a_chosen_version_in_full)
{
        ARENA(a);
        struct qn_packument_want want = { .spec = QN_STR("1.1.0"), .before = QN_TIME_NONE };
        struct qn_packument_version *v = NULL;

        ASSERT_EQ(qn_packument_pick(CUR(DOC), &want, &a, &v, NULL), 0);
        ASSERT_STR(v->name, "p");
        ASSERT_STR(v->integrity, "sha512-abc");
        ASSERT_EQ(v->n_signatures, 1);
        ASSERT_STR(v->signatures[0].keyid, "k");
        ASSERT_TRUE(v->has_install_script && !v->mismatch);
        ASSERT_EQ(v->n_dependencies, 2);
        ASSERT_EQ(v->unpacked_size, 12);
        ASSERT_STR(v->attestations_url, "a");
        ASSERT_STR(v->provenance_type, "slsa");
        ASSERT_STR(v->trusted_publisher, "github");
        ASSERT_EQ(v->n_maintainers, 2);
        ASSERT_STR(v->maintainers[1].name, "n");
        ASSERT_STR(v->maintainers[1].email, "n@x.invalid");
        ASSERT_STR(v->published, "2020-02-01T00:00:00.000Z");
        ASSERT_EQ(v->raw.p[0], '{');
        ASSERT_EQ(v->raw.p[v->raw.n - 1], '}');
}

TEST(listing)
{
        ARENA(a);
        struct qn_packument *p = NULL;
        const struct qn_packument_version *v;

        ASSERT_EQ(qn_packument_read(CUR(DOC), &a, &p, NULL), 0);
        ASSERT_EQ(p->n, 5);
        ASSERT_STR(p->name, "p");
        ASSERT_EQ(p->tags.n, 2);
        ASSERT_EQ(p->times.n, 7);
        ASSERT_FALSE(p->abbreviated);
        ASSERT_TRUE(p->created == 1577836800000);
        v = qn_packument_find(p, QN_STR("1.0.0"));
        ASSERT_STR(v->integrity, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        ASSERT_TRUE(v->has_install_script);
        ASSERT_STR(v->scripts.v[0].value, "node x");
        ASSERT_STR(v->publisher.email, "u@x.invalid");
        ASSERT_NULL(v->trusted_publisher.p);
        v = qn_packument_find(p, QN_STR("1.2.0"));
        ASSERT_STR(v->deprecated, "do not use");
        ASSERT_TRUE(v->mismatch);
        ASSERT_NULL(v->integrity.p);
        ASSERT_TRUE(v->unpacked_size == UINT64_MAX);
        ASSERT_NULL(qn_packument_find(p, QN_STR("0.9.0")));
}

TEST(abbreviated_form)
{
        ARENA(a);
        struct qn_packument *p = NULL;

        ASSERT_EQ(qn_packument_read(CUR("{\"name\":\"p\",\"modified\":\"2021-01-01T00:00:00.000Z\","
                                        "\"dist-tags\":{},\"versions\":"
                                        "{\"1.0.0\":{\"hasInstallScript\":true,"
                                        "\"bundleDependencies\":[\"a\"]}}}"),
                                    &a, &p, NULL),
                  0);
        ASSERT_TRUE(p->abbreviated && p->versions[0].has_install_script);
        ASSERT_TRUE(p->modified_time == 1609459200000);
        ASSERT_TRUE(p->versions[0].time == QN_TIME_NONE);
        ASSERT_EQ(p->versions[0].n_bundled, 1);
}

TEST(unpublished)
{
        ARENA(a);
        struct qn_packument *p = NULL;

        ASSERT_EQ(qn_packument_read(
                          CUR("{\"name\":\"p\",\"time\":{\"unpublished\":{\"versions\":[\"1\"]}}}"),
                          &a, &p, NULL),
                  0);
        ASSERT_TRUE(p->unpublished && p->n == 0);
}

TEST(wrong_types_are_left_out)
{
        ARENA(a);
        struct qn_packument *p = NULL;

        ASSERT_EQ(qn_packument_read(CUR("{\"name\":1,\"dist-tags\":[],\"maintainers\":{},\"time\":"
                                        "5,\"versions\":{\"1.0.0\":{\"dist\":\"x\","
                                        "\"scripts\":[],\"_npmUser\":7,\"maintainers\":\"x\","
                                        "\"deprecated\":true,\"dependencies\":1}}}"),
                                    &a, &p, NULL),
                  0);
        ASSERT_NULL(p->name.p);
        ASSERT_STR(p->versions[0].deprecated, "true");
        ASSERT_EQ(p->versions[0].n_dependencies, 0);
}

TEST(times)
{
        ASSERT_TRUE(qn_time_parse(QN_STR("1970-01-01T00:00:00.000Z")) == 0);
        ASSERT_TRUE(qn_time_parse(QN_STR("2000-02-29T12:30:15.5Z")) == 951827415500);
        ASSERT_TRUE(qn_time_parse(QN_STR("2026-11-09T20:33:38.123456+02:00")) == 1794249218123);
        ASSERT_TRUE(qn_time_parse(QN_STR("1969-12-31")) == -86400000);
        static const char *const bad[] = { "",
                                           "x",
                                           "2020",
                                           "2020-13-01",
                                           "2020-01-01T",
                                           "2020-01-01T25:00:00Z",
                                           "2020-01-01T00:00:00.Z",
                                           "2020-01-01T00:00:00Zx",
                                           "2020-01-01T00:00:00+1",
                                           "99999999999999999999" };
        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_TRUE(qn_time_parse(qn_str_c(bad[i])) == QN_TIME_NONE);
}
