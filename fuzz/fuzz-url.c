/* Addresses: what was read, written and read again is the same, and nothing of the credentials reaches a message. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "net/address.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct qn_url *u, struct qn_arena *a)
{
        _cleanup_(qn_buf_done) struct qn_buf one = QN_BUF_INIT((size_t)1 << 20),
                                             two = QN_BUF_INIT((size_t)1 << 20);
        struct qn_url v;

        qn_url_write(u, &one);
        if (qn_buf_error(&one) < 0 || one.n > QN_URL_MAX)
                return;
        if (qn_url_parse(qn_buf_view(&one), a, &v, NULL) < 0 || !qn_url_same_origin(u, &v) ||
            v.user.p || v.password.p)
                abort();
        qn_url_write(&v, &two);
        if (!qn_str_eq(qn_buf_view(&one), qn_buf_view(&two)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)4 << 20);
        _cleanup_(qn_buf_done) struct qn_buf safe = QN_BUF_INIT((size_t)1 << 20);
        struct qn_str s = { (const char *)data, size };
        struct qn_url u = { 0 };
        int r = qn_url_parse(s, &a, &u, NULL);

        if ((r == 0) != (u.host.p != NULL))
                abort();
        if (r == 0)
                again(&u, &a);
        if (qn_address_place(s) > QN_PLACE_INSIDE ||
            (r == 0 && qn_address_place(u.host) > QN_PLACE_INSIDE))
                abort();
        qn_url_safe(s, &safe);
        for (size_t i = 0; i < safe.n; i++)
                if (safe.p[i] < ' ' || safe.p[i] > '~')
                        abort();
        if (safe.n > 300)
                abort();
        return 0;
}
