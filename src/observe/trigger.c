#include "observe/trigger.h"

#include "base/arena.h"
#include "base/limits.h"
#include "observe/sink.h"
#include "parse/pkgjson.h"

#define BIT(phase) ((uint8_t)(1u << (phase)))

void qn_graph_init(struct qn_graph *g, struct qn_arena *a)
{
        *g = (struct qn_graph){ .a = a, .shape = 1 };
}

uint32_t qn_graph_find(const struct qn_graph *g, struct qn_str path)
{
        return qn_map_get(&g->index, path);
}

uint32_t qn_graph_file(struct qn_graph *g, struct qn_str path)
{
        uint32_t i = qn_map_get(&g->index, path);
        struct qn_str copy;

        if (i != QN_MAP_NONE)
                return i;
        copy = qn_arena_dup(g->a, path);
        if (!copy.p || QN_ARENA_ROOM(g->a, g->files, g->n_files, g->files_cap) < 0 ||
            qn_map_add(&g->index, g->a, copy, (uint32_t)g->n_files, NULL) < 0) {
                g->full = true;
                return QN_FILE_NONE;
        }
        g->files[g->n_files] = (struct qn_graph_file){ .path = copy };
        g->shape++;
        return (uint32_t)g->n_files++;
}

void qn_graph_edge(struct qn_graph *g, uint32_t from, struct qn_str spec, bool call,
                   enum qn_graph_run run)
{
        struct qn_str copy;

        if (from >= g->n_files || !spec.n || spec.n > QN_TAR_NAME_MAX)
                return;
        copy = qn_arena_dup(g->a, spec);
        if (!copy.p || QN_ARENA_ROOM(g->a, g->edges, g->n_edges, g->edges_cap) < 0) {
                g->full = true;
                return;
        }
        g->edges[g->n_edges] = (struct qn_graph_edge){ .spec = copy,
                                                       .from = from,
                                                       .next = g->files[from].edges,
                                                       .call = call,
                                                       .run = (uint8_t)run };
        g->files[from].edges = (uint32_t)++g->n_edges;
}

void qn_graph_root(struct qn_graph *g, struct qn_str spec, enum qn_phase phase,
                   enum qn_graph_run run)
{
        struct qn_str copy = qn_arena_dup(g->a, spec);

        if (!spec.n)
                return;
        if (!copy.p || QN_ARENA_ROOM(g->a, g->roots, g->n_roots, g->roots_cap) < 0) {
                g->full = true;
                return;
        }
        g->roots[g->n_roots++] = (struct qn_graph_root){ copy, (uint8_t)phase, (uint8_t)run };
}

void qn_graph_main(struct qn_graph *g, uint32_t file, struct qn_str main)
{
        g->files[file].main = qn_arena_dup(g->a, main);
        g->shape++;
}

/* --- roots from package.json --- */

static bool has_word(struct qn_str words, const char *word)
{
        while (words.n)
                if (qn_str_is(qn_str_cut(&words, ' '), word))
                        return true;
        return false;
}

/* A file inside an archive: nothing loads it from there. */
static bool is_nested(struct qn_str path)
{
        return qn_str_find(path, QN_STR("!/")) >= 0;
}

static void root_stars(struct qn_graph *g, struct qn_str target, enum qn_phase phase)
{
        ptrdiff_t star = qn_str_chr(target, '*');
        struct qn_str head = qn_str_take(target, (size_t)star),
                      tail = qn_str_skip(target, (size_t)star + 1);

        if (qn_str_starts(head, "./"))
                head = qn_str_skip(head, 2);
        star = qn_str_rchr(tail, '*');
        if (star >=
            0) /* the star stands for the same text twice: the last part decides well enough */
                tail = qn_str_skip(tail, (size_t)star + 1);
        for (size_t i = 0; i < g->n_files; i++) {
                struct qn_str p = g->files[i].path;

                if (p.n >= head.n + tail.n && memcmp(p.p, head.p, head.n) == 0 &&
                    memcmp(p.p + p.n - tail.n, tail.p, tail.n) == 0 && !is_nested(p))
                        g->files[i].phases |= BIT(phase);
        }
}

