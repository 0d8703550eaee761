#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "event/event.h"
#include "rule/score.h"
#include "test.h"

#define SENDS                                                                                    \
        "- id: sends\n  title: sends\n  group: counts\n  count: {event: net.send, phase: any}\n" \
        "  most: 4\n"
#define FEATURES                                                                                \
        "features:\n" SENDS "- id: hook-and-send\n  title: both\n  group: pairs\n"              \
        "  when: {all: [{event: install.hook}, {event: net.send, phase: [install, import]}]}\n" \
        "- id: unweighed\n  title: nothing\n  group: details\n  when: {event: meta}\n"
#define MODEL "version: 7\nbias: -3.5\nweights:\n  sends: 1.25\n  hook-and-send: 2\n"

static struct qn_score *score;
static struct qn_err err;
static struct qn_arena arena = QN_ARENA_INIT((size_t)64 << 20);
static struct qn_event_set set;
static struct qn_learned learned;

static void put(char *path, const char *text)
{
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        ASSERT_EQ(qn_io_write_fd(fd, qn_str_c(text)), 0);
        close(fd);
}

static int load(const char *features, const char *model)
{
        char f[] = "/tmp/qanat-features-XXXXXX", m[] = "/tmp/qanat-model-XXXXXX";
        int r;

        put(f, features);
        put(m, model);
        score = qn_score_free(score);
        err = (struct qn_err){ 0 };
        r = qn_score_load(f, m, &score, &err);
        unlink(f);
        unlink(m);
        return r;
}

static void load_ok(const char *features, const char *model)
{
        if (load(features, model) != 0)
                fail_msg("%s", err.msg);
}

static void assert_refused(const char *features, const char *model, const char *message)
{
        ASSERT_TRUE(load(features, model) < 0);
        ASSERT_NULL(score);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
}

static void begin(void)
{
        qn_arena_reset(&arena, 1 << 20);
        qn_event_set_init(&set, &arena);
}

static void event(enum qn_event_kind k, enum qn_phase phase)
{
        struct qn_event e =
                qn_event_make(k, QN_LAYER_STATIC, qn_event_set_file(&set, QN_STR("a.js")));
        char value[32];

        snprintf(value, sizeof value, "%zu", set.n);
        e.phase = (uint8_t)phase;
        e.off = (uint32_t)set.n;
        qn_event_attr(&e, QN_ATTR_VALUE, qn_str_c(value));
        ASSERT_EQ(qn_event_add(&set, &e), 0);
}

static void add_up(void)
{
        ASSERT_EQ(qn_event_set_seal(&set), 0);
        ASSERT_EQ(qn_score_learned(score, &set, &arena, &learned), 0);
}

/* --- what is refused --- */

TEST(files_that_are_not_there)
{
        ASSERT_TRUE(qn_score_load("/nonexistent", "/nonexistent", &score, &err) == -ENOENT);
        ASSERT_NULL(score);
}

TEST(features_with_mistakes)
{
        assert_refused("features: [", MODEL, ":1:");
        assert_refused("a: b\n", MODEL, "holds features:");
        assert_refused("features: {}\n", MODEL, "holds features:");
        assert_refused("rules: []\nfeatures: []\n", MODEL, "no \"rules\"");
        assert_refused("features:\n- a\n", MODEL, "begins with - id:");
        assert_refused("features:\n- id: a\n", MODEL, "title: and group:");
        assert_refused("features:\n- {id: a, title: a, group: counts}\n", MODEL,
                       "either count: or when:");
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, count: {event: meta}, when: {event: meta}}\n",
                MODEL, "either count: or when:");
        assert_refused("features:\n- {id: A b, title: a, group: counts, when: {event: meta}}\n",
                       MODEL, "a-z, 0-9");
        assert_refused("features:\n- {id: a, title: '', group: counts, when: {event: meta}}\n",
                       MODEL, "a text is wanted");
        assert_refused("features:\n- {id: a, title: a, group: colour, when: {event: meta}}\n",
                       MODEL, "group: takes");
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, wen: {event: meta}, when: {event: meta}}\n",
                MODEL, "did you mean \"when\"");
        assert_refused("features:\n- {id: a, title: a, group: counts, when: {event: mata}}\n",
                       MODEL, "did you mean \"meta\"");
        assert_refused("features:\n" SENDS SENDS, MODEL, "another feature \"sends\"");
        assert_refused(
                "features:\n- {id: a, id: a, title: a, group: counts, when: {event: meta}}\n",
                MODEL, "occurs twice");
}

