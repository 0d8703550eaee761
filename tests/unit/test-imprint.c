/* Imprints: which files and dependencies are chosen, and the bytes between the role and its parent. */
#include "observe/imprint.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "event/event.h"
#include "observe/analyse.h"
#include "observe/observers.h"
#include "observe/scan.h"
#include "parse/pkgjson.h"
#include "role/analyse-wire.h"
#include "tarball.h"
#include "test.h"

struct made {
        struct qn_observers *o;
        struct qn_imprinter *m;
        struct qn_arena a;
        struct qn_event_set set;
};

static void made_done(struct made *d)
{
        qn_imprinter_free(d->m);
        qn_observers_free(d->o);
        qn_arena_done(&d->a);
}

#define MADE(d)                                                               \
        _cleanup_(made_done) struct made d = { .a = QN_ARENA_INIT(1 << 22) }; \
        ASSERT_EQ(qn_observers_load(TEST_DATA, &d.o, NULL), 0);               \
        ASSERT_EQ(qn_imprinter_new(d.o, &d.m), 0);                            \
        qn_event_set_init(&d.set, &d.a);                                      \
        qn_imprinter_begin(d.m)

#define LONG " is some text that is long enough to say whose it is, and not everybody's"

static void file(struct made *d, const char *path, const char *text)
{
        ASSERT_EQ(qn_imprinter_file(d->m, qn_str_c(path), qn_str_c(text)), 0);
}

static bool has_file(const struct qn_imprint *p, const char *path)
{
        for (size_t i = 0; i < p->n_files; i++)
                if (p->files[i].path == qn_hash64(path, strlen(path)))
                        return true;
        return false;
}

TEST(what_everybody_has_is_left_out)
{
        struct qn_imprint p;

        MADE(d);
        file(&d, "LICENSE", "licence" LONG);
        file(&d, "package.json", "manifest" LONG);
        file(&d, "tsconfig.json", "settings" LONG);
        file(&d, "tiny.js", "x = 1");
        qn_imprinter_finish(d.m, &d.set, NULL, &p);
        ASSERT_EQ(p.n_files, 0);
        ASSERT_EQ(p.n_deps, 0);
}

TEST(what_something_was_observed_in_comes_first)
{
        struct qn_event e = qn_event_make(QN_EVENT_NET_SEND, QN_LAYER_STATIC, 0);
        struct qn_imprint p;

        MADE(d);
        for (unsigned i = 0; i < 500; i++) {
                char path[32], text[128];

                snprintf(path, sizeof path, "lib/%u.js", i);
                snprintf(text, sizeof text, "// %u" LONG, i);
                file(&d, path, text);
        }
        for (unsigned i = 0; i < 3; i++) {
                char path[32];

                snprintf(path, sizeof path, "lib/%u.js", i * 100);
                e.file = qn_event_set_file(&d.set, qn_str_c(path));
                ASSERT_EQ(qn_event_add(&d.set, &e), 0);
        }
        ASSERT_EQ(qn_event_set_seal(&d.set), 0);
        qn_imprinter_finish(d.m, &d.set, NULL, &p);
        ASSERT_EQ(p.n_files, QN_IMPRINT_FILES_MAX);
        ASSERT_TRUE(has_file(&p, "lib/0.js") && has_file(&p, "lib/100.js") &&
                    has_file(&p, "lib/200.js"));
        ASSERT_TRUE(qn_sketch_filled(&p.sketch) == 0); /* comments are no code */
}

TEST(no_more_files_are_looked_at_than_the_most)
{
        struct qn_imprint p;

        MADE(d);
        for (unsigned i = 0; i < QN_IMPRINT_SEEN_MAX + 100; i++) {
                char path[32], text[128];

                snprintf(path, sizeof path, "data/%u.bin", i);
                snprintf(text, sizeof text, "%u" LONG, i);
                file(&d, path, text);
        }
        qn_imprinter_finish(d.m, &d.set, NULL, &p);
        ASSERT_EQ(p.n_files, QN_IMPRINT_FILES_MAX);
}

