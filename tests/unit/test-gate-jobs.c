/* The gate's jobs in a confined analyse role, as its engine asks for them. */
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/limits.h"
#include "parse/gz.h"
#include "parse/zst.h"
#include "role/analyse.h"
#include "role/pool.h"
#include "test.h"

#define BUF(b) _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20)

__attribute__((constructor)) static void become_role(int argc, char **argv)
{
        const struct qn_role_def *const defs[] = { &qn_role_analyse };

        if (qn_role_requested(argc, argv))
                exit(qn_role_run(defs, 1, argc, argv));
}

struct answer {
        enum qn_pool_status status;
        int code;
        char why[160];
        struct qn_buf reply, output;
};

static void answer_done(struct answer *a)
{
        qn_buf_done(&a->reply);
        qn_buf_done(&a->output);
}

static void keep(void *ctx QN_UNUSED, const struct qn_pool_result *r)
{
        struct answer *a = r->user;
        char block[4096];
        ssize_t n;

        a->status = r->status;
        a->code = r->code;
        snprintf(a->why, sizeof a->why, "%s", r->why);
        qn_buf_str(&a->reply, qn_cur_rest(&r->reply));
        while (*r->output_fd >= 0 && (n = read(*r->output_fd, block, sizeof block)) > 0)
                qn_buf_add(&a->output, block, (size_t)n);
        ASSERT_EQ(a->output.n, r->output_size);
}

static void ask(uint8_t kind, const struct qn_buf *params, struct qn_str input, struct answer *a)
{
        const struct qn_pool_config config = { .def = &qn_role_analyse,
                                               .workers = 1,
                                               .done = keep };
        struct qn_pool_job job = {
                .kind = kind, .input = qn_cur_str(input), .input_fd = -1, .user = a
        };
        _cleanup_(qn_pool_freep) struct qn_pool *p = NULL;
        struct qn_err err = { 0 };

        *a = (struct answer){ .reply = QN_BUF_INIT((size_t)64 << 20),
                              .output = QN_BUF_INIT((size_t)64 << 20) };
        if (qn_pool_new(&config, &p, &err) < 0)
                fail_msg("%s", err.msg);
        ASSERT_EQ(qn_analyse_put_params(&job, qn_buf_view(params)), 0);
        ASSERT_EQ(qn_pool_submit(p, &job), 0);
        while (qn_pool_poll(p, -1, &err) > 0)
                ;
}

#define ASK(a, kind, params, input)             \
        _cleanup_(answer_done) struct answer a; \
        ask((kind), &(params), (input), &(a));  \
        if ((a).status != QN_POOL_OK)           \
        fail_msg("%s", (a).why)

static void put_version(struct qn_buf *b, unsigned i)
{
        qn_buf_printf(b,
                      "%s\"1.0.%u\":{\"name\":\"p\",\"version\":\"1.0.%u\",\"dist\":{\"tarball\":"
                      "\"https://h/%u.tgz\"}}",
                      i ? "," : "", i, i, i);
}

static void make_document(struct qn_buf *b, unsigned versions)
{
        qn_buf_puts(b, "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.0.1\"},\"versions\":{");
        for (unsigned i = 0; i < versions; i++)
                put_version(b, i);
        qn_buf_puts(b, "}}");
}

TEST(facts)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_packument_facts f;
        BUF(doc);
        BUF(params);

        make_document(&doc, 3);
        qn_analyse_write_name(&params, QN_STR("p"));
        ASK(a, QN_JOB_FACTS, params, qn_buf_view(&doc));
        ASSERT_EQ(qn_analyse_read_facts(qn_cur_str(qn_buf_view(&a.reply)), &arena, &f), 0);
        ASSERT_EQ(f.n, 3);
        ASSERT_STR(f.versions[2].tarball, "https://h/2.tgz");
}

