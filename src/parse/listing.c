#include "parse/listing.h"

#include <ctype.h>
#include <errno.h>

#include "base/arena.h"
#include "base/limits.h"

enum column {
        COLUMN_OTHER,
        COLUMN_ECOSYSTEM,
        COLUMN_NAME,
        COLUMN_VERSIONS,
        COLUMN_TYPE,
        COLUMN_VALUE,
        COLUMN_CAMPAIGN,
        COLUMN_NOTE,
        COLUMN_SOURCE,
        COLUMN_IOC, /* and the kind of indicator */
};

static const struct {
        const char *name;
        enum column column;
} columns[] = {
        { "ecosystem", COLUMN_ECOSYSTEM },
        { "package_name", COLUMN_NAME },
        { "package", COLUMN_NAME },
        { "name", COLUMN_NAME },
        { "package name", COLUMN_NAME },
        { "package_versions", COLUMN_VERSIONS },
        { "versions", COLUMN_VERSIONS },
        { "version", COLUMN_VERSIONS },
        { "package version", COLUMN_VERSIONS },
        { "type", COLUMN_TYPE },
        { "indicator_type", COLUMN_TYPE },
        { "kind", COLUMN_TYPE },
        { "indicator", COLUMN_VALUE },
        { "ioc", COLUMN_VALUE },
        { "value", COLUMN_VALUE },
        { "campaign", COLUMN_CAMPAIGN },
        { "note", COLUMN_NOTE },
        { "notes", COLUMN_NOTE },
        { "artefact", COLUMN_NOTE },
        { "artifact", COLUMN_NOTE },
        { "description", COLUMN_NOTE },
        { "source", COLUMN_SOURCE },
        { "sources", COLUMN_SOURCE },
};

static enum column column_of(struct qn_str name)
{
        enum qn_indicator_kind kind;

        for (size_t i = 0; i < QN_ARRAY_SIZE(columns); i++)
                if (qn_str_ieq(name, qn_str_c(columns[i].name)))
                        return columns[i].column;
        return qn_indicator_from_name(name, &kind) == 0 ? COLUMN_IOC + kind : COLUMN_OTHER;
}

/* --- cells --- */

static bool at_end(const struct qn_listing *l)
{
        return qn_cur_left(&l->in) == 0;
}

static struct qn_str take_line(struct qn_listing *l)
{
        struct qn_str rest = qn_cur_rest(&l->in), line = qn_str_cut(&rest, '\n');

        l->in = rest.p ? qn_cur_str(rest) : qn_cur_mem(l->in.end, 0);
        l->line++;
        return qn_str_trim(line);
}

/* A quoted cell (RFC 4180); the cursor stands behind the first quote.  -ENOBUFS, or the cell. */
static int take_quoted(struct qn_listing *l, struct qn_arena *a, struct qn_str *ret)
{
        struct qn_str s = qn_cur_rest(&l->in), copy;
        size_t n = 0, to = 0;
        char *p;

        while (n < s.n && (s.p[n] != '"' || (n + 1 < s.n && s.p[n + 1] == '"'))) {
                l->line += s.p[n] == '\n';
                n += s.p[n] == '"' ? 2 : 1;
        }
        copy = qn_arena_dup(a, qn_str_take(s, QN_MIN(n, (size_t)QN_LISTING_CELL_MAX)));
        p = (char *)(uintptr_t)copy.p; /* our own copy */
        if (!p)
                return -ENOBUFS;
        for (size_t i = 0; i < copy.n; i++) {
                p[to++] = p[i];
                i += p[i] == '"';
        }
        s = qn_str_skip(s, n + 1);
        l->in = qn_cur_mem(s.n ? s.p : (const char *)l->in.end, s.n);
        *ret = (struct qn_str){ p, to };
        return 0;
}

/* One cell and what ends it.  *ret_more: another one follows in this row. */
static int take_cell(struct qn_listing *l, struct qn_arena *a, struct qn_str *ret, bool *ret_more)
{
        struct qn_str s = qn_cur_rest(&l->in);
        size_t n = 0;
        int r;

        *ret = (struct qn_str){ 0 };
        if (s.n && s.p[0] == '"' && l->separator == ',') {
                l->in = qn_cur_str(qn_str_skip(s, 1));
                r = take_quoted(l, a, ret);
                if (r < 0)
                        return r;
                s = qn_cur_rest(&l->in);
        }
        while (n < s.n && s.p[n] != l->separator && s.p[n] != '\n')
                n++;
        if (!ret->p) /* what stands behind a closing quote is dropped */
                *ret = qn_str_take(s, QN_MIN(n, (size_t)QN_LISTING_CELL_MAX));
        *ret = qn_str_trim(*ret);
        *ret_more = n < s.n && s.p[n] == l->separator;
        l->line += n < s.n && s.p[n] == '\n';
        s = qn_str_skip(s, n + 1);
        l->in = qn_cur_mem(s.n ? s.p : (const char *)l->in.end, s.n);
        return 0;
}

/* --- versions --- */

