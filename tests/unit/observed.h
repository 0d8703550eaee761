/* observed.h - events as lines of text, for the tests of observers: "kind key=value…\n" each, with +label at the end. */
#pragma once

#include "base/buf.h"
#include "event/event.h"

static inline void observed_add(struct qn_buf *b, const struct qn_event *e)
{
        qn_buf_puts(b, qn_event_name(e->kind));
        for (size_t i = 0; i < e->n_attrs; i++) {
                qn_buf_printf(b, " %s=", qn_attr_name(e->keys[i]));
                for (size_t k = 0; k < e->values[i].n; k++) /* one line an event */
                        qn_buf_byte(b, e->values[i].p[k] == '\n' ? '|' : e->values[i].p[k]);
        }
        if (e->fresh)
                qn_buf_printf(b, " new=%s", qn_novelty_name(e->fresh));
        for (unsigned l = 0; l < QN_LABEL_MAX; l++)
                if (e->labels >> l & 1)
                        qn_buf_printf(b, " +%s", qn_label_name(l));
        qn_buf_byte(b, '\n');
}

/* Whether some line starts with the first word of want and holds every other one ("kind key=value +label"). */
static inline bool observed_has(struct qn_str lines, const char *want)
{
        while (lines.n) {
                struct qn_str line = qn_str_cut(&lines, '\n'), left = qn_str_c(want),
                              first = qn_str_cut(&left, ' ');
                bool all = line.n >= first.n && memcmp(line.p, first.p, first.n) == 0 &&
                           (line.n == first.n || line.p[first.n] == ' ');

                while (all && left.n)
                        all = qn_str_find(line, qn_str_cut(&left, ' ')) >= 0;
                if (all)
                        return true;
        }
        return false;
}
