/* Copies of packages: what makes two files the same, what a package consists of, and which package files are from. */
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/limits.h"
#include "inventory/vendored.h"
#include "observe/contents.h"
#include "parse/gz.h"
#include "role/contents-wire.h"
#include "store/learnt.h"
#include "tarball.h"
#include "test.h"
#include "zipbuild.h"

#define ARENA(a) _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)1 << 28)

/* --- content --- */

static int identify(const char *head, size_t fill, const char *tail, struct qn_content_id *ret)
{
        struct qn_buf b = QN_BUF_INIT(1 << 20), room = QN_BUF_INIT(1 << 20);
        int r;

        qn_buf_puts(&b, head);
        qn_buf_fill(&b, 'x', fill);
        qn_buf_puts(&b, tail);
        r = qn_content_id(qn_buf_view(&b), &room, ret);
        qn_buf_done(&b);
        qn_buf_done(&room);
        return r;
}

TEST(small_files_say_nothing)
{
        struct qn_content_id id;

        ASSERT_EQ(identify("", 0, "", &id), 0);
        ASSERT_EQ(identify("module.exports = {}", 0, "\n", &id), 0);
        ASSERT_EQ(identify("", QN_CONTENT_MIN - 1, "\n\n\n", &id), 0);
        ASSERT_EQ(identify("", QN_CONTENT_MIN, "", &id), 1);
}

TEST(a_copy_stays_the_same)
{
        static const char *const same[][2] = {
                { "a\r\nb\r\n", "\r\n\r\n" },
                { "\xef\xbb\xbf"
                  "a\nb\n",
                  "" },
                { "a\nb\n", "\n//# sourceMappingURL=x.js.map\n" },
                { "a\nb\n", "\n/*# sourceMappingURL=x.css.map */" },
        };
        static const char *const others[][2] = {
                { "a\rb\n", "" },
                { "a\n b\n", "" },
                { "a\nb\n", "y" },
                { "a\nb\n", "// x" },
        };
        struct qn_content_id want, id;

        ASSERT_EQ(identify("a\nb\n", 300, "", &want), 1);
        ASSERT_EQ(want.size, 304u);
        for (size_t i = 0; i < QN_ARRAY_SIZE(same); i++) {
                ASSERT_EQ(identify(same[i][0], 300, same[i][1], &id), 1);
                if (memcmp(&id, &want, sizeof id) != 0)
                        fail_msg("form %zu is another file", i);
        }
        for (size_t i = 0; i < QN_ARRAY_SIZE(others); i++) {
                ASSERT_EQ(identify(others[i][0], 300, others[i][1], &id), 1);
                ASSERT_TRUE(memcmp(id.hash, want.hash, sizeof id.hash) != 0);
        }
}

TEST(names_that_count)
{
        ASSERT_TRUE(qn_content_counts(QN_STR("a/b.min.js")));
        ASSERT_TRUE(qn_content_counts(QN_STR("package.json")));
        ASSERT_FALSE(qn_content_counts(QN_STR("LICENSE")));
        ASSERT_FALSE(qn_content_counts(QN_STR("tsconfig.json")));
        ASSERT_FALSE(qn_content_counts(QN_STR("")));
}

/* --- packages --- */

static int contents(struct qn_cur in, struct qn_arena *a, struct qn_contents *ret)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = qn_gz_new();
        struct qn_err err = { 0 };

        return qn_contents_read(gz, in, a, ret, &err);
}

static const char manifest[] = "{\"name\":\"p\",\"version\":\"1.0.0\"}";

/* A file whose content depends on a seed, long enough to count. */
static const char *code(unsigned seed)
{
        static char text[8][1024];
        static unsigned turn;
        char *p = text[turn++ % QN_ARRAY_SIZE(text)];

        snprintf(p, sizeof text[0], "// file %u\n%0600u\n", seed, seed);
        return p;
}

