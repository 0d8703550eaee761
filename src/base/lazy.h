/* lazy.h - functions of a shared library that is loaded when the first of them is called, because loading it takes milliseconds
 * that most runs of the program should not pay. */
#pragma once

#include <pthread.h>

#include "base/macro.h"

struct qn_lazy {
        const char *library;      /* "libx.so.1" */
        const char *const *names; /* of the functions */
        void **functions;         /* as many, in the same order; NULL until they are loaded */
        size_t n;
        pthread_mutex_t lock;
        _Atomic unsigned
                state; /* 0: not tried, 1: all are there, 2: the library or a function is missing */
};

#define QN_LAZY(file, all_names, all_functions)                                        \
        {                                                                              \
                .library = (file), .names = (all_names), .functions = (all_functions), \
                .n = QN_ARRAY_SIZE(all_names), .lock = PTHREAD_MUTEX_INITIALIZER       \
        }

/* Definitions of a library's functions, which find the real one when they are called; `at` is its place among the names, `without` what
 * it gives while it cannot be had. */
#define QN_LAZY_FUNCTION(lazy, at, type, name, parameters, arguments, without)           \
        type(name) parameters                                                            \
        {                                                                                \
                type(*real) parameters = (type(*) parameters)qn_lazy_find((lazy), (at)); \
                return real ? real arguments : (without);                                \
        }
#define QN_LAZY_PROCEDURE(lazy, at, name, parameters, arguments)                         \
        void(name) parameters                                                            \
        {                                                                                \
                void(*real) parameters = (void(*) parameters)qn_lazy_find((lazy), (at)); \
                if (real)                                                                \
                        real arguments;                                                  \
        }

/* Loads it, unless that was tried before: whether all functions are there.  Any thread. */
bool qn_lazy_load(struct qn_lazy *l);
/* A function by its place among the names, or NULL. */
static inline void *qn_lazy_find(struct qn_lazy *l, size_t at)
{
        return qn_lazy_load(l) ? l->functions[at] : NULL;
}
