/* vm-priv.h - values, objects, frames and modules of the JavaScript machine; shared by vm*.c. */
#pragma once

#include "base/arena.h"
#include "base/hashset.h"
#include "observe/js-api.h"
#include "observe/scan-priv.h"
#include "observe/vm.h"
#include "parse/js.h"

/* --- values: 16 bytes, passed in registers --- */

enum qn_vkind {
        QN_V_UNKNOWN,
        QN_V_UNDEF,
        QN_V_NULL,
        QN_V_BOOL,    /* n */
        QN_V_NUM,     /* num */
        QN_V_STR,     /* p, n; * stands for what is not known when INEXACT */
        QN_V_OBJ,     /* obj: objects, arrays, functions, buffers… */
        QN_V_API,     /* n: row of the table */
        QN_V_STD,     /* n: function or object of the language (vm-std.def) */
        QN_V_BUILTIN, /* n: key of a method of text, numbers, arrays: "split" */
        QN_V_ALT,     /* alt: one of several */
};

enum qn_vflag {
        QN_VF_INEXACT = 1, /* text with unknown parts */
        QN_VF_DECODED = 2, /* came out of a decoder */
        QN_VF_LOST = 4,    /* would be known, had its computation not been cut */
        QN_VF_LITERAL =
                8, /* true and false as written: such a condition says nothing about which branch matters */
        QN_VF_ENV = 16, /* UNKNOWN: the value of the environment variable p, n */
};

struct qn_vobj;
struct qn_valt;

struct qn_v {
        uint8_t kind, flags;
        uint16_t taint; /* index of vm->taints */
        uint32_t n;
        union {
                double num;
                const char *p;
                struct qn_vobj *obj;
                struct qn_valt *alt;
        };
};
_Static_assert(sizeof(struct qn_v) == 16, "values travel in two registers");

#define QN_VM_ALTS 6u /* the most alternatives that are kept apart */
struct qn_valt {
        uint32_t n;
        struct qn_v v[QN_VM_ALTS];
};

#define QN_VM_TAINTS 60000u
struct qn_vtaint {
        uint64_t labels;
        uint32_t trace; /* where the first label came from */
};

/* One step on the way from source to sink. */
#define QN_VM_STEPS  10u
#define QN_VM_TRACES 100000u
struct qn_vtrace {
        uint32_t prev, mod, off, node;
        const char *what;
        uint8_t depth;
};

/* --- objects --- */

enum qn_vclass {
        QN_VC_OBJECT,
        QN_VC_ARRAY,   /* elems from `first` */
        QN_VC_FUNC,    /* fn */
        QN_VC_BUFFER,  /* bytes */
        QN_VC_REGEX,   /* text: source; n: flags' atom */
        QN_VC_PROMISE, /* cell */
        QN_VC_RESOLVE, /* cell of the promise that calling it settles */
        QN_VC_BOUND,   /* bound */
        QN_VC_MAP,     /* Map, Set, URLSearchParams, FormData… */
        QN_VC_MODULE,  /* the `module` of a file */
};

struct qn_vprop {
        uint32_t key;
        bool getter;
        struct qn_v v;
};

struct qn_vfn {
        uint32_t node, class_node; /* FUNCTION; or CLASS whose constructor it is */
        struct qn_vmod *m;
        struct qn_vframe *env;
        struct qn_v self;         /* of arrow functions; a class's parent otherwise */
        struct qn_vobj *home;     /* its prototype property */
        struct qn_vobj *holder;   /* the object whose method it is */
        struct qn_vobj *instance; /* what `new` made of it latest */
        struct qn_v ret;          /* what it returned so far */
        uint32_t called;
};

struct qn_vbound {
        struct qn_v target, self;
        struct qn_v *args;
        uint32_t n;
};

struct qn_vobj {
        uint8_t cls;
        bool open;              /* holds more than is known */
        uint16_t taint;         /* of everything in it */
        uint32_t born;          /* how uncertain things were when it was made */
        uint32_t n, cap, first; /* elements or bytes; first: those taken off the front */
        uint32_t n_props, cap_props;
        struct qn_vobj *proto;
        struct qn_vobj *owner; /* of a prototype: its function */
        struct qn_vprop *props;
        uint32_t *index; /* of more than a few props: open addressing, key → prop + 1 */
        union {
                struct qn_v *elems;
                char *bytes;
                struct qn_vfn *fn;
                struct qn_vbound *bound;
                struct qn_v *cell;
                struct qn_vmod *mod;
                struct qn_str *text;
        };
        struct qn_v any; /* what was stored under names that are not known */
};