TEST(dependencies_that_are_popular_or_for_development_are_left_out)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_pkgjson *manifest;
        struct qn_imprint p;

        MADE(d);
        qn_buf_puts(&b,
                    "{\"devDependencies\":{\"rare-dev\":\"1\"},\"dependencies\":{\"react\":\"1\"");
        for (unsigned i = 0; i < 100; i++)
                qn_buf_printf(&b, ",\"rare-%u\":\"1\"", i);
        qn_buf_puts(&b, "}}");
        ASSERT_EQ(qn_pkgjson_parse(qn_cur_mem(b.p, b.n), &d.a, &manifest, NULL), 0);
        qn_imprinter_finish(d.m, &d.set, manifest, &p);
        ASSERT_EQ(p.n_deps, QN_IMPRINT_DEPS_MAX);
        for (size_t i = 0; i < p.n_deps; i++) {
                ASSERT_TRUE(p.deps[i] != qn_hash64("react", 5));
                ASSERT_TRUE(p.deps[i] != qn_hash64("rare-dev", 8));
                ASSERT_TRUE(i == 0 || p.deps[i] > p.deps[i - 1]);
        }
}

/* --- the bytes --- */

TEST(bytes_are_read_as_they_were_written)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_imprint p = { .n_files = QN_IMPRINT_FILES_MAX, .n_deps = 3 }, back;

        for (uint64_t i = 0; i < QN_IMPRINT_FILES_MAX; i++)
                p.files[i] = (struct qn_imprint_file){ i, ~i };
        p.deps[2] = 9;
        p.sketch.band[15] = 7;
        ASSERT_EQ(qn_analyse_write_imprint(&b, &p), 0);
        for (size_t n = 0; n < b.n; n++)
                ASSERT_EQ(qn_analyse_read_imprint(qn_cur_mem(b.p, n), &back), -EBADMSG);
        ASSERT_EQ(qn_analyse_read_imprint(qn_cur_mem(b.p, b.n), &back), 0);
        ASSERT_TRUE(back.n_files == p.n_files && back.n_deps == 3 && back.deps[2] == 9 &&
                    back.sketch.band[15] == 7 && back.files[5].path == ~UINT64_C(5));
        qn_buf_byte(&b, 0);
        ASSERT_EQ(qn_analyse_read_imprint(qn_cur_mem(b.p, b.n), &back), -EBADMSG);
}

TEST(more_than_the_most_is_refused)
{
        static const uint32_t counts[][2] = { { QN_IMPRINT_FILES_MAX + 1, 0 },
                                              { 0, QN_IMPRINT_DEPS_MAX + 1 },
                                              { UINT32_MAX, UINT32_MAX } };

        for (size_t i = 0; i < QN_ARRAY_SIZE(counts); i++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
                struct qn_imprint back;

                qn_buf_fill(&b, 1, sizeof(struct qn_sketch));
                qn_buf_add(&b, counts[i], sizeof counts[i]);
                qn_buf_fill(&b, 1, (2 * (QN_IMPRINT_FILES_MAX + 1)) * sizeof(uint64_t));
                ASSERT_EQ(qn_analyse_read_imprint(qn_cur_mem(b.p, b.n), &back), -EBADMSG);
        }
}