/* The next of "1.0.0, 1.0.1", "= 1.0.0 || = 1.0.1". */
static struct qn_str next_version(struct qn_str *list)
{
        size_t from = 0, n;

        while (from < list->n &&
               (isspace((unsigned char)list->p[from]) || list->p[from] == ',' ||
                list->p[from] == '|' || list->p[from] == '=' || list->p[from] == ';'))
                from++;
        *list = qn_str_skip(*list, from);
        for (n = 0; n < list->n; n++)
                if (isspace((unsigned char)list->p[n]) || list->p[n] == ',' || list->p[n] == '|' ||
                    list->p[n] == ';')
                        break;
        from = n;
        *list = (struct qn_str){ list->p + (list->p ? n : 0), list->n - n };
        return from ? (struct qn_str){ list->p - from, from } : (struct qn_str){ 0 };
}

static bool is_all(struct qn_str versions)
{
        return qn_str_is(versions, "*") || qn_str_ieq(versions, QN_STR("all")) ||
               qn_str_ieq(versions, QN_STR("all versions"));
}

static bool is_version(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!isalnum((unsigned char)s.p[i]) && !strchr(".-+_", s.p[i]))
                        return false;
        return s.n && isdigit((unsigned char)s.p[s.p[0] == 'v' && s.n > 1]);
}

/* --- lines --- */

static const char *const ecosystems[] = { "npm",   "pypi",      "go",  "composer", "crates",
                                          "cargo", "rubygems",  "gem", "nuget",    "maven",
                                          "pub",   "packagist", "hex" };

static struct qn_str take_ecosystem(struct qn_str *line)
{
        ptrdiff_t colon = qn_str_chr(*line, ':');

        for (size_t i = 0; colon > 0 && i < QN_ARRAY_SIZE(ecosystems); i++)
                if (qn_str_is(qn_str_take(*line, (size_t)colon), ecosystems[i])) {
                        struct qn_str rest = qn_str_skip(*line, (size_t)colon + 1);

                        /* "npm:1.0.0" is a version of the package npm */
                        if (qn_str_chr(rest, ':') < 0 && qn_str_rchr(rest, '@') <= 0)
                                break;
                        *line = rest;
                        return qn_str_c(ecosystems[i]);
                }
        return QN_STR("npm");
}

static bool is_name(struct qn_str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == ',' ||
                    s.p[i] == ':')
                        return false;
        return s.n > 0 && s.n <= QN_NAME_MAX;
}

static bool read_package(struct qn_str line, struct qn_listing_row *row)
{
        ptrdiff_t at;

        row->ecosystem = take_ecosystem(&line);
        at = qn_str_rchr(line, '@');
        if (at <= 0)
                at = qn_str_rchr(line, ':');
        if (at <= 0)
                return false;
        row->is_package = true;
        row->name = qn_str_trim(qn_str_take(line, (size_t)at));
        row->version = qn_str_trim(qn_str_skip(line, (size_t)at + 1));
        if (line.p[at] == ':' && qn_str_chr(row->version, '.') < 0 && !is_all(row->version))
                return false; /* "host:443" */
        if (is_all(row->version))
                row->version = (struct qn_str){ 0 };
        else if (!is_version(row->version))
                return false;
        return is_name(row->name);
}

static int read_line(struct qn_str line, struct qn_arena *a, struct qn_listing_row *row)
{
        int r;

        if (read_package(line, row))
                return 0;
        *row = (struct qn_listing_row){ .line = row->line };
        r = qn_indicator_guess(line, a, &row->ioc);
        return r;
}

static int next_line(struct qn_listing *l, struct qn_arena *a, struct qn_listing_row *ret)
{
        while (!at_end(l)) {
                size_t number = l->line;
                struct qn_str line = take_line(l);
                ptrdiff_t hash = qn_str_find(line, QN_STR(" #"));
                int r;

                if (hash >= 0)
                        line = qn_str_trim(qn_str_take(line, (size_t)hash));
                if (!line.n || line.p[0] == '#')
                        continue;
                *ret = (struct qn_listing_row){ .line = number };
                r = read_line(line, a, ret);
                if (r == 0)
                        return 1;
                if (r != -EINVAL)
                        return r;
                if (!l->skipped++)
                        l->first_skipped = number;
        }
        return 0;
}

/* --- tables --- */

struct cells {
        struct qn_str of[COLUMN_IOC + QN_IOC_MAX];
};

static int take_row(struct qn_listing *l, struct qn_arena *a, struct cells *ret)
{
        bool more = true;
        int r = 0;

        *ret = (struct cells){ 0 };
        for (size_t i = 0; r == 0 && more; i++) {
                struct qn_str cell;

                r = take_cell(l, a, &cell, &more);
                if (r == 0 && i < l->n_columns && cell.n)
                        ret->of[l->columns[i]] = cell;
        }
        return r;
}

static bool is_blank(const struct cells *c)
{
        for (size_t i = 0; i < QN_ARRAY_SIZE(c->of); i++)
                if (c->of[i].n)
                        return false;
        return true;
}

