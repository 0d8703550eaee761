/* Names and the declarations they mean. */
#include "parse/js.h"
#include "test.h"

static struct qn_js *js;
static const struct qn_js_ast *ast;

static void parse(const char *c)
{
        if (!js)
                js = qn_js_new();
        assert_non_null(js);
        ASSERT_EQ(qn_js_parse(js, qn_str_c(c), QN_JS_AUTO, 0, &ast, NULL), 0);
        ASSERT_EQ(ast->errors, 0u);
}

/* The IDENT node that stands at the n-th (from 0) occurrence of name. */
static const struct qn_js_node *at(const char *name, unsigned n)
{
        struct qn_str rest = ast->source;
        ptrdiff_t i = 0;

        for (unsigned k = 0; k <= n; k++) {
                i = qn_str_find(rest, qn_str_c(name));
                assert_true(i >= 0);
                rest = qn_str_skip(rest, (size_t)i + 1);
        }
        for (uint32_t k = ast->n_nodes - 1; k; k--)
                if (ast->nodes[k].type == QN_JS_IDENT &&
                    ast->nodes[k].start == ast->source.n - rest.n - 1)
                        return &ast->nodes[k];
        fail_msg("no %s", name);
        return NULL;
}

static uint32_t binding(const char *name, unsigned n)
{
        return at(name, n)->first;
}

static const struct qn_js_binding *info(const char *name, unsigned n)
{
        return &ast->bindings[binding(name, n)];
}

TEST(globals_have_no_binding)
{
        parse("aa = bb.cc; ({ dd: 1, ee })");
        ASSERT_EQ(binding("aa", 0), 0u);
        ASSERT_EQ(binding("bb", 0), 0u);
        ASSERT_EQ(binding("dd", 0), 0u);
        ASSERT_EQ(ast->n_bindings, 1u);
        ASSERT_EQ(at("aa", 0)->op, QN_JS_REF_WRITE);
}

TEST(var_is_hoisted_out_of_blocks)
{
        parse("function ff() { xx = 1; { var xx = 2; } return xx } xx");
        ASSERT_TRUE(binding("xx", 0) != 0);
        ASSERT_EQ(binding("xx", 0), binding("xx", 1));
        ASSERT_EQ(binding("xx", 0), binding("xx", 2));
        ASSERT_EQ(binding("xx", 3), 0u);
        ASSERT_EQ(info("xx", 1)->kind, QN_JS_B_VAR);
        ASSERT_EQ(info("xx", 1)->writes, 1u);
        ASSERT_EQ(info("xx", 1)->reads, 1u);
}

TEST(let_stays_in_its_block)
{
        parse("let xx = 1; { let xx = 2; xx } xx; for (let yy of zz) yy; yy");
        ASSERT_TRUE(binding("xx", 0) != binding("xx", 1));
        ASSERT_EQ(binding("xx", 2), binding("xx", 1));
        ASSERT_EQ(binding("xx", 3), binding("xx", 0));
        ASSERT_EQ(binding("yy", 1), binding("yy", 0));
        ASSERT_EQ(binding("yy", 2), 0u);
        ASSERT_EQ(info("yy", 0)->writes, 1u);
}

TEST(parameters_of_arrows)
{
        parse("(aa, { bb = cc => aa, ...dd }, [ee] = bb) => aa + bb + dd + ee; aa");
        ASSERT_EQ(info("aa", 0)->kind, QN_JS_B_PARAM);
        ASSERT_EQ(binding("aa", 1), binding("aa", 0));
        ASSERT_EQ(binding("aa", 2), binding("aa", 0));
        ASSERT_EQ(binding("aa", 3), 0u);
        ASSERT_EQ(binding("bb", 1), binding("bb", 0));
        ASSERT_EQ(binding("ee", 1), binding("ee", 0));
        ASSERT_EQ(info("cc", 0)->kind, QN_JS_B_PARAM);
        ASSERT_TRUE(info("cc", 0)->scope != info("aa", 0)->scope);
        ASSERT_EQ(ast->scopes[info("cc", 0)->scope].parent, info("aa", 0)->scope);
        parse("async (aa) => aa; async bb => bb; xx => xx; async(yy)");
        ASSERT_EQ(binding("aa", 0), binding("aa", 1));
        ASSERT_EQ(binding("bb", 0), binding("bb", 1));
        ASSERT_EQ(binding("yy", 0), 0u);
}

