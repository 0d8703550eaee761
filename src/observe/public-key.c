#include "observe/public-key.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

/* The hash that goes with the key; false for keys of other kinds. */
static bool hash_of(const EVP_PKEY *key, const EVP_MD **ret)
{
        int bits = EVP_PKEY_get_bits(key);

        *ret = NULL;
        if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
                return true;
        if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
                return false;
        *ret = bits <= 256 ? EVP_sha256() : bits <= 384 ? EVP_sha384() : EVP_sha512();
        return true;
}

static int verify(EVP_PKEY *key, struct qn_str data, struct qn_str sig)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        const EVP_MD *md;
        int r = -EOPNOTSUPP;

        if (!ctx)
                return -ENOMEM;
        if (hash_of(key, &md) && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1)
                r = EVP_DigestVerify(ctx, (const unsigned char *)sig.p, sig.n,
                                     (const unsigned char *)data.p, data.n) == 1
                            ? 0
                            : -EBADMSG;
        EVP_MD_CTX_free(ctx);
        return r;
}

int qn_public_key_verify(struct qn_str spki, struct qn_str data, struct qn_str sig)
{
        const unsigned char *p = (const unsigned char *)spki.p;
        EVP_PKEY *key = spki.n ? d2i_PUBKEY(NULL, &p, (long)spki.n) : NULL;
        int r = -EINVAL;

        if (key && p == (const unsigned char *)spki.p + spki.n)
                r = verify(key, data, sig);
        EVP_PKEY_free(key);
        ERR_clear_error();
        return r;
}
