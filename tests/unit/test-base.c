/* The base layer: caps hold, cursors stay inside, encodings round-trip. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/lazy.h"
#include "base/map.h"
#include "base/near.h"
#include "base/utf8.h"
#include "test.h"

TEST(cursor_cannot_leave_its_buffer)
{
        struct qn_cur c = CUR("abc"), part = { 0 };
        uint32_t v = 7;

        ASSERT_EQ(qn_cur_take(&c, 4, &part), -EBADMSG);
        ASSERT_EQ(qn_cur_take(&c, SIZE_MAX, &part), -EBADMSG);
        ASSERT_EQ(qn_cur_be32(&c, &v), -EBADMSG);
        ASSERT_EQ(v, 7);
        ASSERT_EQ(qn_cur_left(&c), 3);
        ASSERT_EQ(qn_cur_take(&c, 3, &part), 0);
        ASSERT_EQ(qn_cur_left(&part), 3);
        ASSERT_EQ(qn_cur_skip(&c, 1), -EBADMSG);
}

TEST(arena_stops_at_its_cap)
{
        volatile size_t huge = SIZE_MAX / 2;
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(100000);

        ASSERT_NULL(qn_arena_alloc(&a, 100001));
        ASSERT_NULL(qn_arena_calloc(&a, huge, 4));
        ASSERT_NOT_NULL(qn_arena_alloc(&a, 60000));
        ASSERT_NULL(qn_arena_alloc(&a, 60000));
        qn_arena_reset(&a, 1 << 20);
        ASSERT_NOT_NULL(qn_arena_alloc(&a, 60000));
}

/* How many blocks of growing sizes there is room for. */
static size_t blocks_of(struct qn_arena *a)
{
        size_t n = 0;

        while (qn_arena_alloc(a, 100 + n * 37 % 5000))
                n++;
        return n;
}

TEST(arena_has_the_same_room_whatever_was_before)
{
        struct qn_arena a = QN_ARENA_INIT((size_t)1 << 20);
        size_t fresh = blocks_of(&a), total = a.total;

        ASSERT_TRUE(total <= a.max);
        for (size_t keep = 0; keep <= (size_t)1 << 20; keep = keep * 2 + 4096) {
                qn_arena_reset(&a, keep);
                ASSERT_NOT_NULL(qn_arena_alloc(&a, keep / 2 + 1));
                qn_arena_reset(&a, keep);
                ASSERT_EQ(blocks_of(&a), fresh);
                ASSERT_EQ(a.total, total);
        }
        qn_arena_done(&a);
        ASSERT_NULL(a.chunks);
}

TEST(buffer_stays_failed_past_its_cap)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4);

        ASSERT_EQ(qn_buf_puts(&b, "abc"), 0);
        ASSERT_EQ(qn_buf_puts(&b, "de"), -ENOBUFS);
        ASSERT_EQ(qn_buf_puts(&b, "d"), -ENOBUFS);
        ASSERT_STR(qn_buf_view(&b), "abc");
        qn_buf_reset(&b);
        ASSERT_EQ(qn_buf_puts(&b, "defg"), 0);
        ASSERT_EQ(qn_buf_error(&b), 0);
}

TEST(numbers_do_not_overflow)
{
        uint64_t v = 1;

        ASSERT_EQ(qn_str_u64(QN_STR("18446744073709551616"), &v), -ERANGE);
        ASSERT_EQ(qn_str_u64(QN_STR(""), &v), -EINVAL);
        ASSERT_EQ(qn_str_u64(QN_STR("-1"), &v), -EINVAL);
        ASSERT_EQ(v, 1);
        ASSERT_EQ(qn_str_u64(QN_STR("18446744073709551615"), &v), 0);
        ASSERT_TRUE(v == UINT64_MAX);
}