static int read_ioc(const struct cells *c, struct qn_arena *a, struct qn_indicator *ret)
{
        enum qn_indicator_kind kind;

        if (c->of[COLUMN_VALUE].n) {
                ret->value = c->of[COLUMN_VALUE];
                if (qn_indicator_from_name(c->of[COLUMN_TYPE], &ret->kind) == 0) {
                        int r = qn_indicator_read(ret->kind, ret->value, a, &ret->value);

                        if (r != -EINVAL)
                                return r;
                } /* types of lists are wrong at times: the shape decides then */
                return qn_indicator_guess(c->of[COLUMN_VALUE], a, ret);
        }
        for (kind = 0; kind < QN_IOC_MAX; kind++)
                if (c->of[COLUMN_IOC + kind].n) {
                        ret->kind = kind;
                        return qn_indicator_read(kind, c->of[COLUMN_IOC + kind], a, &ret->value);
                }
        return -EINVAL;
}

static int read_row(struct qn_listing *l, const struct cells *c, struct qn_arena *a,
                    struct qn_listing_row *row)
{
        struct qn_str versions = c->of[COLUMN_VERSIONS];

        row->campaign = c->of[COLUMN_CAMPAIGN];
        row->note = c->of[COLUMN_NOTE];
        row->source = c->of[COLUMN_SOURCE];
        if (!c->of[COLUMN_NAME].n)
                return read_ioc(c, a, &row->ioc);
        row->is_package = true;
        row->ecosystem = c->of[COLUMN_ECOSYSTEM].n ? c->of[COLUMN_ECOSYSTEM] : QN_STR("npm");
        row->name = c->of[COLUMN_NAME];
        if (!is_name(row->name))
                return -EINVAL;
        if (!versions.n || is_all(versions))
                return 0;
        row->version = next_version(&versions);
        l->versions = versions;
        return is_version(row->version) ? 0 : -EINVAL;
}

static int next_row(struct qn_listing *l, struct qn_arena *a, struct qn_listing_row *ret)
{
        struct cells c;

        while (!at_end(l)) {
                size_t number = l->line;
                int r = take_row(l, a, &c);

                if (r < 0)
                        return r;
                if (is_blank(&c))
                        continue;
                *ret = (struct qn_listing_row){ .line = number };
                r = read_row(l, &c, a, ret);
                if (r == 0) {
                        if (l->versions.n) { /* for the versions that follow */
                                l->row = QN_ARENA_NEW(a, struct qn_listing_row);
                                if (!l->row)
                                        return -ENOBUFS;
                                *l->row = *ret;
                        }
                        return 1;
                }
                if (r != -EINVAL)
                        return r;
                l->versions = (struct qn_str){ 0 };
                if (!l->skipped++)
                        l->first_skipped = number;
        }
        return 0;
}

/* Whether the first line is one of names of columns: then they are known from here on. */
static bool read_header(struct qn_listing *l, struct qn_str line)
{
        bool telling = false;

        l->separator = qn_str_chr(line, '\t') >= 0 ? '\t' : ',';
        while (line.p && l->n_columns < QN_LISTING_COLUMNS_MAX) {
                struct qn_str cell = qn_str_trim(qn_str_cut(&line, l->separator));
                enum column c;

                if (cell.n > 1 && cell.p[0] == '"' && cell.p[cell.n - 1] == '"')
                        cell = (struct qn_str){ cell.p + 1, cell.n - 2 };
                c = column_of(cell);
                l->columns[l->n_columns++] = (uint8_t)c;
                telling |= c == COLUMN_NAME || c == COLUMN_VALUE || c >= COLUMN_IOC;
        }
        return telling;
}

int qn_listing_open(struct qn_cur in, struct qn_listing *ret, struct qn_err *reterr)
{
        struct qn_listing l = { .in = in, .line = 1 }, lines;
        struct qn_str first = { 0 };

        if (qn_str_starts(qn_cur_rest(&in), "\xef\xbb\xbf"))
                l.in = qn_cur_str(qn_str_skip(qn_cur_rest(&in), 3));
        lines = l;
        while (!at_end(&l) && !first.n) {
                first = take_line(&l);
                if (first.n && first.p[0] == '#')
                        first = (struct qn_str){ 0 };
        }
        if (read_header(&l, first)) {
                *ret = l;
                return 0;
        }
        if (l.n_columns > 1)
                return qn_fail(reterr, -EINVAL, 0,
                               "line %zu: a table with no column that is known, such as "
                               "\"package\", \"indicator\" or \"sha256\"",
                               l.line - 1);
        *ret = lines;
        return 0;
}

int qn_listing_next(struct qn_listing *l, struct qn_arena *a, struct qn_listing_row *ret)
{
        while (l->versions.n) {
                struct qn_str version = next_version(&l->versions);

                if (is_version(version)) {
                        *ret = *l->row;
                        ret->version = version;
                        return 1;
                }
                if (version.n && !l->skipped++)
                        l->first_skipped = l->row->line;
        }
        return l->separator ? next_row(l, a, ret) : next_line(l, a, ret);
}