/* --- code --- */

struct qn_vframe {
        struct qn_vframe *up; /* around it in the source */
        struct qn_vmod *m;
        uint32_t scope, born, n_args;
        struct qn_v self, fn;
        struct qn_v *args;
        struct qn_v slots[];
};

enum qn_vmod_state { QN_VM_NEW, QN_VM_RUNNING, QN_VM_DONE, QN_VM_BAD };

struct qn_vmod {
        uint32_t file; /* in the graph */
        uint32_t index;
        uint8_t state;
        bool esm, nested;
        bool snippet; /* nested, and offered as such: runs when its site says */
        struct qn_str path, source;
        const struct qn_js_ast *tree; /* kept from when the file was observed, or NULL */
        uint32_t *lines;              /* offsets of line starts, once asked for */
        uint32_t n_lines;
        struct qn_v last; /* of code in a text: its value */
        const struct qn_js_ast *ast;
        struct qn_vframe *outer; /* of code in a string: where it stands */
        struct qn_site site;     /* and its place */
        struct qn_vframe *frame;
        struct qn_vobj *exports, *module;
        uint32_t *keys;       /* atom → key, 0: not asked yet */
        uint32_t *owner;      /* scope → the function's scope it belongs to */
        uint32_t *slot;       /* binding → slot in the frame of that scope */
        uint32_t *n_slots;    /* scope → slots of its frame */
        uint8_t *captured;    /* scope → functions are made inside */
        uint16_t *runs;       /* scope → how often its function ran */
        uint8_t *active;      /* scope → how often it is on the stack */
        uint32_t seen, blind; /* computed names of functions that are called: worked out, not */
        uint8_t *told;        /* node → how often a call there was looked at */
};

struct qn_vm_copy {
        uint32_t file, age;
        struct qn_str path;
        char *text;
        size_t n;
};

/* Files that do not stay where they are. */
struct qn_vm_copies {
        struct qn_vm_copy *list;
        size_t n, cap, bytes;
        uint32_t seen;
        struct qn_vm_copy end; /* no room from this one on, once they were cut */
        bool cut;
};

enum qn_vdone { QN_DONE_NORMAL, QN_DONE_BREAK, QN_DONE_CONTINUE, QN_DONE_RETURN, QN_DONE_THROW };

/* A running function. */
struct qn_vcall {
        struct qn_vframe *f;
        struct qn_vcall *up;
        struct qn_v ret, yielded;
        bool returned, generator;
        uint32_t born;
};

/* A text that is asked for its code units one after the other: where unit i is. */
struct qn_vwalk {
        const char *p;
        uint32_t n, i, off;
        uint32_t units; /* its length */
        bool ascii;
};

struct qn_vm {
        struct qn_scan *s;
        const struct qn_js_apis *apis;
        struct qn_arena a;
        struct qn_arena trees; /* of files that may be run */
        bool full; /* the arena's cap was met, or there are no steps left even for a rough look */

        struct qn_map names; /* property names → key */
        struct qn_str *keys;
        size_t n_keys, keys_cap;
        struct qn_map std; /* "Math.floor" → number of the function */
        uint32_t *api_std; /* API row → the same function in vm-std.def, 0 none */
        struct qn_vobj *globals;

        struct qn_vtaint *taints;
        size_t n_taints, taints_cap;
        uint32_t mix_a[256], mix_r[256]; /* the latest unions of taints */
        struct qn_vtrace *traces;
        size_t n_traces, traces_cap;

        struct qn_vmod **mods;
        size_t n_mods, mods_cap;
        uint32_t *by_file; /* graph file → module + 1 */
        size_t n_by_file;
        struct qn_js *parser;  /* the scan's */
        struct qn_arena fixed; /* what stays from package to package */
        struct qn_vm_copies copies;
        size_t loaded;       /* bytes of files */
        unsigned ranks_done; /* of qn_vm_run(): groups of files that were run to their end */
        bool unfollowed;     /* code was recovered that a limit kept from being run */

