/* Sketches: what does not count, what does, how well they estimate. */
#include "observe/sketch.h"

#include "base/buf.h"
#include "base/limits.h"
#include "parse/js.h"
#include "test.h"

static struct qn_sketch sketch(const char *path, struct qn_str content)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        struct qn_sketcher s;
        struct qn_sketch ret;

        qn_sketcher_init(&s);
        ASSERT_EQ(qn_sketch_file(&s, js, qn_str_c(path), content), 0);
        qn_sketch_finish(&s, &ret);
        return ret;
}

static double alike(const char *path, const char *a, const char *b)
{
        struct qn_sketch x = sketch(path, qn_str_c(a)), y = sketch(path, qn_str_c(b));

        return qn_sketch_similarity(&x, &y);
}

/* n words, the first of them number from. */
static void words(struct qn_buf *b, size_t from, size_t n)
{
        for (size_t i = from; i < from + n; i++)
                qn_buf_printf(b, "w%zu ", i);
}

static double overlap(size_t n, size_t shared)
{
        _cleanup_(qn_buf_done) struct qn_buf a = QN_BUF_INIT(1 << 20), b = QN_BUF_INIT(1 << 20);
        struct qn_sketch x, y;

        words(&a, 0, n);
        words(&b, n - shared, n);
        x = sketch("a.md", qn_buf_view(&a));
        y = sketch("a.md", qn_buf_view(&b));
        return qn_sketch_similarity(&x, &y);
}

TEST(nothing_is_like_nothing)
{
        struct qn_sketch none = sketch("index.js", QN_STR("")),
                         some = sketch("a.md", QN_STR("a b c d e f"));

        ASSERT_EQ(qn_sketch_filled(&none), 0);
        ASSERT_TRUE(qn_sketch_similarity(&none, &none) == 0);
        ASSERT_TRUE(qn_sketch_similarity(&none, &some) == 0);
        ASSERT_TRUE(qn_sketch_similarity(&some, &none) == 0);
        ASSERT_EQ(qn_sketch_filled(&some), 2);
}

TEST(too_short_for_a_shingle)
{
        struct qn_sketch s = sketch("index.js", QN_STR("a.b()"));

        ASSERT_EQ(qn_sketch_filled(&s), 1);
        s = sketch("index.js", QN_STR("a.b"));
        ASSERT_EQ(qn_sketch_filled(&s), 0);
}

TEST(files_that_do_not_count)
{
        static const char *const no[] = { "package/package.json",
                                          "package/LICENSE",
                                          "LICENCE.md",
                                          "a/license-mit.txt",
                                          "package-lock.json",
                                          "a.d.ts",
                                          "a.js.map",
                                          "a.png",
                                          "node.node",
                                          "tsconfig.json" };
        static const char *const yes[] = { "index.js", "lib/a.mjs", "README.md", "tea.yaml",
                                           "bin/run",  "a.ts",      "package.js" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(no); i++)
                if (qn_sketch_wants(qn_str_c(no[i])))
                        fail_msg("%s counts", no[i]);
        for (size_t i = 0; i < QN_ARRAY_SIZE(yes); i++)
                if (!qn_sketch_wants(qn_str_c(yes[i])))
                        fail_msg("%s does not count", yes[i]);
}

TEST(a_file_that_does_not_count_leaves_no_trace)
{
        struct qn_sketch s = sketch("package.json", QN_STR("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}"));

        ASSERT_EQ(qn_sketch_filled(&s), 0);
}

TEST(renamed_code_is_the_same)
{
        ASSERT_TRUE(alike("a.js", "var home = os.homedir(); send(home, { key: \"x\" })",
                          "const q=os.homedir();  /* */ t(q,{key:'x'});") == 1);
        ASSERT_TRUE(alike("a.js", "x = c ? yes : no", "x = c ? ja : nein") == 1);
}

