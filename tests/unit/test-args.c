/* test-args.c - the option parser over a table of its own. */
#include <errno.h>

#include "cli/args.h"
#include "cli/verbs.h"
#include "test.h"

static const struct qn_opt opts[] = {
        { "format", 'f', QN_OPT_CONFIG, "FORMAT", "text|json", "text", "how" },
        { "rules", 'r', QN_OPT_CONFIG | QN_OPT_MANY, "DIR", NULL, "built-in", "where" },
        { "workers", 'j', QN_OPT_NUMBER | QN_OPT_CONFIG, "N", NULL, NULL, "how many" },
        { "fail-on", 0, QN_OPT_CONFIG, "LEVEL", NULL, NULL, "when" },
        { "offline", 'o', QN_OPT_CONFIG, NULL, NULL, NULL, "no network" },
        { "verbose", 'v', 0, NULL, NULL, NULL, "more" },
        {}
};

const struct qn_opt qn_common_opts[] = {
        { "config", 0, 0, "FILE", NULL, NULL, "file" },
        { "state", 0, QN_OPT_CONFIG, "DIR", NULL, NULL, "directory" },
        { "store", 0, QN_OPT_CONFIG, "WHERE", NULL, NULL, "directory or address" },
        { "cache", 0, QN_OPT_CONFIG, "DIR", NULL, NULL, "directory" },
        { "data", 0, QN_OPT_CONFIG, "DIR", NULL, NULL, "directory" },
        { "help", 'h', 0, NULL, NULL, NULL, "help" },
        {}
};

const struct qn_verb qn_verbs[] = { { "try", 0, -1, QN_NEED_STATE, NULL, "[X]", NULL, "try", opts },
                                    { "data", 0, 0, QN_NEED_DATA, NULL, "", NULL, "needs data",
                                      NULL },
                                    {} };

const struct qn_opt *qn_opt_find(const struct qn_verb *v, const char *name)
{
        for (const struct qn_opt *o = v->opts; o && o->name; o++)
                if (strcmp(o->name, name) == 0)
                        return o;
        for (const struct qn_opt *o = qn_common_opts; o->name; o++)
                if (strcmp(o->name, name) == 0)
                        return o;
        return NULL;
}

#define PARSE(a, ...)                                                               \
        ({                                                                          \
                char *argv_[] = { __VA_ARGS__ };                                    \
                qn_args_parse(&qn_verbs[0], (int)QN_ARRAY_SIZE(argv_), argv_, (a)); \
        })

static char lit_fr[] = "-fjson", lit_x[] = "x", lit_dash[] = "-", lit_dd[] = "--",
            lit_ov[] = "-ovr", lit_one[] = "one", lit_rules[] = "--rules=two",
            lit_j[] = "--workers", lit_7[] = "7", lit_bad[] = "7x", lit_neg[] = "-1",
            lit_big[] = "99999999999999999999", lit_ovz[] = "-ovz",
            lit_empty[] = "--rules=", lit_none[] = "--";

static void clean_environment(void)
{
        setenv("HOME", "/nonexistent", 1);
        unsetenv("XDG_CONFIG_HOME");
        unsetenv("QANAT_FORMAT");
        unsetenv("QANAT_OFFLINE");
        unsetenv("QANAT_FAIL_ON");
}

TEST(numbers_are_checked)
{
        struct qn_args a = { 0 };

        clean_environment();
        ASSERT_EQ(PARSE(&a, lit_j, lit_bad), -EINVAL);
        ASSERT_EQ(PARSE(&a, lit_j, lit_neg), -EINVAL);
        ASSERT_EQ(PARSE(&a, lit_j, lit_big), -EINVAL);
        ASSERT_EQ(PARSE(&a, lit_j), -EINVAL);
        ASSERT_EQ(PARSE(&a, lit_ovz), -EINVAL);
        ASSERT_NULL(a.given);
}

