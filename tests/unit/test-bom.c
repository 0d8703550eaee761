/* Lists of packages in every form: what is none is refused with a reason; each form gives names, versions, flags and who
 * needs whom. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/bom-installed.h"
#include "parse/bom.h"
#include "parse/files.h"
#include "role/bom-wire.h"
#include "test.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 30)

static struct qn_bom *with(struct qn_arena *a, const char *name, struct qn_cur doc,
                           struct qn_cur beside)
{
        const struct qn_bom_in in = { doc, beside, qn_str_c(name) };
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };

        if (qn_bom_read(&in, a, &bom, &err) != 0)
                fail_msg("%s", err.msg);
        return bom;
}

static struct qn_bom *parsed(struct qn_arena *a, const char *name, struct qn_cur doc)
{
        return with(a, name, doc, CUR(""));
}

static void refused(const char *name, struct qn_cur doc, int code, const char *message)
{
        ARENA(a);
        const struct qn_bom_in in = { .doc = doc, .name = qn_str_c(name) };
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        int r = qn_bom_read(&in, &a, &bom, &err);

        if (r != code || !strstr(err.msg, message))
                fail_msg("%s: %d \"%s\" is not %d \"%s\"", name, r, err.msg, code, message);
        ASSERT_NULL(bom);
}

static const struct qn_bom_item *find(const struct qn_bom *b, const char *name, const char *version)
{
        for (size_t i = 0; i < b->n; i++)
                if (qn_str_is(b->items[i].name, name) &&
                    (version ? qn_str_is(b->items[i].version, version) : !b->items[i].version.p))
                        return &b->items[i];
        fail_msg("%s@%s is not there", name, version ? version : "");
        return NULL;
}

static bool needs(const struct qn_bom *b, const struct qn_bom_item *from,
                  const struct qn_bom_item *to)
{
        uint32_t x = from ? (uint32_t)(from - b->items) : QN_BOM_ROOT;

        for (size_t i = 0; i < b->n_edges; i++)
                if (b->edges[i].from == x && b->edges[i].to == (uint32_t)(to - b->items))
                        return true;
        return false;
}

/* --- addresses --- */

TEST(addresses)
{
        ARENA(a);
        static const char bun[] =
                "{\"lockfileVersion\":1,\"workspaces\":{\"\":{\"name\":\"p\"}},\"packages\":{"
                "\"ms\":[\"ms@https://r.invalid/ms/-/ms-2.0.0.tgz\",{}],"
                "\"@s/b\":[\"@s/b@https://r.invalid/@s/b/-/b-1.0.0-rc.1.tgz\",{}],"
                "\"c\":[\"c@https://h.invalid/c-1.0.0.tgz\",{}],"
                "\"d\":[\"d@https://r.invalid/d/-/other-1.0.0.tgz\",{}]}}";
        struct qn_bom *b = parsed(&a, "bun.lock", qn_cur_str(qn_str_c(bun)));

        find(b, "ms", "2.0.0");
        find(b, "@s/b", "1.0.0-rc.1");
        find(b, "c", NULL); /* any file may be called so */
        find(b, "d", NULL);
        b = parsed(
                &a, "pnpm-lock.yaml",
                CUR("lockfileVersion: '9.0'\n"
                    "packages:\n"
                    "  g@https://h.invalid/g.git:\n"
                    "    resolution: {commit: 1234567, repo: https://h.invalid/g.git, type: git}\n"
                    "    version: 1.0.0\n"));
        ASSERT_STR(find(b, "g", "1.0.0")->resolved, "git+https://h.invalid/g.git#1234567");
        ASSERT_EQ(find(b, "g", "1.0.0")->origin, QN_BOM_FROM_GIT);
}

/* --- what is refused --- */

