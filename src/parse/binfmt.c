#include "parse/binfmt.h"

#include "base/limits.h"
#include "base/utf8.h"

static const struct {
        const char *name;
        enum qn_format_class class;
} formats[QN_FORMAT_MAX] = {
#define FORMAT(id, name, cls) [QN_FORMAT_##id] = { name, QN_CLASS_##cls },
#include "parse/formats.def"
#undef FORMAT
};

const char *qn_format_name(enum qn_format f)
{
        return formats[f].name;
}

enum qn_format_class qn_format_class(enum qn_format f)
{
        return formats[f].class;
}

const char *qn_format_class_name(enum qn_format_class c)
{
        static const char *const names[QN_CLASS_MAX] = {
                [QN_CLASS_EXECUTABLE] = "executable",
                [QN_CLASS_ARCHIVE] = "archive",
                [QN_CLASS_IMAGE] = "image",
                [QN_CLASS_FONT] = "font",
                [QN_CLASS_MEDIA] = "media",
                [QN_CLASS_TEXT] = "text",
                [QN_CLASS_DATA] = "data",
        };

        return names[c];
}

/* --- looking at bytes --- */

static uint64_t be(struct qn_str s, size_t at, size_t n)
{
        uint64_t v = 0;

        for (size_t i = 0; i < n; i++)
                v = v << 8 | (at + i < s.n ? (uint8_t)s.p[at + i] : 0);
        return v;
}

static uint64_t le(struct qn_str s, size_t at, size_t n)
{
        uint64_t v = 0;

        for (size_t i = n; i-- > 0;)
                v = v << 8 | (at + i < s.n ? (uint8_t)s.p[at + i] : 0);
        return v;
}

static bool has_at(struct qn_str s, size_t at, const char *magic, size_t n)
{
        return s.n >= at + n && memcmp(s.p + at, magic, n) == 0;
}

/* --- formats whose magic number alone is not enough --- */

typedef bool (*check_fn)(struct qn_str s, uint64_t size);

static bool is_elf(struct qn_str s, uint64_t size QN_UNUSED)
{
        return s.n >= 16 && (s.p[4] == 1 || s.p[4] == 2) && (s.p[5] == 1 || s.p[5] == 2);
}

static bool is_pe(struct qn_str s, uint64_t size)
{
        uint64_t at = le(s, 0x3c, 4);

        if (s.n < 0x40 || at < 4 || at + 24 > size)
                return false;
        return at + 4 > s.n || has_at(s, (size_t)at, "PE\0\0", 4);
}

/* Mach-O universal files and Java classes share their magic: a count of architectures here, a version there. */
static bool is_fat(struct qn_str s, uint64_t size QN_UNUSED)
{
        return s.n >= 8 && be(s, 4, 4) > 0 && be(s, 4, 4) < 43;
}

static bool is_class(struct qn_str s, uint64_t size QN_UNUSED)
{
        return s.n >= 10 && be(s, 6, 2) >= 43;
}

static bool is_wasm(struct qn_str s, uint64_t size QN_UNUSED)
{
        return le(s, 4, 4) == 1 || le(s, 4, 4) == 0x1000d;
}

static bool is_jar(struct qn_str s, uint64_t size QN_UNUSED)
{
        return has_at(s, 30, "META-INF/", 9);
}

static bool is_bzip2(struct qn_str s, uint64_t size QN_UNUSED)
{
        return s.n >= 10 && s.p[3] >= '1' && s.p[3] <= '9' &&
               (has_at(s, 4, "1AY&SY", 6) || has_at(s, 4, "\x17\x72\x45\x38\x50\x90", 6));
}

static bool is_gzip(struct qn_str s, uint64_t size)
{
        return size >= 18 && s.n >= 10 && !(s.p[3] & 0xe0);
}

static bool is_ico(struct qn_str s, uint64_t size)
{
        uint64_t n = le(s, 4, 2);

        return s.n >= 22 && n > 0 && 6 + n * 16 <= size;
}

static bool is_bmp(struct qn_str s, uint64_t size)
{
        return s.n >= 26 && le(s, 6, 4) == 0 && le(s, 10, 4) < size && le(s, 14, 4) >= 12 &&
               le(s, 14, 4) <= 124;
}

static bool is_ttf(struct qn_str s, uint64_t size)
{
        uint64_t n = be(s, 4, 2);

        return s.n >= 12 && n > 0 && n < 256 && 12 + n * 16 <= size;
}

static bool is_webp(struct qn_str s, uint64_t size QN_UNUSED)
{
        return has_at(s, 8, "WEBP", 4);
}

