#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/arena.h"
#include "base/buf.h"

static const struct {
        const char *name;
        size_t size;
        const EVP_MD *(*md)(void);
} digests[QN_DIGEST_MAX] = {
        [QN_SHA1] = { "sha1", 20, EVP_sha1 },
        [QN_SHA256] = { "sha256", 32, EVP_sha256 },
        [QN_SHA384] = { "sha384", 48, EVP_sha384 },
        [QN_SHA512] = { "sha512", 64, EVP_sha512 },
};

size_t qn_digest_size(enum qn_digest d)
{
        return digests[d].size;
}

const char *qn_digest_name(enum qn_digest d)
{
        return digests[d].name;
}

int qn_digest(enum qn_digest d, const void *p, size_t n, uint8_t *ret)
{
        unsigned len = 0;

        return EVP_Digest(p, n, ret, &len, digests[d].md(), NULL) == 1 ? 0 : -EIO;
}

void qn_digest_begin(struct qn_digest_run *run, enum qn_digest d)
{
        run->ctx = EVP_MD_CTX_new();
        run->error = !run->ctx                                                 ? -ENOMEM
                     : EVP_DigestInit_ex(run->ctx, digests[d].md(), NULL) != 1 ? -EIO
                                                                               : 0;
}

void qn_digest_add(struct qn_digest_run *run, struct qn_str s)
{
        if (run->error == 0 && s.n && EVP_DigestUpdate(run->ctx, s.p, s.n) != 1)
                run->error = -EIO;
}

void qn_digest_add_text(struct qn_digest_run *run, struct qn_str s)
{
        char length[32];

        snprintf(length, sizeof length, "%zu:", s.n);
        qn_digest_add(run, qn_str_c(length));
        qn_digest_add(run, s);
}

int qn_digest_end(struct qn_digest_run *run, uint8_t *ret)
{
        unsigned len = 0;

        if (run->error == 0 && EVP_DigestFinal_ex(run->ctx, ret, &len) != 1)
                run->error = -EIO;
        EVP_MD_CTX_free(run->ctx);
        run->ctx = NULL;
        return run->error;
}

uint64_t qn_hash64(const void *p, size_t n)
{
        return XXH3_64bits(p, n);
}

int qn_hex_encode(struct qn_buf *b, const void *p, size_t n)
{
        static const char digit[] = "0123456789abcdef";
        const uint8_t *in = p;
        int r = qn_buf_room(b, n * 2);

        for (size_t i = 0; r == 0 && i < n; i++) {
                qn_buf_byte(b, digit[in[i] >> 4]);
                qn_buf_byte(b, digit[in[i] & 15]);
        }
        return r;
}

int qn_base64_encode(struct qn_buf *b, const void *p, size_t n)
{
        static const char digit[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const uint8_t *in = p;
        int r = qn_buf_room(b, (n + 2) / 3 * 4);

        for (size_t i = 0; r == 0 && i < n; i += 3) {
                size_t left = n - i;
                uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                             (left > 2 ? in[i + 2] : 0);

                qn_buf_byte(b, digit[v >> 18]);
                qn_buf_byte(b, digit[v >> 12 & 63]);
                qn_buf_byte(b, left > 1 ? digit[v >> 6 & 63] : '=');
                qn_buf_byte(b, left > 2 ? digit[v & 63] : '=');
        }
        return r;
}

int qn_hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int qn_hex_decode(struct qn_str s, struct qn_arena *a, struct qn_str *ret)
{
        char *out;

        if (s.n % 2)
                return -EINVAL;
        out = qn_arena_alloc(a, s.n / 2 + 1);
        if (!out)
                return -ENOBUFS;
        for (size_t i = 0; i < s.n; i += 2) {
                int hi = qn_hex_value(s.p[i]), lo = qn_hex_value(s.p[i + 1]);

                if (hi < 0 || lo < 0)
                        return -EINVAL;
                out[i / 2] = (char)(hi << 4 | lo);
        }
        *ret = (struct qn_str){ out, s.n / 2 };
        return 0;
}

static int base64_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+' || c == '-')
                return 62;
        return c == '/' || c == '_' ? 63 : -1;
}

int qn_base64_decode_to(struct qn_str s, char *to, size_t max, size_t *ret_n)
{
        uint32_t acc = 0;
        unsigned bits = 0;
        size_t n = 0;

        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                int v = base64_value(c);

                if (c == '=')
                        break;
                if (c == ' ' || (c >= '\t' && c <= '\r'))
                        continue;
                if (v < 0)
                        return -EINVAL;
                acc = (acc << 6 | (uint32_t)v) & 0xffffff;
                bits += 6;
                if (bits < 8)
                        continue;
                if (n == max)
                        return -ENOBUFS;
                bits -= 8;
                to[n++] = (char)(acc >> bits & 0xff);
        }
        *ret_n = n;
        return 0;
}

int qn_base64_decode(struct qn_str s, struct qn_arena *a, struct qn_str *ret)
{
        size_t max = s.n / 4 * 3 + 4, n;
        char *out = qn_arena_alloc(a, max);
        int r = out ? qn_base64_decode_to(s, out, max, &n) : -ENOBUFS;

        if (r == 0)
                *ret = (struct qn_str){ out, n };
        return r;
}
