/* binding.gyp: Python literals and the commands in them. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
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
                "",
                "{",
                "{'a'",
                "{'a':",
                "{'a':1",
                "{'a' 1}",
                "{'a':1 'b':2}",
                "{1:2}",
                "{'a':__import__('os')}",
                "{'a':x}",
                "{}[0]",
                "{} + {}",
                "{'a':'b' + c}",
                "{'a':'x\n'}",
                "{'a':'x",
                "{'a':(1,2}",
                "]",
                "{'a':'\\x4'}",
                "{,}",
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

        ASSERT_EQ(parse(CUR("# c\n{ 'a': 'x' \"y\" + 'z', 'n': -1.5, 't': True, 'o': None, 'l': "
                            "[1, (2), (3,),], 'a': '\\x41\\n' ,}\n"),
                        &g),
                  0);
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

        ASSERT_EQ(parse(CUR("{'targets':[{'target_name':'t','sources':['a.c','<!@(node -p "
                            "\"f(1)\")'],\n"
                            "'x':'>!(echo <!(date) <(v))', 'y':'<!pymod_do_main(m a b)', "
                            "'z':\"<!(['node', 'x.js'])\"}]}"),
                        &g),
                  0);
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

        ASSERT_EQ(parse(CUR("{'includes':['c.gypi'],'targets':[{'target_name':'t','actions':[{'"
                            "action_name':'a','action':['sh','x']}],"
                            "'conditions':[['OS==\"win\" and "
                            "(x==1)',{}],['__import__(\"os\")',{}]]}]}"),
                        &g),
                  0);
        ASSERT_EQ(g->n, 2);
        ASSERT_EQ(g->commands[0].kind, QN_GYP_ACTION);
        ASSERT_STR(g->commands[0].text, "sh x");
        ASSERT_STR(g->commands[0].name, "a");
        ASSERT_EQ(g->commands[1].kind, QN_GYP_CONDITION);
        ASSERT_EQ(g->n_includes, 1);
        ASSERT_STR(g->includes[0].text, "c.gypi");
}

TEST(what_python_would_evaluate)
{
        static const char *const bad[] = { "{'a':f'{x}'}",       "{'a':'%s' % 'b'}",
                                           "{'a':'b'.join([])}", "{**{}}",
                                           "[x for x in []]",    "{'a':'b' if 1 else 'c'}" };
        struct qn_gyp *g;

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                ASSERT_EQ(parse(qn_cur_str(qn_str_c(bad[i])), &g), -EBADMSG);
}

TEST(size_is_capped)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(qn_cur_mem("", QN_GYP_MAX + 1), &g), -EFBIG);
}

TEST(cut_short)
{
        static const char doc[] =
                "{'a': ['b', ('c',), \"d\\n\" 'e', 1.5, True, {}], '''f''': None}";
        struct qn_gyp *g;

        for (size_t n = 0; n < sizeof doc - 1; n++)
                ASSERT_EQ(parse(qn_cur_mem(doc, n), &g), -EBADMSG);
        ASSERT_EQ(parse(qn_cur_mem(doc, sizeof doc - 1), &g), 0);
}

TEST(commands_are_capped)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_GYP_MAX);
        struct qn_gyp *g;

        qn_buf_puts(&b, "{'a':'");
        for (unsigned i = 0; i <= QN_GYP_COMMANDS_MAX; i++)
                qn_buf_puts(&b, "<!(x)");
        qn_buf_puts(&b, "'}");
        ASSERT_EQ(parse(qn_cur_str(qn_buf_view(&b)), &g), -EFBIG);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{'a':'<!(");
        qn_buf_fill(&b, 'x', QN_COMMAND_MAX + 1);
        qn_buf_puts(&b, ")'}");
        ASSERT_EQ(parse(qn_cur_str(qn_buf_view(&b)), &g), -EFBIG);
}

/* One long line of many values, and expansions inside expansions, must not take quadratic time. */
TEST(long_lines)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_GYP_MAX);
        struct qn_gyp *g;

        qn_buf_puts(&b, "{'a':[");
        while (b.n < QN_GYP_MAX - 10)
                qn_buf_puts(&b, "1,");
        qn_buf_puts(&b, "]}");
        ASSERT_EQ(parse(qn_cur_str(qn_buf_view(&b)), &g), 0);
        qn_buf_reset(&b);
        qn_buf_puts(&b, "{'a':'");
        while (b.n < QN_GYP_MAX - 10)
                qn_buf_puts(&b, "<!(");
        qn_buf_puts(&b, "'}");
        ASSERT_EQ(parse(qn_cur_str(qn_buf_view(&b)), &g), -EFBIG);
}

