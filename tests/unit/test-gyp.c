/* binding.gyp: Python literals and the commands in them. */
#include "base/arena.h"
#include "parse/gyp.h"
#include "test.h"

static struct qn_arena arena = QN_ARENA_INIT((size_t)64 << 20);

static int parse(struct qn_cur in, struct qn_gyp **ret)
{
        struct qn_err err = { 0 };
        int r;

        *ret = NULL;
        qn_arena_reset(&arena, 1 << 20);
        r = qn_gyp_parse(in, &arena, ret, &err);
        assert_true((r == 0) == (*ret != NULL));
        if (r < 0 && r != -ENOBUFS)
                assert_true(err.msg[0]);
        return r;
}

TEST(what_is_no_literal)
{
        static const char *const bad[] = {
                "", "{", "{'a'", "{'a':", "{'a':1", "{'a' 1}", "{'a':1 'b':2}", "{1:2}", "{'a':__import__('os')}", "{'a':x}",
                "{}[0]", "{} + {}", "{'a':'b' + c}", "{'a':'x\n'}", "{'a':'x", "{'a':(1,2}", "]", "{'a':'\\x4'}", "{,}",
        };
        struct qn_gyp *g;

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_EQ(parse(qn_cur_str(qn_str_c(bad[i])), &g), -EBADMSG);
        ASSERT_EQ(parse(CUR("{'a':'\0'"), &g), -EBADMSG);
        ASSERT_EQ(parse(CUR("{'a':'\xff'}"), &g), -EILSEQ);
        ASSERT_EQ(parse(CUR("['a']"), &g), -EINVAL);
}

TEST(nesting_is_capped)
{
        static char deep[20000];
        struct qn_gyp *g;

        memset(deep, '[', sizeof deep);
        ASSERT_EQ(parse(qn_cur_mem(deep, sizeof deep), &g), -EFBIG);
}

TEST(literals)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("# c\n{ 'a': 'x' \"y\" + 'z', 'n': -1.5, 't': True, 'o': None, 'l': [1, (2), (3,),], 'a': '\\x41\\n' ,}\n"), &g), 0);
        ASSERT_STR(qn_node_text(qn_node_get(g->root, "a")), "A\n");
        ASSERT_TRUE(g->root->duplicate);
        ASSERT_EQ(qn_node_get(g->root, "l")->n, 3);
        ASSERT_EQ(qn_node_get(g->root, "l")->items[1]->type, QN_NODE_NUMBER);
        ASSERT_EQ(qn_node_get(g->root, "l")->items[2]->type, QN_NODE_ARRAY);
        ASSERT_TRUE(qn_node_bool(qn_node_get(g->root, "t"), false));
        ASSERT_EQ(parse(CUR("{'a': r'\\d' '''x\ny'''}"), &g), 0);
        ASSERT_STR(qn_node_text(qn_node_get(g->root, "a")), "\\dx\ny");
}

TEST(expansions)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'targets':[{'target_name':'t','sources':['a.c','<!@(node -p \"f(1)\")'],\n"
                            "'x':'>!(echo <!(date) <(v))', 'y':'<!pymod_do_main(m a b)', 'z':\"<!(['node', 'x.js'])\"}]}"), &g), 0);
        ASSERT_EQ(g->n, 5);
        ASSERT_STR(g->commands[0].text, "node -p \"f(1)\"");
        ASSERT_TRUE(g->commands[0].list);
        ASSERT_STR(g->commands[0].target, "t");
        ASSERT_EQ(g->commands[0].line, 1);
        ASSERT_STR(g->commands[1].text, "echo <!(date) <(v)");
        ASSERT_EQ(g->commands[1].phase, '>');
        ASSERT_STR(g->commands[2].text, "date");
        ASSERT_TRUE(g->commands[2].nested);
        ASSERT_EQ(g->commands[3].kind, QN_GYP_PYMOD);
        ASSERT_STR(g->commands[3].text, "m a b");
        ASSERT_EQ(g->commands[4].argc, 2);
        ASSERT_STR(g->commands[4].argv[1], "x.js");
        ASSERT_TRUE(g->variables);
        ASSERT_EQ(g->n_sources, 2);
}

TEST(actions_and_conditions)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'includes':['c.gypi'],'targets':[{'target_name':'t','actions':[{'action_name':'a','action':['sh','x']}],"
                            "'conditions':[['OS==\"win\" and (x==1)',{}],['__import__(\"os\")',{}]]}]}"), &g), 0);
        ASSERT_EQ(g->n, 2);
        ASSERT_EQ(g->commands[0].kind, QN_GYP_ACTION);
        ASSERT_STR(g->commands[0].text, "sh x");
        ASSERT_STR(g->commands[0].name, "a");
        ASSERT_EQ(g->commands[1].kind, QN_GYP_CONDITION);
        ASSERT_EQ(g->n_includes, 1);
        ASSERT_STR(g->includes[0].text, "c.gypi");
}
