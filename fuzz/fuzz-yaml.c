#include "base/arena.h"
#include "base/limits.h"
#include "parse/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything in the tree can be walked within the caps, aliases written out. */
static size_t walk(const struct qn_node *n, unsigned depth)
{
        size_t count = 1;

        if (depth > QN_YAML_DEPTH_MAX)
                abort();
        for (size_t i = 0; i < n->n; i++)
                count += walk(n->items[i], depth + 1);
        return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_node *n = NULL;
        struct qn_err err = { 0 };
        int r = qn_yaml_parse(qn_cur_mem(data, size), &a, &n, &err);

        if ((r == 0) != (n != NULL) || (r < 0) != (err.msg[0] != '\0') || err.off > size)
                abort();
        if (n && walk(n, 0) > QN_YAML_NODES_MAX)
                abort();
        return 0;
}
