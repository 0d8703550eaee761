/* One package: which files are run in which order, within which bounds. */
#include "observe/vm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"
#include "observe/vm-priv.h"

#define FILES_MAX        20000u
#define TREES_KEEP       ((size_t)4 << 20) /* memory kept from package to package */
#define STEPS_BASE       60000
#define STEPS_OBFUSCATED 150000000 /* decoding tables of strings takes many */

/* --- the machine --- */

static int name_std(struct qn_vm *vm, struct qn_arena *a)
{
        for (uint32_t i = 1; i < QN_STD_MAX; i++)
                if (qn_map_add(&vm->std, a, qn_vm_std_name(i), i, NULL) < 0)
                        return -ENOMEM;
        return 0;
}

/* a.b.c of a row of the table. */
static struct qn_str api_path(const struct qn_js_apis *apis, uint32_t i, char *buf, size_t room)
{
        size_t at = room;

        for (; i; i = apis->list[i].parent) {
                struct qn_str name = apis->list[i].name;

                if (name.n + 1 > at)
                        return (struct qn_str){ NULL, 0 };
                if (at < room)
                        buf[--at] = '.';
                at -= name.n;
                memcpy(buf + at, name.p, name.n);
        }
        return (struct qn_str){ buf + at, room - at };
}

static int match_apis(struct qn_vm *vm, struct qn_arena *a)
{
        char buf[128];

        vm->api_std = qn_arena_calloc(a, vm->apis->n + 1, sizeof *vm->api_std);
        if (!vm->api_std)
                return -ENOMEM;
        for (uint32_t i = 1; i < vm->apis->n; i++) {
                struct qn_str path = api_path(vm->apis, i, buf, sizeof buf);
                uint32_t std = path.p ? qn_map_get(&vm->std, path) : QN_MAP_NONE;

                vm->api_std[i] = std == QN_MAP_NONE ? 0 : std;
        }
        return 0;
}

