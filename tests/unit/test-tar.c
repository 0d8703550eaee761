#include "test.h"

#include "base/limits.h"
#include "parse/tar.h"
#include "tarball.h"

#define LIST_MAX 64

struct listed {
        enum qn_tar_type type;
        unsigned odd;
        uint64_t size, off;
        char path[256], full[256], link[256], data[64];
};

static struct listed list[LIST_MAX];
static size_t n_list;
static unsigned notes;
static struct qn_err err;
static struct qn_buf b;

static void copy(char *to, size_t room, struct qn_str s)
{
        ASSERT_TRUE(s.n < room);
        if (s.n)
                memcpy(to, s.p, s.n);
        to[s.n] = 0;
}

static void keep(const struct qn_tar_entry *e, struct qn_str data)
{
        struct listed *l = &list[n_list++];

        ASSERT_TRUE(n_list < LIST_MAX);
        *l = (struct listed){ .type = e->type, .odd = e->odd, .size = e->size, .off = e->off };
        copy(l->path, sizeof l->path, e->path);
        copy(l->full, sizeof l->full, e->full);
        copy(l->link, sizeof l->link, e->link);
        copy(l->data, sizeof l->data, qn_str_take(data, sizeof l->data - 1));
}

struct slow {
        struct qn_cur in;
        size_t piece;
};

static ssize_t slow_read(void *user, void *out, size_t n, struct qn_err *reterr QN_UNUSED)
{
        struct slow *s = user;

        n = QN_MIN(QN_MIN(n, s->piece), qn_cur_left(&s->in));
        return qn_cur_copy(&s->in, n, out) < 0 ? -EIO : (ssize_t)n;
}

static int walk(struct qn_tar *t, bool stream)
{
        struct qn_tar_entry e;
        int r;

        n_list = 0;
        err = (struct qn_err){ 0 };
        while ((r = qn_tar_next(t, &e, &err)) == 1) {
                char some[16];
                size_t got = 0;
                ssize_t n = 0;

                while (stream && (n = qn_tar_read(t, some + got, sizeof some - got, &err)) > 0)
                        got += (size_t)n;
                if (n < 0) {
                        r = (int)n;
                        break;
                }
                keep(&e, stream ? (struct qn_str){ some, got } : qn_cur_rest(&e.data));
        }
        notes = qn_tar_notes(t);
        qn_tar_free(t);
        return r;
}

/* Walks b in memory and as streams of several grains; all must agree. */
static int read_all(void)
{
        static const size_t grains[] = { 1 << 20, 1000, 1 };
        static struct listed first[LIST_MAX];
        struct qn_tar *t = NULL;
        size_t n;
        int r;

        ASSERT_EQ(qn_tar_open(qn_cur_mem(b.p, b.n), &t), 0);
        r = walk(t, false);
        n = n_list;
        memcpy(first, list, sizeof list);
        for (size_t i = 0; i < QN_ARRAY_SIZE(grains); i++) {
                struct slow s = { qn_cur_mem(b.p, b.n), grains[i] };
                unsigned before = notes;

                ASSERT_EQ(qn_tar_open_stream(slow_read, &s, &t), 0);
                ASSERT_EQ(walk(t, true), r);
                ASSERT_EQ(before, notes);
                if (r == 0)
                        ASSERT_EQ(n_list, n);
                for (size_t j = 0; j < QN_MIN(n, n_list); j++) {
                        ASSERT_EQ(list[j].off, first[j].off);
                        ASSERT_EQ(list[j].size, first[j].size);
                        assert_string_equal(list[j].path, first[j].path);
                        assert_string_equal(list[j].full, first[j].full);
                        assert_memory_equal(list[j].data, first[j].data,
                                            QN_MIN(list[j].size, (uint64_t)16));
                }
        }
        memcpy(list, first, sizeof list);
        n_list = n;
        return r;
}

static void fresh(void)
{
        qn_buf_done(&b);
        b = QN_BUF_INIT(TB_MAX);
}

static void expect(size_t i, const char *path, const char *data, unsigned odd)
{
        ASSERT_TRUE(i < n_list);
        assert_string_equal(list[i].path, path);
        assert_string_equal(list[i].data, data);
        ASSERT_EQ(list[i].odd, odd);
}

