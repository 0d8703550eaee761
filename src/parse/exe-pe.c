/* PE (Microsoft's "PE Format"): sections, the import table and the one of imports that are looked up late. */
#include "parse/exe-priv.h"

#define DIRECTORY_IMPORT      1
#define DIRECTORY_CERTIFICATE 4
#define DIRECTORY_DELAY       13
#define WRITE                 UINT64_C(0x80000000)
#define EXECUTE               UINT64_C(0x20000000)
#define CODE                  UINT64_C(0x20)
#define SPANS_MAX             96

struct span {
        uint64_t rva, size, off;
};

struct pe {
        struct qn_exe_src *s;
        uint64_t optional; /* offset of the optional header */
        bool wide;
        uint64_t image_base;
        struct span spans[SPANS_MAX];
        size_t n_spans;
};

static uint64_t off_of(const struct pe *p, uint64_t rva)
{
        for (size_t i = 0; i < p->n_spans; i++)
                if (rva >= p->spans[i].rva && rva - p->spans[i].rva < p->spans[i].size)
                        return p->spans[i].off + (rva - p->spans[i].rva);
        return 0;
}

static uint64_t directory(const struct pe *p, unsigned i, unsigned field)
{
        uint64_t at = p->optional + (p->wide ? 112 : 96);

        if (qn_exe_num(p->s, at - 4, 4) <= i)
                return 0;
        return qn_exe_num(p->s, at + i * 8 + field * 4, 4);
}

static void read_sections(struct pe *p, uint64_t at, uint64_t n)
{
        for (uint64_t i = 0; i < n && i < SPANS_MAX; i++, at += 40) {
                uint64_t flags = qn_exe_num(p->s, at + 36, 4), off = qn_exe_num(p->s, at + 20, 4),
                         size = qn_exe_num(p->s, at + 16, 4);
                struct qn_str name = qn_exe_slice(p->s, at, 8);
                ptrdiff_t nul = qn_str_chr(name, '\0');

                p->spans[p->n_spans++] = (struct span){ qn_exe_num(p->s, at + 12, 4), size, off };
                p->s->exe->write_exec |= flags & WRITE && flags & EXECUTE && size;
                qn_exe_add_section(p->s,
                                   (struct qn_exe_section){
                                           .name = nul < 0 ? name : qn_str_take(name, (size_t)nul),
                                           .off = size ? off : 0,
                                           .size = size,
                                           .write = flags & WRITE,
                                           .exec = flags & (EXECUTE | CODE),
                                   });
        }
        p->s->exe->cut |= n > SPANS_MAX;
}

/* The names of one library's imports; what is imported by number has none. */
static void read_thunks(struct pe *p, uint64_t at)
{
        unsigned word = p->wide ? 8 : 4;

        for (size_t i = 0; at && i < QN_EXE_NAMES_MAX; i++, at += word) {
                uint64_t v = qn_exe_num(p->s, at, word);

                if (!v)
                        return;
                if (!(v >> (word * 8 - 1)) && off_of(p, v))
                        qn_exe_add_import(p->s, qn_exe_text(p->s, off_of(p, v) + 2));
                if (p->s->exe->n_imports >= QN_EXE_NAMES_MAX)
                        return;
        }
}

static void read_imports(struct pe *p)
{
        uint64_t at = off_of(p, directory(p, DIRECTORY_IMPORT, 0));

        for (size_t i = 0; at && i < QN_EXE_LIBS_MAX; i++, at += 20) {
                uint64_t names = qn_exe_num(p->s, at, 4), name = qn_exe_num(p->s, at + 12, 4),
                         thunks = qn_exe_num(p->s, at + 16, 4);

                if (!name)
                        return;
                qn_exe_add_lib(p->s, qn_exe_text(p->s, off_of(p, name)));
                read_thunks(p, off_of(p, names ? names : thunks));
        }
}

/* Old linkers wrote addresses in memory, newer ones relative ones (attribute bit 0). */
static void read_delayed(struct pe *p)
{
        uint64_t at = off_of(p, directory(p, DIRECTORY_DELAY, 0));

        for (size_t i = 0; at && i < QN_EXE_LIBS_MAX; i++, at += 32) {
                uint64_t base = qn_exe_num(p->s, at, 4) & 1 ? 0 : p->image_base,
                         name = qn_exe_num(p->s, at + 4, 4), names = qn_exe_num(p->s, at + 16, 4);

                if (!name)
                        return;
                qn_exe_add_lib(p->s, qn_exe_text(p->s, off_of(p, name - base)));
                read_thunks(p, off_of(p, names - base));
        }
}

void qn_exe_pe(struct qn_exe_src *s)
{
        uint64_t at = qn_exe_num(s, 0x3c, 4);
        struct pe p = { .s = s, .optional = at + 24 };

        p.wide = qn_exe_num(s, p.optional, 2) == 0x20b;
        p.image_base =
                p.wide ? qn_exe_num(s, p.optional + 24, 8) : qn_exe_num(s, p.optional + 28, 4);
        qn_exe_claim(s, 0, qn_exe_num(s, p.optional + 60, 4));
        read_sections(&p, p.optional + qn_exe_num(s, at + 20, 2), qn_exe_num(s, at + 6, 2));
        /* A signature is no part of a section; its "address" is an offset. */
        qn_exe_claim(s, directory(&p, DIRECTORY_CERTIFICATE, 0),
                     directory(&p, DIRECTORY_CERTIFICATE, 1));
        /* Debug symbols of MinGW lie behind the sections. */
        if (qn_exe_num(s, at + 12, 4)) {
                uint64_t strings = qn_exe_num(s, at + 8 + 4, 4) + qn_exe_num(s, at + 16, 4) * 18;

                qn_exe_claim(s, strings, qn_exe_num(s, strings, 4));
        }
        read_imports(&p);
        read_delayed(&p);
}
