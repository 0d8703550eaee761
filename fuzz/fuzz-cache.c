/* The input is a bundle of a cache's index files: whatever is read has names that npm would accept. */
#include <stdlib.h>

#include "base/arena.h"
#include "net/cache-bom.h"
#include "parse/lock-kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_bom *bom = NULL;
        struct qn_err err = { 0 };
        int r = qn_cache_read_bom(qn_cur_mem(data, size), &a, &bom, &err);

        if ((r == 0) != (bom != NULL) || (r < 0 && !err.msg[0]))
                abort();
        for (size_t i = 0; bom && i < bom->n; i++)
                if (!qn_lock_name_ok(bom->items[i].name))
                        abort();
        return 0;
}
