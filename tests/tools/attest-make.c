#include "attest-make.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

#define MUST(x)                                                          \
        do {                                                             \
                if (!(x)) {                                              \
                        fprintf(stderr, "attest-make: %s failed\n", #x); \
                        abort();                                         \
                }                                                        \
        } while (0)
#define BUF(b) _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)1 << 22)

enum who {
        ROOT,
        MIDDLE,
        OTHER_CA,
        LEAF,
        LOG,
        OTHER_LOG,
        CERT_LOG,
        REGISTRY,
        REGISTRY_OLD,
        NOBODY,
        WHO_MAX
};

static const char *const flaw_names[] = {
#define X(id, name) name,
        MAKE_FLAWS(X)
#undef X
};

const char *make_flaw_name(enum make_flaw f)
{
        return flaw_names[f];
}

/* --- keys --- */

static EVP_PKEY *key_of(enum who w)
{
        static EVP_PKEY *keys[WHO_MAX];

        if (!keys[w])
                keys[w] = EVP_EC_gen(w == MIDDLE ? "P-384" : "P-256");
        MUST(keys[w]);
        return keys[w];
}

static void put_spki(enum who w, struct qn_buf *out)
{
        unsigned char *der = NULL;
        int n = i2d_PUBKEY(key_of(w), &der);

        MUST(n > 0);
        qn_buf_add(out, der, (size_t)n);
        OPENSSL_free(der);
}

static void put_id(enum who w, struct qn_buf *out)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        BUF(spki);

        put_spki(w, &spki);
        MUST(qn_digest(QN_SHA256, spki.p, spki.n, digest) == 0);
        qn_buf_add(out, digest, 32);
}

static void sign(enum who w, struct qn_str data, struct qn_buf *out)
{
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        unsigned char sig[256];
        size_t n = sizeof sig;

        MUST(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key_of(w)) == 1);
        MUST(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)data.p, data.n) == 1);
        qn_buf_add(out, sig, n);
        EVP_MD_CTX_free(ctx);
}

static void put_base64(struct qn_buf *out, struct qn_str s)
{
        qn_base64_encode(out, s.p, s.n);
}

static void sha256(struct qn_str data, uint8_t *ret)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];

        MUST(qn_digest(QN_SHA256, data.p, data.n, digest) == 0);
        memcpy(ret, digest, 32);
}

/* --- certificates --- */

static void add_extension(X509 *x, int nid, const char *value)
{
        X509V3_CTX ctx;
        X509_EXTENSION *e;

        X509V3_set_ctx_nodb(&ctx);
        X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
        e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
        MUST(e && X509_add_ext(x, e, -1) == 1);
        X509_EXTENSION_free(e);
}

static void add_raw(X509 *x, const char *oid, struct qn_str bytes)
{
        ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
        ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
        X509_EXTENSION *e;

        MUST(object && octets &&
             ASN1_OCTET_STRING_set(octets, (const unsigned char *)bytes.p, (int)bytes.n) == 1);
        e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, octets);
        MUST(e && X509_add_ext(x, e, -1) == 1);
        X509_EXTENSION_free(e);
        ASN1_OCTET_STRING_free(octets);
        ASN1_OBJECT_free(object);
}

static void add_fulcio(X509 *x, unsigned number, const char *text)
{
        size_t n = strlen(text);
        char oid[40];
        BUF(der);

        MUST(n < 0x80 || number <= 6 || n < 0x100);
        if (number > 6) {
                qn_buf_byte(&der, 0x0c);
                if (n >= 0x80)
                        qn_buf_byte(&der, (char)0x81);
                qn_buf_byte(&der, (char)n);
        }
        qn_buf_puts(&der, text);
        snprintf(oid, sizeof oid, "1.3.6.1.4.1.57264.1.%u", number);
        add_raw(x, oid, qn_buf_view(&der));
}

static void set_name(X509_NAME *name, const char *cn)
{
        MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1,
                                        0) == 1);
}

