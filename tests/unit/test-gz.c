#include "test.h"

#include <sys/mman.h>

#include "base/io.h"
#include "base/limits.h"
#include "parse/gz.h"
#include "tarball.h"

static struct qn_buf out;

static struct qn_buf *fresh(void)
{
        qn_buf_done(&out);
        out = QN_BUF_INIT(TB_MAX);
        return &out;
}

static struct qn_cur all(const struct qn_buf *b)
{
        return qn_cur_mem(b->p, b->n);
}

/* Reads a stream to its end: bytes, or the error.  piece: how much is asked for at a time. */
static ssize_t drain(struct qn_cur in, size_t cap, size_t piece, char *into, size_t room,
                     struct qn_err *err)
{
        struct qn_gz_stream *s = NULL;
        size_t got = 0;
        ssize_t n;

        if (qn_gz_stream_new(in, cap, &s) < 0)
                return -ENOMEM;
        do {
                char sink[65536], *to = got + piece <= room ? into + got : sink;

                n = qn_gz_stream_read(s, to, QN_MIN(piece, sizeof sink), err);
                if (n > 0)
                        got += (size_t)n;
        } while (n > 0);
        qn_gz_stream_free(s);
        return n < 0 ? n : (ssize_t)got;
}

/* Both ways must give the same answer. */
static int both(struct qn_cur in, size_t cap, struct qn_str *ret)
{
        static char kept[1 << 16];
        struct qn_gz *gz = qn_gz_new();
        struct qn_cur got = { 0 };
        struct qn_err e1 = { 0 }, e2 = { 0 };
        char piecewise[1 << 16];
        int r = qn_gz_inflate(gz, in, cap, &got, &e1);
        ssize_t n = drain(in, cap, 7, piecewise, sizeof piecewise, &e2);

        ASSERT_EQ(n < 0 ? n : 0, r);
        if (r == 0) {
                ASSERT_EQ((size_t)n, qn_cur_left(&got));
                ASSERT_TRUE((size_t)n <= sizeof kept);
                assert_memory_equal(got.p, piecewise, (size_t)n);
                memcpy(kept, piecewise, (size_t)n);
                *ret = (struct qn_str){ kept, (size_t)n };
        } else {
                ASSERT_NULL(got.p);
                ASSERT_TRUE(e1.msg[0] != 0);
                ASSERT_TRUE(e2.msg[0] != 0);
                ASSERT_EQ(e2.code, r);
        }
        qn_gz_free(gz);
        return r;
}

static int both_buf(const struct qn_buf *b, struct qn_str *ret)
{
        return both(all(b), 1 << 16, ret);
}

TEST(gz_empty_input_is_cut_short)
{
        struct qn_str s;

        ASSERT_EQ(both(qn_cur_mem("", 0), 100, &s), -ENODATA);
}

TEST(gz_every_cut_is_cut_short)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "hello, hello, hello", 19);
        for (size_t n = 0; n < b->n; n++)
                ASSERT_EQ(both(qn_cur_mem(b->p, n), 100, &s), -ENODATA);
}

TEST(gz_second_member_cut_short)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "hello", 5);
        tb_gzip(b, "world", 5);
        b->n -= 3;
        ASSERT_EQ(both_buf(b, &s), -ENODATA);
        b->n = 0;
        tb_gzip(b, "hello", 5);
        qn_buf_byte(b, 0x1f);
        ASSERT_EQ(both_buf(b, &s), -ENODATA);
}

TEST(gz_garbage_behind_a_member)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "hello", 5);
        qn_buf_puts(b, "some garbage that is no member");
        ASSERT_EQ(both_buf(b, &s), -EBADMSG);
}

TEST(gz_bytes_behind_the_padding)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "hello", 5);
        qn_buf_fill(b, 0, 700);
        ASSERT_EQ(both_buf(b, &s), 0);
        ASSERT_STR(s, "hello");
        tb_gzip(b, "world", 5);
        ASSERT_EQ(both_buf(b, &s), -EBADMSG);
}

TEST(gz_wrong_checksum_or_length)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        for (size_t i = 1; i <= 8; i++) {
                b->n = 0;
                tb_gzip(b, "hello", 5);
                b->p[b->n - i] ^= 1;
                ASSERT_EQ(both_buf(b, &s), -EBADMSG);
        }
}

TEST(gz_wrong_header)
{
        static const char *const bad[] = { "\037\213\007\0\0\0\0\0\0\003x",
                                           "\037\213\010\040\0\0\0\0\0\003x", "\037\212\010" };
        struct qn_str s;

        ASSERT_EQ(both(qn_cur_mem(bad[0], 11), 100, &s), -EBADMSG);
        ASSERT_EQ(both(qn_cur_mem(bad[1], 11), 100, &s), -EBADMSG);
        ASSERT_EQ(both(qn_cur_mem(bad[2], 3), 100, &s), -EBADMSG);
        ASSERT_EQ(both(CUR("plain text, not gzip at all"), 100, &s), -EBADMSG);
}