TEST(tar_cut_short)
{
        fresh();
        tb_file(&b, "package/a", "hello");
        for (size_t n = 512; n < 1024; n += 64) {
                b.n = n;
                ASSERT_EQ(read_all(), -ENODATA);
        }
        /* Less than a header is not an entry, as for npm. */
        b.n = 1024;
        qn_buf_fill(&b, 'x', 511);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 1);
}

TEST(tar_header_with_a_wrong_checksum_is_skipped_and_noted)
{
        fresh();
        tb_header(&b, "package/a", '0', 0, "")[0] ^= 1;
        tb_file(&b, "package/b", "hello");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 1);
        expect(0, "b", "hello", 0);
        ASSERT_EQ(notes, QN_TAR_NOTE_SKIPPED);
}

TEST(tar_body_of_a_dropped_header_is_read_as_headers)
{
        struct qn_buf inner = QN_BUF_INIT(TB_MAX);

        fresh();
        tb_file(&inner, "package/evil.js", "evil");
        /* A plain file with a link name: npm drops the header only. */
        tb_header(&b, "package/readme", '0', inner.n, "x");
        qn_buf_str(&b, qn_buf_view(&inner));
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 1);
        expect(0, "evil.js", "evil", 0);
        ASSERT_EQ(notes, QN_TAR_NOTE_SKIPPED);
        qn_buf_done(&inner);
}

TEST(tar_bad_base256_drops_the_header)
{
        static const size_t at[] = { 100, 108, 116, 124, 136, 329, 337, 476, 488 };

        for (size_t i = 0; i < QN_ARRAY_SIZE(at); i++) {
                char *h;

                fresh();
                h = tb_header(&b, "package/a", '0', 0, "");
                h[at[i]] = (char)0x81;
                tb_sum(h);
                tb_file(&b, "package/b", "");
                ASSERT_EQ(read_all(), 0);
                ASSERT_EQ(n_list, 1);
                expect(0, "b", "", 0);
        }
}

TEST(tar_sizes_too_large)
{
        char *h;

        fresh();
        h = tb_header(&b, "package/a", '0', 0, "");
        memcpy(h + 124, "\200\0\0\0\0\0\1\0\0\0\0\0", 12);
        tb_sum(h);
        ASSERT_EQ(read_all(), -EFBIG);
        fresh();
        tb_pax(&b, 'x', "size", "9007199254740991");
        tb_file(&b, "package/a", "");
        ASSERT_EQ(read_all(), -EFBIG);
        fresh();
        tb_pax(&b, 'x', "size", "99999999999999999999999");
        tb_file(&b, "package/a", "");
        ASSERT_EQ(read_all(), -EBADMSG);
}

TEST(tar_extended_header_too_large)
{
        fresh();
        tb_header(&b, "PaxHeader", 'x', QN_TAR_PAX_MAX + 1, "");
        qn_buf_fill(&b, 'x', 4 << 20);
        ASSERT_EQ(read_all(), -EFBIG);
        fresh();
        tb_header(&b, "PaxHeader", 'x', QN_TAR_PAX_MAX, "");
        qn_buf_fill(&b, 'x', QN_TAR_PAX_MAX);
        tb_file(&b, "package/a", "ok");
        ASSERT_EQ(read_all(), 0);
        expect(0, "a", "ok", 0);
}

TEST(tar_names_too_long)
{
        char name[QN_TAR_NAME_MAX + 2];

        memset(name, 'x', sizeof name);
        name[7] = '/';
        name[sizeof name - 1] = 0;
        fresh();
        tb_pax(&b, 'x', "path", name);
        tb_file(&b, "package/a", "");
        ASSERT_EQ(read_all(), -EFBIG);
        fresh();
        tb_entry(&b, "././@LongLink", 'L', name);
        tb_file(&b, "package/a", "");
        ASSERT_EQ(read_all(), -EFBIG);
}

