/* binding.gyp */
#include "base/arena.h"
#include "parse/gyp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_gyp *g = NULL;
        int r = qn_gyp_parse(qn_cur_mem(data, size), &a, &g, NULL);

        if ((r == 0) != (g != NULL))
                abort();
        return 0;
}
