/* Interfaces of the host: what a name stands for, what reading, calling and assigning it gives.  Which events that makes is
 * vm-sink.c's business. */
#include "base/hash.h"
#include "observe/js-priv.h"
#include "observe/vm-priv.h"

#define PARTS_MAX     64
#define LARGE_PROGRAM ((size_t)512 << 10)

/* --- events --- */

static struct qn_str excerpt(const struct qn_vmod *m, uint32_t node)
{
        const struct qn_js_node *n = qn_vn(m, node ? node : m->ast->root);
        struct qn_str s =
                qn_str_take(qn_str_skip(qn_str_take(m->ast->source, n->end), n->start), 120);
        ptrdiff_t nl = qn_str_chr(s, '\n');

        return nl > 0 ? qn_str_take(s, (size_t)nl) : s;
}

static bool find_lines(struct qn_vm *vm, struct qn_vmod *m)
{
        struct qn_str s = m->ast->source;
        uint32_t n = 1;

        for (const char *p = s.p; p && (p = memchr(p, '\n', (size_t)(s.p + s.n - p))); p++)
                n++;
        m->lines = qn_arena_calloc(&vm->a, n, sizeof *m->lines);
        if (!m->lines)
                return false;
        for (const char *p = s.p; (p = memchr(p, '\n', (size_t)(s.p + s.n - p))); p++)
                m->lines[++m->n_lines] = (uint32_t)(p + 1 - s.p);
        m->n_lines++;
        return true;
}

static void place(struct qn_vm *vm, struct qn_vmod *m, uint32_t off, uint32_t *line,
                  uint32_t *column)
{
        uint32_t low = 0, high;

        if (!m->lines && !find_lines(vm, m))
                return;
        high = m->n_lines;
        while (high - low > 1) {
                uint32_t mid = low + (high - low) / 2;

                if (m->lines[mid] <= off)
                        low = mid;
                else
                        high = mid;
        }
        *line = low + 1;
        *column = off - m->lines[low] + 1;
}

/* What runs while a file is loaded runs when that file is, wherever its code stands.  What nobody was seen to call in a file
 * of an install script may still be called by it; in a large program, of which the script is a small part, it is not. */
static uint8_t when(const struct qn_vm *vm, const struct qn_vmod *m)
{
        uint8_t phases = vm->loading ? vm->s->graph.files[vm->loading->file].phases : 0;

        if (vm->loading && vm->loading->snippet)
                return vm->loading->site.when;
        if (!vm->load)
                return vm->s->stats.js_bytes > LARGE_PROGRAM && vm->s->graph.files[m->file].phases
                               ? QN_WHEN_PHASE + QN_PHASE_CALL
                               : QN_WHEN_CALL;
        return phases ? (uint8_t)(QN_WHEN_PHASE + qn_graph_phase(phases, QN_WHEN_LOAD))
                      : QN_WHEN_LOAD;
}

struct qn_site qn_vm_site(struct qn_vm *vm, struct qn_vat at)
{
        struct qn_site site = { .file = at.m->file, .root = -1 };

        if (at.m->nested) {
                site = at.m->site;
        } else {
                site.off = qn_vn(at.m, at.node ? at.node : at.m->ast->root)->start;
                place(vm, at.m, site.off, &site.line, &site.column);
        }
        site.when = when(vm, at.m);
        site.text = excerpt(at.m, at.node);
        return site;
}

uint32_t qn_vm_trace(struct qn_vm *vm, struct qn_vat at, const char *what, uint32_t prev)
{
        uint32_t off = at.node ? qn_vn(at.m, at.node)->start : 0;
        uint8_t depth = prev ? vm->traces[prev].depth : 0;

        if (depth >= QN_VM_STEPS ||
            (prev && vm->traces[prev].what == what && vm->traces[prev].mod == at.m->index &&
             vm->traces[prev].off == off))
                return prev;
        for (size_t i = vm->n_traces, k = 0; i > 1 && k < 8;
             i--, k++) /* the same step, taken again */
                if (vm->traces[i - 1].mod == at.m->index && vm->traces[i - 1].off == off &&
                    vm->traces[i - 1].prev == prev && vm->traces[i - 1].what == what)
                        return (uint32_t)(i - 1);
        if (vm->n_traces >= QN_VM_TRACES ||
            QN_ARENA_ROOM(&vm->a, vm->traces, vm->n_traces, vm->traces_cap) < 0)
                return prev;
        vm->traces[vm->n_traces] = (struct qn_vtrace){ .prev = prev,
                                                       .mod = at.m->index,
                                                       .off = off,
                                                       .node = at.node,
                                                       .what = what,
                                                       .depth = (uint8_t)(depth + 1) };
        return (uint32_t)vm->n_traces++;
}

