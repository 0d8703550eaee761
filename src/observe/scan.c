#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "observe/diff.h"
#include "observe/farm.h"
#include "observe/foreign.h"
#include "observe/js.h"
#include "observe/literal.h"
#include "observe/native.h"
#include "observe/nested.h"
#include "observe/observers.h"
#include "observe/popular.h"
#include "observe/recipe.h"
#include "observe/scan-priv.h"
#include "observe/vm.h"
#include "parse/binfmt.h"
#include "parse/js.h"
#include "parse/pkgjson.h"

#define JSON_MAX  ((size_t)256 << 10) /* of a file that programs may read settings from */
#define KEEP_FILE ((size_t)4 << 20)   /* memory kept between files and between packages */
#define KEEP_PKG  ((size_t)4 << 20)
#define KEEP_JS   ((size_t)48 << 20)
#define KEEP_TREE ((size_t)128 << 20) /* of the parser's, from one file of a package to the next */
#define ROUNDS    6u                  /* how often files may turn out to be wanted again */
#define WEAK_MAX \
        (QN_EVENTS_MAX / 4) /* more events than this: ordinary ones are told once a package */

int qn_observers_load(const char *data_dir, struct qn_observers **ret, struct qn_err *reterr)
{
        _cleanup_(qn_observers_freep) struct qn_observers *o = calloc(1, sizeof *o);
        int r;

        if (!o)
                return -ENOMEM;
        o->arena = QN_ARENA_INIT((size_t)32 << 20);
        if ((r = qn_classes_load(data_dir, &o->arena, &o->classes, reterr)) < 0 ||
            (r = qn_commands_load(data_dir, &o->classes, &o->arena, &o->commands, reterr)) < 0 ||
            (r = qn_js_apis_load(data_dir, &o->arena, &o->apis, reterr)) < 0 ||
            (r = qn_foreign_load(data_dir, &o->arena, &o->foreign, reterr)) < 0 ||
            (r = qn_popular_load(data_dir, &o->arena, &o->popular, reterr)) < 0 ||
            (r = qn_literals_load(data_dir, "literals.yaml", NULL, &o->arena, &o->literals,
                                  reterr)) < 0 ||
            (r = qn_natives_load(data_dir, &o->arena, &o->natives, reterr)) < 0 ||
            (r = qn_farms_load(data_dir, &o->arena, &o->farms, reterr)) < 0)
                return r;
        *ret = TAKE_PTR(o);
        return 0;
}

struct qn_observers *qn_observers_free(struct qn_observers *o)
{
        if (!o)
                return NULL;
        qn_literals_done(o->literals);
        qn_natives_done(o->natives);
        qn_arena_done(&o->arena);
        free(o);
        return NULL;
}

void qn_observers_freep(struct qn_observers **o)
{
        qn_observers_free(*o);
}

int qn_scan_new(const struct qn_observers *o, struct qn_scan **ret)
{
        _cleanup_(qn_scan_freep) struct qn_scan *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return -ENOMEM;
        s->o = o;
        s->pkg = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        s->tmp = QN_ARENA_INIT(QN_PKG_ARENA_MAX);
        qn_sink_init(&s->sink, &s->pkg);
        s->js = qn_js_new();
        if (!s->js)
                return -ENOMEM;
        r = qn_vm_new(o, &s->vm);
        if (r < 0)
                return r;
        r = qn_literal_scan_new(o->literals, &s->literal);
        if (r == 0)
                r = qn_native_scan_new(o->natives, &s->native);
        if (r < 0)
                return r;
        qn_scan_begin(s);
        *ret = TAKE_PTR(s);
        return 0;
}

struct qn_scan *qn_scan_free(struct qn_scan *s)
{
        if (!s)
                return NULL;
        qn_sink_done(&s->sink);
        qn_js_free(s->js);
        qn_vm_free(s->vm);
        qn_literal_scan_free(s->literal);
        qn_literal_scan_free(s->native);
        qn_nested_done(s);
        qn_arena_done(&s->pkg);
        qn_arena_done(&s->tmp);
        free(s);
        return NULL;
}

