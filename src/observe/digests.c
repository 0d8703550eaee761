#include "observe/digests.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "observe/archive.h"
#include "parse/gz.h"
#include "parse/sri.h"
#include "parse/wallet.h"

static int hex_of(enum qn_digest d, struct qn_cur in, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(2 * QN_DIGEST_BYTES_MAX);
        uint8_t sum[QN_DIGEST_BYTES_MAX];
        int r = qn_digest(d, in.p, qn_cur_left(&in), sum);

        if (r < 0)
                return r;
        qn_hex_encode(&b, sum, qn_digest_size(d));
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

static int sri_of(struct qn_cur in, struct qn_arena *a, struct qn_str *ret)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(256);
        uint8_t sum[QN_DIGEST_BYTES_MAX];
        int r = qn_digest(QN_SHA512, in.p, qn_cur_left(&in), sum);

        if (r == 0)
                r = qn_sri_format(QN_SHA512, sum, &b);
        if (r < 0)
                return r;
        *ret = qn_arena_dup(a, qn_buf_view(&b));
        return ret->p ? 0 : -ENOBUFS;
}

/* --- files --- */

static int by_path(const void *x, const void *y)
{
        const struct qn_file_digest *a = x, *b = y;

        return qn_str_cmp(a->path, b->path);
}

const struct qn_file_digest *qn_digests_find(const struct qn_digests *d, struct qn_str path)
{
        const struct qn_file_digest key = { .path = path };

        return d && d->n ? bsearch(&key, d->files, d->n, sizeof key, by_path) : NULL;
}

static bool is_word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_wallet(const struct qn_file_digest *f, struct qn_str s)
{
        for (size_t i = 0; i < f->n_wallets; i++)
                if (qn_str_eq(f->wallets[i], s))
                        return true;
        return false;
}

static int by_text(const void *a, const void *b)
{
        return qn_str_cmp(*(const struct qn_str *)a, *(const struct qn_str *)b);
}

static int find_wallets(struct qn_str text, struct qn_arena *a, struct qn_file_digest *f)
{
        f->n_wallets = 0;
        if (!f->wallets)
                f->wallets = qn_arena_calloc(a, QN_DIGEST_WALLETS_MAX, sizeof *f->wallets);
        if (!f->wallets)
                return -ENOBUFS;
        while (text.n && f->n_wallets < QN_DIGEST_WALLETS_MAX) {
                struct qn_str word = { text.p, 0 };

                while (word.n < text.n && is_word(text.p[word.n]))
                        word.n++;
                text = qn_str_skip(text, word.n ? word.n : 1);
                if (word.n < 26 || word.n > 62 || qn_wallet_address(word) == QN_WALLET_NONE ||
                    has_wallet(f, word))
                        continue;
                f->wallets[f->n_wallets] = qn_arena_dup(a, word);
                if (!f->wallets[f->n_wallets++].p)
                        return -ENOBUFS;
        }
        if (f->n_wallets)
                qsort(f->wallets, f->n_wallets, sizeof *f->wallets, by_text);
        return 0;
}

static int take_file(struct qn_file_digest *f, const struct qn_content *c, struct qn_arena *a)
{
        int r;

        f->sha256 = QN_STR("");
        f->n_wallets = 0;
        if (!c->whole)
                return 0;
        r = hex_of(QN_SHA256, c->data, a, &f->sha256);
        return r < 0 ? r : find_wallets(qn_cur_rest(&c->data), a, f);
}

static int walk(struct qn_gz *gz, struct qn_cur in, struct qn_arena *a, struct qn_digests *d)
{
        struct qn_archive archive = { 0 };
        struct qn_tar_entry e;
        struct qn_content content;
        int r = qn_archive_open(&archive, gz, in);

        if (r == 0)
                r = qn_archive_rewind(&archive);
        while (r == 0 && (r = qn_archive_next(&archive, &e, NULL)) == 1) {
                const struct qn_file_digest *f = qn_digests_find(d, e.path);

                r = 0;
                if (e.type != QN_TAR_FILE || !f)
                        continue;
                r = qn_archive_content(&archive, &e, &content, NULL);
                if (r == 0)
                        r = take_file(&d->files[f - d->files], &content, a);
        }
        qn_archive_close(&archive);
        qn_archive_done(&archive);
        /* a broken end was the analysis' to tell */
        return r == -ENOMEM || r == -ENOBUFS || r == -EIO ? r : 0;
}

int qn_digests_read(struct qn_gz *gz, struct qn_cur in, const struct qn_str *paths, size_t n,
                    struct qn_arena *a, struct qn_digests *ret)
{
        struct qn_digests d = { 0 };
        int r = hex_of(QN_SHA1, in, a, &d.sha1);

        if (r == 0)
                r = sri_of(in, a, &d.sha512);
        if (r == 0 && !(d.files = qn_arena_calloc(a, n + 1, sizeof *d.files)))
                r = -ENOBUFS;
        for (size_t i = 0; r == 0 && i < n; i++)
                d.files[i] = (struct qn_file_digest){ .path = paths[i], .sha256 = QN_STR("") };
        if (r == 0 && n) {
                d.n = n;
                qsort(d.files, n, sizeof *d.files, by_path);
                r = walk(gz, in, a, &d);
        }
        if (r == 0)
                *ret = d;
        return r;
}
