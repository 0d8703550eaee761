#include "observe/cert-log.h"

#include <errno.h>
#include <openssl/evp.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/hash.h"
#include "base/limits.h"
#include "observe/public-key.h"
#include "parse/der.h"

struct timestamp {
        struct qn_str log; /* id */
        uint64_t ms;
        struct qn_str extensions, sig;
};

/* What the logs saw: the certificate before their timestamps were put into it. */
struct precert {
        uint8_t issuer[QN_DIGEST_BYTES_MAX]; /* SHA-256 of the issuer's key */
        unsigned char *tbs;
        size_t n;
};

static int take_counted(struct qn_cur *c, struct qn_cur *ret)
{
        uint16_t n;

        return qn_cur_be16(c, &n) < 0 ? -EBADMSG : qn_cur_take(c, n, ret);
}

/* struct { version, LogID, timestamp, extensions<0..2^16-1>, hash, algorithm, signature<0..2^16-1> } */
static int read_timestamp(struct qn_cur c, struct timestamp *ret)
{
        struct qn_cur log, extensions, sig;
        uint8_t version;
        uint16_t algorithm;

        if (qn_cur_u8(&c, &version) < 0 || version != 0 || qn_cur_take(&c, 32, &log) < 0 ||
            qn_cur_be64(&c, &ret->ms) < 0 || take_counted(&c, &extensions) < 0 ||
            qn_cur_be16(&c, &algorithm) < 0 || take_counted(&c, &sig) < 0)
                return -EBADMSG;
        ret->log = qn_cur_rest(&log);
        ret->extensions = qn_cur_rest(&extensions);
        ret->sig = qn_cur_rest(&sig);
        return 0;
}

/* The structure of RFC 6962, 3.2, with the certificate as a precertificate. */
static int signed_bytes(const struct timestamp *t, const struct precert *pre, struct qn_buf *b)
{
        uint8_t head[12] = { 0, 0, [11] = 1 };

        for (unsigned i = 0; i < 8; i++)
                head[2 + i] = (uint8_t)(t->ms >> (56 - 8 * i));
        qn_buf_add(b, head, sizeof head);
        qn_buf_add(b, pre->issuer, 32);
        qn_buf_add(b,
                   (uint8_t[]){ (uint8_t)(pre->n >> 16), (uint8_t)(pre->n >> 8), (uint8_t)pre->n },
                   3);
        qn_buf_add(b, pre->tbs, pre->n);
        qn_buf_add(b, (uint8_t[]){ (uint8_t)(t->extensions.n >> 8), (uint8_t)t->extensions.n }, 2);
        return qn_buf_str(b, t->extensions);
}

static int check_timestamp(const struct timestamp *t, const struct precert *pre,
                           const struct qn_trust_root *trust)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(QN_TRUST_MAX);
        int64_t ms = t->ms > INT64_MAX ? INT64_MAX : (int64_t)t->ms;
        int r = signed_bytes(t, pre, &b);

        for (size_t i = 0; r == 0 && i < trust->n_cert_logs; i++) {
                const struct qn_trust_log *log = &trust->cert_logs[i];

                if (qn_str_eq(log->id, t->log) && qn_trust_covers(&log->valid, ms) &&
                    qn_public_key_verify(log->key, qn_buf_view(&b), t->sig) == 0)
                        return 1;
        }
        return r;
}

static int check_list(struct qn_cur list, const struct precert *pre,
                      const struct qn_trust_root *trust)
{
        struct timestamp t;
        struct qn_cur one;
        int r = 0;

        for (unsigned i = 0; r == 0 && i < QN_SCT_MAX && qn_cur_left(&list); i++) {
                if (take_counted(&list, &one) < 0)
                        return 0;
                if (read_timestamp(one, &t) == 0)
                        r = check_timestamp(&t, pre, trust);
        }
        return r;
}

static int make_precert(const X509 *cert, int at, const X509 *issuer, struct precert *ret)
{
        X509 *copy = X509_dup(cert);
        unsigned char *key = NULL;
        int n_key = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &key), n = -1;

        if (copy && n_key > 0 && qn_digest(QN_SHA256, key, (size_t)n_key, ret->issuer) == 0) {
                X509_EXTENSION_free(X509_delete_ext(copy, at));
                n = i2d_re_X509_tbs(copy, &ret->tbs);
        }
        OPENSSL_free(key);
        X509_free(copy);
        if (n <= 0)
                return -EBADMSG;
        ret->n = (size_t)n;
        return 0;
}

/* The extension holds an OCTET STRING, and that the list with its length. */
static int open_list(X509_EXTENSION *ext, struct qn_cur *ret)
{
        const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
        struct qn_cur c = qn_cur_mem(ASN1_STRING_get0_data(value),
                                     (size_t)ASN1_STRING_length(value)),
                      inner;

        return qn_der_take(&c, QN_DER_OCTETS, &inner) < 0 ? -EBADMSG : take_counted(&inner, ret);
}

int qn_cert_log_vouches(X509 *cert, X509 *issuer, const struct qn_trust_root *trust)
{
        int at = X509_get_ext_by_NID(cert, NID_ct_precert_scts, -1), r;
        struct precert pre = { .tbs = NULL };
        struct qn_cur list;

        if (at < 0 || open_list(X509_get_ext(cert, at), &list) < 0)
                return 0;
        r = make_precert(cert, at, issuer, &pre);
        if (r == 0)
                r = check_list(list, &pre, trust);
        OPENSSL_free(pre.tbs);
        return r == -ENOBUFS || r == -EBADMSG ? 0 : r;
}