static bool is_wav(struct qn_str s, uint64_t size QN_UNUSED)
{
        return has_at(s, 8, "WAVE", 4);
}

static bool is_avi(struct qn_str s, uint64_t size QN_UNUSED)
{
        return has_at(s, 8, "AVI ", 4);
}

static bool is_avif(struct qn_str s, uint64_t size QN_UNUSED)
{
        return has_at(s, 8, "avif", 4) || has_at(s, 8, "heic", 4) || has_at(s, 8, "mif1", 4);
}

/* An MPEG audio frame: sync, a layer, and a bit rate and sample rate that exist. */
static bool is_mp3(struct qn_str s, uint64_t size)
{
        return size >= 128 && s.n >= 4 && ((uint8_t)s.p[1] & 0xe0) == 0xe0 &&
               (s.p[1] & 0x18) != 0x08 && (s.p[1] & 6) != 0 && ((uint8_t)s.p[2] & 0xf0) != 0xf0 &&
               ((uint8_t)s.p[2] & 0xf0) != 0 && (s.p[2] & 0x0c) != 0x0c;
}

/* Magic numbers of Python 3 (and 2.5 to 2.7), then flags or a time. */
static bool is_pyc(struct qn_str s, uint64_t size)
{
        uint64_t magic = le(s, 0, 2);

        if (size < 16 || s.n < 16)
                return false;
        if (magic >= 3390 && magic < 3800)
                return le(s, 4, 4) <= 3;
        return (magic >= 3000 && magic < 3390) || (magic >= 62011 && magic <= 62211);
}

/* The startup snapshot of V8: contexts, rehashable or not, checksums, then V8's version as text. */
static bool is_v8_snapshot(struct qn_str s, uint64_t size)
{
        uint64_t contexts = le(s, 0, 4);

        if (size < 1024 || s.n < 96 || contexts == 0 || contexts > 64 || le(s, 4, 4) > 1)
                return false;
        for (size_t at = 12; at <= 20; at += 4) {
                size_t i = at, dots = 0;

                while (i < at + 24 &&
                       ((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] == '.' && i > at)))
                        dots += s.p[i++] == '.';
                if (dots >= 2 && (s.p[i] == 0 || s.p[i] == '-'))
                        return true;
        }
        return false;
}

static bool is_eot(struct qn_str s, uint64_t size)
{
        return s.n >= 82 && le(s, 0, 4) == size && has_at(s, 34, "LP", 2);
}

/* A header sum that fits: "ustar" alone may stand in any text about tar. */
static bool is_tar(struct qn_str s, uint64_t size)
{
        unsigned sum = 0, want = 0;

        if (size < 1024 || s.n < 512 || s.p[0] == 0)
                return false;
        for (size_t i = 148; i < 156; i++)
                if (s.p[i] >= '0' && s.p[i] <= '7')
                        want = want * 8 + (unsigned)(s.p[i] - '0');
        if (want < 8 * ' ') /* nearly every text */
                return false;
        for (size_t i = 0; i < 512; i++)
                sum += (uint8_t)s.p[i];
        for (size_t i = 148; i < 156; i++) /* the sum itself counts as blanks */
                sum -= (uint8_t)s.p[i];
        return sum + 8 * ' ' == want;
}

