/* Files as modules: loading, require() and import, exports, and code that stands in texts. */
#include "base/hash.h"
#include "base/limits.h"
#include "observe/js.h"
#include "observe/vm-priv.h"

#define EVALS_MAX      200u               /* texts of one package that are run as code */
#define EVAL_BYTES_MAX ((size_t)16 << 20) /* and all their bytes */

/* --- the syntax tree --- */

/* Which names live in which function's frame. */
static bool lay_out(struct qn_vm *vm, struct qn_vmod *m)
{
        const struct qn_js_ast *ast = m->ast;
        size_t n = ast->n_scopes + 1;

        m->keys = qn_arena_calloc(&vm->a, ast->n_atoms + 1, sizeof *m->keys);
        m->owner = qn_arena_calloc(&vm->a, n, sizeof *m->owner);
        m->n_slots = qn_arena_calloc(&vm->a, n, sizeof *m->n_slots);
        m->captured = qn_arena_calloc(&vm->a, n, 1);
        m->active = qn_arena_calloc(&vm->a, n, 1);
        m->runs = qn_arena_calloc(&vm->a, n, sizeof *m->runs);
        m->slot = qn_arena_calloc(&vm->a, ast->n_bindings + 1, sizeof *m->slot);
        m->told = qn_arena_calloc(&vm->a, ast->n_nodes + 1, 1);
        if (!m->told || !m->keys || !m->owner || !m->n_slots || !m->captured || !m->active ||
            !m->runs || !m->slot) {
                vm->full = true;
                return false;
        }
        for (uint32_t s = 1; s < ast->n_scopes; s++) {
                uint32_t up = ast->scopes[s].parent;
                bool own = ast->scopes[s].kind == QN_JS_SCOPE_FUNCTION ||
                           ast->scopes[s].kind == QN_JS_SCOPE_PROGRAM;

                for (unsigned i = 0;
                     up && i < QN_JS_DEPTH_MAX && ast->scopes[up].kind != QN_JS_SCOPE_FUNCTION &&
                     ast->scopes[up].kind != QN_JS_SCOPE_PROGRAM;
                     i++)
                        up = ast->scopes[up].parent;
                m->owner[s] = own || !up ? s : up;
                if (own && up)
                        m->captured[up] = 1;
        }
        for (uint32_t s = 1; s < ast->n_scopes; s++) /* classes hold functions too */
                if (ast->scopes[s].kind == QN_JS_SCOPE_CLASS)
                        m->captured[m->owner[s]] = 1;
        for (uint32_t b = 1; b < ast->n_bindings; b++)
                m->slot[b] = m->n_slots[m->owner[ast->bindings[b].scope]]++;
        return true;
}

static bool parse(struct qn_vm *vm, struct qn_vmod *m, enum qn_js_mode mode, unsigned opts)
{
        const struct qn_js_ast *ast = m->tree;

        if (!ast && (qn_js_parse(vm->parser, m->source, mode, opts, &ast, NULL) < 0 || !ast->root ||
                     ast->n_nodes > QN_VM_NODES_MAX))
                return false;
        /* One that was kept is copied too: what it takes counts, whoever parsed it. */
        m->ast = qn_vm_tree_copy(&vm->a, ast, m->source);
        vm->full |= !m->ast;
        if (!m->ast || !lay_out(vm, m))
                return false;
        vm->left += m->ast->n_nodes;
        m->esm = m->ast->module;
        return true;
}

static bool prepare_objects(struct qn_vm *vm, struct qn_vmod *m)
{
        m->exports = qn_vm_object(vm, QN_VC_OBJECT);
        m->module = qn_vm_object(vm, QN_VC_MODULE);
        m->frame = qn_vm_frame(vm, m, 1, NULL);
        if (!m->exports || !m->module || !m->frame)
                return false;
        m->module->mod = m;
        qn_vm_define(vm, m->module, QN_K_EXPORTS, qn_v_obj(m->exports), false);
        m->frame->self = m->esm ? qn_v_undef() : qn_v_obj(m->exports);
        return true;
}

/* --- running --- */

static void run_tree(struct qn_vm *vm, struct qn_vmod *m, struct qn_v *last)
{
        struct qn_vcall call = { .f = m->frame, .up = vm->call, .born = vm->uncertain };
        struct qn_vmod *was = vm->m;
        uint32_t loops = vm->loops, round = vm->round, label = vm->label,
                 first = qn_vn(m, m->ast->root)->first, end = 0;
        bool maybe = vm->maybe_break;

        vm->call = &call;
        vm->m = m;
        vm->loops = vm->round = 0;
        for (uint32_t s = first; s; s = qn_vn(m, s)->next) {
                if (qn_vn(m, s)->type == QN_JS_IMPORT)
                        qn_vm_import(vm, m->frame, s);
                end = s;
        }
        qn_vm_list(vm, m->frame, first);
        /* The value of code in a text is that of its last statement. */
        if (last)
                *last = call.returned                                   ? call.ret
                        : end && qn_vn(m, end)->type == QN_JS_EXPR_STMT ? vm->value
                                                                        : qn_v_undef();
        vm->call = call.up;
        vm->m = was;
        vm->loops = loops;
        vm->round = round;
        vm->label = label;
        vm->maybe_break = maybe;
}

