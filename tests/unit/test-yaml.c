#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/yaml.h"
#include "test.h"

static struct qn_arena arena = QN_ARENA_INIT((size_t)256 << 20);

static int parse(struct qn_str s, struct qn_node **ret, struct qn_err *err)
{
        qn_arena_reset(&arena, 1 << 20);
        return qn_yaml_parse(qn_cur_str(s), &arena, ret, err);
}

#define ASSERT_REFUSED(lit, want)                                  \
        do {                                                       \
                struct qn_node *n_ = NULL;                         \
                struct qn_err err_ = { 0 };                        \
                ASSERT_EQ(parse(QN_STR(lit), &n_, &err_), (want)); \
                ASSERT_EQ(err_.code, (want));                      \
                ASSERT_TRUE(err_.msg[0] != '\0');                  \
                ASSERT_NULL(n_);                                   \
        } while (0)

static const struct qn_node *read_ok(struct qn_str s)
{
        struct qn_node *n = NULL;
        struct qn_err err = { 0 };

        if (parse(s, &n, &err) != 0)
                fail_msg("%s at %zu", err.msg, err.off);
        return n;
}

static const struct qn_node *at(const struct qn_node *n, const char *key)
{
        for (size_t i = 0; i < n->n; i++)
                if (qn_str_is(n->keys[i], key))
                        return n->items[i];
        fail_msg("no key %s", key);
        return NULL;
}

TEST(broken_documents)
{
        ASSERT_REFUSED("a: [1, 2", -EBADMSG);
        ASSERT_REFUSED("a: 'x", -EBADMSG);
        ASSERT_REFUSED("a: b: c", -EBADMSG);
        ASSERT_REFUSED("a:\n\t- b", -EBADMSG);
        ASSERT_REFUSED("a: *none", -EBADMSG);
        ASSERT_REFUSED("%YAML 9.9\n---\na", -EBADMSG);
        ASSERT_REFUSED("a: b\0c", -EBADMSG);
}

TEST(two_documents)
{
        ASSERT_REFUSED("a: 1\n---\nb: 2\n", -EBADMSG);
        ASSERT_REFUSED("--- a\n...\n--- b\n", -EBADMSG);
}

TEST(keys_that_are_not_plain)
{
        ASSERT_REFUSED("? [a, b]\n: c\n", -EBADMSG);
        ASSERT_REFUSED("{a: b}: c\n", -EBADMSG);
        ASSERT_REFUSED("a: &x [1]\n*x : 2\n", -EBADMSG);
}

TEST(invalid_utf8)
{
        ASSERT_REFUSED("a: \xff", -EILSEQ);
        ASSERT_REFUSED("a: \xed\xa0\x80", -EILSEQ);
        ASSERT_REFUSED("\xff\xfe"
                       "a\0",
                       -EILSEQ);
}

TEST(cycles)
{
        ASSERT_REFUSED("&a [*a]", -EFBIG);
        ASSERT_REFUSED("a: &x {b: {c: *x}}", -EFBIG);
}

TEST(billion_laughs)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_node *n = NULL;

        qn_buf_puts(&b, "a0: &a0 [lol]\n");
        for (int i = 1; i < 12; i++)
                qn_buf_printf(&b, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
                              i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), -EFBIG);
        ASSERT_NULL(n);
}

TEST(aliases_cannot_nest_past_the_cap)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        struct qn_node *n = NULL;

        qn_buf_puts(&b, "a0: &a0 [x]\n");
        for (unsigned i = 1; i <= QN_YAML_DEPTH_MAX; i++)
                qn_buf_printf(&b, "a%u: &a%u [*a%u]\n", i, i, i - 1);
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), -EFBIG);
}

TEST(nesting_is_capped)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4 << 20);
        struct qn_node *n = NULL;

        qn_buf_fill(&b, '[', QN_YAML_DEPTH_MAX);
        qn_buf_fill(&b, ']', QN_YAML_DEPTH_MAX);
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), 0);
        qn_buf_reset(&b);
        qn_buf_fill(&b, '[', QN_YAML_DEPTH_MAX + 1);
        qn_buf_fill(&b, ']', QN_YAML_DEPTH_MAX + 1);
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_fill(&b, '[', 1 << 20);
        ASSERT_TRUE(parse(qn_buf_view(&b), &n, NULL) < 0);
        qn_buf_reset(&b);
        for (int i = 0; i < 1 << 19; i++)
                qn_buf_puts(&b, "- ");
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), -EFBIG);
}

TEST(too_many_nodes)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(8 << 20);
        struct qn_node *n = NULL;

        qn_buf_byte(&b, '[');
        for (unsigned i = 0; i < QN_YAML_NODES_MAX; i++)
                qn_buf_puts(&b, "1,");
        qn_buf_byte(&b, ']');
        ASSERT_EQ(parse(qn_buf_view(&b), &n, NULL), -EFBIG);
}