TEST(nothing_known)
{
        refused("x", CUR(""), -EINVAL, "neither a lock file");
        refused("x", CUR("hello"), -EINVAL, "neither a lock file");
        refused("x", CUR("{}"), -EINVAL, "neither a lock file");
        refused("x", CUR("{"), -EBADMSG, "cut short");
}

TEST(refused_lock_files)
{
        refused("package-lock.json", CUR("{}"), -EINVAL, "no lockfileVersion");
        refused("bun.lock", CUR("{}"), -EINVAL, "not a lock file of bun");
        refused("bun.lock",
                CUR("{\"lockfileVersion\":1,\"workspaces\":{},\"packages\":{\"a\":{}}}"), -EINVAL,
                "not a list");
        refused("bun.lock", CUR("{\"lockfileVersion\":2,\"workspaces\":{}}"), -ENOTSUP,
                "lockfileVersion 2");
        refused("bun.lockb", CUR("nothing"), -EINVAL, "not a binary lock file");
        refused("bun.lockb", CUR("#!/usr/bin/env bun\nbun-lockfile-format-v0\n"), -EBADMSG,
                "cut short");
        refused("bun.lockb",
                CUR("#!/usr/bin/env bun\nbun-lockfile-format-v0\n\1\0\0\0"
                    "01234567890123456789012345678901"
                    "\0\0\0\0\0\0\0\0"),
                -ENOTSUP, "format 1");
        refused("deno.lock", CUR("{}"), -EINVAL, "no version");
        refused("deno.lock", CUR("{\"version\":\"9\"}"), -ENOTSUP, "version 9");
        refused("pnpm-lock.yaml", CUR("packages: {}"), -EINVAL, "no lockfileVersion");
        refused("pnpm-lock.yaml", CUR("lockfileVersion: 4.0"), -ENOTSUP, "lockfileVersion 4.0");
        refused("pnpm-lock.yaml", CUR("lockfileVersion: '9.0'\na: &a [*a]\n"), -EFBIG,
                "contains itself");
        refused("yarn.lock", CUR("__metadata:\n  version: 8\n\"a@npm:1\": [\n"), -EBADMSG, "");
        refused("yarn.lock", CUR("a@1:\n   version \"1\"\n"), -EBADMSG, "odd indentation");
        refused("yarn.lock", CUR("  version \"1\"\n"), -EBADMSG, "without an entry");
        refused("yarn.lock", CUR("\"a@1:\n"), -EBADMSG, "closing quote");
        refused("yarn.lock", CUR("a@1\n"), -EBADMSG, "colon");
        refused("yarn.lock", CUR("<<<<<<< HEAD\n"), -EBADMSG, "merge conflict");
}

static void billion_laughs(struct qn_buf *b)
{
        qn_buf_puts(b, "lockfileVersion: '9.0'\nx0: &x0 [a,a,a,a,a,a,a,a,a,a]\n");
        for (int i = 1; i < 10; i++) {
                qn_buf_printf(b, "x%d: &x%d [", i, i);
                for (int k = 0; k < 10; k++)
                        qn_buf_printf(b, "%s*x%d", k ? "," : "", i - 1);
                qn_buf_puts(b, "]\n");
        }
}

TEST(aliases_of_aliases)
{
        struct qn_buf b = QN_BUF_INIT(1 << 20);

        billion_laughs(&b);
        refused("pnpm-lock.yaml", qn_cur_str(qn_buf_view(&b)), -EFBIG, "too large");
        qn_buf_done(&b);
}

TEST(too_many_packages)
{
        struct qn_buf b = QN_BUF_INIT((size_t)1 << 30);

        for (unsigned i = 0; i <= QN_LOCK_PACKAGES_MAX; i++)
                qn_buf_printf(&b, "a%u@1:\n", i);
        refused("yarn.lock", qn_cur_str(qn_buf_view(&b)), -EFBIG, "more than");
        qn_buf_done(&b);
}

/* --- npm --- */

