/* bench-js-shapes - time per byte of the JavaScript front end over hostile shapes of growing size: nothing may grow faster
 * than its input.  For each shape one line with nanoseconds per byte from 10 KB to 20 MB, processor time, the best of three.
 * A shape that a limit stops says where in the place of its time.  Exit status 1: the largest size that was read took more
 * than GROWTH times as long per byte as 160 KB did.
 *   usage: bench-js-shapes [SHAPE...] */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "measure.h"
#include "parse/js.h"

#define GROWTH 4.0 /* a million different names no longer fit in the caches */
#define BASE   160u
#define ROUNDS 3

enum {
        PLAIN = 0,
        JSX = QN_JS_OPT_JSX,
        TS = QN_JS_OPT_TS,
        TSX = TS | JSX,
        FLOW = QN_JS_OPT_FLOW | JSX
};

/* head, as many units as fit in one half of the size, middle, the same number of tails, end.  A # in a unit is its
 * number. */
struct shape {
        const char *name;
        unsigned opts;
        const char *head, *unit, *middle, *tail, *end;
        unsigned
                depth; /* units at most: deeper is refused (QN_JS_DEPTH_MAX); then it is repeated */
};

static const struct shape shapes[] = {
        { "one line of statements", PLAIN, "", "a.b(c[1])+'d';", "", "", "", 0 },
        { "functions", PLAIN, "", "function f#(a){}", "", "", "", 0 },
        { "one long string", PLAIN, "a='", "abcdefg\\n", "", "", "'", 0 },
        { "one long comment", PLAIN, "/*", "* / \n", "", "", "*/", 0 },
        { "one long operator chain", PLAIN, "a=1", "+b*c", "", "", ";", 0 },
        { "one long member chain", PLAIN, "a", ".b()[c]", "", "", ";", 0 },
        { "one long array", PLAIN, "a=[", "1,{b:2},", "", "", "]", 0 },
        { "if else chain", PLAIN, "", "if(a)b;else ", "c;", "", "", 0 },
        { "conditions", PLAIN, "a=", "b?c:", "d;", "", "", 0 },
        { "regular expressions or not", PLAIN, "", "a=b/c/d;/e[/]f/g.h(/i/)/j;", "", "", "", 0 },
        { "parentheses", PLAIN, "", "(", "a", ")", ";", 400 },
        { "arrays that become patterns", PLAIN, "", "[", "a", "]", "=b;", 400 },
        { "arrow or parentheses", PLAIN, "", "(a=", "b", ")", ";", 400 },
        { "arrow in arrow", PLAIN, "", "(a,b=1)=>", "c", "", ";", 400 },
        { "async or call", PLAIN, "", "async(a,", "b", ")", ";", 400 },
        { "templates in templates", PLAIN, "", "`${", "a", "}`", ";", 400 },
        { "blocks", PLAIN, "", "{", "let a", "}", "", 400 },
        { "unclosed brackets", PLAIN, "", "([{", "", "", "", 100 },
        { "unclosed templates", PLAIN, "", "`${", "", "", "", 0 },
        { "closing brackets", PLAIN, "", ")]}", "", "", "", 0 },
        { "broken statements", PLAIN, "", "let a b;", "", "", "", 0 },
        { "broken statements, twice", JSX, "", "let a b;", "", "", "", 0 },
        { "elements", JSX, "a=", "<b c='d'>", "e", "</b>", ";", 400 },
        { "unclosed elements", JSX, "a=", "<b>", "", "", "", 0 },
        { "< never closed", TS, "a=", "b<", "c", "", ";", 0 },
        { "< closed, no call", TS, "a=", "b<", "c", ">", "d;", 400 },
        { "< closed, no call, once", TS, "a=", "b<", "c", ">", "d;", 0 },
        { "calls with types", TS, "", "f<A<B>>(c);", "", "", "", 0 },
        { "comparisons", TS, "", "if(a<b&&c>(d))e;", "", "", "", 0 },
        { "arrow types that are none", TS, "a=", "(b):c,", "d", "", ";", 0 },
        { "nested generic arrows", TSX, "a=", "<T,>(b=", "c", ")=>d", ";", 300 },
        { "unclosed type parameters", TSX, "a=", "<T>(", "", "", "", 0 },
        { "types in types", TS, "let a:", "A<{b:(c:", "D", ")=>e}>", ";", 0 },
        { "union", TS, "type A=", "|B", "", "", ";", 0 },
        { "condition types", TS, "type A=", "B extends C?D:", "E", "", ";", 0 },
        { "interfaces", TS, "", "interface A#{b:C}", "", "", "", 0 },
        { "casts in casts", FLOW, "", "(", "a", ":B)", ";", 400 },
        { "casts or arrows", FLOW, "a=", "b?(c:D):", "e", "", ";", 0 },
        { "type arguments or elements", FLOW, "a=", "<B<C> d={<e>(f)</e>}/>,", "g", "", ";", 0 },
        { "overloads", TS, "", "function f(a:B=(c)=>d):E;", "", "", "", 0 },
};