TEST(gz_corrupt_in_the_middle)
{
        struct qn_buf *b = fresh(), plain = QN_BUF_INIT(1 << 20);
        struct qn_str s;

        for (int i = 0; i < 4000; i++)
                qn_buf_printf(&plain, "%d,", i * 7919 % 1000);
        tb_gzip(b, plain.p, plain.n);
        memset(b->p + b->n / 2, 0xff, 40);
        ASSERT_EQ(both_buf(b, &s), -EBADMSG);
        qn_buf_done(&plain);
}

TEST(gz_cap_is_exact)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "0123456789", 10);
        ASSERT_EQ(both(all(b), 9, &s), -EFBIG);
        ASSERT_EQ(both(all(b), 10, &s), 0);
        tb_gzip(b, "abc", 3);
        ASSERT_EQ(both(all(b), 12, &s), -EFBIG);
        ASSERT_EQ(both(all(b), 13, &s), 0);
        ASSERT_STR(s, "0123456789abc");
}

TEST(gz_members_are_capped)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        for (unsigned i = 0; i < QN_GZ_MEMBERS_MAX; i++)
                tb_gzip(b, "x", i % 2);
        ASSERT_EQ(both_buf(b, &s), 0);
        ASSERT_EQ(s.n, QN_GZ_MEMBERS_MAX / 2);
        tb_gzip(b, "x", 1);
        ASSERT_EQ(both_buf(b, &s), -EFBIG);
}

TEST(gz_ten_gigabytes_of_zeros)
{
        struct qn_buf *b = fresh();
        struct qn_gz *gz = qn_gz_new();
        struct qn_cur got = { 0 };
        struct qn_err err = { 0 };
        uint64_t start = qn_io_nanos();
        struct tb_gz g;

        tb_gz_start(&g, b);
        tb_gz_zeros(&g, 10240);
        tb_gz_end(&g);
        ASSERT_TRUE(b->n < (size_t)12 << 20);
        ASSERT_EQ(qn_gz_inflate(gz, all(b), QN_UNPACKED_FAST_MAX, &got, &err), -EFBIG);
        ASSERT_EQ(drain(all(b), (size_t)64 << 20, 65536, NULL, 0, &err), -EFBIG);
        ASSERT_TRUE(qn_io_nanos() - start < 20000000000u);
        qn_gz_free(gz);
}

TEST(gz_lying_trailer)
{
        struct qn_buf *b = fresh(), plain = QN_BUF_INIT(8 << 20);
        struct qn_gz *gz = qn_gz_new();
        struct qn_cur got = { 0 };

        /* The last member's trailer says 0: the buffer must grow all the same. */
        qn_buf_fill(&plain, 'x', 5 << 20);
        tb_gzip(b, plain.p, plain.n);
        tb_gzip(b, "", 0);
        ASSERT_EQ(qn_gz_size_hint(all(b)), 0);
        ASSERT_EQ(qn_gz_inflate(gz, all(b), QN_UNPACKED_FAST_MAX, &got, NULL), 0);
        ASSERT_EQ(qn_cur_left(&got), plain.n);
        qn_gz_trim(gz, 4096);
        ASSERT_EQ(qn_gz_inflate(gz, all(b), QN_UNPACKED_FAST_MAX, &got, NULL), 0);
        assert_memory_equal(got.p, plain.p, plain.n);
        qn_gz_trim(gz, 0);
        ASSERT_EQ(qn_gz_inflate(gz, all(b), plain.n, &got, NULL), 0);
        qn_gz_free(gz);
        qn_buf_done(&plain);
}

TEST(gz_tarball_cap)
{
        void *p = mmap(NULL, QN_TARBALL_MAX + 1, PROT_READ,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        struct qn_cur in = qn_cur_mem(p, QN_TARBALL_MAX + 1), got = { 0 };
        struct qn_gz *gz = qn_gz_new();
        struct qn_gz_stream *s = NULL;
        char c;

        ASSERT_TRUE(p != MAP_FAILED);
        ASSERT_EQ(qn_gz_inflate(gz, in, 100, &got, NULL), -EFBIG);
        ASSERT_EQ(qn_gz_stream_new(in, 100, &s), 0);
        ASSERT_EQ(qn_gz_stream_read(s, &c, 1, NULL), -EFBIG);
        qn_gz_stream_free(s);
        qn_gz_free(gz);
        munmap(p, QN_TARBALL_MAX + 1);
}

TEST(gz_is)
{
        ASSERT_FALSE(qn_gz_is(CUR("\037")));
        ASSERT_FALSE(qn_gz_is(CUR("PK")));
        ASSERT_TRUE(qn_gz_is(CUR("\037\213")));
        ASSERT_NULL(qn_gz_free(NULL));
}

TEST(gz_header_fields_are_passed_over)
{
        struct qn_buf *b = fresh();
        struct qn_str s;

        tb_gzip(b, "hello", 5);
        memmove(b->p + 10 + 14, b->p + 10, b->n - 10);
        memcpy(b->p + 10,
               "\003\0abc"
               "name\0"
               "say\0",
               14);
        b->p[3] = 4 | 8 | 16;
        b->n += 14;
        ASSERT_EQ(both_buf(b, &s), 0);
        ASSERT_STR(s, "hello");
}
