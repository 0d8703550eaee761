#include "gate/front-wire.h"

#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"
#include "role/wire.h"

#define FLAG_ABBREVIATED 1u
#define FLAG_ADMIN       2u
#define FLAG_KEEP        1u
#define FLAG_CLOSED      1u

/* Text that goes into a header, a log or a database: one line of printable ASCII. */
static bool is_line(struct qn_str s, size_t max)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return s.n <= max;
}

static bool are_lines(const struct qn_str *const *texts, size_t n, size_t max)
{
        for (size_t i = 0; i < n; i++)
                if (!is_line(*texts[i], max))
                        return false;
        return true;
}

static int get_lines(struct qn_cur *in, struct qn_str *const *texts, size_t n, size_t max)
{
        if (qn_wire_get_texts(in, texts, n) < 0)
                return -EBADMSG;
        return are_lines((const struct qn_str *const *)texts, n, max) ? 0 : -EBADMSG;
}

static int get_flags(struct qn_cur *in, uint8_t known, uint8_t *ret)
{
        return qn_cur_u8(in, ret) < 0 || (*ret & ~known) ? -EBADMSG : 0;
}

static int get_encoding(struct qn_cur *in, enum qn_front_encoding *ret)
{
        uint8_t v;

        if (qn_cur_u8(in, &v) < 0 || v > QN_ENCODING_ZSTD)
                return -EBADMSG;
        *ret = v;
        return 0;
}

#define CLIENT_TEXTS(c)                                                                     \
        {                                                                                   \
                &(c)->address, &(c)->token, &(c)->user_agent, &(c)->session, &(c)->command, \
                        &(c)->ci                                                            \
        }
#define HEADER_TEXTS(q)                                                                     \
        {                                                                                   \
                &(q)->authorization, &(q)->content_type, &(q)->content_encoding, &(q)->otp, \
                        &(q)->auth_type                                                     \
        }
#define ANSWER_TEXTS(a)                                                                      \
        {                                                                                    \
                &(a)->package, &(a)->content_type, &(a)->etag, &(a)->last_modified,          \
                        &(a)->cache_control, &(a)->notice, &(a)->warning, &(a)->retry_after, \
                        &(a)->authenticate, &(a)->verdict                                    \
        }
#define CONFIG_TEXTS(c)                                            \
        {                                                          \
                &(c)->prefix, &(c)->cert, &(c)->key, &(c)->proxies \
        }

