#include "role/webhook.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/hash.h"
#include "base/limits.h"
#include "role/fetch.h"

static bool is_id(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-')
                        return false;
        return s.n > 0 && s.n <= 64;
}

static int hmac(const struct qn_webhook *w, uint64_t seconds, uint8_t mac[EVP_MAX_MD_SIZE],
                unsigned *ret_n)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(w->body.n + 256);
        int r;

        qn_buf_printf(&text, "%" PRIu64 ".%.*s.", seconds, QN_STR_ARG(w->id));
        qn_buf_str(&text, w->body);
        r = qn_buf_error(&text);
        if (r < 0)
                return r;
        return HMAC(EVP_sha256(), w->secret.p, (int)w->secret.n, (const uint8_t *)text.p, text.n,
                    mac, ret_n)
                       ? 0
                       : -EIO;
}

int qn_webhook_sign(const struct qn_webhook *w, struct qn_buf *out)
{
        uint64_t seconds = w->time_ms > 0 ? (uint64_t)w->time_ms / 1000 : 0;
        uint8_t mac[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        int r;

        if (w->secret.n == 0 || w->secret.n > INT_MAX || !is_id(w->id))
                return -EINVAL;
        r = hmac(w, seconds, mac, &n);
        if (r < 0)
                return r;
        qn_buf_printf(out, "t=%" PRIu64 ",id=%.*s,sha256=", seconds, QN_STR_ARG(w->id));
        qn_hex_encode(out, mac, n);
        return qn_buf_error(out);
}

bool qn_webhook_verify(struct qn_str secret, struct qn_str body, struct qn_str value)
{
        _cleanup_(qn_buf_done) struct qn_buf want = QN_BUF_INIT(512);
        struct qn_str rest = value, t = qn_str_cut(&rest, ','), id = qn_str_cut(&rest, ',');
        struct qn_webhook w = { .secret = secret, .body = body };
        uint64_t seconds;

        if (!qn_str_starts(t, "t=") || !qn_str_starts(id, "id=") ||
            qn_str_u64(qn_str_skip(t, 2), &seconds) < 0 || seconds > INT64_MAX / 1000)
                return false;
        w.time_ms = (int64_t)seconds * 1000;
        w.id = qn_str_skip(id, 3);
        return qn_webhook_sign(&w, &want) == 0 && want.n == value.n &&
               CRYPTO_memcmp(want.p, value.p, value.n) == 0;
}

int qn_webhook_post(struct qn_fetch *f, const struct qn_webhook *w, qn_http_done *done, void *user)
{
        _cleanup_(qn_buf_done) struct qn_buf signature = QN_BUF_INIT(512);
        struct qn_http_request q = { .url = w->url,
                                     .method = QN_STR("POST"),
                                     .content_type = QN_STR("application/json"),
                                     .max = 1 << 16,
                                     .total_ms = w->total_ms };
        int r = w->secret.p ? qn_webhook_sign(w, &signature) : 0;

        if (r < 0)
                return r;
        if (w->secret.p) {
                q.signature_name = QN_STR(QN_WEBHOOK_SIGNATURE);
                q.signature = qn_buf_view(&signature);
        }
        return qn_fetch_send(f, &q, qn_cur_mem(w->body.p, w->body.n), done, user);
}
