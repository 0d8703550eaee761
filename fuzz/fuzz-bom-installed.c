/* The input is a bundle of files (files.h), as the parent makes it of a tree of node_modules; and, as other bytes, a
 * reply of the role. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/bom-installed.h"
#include "role/bom-wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        int r = qn_bom_read_installed(qn_cur_mem(data, size), &a, &bom, &err);

        if ((r == 0) != (bom != NULL) || (r < 0 && !err.msg[0]))
                abort();
        for (size_t i = 0; bom && i < bom->n_edges; i++)
                if (bom->edges[i].to >= bom->n)
                        abort();
        bom = NULL;
        r = qn_bom_wire_read(qn_cur_mem(data, size), &a, &bom, &err);
        if ((r == 0) != (bom != NULL))
                abort();
        for (size_t i = 0; bom && i < bom->n_edges; i++)
                if (bom->edges[i].to >= bom->n)
                        abort();
        return 0;
}