TEST(npm_lock)
{
        ARENA(a);
        struct qn_bom *b = parsed(
                &a, "npm-shrinkwrap.json",
                CUR("{\"name\":\"p\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"packages\":{"
                    "\"\":{\"name\":\"p\",\"workspaces\":[\"w\"],\"dependencies\":{\"a\":\"1\"},"
                    "\"devDependencies\":{\"d\":\"1\"}},"
                    "\"node_modules/a\":{\"version\":\"1.0.0\",\"dependencies\":{\"b\":\"1\"}},"
                    "\"node_modules/a/node_modules/b\":{\"version\":\"1.5.0\",\"inBundle\":true},"
                    "\"node_modules/b\":{\"version\":\"2.0.0\",\"extraneous\":true},"
                    "\"node_modules/d\":{\"name\":\"real\",\"version\":\"1.0.0\",\"dev\":true},"
                    "\"node_modules/w\":{\"resolved\":\"w\",\"link\":true},"
                    "\"w\":{\"version\":\"0.1.0\",\"dependencies\":{\"b\":\"2\"}}}}"));
        const struct qn_bom_item *x = find(b, "a", "1.0.0"), *inner = find(b, "b", "1.5.0");

        ASSERT_EQ(b->kind, QN_BOM_SHRINKWRAP);
        ASSERT_STR(b->format, "3");
        ASSERT_EQ(b->n, 5);
        ASSERT_TRUE(x->direct && !x->dev && needs(b, NULL, x) && needs(b, x, inner));
        ASSERT_TRUE(inner->bundled && !inner->direct);
        ASSERT_STR(find(b, "real", "1.0.0")->alias, "d");
        ASSERT_TRUE(find(b, "real", "1.0.0")->dev);
        ASSERT_TRUE(needs(b, find(b, "w", "0.1.0"), find(b, "b", "2.0.0")));
        ASSERT_EQ(find(b, "w", "0.1.0")->origin, QN_BOM_FROM_WORKSPACE);
}

static void put(struct qn_buf *b, enum qn_files_kind kind, const char *path, const char *text)
{
        qn_files_add(b, kind, qn_str_c(path), qn_str_c(text));
}

TEST(npm_lock_of_version_1)
{
        ARENA(a);
        struct qn_buf beside = QN_BUF_INIT(1 << 16);
        const struct qn_cur doc =
                CUR("{\"lockfileVersion\":1,\"dependencies\":{"
                    "\"a\":{\"version\":\"1.0.0\",\"requires\":{\"b\":\"1\"},\"dependencies\":{"
                    "\"b\":{\"version\":\"1.0.0\",\"bundled\":true}}},"
                    "\"b\":{\"version\":\"2.0.0\",\"dev\":true},"
                    "\"g\":{\"version\":\"git+ssh://git@h.invalid/g.git#1234\"}}}");
        struct qn_bom *b;

        put(&beside, QN_FILES_FILE, "package.json",
            "{\"name\":\"p\",\"dependencies\":{\"a\":\"1\",\"g\":\"x/g\"},"
            "\"devDependencies\":{\"b\":\"2\"}}");
        b = with(&a, "package-lock.json", doc, qn_cur_str(qn_buf_view(&beside)));
        ASSERT_TRUE(find(b, "a", "1.0.0")->direct && find(b, "b", "2.0.0")->direct);
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "b", "1.0.0")));
        ASSERT_FALSE(find(b, "b", "1.0.0")->direct);
        ASSERT_STR(find(b, "g", NULL)->resolved, "git+ssh://git@h.invalid/g.git#1234");
        ASSERT_EQ(find(b, "g", NULL)->origin, QN_BOM_FROM_GIT);
        b = parsed(&a, "package-lock.json", doc); /* nobody says what is direct */
        ASSERT_TRUE(find(b, "a", "1.0.0")->direct && !find(b, "b", "1.0.0")->direct);
        qn_buf_done(&beside);
}

/* --- yarn --- */

