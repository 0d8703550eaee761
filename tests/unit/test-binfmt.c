#include "test.h"

#include "base/limits.h"
#include "parse/binfmt.h"
#include "parse/media.h"
#include "tarball.h"

/* Content by its first bytes, the rest filled up with `fill` to n bytes. */
static enum qn_format sniff(const char *head, size_t head_n, int fill, size_t n)
{
        static char bytes[1 << 16];

        memset(bytes, fill, sizeof bytes);
        memcpy(bytes, head, head_n);
        return qn_sniff(qn_cur_mem(bytes, QN_MIN(n, sizeof bytes)), n);
}

#define SNIFF(lit, n) sniff((lit), sizeof(lit) - 1, 1, (n))
#define TEXT(lit)     qn_sniff(CUR(lit), sizeof(lit) - 1)

TEST(binfmt_magic_alone_is_not_enough)
{
        ASSERT_EQ(TEXT("MZ is how this sentence starts, and it is a text"), QN_FORMAT_ASCII);
        ASSERT_EQ(TEXT("BZh is not bzip2"), QN_FORMAT_ASCII);
        ASSERT_EQ(TEXT("BM, a company"), QN_FORMAT_ASCII);
        ASSERT_EQ(TEXT("true story"), QN_FORMAT_ASCII);
        ASSERT_EQ(SNIFF("\x7f"
                        "ELF\7\7",
                        100),
                  QN_FORMAT_BINARY);
        ASSERT_EQ(TEXT("\x7f"
                       "ELF"),
                  QN_FORMAT_BINARY);
        ASSERT_EQ(SNIFF("\0asm\7\0\0\0", 64), QN_FORMAT_BINARY);
        ASSERT_EQ(SNIFF("\x1f\x8b\x08\xff", 64), QN_FORMAT_BINARY);
        ASSERT_EQ(SNIFF("\0\0\1\0\0\0", 64), QN_FORMAT_BINARY);
        ASSERT_EQ(TEXT("\x1f"), QN_FORMAT_BINARY);
}

TEST(binfmt_text)
{
        ASSERT_EQ(qn_sniff(CUR(""), 0), QN_FORMAT_EMPTY);
        ASSERT_EQ(qn_sniff(CUR(""), 10), QN_FORMAT_BINARY);
        ASSERT_EQ(TEXT("module.exports = 1\n"), QN_FORMAT_ASCII);
        ASSERT_EQ(TEXT("// na\303\257ve\n"), QN_FORMAT_UTF8);
        ASSERT_EQ(qn_sniff(CUR("// cut in a \303"), 100), QN_FORMAT_UTF8);
        ASSERT_EQ(TEXT("// na\357ve, and then a longer sentence that is written in Latin-1, as one "
                       "did.\n"),
                  QN_FORMAT_LATIN1);
        ASSERT_EQ(TEXT("\377\376a\0b\0"), QN_FORMAT_UTF16);
        ASSERT_EQ(TEXT("v\0a\0r\0 \0a\0 \0=\0 \0001\0;\0"), QN_FORMAT_UTF16);
        ASSERT_EQ(TEXT("#!/bin/sh\necho\n"), QN_FORMAT_SCRIPT);
        ASSERT_EQ(TEXT("\1\2\3\4\5"), QN_FORMAT_BINARY);
        ASSERT_EQ(TEXT("a = '\177\1'"), QN_FORMAT_ASCII);
}

