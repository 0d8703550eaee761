/* bench-js - speed of the JavaScript front end over the files named on standard input, one path a line: MB/s of the lexer
 * alone and of a full parse with scopes per core, medians of five rounds of processor time. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "parse/js-lex.h"
#include "parse/js.h"

#define ROUNDS 5

struct file {
        struct qn_buf text;
};

/* Processor time of this process, so that other work on the machine does not count. */
static uint64_t cpu_nanos(void)
{
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
        const double *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static double lex_round(struct qn_js *js, const struct file *files, size_t n)
{
        uint64_t start = cpu_nanos(), tokens = 0;

        for (size_t i = 0; i < n; i++) {
                uint32_t k = 0;

                if (qn_js_lex(js, qn_buf_view(&files[i].text), NULL, NULL, &k) == 0)
                        tokens += k;
        }
        (void)tokens;
        return (double)(cpu_nanos() - start);
}

static double parse_round(struct qn_js *js, const struct file *files, size_t n)
{
        uint64_t start = cpu_nanos();

        for (size_t i = 0; i < n; i++) {
                const struct qn_js_ast *ast;

                if (qn_js_parse(js, qn_buf_view(&files[i].text), QN_JS_AUTO, 0, &ast, NULL) < 0)
                        continue;
        }
        return (double)(cpu_nanos() - start);
}

static size_t load(struct file **ret, size_t *ret_bytes)
{
        struct file *files = NULL;
        size_t n = 0, cap = 0;
        char line[4096];

        *ret_bytes = 0;
        while (fgets(line, sizeof line, stdin)) {
                line[strcspn(line, "\n")] = '\0';
                if (n == cap) {
                        cap = cap ? cap * 2 : 64;
                        files = realloc(files, cap * sizeof *files);
                        if (!files)
                                return 0;
                }
                files[n].text = QN_BUF_INIT((size_t)64 << 20);
                if (qn_io_read(line, &files[n].text) == 0)
                        *ret_bytes += files[n++].text.n;
        }
        *ret = files;
        return n;
}

int main(void)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        struct file *files = NULL;
        size_t bytes, n = load(&files, &bytes);
        double lex[ROUNDS], parse[ROUNDS];

        if (!js || n == 0)
                return 1;
        for (int i = 0; i < ROUNDS; i++) {
                lex[i] = lex_round(js, files, n);
                parse[i] = parse_round(js, files, n);
        }
        qsort(lex, ROUNDS, sizeof *lex, by_value);
        qsort(parse, ROUNDS, sizeof *parse, by_value);
        printf("%zu files, %.1f MB: lex %.0f MB/s, parse and scopes %.0f MB/s\n", n,
               (double)bytes / 1e6, (double)bytes * 1e3 / lex[ROUNDS / 2],
               (double)bytes * 1e3 / parse[ROUNDS / 2]);
        for (size_t i = 0; i < n; i++)
                qn_buf_done(&files[i].text);
        free(files);
        return 0;
}
