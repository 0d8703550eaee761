/* The gate's HTTP face: its messages, and what it reads out of headers. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "gate/front-head.h"
#include "gate/front-wire.h"
#include "test.h"

#define S(text) QN_STR(text)

/* --- messages --- */

static const struct qn_front_client client = { S("192.0.2.7"), S("ci"),      S("npm/10.0.0"),
                                               S("0123"),      S("install"), S("ci/some") };

static void write_question(struct qn_buf *b)
{
        const struct qn_front_question q = { .method = S("PUT"),
                                             .path = S("/a?b=c"),
                                             .abbreviated = true,
                                             .admin = true,
                                             .encoding = QN_ENCODING_ZSTD,
                                             .authorization = S("Bearer x"),
                                             .otp = S("123456"),
                                             .client = client,
                                             .body = CUR("{\0}") };

        *b = QN_BUF_INIT(65536);
        qn_front_write_question(b, &q);
        ASSERT_EQ(qn_buf_error(b), 0);
}

static struct qn_cur behind_kind(const struct qn_buf *b)
{
        return qn_cur_mem(b->p + 1, b->n - 1);
}

TEST(question_comes_through)
{
        struct qn_front_question q = { 0 };
        struct qn_buf b;

        write_question(&b);
        ASSERT_EQ(b.p[0], QN_FRONT_ASKS);
        ASSERT_EQ(qn_front_read_question(behind_kind(&b), &q), 0);
        ASSERT_STR(q.method, "PUT");
        ASSERT_STR(q.path, "/a?b=c");
        ASSERT_TRUE(q.abbreviated && q.admin);
        ASSERT_EQ(q.encoding, QN_ENCODING_ZSTD);
        ASSERT_STR(q.authorization, "Bearer x");
        ASSERT_NULL(q.content_type.p);
        ASSERT_STR(q.otp, "123456");
        ASSERT_STR(q.client.address, "192.0.2.7");
        ASSERT_STR(q.client.ci, "ci/some");
        ASSERT_EQ(qn_cur_left(&q.body), 3);
        qn_buf_done(&b);
}

TEST(question_cut_short)
{
        struct qn_front_question q = { .admin = true };
        struct qn_buf b;

        write_question(&b);
        for (size_t i = 0; i < b.n - 4; i++) /* the body is what is left */
                ASSERT_EQ(qn_front_read_question(qn_cur_mem(b.p + 1, i), &q), -EBADMSG);
        ASSERT_TRUE(q.admin && !q.path.p); /* a call that fails leaves ret alone */
        qn_buf_done(&b);
}

static int read_with(void (*change)(struct qn_front_question *q))
{
        struct qn_front_question q = { .method = S("GET"), .path = S("/a"), .client = client }, got;
        struct qn_buf b = QN_BUF_INIT(1 << 20);
        int r;

        change(&q);
        qn_front_write_question(&b, &q);
        r = qn_front_read_question(behind_kind(&b), &got);
        qn_buf_done(&b);
        return r;
}

static char lots[QN_FRONT_HEADERS_MAX + 2];

static void nothing(struct qn_front_question *q QN_UNUSED)
{
}
static void other_method(struct qn_front_question *q)
{
        q->method = S("HEAD");
}
static void no_slash(struct qn_front_question *q)
{
        q->path = S("a");
}
static void blank(struct qn_front_question *q)
{
        q->path = S("/a b");
}
static void newline(struct qn_front_question *q)
{
        q->authorization = S("a\nb");
}
static void not_ascii(struct qn_front_question *q)
{
        q->client.user_agent = S("\xc3\xa4");
}
static void long_text(struct qn_front_question *q)
{
        q->client.session = (struct qn_str){ lots, QN_FRONT_TEXT_MAX + 1 };
}
static void long_path(struct qn_front_question *q)
{
        q->path = (struct qn_str){ lots, QN_FRONT_PATH_MAX + 1 };
}
static void long_header(struct qn_front_question *q)
{
        q->otp = (struct qn_str){ lots, QN_FRONT_HEADERS_MAX + 1 };
}
static void no_encoding(struct qn_front_question *q)
{
        q->encoding = QN_ENCODING_ZSTD + 1;
}

