/* Syntax trees that outlive the parser's next file. */
#include "base/limits.h"
#include "observe/vm-priv.h"

static void *copy(struct qn_arena *a, const void *p, size_t n, size_t size)
{
        void *to = qn_arena_alloc(a, n * size + 1);

        if (to && n)
                memcpy(to, p, n * size);
        return to;
}

/* Texts of names lie in the parser's copy of the source; those with escapes elsewhere. */
static bool copy_atoms(struct qn_arena *a, struct qn_js_ast *to, const struct qn_js_ast *from)
{
        struct qn_str *atoms = copy(a, from->atoms, from->n_atoms, sizeof *atoms);

        for (uint32_t i = QN_JS_ATOM_FIXED_MAX; atoms && i < from->n_atoms; i++) {
                const char *p = atoms[i].p;

                if (p >= from->lexed.p && p < from->lexed.p + from->lexed.n)
                        atoms[i].p = to->source.p + (p - from->lexed.p);
                else if (atoms[i].n)
                        atoms[i] = qn_arena_dup(a, atoms[i]);
        }
        to->atoms = atoms;
        return atoms != NULL;
}

const struct qn_js_ast *qn_vm_tree_copy(struct qn_arena *a, const struct qn_js_ast *ast,
                                        struct qn_str source)
{
        struct qn_js_ast *to = copy(a, ast, 1, sizeof *ast);

        if (!to)
                return NULL;
        to->source = source;
        if (ast->source.n != source.n)
                to->source = qn_arena_dup(a, ast->source);
        to->nodes = copy(a, ast->nodes, ast->n_nodes, sizeof *ast->nodes);
        to->bindings = copy(a, ast->bindings, ast->n_bindings, sizeof *ast->bindings);
        to->scopes = copy(a, ast->scopes, ast->n_scopes, sizeof *ast->scopes);
        to->comments = NULL;
        to->n_comments = 0;
        if (!to->source.p || !to->nodes || !to->bindings || !to->scopes || !copy_atoms(a, to, ast))
                return NULL;
        to->lexed = to->source;
        return to;
}
