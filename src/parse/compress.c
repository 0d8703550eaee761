#include "parse/compress.h"

#include <errno.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define BLOCK    ((size_t)64 << 10)
#define PIECE    ((size_t)16 << 20) /* zlib counts in 32 bits */
#define GZIP     (15 + 16)
#define GZIP_MEM 9

/* Levels for inputs up to so many bytes. */
static const struct {
        size_t max;
        int gzip, zstd;
} levels[] = {
        { (size_t)1 << 20, 9, 12 },
        { (size_t)8 << 20, 6, 6 },
        { SIZE_MAX, 4, 3 },
};

static size_t level_of(size_t size)
{
        size_t i = 0;

        while (size > levels[i].max)
                i++;
        return i;
}

/* --- gzip --- */

static int deflate_all(z_stream *z, struct qn_cur in, qn_sink_fn *sink, void *ctx)
{
        uint8_t out[BLOCK];
        int r = Z_OK;

        while (r != Z_STREAM_END) {
                struct qn_cur piece;
                int sunk;

                if (z->avail_in == 0) {
                        if (qn_cur_take(&in, QN_MIN(qn_cur_left(&in), PIECE), &piece) < 0)
                                return -EINVAL;
                        z->next_in = (Bytef *)(uintptr_t)piece.p;
                        z->avail_in = (uInt)qn_cur_left(&piece);
                }
                z->next_out = out;
                z->avail_out = sizeof out;
                r = deflate(z, qn_cur_left(&in) ? Z_NO_FLUSH : Z_FINISH);
                if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
                        return -EINVAL;
                sunk = z->avail_out < sizeof out ? sink(ctx, out, sizeof out - z->avail_out) : 0;
                if (sunk < 0)
                        return sunk;
        }
        return 0;
}

static int to_gzip(struct qn_cur in, qn_sink_fn *sink, void *ctx)
{
        int level = levels[level_of(qn_cur_left(&in))].gzip, r;
        z_stream z = { 0 };

        if (deflateInit2(&z, level, Z_DEFLATED, GZIP, GZIP_MEM, Z_DEFAULT_STRATEGY) != Z_OK)
                return -ENOMEM;
        r = deflate_all(&z, in, sink, ctx);
        deflateEnd(&z);
        return r;
}

/* --- zstd --- */

static int to_zstd(struct qn_cur in, qn_sink_fn *sink, void *ctx)
{
        ZSTD_inBuffer from = { in.p, qn_cur_left(&in), 0 };
        ZSTD_CCtx *c = ZSTD_createCCtx();
        uint8_t out[BLOCK];
        size_t left = 1;
        int r = c ? 0 : -ENOMEM;

        if (r == 0 && (ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel,
                                                           levels[level_of(from.size)].zstd)) ||
                       ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(c, from.size))))
                r = -EINVAL;
        while (r == 0 && left) {
                ZSTD_outBuffer to = { out, sizeof out, 0 };

                left = ZSTD_compressStream2(c, &to, &from, ZSTD_e_end);
                if (ZSTD_isError(left))
                        r = ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM
                                                                                    : -EINVAL;
                else if (to.pos)
                        r = sink(ctx, out, to.pos);
        }
        ZSTD_freeCCtx(c);
        return r;
}

int qn_compress(struct qn_cur in, enum qn_compression as, qn_sink_fn *sink, void *ctx)
{
        switch (as) {
        case QN_COMPRESS_GZIP:
                return to_gzip(in, sink, ctx);
        case QN_COMPRESS_ZSTD:
                return to_zstd(in, sink, ctx);
        }
        return -EINVAL;
}
