/* js-units.h - a program in pieces that can be known again in another version of it: statements, and what stands in lists
 * of minified code, each with a hash of what it names.
 *
 * A piece is known by what no tool changes: names of properties and globals, texts, numbers, calls.  Names of variables,
 * white space, the order of statements, `if` written as `&&`: all that is left out, so that a function is the same before
 * and after a minifier. */
#pragma once

#include "base/macro.h"

#include <stdbool.h>
#include <stdint.h>

struct qn_arena;
struct qn_js_ast;

struct qn_js_unit {
        uint32_t start, end; /* byte offsets in the source */
        uint32_t outer;      /* the unit around it; the first one, the program, is its own */
        uint32_t features;   /* how many things it names itself */
        uint64_t hash;       /* of these */
        uint64_t body;  /* of these and what its statements name; functions in it do not count */
        uint32_t block; /* of a function: where the braces begin that end with it, 0: it has none */
        bool function;
};

struct qn_js_units {
        struct qn_js_unit *v; /* in the order of the source, outer ones first */
        uint32_t n;
};

/* 0 or -ENOBUFS; in the arena. */
QN_MUST int qn_js_units(const struct qn_js_ast *ast, struct qn_arena *a, struct qn_js_units *ret);
/* How many units start before an offset: the first of those that do not. */
uint32_t qn_js_unit_before(const struct qn_js_units *u, uint32_t off);
/* The innermost unit at an offset. */
uint32_t qn_js_unit_at(const struct qn_js_units *u, uint32_t off);