TEST(no_package)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(TB_MAX);
        struct qn_contents c = { 0 };

        ASSERT_TRUE(contents(CUR(""), &a, &c) < 0);
        ASSERT_TRUE(contents(CUR("PK\3\4 no archive"), &a, &c) < 0);
        ASSERT_TRUE(contents(CUR("\x1f\x8b\x08 cut"), &a, &c) < 0);
        tb_file(&b, "package/x.js", code(1));
        tb_end(&b);
        ASSERT_EQ(contents(qn_cur_str(qn_buf_view(&b)), &a, &c), -EINVAL);
        ASSERT_NULL(c.files);
}

static void check_contents(const struct qn_contents *c)
{
        ASSERT_STR(c->name, "p");
        ASSERT_STR(c->version, "1.0.0");
        ASSERT_EQ(c->n, 2u);
        ASSERT_STR(c->files[0].path, "a.js");
        ASSERT_STR(c->files[1].path, "lib/b.js");
}

TEST(contents_of_a_tarball)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(TB_MAX), wire = QN_BUF_INIT(TB_MAX);
        struct qn_contents c = { 0 }, again = { 0 };

        tb_file(&b, "package/a.js", code(1));
        tb_file(&b, "package/LICENSE", code(2));
        tb_file(&b, "package/small.js", "x");
        tb_file(&b, "package/lib/package.json", code(3));
        tb_file(&b, "package/node_modules/o/o.js", code(4));
        tb_file(&b, "package/lib/b.js", code(5));
        tb_file(&b, "package/package.json", manifest);
        tb_end(&b);
        ASSERT_EQ(contents(qn_cur_str(qn_buf_view(&b)), &a, &c), 0);
        check_contents(&c);
        ASSERT_NULL(c.integrity.p);
        ASSERT_EQ(qn_contents_wire_write(&c, &wire), 0);
        ASSERT_EQ(qn_contents_wire_read(qn_cur_str(qn_buf_view(&wire)), &a, &again), 0);
        check_contents(&again);
        for (size_t n = 0; n < wire.n; n++)
                ASSERT_EQ(qn_contents_wire_read(qn_cur_mem(wire.p, n), &a, &again), -EBADMSG);
        qn_buf_byte(&wire, 0);
        ASSERT_EQ(qn_contents_wire_read(qn_cur_str(qn_buf_view(&wire)), &a, &again), -EBADMSG);
}

TEST(contents_of_a_zip)
{
        ARENA(a);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(ZB_MAX);
        struct zb z = { &b, QN_BUF_INIT(ZB_MAX), 0 };
        struct qn_contents c = { 0 };

        zb_bytes(&z, "node_modules/p/package.json", manifest, strlen(manifest), false);
        zb_bytes(&z, "node_modules/p/a.js", code(1), strlen(code(1)), false);
        zb_bytes(&z, "node_modules/p/secret.js", code(2), strlen(code(2)), true);
        zb_bytes(&z, "elsewhere/c.js", code(3), strlen(code(3)), false);
        zb_bytes(&z, "node_modules/p/lib/b.js", code(5), strlen(code(5)), false);
        zb_end(&z);
        ASSERT_EQ(contents(qn_cur_str(qn_buf_view(&b)), &a, &c), 0);
        check_contents(&c);
}

/* --- recognition --- */

struct bench {
        char dir[64];
        struct qn_db db;
        struct qn_arena a;
        struct qn_vendored_file files[64];
        size_t n;
};

static void start(struct bench *b)
{
        struct qn_err err = { 0 };

        *b = (struct bench){ .dir = "/tmp/qanat-test-XXXXXX", .a = QN_ARENA_INIT(1 << 28) };
        ASSERT_NOT_NULL(mkdtemp(b->dir));
        ASSERT_EQ(qn_db_open(&qn_db_learnt, b->dir, false, &b->db, &err), -ENOENT);
        ASSERT_EQ(qn_db_open(&qn_db_learnt, b->dir, true, &b->db, &err), 0);
}

static void stop(struct bench *b)
{
        static const char *const names[] = { "learnt.db", "learnt.db-wal", "learnt.db-shm" };
        char path[128];

        qn_db_close(&b->db);
        for (size_t i = 0; i < QN_ARRAY_SIZE(names); i++) {
                snprintf(path, sizeof path, "%s/%s", b->dir, names[i]);
                unlink(path);
        }
        rmdir(b->dir);
        qn_arena_done(&b->a);
}

