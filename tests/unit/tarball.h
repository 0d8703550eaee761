/* tarball.h - builds small tar archives and gzip members for tests. */
#pragma once

#include <libdeflate.h>
#include <zlib.h>

#include "base/buf.h"

#define TB_MAX ((size_t)256 << 20)

/* Writes the checksum of a 512-byte header. */
QN_UNUSED static void tb_sum(char *h)
{
        unsigned sum = 0;
        char text[16];

        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
                sum += (unsigned char)h[i];
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(h + 148, text, 7);
}

/* A header alone; returns its place in b, for tests that damage it (tb_sum() again afterwards). */
QN_UNUSED static char *tb_header(struct qn_buf *b, const char *name, char type, size_t size,
                                 const char *link)
{
        char text[32], *h;

        qn_buf_fill(b, 0, 512);
        h = b->p + b->n - 512;
        memcpy(h, name, QN_MIN(strlen(name), (size_t)100));
        memcpy(h + 100, "0000644", 7);
        memcpy(h + 108, "0000000", 7);
        memcpy(h + 116, "0000000", 7);
        snprintf(text, sizeof text, "%011zo", size);
        memcpy(h + 124, text, 11);
        memcpy(h + 136, "00000000000", 11);
        h[156] = type;
        memcpy(h + 157, link, QN_MIN(strlen(link), (size_t)100));
        memcpy(h + 257, "ustar\00000", 8);
        tb_sum(h);
        return h;
}

QN_UNUSED static void tb_body(struct qn_buf *b, const void *p, size_t n)
{
        qn_buf_add(b, p, n);
        qn_buf_fill(b, 0, -n & 511);
}

QN_UNUSED static void tb_entry(struct qn_buf *b, const char *name, char type, const char *content)
{
        tb_header(b, name, type, strlen(content), "");
        tb_body(b, content, strlen(content));
}

QN_UNUSED static void tb_file(struct qn_buf *b, const char *name, const char *content)
{
        tb_entry(b, name, '0', content);
}

/* An extended header with one record "key=value". */
QN_UNUSED static void tb_pax(struct qn_buf *b, char type, const char *key, const char *value)
{
        char rec[8192];
        size_t n = strlen(key) + strlen(value) + 3, digits = 1;

        while ((size_t)snprintf(rec, sizeof rec, "%zu", n + digits) > digits)
                digits++;
        snprintf(rec, sizeof rec, "%zu %s=%s\n", n + digits, key, value);
        tb_entry(b, "PaxHeader", type, rec);
}

QN_UNUSED static void tb_end(struct qn_buf *b)
{
        qn_buf_fill(b, 0, 1024);
}

/* Appends one gzip member. */
QN_UNUSED static void tb_gzip(struct qn_buf *out, const void *p, size_t n)
{
        struct libdeflate_compressor *c = libdeflate_alloc_compressor(1);
        size_t room = libdeflate_gzip_compress_bound(c, n);

        if (qn_buf_room(out, room) == 0)
                out->n += libdeflate_gzip_compress(c, p, n, out->p + out->n, room);
        libdeflate_free_compressor(c);
}

/* A gzip member written piece by piece, among them any number of MiB of zeros at the cost of one KiB each. */
struct tb_gz {
        struct qn_buf *out;
        uLong crc;
        uint64_t size;
};

QN_UNUSED static void tb_gz_start(struct tb_gz *g, struct qn_buf *out)
{
        static const char head[10] = "\037\213\010\0\0\0\0\0\0\003";

        *g = (struct tb_gz){ .out = out, .crc = crc32(0, NULL, 0) };
        qn_buf_add(out, head, sizeof head);
}

QN_UNUSED static void tb_gz_repeat(struct tb_gz *g, const void *p, size_t n, size_t times)
{
        z_stream z = { .next_in = (unsigned char *)(uintptr_t)p, .avail_in = (unsigned)n };
        uLong crc = crc32(0, p, (unsigned)n);
        size_t room = n + n / 100 + 1024;
        char *block = malloc(room);

        if (!block || deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
                abort();
        z.next_out = (unsigned char *)block;
        z.avail_out = (unsigned)room;
        deflate(&z, Z_FULL_FLUSH);
        for (size_t i = 0; i < times; i++) {
                qn_buf_add(g->out, block, room - z.avail_out);
                g->crc = crc32_combine(g->crc, crc, (z_off_t)n);
                g->size += n;
        }
        deflateEnd(&z);
        free(block);
}

QN_UNUSED static void tb_gz_add(struct tb_gz *g, const struct qn_buf *b)
{
        tb_gz_repeat(g, b->p, b->n, 1);
}

QN_UNUSED static void tb_gz_zeros(struct tb_gz *g, size_t mib)
{
        char *zeros = calloc(1, (size_t)1 << 20);

        if (!zeros)
                abort();
        tb_gz_repeat(g, zeros, (size_t)1 << 20, mib);
        free(zeros);
}

QN_UNUSED static void tb_gz_end(struct tb_gz *g)
{
        uint32_t trailer[2] = { (uint32_t)g->crc, (uint32_t)g->size };

        qn_buf_add(g->out, "\001\0\0\377\377", 5);
        qn_buf_add(g->out, trailer, sizeof trailer);
}
