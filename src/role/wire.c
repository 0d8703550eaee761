#include "role/wire.h"

#include <errno.h>

void qn_wire_put_text(struct qn_buf *b, struct qn_str s)
{
        qn_wire_put_u32(b, s.p ? (uint32_t)s.n : QN_WIRE_NONE);
        if (s.p)
                qn_buf_str(b, s);
}

void qn_wire_put_texts(struct qn_buf *b, const struct qn_str *const *texts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                qn_wire_put_text(b, *texts[i]);
}

int qn_wire_get_text(struct qn_cur *c, struct qn_str *ret)
{
        struct qn_cur bytes;
        uint32_t n;

        if (qn_cur_le32(c, &n) < 0)
                return -EBADMSG;
        *ret = (struct qn_str){ 0 };
        if (n == QN_WIRE_NONE)
                return 0;
        if (qn_cur_take(c, n, &bytes) < 0)
                return -EBADMSG;
        *ret = bytes.p ? qn_cur_rest(&bytes) : QN_STR("");
        return 0;
}

int qn_wire_get_texts(struct qn_cur *c, struct qn_str *const *ret, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (qn_wire_get_text(c, ret[i]) < 0)
                        return -EBADMSG;
        return 0;
}
