/* Any bytes as JavaScript, TypeScript or Flow, as their number says.  The oracle: success and a tree go together; every node lies inside the source and its children
 * inside it or beside it; every name's binding exists; the same bytes give the same tree from a parser that was used. */
#include "base/limits.h"
#include "parse/js-lex.h"
#include "parse/js.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
        if (!ok)
                abort();
}

static uint64_t check_node(const struct qn_js_ast *ast, const struct qn_js_node *n)
{
        check(n->type < QN_JS_TYPE_MAX && n->start <= n->end && n->end <= ast->source.n &&
              n->next < ast->n_nodes);
        if (n->type == QN_JS_IDENT)
                check(n->first < ast->n_bindings && n->val < ast->n_atoms);
        else
                check(n->first < ast->n_nodes);
        return (uint64_t)n->type * 7 + n->start * 5 + n->end * 3 + n->first;
}

/* Walks the tree; a node may be met once only. */
static uint64_t check_tree(const struct qn_js_ast *ast)
{
        uint8_t *seen = calloc(ast->n_nodes, 1);
        uint32_t *todo = malloc(ast->n_nodes * sizeof *todo);
        uint64_t sum = ast->n_nodes;
        size_t n = 0;

        check(seen && todo && ast->root && ast->nodes[ast->root].type == QN_JS_PROGRAM);
        todo[n++] = ast->root;
        while (n) {
                uint32_t i = todo[--n];
                const struct qn_js_node *node = &ast->nodes[i];

                check(!seen[i]++);
                sum = sum * 31 + check_node(ast, node);
                if (node->next)
                        todo[n++] = node->next;
                if (node->first && node->type != QN_JS_IDENT)
                        todo[n++] = node->first;
        }
        free(todo);
        free(seen);
        return sum;
}

static void check_scopes(const struct qn_js_ast *ast)
{
        for (uint32_t i = 1; i < ast->n_bindings; i++) {
                const struct qn_js_binding *b = &ast->bindings[i];

                check(b->atom < ast->n_atoms && b->scope && b->scope < ast->n_scopes &&
                      b->decl < ast->n_nodes);
                check(b->parent < ast->n_nodes && ast->nodes[b->decl].type == QN_JS_IDENT);
        }
        for (uint32_t i = 1; i < ast->n_scopes; i++)
                check(ast->scopes[i].parent < ast->n_scopes && ast->scopes[i].parent != i &&
                      ast->scopes[i].node < ast->n_nodes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct qn_js *js;
        struct qn_str source = { (const char *)data, size };
        const struct qn_js_ast *ast = NULL;
        uint64_t sum[2] = { 0, 0 };
        uint32_t n, line, col;
        struct qn_err err = { 0 };

        if (!js)
                js = qn_js_new();
        check(js != NULL);
        for (int i = 0; i < 2; i++) {
                int r = qn_js_parse(js, source, size % 3, size / 3 % 8, &ast, &err);

                check((r == 0) == (ast != NULL) && (r == 0 || r == -EFBIG));
                if (r < 0)
                        return 0;
                sum[i] = check_tree(ast);
                check_scopes(ast);
                qn_js_place(js, (uint32_t)size, &line, &col);
                check(line >= 1 && col >= 1);
                ast = NULL;
                r = qn_js_lex(js, source, NULL, NULL, &n);
                check(r == -EFBIG ||
                      (r == 0 && n <= size)); /* without a parser, text of JSX may open templates */
        }
        check(sum[0] == sum[1]);
        return 0;
}