uint16_t qn_vm_source(struct qn_vm *vm, struct qn_vat at, uint64_t labels, const char *what)
{
        return labels ? qn_vm_taint(vm, labels, qn_vm_trace(vm, at, what, 0)) : 0;
}

/* Whether this very event was told before. */
static bool seen(struct qn_vm *vm, struct qn_vat at, const struct qn_event *e)
{
        uint64_t key[5] = { (uint64_t)at.m->index << 32 | at.node,
                            e->kind | (uint64_t)when(vm, at.m) << 8, e->labels, 0, 0 };
        struct qn_str k;

        for (unsigned i = 0; i < e->n_attrs; i++)
                key[3] = key[3] * 31 + qn_hash64(e->values[i].p, e->values[i].n) + e->keys[i];
        key[4] = qn_hash64(key, 4 * sizeof key[0]);
        if (qn_map_get(&vm->seen, (struct qn_str){ (const char *)&key[4], 8 }) != QN_MAP_NONE)
                return true;
        k = qn_arena_dup(&vm->a, (struct qn_str){ (const char *)&key[4], 8 });
        if (!k.p || qn_map_add(&vm->seen, &vm->a, k, 0, NULL) < 0)
                vm->full = true;
        return false;
}

void qn_vm_emit(struct qn_vm *vm, struct qn_vat at, struct qn_event *e, uint16_t taint)
{
        struct qn_site site;

        e->labels |= vm->taints[taint].labels;
        if (seen(vm, at, e))
                return;
        site = qn_vm_site(vm, at);
        e->count = 0; /* where the walk over the syntax saw it too, it is the same event */
        qn_sink_file(&vm->s->sink, vm->s->graph.files[at.m->file].path);
        qn_vm_flow(vm, e, taint);
        qn_site_event(vm->s, &site, e);
}

/* --- names --- */

struct qn_v qn_vm_api(struct qn_vm *vm, uint32_t index)
{
        struct qn_v v = { .kind = QN_V_API, .n = index };

        if (!index)
                return qn_v_unknown();
        if (vm->apis->list[index].is == QN_IS_ROOT)
                v.n = vm->apis->list[index].returns;
        return v;
}

struct qn_v qn_vm_global(struct qn_vm *vm, uint32_t key)
{
        struct qn_str name = qn_vm_key_text(vm, key);
        uint32_t i = qn_js_api_global(vm->apis, name);

        if (i)
                return qn_vm_api(vm, i);
        i = qn_vm_std_find(vm, (struct qn_str){ NULL, 0 }, name);
        return i ? (struct qn_v){ .kind = QN_V_STD, .n = i } : qn_v_unknown();
}

bool qn_vm_is_env(const struct qn_vm *vm, struct qn_v v)
{
        return v.kind == QN_V_API && vm->apis->list[v.n].is == QN_IS_ENV;
}

static struct qn_v no_member(struct qn_vm *vm, uint32_t index, uint32_t key, struct qn_v self)
{
        const struct qn_js_api *api = &vm->apis->list[index];
        struct qn_str name = qn_vm_key_text(vm, key);
        struct qn_vprop *own;
        uint32_t std;

        if (key == QN_K_DEFAULT)
                return self;
        if (api->is == QN_IS_GLOBAL) {
                own = qn_vm_own(vm->globals, key);
                return own ? own->v : qn_vm_global(vm, key);
        }
        std = api->parent ? 0 : qn_vm_std_find(vm, api->name, name);
        if (std)
                return (struct qn_v){ .kind = QN_V_STD, .n = std };
        if (qn_vm_has_method(vm, self, key))
                return (struct qn_v){ .kind = QN_V_BUILTIN, .n = key };
        if (key == QN_K_PROTOTYPE && api->global)
                return (struct qn_v){ .kind = QN_V_STD, .n = QN_STD_OBJECT };
        if (key == QN_K_CONSTRUCTOR)
                return qn_vm_api(vm, qn_js_api_global(vm->apis, QN_STR("Function")));
        return qn_v_tainted(self.taint);
}

