/* What an argument of `qanat check` means. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "check/target.h"
#include "test.h"

static void here(void)
{
        static char dir[] = "/tmp/qanat-target-XXXXXX";
        static bool made;

        if (!made)
                assert_non_null(mkdtemp(dir));
        made = true;
        ASSERT_EQ(chdir(dir), 0);
}

static int parse(const char *arg, struct qn_target *t)
{
        struct qn_err err = { 0 };
        int r = qn_target_parse(arg, t, &err);

        if (r < 0)
                ASSERT_TRUE(err.msg[0]);
        return r;
}

TEST(what_is_nothing)
{
        struct qn_target t;

        here();
        ASSERT_EQ(parse("", &t), -EINVAL);
        ASSERT_EQ(parse("./missing.tgz", &t), -ENOENT);
        ASSERT_EQ(parse("missing.json", &t), -ENOENT);
        ASSERT_EQ(parse("@scope", &t), -EINVAL);
        ASSERT_EQ(parse("@/x", &t), -EINVAL);
        ASSERT_EQ(parse("a b", &t), -EINVAL);
        ASSERT_EQ(parse("_x", &t), -EINVAL);
        ASSERT_EQ(qn_io_replace("empty.tgz", (struct qn_str){ "", 0 }), 0);
        ASSERT_EQ(parse("empty.tgz", &t), -EINVAL);
        ASSERT_EQ(qn_io_replace("text.txt", QN_STR("hello")), 0);
        ASSERT_EQ(parse("text.txt", &t), -EINVAL);
        ASSERT_EQ(mkfifo("fifo.tgz", 0600), 0);
        ASSERT_EQ(parse("fifo.tgz", &t), -EINVAL);
}

TEST(a_name_whatever_files_there_are)
{
        static const char *const names[] = { "x@1.0.0-a.tgz", "x@1.0.0-a.json",
                                             "@s/x@1.0.0-a.tar" };
        struct qn_target t;

        here();
        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                ASSERT_EQ(parse(names[i], &t), -ENOENT);
                ASSERT_EQ(qn_target_parse_name(names[i], &t, NULL), 0);
                ASSERT_EQ(t.kind, QN_TARGET_NAME);
                ASSERT_STR(t.name, i == 2 ? "@s/x" : "x");
        }
        ASSERT_EQ(qn_target_parse_name("../x", &t, NULL), -EINVAL);
}

TEST(names)
{
        struct qn_target t;

        here();
        ASSERT_EQ(parse("is-number", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_NAME);
        ASSERT_STR(t.name, "is-number");
        ASSERT_EQ(t.range.n, 0);
        ASSERT_EQ(parse("@types/node@^18 || 20", &t), 0);
        ASSERT_STR(t.name, "@types/node");
        ASSERT_STR(t.range, "^18 || 20");
        ASSERT_EQ(parse("npm:left-pad@latest", &t), 0);
        ASSERT_STR(t.name, "left-pad");
        ASSERT_STR(t.range, "latest");
        ASSERT_FALSE(t.shadows);
        ASSERT_EQ(mkdir("express", 0700), 0);
        ASSERT_EQ(parse("express", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_NAME);
        ASSERT_TRUE(t.shadows);
        ASSERT_EQ(parse("./express", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_DIR);
        ASSERT_EQ(parse("express/", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_DIR);
}

TEST(files)
{
        struct qn_target t;

        here();
        ASSERT_EQ(qn_io_replace("a.bin", QN_STR("\x1f\x8b\x08")), 0);
        ASSERT_EQ(parse("a.bin", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_ARCHIVE);
        ASSERT_EQ(qn_io_replace("broken.tgz", QN_STR("nonsense")), 0);
        ASSERT_EQ(parse("broken.tgz", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_ARCHIVE);
        ASSERT_EQ(qn_io_replace("lock.json", QN_STR("\xef\xbb\xbf\n {")), 0);
        ASSERT_EQ(parse("lock.json", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_LOCK);
        ASSERT_EQ(parse(".", &t), 0);
        ASSERT_EQ(t.kind, QN_TARGET_DIR);
}

TEST(locks_of_a_project)
{
        char path[4096];

        here();
        ASSERT_EQ(mkdir("p", 0700), 0);
        ASSERT_EQ(qn_target_lock("p", path, sizeof path), -ENOENT);
        ASSERT_EQ(qn_io_replace("p/yarn.lock", QN_STR("x")), 0);
        ASSERT_EQ(qn_target_lock("p", path, sizeof path), 0);
        assert_string_equal(path, "p/yarn.lock");
        ASSERT_TRUE(!qn_target_is_npm_lock(qn_str_c(path)));
        ASSERT_TRUE(qn_target_is_npm_lock(QN_STR("p/package-lock.json")));
        ASSERT_EQ(qn_io_replace("p/package-lock.json", QN_STR("{}")), 0);
        ASSERT_EQ(qn_target_lock("p", path, sizeof path), 0);
        assert_string_equal(path, "p/package-lock.json");
        ASSERT_EQ(qn_io_replace("p/npm-shrinkwrap.json", QN_STR("{}")), 0);
        ASSERT_EQ(qn_target_lock("p", path, sizeof path), 0);
        assert_string_equal(path, "p/npm-shrinkwrap.json");
        ASSERT_EQ(qn_target_lock("p", path, 3), -ENAMETOOLONG);
}