void qn_vm_load(struct qn_vm *vm, struct qn_vmod *m)
{
        struct qn_vmod *was = vm->loading;
        enum qn_js_mode mode;
        unsigned opts;

        if (m->state != QN_VM_NEW || vm->full || qn_vm_too_deep(vm))
                return;
        if (vm->loaded + m->source.n > (m->snippet ? 2 : 1) * QN_VM_SOURCE_MAX)
                return;
        vm->loaded += m->source.n;
        m->state = QN_VM_RUNNING;
        qn_js_options(m->path, &mode, &opts);
        if (!parse(vm, m, mode, opts) || !prepare_objects(vm, m)) {
                m->state = QN_VM_BAD;
                return;
        }
        vm->loading = m;
        run_tree(vm, m, NULL);
        vm->loading = was;
        m->state = QN_VM_DONE;
}

static struct qn_str directory_of(struct qn_str path)
{
        ptrdiff_t slash = qn_str_rchr(path, '/');

        return qn_str_take(path, slash < 0 ? 0 : (size_t)slash);
}

static struct qn_v exports_of(struct qn_vm *vm, struct qn_vmod *m)
{
        uint32_t was = vm->uncertain, cut = vm->cut;

        if (qn_str_ends(m->path, ".json"))
                return qn_vm_json(vm, qn_v_str(m->source));
        vm->uncertain = vm->cut = 0; /* a file is loaded once, whoever asks first */
        qn_vm_load(vm, m);
        vm->uncertain = was;
        vm->cut = cut;
        return m->exports ? qn_v_obj(m->exports) : qn_v_unknown();
}

/* --- require() and import --- */

static bool is_data_url(struct qn_str s)
{
        return qn_str_starts(s, "data:text/javascript") ||
               qn_str_starts(s, "data:application/javascript");
}

/* import('data:text/javascript;base64,…') */
static struct qn_v load_data(struct qn_vm *vm, struct qn_vat at, struct qn_v name)
{
        struct qn_str s = qn_v_text(name), head;
        struct qn_v code;
        ptrdiff_t comma = qn_str_chr(s, ',');

        if (comma < 0)
                return qn_v_unknown();
        head = qn_str_take(s, (size_t)comma);
        code = qn_v_str(qn_str_skip(s, (size_t)comma + 1));
        if (qn_str_ends(head, ";base64")) {
                code = qn_vm_decode(vm, code, QN_STR("base64"));
        } else {
                struct qn_vargs args = { &code, 1, false };

                code = qn_vm_std(vm, at, QN_STD_DECODE_URI_COMPONENT, qn_v_undef(), &args);
        }
        return qn_v_exact(code) ? qn_vm_run_text(vm, at, qn_v_text(code), NULL) : qn_v_unknown();
}

static void tell(struct qn_vm *vm, struct qn_vat at, struct qn_v name, const char *how, bool own)
{
        struct qn_str spec = qn_v_text(name);
        struct qn_event e = qn_observe_make(QN_EVENT_MODULE_LOAD);
        struct qn_site site = qn_vm_site(vm, at);

        qn_sink_file(&vm->s->sink, vm->s->graph.files[at.m->file].path);
        if (own || spec.p[0] == '.') {
                qn_site_file(vm->s, &site, spec, false);
                if (!qn_str_ends(spec, ".node"))
                        return;
                e = qn_observe_make(QN_EVENT_NATIVE_LOAD);
                qn_event_attr(&e, QN_ATTR_PATH, spec);
        } else {
                qn_event_attr(&e, QN_ATTR_MODULE, qn_module_package(spec));
                qn_event_attr(&e, QN_ATTR_HOW,
                              name.flags & QN_VF_DECODED ? QN_STR("decoded") : qn_str_c(how));
        }
        qn_vm_emit(vm, at, &e, 0);
}

struct qn_v qn_vm_require(struct qn_vm *vm, struct qn_vat at, struct qn_v name, const char *how)
{
        struct qn_str spec;
        uint32_t file;

