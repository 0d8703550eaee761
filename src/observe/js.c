/* Walks a syntax tree once, with its own stack: each node that matters goes to js-call.c or js-misc.c; functions are noted
 * with how they come to run.  Events wait until the whole file was seen, because only then it is known which functions
 * run when the file is loaded, and what flows where. */
#include "observe/js.h"

#include <errno.h>

#include "base/limits.h"
#include "observe/diff.h"
#include "observe/js-priv.h"

#define EXCERPT       120
#define FLOOD_BYTES   ((size_t)1 << 20) /* comments in one file */
#define EVAL_PER_NODE 4

struct visit {
        uint32_t node, func, parent;
        bool inherits; /* a function here runs when the code around it runs */
};

struct walk {
        struct qn_js_file *j;
        struct visit *stack;
        size_t n, cap;
};

/* --- events --- */

static struct qn_str excerpt(const struct qn_js_file *j, uint32_t node)
{
        const struct qn_js_node *n = qn_jsn(j, node);
        struct qn_str s = qn_str_skip(qn_str_take(j->ast->source, n->end), n->start);
        ptrdiff_t nl;

        s = qn_str_take(s, EXCERPT);
        nl = qn_str_chr(s, '\n');
        return nl > 0 ? qn_str_take(s, (size_t)nl) : s;
}

struct qn_js_event *qn_jso_emit(struct qn_js_file *j, const struct qn_event *e, uint32_t node)
{
        struct qn_js_event *to;

        if (QN_ARENA_ROOM(j->a, j->events, j->n_events, j->events_cap) < 0) {
                j->lost = true;
                return NULL;
        }
        to = &j->events[j->n_events++];
        *to = (struct qn_js_event){ .e = *e, .func = j->func, .node = node };
        return to;
}

struct qn_site qn_jso_site(struct qn_js_file *j, uint32_t node)
{
        struct qn_site site = {
                .file = j->s->file, .when = QN_WHEN_LOAD, .root = -1, .text = excerpt(j, node)
        };

        if (j->outer) {
                site = *j->outer;
                site.text = excerpt(j, node);
                return site;
        }
        site.when = j->funcs[j->func].loads ? QN_WHEN_LOAD : QN_WHEN_CALL;
        site.off = qn_jsn(j, node)->start;
        qn_js_place(j->s->js, site.off, &site.line, &site.column);
        return site;
}

static void deliver(struct qn_js_file *j, struct qn_js_event *ev)
{
        struct qn_site site;

        j->func = ev->func;
        site = qn_jso_site(j, ev->node);
        qn_site_event(j->s, &site, &ev->e);
}

/* --- functions --- */

static uint32_t new_function(struct qn_js_file *j, uint32_t node, uint32_t parent, bool inherits)
{
        uint32_t scope = qn_jsn(j, node)->val;

        if (QN_ARENA_ROOM(j->a, j->funcs, j->n_funcs, j->funcs_cap) < 0) {
                j->lost = true;
                return parent;
        }
        j->funcs[j->n_funcs] =
                (struct qn_js_func){ .node = node, .parent = parent, .inherits = inherits };
        if (scope < j->ast->n_scopes)
                j->func_of[scope] = (uint32_t)j->n_funcs;
        return (uint32_t)j->n_funcs++;
}

/* Numeric and path-like keys are how bundlers keep modules: those functions run when the bundle does. */
static bool is_bundle_key(const struct qn_js_file *j, uint32_t property)
{
        const struct qn_js_node *key = qn_jsn(j, qn_jsn(j, property)->first);
        struct qn_str text;

        if (key->type == QN_JS_NUMBER)
                return true;
        if (key->type != QN_JS_STRING)
                return false;
        text = qn_str_skip(qn_str_take(j->ast->source, key->end), key->start);
        return qn_str_chr(text, '/') >= 0 || qn_str_chr(text, '.') >= 0;
}

static bool passes_on(const struct qn_js_file *j, const struct visit *v, unsigned type)
{
        switch (type) {
        case QN_JS_CALL:
        case QN_JS_NEW:
                return true;
        case QN_JS_MEMBER: /* (function () {}).call(this) */
        case QN_JS_INDEX:
        case QN_JS_SPREAD:
        case QN_JS_COND:
        case QN_JS_SEQUENCE:
        case QN_JS_ASSIGN:
        case QN_JS_ARRAY:
                return v->inherits;
        case QN_JS_PROPERTY:
                return is_bundle_key(j, v->node);
        default:
                return false;
        }
}

/* --- the walk --- */

static void push(struct walk *w, struct visit v)
{
        if (QN_ARENA_ROOM(w->j->a, w->stack, w->n, w->cap) < 0) {
                w->j->lost = true;
                return;
        }
        w->stack[w->n++] = v;
}

/* Siblings come after what stands below v, so that everything is met in the order of the source, and of memory. */
static void push_next(struct walk *w, const struct visit *v)
{
        uint32_t next = w->j->ast->nodes[v->node].next;

        if (next && v->parent)
                push(w, (struct visit){ next, v->func, v->parent, v->inherits });
}

