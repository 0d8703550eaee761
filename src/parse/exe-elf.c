/* ELF (System V gABI, chapters 4 and 5).  Imports come from the dynamic segment, which the loader obeys: section headers
 * may be missing or lie. */
#include "parse/exe-priv.h"

#define LOADS_MAX    64
#define SHT_NOBITS   8
#define PT_LOAD      1
#define PT_DYNAMIC   2
#define DYNAMICS_MAX 4096

enum { DT_NEEDED = 1, DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6, DT_STRSZ = 10 };

struct load {
        uint64_t addr, off, size;
};

struct elf {
        struct qn_exe_src *s;
        bool wide;
        struct load loads[LOADS_MAX];
        size_t n_loads;
        uint64_t dyn_off, dyn_size;
        uint64_t hash, strtab, symtab, strsz; /* offsets in the file, 0: none */
};

/* A field that has one place and size in 32-bit files and another in 64-bit ones. */
static uint64_t field(const struct elf *e, uint64_t at, unsigned narrow, unsigned wide,
                      unsigned narrow_n, unsigned wide_n)
{
        return e->wide ? qn_exe_num(e->s, at + wide, wide_n)
                       : qn_exe_num(e->s, at + narrow, narrow_n);
}

static uint64_t off_of(const struct elf *e, uint64_t addr)
{
        for (size_t i = 0; i < e->n_loads; i++)
                if (addr >= e->loads[i].addr && addr - e->loads[i].addr < e->loads[i].size)
                        return e->loads[i].off + (addr - e->loads[i].addr);
        return 0;
}

static void read_segment(struct elf *e, uint64_t at)
{
        uint64_t type = qn_exe_num(e->s, at, 4), flags = field(e, at, 24, 4, 4, 4),
                 off = field(e, at, 4, 8, 4, 8), addr = field(e, at, 8, 16, 4, 8),
                 size = field(e, at, 16, 32, 4, 8);

        if (type == PT_LOAD) {
                qn_exe_claim(e->s, off, size);
                e->s->exe->write_exec |= (flags & 3) == 3;
                if (e->n_loads < LOADS_MAX)
                        e->loads[e->n_loads++] = (struct load){ addr, off, size };
        } else if (type == PT_DYNAMIC) {
                e->dyn_off = off;
                e->dyn_size = size;
        }
}

static void read_segments(struct elf *e)
{
        uint64_t off = field(e, 0, 28, 32, 4, 8), each = field(e, 0, 42, 54, 2, 2),
                 n = field(e, 0, 44, 56, 2, 2);

        qn_exe_claim(e->s, off, n * each);
        for (uint64_t i = 0; i < n && i < QN_EXE_SECTIONS_MAX; i++)
                read_segment(e, off + i * each);
}

static void read_section(struct elf *e, uint64_t at, uint64_t names)
{
        uint64_t flags = field(e, at, 8, 8, 4, 8), size = field(e, at, 20, 32, 4, 8);

        if (qn_exe_num(e->s, at + 4, 4) == SHT_NOBITS || !size)
                return;
        qn_exe_add_section(e->s, (struct qn_exe_section){
                                         .name = qn_exe_text(e->s, names + qn_exe_num(e->s, at, 4)),
                                         .off = field(e, at, 16, 24, 4, 8),
                                         .size = size,
                                         .write = flags & 1,
                                         .exec = flags & 4,
                                 });
}

static void read_sections(struct elf *e)
{
        uint64_t off = field(e, 0, 32, 40, 4, 8), each = field(e, 0, 46, 58, 2, 2),
                 n = field(e, 0, 48, 60, 2, 2), strings = field(e, 0, 50, 62, 2, 2), names;

        if (!off)
                return;
        qn_exe_claim(e->s, off, n * each);
        names = field(e, off + strings * each, 16, 24, 4, 8);
        for (uint64_t i = 0; i < n && i < QN_EXE_SECTIONS_MAX; i++)
                read_section(e, off + i * each, names);
}

/* First where the tables are, then the libraries, whose names lie in them. */
static void read_dynamic(struct elf *e)
{
        unsigned word = e->wide ? 8 : 4;
        uint64_t n = QN_MIN(e->dyn_size / (2 * word), (uint64_t)DYNAMICS_MAX);

        for (uint64_t i = 0; i < n; i++) {
                uint64_t at = e->dyn_off + i * 2 * word, tag = qn_exe_num(e->s, at, word),
                         value = qn_exe_num(e->s, at + word, word);

                if (tag == DT_STRTAB)
                        e->strtab = off_of(e, value);
                else if (tag == DT_SYMTAB)
                        e->symtab = off_of(e, value);
                else if (tag == DT_HASH)
                        e->hash = off_of(e, value);
                else if (tag == DT_STRSZ)
                        e->strsz = value;
        }
        for (uint64_t i = 0; e->strtab && i < n; i++) {
                uint64_t at = e->dyn_off + i * 2 * word;

                if (qn_exe_num(e->s, at, word) == DT_NEEDED)
                        qn_exe_add_lib(
                                e->s,
                                qn_exe_text(e->s, e->strtab + qn_exe_num(e->s, at + word, word)));
        }
}

/* How many symbols there are: the old hash table says so, else they end where the strings begin, as linkers lay it out. */
static uint64_t count_symbols(const struct elf *e, uint64_t each)
{
        if (e->hash)
                return qn_exe_num(e->s, e->hash + 4, 4);
        return e->strtab > e->symtab ? (e->strtab - e->symtab) / each : QN_EXE_NAMES_MAX;
}

static void read_symbols(struct elf *e)
{
        uint64_t each = e->wide ? 24 : 16, n = count_symbols(e, each);

        if (!e->symtab || !e->strtab)
                return;
        if (n > QN_EXE_SYMBOLS_MAX) {
                n = QN_EXE_SYMBOLS_MAX;
                e->s->exe->cut = true;
        }
        for (uint64_t i = 1; i < n && e->symtab + i * each < e->s->bytes.n; i++) {
                uint64_t at = e->symtab + i * each, name = qn_exe_num(e->s, at, 4);

                if (name && name < e->strsz && field(e, at, 14, 6, 2, 2) == 0)
                        qn_exe_add_import(e->s, qn_exe_text(e->s, e->strtab + name));
        }
}

void qn_exe_elf(struct qn_exe_src *s)
{
        struct elf e = { .s = s, .wide = qn_exe_num(s, 4, 1) == 2 };

        s->big = qn_exe_num(s, 5, 1) == 2;
        read_segments(&e);
        read_sections(&e);
        read_dynamic(&e);
        read_symbols(&e);
        /* Without section headers the segments are all there is. */
        for (size_t i = 0; !s->exe->n_sections && i < e.n_loads; i++)
                qn_exe_add_section(s, (struct qn_exe_section){ .off = e.loads[i].off,
                                                               .size = e.loads[i].size });
}