TEST(glob)
{
        ASSERT_TRUE(qn_str_glob(QN_STR("lib/a.js"), QN_STR("*.js")));
        ASSERT_TRUE(qn_str_glob(QN_STR("aXbXc"), QN_STR("a*b*c")));
        ASSERT_FALSE(qn_str_glob(QN_STR("abd"), QN_STR("a*c")));
        ASSERT_TRUE(qn_str_glob(QN_STR(""), QN_STR("*")));
        ASSERT_FALSE(qn_str_glob(QN_STR(""), QN_STR("?")));
}

TEST(base64_reads_what_node_reads)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        struct qn_str s = { 0 };

        ASSERT_EQ(qn_base64_decode(QN_STR("a\x01"), &a, &s), -EINVAL);
        ASSERT_EQ(qn_base64_decode(QN_STR("aGVs bG8"), &a, &s), 0);
        ASSERT_STR(s, "hello");
        ASSERT_EQ(qn_base64_decode(QN_STR("_-8="), &a, &s), 0);
        ASSERT_EQ(s.n, 2);
        ASSERT_EQ(qn_hex_decode(QN_STR("6g"), &a, &s), -EINVAL);
        ASSERT_EQ(qn_hex_decode(QN_STR("6A6b"), &a, &s), 0);
        ASSERT_STR(s, "jk");
}

TEST(base64_round_trip)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        uint8_t in[67];

        for (size_t i = 0; i < sizeof in; i++)
                in[i] = (uint8_t)(i * 37);
        for (size_t n = 0; n <= sizeof in; n++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
                struct qn_str s = { 0 };

                ASSERT_EQ(qn_base64_encode(&b, in, n), 0);
                ASSERT_EQ(qn_base64_decode(qn_buf_view(&b), &a, &s), 0);
                ASSERT_EQ(s.n, n);
                assert_memory_equal(s.p, in, n);
        }
}

TEST(broken_utf8_is_replaced)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
        struct qn_jsonw w = QN_JSONW_INIT(&b, 0);

        ASSERT_FALSE(qn_utf8_valid(QN_STR("\xed\xa0\x80")));
        ASSERT_FALSE(qn_utf8_valid(QN_STR("\xc0\x80")));
        ASSERT_FALSE(qn_utf8_valid(QN_STR("\xf0\x9f\x98")));
        ASSERT_TRUE(qn_utf8_valid(QN_STR("\xf0\x9f\x98\x80 ok")));
        qn_jsonw_str(&w, NULL, QN_STR("a\xff\"\n\x1b"));
        ASSERT_STR(qn_buf_view(&b), "\"a\xef\xbf\xbd\\\"\\n\\u001b\"");
}

TEST(json_writer)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
        struct qn_jsonw w = QN_JSONW_INIT(&b, 0);

        qn_jsonw_object(&w, NULL);
        qn_jsonw_u64(&w, "a", 1);
        qn_jsonw_array(&w, "b");
        qn_jsonw_bool(&w, NULL, true);
        qn_jsonw_null(&w, NULL);
        qn_jsonw_end_array(&w);
        qn_jsonw_key(&w, QN_STR("k"));
        qn_jsonw_object(&w, NULL);
        qn_jsonw_end_object(&w);
        qn_jsonw_cstr(&w, "c", "x");
        qn_jsonw_end_object(&w);
        ASSERT_STR(qn_buf_view(&b), "{\"a\":1,\"b\":[true,null],\"k\":{},\"c\":\"x\"}");
}

TEST(map_keeps_the_first_value)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 24);
        struct qn_map m = { 0 };
        uint32_t old = 0;

        ASSERT_EQ(qn_map_get(&m, QN_STR("x")), QN_MAP_NONE);
        for (uint32_t i = 0; i < 5000; i++) {
                struct qn_str k = qn_arena_dup(&a, (struct qn_str){ (char *)&i, sizeof i });

                ASSERT_EQ(qn_map_add(&m, &a, k, i, NULL), 0);
        }
        ASSERT_EQ(m.n, 5000);
        for (uint32_t i = 0; i < 5000; i++)
                ASSERT_EQ(qn_map_get(&m, (struct qn_str){ (char *)&i, sizeof i }), i);
        ASSERT_EQ(qn_map_add(&m, &a, QN_STR("x"), 1, NULL), 0);
        ASSERT_EQ(qn_map_add(&m, &a, QN_STR("x"), 2, &old), 1);
        ASSERT_EQ(old, 1);
}