static void root_exports(struct qn_graph *g, const struct qn_pkgjson *p)
{
        size_t stars = 0;

        for (size_t i = 0; i < p->exports.n; i++) {
                const struct qn_pkgjson_entry *e = &p->exports.v[i];
                enum qn_phase phase =
                        has_word(e->conditions, "browser") ? QN_PHASE_BROWSER : QN_PHASE_IMPORT;

                if (!e->target.p || has_word(e->conditions, "types"))
                        continue;
                if (qn_str_chr(e->target, '*') < 0)
                        qn_graph_root(g, e->target, phase, QN_RUN_LOAD);
                else if (++stars <= 64)
                        root_stars(g, e->target, phase);
        }
}

static void root_directory(struct qn_graph *g, struct qn_str dir, enum qn_phase phase)
{
        while (qn_str_starts(dir, "./"))
                dir = qn_str_skip(dir, 2);
        while (dir.n && dir.p[dir.n - 1] == '/')
                dir.n--;
        for (size_t i = 0; dir.n && i < g->n_files; i++) {
                struct qn_str p = g->files[i].path;

                if (p.n > dir.n && memcmp(p.p, dir.p, dir.n) == 0 && p.p[dir.n] == '/' &&
                    !is_nested(p))
                        g->files[i].phases |= BIT(phase);
        }
}

void qn_graph_manifest(struct qn_graph *g, const struct qn_pkgjson *p)
{
        g->pkg = p;
        g->shape++;
        qn_graph_root(g, p->main.text.n ? p->main.text : QN_STR("./index"), QN_PHASE_IMPORT,
                      QN_RUN_LOAD);
        if (p->main.text.n && qn_graph_resolve(g, QN_STR(""), p->main.text, true) == QN_FILE_NONE)
                qn_graph_root(g, QN_STR("./index"), QN_PHASE_IMPORT,
                              QN_RUN_LOAD); /* Node's own fallback */
        qn_graph_root(g, p->module.text, QN_PHASE_IMPORT, QN_RUN_LOAD);
        qn_graph_root(g, p->react_native.text, QN_PHASE_IMPORT, QN_RUN_LOAD);
        root_exports(g, p);
        for (size_t i = 0; i < p->bin.n; i++)
                qn_graph_root(g, p->bin.v[i].value, QN_PHASE_BIN, QN_RUN_OTHER);
        root_directory(g, p->directories_bin.text, QN_PHASE_BIN);
        qn_graph_root(g, p->browser_main.text, QN_PHASE_BROWSER, QN_RUN_LOAD);
        for (size_t i = 0; i < p->browser.n; i++)
                if (p->browser.v[i].value.n && p->browser.v[i].value.p[0] == '.')
                        qn_graph_root(g, p->browser.v[i].value, QN_PHASE_BROWSER, QN_RUN_LOAD);
        qn_graph_root(g, p->unpkg.text, QN_PHASE_BROWSER, QN_RUN_LOAD);
        qn_graph_root(g, p->jsdelivr.text, QN_PHASE_BROWSER, QN_RUN_LOAD);
}

/* --- resolving names --- */

struct path {
        char p[QN_TAR_NAME_MAX + 32];
        size_t n;
};

static struct qn_str view(const struct path *p)
{
        return (struct qn_str){ p->p, p->n };
}

static bool append(struct path *p, struct qn_str s)
{
        if (s.n > sizeof p->p - p->n)
                return false;
        if (s.n)
                memcpy(p->p + p->n, s.p, s.n);
        p->n += s.n;
        return true;
}

/* dir + "/" + spec without . and ..; false when it leaves the package. */
static bool join(struct path *to, struct qn_str dir, struct qn_str spec)
{
        to->n = 0;
        if (!append(to, dir))
                return false;
        while (spec.n) {
                struct qn_str part = qn_str_cut(&spec, '/');

                if (part.n == 0 || qn_str_is(part, "."))
                        continue;
                if (qn_str_is(part, "..")) {
                        ptrdiff_t slash = qn_str_rchr(view(to), '/');

                        if (to->n == 0)
                                return false;
                        to->n = slash < 0 ? 0 : (size_t)slash;
                        continue;
                }
                if ((to->n && !append(to, QN_STR("/"))) || !append(to, part))
                        return false;
        }
        return true;
}

