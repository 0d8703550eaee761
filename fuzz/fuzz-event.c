#include "base/arena.h"
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read once is canonical: it is written and read again without a change. */
static void round_trip(const struct qn_event_set *s)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20),
                                             c = QN_BUF_INIT((size_t)64 << 20);
        struct qn_event_set t;
        struct qn_cur in;

        if (qn_event_set_write(s, &b) < 0)
                abort();
        in = qn_cur_mem(b.p, b.n);
        if (qn_event_set_read(&in, &a, &t, NULL) < 0 || qn_cur_left(&in) ||
            qn_event_set_write(&t, &c) < 0)
                abort();
        if (!qn_str_eq(qn_buf_view(&b), qn_buf_view(&c)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_event_set s = { 0 };
        struct qn_err err = { 0 };
        int r = qn_event_set_read(&in, &a, &s, &err);

        if ((r == 0) != s.sealed || (r < 0 && in.p != data))
                abort();
        if (r == 0)
                round_trip(&s);
        return 0;
}
