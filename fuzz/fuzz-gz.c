/* Both decoders: what they both accept must be the same bytes, and the cap holds. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "parse/gz.h"

#define CAP ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t read_stream(struct qn_cur in, struct qn_buf *out)
{
        _cleanup_(qn_gz_stream_freep) struct qn_gz_stream *s = NULL;
        size_t piece = 1 + qn_cur_left(&in) % 5000;
        ssize_t n;

        if (qn_gz_stream_new(in, CAP, &s) < 0)
                abort();
        do {
                if (qn_buf_room(out, piece) < 0)
                        abort();
                n = qn_gz_stream_read(s, out->p + out->n, piece, NULL);
                if (n > (ssize_t)piece)
                        abort();
                if (n > 0)
                        out->n += (size_t)n;
        } while (n > 0);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_buf_done) struct qn_buf out = QN_BUF_INIT(CAP * 2);
        struct qn_cur in = qn_cur_mem(data, size), got = { 0 };
        struct qn_err err = { 0 };
        struct qn_gz *gz = qn_gz_new();
        int r = qn_gz_inflate(gz, in, CAP, &got, &err);
        ssize_t n = read_stream(in, &out);

        if ((r == 0) != (got.p != NULL) || (r < 0) != (err.code != 0))
                abort();
        if (r == 0 && qn_cur_left(&got) > CAP)
                abort();
        if (r == 0 && n == 0 &&
            (qn_cur_left(&got) != out.n || (out.n && memcmp(got.p, out.p, out.n) != 0)))
                abort();
        qn_gz_free(gz);
        return 0;
}
