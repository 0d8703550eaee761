/* digests-wire.c - sha1, sha512, u32 files; each: path, sha256, u32 wallets; each a text. */
#include "role/digests-wire.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "parse/wallet.h"
#include "role/wire.h"

static int by_text(const void *a, const void *b)
{
        return qn_str_cmp(*(const struct qn_str *)a, *(const struct qn_str *)b);
}

void qn_digests_wire_ask(struct qn_buf *out, const struct qn_str *paths, size_t n)
{
        size_t room = QN_ROLE_PARAMS_MAX - sizeof(uint32_t), fit = 0;

        while (fit < n && fit < QN_DIGEST_FILES_MAX && paths[fit].n + sizeof(uint32_t) <= room)
                room -= paths[fit++].n + sizeof(uint32_t);
        qn_wire_put_u32(out, (uint32_t)fit);
        for (size_t i = 0; i < fit; i++)
                qn_wire_put_text(out, paths[i]);
}

int qn_digests_wire_asked(struct qn_cur params, struct qn_arena *a, struct qn_str **ret,
                          size_t *ret_n)
{
        struct qn_str *paths;
        size_t kept = 0;
        uint32_t n;

        if (qn_cur_le32(&params, &n) < 0 || n > QN_DIGEST_FILES_MAX)
                return -EBADMSG;
        paths = qn_arena_calloc(a, (size_t)n + 1, sizeof *paths);
        if (!paths)
                return -ENOBUFS;
        for (uint32_t i = 0; i < n; i++)
                if (qn_wire_get_text(&params, &paths[i]) < 0 || !paths[i].n)
                        return -EBADMSG;
        if (qn_cur_left(&params))
                return -EBADMSG;
        if (n)
                qsort(paths, n, sizeof *paths, by_text);
        for (uint32_t i = 0; i < n; i++)
                if (!kept || !qn_str_eq(paths[i], paths[kept - 1]))
                        paths[kept++] = paths[i];
        *ret = paths;
        *ret_n = kept;
        return 0;
}

int qn_digests_wire_write(const struct qn_digests *d, struct qn_buf *out)
{
        qn_wire_put_text(out, d->sha1);
        qn_wire_put_text(out, d->sha512);
        qn_wire_put_u32(out, (uint32_t)d->n);
        for (size_t i = 0; i < d->n; i++) {
                const struct qn_file_digest *f = &d->files[i];

                qn_wire_put_text(out, f->path);
                qn_wire_put_text(out, f->sha256);
                qn_wire_put_u32(out, (uint32_t)f->n_wallets);
                for (size_t k = 0; k < f->n_wallets; k++)
                        qn_wire_put_text(out, f->wallets[k]);
        }
        return qn_buf_error(out);
}

static bool is_hex(struct qn_str s, size_t n)
{
        for (size_t i = 0; i < s.n; i++)
                if (qn_hex_value(s.p[i]) < 0)
                        return false;
        return s.n == n;
}

static bool is_sri(struct qn_str s)
{
        char bytes[QN_DIGEST_BYTES_MAX];
        size_t n;

        return qn_str_starts(s, "sha512-") &&
               qn_base64_decode_to(qn_str_skip(s, 7), bytes, sizeof bytes, &n) == 0 && n == 64;
}

static int keep(struct qn_cur *c, struct qn_arena *a, struct qn_str *ret)
{
        struct qn_str s;

        if (qn_wire_get_text(c, &s) < 0)
                return -EBADMSG;
        *ret = qn_arena_dup(a, s.p ? s : QN_STR(""));
        return ret->p ? 0 : -ENOBUFS;
}

static int read_file(struct qn_cur *c, struct qn_arena *a, struct qn_file_digest *f)
{
        int r = keep(c, a, &f->path);
        uint32_t n;

        if (r == 0)
                r = keep(c, a, &f->sha256);
        if (r < 0)
                return r;
        if (!f->path.n || (f->sha256.n && !is_hex(f->sha256, 64)) || qn_cur_le32(c, &n) < 0 ||
            n > QN_DIGEST_WALLETS_MAX)
                return -EBADMSG;
        f->wallets = qn_arena_calloc(a, (size_t)n + 1, sizeof *f->wallets);
        if (!f->wallets)
                return -ENOBUFS;
        for (; r == 0 && f->n_wallets < n; f->n_wallets++) {
                r = keep(c, a, &f->wallets[f->n_wallets]);
                if (r == 0 && qn_wallet_address(f->wallets[f->n_wallets]) == QN_WALLET_NONE)
                        r = -EBADMSG;
        }
        return r;
}

int qn_digests_wire_read(struct qn_cur reply, struct qn_arena *a, struct qn_digests *ret)
{
        struct qn_digests d = { 0 };
        uint32_t n;
        int r = keep(&reply, a, &d.sha1);

        if (r == 0)
                r = keep(&reply, a, &d.sha512);
        if (r < 0)
                return r;
        if (!is_hex(d.sha1, 40) || !is_sri(d.sha512) || qn_cur_le32(&reply, &n) < 0 ||
            n > QN_DIGEST_FILES_MAX)
                return -EBADMSG;
        d.files = qn_arena_calloc(a, (size_t)n + 1, sizeof *d.files);
        if (!d.files)
                return -ENOBUFS;
        for (; r == 0 && d.n < n; d.n++) {
                r = read_file(&reply, a, &d.files[d.n]);
                if (r == 0 && d.n && qn_str_cmp(d.files[d.n - 1].path, d.files[d.n].path) >= 0)
                        r = -EBADMSG;
        }
        if (r == 0 && qn_cur_left(&reply))
                r = -EBADMSG;
        if (r == 0)
                *ret = d;
        return r;
}
