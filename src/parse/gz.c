#include "parse/gz.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#include "base/limits.h"

#define GZ_OUT_MIN ((size_t)256 << 10)

struct qn_gz {
        struct libdeflate_decompressor *d;
        uint8_t *out;
        size_t room; /* bytes allocated for out */
};

struct qn_gz *qn_gz_new(void)
{
        _cleanup_(qn_gz_freep) struct qn_gz *gz = calloc(1, sizeof *gz);

        if (!gz || !(gz->d = libdeflate_alloc_decompressor()))
                return NULL;
        return TAKE_PTR(gz);
}

struct qn_gz *qn_gz_free(struct qn_gz *gz)
{
        if (!gz)
                return NULL;
        if (gz->d)
                libdeflate_free_decompressor(gz->d);
        free(gz->out);
        free(gz);
        return NULL;
}

void qn_gz_freep(struct qn_gz **gz)
{
        *gz = qn_gz_free(*gz);
}

bool qn_gz_is(struct qn_cur in)
{
        return qn_cur_left(&in) >= 2 && in.p[0] == 0x1f && in.p[1] == 0x8b;
}

size_t qn_gz_size_hint(struct qn_cur in)
{
        struct qn_cur skipped;
        uint32_t n = 0;

        if (qn_cur_left(&in) < 18 || qn_cur_take(&in, qn_cur_left(&in) - 4, &skipped) < 0 ||
            qn_cur_le32(&in, &n) < 0)
                return 0;
        return n;
}

/* What may follow a member: another one, or zeros to the end.  1: another, 0: the end. */
static int after_member(struct qn_cur *in, size_t off, struct qn_err *reterr)
{
        const uint8_t *p = in->p;

        if (p == in->end)
                return 0;
        if (*p)
                return 1;
        while (p < in->end && *p == 0)
                p++;
        if (p < in->end)
                return qn_fail(reterr, -EBADMSG, off,
                               "data after the padding of the last gzip member");
        return 0;
}

static int too_large(struct qn_err *reterr, size_t off, size_t cap)
{
        return qn_fail(reterr, -EFBIG, off, "unpacks to more than %zu bytes", cap);
}

/* Makes room for want bytes, keeping what is there. */
static int grow(struct qn_gz *gz, size_t want)
{
        uint8_t *p;

        if (want <= gz->room)
                return 0;
        p = realloc(gz->out, want);
        if (!p)
                return -ENOMEM;
        gz->out = p;
        gz->room = want;
        return 0;
}

/* libdeflate does not tell a short input from a corrupt one, nor where it is: the streaming decoder does. */
static int why_bad(struct qn_cur in, size_t cap, struct qn_err *reterr)
{
        _cleanup_(qn_gz_stream_freep) struct qn_gz_stream *s = NULL;
        uint8_t sink[16384];
        ssize_t n = qn_gz_stream_new(in, cap, &s);

        if (n < 0)
                return (int)n;
        do {
                n = qn_gz_stream_read(s, sink, sizeof sink, reterr);
        } while (n > 0);
        return n < 0 ? (int)n : qn_fail(reterr, -EBADMSG, 0, "corrupt deflate data");
}

/* Inflates one member behind the n bytes already there: 0, or 1 when libdeflate finds it bad. */
static int one_member(struct qn_gz *gz, struct qn_cur *in, size_t cap, size_t *n)
{
        for (;;) {
                size_t used = 0, made = 0, avail = QN_MIN(gz->room, cap) - *n;
                enum libdeflate_result res = libdeflate_gzip_decompress_ex(
                        gz->d, in->p, qn_cur_left(in), gz->out + *n, avail, &used, &made);
                int r;

                if (res == LIBDEFLATE_SUCCESS) {
                        *n += made;
                        return qn_cur_skip(in, used);
                }
                if (res != LIBDEFLATE_INSUFFICIENT_SPACE)
                        return 1;
                if (*n + avail >= cap)
                        return -EFBIG;
                r = grow(gz, QN_MIN(cap, gz->room * 2));
                if (r < 0)
                        return r;
        }
}

/* A first guess of the output's size: the trailer's claim as far as deflate could keep it. */
static size_t first_room(struct qn_cur in, size_t cap)
{
        size_t packed = qn_cur_left(&in), hint = qn_gz_size_hint(in);

        if (packed < cap / QN_GZ_RATIO_MAX)
                hint = QN_MIN(hint, packed * QN_GZ_RATIO_MAX);
        return QN_MIN(QN_MAX(hint, GZ_OUT_MIN), cap);
}

int qn_gz_inflate(struct qn_gz *gz, struct qn_cur in, size_t cap, struct qn_cur *ret,
                  struct qn_err *reterr)
{
        const struct qn_cur all = in;
        unsigned members = 0;
        size_t n = 0;
        int r;

        cap = QN_MIN(cap, QN_UNPACKED_MAX);
        if (qn_cur_left(&in) > QN_TARBALL_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the tarball is larger than %zu bytes",
                               QN_TARBALL_MAX);
        r = grow(gz, QN_MAX(first_room(in, cap), (size_t)1));
        if (r < 0)
                return r;
        do {
                if (members++ == QN_GZ_MEMBERS_MAX)
                        return qn_fail(reterr, -EFBIG, (size_t)(in.p - all.p),
                                       "more than %u gzip members", QN_GZ_MEMBERS_MAX);
                r = one_member(gz, &in, cap, &n);
                if (r == -EFBIG)
                        return too_large(reterr, (size_t)(in.p - all.p), cap);
                if (r > 0)
                        return why_bad(all, cap, reterr);
                if (r < 0)
                        return r;
                r = after_member(&in, (size_t)(in.p - all.p), reterr);
        } while (r > 0);
        if (r < 0)
                return r;
        *ret = qn_cur_mem(gz->out, n);
        return 0;
}