TEST(features_that_could_fall)
{
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, when: {not: {event: meta}}}\n",
                MODEL, "may not say not:");
        assert_refused("features:\n- id: a\n  title: a\n  group: pairs\n  when: {all: [{event: "
                       "meta}, {any: [{not: {event: net.send}}]}]}\n",
                       MODEL, "may not say not:");
        assert_refused("features:\n" SENDS, "version: 1\nbias: 0\nweights: {sends: -0.001}\n",
                       "from 0 to 20");
}

TEST(counts_with_mistakes)
{
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, count: {all: [{event: meta}]}}\n",
                MODEL, "count: takes an event pattern");
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, count: {event: meta}, most: 0}\n",
                MODEL, "from 1 to 255");
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, count: {event: meta}, most: 256}\n",
                MODEL, "from 1 to 255");
        assert_refused(
                "features:\n- {id: a, title: a, group: counts, when: {event: meta}, most: 2}\n",
                MODEL, "most: belongs to count:");
        assert_refused("features:\n- {id: a, title: a, group: counts, when: {event: meta}, "
                       "weight-at-most: heavy}\n",
                       MODEL, "weight-at-most: takes a number");
}

TEST(too_many_features)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_buf_puts(&b, "features:\n");
        for (unsigned i = 0; i <= QN_SCORE_FEATURES_MAX; i++)
                qn_buf_printf(&b, "- {id: f%u, title: a, group: counts, when: {event: meta}}\n", i);
        qn_buf_byte(&b, '\0');
        assert_refused((const char *)b.p, MODEL, "more than 256 features");
}

TEST(models_with_mistakes)
{
        static const struct {
                const char *model, *message;
        } cases[] = {
                { "", "a model has version:, bias: and weights:" },
                { "version: 1\nbias: 0\n", "a model has version:, bias: and weights:" },
                { "version: 0\nbias: 0\nweights: {}\n", "version: takes" },
                { "version: one\nbias: 0\nweights: {}\n", "version: takes" },
                { "version: 1\nbias: 100\nweights: {}\n", "from -99 to 99" },
                { "version: 1\nbias: 0.0001\nweights: {}\n", "at most 3 decimals" },
                { "version: 1\nbias: 1e1\nweights: {}\n", "bias: takes" },
                { "version: 1\nbias: '0'\nweights: {}\n", "bias: takes" },
                { "version: 1\nbias: 0\nweights: []\n", "weights: takes" },
                { "version: 1\nbias: 0\nweights: {sends: 1, sends: 2}\n", "weights: takes" },
                { "version: 1\nbias: 0\nweights: {sends: 20.001}\n", "from 0 to 20" },
                { "version: 1\nbias: 0\nweights: {sends: 99999999999999}\n", "from 0 to 20" },
                { "version: 1\nbias: 0\nweights: {gone: 1}\n", "no feature \"gone\"" },
                { "version: 1\nbias: 0\nweights: {}\ncolour: red\n", "no field \"colour\"" },
                { "version: 1\nbias: 0\nbias: 1\nweights: {}\n", "once" },
        };

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_refused(FEATURES, cases[i].model, cases[i].message);
}

TEST(too_little_memory_is_an_error)
{
        struct qn_arena small = QN_ARENA_INIT(16);
        struct qn_learned l = { .model = 99 };

        load_ok(FEATURES, MODEL);
        begin();
        event(QN_EVENT_NET_SEND, QN_PHASE_INSTALL);
        ASSERT_EQ(qn_event_set_seal(&set), 0);
        ASSERT_EQ(qn_score_learned(score, &set, &small, &l), -ENOBUFS);
        ASSERT_EQ(l.model, 99);
        qn_arena_done(&small);
}

/* --- what adds up --- */

