/* First line: what is wanted, the rest: the packument.  What is chosen must be in the listing. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/packument.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_str doc = { (const char *)data, size }, spec = qn_str_cut(&doc, '\n');
        struct qn_packument_want want = { .spec = spec,
                                          .before = spec.n % 2 ? QN_TIME_NONE : 1600000000000,
                                          .node = QN_STR("20.0.0") };
        struct qn_packument_version *v = NULL;
        struct qn_packument *p = NULL;
        struct qn_cur in = qn_cur_str(doc);
        int r = qn_packument_read(in, &a, &p, NULL),
            pick = qn_packument_pick(in, &want, &a, &v, NULL);

        if ((r == 0) != (p != NULL) || (pick == 0) != (v != NULL))
                abort();
        if (r == -ENOBUFS || pick == -ENOBUFS)
                return 0;
        if (r < 0 ? pick != r : pick != 0 && pick != -ENOENT)
                abort();
        if (v && !qn_packument_find(p, v->version))
                abort();
        for (size_t i = 0; p && i < p->n; i++)
                if (p->versions[i].raw.n < 2 || p->versions[i].raw.p[0] != '{')
                        abort();
        return 0;
}