struct qn_v qn_vm_api_member(struct qn_vm *vm, uint32_t index, uint32_t key, uint16_t taint)
{
        struct qn_v self = { .kind = QN_V_API, .n = index, .taint = taint }, v;
        uint32_t child = qn_js_api_member(vm->apis, index, qn_vm_key_text(vm, key));
        const struct qn_js_api *api;

        if (!child)
                return no_member(vm, index, key, self);
        api = &vm->apis->list[child];
        if (api->is == QN_IS_SELF)
                return self;
        v = qn_vm_api(vm, child);
        v.taint = taint;
        return v;
}

/* --- the environment --- */

struct qn_v qn_vm_env_all(struct qn_vm *vm, struct qn_vat at, const char *how)
{
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_ENUMERATE);
        uint16_t taint = qn_vm_source(vm, at, QN_LABEL_BIT(ENV), "the environment");

        qn_event_attr(&e, QN_ATTR_HOW, qn_str_c(how));
        qn_vm_emit(vm, at, &e, taint);
        return qn_v_tainted(taint);
}

static struct qn_v place_in_env(struct qn_str name)
{
        static const struct {
                const char *name, *text;
        } places[] = { { "HOME", "~" },
                       { "USERPROFILE", "~" },
                       { "HOMEPATH", "~" },
                       { "TMPDIR", "/tmp" },
                       { "TEMP", "/tmp" },
                       { "TMP", "/tmp" },
                       { "APPDATA", "~/AppData" },
                       { "LOCALAPPDATA", "~/AppData" },
                       { "XDG_CONFIG_HOME", "~/.config" },
                       { "INIT_CWD", "$CWD" },
                       { "PWD", "$CWD" } };

        for (size_t i = 0; i < QN_ARRAY_SIZE(places); i++)
                if (qn_str_is(name, places[i].name))
                        return qn_v_str(qn_str_c(places[i].text));
        return qn_v_unknown();
}

static void probe(struct qn_vm *vm, struct qn_vat at, struct qn_str name)
{
        struct qn_str what = qn_classify_probe(&vm->s->o->classes, name);
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_PROBE);

        if (!what.n)
                return;
        qn_event_attr(&e, QN_ATTR_WHAT, what);
        qn_event_attr(&e, QN_ATTR_NAME, name);
        qn_vm_emit(vm, at, &e, 0);
}

struct qn_v qn_vm_env(struct qn_vm *vm, struct qn_vat at, struct qn_v key)
{
        struct qn_event e = qn_observe_make(QN_EVENT_ENV_READ);
        uint16_t taint = 0;
        struct qn_str name;
        struct qn_v v;
        int label;

        key = qn_vm_first(key);
        if (!qn_v_exact(key)) {
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("computed"));
                qn_vm_emit(vm, at, &e, 0);
                return qn_v_tainted(
                        key.taint); /* of all names: all of it; of one name: one variable */
        }
        name = qn_v_text(key);
        qn_event_attr(&e, QN_ATTR_NAME, name);
        label = qn_classify_env(&vm->s->o->classes, name);
        if (label >= 0) {
                e.kind = QN_EVENT_SECRET_READ;
                taint = qn_vm_source(vm, at, UINT64_C(1) << label, "a variable of the environment");
                qn_event_attr(&e, QN_ATTR_WHICH, qn_str_c(qn_label_name((enum qn_label)label)));
                qn_event_attr(&e, QN_ATTR_HOW, QN_STR("env"));
        }
        qn_vm_emit(vm, at, &e, taint);
        probe(vm, at, name);
        v = place_in_env(name);
        v.taint = taint;
        return v;
}

/* --- reading --- */

struct qn_v qn_vm_api_read(struct qn_vm *vm, struct qn_vat at, struct qn_v v)
{
        const struct qn_js_api *api = &vm->apis->list[v.n];
        struct qn_event e;

