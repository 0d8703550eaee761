/* Every command has a text and stands in the file; the root is a dict. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/gyp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)256 << 20);
        struct qn_gyp *g = NULL;
        struct qn_err err = { 0 };
        int r = qn_gyp_parse(qn_cur_mem(data, size), &a, &g, &err);

        if ((r == 0) != (g != NULL) || (r < 0 && !err.msg[0]) || err.off > size)
                abort();
        if (g && g->root->type != QN_NODE_OBJECT)
                abort();
        for (size_t i = 0; g && i < g->n; i++) {
                const struct qn_gyp_command *c = &g->commands[i];

                if (c->off >= size || c->line == 0 || c->column == 0 ||
                    c->text.n > QN_COMMAND_MAX || (c->argc && !c->argv))
                        abort();
        }
        return 0;
}