int qn_gz_inflate_raw(struct qn_gz *gz, struct qn_cur in, size_t size, struct qn_cur *ret)
{
        size_t made = 0;
        int r = grow(gz, size + 1);

        if (r < 0)
                return r;
        if (libdeflate_deflate_decompress(gz->d, in.p, qn_cur_left(&in), gz->out, size, &made) !=
                    LIBDEFLATE_SUCCESS ||
            made != size)
                return -EBADMSG;
        *ret = qn_cur_mem(gz->out, size);
        return 0;
}

void qn_gz_trim(struct qn_gz *gz, size_t keep)
{
        uint8_t *p;

        if (gz->room <= keep)
                return;
        p = keep ? realloc(gz->out, keep) : NULL;
        if (!p)
                free(gz->out);
        gz->out = p;
        gz->room = p ? keep : 0;
}

struct qn_gz_stream {
        struct inflate_state z;
        struct qn_cur in; /* what the decoder was not given, or gave back */
        const uint8_t *start;
        size_t cap, total;
        unsigned members;
        bool open;         /* inside a member */
        int end;           /* 1: everything was read; negative: the error that ended it */
        struct qn_err err; /* kept, since bytes read before the error are handed out first */
};

int qn_gz_stream_new(struct qn_cur in, size_t cap, struct qn_gz_stream **ret)
{
        struct qn_gz_stream *s = calloc(1, sizeof *s);

        if (!s)
                return -ENOMEM;
        isal_inflate_init(&s->z);
        s->in = in;
        s->start = in.p;
        s->cap = QN_MIN(cap, QN_UNPACKED_MAX);
        *ret = s;
        return 0;
}

struct qn_gz_stream *qn_gz_stream_free(struct qn_gz_stream *s)
{
        free(s);
        return NULL;
}

void qn_gz_stream_freep(struct qn_gz_stream **s)
{
        *s = qn_gz_stream_free(*s);
}

/* ISA-L lets them pass, zlib and libdeflate do not (RFC 1952, 2.3.1.2). */
static bool reserved_flags(struct qn_cur in)
{
        return qn_cur_left(&in) >= 4 && in.p[3] & 0xe0;
}

/* Between members: 1 one was opened, 0 the end. */
static int open_member(struct qn_gz_stream *s, struct qn_err *reterr)
{
        size_t off = (size_t)(s->in.p - s->start);

        if (qn_cur_left(&s->in) + off > QN_TARBALL_MAX)
                return qn_fail(reterr, -EFBIG, 0, "the tarball is larger than %zu bytes",
                               QN_TARBALL_MAX);
        if (s->members > 0) {
                int r = after_member(&s->in, off, reterr);

                if (r <= 0)
                        return r;
        }
        if (s->members++ == QN_GZ_MEMBERS_MAX)
                return qn_fail(reterr, -EFBIG, off, "more than %u gzip members", QN_GZ_MEMBERS_MAX);
        if (qn_cur_left(&s->in) >= 2 && (!qn_gz_is(s->in) || reserved_flags(s->in)))
                return qn_fail(reterr, -EBADMSG, off, "not a gzip header");
        isal_inflate_reset(&s->z);
        s->z.crc_flag = ISAL_GZIP;
        s->open = true;
        return 1;
}

static const char *isal_reason(int r)
{
        switch (r) {
        case ISAL_INVALID_WRAPPER:
        case ISAL_UNSUPPORTED_METHOD:
                return "not a gzip header";
        case ISAL_INCORRECT_CHECKSUM:
                return "wrong checksum or length of a gzip member";
        default:
                return "corrupt deflate data";
        }
}

/* One step of the decoder: how many bytes it made.  What stops it is left in s->end and s->err. */
static size_t step(struct qn_gz_stream *s, uint8_t *out, size_t n)
{
        size_t want = QN_MIN(QN_MIN(n, s->cap - s->total + 1), (size_t)1 << 30), made, off;
        int r;

        s->z.next_in = (uint8_t *)(uintptr_t)s->in.p; /* the library's prototype lacks a const */
        s->z.avail_in = (uint32_t)qn_cur_left(&s->in);
        s->z.next_out = out;
        s->z.avail_out = (uint32_t)want;
        r = isal_inflate(&s->z);
        made = want - s->z.avail_out;
        s->in.p = s->z.next_in;
        s->total += made;
        off = (size_t)(s->in.p - s->start);
        if (s->total > s->cap)
                s->end = too_large(&s->err, off, s->cap);
        else if (r < 0)
                s->end = qn_fail(&s->err, -EBADMSG, off, "%s", isal_reason(r));
        else if (s->z.block_state == ISAL_BLOCK_FINISH)
                s->open = false;
        else if (made == 0 && qn_cur_left(&s->in) == 0)
                s->end = qn_fail(&s->err, -ENODATA, off, "the gzip data is cut short");
        return made;
}

ssize_t qn_gz_stream_read(struct qn_gz_stream *s, void *out, size_t n, struct qn_err *reterr)
{
        size_t got = 0;

        while (got < n && s->end == 0) {
                int r = s->open ? 1 : open_member(s, &s->err);

                if (r > 0)
                        got += step(s, (uint8_t *)out + got, n - got);
                else
                        s->end = r < 0 ? r : 1;
        }
        if (got > 0 || s->end >= 0)
                return (ssize_t)got;
        return qn_fail(reterr, s->end, s->err.off, "%s", s->err.msg);
}

uint32_t qn_gz_crc32(struct qn_cur c)
{
        return libdeflate_crc32(0, c.p, qn_cur_left(&c));
}
