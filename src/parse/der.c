#include "parse/der.h"

static int take_length(struct qn_cur *c, size_t *ret)
{
        uint8_t first, b;
        size_t n = 0;

        if (qn_cur_u8(c, &first) < 0)
                return -EBADMSG;
        if (first < 0x80) {
                *ret = first;
                return 0;
        }
        if (first == 0x80 || first > 0x84)
                return -EBADMSG;
        for (unsigned left = first & 0x7fu; left; left--) {
                if (qn_cur_u8(c, &b) < 0)
                        return -EBADMSG;
                n = n << 8 | b;
        }
        *ret = n;
        return 0;
}

int qn_der_next(struct qn_cur *c, uint8_t *ret_tag, struct qn_cur *ret)
{
        struct qn_cur at = *c, content;
        uint8_t tag;
        size_t n;

        if (qn_cur_u8(&at, &tag) < 0 || (tag & 0x1f) == 0x1f || take_length(&at, &n) < 0 ||
            qn_cur_take(&at, n, &content) < 0)
                return -EBADMSG;
        *c = at;
        *ret_tag = tag;
        *ret = content;
        return 0;
}

int qn_der_take(struct qn_cur *c, uint8_t tag, struct qn_cur *ret)
{
        struct qn_cur at = *c, content;
        uint8_t found;

        if (qn_der_next(&at, &found, &content) < 0 || found != tag)
                return -EBADMSG;
        *c = at;
        *ret = content;
        return 0;
}

int qn_der_pass(struct qn_cur *c, uint8_t tag)
{
        struct qn_cur content;

        if (qn_cur_left(c) == 0 || c->p[0] != tag)
                return 0;
        return qn_der_take(c, tag, &content);
}
