/* json.h against RFC 8259: what must be refused, with its place; what must be read, with its value. */
#include "base/arena.h"
#include "parse/json.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)16 << 20)

static void assert_refused(struct qn_cur in, int code, size_t off)
{
        ARENA(a);
        struct qn_node *root = NULL;
        struct qn_err err = { 0 };

        if (qn_json_parse(in, &a, &root, &err) != code || err.off != off || root)
                fail_msg("%.*s: %d at %zu: %s", QN_STR_ARG(qn_cur_rest(&in)), err.code, err.off,
                         err.msg);
}

#define REFUSED(text, code, off) assert_refused(CUR(text), code, off)

TEST(cut_short)
{
        static const char doc[] =
                "{\"a\": [1, -2.5e+3, \"x\\u00e9\\n\", true, false, null, {}], \"b\": {\"c\": []}}";

        for (size_t n = 0; n < sizeof doc - 1; n++) {
                ARENA(a);
                struct qn_node *root = NULL;
                struct qn_err err = { 0 };

                ASSERT_EQ(qn_json_parse(qn_cur_mem(doc, n), &a, &root, &err), -EBADMSG);
                ASSERT_TRUE(err.off <= n);
                ASSERT_NULL(root);
        }
}

TEST(malformed_documents)
{
        REFUSED("", -EBADMSG, 0);
        REFUSED("  ", -EBADMSG, 2);
        REFUSED("1 2", -EBADMSG, 2);
        REFUSED("{\"a\":1,}", -EBADMSG, 7);
        REFUSED("[1,]", -EBADMSG, 3);
        REFUSED("[1 2]", -EBADMSG, 3);
        REFUSED("{\"a\" 1}", -EBADMSG, 5);
        REFUSED("{a:1}", -EBADMSG, 1);
        REFUSED("[1}", -EBADMSG, 2);
        REFUSED("'a'", -EBADMSG, 0);
        REFUSED("// c\n1", -EBADMSG, 0);
        REFUSED("nul", -EBADMSG, 3);
        REFUSED("nulx", -EBADMSG, 0);
        REFUSED("NaN", -EBADMSG, 0);
        REFUSED("\f1", -EBADMSG, 0);
        REFUSED("\xc2\xa0"
                "1",
                -EBADMSG, 0);
}

TEST(malformed_numbers)
{
        REFUSED("01", -EBADMSG, 1);
        REFUSED("-", -EBADMSG, 1);
        REFUSED("+1", -EBADMSG, 0);
        REFUSED(".5", -EBADMSG, 0);
        REFUSED("[1.]", -EBADMSG, 3);
        REFUSED("[1e]", -EBADMSG, 3);
        REFUSED("[1e+]", -EBADMSG, 4);
        REFUSED("0x10", -EBADMSG, 1);
}

TEST(malformed_strings)
{
        REFUSED("\"a\nb\"", -EBADMSG, 2);
        REFUSED("\"a\0b\"", -EBADMSG, 2);
        REFUSED("\"0123456789abcdefghij\x01\"", -EBADMSG, 21);
        REFUSED("\"\\x41\"", -EBADMSG, 1);
        REFUSED("\"\\u12g4\"", -EBADMSG, 1);
        REFUSED("\"\\u123\"", -EBADMSG, 1);
        REFUSED("\"\\\0\"", -EBADMSG, 1);
        REFUSED("\"\\", -EBADMSG, 1);
}

TEST(invalid_utf8)
{
        REFUSED("\"a\xff\"", -EILSEQ, 2);
        REFUSED("\"\xc0\x80\"", -EILSEQ, 1);
        REFUSED("\"\xed\xa0\x80\"", -EILSEQ, 1);
        REFUSED("\"\xf4\x90\x80\x80\"", -EILSEQ, 1);
        REFUSED("\"0123456789abcde\xe2\x82\"", -EILSEQ, 16);
        REFUSED("{\"\x80\":1}", -EILSEQ, 2);
}

TEST(nul_outside_strings)
{
        REFUSED("1\0", -EBADMSG, 1);
        REFUSED("\0", -EBADMSG, 0);
}

