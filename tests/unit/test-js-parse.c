/* Syntax trees: errors first, then shapes. */
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/js-tok.h"
#include "parse/js.h"
#include "test.h"

static struct qn_js *js;
static const struct qn_js_ast *ast;

static int parse_as(struct qn_str source, enum qn_js_mode mode)
{
        struct qn_err err = { 0 };
        int r;

        if (!js)
                js = qn_js_new();
        assert_non_null(js);
        ast = NULL;
        r = qn_js_parse(js, source, mode, 0, &ast, &err);
        assert_int_equal(r == 0, ast != NULL);
        assert_int_equal(r, err.code);
        return r;
}

static const struct qn_js_ast *parse(const char *c)
{
        assert_int_equal(parse_as(qn_str_c(c), QN_JS_AUTO), 0);
        return ast;
}

/* The tree as "TYPE(child child)", with the texts of names and the operators. */
static void print(struct qn_arena *a, uint32_t i, char *buf, size_t size)
{
        const struct qn_js_node *n = &ast->nodes[i];
        size_t k = strlen(buf);

        snprintf(buf + k, size - k, "%s", qn_js_type_name(n->type));
        k = strlen(buf);
        if (n->type == QN_JS_IDENT || n->type == QN_JS_MEMBER)
                snprintf(buf + k, size - k, ":%.*s", QN_STR_ARG(qn_js_string(ast, i, a)));
        else if (n->type == QN_JS_BINARY || n->type == QN_JS_ASSIGN)
                snprintf(buf + k, size - k, ":%s", qn_js_tok_text(n->op));
        if (n->type == QN_JS_IDENT || !n->first)
                return;
        k = strlen(buf);
        snprintf(buf + k, size - k, "(");
        for (uint32_t c = n->first; c; c = ast->nodes[c].next) {
                print(a, c, buf, size);
                k = strlen(buf);
                snprintf(buf + k, size - k, "%s", ast->nodes[c].next ? " " : ")");
        }
}

#define ASSERT_TREE(source, tree)                                                     \
        do {                                                                          \
                _cleanup_(qn_arena_done) struct qn_arena a_ = QN_ARENA_INIT(1 << 20); \
                char buf_[4096] = "";                                                 \
                parse(source);                                                        \
                ASSERT_EQ(ast->errors, 0u);                                           \
                print(&a_, ast->root, buf_, sizeof buf_);                             \
                assert_string_equal(buf_, "PROGRAM(" tree ")");                       \
        } while (0)

static unsigned errors(const char *c)
{
        return parse(c)->errors;
}

/* Number of nodes of this type that hang on the tree. */
static unsigned count_below(uint32_t i, unsigned type)
{
        const struct qn_js_node *n = &ast->nodes[i];
        unsigned k = n->type == type;

        if (n->type != QN_JS_IDENT)
                for (uint32_t c = n->first; c; c = ast->nodes[c].next)
                        k += count_below(c, type);
        return k;
}

static unsigned count(unsigned type)
{
        return count_below(ast->root, type);
}

/* head, then unit n times, then tail */
static struct qn_str repeat(const char *head, const char *unit, size_t n, const char *tail)
{
        size_t h = strlen(head), u = strlen(unit), t = strlen(tail);
        char *p = malloc(h + u * n + t + 1);

        assert_non_null(p);
        memcpy(p, head, h);
        for (size_t i = 0; i < n; i++)
                memcpy(p + h + u * i, unit, u);
        memcpy(p + h + u * n, tail, t);
        return (struct qn_str){ p, h + u * n + t };
}

static int parse_repeated(const char *head, const char *unit, size_t n, const char *tail)
{
        struct qn_str s = repeat(head, unit, n, tail);
        int r = parse_as(s, QN_JS_AUTO);

        if (r == 0) /* the text goes away; nothing below looks at it */
                ((struct qn_js_ast *)(uintptr_t)ast)->source = QN_STR("");
        free((void *)(uintptr_t)s.p);
        return r;
}

TEST(nesting_is_capped)
{
        static const char *const units[] = { "(",
                                             "[",
                                             "{",
                                             "({a:",
                                             "function f(){",
                                             "a=>(",
                                             "if(1)",
                                             "!",
                                             "`${",
                                             "class A{static{",
                                             "x(",
                                             "a[",
                                             "<a>",
                                             "new ",
                                             "a?b?",
                                             "while(1)",
                                             "async()=>{",
                                             "({a=",
                                             "a**",
                                             "(a,{b=[",
                                             "a:",
                                             "for(;;)",
                                             "try{",
                                             "switch(a){case 1:",
                                             "<a b=",
                                             "<a>{",
                                             "typeof ",
                                             "x=function(){",
                                             "await (",
                                             "({a(){",
                                             "class A{a=",
                                             "a?b:(",
                                             "a||b&&c|d^e&f==g<h<<i+j*(" };

        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (parse_repeated("", units[i], 100000, "") != -EFBIG)
                        fail_msg("not capped: %s", units[i]);
}