void qn_scan_freep(struct qn_scan **s)
{
        qn_scan_free(*s);
}

void qn_scan_begin(struct qn_scan *s)
{
        qn_arena_reset(&s->pkg, KEEP_PKG);
        qn_arena_reset(&s->tmp, KEEP_FILE);
        qn_sink_reset(&s->sink);
        qn_graph_init(&s->graph, &s->pkg);
        qn_vm_begin(s->vm);
        qn_event_set_init(&s->set, &s->pkg);
        s->diff = NULL;
        s->kinds = s->nested_bytes = s->nested_files = 0;
        s->nested = 0;
        s->named_secret = s->obfuscated = s->changed = false;
        s->stats = (struct qn_scan_stats){ 0 };
        s->manifest = NULL;
        s->manifest_data = (struct qn_str){ 0 };
        s->readme = s->tea = (struct qn_str){ 0 };
        s->manifest_bad = s->prepared = s->no_entry = false;
        s->gyps = NULL;
        s->n_gyps = s->gyps_cap = 0;
        s->todo = NULL;
        s->n_todo = s->todo_cap = 0;
        s->rounds = 0;
        s->path = (struct qn_str){ 0 };
        s->file = QN_FILE_NONE;
}

void qn_scan_compare(struct qn_scan *s, struct qn_diff *d)
{
        s->diff = d;
}

const struct qn_pkgjson *qn_scan_manifest(const struct qn_scan *s)
{
        return s->manifest;
}

void qn_scan_stats(const struct qn_scan *s, struct qn_scan_stats *ret)
{
        *ret = s->stats;
}

/* --- events about the archive --- */

static int add_note(struct qn_scan *s, enum qn_event_kind kind, const char *what,
                    struct qn_str path, const char *detail)
{
        struct qn_event e = qn_observe_make(kind);
        struct qn_sink *sink = &s->sink;
        uint32_t was = sink->file;

        e.phase = QN_WHEN_PHASE + QN_PHASE_NEVER;
        qn_event_attr(&e, QN_ATTR_WHAT, qn_str_c(what));
        qn_event_attr(&e, QN_ATTR_PATH, path);
        qn_event_attr(&e, QN_ATTR_DETAIL, qn_str_c(detail));
        sink->file = QN_FILE_NONE;
        qn_sink_add(sink, &e);
        sink->file = was;
        return 0;
}

int qn_scan_odd(struct qn_scan *s, const char *what, struct qn_str path)
{
        return add_note(s, QN_EVENT_ARCHIVE_ODD, what, path, NULL);
}

/* Nothing runs a file inside an archive by itself: a limit there hides nothing, and is told only. */
int qn_scan_unanalysed(struct qn_scan *s, const char *what, struct qn_str path, const char *detail)
{
        if (s->nested)
                return add_note(s, QN_EVENT_BINARY_ODD, "limit", path, detail);
        return add_note(s, QN_EVENT_UNANALYSED, what, path, detail);
}

/* --- one file --- */

static bool has_extension(struct qn_str path, const char *const *list)
{
        for (; *list; list++)
                if (qn_str_ends(path, *list))
                        return true;
        return false;
}

static bool is_declaration(struct qn_str p)
{
        static const char *const ext[] = { ".d.ts", ".d.mts", ".d.cts", ".map", NULL };

        return has_extension(p, ext);
}

static bool is_javascript(const struct qn_scan_file *f)
{
        static const char *const ext[] = { ".js",  ".mjs", ".cjs", ".jsx", ".ts",
                                           ".mts", ".cts", ".tsx", NULL };
        struct qn_str prog;

        if (has_extension(f->path, ext))
                return !is_declaration(f->path);
        prog = qn_hashbang(f->data);
        return qn_str_is(prog, "node") || qn_str_is(prog, "bun") || qn_str_is(prog, "nodejs") ||
               qn_str_is(prog, "tsx");
}

