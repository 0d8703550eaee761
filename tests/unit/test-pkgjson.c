/* package.json: wrong types leave a note and nothing else; right ones arrive with their place. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/json.h"
#include "parse/pkgjson.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20)

static struct qn_pkgjson *parsed(struct qn_arena *a, struct qn_cur in)
{
        struct qn_pkgjson *p = NULL;
        struct qn_err err = { 0 };

        if (qn_pkgjson_parse(in, a, &p, &err) != 0)
                fail_msg("%s", err.msg);
        return p;
}

static void assert_refused(struct qn_cur in, int code)
{
        ARENA(a);
        struct qn_pkgjson *p = NULL;
        struct qn_err err = { 0 };

        ASSERT_EQ(qn_pkgjson_parse(in, &a, &p, &err), code);
        ASSERT_NULL(p);
        ASSERT_TRUE(err.msg[0]);
}

TEST(only_objects)
{
        assert_refused(CUR("[]"), -EINVAL);
        assert_refused(CUR("null"), -EINVAL);
        assert_refused(CUR("\"x\""), -EINVAL);
        assert_refused(CUR(""), -EBADMSG);
        assert_refused(CUR("{\"name\":\"a\""), -EBADMSG);
        assert_refused(CUR("{\"name\":\"a\0\"}"), -EBADMSG);
        assert_refused(CUR("{\"name\":\"\xff\"}"), -EILSEQ);
}

TEST(deep_nesting_is_refused)
{
        char doc[10010] = "{\"exports\":";

        memset(doc + 11, '[', sizeof doc - 11);
        assert_refused(qn_cur_mem(doc, sizeof doc), -EFBIG);
}

TEST(wrong_types_leave_notes)
{
        ARENA(a);
        struct qn_pkgjson *p = parsed(
                &a,
                CUR("{\"name\":1,\"version\":[],\"scripts\":[\"x\"],\"dependencies\":\"x\",\"bin\":"
                    "7,"
                    "\"exports\":true,\"imports\":[],\"files\":{},\"gypfile\":\"yes\",\"main\":{},"
                    "\"bundleDependencies\":5,\"repository\":1e999,\"engines\":[],\"os\":1}"));

        ASSERT_EQ(p->n_odd, 14);
        ASSERT_NULL(p->name.text.p);
        ASSERT_EQ(p->scripts.n + p->n_deps + p->bin.n + p->exports.n + p->imports.n + p->files.n,
                  0);
        ASSERT_EQ(p->gypfile, -1);
        for (size_t i = 0; i < p->n_odd; i++)
                ASSERT_TRUE(p->odd[i].off > 0 && p->odd[i].field.n > 0);
}

TEST(wrong_members_are_left_out)
{
        ARENA(a);
        struct qn_pkgjson *p = parsed(&a, CUR("{\"scripts\":{\"a\":1,\"b\":\"c\",\"d\":null},"
                                              "\"dependencies\":{\"x\":{},\"y\":\"1\"},"
                                              "\"files\":[1,\"f\"]}"));

        ASSERT_EQ(p->n_odd, 4);
        ASSERT_EQ(p->scripts.n, 1);
        ASSERT_STR(qn_pkgjson_script(p, "b")->value, "c");
        ASSERT_NULL(qn_pkgjson_script(p, "a"));
        ASSERT_EQ(p->n_deps, 1);
        ASSERT_EQ(p->files.n, 1);
}

TEST(notes_are_capped)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(100000);
        struct qn_pkgjson *p;

        qn_buf_puts(&b, "{\"files\":[0");
        for (int i = 0; i < 1000; i++)
                qn_buf_puts(&b, ",0");
        qn_buf_puts(&b, "]}");
        p = parsed(&a, qn_cur_str(qn_buf_view(&b)));
        ASSERT_EQ(p->n_odd, QN_PKGJSON_ODD_MAX);
}

TEST(texts_and_places)
{
        ARENA(a);
        static const char doc[] =
                "{\"name\":\"@s/n\",\"version\":\"1.0.0\",\"main\":\"./m.js\",\"type\":\"module\","
                "\"repository\":{\"url\":\"git+x\",\"directory\":\"d\"},\"license\":{\"type\":"
                "\"MIT\"},"
                "\"publishConfig\":{\"registry\":\"r\"},\"directories\":{\"bin\":\"b\"},"
                "\"private\":true}";
        struct qn_pkgjson *p = parsed(&a, CUR(doc));

        ASSERT_STR(p->name.text, "@s/n");
        ASSERT_EQ(doc[p->main.off], '"');
        ASSERT_EQ(memcmp(doc + p->main.off, "\"./m.js\"", 8), 0);
        ASSERT_STR(p->repository.text, "git+x");
        ASSERT_STR(p->repository_directory.text, "d");
        ASSERT_STR(p->license.text, "MIT");
        ASSERT_STR(p->publish_registry.text, "r");
        ASSERT_STR(p->directories_bin.text, "b");
        ASSERT_STR(p->type.text, "module");
        ASSERT_TRUE(p->is_private);
        ASSERT_EQ(p->n_odd, 0);
        ASSERT_NULL(p->module.text.p);
}

TEST(bins)
{
        ARENA(a);
        struct qn_pkgjson *p = parsed(&a, CUR("{\"name\":\"@s/tool\",\"bin\":\"./x.js\"}"));

        ASSERT_EQ(p->bin.n, 1);
        ASSERT_STR(p->bin.v[0].name, "tool");
        p = parsed(&a, CUR("{\"name\":\"@s/tool\",\"bin\":{\"a\":\"1\",\"b\":\"2\"}}"));
        ASSERT_EQ(p->bin.n, 2);
        ASSERT_STR(p->bin.v[1].value, "2");
}

TEST(browser_maps)
{
        ARENA(a);
        struct qn_pkgjson *p =
                parsed(&a, CUR("{\"browser\":{\"fs\":false,\"./a.js\":\"./b.js\",\"c\":true}}"));

        ASSERT_EQ(p->browser.n, 2);
        ASSERT_NULL(p->browser.v[0].value.p);
        ASSERT_STR(p->browser.v[1].value, "./b.js");
        ASSERT_EQ(p->n_odd, 1);
        p = parsed(&a, CUR("{\"browser\":\"b.js\"}"));
        ASSERT_STR(p->browser_main.text, "b.js");
}

TEST(dependency_blocks)
{
        ARENA(a);
        struct qn_pkgjson *p = parsed(&a, CUR("{\"optionalDependencies\":{\"o\":\"1\"},"
                                              "\"dependencies\":{\"a\":\"^1\",\"b\":\"*\"},"
                                              "\"peerDependencies\":{\"p\":\"2\",\"q\":\"3\"},"
                                              "\"devDependencies\":{\"d\":\"4\"},"
                                              "\"peerDependenciesMeta\":{\"q\":{\"optional\":true}}"
                                              ",\"bundledDependencies\":[\"b\",\"d\"]}"));

        ASSERT_EQ(p->n_deps, 6);
        ASSERT_STR(p->deps[0].name, "a");
        ASSERT_FALSE(p->deps[0].bundled);
        ASSERT_TRUE(p->deps[1].bundled);
        ASSERT_EQ(p->deps[2].block, QN_DEP_DEV);
        ASSERT_FALSE(p->deps[2].bundled);
        ASSERT_FALSE(p->deps[3].optional);
        ASSERT_TRUE(p->deps[4].optional);
        ASSERT_EQ(p->deps[5].block, QN_DEP_OPTIONAL);
        ASSERT_EQ(p->n_odd, 0);
}

TEST(bundled_forms)
{
        ARENA(a);

        ASSERT_TRUE(parsed(&a, CUR("{\"bundleDependencies\":true,\"dependencies\":{\"a\":\"1\"}}"))
                            ->deps[0]
                            .bundled);
        ASSERT_FALSE(
                parsed(&a, CUR("{\"bundleDependencies\":false,\"dependencies\":{\"a\":\"1\"}}"))
                        ->deps[0]
                        .bundled);
        ASSERT_TRUE(
                parsed(&a,
                       CUR("{\"bundleDependencies\":{\"a\":\"1\"},\"dependencies\":{\"a\":\"1\"}}"))
                        ->deps[0]
                        .bundled);
        ASSERT_EQ(parsed(&a, CUR("{\"bundleDependencies\":[\"a\"],\"bundledDependencies\":[\"b\","
                                 "\"c\"]}"))
                          ->bundled.n,
                  1);
}

static void assert_entry(const struct qn_pkgjson_entry *e, const char *subpath,
                         const char *conditions, const char *target)
{
        ASSERT_STR(e->subpath, subpath);
        ASSERT_STR(e->conditions, conditions);
        if (target)
                ASSERT_STR(e->target, target);
        else
                ASSERT_NULL(e->target.p);
}

TEST(exports_are_flattened)
{
        ARENA(a);
        struct qn_pkgjson *p = parsed(
                &a, CUR("{\"exports\":{\".\":{\"node\":{\"import\":\"./a.mjs\",\"default\":\"./"
                        "a.js\"},\"default\":\"./b.js\"},"
                        "\"./x/*\":[\"./x/*.js\",{\"deno\":\"./d.js\"}],\"./secret\":null}}"));

        ASSERT_EQ(p->exports.n, 6);
        assert_entry(&p->exports.v[0], ".", "node import", "./a.mjs");
        assert_entry(&p->exports.v[1], ".", "node default", "./a.js");
        assert_entry(&p->exports.v[2], ".", "default", "./b.js");
        assert_entry(&p->exports.v[3], "./x/*", "", "./x/*.js");
        assert_entry(&p->exports.v[4], "./x/*", "deno", "./d.js");
        assert_entry(&p->exports.v[5], "./secret", "", NULL);
        p = parsed(&a, CUR("{\"exports\":\"./m.js\",\"imports\":{\"#dep\":{\"node\":\"d\"}}}"));
        assert_entry(&p->exports.v[0], ".", "", "./m.js");
        assert_entry(&p->imports.v[0], "#dep", "node", "d");
        p = parsed(&a, CUR("{\"exports\":{\"import\":\"./i.js\",\"require\":7}}"));
        ASSERT_EQ(p->exports.n, 1);
        ASSERT_EQ(p->n_odd, 1);
        assert_entry(&p->exports.v[0], ".", "import", "./i.js");
}

TEST(deep_exports_keep_their_target)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(100000);
        struct qn_pkgjson *p;

        qn_buf_puts(&b, "{\"exports\":");
        for (int i = 0; i < 300; i++)
                qn_buf_puts(&b, "{\"node\":");
        qn_buf_puts(&b, "\"./evil.js\"");
        qn_buf_fill(&b, '}', 301);
        p = parsed(&a, qn_cur_str(qn_buf_view(&b)));
        ASSERT_EQ(p->exports.n, 1);
        ASSERT_STR(p->exports.v[0].target, "./evil.js");
        ASSERT_TRUE(p->exports.v[0].conditions.n <= QN_PKGJSON_CONDITIONS_MAX);
        ASSERT_TRUE(p->n_odd > 0);
}

TEST(lists)
{
        ARENA(a);
        struct qn_pkgjson *p =
                parsed(&a, CUR("{\"workspaces\":{\"packages\":[\"a/"
                               "*\",\"b\"]},\"os\":\"linux\",\"cpu\":[\"x64\",\"!arm\"],"
                               "\"engines\":{\"node\":\">=18\"},\"gypfile\":false}"));

        ASSERT_EQ(p->workspaces.n, 2);
        ASSERT_EQ(p->os.n, 1);
        ASSERT_STR(p->cpu.v[1].text, "!arm");
        ASSERT_STR(p->engines.v[0].value, ">=18");
        ASSERT_EQ(p->gypfile, 0);
}

TEST(repeated_keys)
{
        ARENA(a);
        struct qn_pkgjson *p =
                parsed(&a, CUR("{\"scripts\":{\"install\":\"good\",\"install\":\"bad\"}}"));

        ASSERT_TRUE(p->duplicate);
        ASSERT_STR(qn_pkgjson_script(p, "install")->value, "bad");
        ASSERT_FALSE(parsed(&a, CUR("{\"scripts\":{\"install\":\"good\"}}"))->duplicate);
}

TEST(many_dependencies_do_not_take_quadratic_time)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)16 << 20);
        struct qn_pkgjson *p;

        qn_buf_puts(&b, "{\"bundleDependencies\":[\"\"");
        for (int i = 0; i < 40000; i++)
                qn_buf_printf(&b, ",\"n%d\"", i);
        qn_buf_puts(&b, "],\"dependencies\":{\"\":\"\"");
        for (int i = 0; i < 40000; i++)
                qn_buf_printf(&b, ",\"m%d\":\"1\"", i);
        qn_buf_puts(&b, "}}");
        p = parsed(&a, qn_cur_str(qn_buf_view(&b)));
        ASSERT_EQ(p->n_deps, 40001);
}
