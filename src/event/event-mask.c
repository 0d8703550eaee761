/* event-mask.c - a set of events that may be shown to anybody: what looks like a secret in texts and values is masked. */
#include <errno.h>

#include "base/limits.h"
#include "base/mask.h"
#include "event/event.h"

/* Cut where a UTF-8 sequence begins. */
static struct qn_str cut(struct qn_str s, size_t max)
{
        if (s.n <= max)
                return s;
        while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
                max--;
        return qn_str_take(s, max);
}

static int mask(struct qn_buf *b, struct qn_arena *a, size_t max, struct qn_str *s)
{
        struct qn_str masked;

        qn_buf_reset(b);
        qn_mask_secrets(b, *s);
        masked = qn_buf_view(b);
        if (qn_buf_error(b) < 0 || qn_str_eq(masked, *s))
                return qn_buf_error(b);
        *s = qn_arena_dup(a, cut(masked, max));
        return s->p ? 0 : -ENOBUFS;
}

int qn_event_set_mask(struct qn_event_set *s)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT(4 * QN_FLOW_MAX + 4 * QN_ATTR_MAX);
        int r = 0;

        for (size_t i = 0; r == 0 && i < s->n; i++) {
                struct qn_event *e = &s->events[i];

                r = mask(&b, s->arena, QN_ATTR_MAX, &e->text);
                for (unsigned k = 0; r == 0 && k < e->n_attrs; k++)
                        r = mask(&b, s->arena, qn_event_attr_max(e->keys[k]), &e->values[k]);
        }
        return r;
}
