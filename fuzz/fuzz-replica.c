/* What a feed's page tells are names that may be asked for and sequences that may stand in an address. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/lock-kind.h"
#include "parse/replica.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct qn_replica *p)
{
        for (size_t i = 0; i < p->n; i++)
                if (!qn_lock_name_ok(p->v[i].name) || !qn_replica_is_seq(p->v[i].seq))
                        abort();
        if (p->last.n && !qn_replica_is_seq(p->last))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_replica p;

        if (qn_replica_parse(qn_cur_mem(data, size), &a, &p, NULL) == 0)
                hold(&p);
        if (qn_replica_parse_lines(qn_cur_mem(data, size), &a, &p, NULL) == 0)
                hold(&p);
        return 0;
}
