/* cur.h - the read cursor: the only way to read hostile bytes.  It cannot leave its buffer, and a child cursor cannot
 * leave its parent.  All calls return 0 or -EBADMSG (input too short) and leave the cursor alone on failure. */
#pragma once

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

struct qn_cur {
        const uint8_t *p, *end;
};

#define QN_CUR_LIT(lit) \
        ((struct qn_cur){ (const uint8_t *)(lit), (const uint8_t *)(lit) + sizeof(lit) - 1 })

static inline struct qn_cur qn_cur_mem(const void *p, size_t n)
{
        return (struct qn_cur){ p, n ? (const uint8_t *)p + n : p };
}

static inline struct qn_cur qn_cur_str(struct qn_str s)
{
        return qn_cur_mem(s.p, s.n);
}

static inline size_t qn_cur_left(const struct qn_cur *c)
{
        return (size_t)(c->end - c->p);
}

/* The rest of the cursor as a slice. */
static inline struct qn_str qn_cur_rest(const struct qn_cur *c)
{
        return (struct qn_str){ (const char *)c->p, qn_cur_left(c) };
}

QN_MUST static inline int qn_cur_take(struct qn_cur *c, size_t n, struct qn_cur *ret)
{
        if (n > qn_cur_left(c))
                return -EBADMSG;
        *ret = (struct qn_cur){ c->p, n ? c->p + n : c->p }; /* an empty cursor may be NULL */
        c->p = ret->end;
        return 0;
}

QN_MUST static inline int qn_cur_skip(struct qn_cur *c, size_t n)
{
        if (n > qn_cur_left(c))
                return -EBADMSG;
        if (n)
                c->p += n;
        return 0;
}

/* Copies n bytes out. */
QN_MUST static inline int qn_cur_copy(struct qn_cur *c, size_t n, void *ret)
{
        if (n > qn_cur_left(c))
                return -EBADMSG;
        if (n) {
                memcpy(ret, c->p, n);
                c->p += n;
        }
        return 0;
}

#define QN_CUR_INT(name, type, swap)                                         \
        QN_MUST static inline int qn_cur_##name(struct qn_cur *c, type *ret) \
        {                                                                    \
                type v;                                                      \
                if (sizeof v > qn_cur_left(c))                               \
                        return -EBADMSG;                                     \
                memcpy(&v, c->p, sizeof v);                                  \
                *ret = swap(v);                                              \
                c->p += sizeof v;                                            \
                return 0;                                                    \
        }
#define QN_CUR_ID(v) (v)
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "qanat runs on little-endian machines"
#endif
QN_CUR_INT(u8, uint8_t, QN_CUR_ID)
QN_CUR_INT(le16, uint16_t, QN_CUR_ID)
QN_CUR_INT(le32, uint32_t, QN_CUR_ID)
QN_CUR_INT(le64, uint64_t, QN_CUR_ID)
QN_CUR_INT(be16, uint16_t, __builtin_bswap16)
QN_CUR_INT(be32, uint32_t, __builtin_bswap32)
QN_CUR_INT(be64, uint64_t, __builtin_bswap64)
#undef QN_CUR_INT
#undef QN_CUR_ID