#define YARN                                                               \
        "# yarn lockfile v1\n\n\n"                                         \
        "\"@s/a@^1.0.0\", \"@s/a@~1.2\":\r\n"                              \
        "  version \"1.2.3\"\n"                                            \
        "  resolved \"https://r.invalid/@s/a/-/a-1.2.3.tgz#"               \
        "da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n"                     \
        "  dependencies:\n    b \"^2.0.0\"\n    \"q\\u0041\" \"1\"\n"      \
        "  optionalDependencies:\n    o \"1\"\n\n"                         \
        "b@^2.0.0, b@2:\n  version \"2.1.0\"\n  integrity sha512-AAAA\n\n" \
        "o@1:\n  version \"1.0.0\"\n\n"                                    \
        "x@npm:b@1:\n  version \"1.0.0\"\n\n"                              \
        "g@user/repo:\n  version \"0.0.1\"\n  resolved \"https://codeload.invalid/t#1\"\n"

TEST(yarn_1)
{
        ARENA(a);
        struct qn_buf beside = QN_BUF_INIT(1 << 16);
        struct qn_bom *b;

        put(&beside, QN_FILES_FILE, "other/package.json", "{\"name\":\"other\"}");
        put(&beside, QN_FILES_FILE, "w/x/package.json",
            "{\"name\":\"wx\",\"version\":\"3.0.0\",\"dependencies\":{\"b\":\"2\"}}");
        put(&beside, QN_FILES_FILE, "package.json",
            "{\"name\":\"p\",\"workspaces\":{\"packages\":[\"w/*\"]},"
            "\"dependencies\":{\"@s/a\":\"^1.0.0\",\"g\":\"user/repo\"},"
            "\"devDependencies\":{\"x\":\"npm:b@1\"}}");
        b = with(&a, "yarn.lock", CUR(YARN), qn_cur_str(qn_buf_view(&beside)));
        ASSERT_EQ(b->kind, QN_BOM_YARN_V1);
        ASSERT_EQ(b->n, 6);
        ASSERT_TRUE(find(b, "@s/a", "1.2.3")->direct);
        ASSERT_STR(find(b, "@s/a", "1.2.3")->integrity, "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        ASSERT_STR(find(b, "@s/a", "1.2.3")->resolved, "https://r.invalid/@s/a/-/a-1.2.3.tgz");
        ASSERT_TRUE(needs(b, find(b, "@s/a", "1.2.3"), find(b, "b", "2.1.0")));
        ASSERT_TRUE(find(b, "o", "1.0.0")->optional && !find(b, "o", "1.0.0")->direct);
        ASSERT_STR(find(b, "b", "1.0.0")->alias, "x");
        ASSERT_TRUE(find(b, "b", "1.0.0")->dev);
        ASSERT_EQ(find(b, "g", "0.0.1")->origin, QN_BOM_FROM_GIT);
        ASSERT_TRUE(needs(b, find(b, "wx", "3.0.0"), find(b, "b", "2.1.0")));
        b = parsed(&a, "odd.lock", CUR(YARN));
        ASSERT_TRUE(find(b, "@s/a", "1.2.3")->direct && !find(b, "b", "2.1.0")->direct);
        qn_buf_done(&beside);
}

TEST(yarn_berry)
{
        ARENA(a);
        struct qn_buf beside = QN_BUF_INIT(1 << 16);
        struct qn_bom *b;

        put(&beside, QN_FILES_FILE, "package.json",
            "{\"name\":\"p\",\"dependencies\":{\"a\":\"1\"},\"devDependencies\":{\"x\":\"npm:b@2\"}"
            "}");
        b = with(&a, "yarn.lock",
                 CUR("__metadata:\n  version: 8\n  cacheKey: 10c0\n\n"
                     "\"a@npm:1, a@npm:^1.0.0\":\n  version: 1.0\n  resolution: \"a@npm:1.0.0\"\n"
                     "  dependencies:\n    o: \"npm:1\"\n  dependenciesMeta:\n    o:\n"
                     "      optional: true\n  checksum: 10c0/00\n  linkType: hard\n\n"
                     "\"o@npm:1\":\n  version: 1.0.0\n"
                     "  resolution: "
                     "\"o@npm:1.0.0::__archiveUrl=https%3A%2F%2Fh.invalid%2Fo.tgz\"\n\n"
                     "\"x@npm:b@2\":\n  version: 2.0.0\n  resolution: \"b@npm:2.0.0\"\n\n"
                     "\"a@patch:a@1#~builtin<x>\":\n  version: 1.0\n"
                     "  resolution: \"a@patch:a@npm%3A1.0.0#~builtin<x>::version=1.0.0&hash=1\"\n\n"
                     "\"f@file:./f::locator=p%40workspace%3A.\":\n  version: 0.0.1\n"
                     "  resolution: \"f@file:./f#./f::hash=1&locator=p%40workspace%3A.\"\n\n"
                     "\"p@workspace:.\":\n  version: 0.0.0-use.local\n"
                     "  resolution: \"p@workspace:.\"\n  dependencies:\n    a: \"npm:1\"\n"
                     "    f: \"file:./f\"\n    x: \"npm:b@2\"\n  linkType: soft\n"),
                 qn_cur_str(qn_buf_view(&beside)));
        ASSERT_EQ(b->kind, QN_BOM_YARN_BERRY);
        ASSERT_STR(b->name, "p");
        ASSERT_EQ(b->n, 5);
        ASSERT_STR(b->items[0].version, "1.0");
        ASSERT_NULL(b->items[0].integrity.p); /* the checksum is not the tarball's */
        ASSERT_TRUE(b->items[0].direct);
        ASSERT_TRUE(find(b, "o", "1.0.0")->optional);
        ASSERT_STR(find(b, "o", "1.0.0")->resolved, "https://h.invalid/o.tgz");
        ASSERT_STR(find(b, "b", "2.0.0")->alias, "x");
        ASSERT_TRUE(find(b, "b", "2.0.0")->dev);
        ASSERT_EQ(b->items[3].origin, QN_BOM_FROM_PATCH);
        ASSERT_TRUE(b->items[3].direct && !b->items[3].extraneous);
        ASSERT_EQ(find(b, "f", "0.0.1")->origin, QN_BOM_FROM_FILE);
        ASSERT_TRUE(find(b, "f", "0.0.1")->direct);
        qn_buf_done(&beside);
}

/* --- pnpm --- */

TEST(pnpm_5)
{
        ARENA(a);
        struct qn_bom *b = parsed(
                &a, "pnpm-lock.yaml",
                CUR("lockfileVersion: 5.4\nspecifiers: {a: ^1, x: 'npm:b@2'}\n"
                    "dependencies: {a: 1.0.0_r@1.0.0, x: /@s/b/2.0.0, l: 'link:../l'}\n"
                    "devDependencies: {g: github.com/u/g/abcd}\n"
                    "packages:\n"
                    "  /a/1.0.0_r@1.0.0: {resolution: {integrity: sha512-AA==}, "
                    "dependencies: {r: 1.0.0}, requiresBuild: true}\n"
                    "  /r/1.0.0: {resolution: {integrity: sha512-AA==}}\n"
                    "  /@s/b/2.0.0: {resolution: {integrity: sha512-AA==}}\n"
                    "  github.com/u/g/abcd: {name: g, version: 0.1.0, "
                    "resolution: {tarball: 'https://codeload.github.com/u/g/tar.gz/abcd'}}\n"));

        ASSERT_STR(b->format, "5.4");
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "r", "1.0.0")));
        ASSERT_TRUE(find(b, "a", "1.0.0")->direct && find(b, "a", "1.0.0")->scripts);
        ASSERT_STR(find(b, "@s/b", "2.0.0")->alias, "x");
        ASSERT_EQ(find(b, "g", "0.1.0")->origin, QN_BOM_FROM_GIT);
        ASSERT_TRUE(find(b, "g", "0.1.0")->dev);
        ASSERT_EQ(find(b, "l", NULL)->origin, QN_BOM_FROM_LINK);
}

