#include "parse/binfmt.h"
#include "parse/exe-priv.h"

uint64_t qn_exe_num(const struct qn_exe_src *s, uint64_t at, unsigned n)
{
        uint64_t v = 0;

        if (at > s->bytes.n || n > s->bytes.n - at)
                return 0;
        for (unsigned i = 0; i < n; i++)
                v = v << 8 | (uint8_t)s->bytes.p[at + (s->big ? i : n - 1 - i)];
        return v;
}

struct qn_str qn_exe_slice(const struct qn_exe_src *s, uint64_t off, uint64_t n)
{
        if (off >= s->bytes.n)
                return (struct qn_str){ NULL, 0 };
        return (struct qn_str){ s->bytes.p + off, (size_t)QN_MIN(n, s->bytes.n - off) };
}

struct qn_str qn_exe_text(const struct qn_exe_src *s, uint64_t off)
{
        struct qn_str some = qn_exe_slice(s, off, QN_EXE_NAME_MAX);
        ptrdiff_t end = qn_str_chr(some, '\0');

        return qn_str_take(some, end < 0 ? 0 : (size_t)end);
}

void qn_exe_claim(struct qn_exe_src *s, uint64_t off, uint64_t n)
{
        if (off > s->bytes.n || n > s->bytes.n - off) {
                s->exe->cut = true;
                n = off > s->bytes.n ? 0 : s->bytes.n - off;
                off = QN_MIN(off, (uint64_t)s->bytes.n);
        }
        s->exe->end = QN_MAX(s->exe->end, s->base + off + n);
}

static void add_name(struct qn_exe_src *s, struct qn_str **list, size_t *n, size_t *cap,
                     struct qn_str name)
{
        if (!name.n)
                return;
        if (*n >= QN_EXE_NAMES_MAX) {
                s->exe->cut = true;
                return;
        }
        if (QN_ARENA_ROOM(s->a, *list, *n, *cap) < 0)
                s->no_memory = true;
        else
                (*list)[(*n)++] = name;
}

void qn_exe_add_import(struct qn_exe_src *s, struct qn_str name)
{
        add_name(s, &s->exe->imports, &s->exe->n_imports, &s->exe->imports_cap, name);
}

void qn_exe_add_lib(struct qn_exe_src *s, struct qn_str name)
{
        add_name(s, &s->exe->libs, &s->exe->n_libs, &s->exe->libs_cap, name);
}

void qn_exe_add_section(struct qn_exe_src *s, struct qn_exe_section section)
{
        struct qn_exe *e = s->exe;

        qn_exe_claim(s, section.off, section.size);
        if (e->n_sections >= QN_EXE_SECTIONS_MAX) {
                e->cut = true;
                return;
        }
        if (section.off >= s->bytes.n)
                section.off = section.size = 0;
        section.size = QN_MIN(section.size, s->bytes.n - section.off);
        section.off += s->base;
        if (QN_ARENA_ROOM(s->a, e->sections, e->n_sections, e->sections_cap) < 0)
                s->no_memory = true;
        else
                e->sections[e->n_sections++] = section;
}

int qn_exe_read(struct qn_cur in, struct qn_arena *a, struct qn_exe *ret)
{
        struct qn_exe exe = { 0 };
        struct qn_exe_src s = { .bytes = qn_cur_rest(&in), .a = a, .exe = &exe };

        switch (qn_sniff(in, qn_cur_left(&in))) {
        case QN_FORMAT_ELF:
                qn_exe_elf(&s);
                break;
        case QN_FORMAT_PE:
                qn_exe_pe(&s);
                break;
        case QN_FORMAT_MACHO:
                qn_exe_macho(&s);
                break;
        case QN_FORMAT_MACHO_FAT:
                qn_exe_macho_fat(&s);
                break;
        case QN_FORMAT_WASM:
                qn_exe_wasm(&s);
                break;
        default:
                return -EINVAL;
        }
        if (s.no_memory)
                return -ENOMEM;
        *ret = exe;
        return 0;
}
