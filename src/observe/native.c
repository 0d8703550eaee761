#include "observe/native.h"

#include "base/limits.h"
#include "observe/entropy.h"
#include "observe/literal.h"
#include "observe/native-table.h"
#include "observe/scan-priv.h"
#include "parse/binfmt.h"
#include "parse/exe.h"

#define RANDOM 780 /* hundredths of bits per byte: compressed or encrypted */
#define RANDOM_MIN \
        ((size_t)32 << 10) /* bytes of a section that are told of when they look random */
#define APPENDED_MIN 512   /* fewer bytes behind the end are padding */
#define NAME_MAX_    200
#define EXCERPT      120
#define WIDE_MIN     6 /* characters of a UTF-16 text */
#define URLS_MAX     256

struct native {
        struct qn_scan *s;
        const struct qn_natives *t;
        struct qn_site site;
        struct qn_str bytes, text; /* text: what is being searched */
        const char *format;
};

static void report_odd(struct native *n, const char *what, struct qn_str value, uint64_t off)
{
        struct qn_event e = qn_observe_make(QN_EVENT_BINARY_ODD);

        n->site.off = (uint32_t)QN_MIN(off, (uint64_t)UINT32_MAX);
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_FORMAT, qn_str_c(n->format));
        qn_event_attr(&e, QN_ATTR_PATH, n->s->path);
        qn_event_attr(&e, QN_ATTR_VALUE, value);
        qn_site_event(n->s, &n->site, &e);
        n->site.off = 0;
}

/* --- what the loader connects --- */

/* _connect$NOCANCEL, CreateProcessW: names as linkers and systems dress them. */
static uint32_t find_import(const struct qn_natives *t, struct qn_str name)
{
        ptrdiff_t dollar = qn_str_chr(name, '$');
        uint32_t row = qn_map_get(&t->imports, name);

        if (row != QN_MAP_NONE)
                return row;
        if (dollar > 0)
                name.n = (size_t)dollar;
        if (name.n > 1 && name.p[0] == '_')
                name = qn_str_skip(name, 1);
        row = qn_map_get(&t->imports, name);
        if (row == QN_MAP_NONE && name.n > 2 &&
            (name.p[name.n - 1] == 'A' || name.p[name.n - 1] == 'W'))
                row = qn_map_get(&t->imports, qn_str_take(name, name.n - 1));
        return row;
}

static uint32_t find_lib(const struct qn_natives *t, struct qn_str path)
{
        struct qn_str name = qn_str_base(path);
        char buf[NAME_MAX_];

        if (name.n > sizeof buf)
                return QN_MAP_NONE;
        for (size_t i = 0; i < name.n; i++)
                buf[i] =
                        name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
        for (size_t i = 0; i < t->n_libs; i++)
                if (qn_str_glob((struct qn_str){ buf, name.n }, t->libs[i].glob))
                        return t->libs[i].row;
        return QN_MAP_NONE;
}

/* Each row is told once, with the first name that is there. */
static void report_row(struct native *n, uint32_t row, struct qn_str name, bool *told)
{
        struct qn_event e;

        if (row == QN_MAP_NONE || told[row])
                return;
        told[row] = true;
        e = qn_row_event_make(&n->t->rows[row]);
        if (!qn_event_get(&e, QN_ATTR_HOW).n)
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("import"));
        qn_event_attr(&e, QN_ATTR_NAME, qn_str_take(name, NAME_MAX_));
        n->site.text = name;
        qn_site_event(n->s, &n->site, &e);
        n->site.text = (struct qn_str){ 0 };
}

static void report_imports(struct native *n, const struct qn_exe *exe)
{
        bool *told = qn_arena_calloc(&n->s->tmp, n->t->n_rows + 1, sizeof *told);

        if (!told) {
                n->s->graph.full = true;
                return;
        }
        for (size_t i = 0; i < exe->n_imports; i++)
                report_row(n, find_import(n->t, exe->imports[i]), exe->imports[i], told);
        for (size_t i = 0; i < exe->n_libs; i++)
                report_row(n, find_lib(n->t, exe->libs[i]), exe->libs[i], told);
}

/* --- how it is built --- */

static struct qn_str packer_of(const struct qn_natives *t, struct qn_str section)
{
        for (size_t i = 0; section.n && i < t->n_packers; i++)
                if (qn_str_glob(section, t->packers[i].mark))
                        return t->packers[i].name;
        return (struct qn_str){ NULL, 0 };
}