TEST(binfmt_executables)
{
        char pe[256] = "MZ";

        pe[0x3c] = (char)0x80;
        memcpy(pe + 0x80, "PE\0\0\x64\x86", 6);
        ASSERT_EQ(SNIFF("\x7f"
                        "ELF\2\1\1",
                        64),
                  QN_FORMAT_ELF);
        ASSERT_EQ(qn_sniff(qn_cur_mem(pe, sizeof pe), sizeof pe), QN_FORMAT_PE);
        ASSERT_EQ(SNIFF("\xcf\xfa\xed\xfe", 64), QN_FORMAT_MACHO);
        ASSERT_EQ(SNIFF("\xca\xfe\xba\xbe\0\0\0\2", 64), QN_FORMAT_MACHO_FAT);
        ASSERT_EQ(SNIFF("\xca\xfe\xba\xbe\0\0\0\x34", 64), QN_FORMAT_JAVA_CLASS);
        ASSERT_EQ(TEXT("\0asm\1\0\0\0"), QN_FORMAT_WASM);
        ASSERT_EQ(SNIFF("\xa7\x0d\x0d\x0a\0\0\0\0", 64), QN_FORMAT_PYC);
        ASSERT_EQ(SNIFF("\xa9\x06\xde\xc0", 64), QN_FORMAT_V8_BYTECODE);
        ASSERT_EQ(sniff("\2\0\0\0\1\0\0\0abcdabcd12.4.254.21-node.33", 32, 0, 4096),
                  QN_FORMAT_V8_SNAPSHOT);
}

TEST(binfmt_archives)
{
        struct qn_buf b = QN_BUF_INIT(TB_MAX);

        ASSERT_EQ(SNIFF("PK\3\4", 64), QN_FORMAT_ZIP);
        ASSERT_EQ(sniff("PK\3\4", 4, 'x', 20), QN_FORMAT_ZIP);
        ASSERT_EQ(SNIFF("PK\3\4aaaabbbbccccddddeeeeffff00META-INF/", 64), QN_FORMAT_JAR);
        ASSERT_EQ(SNIFF("BZh91AY&SY", 64), QN_FORMAT_BZIP2);
        ASSERT_EQ(SNIFF("\xfd"
                        "7zXZ\0",
                        64),
                  QN_FORMAT_XZ);
        ASSERT_EQ(SNIFF("\x28\xb5\x2f\xfd", 64), QN_FORMAT_ZSTD);
        ASSERT_EQ(SNIFF("7z\xbc\xaf\x27\x1c", 64), QN_FORMAT_SEVENZIP);
        tb_gzip(&b, "hello", 5);
        ASSERT_EQ(qn_sniff(qn_cur_mem(b.p, b.n), b.n), QN_FORMAT_GZIP);
        qn_buf_reset(&b);
        tb_file(&b, "package/a", "x");
        ASSERT_EQ(qn_sniff(qn_cur_mem(b.p, b.n), b.n), QN_FORMAT_TAR);
        b.p[0] = 'x';
        ASSERT_TRUE(qn_sniff(qn_cur_mem(b.p, b.n), b.n) != QN_FORMAT_TAR);
        qn_buf_done(&b);
}

TEST(binfmt_images_fonts_media)
{
        ASSERT_EQ(SNIFF("\x89PNG\r\n\x1a\n", 64), QN_FORMAT_PNG);
        ASSERT_EQ(SNIFF("\xff\xd8\xff\xe0", 64), QN_FORMAT_JPEG);
        ASSERT_EQ(SNIFF("GIF89a", 64), QN_FORMAT_GIF);
        ASSERT_EQ(SNIFF("RIFF\1\1\1\1WEBP", 64), QN_FORMAT_WEBP);
        ASSERT_EQ(SNIFF("RIFF\1\1\1\1WAVE", 64), QN_FORMAT_WAV);
        ASSERT_EQ(SNIFF("\0\0\1\0\1\0", 64), QN_FORMAT_ICO);
        ASSERT_EQ(SNIFF("wOFF", 64), QN_FORMAT_WOFF);
        ASSERT_EQ(SNIFF("wOF2", 64), QN_FORMAT_WOFF2);
        ASSERT_EQ(SNIFF("\0\1\0\0\0\1", 64), QN_FORMAT_TTF);
        ASSERT_EQ(SNIFF("OTTO\0\1", 64), QN_FORMAT_OTF);
        ASSERT_EQ(sniff("\144\0\0\0aaaabbbbccccddddeeeeffffgggghh\0LP", 36, 1, 100),
                  QN_FORMAT_BINARY);
        ASSERT_EQ(sniff("\144\0\0\0aaaabbbbccccddddeeeeffffgggghhLP", 36, 1, 100), QN_FORMAT_EOT);
        ASSERT_EQ(SNIFF("%PDF-1.7", 64), QN_FORMAT_PDF);
        ASSERT_EQ(SNIFF("ID3", 64), QN_FORMAT_MP3);
        ASSERT_EQ(SNIFF("\xff\xfb\x90\x64", 512), QN_FORMAT_MP3);
        ASSERT_EQ(SNIFF("\0\0\0\x18"
                        "ftypmp42",
                        64),
                  QN_FORMAT_MP4);
        ASSERT_EQ(SNIFF("OggS", 64), QN_FORMAT_OGG);
        ASSERT_EQ(sniff("SQLite format 3", 16, 0, 100), QN_FORMAT_SQLITE);
}