static const char *const extensions[] = { ".js",  ".json", ".node", ".mjs", ".cjs",
                                          ".jsx", ".ts",   ".tsx",  ".mts", ".cts" };

static uint32_t try_extensions(const struct qn_graph *g, struct path *p)
{
        size_t n = p->n;

        for (size_t i = 0; i < QN_ARRAY_SIZE(extensions); i++) {
                uint32_t f;

                if (!append(p, qn_str_c(extensions[i])))
                        return QN_FILE_NONE;
                f = qn_graph_find(g, view(p));
                p->n = n;
                if (f != QN_FILE_NONE)
                        return f;
        }
        return QN_FILE_NONE;
}

/* x.js may stand for x.ts where TypeScript is run as it is. */
static uint32_t try_typescript(const struct qn_graph *g, struct path *p)
{
        struct qn_str s = view(p);
        size_t cut = qn_str_ends(s, ".js")                              ? 3
                     : qn_str_ends(s, ".mjs") || qn_str_ends(s, ".cjs") ? 4
                                                                        : 0;
        uint32_t f;

        if (!cut)
                return QN_FILE_NONE;
        p->n -= cut;
        if (!append(p, cut == 3              ? QN_STR(".ts")
                       : s.p[s.n - 3] == 'm' ? QN_STR(".mts")
                                             : QN_STR(".cts")))
                return QN_FILE_NONE;
        f = qn_graph_find(g, view(p));
        return f;
}

static uint32_t try_file(const struct qn_graph *g, struct path *p)
{
        uint32_t f = p->n ? qn_graph_find(g, view(p)) : QN_FILE_NONE;

        return f != QN_FILE_NONE || !p->n ? f : try_extensions(g, p);
}

/* A directory: the main of its package.json, else index. */
static uint32_t try_directory(const struct qn_graph *g, struct path *p)
{
        size_t n = p->n;
        struct qn_str dir = view(p);
        uint32_t f, found;
        struct path target;

        if (!append(p, n ? QN_STR("/package.json") : QN_STR("package.json")))
                return QN_FILE_NONE;
        f = qn_graph_find(g, view(p));
        p->n = n;
        if (f != QN_FILE_NONE && g->files[f].main.n && join(&target, dir, g->files[f].main)) {
                found = try_file(g, &target);
                if (found == QN_FILE_NONE && target.n && append(&target, QN_STR("/index")))
                        found = try_extensions(g, &target);
                if (found != QN_FILE_NONE)
                        return found;
        }
        if (!append(p, n ? QN_STR("/index") : QN_STR("index")))
                return QN_FILE_NONE;
        return try_extensions(g, p);
}

static uint32_t resolve_path(const struct qn_graph *g, struct qn_str dir, struct qn_str spec)
{
        struct path p;
        uint32_t f;

        if (!join(&p, dir, spec))
                return QN_FILE_NONE;
        f = try_file(g, &p);
        if (f == QN_FILE_NONE)
                f = try_directory(g, &p);
        if (f == QN_FILE_NONE && join(&p, dir, spec))
                f = try_typescript(g, &p);
        return f;
}

/* "#x" through imports, "name/x" through exports: the first target that exists. */
static uint32_t resolve_entries(const struct qn_graph *g, const struct qn_pkgjson_entries *list,
                                struct qn_str subpath)
{
        for (size_t i = 0; i < list->n && i < 4096; i++) {
                const struct qn_pkgjson_entry *e = &list->v[i];
                ptrdiff_t star = qn_str_chr(e->subpath, '*'), hole = qn_str_chr(e->target, '*');
                uint32_t f = QN_FILE_NONE;
                struct path p = { .n = 0 };

                if (!e->target.n || e->target.p[0] != '.' || has_word(e->conditions, "types"))
                        continue;
                if (star < 0 && qn_str_eq(e->subpath, subpath)) {
                        f = resolve_path(g, QN_STR(""), e->target);
                } else if (star >= 0 && hole >= 0 && subpath.n >= e->subpath.n - 1 &&
                           memcmp(subpath.p, e->subpath.p, (size_t)star) == 0) {
                        size_t tail = e->subpath.n - (size_t)star - 1;
                        struct qn_str mid =
                                qn_str_skip(qn_str_take(subpath, subpath.n - tail), (size_t)star);

                        if (append(&p, qn_str_take(e->target, (size_t)hole)) && append(&p, mid) &&
                            append(&p, qn_str_skip(e->target, (size_t)hole + 1)))
                                f = resolve_path(g, QN_STR(""), view(&p));
                }
                if (f != QN_FILE_NONE)
                        return f;
        }
        return QN_FILE_NONE;
}