static struct qn_str content(const struct native *n, const struct qn_exe_section *section)
{
        return qn_str_take(qn_str_skip(n->bytes, section->off), section->size);
}

static void report_sections(struct native *n, const struct qn_exe *exe)
{
        for (size_t i = 0; i < exe->n_sections; i++) {
                const struct qn_exe_section *s = &exe->sections[i];
                struct qn_str packer = packer_of(n->t, s->name);

                if (packer.n)
                        report_odd(n, "packed", packer, s->off);
                else if (s->exec && s->size >= RANDOM_MIN && qn_entropy(content(n, s)) >= RANDOM)
                        report_odd(n, "random", s->name, s->off);
        }
        if (exe->write_exec)
                report_odd(n, "write-exec", (struct qn_str){ 0 }, 0);
        if (exe->encrypted)
                report_odd(n, "encrypted", (struct qn_str){ 0 }, 0);
}

/* UPX also packs ELF files, which then have no sections: its mark stands in the first bytes. */
static void report_marks(struct native *n, const struct qn_exe *exe)
{
        struct qn_str head = qn_str_take(n->bytes, 4096);

        if (exe->n_sections < 4 && qn_str_find(head, QN_STR("UPX!")) >= 0)
                report_odd(n, "packed", QN_STR("upx"), 0);
}

/* Linkers fill the last page with zeros. */
static void report_appended(struct native *n, const struct qn_exe *exe)
{
        struct qn_str rest = qn_str_skip(n->bytes, exe->end);
        enum qn_format f;

        while (rest.n && !rest.p[0])
                rest = qn_str_skip(rest, 1);
        if (rest.n < APPENDED_MIN || !exe->end)
                return;
        f = qn_sniff(qn_cur_str(rest), rest.n);
        report_odd(n, "appended",
                   f == QN_FORMAT_BINARY && qn_entropy(rest) >= RANDOM
                           ? QN_STR("random")
                           : qn_str_c(qn_format_name(f)),
                   (uint64_t)(rest.p - n->bytes.p));
}

/* --- the text in it --- */

static bool is_printable(char c)
{
        return c >= ' ' && c < 0x7f;
}

/* The printable characters that lead to the end of a match, and a few behind it. */
static struct qn_str excerpt(struct qn_str text, size_t end)
{
        size_t from = end, to = end;

        while (from > 0 && end - from < EXCERPT && is_printable(text.p[from - 1]))
                from--;
        while (to < text.n && to - end < EXCERPT / 4 && is_printable(text.p[to]))
                to++;
        return (struct qn_str){ text.p + from, to - from };
}

static bool is_secret_path(const struct qn_row_event *re)
{
        struct qn_event e = qn_row_event_make(re);

        return re->kind == QN_EVENT_INDICATOR &&
               qn_str_is(qn_event_get(&e, QN_ATTR_CLASS), "secret-path");
}

static void on_text(void *ctx, struct qn_str id, const struct qn_row_event *re, size_t end)
{
        struct native *n = ctx;
        struct qn_event e = qn_row_event_make(re);
        struct qn_str which = qn_event_get(&e, QN_ATTR_WHICH);
        uint64_t labels = e.labels;

        if (is_secret_path(re)) {
                e = qn_observe_make(which.n && qn_str_is(which, "wallet") ? QN_EVENT_WALLET_READ
                                                                          : QN_EVENT_SECRET_READ);
                qn_event_attr(&e, QN_ATTR_WHICH, which);
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("literal"));
                e.labels = labels;
        }
        qn_event_attr(&e, QN_ATTR_NAME, id);
        n->site.text = excerpt(n->text, end);
        qn_site_event(n->s, &n->site, &e);
        n->site.text = (struct qn_str){ 0 };
}

/* Addresses that stand for something (data/hosts.yaml); ordinary ones are everywhere. */
static void look_for_address(struct native *n, struct qn_str text)
{
        static const enum qn_attr attr[] = { QN_ATTR_URL, QN_ATTR_HOST, QN_ATTR_CLASS };
        struct qn_str values[3] = { { text.p, 0 } };
        struct qn_event e = qn_observe_make(QN_EVENT_URL_LITERAL);
        struct qn_url url;

        while (values[0].n < text.n && values[0].n < EXCERPT * 2 &&
               is_printable(text.p[values[0].n]) &&
               !memchr(" \"'<>`{}|^\\", text.p[values[0].n], 11))
                values[0].n++;
        qn_known_observe(n->s, &n->site, values[0]);
        if (!qn_url_split(values[0], false, &url))
                return;
        values[1] = url.host;
        values[2] = qn_classify_host(&n->s->o->classes, url.host, url.path);
        if (!values[2].n || qn_str_is(values[2], "private") || qn_str_is(values[2], "github-web") ||
            qn_str_is(values[2], "registry"))
                return;
        for (size_t i = 0; i < QN_ARRAY_SIZE(attr); i++)
                qn_event_attr(&e, attr[i], values[i]);
        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("literal"));
        n->site.text = values[0];
        qn_site_event(n->s, &n->site, &e);
        n->site.text = (struct qn_str){ 0 };
}

