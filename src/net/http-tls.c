/* Whom we trust: read once, when the first TLS connection is made, and shared by all of a client's connections (libcurl
 * would parse some 140 certificates again for each of them). */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/http-job.h"

struct qn_http_trust {
        char *ca, *extra; /* PEM; ca NULL: the system's */
        size_t ca_n, extra_n;
        X509_STORE *store;
};

static int dup_text(struct qn_str s, char **ret, size_t *ret_n)
{
        if (!s.p)
                return 0;
        *ret = malloc(s.n + 1);
        if (!*ret)
                return -ENOMEM;
        memcpy(*ret, s.p, s.n);
        *ret_n = s.n;
        return 0;
}

int qn_http_trust_new(const struct qn_http_opts *o, struct qn_http_trust **ret)
{
        struct qn_http_trust *t = calloc(1, sizeof *t);

        if (!t)
                return -ENOMEM;
        if (dup_text(o->ca, &t->ca, &t->ca_n) < 0 ||
            dup_text(o->extra_ca, &t->extra, &t->extra_n) < 0) {
                qn_http_trust_free(t);
                return -ENOMEM;
        }
        *ret = t;
        return 0;
}

void qn_http_trust_free(struct qn_http_trust *t)
{
        if (!t)
                return;
        X509_STORE_free(t->store);
        free(t->ca);
        free(t->extra);
        free(t);
}

/* Adds every certificate of a PEM text; returns how many. */
static int add_pem(X509_STORE *store, const char *p, size_t n)
{
        BIO *in = p && n <= INT32_MAX ? BIO_new_mem_buf(p, (int)n) : NULL;
        X509 *x;
        int added = 0;

        while (in && (x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL))) {
                added += X509_STORE_add_cert(store, x) == 1;
                X509_free(x);
        }
        BIO_free(in);
        ERR_clear_error(); /* the end of the text is an error to OpenSSL */
        return added;
}

static X509_STORE *build(const struct qn_http_trust *t)
{
        X509_STORE *store = X509_STORE_new();
        bool ok = store && (t->ca ? add_pem(store, t->ca, t->ca_n) > 0
                                  : X509_STORE_set_default_paths(store) == 1);

        if (!ok) {
                X509_STORE_free(store);
                return NULL;
        }
        add_pem(store, t->extra, t->extra_n);
        return store;
}

static CURLcode on_context(CURL *easy, void *ctx, void *user)
{
        struct qn_http_trust *t = user;

        (void)easy;
        if (!t->store)
                t->store = build(t);
        if (!t->store)
                return CURLE_SSL_CACERT_BADFILE;
        SSL_CTX_set1_cert_store(ctx, t->store);
        return CURLE_OK;
}

void qn_http_trust_apply(struct qn_http_trust *t, CURL *easy)
{
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
        curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t);
        curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT,
                         0L); /* libcurl's own cache knows nothing of this store */
}
