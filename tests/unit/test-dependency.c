/* What the document of a new dependency tells, and what must not be taken for it. */
#include <errno.h>

#include "base/arena.h"
#include "event/event.h"
#include "observe/dependency.h"
#include "test.h"

#define PERSON(name) \
        "\"maintainers\":[{\"name\":\"" name "\",\"email\":\"" name "@example.invalid\"}]"
#define PACKAGE(name)                                                                              \
        "{\"_id\":\"" name "\",\"name\":\"" name                                                   \
        "\"," PERSON("ada") ",\"versions\":{\"1.0.1\":{\"name\":\"" name                           \
                            "\",\"version\":\"1.0.1\"}},"                                          \
                            "\"time\":{\"created\":\"2020-01-01T00:00:00.000Z\",\"1.0.1\":\"2026-" \
                            "03-10T12:00:00.000Z\"}}"
#define VERSION(v, more) "\"" v "\":{\"name\":\"tint\",\"version\":\"" v "\"" more "}"
#define DEPENDENCY(people, versions, times)                                      \
        "{\"_id\":\"tint\",\"name\":\"tint\"," people ",\"versions\":{" versions \
        "},\"time\":{" times "}}"
#define AT(v, time) "\"" v "\":\"2026-03-" time ":00.000Z\""
#define HOOK        ",\"scripts\":{\"postinstall\":\"node a.js\"}"

static struct qn_arena arena = QN_ARENA_INIT(16 << 20);
static struct qn_event_set set;

static int observe(const char *package, const char *dependency, const char *spec)
{
        const struct qn_dependency_in in = { .name = QN_STR("quiet-sums"),
                                             .version = QN_STR("1.0.1"),
                                             .wanted = QN_STR("tint"),
                                             .spec = qn_str_c(spec),
                                             .flags = QN_STR("not-loaded"),
                                             .package = qn_cur_str(qn_str_c(package)),
                                             .dependency = qn_cur_str(qn_str_c(dependency)) };
        struct qn_err err = { 0 };
        int r;

        qn_arena_reset(&arena, 0);
        qn_event_set_init(&set, &arena);
        r = qn_dependency_observe(&in, &arena, &set, &err);
        ASSERT_EQ(r < 0, err.msg[0] != 0);
        return r;
}

static const struct qn_event *told(const char *what)
{
        for (size_t i = 0; i < set.n; i++)
                if (qn_str_is(qn_event_get(&set.events[i], QN_ATTR_WHAT), what))
                        return &set.events[i];
        return NULL;
}

TEST(documents_that_are_none)
{
        static const char good[] =
                DEPENDENCY(PERSON("eve"), VERSION("1.0.0", ""), AT("1.0.0", "10T01:00"));

        ASSERT_EQ(observe(PACKAGE("quiet-sums"), "", "^1"), -EBADMSG);
        ASSERT_EQ(observe("[]", good, "^1"), -EINVAL);
        ASSERT_EQ(observe(PACKAGE("other"), good, "^1"), -EINVAL);
        ASSERT_EQ(observe(PACKAGE("quiet-sums"), PACKAGE("other"), "^1"), -EINVAL);
        ASSERT_EQ(set.n, 0);
        /* the version is not listed, or has no time: nothing is known */
        ASSERT_EQ(observe("{\"name\":\"quiet-sums\",\"versions\":{\"1.0.0\":{}}}", good, "^1"), 0);
        ASSERT_EQ(observe("{\"name\":\"quiet-sums\",\"versions\":{\"1.0.1\":{}}}", good, "^1"), 0);
        ASSERT_EQ(set.n, 0);
}

TEST(made_for_the_release)
{
        const struct qn_event *e;

        ASSERT_EQ(observe(PACKAGE("quiet-sums"),
                          DEPENDENCY(PERSON("eve"), VERSION("1.0.0", "") "," VERSION("1.0.1", HOOK),
                                     AT("created", "09T19:00") "," AT("1.0.0", "09T19:00") "," AT(
                                             "1.0.1", "10T11:00")),
                          "^1.0.0"),
                  0);
        e = told("dependency-young");
        ASSERT_NOT_NULL(e);
        ASSERT_STR(qn_event_get(e, QN_ATTR_NAME), "tint");
        ASSERT_STR(qn_event_get(e, QN_ATTR_VALUE), "17 hours");
        ASSERT_STR(qn_event_get(e, QN_ATTR_HOW), "hook");
        ASSERT_STR(qn_event_get(e, QN_ATTR_WHICH), "stranger");
        ASSERT_STR(qn_event_get(e, QN_ATTR_FLAGS), "not-loaded");
        ASSERT_NULL(told("dependency-single"));
}

