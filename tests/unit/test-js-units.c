/* Statements that are known again whatever a tool did to them. */
#include "observe/js-units.h"

#include "base/arena.h"
#include "base/hashset.h"
#include "parse/js.h"
#include "test.h"

static struct qn_js *js;
static struct qn_arena arena = { .max = 64 << 20 };

static struct qn_js_units units_of(const char *source)
{
        const struct qn_js_ast *ast = NULL;
        struct qn_js_units u;
        struct qn_err err = { 0 };

        if (!js)
                js = qn_js_new();
        ASSERT_EQ(qn_js_parse(js, qn_str_c(source), QN_JS_AUTO, 0, &ast, &err), 0);
        ASSERT_EQ(qn_js_units(ast, &arena, &u), 0);
        return u;
}

static bool same(const char *a, const char *b)
{
        struct qn_js_units x = units_of(a), y = units_of(b);

        return x.v[0].body == y.v[0].body;
}

/* The unit that begins where text stands. */
static const struct qn_js_unit *at(const struct qn_js_units *u, const char *source,
                                   const char *text)
{
        const char *p = strstr(source, text);

        ASSERT_NOT_NULL(p);
        return &u->v[qn_js_unit_at(u, (uint32_t)(p - source))];
}

TEST(other_code_is_other_code)
{
        ASSERT_FALSE(same("fetch('a')", "fetch('b')"));
        ASSERT_FALSE(same("x.send(1 + 2)", "x.send(1 + 3)"));
        ASSERT_FALSE(same("a.b.c()", "a.b.d()"));
        ASSERT_FALSE(same("f(/a/)", "f(/b/)"));
        ASSERT_FALSE(same("new Date", "Date"));
        ASSERT_FALSE(same("x = { a: 5 }", "x = { b: 5 }"));
}

TEST(names_and_layout_do_not_count)
{
        ASSERT_TRUE(
                same("function total(prices) { return prices.reduce((sum, p) => sum + p.net, 7); }",
                     "function a(n){return n.reduce((n,r)=>n+r.net,7)}"));
        ASSERT_TRUE(same("var a = 5; var b = 6; use(a, b);", "var x=5,y=6;use(x,y)"));
}

TEST(a_minifier_changes_nothing)
{
        ASSERT_TRUE(same("if (ready) { start('x'); } else { stop('y'); }",
                         "ready?start('x'):stop('y')"));
        ASSERT_TRUE(same("let f = true; if (f === undefined) g.go('z');",
                         "let n=!0;n===undefined&&g.go('z')"));
        ASSERT_TRUE(same("o['key'] = o.other", "o.key=o.other"));
        ASSERT_TRUE(same("f({ password })", "f({ password: password })"));
        ASSERT_TRUE(same("x.f(1000)", "x.f(1e3)"));
}

TEST(elements_of_a_list_are_statements)
{
        const char *a = "a.one('1'), b.two('2'), c.three('3');", *b = "c.three('3'); a.one('1');";
        struct qn_js_units x = units_of(a), y = units_of(b);

        ASSERT_EQ(at(&x, a, "a.one")->hash, at(&y, b, "a.one")->hash);
        ASSERT_EQ(at(&x, a, "c.three")->hash, at(&y, b, "c.three")->hash);
        ASSERT_TRUE(at(&x, a, "b.two")->hash != at(&y, b, "a.one")->hash);
}

TEST(a_function_does_not_change_what_stands_around_it)
{
        const char *a = "exports.run = function () { one('a'); };";
        const char *b = "exports.run = function () { one('a'); two('b'); };";
        struct qn_js_units x = units_of(a), y = units_of(b);

        ASSERT_EQ(x.v[0].body, y.v[0].body);
        ASSERT_EQ(at(&x, a, "one")->hash, at(&y, b, "one")->hash);
        ASSERT_EQ(at(&y, b, "two")->features, 3);
}

TEST(the_innermost_unit_is_found)
{
        const char *s = "top('t'); function f() { if (q('c')) { deep('d'); } } last('l');";
        struct qn_js_units u = units_of(s);

        ASSERT_TRUE(at(&u, s, "deep")->hash != at(&u, s, "q('c')")->hash);
        ASSERT_TRUE(at(&u, s, "last")->hash != at(&u, s, "deep")->hash);
        ASSERT_EQ(at(&u, s, "last")->end - at(&u, s, "last")->start, strlen("last('l')"));
        ASSERT_EQ(qn_js_unit_at(&u, 1u << 30), 0);
}

TEST(deep_nesting_is_linear)
{
        static char s[1 << 20];
        size_t n = 0;
        struct qn_js_units u;

        for (int i = 0; i < 600; i++)
                n += (size_t)snprintf(s + n, sizeof s - n, "{if(a.b('x%d'))", i);
        n += (size_t)snprintf(s + n, sizeof s - n, "c();");
        for (int i = 0; i < 600; i++)
                s[n++] = '}';
        s[n] = '\0';
        u = units_of(s);
        ASSERT_TRUE(u.n > 600);
}