TEST(patterns_are_capped)
{
        ASSERT_EQ(parse_repeated("var ", "[", 100000, ""), -EFBIG);
        ASSERT_EQ(parse_repeated("var ", "{a:", 100000, ""), -EFBIG);
        ASSERT_EQ(parse_repeated("var [a = ", "[", 100000, ""), -EFBIG);
}

TEST(long_chains_need_no_depth)
{
        const size_t n = 100000;

        ASSERT_EQ(parse_repeated("x=1", "+'a'", n, ";"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("x=1", ",2", n, ";"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("", "a?b:", n, "c;"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("", "a=", n, "c;"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("a", ".b(c)[d]`e`?.f", n, ";"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("", "if(a)b;else ", n, "c;"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("a", "||b&&c", n, ";"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("var a", ",b=1", n, ";"), 0);
        ASSERT_EQ(ast->errors, 0u);
        ASSERT_EQ(parse_repeated("switch(a){", "case 1:", n, "}"), 0);
        ASSERT_EQ(ast->errors, 0u);
}

TEST(broken_input_takes_linear_time)
{
        static const char *const units[] = { "(",         ")",        "}",
                                             "{",         "[",        "a b ",
                                             "1 2\n",     "/",        "/[",
                                             "`${",       "`",        "'",
                                             "\"a\n",     "<a",       "</a>",
                                             "=>",        "({a=1})",  "async (",
                                             "x=>{",      "\\u",      "#",
                                             "/*",        "<!--",     "class{",
                                             "function(", "{\"a\":[", "a:",
                                             "@",         "import ",  "export ",
                                             "for(;",     "...",      "\xe2\x80\xa8",
                                             "\0",        "\xff" };

        for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
                int r = parse_repeated("", units[i], 300000, "");

                ASSERT_TRUE(r == 0 || r == -EFBIG);
        }
}

TEST(an_error_costs_its_statement)
{
        ASSERT_EQ(errors("var a = ; var b = 2; c()"), 1u);
        ASSERT_EQ(count(QN_JS_ERROR), 1u);
        ASSERT_EQ(count(QN_JS_VAR), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
        ASSERT_EQ(ast->first_error.off, 8u);
        ASSERT_EQ(errors("function f() { a b c; return 1 } g()"), 1u);
        ASSERT_EQ(count(QN_JS_RETURN), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
        ASSERT_EQ(errors("foo({ a: 1 2, b: function () { } })\nbar()"), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
        ASSERT_EQ(errors("if (x { y() }\nz()"), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
        ASSERT_EQ(errors("} a(); } b()"), 2u);
        ASSERT_EQ(count(QN_JS_CALL), 2u);
        ASSERT_EQ(errors("a('x\nb()"), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
        ASSERT_EQ(errors("{ a b }\nc()"), 1u);
        ASSERT_EQ(count(QN_JS_BLOCK), 1u);
        ASSERT_EQ(count(QN_JS_CALL), 1u);
}

TEST(rejects)
{
        static const char *const bad[] = { "({a=1})",
                                           "a => {} ()",
                                           "a => b => {} + 1",
                                           "(a, b) = 1",
                                           "1 = 2",
                                           "f() = 1",
                                           "(a",
                                           "[a",
                                           "a ?? b || c",
                                           "-a ** b",
                                           "async (a, ...b, c) => 1",
                                           "(...a, b) => 1",
                                           "(a, ...b)",
                                           "()",
                                           "(a,)",
                                           "var 1",
                                           "const a",
                                           "let [a]",
                                           "throw\na",
                                           "try {}",
                                           "new.foo",
                                           "import.foo",
                                           "for (a of b, c);",
                                           "if",
                                           "1a",
                                           "0x",
                                           "1_",
                                           "1__0",
                                           "0b2",
                                           "'\\x1'",
                                           "'\\u{110000}'",
                                           "`${a",
                                           "/a",
                                           "a.1",
                                           "a?.b = 1",
                                           "x\n=> y",
                                           "{a: 1, b: 2}",
                                           "<a></b>",
                                           "<a",
                                           "class A { a b }",
                                           "({ get a })",
                                           "({ a b })",
                                           "({ (a) })",
                                           "export 1",
                                           "import a",
                                           "#a",
                                           "a.#",
                                           "@",
                                           "\\u0030a",
                                           "async x\n=> 1",
                                           "var a = b c",
                                           "do a while(1) b c",
                                           "for (const a;;);",
                                           "\"a\n\"",
                                           "/* a" };

        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
                if (errors(bad[i]) == 0)
                        fail_msg("taken: %s", bad[i]);
}

TEST(file_size_is_capped)
{
        struct qn_str s = { NULL, QN_JS_FILE_MAX + 1 };

        ASSERT_EQ(parse_as(s, QN_JS_AUTO), -EFBIG);
}

static const char *const good[] = {
        "",
        ";",
        "#!/usr/bin/env node\na()",
        "\xef\xbb\xbf"
        "a",
        "a\n++b",
        "a\n/b/g",
        "a = b\n/c/d",
        "x = a / b / c",
        "if (a) /b/.c()",
        "return 1",
        "var let = 1; let\nx",
        "yield = 1; await = 2",
        "async = 1; async\n(x)",
        "var async; async\nfunction f(){}",
        "for (let of of xs);",
        "for (async of => {};;);",
        "for (var i = 0 in x);",
        "for (let in x);",
        "for (const x of a);",
        "for await (const x of y);",
        "async () => { for await (x of y); }",
        "({a = 1} = b)",
        "[{a = 1}] = b",
        "({a = 1}) => a",
        "({a: [b = 1, ...c], ...d}) => a",
        "async ({a = 1}, ...b) => a",
        "(a, b,) => a",
        "() => ({})",
        "a => b => c => d",
        "a ? (b) : c => d",
        "a ? (b, c) => d : e => f",
        "x = function* () { yield; yield* a; yield a ? b : c }",
        "({ async *a() {} })",
        "({ get a() {}, set a(b) {}, get: 1, set: 2, async: 3, static: 4, get, set, async "
        "})",
        "({ get() {}, set() {}, async() {} })",
        "({ 'a': 1, 2: 3, [a]: 4, 5n: 6, if: 7, ...b, c() {}, *d() {}, async e() {}, async "
        "*f() {} })",
        "class A { static a = 1; #b = 2; static #c() {} get d() {} static set e(f) {} "
        "async *g() {} static { h() } 'i' = 1; [j]\nk }",
        "class A { static; get; set; async; static async; static get\nx(){} accessor a = "
        "1; accessor\nb }",
        "@a.b(c) class D { @e f; @(g) h() {} }",
        "export default @a class {}",
        "@a export class B {}",
        "x = @a class {}",
        "class A { static static() {} async() {} get() {} }",
        "#a in b",
        "class A { #a; b(c) { return #a in c && c?.#a } }",
        "a?.b?.[c]?.(d)",
        "a?.5:1",
        "a ?? b",
        "(a || b) ?? c",
        "a ||= b &&= c ?"
        "?= d",
        "a ** (-b) ** c",
        "(-a) ** b",
        "import a, { b as c, default as d, 'e' as f } from 'g' with { type: 'json' }",
        "import * as a from 'b'",
        "import 'a'",
        "import {} from 'a'",
        "import a, * as b from 'c'",
        "import defer * as a from 'b'",
        "import source a from 'b'",
        "import from from 'a'",
        "export * from 'a'; export * as b from 'c'; export { d, e as f, g as 'h', i as "
        "default }; export {} from 'j' with { a: 'b' }",
        "export default function () {}",
        "export default class {}",
        "export default async function a() {}",
        "export default async () => {}",
        "export default (a, b)",
        "export async function a() {}",
        "import('a')",
        "import('a', { with: {} })",
        "import.meta.url",
        "new.target",
        "new a",
        "new a.b.c(d)",
        "new (a())()",
        "new new a()()",
        "new a`b`",
        "await a",
        "await (async () => {})()",
        "using a = b",
        "async () => { await using a = b }",
        "for (using a of b);",
        "a\n<!-- b\n--> c",
        "`a${b}c${`d${e}`}f`",
        "a`b`",
        "`\\u`.c",
        "/[/]\\/[\\]]/v",
        "\\u0061b = a\\u{62}",
        "caf\xc3\xa9 = 1",
        "'\\\n'",
        "0777 + 08.5 + .5 + 5. + 1e3 + 0xff + 0b1 + 0o7 + 1_000n",
        "a: b: c",
        "if (a) function b() {}",
        "do a\nwhile (b) c",
        "switch (a) { case b: default: c; case d: }",
        "with (a) b",
        "try {} catch {} finally {}",
        "debugger",
        "a\n\xe2\x80\xa8"
        "b",
        "<a b='c\nd' e-f={g} {...h} i:j k={<l/>}>m {n} {} {...o} <></> <p.q/> it's</a>",
        "x = <a>{b}</a> < c",
        "a = <b></b>\n/c/d",
        "({ __proto__: null, 'use strict': 1 })",
        "(function () { 'use strict'; })",
        "a = b ? c : d ? e : f",
        "a = b = c",
        "(a) = b",
        "(a.b) = c",
        "[a.b, (c), ...d.e] = f",
        "({ a: b.c, d: [e] = f } = g)",
        "for ([a, b] of c);",
        "for ({ a } of b);",
        "for (a.b in c);",
        "x = { a, b }\n[c]",
        "of = 1",
        "a.if.class.of",
        "arguments[0]",
        "a = async function () { await b }",
        "a = async b => await b",
        "(async function () { await 1 })",
        "var a = 1, b, [c] = d, { e } = f",
        "var { a, b: c = 1, [d]: e, ...f } = g",
        "for (var i = ('a' in b), j = [c in d]; ;);",
        "x = y => { z }\n/a/g"
};

TEST(accepts)
{
        for (size_t i = 0; i < sizeof good / sizeof *good; i++)
                if (errors(good[i]) != 0)
                        fail_msg("refused: %s: %s", good[i], ast->first_error.msg);
}

TEST(shapes)
{
        ASSERT_TREE("a + b * c - d",
                    "EXPR_STMT(BINARY:-(BINARY:+(IDENT:a BINARY:*(IDENT:b IDENT:c)) IDENT:d))");
        ASSERT_TREE("a ** b ** c", "EXPR_STMT(BINARY:**(IDENT:a BINARY:**(IDENT:b IDENT:c)))");
        ASSERT_TREE("a || b && c | d",
                    "EXPR_STMT(BINARY:||(IDENT:a BINARY:&&(IDENT:b BINARY:|(IDENT:c IDENT:d))))");
        ASSERT_TREE("a = b ? c : d = e",
                    "EXPR_STMT(ASSIGN:=(IDENT:a COND(IDENT:b IDENT:c ASSIGN:=(IDENT:d IDENT:e))))");
        ASSERT_TREE("!a.b(c)[d]",
                    "EXPR_STMT(UNARY(INDEX(CALL(MEMBER:b(IDENT:a) IDENT:c) IDENT:d)))");
        ASSERT_TREE("(a, {b}) => c", "EXPR_STMT(FUNCTION(EMPTY PARAMS(IDENT:a "
                                     "OBJECT(PROPERTY(IDENT:b IDENT:b))) IDENT:c))");
        ASSERT_TREE("async a => { }", "EXPR_STMT(FUNCTION(EMPTY PARAMS(IDENT:a) BLOCK))");
        ASSERT_TREE("[a = 1] = b", "EXPR_STMT(ASSIGN:=(ARRAY(DEFAULT(IDENT:a NUMBER)) IDENT:b))");
        ASSERT_TREE(
                "if (a) b; else if (c) d; else e",
                "IF(IDENT:a EXPR_STMT(IDENT:b) IF(IDENT:c EXPR_STMT(IDENT:d) EXPR_STMT(IDENT:e)))");
        ASSERT_TREE("if (a) b; else if (c) d",
                    "IF(IDENT:a EXPR_STMT(IDENT:b) IF(IDENT:c EXPR_STMT(IDENT:d) EMPTY))");
        ASSERT_TREE("for (;;) a", "FOR(EMPTY EMPTY EMPTY EXPR_STMT(IDENT:a))");
        ASSERT_TREE("for (var a of b) c",
                    "FOR_OF(VAR(DECLARATOR(IDENT:a EMPTY)) IDENT:b EXPR_STMT(IDENT:c))");
        ASSERT_TREE("try { } catch { }", "TRY(BLOCK CATCH(EMPTY BLOCK) EMPTY)");
        ASSERT_TREE("import a, {b} from 'c'",
                    "IMPORT(STRING IMPORT_SPEC(IDENT:a) IMPORT_SPEC(IDENT:b))");
        ASSERT_TREE("export {a} from 'b'", "EXPORT_NAMED(EMPTY STRING EXPORT_SPEC(IDENT:a))");
        ASSERT_TREE("`a${b}c`", "EXPR_STMT(TEMPLATE(TEMPLATE_PART IDENT:b TEMPLATE_PART))");
        ASSERT_TREE("new a.b(c).d", "EXPR_STMT(MEMBER:d(NEW(MEMBER:b(IDENT:a) IDENT:c)))");
        ASSERT_TREE("<a b='c'>d{e}</a>",
                    "EXPR_STMT(JSX_ELEMENT(JSX_NAME JSX_ATTR(STRING) JSX_TEXT IDENT:e))");
        ASSERT_TREE("class A extends B { c = 1; d() {} }",
                    "CLASS(IDENT:A IDENT:B CLASS_BODY(FIELD(IDENT:c NUMBER) METHOD(IDENT:d "
                    "FUNCTION(EMPTY PARAMS BLOCK))))");
}

TEST(script_or_module)
{
        ASSERT_FALSE(parse("a()")->module);
        ASSERT_FALSE(parse("import('a')")->module);
        ASSERT_FALSE(parse("await = 1")->module);
        ASSERT_TRUE(parse("import 'a'")->module);
        ASSERT_TRUE(parse("export default 1")->module);
        ASSERT_TRUE(parse("import.meta")->module);
        ASSERT_TRUE(parse("await a()")->module);
        ASSERT_TRUE(parse("#!x\n<a/>")->jsx);
        ASSERT_TRUE(ast->hashbang);
        ASSERT_EQ(parse("a // b\n/* c */ // d")->n_comments, 3u);
        ASSERT_EQ(ast->comments[1].start, 7u);
        ASSERT_EQ(ast->comments[1].end, 14u);
}

TEST(values)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        uint32_t e;

        parse("x = ['a\\n\\x41\\u0042\\u{43}\\104\\\n\\'\\q', '\\ud83d\\ude00\\ud800', 'plain', "
              "`a\r\n\\`b`, 0x1F, 1_0.5e1, 017, 0b11, 089]");
        e = qn_js_child(ast, qn_js_child(ast, qn_js_child(ast, ast->root, 0), 0), 1);
        ASSERT_STR(qn_js_string(ast, qn_js_child(ast, e, 0), &a), "a\nABCD'q");
        ASSERT_STR(qn_js_string(ast, qn_js_child(ast, e, 1), &a), "\xf0\x9f\x98\x80\xef\xbf\xbd");
        ASSERT_STR(qn_js_string(ast, qn_js_child(ast, e, 2), &a), "plain");
        ASSERT_STR(qn_js_string(ast, qn_js_child(ast, qn_js_child(ast, e, 3), 0), &a), "a\n`b");
        ASSERT_TRUE(qn_js_number(ast, qn_js_child(ast, e, 4)) == 31);
        ASSERT_TRUE(qn_js_number(ast, qn_js_child(ast, e, 5)) == 105);
        ASSERT_TRUE(qn_js_number(ast, qn_js_child(ast, e, 6)) == 15);
        ASSERT_TRUE(qn_js_number(ast, qn_js_child(ast, e, 7)) == 3);
        ASSERT_TRUE(qn_js_number(ast, qn_js_child(ast, e, 8)) == 89);
        ASSERT_EQ(qn_js_child(ast, e, 9), 0u);
}

/* Short ones take a way of their own: to the same double. */
TEST(numbers_as_strtod_reads_them)
{
        static const char *const list[] = { "0",   "7",    "0.1", "1.005", "123456789012345", ".5",
                                            "12.", "4.35", "0.3", "1.1",   "12345678.9012345" };
        char text[64];

        for (size_t i = 0; i < QN_ARRAY_SIZE(list); i++) {
                snprintf(text, sizeof text, "x = %s", list[i]);
                parse(text);
                ASSERT_TRUE(qn_js_number(
                                    ast,
                                    qn_js_child(ast,
                                                qn_js_child(ast, qn_js_child(ast, ast->root, 0), 0),
                                                1)) == strtod(list[i], NULL));
        }
}

TEST(places)
{
        uint32_t line, col;

        parse("a\nb\r\nc\rd");
        qn_js_place(js, 0, &line, &col);
        ASSERT_EQ(line, 1u);
        ASSERT_EQ(col, 1u);
        qn_js_place(js, 5, &line, &col);
        ASSERT_EQ(line, 3u);
        ASSERT_EQ(col, 1u);
        qn_js_place(js, 7, &line, &col);
        ASSERT_EQ(line, 4u);
        ASSERT_EQ(col, 1u);
}

TEST(memory_is_given_back)
{
        parse("a = 1");
        qn_js_trim(js, 0);
        ASSERT_EQ(errors("b = 2"), 0u);
        js = qn_js_free(js);
        ASSERT_NULL(js);
}