TEST(question_with_what_must_not_be)
{
        void (*const changes[])(struct qn_front_question *
                                q) = { other_method, no_slash,  blank,       newline,    not_ascii,
                                       long_text,    long_path, long_header, no_encoding };

        memset(lots, '/', sizeof lots);
        ASSERT_EQ(read_with(nothing), 0);
        for (size_t i = 0; i < QN_ARRAY_SIZE(changes); i++)
                ASSERT_EQ(read_with(changes[i]), -EBADMSG);
}

TEST(note_comes_through)
{
        const struct qn_front_note n = { 7, client };
        struct qn_front_note got = { 0 };
        struct qn_buf b = QN_BUF_INIT(65536);

        qn_front_write_note(&b, &n);
        for (size_t i = 0; i < b.n - 1; i++)
                ASSERT_EQ(qn_front_read_note(qn_cur_mem(b.p + 1, i), &got), -EBADMSG);
        ASSERT_EQ(got.artifact, 0);
        ASSERT_EQ(qn_front_read_note(behind_kind(&b), &got), 0);
        ASSERT_EQ(got.artifact, 7);
        ASSERT_STR(got.client.token, "ci");
        qn_buf_byte(&b, 0);
        ASSERT_EQ(qn_front_read_note(behind_kind(&b), &got), -EBADMSG);
        qn_buf_done(&b);
}

TEST(answer_comes_through)
{
        struct qn_front_answer a = { .status = 200,
                                     .keep = true,
                                     .keep_ms = 5,
                                     .artifact = 9,
                                     .encoding = QN_ENCODING_GZIP,
                                     .package = S("p"),
                                     .etag = S("\"e\""),
                                     .verdict = S("clean") },
                               got = { 0 };
        struct qn_buf b = QN_BUF_INIT(65536);

        qn_front_write_answer(&b, &a);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_front_read_answer(qn_cur_mem(b.p, i), &got), -EBADMSG);
        ASSERT_EQ(got.status, 0);
        ASSERT_EQ(qn_front_read_answer(qn_cur_str(qn_buf_view(&b)), &got), 0);
        ASSERT_EQ(got.status, 200);
        ASSERT_TRUE(got.keep && got.keep_ms == 5 && got.artifact == 9 &&
                    got.encoding == QN_ENCODING_GZIP);
        ASSERT_STR(got.package, "p");
        ASSERT_STR(got.etag, "\"e\"");
        ASSERT_NULL(got.notice.p);
        for (uint16_t status = 0; status < 700; status += 99) {
                a.status = status;
                qn_buf_reset(&b);
                qn_front_write_answer(&b, &a);
                ASSERT_EQ(qn_front_read_answer(qn_cur_str(qn_buf_view(&b)), &got),
                          status >= 200 && status < 600 ? 0 : -EBADMSG);
        }
        a.status = 200;
        a.notice = S("a\r\nSet-Cookie: b");
        qn_buf_reset(&b);
        qn_front_write_answer(&b, &a);
        ASSERT_EQ(qn_front_read_answer(qn_cur_str(qn_buf_view(&b)), &got), -EBADMSG);
        qn_buf_done(&b);
}

