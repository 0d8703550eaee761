/* Generators of names: none in the names that people give, those that there are in what they made. */
#include "campaign/names.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "observe/popular.h"
#include "test.h"

/* A number below n, the same each time for the same i and salt. */
static unsigned roll(unsigned i, unsigned salt, unsigned n)
{
        uint64_t v[2] = { i, salt };

        return (unsigned)(qn_hash64(v, sizeof v) % n);
}

static const char *pick(unsigned i, unsigned salt, unsigned n)
{
        static const char *const words[] = {
                "andi",    "budi",  "citra", "dewi",  "eko",    "fajar",  "gita",   "hadi",
                "indra",   "joko",  "kiki",  "lina",  "maya",   "nina",   "oka",    "putri",
                "rendang", "soto",  "tapai", "bakso", "gudeg",  "rawon",  "sate",   "pempek",
                "lontong", "opor",  "pecel", "rujak", "tahu",   "tempe",  "ketan",  "dodol",
                "jolly",   "merry", "snowy", "candy", "frosty", "golden", "silver", "cozy",
        };

        return words[(roll(i, salt, n) + salt * 7) % QN_ARRAY_SIZE(words)];
}

static void learn(struct qn_generators *g, const char *name)
{
        ASSERT_EQ(qn_generators_add(g, qn_str_c(name)), 0);
}

static bool knows(const struct qn_generators *g, const char *name, const char *text)
{
        struct qn_generator found;

        if (!qn_generators_find(g, qn_str_c(name), &found))
                return false;
        if (text)
                assert_string_equal(found.text, text);
        return true;
}

static void load_popular(struct qn_arena *a, struct qn_popular **p, struct qn_generators *g)
{
        ASSERT_EQ(qn_popular_load(TEST_DATA, a, p, NULL), 0);
        for (size_t i = 0; i < qn_popular_count(*p); i++)
                ASSERT_EQ(qn_generators_add(g, qn_popular_name(*p, i)), 0);
}

static size_t popular_found(const struct qn_popular *p, const struct qn_generators *g)
{
        struct qn_generator found;
        size_t n = 0;

        for (size_t i = 0; i < qn_popular_count(p); i++)
                if (qn_generators_find(g, qn_popular_name(p, i), &found)) {
                        print_message("# %.*s: %s, %u\n", QN_STR_ARG(qn_popular_name(p, i)),
                                      found.text, found.names);
                        n++;
                }
        return n;
}

TEST(shapes)
{
        static const struct {
                const char *name, *shape;
        } cases[] = {
                { "chalk", "W" },
                { "elf-stats-jolly-sleigh-042", "W-W-W-W-D3" },
                { "zul-tapai9-kyuki", "W-WD1-W" },
                { "@types/node", "@types/W" },
                { "lodash.merge_x", "W.W_W" },
                { "pkg-a9f3c2d1", "W-R" },
                { "xkcdqwrt", "R" },
                { "base64url", "WD2W" },
                { "-a--b-", "-W-W" },
        };
        char text[QN_TEMPLATE_TEXT];

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                ASSERT_TRUE(qn_name_shape(qn_str_c(cases[i].name), text));
                assert_string_equal(text, cases[i].shape);
        }
}

TEST(what_is_no_name)
{
        char text[QN_TEMPLATE_TEXT], name[216];

        memset(name, 'a', sizeof name);
        ASSERT_FALSE(qn_name_shape(QN_STR(""), text));
        ASSERT_FALSE(qn_name_shape(QN_STR("-"), text));
        ASSERT_FALSE(qn_name_shape(QN_STR("a b"), text));
        ASSERT_FALSE(qn_name_shape(QN_STR("a\n"), text));
        ASSERT_FALSE(qn_name_shape(QN_STR("a-b-c-d-e-f-g-h-i"), text)); /* QN_NAME_FIELDS_MAX */
        ASSERT_TRUE(qn_name_shape(QN_STR("a-b-c-d-e-f-g-h"), text));
        ASSERT_FALSE(qn_name_shape((struct qn_str){ name, 215 }, text));
        ASSERT_TRUE(qn_name_shape((struct qn_str){ name, 214 }, text));
}

TEST(popular_names_are_no_family)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)32 << 20);
        struct qn_popular *p;

        load_popular(&a, &p, g);
        ASSERT_EQ(popular_found(p, g), 0);
}

TEST(what_people_name_is_no_family)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        char name[64];

        /* plug-ins: each word once */
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(name, sizeof name, "eslint-plugin-%c%co%cu%ca", 'b' + i % 7,
                         'a' + i / 7 % 20, 'c' + i / 140 % 5, 'f' + i / 700 % 5);
                learn(g, name);
        }
        ASSERT_FALSE(knows(g, "eslint-plugin-baocfua", NULL));
        /* numbers that are versions: two of three are 2 */
        for (unsigned i = 0; i < 300; i++) {
                snprintf(name, sizeof name, "%s%u", pick(i, 1, 40),
                         roll(i, 2, 3) ? 2 : roll(i, 3, 12));
                learn(g, name);
        }
        ASSERT_FALSE(knows(g, "andi2", NULL));
        /* two words of a long list, some much more often, without anything fixed */
        for (unsigned i = 0; i < 300; i++) {
                snprintf(name, sizeof name, "%s-%s", pick(i, 4, 40), pick(i, 5, 40));
                learn(g, name);
        }
        ASSERT_FALSE(knows(g, "andi-budi", NULL));
}

