/* event-merge.c - what several observers saw of one package, as one set. */
#include "event/event.h"

void qn_event_set_add_all(struct qn_event_set *to, const struct qn_event_set *from)
{
        for (size_t i = 0; i < from->n; i++) {
                struct qn_event e = from->events[i];

                if (e.file != QN_FILE_NONE)
                        e.file = qn_event_set_file(to, from->files[e.file]);
                (void)qn_event_add(to, &e); /* what does not fit is noted by the set itself */
        }
}

int qn_event_set_merge(const struct qn_event_set *a, const struct qn_event_set *b,
                       struct qn_arena *arena, struct qn_event_set *ret)
{
        struct qn_event_set s;
        int r;

        qn_event_set_init(&s, arena);
        s.name = a->name;
        s.version = a->version;
        s.integrity = a->integrity;
        qn_event_set_add_all(&s, a);
        qn_event_set_add_all(&s, b);
        r = qn_event_set_seal(&s);
        if (r == 0)
                *ret = s;
        return r;
}
