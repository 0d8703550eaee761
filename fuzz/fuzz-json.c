/* The pull parser, its skipping and the tree must agree on what is a document. */
#include <stdlib.h>

#include "base/arena.h"
#include "parse/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int pull(struct qn_cur in)
{
        struct qn_json_event e = { 0 };
        struct qn_json j;
        size_t last = 0;
        int r = qn_json_init(&j, in, NULL);

        while (r == 0) {
                r = qn_json_next(&j, &e, NULL);
                if (r == 0 && e.kind == QN_JSON_EOF)
                        break;
                if (r == 0 && (e.off < last || e.off + e.raw.n > qn_cur_left(&in)))
                        abort();
                last = e.off;
        }
        return r;
}

static int skip(struct qn_cur in)
{
        struct qn_json_event e = { 0 };
        struct qn_json j;
        int r = qn_json_init(&j, in, NULL);

        if (r == 0)
                r = qn_json_skip(&j, NULL);
        return r == 0 ? qn_json_next(&j, &e, NULL) : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_cur in = qn_cur_mem(data, size);
        struct qn_node *root = NULL;
        struct qn_err err = { 0 };
        int r = qn_json_parse(in, &a, &root, &err);

        if ((r == 0) != (root != NULL) || err.off > size || r > 0)
                abort();
        if (r != -ENOBUFS && (pull(in) != r || skip(in) != r))
                abort();
        return 0;
}