TEST(few_names_are_no_family)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        char name[64];

        for (unsigned i = 0; i < 30; i++) {
                snprintf(name, sizeof name, "elf-stats-%s-%s-%03u", pick(i, 1, 6), pick(i, 2, 6),
                         i * 31);
                learn(g, name);
        }
        ASSERT_FALSE(knows(g, name, NULL));
}

TEST(a_fixed_beginning_and_a_number)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        char name[64];

        for (unsigned i = 0; i < 500; i++) {
                snprintf(name, sizeof name, "elf-stats-%s-%s-%03u", pick(i, 1, 16), pick(i, 2, 16),
                         100 + roll(i, 3, 900));
                learn(g, name);
        }
        ASSERT_TRUE(knows(g, name, "elf-stats-W-W-D3"));
        ASSERT_FALSE(knows(g, "elf-stats-server", NULL));
        ASSERT_FALSE(knows(g, "chalk-stats-andi-budi-123", NULL));
}

TEST(first_name_dish_number_ending)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        struct qn_generator one, other;
        char name[64];

        for (unsigned i = 0; i < 2000; i++) {
                snprintf(name, sizeof name, "%s-%s%u-%s", pick(i, 1, 16), pick(i, 2, 16),
                         roll(i, 3, 99), roll(i, 4, 2) ? "kyuki" : "breki");
                learn(g, name);
        }
        ASSERT_TRUE(knows(g, name, "W-WD-W"));
        ASSERT_TRUE(qn_generators_find(g, qn_str_c(name), &one));
        snprintf(name, sizeof name, "%s-%s%u-breki", pick(7, 1, 16), pick(8, 2, 16), 42u);
        ASSERT_TRUE(qn_generators_find(g, qn_str_c(name), &other));
        ASSERT_TRUE(one.key == other.key);
        ASSERT_TRUE(one.names > 1900);
        /* the same shape with words of somebody else */
        ASSERT_FALSE(knows(g, "react-vue3-bridge", NULL));
}

TEST(nonsense_behind_a_word)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        char name[64];

        for (unsigned i = 0; i < 100; i++) {
                snprintf(name, sizeof name, "@test/pkg-a%u%cf%u", roll(i, 1, 90), 'a' + i % 26,
                         roll(i, 2, 90) + 10);
                learn(g, name);
        }
        ASSERT_TRUE(knows(g, "@test/pkg-a1b2c3", "@test/pkg-R"));
        ASSERT_FALSE(knows(g, "@other/pkg-a1b2c3", NULL));
        ASSERT_FALSE(knows(g, "@test/pkg-core", NULL));
}

/* A family among popular names is found, and does not take them in. */
TEST(a_family_among_popular_names)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)32 << 20);
        struct qn_popular *p;
        char name[64];
        unsigned found = 0;

        for (unsigned i = 0; i < 5000; i++) {
                snprintf(name, sizeof name, "%s-%s%u-kyuki", pick(i, 1, 16), pick(i, 2, 16),
                         roll(i, 3, 99));
                learn(g, name);
        }
        load_popular(&a, &p, g);
        ASSERT_EQ(popular_found(p, g), 0);
        for (unsigned i = 0; i < 5000; i++) {
                snprintf(name, sizeof name, "%s-%s%u-kyuki", pick(i, 1, 16), pick(i, 2, 16),
                         roll(i, 3, 99));
                found += knows(g, name, NULL);
        }
        ASSERT_TRUE(found >= 4950);
}

/* More templates than may be watched, each often enough: memory stays, and a family that comes later is found. */
TEST(templates_make_room)
{
        _cleanup_(qn_generators_freep) struct qn_generators *g = qn_generators_new();
        char name[64];
        size_t before;

        for (unsigned i = 0; i < QN_GENERATORS_MAX * 12; i++) {
                unsigned k = i / 8;

                snprintf(name, sizeof name, "%c%ca%c%co-%s", 'b' + k % 20, 'a' + k / 20 % 20,
                         'b' + k / 400 % 20, 'a' + k / 8000 % 20, pick(i, 9, 40));
                learn(g, name);
        }
        before = qn_generators_bytes(g);
        for (unsigned i = 0; i < 3000; i++) {
                snprintf(name, sizeof name, "tea-%s-%s-%u", pick(i, 1, 16), pick(i, 2, 16),
                         roll(i, 3, 999));
                learn(g, name);
        }
        ASSERT_TRUE(knows(g, name, NULL));
        ASSERT_TRUE(qn_generators_bytes(g) < before * 2);
        ASSERT_TRUE(qn_generators_bytes(g) < (size_t)160 << 20);
}
