/* js-dump - what the JavaScript front end makes of the files named on standard input, one path a line: for the comparison
 * with other parsers (compare.mjs).  For each file: "F path", "E errors offset message", then one "type start end" line per
 * node, or nothing but the first two with -q.  With -t the tokens of qn_js_lex() instead, as "text start end". */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "parse/js-lex.h"
#include "parse/js.h"

/* Prints the nodes below and including root; `todo` is a stack of list heads. */
static int print_tree(const struct qn_js_ast *ast)
{
        uint32_t *todo = malloc((ast->n_nodes + 1) * sizeof *todo);
        size_t n = 0;

        if (!todo)
                return -ENOMEM;
        todo[n++] = ast->root;
        while (n) {
                const struct qn_js_node *node = &ast->nodes[todo[--n]];

                printf("%s %u %u\n", qn_js_type_name(node->type), node->start, node->end);
                if (node->next)
                        todo[n++] = node->next;
                if (node->first && node->type != QN_JS_IDENT)
                        todo[n++] = node->first;
        }
        free(todo);
        return 0;
}

static int print_token(void *arg, const struct qn_js_lexeme *t)
{
        (void)arg;
        if (t->tok == QN_JS_TOK_TEMPLATE_MIDDLE || t->tok == QN_JS_TOK_TEMPLATE_TAIL)
                printf("token %u %u\n", t->start, t->start + 1);
        else if (t->tok != QN_JS_TOK_TEMPLATE && t->tok != QN_JS_TOK_TEMPLATE_HEAD)
                printf("%s %u %u\n",
                       t->tok == QN_JS_TOK_REGEX ? "regex"
                       : t->tok == QN_JS_TOK_BAD ? "bad"
                                                 : "token",
                       t->start, t->end);
        return 0;
}

static int dump_tokens(struct qn_js *js, const char *path)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        uint32_t n;
        int r = qn_io_read(path, &b);

        printf("F %s\nE 0 0 \n", path);
        return r < 0 ? 0 : qn_js_lex(js, qn_buf_view(&b), print_token, NULL, &n);
}

/* As the observers choose (src/observe/js.c). */
static unsigned options_of(const char *path)
{
        const char *ext = strrchr(path, '.');

        if (!ext || ext[1] == 'j' || (ext[1] != '\0' && ext[2] == 'j'))
                return QN_JS_OPT_JSX;
        return strcmp(ext, ".tsx") == 0 ? QN_JS_OPT_TS | QN_JS_OPT_JSX : QN_JS_OPT_TS;
}

static int dump(struct qn_js *js, const char *path, enum qn_js_mode mode, bool quiet)
{
        _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
        const struct qn_js_ast *ast = NULL;
        struct qn_err err = { 0 };
        int r = qn_io_read(path, &b);

        printf("F %s\n", path);
        if (r == 0)
                r = qn_js_parse(js, qn_buf_view(&b), mode, options_of(path), &ast, &err);
        if (r < 0) {
                printf("E -1 %zu %s\n", err.off, err.msg);
                return 0;
        }
        printf("E %u %zu %s\n", ast->errors, ast->first_error.off, ast->first_error.msg);
        return quiet ? 0 : print_tree(ast);
}

int main(int argc, char **argv)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        enum qn_js_mode mode = QN_JS_AUTO;
        char line[4096];
        bool quiet = false, tokens = false;

        for (int i = 1; i < argc; i++) {
                quiet |= strcmp(argv[i], "-q") == 0;
                tokens |= strcmp(argv[i], "-t") == 0;
                if (strcmp(argv[i], "-m") == 0)
                        mode = QN_JS_MODULE;
                if (strcmp(argv[i], "-s") == 0)
                        mode = QN_JS_SCRIPT;
        }
        while (js && fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = '\0';
                if ((tokens ? dump_tokens(js, line) : dump(js, line, mode, quiet)) < 0)
                        return 1;
        }
        return js ? 0 : 1;
}
