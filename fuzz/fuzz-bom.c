/* The first line is the document's name, the rest the document.  With a result its items and edges fit together, and it
 * travels to another process and back as the same bytes. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "parse/bom.h"
#include "role/bom-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_wire(const struct qn_bom *bom)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)256 << 20), again = b;
        struct qn_bom *copy = NULL;

        if (qn_bom_wire_write(bom, &b) < 0)
                return;
        if (qn_bom_wire_read(qn_cur_str(qn_buf_view(&b)), &a, &copy, NULL) < 0 ||
            qn_bom_wire_write(copy, &again) < 0 || !qn_str_eq(qn_buf_view(&b), qn_buf_view(&again)))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_str all = { (const char *)data, size };
        struct qn_bom_in in = { .name = qn_str_cut(&all, '\n') };
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        int r;

        in.doc = qn_cur_str(all);
        r = qn_bom_read(&in, &a, &bom, &err);
        if ((r == 0) != (bom != NULL) || (r < 0 && !err.msg[0]))
                abort();
        if (r < 0)
                return 0;
        for (size_t i = 0; i < bom->n; i++)
                if (bom->items[i].origin >= QN_BOM_FROM_MAX)
                        abort();
        for (size_t i = 0; i < bom->n_edges; i++)
                if (bom->edges[i].to >= bom->n ||
                    (bom->edges[i].from >= bom->n && bom->edges[i].from != QN_BOM_ROOT))
                        abort();
        check_wire(bom);
        return 0;
}