static bool is_shell(const struct qn_scan_file *f)
{
        static const char *const ext[] = {
                ".sh", ".bash", ".zsh", ".command", ".bat", ".cmd", NULL
        };
        struct qn_str prog = qn_hashbang(f->data);

        return has_extension(f->path, ext) || qn_str_is(prog, "sh") || qn_str_is(prog, "bash") ||
               qn_str_is(prog, "zsh") || qn_str_is(prog, "dash");
}

static bool is_html(struct qn_str p)
{
        return qn_str_ends(p, ".html") || qn_str_ends(p, ".htm") || qn_str_ends(p, ".svg") ||
               qn_str_ends(p, ".xhtml");
}

static bool is_manifest(struct qn_str p)
{
        return qn_str_ends(p, "package.json") || qn_str_ends(p, ".gyp") || qn_str_ends(p, ".gypi");
}

/* To the machine. */
static void offer(struct qn_scan *s, const struct qn_scan_file *f, const struct qn_js_ast *tree)
{
        if (f->stays)
                qn_vm_add(s->vm, s->file, s->path, qn_cur_rest(&f->data), tree);
        else
                qn_vm_add_copy(s->vm, s->file, s->path, qn_cur_rest(&f->data));
}

static void observe_javascript(struct qn_scan *s, const struct qn_scan_file *f)
{
        struct qn_graph_file *g = &s->graph.files[s->file];
        const struct qn_js_ast *tree;

        g->flags |= QN_GF_JS;
        g->flags &= (uint16_t)~QN_GF_WANTED;
        s->stats.js_files++;
        s->stats.js_bytes += s->nested ? 0 : qn_cur_left(&f->data);
        if (f->size > qn_cur_left(&f->data) || f->size > QN_JS_FILE_MAX) {
                if (qn_scan_unanalysed(s, "size", f->path,
                                       "the program is too large to be parsed") < 0)
                        s->graph.full = true;
                return;
        }
        tree = qn_js_observe(s, qn_cur_rest(&f->data));
        if (!s->nested)
                offer(s, f, qn_worth_keeping(s) ? tree : NULL);
        qn_js_trim(s->js, KEEP_TREE);
}

static void observe_shell(struct qn_scan *s, struct qn_str text)
{
        struct qn_site site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 };
        struct qn_command_sum sum;

        s->graph.files[s->file].flags |= QN_GF_OTHER;
        qn_site_command(s, &site, text, &sum);
}

static void observe_foreign(struct qn_scan *s, const struct qn_scan_file *f)
{
        struct qn_site site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 };
        const struct qn_foreign_lang *l =
                qn_foreign_file(s->o->foreign, f->path, qn_hashbang(f->data));

        if (!l)
                return;
        s->graph.files[s->file].flags |= QN_GF_OTHER;
        qn_foreign_observe(s, &site, l, qn_cur_rest(&f->data));
}

static void observe_text(struct qn_scan *s, const struct qn_scan_file *f)
{
        struct qn_site site = { .file = s->file, .when = QN_WHEN_LOAD, .root = -1 };
        struct qn_str text = qn_cur_rest(&f->data);
        bool js = is_javascript(f);

        if (qn_editor_file(s, f->path, f->data)) {
                qn_literal_observe(s, &site, text);
                return;
        }
        if (is_manifest(f->path))
                qn_manifest_take(s, f->path, f->data);
        if (!is_declaration(f->path)) {
                qn_text_observe(s, &site, text);
                qn_literal_observe(s, &site, text);
                if (f->tail.p)
                        qn_literal_observe(s, &site, qn_cur_rest(&f->tail));
        }
        if (js)
                observe_javascript(s, f);
        else if (is_shell(f))
                observe_shell(s, text);
        else if (is_html(f->path))
                qn_html_observe(s, text);
        else if (!qn_recipe_observe(s, f->path, text))
                observe_foreign(s, f);
}

/* --- a file, and code in its texts --- */

int qn_scan_known(struct qn_scan *s, struct qn_cur known)
{
        return qn_known_open(known, &s->known);
}

void qn_known_observe(struct qn_scan *s, const struct qn_site *site, struct qn_str text)
{
        struct qn_event e;

        if (qn_known_text(&s->known, text, &e))
                qn_site_event(s, site, &e);
}

