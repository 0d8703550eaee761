/* WebAssembly (core specification, chapter 5): imports, data, custom sections. */
#include "parse/exe-priv.h"

enum { CUSTOM = 0, IMPORT = 2, CODE = 10, DATA = 11 };

struct wasm {
        struct qn_exe_src *s;
        uint64_t at, end;
};

/* An unsigned LEB128 number of at most 32 bits. */
static uint64_t number(struct wasm *w)
{
        uint64_t v = 0;

        for (unsigned shift = 0; shift < 35 && w->at < w->end; shift += 7) {
                uint64_t b = qn_exe_num(w->s, w->at++, 1);

                v |= (b & 0x7f) << shift;
                if (!(b & 0x80))
                        return v;
        }
        w->at = w->end; /* cut short or too long: nothing more of this section */
        return 0;
}

static struct qn_str name(struct wasm *w)
{
        uint64_t n = number(w);
        struct qn_str s;

        if (n > w->end - w->at) {
                w->at = w->end;
                return (struct qn_str){ NULL, 0 };
        }
        s = qn_exe_slice(w->s, w->at, n);
        w->at += n;
        return s;
}

static void limits(struct wasm *w)
{
        if (number(w) & 1)
                number(w);
        number(w);
}

/* What kind of thing is imported, read to get behind it. */
static void kind(struct wasm *w)
{
        switch (qn_exe_num(w->s, w->at++, 1)) {
        case 0: /* function: its type */
                number(w);
                break;
        case 1: /* table: the type of its elements, then its size */
                w->at++;
                limits(w);
                break;
        case 2: /* memory */
                limits(w);
                break;
        case 3: /* global: type and mutability */
                w->at += 2;
                break;
        case 4: /* tag */
                w->at++;
                number(w);
                break;
        default:
                w->at = w->end;
                break;
        }
}

static void add_import(struct wasm *w, struct qn_str module, struct qn_str field)
{
        struct qn_str s = { NULL, 0 };
        char *p;

        if (!field.n || module.n > QN_EXE_NAME_MAX || field.n > QN_EXE_NAME_MAX)
                return;
        p = qn_arena_alloc(w->s->a, module.n + field.n + 1);
        if (!p) {
                w->s->no_memory = true;
                return;
        }
        if (module.n)
                memcpy(p, module.p, module.n);
        p[module.n] = '.';
        memcpy(p + module.n + 1, field.p, field.n);
        s = (struct qn_str){ p, module.n + field.n + 1 };
        qn_exe_add_import(w->s, s);
}

static void imports(struct wasm *w)
{
        uint64_t n = number(w);

        for (uint64_t i = 0; i < n && w->at < w->end && i < QN_EXE_NAMES_MAX; i++) {
                struct qn_str module = name(w), field = name(w);

                kind(w);
                add_import(w, module, field);
        }
}

void qn_exe_wasm(struct qn_exe_src *s)
{
        static const char *const names[] = { "custom",     "type",    "import", "function",
                                             "table",      "memory",  "global", "export",
                                             "start",      "element", "code",   "data",
                                             "data-count", "tag" };
        struct wasm w = { .s = s, .at = 8, .end = s->bytes.n };

        qn_exe_claim(s, 0, 8);
        for (size_t i = 0; i < QN_EXE_SECTIONS_MAX && w.at + 2 <= s->bytes.n; i++) {
                uint64_t id = qn_exe_num(s, w.at++, 1), size;
                struct wasm inside = w;

                size = number(&w);
                if (id >= QN_ARRAY_SIZE(names) || size > s->bytes.n - w.at)
                        return; /* not a section: what follows is appended */
                inside = (struct wasm){ .s = s, .at = w.at, .end = w.at + size };
                qn_exe_add_section(s,
                                   (struct qn_exe_section){ .name = qn_str_c(names[id]),
                                                            .off = w.at,
                                                            .size = size,
                                                            .write = id == DATA,
                                                            .exec = id == CODE || id == CUSTOM });
                if (id == IMPORT)
                        imports(&inside);
                w.at += size;
        }
}