TEST(all_forms)
{
        _cleanup_(qn_args_done) struct qn_args a = { 0 };

        clean_environment();
        ASSERT_EQ(PARSE(&a, lit_fr, lit_x, lit_dash, lit_ov, lit_one, lit_rules, lit_empty, lit_j,
                        lit_7, lit_dd, lit_none),
                  0);
        ASSERT_EQ(a.n, 3);
        ASSERT_STR(qn_str_c(a.argv[0]), "x");
        ASSERT_STR(qn_str_c(a.argv[1]), "-");
        ASSERT_STR(qn_str_c(a.argv[2]), "--");
        ASSERT_NULL(a.argv[3]);
        ASSERT_STR(qn_str_c(qn_args_get(&a, "format")), "json");
        ASSERT_TRUE(qn_args_on(&a, "offline"));
        ASSERT_TRUE(qn_args_on(&a, "verbose"));
        ASSERT_EQ(qn_args_u64(&a, "workers"), 7);
        ASSERT_STR(qn_str_c(qn_args_all(&a, "rules", 0)), "one");
        ASSERT_STR(qn_str_c(qn_args_all(&a, "rules", 1)), "two");
        ASSERT_STR(qn_str_c(qn_args_all(&a, "rules", 2)), "");
        ASSERT_NULL(qn_args_all(&a, "rules", 3));
}

TEST(fallbacks)
{
        _cleanup_(qn_args_done) struct qn_args a = { 0 };

        clean_environment();
        ASSERT_EQ(PARSE(&a, lit_x), 0);
        ASSERT_STR(qn_str_c(qn_args_get(&a, "format")), "text");
        ASSERT_STR(qn_str_c(qn_args_all(&a, "rules", 0)), "built-in");
        ASSERT_NULL(qn_args_all(&a, "rules", 1));
        ASSERT_FALSE(qn_args_on(&a, "offline"));
        ASSERT_EQ(qn_args_u64(&a, "workers"), 0);
        ASSERT_NULL(qn_args_get(&a, "fail-on"));
}

TEST(command_line_before_environment)
{
        _cleanup_(qn_args_done) struct qn_args a = { 0 }, b = { 0 };

        clean_environment();
        setenv("QANAT_FORMAT", "json", 1);
        setenv("QANAT_FAIL_ON", "always", 1);
        setenv("QANAT_OFFLINE", "no", 1);
        ASSERT_EQ(PARSE(&a, lit_x), 0);
        ASSERT_STR(qn_str_c(qn_args_get(&a, "format")), "json");
        ASSERT_STR(qn_str_c(qn_args_get(&a, "fail-on")), "always");
        ASSERT_FALSE(qn_args_on(&a, "offline"));
        char text[] = "--format=text", offline[] = "--offline";
        ASSERT_EQ(PARSE(&b, text, offline), 0);
        ASSERT_STR(qn_str_c(qn_args_get(&b, "format")), "text");
        ASSERT_TRUE(qn_args_on(&b, "offline"));
        clean_environment();
}

TEST(bad_environment)
{
        struct qn_args a = { 0 };

        clean_environment();
        setenv("QANAT_OFFLINE", "perhaps", 1);
        ASSERT_EQ(PARSE(&a, lit_x), -EINVAL);
        clean_environment();
}

TEST(directories_are_found_or_refused)
{
        _cleanup_(qn_args_done) struct qn_args a = { 0 }, b = { 0 };
        char data[] = "--data=/nonexistent";
        char *argv[] = { data };

        clean_environment();
        ASSERT_EQ(PARSE(&a, lit_x), 0);
        unsetenv("XDG_STATE_HOME");
        ASSERT_EQ(qn_args_prepare(&a), 0);
        ASSERT_STR(qn_str_c(a.state), "/nonexistent/.local/state/qanat");
        ASSERT_NULL(a.data);
        ASSERT_EQ(qn_args_parse(&qn_verbs[1], 1, argv, &b), 0);
        ASSERT_EQ(qn_args_prepare(&b), -ENOENT);
}

static const char *next_word(const void *ctx, size_t i)
{
        return ((const char *const *)ctx)[i];
}

TEST(nearest_word)
{
        static const char *const words[] = { "check", "judge", "rules", "completion", NULL };

        ASSERT_NULL(qn_args_nearest("", next_word, words));
        ASSERT_NULL(qn_args_nearest("zzzzz", next_word, words));
        ASSERT_NULL(qn_args_nearest("a-word-that-is-much-longer-than-any-verb-could-be", next_word,
                                    words));
        ASSERT_STR(qn_str_c(qn_args_nearest("chekc", next_word, words)), "check");
        ASSERT_STR(qn_str_c(qn_args_nearest("rule", next_word, words)), "rules");
        ASSERT_STR(qn_str_c(qn_args_nearest("compeltoin", next_word, words)), "completion");
}