static void look_for_known_file(struct qn_scan *s, const struct qn_scan_file *f)
{
        const struct qn_site site = { 0 };
        struct qn_event e;
        char hex[65];

        if (f->size == qn_cur_left(&f->data) && qn_known_file(&s->known, s->path, f->data, hex, &e))
                qn_site_event(s, &site, &e);
}

/* What says what the package is for, and who is to be paid for it. */
static void keep_document(struct qn_scan *s, const struct qn_scan_file *f)
{
        bool readme = qn_str_ieq(qn_str_take(f->path, 6), QN_STR("readme"));
        struct qn_str *to = readme ? &s->readme : qn_str_is(f->path, "tea.yaml") ? &s->tea : NULL;

        if (!to || to->p || s->nested || qn_str_chr(f->path, '/') >= 0)
                return;
        *to = qn_arena_dup(&s->pkg, qn_str_take(qn_cur_rest(&f->data), QN_FARM_TEXT_MAX));
}

int qn_scan_file(struct qn_scan *s, const struct qn_scan_file *f)
{
        bool again;

        s->archive = false;
        s->path = f->path;
        s->file = qn_graph_file(&s->graph, f->path);
        if (s->file == QN_FILE_NONE)
                return 0;
        s->path = s->graph.files[s->file].path;
        s->secret_literal = false;
        qn_sink_file(&s->sink, s->path);
        again = s->graph.files[s->file].flags & QN_GF_WANTED;
        if (again) {
                observe_javascript(s, f);
        } else {
                s->stats.files++;
                s->stats.bytes += f->size;
                look_for_known_file(s, f);
                keep_document(s, f);
                /* Node runs a program that holds NUL bytes, and npm reads such a manifest: bytes decide what a
                 * file is only where its name does not. */
                if (qn_binary_observe(s, f) || is_javascript(f) || is_manifest(f->path) ||
                    is_shell(f))
                        observe_text(s, f);
        }
        if (qn_str_ends(s->path, ".json") && f->size <= JSON_MAX && !s->nested &&
            f->size == qn_cur_left(&f->data))
                offer(s, f, NULL);
        qn_scan_run_todo(s);
        qn_worth_note(s);
        qn_arena_reset(&s->tmp, KEEP_FILE);
        if (s->archive && !again && qn_nested_observe(s, f) < 0)
                return -ENOMEM;
        return s->graph.full && s->pkg.total < s->pkg.max / 2 ? -ENOMEM : 0;
}

bool qn_scan_is_program(const struct qn_scan_file *f)
{
        return is_javascript(f) && f->size <= qn_cur_left(&f->data) && f->size <= QN_JS_FILE_MAX;
}

void qn_scan_learn(struct qn_scan *s, struct qn_str path, struct qn_str text)
{
        struct qn_str was = s->path;

        s->path = path;
        if (qn_js_learn(s, qn_diff_shortened(s->diff, path, text)))
                qn_diff_learn_lines(s->diff, text);
        s->path = was;
        qn_js_trim(s->js, KEEP_TREE);
        qn_arena_reset(&s->tmp, KEEP_FILE);
}

void qn_scan_deepen(struct qn_scan *s)
{
        qn_scan_run_todo(s); /* what the manifest brought */
        qn_vm_run(s->vm, s, qn_worth_reach(s));
        qn_vm_note_limits(s->vm, s);
        qn_scan_run_todo(s);
        qn_arena_reset(&s->tmp, KEEP_FILE);
}

void qn_scan_packument(struct qn_scan *s, struct qn_cur packument, struct qn_str version)
{
        s->packument = packument;
        s->wanted = version;
}

size_t qn_scan_pending(struct qn_scan *s)
{
        qn_manifest_prepare(s);
        if (s->rounds >= ROUNDS)
                return 0;
        s->rounds++;
        return qn_graph_walk(&s->graph);
}

bool qn_scan_wants(struct qn_scan *s, struct qn_str path)
{
        uint32_t f = qn_graph_find(&s->graph, path);

        return f != QN_FILE_NONE && s->graph.files[f].flags & QN_GF_WANTED;
}

