/* .npmrc: caps hold, and lines mean what npm takes them for. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/npmrc.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)

static bool env(void *ctx, struct qn_str name, struct qn_str *ret)
{
        if (ctx && qn_str_is(name, "BIG")) {
                *ret = qn_str_c(ctx);
                return true;
        }
        if (!qn_str_is(name, "TOKEN"))
                return false;
        *ret = QN_STR("secret");
        return true;
}

static struct qn_npmrc parsed(struct qn_arena *a, struct qn_cur in)
{
        struct qn_npmrc rc = QN_NPMRC_INIT;

        ASSERT_EQ(qn_npmrc_parse(&rc, in, env, NULL, a, NULL), 0);
        return rc;
}

static struct qn_str value_of(struct qn_arena *a, struct qn_cur in)
{
        struct qn_npmrc rc = parsed(a, in);

        return qn_npmrc_get(&rc, QN_STR("k"));
}

TEST(size_is_capped)
{
        ARENA(a);
        struct qn_npmrc rc = QN_NPMRC_INIT;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_npmrc_parse(&rc, qn_cur_mem("", QN_NPMRC_MAX + 1), NULL, NULL, &a, &err),
                  -EFBIG);
        ASSERT_TRUE(err.msg[0]);
}

TEST(expansion_is_capped)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf big = QN_BUF_INIT(100000), b = QN_BUF_INIT(100000);
        struct qn_npmrc rc = QN_NPMRC_INIT;
        struct qn_err err = { 0 };

        qn_buf_fill(&big, 'x', 60000);
        for (int i = 0; i < 20; i++)
                qn_buf_puts(&b, "k = ${BIG}\n");
        ASSERT_EQ(qn_npmrc_parse(&rc, qn_cur_str(qn_buf_view(&b)), env, big.p, &a, &err), -EFBIG);
        ASSERT_EQ(rc.n, 0);
        ASSERT_TRUE(strstr(err.msg, "line 18"));
        qn_buf_reset(&b);
        for (int i = 0; i < 20; i++)
                qn_buf_puts(&b, "${BIG}");
        ASSERT_EQ(qn_npmrc_parse(&rc, qn_cur_str(qn_buf_view(&b)), env, big.p, &a, &err), -EFBIG);
}

TEST(memory_is_capped)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(100);
        struct qn_npmrc rc = QN_NPMRC_INIT;

        ASSERT_EQ(qn_npmrc_parse(&rc, CUR("a=1\nb=2\nc=3\n"), NULL, NULL, &a, NULL), -ENOBUFS);
        ASSERT_EQ(rc.n, 0);
}

TEST(lines_that_say_nothing)
{
        ARENA(a);

        ASSERT_EQ(parsed(&a, CUR("; c\n  # c\n\n \t \r\n=x\n\xef\xbb\xbf; "
                                 "c\na=1\xe2\x80\xa8\n__proto__=1\n"))
                          .n,
                  0);
}

TEST(nul_and_broken_utf8_are_text)
{
        ARENA(a);

        ASSERT_EQ(value_of(&a, CUR("k=a\0b")).n, 3);
        ASSERT_STR(value_of(&a, CUR("k=\xff")), "\xff");
        ASSERT_STR(value_of(&a, CUR("k=\"\xff\"")), "\"\xff\"");
}

TEST(values)
{
        ARENA(a);

        ASSERT_STR(value_of(&a, CUR("k=v")), "v");
        ASSERT_STR(value_of(&a, CUR("\xef\xbb\xbf k\t=  v w ; comment\r\n")), "v w");
        ASSERT_STR(value_of(&a, CUR("k=a=b")), "a=b");
        ASSERT_STR(value_of(&a, CUR("k")), "true");
        ASSERT_STR(value_of(&a, CUR("k=")), "");
        ASSERT_STR(value_of(&a, CUR("k=a\\;b\\#c\\\\d\\e\\")), "a;b#c\\d\\e\\");
        ASSERT_STR(value_of(&a, CUR("k=\"a;b\\u0041\"")), "a;bA");
        ASSERT_STR(value_of(&a, CUR("k='a;b'")), "a;b");
        ASSERT_STR(value_of(&a, CUR("k='\"x\"'")), "x");
        ASSERT_STR(value_of(&a, CUR("k='")), "");
        ASSERT_STR(value_of(&a, CUR("k=\"")), "\"");
        ASSERT_STR(value_of(&a, CUR("k=\"a\" b\"")), "\"a\" b\"");
        ASSERT_STR(value_of(&a, CUR("\"k\"=1\nk=2")), "2");
        ASSERT_NULL(value_of(&a, CUR("[k]\nk=1\n")).p);
        ASSERT_NULL(value_of(&a, CUR("[]\nk=1\n")).p);
        ASSERT_STR(value_of(&a, CUR("[k] x\nk=1\n")), "1");
}

TEST(lists)
{
        ARENA(a);
        struct qn_npmrc rc = parsed(&a, CUR("ca[] = one\nca[]=two\n[]=x\n"));

        ASSERT_EQ(rc.n, 3);
        ASSERT_TRUE(rc.v[0].list && rc.v[1].list && !rc.v[2].list);
        ASSERT_STR(rc.v[1].key, "ca");
        ASSERT_EQ(rc.v[1].line, 2);
}

TEST(variables)
{
        ARENA(a);

        ASSERT_STR(value_of(&a, CUR("k=<${TOKEN}>")), "<secret>");
        ASSERT_STR(value_of(&a, CUR("k=${NONE}${NONE?}x")), "${NONE}x");
        ASSERT_STR(value_of(&a, CUR("k=${}$${TOKEN}${TOKEN")), "${}$secret${TOKEN");
        ASSERT_STR(value_of(&a, CUR("k='\\${TOKEN}'")), "${TOKEN}");
        ASSERT_STR(value_of(&a, CUR("k='\\\\${TOKEN}'")), "\\secret");
        ASSERT_TRUE(parsed(&a, CUR("${TOKEN}=1")).v[0].expanded);
        ASSERT_STR(parsed(&a, CUR("${TOKEN}=1")).v[0].key, "secret");
}

TEST(later_files_win)
{
        ARENA(a);
        struct qn_npmrc rc = parsed(&a, CUR("registry=https://one.invalid/\nsave=true"));

        ASSERT_EQ(qn_npmrc_parse(
                          &rc, CUR("registry=https://two.invalid/\n@s:registry=https://s.invalid/"),
                          NULL, NULL, &a, NULL),
                  0);
        ASSERT_STR(qn_npmrc_registry(&rc, QN_STR("a")), "https://two.invalid/");
        ASSERT_STR(qn_npmrc_registry(&rc, QN_STR("@s/a")), "https://s.invalid/");
        ASSERT_STR(qn_npmrc_registry(&rc, QN_STR("@t/a")), "https://two.invalid/");
        ASSERT_TRUE(qn_npmrc_bool(&rc, QN_STR("save"), false));
        ASSERT_TRUE(qn_npmrc_bool(&rc, QN_STR("audit"), true));
}

TEST(credentials_of_a_url)
{
        ARENA(a);
        struct qn_npmrc rc = parsed(&a, CUR("//h.invalid/:_authToken=root\n//h.invalid/a/"
                                            ":_authToken=a\n//h.invalid:8080/:_authToken=port\n"
                                            "//bare.invalid:_authToken=bare\n"));
        static const struct qn_str field = QN_STR("_authToken");

        ASSERT_STR(qn_npmrc_for_url(&rc, QN_STR("https://h.invalid/a/b/-/b-1.tgz?x"), field), "a");
        ASSERT_STR(qn_npmrc_for_url(&rc, QN_STR("https://u:p@H.invalid:443/ab/c"), field), "root");
        ASSERT_STR(qn_npmrc_for_url(&rc, QN_STR("http://h.invalid:8080"), field), "port");
        ASSERT_STR(qn_npmrc_for_url(&rc, QN_STR("https://bare.invalid/x"), field), "bare");
        ASSERT_NULL(qn_npmrc_for_url(&rc, QN_STR("https://other.invalid/"), field).p);
        ASSERT_NULL(qn_npmrc_for_url(&rc, QN_STR("h.invalid"), field).p);
        ASSERT_NULL(qn_npmrc_for_url(&rc, QN_STR("https://h.invalid/"), QN_STR("_auth")).p);
}