TEST(pnpm_9)
{
        ARENA(a);
        struct qn_bom *b =
                parsed(&a, "pnpm-lock.yaml",
                       CUR("lockfileVersion: '9.0'\npackageManagerDependencies: {}\n---\n"
                           "lockfileVersion: '9.0'\n"
                           "importers:\n"
                           "  .: {dependencies: {a: {specifier: ^1, version: 1.0.0(r@1.0.0)}, "
                           "x: {specifier: 'npm:b@2', version: b@2.0.0}}}\n"
                           "  w: {devDependencies: {b: {specifier: ^2, version: 2.0.0}, "
                           "v: {specifier: 'workspace:*', version: 'link:../v'}}}\n"
                           "  v: {}\n"
                           "packages:\n"
                           "  a@1.0.0: {resolution: {integrity: sha512-AA==}}\n"
                           "  b@2.0.0: {resolution: {integrity: sha512-BB==}}\n"
                           "  r@1.0.0: {resolution: {integrity: sha512-CC==}}\n"
                           "  f@file:f: {resolution: {directory: f, type: directory}}\n"
                           "snapshots:\n"
                           "  a@1.0.0(r@1.0.0): {dependencies: {r: 1.0.0}, "
                           "optionalDependencies: {f: 'file:f'}}\n"
                           "  b@2.0.0: {}\n  r@1.0.0: {}\n  f@file:f: {}\n"));

        ASSERT_STR(find(b, "a", "1.0.0")->integrity, "sha512-AA==");
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "r", "1.0.0")));
        ASSERT_TRUE(find(b, "b", "2.0.0")->direct && !find(b, "b", "2.0.0")->dev);
        ASSERT_TRUE(needs(b, find(b, "w", NULL), find(b, "v", NULL)));
        ASSERT_EQ(find(b, "f", NULL)->origin, QN_BOM_FROM_FILE);
        ASSERT_TRUE(find(b, "f", NULL)->optional);
}

