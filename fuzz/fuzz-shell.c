/* Any bytes give a list whose indices and slices hold, with the script's constants put in or not. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "parse/shell-vars.h"
#include "parse/shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(qn_arena_done) struct qn_arena a = QN_ARENA_INIT((size_t)64 << 20);
        struct qn_str text = { (const char *)data, size };
        struct qn_shell sh;
        size_t sum = 0;
        bool more;

        if (size && data[0] & 1 && qn_shell_expand(text, 0, &a, &text, &more) < 0)
                return 0;
        if (text.n > QN_MAX(size, (size_t)QN_SCRIPT_MAX))
                abort();
        if (qn_shell_parse(text, &a, &sh) < 0)
                return 0;
        if (sh.n > QN_SHELL_COMMANDS_MAX)
                abort();
        for (size_t i = 0; i < sh.n; i++) {
                const struct qn_shell_command *c = &sh.commands[i];

                if ((c->pipe_from != QN_SHELL_NONE && c->pipe_from >= i) ||
                    (c->parent != QN_SHELL_NONE && c->parent >= i) ||
                    c->depth > QN_COMMAND_DEPTH_MAX)
                        abort();
                for (size_t j = 0; j < c->argc; j++)
                        for (size_t k = 0; k < c->argv[j].n; k++)
                                sum += (unsigned char)c->argv[j].p[k];
                for (size_t j = 0; j < c->n_redirects; j++)
                        sum += c->redirects[j].target.n ? (unsigned char)c->redirects[j].target.p[0]
                                                        : 0;
        }
        return sum == SIZE_MAX;
}