static X509 *begin(enum who subject, const char *cn, const char *issuer, time_t from, time_t to)
{
        X509 *x = X509_new();

        MUST(x && X509_set_version(x, X509_VERSION_3) &&
             ASN1_INTEGER_set(X509_get_serialNumber(x), 7 + (long)subject));
        if (cn)
                set_name(X509_get_subject_name(x), cn);
        set_name(X509_get_issuer_name(x), issuer);
        MUST(ASN1_TIME_set(X509_getm_notBefore(x), from) &&
             ASN1_TIME_set(X509_getm_notAfter(x), to));
        MUST(X509_set_pubkey(x, key_of(subject)) == 1);
        return x;
}

static void end(X509 *x, enum who issuer)
{
        MUST(X509_sign(x, key_of(issuer), issuer == MIDDLE ? EVP_sha384() : EVP_sha256()) > 0);
}

static void put_cert(X509 *x, struct qn_buf *out)
{
        unsigned char *der = NULL;
        int n = i2d_X509(x, &der);

        MUST(n > 0);
        qn_buf_add(out, der, (size_t)n);
        OPENSSL_free(der);
        X509_free(x);
}

static X509 *authority(enum who subject, const char *cn, enum who issuer, const char *issuer_cn)
{
        X509 *x = begin(subject, cn, issuer_cn, MAKE_TIME - 100000000, MAKE_TIME + 900000000);

        add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
        add_extension(x, NID_key_usage, "critical,keyCertSign,cRLSign");
        end(x, issuer);
        return x;
}

static void put_be(struct qn_buf *b, uint64_t v, unsigned bytes)
{
        while (bytes--)
                qn_buf_byte(b, (char)(v >> (8 * bytes)));
}

/* A certificate log's timestamp over the certificate as it stands, put into it. */
static void add_timestamp(X509 *x, enum who issuer, enum who log)
{
        unsigned char *tbs = NULL;
        int n = i2d_re_X509_tbs(x, &tbs);
        BUF(data);
        BUF(spki);
        BUF(sig);
        BUF(sct);
        BUF(out);
        uint8_t id[32];

        MUST(n > 0);
        put_spki(issuer, &spki);
        sha256(qn_buf_view(&spki), id);
        put_be(&data, 0, 2);
        put_be(&data, (uint64_t)MAKE_TIME * 1000, 8);
        put_be(&data, 1, 2);
        qn_buf_add(&data, id, 32);
        put_be(&data, (uint64_t)n, 3);
        qn_buf_add(&data, tbs, (size_t)n);
        put_be(&data, 0, 2);
        sign(log, qn_buf_view(&data), &sig);
        qn_buf_byte(&sct, 0);
        put_id(CERT_LOG, &sct);
        put_be(&sct, (uint64_t)MAKE_TIME * 1000, 8);
        put_be(&sct, 0, 2);
        put_be(&sct, 0x0403, 2);
        put_be(&sct, sig.n, 2);
        qn_buf_str(&sct, qn_buf_view(&sig));
        qn_buf_byte(&out, 0x04);
        MUST(sct.n + 4 < 0x100);
        qn_buf_byte(&out, (char)0x81);
        put_be(&out, sct.n + 4, 1);
        put_be(&out, sct.n + 2, 2);
        put_be(&out, sct.n, 2);
        qn_buf_str(&out, qn_buf_view(&sct));
        add_raw(x, "1.3.6.1.4.1.11129.2.4.2", qn_buf_view(&out));
        OPENSSL_free(tbs);
}

static const char *path_of(const char *repository)
{
        const char *host = strstr(repository, "://");
        const char *slash = host ? strchr(host + 3, '/') : NULL;

        MUST(slash);
        return slash + 1;
}