TEST(it_is_asked_for_behind_the_parameters)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(1 << 16);
        struct qn_analyse_in in = { .version = { NULL, 0 } };

        qn_analyse_write_artifact(&b, QN_STR("sha512-x"), QN_STR("1.0.0"), QN_STR(""));
        ASSERT_EQ(qn_analyse_read_artifact(qn_cur_mem(b.p, b.n), &in), 0);
        ASSERT_FALSE(in.imprint);
        qn_analyse_ask_imprint(&b);
        ASSERT_EQ(qn_analyse_read_artifact(qn_cur_mem(b.p, b.n), &in), 0);
        ASSERT_TRUE(in.imprint);
        ASSERT_EQ(qn_analyse_read_artifact(qn_cur_mem(b.p, b.n - 1), &in), -EBADMSG);
        b.p[b.n - 4] = 2;
        ASSERT_EQ(qn_analyse_read_artifact(qn_cur_mem(b.p, b.n), &in), -EBADMSG);
}

/* --- an archive --- */

TEST(the_role_hands_it_over_when_it_is_asked_to)
{
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(1 << 20),
                                             params = QN_BUF_INIT(1 << 16),
                                             reply = QN_BUF_INIT(1 << 20);
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT(1 << 20);
        const struct qn_role_job *job = qn_role_find_job(&qn_role_analyse, QN_JOB_ANALYSE);
        struct qn_cur inputs[1 + QN_BESIDE] = { { NULL, NULL } };
        struct qn_event_set set;
        struct qn_err err = { 0 };
        struct qn_imprint p;
        void *ctx;

        tb_file(&tar, "package/package.json", "{\"name\":\"x\",\"version\":\"1.0.0\"}");
        tb_file(&tar, "package/index.js",
                "module.exports = function () { return 1 + 2 + 3; };" LONG);
        qn_buf_fill(&tar, 0, 1024);
        inputs[0] = qn_cur_mem(tar.p, tar.n);
        ASSERT_EQ(qn_role_analyse.open(TEST_DATA, &ctx, NULL), 0);
        qn_analyse_write_artifact(&params, QN_STR(""), QN_STR(""), QN_STR(""));
        for (unsigned asked = 0; asked < 2; asked++) {
                struct qn_cur c;

                qn_buf_reset(&reply);
                if (asked)
                        qn_analyse_ask_imprint(&params);
                ASSERT_EQ(
                        job->run_beside(ctx, qn_cur_mem(params.p, params.n), inputs, &reply, &err),
                        0);
                c = qn_cur_mem(reply.p, reply.n);
                ASSERT_EQ(qn_event_set_read(&c, &a, &set, &err), 0);
                ASSERT_EQ(qn_analyse_read_imprint(c, &p), asked ? 0 : -EBADMSG);
        }
        ASSERT_EQ(p.n_files, 1);
}

TEST(an_archive_is_walked_once_for_both)
{
        _cleanup_(qn_buf_done) struct qn_buf tar = QN_BUF_INIT(1 << 20);
        struct qn_analyse_in in = { .imprint = true };
        const struct qn_event_set *set;
        struct qn_analyser *an;
        struct qn_imprint p;

        MADE(d);
        tb_file(&tar, "package/package.json",
                "{\"name\":\"x\",\"version\":\"1.0.0\","
                "\"dependencies\":{\"rare-thing\":\"1\"}}");
        tb_file(&tar, "package/index.js",
                "const a = require('fs'); module.exports = function (b) { return a.readFileSync(b.path, 'utf8'); };\n");
        qn_buf_fill(&tar, 0, 1024);
        in.archive = qn_cur_mem(tar.p, tar.n);
        ASSERT_EQ(qn_analyser_new(d.o, &an), 0);
        ASSERT_EQ(qn_analyse(an, &in, &set), 0);
        p = *qn_analyser_imprint(an);
        ASSERT_EQ(p.n_files, 1);
        ASSERT_TRUE(has_file(&p, "index.js"));
        ASSERT_EQ(p.n_deps, 1);
        ASSERT_TRUE(qn_sketch_filled(&p.sketch) > 5);
        ASSERT_EQ(qn_analyse(an, &in, &set), 0); /* nothing is left of the one before */
        ASSERT_EQ(memcmp(&p, qn_analyser_imprint(an), sizeof p), 0);
        qn_analyser_free(an);
}
