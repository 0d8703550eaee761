#include "base/hashset.h"

#include <errno.h>

#include "base/arena.h"
#include "test.h"

static struct qn_arena arena;

static struct qn_hashset *fresh(size_t max)
{
        static struct qn_hashset set;

        qn_arena_done(&arena);
        arena = QN_ARENA_INIT(max);
        set = (struct qn_hashset){ 0 };
        return &set;
}

TEST(what_was_not_added_is_not_there)
{
        struct qn_hashset *s = fresh(1 << 20);

        ASSERT_FALSE(qn_hashset_has(s, 0));
        ASSERT_FALSE(qn_hashset_has(s, 7));
        ASSERT_EQ(qn_hashset_add(s, &arena, 8), 0);
        ASSERT_FALSE(qn_hashset_has(s, 7));
        ASSERT_FALSE(qn_hashset_has(s, 0));
}

TEST(zero_is_a_hash_like_any_other)
{
        struct qn_hashset *s = fresh(1 << 20);

        ASSERT_EQ(qn_hashset_add(s, &arena, 0), 0);
        ASSERT_TRUE(qn_hashset_has(s, 0));
        ASSERT_EQ(qn_hashset_add(s, &arena, 0), 1);
}

TEST(many)
{
        struct qn_hashset *s = fresh(8 << 20);

        for (uint64_t i = 1; i <= 50000; i++)
                ASSERT_EQ(qn_hashset_add(s, &arena, i * UINT64_C(0x9e3779b97f4a7c15)), 0);
        for (uint64_t i = 1; i <= 50000; i++)
                ASSERT_EQ(qn_hashset_add(s, &arena, i * UINT64_C(0x9e3779b97f4a7c15)), 1);
        ASSERT_FALSE(qn_hashset_has(s, 50001 * UINT64_C(0x9e3779b97f4a7c15)));
        ASSERT_EQ(s->n, 50000);
}

TEST(the_cap_is_told)
{
        struct qn_hashset *s = fresh(64 << 10);
        int r = 0;

        for (uint64_t i = 1; r == 0 && i < 100000; i++)
                r = qn_hashset_add(s, &arena, i);
        ASSERT_EQ(r, -ENOBUFS);
        ASSERT_TRUE(qn_hashset_has(s, 1));
}
