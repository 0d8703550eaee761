#include "observe/literal.h"

#include <errno.h>
#include <hs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/io.h"
#include "observe/scan-priv.h"
#include "observe/table.h"
#include "parse/json.h"

#define CACHE_MAX   ((size_t)64 << 20)
#define CACHE_MAGIC "qanat-literals-1\n"
#define EXCERPT     80
#define LITERAL_MIN 4

enum { IN_CODE = 1, IN_PROSE = 2, IN_MANIFEST = 4, IN_BINARY = 8 };

struct pattern {
        struct qn_str id, regex, class;
        struct qn_row_event event;
        uint8_t in;
        unsigned flags;
};

struct qn_literals {
        const char *table;
        struct pattern *list;
        size_t n, cap;
        hs_database_t *db;
};

struct hit {
        unsigned id;
        uint32_t end;
};

struct qn_literal_scan {
        hs_scratch_t *scratch;
        struct hit *hits;
        size_t n_hits, most;
};

/* --- the table --- */

/* The longest run of plain characters in a regular expression: what the engine's prefilter lives on. */
static size_t longest_literal(struct qn_str re)
{
        size_t best = 0, run = 0;
        unsigned depth = 0; /* alternatives and optional groups give no sure literal */

        for (size_t i = 0; i < re.n; i++) {
                char c = re.p[i];
                bool plain = !memchr(".[](){}*+?|^$\\", c, 14);

                if (c == '\\' && i + 1 < re.n) {
                        plain = !memchr("dwsbDWSBx", re.p[i + 1], 9);
                        i++;
                } else if (c == '[') {
                        while (i + 1 < re.n && re.p[i] != ']')
                                i++;
                } else if (c == '(') {
                        depth++;
                } else if (c == ')' && depth) {
                        depth--;
                }
                if (c == '?' || c == '*' || c == '{')
                        run -= run > 0;
                if (run > best)
                        best = run;
                run = plain ? run + 1 : 0;
        }
        return QN_MAX(best, run);
}

static uint8_t contexts(const struct qn_node *node)
{
        struct qn_str s = qn_node_text(node);
        uint8_t in = 0;

        while (s.n) {
                struct qn_str w = qn_str_cut(&s, ' ');

                in |= qn_str_is(w, "code")       ? IN_CODE
                      : qn_str_is(w, "prose")    ? IN_PROSE
                      : qn_str_is(w, "manifest") ? IN_MANIFEST
                                                 : 0;
        }
        return in ? in : IN_CODE | IN_MANIFEST;
}

static int read_pattern(struct qn_literals *l, struct qn_arena *a, const struct qn_node *n,
                        struct qn_err *reterr)
{
        struct pattern p = { .id = qn_node_text(qn_node_get(n, "id")),
                             .regex = qn_node_text(qn_node_get(n, "match")) };
        struct qn_row row;
        int r;

        if (!p.id.n || !p.regex.n)
                return qn_fail(reterr, -EINVAL, 0, "a pattern needs id and match");
        if (longest_literal(p.regex) < LITERAL_MIN)
                return qn_fail(reterr, -EINVAL, 0, "\"%.*s\" holds no literal of %d bytes",
                               QN_STR_ARG(p.id), LITERAL_MIN);
        p.in = contexts(qn_node_get(n, "in"));
        if (p.in & IN_CODE && qn_node_bool(qn_node_get(n, "binary"), true))
                p.in |= IN_BINARY;
        p.flags = HS_FLAG_SINGLEMATCH;
        if (qn_node_bool(qn_node_get(n, "nocase"), false))
                p.flags |= HS_FLAG_CASELESS;
        r = qn_row_split_right(qn_node_text(qn_node_get(n, "event")), &row, reterr);
        if (r == 0)
                r = qn_row_event(&row, &p.event, reterr);
        if (r < 0)
                return r;
        p.class = qn_row_get(&row, "class");
        if (QN_ARENA_ROOM(a, l->list, l->n, l->cap) < 0)
                return -ENOMEM;
        l->list[l->n++] = p;
        return 0;
}

static int read_table(struct qn_literals *l, const char *data_dir, struct qn_arena *a,
                      struct qn_err *reterr)
{
        const struct qn_node *root, *list;
        int r = qn_table_read(data_dir, l->table, a, &root, reterr);

        if (r < 0)
                return r;
        list = qn_node_get(root, "patterns");
        for (size_t i = 0; list && i < list->n; i++) {
                r = read_pattern(l, a, list->items[i], reterr);
                if (r < 0)
                        return qn_table_fail(reterr, l->table, list->items[i]);
        }
        return 0;
}

/* --- the compiled database --- */

