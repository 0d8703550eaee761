/* Look-alike names: what must be found, what must not, and the shares of both over the whole list. */
#include "base/arena.h"
#include "squat-count.h"
#include "test.h"

static struct qn_popular *list(void)
{
        static struct qn_arena a;
        static struct qn_popular *p;

        if (!p) {
                a = QN_ARENA_INIT((size_t)32 << 20);
                ASSERT_EQ(qn_popular_load(TEST_DATA, &a, &p, NULL), 0);
        }
        return p;
}

static void expect(const char *name, const char *target, const char *how)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];
        size_t n = qn_lookalike_find(list(), qn_str_c(name), false, like);

        for (size_t i = 0; i < n; i++)
                if (qn_str_is(qn_popular_name(list(), like[i].rank), target)) {
                        ASSERT_STR(qn_str_c(like[i].how), how);
                        return;
                }
        fail_msg("%s does not look like %s", name, target);
}

static void refuse(const char *name)
{
        struct qn_lookalike like[QN_LOOKALIKES_MAX];

        if (qn_lookalike_find(list(), qn_str_c(name), false, like))
                fail_msg("%s looks like %.*s", name,
                         QN_STR_ARG(qn_popular_name(list(), like[0].rank)));
}

TEST(popular_names_and_what_their_owners_publish)
{
        refuse("chalk");
        refuse("debug");
        refuse("@types/nodee"); /* only the owner of @types publishes there */
        refuse("@babel/cores");
        refuse("@some-firm/lodash"); /* a fork below a scope of its own */
}

TEST(names_that_share_little)
{
        refuse("");
        refuse("-");
        refuse("@/");
        refuse("zx");
        refuse("my-very-own-package");
        refuse("is-wet");     /* a family: is-set, is-map… */
        refuse("lodash.gat"); /* lodash.get, lodash.set… */
        refuse("eslint-plugin-ab");
        refuse("md6"); /* another number is another thing */
        refuse("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaa");
        refuse("a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z");
}

TEST(slips_of_the_hand)
{
        expect("chlk", "chalk", "dropped");
        expect("chaalk", "chalk", "doubled");
        expect("lodahs", "lodash", "swapped");
        expect("expresd", "express", "key");
        expect("commanders", "commander", "plural");
}

TEST(other_shapes_of_the_same_words)
{
        expect("crossenv", "cross-env", "separators");
        expect("fs_extra", "fs-extra", "separators");
        expect("Chalk", "chalk", "separators");
        expect("babel-parser", "@babel/parser", "separators");
        expect("@lodash/lodash", "lodash", "scope");
        expect("extra-fs", "fs-extra", "order");
        expect("chalk-js", "chalk", "affix");
        expect("express2", "express", "affix");
        expect("node-axios", "axios", "affix");
        expect("l0dash", "lodash", "glyphs");
        expect("comrnander", "commander", "glyphs");
        expect("@bable/core", "@babel/core", "swapped");
}

TEST(shares_over_the_list)
{
        struct squat_count c;

        squat_count_all(list(), &c);
        ASSERT_TRUE(c.all_made > 5000);
        ASSERT_TRUE(c.all_found * 100 >= c.all_made * 95);
        for (unsigned k = 0; k < SQUAT_KINDS; k++)
                if (c.found[k] * 100 < c.made[k] * 85)
                        fail_msg("%s: %zu of %zu", squat_names[k], c.found[k], c.made[k]);
        ASSERT_TRUE(squat_false_alarms(list(), false) * 100 <= qn_popular_count(list()));
        ASSERT_TRUE(squat_false_alarms(list(), true) * 100 <= qn_popular_count(list()) * 4);
}
