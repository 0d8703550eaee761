#include "parse/zst.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#include "base/limits.h"
#include "base/str.h"

struct qn_zst {
        ZSTD_DCtx *context;
        struct qn_cur in;
        size_t left; /* bytes that may still come out */
        bool inside; /* a frame has begun and not ended */
};

bool qn_zst_is(struct qn_cur in)
{
        return qn_str_starts(qn_cur_rest(&in), "\x28\xb5\x2f\xfd");
}

int qn_zst_new(struct qn_cur in, size_t cap, struct qn_zst **ret)
{
        struct qn_zst *z = calloc(1, sizeof *z);

        if (z)
                z->context = ZSTD_createDCtx();
        if (!z || !z->context ||
            ZSTD_isError(ZSTD_DCtx_setParameter(z->context, ZSTD_d_windowLogMax,
                                                QN_ZST_WINDOW_LOG_MAX))) {
                qn_zst_free(z);
                return -ENOMEM;
        }
        z->in = in;
        z->left = cap;
        *ret = z;
        return 0;
}

struct qn_zst *qn_zst_free(struct qn_zst *z)
{
        if (z)
                ZSTD_freeDCtx(z->context);
        free(z);
        return NULL;
}

void qn_zst_freep(struct qn_zst **z)
{
        *z = qn_zst_free(*z);
}

ssize_t qn_zst_read(struct qn_zst *z, void *out, size_t n, struct qn_err *reterr)
{
        ZSTD_outBuffer to = { out, n, 0 };

        while (to.pos == 0 && n) {
                ZSTD_inBuffer from = { z->in.p, qn_cur_left(&z->in), 0 };
                bool empty = from.size == 0;
                size_t r;

                if (empty && !z->inside)
                        return 0;
                r = ZSTD_decompressStream(z->context, &to, &from);
                if (ZSTD_isError(r))
                        return qn_fail(reterr, -EBADMSG, 0, "zstd: %s", ZSTD_getErrorName(r));
                z->in.p += from.pos;
                z->inside = r != 0;
                if (empty && z->inside && to.pos == 0)
                        return qn_fail(reterr, -ENODATA, 0, "zstd: the data are cut short");
        }
        if (to.pos > z->left)
                return qn_fail(reterr, -EFBIG, 0, "zstd: more comes out than is allowed");
        z->left -= to.pos;
        return (ssize_t)to.pos;
}