/* --- bun, deno --- */

TEST(bun_text)
{
        ARENA(a);
        struct qn_bom *b = parsed(
                &a, "bun.lock",
                CUR("{ // a comment, with \"quotes\n"
                    "\"lockfileVersion\": 1, \"workspaces\": {\n"
                    "\"\": {\"name\": \"p\", \"dependencies\": {\"a\": \"1\", \"al\": "
                    "\"npm:b@2\",},"
                    "\"devDependencies\": {\"d//x\": \"1\"},},\n"
                    "\"w\": {\"name\": \"w\", \"dependencies\": {\"b\": \"1\"},},},\n"
                    "\"packages\": {\n"
                    "\"a\": [\"a@1.0.0\", \"\", {\"dependencies\": {\"@s/c\": \"1\"},"
                    "\"peerDependencies\": {\"b\": \"*\"}, \"optionalPeers\": [\"b\"]}, "
                    "\"sha512-A\"],\n"
                    "\"a/@s/c\": [\"@s/c@1.0.0\", \"https://h.invalid/c.tgz\", {}, \"sha512-C\"],\n"
                    "\"al\": [\"b@2.0.0\", \"\", {}, \"sha512-B\"], /* , */\n"
                    "\"b\": [\"b@1.0.0\", \"\", {}, \"sha512-B\"],\n"
                    "\"d//x\": [\"d//x@git+ssh://h.invalid/d#1\", {}, \"1\"],\n"
                    "\"w\": [\"w@workspace:w\"],\n},}"));

        ASSERT_EQ(b->n, 6);
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "@s/c", "1.0.0")));
        ASSERT_STR(find(b, "@s/c", "1.0.0")->resolved, "https://h.invalid/c.tgz");
        ASSERT_STR(find(b, "b", "2.0.0")->alias, "al");
        ASSERT_TRUE(needs(b, find(b, "w", NULL), find(b, "b", "1.0.0")));
        ASSERT_TRUE(find(b, "d//x", NULL)->dev);
        ASSERT_EQ(find(b, "d//x", NULL)->origin, QN_BOM_FROM_GIT);
}

