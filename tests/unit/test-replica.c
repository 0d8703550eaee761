/* Pages of a replication feed, and feeds line by line. */
#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "parse/replica.h"
#include "role/analyse-wire.h"
#include "role/analyse.h"
#include "test.h"

static struct qn_arena arena = { .max = (size_t)64 << 20 };

/* "name@seq name@seq! | skipped last": "!" for what was deleted; or the error. */
static const char *tell(int r, const struct qn_replica *p)
{
        static char out[4096];
        size_t n = 0;

        if (r < 0)
                return strerrorname_np(-r);
        out[0] = 0;
        for (size_t i = 0; i < p->n; i++)
                n += (size_t)snprintf(out + n, sizeof out - n, "%.*s@%.*s%s ",
                                      QN_STR_ARG(p->v[i].name), QN_STR_ARG(p->v[i].seq),
                                      p->v[i].deleted ? "!" : "");
        snprintf(out + n, sizeof out - n, "| %zu %.*s", p->skipped, QN_STR_ARG(p->last));
        return out;
}

static const char *page(const char *text)
{
        struct qn_replica p = { 0 };
        int r;

        qn_arena_reset(&arena, 0);
        r = qn_replica_parse(qn_cur_str(qn_str_c(text)), &arena, &p, NULL);
        return tell(r, &p);
}

static const char *lines(const char *text)
{
        struct qn_replica p = { 0 };
        int r;

        qn_arena_reset(&arena, 0);
        r = qn_replica_parse_lines(qn_cur_str(qn_str_c(text)), &arena, &p, NULL);
        return tell(r, &p);
}

TEST(what_is_no_page)
{
        static const char *const bad[] = {
                "",
                "[]",
                "7",
                "{}",
                "{\"results\":[]}",
                "{\"last_seq\":7}",
                "{\"results\":{},\"last_seq\":7}",
                "{\"results\":[{\"seq\":1,\"id\":\"a\"}],\"last_seq\":null}",
                "{\"results\":[{\"seq\":1,\"id\":\"a\"}],\"last_seq\":\"a b\"}",
                "{\"results\":[{\"seq\":1,\"id\":\"a\"",
                "{\"results\":[],\"last_seq\":7}x",
                "{\"error\":\"not_found\"}",
        };

        for (size_t i = 0; i < QN_ARRAY_SIZE(bad); i++)
                assert_true(page(bad[i])[0] == 'E');
}

TEST(a_page)
{
        assert_string_equal(page("{\"results\":[],\"last_seq\":7,\"pending\":0}"), "| 0 7");
        assert_string_equal(
                page("{\"results\":[{\"seq\":5,\"id\":\"a\",\"changes\":[{\"rev\":\"1-x\"}]},"
                     "{\"seq\":7,\"id\":\"@s/b\",\"changes\":[],\"deleted\":true}],"
                     "\"last_seq\":7}"),
                "a@5 @s/b@7! | 0 7");
        /* CouchDB 2: sequences are texts. */
        assert_string_equal(page("{\"results\":[{\"seq\":\"5-g1AA\",\"id\":\"a\"}],"
                                 "\"last_seq\":\"5-g1AA\"}"),
                            "a@5-g1AA | 0 5-g1AA");
}

TEST(what_is_no_package_is_counted)
{
        assert_string_equal(
                page("{\"results\":[{\"seq\":1,\"id\":\"_design/app\"},{\"seq\":2,\"id\":\"../x\"},"
                     "{\"seq\":3},{\"id\":\"a\"},{\"seq\":{},\"id\":\"a\"},7,null,[1],"
                     "{\"seq\":4,\"id\":7},{\"seq\":5,\"id\":\"b\"}],\"last_seq\":5}"),
                "b@5 | 9 5");
}

TEST(line_by_line)
{
        assert_string_equal(lines(""), "| 0 ");
        assert_string_equal(lines("# names\nleft-pad\n\n@s/b\n.bad\n"), "left-pad@2 @s/b@4 | 1 4");
        assert_string_equal(lines("{\"seq\":9,\"id\":\"a\"}\r\n{\"seq\":10,\"id\":\"b\"}"),
                            "a@9 b@10 | 0 10");
        assert_string_equal(lines("a\n{\"seq\":9,\n"), "EBADMSG");
}

TEST(the_number_of_a_sequence)
{
        ASSERT_EQ(qn_replica_number(QN_STR("12-abc")), 12);
        ASSERT_EQ(qn_replica_number(QN_STR("0")), 0);
        ASSERT_EQ(qn_replica_number(QN_STR("x")), -1);
        ASSERT_EQ(qn_replica_number(QN_STR("")), -1);
        assert_true(qn_replica_number(QN_STR("99999999999999999999999")) > 0);
}

TEST(too_many_changes)
{
        struct qn_buf b = QN_BUF_INIT((size_t)8 << 20);
        struct qn_replica p;

        for (unsigned i = 0; i <= QN_REPLICA_MAX; i++)
                qn_buf_printf(&b, "a%u\n", i);
        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_replica_parse_lines(qn_cur_str(qn_buf_view(&b)), &arena, &p, NULL), -EFBIG);
        qn_buf_done(&b);
}

TEST(over_the_wire)
{
        struct qn_replica_change v[] = { { QN_STR("a"), QN_STR("1"), false },
                                         { QN_STR("@s/b"), QN_STR("2-x"), true } };
        const struct qn_replica in = { v, 2, 3, QN_STR("2-x") };
        struct qn_buf b = QN_BUF_INIT(4096);
        struct qn_replica p = { 0 };

        qn_arena_reset(&arena, 0);
        ASSERT_EQ(qn_analyse_write_replica(&b, &in), 0);
        ASSERT_EQ(qn_analyse_read_replica(qn_cur_mem(b.p, b.n), &arena, &p), 0);
        assert_string_equal(tell(0, &p), "a@1 @s/b@2-x! | 3 2-x");
        for (size_t n = 0; n < b.n; n++)
                ASSERT_EQ(qn_analyse_read_replica(qn_cur_mem(b.p, n), &arena, &p), -EBADMSG);
        v[0].name = QN_STR("../a");
        qn_buf_reset(&b);
        ASSERT_EQ(qn_analyse_write_replica(&b, &in), 0);
        ASSERT_EQ(qn_analyse_read_replica(qn_cur_mem(b.p, b.n), &arena, &p), -EBADMSG);
        qn_buf_done(&b);
}