/* --- sites --- */

void qn_place_of(struct qn_str data, uint32_t off, uint32_t *ret_line, uint32_t *ret_col)
{
        struct qn_str left = qn_str_take(data, off);
        uint32_t line = 1;
        ptrdiff_t nl;

        while ((nl = qn_str_chr(left, '\n')) >= 0) {
                line++;
                left = qn_str_skip(left, (size_t)nl + 1);
        }
        *ret_line = line;
        *ret_col = (uint32_t)left.n + 1;
}

/* An event of a file that may lie in new code. */
static void add_compared(struct qn_scan *s, struct qn_event *e)
{
        struct qn_str path = s->sink.files[s->sink.file];
        uint32_t off = e->off, i;

        e->fresh = (uint8_t)qn_diff_code(s->diff, path, off);
        i = qn_sink_add(&s->sink, e);
        if (i != QN_SINK_NONE)
                qn_diff_place(s->diff, path, off, i);
}

void qn_site_event(struct qn_scan *s, const struct qn_site *site, struct qn_event *e)
{
        e->phase = site->when;
        e->off = site->off;
        e->line = site->line;
        e->column = site->column;
        if (!e->text.n)
                e->text = site->text;
        if (s->diff && s->sink.file < s->sink.n_files)
                add_compared(s, e);
        else
                qn_sink_add(&s->sink, e);
}

/* How files are named that lie beside the script, or in the folder that is open. */
static struct qn_str below_package(struct qn_str path)
{
        static const char *const here[] = { "$INIT_CWD/",
                                            "$PWD/",
                                            "${PWD}/",
                                            "%~dp0",
                                            "$PSScriptRoot/",
                                            "$(dirname $0)/",
                                            "${workspaceFolder}/",
                                            "${workspaceRoot}/",
                                            "$CLAUDE_PROJECT_DIR/",
                                            "${CLAUDE_PROJECT_DIR}/",
                                            "$CURSOR_PROJECT_DIR/" };

        for (size_t i = 0; i < QN_ARRAY_SIZE(here); i++)
                if (qn_str_starts(path, here[i]))
                        path = qn_str_skip(path, strlen(here[i]));
        return path;
}

static void reach_file(struct qn_scan *s, const struct qn_site *site, struct qn_str path,
                       enum qn_graph_run run)
{
        path = below_package(path);
        if (site->root >= 0)
                qn_graph_root(&s->graph, path, (enum qn_phase)site->root, run);
        else
                qn_graph_edge(&s->graph, site->file, path, site->when == QN_WHEN_CALL, run);
}

void qn_site_file(struct qn_scan *s, const struct qn_site *site, struct qn_str path, bool run)
{
        reach_file(s, site, path, run ? QN_RUN_JS : QN_RUN_LOAD);
}

void qn_site_program(struct qn_scan *s, const struct qn_site *site, struct qn_str path,
                     struct qn_str lang)
{
        reach_file(s, site, path, qn_str_is(lang, "js") ? QN_RUN_JS : QN_RUN_OTHER);
}

void qn_site_code(struct qn_scan *s, const struct qn_site *site, struct qn_str code,
                  struct qn_str lang)
{
        struct qn_todo_code t = { .path = s->path, .site = *site };

        if (s->n_todo >= QN_SCAN_TODO_MAX || site->depth >= QN_COMMAND_DEPTH_MAX) {
                if (qn_scan_unanalysed(s, "nested-code", s->path,
                                       "code inside code, more than is followed") < 0)
                        s->graph.full = true;
                return;
        }
        t.code = qn_arena_dup(&s->pkg, code);
        t.lang = qn_arena_dup(&s->pkg, lang);
        t.site.text = (struct qn_str){ 0 };
        t.site.depth++;
        if (!t.code.p || !t.lang.p || QN_ARENA_ROOM(&s->pkg, s->todo, s->n_todo, s->todo_cap) < 0)
                return;
        s->todo[s->n_todo++] = t;
}

struct on {
        struct qn_scan *s;
        const struct qn_site *site;
};