        if (api->is == QN_IS_ENV) {
                v.taint = qn_vm_source(vm, at, QN_LABEL_BIT(ENV), "the environment");
                return v;
        }
        if (!api->prop)
                return v;
        if (api->labels)
                v.taint = qn_vm_mix(vm, v.taint, qn_vm_source(vm, at, api->labels, "read here"));
        if (api->has_event) {
                e = qn_row_event_make(&api->event);
                qn_vm_emit(vm, at, &e, qn_vm_source(vm, at, api->labels, "read here"));
        }
        return v;
}

/* Names that say what a value is, whoever made it: data/secrets.yaml. */
struct qn_v qn_vm_name_source(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v v)
{
        int label;

        if (v.kind != QN_V_UNKNOWN && v.kind != QN_V_UNDEF)
                return v;
        label = qn_classify_value(&vm->s->o->classes, qn_vm_key_text(vm, key));
        if (label < 0)
                return v;
        return qn_vm_with(vm, v, qn_vm_source(vm, at, UINT64_C(1) << label, "by its name"));
}

/* --- writing --- */

void qn_vm_api_write(struct qn_vm *vm, struct qn_vat at, struct qn_v target, uint32_t key,
                     struct qn_v v)
{
        struct qn_str name = qn_vm_key_text(vm, key);
        struct qn_event e;
        uint32_t child;
        double d;

        if (!key)
                return;
        if (qn_vm_is_env(vm, target)) {
                bool off = (v.kind == QN_V_STR && qn_str_is(qn_v_text(v), "0")) ||
                           (v.kind == QN_V_NUM && qn_vm_number(v, &d) && d == 0);

                if (qn_str_is(name, "NODE_TLS_REJECT_UNAUTHORIZED") && off) {
                        e = qn_observe_make(QN_EVENT_NET_INSECURE);
                        qn_event_attr(&e, QN_ATTR_HOW, QN_STR("env"));
                        qn_vm_emit(vm, at, &e, 0);
                }
        }
        if (target.kind == QN_V_API) {
                child = qn_js_api_member(vm->apis, target.n, name);
                if (!child && vm->apis->list[target.n].is == QN_IS_GLOBAL) {
                        child = qn_js_api_global(vm->apis, name);
                        if (!child)
                                qn_vm_define(vm, vm->globals, key, v, false);
                }
        } else {
                child = qn_js_api_global(vm->apis, name);
        }
        if (child && vm->apis->list[child].has_assigned)
                qn_vm_sink_assigned(vm, at, &vm->apis->list[child], v);
}

/* --- calling --- */

static struct qn_v join_path(struct qn_vm *vm, struct qn_vargs *args)
{
        struct qn_str parts[PARTS_MAX];
        struct qn_v r;
        uint16_t taint = 0;
        uint8_t flags = 0;
        uint32_t n = 0;

        for (uint32_t i = 0; i < args->n && n < PARTS_MAX; i++) {
                struct qn_v t = qn_vm_to_text(vm, args->v[i]);

                parts[n++] = qn_v_text(t);
                flags |= t.flags;
                taint = qn_vm_mix(vm, taint, t.taint);
        }
        r = qn_v_str(qn_jso_const_path(&vm->a, parts, n));
        r.flags |= flags & (QN_VF_INEXACT | QN_VF_DECODED | QN_VF_LOST);
        return qn_vm_with(vm, r, taint);
}

/* One path for each alternative of any part. */
static struct qn_v join_paths(struct qn_vm *vm, struct qn_vargs *args)
{
        struct qn_v any = qn_v_unknown();

        for (uint32_t i = 0; i < args->n; i++) {
                struct qn_v was = args->v[i];

                if (was.kind != QN_V_ALT)
                        continue;
                for (uint32_t k = 0; k < was.alt->n; k++) {
                        args->v[i] = qn_vm_alt(was, k);
                        any = qn_vm_join(vm, any, join_paths(vm, args));
                }
                args->v[i] = was;
                return any;
        }
        return join_path(vm, args);
}

static struct qn_v decoder(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                           struct qn_v v, struct qn_vargs *args)
{
        struct qn_event e = qn_observe_make(QN_EVENT_CODE_DECODE);
        struct qn_str encoding =
                api->is == QN_IS_BASE64 ? QN_STR("base64") : (struct qn_str){ NULL, 0 };