TEST(nothing_is_the_bias_alone)
{
        load_ok(FEATURES, MODEL);
        ASSERT_EQ(qn_score_count(score), 3);
        ASSERT_STR(qn_score_at(score, 1)->id, "hook-and-send");
        ASSERT_EQ(qn_score_at(score, 0)->weight, 1250);
        begin();
        add_up();
        ASSERT_EQ(learned.model, 7);
        ASSERT_EQ(learned.n_all, 0);
        ASSERT_EQ(learned.logit, -3500);
        ASSERT_EQ(learned.score, 3);
}

TEST(points_are_sorted_and_sum_up)
{
        load_ok(FEATURES, MODEL);
        begin();
        event(QN_EVENT_META, QN_PHASE_NEVER);
        event(QN_EVENT_INSTALL_HOOK, QN_PHASE_INSTALL);
        event(QN_EVENT_NET_SEND, QN_PHASE_INSTALL);
        event(QN_EVENT_NET_SEND, QN_PHASE_CALL);
        add_up();
        ASSERT_EQ(learned.n, 2);
        ASSERT_EQ(learned.n_all, 3);
        ASSERT_STR(learned.parts[0].feature->id, "hook-and-send");
        ASSERT_EQ(learned.parts[0].points, 2000);
        ASSERT_STR(learned.parts[1].feature->id, "sends");
        ASSERT_EQ(learned.parts[1].value, 2);
        ASSERT_EQ(learned.parts[1].points, 1374); /* 1.25 × ln 3 */
        ASSERT_STR(learned.parts[2].feature->id, "unweighed");
        ASSERT_EQ(learned.parts[2].points, 0);
        ASSERT_EQ(learned.logit, -3500 + 2000 + 1374);
        ASSERT_EQ(learned.score, 47);
}

TEST(a_count_ends_at_its_most)
{
        load_ok(FEATURES, MODEL);
        begin();
        for (unsigned i = 0; i < 9; i++)
                event(QN_EVENT_NET_SEND, QN_PHASE_CALL);
        add_up();
        ASSERT_EQ(learned.parts[0].value, 4);
}

TEST(the_score_ends_at_0_and_100)
{
        load_ok(FEATURES, "version: 1\nbias: -99\nweights: {}\n");
        begin();
        add_up();
        ASSERT_EQ(learned.score, 0);
        load_ok(FEATURES, "version: 1\nbias: 99\nweights: {}\n");
        add_up();
        ASSERT_EQ(learned.score, 100);
        load_ok(FEATURES, "version: 1\nbias: 0\nweights: {}\n");
        add_up();
        ASSERT_EQ(learned.score, 50);
}

/* The model that is shipped: whatever is added to whatever there is, in any phase, the score does not fall. */
TEST(more_is_never_less)
{
        unsigned random = 1;

        score = qn_score_free(score);
        err = (struct qn_err){ 0 };
        if (qn_score_load(TEST_DATA "/score/features.yaml", TEST_DATA "/score/model.yaml", &score,
                          &err) < 0)
                fail_msg("%s", err.msg);
        for (unsigned round = 0; round < 200; round++) {
                unsigned seed = random;
                int last = INT32_MIN;

                for (unsigned n = 0; n < 20; n += 5) {
                        begin();
                        random = seed;
                        for (unsigned i = 0; i < n; i++) {
                                random = random * 1103515245 + 12345;
                                event((enum qn_event_kind)((random >> 16) % QN_EVENT_MAX),
                                      (enum qn_phase)((random >> 8) % QN_PHASE_MAX));
                        }
                        add_up();
                        ASSERT_TRUE(learned.logit >= last);
                        last = learned.logit;
                }
        }
}

TEST(every_feature_that_is_shipped_has_a_weight)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_str text;

        score = qn_score_free(score);
        if (qn_score_load(TEST_DATA "/score/features.yaml", TEST_DATA "/score/model.yaml", &score,
                          &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_EQ(qn_io_read(TEST_DATA "/score/model.yaml", &b), 0);
        text = qn_buf_view(&b);
        for (size_t i = 0; i < qn_score_count(score); i++) {
                char line[80];

                snprintf(line, sizeof line, "\n  %.*s: ", QN_STR_ARG(qn_score_at(score, i)->id));
                ASSERT_TRUE(qn_str_find(text, qn_str_c(line)) >= 0);
        }
        score = qn_score_free(score);
        qn_arena_done(&arena);
}