TEST(deno)
{
        ARENA(a);
        struct qn_bom *b = parsed(
                &a, "deno.lock",
                CUR("{\"version\":\"5\",\"specifiers\":{\"npm:a@1\":\"1.0.0_r@2.0.0\","
                    "\"jsr:@x/y@1\":\"1.0.0\"},\"jsr\":{\"@x/y@1.0.0\":{}},\"npm\":{"
                    "\"a@1.0.0_r@2.0.0\":{\"integrity\":\"sha512-A\",\"dependencies\":[\"r\","
                    "\"z@npm:b@1.0.0\"],\"scripts\":true},\"r@2.0.0\":{},\"b@1.0.0\":{}}}"));

        ASSERT_EQ(b->n, 3);
        ASSERT_TRUE(find(b, "a", "1.0.0")->direct && find(b, "a", "1.0.0")->scripts);
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "r", "2.0.0")));
        ASSERT_STR(find(b, "b", "1.0.0")->alias, "z");
        b = parsed(
                &a, "deno.lock",
                CUR("{\"version\":\"3\",\"packages\":{\"specifiers\":{\"npm:a@1\":\"npm:a@1.0.0\"},"
                    "\"npm\":{\"a@1.0.0\":{\"integrity\":\"x\",\"dependencies\":{\"b\":\"b@2.0.0\"}"
                    "},"
                    "\"b@2.0.0\":{}}}}"));
        ASSERT_TRUE(find(b, "a", "1.0.0")->direct && !find(b, "b", "2.0.0")->direct);
        b = parsed(&a, "deno.lock", CUR("{\"version\":\"4\"}"));
        ASSERT_EQ(b->n, 0);
}

/* --- trees --- */

