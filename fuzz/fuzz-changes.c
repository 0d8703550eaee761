/* What is told of a list of changes is in order, each id once, and fit for an address. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/changes.h"
#include "parse/packument.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_changes c;

        if (qn_changes_parse(qn_cur_mem(data, size), QN_TIME_NONE, &a, &c, NULL) < 0)
                return 0;
        if (c.n > c.listed || (c.listed && c.newest_ms == QN_TIME_NONE))
                abort();
        for (size_t i = 0; i < c.n; i++)
                if (!qn_change_is_id(c.v[i].id) || (i && c.v[i].time_ms < c.v[i - 1].time_ms))
                        abort();
        return 0;
}