TEST(kinds)
{
        parse("import aa, { bb as cc } from 'x'; function dd() {} class ee {} try {} catch (ff) { "
              "ff } const gg = 1;"
              "(function hh(ii, ...jj) { hh; ii; jj }); (class kk { ll() { kk } });");
        ASSERT_EQ(info("aa", 0)->kind, QN_JS_B_IMPORT);
        ASSERT_EQ(info("cc", 0)->kind, QN_JS_B_IMPORT);
        ASSERT_EQ(info("dd", 0)->kind, QN_JS_B_FUNCTION);
        ASSERT_EQ(info("ee", 0)->kind, QN_JS_B_CLASS);
        ASSERT_EQ(info("ff", 1)->kind, QN_JS_B_CATCH);
        ASSERT_EQ(info("gg", 0)->kind, QN_JS_B_CONST);
        ASSERT_EQ(info("hh", 1)->kind, QN_JS_B_FUNCTION);
        ASSERT_EQ(info("ii", 1)->kind, QN_JS_B_PARAM);
        ASSERT_EQ(info("jj", 1)->kind, QN_JS_B_PARAM);
        ASSERT_EQ(info("kk", 1)->kind, QN_JS_B_CLASS);
        ASSERT_EQ(ast->nodes[info("aa", 0)->parent].type, QN_JS_IMPORT_SPEC);
        ASSERT_EQ(ast->nodes[info("ii", 0)->parent].type, QN_JS_PARAMS);
        ASSERT_EQ(ast->nodes[info("gg", 0)->parent].type, QN_JS_DECLARATOR);
}

TEST(functions_in_blocks)
{
        parse("{ function ff() {} ff } ff()");
        ASSERT_EQ(binding("ff", 1), binding("ff", 0));
        ASSERT_EQ(info("ff", 2)->parent, info("ff", 0)->parent);
        parse("'use strict'; { function ff() {} ff } ff()");
        ASSERT_EQ(binding("ff", 2), 0u);
}

TEST(own_name_gives_way)
{
        parse("(function ff() { var ff = 1; return ff })");
        ASSERT_EQ(info("ff", 2)->kind, QN_JS_B_VAR);
        ASSERT_EQ(info("ff", 2)->writes, 0u);
}

TEST(writes_are_counted)
{
        parse("var aa = 1, bb; aa += 2; aa++; [aa, bb] = cc; for (bb in dd); var aa = 3; var aa; "
              "({ aa } = ee); ({ bb = 1 } = ff)");
        ASSERT_EQ(info("aa", 0)->writes, 5u);
        ASSERT_EQ(info("aa", 0)->reads, 2u);
        ASSERT_EQ(info("bb", 0)->writes, 3u);
        ASSERT_EQ(info("bb", 0)->reads, 0u);
}

TEST(exports_read)
{
        parse("var aa; export { aa as bb }; export { cc } from 'x'; var cc");
        ASSERT_EQ(info("aa", 0)->reads, 1u);
        ASSERT_EQ(info("cc", 1)->reads, 0u);
}

TEST(jsx_uses_components)
{
        parse("var Aa, bb; <Aa/>; <bb/>; <bb.Cc></bb.Cc>");
        ASSERT_EQ(info("Aa", 0)->reads, 1u);
        ASSERT_EQ(info("bb", 0)->reads, 1u);
}

TEST(eval_and_with)
{
        parse("function ff(xx) { eval('y') } function gg(yy) { return () => yy }");
        ASSERT_TRUE(ast->scopes[info("xx", 0)->scope].has_eval);
        ASSERT_TRUE(ast->scopes[1].has_eval);
        ASSERT_FALSE(ast->scopes[info("yy", 0)->scope].has_eval);
        parse("function ff(xx) { with (xx) { let zz; zz } } function gg(yy) { return () => yy }");
        ASSERT_TRUE(ast->scopes[info("xx", 0)->scope].has_with);
        ASSERT_TRUE(ast->scopes[info("zz", 0)->scope].has_with);
        ASSERT_FALSE(ast->scopes[info("yy", 0)->scope].has_with);
}

TEST(labels_and_keys_are_no_names)
{
        parse("var aa; aa: for (;;) { break aa } ({ aa: 1 }).aa; class B { aa() {} }");
        ASSERT_EQ(info("aa", 0)->reads, 0u);
}

TEST(names_by_text)
{
        parse("var caf\xc3\xa9 = 1; caf\\u00e9; var abcdefghijklmnopqrstuvwxyz; "
              "abcdefghijklmnopqrstuvwxyz; abcdefghijklmnopqrstuvwxy");
        ASSERT_EQ(info("caf", 0)->reads, 1u);
        ASSERT_EQ(info("abcdefghijklmnopqrstuvwxyz", 0)->reads, 1u);
        ASSERT_EQ(binding("abcdefghijklmnopqrstuvwxy", 2), 0u);
        js = qn_js_free(js);
}