static int compile(struct qn_literals *l, struct qn_arena *a, struct qn_err *reterr)
{
        const char **exprs = qn_arena_calloc(a, l->n, sizeof *exprs);
        unsigned *flags = qn_arena_calloc(a, l->n, sizeof *flags),
                 *ids = qn_arena_calloc(a, l->n, sizeof *ids);
        hs_compile_error_t *err = NULL;
        int r = 0;

        if (!exprs || !flags || !ids)
                return -ENOMEM;
        for (size_t i = 0; i < l->n; i++) {
                exprs[i] = qn_arena_dup(a, l->list[i].regex).p;
                flags[i] = l->list[i].flags;
                ids[i] = (unsigned)i;
                if (!exprs[i])
                        return -ENOMEM;
        }
        if (hs_compile_multi(exprs, flags, ids, (unsigned)l->n, HS_MODE_BLOCK, NULL, &l->db,
                             &err) != HS_SUCCESS) {
                size_t i = err && err->expression >= 0 ? (size_t)err->expression : 0;

                r = qn_fail(reterr, -EINVAL, 0, "%s: %.*s: %.80s", l->table,
                            QN_STR_ARG(l->list[i].id), err ? err->message : "cannot be compiled");
                hs_free_compile_error(err);
        }
        return r;
}

static uint64_t table_hash(const struct qn_literals *l)
{
        uint64_t h = qn_hash64(hs_version(), strlen(hs_version()));
        hs_platform_info_t cpu;

        memset(&cpu, 0, sizeof cpu);
        if (hs_populate_platform(&cpu) == HS_SUCCESS)
                h ^= qn_hash64(&cpu, sizeof cpu);
        for (size_t i = 0; i < l->n; i++) {
                h = h * UINT64_C(0x9e3779b97f4a7c15) +
                    qn_hash64(l->list[i].regex.p, l->list[i].regex.n) + l->list[i].flags;
                h ^= h >> 29;
        }
        return h;
}

static int cache_path(const char *cache_dir, uint64_t hash, struct qn_buf *ret)
{
        const char *home = getenv("HOME"), *xdg = getenv("XDG_CACHE_HOME"),
                   *own = getenv("QANAT_CACHE");

        if (cache_dir || own)
                qn_buf_puts(ret, cache_dir ? cache_dir : own);
        else if (xdg && *xdg == '/')
                qn_buf_printf(ret, "%s/qanat", xdg);
        else if (home && *home == '/')
                qn_buf_printf(ret, "%s/.cache/qanat", home);
        else
                return -ENOENT;
        if (qn_buf_error(ret) < 0 || qn_io_mkdirs(ret->p) < 0)
                return -ENOENT;
        return qn_buf_printf(ret, "/literals-%016llx.hs", (unsigned long long)hash);
}

/* A cached file is trusted no further than its checksum: the engine does not check what it deserialises. */
static int load_cached(struct qn_literals *l, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(CACHE_MAX);
        size_t head = sizeof CACHE_MAGIC - 1 + sizeof(uint64_t);
        uint64_t sum;

        if (qn_io_read(path, &b) < 0 || b.n <= head ||
            memcmp(b.p, CACHE_MAGIC, sizeof CACHE_MAGIC - 1) != 0)
                return -ENOENT;
        memcpy(&sum, b.p + sizeof CACHE_MAGIC - 1, sizeof sum);
        if (sum != qn_hash64(b.p + head, b.n - head))
                return -EBADMSG;
        return hs_deserialize_database(b.p + head, b.n - head, &l->db) == HS_SUCCESS ? 0 : -EBADMSG;
}

static void store_cached(const struct qn_literals *l, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(CACHE_MAX);
        char *bytes = NULL;
        size_t n = 0;
        uint64_t sum;

        if (hs_serialize_database(l->db, &bytes, &n) != HS_SUCCESS)
                return;
        sum = qn_hash64(bytes, n);
        qn_buf_puts(&b, CACHE_MAGIC);
        qn_buf_add(&b, &sum, sizeof sum);
        qn_buf_add(&b, bytes, n);
        free(bytes);
        if (qn_buf_error(&b) == 0 && qn_io_replace(path, qn_buf_view(&b)) < 0)
                return; /* no cache: the next start compiles again */
}

int qn_literals_load(const char *data_dir, const char *table, const char *cache_dir,
                     struct qn_arena *a, struct qn_literals **ret, struct qn_err *reterr)
{
        _cleanup_(qn_buf_done) struct qn_buf path = QN_BUF_INIT(4096);
        struct qn_literals *l = QN_ARENA_NEW(a, struct qn_literals);
        bool cache;
        int r;

        if (!l)
                return -ENOMEM;
        l->table = table;
        r = read_table(l, data_dir, a, reterr);
        if (r < 0)
                return r;
        cache = cache_path(cache_dir, table_hash(l), &path) == 0;
        if (!cache || load_cached(l, path.p) < 0) {
                r = compile(l, a, reterr);
                if (r < 0)
                        return r;
                if (cache)
                        store_cached(l, path.p);
        }
        *ret = l;
        return 0;
}

void qn_literals_done(struct qn_literals *l)
{
        if (l)
                hs_free_database(l->db);
}

/* --- scanning --- */