TEST(tar_entries_are_capped)
{
        struct qn_tar_entry e;
        struct qn_tar *t = NULL;
        unsigned n = 0;
        int r;

        fresh();
        for (unsigned i = 0; i <= QN_TAR_ENTRIES_MAX; i++)
                tb_header(&b, "package/a", '0', 0, "");
        ASSERT_EQ(qn_tar_open(qn_cur_mem(b.p, b.n), &t), 0);
        while ((r = qn_tar_next(t, &e, NULL)) == 1)
                n++;
        ASSERT_EQ(r, -EFBIG);
        ASSERT_EQ(n, QN_TAR_ENTRIES_MAX);
        qn_tar_free(t);
}

TEST(tar_extended_header_behind_a_pax_size)
{
        fresh();
        tb_pax(&b, 'x', "size", "0");
        tb_entry(&b, "././@LongLink", 'L', "package/b");
        tb_file(&b, "package/a", "");
        ASSERT_EQ(read_all(), -EBADMSG);
}

TEST(tar_empty_archives)
{
        fresh();
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 0);
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 0);
        ASSERT_EQ(notes, 0);
}

TEST(tar_first_component_is_cut)
{
        fresh();
        tb_file(&b, "package/package.json", "1");
        tb_file(&b, "other/./a//b.js", "2");
        tb_file(&b, "/package/c", "3");
        tb_file(&b, "./package/d", "4");
        tb_file(&b, "package//e/", "5");
        tb_file(&b, "lonely", "6");
        tb_file(&b, "package/C:/f", "7");
        tb_file(&b, "package/c:g", "8");
        tb_file(&b, "package/\\\\host\\share\\h", "9");
        tb_file(&b, "package///i", "10");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 10);
        expect(0, "package.json", "1", 0);
        expect(1, "a/b.js", "2", 0);
        expect(2, "package/c", "3", QN_TAR_ODD_ABSOLUTE);
        expect(3, "package/d", "4", 0);
        ASSERT_EQ(list[4].type, QN_TAR_DIR);
        expect(5, "lonely", "6", QN_TAR_ODD_OUTSIDE);
        expect(6, "f", "7", QN_TAR_ODD_ABSOLUTE);
        expect(7, "g", "8", QN_TAR_ODD_ABSOLUTE);
        expect(8, "h", "9", QN_TAR_ODD_ABSOLUTE | QN_TAR_ODD_NUL);
        expect(9, "i", "10", 0);
}

TEST(tar_odd_paths)
{
        fresh();
        tb_file(&b, "package/../a", "1");
        tb_file(&b, "package/b\\..\\c", "2");
        tb_file(&b, "package/d\001", "3");
        tb_file(&b, "package/\377e", "4");
        tb_file(&b, "package/..f/g..", "5");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        expect(0, "../a", "1", QN_TAR_ODD_DOTDOT);
        expect(1, "b\\..\\c", "2", QN_TAR_ODD_DOTDOT | QN_TAR_ODD_NUL);
        expect(2, "d\001", "3", QN_TAR_ODD_NUL);
        expect(3, "\377e", "4", QN_TAR_ODD_UTF8);
        expect(4, "..f/g..", "5", 0);
}

TEST(tar_types)
{
        static const struct {
                char type;
                enum qn_tar_type want;
        } types[] = {
                { '0', QN_TAR_FILE },   { 0, QN_TAR_FILE },     { '7', QN_TAR_FILE },
                { '5', QN_TAR_DIR },    { 'D', QN_TAR_DIR },    { '3', QN_TAR_DEVICE },
                { '4', QN_TAR_DEVICE }, { '6', QN_TAR_DEVICE }, { 'S', QN_TAR_OTHER },
                { 'V', QN_TAR_OTHER },  { 'M', QN_TAR_OTHER },  { '9', QN_TAR_OTHER },
                { '\n', QN_TAR_OTHER },
        };

        fresh();
        for (size_t i = 0; i < QN_ARRAY_SIZE(types); i++)
                tb_entry(&b, "package/x", types[i].type, "");
        tb_header(&b, "package/l", '2', 0, "../../etc/passwd");
        tb_header(&b, "package/h", '1', 0, "package/x");
        tb_entry(&b, "package/dir/", '0', "");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, QN_ARRAY_SIZE(types) + 3);
        for (size_t i = 0; i < QN_ARRAY_SIZE(types); i++)
                ASSERT_EQ(list[i].type, types[i].want);
        ASSERT_EQ(list[n_list - 3].type, QN_TAR_SYMLINK);
        assert_string_equal(list[n_list - 3].link, "../../etc/passwd");
        ASSERT_EQ(list[n_list - 2].type, QN_TAR_HARDLINK);
        ASSERT_EQ(list[n_list - 1].type, QN_TAR_DIR);
        assert_string_equal(list[n_list - 1].path, "dir");
}