TEST(depth_is_capped)
{
        char doc[10000];

        memset(doc, '[', sizeof doc);
        assert_refused(qn_cur_mem(doc, sizeof doc), -EFBIG, QN_JSON_DEPTH_MAX);
        memset(doc + QN_JSON_DEPTH_MAX, ']', QN_JSON_DEPTH_MAX);
        {
                ARENA(a);
                struct qn_node *root = NULL;

                ASSERT_EQ(qn_json_parse(qn_cur_mem(doc, QN_JSON_DEPTH_MAX * 2), &a, &root, NULL),
                          0);
                ASSERT_EQ(root->n, 1);
        }
}

TEST(size_is_capped)
{
        struct qn_json j;
        struct qn_err err = { 0 };

        /* The size alone is looked at, so the bytes need not exist. */
        ASSERT_EQ(qn_json_init(&j, qn_cur_mem("", QN_JSON_MAX + 1), &err), -EFBIG);
        ASSERT_TRUE(err.msg[0]);
}

TEST(memory_is_capped)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(70000);
        struct qn_node *root = NULL;
        char doc[20001];

        for (size_t i = 0; i < sizeof doc; i++)
                doc[i] = i % 2 ? '1' : ',';
        doc[0] = '[';
        doc[sizeof doc - 1] = ']';
        ASSERT_EQ(qn_json_parse(qn_cur_mem(doc, sizeof doc), &a, &root, NULL), -ENOBUFS);
        ASSERT_NULL(root);
}

TEST(skip_wants_a_value)
{
        struct qn_json j;
        struct qn_json_event e;

        ASSERT_EQ(qn_json_init(&j, CUR("[]"), NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(qn_json_skip(&j, NULL), -EBADMSG);
}

TEST(reading_on_after_an_error)
{
        struct qn_json j;
        struct qn_json_event e;

        ASSERT_EQ(qn_json_init(&j, CUR("[x"), NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), -EBADMSG);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), -EBADMSG);
        ASSERT_EQ(e.kind, QN_JSON_ARRAY);
}

TEST(pull_events)
{
        static const enum qn_json_kind want[] = {
                QN_JSON_OBJECT,     QN_JSON_KEY,        QN_JSON_ARRAY, QN_JSON_NUMBER,
                QN_JSON_TRUE,       QN_JSON_FALSE,      QN_JSON_NULL,  QN_JSON_ARRAY_END,
                QN_JSON_KEY,        QN_JSON_STRING,     QN_JSON_KEY,   QN_JSON_OBJECT,
                QN_JSON_OBJECT_END, QN_JSON_OBJECT_END, QN_JSON_EOF,   QN_JSON_EOF,
        };
        struct qn_json j;
        struct qn_json_event e;

        ASSERT_EQ(qn_json_init(&j,
                               CUR("\xef\xbb\xbf {\"a\":[1,true,false,null],\r\n\t\"b\" : \"c\" "
                                   ",\"d\":{}} "),
                               NULL),
                  0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(want); i++) {
                ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
                ASSERT_EQ(e.kind, want[i]);
        }
}