static void look_for_addresses(struct native *n, struct qn_str text)
{
        static const char *const schemes[] = { "https", "http", "wss", "ws", "tcp" };
        struct qn_str rest = text;

        for (int found = 0; found < URLS_MAX;) {
                ptrdiff_t at = qn_str_find(rest, QN_STR("://"));
                struct qn_str before;

                if (at < 0)
                        return;
                before = qn_str_take(rest, (size_t)at);
                for (size_t i = 0; i < QN_ARRAY_SIZE(schemes); i++)
                        if (qn_str_ends(before, schemes[i])) {
                                look_for_address(
                                        n, qn_str_skip(rest, (size_t)at - strlen(schemes[i])));
                                found++;
                                break;
                        }
                rest = qn_str_skip(rest, (size_t)at + 3);
        }
}

static void search(struct native *n, struct qn_str text)
{
        n->text = text;
        if (qn_literal_each(n->s->o->literals, n->s->literal, text, on_text, n) < 0 ||
            qn_literal_each(n->t->strings, n->s->native, text, on_text, n) < 0)
                if (qn_scan_unanalysed(n->s, "literals", n->s->path,
                                       "the text in it could not be searched") < 0)
                        n->s->graph.full = true;
        look_for_addresses(n, text);
}

/* Runs of Latin letters in UTF-16, as Windows programs hold them: copied as bytes, one a line. */
static struct qn_str narrow(struct qn_arena *a, struct qn_str s)
{
        char *out = qn_arena_alloc(a, s.n / 2 + s.n / (2 * WIDE_MIN) + 2);
        size_t n = 0;

        for (size_t i = 0; out && i + 1 < s.n; i++) {
                size_t from = n;

                if (s.p[i + 1] || !is_printable(s.p[i]))
                        continue;
                for (; i + 1 < s.n && !s.p[i + 1] && is_printable(s.p[i]); i += 2)
                        out[n++] = s.p[i];
                if (n - from < WIDE_MIN)
                        n = from;
                else
                        out[n++] = '\n';
        }
        return (struct qn_str){ out, out ? n : 0 };
}

static void search_part(struct native *n, struct qn_str part, size_t *left)
{
        part = qn_str_take(part, *left);
        *left -= part.n;
        search(n, part);
        if (strcmp(n->format, "pe") == 0) {
                struct qn_str wide = narrow(&n->s->tmp, part);

                if (wide.n)
                        search(n, wide);
        }
}

/* Text lies in sections that are not run; a file that has hardly any of those is searched as it is. */
static void search_text(struct native *n, const struct qn_exe *exe)
{
        size_t left = QN_EXE_TEXT_MAX, data = 0;

        for (size_t i = 0; i < exe->n_sections; i++)
                data += exe->sections[i].exec ? 0 : (size_t)exe->sections[i].size;
        if (data < n->bytes.n / 16) {
                search_part(n, n->bytes, &left);
                return;
        }
        for (size_t i = 0; i < exe->n_sections && left; i++)
                if (!exe->sections[i].exec && exe->sections[i].size)
                        search_part(n, content(n, &exe->sections[i]), &left);
        search_part(n, qn_str_skip(n->bytes, exe->end), &left);
}

void qn_native_observe(struct qn_scan *s, const struct qn_scan_file *f, const char *format)
{
        struct native n = { .s = s,
                            .t = s->o->natives,
                            .site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 },
                            .bytes = qn_cur_rest(&f->data),
                            .format = format };
        struct qn_exe exe;

        if (qn_exe_read(f->data, &s->tmp, &exe) < 0)
                return;
        report_imports(&n, &exe);
        report_sections(&n, &exe);
        report_marks(&n, &exe);
        if (f->size == n.bytes.n) /* of a larger file only the head is here */
                report_appended(&n, &exe);
        search_text(&n, &exe);
}
