#include "parse/sri.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct qn_str next_word(struct qn_str *text)
{
        struct qn_str w;
        size_t n = 0;

        while (text->n && is_space(*text->p))
                *text = qn_str_skip(*text, 1);
        while (n < text->n && !is_space(text->p[n]))
                n++;
        w = qn_str_take(*text, n);
        *text = qn_str_skip(*text, n);
        return w;
}

static int algorithm_of(struct qn_str name, enum qn_digest *ret)
{
        for (int d = 0; d < QN_DIGEST_MAX; d++)
                if (qn_str_is(name, qn_digest_name(d))) {
                        *ret = d;
                        return 0;
                }
        return -EINVAL;
}

/* "algorithm-digest?options" */
static int read_hash(struct qn_str word, enum qn_digest *ret_algorithm, struct qn_str *ret_digest)
{
        ptrdiff_t dash = qn_str_chr(word, '-');
        struct qn_str rest;
        int r;

        if (dash < 0)
                return -EINVAL;
        r = algorithm_of(qn_str_take(word, (size_t)dash), ret_algorithm);
        if (r < 0)
                return r;
        rest = qn_str_skip(word, (size_t)dash + 1);
        *ret_digest = qn_str_cut(&rest, '?');
        return ret_digest->n ? 0 : -EINVAL;
}

int qn_sri_parse(struct qn_str text, struct qn_sri *ret)
{
        struct qn_sri sri = { 0 };
        struct qn_str word;

        while ((word = next_word(&text)).n) {
                enum qn_digest algorithm;
                struct qn_str digest;

                if (read_hash(word, &algorithm, &digest) < 0 ||
                    (sri.n && algorithm < sri.algorithm))
                        continue;
                if (algorithm != sri.algorithm)
                        sri.n = 0;
                if (sri.n == QN_SRI_HASHES_MAX)
                        return -E2BIG;
                sri.algorithm = algorithm;
                sri.digests[sri.n++] = digest;
        }
        if (sri.n == 0)
                return -EINVAL;
        *ret = sri;
        return 0;
}

int qn_sri_check_digest(const struct qn_sri *sri, const uint8_t *digest)
{
        _cleanup_(qn_buf_done) struct qn_buf text = QN_BUF_INIT(QN_DIGEST_BYTES_MAX * 2);
        int r = qn_base64_encode(&text, digest, qn_digest_size(sri->algorithm));

        if (r < 0)
                return r;
        for (size_t i = 0; i < sri->n; i++)
                if (qn_str_eq(sri->digests[i], qn_buf_view(&text)))
                        return 0;
        return -EBADMSG;
}

int qn_sri_check(const struct qn_sri *sri, struct qn_cur bytes)
{
        uint8_t digest[QN_DIGEST_BYTES_MAX];
        int r = qn_digest(sri->algorithm, bytes.p, qn_cur_left(&bytes), digest);

        return r < 0 ? r : qn_sri_check_digest(sri, digest);
}

int qn_sri_format(enum qn_digest algorithm, const uint8_t *digest, struct qn_buf *out)
{
        qn_buf_puts(out, qn_digest_name(algorithm));
        qn_buf_byte(out, '-');
        return qn_base64_encode(out, digest, qn_digest_size(algorithm));
}

int qn_sri_from_hex(enum qn_digest algorithm, struct qn_str hex, struct qn_buf *out)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)128 << 10);
        struct qn_str bytes;
        int r;

        if (hex.n != 2 * qn_digest_size(algorithm))
                return -EINVAL;
        r = qn_hex_decode(hex, &a, &bytes);
        return r < 0 ? r : qn_sri_format(algorithm, (const uint8_t *)bytes.p, out);
}
