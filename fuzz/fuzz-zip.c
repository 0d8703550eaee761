/* Entries of a ZIP or asar archive lie within it, and walks end. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/asar.h"
#include "parse/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct whole {
        struct qn_cur in;
        size_t files;
};

static void check(const struct whole *w, struct qn_cur data)
{
        if (data.p && (data.p < w->in.p || data.end > w->in.end || data.p > data.end))
                abort();
}

static int on_file(void *ctx, struct qn_str path, struct qn_cur data)
{
        struct whole *w = ctx;

        if (path.n > QN_TAR_NAME_MAX)
                abort();
        check(w, data);
        return ++w->files > 1000 ? -ECANCELED : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct whole w = { .in = qn_cur_mem(data, size) };
        struct qn_zip_entry e;
        struct qn_zip z;
        size_t n = 0;

        if (qn_zip_open(w.in, &z) == 0)
                while (qn_zip_next(&z, &e) == 1) {
                        check(&w, e.data);
                        check(&w, qn_cur_str(e.path));
                        if (++n > size)
                                abort();
                }
        if (qn_asar_walk(w.in, &a, on_file, &w) == 0 && !qn_asar_is(w.in))
                abort();
        return 0;
}
