/* Lists of versions and indicators: what is no list first. */
#include "parse/listing.h"

#include "base/arena.h"
#include "base/buf.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)16 << 20 };
static struct qn_listing list;

/* "npm:name@version " or "kind:value " for each row. */
static const char *rows(const char *text)
{
        static char out[4096];
        struct qn_listing_row row;
        size_t n = 0;

        qn_arena_reset(&arena, 0);
        out[0] = '\0';
        if (qn_listing_open(qn_cur_str(qn_str_c(text)), &list, NULL) < 0)
                return "refused";
        while (qn_listing_next(&list, &arena, &row) == 1 && n < sizeof out - 400)
                n += (size_t)(row.is_package
                                      ? snprintf(out + n, 400, "%.*s:%.*s@%.*s ",
                                                 QN_STR_ARG(row.ecosystem), QN_STR_ARG(row.name),
                                                 QN_STR_ARG(row.version))
                                      : snprintf(out + n, 400, "%s:%.*s ",
                                                 qn_indicator_name(row.ioc.kind),
                                                 QN_STR_ARG(row.ioc.value)));
        return out;
}

TEST(a_table_without_a_column_that_is_known_is_refused)
{
        assert_string_equal(rows("colour,size\nred,2\n"), "refused");
}

TEST(what_is_not_understood_is_counted)
{
        assert_string_equal(rows("a@1.0.0\n!!\nb@@\n\n# c\nd:2.0.0 # why\n"),
                            "npm:a@1.0.0 npm:d@2.0.0 ");
        ASSERT_EQ(list.skipped, 2);
        ASSERT_EQ(list.first_skipped, 2);
        assert_string_equal(rows(""), "");
        assert_string_equal(rows("a@1.0.0"), "npm:a@1.0.0 ");
}

TEST(ecosystems_and_scopes)
{
        assert_string_equal(
                rows("npm:@s/a:1.0.0\npypi:b:2.0\ncomposer:v/p:3.0\n@s/a@1.0.1\nnpm:1.0.0\nx@*\n"),
                "npm:@s/a@1.0.0 pypi:b@2.0 composer:v/p@3.0 npm:@s/a@1.0.1 npm:npm@1.0.0 npm:x@ ");
}

TEST(tables_with_quotes_and_many_versions)
{
        assert_string_equal(rows("\xef\xbb\xbf"
                                 "package_name,package_versions,sources\r\na,\"1.0.0, 1.0.1\",\"x, "
                                 "\"\"y\"\"\"\r\n"
                                 "b,= 2.0.0 || = 2.0.1,\n\"c\",,z\n"),
                            "npm:a@1.0.0 npm:a@1.0.1 npm:b@2.0.0 npm:b@2.0.1 npm:c@ ");
        ASSERT_EQ(list.skipped, 0);
        rows("package,version\n\"never closed,1.0.0\n");
        ASSERT_EQ(list.skipped, 1);
}

TEST(indicators)
{
        assert_string_equal(rows("type\tindicator\tcampaign\ndomain\tEvil[.]example."
                                 "invalid\tc\nip\t10.0.0.1\t\n"
                                 "url\t0x12c37a86a0ed0bebe5d1d6a43e42f07860eac710\t\nurl\tevil."
                                 "example.invalid/x\t\nip\tnone\t\n"),
                            "domain:evil.example.invalid ip:10.0.0.1 "
                            "wallet:0x12c37a86a0ed0bebe5d1d6a43e42f07860eac710 "
                            "url:evil.example.invalid/x ");
        ASSERT_EQ(list.skipped, 1);
        ASSERT_EQ(list.first_skipped, 6);
        assert_string_equal(
                rows("evil.example.invalid\nhxxp://evil.example.invalid/\n10.0.0.1\n"),
                "domain:evil.example.invalid url:http://evil.example.invalid/ ip:10.0.0.1 ");
}

TEST(a_wallet_that_is_listed_as_an_address_is_a_wallet)
{
        assert_string_equal(rows("type,indicator\nurl,1BoatSLRHtKNngkdXEeobR76b53LETtpyT\n"
                                 "url,1BoatSLRHtKNngkdXEeobR76b53LETtpyU\n"),
                            "wallet:1BoatSLRHtKNngkdXEeobR76b53LETtpyT ");
}