int qn_literal_scan_new(const struct qn_literals *l, struct qn_literal_scan **ret)
{
        struct qn_literal_scan *ls = calloc(1, sizeof *ls);

        if (!ls)
                return -ENOMEM;
        ls->most = l->n;
        ls->hits = calloc(l->n + 1, sizeof *ls->hits);
        if (!ls->hits || hs_alloc_scratch(l->db, &ls->scratch) != HS_SUCCESS) {
                qn_literal_scan_free(ls);
                return -ENOMEM;
        }
        *ret = ls;
        return 0;
}

struct qn_literal_scan *qn_literal_scan_free(struct qn_literal_scan *ls)
{
        if (!ls)
                return NULL;
        hs_free_scratch(ls->scratch);
        free(ls->hits);
        free(ls);
        return NULL;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *ctx)
{
        struct qn_literal_scan *ls = ctx;

        (void)from;
        (void)flags;
        if (ls->n_hits < ls->most)
                ls->hits[ls->n_hits++] = (struct hit){ id, (uint32_t)to };
        return 0;
}

size_t qn_literal_count(const struct qn_literals *l, struct qn_literal_scan *ls, struct qn_str text)
{
        ls->n_hits = 0;
        if (text.n && l->n &&
            hs_scan(l->db, text.p, (unsigned)text.n, 0, ls->scratch, on_match, ls) != HS_SUCCESS)
                return 0;
        return ls->n_hits;
}

static bool is_prose(struct qn_str p)
{
        return qn_str_ends(p, ".md") || qn_str_ends(p, ".markdown") || qn_str_ends(p, ".txt") ||
               qn_str_ends(p, ".mdc") || qn_str_ends(p, ".rst") || qn_str_ends(p, "README") ||
               qn_str_ends(p, ".cursorrules");
}

static bool is_manifest(struct qn_str p)
{
        return qn_str_ends(p, ".json") || qn_str_ends(p, ".yml") || qn_str_ends(p, ".yaml");
}

/* What stands before the end of a match, on the same line. */
static struct qn_str excerpt(struct qn_str text, uint32_t end)
{
        uint32_t from = end;

        while (from > 0 && end - from < EXCERPT && text.p[from - 1] != '\n')
                from--;
        return (struct qn_str){ text.p + from, end - from };
}

static void report(struct qn_scan *s, const struct qn_site *site, const struct pattern *p,
                   struct qn_str text, uint32_t end)
{
        struct qn_event e = qn_row_event_make(&p->event);
        struct qn_site here = *site;

        if (!site->line) { /* else the text was made there */
                here.off = site->off + (end ? end - 1 : 0);
                qn_place_of(text, end ? end - 1 : 0, &here.line, &here.column);
        }
        here.text = excerpt(text, end);
        qn_event_attr(&e, QN_ATTR_NAME, p->id);
        qn_site_event(s, &here, &e);
}

static int cmp_hit(const void *a, const void *b)
{
        const struct hit *x = a, *y = b;

        return (x->id > y->id) - (x->id < y->id);
}

/* The patterns that occur, in the table's order. */
static int search(const struct qn_literals *l, struct qn_literal_scan *ls, struct qn_str text)
{
        ls->n_hits = 0;
        if (text.n && l->n &&
            hs_scan(l->db, text.p, (unsigned)text.n, 0, ls->scratch, on_match, ls) != HS_SUCCESS)
                return -EIO;
        qsort(ls->hits, ls->n_hits, sizeof *ls->hits, cmp_hit);
        return 0;
}

int qn_literal_each(const struct qn_literals *l, struct qn_literal_scan *ls, struct qn_str bytes,
                    qn_literal_fn fn, void *ctx)
{
        int r = search(l, ls, bytes);

        for (size_t i = 0; r == 0 && i < ls->n_hits; i++) {
                const struct pattern *p = &l->list[ls->hits[i].id];

                if (p->in & IN_BINARY)
                        fn(ctx, p->id, &p->event, ls->hits[i].end);
        }
        return r;
}

void qn_literal_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text)
{
        const struct qn_literals *l = s->o->literals;
        struct qn_literal_scan *ls = s->literal;
        uint8_t in = is_prose(s->path) ? IN_PROSE : is_manifest(s->path) ? IN_MANIFEST : IN_CODE;

        if (search(l, ls, text) < 0) {
                if (qn_scan_unanalysed(s, "literals", s->path, "the text could not be searched") <
                    0)
                        s->graph.full = true;
                return;
        }
        for (size_t i = 0; i < ls->n_hits; i++) {
                const struct pattern *p = &l->list[ls->hits[i].id];

                if (!(p->in & in))
                        continue;
                if (site->made && p->event.kind == QN_EVENT_TEXT_PROMPT)
                        continue; /* who reads the source does not see it */
                if (p->event.kind == QN_EVENT_INDICATOR && qn_str_is(p->class, "secret-path"))
                        s->secret_literal = true; /* js-misc.c looks at the strings themselves */
                else
                        report(s, site, p, text, ls->hits[i].end);
        }
}