        struct qn_vframe *spare[32]; /* frames by number of slots, for the next call */
        struct qn_vobj **made;       /* functions, in the order in which they were made */
        size_t n_made, made_cap;
        struct qn_vcall *call;
        struct qn_vmod *m;       /* whose code is running */
        struct qn_vmod *loading; /* the innermost file that is being loaded */
        uint32_t label;          /* of break and continue */
        int64_t left;            /* steps before only the rough look is left */
        uint32_t uncertain, loops, text_depth;
        uint32_t vague, matched; /* counters: unknown things met; switches that were decided */
        bool dark;               /* what runs hides what it does, or is for install time */
        uint32_t round;          /* of the innermost loop of the function that is running */
        uint32_t cut; /* how uncertain things are in a loop that has no steps left; 0 none */
        bool load;    /* what runs now runs when its file is loaded */
        bool maybe_break, rough, started;
        struct qn_v throwing, value; /* of the latest throw, of the latest statement */
        const char *stack_base;
        char *grow; /* the text that was made last: appending to it extends it */
        size_t grow_n, grow_cap;
        struct qn_vwalk walks[4]; /* texts that are walked by index */
        uint32_t next_walk;
        uint32_t evals;
        size_t eval_bytes;
        struct qn_map seen;        /* events that were told */
        struct qn_vm_spelt *spelt; /* texts that were put together (vm-spelt.c) */
        size_t n_spelt, spelt_cap, spelt_bytes;
        struct qn_hashset spelt_known;
        struct qn_map texts; /* code that was run, by content and place → module */
};

/* The fixed property names, so that they can be switched on (vm-keys.def). */
enum qn_vkey {
        QN_K_NONE,
#define KEY(id, text) QN_K_##id,
#include "observe/vm-keys.def"
#undef KEY
        QN_K_FIXED_MAX
};

enum qn_vstd {
        QN_STD_NONE,
#define STD(id, name) QN_STD_##id,
#include "observe/vm-std.def"
#undef STD
        QN_STD_MAX
};

/* --- vm-value.c --- */
#define QN_VM_TEXT_MAX ((uint32_t)8 << 20) /* bytes of one text */

static inline struct qn_v qn_v_unknown(void)
{
        return (struct qn_v){ .kind = QN_V_UNKNOWN };
}

static inline struct qn_v qn_v_undef(void)
{
        return (struct qn_v){ .kind = QN_V_UNDEF };
}

/* What a computation that was cut would have given. */
static inline struct qn_v qn_v_lost(uint16_t taint)
{
        return (struct qn_v){ .kind = QN_V_UNKNOWN, .flags = QN_VF_LOST, .taint = taint };
}

static inline struct qn_v qn_v_tainted(uint16_t taint)
{
        return (struct qn_v){ .kind = QN_V_UNKNOWN, .taint = taint };
}

static inline struct qn_v qn_v_bool(bool b)
{
        return (struct qn_v){ .kind = QN_V_BOOL, .n = b };
}

static inline struct qn_v qn_v_num(double d)
{
        return (struct qn_v){ .kind = QN_V_NUM, .num = d };
}

static inline struct qn_v qn_v_str(struct qn_str s)
{
        return s.p && s.n <= QN_VM_TEXT_MAX
                       ? (struct qn_v){ .kind = QN_V_STR, .n = (uint32_t)s.n, .p = s.p }
                       : qn_v_unknown();
}

static inline struct qn_v qn_v_obj(struct qn_vobj *o)
{
        return o ? (struct qn_v){ .kind = QN_V_OBJ, .obj = o } : qn_v_unknown();
}

static inline struct qn_str qn_v_text(struct qn_v v)
{
        return v.kind == QN_V_STR ? (struct qn_str){ v.p, v.n } : (struct qn_str){ NULL, 0 };
}

static inline bool qn_v_exact(struct qn_v v)
{
        return v.kind == QN_V_STR && !(v.flags & QN_VF_INEXACT);
}

static inline bool qn_v_is_obj(struct qn_v v, enum qn_vclass c)
{
        return v.kind == QN_V_OBJ && v.obj->cls == c;
}

static inline bool qn_v_callable(struct qn_v v)
{
        return (v.kind == QN_V_OBJ && (v.obj->cls == QN_VC_FUNC || v.obj->cls == QN_VC_BOUND ||
                                       v.obj->cls == QN_VC_RESOLVE)) ||
               v.kind == QN_V_API || v.kind == QN_V_STD || v.kind == QN_V_BUILTIN;
}

