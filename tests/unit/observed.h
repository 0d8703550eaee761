/* observed.h - events as lines of text, for the tests of observers: "kind key=value…\n" each, with +label at the end. */
#pragma once

#include "base/buf.h"
#include "event/event.h"

static inline void observed_add(struct qn_buf *b, const struct qn_event *e)
{
        qn_buf_puts(b, qn_event_name(e->kind));
        for (size_t i = 0; i < e->n_attrs; i++) {
                qn_buf_printf(b, " %s=", qn_attr_name(e->keys[i]));
                qn_buf_str(b, e->values[i]);
        }
        for (unsigned l = 0; l < QN_LABEL_MAX; l++)
                if (e->labels >> l & 1)
                        qn_buf_printf(b, " +%s", qn_label_name(l));
        qn_buf_byte(b, '\n');
}

/* Whether some line starts with `kind` and holds every other word of want ("kind key=value +label"). */
static inline bool observed_has(struct qn_str lines, const char *want)
{
        struct qn_str words = qn_str_c(want), kind = qn_str_cut(&words, ' ');

        while (lines.n) {
                struct qn_str line = qn_str_cut(&lines, '\n'), left = words;
                bool all = line.n >= kind.n && memcmp(line.p, kind.p, kind.n) == 0 &&
                           (line.n == kind.n || line.p[kind.n] == ' ');

                while (all && left.n)
                        all = qn_str_find(line, qn_str_cut(&left, ' ')) >= 0;
                if (all)
                        return true;
        }
        return false;
}