static void add_identity(X509 *x, const struct make *m)
{
        char uri[1024], san[1100];

        snprintf(uri, sizeof uri, "%s/%s@%s", m->repository, m->workflow, m->ref);
        snprintf(san, sizeof san, "critical,URI:%s", uri);
        add_extension(x, NID_subject_alt_name, san);
        add_fulcio(x, 1, "https://token.ci.invalid");
        add_fulcio(x, 2, m->trigger);
        add_fulcio(x, 3, "0123456789abcdef0123456789abcdef01234567");
        add_fulcio(x, 5, path_of(m->repository));
        add_fulcio(x, 6, m->ref);
        if (m->flaw == MAKE_OLD_FORM)
                return;
        add_fulcio(x, 8, "https://token.ci.invalid");
        add_fulcio(x, 9, uri);
        add_fulcio(x, 11, m->runner);
        add_fulcio(x, 12, m->repository);
        add_fulcio(x, 13, "0123456789abcdef0123456789abcdef01234567");
        add_fulcio(x, 14, m->ref);
        add_fulcio(x, 18, uri);
        add_fulcio(x, 20, m->trigger);
}

void make_certificate(const struct make *m, struct qn_buf *out)
{
        enum who issuer = m->flaw == MAKE_UNTRUSTED ? OTHER_CA : MIDDLE;
        time_t from = MAKE_TIME - 60 + (m->flaw == MAKE_NOT_YET ? 3600 : 0) -
                      (m->flaw == MAKE_EXPIRED ? 7200 : 0);
        X509 *x = begin(LEAF, NULL, "qanat test intermediate", from, from + 600);

        add_extension(x, NID_key_usage, "critical,digitalSignature");
        add_extension(x, NID_ext_key_usage,
                      m->flaw == MAKE_WRONG_USE ? "serverAuth" : "codeSigning");
        add_identity(x, m);
        end(x, issuer);
        add_timestamp(x, issuer, m->flaw == MAKE_UNLISTED ? OTHER_LOG : CERT_LOG);
        end(x, issuer);
        put_cert(x, out);
}

/* --- the statement and its envelope --- */

static void put_purl(const struct make *m, struct qn_buf *out)
{
        const char *name = m->flaw == MAKE_SWAPPED ? "some-other-package" : m->name;

        qn_buf_printf(out, "pkg:npm/%s%s@%s", *name == '@' ? "%40" : "", name + (*name == '@'),
                      m->version);
}

static const char *said_repository(const struct make *m)
{
        return m->flaw == MAKE_OTHER_SOURCE ? "https://github.com/somebody/else" : m->repository;
}

static bool is_publish(const struct make *m)
{
        return m->flaw == MAKE_PUBLISH || m->flaw == MAKE_UNKNOWN_KEY;
}

static const char *predicate_of(const struct make *m)
{
        if (is_publish(m))
                return "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
        return m->flaw == MAKE_OLD_FORM ? "https://slsa.dev/provenance/v0.2"
                                        : "https://slsa.dev/provenance/v1";
}

static void put_predicate(const struct make *m, struct qn_buf *out)
{
        if (is_publish(m))
                qn_buf_printf(out,
                              "{\"name\":\"%s\",\"version\":\"%s\",\"registry\":\"https://"
                              "registry.invalid\"}",
                              m->name, m->version);
        else if (m->flaw == MAKE_OLD_FORM)
                qn_buf_printf(out,
                              "{\"builder\":{\"id\":\"https://ci.invalid/"
                              "runner\"},\"invocation\":{\"configSource\":{"
                              "\"uri\":\"git+%s@%s\",\"digest\":{\"sha1\":\"0123\"},\"entryPoint\":"
                              "\"%s\"}}}",
                              said_repository(m), m->ref, m->workflow);
        else
                qn_buf_printf(
                        out,
                        "{\"buildDefinition\":{\"externalParameters\":{\"workflow\":{\"ref\":\"%"
                        "s\",\"repository\":"
                        "\"%s\",\"path\":\"%s\"}},\"resolvedDependencies\":[{\"digest\":{"
                        "\"gitCommit\":\"0123\"}}]},"
                        "\"runDetails\":{\"builder\":{\"id\":\"https://ci.invalid/runner\"}}}",
                        m->ref, said_repository(m), m->workflow);
}