static void id_of(unsigned seed, struct qn_content_id *ret)
{
        struct qn_buf room = QN_BUF_INIT(1024);

        ASSERT_EQ(qn_content_id(qn_str_c(code(seed)), &room, ret), 1);
        qn_buf_done(&room);
}

/* seeds: "path=seed path=seed" */
static int learn(struct bench *b, const char *name, const char *version, const char *integrity,
                 const char *files)
{
        struct qn_content_file list[32];
        struct qn_contents c = { qn_str_c(name), qn_str_c(version), qn_str_c(integrity), list, 0 };
        struct qn_str rest = qn_str_c(files);

        while (rest.n) {
                struct qn_str one = qn_str_cut(&rest, ' ');
                uint64_t seed = 0;

                list[c.n].path = qn_str_cut(&one, '=');
                ASSERT_EQ(qn_str_u64(one, &seed), 0);
                id_of((unsigned)seed, &list[c.n++].id);
        }
        return qn_learnt_learn(&b->db, &c);
}

static void have(struct bench *b, const char *files)
{
        struct qn_str rest = qn_str_c(files);

        b->n = 0;
        while (rest.n) {
                struct qn_str one = qn_str_cut(&rest, ' ');
                uint64_t seed = 0;

                b->files[b->n].path = qn_str_cut(&one, '=');
                ASSERT_EQ(qn_str_u64(one, &seed), 0);
                id_of((unsigned)seed, &b->files[b->n++].id);
        }
}

/* What is found, as "path name@version n/m | …". */
static void found(struct bench *b, const char *files, const char *want)
{
        _cleanup_(qn_buf_done) struct qn_buf got = QN_BUF_INIT(1 << 16);
        struct qn_bom *bom;

        have(b, files);
        ASSERT_EQ(qn_vendored_find(b->files, b->n, &b->db, &b->a, &bom), 0);
        for (size_t i = 0; bom && i < bom->n; i++) {
                const struct qn_bom_item *t = &bom->items[i];

                qn_buf_printf(&got, "%s%.*s %.*s@%.*s %u/%u", i ? " | " : "", QN_STR_ARG(t->path),
                              QN_STR_ARG(t->name), QN_STR_ARG(t->version), t->copy->files,
                              t->copy->of);
                for (size_t k = 0; k < t->copy->n_others; k++)
                        qn_buf_printf(&got, " or %.*s", QN_STR_ARG(t->copy->others[k]));
                ASSERT_EQ(t->origin, QN_BOM_FROM_VENDORED);
        }
        if (!qn_str_is(qn_buf_view(&got), want))
                fail_msg("%s: \"%.*s\" is not \"%s\"", files, QN_STR_ARG(qn_buf_view(&got)), want);
}

TEST(whole_and_part)
{
        struct bench b;

        start(&b);
        ASSERT_EQ(learn(&b, "big", "1.0.0", NULL, "a.js=1 lib/b.js=2 lib/c.js=3"), 1);
        found(&b, "vendor/big/a.js=1 vendor/big/lib/b.js=2 vendor/big/lib/c.js=3",
              "vendor/big big@1.0.0 3/3");
        found(&b, "vendor/big/a.js=1 vendor/big/lib/b.js=99 vendor/big/lib/c.js=3",
              "vendor/big big@1.0.0 2/3");
        found(&b, "src/x/b.js=2 src/x/c.js=3", "src/x big@1.0.0 2/3");
        found(&b, "a.js=1 lib/b.js=2 lib/c.js=3", ". big@1.0.0 3/3");
        found(&b, "one/a.js=1 one/lib/b.js=2 two/a.js=1",
              "one big@1.0.0 2/3 | two/a.js big@1.0.0 1/3");
        found(&b, "js/renamed.js=2", "js/renamed.js big@1.0.0 1/3");
        found(&b, "src/own.js=77", "");
        found(&b, "", "");
        stop(&b);
}