/* Packages that the tarball bundles. */
static uint32_t resolve_bundled(const struct qn_graph *g, struct qn_str dir, struct qn_str spec)
{
        struct path p;

        for (int up = 0; up < 16; up++) {
                ptrdiff_t slash;
                uint32_t f = QN_FILE_NONE;
                struct path base;

                if (join(&base, dir, QN_STR("node_modules")) && join(&p, view(&base), spec)) {
                        f = try_file(g, &p);
                        if (f == QN_FILE_NONE)
                                f = try_directory(g, &p);
                }
                if (f != QN_FILE_NONE || dir.n == 0)
                        return f;
                slash = qn_str_rchr(dir, '/');
                dir.n = slash < 0 ? 0 : (size_t)slash;
        }
        return QN_FILE_NONE;
}

static uint32_t resolve_self(const struct qn_graph *g, struct qn_str spec)
{
        struct qn_str name = g->pkg ? g->pkg->name.text : (struct qn_str){ 0 };
        char sub[512] = ".";

        if (!name.n || spec.n < name.n || memcmp(spec.p, name.p, name.n) != 0 ||
            (spec.n > name.n && spec.p[name.n] != '/') || spec.n - name.n >= sizeof sub - 1)
                return QN_FILE_NONE;
        memcpy(sub + 1, spec.p + name.n, spec.n - name.n);
        if (g->pkg->exports.n)
                return resolve_entries(g, &g->pkg->exports,
                                       (struct qn_str){ sub, spec.n - name.n + 1 });
        return resolve_path(g, QN_STR(""), (struct qn_str){ sub, spec.n - name.n + 1 });
}

uint32_t qn_graph_resolve(const struct qn_graph *g, struct qn_str dir, struct qn_str spec, bool run)
{
        uint32_t f;
        ptrdiff_t query = qn_str_chr(spec, '?');

        if (query > 0) /* import './x.js?worker' */
                spec.n = (size_t)query;
        if (!spec.n || qn_str_starts(spec, "node:"))
                return QN_FILE_NONE;
        if (qn_str_starts(spec, "file:"))
                spec = qn_str_skip(spec, 5);
        if (spec.p[0] == '.' || run || spec.p[0] == '/')
                return resolve_path(g, spec.p[0] == '/' ? QN_STR("") : dir, spec);
        if (spec.p[0] == '#')
                return g->pkg ? resolve_entries(g, &g->pkg->imports, spec) : QN_FILE_NONE;
        f = resolve_self(g, spec);
        return f != QN_FILE_NONE ? f : resolve_bundled(g, dir, spec);
}

/* --- walking --- */

struct walk {
        struct qn_graph *g;
        uint32_t *stack;
        size_t n, cap;
        uint8_t *done; /* phases of a file that were followed */
};

static void reach(struct walk *w, uint32_t f, uint8_t phases, bool run)
{
        struct qn_graph_file *file = &w->g->files[f];

        if (run)
                file->flags |= QN_GF_RUN;
        file->phases |= phases;
        if ((file->phases & ~w->done[f]) == 0)
                return;
        if (QN_ARENA_ROOM(w->g->a, w->stack, w->n, w->cap) < 0) {
                w->g->full = true;
                return;
        }
        w->stack[w->n++] = f;
}

static struct qn_str directory(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return qn_str_take(path, slash < 0 ? 0 : (size_t)slash);
}