/* The first row that matches wins.  at: place of the magic; check: NULL when the magic is enough. */
static const struct {
        uint16_t at, n;
        const char *magic;
        enum qn_format format;
        check_fn check;
} magics[] = {
        { 0, 4,
          "\x7f"
          "ELF",
          QN_FORMAT_ELF, is_elf },
        { 0, 2, "MZ", QN_FORMAT_PE, is_pe },
        { 0, 4, "\xfe\xed\xfa\xce", QN_FORMAT_MACHO, NULL },
        { 0, 4, "\xfe\xed\xfa\xcf", QN_FORMAT_MACHO, NULL },
        { 0, 4, "\xce\xfa\xed\xfe", QN_FORMAT_MACHO, NULL },
        { 0, 4, "\xcf\xfa\xed\xfe", QN_FORMAT_MACHO, NULL },
        { 0, 4, "\xca\xfe\xba\xbe", QN_FORMAT_MACHO_FAT, is_fat },
        { 0, 4, "\xca\xfe\xba\xbf", QN_FORMAT_MACHO_FAT, is_fat },
        { 0, 4, "\xca\xfe\xba\xbe", QN_FORMAT_JAVA_CLASS, is_class },
        { 0, 4, "\0asm", QN_FORMAT_WASM, is_wasm },
        { 0, 4, "dex\n", QN_FORMAT_DEX, NULL },
        { 0, 8, "\xc6\x1f\xbc\x03\xc1\x03\x19\x1f", QN_FORMAT_HERMES, NULL },
        { 2, 2, "\xde\xc0", QN_FORMAT_V8_BYTECODE, NULL },
        { 0, 4, "\x19\xda\x43\x01", QN_FORMAT_V8_SNAPSHOT, NULL }, /* Node's own snapshot */
        { 0, 4, "\x20\xda\x43\x01", QN_FORMAT_V8_SNAPSHOT,
          NULL }, /* Node's single executable application */
        { 2, 2, "\r\n", QN_FORMAT_PYC, is_pyc },
        { 0, 4, "PK\3\4", QN_FORMAT_JAR, is_jar },
        { 0, 4, "PK\3\4", QN_FORMAT_ZIP, NULL },
        { 0, 4, "PK\5\6", QN_FORMAT_ZIP, NULL },
        { 0, 3, "\x1f\x8b\x08", QN_FORMAT_GZIP, is_gzip },
        { 0, 3, "BZh", QN_FORMAT_BZIP2, is_bzip2 },
        { 0, 6,
          "\xfd"
          "7zXZ\0",
          QN_FORMAT_XZ, NULL },
        { 0, 4, "\x28\xb5\x2f\xfd", QN_FORMAT_ZSTD, NULL },
        { 0, 4, "\x04\x22\x4d\x18", QN_FORMAT_LZ4, NULL },
        { 0, 6, "7z\xbc\xaf\x27\x1c", QN_FORMAT_SEVENZIP, NULL },
        { 0, 6, "Rar!\x1a\x07", QN_FORMAT_RAR, NULL },
        { 0, 8, "!<arch>\n", QN_FORMAT_AR, NULL },
        { 0, 4, "MSCF", QN_FORMAT_CAB, NULL },
        { 0, 8, "\x89PNG\r\n\x1a\n", QN_FORMAT_PNG, NULL },
        { 0, 3, "\xff\xd8\xff", QN_FORMAT_JPEG, NULL },
        { 0, 6, "GIF87a", QN_FORMAT_GIF, NULL },
        { 0, 6, "GIF89a", QN_FORMAT_GIF, NULL },
        { 0, 4, "RIFF", QN_FORMAT_WEBP, is_webp },
        { 0, 4, "RIFF", QN_FORMAT_WAV, is_wav },
        { 0, 4, "RIFF", QN_FORMAT_AVI, is_avi },
        { 0, 4, "\0\0\1\0", QN_FORMAT_ICO, is_ico },
        { 0, 4, "\0\0\2\0", QN_FORMAT_ICO, is_ico },
        { 0, 2, "BM", QN_FORMAT_BMP, is_bmp },
        { 0, 4, "II*\0", QN_FORMAT_TIFF, NULL },
        { 0, 4, "MM\0*", QN_FORMAT_TIFF, NULL },
        { 4, 4, "ftyp", QN_FORMAT_AVIF, is_avif },
        { 4, 4, "ftyp", QN_FORMAT_MP4, NULL },
        { 0, 4, "wOFF", QN_FORMAT_WOFF, NULL },
        { 0, 4, "wOF2", QN_FORMAT_WOFF2, NULL },
        { 0, 4, "OTTO", QN_FORMAT_OTF, is_ttf },
        { 0, 4, "\0\1\0\0", QN_FORMAT_TTF, is_ttf },
        { 0, 4, "true", QN_FORMAT_TTF, is_ttf },
        { 0, 4, "ttcf", QN_FORMAT_TTF, NULL },
        { 34, 2, "LP", QN_FORMAT_EOT, is_eot },
        { 0, 5, "%PDF-", QN_FORMAT_PDF, NULL },
        { 0, 16, "SQLite format 3", QN_FORMAT_SQLITE, NULL },
        { 0, 3, "ID3", QN_FORMAT_MP3, NULL },
        { 0, 1, "\xff", QN_FORMAT_MP3, is_mp3 },
        { 0, 4, "OggS", QN_FORMAT_OGG, NULL },
        { 0, 4, "fLaC", QN_FORMAT_FLAC, NULL },
        { 0, 4, "\x1a\x45\xdf\xa3", QN_FORMAT_WEBM, NULL },
        { 0, 0, "", QN_FORMAT_V8_SNAPSHOT, is_v8_snapshot },
        { 0, 0, "", QN_FORMAT_TAR, is_tar },
};

/* --- text --- */

