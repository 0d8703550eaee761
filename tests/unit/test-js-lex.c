/* Tokens without a parser. */
#include "parse/js-lex.h"
#include "parse/js.h"
#include "test.h"

struct got {
        struct qn_str source;
        char text[1024];
};

static int collect(void *arg, const struct qn_js_lexeme *t)
{
        struct got *g = arg;
        size_t n = strlen(g->text);

        snprintf(g->text + n, sizeof g->text - n, "%s%.*s", n ? " " : "", (int)(t->end - t->start),
                 g->source.p + t->start);
        if (t->tok == QN_JS_TOK_REGEX || t->tok == QN_JS_TOK_BAD) {
                n = strlen(g->text);
                snprintf(g->text + n, sizeof g->text - n, t->tok == QN_JS_TOK_BAD ? "!" : "~");
        }
        return 0;
}

static void expect(const char *source, const char *tokens)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        struct got g = { .source = qn_str_c(source) };
        uint32_t n;

        assert_non_null(js);
        ASSERT_EQ(qn_js_lex(js, g.source, collect, &g, &n), 0);
        assert_string_equal(g.text, tokens);
}

TEST(broken_tokens)
{
        expect("'a\nb", "'a! b");
        expect("`a", "`a!");
        expect("/* a", "/* a!");
        expect("1a 0x 0b2 1__0 \x01 # \\", "1a! 0x! 0b2! 1__0! \x01! #! \\!");
        expect("x = /a\nb", "x = /a! b");
}

TEST(slashes)
{
        expect("a / b / c", "a / b / c");
        expect("a = /b/g", "a = /b/g~");
        expect("(a) / b / c", "( a ) / b / c");
        expect("if (a) /b/.c", "if ( a ) /b/~ . c");
        expect("a.if (b) / c / d", "a . if ( b ) / c / d");
        expect("while (a) /b/", "while ( a ) /b/~");
        expect("{ } /a/", "{ } /a/~");
        expect("x = { } / a / b", "x = { } / a / b");
        expect("a++ / b / c", "a ++ / b / c");
        expect("return /a[/]\\/b/", "return /a[/]\\/b/~");
        expect("a ? /b/ : /c/", "a ? /b/~ : /c/~");
        expect("x = a ? { } / b : c", "x = a ? { } / b : c");
        expect("a: { } /b/", "a : { } /b/~");
        expect("[a] / b / c", "[ a ] / b / c");
        expect("`a` / b", "`a` / b");
        expect("`${/a/}` / b", "`${ /a/~ }` / b");
}

TEST(templates)
{
        expect("`a${ { b } }c${`d${e}f`}g` h", "`a${ { b } }c${ `d${ e }f` }g` h");
        expect("`\\`${'}'}$`", "`\\`${ '}' }$`");
}

TEST(operators)
{
        expect("a?.b?"
               "?=c?.5:d",
               "a ?. b ?"
               "?= c ? .5 : d");
        expect("a>>>=b>>>c>>=d>>e>=f", "a >>>= b >>> c >>= d >> e >= f");
        expect("a**=b**c===d!==e=>f...g", "a **= b ** c === d !== e => f ... g");
        expect("a&&=b||=c--d++-e", "a &&= b ||= c -- d ++ - e");
}

TEST(comments_and_blanks)
{
        expect("#!a\nb // c\n/* d\ne */ f", "b f");
        expect("a <!-- b\n--> c\nd --> e", "a d -- > e");
        expect("\xef\xbb\xbf"
               "a\xc2\xa0"
               "b\xe2\x80\xa8"
               "c",
               "a b c");
        expect("// a\xe2\x80\xa9"
               "b",
               "b");
}

TEST(numbers)
{
        expect("0 1. .5 1.5e-3 0xFf 0o17 0b01 017 089.5 1_000 10n 0x1n 1..a",
               "0 1. .5 1.5e-3 0xFf 0o17 0b01 017 089.5 1_000 10n 0x1n 1. . a");
}

TEST(names)
{
        expect("a$_1 \\u0061b caf\xc3\xa9 \xf0\xa0\xae\xb7 #priv #\\u0061 abcdefghijklmnop "
               "abcdefghijklmnopqrstuvwxyz0123456789",
               "a$_1 \\u0061b caf\xc3\xa9 \xf0\xa0\xae\xb7 #priv #\\u0061 abcdefghijklmnop "
               "abcdefghijklmnopqrstuvwxyz0123456789");
}