/* Steps behind the end of the budget that the rough look may take; then nothing more is run. */
#define QN_VM_BEYOND ((int64_t)12 << 20)

static inline void qn_vm_spend(struct qn_vm *vm, int64_t steps)
{
        vm->left -= steps;
        if (vm->left > 0)
                return;
        vm->rough = true;
        if (vm->left < -QN_VM_BEYOND)
                vm->full = true;
}

/* Long texts count as work. */
static inline void qn_vm_charge(struct qn_vm *vm, size_t bytes)
{
        qn_vm_spend(vm, (int64_t)(bytes / 32));
}

/* Whether something that old is changed by rounds of a loop that are no longer run. */
static inline bool qn_vm_is_cut(const struct qn_vm *vm, uint32_t born)
{
        return vm->cut && born < vm->cut;
}

/* What is known of a value, or would be. */
static inline bool qn_v_certain(struct qn_v v)
{
        return v.flags & QN_VF_LOST ||
               (v.kind != QN_V_UNKNOWN && v.kind != QN_V_ALT && !(v.flags & QN_VF_INEXACT));
}

/* Objects are what they are; texts and numbers go on changing. */
static inline bool qn_v_goes_on(struct qn_v v)
{
        return qn_v_certain(v) && v.kind != QN_V_OBJ && v.kind != QN_V_API && v.kind != QN_V_STD &&
               v.kind != QN_V_BUILTIN;
}

/* More was put into it than is known. */
static inline void qn_vm_lose(struct qn_vobj *o)
{
        o->open = true;
        o->any.flags |= QN_VF_LOST;
}

/* A value is put into it, perhaps by a loop that has no steps left. */
static inline void qn_vm_lose_if_cut(const struct qn_vm *vm, struct qn_vobj *o, struct qn_v v)
{
        if (qn_vm_is_cut(vm, o->born) && qn_v_goes_on(v))
                qn_vm_lose(o);
}

static inline struct qn_v qn_vm_or_lost(struct qn_v v, const struct qn_vobj *o)
{
        v.flags |= o->any.flags & QN_VF_LOST;
        return v;
}

uint32_t qn_vm_key(struct qn_vm *vm, struct qn_str name);
struct qn_str qn_vm_key_text(const struct qn_vm *vm, uint32_t key);
uint16_t qn_vm_taint(struct qn_vm *vm, uint64_t labels, uint32_t trace);
uint16_t qn_vm_mix(struct qn_vm *vm, uint16_t a, uint16_t b);
static inline uint64_t qn_vm_labels(const struct qn_vm *vm, struct qn_v v)
{
        return vm->taints[v.taint].labels;
}
static inline struct qn_v qn_vm_with(struct qn_vm *vm, struct qn_v v, uint16_t taint)
{
        if (taint && v.taint != taint)
                v.taint = qn_vm_mix(vm, v.taint, taint);
        return v;
}
/* Everything a value carries, what it holds included. */
uint16_t qn_vm_deep_taint(struct qn_vm *vm, struct qn_v v);
/* Either of two. */
struct qn_v qn_vm_join(struct qn_vm *vm, struct qn_v a, struct qn_v b);
/* 1 true, 0 false, -1 not known. */
int qn_vm_truth(struct qn_v v);
/* 1 equal, 0 not, -1 not known. */
int qn_vm_equal(struct qn_v a, struct qn_v b, bool strict);
bool qn_vm_number(struct qn_v v, double *ret);
/* As text: exact or with *; false when nothing of it is known. */
struct qn_v qn_vm_to_text(struct qn_vm *vm, struct qn_v v);
struct qn_v qn_vm_concat(struct qn_vm *vm, struct qn_v a, struct qn_v b);
struct qn_v qn_vm_dup(struct qn_vm *vm, struct qn_str s);
char *qn_vm_bytes(struct qn_vm *vm, size_t n);
struct qn_v qn_vm_first(struct qn_v v);
static inline uint32_t qn_vm_count(struct qn_v v)
{
        return v.kind == QN_V_ALT ? v.alt->n : 1;
}
static inline struct qn_v qn_vm_alt(struct qn_v v, uint32_t i)
{
        struct qn_v r;

        if (v.kind != QN_V_ALT)
                return v;
        r = v.alt->v[i];
        r.taint = v.taint ? v.taint : r.taint;
        r.flags |= v.flags & QN_VF_LOST;
        return r;
}
/* As the operators on bits take a number. */
uint32_t qn_vm_u32(double d);
double qn_vm_parse_number(struct qn_str s);
struct qn_v qn_vm_number_text(struct qn_vm *vm, double d, unsigned radix);

