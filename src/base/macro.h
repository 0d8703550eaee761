/* macro.h - the few macros that every file may use: checked results, scoped clean-up, small arithmetic. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QN_MUST            __attribute__((warn_unused_result))
#define QN_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define QN_UNUSED          __attribute__((unused))
#define QN_LIKELY(x)       __builtin_expect(!!(x), 1)
#define QN_UNLIKELY(x)     __builtin_expect(!!(x), 0)
#define _cleanup_(f)       __attribute__((cleanup(f)))

/* Number of elements of a real array. */
#define QN_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Hands a pointer out of a scope: the variable is NULL afterwards. */
#define TAKE_PTR(p)                        \
        ({                                 \
                __typeof__(p) *pp_ = &(p); \
                __typeof__(p) got_ = *pp_; \
                *pp_ = NULL;               \
                got_;                      \
        })

#define TAKE_FD(fd)               \
        ({                        \
                int *fp_ = &(fd); \
                int got_ = *fp_;  \
                *fp_ = -1;        \
                got_;             \
        })

/* Each argument is evaluated once; the counter keeps nested uses from shadowing each other. */
#define QN_PICK_(op, a, b, n)                                                       \
        ({                                                                          \
                __typeof__(a) QN_CAT_(a_, n) = (a);                                 \
                __typeof__(b) QN_CAT_(b_, n) = (b);                                 \
                QN_CAT_(a_, n) op QN_CAT_(b_, n) ? QN_CAT_(a_, n) : QN_CAT_(b_, n); \
        })
#define QN_CAT_(x, y)  QN_CAT2_(x, y)
#define QN_CAT2_(x, y) x##y
#define QN_MIN(a, b)   QN_PICK_(<, a, b, __COUNTER__)
#define QN_MAX(a, b)   QN_PICK_(>, a, b, __COUNTER__)

/* Clean-up helpers for _cleanup_. */
void qn_freep(void *p);  /* frees *(void **)p */
void qn_closep(int *fd); /* closes *fd if it is >= 0; then it is -1 */
