/* test-show.c - hostile text on terminals: escaping, defanging, truncation, tables; and what cannot
 * be seen in JSON. */
#include "base/jsonw.h"
#include "base/limits.h"
#include "base/show.h"
#include "base/table.h"
#include "base/unicode.h"
#include "test.h"

static void expect(struct qn_str in, size_t max, unsigned flags, const char *out)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 20);
        size_t used = qn_show(&b, in, max, flags);

        ASSERT_STR(qn_buf_view(&b), out);
        ASSERT_EQ(used, qn_show_width(qn_buf_view(&b)));
        if (max)
                ASSERT_TRUE(used <= max);
}

#define SHOW(lit, out)   expect(QN_STR(lit), 0, 0, out)
#define DEFANG(lit, out) expect(QN_STR(lit), 0, QN_SHOW_DEFANG, out)

TEST(escape_sequences_are_visible)
{
        SHOW("a\x1b[31mred\x1b]0;title\x07", "a\\x1b[31mred\\x1b]0;title\\x07");
        SHOW("a\0b", "a\\x00b");
        SHOW("\x7f", "\\x7f");
        SHOW("\xc2\x9b"
             "31m",
             "\\u{009b}31m"); /* the C1 form of ESC [ */
}

TEST(bytes_that_are_not_utf8)
{
        SHOW("\xff\xfe", "\\xff\\xfe");
        SHOW("\xe2\x82", "\\xe2\\x82");
        SHOW("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
        SHOW("\xef\xbf\xbd", "\xef\xbf\xbd");    /* U+FFFD itself is an ordinary character */
}

TEST(bidi_and_invisible)
{
        SHOW("if\xe2\x80\xae x", "if\\u{202e} x");
        SHOW("a\xe2\x80\x8b"
             "b",
             "a\\u{200b}b");
        SHOW("\xf3\xa0\x84\x80", "\\u{e0100}");
        SHOW("\xef\xb8\x8f", "\\u{fe0f}");
        SHOW("\xe3\x85\xa4", "\\u{3164}");
}

TEST(blanks_become_one_space)
{
        SHOW("  a\t\r\n\n  b  ", "a b");
        SHOW("a\xc2\xa0\xe3\x80\x80"
             "b",
             "a b");
        SHOW("", "");
        SHOW("\n", "");
}

TEST(marks_do_not_pile_up)
{
        SHOW("e\xcc\x81", "e\xcc\x81");
        SHOW("e\xcc\x81\xcc\x81\xcc\x81", "e\xcc\x81\xcc\x81\\u{0301}");
}

TEST(cut_at_the_width)
{
        expect(QN_STR("abcdef"), 6, 0, "abcdef");
        expect(QN_STR("abcdefg"), 6, 0, "abcde…");
        expect(QN_STR("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"), 5, 0, "\xe6\xbc\xa2\xe6\xbc\xa2…");
        expect(QN_STR("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"), 6, 0,
               "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
        expect(QN_STR("ab\x1b\x1b"), 5, 0, "ab…"); /* an escape is not cut in half */
        expect(QN_STR("\xe6\xbc\xa2"), 1, 0, "…");
}

TEST(long_text_is_capped)
{
        _cleanup_(qn_freep) char *big = malloc(QN_SHOW_MAX + 10);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 20);

        memset(big, '.', QN_SHOW_MAX + 10);
        ASSERT_EQ(qn_show(&b, (struct qn_str){ big, QN_SHOW_MAX + 10 }, 0, QN_SHOW_DEFANG),
                  QN_SHOW_MAX);
        ASSERT_EQ(qn_buf_error(&b), 0);
}

TEST(urls_cannot_be_clicked)
{
        DEFANG("https://evil.example/a.b?c=d.e", "hxxps://evil[.]example/a.b?c=d.e");
        DEFANG("get('HTTP://x.y.zip')", "get('hxxp://x[.]y[.]zip')");
        DEFANG("http://u:p@host.invalid:80/", "hxxp://u:p@host[.]invalid:80/");
        DEFANG("seehttps://a.b", "seehxxps://a[.]b");
        DEFANG("wss://a.b/ ftp://c.d", "wxxs://a[.]b/ fxp://c[.]d");
        DEFANG("https://", "hxxps://");
        DEFANG("See https://a.b.", "See hxxps://a[.]b.");
        DEFANG("https://b\xc3\xbc"
               "cher.example",
               "hxxps://b\xc3\xbc"
               "cher[.]example");
}

TEST(hosts_and_addresses)
{
        DEFANG("evil.com", "evil[.]com");
        DEFANG("{host: \"a.evil.com\", port: 443}", "{host: \"a[.]evil[.]com\", port: 443}");
        DEFANG("ping 10.0.0.1", "ping 10[.]0[.]0[.]1");
        DEFANG("me@corp.example", "me@corp[.]example");
}

TEST(code_and_versions_stay_readable)
{
        DEFANG("fs.readFileSync(os.homedir())", "fs.readFileSync(os.homedir())");
        DEFANG("this.info = console.info", "this.info = console.info");
        DEFANG("'lib/index.js' 1.2.3 256.1.1.1 1.2.3.4.5",
               "'lib/index.js' 1.2.3 256.1.1.1 1.2.3.4.5");
        DEFANG("\"package.json\"", "\"package.json\"");
}

TEST(table_columns_line_up)
{
        _cleanup_(qn_table_done) struct qn_table t = QN_TABLE_INIT(3);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        static const char *const cells[] = { "a",     "1",
                                             "first", "\xe6\xbc\xa2\xe6\xbc\xa2",
                                             "100",   "a much longer one" };

        t.right = 1 << 1;
        for (size_t i = 0; i < 6; i++)
                qn_table_cell(&t, qn_str_c(cells[i]));
        ASSERT_EQ(qn_table_print(&t, &b, 24), 0);
        ASSERT_STR(qn_buf_view(&b),
                   "a       1  first\n\xe6\xbc\xa2\xe6\xbc\xa2  100  a much longe…\n");
}

TEST(json_shows_what_hides)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_jsonw w = QN_JSONW_INIT(&b, 0);

        qn_jsonw_str(&w, NULL, QN_STR("a\xe2\x80\xae\xf3\xa0\x84\x80\xc3\xa9"));
        ASSERT_STR(qn_buf_view(&b), "\"a\\u202e\\udb40\\udd00\xc3\xa9\"");
}

TEST(unicode_tables_are_sorted_at_their_edges)
{
        ASSERT_TRUE(qn_uc_hidden(0));
        ASSERT_TRUE(qn_uc_hidden(0x1f));
        ASSERT_FALSE(qn_uc_hidden(0x20));
        ASSERT_TRUE(qn_uc_hidden(0x10ffff));
        ASSERT_TRUE(qn_uc_hidden(0x2fffe));
        ASSERT_FALSE(qn_uc_hidden(0x2030));
        ASSERT_EQ(qn_uc_width(0x4e00), 2);
        ASSERT_EQ(qn_uc_width(0x301), 0);
        ASSERT_EQ(qn_uc_width('a'), 1);
}
