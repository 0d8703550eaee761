#include "base/table.h"

#include <errno.h>

#include "base/show.h"

void qn_table_cell(struct qn_table *t, struct qn_str s)
{
        if (t->n == t->cap) {
                size_t cap = t->cap ? t->cap * 2 : 64;
                size_t *ends = reallocarray(t->ends, cap, sizeof *ends);

                if (!ends) {
                        t->error = -ENOMEM;
                        return;
                }
                t->ends = ends;
                t->cap = cap;
        }
        qn_buf_str(&t->text, s);
        t->ends[t->n++] = t->text.n;
}

static struct qn_str cell_at(const struct qn_table *t, size_t i)
{
        size_t from = i ? t->ends[i - 1] : 0;

        return (struct qn_str){ t->text.p + from, t->ends[i] - from };
}

static void put_cell(struct qn_buf *out, struct qn_str s, size_t wide, bool right)
{
        size_t w = qn_show_width(s), fill = wide > w ? wide - w : 0;

        if (right)
                qn_buf_fill(out, ' ', fill);
        qn_buf_str(out, s);
        if (!right)
                qn_buf_fill(out, ' ', fill);
        qn_buf_puts(out, "  ");
}

int qn_table_print(const struct qn_table *t, struct qn_buf *out, size_t width)
{
        size_t wide[QN_TABLE_COLUMNS_MAX] = { 0 }, before = 0;
        unsigned last = t->columns - 1;
        int r = qn_buf_error(&t->text);

        if (t->error || r < 0)
                return t->error ? t->error : r;
        for (size_t i = 0; i < t->n; i++)
                wide[i % t->columns] = QN_MAX(wide[i % t->columns], qn_show_width(cell_at(t, i)));
        for (unsigned c = 0; c < last; c++)
                before += wide[c] + 2;
        for (size_t i = 0; i < t->n; i++) {
                unsigned c = (unsigned)(i % t->columns);

                if (c < last) {
                        put_cell(out, cell_at(t, i), wide[c], t->right >> c & 1);
                        continue;
                }
                qn_show(out, cell_at(t, i), width > before + 8 ? width - before : 0, 0);
                qn_buf_byte(out, '\n');
        }
        return qn_buf_error(out);
}

void qn_table_done(struct qn_table *t)
{
        qn_buf_done(&t->text);
        free(t->ends);
        *t = (struct qn_table){ .columns = t->columns };
}