static void put_client(struct qn_buf *out, const struct qn_front_client *c)
{
        const struct qn_str *texts[] = CLIENT_TEXTS(c);

        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

static int get_client(struct qn_cur *in, struct qn_front_client *ret)
{
        struct qn_str *texts[] = CLIENT_TEXTS(ret);

        return get_lines(in, texts, QN_ARRAY_SIZE(texts), QN_FRONT_TEXT_MAX);
}

void qn_front_write_question(struct qn_buf *out, const struct qn_front_question *q)
{
        const struct qn_str *texts[] = HEADER_TEXTS(q);

        qn_buf_byte(out, QN_FRONT_ASKS);
        qn_buf_byte(out,
                    (char)((q->abbreviated ? FLAG_ABBREVIATED : 0) | (q->admin ? FLAG_ADMIN : 0)));
        qn_buf_byte(out, (char)q->encoding);
        qn_wire_put_text(out, q->method);
        qn_wire_put_text(out, q->path);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        put_client(out, &q->client);
        qn_buf_add(out, q->body.p, qn_cur_left(&q->body));
}

static bool method_known(struct qn_str m)
{
        static const char *const methods[] = { "GET", "PUT", "POST", "DELETE" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(methods); i++)
                if (qn_str_is(m, methods[i]))
                        return true;
        return false;
}

int qn_front_read_question(struct qn_cur in, struct qn_front_question *ret)
{
        struct qn_front_question q = { 0 };
        struct qn_str *line[] = { &q.method, &q.path }, *headers[] = HEADER_TEXTS(&q);
        uint8_t flags;

        if (get_flags(&in, FLAG_ABBREVIATED | FLAG_ADMIN, &flags) < 0 ||
            get_encoding(&in, &q.encoding) < 0 ||
            get_lines(&in, line, QN_ARRAY_SIZE(line), QN_FRONT_PATH_MAX) < 0 ||
            get_lines(&in, headers, QN_ARRAY_SIZE(headers), QN_FRONT_HEADERS_MAX) < 0 ||
            get_client(&in, &q.client) < 0)
                return -EBADMSG;
        if (!method_known(q.method) || !qn_str_starts(q.path, "/") || qn_str_chr(q.path, ' ') >= 0)
                return -EBADMSG;
        q.abbreviated = flags & FLAG_ABBREVIATED;
        q.admin = flags & FLAG_ADMIN;
        q.body = in;
        *ret = q;
        return 0;
}

void qn_front_write_note(struct qn_buf *out, const struct qn_front_note *n)
{
        qn_buf_byte(out, QN_FRONT_SERVES);
        qn_wire_put_u64(out, n->artifact);
        put_client(out, &n->client);
}

int qn_front_read_note(struct qn_cur in, struct qn_front_note *ret)
{
        struct qn_front_note n = { 0 };

        if (qn_cur_le64(&in, &n.artifact) < 0 || !n.artifact || get_client(&in, &n.client) < 0 ||
            qn_cur_left(&in))
                return -EBADMSG;
        *ret = n;
        return 0;
}

void qn_front_write_answer(struct qn_buf *out, const struct qn_front_answer *a)
{
        const struct qn_str *texts[] = ANSWER_TEXTS(a);

        qn_buf_add(out, &a->status, sizeof a->status);
        qn_buf_byte(out, a->keep ? FLAG_KEEP : 0);
        qn_buf_byte(out, (char)a->encoding);
        qn_wire_put_u32(out, a->keep_ms);
        qn_wire_put_u64(out, a->artifact);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

int qn_front_read_answer(struct qn_cur in, struct qn_front_answer *ret)
{
        struct qn_front_answer a = { 0 };
        struct qn_str *texts[] = ANSWER_TEXTS(&a);
        uint8_t flags;

        if (qn_cur_le16(&in, &a.status) < 0 || get_flags(&in, FLAG_KEEP, &flags) < 0 ||
            get_encoding(&in, &a.encoding) < 0 || qn_cur_le32(&in, &a.keep_ms) < 0 ||
            qn_cur_le64(&in, &a.artifact) < 0 ||
            get_lines(&in, texts, QN_ARRAY_SIZE(texts), QN_FRONT_HEADER_MAX) < 0 ||
            qn_cur_left(&in))
                return -EBADMSG;
        if (a.status < 200 || a.status > 599)
                return -EBADMSG;
        a.keep = flags & FLAG_KEEP;
        *ret = a;
        return 0;
}

void qn_front_write_config(struct qn_buf *out, const struct qn_front_config *c)
{
        const struct qn_str *texts[] = CONFIG_TEXTS(c);

        qn_buf_byte(out, c->closed ? FLAG_CLOSED : 0);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
        qn_wire_put_u32(out, c->rate);
        qn_wire_put_u32(out, c->burst);
        qn_wire_put_u32(out, c->connections);
        qn_wire_put_u32(out, c->per_address);
        qn_wire_put_u32(out, c->idle_s);
        qn_wire_put_u64(out, c->body_max);
        qn_wire_put_u64(out, c->keep_max);
        qn_wire_put_u32(out, (uint32_t)c->n_tokens);
        for (size_t i = 0; i < c->n_tokens; i++) {
                qn_wire_put_text(out, c->tokens[i].name);
                qn_buf_byte(out, c->tokens[i].admin ? FLAG_ADMIN : 0);
                qn_buf_add(out, c->tokens[i].sha256, sizeof c->tokens[i].sha256);
        }
}

static int get_token(struct qn_cur *in, struct qn_front_token *ret)
{
        struct qn_str *name = &ret->name;
        uint8_t flags;

        if (get_lines(in, &name, 1, QN_FRONT_TEXT_MAX) < 0 || !ret->name.n ||
            get_flags(in, FLAG_ADMIN, &flags) < 0 ||
            qn_cur_copy(in, sizeof ret->sha256, ret->sha256) < 0)
                return -EBADMSG;
        ret->admin = flags & FLAG_ADMIN;
        return 0;
}

static int get_tokens(struct qn_cur *in, struct qn_arena *a, struct qn_front_config *c)
{
        struct qn_front_token *tokens;
        uint32_t n;

        if (qn_cur_le32(in, &n) < 0 || n > QN_FRONT_TOKENS_MAX)
                return -EBADMSG;
        if (!n)
                return 0;
        tokens = qn_arena_calloc(a, n, sizeof *tokens);
        if (!tokens)
                return -ENOBUFS;
        for (uint32_t i = 0; i < n; i++)
                if (get_token(in, &tokens[i]) < 0)
                        return -EBADMSG;
        c->tokens = tokens;
        c->n_tokens = n;
        return 0;
}

static int get_numbers(struct qn_cur *in, struct qn_front_config *c)
{
        uint32_t *const small[] = { &c->rate, &c->burst, &c->connections, &c->per_address,
                                    &c->idle_s };

        for (size_t i = 0; i < QN_ARRAY_SIZE(small); i++)
                if (qn_cur_le32(in, small[i]) < 0)
                        return -EBADMSG;
        return qn_cur_le64(in, &c->body_max) < 0 ? -EBADMSG : qn_cur_le64(in, &c->keep_max);
}

int qn_front_read_config(struct qn_cur in, struct qn_arena *a, struct qn_front_config *ret)
{
        struct qn_front_config c = { 0 };
        struct qn_str *texts[] = CONFIG_TEXTS(&c);
        uint8_t flags;
        int r;

        if (get_flags(&in, FLAG_CLOSED, &flags) < 0 ||
            qn_wire_get_texts(&in, texts, QN_ARRAY_SIZE(texts)) < 0 || get_numbers(&in, &c) < 0 ||
            !is_line(c.prefix, QN_FRONT_PATH_MAX) || !is_line(c.proxies, QN_FRONT_PATH_MAX) ||
            (c.cert.p != NULL) != (c.key.p != NULL))
                return -EBADMSG;
        r = get_tokens(&in, a, &c);
        if (r < 0)
                return r;
        if (qn_cur_left(&in))
                return -EBADMSG;
        c.closed = flags & FLAG_CLOSED;
        *ret = c;
        return 0;
}

/* All numbers of the counters, in order. */
_Static_assert(sizeof(struct qn_front_counts) == 31 * sizeof(uint64_t), "nothing but numbers");

void qn_front_write_counts(struct qn_buf *out, const struct qn_front_counts *c)
{
        qn_buf_byte(out, QN_FRONT_COUNTS);
        qn_buf_add(out, c, sizeof *c);
}

int qn_front_read_counts(struct qn_cur in, struct qn_front_counts *ret)
{
        return qn_cur_left(&in) != sizeof *ret ? -EBADMSG : qn_cur_copy(&in, sizeof *ret, ret);
}