static void on_event(void *ctx, struct qn_event *e)
{
        struct on *on = ctx;

        qn_site_event(on->s, on->site, e);
}

static void on_file(void *ctx, struct qn_str path, struct qn_str lang)
{
        struct on *on = ctx;

        qn_site_program(on->s, on->site, path, lang);
}

static void on_code(void *ctx, struct qn_str code, struct qn_str lang)
{
        struct on *on = ctx;

        qn_site_code(on->s, on->site, code, lang);
}

static void note_cut(struct qn_scan *s, int r, const struct qn_command_sum *sum)
{
        if (r < 0 || sum->cut)
                if (qn_scan_unanalysed(s, "command", s->path,
                                       "a command line is longer than is read") < 0)
                        s->graph.full = true;
}

void qn_site_command(struct qn_scan *s, const struct qn_site *site, struct qn_str line,
                     struct qn_command_sum *ret)
{
        struct on on = { s, site };
        struct qn_command_host host = { &on, on_event, on_file, on_code, NULL };

        *ret = (struct qn_command_sum){ 0 };
        note_cut(s, qn_command_observe(s->o->commands, line, &s->tmp, &host, ret), ret);
}

void qn_site_argv(struct qn_scan *s, const struct qn_site *site, const struct qn_str *argv,
                  size_t argc, struct qn_command_sum *ret)
{
        struct on on = { s, site };
        struct qn_command_host host = { &on, on_event, on_file, on_code, NULL };

        *ret = (struct qn_command_sum){ 0 };
        note_cut(s, qn_command_observe_argv(s->o->commands, argv, argc, &s->tmp, &host, ret), ret);
}

/* Code found in strings; it may hold further code, which joins the queue. */
void qn_scan_run_todo(struct qn_scan *s)
{
        const struct qn_foreign_lang *l;
        struct qn_command_sum sum;

        for (size_t i = 0; i < s->n_todo; i++) {
                struct qn_todo_code t = s->todo[i];

                s->path = t.path;
                s->file = qn_graph_find(&s->graph, t.path);
                qn_sink_file(&s->sink, t.path);
                if (qn_str_is(t.lang, "js")) {
                        qn_js_observe_code(s, &t.site, t.code);
                        qn_text_observe(s, &t.site, t.code);
                        qn_literal_observe(s, &t.site, t.code);
                        qn_vm_add_code(s->vm, s->file, t.path, t.code, &t.site);
                } else
                        qn_literal_observe(s, &t.site, t.code);
                if (qn_str_is(t.lang, "shell") || qn_str_is(t.lang, "powershell"))
                        qn_site_command(s, &t.site, t.code, &sum);
                l = qn_foreign_named(s->o->foreign, t.lang);
                if (l)
                        qn_foreign_observe(s, &t.site, l, t.code);
        }
        s->n_todo = 0;
}

/* --- the end --- */

/* What ordinary packages do all the time: told once a package when there is a lot of it. */
static bool is_weak(const struct qn_event *e)
{
        return !e->labels &&
               (e->kind == QN_EVENT_MODULE_LOAD || e->kind == QN_EVENT_ENV_READ ||
                e->kind == QN_EVENT_FILE_READ || e->kind == QN_EVENT_FILE_WRITE ||
                e->kind == QN_EVENT_DIR_LIST || e->kind == QN_EVENT_MODULE_LOAD_DYNAMIC ||
                e->kind == QN_EVENT_URL_LITERAL || e->kind == QN_EVENT_NET_CONNECT ||
                e->kind == QN_EVENT_CODE_DECODE || e->kind == QN_EVENT_SYSINFO_READ ||
                e->kind == QN_EVENT_ENV_PROBE || e->kind == QN_EVENT_OBFUSCATION ||
                e->kind == QN_EVENT_BINARY_FILE);
}

struct order {
        const struct qn_pending *p;
        struct qn_str path;
};

