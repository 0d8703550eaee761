/* test.h - TEST(name) { … } registers itself with cmocka; ASSERT_* are short forms.  Include once per test program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/cur.h"
#include "base/str.h"

static struct CMUnitTest test_list[512];
static size_t test_count;

#define TEST(name)                                                                   \
        static void test_##name(void **state);                                       \
        __attribute__((constructor)) static void add_##name(void)                    \
        {                                                                            \
                assert_true(test_count < sizeof test_list / sizeof *test_list);      \
                test_list[test_count++] =                                            \
                        (struct CMUnitTest){ #name, test_##name, NULL, NULL, NULL }; \
        }                                                                            \
        static void test_##name(void **state __attribute__((unused)))

#define CUR(lit)           QN_CUR_LIT(lit)
#define ASSERT_EQ(a, b)    assert_int_equal((a), (b))
#define ASSERT_TRUE(a)     assert_true(a)
#define ASSERT_FALSE(a)    assert_false(a)
#define ASSERT_NULL(a)     assert_null(a)
#define ASSERT_NOT_NULL(a) assert_non_null(a)
/* A qn_str against a C string. */
#define ASSERT_STR(s, c)                                                         \
        do {                                                                     \
                struct qn_str s_ = (s);                                          \
                if (!qn_str_is(s_, (c)))                                         \
                        fail_msg("\"%.*s\" is not \"%s\"", QN_STR_ARG(s_), (c)); \
        } while (0)

/* Leaves a test that this machine cannot run.  cmocka's own skip() comes out as a failure in the TAP of its version 1.1.5. */
#define SKIP(why)                                                         \
        do {                                                              \
                print_message("# %s is left out: %s\n", __func__, (why)); \
                return;                                                   \
        } while (0)

int main(void)
{
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return _cmocka_run_group_tests("", test_list, test_count, NULL, NULL);
}
