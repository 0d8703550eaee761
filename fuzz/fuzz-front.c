/* The messages of the gate's HTTP face, and the headers that it reads.  The first byte chooses; what can be read is written again
 * and must be the same bytes. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "gate/front-head.h"
#include "gate/front-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool contract)
{
        if (!contract)
                abort();
}

static bool is_line(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return true;
}

static void same(struct qn_buf *written, size_t skip, struct qn_cur in)
{
        check(qn_buf_error(written) == 0);
        check(qn_str_eq(qn_str_skip(qn_buf_view(written), skip), qn_cur_rest(&in)));
}

static void fuzz_question(struct qn_cur in, struct qn_buf *b)
{
        struct qn_front_question q = { 0 };

        if (qn_front_read_question(in, &q) < 0) {
                check(!q.path.p);
                return;
        }
        check(q.path.p[0] == '/' && is_line(q.path) && is_line(q.authorization) &&
              is_line(q.client.user_agent));
        qn_front_write_question(b, &q);
        same(b, 1, in);
}

static void fuzz_note(struct qn_cur in, struct qn_buf *b)
{
        struct qn_front_note n = { 0 };

        if (qn_front_read_note(in, &n) < 0)
                return;
        check(n.artifact && is_line(n.client.address));
        qn_front_write_note(b, &n);
        same(b, 1, in);
}

static void fuzz_answer(struct qn_cur in, struct qn_buf *b)
{
        struct qn_front_answer a = { 0 };

        if (qn_front_read_answer(in, &a) < 0)
                return;
        check(a.status >= 200 && a.status < 600 && is_line(a.etag) && is_line(a.notice));
        qn_front_write_answer(b, &a);
        same(b, 0, in);
}

static void fuzz_config(struct qn_cur in, struct qn_buf *b)
{
        struct qn_arena arena = QN_ARENA_INIT(1 << 20);
        struct qn_front_config c = { 0 };

        if (qn_front_read_config(in, &arena, &c) == 0) {
                qn_front_write_config(b, &c);
                same(b, 0, in);
        } else {
                check(!c.tokens);
        }
        qn_arena_done(&arena);
}

static void fuzz_counts(struct qn_cur in, struct qn_buf *b)
{
        struct qn_front_counts c;

        if (qn_front_read_counts(in, &c) < 0)
                return;
        qn_front_write_counts(b, &c);
        same(b, 1, in);
}

static void fuzz_headers(struct qn_cur in, struct qn_buf *b QN_UNUSED)
{
        struct qn_str s = qn_cur_rest(&in), token;
        char buffer[QN_HEAD_TOKEN_MAX], clean[64];
        uint64_t first = 0, last = 0;
        int r = qn_head_range(s, s.n, &first, &last);

        check(r == 0 || r == -ERANGE || (r == 1 && first <= last && last < s.n));
        check(qn_head_encoding(s) <= QN_ENCODING_ZSTD);
        (void)qn_head_abbreviated(s);
        (void)qn_head_matches(s, QN_STR("\"a\""));
        token = qn_head_token(s, buffer);
        check(!token.p || (token.n && token.n <= QN_HEAD_TOKEN_MAX));
        check(qn_head_forwarded(s, QN_STR("127.0.0.1")).n < 46);
        check(qn_head_ci(s).n <= s.n);
        check(is_line((struct qn_str){ clean, qn_head_clean(s, clean, sizeof clean) }));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        void (*const targets[])(struct qn_cur, struct qn_buf *) = { fuzz_question, fuzz_note,
                                                                    fuzz_answer,   fuzz_config,
                                                                    fuzz_counts,   fuzz_headers };
        struct qn_buf b = QN_BUF_INIT(size + 64);

        if (!size)
                return 0;
        targets[data[0] % QN_ARRAY_SIZE(targets)](qn_cur_mem(data + 1, size - 1), &b);
        qn_buf_done(&b);
        return 0;
}