TEST(binfmt_misfits)
{
#define MISFIT(path, f) qn_format_misfit(QN_STR(path), QN_FORMAT_##f)
        ASSERT_EQ(MISFIT("lib/x.js", ELF), QN_MISFIT_EXECUTABLE);
        ASSERT_EQ(MISFIT("fonts/x.woff2", MACHO), QN_MISFIT_EXECUTABLE);
        ASSERT_EQ(MISFIT("fonts/x.WOFF2", ASCII), QN_MISFIT_TEXT);
        ASSERT_EQ(MISFIT("x.png", UTF8), QN_MISFIT_TEXT);
        ASSERT_EQ(MISFIT("x.png", BINARY), QN_MISFIT_OTHER);
        ASSERT_EQ(MISFIT("x.png", ZIP), QN_MISFIT_OTHER);
        ASSERT_EQ(MISFIT("x.json", GZIP), QN_MISFIT_BINARY);
        ASSERT_EQ(MISFIT("x.node", ASCII), QN_MISFIT_TEXT);
        ASSERT_EQ(MISFIT("x.png", JPEG), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT("x.js", LATIN1), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT("x.js", EMPTY), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT("x.node", ELF), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT("bin/tool", ELF), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT(".js", ELF), QN_MISFIT_NONE);
        ASSERT_EQ(MISFIT("dir.js/tool", ELF), QN_MISFIT_NONE);
        assert_string_equal(qn_misfit_name(QN_MISFIT_EXECUTABLE), "executable");
}