        if (name.kind == QN_V_ALT) {
                struct qn_v any = qn_v_unknown();

                for (uint32_t i = 0; i < name.alt->n; i++)
                        any = qn_vm_join(vm, any, qn_vm_require(vm, at, qn_vm_alt(name, i), how));
                return any;
        }
        name = name.kind == QN_V_OBJ ? qn_vm_to_text(vm, name) : name;
        if (!qn_v_exact(name) || !name.n) {
                at.m->blind++;
                return qn_v_tainted(name.taint);
        }
        spec = qn_v_text(name);
        if (is_data_url(spec))
                return load_data(vm, at, name);
        /* ./x made from __dirname is named from the package's directory */
        file = qn_graph_resolve(&vm->s->graph, directory_of(at.m->path), spec, false);
        if (file == QN_FILE_NONE && spec.p[0] == '.')
                file = qn_graph_resolve(&vm->s->graph, QN_STR(""), spec, true);
        tell(vm, at, name, how, file != QN_FILE_NONE);
        if (file != QN_FILE_NONE && file < vm->n_by_file && vm->by_file[file])
                return exports_of(vm, vm->mods[vm->by_file[file] - 1]);
        return file == QN_FILE_NONE ? qn_vm_api(vm, qn_js_api_module(vm->apis, spec))
                                    : qn_v_unknown();
}

struct qn_v qn_vm_module_get(struct qn_vm *vm, struct qn_v exports, uint32_t key)
{
        if (key == QN_K_DEFAULT && exports.kind == QN_V_OBJ &&
            !qn_vm_own(exports.obj, QN_K_DEFAULT))
                return exports;
        return qn_vm_get(vm, exports, key);
}

void qn_vm_import(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        uint32_t source = qn_vn(f->m, node)->first;
        struct qn_vat at = { f->m, node };
        struct qn_v module;

        if (!source)
                return;
        module = qn_vm_require(vm, at, qn_vm_eval(vm, f, source), "import");
        for (uint32_t c = qn_vn(f->m, source)->next; c; c = qn_vn(f->m, c)->next) {
                const struct qn_js_node *n = qn_vn(f->m, c);
                struct qn_v v;

                if (n->type != QN_JS_IMPORT_SPEC || !n->first)
                        continue;
                v = n->val ? qn_vm_module_get(vm, module, qn_vm_atom_key(vm, f->m, n->val))
                           : module;
                qn_vm_bind(vm, f, n->first, v, true);
        }
}

/* --- export --- */

static void export_one(struct qn_vm *vm, struct qn_vframe *f, uint32_t key, struct qn_v v)
{
        if (key && f->m->exports)
                qn_vm_define(vm, f->m->exports, key, v, false);
}

static void export_pattern(struct qn_vm *vm, struct qn_vframe *f, uint32_t pattern)
{
        const struct qn_js_node *n = qn_vn(f->m, pattern);

        switch (n->type) {
        case QN_JS_IDENT:
                export_one(vm, f, qn_vm_atom_key(vm, f->m, n->val), qn_vm_eval(vm, f, pattern));
                break;
        case QN_JS_PROPERTY:
                if (n->first)
                        export_pattern(vm, f, qn_vn(f->m, n->first)->next);
                break;
        case QN_JS_DEFAULT:
        case QN_JS_SPREAD:
                export_pattern(vm, f, n->first);
                break;
        case QN_JS_ARRAY:
        case QN_JS_OBJECT:
                for (uint32_t c = n->first; c && !qn_vm_too_deep(vm); c = qn_vn(f->m, c)->next)
                        export_pattern(vm, f, c);
                break;
        default:
                break;
        }
}

static void export_declaration(struct qn_vm *vm, struct qn_vframe *f, uint32_t decl)
{
        const struct qn_js_node *n = qn_vn(f->m, decl);

        qn_vm_exec(vm, f, decl);
        if (n->type == QN_JS_VAR)
                for (uint32_t d = n->first; d; d = qn_vn(f->m, d)->next)
                        export_pattern(vm, f, qn_vn(f->m, d)->first);
        else if (n->type == QN_JS_FUNCTION || n->type == QN_JS_CLASS)
                export_pattern(vm, f, n->first);
}

static void export_from(struct qn_vm *vm, struct qn_vframe *f, uint32_t spec, struct qn_v module,
                        bool foreign)
{
        const struct qn_js_node *n = qn_vn(f->m, spec);
        uint32_t local = n->first;
        struct qn_v v;

        if (n->type != QN_JS_EXPORT_SPEC || !local)
                return;
        if (foreign)
                v = qn_vm_module_get(vm, module, qn_vm_property_key(vm, f, local, false));
        else
                v = qn_vm_eval(vm, f, local);
        export_one(vm, f, qn_vm_atom_key(vm, f->m, n->val), v);
}