TEST(which_version_would_be_installed)
{
        static const char doc[] =
                DEPENDENCY(PERSON("eve"), VERSION("1.0.0", HOOK) "," VERSION("2.0.0", ""),
                           AT("1.0.0", "10T10:00") "," AT("2.0.0", "10T11:00"));

        ASSERT_EQ(observe(PACKAGE("quiet-sums"), doc, "1"), 0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_HOW), "hook");
        ASSERT_EQ(observe(PACKAGE("quiet-sums"), doc, "2"), 0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_HOW), "");
        ASSERT_NULL(told("dependency-gone"));
        ASSERT_EQ(observe(PACKAGE("quiet-sums"), doc, "3"), 0);
        ASSERT_NOT_NULL(told("dependency-gone"));
        ASSERT_NOT_NULL(told("dependency-young"));
}

TEST(old_enough)
{
        /* 72 hours and no more; a first version that is gone counts */
        ASSERT_EQ(
                observe(PACKAGE("quiet-sums"),
                        DEPENDENCY(PERSON("eve"), VERSION("1.0.0", HOOK), AT("1.0.0", "07T12:00")),
                        "^1"),
                0);
        ASSERT_NULL(told("dependency-young"));
        ASSERT_NOT_NULL(told("dependency-single"));
        ASSERT_EQ(
                observe(PACKAGE("quiet-sums"),
                        DEPENDENCY(PERSON("eve"), VERSION("1.0.0", HOOK), AT("1.0.0", "07T12:01")),
                        "^1"),
                0);
        ASSERT_NOT_NULL(told("dependency-young"));
        ASSERT_EQ(observe(PACKAGE("quiet-sums"),
                          DEPENDENCY(PERSON("eve"), VERSION("1.0.0", HOOK),
                                     AT("modified", "10T11:00") "," AT("0.9.0", "01T00:00") "," AT(
                                             "1.0.0", "10T11:00")),
                          "^1"),
                  0);
        ASSERT_NULL(told("dependency-young"));
        ASSERT_NULL(told("dependency-single"));
        /* no dates: no age */
        ASSERT_EQ(observe(PACKAGE("quiet-sums"),
                          DEPENDENCY(PERSON("eve"), VERSION("1.0.0", HOOK), ""), "^1"),
                  0);
        ASSERT_NULL(told("dependency-young"));
}

TEST(younger_than_the_release)
{
        ASSERT_EQ(observe(PACKAGE("quiet-sums"),
                          DEPENDENCY(PERSON("eve"), VERSION("1.0.0", ""), AT("1.0.0", "11T13:30")),
                          "^1"),
                  0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_VALUE), "25 hours later");
}

TEST(whose_it_is)
{
        static const char own[] =
                DEPENDENCY(PERSON("ada"), VERSION("1.0.0", ""), AT("1.0.0", "10T11:00"));
        static const char nobodys[] =
                DEPENDENCY("\"maintainers\":[{}]", VERSION("1.0.0", ""), AT("1.0.0", "10T11:00"));

        ASSERT_EQ(observe(PACKAGE("quiet-sums"), own, "^1"), 0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_WHICH), "kin");
        ASSERT_EQ(observe(PACKAGE("quiet-sums"), nobodys, "^1"), 0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_WHICH), "stranger");
}

TEST(what_a_proxy_tells_is_no_time)
{
        static const char proxied[] = "{\"_id\":\"tint\",\"name\":\"tint\",\"versions\":{" VERSION(
                "1.0.0", HOOK) "},"
                               "\"time\":{" AT("1.0.0", "10T11:00") "}}";
        static const char nobody[] = "{\"_id\":\"tint\",\"name\":\"tint\",\"versions\":{" VERSION(
                "1.0.0", HOOK) "},"
                               "\"time\":{" AT("created", "10T11:00") "," AT("1.0.0",
                                                                             "10T11:00") "}}";

        ASSERT_EQ(observe(PACKAGE("quiet-sums"), proxied, "^1"), 0);
        ASSERT_EQ(set.n, 0);
        ASSERT_EQ(observe(PACKAGE("quiet-sums"), nobody, "^1"), 0);
        ASSERT_STR(qn_event_get(told("dependency-young"), QN_ATTR_WHICH), "");
}
