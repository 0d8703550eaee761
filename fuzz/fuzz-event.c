#include "base/arena.h"
#include "event/event.h"
#include "event/flow.h"

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

/* Steps lie in the flow, one behind the other. */
static void walk_flows(const struct qn_event_set *s)
{
        for (size_t i = 0; i < s->n; i++) {
                struct qn_str flow = qn_event_get(&s->events[i], QN_ATTR_FLOW), rest = flow;
                struct qn_flow_step step;
                size_t total = 0;

                while (qn_flow_next(&rest, &step)) {
                        total += step.file.n + step.what.n + step.text.n;
                        if (total > flow.n || (step.column && !step.line))
                                abort();
                }
                if (rest.n)
                        abort();
        }
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
        if (r == 0) {
                round_trip(&s);
                walk_flows(&s);
        }
        return 0;
}
