/* Lock files of npm: what is none is refused with a reason; versions 1 to 3 give the same list. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/lock.h"
#include "parse/pkgjson.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30)

static struct qn_lock *parsed(struct qn_arena *a, struct qn_cur in)
{
        struct qn_lock *lock = NULL;
        struct qn_err err = { 0 };

        if (qn_lock_parse(in, a, &lock, &err) != 0)
                fail_msg("%s", err.msg);
        return lock;
}

static void assert_refused(struct qn_cur in, int code, const char *message)
{
        ARENA(a);
        struct qn_lock *lock = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_lock_parse(in, &a, &lock, &err), code);
        ASSERT_NULL(lock);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

TEST(not_lock_files)
{
        assert_refused(CUR("[]"), -EINVAL, "not a lock file");
        assert_refused(CUR("{}"), -EINVAL, "has no lockfileVersion");
        assert_refused(CUR("{\"name\":\"a\",\"dependencies\":{\"b\":\"1\"}}"), -EINVAL,
                       "has no lockfileVersion");
        assert_refused(CUR("{\"lockfileVersion\":3}"), -EINVAL, "has no packages");
        assert_refused(CUR("{\"lockfileVersion\":3,\"packages\":[]}"), -EINVAL, "has no packages");
        assert_refused(CUR("{\"lockfileVersion\":1,\"dependencies\":{\"a\":\"1.0.0\"}}"), -EINVAL,
                       "not an object");
        assert_refused(CUR("{\"lockfileVersion\":4,\"packages\":{}}"), -ENOTSUP,
                       "lockfileVersion 4");
        assert_refused(CUR("{\"lockfileVersion\":\"3\",\"packages\":{}}"), -ENOTSUP,
                       "lockfileVersion 3");
        assert_refused(CUR("{\"lockfileVersion\":99999999999999999999999,\"packages\":{}}"),
                       -ENOTSUP, "is not known");
}

TEST(broken_documents)
{
        assert_refused(CUR(""), -EBADMSG, "cut short");
        assert_refused(
                CUR("{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":{\"version\":\"1\""),
                -EBADMSG, "cut short");
        assert_refused(CUR("{\"lockfileVersion\":3,\"packages\":{}} x"), -EBADMSG, "after the end");
        assert_refused(CUR("{\"lockfileVersion\":3,\"packages\":{\"a\0\":{}}}"), -EBADMSG,
                       "control character");
        assert_refused(CUR("{\"lockfileVersion\":3,\"packages\":{\"\xff\":{}}}"), -EILSEQ, "UTF-8");
}

TEST(deep_nesting_is_refused)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        qn_buf_puts(&b, "{\"lockfileVersion\":1,\"dependencies\":{");
        for (int i = 0; i < 5000; i++)
                qn_buf_puts(&b, "\"a\":{\"dependencies\":{");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG, "nested too deeply");
}

TEST(long_paths_are_refused)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        qn_buf_puts(&b, "{\"lockfileVersion\":1,\"dependencies\":{\"");
        qn_buf_fill(&b, 'a', QN_TAR_NAME_MAX);
        qn_buf_puts(&b, "\":{}}}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG, "too long");
}

TEST(too_many_packages_are_refused)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);

        qn_buf_puts(&b, "{\"lockfileVersion\":3,\"packages\":{\"\":{}");
        for (unsigned i = 1; i < QN_LOCK_PACKAGES_MAX; i++)
                qn_buf_printf(&b, ",\"node_modules/p%u\":{}", i);
        qn_buf_puts(&b, "}}");
        {
                ARENA(a);
                ASSERT_EQ(parsed(&a, qn_cur_str(qn_buf_view(&b)))->n, QN_LOCK_PACKAGES_MAX - 1);
        }
        b.n -= 2;
        qn_buf_puts(&b, ",\"node_modules/q\":{}}}");
        assert_refused(qn_cur_str(qn_buf_view(&b)), -EFBIG, "more than");
}

TEST(memory_is_capped)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1000);
        struct qn_lock *lock = NULL;

        ASSERT_EQ(qn_lock_parse(CUR("{\"lockfileVersion\":3,\"packages\":{\"a\":{},\"b\":{}}}"), &a,
                                &lock, NULL),
                  -ENOBUFS);
        ASSERT_NULL(lock);
}

#define V3 "{\"name\":\"app\",\"version\":\"9.0.0\",\"lockfileVersion\":3,\"packages\":"

TEST(version_3)
{
        ARENA(a);
        static const char doc[] = V3
                "{\"\":{\"name\":\"app\",\"dependencies\":{\"a\":\"^1\",\"b\":\"npm:real@2\"},"
                "\"workspaces\":[\"packages/*\"]},"
                "\"node_modules/a\":{\"version\":\"1.0.0\",\"resolved\":\"https://r.invalid/a/-/"
                "a-1.0.0.tgz\",\"integrity\":\"sha512-x\","
                "\"hasInstallScript\":true,\"dependencies\":{\"c\":\"1\"}},"
                "\"node_modules/a/node_modules/@s/"
                "c\":{\"version\":\"1.2.3\",\"inBundle\":true,\"dev\":true},"
                "\"node_modules/b\":{\"name\":\"real\",\"version\":\"2.0.0\",\"resolved\":\"https:/"
                "/r.invalid/real/-/real-2.0.0.tgz\"},"
                "\"node_modules/w\":{\"resolved\":\"packages/w\",\"link\":true},"
                "\"packages/"
                "w\":{\"name\":\"w\",\"version\":\"0.1.0\",\"devDependencies\":{\"d\":\"1\"}},"
                "\"node_modules/d\":{\"version\":\"4.0.0\",\"devOptional\":true,\"peer\":true}}}";
        struct qn_lock *lock = parsed(&a, CUR(doc));
        const struct qn_lock_package *p = lock->packages;

        ASSERT_EQ(lock->version, 3);
        ASSERT_STR(lock->name, "app");
        ASSERT_TRUE(lock->direct_known);
        ASSERT_EQ(lock->n, 6);
        ASSERT_STR(p[0].name, "a");
        ASSERT_TRUE(p[0].direct && p[0].has_install_script && !p[0].dev &&
                    p[0].kind == QN_LOCK_REGISTRY);
        ASSERT_EQ(doc[p[0].off], '{');
        ASSERT_STR(p[0].integrity, "sha512-x");
        ASSERT_STR(p[1].name, "@s/c");
        ASSERT_TRUE(p[1].bundled && p[1].dev && !p[1].direct);
        ASSERT_STR(p[2].name, "real");
        ASSERT_STR(p[2].alias, "b");
        ASSERT_TRUE(p[2].kind == QN_LOCK_ALIAS && p[2].direct);
        ASSERT_TRUE(p[3].kind == QN_LOCK_LINK && p[3].link && p[3].direct);
        ASSERT_NULL(p[3].version.p);
        ASSERT_TRUE(p[4].kind == QN_LOCK_WORKSPACE);
        ASSERT_STR(p[4].version, "0.1.0");
        ASSERT_TRUE(p[5].dev && p[5].optional && p[5].peer && p[5].direct);
}

TEST(version_1)
{
        ARENA(a);
        struct qn_lock *lock = parsed(
                &a,
                CUR("{\"name\":\"app\",\"lockfileVersion\":1,\"requires\":true,\"dependencies\":{"
                    "\"a\":{\"version\":\"1.0.0\",\"requires\":{\"b\":\"^2\"},\"dependencies\":{"
                    "\"b\":{\"version\":\"2.0.0\",\"bundled\":true},\"c\":{\"version\":\"1.1.0\"}},"
                    "\"dev\":true},"
                    "\"z\":{\"version\":\"npm:@s/real@3.0.0\"},"
                    "\"g\":{\"version\":\"git+ssh://git@h.invalid/x.git#abc\",\"from\":\"x\"}}}"));
        struct qn_lock_package *p = lock->packages;

        ASSERT_EQ(lock->n, 5);
        ASSERT_FALSE(lock->direct_known);
        ASSERT_STR(p[1].path, "node_modules/a/node_modules/b");
        ASSERT_STR(p[1].name, "b");
        ASSERT_TRUE(p[0].dev && p[1].bundled && !p[2].bundled);
        ASSERT_STR(p[3].name, "@s/real");
        ASSERT_STR(p[3].version, "3.0.0");
        ASSERT_STR(p[3].alias, "z");
        ASSERT_EQ(p[3].kind, QN_LOCK_ALIAS);
        ASSERT_EQ(p[4].kind, QN_LOCK_GIT);
        {
                struct qn_pkgjson *project = NULL;

                ASSERT_EQ(qn_pkgjson_parse(
                                  CUR("{\"dependencies\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"1\"}}"),
                                  &a, &project, NULL),
                          0);
                ASSERT_EQ(qn_lock_mark_direct(lock, project, &a), 0);
                ASSERT_TRUE(p[0].direct && !p[1].direct && !p[2].direct);
        }
}

TEST(version_2_has_both_and_packages_count)
{
        ARENA(a);
        struct qn_lock *lock =
                parsed(&a, CUR("{\"dependencies\":{\"a\":{\"version\":\"1.0.0\"},\"b\":{"
                               "\"version\":\"1.0.0\"}},"
                               "\"packages\":{\"node_modules/"
                               "a\":{\"version\":\"1.0.0\"}},\"lockfileVersion\":2}"));

        ASSERT_EQ(lock->version, 2);
        ASSERT_EQ(lock->n, 1);
}

TEST(empty_project)
{
        ARENA(a);

        ASSERT_EQ(parsed(&a, CUR("{\"lockfileVersion\":1}"))->n, 0);
        ASSERT_EQ(parsed(&a, CUR(V3 "{}}"))->n, 0);
}

TEST(the_last_of_repeated_keys_counts)
{
        ARENA(a);
        struct qn_lock *lock = parsed(
                &a,
                CUR("{\"lockfileVersion\":3,\"packages\":{\"node_modules/no\":{}},"
                    "\"p\\u0061ckages\":{\"node_modules/a\":{\"version\":\"1.0.0\",\"dev\":true},"
                    "\"node_modules/\\u0061\":{\"version\":\"1.0.0\",\"version\":\"6.6.6\"}}}"));

        ASSERT_EQ(lock->n, 1);
        ASSERT_TRUE(lock->duplicate);
        ASSERT_STR(lock->packages[0].version, "6.6.6");
        ASSERT_FALSE(lock->packages[0].dev);
}

static enum qn_lock_kind kind_of(const char *name, const char *version, const char *resolved)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(10000);

        qn_buf_printf(&b, V3 "{\"node_modules/%s\":{\"version\":\"%s\",\"resolved\":\"%s\"}}}",
                      name, version, resolved);
        return parsed(&a, qn_cur_str(qn_buf_view(&b)))->packages[0].kind;
}

TEST(kinds)
{
        ASSERT_EQ(kind_of("a", "1.0.0", "https://r.invalid/a/-/a-1.0.0.tgz"), QN_LOCK_REGISTRY);
        ASSERT_EQ(kind_of("a", "1.0.0+b", "https://r.invalid/x/a/-/a-1.0.0.tgz"), QN_LOCK_REGISTRY);
        ASSERT_EQ(kind_of("@s/a", "1.0.0", "https://r.invalid/@s/a/-/a-1.0.0.tgz"),
                  QN_LOCK_REGISTRY);
        ASSERT_EQ(kind_of("@s/a", "1.0.0", "https://r.invalid/@s%2Fa/-/a-1.0.0.tgz"),
                  QN_LOCK_REGISTRY);
        ASSERT_EQ(kind_of("@s/a", "1.0.0", "https://r.invalid/@s/a/-/@s/a-1.0.0.tgz"),
                  QN_LOCK_REGISTRY);
        ASSERT_EQ(kind_of("@s/a", "1.0.0", "https://r.invalid/download/@s/a/1.0.0/abc"),
                  QN_LOCK_REGISTRY);
        /* Another package's bytes under this name. */
        ASSERT_EQ(kind_of("a", "1.0.0", "https://r.invalid/evil/-/evil-1.0.0.tgz"), QN_LOCK_URL);
        ASSERT_EQ(kind_of("a", "1.0.0", "https://r.invalid/a/-/a-1.0.1.tgz"), QN_LOCK_URL);
        ASSERT_EQ(kind_of("a", "1.0.0", "https://r.invalid/a.tgz"), QN_LOCK_URL);
        ASSERT_EQ(kind_of("a", "1.0.0", "git+ssh://git@h.invalid/a.git#1"), QN_LOCK_GIT);
        ASSERT_EQ(kind_of("a", "1.0.0", "file:../a.tgz"), QN_LOCK_FILE);
        ASSERT_EQ(kind_of("a", "1.0.0", ""), QN_LOCK_REGISTRY);
}

TEST(bad_names)
{
        ARENA(a);
        struct qn_lock *lock = parsed(
                &a,
                CUR(V3
                    "{\"node_modules/../../etc\":{},\"node_modules/a\":{\"name\":\"../"
                    "b\"},\"node_modules/\":{},"
                    "\"node_modules/@s\":{},\"node_modules/A.b_c~1\":{},\"node_modules/@s/x\":{},"
                    "\"node_modules/a b\":{},\"../out\":{}}}"));

        for (size_t i = 0; i < lock->n; i++)
                ASSERT_EQ(lock->packages[i].bad_name, i < 4 || i == 6);
}