static void push_children(struct walk *w, const struct visit *v, unsigned type, uint32_t func)
{
        uint32_t first = w->j->ast->nodes[v->node].first;
        bool inherits = passes_on(w->j, v, type) || (type == QN_JS_OBJECT && v->inherits);

        if (first)
                push(w, (struct visit){ first, func, v->node, inherits });
}

static void visit(struct walk *w, const struct visit *v)
{
        struct qn_js_file *j = w->j;
        const struct qn_js_node *n = qn_jsn(j, v->node);
        uint32_t func = v->func;

        j->func = func;
        switch (n->type) {
        case QN_JS_IDENT: /* its first is a binding */
                if (!n->first)
                        qn_jso_member(j, v->node, v->parent);
                return;
        case QN_JS_STRING:
        case QN_JS_TEMPLATE_PART:
                qn_obfuscation_literal(j, v->node);
                qn_jso_string_literal(j, v->node);
                return;
        case QN_JS_ARRAY:
                qn_obfuscation_literal(j, v->node);
                break;
        case QN_JS_FUNCTION:
                func = new_function(j, v->node, func, v->inherits);
                break;
        case QN_JS_CALL:
        case QN_JS_NEW:
        case QN_JS_IMPORT:
        case QN_JS_IMPORT_CALL:
        case QN_JS_EXPORT_ALL:
        case QN_JS_EXPORT_NAMED:
                qn_jso_call(j, v->node);
                break;
        case QN_JS_MEMBER:
        case QN_JS_INDEX:
                qn_jso_member(j, v->node, v->parent);
                break;
        case QN_JS_ASSIGN:
                qn_jso_assign(j, v->node);
                break;
        case QN_JS_BINARY:
                qn_jso_binary(j, v->node);
                break;
        case QN_JS_PROPERTY:
                qn_jso_property_seen(j, v->node);
                break;
        default:
                break;
        }
        push_children(w, v, n->type, func);
}

static void walk_tree(struct qn_js_file *j)
{
        struct walk w = { .j = j };

        new_function(j, j->ast->root, 0, true);
        j->funcs[0].loads = true;
        push(&w, (struct visit){ j->ast->root, 0, 0, false });
        while (w.n) {
                struct visit v = w.stack[--w.n];

                push_next(&w, &v);
                visit(&w, &v);
        }
}

/* --- before the walk --- */

/* import x, { y as z }, * as w from 'module' */
static void bind_import(struct qn_js_file *j, uint32_t import)
{
        uint32_t source = qn_jsn(j, import)->first;
        uint32_t api = source ? qn_js_api_module(j->apis, qn_js_string(j->ast, source, j->a)) : 0;

        for (uint32_t c = source ? qn_jsn(j, source)->next : 0; api && c; c = qn_jsn(j, c)->next) {
                uint32_t local = qn_jsn(j, c)->first, name = qn_jsn(j, c)->val, target = api;

                if (qn_jsn(j, c)->type != QN_JS_IMPORT_SPEC || !local || !qn_jsn(j, local)->first)
                        continue;
                if (name && name != QN_JS_ATOM_DEFAULT_NAME) {
                        target = qn_js_api_member(j->apis, api, qn_jso_atom_text(j, name));
                        if (target && j->apis->list[target].is == QN_IS_SELF)
                                target = api;
                        if (target && j->apis->list[target].is == QN_IS_ROOT)
                                target = j->apis->list[target].returns;
                }
                if (QN_ARENA_ROOM(j->a, j->vals, j->n_vals, j->vals_cap) < 0) {
                        j->lost = true;
                        return;
                }
                j->vals[j->n_vals++] =
                        (struct qn_js_val){ .kind = target ? QN_VAL_API : QN_VAL_NONE,
                                            .api = target };
                j->slot[qn_jsn(j, local)->first] = (uint32_t)j->n_vals;
        }
}

static void bind_imports(struct qn_js_file *j)
{
        for (uint32_t c = qn_jsn(j, j->ast->root)->first; c; c = qn_jsn(j, c)->next)
                if (qn_jsn(j, c)->type == QN_JS_IMPORT)
                        bind_import(j, c);
}

/* The one place where a variable without an initialiser gets its value. */
static void find_assignments(struct qn_js_file *j)
{
        for (uint32_t n = 1; n < j->ast->n_nodes; n++) {
                const struct qn_js_node *a = &j->ast->nodes[n];
                const struct qn_js_node *target;

                if (a->type != QN_JS_ASSIGN || !a->first)
                        continue;
                target = qn_jsn(j, a->first);
                if (target->type == QN_JS_IDENT && target->first &&
                    target->first < j->ast->n_bindings)
                        j->assigned[target->first] = target->next;
        }
}