/* Without a byte order mark: nearly every second byte is zero, as in UTF-16 of Latin letters. */
static bool looks_utf16(struct qn_str s)
{
        size_t zeros[2] = { 0, 0 };

        if (s.n < 16 || qn_str_chr(s, 0) < 0)
                return false;
        for (size_t i = 0; i < s.n; i++)
                zeros[i & 1] += s.p[i] == 0;
        return (zeros[0] > s.n * 2 / 5 && zeros[1] < s.n / 64 + 1) ||
               (zeros[1] > s.n * 2 / 5 && zeros[0] < s.n / 64 + 1);
}

/* Valid UTF-8 but for a character that the end of the head cuts in two. */
static bool valid_utf8(struct qn_str s, bool cut)
{
        for (size_t drop = 0; drop <= (cut ? 3u : 0u) && drop <= s.n; drop++)
                if (qn_utf8_valid(qn_str_take(s, s.n - drop)))
                        return true;
        return false;
}

/* Control characters that text does not use; minified code carries a few of them in its literals.  Counted in blocks that
 * one byte can count, without branches, so that the compiler makes vector code of it. */
static size_t count_controls(struct qn_str s)
{
        size_t n = 0;

        while (s.n) {
                struct qn_str block = qn_str_take(s, 128);
                uint8_t found = 0;

                for (size_t i = 0; i < block.n; i++) {
                        uint8_t c = (uint8_t)block.p[i];

                        found +=
                                ((c < ' ') & ((c < '\b') | (c > '\r')) & (c != 0x1b)) | (c == 0x7f);
                }
                n += found;
                s = qn_str_skip(s, block.n);
        }
        return n;
}

static enum qn_format sniff_text(struct qn_str s, bool cut)
{
        size_t controls;

        if (has_at(s, 0, "\xff\xfe", 2) || has_at(s, 0, "\xfe\xff", 2) || looks_utf16(s))
                return QN_FORMAT_UTF16;
        controls = count_controls(s);
        /* A regular expression or string of a small script may hold one or two. */
        if (controls > s.n / 100 + (s.n >= 8 ? 2 : 0))
                return QN_FORMAT_BINARY;
        if (has_at(s, 0, "#!", 2) && controls == 0)
                return QN_FORMAT_SCRIPT;
        if (qn_utf8_ascii_run(s) == s.n)
                return QN_FORMAT_ASCII;
        if (valid_utf8(s, cut))
                return QN_FORMAT_UTF8;
        /* An old 8-bit encoding: data of some length would hold control characters too. */
        return controls == 0 && s.n >= 64 ? QN_FORMAT_LATIN1 : QN_FORMAT_BINARY;
}

enum qn_format qn_sniff(struct qn_cur head, uint64_t size)
{
        struct qn_str s = qn_str_take(qn_cur_rest(&head), QN_SNIFF_MAX);

        if (s.n == 0)
                return size == 0 ? QN_FORMAT_EMPTY : QN_FORMAT_BINARY;
        for (size_t i = 0; i < QN_ARRAY_SIZE(magics); i++)
                if (has_at(s, magics[i].at, magics[i].magic, magics[i].n) &&
                    (!magics[i].check || magics[i].check(s, size)))
                        return magics[i].format;
        return sniff_text(s, s.n < size);
}

/* --- native executables --- */

struct machine {
        uint32_t id;
        const char *arch;
};

static const struct machine elf_machines[] = {
        { 3, "x86" },     { 62, "x86-64" },     { 40, "arm" },  { 183, "arm64" },
        { 243, "riscv" }, { 8, "mips" },        { 20, "ppc" },  { 21, "ppc64" },
        { 22, "s390x" },  { 258, "loongarch" }, { 247, "bpf" }, { 0, NULL },
};
static const struct machine pe_machines[] = {
        { 0x14c, "x86" }, { 0x8664, "x86-64" }, { 0x1c0, "arm" },
        { 0x1c4, "arm" }, { 0xaa64, "arm64" },  { 0, NULL },
};
static const struct machine macho_machines[] = {
        { 7, "x86" },           { 0x1000007, "x86-64" }, { 12, "arm" },
        { 0x100000c, "arm64" }, { 18, "ppc" },           { 0, NULL },
};

static const char *machine_name(const struct machine *m, uint64_t id)
{
        for (; m->arch; m++)
                if (m->id == id)
                        return m->arch;
        return "other";
}

/* n records of size each at off lie within the file. */
static bool fits(uint64_t off, uint64_t n, uint64_t each, uint64_t size)
{
        return off <= size && (n == 0 || n * each <= size - off);
}

