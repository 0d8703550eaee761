/* Mach-O (<mach-o/loader.h>, <mach-o/nlist.h>, <mach-o/fat.h>): load commands, sections, undefined symbols. */
#include "parse/exe-priv.h"

#define PARTS_MAX 16

enum {
        LC_SEGMENT = 1,
        LC_SYMTAB = 2,
        LC_LOAD_DYLIB = 0xc,
        LC_SEGMENT_64 = 0x19,
        LC_CODE_SIGNATURE = 0x1d,
        LC_ENCRYPTION_INFO = 0x21,
        LC_ENCRYPTION_INFO_64 = 0x2c,
};
#define LC_LOAD_WEAK_DYLIB UINT64_C(0x80000018)
#define LC_REEXPORT_DYLIB  UINT64_C(0x8000001f)

static bool is_code(struct qn_str name)
{
        return qn_str_is(name, "__text") || qn_str_is(name, "__stubs") ||
               qn_str_is(name, "__stub_helper");
}

static struct qn_str fixed_name(const struct qn_exe_src *s, uint64_t at)
{
        struct qn_str name = qn_exe_slice(s, at, 16);
        ptrdiff_t nul = qn_str_chr(name, '\0');

        return nul < 0 ? name : qn_str_take(name, (size_t)nul);
}

static void read_segment(struct qn_exe_src *s, uint64_t at, bool wide)
{
        uint64_t off = wide ? qn_exe_num(s, at + 40, 8) : qn_exe_num(s, at + 32, 4),
                 size = wide ? qn_exe_num(s, at + 48, 8) : qn_exe_num(s, at + 36, 4),
                 prot = qn_exe_num(s, at + (wide ? 60 : 44), 4),
                 n = qn_exe_num(s, at + (wide ? 64 : 48), 4), each = wide ? 80 : 68;

        qn_exe_claim(s, off, size);
        s->exe->write_exec |= (prot & 6) == 6 && size;
        at += wide ? 72 : 56;
        for (uint64_t i = 0; i < n && i < QN_EXE_SECTIONS_MAX; i++, at += each) {
                struct qn_str name = fixed_name(s, at);
                uint64_t type = qn_exe_num(s, at + (wide ? 64 : 56), 4) & 0xff;

                if (type == 1 || type == 12) /* filled with zeros, not in the file */
                        continue;
                qn_exe_add_section(s, (struct qn_exe_section){
                                              .name = name,
                                              .off = qn_exe_num(s, at + (wide ? 48 : 40), 4),
                                              .size = wide ? qn_exe_num(s, at + 40, 8)
                                                           : qn_exe_num(s, at + 36, 4),
                                              .write = prot & 2,
                                              .exec = is_code(name),
                                      });
        }
}

static void read_symbols(struct qn_exe_src *s, uint64_t at, bool wide)
{
        uint64_t off = qn_exe_num(s, at + 8, 4), n = qn_exe_num(s, at + 12, 4),
                 strings = qn_exe_num(s, at + 16, 4), each = wide ? 16 : 12;

        qn_exe_claim(s, off, n * each);
        qn_exe_claim(s, strings, qn_exe_num(s, at + 20, 4));
        if (n > QN_EXE_SYMBOLS_MAX) {
                n = QN_EXE_SYMBOLS_MAX;
                s->exe->cut = true;
        }
        for (uint64_t i = 0; i < n && off + i * each < s->bytes.n; i++) {
                uint64_t sym = off + i * each, type = qn_exe_num(s, sym + 4, 1);

                /* external, undefined, no debugging entry */
                if ((type & 0xef) == 1 && qn_exe_num(s, sym, 4))
                        qn_exe_add_import(s, qn_exe_text(s, strings + qn_exe_num(s, sym, 4)));
        }
}

static void read_command(struct qn_exe_src *s, uint64_t at, bool wide)
{
        switch (qn_exe_num(s, at, 4)) {
        case LC_SEGMENT:
        case LC_SEGMENT_64:
                read_segment(s, at, wide);
                break;
        case LC_SYMTAB:
                read_symbols(s, at, wide);
                break;
        case LC_LOAD_DYLIB:
        case LC_LOAD_WEAK_DYLIB:
        case LC_REEXPORT_DYLIB:
                qn_exe_add_lib(s, qn_exe_text(s, at + qn_exe_num(s, at + 8, 4)));
                break;
        case LC_CODE_SIGNATURE:
                qn_exe_claim(s, qn_exe_num(s, at + 8, 4), qn_exe_num(s, at + 12, 4));
                break;
        case LC_ENCRYPTION_INFO:
        case LC_ENCRYPTION_INFO_64:
                s->exe->encrypted |= qn_exe_num(s, at + 16, 4) != 0;
                break;
        default:
                break;
        }
}

void qn_exe_macho(struct qn_exe_src *s)
{
        uint64_t at, n, size;
        bool wide;

        s->big = qn_exe_num(s, 0, 1) == 0xfe;
        wide = qn_exe_num(s, 0, 4) == 0xfeedfacf;
        n = qn_exe_num(s, 16, 4);
        at = wide ? 32 : 28;
        qn_exe_claim(s, at, qn_exe_num(s, 20, 4));
        for (uint64_t i = 0; i < n && i < QN_EXE_COMMANDS_MAX; i++, at += size) {
                size = qn_exe_num(s, at + 4, 4);
                if (size < 8)
                        return;
                read_command(s, at, wide);
        }
        s->exe->cut |= n > QN_EXE_COMMANDS_MAX;
}

void qn_exe_macho_fat(struct qn_exe_src *s)
{
        uint64_t n, each;
        bool wide;

        s->big = true;
        n = qn_exe_num(s, 4, 4);
        wide = qn_exe_num(s, 3, 1) == 0xbf;
        each = wide ? 32 : 20;
        s->exe->cut |= n > PARTS_MAX;
        for (uint64_t i = 0; i < n && i < PARTS_MAX; i++) {
                uint64_t at = 8 + i * each,
                         off = wide ? qn_exe_num(s, at + 8, 8) : qn_exe_num(s, at + 8, 4),
                         size = wide ? qn_exe_num(s, at + 16, 8) : qn_exe_num(s, at + 12, 4);
                struct qn_exe_src part = {
                        .bytes = qn_exe_slice(s, off, size), .a = s->a, .exe = s->exe, .base = off
                };

                qn_exe_claim(s, off, size);
                if (part.bytes.n >= 28)
                        qn_exe_macho(&part);
                s->no_memory |= part.no_memory;
        }
}