TEST(expansions_that_do_not_close)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'a':'<!(curl x','b':'<!(a [b) c','c':'<!(a \"(\" b) c)'}"), &g), 0);
        ASSERT_EQ(g->n, 3);
        ASSERT_STR(g->commands[0].text, "curl x");
        ASSERT_STR(g->commands[1].text, "a [b");
        ASSERT_STR(g->commands[2].text, "a \"(\" b) c");
}

TEST(only_commands_are_commands)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'a':'<(x) <@(y) <|(f a) a<!b >! (c) ^!', '<!(key)':1}"), &g), 0);
        ASSERT_EQ(g->n, 0);
}

TEST(words_of_a_list)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'a':'''<!@([\"node\", '-e', \"a, \\\\\"b\\\\\"\", '<(v)'])'''}"), &g),
                  0);
        ASSERT_EQ(g->commands[0].argc, 4);
        ASSERT_STR(g->commands[0].argv[2], "a, \"b\"");
        ASSERT_STR(g->commands[0].text, "node -e a, \"b\" <(v)");
        ASSERT_TRUE(g->commands[0].variables);
        ASSERT_EQ(parse(CUR("{'a':'<!([x)'}"), &g), 0);
        ASSERT_EQ(g->commands[0].argc, 0);
        ASSERT_STR(g->commands[0].text, "[x");
}

TEST(keys_with_list_operators)
{
        struct qn_gyp *g;

        ASSERT_EQ(parse(CUR("{'actions+':[{'action_name':'a','action':['x']}],'sources!':['no.c'],'"
                            "sources+':['yes.c'],"
                            "'dependencies':['d.gyp:t'],'rules':[{'rule_name':'r','action':'<!(y)'}"
                            "],'postbuilds':[7,{}]}"),
                        &g),
                  0);
        ASSERT_EQ(g->n, 3);
        ASSERT_EQ(g->commands[1].kind, QN_GYP_RULE);
        ASSERT_EQ(g->commands[2].kind, QN_GYP_EXPANSION);
        ASSERT_EQ(g->n_sources, 1);
        ASSERT_STR(g->sources[0].text, "yes.c");
        ASSERT_STR(g->dependencies[0].text, "d.gyp:t");
}

static size_t conditions_in(const char *expression)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(10000);
        struct qn_gyp *g;

        qn_buf_printf(&b, "{'target_conditions':[['''%s ''',{},{}]]}", expression);
        ASSERT_EQ(parse(qn_cur_str(qn_buf_view(&b)), &g), 0);
        return g->n;
}

TEST(conditions)
{
        ASSERT_EQ(conditions_in("OS==\"win\" and not (a==1 or b in (1, 2)) and x[0] < 1.5"), 0);
        ASSERT_EQ(conditions_in("\"f(x).y\" == '<(v)'"), 0);
        ASSERT_EQ(conditions_in("v.strip()"), 1);
        ASSERT_EQ(conditions_in("\"\".__class__"), 1);
        ASSERT_EQ(conditions_in("().x"), 1);
        ASSERT_EQ(conditions_in("eval (\"1\")"), 1);
        ASSERT_EQ(conditions_in("[].append"), 1);
}
