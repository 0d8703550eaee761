/* Only what is no JSON object may be refused, and every place must lie in the input. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/json.h"
#include "parse/pkgjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const struct qn_pkgjson *p, size_t size)
{
        for (size_t i = 0; i < p->n_deps; i++)
                if (p->deps[i].off >= size)
                        abort();
        for (size_t i = 0; i < p->exports.n; i++)
                if (p->exports.v[i].off >= size ||
                    p->exports.v[i].conditions.n > QN_PKGJSON_CONDITIONS_MAX)
                        abort();
        for (size_t i = 0; i < p->scripts.n; i++)
                if (p->scripts.v[i].off >= size || !p->scripts.v[i].value.p)
                        abort();
        for (size_t i = 0; i < p->n_odd; i++)
                if (p->odd[i].off >= size)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        _cleanup_(qn_arena_done) struct qn_arena b = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_pkgjson *p = NULL;
        struct qn_node *root = NULL;
        int r = qn_pkgjson_parse(in, &a, &p, NULL), j = qn_json_parse(in, &b, &root, NULL);

        if ((r == 0) != (p != NULL))
                abort();
        if (r != -ENOBUFS && r != (j == 0 && root->type != QN_NODE_OBJECT ? -EINVAL : j))
                abort();
        if (p)
                check_places(p, size);
        return 0;
}