static void export_all(struct qn_vm *vm, struct qn_vframe *f, uint32_t node, struct qn_v module)
{
        uint32_t name = qn_vn(f->m, node)->val;

        if (name) {
                export_one(vm, f, qn_vm_atom_key(vm, f->m, name), module);
        } else if (module.kind == QN_V_OBJ && module.obj != f->m->exports) {
                for (uint32_t i = 0; i < module.obj->n_props; i++)
                        if (module.obj->props[i].key != QN_K_DEFAULT)
                                export_one(vm, f, module.obj->props[i].key, module.obj->props[i].v);
        }
}

void qn_vm_export(struct qn_vm *vm, struct qn_vframe *f, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(f->m, node);
        struct qn_vat at = { f->m, node };
        uint32_t source;
        struct qn_v module = qn_v_undef();
        bool foreign;

        if (!n->first)
                return;
        if (n->type == QN_JS_EXPORT_ALL) {
                export_all(vm, f, node,
                           qn_vm_require(vm, at, qn_vm_eval(vm, f, n->first), "import"));
                return;
        }
        if (n->type == QN_JS_EXPORT_DEFAULT) {
                unsigned type = qn_vn(f->m, n->first)->type;
                bool named = (type == QN_JS_FUNCTION || type == QN_JS_CLASS) &&
                             qn_vn(f->m, qn_vn(f->m, n->first)->first)->type == QN_JS_IDENT;

                if (named)
                        qn_vm_exec(vm, f, n->first);
                export_one(vm, f, QN_K_DEFAULT,
                           qn_vm_eval(vm, f, named ? qn_vn(f->m, n->first)->first : n->first));
                return;
        }
        if (qn_vn(f->m, n->first)->type != QN_JS_EMPTY)
                export_declaration(vm, f, n->first);
        source = qn_vn(f->m, n->first)->next;
        foreign = source && qn_vn(f->m, source)->type == QN_JS_STRING;
        if (foreign)
                module = qn_vm_require(vm, at, qn_vm_eval(vm, f, source), "import");
        for (uint32_t c = source ? qn_vn(f->m, source)->next : 0; c; c = qn_vn(f->m, c)->next)
                export_from(vm, f, c, module, foreign);
}

/* --- code in a text --- */

static struct qn_vmod *nested_module(struct qn_vm *vm, struct qn_vat at, struct qn_str code,
                                     struct qn_vframe *outer)
{
        struct qn_vmod *m = qn_arena_calloc(&vm->a, 1, sizeof *m);

        if (!m || QN_ARENA_ROOM(&vm->a, vm->mods, vm->n_mods, vm->mods_cap) < 0) {
                vm->full = true;
                return NULL;
        }
        m->file = at.m->file;
        m->path = at.m->path;
        m->source = code;
        m->outer = outer;
        m->nested = true;
        m->site = qn_vm_site(vm, at);
        m->site.depth++;
        m->index = (uint32_t)vm->n_mods;
        vm->mods[vm->n_mods++] = m;
        return m;
}

struct qn_v qn_vm_run_text(struct qn_vm *vm, struct qn_vat at, struct qn_str code,
                           struct qn_vframe *outer)
{
        struct qn_v last = qn_v_unknown();
        struct qn_vmod *m;
        uint64_t key[2] = { qn_hash64(code.p, code.n), (uint64_t)at.m->index << 32 | at.node };
        struct qn_str k = { (const char *)key, sizeof key };
        uint32_t before = qn_map_get(&vm->texts, k);

        if (before != QN_MAP_NONE)
                return vm->mods[before]->last;
        if (vm->full || at.m->site.depth >= QN_COMMAND_DEPTH_MAX || vm->evals >= EVALS_MAX ||
            vm->eval_bytes + code.n > EVAL_BYTES_MAX || qn_vm_too_deep(vm)) {
                vm->unfollowed = true;
                return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST };
        }
        vm->evals++;
        vm->eval_bytes += code.n;
        vm->left += (int64_t)QN_MIN(code.n, (size_t)1 << 20) / 2 +
                    10000; /* text that was recovered is worth a look */
        m = nested_module(vm, at, code, outer);
        k = qn_arena_dup(&vm->a, k);
        if (!m || !k.p || qn_map_add(&vm->texts, &vm->a, k, m->index, NULL) < 0)
                return qn_v_unknown();
        m->state = QN_VM_RUNNING;
        if (!parse(vm, m, QN_JS_AUTO, 0) || m->ast->errors > 3 || !prepare_objects(vm, m)) {
                m->state = QN_VM_BAD;
                return qn_v_unknown();
        }
        m->exports = at.m->exports;
        m->module = at.m->module;
        run_tree(vm, m, &last);
        m->state = QN_VM_DONE;
        m->last = last;
        return last;
}