TEST(config_comes_through)
{
        const struct qn_front_token tokens[] = { { S("a"), { 1 }, false },
                                                 { S("b"), { 2 }, true } };
        const struct qn_front_config c = { .prefix = S("/npm"),
                                           .tokens = tokens,
                                           .n_tokens = 2,
                                           .closed = true,
                                           .rate = 1,
                                           .burst = 2,
                                           .connections = 3,
                                           .per_address = 4,
                                           .idle_s = 5,
                                           .body_max = 6,
                                           .keep_max = 7,
                                           .proxies = S("::1 127.0.0.1") };
        struct qn_front_config got = { 0 };
        struct qn_arena a = QN_ARENA_INIT(65536);
        struct qn_buf b = QN_BUF_INIT(65536);

        qn_front_write_config(&b, &c);
        for (size_t i = 0; i < b.n; i++)
                ASSERT_EQ(qn_front_read_config(qn_cur_mem(b.p, i), &a, &got), -EBADMSG);
        ASSERT_NULL(got.prefix.p);
        ASSERT_EQ(qn_front_read_config(qn_cur_str(qn_buf_view(&b)), &a, &got), 0);
        ASSERT_STR(got.prefix, "/npm");
        ASSERT_EQ(got.n_tokens, 2);
        ASSERT_STR(got.tokens[1].name, "b");
        ASSERT_TRUE(got.tokens[1].admin && !got.tokens[0].admin && got.tokens[1].sha256[0] == 2);
        ASSERT_TRUE(got.closed && got.rate == 1 && got.burst == 2 && got.connections == 3 &&
                    got.per_address == 4);
        ASSERT_TRUE(got.idle_s == 5 && got.body_max == 6 && got.keep_max == 7);
        qn_buf_done(&b);
        qn_arena_done(&a);
}

TEST(config_that_must_not_be)
{
        struct qn_front_config c = { .prefix = S(""), .cert = S("c") }, got = { 0 };
        const struct qn_front_token nameless = { .sha256 = { 1 } };
        struct qn_arena a = QN_ARENA_INIT(65536);
        struct qn_buf b = QN_BUF_INIT(1 << 20);

        qn_front_write_config(&b, &c); /* a certificate without its key */
        ASSERT_EQ(qn_front_read_config(qn_cur_str(qn_buf_view(&b)), &a, &got), -EBADMSG);
        c.cert = (struct qn_str){ 0 };
        c.tokens = &nameless;
        c.n_tokens = 1;
        qn_buf_reset(&b);
        qn_front_write_config(&b, &c);
        ASSERT_EQ(qn_front_read_config(qn_cur_str(qn_buf_view(&b)), &a, &got), -EBADMSG);
        c.n_tokens = 0;
        qn_buf_reset(&b);
        qn_front_write_config(&b, &c);
        ASSERT_EQ(qn_front_read_config(qn_cur_str(qn_buf_view(&b)), &a, &got), 0);
        memcpy(b.p + b.n - 4, &(uint32_t){ QN_FRONT_TOKENS_MAX + 1 }, 4);
        ASSERT_EQ(qn_front_read_config(qn_cur_str(qn_buf_view(&b)), &a, &got), -EBADMSG);
        qn_buf_done(&b);
        qn_arena_done(&a);
}

TEST(counts_come_through)
{
        const struct qn_front_counts c = {
                .requests = 1, .open = 2, .by_status = { [5] = 3 }, .latency = { [15] = 4 }
        };
        struct qn_front_counts got = { 0 };
        struct qn_buf b = QN_BUF_INIT(65536);

        qn_front_write_counts(&b, &c);
        ASSERT_EQ(qn_front_read_counts(qn_cur_mem(b.p + 1, b.n - 2), &got), -EBADMSG);
        ASSERT_EQ(qn_front_read_counts(behind_kind(&b), &got), 0);
        ASSERT_TRUE(got.requests == 1 && got.open == 2 && got.by_status[5] == 3 &&
                    got.latency[15] == 4);
        qn_buf_done(&b);
}

/* --- headers --- */

