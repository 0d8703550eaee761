/* buf.h - a growing byte buffer with a cap.  Appending to a full buffer fails, stays failed, and keeps what was there:
 * callers may append freely and ask once at the end with qn_buf_error(). */
#pragma once

#include "base/macro.h"
#include "base/str.h"

struct qn_buf {
        char *p;         /* NUL-terminated once anything was appended */
        size_t n;        /* bytes used, without the NUL */
        size_t cap, max; /* allocated; the most that may be used */
        int error;       /* 0, -ENOBUFS (cap reached) or -ENOMEM */
};

#define QN_BUF_INIT(limit) ((struct qn_buf){ .max = (limit) })

/* Each append returns 0 or the buffer's (sticky) error. */
int qn_buf_add(struct qn_buf *b, const void *p, size_t n);
int qn_buf_str(struct qn_buf *b, struct qn_str s);
int qn_buf_puts(struct qn_buf *b, const char *c);
int qn_buf_byte(struct qn_buf *b, char c);
int qn_buf_fill(struct qn_buf *b, char c, size_t n);
int qn_buf_printf(struct qn_buf *b, const char *fmt, ...) QN_PRINTF(2, 3);
/* Room for n more bytes at b->p + b->n, which the caller fills and adds to b->n. */
int qn_buf_room(struct qn_buf *b, size_t n);
/* Appends code point cp as UTF-8 (surrogates and values past U+10FFFF as U+FFFD). */
int qn_buf_utf8(struct qn_buf *b, uint32_t cp);
QN_MUST int qn_buf_error(const struct qn_buf *b);
static inline struct qn_str qn_buf_view(const struct qn_buf *b)
{
        return (struct qn_str){ b->p, b->n };
}
/* Empties it and keeps the memory. */
void qn_buf_reset(struct qn_buf *b);
void qn_buf_done(struct qn_buf *b);
