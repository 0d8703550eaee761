/* Which functions run when the file is loaded.  What flows where is vm.h's business. */
#include "observe/js-priv.h"

static void add_call(struct qn_js_file *j, uint32_t *first, uint32_t *next, uint32_t edge)
{
        uint32_t from = j->calls[edge].from;

        next[edge] = first[from];
        first[from] = edge + 1;
}

/* The number of the function whose node it is. */
static uint32_t function_of(const struct qn_js_file *j, uint32_t node)
{
        uint32_t scope = qn_jsn(j, node)->val;

        return scope < j->ast->n_scopes ? j->func_of[scope] : 0;
}

void qn_jso_reach(struct qn_js_file *j)
{
        uint32_t *first = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *first);
        uint32_t *next = qn_arena_calloc(j->a, j->n_calls + 1, sizeof *next);
        uint32_t *child = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *child);
        uint32_t *sibling = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *sibling);
        uint32_t *stack = qn_arena_calloc(j->a, j->n_funcs + 1, sizeof *stack);
        size_t n = 0;

        if (!first || !next || !child || !sibling || !stack) {
                j->lost = true;
                return;
        }
        for (uint32_t i = 0; i < j->n_calls; i++)
                add_call(j, first, next, i);
        for (uint32_t i = 1; i < j->n_funcs; i++)
                if (j->funcs[i].inherits) {
                        sibling[i] = child[j->funcs[i].parent];
                        child[j->funcs[i].parent] = i;
                }
        stack[n++] = 0;
        while (n) {
                uint32_t f = stack[--n];

                for (uint32_t c = child[f]; c; c = sibling[c])
                        if (!j->funcs[c].loads) {
                                j->funcs[c].loads = true;
                                stack[n++] = c;
                        }
                for (uint32_t e = first[f]; e; e = next[e - 1]) {
                        uint32_t to = function_of(j, j->calls[e - 1].to);

                        if (to && !j->funcs[to].loads) {
                                j->funcs[to].loads = true;
                                stack[n++] = to;
                        }
                }
        }
}
