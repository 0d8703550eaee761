#include "parse/media.h"

#include "base/limits.h"

static uint64_t be(struct qn_str s, uint64_t at, unsigned n)
{
        uint64_t v = 0;

        if (at > s.n || n > s.n - at)
                return 0;
        for (unsigned i = 0; i < n; i++)
                v = v << 8 | (uint8_t)s.p[at + i];
        return v;
}

static uint64_t le(struct qn_str s, uint64_t at, unsigned n)
{
        uint64_t v = 0;

        if (at > s.n || n > s.n - at)
                return 0;
        for (unsigned i = n; i-- > 0;)
                v = v << 8 | (uint8_t)s.p[at + i];
        return v;
}

/* Chunks up to IEND, each with its length and a checksum. */
static uint64_t png_end(struct qn_str s)
{
        uint64_t at = 8;

        while (at + 12 <= s.n) {
                uint64_t n = be(s, at, 4);
                bool last = be(s, at + 4, 4) == 0x49454e44;

                at += 12 + n;
                if (last)
                        return at;
        }
        return s.n;
}

/* Compressed data up to the next marker that is none of its own. */
static uint64_t skip_scan(struct qn_str s, uint64_t at)
{
        while (at + 1 < s.n) {
                ptrdiff_t ff = qn_str_chr(qn_str_skip(s, at), (char)0xff);
                uint64_t m;

                if (ff < 0)
                        return s.n;
                at += (uint64_t)ff;
                m = be(s, at + 1, 1);
                if (m != 0 && m != 0xff && (m < 0xd0 || m > 0xd7))
                        return at;
                at += m == 0xff ? 1 : 2;
        }
        return s.n;
}

static uint64_t jpeg_end(struct qn_str s)
{
        uint64_t at = 2;

        while (at + 4 <= s.n && be(s, at, 1) == 0xff) {
                uint64_t m = be(s, at + 1, 1);

                if (m == 0xff) { /* filling */
                        at++;
                        continue;
                }
                if (m == 0xd9)
                        return at + 2;
                at += 2 + be(s, at + 2, 2);
                if (m == 0xda)
                        at = skip_scan(s, at);
        }
        return s.n;
}

/* Blocks of at most 255 bytes, each behind its length, up to an empty one. */
static uint64_t skip_blocks(struct qn_str s, uint64_t at)
{
        while (at < s.n) {
                uint64_t n = be(s, at, 1);

                at += n + 1;
                if (!n)
                        return at;
        }
        return s.n;
}

static uint64_t colours(uint64_t flags)
{
        return flags & 0x80 ? UINT64_C(3) << ((flags & 7) + 1) : 0;
}

static uint64_t gif_end(struct qn_str s)
{
        uint64_t at = 13 + colours(be(s, 10, 1));

        while (at < s.n) {
                switch (be(s, at, 1)) {
                case 0x3b:
                        return at + 1;
                case 0x21:
                        at = skip_blocks(s, at + 2);
                        break;
                case 0x2c:
                        at = skip_blocks(s, at + 11 + colours(be(s, at + 9, 1)));
                        break;
                default:
                        return s.n;
                }
        }
        return s.n;
}

static uint64_t font_end(struct qn_str s)
{
        uint64_t n = be(s, 4, 2), end = 12 + n * 16;

        for (uint64_t i = 0; i < n && 12 + i * 16 < s.n; i++)
                end = QN_MAX(end, be(s, 12 + i * 16 + 8, 4) + be(s, 12 + i * 16 + 12, 4));
        return end;
}

static uint64_t icon_end(struct qn_str s)
{
        uint64_t n = le(s, 4, 2), end = 6 + n * 16;

        for (uint64_t i = 0; i < n && 6 + i * 16 < s.n; i++)
                end = QN_MAX(end, le(s, 6 + i * 16 + 8, 4) + le(s, 6 + i * 16 + 12, 4));
        return end;
}

/* Readers look for the last "%%EOF". */
static uint64_t pdf_end(struct qn_str s)
{
        struct qn_str rest = s;
        uint64_t end = s.n;
        ptrdiff_t at;

        while ((at = qn_str_find(rest, QN_STR("%%EOF"))) >= 0) {
                rest = qn_str_skip(rest, (size_t)at + 5);
                end = s.n - rest.n;
        }
        return end;
}

uint64_t qn_media_end(enum qn_format f, struct qn_cur in)
{
        struct qn_str s = qn_cur_rest(&in);
        uint64_t end = s.n;

        switch (f) {
        case QN_FORMAT_PNG:
                end = png_end(s);
                break;
        case QN_FORMAT_JPEG:
                end = jpeg_end(s);
                break;
        case QN_FORMAT_GIF:
                end = gif_end(s);
                break;
        case QN_FORMAT_WEBP:
        case QN_FORMAT_WAV:
        case QN_FORMAT_AVI:
                end = le(s, 4, 4) + 8;
                break;
        case QN_FORMAT_WOFF:
        case QN_FORMAT_WOFF2:
                end = be(s, 8, 4);
                break;
        case QN_FORMAT_TTF:
        case QN_FORMAT_OTF:
                end = font_end(s);
                break;
        case QN_FORMAT_ICO:
                end = icon_end(s);
                break;
        case QN_FORMAT_BMP:
                end = le(s, 2, 4);
                break;
        case QN_FORMAT_PDF:
                end = pdf_end(s);
                break;
        default:
                break;
        }
        return end == 0 || end > s.n ? s.n : end;
}
