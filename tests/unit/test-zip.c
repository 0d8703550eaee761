/* ZIP and asar archives: hostile ones first. */
#include "parse/zip.h"

#include "base/arena.h"
#include "base/limits.h"
#include "parse/asar.h"
#include "test.h"
#include "zipbuild.h"

static struct qn_buf buf = { .max = ZB_MAX };
static struct qn_arena arena = { .max = (size_t)64 << 20 };

/* "path:bytes " of each entry, "-" for what has no content; the last result behind it. */
static const char *list(struct qn_str in)
{
        static char out[4096];
        struct qn_zip_entry e;
        struct qn_zip z;
        size_t n = 0;
        int r = qn_zip_open(qn_cur_str(in), &z);

        while (r == 0 && (r = qn_zip_next(&z, &e)) == 1 && n < sizeof out - 300) {
                n += (size_t)snprintf(out + n, 300, "%.*s:%zu%s ", QN_STR_ARG(e.path),
                                      qn_cur_left(&e.data), e.encrypted ? "!" : "");
                r = 0;
        }
        snprintf(out + n, sizeof out - n, "%d", r);
        return out;
}

static void two_files(bool encrypted)
{
        struct zb z = { .out = &buf };

        qn_buf_reset(&buf);
        zb_file(&z, "a.js", "module.exports = 1", encrypted);
        zb_file(&z, "dir/b.txt", "text", false);
        zb_end(&z);
}

TEST(zip_no_archive)
{
        assert_string_equal(list(QN_STR("")), "-74");
        assert_string_equal(list(QN_STR("PK\3\4 and then nothing")), "-74");
        two_files(false);
        for (size_t n = 0; n < buf.n; n++) /* cut anywhere: the directory is at the end */
                assert_string_equal(list(qn_str_take(qn_buf_view(&buf), n)), "-74");
}

TEST(zip_damaged_anywhere)
{
        static const unsigned char values[] = { 0, 1, 0x7f, 0x80, 0xff };
        size_t n;

        two_files(false);
        n = buf.n;
        for (size_t at = 0; at < n; at++)
                for (size_t v = 0; v < sizeof values; v++) {
                        struct qn_zip_entry e;
                        struct qn_zip z;
                        char *exact = malloc(n);

                        ASSERT_NOT_NULL(exact);
                        memcpy(exact, buf.p, n);
                        exact[at] = (char)values[v];
                        if (qn_zip_open(qn_cur_mem(exact, n), &z) == 0)
                                while (qn_zip_next(&z, &e) == 1)
                                        ASSERT_TRUE(qn_cur_left(&e.data) <= n);
                        free(exact);
                }
}

TEST(zip_too_many_entries)
{
        struct zb z = { .out = &buf };

        qn_buf_reset(&buf);
        zb_end(&z);
        /* a zip64 record in front that claims more than is read */
        qn_buf_reset(&buf);
        qn_buf_puts(&buf, "PK\6\6");
        qn_buf_fill(&buf, 0, 28);
        zb_le(&buf, QN_ZIP_ENTRIES_MAX + 1, 8);
        qn_buf_fill(&buf, 0, 16);
        qn_buf_puts(&buf, "PK\6\7");
        qn_buf_fill(&buf, 0, 16);
        qn_buf_puts(&buf, "PK\5\6");
        qn_buf_fill(&buf, 0, 4);
        qn_buf_fill(&buf, (char)0xff, 12);
        qn_buf_fill(&buf, 0, 2);
        assert_string_equal(list(qn_buf_view(&buf)), "-27");
}

TEST(zip_entries)
{
        two_files(false);
        assert_string_equal(list(qn_buf_view(&buf)), "a.js:18 dir/b.txt:4 0");
        two_files(true);
        assert_string_equal(list(qn_buf_view(&buf)), "a.js:18! dir/b.txt:4 0");
}

TEST(zip_behind_a_program)
{
        struct qn_buf all = QN_BUF_INIT(ZB_MAX);

        two_files(false);
        qn_buf_puts(&all, "#!/bin/sh\nexec unzip \"$0\"\n");
        qn_buf_str(&all, qn_buf_view(&buf));
        assert_string_equal(list(qn_buf_view(&all)), "a.js:18 dir/b.txt:4 0");
        qn_buf_done(&all);
}

static int on_file(void *ctx, struct qn_str path, struct qn_cur data)
{
        struct qn_buf *out = ctx;

        qn_buf_str(out, path);
        qn_buf_printf(out, ":%zu ", qn_cur_left(&data));
        return 0;
}

static const char *list_asar(const char *json, const char *body)
{
        static char out[1024];
        struct qn_buf b = QN_BUF_INIT(1000), in = QN_BUF_INIT(ZB_MAX);
        size_t n = strlen(json);
        int r;

        zb_le(&in, 4, 4);
        zb_le(&in, n + 8, 4);
        zb_le(&in, n + 4, 4);
        zb_le(&in, n, 4);
        qn_buf_puts(&in, json);
        qn_buf_puts(&in, body);
        qn_arena_reset(&arena, 1 << 20);
        r = qn_asar_walk(qn_cur_str(qn_buf_view(&in)), &arena, on_file, &b);
        snprintf(out, sizeof out, "%.*s%d", (int)b.n, b.p ? b.p : "", r);
        qn_buf_done(&b);
        qn_buf_done(&in);
        return out;
}

TEST(asar_hostile)
{
        ASSERT_FALSE(qn_asar_is(CUR("\4\0\0\0\377\0\0\0")));
        assert_string_equal(list_asar("{\"files\":", ""), "-74");
        assert_string_equal(list_asar("{}", ""), "0");
        assert_string_equal(
                list_asar("{\"files\":{\"a\":{\"size\":9,\"offset\":\"0\"},"
                          "\"b\":{\"size\":1,\"offset\":\"99999999999999999999\"},"
                          "\"c\":{\"size\":-1,\"offset\":\"0\"},\"d\":{\"link\":\"x\"}}}",
                          "12345678"),
                "0");
}

TEST(asar_too_deep)
{
        struct qn_buf b = QN_BUF_INIT(8192);

        for (int i = 0; i < 100; i++)
                qn_buf_puts(&b, "{\"files\":{\"d\":");
        qn_buf_puts(&b, "1");
        for (int i = 0; i < 100; i++)
                qn_buf_puts(&b, "}}");
        qn_buf_byte(&b, '\0');
        assert_string_equal(list_asar(b.p, ""), "-27");
        qn_buf_done(&b);
}

TEST(asar_files)
{
        assert_string_equal(list_asar("{\"files\":{\"d\":{\"files\":{\"a.js\":{\"size\":3,"
                                      "\"offset\":\"1\"}}},\"b\":{\"size\":0,\"offset\":\"4\"}}}",
                                      "1234"),
                            "d/a.js:3 b:0 0");
}