TEST(texts_and_properties_count)
{
        ASSERT_TRUE(alike("a.js", "f(a.homedir(), 'x')", "f(a.hostname(), 'x')") < 0.3);
        ASSERT_TRUE(alike("a.js", "f({ a, key: 1 })", "f({ a, other: 1 })") < 0.5);
        ASSERT_TRUE(alike("a.js", "f(a, 'x', 1)", "f(a, 'y', 1)") < 0.5);
        ASSERT_TRUE(alike("a.js", "f(a, b, 1)", "f(a, b, 2)") < 1);
        ASSERT_TRUE(alike("a.js", "a.if(b, 1)", "a.do(b, 1)") < 1);
}

TEST(words_have_no_case)
{
        ASSERT_TRUE(alike("a.md", "One two, THREE four five!", "one Two three\nfour; five") == 1);
        ASSERT_TRUE(alike("a.md", "one two three four five", "one two three four six") == 0);
}

TEST(broken_code_is_code)
{
        ASSERT_TRUE(alike("a.js", "f('a\n) { ` /* \x01 \xff", "g('a\n) { ` /* \x01 \xff") == 1);
}

TEST(the_share_is_estimated)
{
        double unlike = overlap(5000, 4), third = overlap(4000, 2000), most = overlap(4000, 3800);

        ASSERT_TRUE(unlike < 0.06);
        ASSERT_TRUE(third > 0.2 && third < 0.46);
        ASSERT_TRUE(most > 0.8 && most < 0.98);
        ASSERT_TRUE(overlap(4000, 4000) == 1);
}

TEST(the_estimate_holds_for_small_packages)
{
        double half = overlap(60, 40);

        ASSERT_TRUE(half > 0.2 && half < 0.75);
        ASSERT_TRUE(overlap(60, 4) < 0.1);
}

TEST(the_order_of_files_does_not_matter)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        struct qn_str path[2] = { QN_STR("a.js"), QN_STR("b.md") },
                      text[2] = { QN_STR("f(a.b, 'x', 1, c => d)"),
                                  QN_STR("one two three four five six") };
        struct qn_sketch ret[2];

        for (unsigned first = 0; first < 2; first++) {
                struct qn_sketcher s;

                qn_sketcher_init(&s);
                for (unsigned i = 0; i < 2; i++)
                        ASSERT_EQ(qn_sketch_file(&s, js, path[first ^ i], text[first ^ i]), 0);
                qn_sketch_finish(&s, &ret[first]);
        }
        assert_memory_equal(&ret[0], &ret[1], sizeof ret[0]);
}

/* Values are stored: they must not depend on the machine, nor change between versions. */
TEST(the_same_everywhere)
{
        struct qn_sketch s = sketch("a.md", QN_STR("one two three four five six seven eight"));
        uint64_t sum = 0;

        for (unsigned i = 0; i < QN_SKETCH_BANDS; i++)
                sum = sum * 31 + s.band[i];
        ASSERT_EQ(sum, UINT64_C(0x4adb75e52faa6b00));
}

TEST(caps)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_SKETCH_FILE_MAX + 64);
        struct qn_sketcher s;
        uint32_t n;

        qn_buf_fill(&b, 'a', QN_SKETCH_FILE_MAX);
        qn_buf_puts(&b, " b c d e f g h");
        qn_sketcher_init(&s);
        ASSERT_EQ(qn_sketch_file(&s, js, QN_STR("a.md"),
                                 qn_str_take(qn_buf_view(&b), QN_SKETCH_FILE_MAX)),
                  0);
        ASSERT_FALSE(s.cut);
        n = s.shingles;
        ASSERT_EQ(qn_sketch_file(&s, js, QN_STR("a.md"), qn_buf_view(&b)), 0);
        ASSERT_TRUE(s.cut);
        ASSERT_EQ(s.shingles, 2 * n);
        while (s.bytes < QN_SKETCH_PACKAGE_MAX)
                ASSERT_EQ(qn_sketch_file(&s, js, QN_STR("a.js"), qn_buf_view(&b)), 0);
        n = s.shingles;
        ASSERT_EQ(qn_sketch_file(&s, js, QN_STR("b.md"), QN_STR("one two three four five six")), 0);
        ASSERT_EQ(s.shingles, n);
        ASSERT_EQ(s.bytes, QN_SKETCH_PACKAGE_MAX);
}
