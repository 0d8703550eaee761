#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>

int qn_buf_room(struct qn_buf *b, size_t n)
{
        size_t want, cap;
        char *p;

        if (b->error)
                return b->error;
        if (n > b->max - b->n)
                return b->error = -ENOBUFS;
        want = b->n + n + 1;
        if (want <= b->cap)
                return 0;
        cap = QN_MAX(want, QN_MAX(b->cap * 2, (size_t)256));
        cap = QN_MIN(cap, b->max + 1);
        p = realloc(b->p, cap);
        if (!p)
                return b->error = -ENOMEM;
        b->p = p;
        b->cap = cap;
        return 0;
}

/* Most appends find their room: cap is never more than max + 1. */
static inline bool has_room(const struct qn_buf *b, size_t n)
{
        return !b->error && b->cap && n < b->cap - b->n;
}

int qn_buf_add(struct qn_buf *b, const void *p, size_t n)
{
        int r = has_room(b, n) ? 0 : qn_buf_room(b, n);

        if (r < 0)
                return r;
        if (n)
                memcpy(b->p + b->n, p, n);
        b->n += n;
        b->p[b->n] = '\0';
        return 0;
}

int qn_buf_str(struct qn_buf *b, struct qn_str s)
{
        return qn_buf_add(b, s.p, s.n);
}

int qn_buf_puts(struct qn_buf *b, const char *c)
{
        return qn_buf_add(b, c, strlen(c));
}

int qn_buf_byte(struct qn_buf *b, char c)
{
        if (!has_room(b, 1))
                return qn_buf_add(b, &c, 1);
        b->p[b->n++] = c;
        b->p[b->n] = '\0';
        return 0;
}

int qn_buf_fill(struct qn_buf *b, char c, size_t n)
{
        int r = qn_buf_room(b, n);

        if (r < 0)
                return r;
        memset(b->p + b->n, c, n);
        b->n += n;
        b->p[b->n] = '\0';
        return 0;
}

int qn_buf_printf(struct qn_buf *b, const char *fmt, ...)
{
        char small[512];
        va_list ap;
        int n, r;

        va_start(ap, fmt);
        n = vsnprintf(small, sizeof small, fmt, ap);
        va_end(ap);
        if (n < 0)
                return b->error = -EINVAL;
        if ((size_t)n < sizeof small)
                return qn_buf_add(b, small, (size_t)n);
        r = qn_buf_room(b, (size_t)n);
        if (r < 0)
                return r;
        va_start(ap, fmt);
        vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->n += (size_t)n;
        return 0;
}

int qn_buf_utf8(struct qn_buf *b, uint32_t cp)
{
        char c[4];

        if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
                cp = 0xfffd;
        if (cp < 0x80)
                return qn_buf_byte(b, (char)cp);
        if (cp < 0x800) {
                c[0] = (char)(0xc0 | cp >> 6);
                c[1] = (char)(0x80 | (cp & 0x3f));
                return qn_buf_add(b, c, 2);
        }
        if (cp < 0x10000) {
                c[0] = (char)(0xe0 | cp >> 12);
                c[1] = (char)(0x80 | (cp >> 6 & 0x3f));
                c[2] = (char)(0x80 | (cp & 0x3f));
                return qn_buf_add(b, c, 3);
        }
        c[0] = (char)(0xf0 | cp >> 18);
        c[1] = (char)(0x80 | (cp >> 12 & 0x3f));
        c[2] = (char)(0x80 | (cp >> 6 & 0x3f));
        c[3] = (char)(0x80 | (cp & 0x3f));
        return qn_buf_add(b, c, 4);
}

int qn_buf_error(const struct qn_buf *b)
{
        return b->error;
}

void qn_buf_reset(struct qn_buf *b)
{
        b->n = 0;
        b->error = 0;
        if (b->p)
                b->p[0] = '\0';
}

void qn_buf_done(struct qn_buf *b)
{
        free(TAKE_PTR(b->p));
        b->n = b->cap = 0;
        b->error = 0;
}