static void read_elf(struct qn_str s, uint64_t size, struct qn_native *ret)
{
        static const char *const kinds[] = { "other", "object", "executable", "shared", "core" };
        uint64_t (*num)(struct qn_str, size_t, size_t) = s.p[5] == 1 ? le : be;
        bool wide = s.p[4] == 2;
        uint64_t type = num(s, 16, 2), phoff = wide ? num(s, 32, 8) : num(s, 28, 4),
                 shoff = wide ? num(s, 40, 8) : num(s, 32, 4);
        size_t sizes = wide ? 54 : 42;

        ret->arch = machine_name(elf_machines, num(s, 18, 2));
        ret->kind = type < QN_ARRAY_SIZE(kinds) ? kinds[type] : "other";
        ret->sane = s.n >= (wide ? 64 : 52) &&
                    fits(phoff, num(s, sizes + 2, 2), num(s, sizes, 2), size) &&
                    fits(shoff, num(s, sizes + 6, 2), num(s, sizes + 4, 2), size);
}

static void read_pe(struct qn_str s, uint64_t size, struct qn_native *ret)
{
        size_t at = (size_t)le(s, 0x3c, 4);
        uint64_t flags = le(s, at + 22, 2);

        ret->arch = machine_name(pe_machines, le(s, at + 4, 2));
        ret->kind = flags & 0x2000 ? "shared" : flags & 2 ? "executable" : "other";
        ret->sane = at + 24 <= s.n && fits(at + 24 + le(s, at + 20, 2), le(s, at + 6, 2), 40, size);
}

static void read_macho(struct qn_str s, uint64_t size, struct qn_native *ret)
{
        uint64_t (*num)(struct qn_str, size_t, size_t) = (uint8_t)s.p[0] == 0xfe ? be : le;
        bool wide = num(s, 0, 4) == 0xfeedfacf;
        uint64_t type = num(s, 12, 4);

        ret->arch = machine_name(macho_machines, num(s, 4, 4));
        ret->kind = type == 2                ? "executable"
                    : type == 6 || type == 8 ? "shared"
                    : type == 1              ? "object"
                    : type == 4              ? "core"
                                             : "other";
        ret->sane = s.n >= 28 && fits(wide ? 32 : 28, num(s, 20, 4), 1, size);
}

static void read_fat(struct qn_str s, uint64_t size, struct qn_native *ret)
{
        size_t each = (uint8_t)s.p[3] == 0xbf ? 32 : 20;
        uint64_t n = be(s, 4, 4);

        ret->arch = "several";
        ret->kind = "other";
        ret->sane = fits(8, n, each, size);
        for (uint64_t i = 0; ret->sane && i < n && 8 + (i + 1) * each <= s.n; i++) {
                size_t at = 8 + (size_t)i * each;

                ret->sane = each == 20 ? fits(be(s, at + 8, 4), be(s, at + 12, 4), 1, size)
                                       : fits(be(s, at + 8, 8), be(s, at + 16, 8), 1, size);
        }
}

int qn_native_read(struct qn_cur head, uint64_t size, struct qn_native *ret)
{
        struct qn_str s = qn_cur_rest(&head);

        switch (qn_sniff(head, size)) {
        case QN_FORMAT_ELF:
                read_elf(s, size, ret);
                return 0;
        case QN_FORMAT_PE:
                read_pe(s, size, ret);
                return 0;
        case QN_FORMAT_MACHO:
                read_macho(s, size, ret);
                return 0;
        case QN_FORMAT_MACHO_FAT:
                read_fat(s, size, ret);
                return 0;
        default:
                return -EINVAL;
        }
}

/* --- scripts --- */

static struct qn_str next_word(struct qn_str *line)
{
        struct qn_str w = { line->p, 0 };

        while (line->n && (*line->p == ' ' || *line->p == '\t'))
                *line = qn_str_skip(*line, 1);
        w.p = line->p;
        while (w.n < line->n && w.p[w.n] != ' ' && w.p[w.n] != '\t')
                w.n++;
        *line = qn_str_skip(*line, w.n);
        return w;
}

struct qn_str qn_hashbang(struct qn_cur head)
{
        struct qn_str s = qn_str_take(qn_cur_rest(&head), 1024), line, word;

        if (qn_str_starts(s, "\xef\xbb\xbf"))
                s = qn_str_skip(s, 3);
        if (!qn_str_starts(s, "#!"))
                return (struct qn_str){ NULL, 0 };
        s = qn_str_skip(s, 2);
        line = qn_str_cut(&s, '\n');
        if (line.n && line.p[line.n - 1] == '\r')
                line.n--;
        word = qn_str_base(next_word(&line));
        if (!qn_str_is(word, "env"))
                return word;
        /* env takes options and assignments before the program. */
        do {
                word = next_word(&line);
        } while (word.n && (word.p[0] == '-' || qn_str_chr(word, '=') >= 0));
        return qn_str_base(word);
}
