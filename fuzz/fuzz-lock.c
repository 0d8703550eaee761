/* Only with a result is it a lock file; every package has a path, a name and a place in the input. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_lock *lock = NULL;
        struct qn_err err = { 0 };
        int r = qn_lock_parse(qn_cur_mem(data, size), &a, &lock, &err);

        if ((r == 0) != (lock != NULL) || (r < 0 && (err.code != r || !err.msg[0])))
                abort();
        for (size_t i = 0; lock && i < lock->n; i++) {
                const struct qn_lock_package *p = &lock->packages[i];

                if (!p->path.p || !p->name.p || p->off >= size || data[p->off] != '{')
                        abort();
                if ((p->alias.p != NULL) && p->kind == QN_LOCK_REGISTRY)
                        abort();
        }
        return 0;
}