TEST(versions)
{
        struct bench b;

        start(&b);
        learn(&b, "big", "1.9.0", NULL, "a.js=1 b.js=2 c.js=3");
        learn(&b, "big", "1.10.0", NULL, "a.js=1 b.js=2 c.js=4");
        found(&b, "v/a.js=1 v/b.js=2 v/c.js=3", "v big@1.9.0 3/3");
        found(&b, "v/a.js=1 v/b.js=2 v/c.js=4", "v big@1.10.0 3/3");
        found(&b, "v/a.js=1 v/b.js=2", "v big@1.10.0 2/3 or big@1.9.0");
        stop(&b);
}

TEST(names_decide)
{
        struct bench b;

        start(&b);
        learn(&b, "jquery", "3.0.0", NULL, "dist/jquery.js=1 src/a.js=2 src/b.js=3");
        learn(&b, "theme", "9.0.0", NULL, "js/jquery.js=1");
        found(&b, "public/js/jquery.js=1", "public/js/jquery.js jquery@3.0.0 1/3 or theme@9.0.0");
        found(&b, "theme/x.js=1", "theme/x.js theme@9.0.0 1/1 or jquery@3.0.0");
        found(&b, "public/js/x.js=1", ""); /* nothing tells them apart */
        learn(&b, "ms", "1.0.0", NULL, "index.js=5");
        learn(&b, "forms", "1.0.0", NULL, "index.js=5");
        found(&b, "forms/index.js=5", "forms/index.js forms@1.0.0 1/1 or ms@1.0.0");
        found(&b, "ms.min.js=5", "ms.min.js ms@1.0.0 1/1 or forms@1.0.0");
        stop(&b);
}

TEST(what_brought_along_a_copy_itself)
{
        struct bench b;

        start(&b);
        learn(&b, "inner", "1.0.0", NULL, "a.js=1 b.js=2");
        learn(&b, "outer", "1.0.0", NULL, "vendor/inner/a.js=1 vendor/inner/b.js=2 main.js=3");
        found(&b, "third/inner/a.js=1 third/inner/b.js=2",
              "third/inner inner@1.0.0 2/2 or outer@1.0.0");
        found(&b, "lib/vendor/inner/a.js=1 lib/vendor/inner/b.js=2 lib/main.js=3",
              "lib outer@1.0.0 3/3");
        stop(&b);
}

TEST(what_many_have_is_nobodys)
{
        struct bench b;
        char name[16];

        start(&b);
        for (unsigned i = 0; i < QN_COPY_NAMES_MAX; i++) {
                snprintf(name, sizeof name, "package-%u", i);
                learn(&b, name, "1.0.0", NULL, "helper.js=1");
        }
        have(&b, "package-3/helper.js=1");
        found(&b, "package-3/helper.js=1",
              "package-3/helper.js package-3@1.0.0 1/1 or package-0@1.0.0 or package-1@1.0.0"
              " or package-2@1.0.0 or package-4@1.0.0 or package-5@1.0.0 or package-6@1.0.0"
              " or package-7@1.0.0");
        learn(&b, "one-more", "1.0.0", NULL, "helper.js=1");
        found(&b, "package-3/helper.js=1", "");
        stop(&b);
}

TEST(a_manifest_alone_is_no_copy)
{
        struct bench b;

        start(&b);
        learn(&b, "big", "1.0.0", NULL, "package.json=1 a.js=2");
        found(&b, "tests/big/package.json=1", "");
        found(&b, "tests/big/package.json=1 tests/big/a.js=2", "tests/big big@1.0.0 2/2");
        stop(&b);
}

TEST(a_tarball_counts_more)
{
        struct bench b;

        start(&b);
        ASSERT_EQ(learn(&b, "p", "1.0.0", NULL, "a.js=1"), 1);
        ASSERT_EQ(learn(&b, "p", "1.0.0", NULL, "a.js=2"), 0);
        found(&b, "p/a.js=2", "");
        ASSERT_EQ(learn(&b, "p", "1.0.0", "sha512-x", "a.js=2"), 1);
        found(&b, "p/a.js=2 q/a.js=1", "p/a.js p@1.0.0 1/1");
        ASSERT_EQ(learn(&b, "p", "1.0.0", "sha512-y", "a.js=3"), 0);
        stop(&b);
}