TEST(two_hundred_megabytes)
{
        size_t size = (size_t)200 << 20;
        _cleanup_(qn_freep) void *p = calloc(1, size);
        struct qn_node *n = NULL;

        ASSERT_EQ(qn_yaml_parse(qn_cur_mem(p, size), &arena, &n, NULL), -EFBIG);
        ASSERT_NULL(n);
}

TEST(arena_cap)
{
        struct qn_arena small = QN_ARENA_INIT(64 << 10);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4 << 20);
        struct qn_node *n = NULL;

        for (int i = 0; i < 20000; i++)
                qn_buf_puts(&b, "- x\n");
        ASSERT_EQ(qn_yaml_parse(qn_cur_str(qn_buf_view(&b)), &small, &n, NULL), -ENOBUFS);
        ASSERT_NULL(n);
        qn_arena_done(&small);
}

TEST(error_has_an_offset)
{
        struct qn_node *n = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(parse(QN_STR("\xc3\xa9: 1\nb: *zz\n"), &n, &err), -EBADMSG);
        ASSERT_EQ(err.off, 9);
}

TEST(empty_document_is_null)
{
        ASSERT_EQ(read_ok(QN_STR(""))->type, QN_NODE_NULL);
        ASSERT_EQ(read_ok(QN_STR("# only a comment\n"))->type, QN_NODE_NULL);
        ASSERT_EQ(read_ok(QN_STR("\xef\xbb\xbf---\n"))->type, QN_NODE_NULL);
}

TEST(scalar_types)
{
        const struct qn_node *n =
                read_ok(QN_STR("[true, False, ~, '', 12, -1.5e3, 012, 0x1f, 1:30, yes, 2020-01-01, "
                               "'7', !!str 8, 1.2.3, ., -, 1.]"));
        static const enum qn_node_type want[] = {
                QN_NODE_BOOL,   QN_NODE_BOOL,   QN_NODE_NULL,   QN_NODE_STRING, QN_NODE_NUMBER,
                QN_NODE_NUMBER, QN_NODE_STRING, QN_NODE_STRING, QN_NODE_STRING, QN_NODE_STRING,
                QN_NODE_STRING, QN_NODE_STRING, QN_NODE_STRING, QN_NODE_STRING, QN_NODE_STRING,
                QN_NODE_STRING, QN_NODE_STRING,
        };

        ASSERT_EQ(n->n, QN_ARRAY_SIZE(want));
        for (size_t i = 0; i < n->n; i++)
                if (n->items[i]->type != want[i])
                        fail_msg("item %zu has type %d", i, n->items[i]->type);
        ASSERT_TRUE(n->items[0]->boolean && !n->items[1]->boolean);
        ASSERT_STR(n->items[5]->text, "-1.5e3");
}

TEST(places)
{
        const struct qn_node *n = read_ok(QN_STR("\xef\xbb\xbf\xc3\xa9: x\nb:\n  - y\n")), *y;

        y = at(n, "b")->items[0];
        ASSERT_EQ(y->line, 3);
        ASSERT_EQ(y->column, 5);
        ASSERT_EQ(y->off, 3 + 6 + 3 + 4);
}

TEST(repeated_keys_keep_the_last_value)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        const struct qn_node *n = read_ok(QN_STR("{a: 1, b: 2, a: 3}"));

        ASSERT_EQ(n->n, 2);
        ASSERT_TRUE(n->duplicate);
        ASSERT_STR(n->keys[0], "a");
        ASSERT_STR(n->items[0]->text, "3");
        for (int i = 0; i < 300; i++)
                qn_buf_printf(&b, "k%d: %d\n", i % 100, i);
        n = read_ok(qn_buf_view(&b));
        ASSERT_EQ(n->n, 100);
        ASSERT_TRUE(n->duplicate);
        ASSERT_STR(at(n, "k7")->text, "207");
        ASSERT_FALSE(read_ok(QN_STR("{a: 1, b: 2}"))->duplicate);
}

TEST(aliases_share_nodes)
{
        const struct qn_node *n =
                read_ok(QN_STR("a: &x {k: v}\nb: *x\n&key c: 1\nd: *key\n<<: *x\n"));

        ASSERT_TRUE(at(n, "a") == at(n, "b"));
        ASSERT_STR(at(n, "d")->text, "c");
        ASSERT_TRUE(at(n, "<<") == at(n, "a"));
}

TEST(block_text_and_tags)
{
        const struct qn_node *n =
                read_ok(QN_STR("a: |\n  one\n  two\nb: >-\n  one\n  two\nc: !custom x\n"));

        ASSERT_STR(at(n, "a")->text, "one\ntwo\n");
        ASSERT_STR(at(n, "b")->text, "one two");
        ASSERT_STR(at(n, "c")->text, "x");
}