int qn_vm_new(const struct qn_observers *o, struct qn_vm **ret)
{
        _cleanup_(qn_vm_freep) struct qn_vm *vm = calloc(1, sizeof *vm);

        if (!vm)
                return -ENOMEM;
        vm->apis = o->apis;
        vm->a = QN_ARENA_INIT(QN_VM_ARENA_MAX);
        vm->trees = QN_ARENA_INIT(QN_VM_TREES_MAX);
        vm->fixed = QN_ARENA_INIT((size_t)4 << 20);
        if (name_std(vm, &vm->fixed) < 0 || match_apis(vm, &vm->fixed) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(vm);
        return 0;
}

struct qn_vm *qn_vm_free(struct qn_vm *vm)
{
        if (!vm)
                return NULL;
        qn_vm_copies_done(&vm->copies);
        qn_arena_done(&vm->a);
        qn_arena_done(&vm->trees);
        qn_arena_done(&vm->fixed);
        free(vm);
        return NULL;
}

void qn_vm_freep(struct qn_vm **vm)
{
        qn_vm_free(*vm);
}

void qn_vm_begin(struct qn_vm *vm)
{
        struct qn_vm was = *vm;

        qn_vm_copies_done(&was.copies);
        qn_arena_reset(&was.trees, TREES_KEEP);
        qn_arena_done(&was.a); /* what stayed would shift the point where the cap is met */
        *vm = (struct qn_vm){ .apis = was.apis,
                              .a = was.a,
                              .trees = was.trees,
                              .fixed = was.fixed,
                              .std = was.std,
                              .api_std = was.api_std };
}

/* --- files --- */

static struct qn_vmod *add(struct qn_vm *vm, uint32_t file, struct qn_str path,
                           struct qn_str source)
{
        struct qn_vmod *m;

        if (vm->full || vm->started || file == QN_FILE_NONE || source.n > QN_VM_FILE_MAX ||
            !source.p || vm->n_mods >= FILES_MAX)
                return NULL;
        m = qn_arena_calloc(&vm->a, 1, sizeof *m);
        if (!m || QN_ARENA_ROOM(&vm->a, vm->mods, vm->n_mods, vm->mods_cap) < 0) {
                vm->full = true;
                return NULL;
        }
        m->file = file;
        m->path = path;
        m->source = source;
        m->index = (uint32_t)vm->n_mods;
        vm->mods[vm->n_mods++] = m;
        return m;
}

void qn_vm_add(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str source,
               const struct qn_js_ast *tree)
{
        struct qn_vmod *m = add(vm, file, path, source);

        if (m && tree && tree->n_nodes <= QN_VM_NODES_MAX)
                m->tree = qn_vm_tree_copy(&vm->trees, tree, source);
}

void qn_vm_add_copy(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str source)
{
        if (!qn_vm_copies_add(&vm->copies, file, path, source))
                vm->full = true;
}

static void take_copies(struct qn_vm *vm)
{
        qn_vm_copies_cut(&vm->copies);
        for (size_t i = 0; i < vm->copies.n; i++) {
                const struct qn_vm_copy *c = &vm->copies.list[i];

                add(vm, c->file, c->path, (struct qn_str){ c->text, c->n });
        }
}

void qn_vm_add_code(struct qn_vm *vm, uint32_t file, struct qn_str path, struct qn_str code,
                    const struct qn_site *site)
{
        struct qn_vmod *m = add(vm, file, path, code);

        if (!m)
                return;
        m->nested = m->snippet = true;
        m->site = *site;
}

/* --- running --- */

static bool name_keys(struct qn_vm *vm)
{
        static const char *const fixed[QN_K_FIXED_MAX] = {
                [QN_K_NONE] = "",
#define KEY(id, text) [QN_K_##id] = text,
#include "observe/vm-keys.def"
#undef KEY
        };

        for (uint32_t i = 0; i < QN_K_FIXED_MAX; i++)
                if (qn_vm_key(vm, qn_str_c(fixed[i])) != i)
                        return false;
        return true;
}

static bool start(struct qn_vm *vm, struct qn_scan *s)
{
        vm->s = s;
        vm->a.max = s->obfuscated ? QN_VM_ARENA_OBFUSCATED_MAX : QN_VM_ARENA_MAX;
        vm->parser = s->js;
        vm->started = true;
        vm->left = s->obfuscated ? STEPS_OBFUSCATED : STEPS_BASE;
        vm->stack_base = __builtin_frame_address(0);
        vm->taints = qn_arena_calloc(&vm->a, 64, sizeof *vm->taints);
        vm->traces = qn_arena_calloc(&vm->a, 64, sizeof *vm->traces);
        vm->by_file = qn_arena_calloc(&vm->a, s->graph.n_files + 1, sizeof *vm->by_file);
        if (!vm->taints || !vm->traces || !vm->by_file || !name_keys(vm))
                return false;
        vm->taints_cap = vm->traces_cap = 64;
        vm->n_taints = vm->n_traces = 1; /* 0 is none */
        vm->n_by_file = s->graph.n_files;
        vm->globals = qn_vm_object(vm, QN_VC_OBJECT);
        return vm->globals != NULL;
}

static int cmp_path(const void *pa, const void *pb)
{
        const struct qn_vmod *const *a = pa, *const *b = pb;
        int c = qn_str_cmp((*a)->path, (*b)->path);

        if (c == 0 && (*a)->snippet != (*b)->snippet)
                return (*a)->snippet - (*b)->snippet;
        if (c == 0 && (*a)->snippet)
                c = (*a)->site.off != (*b)->site.off ? ((*a)->site.off < (*b)->site.off ? -1 : 1)
                                                     : qn_str_cmp((*a)->source, (*b)->source);
        return c ? c : ((*a)->index > (*b)->index) - ((*a)->index < (*b)->index);
}

/* Files come in the archive's order; what is found must not depend on it. */
static void order(struct qn_vm *vm)
{
        qsort(vm->mods, vm->n_mods, sizeof(struct qn_vmod *), cmp_path);
        for (size_t i = 0; i < vm->n_mods; i++) {
                vm->mods[i]->index = (uint32_t)i;
                if (vm->mods[i]->file < vm->n_by_file && !vm->mods[i]->snippet)
                        vm->by_file[vm->mods[i]->file] =
                                (uint32_t)i + 1; /* a later one took its place */
        }
}

/* What runs at install time comes first, then what hides what it does: they must not find the bounds used up. */
enum { RANK_INSTALL, RANK_DARK, RANK_PLAIN, RANK_MAX = RANK_PLAIN + QN_PHASE_MAX + 1 };

static unsigned rank_of(const struct qn_graph_file *f)
{
        unsigned phase = f->phases ? (unsigned)__builtin_ctz(f->phases) : QN_PHASE_MAX;

        if (f->phases & 1u << QN_PHASE_INSTALL)
                return RANK_INSTALL;
        return f->flags & QN_GF_DARK ? RANK_DARK : RANK_PLAIN + phase;
}

static unsigned rank_of_module(const struct qn_vm *vm, const struct qn_vmod *m)
{
        unsigned rank = rank_of(&vm->s->graph.files[m->file]);

        return m->snippet ? QN_MIN(rank, (unsigned)RANK_DARK) : rank;
}

static bool wanted(const struct qn_vm *vm, const struct qn_vmod *m, enum qn_vm_reach reach)
{
        const struct qn_graph_file *f = &vm->s->graph.files[m->file];

        if (qn_str_ends(m->path, ".json") && !m->snippet)
                return false;
        return reach == QN_VM_ALL || m->snippet || f->phases & (1u << QN_PHASE_INSTALL) ||
               (reach == QN_VM_CHANGED && f->flags & QN_GF_CHANGED) ||
               (reach == QN_VM_MARKED && f->flags & QN_GF_DEEP);
}

static void run_all(struct qn_vm *vm, size_t n, enum qn_vm_reach reach)
{
        order(vm);
        vm->load = true;
        for (unsigned rank = 0; rank < RANK_MAX && !vm->full; rank++) {
                vm->dark = rank < RANK_PLAIN;
                for (size_t i = 0; i < n && !vm->full; i++)
                        if (rank_of_module(vm, vm->mods[i]) == rank &&
                            wanted(vm, vm->mods[i], reach))
                                qn_vm_load(vm, vm->mods[i]);
                if (rank < RANK_PLAIN)
                        qn_vm_run_left(vm, 0);
                vm->ranks_done += !vm->full;
        }
        qn_vm_run_left(vm, 0);
}

/* --- what could not be followed --- */

static bool followed(const struct qn_vm *vm, uint32_t file)
{
        uint32_t m = file < vm->n_by_file ? vm->by_file[file] : 0;

        return m && vm->mods[m - 1]->state == QN_VM_DONE &&
               rank_of(&vm->s->graph.files[file]) < vm->ranks_done;
}

static void note(struct qn_scan *s, struct qn_str path, const char *detail)
{
        if (qn_scan_unanalysed(s, "limit", path, detail) < 0)
                s->graph.full = true;
}

void qn_vm_note_limits(struct qn_vm *vm, struct qn_scan *s)
{
        bool lost = vm->unfollowed;

        for (uint32_t i = 0; i < s->graph.n_files; i++) {
                const struct qn_graph_file *f = &s->graph.files[i];

                if (!(f->flags & QN_GF_JS) || followed(vm, i))
                        continue;
                if (f->phases & 1u << QN_PHASE_INSTALL)
                        note(s, f->path,
                             "a program that runs at install time is more than is followed");
                else if (f->flags & QN_GF_DARK)
                        note(s, f->path,
                             "a program that hides what it does is more than is followed");
        }
        for (size_t i = 0; i < vm->n_mods; i++)
                lost |= vm->mods[i]->snippet && vm->mods[i]->state <= QN_VM_RUNNING;
        if (lost)
                note(s, QN_STR(""), "text that becomes code is more than is followed");
}

/* Whether an obfuscated file kept its secret. */
static bool is_opaque(const struct qn_vm *vm, uint32_t file)
{
        const struct qn_vmod *m =
                file < vm->n_by_file && vm->by_file[file] ? vm->mods[vm->by_file[file] - 1] : NULL;

        if (!m || m->state != QN_VM_DONE || vm->full || vm->rough)
                return true;
        return m->blind > 2 && m->blind > m->seen / 4;
}

static void tell_if_opaque(struct qn_vm *vm, struct qn_scan *s, uint32_t file)
{
        struct qn_event e = qn_observe_make(QN_EVENT_OBFUSCATION);
        struct qn_site site = { .file = file, .root = -1, .when = QN_WHEN_LOAD };

        if (!is_opaque(vm, file))
                return;
        qn_event_attr(&e, QN_ATTR_WHAT, QN_STR("opaque"));
        qn_sink_file(&s->sink, s->graph.files[file].path);
        qn_site_event(s, &site, &e);
}

void qn_vm_run(struct qn_vm *vm, struct qn_scan *s, enum qn_vm_reach reach)
{
        size_t n;

        take_copies(vm);
        n = vm->n_mods;
        if (n && !vm->full && start(vm, s)) {
                run_all(vm, n, reach);
                qn_vm_look_at_spelt(vm, s);
        }
        for (uint32_t i = 0; s->obfuscated && i < s->graph.n_files; i++)
                if (s->graph.files[i].flags & QN_GF_OBFUSCATED)
                        tell_if_opaque(vm, s, i);
}