TEST(encodings_as_clients_say_them)
{
        static const struct {
                const char *accept;
                enum qn_front_encoding want;
        } cases[] = {
                { "", QN_ENCODING_IDENTITY },
                { "gzip,deflate,br", QN_ENCODING_GZIP },         /* npm */
                { "gzip, deflate, br, zstd", QN_ENCODING_GZIP }, /* bun */
                { "zstd", QN_ENCODING_ZSTD },
                { "zstd, gzip;q=0.9", QN_ENCODING_ZSTD },
                { "zstd;q=0.9, gzip", QN_ENCODING_GZIP },
                { "GZIP ; Q=1", QN_ENCODING_GZIP },
                { "gzip;q=0", QN_ENCODING_IDENTITY },
                { "gzip;q=0, *", QN_ENCODING_IDENTITY },
                { "*", QN_ENCODING_GZIP },
                { "*;q=0", QN_ENCODING_IDENTITY },
                { "identity, gzip;q=0.5", QN_ENCODING_IDENTITY },
                { "identity;q=0.5, gzip;q=0.5", QN_ENCODING_GZIP },
                { "gzip;q=2", QN_ENCODING_IDENTITY },
                { "gzip;q=0.0001", QN_ENCODING_IDENTITY },
                { "gzip;q=-1", QN_ENCODING_IDENTITY },
                { "gzip;q=", QN_ENCODING_IDENTITY },
                { "gzip;q=1.001", QN_ENCODING_GZIP },
                { ",,;;,=", QN_ENCODING_IDENTITY },
                { "br", QN_ENCODING_IDENTITY },
        };

        ASSERT_EQ(qn_head_encoding((struct qn_str){ 0 }), QN_ENCODING_IDENTITY);
        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++)
                if (qn_head_encoding(qn_str_c(cases[i].accept)) != cases[i].want)
                        fail_msg("%s", cases[i].accept);
}

TEST(abbreviated_packuments)
{
        ASSERT_TRUE(qn_head_abbreviated(
                S("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")));
        ASSERT_TRUE(
                qn_head_abbreviated(S("application/json, application/vnd.npm.install-v1+json")));
        ASSERT_FALSE(qn_head_abbreviated(S("application/vnd.npm.install-v1+json; q=0")));
        ASSERT_FALSE(qn_head_abbreviated(S("*/*")));
        ASSERT_FALSE(qn_head_abbreviated((struct qn_str){ 0 }));
}

TEST(entity_tags)
{
        ASSERT_TRUE(qn_head_matches(S("\"a\""), S("\"a\"")));
        ASSERT_TRUE(qn_head_matches(S("W/\"a\""), S("\"a\"")));
        ASSERT_TRUE(qn_head_matches(S("\"a\""), S("W/\"a\"")));
        ASSERT_TRUE(qn_head_matches(S("\"x,y\" , W/\"a\""), S("\"a\"")));
        ASSERT_TRUE(qn_head_matches(S("\"a\",\"b\""), S("\"b\"")));
        ASSERT_TRUE(qn_head_matches(S(" * "), S("\"a\"")));
        ASSERT_TRUE(qn_head_matches(S("x, \"a\""), S("\"a\"")));
        ASSERT_FALSE(qn_head_matches(S("*"), S("")));
        ASSERT_FALSE(qn_head_matches(S("a"), S("\"a\"")));
        ASSERT_FALSE(qn_head_matches(S("\"x,\"a\"\""), S("\"a\"")));
        ASSERT_FALSE(qn_head_matches(S("\"b"), S("\"a\"")));
        ASSERT_FALSE(qn_head_matches(S(""), S("\"a\"")));
        ASSERT_TRUE(qn_head_same(S("\"a\""), S("\"a\"")));
        ASSERT_FALSE(qn_head_same(S("W/\"a\""), S("W/\"a\"")));
        ASSERT_FALSE(qn_head_same(S("Sat, 29 Oct 1994 19:43:31 GMT"), S("\"a\"")));
}

TEST(ranges)
{
        static const struct {
                const char *range;
                int want;
                uint64_t first, last;
        } cases[] = {
                { "bytes=0-0", 1, 0, 0 },
                { "bytes=1-", 1, 1, 9 },
                { "bytes=-3", 1, 7, 9 },
                { "bytes=-30", 1, 0, 9 },
                { "bytes=5-50", 1, 5, 9 },
                { "BYTES=0-1", 1, 0, 1 },
                { "bytes=10-", -ERANGE },
                { "bytes=-0", -ERANGE },
                { "bytes=3-2", 0 },
                { "bytes=-", 0 },
                { "bytes=", 0 },
                { "bytes", 0 },
                { "bytes=1", 0 },
                { "bytes=0-1,3-4", 0 },
                { "lines=0-1", 0 },
                { "bytes=a-b", 0 },
                { "bytes=1-2-3", 0 },
                { "bytes=+1-2", 0 },
                { "bytes=99999999999999999999-", 0 },
                { "bytes= 0-1 ", 1, 0, 1 },
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(cases); i++) {
                uint64_t first = 0, last = 0;

                if (qn_head_range(qn_str_c(cases[i].range), 10, &first, &last) != cases[i].want ||
                    first != cases[i].first || last != cases[i].last)
                        fail_msg("%s", cases[i].range);
        }
        ASSERT_EQ(qn_head_range(S("bytes=-1"), 0, &(uint64_t){ 0 }, &(uint64_t){ 0 }), -ERANGE);
}

