/* zipbuild.h - small ZIP archives of stored files for tests. */
#pragma once

#include "base/buf.h"

#define ZB_MAX ((size_t)64 << 20)

struct zb {
        struct qn_buf *out;
        struct qn_buf central;
        unsigned n;
};

QN_UNUSED static void zb_le(struct qn_buf *b, uint64_t v, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                qn_buf_byte(b, (char)(v >> (8 * i)));
}

/* What local and central headers share: version to checksum, sizes, length of the name. */
static inline void zb_common(struct qn_buf *b, const char *path, size_t n, bool encrypted)
{
        zb_le(b, 20, 2);
        zb_le(b, encrypted, 2);
        zb_le(b, 0, 8);
        zb_le(b, 0, 2);
        zb_le(b, n, 4);
        zb_le(b, n, 4);
        zb_le(b, strlen(path), 2);
}

QN_UNUSED static void zb_bytes(struct zb *z, const char *path, const void *p, size_t n,
                               bool encrypted)
{
        size_t off = z->out->n;

        z->central.max = ZB_MAX;
        qn_buf_puts(z->out, "PK\3\4");
        zb_common(z->out, path, n, encrypted);
        zb_le(z->out, 0, 2);
        qn_buf_puts(z->out, path);
        qn_buf_add(z->out, p, n);
        qn_buf_puts(&z->central, "PK\1\2");
        zb_le(&z->central, 20, 2);
        zb_common(&z->central, path, n, encrypted);
        qn_buf_fill(&z->central, 0, 12);
        zb_le(&z->central, off, 4);
        qn_buf_puts(&z->central, path);
        z->n++;
}

QN_UNUSED static void zb_file(struct zb *z, const char *path, const char *text, bool encrypted)
{
        zb_bytes(z, path, text, strlen(text), encrypted);
}

QN_UNUSED static void zb_end(struct zb *z)
{
        size_t off = z->out->n;

        qn_buf_str(z->out, qn_buf_view(&z->central));
        qn_buf_puts(z->out, "PK\5\6");
        zb_le(z->out, 0, 4);
        zb_le(z->out, z->n, 2);
        zb_le(z->out, z->n, 2);
        zb_le(z->out, z->central.n, 4);
        zb_le(z->out, off, 4);
        zb_le(z->out, 0, 2);
        qn_buf_done(&z->central);
}