TEST(pull_places_and_raw_text)
{
        struct qn_json j;
        struct qn_json_event e;

        ASSERT_EQ(qn_json_init(&j, CUR("{\"a\\tb\": -1.5e3}"), NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(e.off, 1);
        ASSERT_TRUE(e.escaped);
        ASSERT_STR(e.raw, "a\\tb");
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(e.off, 9);
        ASSERT_STR(e.raw, "-1.5e3");
}

TEST(skip_passes_whole_values)
{
        struct qn_json j;
        struct qn_json_event e;

        ASSERT_EQ(qn_json_init(&j, CUR("{\"a\":{\"b\":[{},[1]]},\"c\":2,\"d\":[3]}"), NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        for (int i = 0; i < 2; i++) {
                ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
                ASSERT_EQ(qn_json_skip(&j, NULL), 0);
        }
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_STR(e.raw, "d");
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(qn_json_skip_rest(&j, &e, NULL), 0);
        ASSERT_EQ(qn_json_next(&j, &e, NULL), 0);
        ASSERT_EQ(e.kind, QN_JSON_OBJECT_END);
}

static struct qn_str unescaped(struct qn_arena *a, struct qn_cur in)
{
        struct qn_node *root = NULL;

        ASSERT_EQ(qn_json_parse(in, a, &root, NULL), 0);
        return qn_node_text(root);
}

TEST(escapes)
{
        ARENA(a);

        ASSERT_STR(unescaped(&a, CUR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")), "\"\\/\b\f\n\r\t");
        ASSERT_STR(unescaped(&a, CUR("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"")),
                   "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
        ASSERT_STR(unescaped(&a, CUR("\"\\ud83d\"")), "\xef\xbf\xbd");
        ASSERT_STR(unescaped(&a, CUR("\"\\ude00x\"")), "\xef\xbf\xbdx");
        ASSERT_STR(unescaped(&a, CUR("\"\\ud83d\\u0041\"")), "\xef\xbf\xbd"
                                                             "A");
        ASSERT_STR(unescaped(&a, CUR("\"\\ud83d\\ud83d\\ude00\"")), "\xef\xbf\xbd\xf0\x9f\x98\x80");
        ASSERT_EQ(unescaped(&a, CUR("\"a\\u0000b\"")).n, 3);
        ASSERT_STR(unescaped(&a, CUR("\"\x7f\"")), "\x7f");
}

TEST(duplicate_keys_last_one_wins_in_the_first_place)
{
        ARENA(a);
        struct qn_node *root = NULL;

        ASSERT_EQ(qn_json_parse(CUR("{\"a\":1,\"b\":2,\"\\u0061\":3}"), &a, &root, NULL), 0);
        ASSERT_TRUE(root->duplicate);
        ASSERT_EQ(root->n, 2);
        ASSERT_STR(root->keys[0], "a");
        ASSERT_EQ(qn_node_u64(root->items[0], 0), 3);
        ASSERT_EQ(qn_node_u64(qn_node_get(root, "b"), 0), 2);
}

TEST(duplicate_keys_in_large_objects)
{
        ARENA(a);
        struct qn_node *root = NULL;
        char doc[20000], *p = doc;

        p += snprintf(p, 100, "{");
        for (int i = 0; i < 1000; i++)
                p += snprintf(p, 100, "\"k%d\":%d,", i % 900, i);
        p += snprintf(p, 100, "\"end\":{}}");
        ASSERT_EQ(qn_json_parse(qn_cur_mem(doc, (size_t)(p - doc)), &a, &root, NULL), 0);
        ASSERT_TRUE(root->duplicate);
        ASSERT_EQ(root->n, 901);
        ASSERT_EQ(qn_node_u64(qn_node_get(root, "k5"), 0), 905);
        ASSERT_EQ(qn_node_u64(qn_node_get(root, "k899"), 0), 899);
        ASSERT_FALSE(qn_node_get(root, "end")->duplicate);
}

TEST(tree_look_ups_chain)
{
        ARENA(a);
        struct qn_node *root = NULL;
        const struct qn_node *list;

        ASSERT_EQ(
                qn_json_parse(CUR(" {\"a\":{\"b\":[true,\"x\",12,-1,1e3,1.0]}}"), &a, &root, NULL),
                0);
        list = qn_node_get(qn_node_get(root, "a"), "b");
        ASSERT_EQ(list->n, 6);
        ASSERT_EQ(list->off, 11);
        ASSERT_TRUE(qn_node_bool(list->items[0], false));
        ASSERT_STR(qn_node_text(list->items[1]), "x");
        ASSERT_EQ(qn_node_u64(list->items[2], 7), 12);
        for (size_t i = 3; i < 6; i++)
                ASSERT_EQ(qn_node_u64(list->items[i], 7), 7);
        ASSERT_NULL(qn_node_get(qn_node_get(root, "no"), "way"));
        ASSERT_NULL(qn_node_get(list, "b"));
        ASSERT_NULL(qn_node_text(list).p);
        ASSERT_TRUE(qn_node_bool(NULL, true));
}

TEST(huge_numbers_stay_text)
{
        ARENA(a);
        struct qn_node *root = NULL;
        char doc[5000];

        memset(doc, '9', sizeof doc);
        ASSERT_EQ(qn_json_parse(qn_cur_mem(doc, sizeof doc), &a, &root, NULL), 0);
        ASSERT_EQ(root->text.n, sizeof doc);
        ASSERT_EQ(qn_node_u64(root, 3), 3);
}
