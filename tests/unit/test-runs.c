/* Stretches that two texts share. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/runs.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)256 << 20 };

static size_t shared(struct qn_str a, struct qn_str b)
{
        struct qn_runs r;
        size_t sum = 0, at_a = 0, at_b = 0;

        qn_arena_reset(&arena, 1 << 20);
        ASSERT_EQ(qn_runs(a, b, &arena, &r), 0);
        for (size_t i = 0; i < r.n; i++) {
                const struct qn_run *v = &r.v[i];

                ASSERT_TRUE(v->n > 0 && v->a >= at_a && v->b >= at_b);
                at_a = v->a + v->n;
                at_b = v->b + v->n;
                ASSERT_TRUE(at_a <= a.n && at_b <= b.n);
                ASSERT_EQ(memcmp(a.p + v->a, b.p + v->b, v->n), 0);
                sum += v->n;
        }
        return sum;
}

static struct qn_str text(unsigned seed, size_t lines)
{
        size_t room = lines * 40, n = 0;
        char *p = qn_arena_alloc(&arena, room);

        for (size_t i = 0; i < lines; i++)
                n += (size_t)snprintf(p + n, room - n, "line %zu holds %u\n", i,
                                      (unsigned)i * 2654435761u + seed);
        return (struct qn_str){ p, n };
}

TEST(nothing_is_shared)
{
        ASSERT_EQ(shared(QN_STR(""), QN_STR("")), 0);
        ASSERT_EQ(shared(QN_STR("abc"), QN_STR("")), 0);
        ASSERT_EQ(shared(QN_STR("abc"), QN_STR("xyz")), 0);
}

TEST(the_same_text)
{
        ASSERT_EQ(shared(QN_STR("abc"), QN_STR("abc")), 3);
        ASSERT_EQ(shared(QN_STR("abc"), QN_STR("abcdef")), 3);
}

TEST(a_line_is_put_in_taken_out_or_changed)
{
        struct qn_arena own = { .max = 1 << 22 };
        char *b = qn_arena_alloc(&own, 100000), *a = qn_arena_alloc(&own, 100000);
        struct qn_str t = text(1, 1000);

        memcpy(a, t.p, t.n);
        memcpy(b, t.p, t.n / 2);
        memcpy(b + t.n / 2, "new", 3);
        memcpy(b + t.n / 2 + 3, t.p + t.n / 2, t.n - t.n / 2);
        ASSERT_TRUE(shared((struct qn_str){ a, t.n }, (struct qn_str){ b, t.n + 3 }) + 64 > t.n);
        ASSERT_TRUE(shared((struct qn_str){ b, t.n + 3 }, (struct qn_str){ a, t.n }) + 64 > t.n);
        memcpy(b, a, t.n);
        b[t.n / 3] = '!';
        b[t.n / 2] = '!';
        ASSERT_TRUE(shared((struct qn_str){ a, t.n }, (struct qn_str){ b, t.n }) + 400 > t.n);
        qn_arena_done(&own);
}

/* Periods and the same bytes over and over must not cost more than a few looks at each. */
TEST(hostile_texts_end)
{
        size_t n = (size_t)4 << 20;
        char *a = malloc(n), *b = malloc(n);

        ASSERT_TRUE(a && b);
        for (size_t i = 0; i < n; i++) {
                a[i] = "abcdefghijklmnopq"[i % 17];
                b[i] = "abcdefghijklmnopq"[i % 16];
        }
        shared((struct qn_str){ a, n }, (struct qn_str){ b, n });
        memset(a, 'a', n);
        memset(b, 'a', n);
        for (size_t i = 0; i < n; i += 4096)
                a[i] = 'b';
        shared((struct qn_str){ a, n }, (struct qn_str){ b, n });
        free(a);
        free(b);
}
