/* exebuild.h - small executables made by hand for tests: headers and tables that a loader would obey, no code. */
#pragma once

#include "base/buf.h"

#define EB_MAX ((size_t)8 << 20)

QN_UNUSED static void eb_le(struct qn_buf *b, uint64_t v, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                qn_buf_byte(b, i < 8 ? (char)(v >> (8 * i)) : 0);
}

QN_UNUSED static void eb_at(struct qn_buf *b, size_t at, uint64_t v, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                b->p[at + i] = (char)(v >> (8 * i));
}

/* A fixed field: the text, then zeros. */
QN_UNUSED static void eb_text(struct qn_buf *b, const char *s, size_t n)
{
        qn_buf_puts(b, s);
        qn_buf_fill(b, 0, n - strlen(s));
}

/* 64-bit ELF: one segment over everything, a dynamic segment with one library and two symbols, then text. */
QN_UNUSED static void eb_elf(struct qn_buf *b, unsigned flags, const char *text)
{
        static const char strings[] = "\0connect\0exported\0libc.so.6";
        size_t syms = 176, strs = syms + 72, dyn = strs + 32;

        qn_buf_fill(b, 0, dyn);
        memcpy(b->p, "\177ELF\2\1\1", 7);
        eb_at(b, 16, 3, 2);
        eb_at(b, 18, 62, 2);
        eb_at(b, 32, 64, 8);
        eb_at(b, 54, 56, 2);
        eb_at(b, 56, 2, 2);
        eb_at(b, 64, 1, 4);
        eb_at(b, 68, flags, 4);
        eb_at(b, 120, 2, 4);
        eb_at(b, 128, dyn, 8);
        eb_at(b, 152, 80, 8);
        eb_at(b, syms + 24, 1, 4);
        eb_at(b, syms + 48, 9, 4);
        eb_at(b, syms + 54, 7, 2); /* defined here: no import */
        memcpy(b->p + strs, strings, sizeof strings);
        for (size_t i = 0; i < 4; i++) {
                static const uint64_t tags[] = { 1, 5, 6, 10 };
                const uint64_t values[] = { 18, strs, syms, sizeof strings };

                eb_le(b, tags[i], 8);
                eb_le(b, values[i], 8);
        }
        qn_buf_fill(b, 0, 16);
        qn_buf_puts(b, text);
        qn_buf_byte(b, '\0');
        eb_at(b, 64 + 32, b->n, 8);
}

/* 64-bit PE: one section with an import table (delayed: the late one) of "lib.dll" and its text. */
QN_UNUSED static void eb_pe(struct qn_buf *b, const char *section, uint32_t flags, bool delayed,
                            const char *text)
{
        size_t opt = 0x40 + 24, table = opt + 240, start = 512, names = 160;

        qn_buf_fill(b, 0, start);
        memcpy(b->p, "MZ", 2);
        eb_at(b, 0x3c, 0x40, 4);
        memcpy(b->p + 0x40, "PE\0\0\x64\x86\1", 7);
        eb_at(b, 0x40 + 20, 240, 2);
        eb_at(b, opt, 0x20b, 2);
        eb_at(b, opt + 60, start, 4);
        eb_at(b, opt + 108, 16, 4);
        eb_at(b, opt + 112 + (delayed ? 13 : 1) * 8, 0x1000, 4);
        memcpy(b->p + table, section, QN_MIN(strlen(section), (size_t)8));
        eb_at(b, table + 12, 0x1000, 4);
        eb_at(b, table + 20, start, 4);
        eb_at(b, table + 36, flags, 4);
        qn_buf_fill(b, 0, names);
        if (delayed) {
                eb_at(b, start, 1, 4);
                eb_at(b, start + 4, 0x1000 + 128, 4);
                eb_at(b, start + 16, 0x1000 + 96, 4);
        } else {
                eb_at(b, start, 0x1000 + 96, 4);
                eb_at(b, start + 12, 0x1000 + 128, 4);
        }
        eb_at(b, start + 96, 0x1000 + 140, 8); /* one by name, one by number */
        eb_at(b, start + 104, UINT64_C(1) << 63 | 4, 8);
        memcpy(b->p + start + 128, "lib.dll", 8);
        memcpy(b->p + start + 142, "CreateProcessW", 15);
        qn_buf_puts(b, text);
        qn_buf_byte(b, '\0');
        eb_at(b, table + 16, b->n - start, 4);
}

/* 64-bit Mach-O: a segment with one section, a symbol table of one undefined and one defined symbol, one library. */
QN_UNUSED static void eb_macho(struct qn_buf *b, unsigned prot, const char *text)
{
        size_t text_at = 32 + 152 + 24 + 48, base = b->n, syms = text_at + 256;

        eb_le(b, 0xfeedfacf, 4);
        eb_le(b, 0x100000c, 4);
        eb_le(b, 0, 4);
        eb_le(b, 2, 4);
        eb_le(b, 3, 4);
        eb_le(b, 152 + 24 + 48, 4);
        eb_le(b, 0, 8);
        eb_le(b, 0x19, 4);
        eb_le(b, 152, 4);
        eb_text(b, "__DATA", 16);
        eb_le(b, 0, 16);
        eb_le(b, 0, 8);
        eb_le(b, syms + 64, 8);
        eb_le(b, prot, 4);
        eb_le(b, prot, 4);
        eb_le(b, 1, 8);
        eb_text(b, "__cstring", 16);
        eb_text(b, "__DATA", 16);
        eb_le(b, 0, 8);
        eb_le(b, 256, 8);
        eb_le(b, text_at, 8);
        eb_le(b, 0, 8);
        eb_le(b, 2, 8);
        eb_le(b, 0, 8);
        eb_le(b, 2, 4); /* LC_SYMTAB */
        eb_le(b, 24, 4);
        eb_le(b, syms, 4);
        eb_le(b, 2, 4);
        eb_le(b, syms + 32, 4);
        eb_le(b, 32, 4);
        eb_le(b, 0xc, 4); /* LC_LOAD_DYLIB */
        eb_le(b, 48, 4);
        eb_le(b, 24, 4);
        eb_le(b, 0, 12);
        eb_text(b, "/usr/lib/libcurl.dylib", 24);
        eb_text(b, text, 256);
        eb_le(b, 1, 4);
        eb_le(b, 1, 12);
        eb_le(b, 10, 4);
        eb_le(b, 0x10f, 12);
        eb_text(b, "", 1);
        eb_text(b, "_connect", 9);
        eb_text(b, "_main", 22);
        (void)base;
}

/* WebAssembly: one imported function, one data segment (both short). */
QN_UNUSED static void eb_wasm(struct qn_buf *b, const char *module, const char *field,
                              const char *data)
{
        size_t m = strlen(module), f = strlen(field), d = strlen(data);

        qn_buf_add(b, "\0asm\1\0\0\0", 8);
        eb_le(b, 2 | (m + f + 5) << 8 | 1 << 16 | m << 24, 4);
        qn_buf_puts(b, module);
        qn_buf_byte(b, (char)f);
        qn_buf_puts(b, field);
        eb_le(b, 0, 2);
        eb_le(b, 11 | (d + 6) << 8 | 1 << 16, 3);
        qn_buf_add(b, "\0A\0\13", 4);
        qn_buf_byte(b, (char)d);
        qn_buf_puts(b, data);
}