/* What a file that is loaded in these phases does to one that it names inside a function. */
static uint8_t when_called(uint8_t phases)
{
        uint8_t to = phases & (BIT(QN_PHASE_INSTALL) | BIT(QN_PHASE_EDITOR) | BIT(QN_PHASE_BIN) |
                               BIT(QN_PHASE_BROWSER) | BIT(QN_PHASE_CALL));

        return phases & BIT(QN_PHASE_IMPORT) ? to | BIT(QN_PHASE_CALL) : to;
}

/* The file that an edge leads to. */
static uint32_t target_of(struct qn_graph *g, struct qn_graph_edge *e)
{
        if (e->shape == g->shape)
                return e->to;
        e->to = qn_graph_resolve(g, directory(g->files[e->from].path), e->spec, e->run);
        if (e->to == QN_FILE_NONE &&
            e->run) /* a path from the working directory: the package's own */
                e->to = qn_graph_resolve(g, QN_STR(""), e->spec, true);
        e->shape = g->shape;
        return e->to;
}

static void follow(struct walk *w, uint32_t f)
{
        struct qn_graph *g = w->g;
        uint8_t phases = g->files[f].phases;
        bool run = g->files[f].flags & QN_GF_RUN;

        w->done[f] = phases;
        for (uint32_t i = g->files[f].edges; i; i = g->edges[i - 1].next) {
                struct qn_graph_edge *e = &g->edges[i - 1];
                uint32_t to = target_of(g, e);

                if (to != QN_FILE_NONE)
                        reach(w, to, e->call ? when_called(phases) : phases,
                              e->run == QN_RUN_JS || (run && e->run == QN_RUN_LOAD));
        }
}

/* What Node (or Bun) would take for something other than JavaScript. */
static bool never_js(struct qn_str path)
{
        static const char *const other[] = { ".json",  ".node", ".wasm", ".d.ts", ".d.mts",
                                             ".d.cts", ".map",  ".html", ".htm" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(other); i++)
                if (qn_str_ends(path, other[i]))
                        return true;
        return false;
}

size_t qn_graph_walk(struct qn_graph *g)
{
        struct walk w = { .g = g, .done = qn_arena_calloc(g->a, g->n_files + 1, 1) };
        size_t wanted = 0;

        if (!w.done) {
                g->full = true;
                return 0;
        }
        for (size_t i = 0; i < g->n_roots; i++) {
                const struct qn_graph_root *r = &g->roots[i];
                uint32_t f = qn_graph_resolve(g, QN_STR(""), r->spec, true);

                if (f != QN_FILE_NONE)
                        reach(&w, f, BIT(r->phase), r->run == QN_RUN_JS);
        }
        for (size_t i = 0; i < g->n_files; i++)
                if (g->files[i].phases & ~w.done[i])
                        reach(&w, (uint32_t)i, g->files[i].phases, false);
        while (w.n)
                follow(&w, w.stack[--w.n]);
        for (size_t i = 0; i < g->n_files; i++) {
                struct qn_graph_file *f = &g->files[i];

                if (f->phases &&
                    (f->flags & (QN_GF_JS | QN_GF_TEXT | QN_GF_WANTED)) == QN_GF_TEXT &&
                    !never_js(f->path) && (!(f->flags & QN_GF_OTHER) || f->flags & QN_GF_RUN)) {
                        f->flags |= QN_GF_WANTED;
                        wanted++;
                }
        }
        return wanted;
}

enum qn_phase qn_graph_phase(uint8_t phases, unsigned when)
{
        if (when & QN_WHEN_PHASE)
                return (enum qn_phase)(when & 0x3f);
        if (when == QN_WHEN_CALL && (phases & (BIT(QN_PHASE_IMPORT) | BIT(QN_PHASE_BROWSER))))
                phases = (uint8_t)((phases & ~(BIT(QN_PHASE_IMPORT) | BIT(QN_PHASE_BROWSER))) |
                                   BIT(QN_PHASE_CALL));
        for (unsigned p = 0; p < QN_PHASE_NEVER; p++)
                if (phases & BIT(p))
                        return (enum qn_phase)p;
        return QN_PHASE_NEVER;
}
