/* Rows are made of what stands in the list, and reading it ends. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/listing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_listing_row row;
        struct qn_listing l;
        size_t n = 0;

        if (qn_listing_open(qn_cur_mem(data, size), &l, NULL) < 0)
                return 0;
        while (qn_listing_next(&l, &a, &row) == 1) {
                if (row.is_package ? !row.name.n : !row.ioc.value.n)
                        abort();
                if (++n > size)
                        abort();
        }
        return 0;
}