/* More blocked versions than parameters hold. */
TEST(a_rewritten_document)
{
        static struct qn_packument_blocked blocked[5000];
        static char texts[QN_ARRAY_SIZE(blocked)][16];
        struct qn_packument_rewrite w = { .name = QN_STR("p"),
                                          .base = QN_STR("https://gate"),
                                          .blocked = blocked,
                                          .n_blocked = QN_ARRAY_SIZE(blocked) };
        BUF(doc);
        BUF(params);

        for (unsigned i = 0; i < QN_ARRAY_SIZE(blocked); i++) {
                snprintf(texts[i], sizeof texts[i], "1.0.%u", 10000 + i);
                blocked[i] = (struct qn_packument_blocked){
                        qn_str_c(texts[i]), QN_STR("it is not good enough for anybody")
                };
        }
        blocked[0].version = QN_STR("1.0.1");
        make_document(&doc, 2);
        qn_analyse_write_rewrite(&params, &w);
        ASSERT_TRUE(params.n > QN_ROLE_PARAMS_MAX);
        ASK(a, QN_JOB_REWRITE, params, qn_buf_view(&doc));
        ASSERT_EQ(a.reply.n, 0);
        ASSERT_TRUE(qn_str_starts(qn_buf_view(&a.output),
                                  "{\"name\":\"p\",\"dist-tags\":{\"latest\":\"1.0.0\"},"
                                  "\"versions\":{\"1.0.0\":{\"name\":\"p\",\"version\":"
                                  "\"1.0.0\",\"dist\":{\"tarball\":\"https://gate/p/-/"
                                  "p-1.0.0.tgz\"}}},\"policyRestrictions\""));
        /* Short parameters, and one version that is blocked. */
        w.n_blocked = 1;
        w.only = QN_STR("1.0.1");
        qn_buf_reset(&params);
        qn_analyse_write_rewrite(&params, &w);
        answer_done(&a);
        ask(QN_JOB_REWRITE, &params, qn_buf_view(&doc), &a);
        ASSERT_EQ(a.status, QN_POOL_FAILED);
        ASSERT_EQ(a.code, -EACCES);
        ASSERT_EQ(a.output.n, 0);
}

/* Large enough to be mapped, and for every level. */
TEST(squeezed_documents)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = qn_gz_new();
        struct qn_cur back;
        BUF(doc);
        BUF(params);

        make_document(&doc, 250000);
        ASSERT_TRUE(doc.n > QN_ROLE_READ_MAX);
        qn_analyse_write_squeeze(&params, QN_COMPRESS_GZIP);
        ASK(a, QN_JOB_SQUEEZE, params, qn_buf_view(&doc));
        ASSERT_EQ(qn_gz_inflate(gz, qn_cur_str(qn_buf_view(&a.output)), (size_t)64 << 20, &back,
                                NULL),
                  0);
        ASSERT_TRUE(qn_str_eq(qn_cur_rest(&back), qn_buf_view(&doc)));
        for (int i = 0; i < 2; i++) {
                qn_buf_reset(&params);
                qn_analyse_write_squeeze(&params, QN_COMPRESS_ZSTD);
                ASK(z, QN_JOB_SQUEEZE, params, i ? qn_buf_view(&doc) : QN_STR("small"));
                ASSERT_TRUE(qn_zst_is(qn_cur_str(qn_buf_view(&z.output))));
        }
}

TEST(a_question_for_advisories)
{
        _cleanup_(qn_arena_done) struct qn_arena arena = QN_ARENA_INIT((size_t)16 << 20);
        struct qn_audit audit;
        BUF(params);

        qn_analyse_write_audit(&params, QN_AUDIT_BULK);
        ASK(a, QN_JOB_AUDIT, params, QN_STR("{\"b\":[\"1.0.0\"],\"a\":[\"2.0.0\"]}"));
        ASSERT_EQ(qn_analyse_read_audit(qn_cur_str(qn_buf_view(&a.reply)), &arena, &audit), 0);
        ASSERT_EQ(audit.n, 2);
        ASSERT_STR(audit.v[0].name, "a");
}