static const size_t sizes[] = { 10, 40, BASE, 640, 2560, 10240, 20480 }; /* KB */

static void generate(const struct shape *s, size_t size, struct qn_buf *b)
{
        size_t each = strlen(s->unit) + strlen(s->tail) + (strchr(s->unit, '#') ? 4 : 0), n, i;

        do {
                n = (size - b->n) / each;
                if (n < 1)
                        n = 1;
                if (s->depth && n > s->depth)
                        n = s->depth;
                bench_put(b, s->head, 0);
                for (i = 0; i < n; i++)
                        bench_put(b, s->unit, i);
                bench_put(b, s->middle, 0);
                for (i = 0; i < n && *s->tail; i++)
                        bench_put(b, s->tail, 0);
                bench_put(b, s->end, 0);
                bench_put(b, s->depth ? "\n" : "", 0);
        } while (s->depth && b->n + s->depth * each < size);
}

/* Nanoseconds per byte; negative: the limit said so. */
static double measure(struct qn_js *js, const struct shape *s, struct qn_str text,
                      const char **ret_msg)
{
        static struct qn_err err;
        double best = 1e18;
        int r = 0;

        for (int i = 0; i < ROUNDS; i++) {
                const struct qn_js_ast *ast;
                uint64_t start = bench_cpu_ns();
                double t;

                r = qn_js_parse(js, text, QN_JS_AUTO, s->opts, &ast, &err);
                t = (double)(bench_cpu_ns() - start) / (double)text.n;
                if (t < best)
                        best = t;
        }
        *ret_msg = r < 0 ? err.msg : NULL;
        return best;
}

static bool run(struct qn_js *js, const struct shape *s)
{
        double base = 0, last = 0;

        printf("%-28s", s->name);
        for (size_t k = 0; k < QN_ARRAY_SIZE(sizes); k++) {
                _cleanup_(qn_buf_done) struct qn_buf b = QN_BUF_INIT((size_t)64 << 20);
                const char *msg;
                double t;

                generate(s, sizes[k] << 10, &b);
                t = measure(js, s, qn_buf_view(&b), &msg);
                printf(msg ? " (%.1f)" : " %6.1f", t);
                if (sizes[k] == BASE)
                        base = t;
                last = t;
                fflush(stdout);
        }
        printf("%s\n", last > base * GROWTH ? "  GROWS" : "");
        return last <= base * GROWTH;
}

int main(int argc, char **argv)
{
        _cleanup_(qn_js_freep) struct qn_js *js = qn_js_new();
        bool ok = true;

        if (!js)
                return 1;
        printf("%-28s %s\n", "ns per byte; ( ): refused",
               "10 KB, 40 KB, 160 KB, 640 KB, 2.5 MB, 10 MB, 20 MB");
        for (size_t i = 0; i < QN_ARRAY_SIZE(shapes); i++)
                if (argc < 2 || strstr(shapes[i].name, argv[1]))
                        ok &= run(js, &shapes[i]);
        return ok ? 0 : 1;
}
