/* js-priv.h - one JavaScript file under observation; shared by js*.c. */
#pragma once

#include "observe/js-api.h"
#include "observe/scan-priv.h"
#include "parse/js.h"

enum qn_js_val_kind {
        QN_VAL_NONE,   /* not known; labels still hold */
        QN_VAL_STRING, /* text; * stands for parts that are not known when exact is false */
        QN_VAL_NUMBER,
        QN_VAL_API,  /* an interface of the table */
        QN_VAL_ENV,  /* one variable of the environment: its name, when known */
        QN_VAL_NODE, /* a function, class, object or array of this file */
};

struct qn_js_val {
        uint8_t kind; /* qn_js_val_kind */
        bool exact;
        bool decoded;  /* came out of a decoder */
        uint32_t api;  /* API */
        uint32_t node; /* NODE */
        double number;
        struct qn_str str;
        uint64_t labels; /* what it carries */
};

struct qn_js_func {
        uint32_t node, parent;
        bool inherits; /* runs when the code around it runs */
        bool loads;    /* runs when the file is loaded */
};

struct qn_js_edge {
        uint32_t from, to; /* functions */
};

struct qn_js_event {
        struct qn_event e;
        uint32_t func, node;
};

struct qn_js_later {
        uint32_t node, api, func;
};

/* What obfuscation.c notes of long and escaped literals. */
struct qn_js_literals {
        size_t blob, escapes, bytes;
        uint32_t blob_at, escapes_at, bytes_at;
        const char *kind;
};

struct qn_js_file {
        bool env_handed_on; /* the environment as a whole goes somewhere */
        struct qn_scan *s;
        struct qn_arena *a;
        const struct qn_js_ast *ast;
        const struct qn_js_apis *apis;
        const struct qn_site *outer; /* code in a string: everything happens there */

        uint32_t *
                atom_root; /* atom → global interface or another mark of js-value.c, 0: not asked yet */
        uint32_t *slot; /* binding → value + 1 or a mark of js-value.c, 0: not asked yet */
        struct qn_js_val *vals;
        size_t n_vals, vals_cap;
        uint32_t *assigned; /* binding → expression of its one assignment */
        uint32_t *func_of;  /* scope → function */
        size_t budget;      /* expressions that may still be evaluated */

        struct qn_js_func *funcs;
        size_t n_funcs, funcs_cap;
        struct qn_js_edge *calls;
        size_t n_calls, calls_cap;
        struct qn_js_event *events;
        size_t n_events, events_cap;
        struct qn_js_later *later;
        size_t n_later, later_cap;
        uint32_t func; /* the function being walked */
        size_t eth, btc;
        uint32_t eth_at, btc_at;
        struct qn_js_literals literals;
        bool lost; /* the arena's cap was met */
};

#define QN_JS_EVAL_DEPTH 24u

static inline const struct qn_js_node *qn_jsn(const struct qn_js_file *j, uint32_t n)
{
        return &j->ast->nodes[n];
}

static inline uint32_t qn_jso_first(const struct qn_js_file *j, uint32_t n)
{
        return j->ast->nodes[n].type == QN_JS_IDENT ? 0 : j->ast->nodes[n].first;
}

static inline struct qn_str qn_jso_atom_text(const struct qn_js_file *j, uint32_t atom)
{
        return j->ast->atoms[atom];
}

/* js-value.c */
struct qn_js_val qn_jso_eval(struct qn_js_file *j, uint32_t node, unsigned depth);
/* Whether it is certain, without evaluating it, that the expression stands for nothing and carries nothing. */
bool qn_jso_is_plain(struct qn_js_file *j, uint32_t node);
/* Only text that is fully known. */
struct qn_str qn_jso_text(struct qn_js_file *j, uint32_t node);
/* The i-th argument of a CALL or NEW, 0 when there is none. */
uint32_t qn_jso_arg(const struct qn_js_file *j, uint32_t call, unsigned i);
/* The value of a property of an object literal, 0 when there is none. */
uint32_t qn_jso_property(struct qn_js_file *j, uint32_t object, const char *name);
/* Without parentheses, await and (0, x). */
uint32_t qn_jso_strip(const struct qn_js_file *j, uint32_t node);

/* js-const.c: operations on constant text */
struct qn_str qn_jso_const_decode(struct qn_arena *a, struct qn_str text, struct qn_str encoding);
struct qn_str qn_jso_const_join(struct qn_arena *a, const struct qn_str *parts, size_t n,
                                struct qn_str sep);
struct qn_str qn_jso_const_path(struct qn_arena *a, const struct qn_str *parts, size_t n);

/* js.c */
struct qn_js_event *qn_jso_emit(struct qn_js_file *j, const struct qn_event *e, uint32_t node);
struct qn_site qn_jso_site(struct qn_js_file *j, uint32_t node);
/* js-call.c */
void qn_jso_call(struct qn_js_file *j, uint32_t node);
/* Adds url, host and class of an address that is known; whether it is. */
bool qn_jso_address(struct qn_js_file *j, struct qn_event *e, const struct qn_js_val *v);
/* After the walk and qn_jso_reach(). */
void qn_jso_calls_done(struct qn_js_file *j);
void qn_jso_member(struct qn_js_file *j, uint32_t node, uint32_t parent);
/* js-misc.c */
void qn_jso_assign(struct qn_js_file *j, uint32_t node);
void qn_jso_string_literal(struct qn_js_file *j, uint32_t node);
void qn_jso_binary(struct qn_js_file *j, uint32_t node);
void qn_jso_property_seen(struct qn_js_file *j, uint32_t node);
void qn_jso_summary(struct qn_js_file *j);
/* js-reach.c */
void qn_jso_reach(struct qn_js_file *j);
/* obfuscation.c */
/* During the walk; then the file as a whole. */
void qn_obfuscation_literal(struct qn_js_file *j, uint32_t node);
void qn_obfuscation_observe(struct qn_js_file *j);