        if (api->is != QN_IS_BASE64 && api->is != QN_IS_CHARCODES && api->is != QN_IS_BUFFER)
                return v;
        if (api->is == QN_IS_CHARCODES) {
                if (args->n < 8)
                        return v;
                encoding = QN_STR("charcode");
        }
        if (api->is == QN_IS_BUFFER) {
                encoding = qn_v_text(qn_vm_first(qn_vm_arg(args, 1)));
                if (!qn_str_starts(encoding, "base64") && !qn_str_is(encoding, "hex"))
                        return v;
        }
        qn_event_attr(&e, QN_ATTR_ENCODING, encoding);
        qn_vm_emit(vm, at, &e, 0);
        v.flags |= QN_VF_DECODED;
        return qn_vm_with(vm, v, qn_vm_source(vm, at, QN_LABEL_BIT(DECODED), "decoded"));
}

/* What the call gives, where that is more than labels. */
static bool meaning(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                    struct qn_vargs *args, struct qn_v *ret)
{
        struct qn_v arg = qn_vm_arg(args, 0);

        switch (api->is) {
        case QN_IS_REQUIRE:
                *ret = qn_vm_require(vm, at, arg, "require");
                return true;
        case QN_IS_ARG0:
                *ret = arg;
                return true;
        case QN_IS_JOIN:
                *ret = join_paths(vm, args);
                return true;
        case QN_IS_HOME:
                *ret = qn_v_str(QN_STR("~"));
                return true;
        case QN_IS_TMP:
                *ret = qn_v_str(QN_STR("/tmp"));
                return true;
        case QN_IS_CWD:
                *ret = qn_v_str(QN_STR("$CWD"));
                return true;
        case QN_IS_ENVGET:
                *ret = qn_vm_env(vm, at, arg);
                return true;
        default:
                return false;
        }
}

static struct qn_v instance(struct qn_vm *vm, const struct qn_js_api *api, uint16_t taint,
                            struct qn_vobj *address)
{
        struct qn_v v = qn_vm_api(vm, api->returns);

        v.taint = taint;
        if (v.kind == QN_V_API)
                v.obj = address;
        return v;
}

static void run_callbacks(struct qn_vm *vm, struct qn_vat at, struct qn_vargs *args,
                          struct qn_v with)
{
        for (uint32_t i = 0; i < args->n; i++)
                if (args->v[i].kind == QN_V_OBJ && qn_v_callable(args->v[i]))
                        qn_vm_callback(vm, at, args->v[i], with);
}

struct qn_v qn_vm_api_call(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                           struct qn_vargs *args)
{
        const struct qn_js_api *api = &vm->apis->list[fn.n];
        struct qn_vobj *address = self.kind == QN_V_API ? self.obj : fn.obj;
        uint32_t std = vm->api_std[fn.n];
        uint16_t taint;
        struct qn_v r;

        vm->vague++;
        if (meaning(vm, at, api, args, &r))
                return qn_vm_with(vm, r, fn.taint);
        taint = qn_vm_sink(vm, at, api, &address, args);
        taint = qn_vm_mix(vm, taint, qn_vm_mix(vm, fn.taint, self.taint));
        if (std) {
                vm->vague--;
                r = qn_vm_std(vm, at, std, self, args);
                r = decoder(vm, at, api, r, args);
                return qn_vm_with(vm, r, qn_vm_source(vm, at, api->labels, "made here"));
        }
        if (api->returns) {
                r = instance(vm, api, taint, address);
        } else {
                r = qn_v_tainted(taint);
                if (!api->call && !api->has_event &&
                    !api->labels) /* no row of the table: as of anybody */
                        return qn_vm_call_unknown(vm, at, fn, self, args);
        }
        if (api->is == QN_IS_CIPHER || api->is == QN_IS_DECODED)
                for (uint32_t i = 0; i < args->n; i++)
                        r.taint = qn_vm_mix(vm, r.taint, qn_vm_deep_taint(vm, args->v[i]));
        if (api->is == QN_IS_DECODED)
                r.flags |= QN_VF_DECODED;
        run_callbacks(vm, at, args, qn_v_tainted(r.taint));
        return r;
}
