/* Files of an asar archive lie within it, their paths are no longer than is kept, and walks end. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/asar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct whole {
        struct qn_cur in;
        size_t files, max; /* the walk is ended by the file after max */
};

static int on_file(void *ctx, struct qn_str path, struct qn_cur data)
{
        struct whole *w = ctx;

        if (path.n > QN_TAR_NAME_MAX || data.p < w->in.p || data.end > w->in.end ||
            data.p > data.end)
                abort();
        return ++w->files > w->max ? -ECANCELED : 0;
}

static int walk(struct qn_cur in, size_t max, size_t *ret_files)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct whole w = { .in = in, .max = max };
        int r = qn_asar_walk(in, &a, on_file, &w);

        *ret_files = w.files;
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct qn_cur in = qn_cur_mem(data, size);
        size_t all, some;
        int r = walk(in, size, &all);

        if (r == -ECANCELED || (r >= 0 && !qn_asar_is(in)) || (r != -EBADMSG && r != -EFBIG && r))
                abort(); /* a file takes more than a byte of the header */
        if (all && (walk(in, all - 1, &some) != -ECANCELED || some != all))
                abort(); /* what the caller returns ends the walk there */
        return 0;
}