static int prepare(struct qn_js_file *j)
{
        const struct qn_js_ast *ast = j->ast;

        j->atom_root = qn_arena_calloc(j->a, ast->n_atoms + 1, sizeof *j->atom_root);
        j->slot = qn_arena_calloc(j->a, ast->n_bindings + 1, sizeof *j->slot);
        j->assigned = qn_arena_calloc(j->a, ast->n_bindings + 1, sizeof *j->assigned);
        j->func_of = qn_arena_calloc(j->a, ast->n_scopes + 1, sizeof *j->func_of);
        j->budget = (size_t)ast->n_nodes * EVAL_PER_NODE + 10000;
        if (!j->atom_root || !j->slot || !j->assigned || !j->func_of)
                return -ENOBUFS;
        bind_imports(j);
        find_assignments(j);
        return 0;
}

/* --- comments --- */

static void look_at_comments(struct qn_js_file *j)
{
        struct qn_event e = qn_observe_make(QN_EVENT_TEXT_PROMPT);
        size_t total = 0;

        for (uint32_t i = 0; i < j->ast->n_comments; i++)
                total += j->ast->comments[i].end - j->ast->comments[i].start;
        if (total < FLOOD_BYTES || total < j->ast->source.n / 2)
                return;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("token-flood"));
        qn_jso_emit(j, &e, j->ast->root);
}

/* A program that talks to the network and hands the environment on, or has variables or properties named for secrets. */
static void look_at_names(struct qn_js_file *j)
{
        bool talks = false;

        for (size_t i = 0; i < j->n_events && !talks; i++)
                talks = j->events[i].e.kind == QN_EVENT_NET_CONNECT ||
                        j->events[i].e.kind == QN_EVENT_NET_SEND;
        j->s->named_secret |= talks && j->env_handed_on;
        for (uint32_t i = QN_JS_ATOM_FIXED_MAX; talks && i < j->ast->n_atoms && !j->s->named_secret;
             i++)
                j->s->named_secret = qn_classify_value(&j->s->o->classes, j->ast->atoms[i]) >= 0;
}

/* --- one program --- */

static const struct qn_js_ast *observe(struct qn_scan *s, struct qn_str source,
                                       enum qn_js_mode mode, unsigned opts,
                                       const struct qn_site *outer)
{
        struct qn_js_file j = { .s = s, .a = &s->tmp, .apis = s->o->apis, .outer = outer };
        struct qn_err err = { 0 };
        int r;

        r = qn_js_parse(s->js, source, mode, opts, &j.ast, &err);
        if (r == 0 && !j.ast->root)
                return NULL;
        if (r < 0) {
                if (qn_scan_unanalysed(s, "parse", s->path, err.msg) < 0)
                        s->graph.full = true;
                return NULL;
        }
        if (j.ast->errors) {
                s->stats.js_errors++;
                if (!outer && s->file < s->graph.n_files)
                        s->graph.files[s->file].flags |= QN_GF_ERRORS;
        }
        if (s->diff && !outer)
                qn_diff_program(s->diff, s->path, j.ast);
        r = prepare(&j);
        if (r == 0) {
                walk_tree(&j);
                qn_jso_reach(&j);
                qn_jso_calls_done(&j);
                j.func = 0;
                look_at_comments(&j);
                qn_jso_summary(&j);
                qn_obfuscation_observe(&j);
                look_at_names(&j);
                for (size_t i = 0; i < j.n_events; i++)
                        deliver(&j, &j.events[i]);
        }
        if ((r < 0 || j.lost) &&
            qn_scan_unanalysed(s, "memory", s->path,
                               "the program holds more than is kept of one file") < 0)
                s->graph.full = true;
        return j.ast;
}

static unsigned options_of(struct qn_str path)
{
        if (qn_str_ends(path, ".tsx"))
                return QN_JS_OPT_TS | QN_JS_OPT_JSX;
        if (qn_str_ends(path, ".ts") || qn_str_ends(path, ".mts") || qn_str_ends(path, ".cts"))
                return QN_JS_OPT_TS;
        return QN_JS_OPT_JSX;
}

void qn_js_options(struct qn_str path, enum qn_js_mode *ret_mode, unsigned *ret_opts)
{
        *ret_opts = options_of(path);
        *ret_mode = qn_str_ends(path, ".mjs") || qn_str_ends(path, ".mts") ? QN_JS_MODULE
                    : qn_str_ends(path, ".cjs")                            ? QN_JS_SCRIPT
                                                                           : QN_JS_AUTO;
}

const struct qn_js_ast *qn_js_observe(struct qn_scan *s, struct qn_str source)
{
        enum qn_js_mode mode;
        unsigned opts;

        qn_js_options(s->path, &mode, &opts);
        return observe(s, source, mode, opts, NULL);
}

void qn_js_observe_code(struct qn_scan *s, const struct qn_site *site, struct qn_str code)
{
        if (code.n <= QN_JS_FILE_MAX)
                observe(s, code, QN_JS_AUTO, 0, site);
}

bool qn_js_learn(struct qn_scan *s, struct qn_str source)
{
        const struct qn_js_ast *ast;
        enum qn_js_mode mode;
        unsigned opts;

        qn_js_options(s->path, &mode, &opts);
        if (qn_js_parse(s->js, source, mode, opts, &ast, NULL) < 0 || !ast->root)
                return false;
        qn_diff_program(s->diff, s->path, ast);
        return true;
}