/* --- vm-object.c --- */
struct qn_vobj *qn_vm_object(struct qn_vm *vm, enum qn_vclass cls);
struct qn_vobj *qn_vm_array(struct qn_vm *vm, const struct qn_v *list, uint32_t n);
struct qn_vobj *qn_vm_buffer(struct qn_vm *vm, struct qn_str bytes);
bool qn_vm_push(struct qn_vm *vm, struct qn_vobj *o, struct qn_v v);
struct qn_vprop *qn_vm_own(struct qn_vobj *o, uint32_t key);
/* Whatever the kind of object; builtin methods included. */
struct qn_v qn_vm_get(struct qn_vm *vm, struct qn_v obj, uint32_t key);
struct qn_v qn_vm_get_index(struct qn_vm *vm, struct qn_v obj, struct qn_v key);
void qn_vm_put(struct qn_vm *vm, struct qn_v obj, uint32_t key, struct qn_v v);
void qn_vm_put_index(struct qn_vm *vm, struct qn_v obj, struct qn_v key, struct qn_v v);
static inline struct qn_v *qn_vm_elems(const struct qn_vobj *array)
{
        return array->elems ? array->elems + array->first : NULL;
}
void qn_vm_define(struct qn_vm *vm, struct qn_vobj *o, uint32_t key, struct qn_v v, bool getter);
/* The prototype property of a function. */
struct qn_vobj *qn_vm_home(struct qn_vm *vm, struct qn_vobj *fn);
struct qn_v qn_vm_prop(struct qn_vm *vm, struct qn_v obj, const char *name);
/* The elements of something that can be walked; false when they are not known. */
bool qn_vm_elements(struct qn_vm *vm, struct qn_v v, struct qn_v **ret, uint32_t *n);

