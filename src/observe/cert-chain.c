#include "observe/cert-chain.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "observe/cert-log.h"

/* NULL when it is no certificate, or one with something behind it. */
static X509 *read_cert(struct qn_str der)
{
        const unsigned char *p = (const unsigned char *)der.p;
        X509 *x = der.n ? d2i_X509(NULL, &p, (long)der.n) : NULL;

        if (x && p != (const unsigned char *)der.p + der.n) {
                X509_free(x);
                x = NULL;
        }
        return x;
}

/* Those that cannot be read are left out: then the chain does not close. */
static int push_certs(STACK_OF(X509) * to, const struct qn_str *certs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                X509 *x = read_cert(certs[i]);

                if (x && sk_X509_push(to, x) <= 0) {
                        X509_free(x);
                        return -ENOMEM;
                }
        }
        return 0;
}

static enum qn_chain_result result_of(int error)
{
        return error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID
                       ? QN_CHAIN_EXPIRED
                       : QN_CHAIN_UNTRUSTED;
}

static int check_listed(X509_STORE_CTX *ctx, const struct qn_trust_root *trust,
                        enum qn_chain_result *ret)
{
        STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
        int r = 1;

        if (trust->n_cert_logs)
                r = qn_cert_log_vouches(sk_X509_value(chain, 0),
                                        sk_X509_value(chain, sk_X509_num(chain) > 1), trust);
        *ret = r > 0 ? QN_CHAIN_GOOD : QN_CHAIN_UNLISTED;
        return r < 0 ? r : 0;
}

static int verify(X509_STORE_CTX *ctx, X509_STORE *store, X509 *leaf, STACK_OF(X509) * helpers,
                  uint64_t time)
{
        X509_VERIFY_PARAM *param;

        if (X509_STORE_CTX_init(ctx, store, leaf, helpers) != 1)
                return -ENOMEM;
        param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, time > INT64_MAX ? INT64_MAX : (time_t)time);
        X509_VERIFY_PARAM_set_depth(param, (int)QN_BUNDLE_CERTS_MAX);
        return X509_verify_cert(ctx) == 1;
}

/* One authority: its last certificate is trusted, the others help. */
static int try_authority(const struct qn_trust_authority *ca, X509 *leaf, STACK_OF(X509) * helpers,
                         uint64_t time, const struct qn_trust_root *trust,
                         enum qn_chain_result *ret)
{
        X509_STORE *store = X509_STORE_new();
        X509_STORE_CTX *ctx = X509_STORE_CTX_new();
        X509 *root = read_cert(ca->certs[ca->n - 1]);
        int r = -ENOMEM;

        *ret = QN_CHAIN_UNTRUSTED;
        if (store && ctx && root && X509_STORE_add_cert(store, root) == 1)
                r = verify(ctx, store, leaf, helpers, time);
        else if (store && ctx)
                r = 0;
        if (r > 0)
                r = check_listed(ctx, trust, ret);
        else if (r == 0 && root)
                *ret = result_of(X509_STORE_CTX_get_error(ctx));
        X509_free(root);
        X509_STORE_CTX_free(ctx);
        X509_STORE_free(store);
        return r;
}

static bool signs_code(X509 *leaf)
{
        return X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE &&
               X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN;
}

/* The best answer of all authorities of that time. */
static int try_all(X509 *leaf, STACK_OF(X509) * helpers, uint64_t time,
                   const struct qn_trust_root *trust, enum qn_chain_result *ret)
{
        int64_t ms = time > INT64_MAX / 1000 ? INT64_MAX : (int64_t)time * 1000;
        int r = 0;

        *ret = QN_CHAIN_UNTRUSTED;
        if (!signs_code(leaf))
                return 0;
        for (size_t i = 0; r == 0 && *ret != QN_CHAIN_GOOD && i < trust->n_authorities; i++) {
                const struct qn_trust_authority *ca = &trust->authorities[i];
                enum qn_chain_result one = QN_CHAIN_UNTRUSTED;

                if (!qn_trust_covers(&ca->valid, ms))
                        continue;
                r = push_certs(helpers, ca->certs, ca->n - 1);
                if (r == 0)
                        r = try_authority(ca, leaf, helpers, time, trust, &one);
                if (one == QN_CHAIN_GOOD || *ret == QN_CHAIN_UNTRUSTED)
                        *ret = one;
        }
        return r;
}

static int copy_key(X509 *leaf, struct qn_arena *a, struct qn_str *ret)
{
        unsigned char *der = NULL;
        int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);

        if (n <= 0)
                return -ENOMEM;
        *ret = qn_arena_dup(a, (struct qn_str){ (const char *)der, (size_t)n });
        OPENSSL_free(der);
        return ret->p ? 0 : -ENOBUFS;
}

int qn_chain_check(const struct qn_str *certs, size_t n, uint64_t time,
                   const struct qn_trust_root *trust, struct qn_arena *a, enum qn_chain_result *ret,
                   struct qn_str *ret_key)
{
        STACK_OF(X509) *helpers = sk_X509_new_null();
        X509 *leaf = n ? read_cert(certs[0]) : NULL;
        int r = helpers ? 0 : -ENOMEM;

        *ret = QN_CHAIN_MALFORMED;
        if (r == 0 && leaf) {
                r = push_certs(helpers, certs + 1, n - 1);
                if (r == 0)
                        r = try_all(leaf, helpers, time, trust, ret);
                if (r == 0 && *ret == QN_CHAIN_GOOD)
                        r = copy_key(leaf, a, ret_key);
        }
        sk_X509_pop_free(helpers, X509_free);
        X509_free(leaf);
        ERR_clear_error();
        return r;
}