static int cmp_order(const void *pa, const void *pb)
{
        const struct order *a = pa, *b = pb;
        int c = qn_str_cmp(a->path, b->path);

        if (c)
                return c;
        if (a->p->e.off != b->p->e.off)
                return a->p->e.off < b->p->e.off ? -1 : 1;
        return (a->p->hash > b->p->hash) - (a->p->hash < b->p->hash);
}

static uint32_t set_file(struct qn_scan *s, struct qn_str path)
{
        return path.n ? qn_event_set_file(&s->set, path) : QN_FILE_NONE;
}

/* A weak event that another file of the package has shown already. */
static bool told(struct qn_scan *s, struct qn_map *seen, const struct qn_pending *p,
                 enum qn_phase phase)
{
        uint64_t key[2] = { p->hash, phase };
        struct qn_str k = qn_arena_dup(&s->tmp, (struct qn_str){ (const char *)key, sizeof key });

        return k.p && qn_map_add(seen, &s->tmp, k, 0, NULL) == 1;
}

static void hand_over(struct qn_scan *s, const struct order *list, size_t n, bool weak)
{
        struct qn_map seen = { 0 };
        bool once = n > WEAK_MAX;

        for (size_t i = 0; i < n; i++) {
                const struct qn_pending *p = list[i].p;
                struct qn_event e = p->e;
                uint32_t f = list[i].path.n ? qn_graph_find(&s->graph, list[i].path) : QN_FILE_NONE;
                uint8_t phases = f == QN_FILE_NONE ? 0 : s->graph.files[f].phases;
                enum qn_phase phase = qn_graph_phase(phases, e.phase);

                if (is_weak(&e) != weak || (weak && once && told(s, &seen, p, phase)))
                        continue;
                e.phase = (uint8_t)phase;
                e.file = set_file(s, list[i].path);
                qn_event_add(&s->set, &e); /* a set that is full says so itself */
        }
}

/* Code that runs at install time and does not parse is not understood. */
static void note_errors(struct qn_scan *s)
{
        for (size_t i = 0; i < s->graph.n_files; i++) {
                const struct qn_graph_file *f = &s->graph.files[i];

                if ((f->flags & QN_GF_ERRORS) && (f->phases & (1u << QN_PHASE_INSTALL)) &&
                    !(f->flags & QN_GF_WANTED) &&
                    qn_scan_unanalysed(s, "syntax", f->path,
                                       "a file that runs at install time does not parse") < 0)
                        s->graph.full = true;
        }
}

int qn_scan_finish(struct qn_scan *s, struct qn_str integrity, const struct qn_event_set **ret)
{
        struct order *list;
        size_t n;
        int r;

        qn_manifest_prepare(s);
        if (qn_graph_walk(&s->graph) && s->rounds >= ROUNDS &&
            qn_scan_unanalysed(s, "rounds", (struct qn_str){ 0 },
                               "files load files in a chain too long to follow") < 0)
                return -ENOMEM;
        note_errors(s);
        qn_meta_observe(s);
        if (s->diff)
                qn_diff_finish(s->diff, s);
        if ((s->graph.full || s->sink.full) &&
            qn_scan_unanalysed(s, "memory", (struct qn_str){ 0 },
                               "the package holds more than is kept of one package") < 0)
                return -ENOMEM;
        qn_arena_reset(&s->tmp, KEEP_FILE);
        qn_js_trim(s->js, KEEP_JS);
        n = s->sink.n;
        list = qn_arena_calloc(&s->tmp, n + 1, sizeof *list);
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                uint32_t f = s->sink.list[i].e.file;

                list[i] = (struct order){ &s->sink.list[i], f == QN_FILE_NONE ? (struct qn_str){ 0 }
                                                                              : s->sink.files[f] };
        }
        qsort(list, n, sizeof *list, cmp_order);
        if (s->manifest) {
                s->set.name = s->manifest->name.text;
                s->set.version = s->manifest->version.text;
        }
        s->set.integrity = qn_arena_dup(&s->pkg, integrity);
        hand_over(s, list, n, false);
        hand_over(s, list, n, true);
        r = qn_event_set_seal(&s->set);
        if (r < 0)
                return r;
        *ret = &s->set;
        return 0;
}