TEST(installed)
{
        ARENA(a);
        struct qn_buf f = QN_BUF_INIT(1 << 16);
        struct qn_bom *b = NULL;

        put(&f, QN_FILES_FILE, "package.json",
            "{\"name\":\"p\",\"workspaces\":[\"w/*\"],\"dependencies\":{\"a\":\"1\",\"l\":\"*\"},"
            "\"devDependencies\":{\"al\":\"npm:b@1\"}}");
        put(&f, QN_FILES_FILE, "dist/package.json", "{\"type\":\"module\"}");
        put(&f, QN_FILES_FILE, "node_modules/a/package.json",
            "{\"name\":\"a\",\"version\":\"1.0.0\",\"dependencies\":{\"c\":\"1\",\"in\":\"1\"},"
            "\"bundleDependencies\":[\"in\"]}");
        put(&f, QN_FILES_FILE, "node_modules/a/node_modules/in/package.json",
            "{\"name\":\"in\",\"version\":\"1.0.0\",\"dependencies\":{\"in2\":\"1\"}}");
        put(&f, QN_FILES_FILE, "node_modules/a/node_modules/in2/package.json",
            "{\"name\":\"in2\",\"version\":\"1.0.0\"}");
        put(&f, QN_FILES_FILE, "node_modules/al/package.json",
            "{\"name\":\"b\",\"version\":\"1.0.0\",\"scripts\":{\"postinstall\":\"x\"}}");
        put(&f, QN_FILES_LINK, "node_modules/c", "node_modules/.pnpm/c@1/node_modules/c");
        put(&f, QN_FILES_FILE, "node_modules/.pnpm/c@1/node_modules/c/package.json",
            "{\"name\":\"c\",\"version\":\"1.0.0\",\"devDependencies\":{\"a\":\"1\"}}");
        put(&f, QN_FILES_LINK, "node_modules/l", "../l");
        put(&f, QN_FILES_FILE, "../l/package.json", "{\"name\":\"l\",\"version\":\"9.0.0\"}");
        put(&f, QN_FILES_FILE, "w/x/package.json", "{\"name\":\"x\",\"version\":\"0.1.0\"}");
        put(&f, QN_FILES_FILE, "node_modules/lost/package.json",
            "{\"name\":\"lost\",\"version\":\"1.0.0\"}");
        put(&f, QN_FILES_FILE, "node_modules/broken/package.json", "{");
        put(&f, QN_FILES_FILE, "node_modules/.package-lock.json",
            "{\"lockfileVersion\":3,\"packages\":{\"node_modules/a\":{\"version\":\"1.0.0\","
            "\"integrity\":\"sha512-A\"},\"node_modules/lost\":{\"version\":\"2.0.0\","
            "\"integrity\":\"sha512-B\"}}}");
        ASSERT_EQ(qn_bom_read_installed(qn_cur_str(qn_buf_view(&f)), &a, &b, NULL), 0);
        ASSERT_EQ(b->n, 8);
        ASSERT_EQ(b->broken, 1);
        ASSERT_TRUE(needs(b, find(b, "a", "1.0.0"), find(b, "c", "1.0.0")));
        ASSERT_STR(find(b, "a", "1.0.0")->integrity, "sha512-A");
        ASSERT_NULL(find(b, "lost", "1.0.0")->integrity.p);
        ASSERT_TRUE(find(b, "lost", "1.0.0")->extraneous);
        ASSERT_TRUE(find(b, "in", "1.0.0")->bundled && find(b, "in2", "1.0.0")->bundled);
        ASSERT_FALSE(needs(b, find(b, "c", "1.0.0"), find(b, "a", "1.0.0")));
        ASSERT_STR(find(b, "b", "1.0.0")->alias, "al");
        ASSERT_TRUE(find(b, "b", "1.0.0")->dev && find(b, "b", "1.0.0")->scripts);
        ASSERT_EQ(find(b, "l", "9.0.0")->origin, QN_BOM_FROM_LINK);
        ASSERT_EQ(find(b, "x", "0.1.0")->origin, QN_BOM_FROM_WORKSPACE);
        f.n -= 3;
        b = NULL;
        ASSERT_EQ(qn_bom_read_installed(qn_cur_str(qn_buf_view(&f)), &a, &b, NULL), -EBADMSG);
        ASSERT_NULL(b);
        qn_buf_done(&f);
}

/* --- between processes --- */

TEST(replies)
{
        ARENA(a);
        struct qn_buf out = QN_BUF_INIT(1 << 20);
        struct qn_bom *b = parsed(&a, "yarn.lock", CUR(YARN)), *copy = NULL, *none = NULL;

        ASSERT_EQ(qn_bom_wire_write(b, &out), 0);
        ASSERT_EQ(qn_bom_wire_read(qn_cur_str(qn_buf_view(&out)), &a, &copy, NULL), 0);
        ASSERT_EQ(copy->n, b->n);
        ASSERT_EQ(copy->n_edges, b->n_edges);
        ASSERT_STR(copy->items[0].name, "@s/a");
        for (size_t i = 0; i < out.n; i++)
                ASSERT_EQ(qn_bom_wire_read(qn_cur_mem(out.p, i), &a, &none, NULL), -EBADMSG);
        memset(out.p + out.n - 8, 0xee, 4); /* an edge to nowhere */
        ASSERT_EQ(qn_bom_wire_read(qn_cur_str(qn_buf_view(&out)), &a, &none, NULL), -EBADMSG);
        ASSERT_NULL(none);
        qn_buf_done(&out);
}