TEST(binfmt_native)
{
        char elf[128] = "\x7f"
                        "ELF\2\1\1";
        struct qn_native n;

        ASSERT_EQ(qn_native_read(CUR("text"), 4, &n), -EINVAL);
        elf[16] = 3;
        elf[18] = (char)183;
        elf[32] = 64;
        elf[54] = 56;
        elf[56] = 1;
        ASSERT_EQ(qn_native_read(qn_cur_mem(elf, 128), 128, &n), 0);
        assert_string_equal(n.arch, "arm64");
        assert_string_equal(n.kind, "shared");
        ASSERT_TRUE(n.sane);
        elf[56] = 2; /* the program headers would end behind the file */
        ASSERT_EQ(qn_native_read(qn_cur_mem(elf, 128), 128, &n), 0);
        ASSERT_FALSE(n.sane);
        ASSERT_EQ(qn_native_read(qn_cur_mem(elf, 20), 128, &n), 0);
        ASSERT_FALSE(n.sane);
        ASSERT_EQ(qn_native_read(qn_cur_mem("\xca\xfe\xba\xbe\0\0\0\2", 8), 8, &n), 0);
        ASSERT_FALSE(n.sane);
        ASSERT_EQ(
                qn_native_read(
                        qn_cur_mem(
                                "\xcf\xfa\xed\xfe\7\0\0\1\3\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                                28),
                        32, &n),
                0);
        assert_string_equal(n.arch, "x86-64");
        assert_string_equal(n.kind, "executable");
}

TEST(binfmt_hashbang)
{
        ASSERT_EQ(qn_hashbang(CUR("# not one")).n, 0);
        ASSERT_EQ(qn_hashbang(CUR("#!")).n, 0);
        ASSERT_STR(qn_hashbang(CUR("#!/bin/sh")), "sh");
        ASSERT_STR(qn_hashbang(CUR("#! /usr/bin/node --x\nrest")), "node");
        ASSERT_STR(qn_hashbang(CUR("#!/usr/bin/env node\r\n")), "node");
        ASSERT_STR(qn_hashbang(CUR("#!/usr/bin/env -S A=1 deno run\n")), "deno");
        ASSERT_EQ(qn_hashbang(CUR("#!/usr/bin/env\nnode")).n, 0);
}

TEST(binfmt_tables_are_complete)
{
        for (int f = 0; f < QN_FORMAT_MAX; f++) {
                ASSERT_NOT_NULL(qn_format_name(f));
                ASSERT_NOT_NULL(qn_format_class_name(qn_format_class(f)));
        }
}

/* --- where media end --- */

#define END(f, lit) qn_media_end(QN_FORMAT_##f, CUR(lit))
#define PNG_HEAD    "\x89PNG\r\n\x1a\n\0\0\0\1IHDRxcccc"
#define PNG_TAIL    "\0\0\0\0IENDcccc"

TEST(media_that_are_broken_end_where_the_file_does)
{
        ASSERT_EQ(END(PNG, PNG_HEAD "\xff\xff\xff\xffIDAT"), 29);
        ASSERT_EQ(END(PNG, PNG_HEAD), 21);
        ASSERT_EQ(END(JPEG, "\xff\xd8\xff\xe0\xff\xff"), 6);
        ASSERT_EQ(END(JPEG, "\xff\xd8junk"), 6);
        ASSERT_EQ(END(GIF, "GIF89a\1\0\1\0\x87\0\0"), 13);
        ASSERT_EQ(END(GIF, "GIF89a\1\0\1\0\0\0\0\x21\xf9\xff"), 16);
        ASSERT_EQ(END(WOFF, "wOFF\0\1\0\0\xff\xff\xff\xff"), 12);
        ASSERT_EQ(END(TTF, "\0\1\0\0\xff\xff\0\0\0\0\0\0"), 12);
        ASSERT_EQ(END(ICO, "\0\0\1\0\xff\xff"), 6);
        ASSERT_EQ(END(PDF, "%PDF-1.7 no end"), 15);
        ASSERT_EQ(END(ZIP, "PK"), 2);
        ASSERT_EQ(END(PNG, ""), 0);
}

TEST(media_end)
{
        ASSERT_EQ(END(PNG, PNG_HEAD PNG_TAIL "behind"), 33);
        ASSERT_EQ(END(JPEG, "\xff\xd8\xff\xe0\0\4\xff\xd9\xff\xda\0\3x..\xff\0.\xff\xd0.\xff\xd9"
                            "behind"),
                  23);
        ASSERT_EQ(END(GIF, "GIF89a\1\0\1\0\x80\0\0ccccpp,aaaabbbb\0\2\2xx\0;behind"), 35);
        ASSERT_EQ(END(WOFF, "wOFF\0\1\0\0\0\0\0\14behind"), 12);
        ASSERT_EQ(END(TTF, "\0\1\0\0\0\1\0\0\0\0\0\0glyfssss\0\0\0\34\0\0\0\2xxbehind"), 30);
        ASSERT_EQ(END(ICO, "\0\0\1\0\1\0hhhhhhhh\2\0\0\0\26\0\0\0xxbehind"), 24);
        ASSERT_EQ(END(BMP, "BM\x1a\0\0\0aaaabbbbccccddddeeeebehind"), 26);
        ASSERT_EQ(END(WEBP, "RIFF\4\0\0\0WEBPbehind"), 12);
        ASSERT_EQ(END(PDF, "%PDF-1.7 %%EOF more %%EOFbehind"), 25);
}