TEST(tar_long_names)
{
        fresh();
        tb_entry(&b, "././@LongLink", 'L', "package/gnu.js");
        tb_file(&b, "package/a", "1");
        tb_pax(&b, 'x', "path", "package/pax.js");
        tb_file(&b, "package/b", "2");
        tb_file(&b, "package/c", "3");
        tb_entry(&b, "././@LongLink", 'K', "there");
        tb_header(&b, "package/d", '2', 0, "here");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 4);
        expect(0, "gnu.js", "1", 0);
        expect(1, "pax.js", "2", 0);
        expect(2, "c", "3", 0);
        assert_string_equal(list[3].link, "there");
}

TEST(tar_ustar_prefix)
{
        char *h;

        fresh();
        h = tb_header(&b, "b.js", '0', 0, "");
        memcpy(h + 345, "package/deep", 12);
        tb_sum(h);
        h = tb_header(&b, "package/c.js", '0', 0, "");
        memcpy(h + 257, "ustar  \0junk", 12);
        memcpy(h + 345, "ignored", 7);
        tb_sum(h);
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        expect(0, "deep/b.js", "", 0);
        expect(1, "c.js", "", 0);
}

TEST(tar_negative_sizes_are_odd)
{
        static const char *const sizes[] = { "\377\377\377\377\377\377\377\377\377\377\376\000",
                                             "-0000001000" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(sizes); i++) {
                char *h;

                fresh();
                h = tb_header(&b, "package/a", '0', 0, "");
                memcpy(h + 124, sizes[i], 12);
                tb_sum(h);
                tb_file(&b, "package/b", "x");
                tb_end(&b);
                ASSERT_EQ(read_all(), 0);
                ASSERT_EQ(n_list, 2);
                expect(0, "a", "", QN_TAR_ODD_PAX);
                expect(1, "b", "x", 0);
        }
}

TEST(tar_pax_size_wins_and_is_odd)
{
        fresh();
        tb_pax(&b, 'x', "size", "5");
        tb_header(&b, "package/a", '0', 0, "");
        tb_body(&b, "hello", 5);
        tb_pax(&b, 'g', "comment", "0123456789abcdef0123456789abcdef01234567");
        tb_file(&b, "package/b", "x");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 2);
        expect(0, "a", "hello", QN_TAR_ODD_PAX);
        expect(1, "b", "x", 0);
}

TEST(tar_record_inside_a_record_is_odd)
{
        fresh();
        /* By the standard one comment; by npm, which splits at line ends, a path. */
        tb_entry(&b, "PaxHeader", 'x', "38 comment=x\n24 path=package/evil.js\n\n");
        tb_file(&b, "package/good.js", "1");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        expect(0, "evil.js", "1", QN_TAR_ODD_PAX);
}

TEST(tar_end_and_what_follows)
{
        fresh();
        tb_file(&b, "package/a", "1");
        qn_buf_fill(&b, 0, 512);
        tb_file(&b, "package/b", "2");
        tb_end(&b);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 2);
        ASSERT_EQ(notes, 0);
        tb_file(&b, "package/c", "3");
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(n_list, 2);
        ASSERT_EQ(notes, QN_TAR_NOTE_TRAILING);
        b.n -= 1024;
        qn_buf_fill(&b, 0, QN_TAR_TRAILING_MAX);
        ASSERT_EQ(read_all(), 0);
        ASSERT_EQ(notes, QN_TAR_NOTE_TRAILING);
}

TEST(tar_name_with_line_end_behind_nul)
{
        char *h;

        fresh();
        h = tb_header(&b, "package/a", '0', 0, "");
        memcpy(h + 10, "xx\n.js", 6);
        tb_sum(h);
        ASSERT_EQ(read_all(), 0);
        expect(0, "a\n.js", "", QN_TAR_ODD_NUL);
}