static void put_statement(const struct make *m, struct qn_buf *out)
{
        char other[129];

        memset(other, '5', 128);
        other[128] = 0;
        qn_buf_printf(out,
                      "{\"_type\":\"https://in-toto.io/Statement/v%s\",\"subject\":[{\"name\":\"",
                      m->flaw == MAKE_OLD_FORM ? "0.1" : "1");
        put_purl(m, out);
        qn_buf_printf(out,
                      "\",\"digest\":{\"sha512\":\"%s\"}}],\"predicateType\":\"%s\",\"predicate\":",
                      m->flaw == MAKE_WRONG_SUBJECT ? other : m->sha512, predicate_of(m));
        put_predicate(m, out);
        qn_buf_byte(out, '}');
}

static enum who signer_of(const struct make *m)
{
        if (m->flaw == MAKE_PUBLISH || m->flaw == MAKE_KEY_FOR_CI)
                return REGISTRY;
        return m->flaw == MAKE_UNKNOWN_KEY || m->flaw == MAKE_WRONG_SIGNATURE ? NOBODY : LEAF;
}

static void sign_envelope(const struct make *m, struct qn_str payload, struct qn_buf *out)
{
        const char *type = "application/vnd.in-toto+json";
        BUF(b);

        qn_buf_printf(&b, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
        qn_buf_str(&b, payload);
        sign(signer_of(m), qn_buf_view(&b), out);
}

/* --- the log --- */

static void put_body(const struct make *m, struct qn_str payload, struct qn_str sig,
                     struct qn_buf *out)
{
        uint8_t digest[32];
        BUF(once);

        if (m->flaw == MAKE_WRONG_ENTRY)
                payload = QN_STR("{}");
        sha256(payload, digest);
        if (m->flaw == MAKE_OLD_FORM) {
                put_base64(&once, sig);
                qn_buf_puts(out, "{\"apiVersion\":\"0.0.2\",\"kind\":\"intoto\",\"spec\":{"
                                 "\"content\":{\"envelope\":{\"payloadType\":"
                                 "\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"");
                put_base64(out, qn_buf_view(&once));
                qn_buf_puts(out, "\"}]},\"payloadHash\":{\"algorithm\":\"sha256\",\"value\":\"");
                qn_hex_encode(out, digest, 32);
                qn_buf_puts(out, "\"}}}}");
                return;
        }
        qn_buf_puts(out, "{\"apiVersion\":\"0.0.1\",\"kind\":\"dsse\",\"spec\":{\"payloadHash\":{"
                         "\"algorithm\":\"sha256\",\"value\":\"");
        qn_hex_encode(out, digest, 32);
        qn_buf_puts(out, "\"},\"signatures\":[{\"signature\":\"");
        put_base64(out, sig);
        qn_buf_puts(out, "\"}]}}");
}

static void hash_leaf(struct qn_str body, uint8_t *ret)
{
        BUF(b);

        qn_buf_byte(&b, 0);
        qn_buf_str(&b, body);
        sha256(qn_buf_view(&b), ret);
}

static void hash_pair(const uint8_t *a, const uint8_t *b, uint8_t *ret)
{
        uint8_t in[65] = { 1 };

        memcpy(in + 1, a, 32);
        memcpy(in + 33, b, 32);
        sha256((struct qn_str){ (const char *)in, 65 }, ret);
}

static void put_hash(struct qn_buf *out, const uint8_t *h)
{
        qn_base64_encode(out, h, 32);
}

/* The entry is the second of three. */
static void put_proof(const struct make *m, struct qn_str body, struct qn_buf *out)
{
        uint8_t first[32], own[32], third[32], pair[32], root[32];
        BUF(note);
        BUF(sig);

        hash_leaf(QN_STR("first"), first);
        hash_leaf(body, own);
        hash_leaf(QN_STR("third"), third);
        hash_pair(first, own, pair);
        hash_pair(pair, third, root);
        qn_buf_puts(&note, "log.invalid - 1\n3\n");
        put_hash(&note, root);
        qn_buf_byte(&note, '\n');
        qn_buf_puts(&sig, "hint");
        sign(m->flaw == MAKE_WRONG_CHECKPOINT ? OTHER_LOG : LOG, qn_buf_view(&note), &sig);
        if (m->flaw == MAKE_WRONG_PROOF)
                first[0] ^= 1;
        qn_buf_puts(out,
                    ",\"inclusionProof\":{\"logIndex\":\"1\",\"treeSize\":\"3\",\"rootHash\":\"");
        put_hash(out, root);
        qn_buf_puts(out, "\",\"hashes\":[\"");
        put_hash(out, first);
        qn_buf_puts(out, "\",\"");
        put_hash(out, third);
        qn_buf_puts(out, "\"],\"checkpoint\":{\"envelope\":\"log.invalid - 1\\n3\\n");
        put_hash(out, root);
        qn_buf_puts(out, "\\n\\n\xe2\x80\x94 log.invalid ");
        put_base64(out, qn_buf_view(&sig));
        qn_buf_puts(out, "\\n\"}}");
}

static void put_promise(const struct make *m, struct qn_str body, struct qn_buf *out)
{
        enum who log = m->flaw == MAKE_UNKNOWN_LOG ? OTHER_LOG : LOG;
        BUF(data);
        BUF(sig);
        BUF(id);

        put_id(log, &id);
        qn_buf_puts(&data, "{\"body\":\"");
        put_base64(&data, body);
        qn_buf_printf(&data, "\",\"integratedTime\":%u,\"logID\":\"", MAKE_TIME);
        qn_hex_encode(&data, id.p, id.n);
        qn_buf_puts(&data, "\",\"logIndex\":1001}");
        sign(m->flaw == MAKE_WRONG_LOG ? OTHER_LOG : log, qn_buf_view(&data), &sig);
        qn_buf_puts(out, ",\"inclusionPromise\":{\"signedEntryTimestamp\":\"");
        put_base64(out, qn_buf_view(&sig));
        qn_buf_puts(out, "\"}");
}

static void put_entry(const struct make *m, struct qn_str payload, struct qn_str sig,
                      struct qn_buf *out)
{
        BUF(body);
        BUF(id);

        put_body(m, payload, sig, &body);
        put_id(m->flaw == MAKE_UNKNOWN_LOG ? OTHER_LOG : LOG, &id);
        qn_buf_puts(out, "{\"logIndex\":\"1001\",\"logId\":{\"keyId\":\"");
        put_base64(out, qn_buf_view(&id));
        qn_buf_printf(out,
                      "\"},\"kindVersion\":{\"kind\":\"dsse\",\"version\":\"0.0.1\"},"
                      "\"integratedTime\":\"%u\"",
                      MAKE_TIME);
        if (m->flaw != MAKE_NO_PROMISE)
                put_promise(m, qn_buf_view(&body), out);
        put_proof(m, qn_buf_view(&body), out);
        qn_buf_puts(out, ",\"canonicalizedBody\":\"");
        put_base64(out, qn_buf_view(&body));
        qn_buf_puts(out, "\"}");
}

/* --- documents --- */

const char *make_key_id(bool old)
{
        return old ? "SHA256:qanat-test-old" : "SHA256:qanat-test";
}

static void put_signer(const struct make *m, struct qn_buf *out)
{
        BUF(der);

        if (signer_of(m) == REGISTRY || m->flaw == MAKE_UNKNOWN_KEY) {
                qn_buf_printf(out, "\"publicKey\":{\"hint\":\"%s\"}",
                              signer_of(m) == REGISTRY ? make_key_id(false) : "SHA256:none");
                return;
        }
        make_certificate(m, &der);
        qn_buf_puts(out, m->flaw == MAKE_OLD_FORM
                                 ? "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\""
                                 : "\"certificate\":{\"rawBytes\":\"");
        put_base64(out, qn_buf_view(&der));
        qn_buf_puts(out, m->flaw == MAKE_OLD_FORM ? "\"}]}" : "\"}");
}

void make_attestations(const struct make *m, struct qn_buf *out)
{
        BUF(payload);
        BUF(sig);

        put_statement(m, &payload);
        sign_envelope(m, qn_buf_view(&payload), &sig);
        qn_buf_printf(out,
                      "{\"attestations\":[{\"predicateType\":\"%s\",\"bundle\":{\"mediaType\":\"",
                      predicate_of(m));
        qn_buf_puts(out, m->flaw == MAKE_OLD_FORM
                                 ? "application/vnd.dev.sigstore.bundle+json;version=0.1"
                         : m->flaw == MAKE_UNKNOWN_FORM
                                 ? "application/vnd.dev.sigstore.bundle.v7+json"
                                 : "application/vnd.dev.sigstore.bundle.v0.3+json");
        qn_buf_puts(out, "\",\"verificationMaterial\":{");
        put_signer(m, out);
        qn_buf_puts(out, ",\"tlogEntries\":[");
        if (m->flaw != MAKE_NO_LOG)
                put_entry(m, qn_buf_view(&payload), qn_buf_view(&sig), out);
        qn_buf_puts(out, "]},\"dsseEnvelope\":{\"payload\":\"");
        put_base64(out, qn_buf_view(&payload));
        qn_buf_puts(
                out,
                "\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":\"");
        put_base64(out, qn_buf_view(&sig));
        qn_buf_puts(out, "\",\"keyid\":\"\"}]}}}]}");
        MUST(qn_buf_error(out) == 0);
}

static void put_log(enum who w, struct qn_buf *out)
{
        BUF(id);
        BUF(key);

        put_id(w, &id);
        put_spki(w, &key);
        qn_buf_puts(out, "[{\"hashAlgorithm\":\"SHA2_256\",\"publicKey\":{\"rawBytes\":\"");
        put_base64(out, qn_buf_view(&key));
        qn_buf_puts(
                out,
                "\",\"validFor\":{\"start\":\"2021-01-01T00:00:00Z\"}},\"logId\":{\"keyId\":\"");
        put_base64(out, qn_buf_view(&id));
        qn_buf_puts(out, "\"}}]");
}

void make_trust(struct qn_buf *out)
{
        BUF(root);
        BUF(middle);

        put_cert(authority(ROOT, "qanat test root", ROOT, "qanat test root"), &root);
        put_cert(authority(MIDDLE, "qanat test intermediate", ROOT, "qanat test root"), &middle);
        qn_buf_puts(out, "{\"mediaType\":\"application/"
                         "vnd.dev.sigstore.trustedroot+json;version=0.1\",\"tlogs\":");
        put_log(LOG, out);
        qn_buf_puts(
                out,
                ",\"certificateAuthorities\":[{\"certChain\":{\"certificates\":[{\"rawBytes\":\"");
        put_base64(out, qn_buf_view(&middle));
        qn_buf_puts(out, "\"},{\"rawBytes\":\"");
        put_base64(out, qn_buf_view(&root));
        qn_buf_puts(out, "\"}]},\"validFor\":{\"start\":\"2021-01-01T00:00:00Z\"}}],\"ctlogs\":");
        put_log(CERT_LOG, out);
        qn_buf_puts(out, "}");
        MUST(qn_buf_error(out) == 0);
}

static void put_key(bool old, struct qn_buf *out)
{
        BUF(key);

        put_spki(old ? REGISTRY_OLD : REGISTRY, &key);
        qn_buf_printf(
                out,
                "{\"expires\":%s,\"keyid\":\"%s\",\"keytype\":\"ecdsa-sha2-nistp256\",\"scheme\":"
                "\"ecdsa-sha2-nistp256\",\"key\":\"",
                old ? "\"2025-05-01T00:00:00.000Z\"" : "null", make_key_id(old));
        put_base64(out, qn_buf_view(&key));
        qn_buf_puts(out, "\"}");
}

void make_keys(struct qn_buf *out)
{
        qn_buf_puts(out, "{\"keys\":[");
        put_key(false, out);
        qn_buf_byte(out, ',');
        put_key(true, out);
        qn_buf_puts(out, "]}");
        MUST(qn_buf_error(out) == 0);
}

void make_signature(const char *text, bool old, struct qn_buf *out)
{
        BUF(sig);

        sign(old ? REGISTRY_OLD : REGISTRY, qn_str_c(text), &sig);
        put_base64(out, qn_buf_view(&sig));
}
