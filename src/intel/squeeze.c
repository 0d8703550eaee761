#include "intel/squeeze.h"

#include <errno.h>
#include <stdlib.h>
#include <zdict.h>
#include <zstd.h>

#include "base/arena.h"

#define LEVEL 3

struct qn_squeeze {
        ZSTD_CCtx *c;
        ZSTD_DCtx *d;
        ZSTD_CDict *packs;
        ZSTD_DDict *unpacks;
};

int qn_squeeze_new(struct qn_str dictionary, struct qn_squeeze **ret)
{
        struct qn_squeeze *s = calloc(1, sizeof *s);

        if (!s)
                return -ENOMEM;
        s->c = ZSTD_createCCtx();
        s->d = ZSTD_createDCtx();
        s->packs = ZSTD_createCDict(dictionary.p, dictionary.n, LEVEL);
        s->unpacks = ZSTD_createDDict(dictionary.p, dictionary.n);
        if (!s->c || !s->d || !s->packs || !s->unpacks) {
                qn_squeeze_free(s);
                return -ENOMEM;
        }
        *ret = s;
        return 0;
}

struct qn_squeeze *qn_squeeze_free(struct qn_squeeze *s)
{
        if (!s)
                return NULL;
        ZSTD_freeCDict(s->packs);
        ZSTD_freeDDict(s->unpacks);
        ZSTD_freeCCtx(s->c);
        ZSTD_freeDCtx(s->d);
        free(s);
        return NULL;
}

int qn_squeeze_pack(struct qn_squeeze *s, struct qn_cur in, struct qn_buf *out)
{
        size_t n = qn_cur_left(&in), room = ZSTD_compressBound(n);
        int r = qn_buf_room(out, room);

        if (r < 0)
                return r;
        n = ZSTD_compress_usingCDict(s->c, out->p + out->n, room, in.p, n, s->packs);
        if (ZSTD_isError(n))
                return -ENOMEM; /* there was room: nothing else can fail */
        out->n += n;
        return 0;
}

int qn_squeeze_unpack(struct qn_squeeze *s, struct qn_cur in, size_t max, struct qn_arena *a,
                      struct qn_cur *ret)
{
        unsigned long long n = ZSTD_getFrameContentSize(in.p, qn_cur_left(&in));
        uint8_t *p;

        if (n == ZSTD_CONTENTSIZE_ERROR || n == ZSTD_CONTENTSIZE_UNKNOWN)
                return -EBADMSG;
        if (n > max)
                return -EFBIG;
        p = qn_arena_alloc(a, n + 1);
        if (!p)
                return -ENOBUFS;
        if (ZSTD_decompress_usingDDict(s->d, p, n, in.p, qn_cur_left(&in), s->unpacks) != n)
                return -EBADMSG;
        *ret = qn_cur_mem(p, n);
        return 0;
}

int qn_squeeze_learn(struct qn_str samples, const size_t *sizes, unsigned n, struct qn_buf *out)
{
        int r = qn_buf_room(out, QN_SQUEEZE_DICTIONARY);
        size_t made;

        if (r < 0)
                return r;
        made = ZDICT_trainFromBuffer(out->p + out->n, QN_SQUEEZE_DICTIONARY, samples.p, sizes, n);
        if (ZDICT_isError(made))
                return -ENODATA;
        out->n += made;
        return 0;
}