TEST(tokens)
{
        char buffer[QN_HEAD_TOKEN_MAX];

        ASSERT_STR(qn_head_token(S("Bearer npm_x"), buffer), "npm_x");
        ASSERT_STR(qn_head_token(S(" bearer   npm_x "), buffer), "npm_x");
        ASSERT_STR(qn_head_token(S("Basic dXNlcjpwYXNz"), buffer), "pass");
        ASSERT_STR(qn_head_token(S("Basic dXNlcjpwYTpzcw=="), buffer), "pa:ss");
        ASSERT_NULL(qn_head_token(S("Basic dXNlcg=="), buffer).p);
        ASSERT_NULL(qn_head_token(S("Basic dXNlcjo="), buffer).p);
        ASSERT_NULL(qn_head_token(S("Basic d?"), buffer).p);
        ASSERT_NULL(qn_head_token(S("Basic dXNl cjpwYXNz"), buffer).p);
        ASSERT_NULL(qn_head_token(S("Basic dXNlcjpwYXNz=x"), buffer).p);
        ASSERT_NULL(qn_head_token(S("Digest x"), buffer).p);
        ASSERT_NULL(qn_head_token(S("Bearer"), buffer).p);
        ASSERT_NULL(qn_head_token(S(""), buffer).p);
        ASSERT_NULL(qn_head_token((struct qn_str){ 0 }, buffer).p);
        memset(lots, 'A', sizeof lots);
        memcpy(lots, "Basic ", 6);
        ASSERT_NULL(qn_head_token((struct qn_str){ lots, sizeof lots }, buffer).p);
}

TEST(who_it_is)
{
        char to[8];

        ASSERT_STR(qn_head_forwarded(S("198.51.100.1, 203.0.113.9"), S("127.0.0.1")),
                   "203.0.113.9");
        ASSERT_STR(qn_head_forwarded(S("198.51.100.1, 10.0.0.1"), S("10.0.0.1 10.0.0.2")),
                   "198.51.100.1");
        ASSERT_STR(qn_head_forwarded(S("evil, 10.0.0.1"), S("10.0.0.1")), "");
        ASSERT_STR(qn_head_forwarded(S("10.0.0.1"), S("10.0.0.1")), "");
        ASSERT_STR(qn_head_forwarded(S(""), S("10.0.0.1")), "");
        ASSERT_STR(
                qn_head_ci(S("npm/10.1.0 node/v20 linux x64 workspaces/false ci/github-actions")),
                "ci/github-actions");
        ASSERT_NULL(qn_head_ci(S("npm/10.1.0")).p);
        ASSERT_STR(((struct qn_str){ to, qn_head_clean(S("a\n\xff\x1b[2J!"), to, sizeof to) }),
                   "a???[2J!");
        ASSERT_EQ(qn_head_clean(S("0123456789"), to, sizeof to), 8);
}

TEST(names_and_values)
{
        ASSERT_TRUE(qn_head_is_name(S("X-Forwarded-For")));
        ASSERT_FALSE(qn_head_is_name(S("")));
        ASSERT_FALSE(qn_head_is_name(S("a b")));
        ASSERT_FALSE(qn_head_is_name(S("a:")));
        ASSERT_FALSE(qn_head_is_name(S("a\0")));
        ASSERT_FALSE(qn_head_is_name(S("\xc1")));
        ASSERT_TRUE(qn_head_is_value(S("a\tb \xe4")));
        ASSERT_FALSE(qn_head_is_value(S("a\rb")));
        ASSERT_FALSE(qn_head_is_value(S("\x7f")));
}