/* --- vm-ops.c, vm-expr.c, vm-stmt.c --- */
/* a op b for all operators that take both values (qn_js_tok). */
struct qn_v qn_vm_binary(struct qn_vm *vm, unsigned op, struct qn_v a, struct qn_v b);
struct qn_v qn_vm_eval(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
enum qn_vdone qn_vm_exec(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
enum qn_vdone qn_vm_list(struct qn_vm *vm, struct qn_vframe *f, uint32_t first);
void qn_vm_bind(struct qn_vm *vm, struct qn_vframe *f, uint32_t pattern, struct qn_v v,
                bool declare);
void qn_vm_assign_name(struct qn_vm *vm, struct qn_vframe *f, uint32_t ident, struct qn_v v,
                       bool declare);
void qn_vm_hoist(struct qn_vm *vm, struct qn_vframe *f, uint32_t first);
bool qn_vm_too_deep(const struct qn_vm *vm);
uint32_t qn_vm_property_key(struct qn_vm *vm, struct qn_vframe *f, uint32_t key, bool computed);

static inline const struct qn_js_node *qn_vn(const struct qn_vmod *m, uint32_t n)
{
        return &m->ast->nodes[n];
}

static inline uint32_t qn_vm_atom_key(struct qn_vm *vm, struct qn_vmod *m, uint32_t atom)
{
        if (!m->keys[atom])
                m->keys[atom] = qn_vm_key(vm, m->ast->atoms[atom]);
        return m->keys[atom];
}

static inline uint32_t qn_vn_child(const struct qn_vmod *m, uint32_t n, unsigned i)
{
        return qn_js_child(m->ast, n, i);
}

/* Where something happens. */
struct qn_vat {
        struct qn_vmod *m;
        uint32_t node;
};

struct qn_vargs {
        struct qn_v *v;
        uint32_t n;
        bool is_new;
};

static inline struct qn_v qn_vm_arg(const struct qn_vargs *a, uint32_t i)
{
        return i < a->n ? a->v[i] : qn_v_undef();
}

/* --- vm-call.c --- */
struct qn_v qn_vm_call(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                       struct qn_vargs *args);
struct qn_v qn_vm_make_function(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
struct qn_v qn_vm_make_class(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
struct qn_v qn_vm_construct(struct qn_vm *vm, struct qn_vat at, struct qn_v fn,
                            struct qn_vargs *args);
/* Runs a function that somebody else may call, with parameters of which only the taint is known. */
struct qn_v qn_vm_callback(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v arg);
void qn_vm_run_left(struct qn_vm *vm, size_t from);
/* Without the promises around it. */
struct qn_v qn_vm_settled(struct qn_vm *vm, struct qn_v v);
struct qn_v qn_vm_call_unknown(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                               struct qn_vargs *args);
struct qn_vframe *qn_vm_frame(struct qn_vm *vm, struct qn_vmod *m, uint32_t scope,
                              struct qn_vframe *up);

/* --- vm-text.c, vm-array.c, vm-buffer.c, vm-builtin.c, vm-std.c --- */
struct qn_v qn_vm_text_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                              struct qn_vargs *args);
struct qn_v qn_vm_array_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                               struct qn_vargs *args);
struct qn_v qn_vm_buffer_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                                struct qn_vargs *args);
struct qn_v qn_vm_regex_method(struct qn_vm *vm, uint32_t key, struct qn_v self,
                               struct qn_vargs *args);
/* A method whose result is not worked out: the taint of what goes in, text that stays text. */
struct qn_v qn_vm_vague(struct qn_vm *vm, struct qn_vat at, struct qn_v self,
                        struct qn_vargs *args);
/* text.replace(pattern, by): pattern is a REGEX object. */
struct qn_v qn_vm_regex_replace(struct qn_vm *vm, struct qn_vat at, struct qn_v text,
                                struct qn_v regex, struct qn_v by);
struct qn_v qn_vm_regex_split(struct qn_vm *vm, struct qn_v text, struct qn_v regex);
struct qn_v qn_vm_regex_match(struct qn_vm *vm, struct qn_v text, struct qn_v regex, bool all);
struct qn_v qn_vm_json(struct qn_vm *vm, struct qn_v text);
struct qn_v qn_vm_to_json(struct qn_vm *vm, struct qn_vat at, struct qn_v v);
struct qn_v qn_vm_code_unit(struct qn_vm *vm, uint32_t c);
struct qn_v qn_vm_inflate(struct qn_vm *vm, struct qn_v v);
/* Bytes 0-255 as text of as many characters, and back. */
struct qn_v qn_vm_from_latin1(struct qn_vm *vm, struct qn_str bytes);
struct qn_v qn_vm_encode(struct qn_vm *vm, struct qn_str bytes, struct qn_str encoding);
struct qn_vobj *qn_vm_bytes_of(struct qn_vm *vm, struct qn_v v, struct qn_str encoding);
static inline double qn_vm_int_arg(const struct qn_vargs *args, uint32_t i, double otherwise)
{
        double d;

        return i < args->n && args->v[i].kind != QN_V_UNDEF && qn_vm_number(args->v[i], &d) &&
                               d == d
                       ? d
                       : otherwise;
}
/* Work on all of a value takes steps by its size. */
void qn_vm_charge_value(struct qn_vm *vm, struct qn_v v);
struct qn_v qn_vm_method(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v self,
                         struct qn_vargs *args);
bool qn_vm_has_method(const struct qn_vm *vm, struct qn_v v, uint32_t key);
struct qn_v qn_vm_std(struct qn_vm *vm, struct qn_vat at, uint32_t std, struct qn_v self,
                      struct qn_vargs *args);
/* The function of this name ("parseInt"), or of this name in that object ("Math", floor): 0 when there is none. */
uint32_t qn_vm_std_find(const struct qn_vm *vm, struct qn_str object, struct qn_str name);
struct qn_str qn_vm_std_name(uint32_t std);
struct qn_v qn_vm_char_at(struct qn_vm *vm, struct qn_v text, double index, bool code, bool point);
uint32_t qn_vm_length(struct qn_vm *vm, struct qn_v text);
struct qn_v qn_vm_slice_text(struct qn_vm *vm, struct qn_v text, double from, double to);
struct qn_v qn_vm_split_chars(struct qn_vm *vm, struct qn_v text, bool points);
struct qn_v qn_vm_decode(struct qn_vm *vm, struct qn_v text, struct qn_str encoding);

/* --- vm-api.c, vm-sink.c --- */
struct qn_v qn_vm_global(struct qn_vm *vm, uint32_t key);
/* vm-spelt.c: a value that an expression gave; at the end, what such texts say. */
void qn_vm_note_spelt(struct qn_vm *vm, struct qn_vat at, struct qn_v v);
/* A property with a text that was made: together they are looked at as they would stand in the source. */
void qn_vm_note_pair(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v v);
void qn_vm_look_at_spelt(struct qn_vm *vm, struct qn_scan *s);

struct qn_v qn_vm_api(struct qn_vm *vm, uint32_t index);
struct qn_v qn_vm_api_member(struct qn_vm *vm, uint32_t api, uint32_t key, uint16_t taint);
struct qn_v qn_vm_api_call(struct qn_vm *vm, struct qn_vat at, struct qn_v fn, struct qn_v self,
                           struct qn_vargs *args);
/* A read of an interface or variable that is an event. */
struct qn_v qn_vm_api_read(struct qn_vm *vm, struct qn_vat at, struct qn_v v);
void qn_vm_api_write(struct qn_vm *vm, struct qn_vat at, struct qn_v target, uint32_t key,
                     struct qn_v v);
struct qn_v qn_vm_env(struct qn_vm *vm, struct qn_vat at, struct qn_v key);
struct qn_v qn_vm_env_all(struct qn_vm *vm, struct qn_vat at, const char *how);
void qn_vm_emit(struct qn_vm *vm, struct qn_vat at, struct qn_event *e, uint16_t taint);
struct qn_site qn_vm_site(struct qn_vm *vm, struct qn_vat at);
uint32_t qn_vm_trace(struct qn_vm *vm, struct qn_vat at, const char *what, uint32_t prev);
uint16_t qn_vm_source(struct qn_vm *vm, struct qn_vat at, uint64_t labels, const char *what);
bool qn_vm_is_env(const struct qn_vm *vm, struct qn_v v);
/* What the call of an interface with these arguments tells; the result's labels. */
uint16_t qn_vm_sink(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                    struct qn_vobj **address, struct qn_vargs *args);
/* Adds the way that a taint took. */
void qn_vm_flow(struct qn_vm *vm, struct qn_event *e, uint16_t taint);
void qn_vm_sink_assigned(struct qn_vm *vm, struct qn_vat at, const struct qn_js_api *api,
                         struct qn_v v);
struct qn_v qn_vm_name_source(struct qn_vm *vm, struct qn_vat at, uint32_t key, struct qn_v v);

/* --- vm-copies.c --- */
/* False when there is no memory. */
bool qn_vm_copies_add(struct qn_vm_copies *c, uint32_t file, struct qn_str path,
                      struct qn_str source);
/* The smallest stay, as many as there is room for.  What is larger than the first one left out is not taken later either: what
 * stays in the end depends on sizes and paths alone, not on the archive's order. */
void qn_vm_copies_cut(struct qn_vm_copies *c);
void qn_vm_copies_done(struct qn_vm_copies *c);

/* --- vm-tree.c --- */
#define QN_VM_NODES_MAX (((size_t)16 << 20) / sizeof(struct qn_js_node)) /* of one syntax tree */
/* The tree with everything that it points to but the source, which stays; NULL when there is no memory. */
const struct qn_js_ast *qn_vm_tree_copy(struct qn_arena *a, const struct qn_js_ast *ast,
                                        struct qn_str source);

/* --- vm-module.c --- */
struct qn_v qn_vm_require(struct qn_vm *vm, struct qn_vat at, struct qn_v name, const char *how);
struct qn_v qn_vm_module_get(struct qn_vm *vm, struct qn_v exports, uint32_t key);
void qn_vm_import(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
void qn_vm_export(struct qn_vm *vm, struct qn_vframe *f, uint32_t node);
/* Code in a text; frame: what it may see besides globals, or NULL. */
struct qn_v qn_vm_run_text(struct qn_vm *vm, struct qn_vat at, struct qn_str code,
                           struct qn_vframe *outer);
void qn_vm_load(struct qn_vm *vm, struct qn_vmod *m);
