/* test-config.c - the configuration file and the directories. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/io.h"
#include "test.h"

static char dir[] = "/tmp/qanat-config-XXXXXX";

static const char *path_of(const char *name)
{
        static char path[256];
        static bool made;

        if (!made && !mkdtemp(dir))
                abort();
        made = true;
        snprintf(path, sizeof path, "%s/%s", dir, name);
        return path;
}

static int load(const char *text, struct qn_config *c, struct qn_err *err)
{
        const char *path = path_of("conf");
        int r = qn_io_replace(path, qn_str_c(text));

        ASSERT_EQ(r, 0);
        r = qn_config_load(path, c, err);
        unlink(path);
        return r;
}

static void refuse(const char *text, const char *message)
{
        struct qn_config c = { 0 };
        struct qn_err err = { 0 };

        ASSERT_EQ(load(text, &c, &err), -EINVAL);
        ASSERT_STR(qn_str_c(err.msg), message);
        ASSERT_NULL(c.path);
}

TEST(lines_that_are_none)
{
        refuse("color\n", "line 1: not of the form `key = value`");
        refuse("# x\n= 1\n", "line 2: not of the form `key = value`");
        refuse("a = \"b\n", "line 1: a quote is not closed");
        refuse("a = \"b\" c\n", "line 1: a quote is not closed");
}

TEST(a_named_file_must_exist)
{
        struct qn_config c = { 0 };
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_config_load("/nonexistent/qanat.conf", &c, &err), -ENOENT);
}

TEST(values)
{
        _cleanup_(qn_config_done) struct qn_config c = { 0 };

        ASSERT_EQ(load("# comment\n\n a = 1 # one\nb=\" x # y \"\r\nc =\na = 2\nd = x#y\ne = \"\" "
                       "# none",
                       &c, NULL),
                  0);
        ASSERT_STR(qn_str_c(qn_config_get(&c, "a")), "2");
        ASSERT_STR(qn_str_c(qn_config_get(&c, "b")), " x # y ");
        ASSERT_STR(qn_str_c(qn_config_get(&c, "c")), "");
        ASSERT_STR(qn_str_c(qn_config_get(&c, "d")), "x#y");
        ASSERT_STR(qn_str_c(qn_config_get(&c, "e")), "");
        ASSERT_NULL(qn_config_get(&c, "f"));
}

TEST(directories)
{
        _cleanup_(qn_freep) char *a = NULL, *b = NULL, *c = NULL, *d = NULL;

        setenv("XDG_STATE_HOME", "relative", 1);
        setenv("HOME", "/home/x", 1);
        ASSERT_EQ(qn_dir_state(NULL, &a), 0);
        ASSERT_STR(qn_str_c(a), "/home/x/.local/state/qanat");
        setenv("XDG_STATE_HOME", "/s", 1);
        ASSERT_EQ(qn_dir_state("", &b), 0);
        ASSERT_STR(qn_str_c(b), "/s/qanat");
        ASSERT_EQ(qn_dir_state("here", &c), 0);
        ASSERT_STR(qn_str_c(c), "here");
        unsetenv("HOME");
        unsetenv("XDG_CACHE_HOME");
        ASSERT_EQ(qn_dir_cache(NULL, &d), -ENOENT);
        ASSERT_NULL(d);
}

TEST(data_directory_needs_rules)
{
        _cleanup_(qn_freep) char *found = NULL;

        path_of("");
        ASSERT_EQ(qn_dir_data(dir, &found), -ENOENT);
        ASSERT_EQ(mkdir(path_of("rules"), 0700), 0);
        ASSERT_EQ(qn_dir_data(dir, &found), 0);
        ASSERT_STR(qn_str_c(found), dir);
        rmdir(path_of("rules"));
        rmdir(dir);
}