TEST(digests)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1000);
        uint8_t d[QN_DIGEST_BYTES_MAX];

        ASSERT_EQ(qn_digest(QN_SHA1, "abc", 3, d), 0);
        ASSERT_EQ(qn_hex_encode(&b, d, qn_digest_size(QN_SHA1)), 0);
        ASSERT_STR(qn_buf_view(&b), "a9993e364706816aba3e25717850c26c9cd0d89d"); /* FIPS 180-4 */
}

TEST(words_are_near)
{
        char longer[QN_NEAR_MAX + 1];

        memset(longer, 'a', sizeof longer);
        ASSERT_EQ(qn_near(QN_STR("block"), QN_STR("Block")), 0);
        ASSERT_EQ(qn_near(QN_STR("blokc"), QN_STR("block")), 1);
        ASSERT_EQ(qn_near(QN_STR("blck"), QN_STR("block")), 1);
        ASSERT_EQ(qn_near(QN_STR(""), QN_STR("abc")), 3);
        ASSERT_EQ(qn_near(QN_STR("abc"), QN_STR("xyz")), 3);
        ASSERT_EQ(qn_near((struct qn_str){ longer, sizeof longer }, QN_STR("a")), QN_NEAR_MAX);
        ASSERT_EQ(qn_near((struct qn_str){ longer, QN_NEAR_MAX }, QN_STR("a")), QN_NEAR_MAX - 1);
}

TEST(copies_what_a_file_has)
{
        int from = memfd_create("from", MFD_CLOEXEC), to = memfd_create("to", MFD_CLOEXEC);
        char got[8] = "";

        ASSERT_EQ(qn_io_write_fd(from, QN_STR("hello")), 0);
        ASSERT_EQ(qn_io_copy(from, to, 4), 0);
        ASSERT_EQ(pread(to, got, sizeof got, 0), 4);
        ASSERT_EQ(memcmp(got, "hell", 4), 0);
        ASSERT_EQ(qn_io_copy(from, to, 6), -ESTALE);
        ASSERT_EQ(qn_io_copy(-1, to, 1), -EBADF);
        close(from);
        close(to);
}

static const char *const there[] = { "getpid" }, *const not_there[] = { "getpid",
                                                                        "no_such_function" };
static void *functions[2];

TEST(a_library_is_loaded_when_it_is_needed)
{
        struct qn_lazy whole = QN_LAZY("libc.so.6", there, functions);
        struct qn_lazy half = QN_LAZY("libc.so.6", not_there, functions);
        struct qn_lazy none = QN_LAZY("libno-such.so.1", there, functions);

        ASSERT_NOT_NULL(qn_lazy_find(&whole, 0));
        ASSERT_TRUE(qn_lazy_load(&whole));
        ASSERT_NULL(qn_lazy_find(&half, 0));
        ASSERT_FALSE(qn_lazy_load(&none));
        ASSERT_NULL(qn_lazy_find(&none, 0));
}

TEST(base64_into_little_room)
{
        char to[4];
        size_t n = 0;

        ASSERT_EQ(qn_base64_decode_to(QN_STR("aGVsbA=="), to, sizeof to, &n), 0);
        ASSERT_EQ(n, 4);
        ASSERT_EQ(memcmp(to, "hell", 4), 0);
        ASSERT_EQ(qn_base64_decode_to(QN_STR("aGVsbG8="), to, sizeof to, &n), -ENOBUFS);
        ASSERT_EQ(qn_base64_decode_to(QN_STR("a?"), to, sizeof to, &n), -EINVAL);
}
