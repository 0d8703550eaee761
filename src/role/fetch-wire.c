#include "role/fetch-wire.h"

#include <errno.h>

#include "base/limits.h"
#include "role/wire.h"

#define STATUS_MAX 999u

/* --- options --- */

/* The fields of each structure, once, in the order in which they travel. */
#define OPTION_NUMBERS(o)                                                                       \
        &(o)->sockets, &(o)->tries, &(o)->retry_min_ms, &(o)->retry_max_ms, &(o)->retry_factor, \
                &(o)->idle_ms
#define OPTION_TEXTS(o)                                                                     \
        &(o)->user_agent, &(o)->ca, &(o)->extra_ca, &(o)->proxies.all, &(o)->proxies.https, \
                &(o)->proxies.http, &(o)->proxies.none
#define RESULT_TEXTS(r)                                                                      \
        &(r)->url, &(r)->etag, &(r)->last_modified, &(r)->cache_control, &(r)->content_type, \
                &(r)->date, &(r)->link, &(r)->authenticate, &(r)->notice, &(r)->retry_after, \
                &(r)->location

static int get_flag(struct qn_cur *in, bool *ret)
{
        uint32_t flag;

        if (qn_cur_le32(in, &flag) < 0 || flag > 1)
                return -EBADMSG;
        *ret = flag;
        return 0;
}

void qn_fetch_write_opts(struct qn_buf *out, const struct qn_http_opts *o)
{
        const uint32_t *const numbers[] = { OPTION_NUMBERS(o) };
        const struct qn_str *const texts[] = { OPTION_TEXTS(o) };

        qn_wire_put_u32(out, o->insecure);
        for (size_t i = 0; i < QN_ARRAY_SIZE(numbers); i++)
                qn_wire_put_u32(out, *numbers[i]);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

int qn_fetch_read_opts(struct qn_cur in, struct qn_http_opts *ret)
{
        struct qn_http_opts o = { 0 };
        uint32_t *const numbers[] = { OPTION_NUMBERS(&o) };
        struct qn_str *const texts[] = { OPTION_TEXTS(&o) };
        int r = get_flag(&in, &o.insecure);

        for (size_t i = 0; i < QN_ARRAY_SIZE(numbers) && r == 0; i++)
                r = qn_cur_le32(&in, numbers[i]);
        if (r == 0)
                r = qn_wire_get_texts(&in, texts, QN_ARRAY_SIZE(texts));
        if (r < 0 || qn_cur_left(&in))
                return -EBADMSG;
        *ret = o;
        return 0;
}

/* --- requests --- */

void qn_fetch_write_request(struct qn_buf *out, const struct qn_http_request *q)
{
        const struct qn_str *const texts[] = { QN_HTTP_REQUEST_TEXTS(q) };

        qn_wire_put_u32(out, q->compressed);
        qn_wire_put_u32(out, q->pass);
        qn_wire_put_u32(out, q->public_only);
        qn_wire_put_u32(out, q->mail_plain);
        qn_wire_put_u32(out, q->total_ms);
        qn_wire_put_u64(out, q->max);
        qn_wire_put_u64(out, q->from);
        qn_wire_put_u64(out, q->bytes);
        qn_wire_put_texts(out, texts, QN_ARRAY_SIZE(texts));
}

int qn_fetch_read_request(struct qn_cur in, struct qn_http_request *ret)
{
        struct qn_http_request q = { 0 };
        struct qn_str *const texts[] = { QN_HTTP_REQUEST_TEXTS(&q) };
        uint64_t max = 0;

        if (get_flag(&in, &q.compressed) < 0 || get_flag(&in, &q.pass) < 0 ||
            get_flag(&in, &q.public_only) < 0 || get_flag(&in, &q.mail_plain) < 0 ||
            qn_cur_le32(&in, &q.total_ms) < 0 || qn_cur_le64(&in, &max) < 0 ||
            qn_cur_le64(&in, &q.from) < 0 || qn_cur_le64(&in, &q.bytes) < 0 ||
            qn_wire_get_texts(&in, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&in) ||
            !qn_http_request_ok(&q))
                return -EBADMSG;
        q.max = max;
        *ret = q;
        return 0;
}

/* --- results --- */

static bool is_printable(struct qn_str s, size_t max)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] < ' ' || s.p[i] > '~')
                        return false;
        return s.n <= max;
}

void qn_fetch_write_result(struct qn_buf *out, const struct qn_http_result *r)
{
        const struct qn_str *const texts[] = { RESULT_TEXTS(r) };

        qn_wire_put_u32(out, r->code);
        qn_wire_put_u32(out, (uint32_t)r->status);
        qn_wire_put_u32(out, r->tries);
        qn_wire_put_u64(out, r->size);
        qn_wire_put_u64(out, r->total);
        qn_wire_put_text(out, qn_str_c(r->message));
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                qn_wire_put_text(out, is_printable(*texts[i], QN_FETCH_HEADER_MAX)
                                              ? *texts[i]
                                              : (struct qn_str){ 0 });
}

int qn_fetch_read_result(struct qn_cur in, struct qn_http_result *ret, struct qn_str *ret_message)
{
        struct qn_http_result r = { .fd = -1, .message = "" };
        struct qn_str *const texts[] = { RESULT_TEXTS(&r) };
        struct qn_str message;
        uint32_t code, status;

        if (qn_cur_le32(&in, &code) < 0 || code >= QN_HTTP_CODE_MAX ||
            qn_cur_le32(&in, &status) < 0 || status > STATUS_MAX ||
            qn_cur_le32(&in, &r.tries) < 0 || qn_cur_le64(&in, &r.size) < 0 ||
            qn_cur_le64(&in, &r.total) < 0 || qn_wire_get_text(&in, &message) < 0 ||
            !is_printable(message, QN_ROLE_MESSAGE_MAX) ||
            qn_wire_get_texts(&in, texts, QN_ARRAY_SIZE(texts)) < 0 || qn_cur_left(&in))
                return -EBADMSG;
        for (size_t i = 0; i < QN_ARRAY_SIZE(texts); i++)
                if (!is_printable(*texts[i], QN_FETCH_HEADER_MAX))
                        return -EBADMSG;
        r.code = (enum qn_http_code)code;
        r.status = (int)status;
        *ret = r;
        *ret_message = message;
        return 0;
}
